"""ReLU: what was positive goes through, and so does its gradient. The rest stops, in both directions.

    python examples/steps/relu.py [--out DIR]

The layer is the one of the seed document, with two words about it. Its `backward` writes into the array that it is
given, so we hand it a copy. And its mask is x < 0: at exactly 0 it would let the gradient through, and the engine does
not (docs/kinks.md), so no input here is 0.
"""

import lesson
import numpy as np

import nn
import viz
from autograd import tensor


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x < 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        dx = dout
        return dx


def main() -> None:
    run = lesson.start(__doc__)
    x = tensor([[1.0, -0.5], [-2.0, 3.0]], requires_grad=True)
    dout = np.array([[0.1, 0.2], [0.3, 0.4]])

    with viz.record() as tape:
        out = nn.ReLU()(x)
        out.backward(dout)

    by_hand = Relu()
    lesson.heading("Forward: negative numbers become 0")
    lesson.compare("out", out.data, by_hand.forward(x.data))
    lesson.heading("Backward: where the input was negative, dx is 0; elsewhere it is dout")
    lesson.compare("dx", x.grad, by_hand.backward(dout.copy()))
    lesson.show(run, tape.traces[-1], "relu")


if __name__ == "__main__":
    main()
