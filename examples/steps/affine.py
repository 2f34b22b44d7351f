"""Affine: out = x W + b. Two transposes, and a sum over the batch, because every example used the same b.

    python examples/steps/affine.py [--out DIR]

The layer is the one of the seed document, word for word. The shapes decide where the transposes go: dx has the shape of
x, dW that of W, and db that of b, which was stretched over the batch on the way forward.
"""

import lesson
import numpy as np

import viz
from autograd import tensor


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        out = np.dot(x, self.W) + self.b
        return out

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


def main() -> None:
    run = lesson.start(__doc__)
    x = tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    W = tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], requires_grad=True)
    b = tensor([0.01, 0.02, 0.03], requires_grad=True)
    dout = np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0], [0.0, 0.5, 1.0]])

    with viz.record() as tape:
        out = x @ W + b
        out.backward(dout)

    by_hand = Affine(W.data, b.data)
    lesson.heading("Forward")
    lesson.compare("out", out.data, by_hand.forward(x.data))
    lesson.heading("Backward")
    lesson.compare("dx = dout W.T", x.grad, by_hand.backward(dout))
    lesson.compare("dW = x.T dout", W.grad, by_hand.dW)
    lesson.compare("db = dout summed over axis 0", b.grad, by_hand.db)
    lesson.show(run, tape.traces[-1], "affine")


if __name__ == "__main__":
    main()
