"""A museum of planted bugs: eight backward passes that are wrong, and what `viz.check` says about each.

    python examples/steps/museum.py [--out DIR]

Each exhibit computes a gradient by hand with one classic mistake in it, and none of them crashes. `viz.check(y,
mine=...)` lays the learner's numbers beside the engine's and beside finite differences, and names the mistake that
gives just these numbers. The last one never gets that far: the engine notices. Guess before you read on.
"""

from collections.abc import Callable
from typing import NamedTuple

import lesson
import numpy as np

import nn
import viz
from autograd import Tensor, tensor

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.2, 0.8, 1.1]])
T = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


class Exhibit(NamedTuple):
    """A result with its graph, and a learner's gradients by name."""

    y: Tensor
    mine: dict[str, np.ndarray]


def weights() -> tuple[Tensor, Tensor]:
    W = tensor([[0.1, -0.4], [0.7, 0.2], [-0.3, 0.5]], requires_grad=True)
    b = tensor([0.05, -0.1], requires_grad=True)
    return W, b


def forgotten_zero_grad() -> Exhibit:
    """Two rounds of training without zero_grad(): .grad still holds the first when the second is added."""
    W, b = weights()
    optimizer = nn.optim.SGD([W, b], lr=0.1)
    for _ in range(2):
        loss = nn.softmax_cross_entropy(X @ W + b, T)
        loss.backward(retain_graph=True)
        gradient = W.grad.copy()
        optimizer.step()
    return Exhibit(loss, {"W": gradient})


def overwritten() -> Exhibit:
    """x is used twice, and its gradient is written with `=` where `+=` belongs."""
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    a = 3.0 * x
    b = np.sin(x)
    y = np.sum(a + b)
    dx = 3.0 * np.ones(3)  # by way of a
    dx = np.cos(x.data)  # by way of b: should be +=
    return Exhibit(y, {"x": dx})


def missing_transpose() -> Exhibit:
    """dW = x dout. The shapes fit, because here are as many examples as inputs."""
    W, b = weights()
    out = X @ W + b
    out.name = "out"
    dout = 2 * out.data
    dW = X @ dout  # should be X.T @ dout
    return Exhibit(np.sum(out**2), {"W": dW, "b": dout.sum(axis=0)})


def missing_mean() -> Exhibit:
    """The loss is the mean over the batch, the gradient forgets its 1/N."""
    W, b = weights()
    scores = X @ W + b
    scores.name = "scores"
    dscores = nn.softmax(scores.data) - T  # should be divided by len(X)
    return Exhibit(nn.softmax_cross_entropy(scores, T), {"scores": dscores})


def missing_sum() -> Exhibit:
    """b was added to every example, its gradient is that of the first example only."""
    W, b = weights()
    out = X @ W + b
    dout = 2 * out.data
    db = dout[0]  # should be dout.sum(axis=0)
    return Exhibit(np.sum(out**2), {"W": X.T @ dout, "b": db})


def overflow() -> Exhibit:
    """softmax as exp(x) / sum(exp(x)): right on paper, nan for a score of 1000."""
    scores = tensor([[1000.0, 2.0], [1.0, 3.0], [0.5, -1.0]], requires_grad=True)
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(scores.data)  # should be exp(x - max(x))
        probabilities = e / e.sum(axis=1, keepdims=True)
    return Exhibit(nn.softmax_cross_entropy(scores, T), {"scores": (probabilities - T) / len(T)})


def changed_in_place() -> Exhibit:
    """A ReLU layer writes its zeros into the gradient that it is given, and somebody else still needed that."""
    x = tensor([[1.0, -2.0], [-0.5, 3.0]], requires_grad=True)
    skipped = tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)
    y = np.sum((nn.relu(x) + skipped) ** 2)
    dout = 2 * (np.maximum(x.data, 0) + skipped.data)
    dskipped = dout  # the same array, not a copy
    dout[x.data < 0] = 0
    return Exhibit(y, {"x": dout, "skipped": dskipped})


def updated_too_early() -> Exhibit:
    """The weights are updated in place between forward and backward: the gradient would be that of another network."""
    W, b = weights()
    V = tensor([[1.0], [-1.0]], requires_grad=True)
    y = np.sum((np.tanh(X @ W + b) @ V) ** 2)
    V.data -= 0.1  # should come after backward()
    return Exhibit(y, {})


EXHIBITS: list[Callable[[], Exhibit]] = [
    forgotten_zero_grad,
    overwritten,
    missing_transpose,
    missing_mean,
    missing_sum,
    overflow,
    changed_in_place,
    updated_too_early,
]


def main() -> None:
    run = lesson.start(__doc__)
    for number, make in enumerate(EXHIBITS, 1):
        with viz.record():  # keeps what finite differences compute again
            y, mine = make()
        check = viz.check(y, mine=mine)
        lesson.heading(f"{number}. {make.__name__}: {make.__doc__}")
        print(check)
        run.save(check.draw(), f"museum_{number}_{make.__name__}.svg")


if __name__ == "__main__":
    main()
