"""A convolution as in the first layer of a small network: 8 images of 3x32x32 with 16 kernels of 3x3x3, float32.

One run is the result and its gradient with respect to the kernels for a given cotangent; the images need none. HIPS
autograd convolves by loops in NumPy and turns the kernels over, so it gets them turned over.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.engines import HIPS
from benchmarks.measure import Case
from benchmarks.race import Race

Shape = list[int]


def inputs(images: Shape, kernels: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, kernels and the cotangent of the result."""
    rng = np.random.default_rng(0)
    (n, _, *size), (out, _, *kernel) = images, kernels
    result = (n, out, *(s - k + 1 for s, k in zip(size, kernel, strict=True)))
    x, w, g = (rng.standard_normal(shape, dtype=np.float32) for shape in (images, kernels, result))
    return x, w / 8, g / 8


def seegrad(images: Shape, kernels: Shape) -> Case:
    import nn
    from autograd import Tensor

    x, w, g = inputs(images, kernels)
    kernel = Tensor(w, requires_grad=True)

    def run() -> Tensor:
        kernel.zero_grad()
        y = nn.conv2d(x, kernel)
        y.backward(g)
        return y

    return Case(run, lambda y: [y.data, kernel.grad])


def torch(images: Shape, kernels: Shape) -> Case:
    import torch

    torch.set_num_threads(1)
    x, w, g = map(torch.from_numpy, inputs(images, kernels))
    w.requires_grad_()

    def run() -> torch.Tensor:
        w.grad = None
        y = torch.nn.functional.conv2d(x, w)
        y.backward(g)
        return y

    return Case(run, lambda y: [y.detach(), w.grad])


def jax(images: Shape, kernels: Shape) -> Case:
    import jax
    import jax.numpy as jnp

    x, w, g = map(jnp.asarray, inputs(images, kernels))

    @jax.jit
    def convolve(w: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, pull = jax.vjp(lambda w: jax.lax.conv(x, w, (1, 1), "VALID"), w)
        return y, pull(g)[0]

    return Case(lambda: jax.block_until_ready(convolve(w)), lambda result: result)


def mygrad(images: Shape, kernels: Shape) -> Case:
    import mygrad
    from mygrad.nnet.layers import conv_nd

    x, w, g = inputs(images, kernels)
    images_, kernel = mygrad.tensor(x, constant=True), mygrad.tensor(w)

    def run() -> mygrad.Tensor:
        kernel.null_grad()
        y = conv_nd(images_, kernel, stride=1)
        y.backward(g)
        return y

    return Case(run, lambda y: [y.data, kernel.grad])


def hips(images: Shape, kernels: Shape) -> Case:
    from autograd import make_vjp
    from autograd.scipy.signal import convolve

    x, w, g = inputs(images, kernels)
    w = w[:, :, ::-1, ::-1]

    def run() -> tuple[np.ndarray, np.ndarray]:
        pull, y = make_vjp(lambda w: convolve(x, w, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid"))(w)
        return y, pull(g)

    return Case(run, lambda result: [result[0], result[1][:, :, ::-1, ::-1]])


ENGINES: dict[str, Callable[..., Case]] = {
    "seegrad": seegrad,
    "torch": torch,
    "jax.jit": jax,
    "mygrad": mygrad,
    HIPS: hips,
}
RACES = [
    Race(
        "conv",
        "a convolution of 8x3x32x32 with 16x3x3x3 in float32, its result and the gradient of the kernels",
        ENGINES,
        {"images": [8, 3, 32, 32], "kernels": [16, 3, 3, 3]},
    )
]
