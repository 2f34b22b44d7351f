"""The seed document's training step: 784-50-10, a batch of 100, ReLU, softmax cross entropy, SGD with rate 0.1.

One run is forward, backward and the update of the four parameter arrays, on the same batch every time. The inputs look
like digits: most pixels are 0. Engines agree on the loss and on the parameters after a step.

The hand-written NumPy is what the engines are measured against: every array allocated once and written through `out=`,
bias and ReLU in place, no gradient for the pixels, no checks. It is the floor for code that calls NumPy and BLAS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.engines import HIPS
from benchmarks.measure import Case
from benchmarks.race import Race

RATE = 0.1
SIZES = [784, 50, 10]


@dataclass(frozen=True)
class Problem:
    """A batch `x`, its labels `t` (class numbers), and the parameters W1, b1, W2, b2; weights are (in, out)."""

    x: np.ndarray
    t: np.ndarray
    parameters: list[np.ndarray]

    @classmethod
    def draw(cls, dtype: str, batch: int, sizes: list[int]) -> Problem:
        rng = np.random.default_rng(0)
        inputs, hidden, classes = sizes
        pixels = rng.random((batch, inputs)) * (rng.random((batch, inputs)) < 0.2)
        shapes = [(inputs, hidden), (hidden,), (hidden, classes), (classes,)]
        parameters = [rng.normal(0, 0.05, shape).astype(dtype) for shape in shapes]
        return cls(pixels.astype(dtype), rng.integers(0, classes, batch), parameters)

    def one_hot(self) -> np.ndarray:
        classes = self.parameters[-1].size
        return np.eye(classes, dtype=self.x.dtype)[self.t]


def by_hand(**size: Any) -> Case:
    problem = Problem.draw(**size)
    x, t, (W1, b1, W2, b2) = problem.x, problem.t, problem.parameters
    n, rows = len(x), np.arange(len(x))
    h, dh, active = np.empty((n, b1.size), x.dtype), np.empty((n, b1.size), x.dtype), np.empty((n, b1.size), bool)
    z = np.empty((n, b2.size), x.dtype)
    gradients = dW1, db1, dW2, db2 = [np.empty_like(p) for p in problem.parameters]
    scale, ones = x.dtype.type(1 / n), np.ones(n, x.dtype)  # a product with ones is the fastest sum over a batch

    def run() -> np.floating:
        np.matmul(x, W1, out=h)
        np.add(h, b1, out=h)
        np.greater(h, 0, out=active)
        np.maximum(h, 0, out=h)
        np.matmul(h, W2, out=z)
        np.add(z, b2, out=z)

        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        right = z[rows, t]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = (np.log(total).sum() - right.sum()) * scale

        np.divide(z, total, out=z)
        z[rows, t] -= 1
        np.multiply(z, scale, out=z)
        np.matmul(h.T, z, out=dW2)
        np.matmul(ones, z, out=db2)
        np.matmul(z, W2.T, out=dh)
        np.multiply(dh, active, out=dh)
        np.matmul(x.T, dh, out=dW1)
        np.matmul(ones, dh, out=db1)

        for parameter, gradient in zip(problem.parameters, gradients, strict=True):
            np.multiply(gradient, RATE, out=gradient)
            np.subtract(parameter, gradient, out=parameter)
        return loss

    return Case(run, lambda loss: [loss, *problem.parameters])


def seegrad(**size: Any) -> Case:
    import nn

    problem = Problem.draw(**size)
    x, t, (W1, b1, W2, b2) = problem.x, problem.t, problem.parameters
    model = nn.Sequential(nn.Affine(W1, b1), nn.ReLU(), nn.Affine(W2, b2))
    optimizer = nn.optim.SGD(model.parameters(), lr=RATE)

    def run() -> Any:
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda loss: [loss.data, *(p.data for p in model.parameters())])


def torch_step(compiled: bool = False, optim: bool = False, **size: Any) -> Case:
    """PyTorch with its own (out, in) weights; `p.sub_` is its fastest update, `torch.optim.SGD` the usual one."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    problem = Problem.draw(**size)
    x, t = torch.from_numpy(problem.x), torch.from_numpy(problem.t)
    parameters = [torch.tensor(np.ascontiguousarray(p.T), requires_grad=True) for p in problem.parameters]
    optimizer = torch.optim.SGD(parameters, lr=RATE)

    def loss_of(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        W1, b1, W2, b2 = parameters
        hidden = functional.relu(functional.linear(x, W1, b1))
        return functional.cross_entropy(functional.linear(hidden, W2, b2), t)

    def update() -> None:
        with torch.no_grad():
            for p in parameters:
                p.sub_(p.grad, alpha=RATE)
                p.grad = None

    def optimize() -> None:
        optimizer.step()
        optimizer.zero_grad()

    forward, finish = torch.compile(loss_of) if compiled else loss_of, optimize if optim else update

    def run() -> torch.Tensor:
        loss = forward(x, t)
        loss.backward()
        finish()
        return loss

    return Case(run, lambda loss: [loss.detach(), *(p.detach().numpy().T for p in parameters)])


def jax(**size: Any) -> Case:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    problem = Problem.draw(**size)
    x, hot = jnp.asarray(problem.x), jnp.asarray(problem.one_hot())
    parameters = [jnp.asarray(p) for p in problem.parameters]

    def loss_of(parameters: list[jax.Array], x: jax.Array, hot: jax.Array) -> jax.Array:
        W1, b1, W2, b2 = parameters
        z = jax.nn.relu(x @ W1 + b1) @ W2 + b2
        return -jnp.sum(jax.nn.log_softmax(z) * hot) / len(x)

    @jax.jit
    def step(parameters: list[jax.Array], x: jax.Array, hot: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, hot)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def run() -> jax.Array:
        nonlocal parameters
        loss, parameters = jax.block_until_ready(step(parameters, x, hot))
        return loss

    return Case(run, lambda loss: [loss, *parameters])


def mygrad(**size: Any) -> Case:
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    problem = Problem.draw(**size)
    x, t = mygrad.tensor(problem.x, constant=True), problem.t
    parameters = [mygrad.tensor(p) for p in problem.parameters]

    def run() -> Any:
        W1, b1, W2, b2 = parameters
        hidden = relu(mygrad.matmul(x, W1) + b1)
        loss = softmax_crossentropy(mygrad.matmul(hidden, W2) + b2, t)
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return loss

    return Case(run, lambda loss: [loss.data, *(p.data for p in parameters)])


def hips(**size: Any) -> Case:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    problem = Problem.draw(**size)
    x, hot, parameters = problem.x, problem.one_hot(), problem.parameters

    def loss_of(parameters: list[np.ndarray]) -> Any:
        W1, b1, W2, b2 = parameters
        z = anp.dot(anp.maximum(anp.dot(x, W1) + b1, 0.0), W2) + b2
        return -anp.sum((z - logsumexp(z, axis=1, keepdims=True)) * hot) / len(x)

    gradient = value_and_grad(loss_of)

    def run() -> float:
        loss, gradients = gradient(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= RATE * g
        return loss

    return Case(run, lambda loss: [loss, *parameters])


ENGINES: dict[str, Callable[..., Case]] = {
    "seegrad": seegrad,
    "NumPy by hand": by_hand,
    "torch": torch_step,
    "torch.optim": partial(torch_step, optim=True),
    "torch.compile": partial(torch_step, compiled=True),
    "jax.jit": jax,
    "mygrad": mygrad,
    HIPS: hips,
}


def race(dtype: str) -> Race:
    size = {"dtype": dtype, "batch": 100, "sizes": SIZES}
    bounds = {"torch": 0.85, "torch.optim": 0.85, "NumPy by hand": 1.3}
    return Race(f"step-{dtype}", f"the seed's training step in {dtype}", ENGINES, size, bounds=bounds)


RACES = [race("float32"), race("float64")]
