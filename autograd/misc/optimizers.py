"""Three stochastic optimisers for containers of arrays. They use no derivative, and can be differentiated through.

grad(x, i) gives the gradient at x in iteration i; callback(x, i, gradient), if given, is called before each step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .flatten import flatten

Function = Callable[..., Any]


def unflatten_optimizer(optimize: Function) -> Function:
    """Decorator: an optimiser of vectors becomes one of containers of arrays."""

    @functools.wraps(optimize)
    def of_containers(grad: Function, x0: Any, callback: Function | None = None, *args: Any, **kwargs: Any) -> Any:
        start, unflatten = flatten(x0)

        def step(x: Any, i: int) -> Any:
            g = flatten(grad(unflatten(x), i))[0]
            if callback:
                callback(unflatten(x), i, unflatten(g))
            return g

        return unflatten(optimize(step, start, None, *args, **kwargs))

    return of_containers


@unflatten_optimizer
def sgd(
    grad: Function, x: Any, callback: Any = None, num_iters: int = 200, step_size: float = 0.1, mass: float = 0.9
) -> Any:
    """Gradient descent with momentum `mass`."""
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        velocity = mass * velocity - (1 - mass) * grad(x, i)
        x = x + step_size * velocity
    return x


@unflatten_optimizer
def rmsprop(
    grad: Function,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """RMSprop: steps divided by a running root mean square of the gradient, which starts at 1."""
    mean_square = np.ones(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        mean_square = gamma * mean_square + (1 - gamma) * g**2
        x = x - step_size * g / (np.sqrt(mean_square) + eps)
    return x


@unflatten_optimizer
def adam(
    grad: Function,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Adam, with bias-corrected moments (arXiv 1412.6980)."""
    m = v = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        x = x - step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + eps)
    return x
