"""Sigmoid: y = 1 / (1 + exp(-x)). Its derivative needs nothing but its result: y (1 - y), at most 1/4.

    python examples/steps/sigmoid.py [--out DIR]

The layer is the one of the seed document, word for word. Watch the gradient shrink where the sigmoid is flat.
"""

import lesson
import numpy as np

import nn
import viz
from autograd import tensor


class Sigmoid:
    def __init__(self):
        self.out = None

    def forward(self, x):
        out = 1 / (1 + np.exp(-x))
        self.out = out
        return out

    def backward(self, dout):
        dx = dout * (1.0 - self.out) * self.out
        return dx


def main() -> None:
    run = lesson.start(__doc__)
    x = tensor([-6.0, -1.0, 0.0, 1.0, 6.0], requires_grad=True)
    dout = np.ones(5)

    with viz.record() as tape:
        out = nn.Sigmoid()(x)
        out.backward(dout)

    by_hand = Sigmoid()
    lesson.heading("Forward")
    lesson.compare("out", out.data, by_hand.forward(x.data))
    lesson.heading("Backward: dout times y (1 - y)")
    lesson.compare("dx", x.grad, by_hand.backward(dout))
    print(f"  steepest at 0: {x.grad[2]:.4f}; at 6 only {x.grad[4]:.4f} of the gradient is left")
    lesson.show(run, tape.traces[-1], "sigmoid")


if __name__ == "__main__":
    main()
