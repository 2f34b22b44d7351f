"""Softmax with loss: scores become probabilities y, and the gradient of the scores is just (y - t) / N.

    python examples/steps/softmax_with_loss.py [--out DIR]

The layer is the one of the seed document, word for word; the two functions that it calls are written out. 1/N is
there because the loss is the mean over the N examples. Each row of the gradient sums to 0: what one class wins, the
others lose.
"""

import lesson
import numpy as np

import nn
import viz
from autograd import tensor


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def cross_entropy_error(y, t):
    return -np.sum(t * np.log(y)) / len(y)


class SoftmaxWithLoss:
    def __init__(self):
        self.loss = None
        self.y = None
        self.t = None

    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        self.loss = cross_entropy_error(self.y, self.t)
        return self.loss

    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        dx = (self.y - self.t) / batch_size
        return dx


def main() -> None:
    run = lesson.start(__doc__)
    scores = tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]], requires_grad=True)
    t = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

    with viz.record() as tape:
        loss = nn.SoftmaxWithLoss()(scores, t)
        loss.backward()

    by_hand = SoftmaxWithLoss()
    lesson.heading("Forward: the second example is wrong, so the loss is high")
    lesson.compare("loss", loss.data, by_hand.forward(scores.data, t))
    print(f"  y: {lesson.text(by_hand.y)}")
    lesson.heading("Backward: (y - t) / N")
    lesson.compare("dx", scores.grad, by_hand.backward())
    print(f"  sum of each row: {lesson.text(np.round(scores.grad.sum(axis=1), 12) + 0.0)}")
    lesson.show(run, tape.traces[-1], "softmax_with_loss")


if __name__ == "__main__":
    main()
