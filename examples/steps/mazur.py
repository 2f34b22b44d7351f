"""Matt Mazur's worked example: two inputs, two hidden neurons, two outputs, every number known in advance.

    python examples/steps/mazur.py [--out DIR]

From "A Step by Step Backpropagation Example" (2015), which many have worked through with pencil and paper. Each weight
is a number of its own here, as it is there. One step of learning; the two biases stay as they are.
"""

import lesson
import numpy as np

import nn
import viz
from autograd import Tensor, tensor

INPUTS, TARGETS = (0.05, 0.10), (0.01, 0.99)
BIASES = (0.35, 0.60)
WEIGHTS = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)
LEARNING_RATE = 0.5


def error(w: list[Tensor]) -> dict[str, Tensor]:
    """The forward pass: every number that the article has a name for."""
    w1, w2, w3, w4, w5, w6, w7, w8 = w
    (i1, i2), (b1, b2), (t1, t2) = INPUTS, BIASES, TARGETS
    net_h1 = w1 * i1 + w2 * i2 + b1
    net_h2 = w3 * i1 + w4 * i2 + b1
    out_h1 = nn.sigmoid(net_h1)
    out_h2 = nn.sigmoid(net_h2)
    net_o1 = w5 * out_h1 + w6 * out_h2 + b2
    net_o2 = w7 * out_h1 + w8 * out_h2 + b2
    out_o1 = nn.sigmoid(net_o1)
    out_o2 = nn.sigmoid(net_o2)
    E_o1 = 0.5 * (t1 - out_o1) ** 2
    E_o2 = 0.5 * (t2 - out_o2) ** 2
    E = E_o1 + E_o2
    return {"out_h1": out_h1, "out_o1": out_o1, "out_o2": out_o2, "E_o1": E_o1, "E_o2": E_o2, "E": E}


def main() -> None:
    run = lesson.start(__doc__)
    weights = [tensor(value, requires_grad=True) for value in WEIGHTS]
    for k, weight in enumerate(weights, 1):
        weight.name = f"w{k}"

    with viz.record() as tape:
        before = error(weights)
        before["E"].backward()
        nn.optim.SGD(weights, lr=LEARNING_RATE).step()

    lesson.heading("Forward")
    for name, value in before.items():
        print(f"  {name} = {value.item():.9f}")
    lesson.heading("Backward: dE/dw5 is a product of three numbers")
    out = before["out_o1"].item()
    factors = (out - TARGETS[0], out * (1 - out), before["out_h1"].item())
    print("  dE/dw5 = " + " * ".join(f"{factor:.9f}" for factor in factors) + f" = {np.prod(factors):.9f}")
    print(f"  engine: dE/dw5 = {weights[4].grad:.9f}, dE/dw1 = {weights[0].grad:.9f}")
    lesson.heading(f"One step: each weight minus {LEARNING_RATE} times its gradient")
    for weight in weights:
        print(f"  {weight.name} = {weight.item():.9f}")
    print(f"  E after one step = {error(weights)['E'].item():.9f}")
    lesson.show(run, tape.traces[-1], "mazur")


if __name__ == "__main__":
    main()
