"""A whole Jacobian: tanh(W2 @ tanh(W1 @ x)) with x of 100 and a result of 100, in float64.

seegrad sends all 100 cotangents through the graph at once, HIPS autograd one after the other; JAX and PyTorch batch
them, JAX inside one compiled program that is ready before the clock starts. By hand it is the chain rule in NumPy: two
products of 100x100 matrices and what belongs to them, which is the floor for code that calls NumPy's BLAS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.engines import HIPS
from benchmarks.measure import Case
from benchmarks.race import Race


def inputs(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W1, W2 and x."""
    rng = np.random.default_rng(0)
    W1, W2 = rng.normal(0, n**-0.5, (2, n, n))
    return W1, W2, rng.normal(size=n)


def seegrad(n: int) -> Case:
    from autograd import jacobian

    W1, W2, x = inputs(n)
    J = jacobian(lambda x: np.tanh(W2 @ np.tanh(W1 @ x)), mode="reverse")
    return Case(lambda: J(x), lambda result: [result])


def by_hand(n: int) -> Case:
    W1, W2, x = inputs(n)

    def run() -> np.ndarray:
        h = np.tanh(W1 @ x)
        y = np.tanh(W2 @ h)
        return ((np.eye(n) * (1 - y * y)) @ W2 * (1 - h * h)) @ W1

    return Case(run, lambda result: [result])


def jax(n: int) -> Case:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    W1, W2, x = map(jnp.asarray, inputs(n))
    J = jax.jit(jax.jacrev(lambda x: jnp.tanh(W2 @ jnp.tanh(W1 @ x))))
    return Case(lambda: jax.block_until_ready(J(x)), lambda result: [result])


def torch(n: int) -> Case:
    import torch

    torch.set_num_threads(1)
    W1, W2, x = map(torch.from_numpy, inputs(n))
    J = torch.func.jacrev(lambda x: torch.tanh(W2 @ torch.tanh(W1 @ x)))
    return Case(lambda: J(x), lambda result: [result.detach()])


def hips(n: int) -> Case:
    import autograd.numpy as anp
    from autograd import jacobian

    W1, W2, x = inputs(n)
    J = jacobian(lambda x: anp.tanh(anp.dot(W2, anp.tanh(anp.dot(W1, x)))))
    return Case(lambda: J(x), lambda result: [result])


ENGINES: dict[str, Callable[..., Case]] = {
    "seegrad": seegrad,
    "NumPy by hand": by_hand,
    "jax.jit": jax,
    "torch": torch,
    HIPS: hips,
}
RACES = [
    Race("jacobian", "the Jacobian of two layers, 100 x 100", ENGINES, {"n": 100}, bounds={HIPS: 0.2, "jax.jit": 2.0})
]
