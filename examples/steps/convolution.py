"""A convolution, backwards: each pixel of the gradient comes from the places where its pixel was used.

    python examples/steps/convolution.py [--out DIR]

An image of 4 x 4 and a kernel of 3 x 3 (applied as in all such libraries without turning it round, a correlation) give
2 x 2 results. Backwards there are two more correlations: dK is the image with dout, and dx is dout, with a border of
zeros, with the kernel turned by 180 degrees. Three loops in NumPy say the same.
"""

import lesson
import numpy as np

import nn
import viz
from autograd import tensor


def correlation(image, kernel):
    """Lay the kernel on every place where it fits; multiply and add."""
    height, width = (a - b + 1 for a, b in zip(image.shape, kernel.shape, strict=True))
    out = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            patch = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            out[i, j] = np.sum(patch * kernel)
    return out


def main() -> None:
    run = lesson.start(__doc__)
    image = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 2.0]])
    kernel = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
    x = tensor(image.reshape(1, 1, 4, 4), requires_grad=True)  # a batch of 1, with 1 channel
    K = tensor(kernel.reshape(1, 1, 3, 3), requires_grad=True)
    dout = np.array([[1.0, 0.5], [-1.0, 2.0]])

    with viz.record() as tape:
        out = nn.conv2d(x, K)
        out.backward(dout.reshape(1, 1, 2, 2))

    lesson.heading("Forward: 2 x 2 places, 9 products at each")
    lesson.compare("out", out.data[0, 0], correlation(image, kernel))
    lesson.heading("Backward: two more correlations")
    lesson.compare("dK = image with dout", K.grad[0, 0], correlation(image, dout))
    bordered, turned = np.pad(dout, 2), kernel[::-1, ::-1]
    lesson.compare("dx = bordered dout with the turned kernel", x.grad[0, 0], correlation(bordered, turned))
    lesson.heading("One pixel: x[1, 1] was used in all 4 places, each time with another weight")
    uses = [(dout[i, j], kernel[1 - i, 1 - j]) for i in range(2) for j in range(2)]
    total = sum(g * k for g, k in uses)
    print("  dx[1, 1] = " + " + ".join(f"({g:g} * {k:g})" for g, k in uses) + f" = {total:g}")
    lesson.compare("dx[1, 1]", x.grad[0, 0, 1, 1], total)
    lesson.show(run, tape.traces[-1], "convolution")


if __name__ == "__main__":
    main()
