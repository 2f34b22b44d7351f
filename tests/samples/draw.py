"""Where the numbers, the shapes and the calls of the samples come from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from rows import Shape, at, grid

# ---- numbers ----

ANY, POSITIVE, UNIT, ABOVE_ONE = (-2.0, 2.0), (0.3, 2.0), (-0.9, 0.9), (1.2, 3.0)


def nonzero(rng: Any, shape: Shape) -> Any:
    return rng.uniform(0.3, 2, shape) * rng.choice([-1, 1], shape)


def distinct(rng: Any, shape: Shape) -> Any:
    """Numbers no two of which are near each other."""
    n = math.prod(shape)
    return ((rng.permutation(n) + rng.uniform(0, 0.3, n)) * 4 / max(n, 1) - 1.9).reshape(shape)


def between_steps(rng: Any, shape: Shape) -> Any:
    """Numbers that no rounding, to whole numbers or to tenths, is about to carry elsewhere."""
    return rng.integers(-3, 3, shape) + rng.uniform(0.17, 0.23, shape)


def whole(rng: Any, shape: Shape) -> Any:
    """Integers about 0."""
    return rng.integers(-1, 2, shape)


def invertible(rng: Any, shape: Shape) -> Any:
    return rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:])


def truths(rng: Any, shape: Shape) -> Any:
    return rng.random(shape) < 0.5


def labels(classes: int) -> Callable[[Any, Shape], Any]:
    return lambda rng, shape: rng.integers(0, classes, shape)


# ---- calls ----


def packed(f: Callable[..., Any], *xs: Any, **kwargs: Any) -> Any:
    """The arrays in one list."""
    return f(xs, **kwargs)


def symmetric(f: Callable[..., Any], x: Any) -> Any:
    """On a positive definite matrix made of x, whichever way x is moved."""
    return f((x + x.conj().mT) / 2)


# ---- shapes and static arguments that many rows share ----

ONE = [((3, 4),), ((),), ((0, 3),)]
TWO = [((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3), ()), ((), ()), ((0, 3), (3,))]
REDUCE = [((3, 4),), ((2, 3, 2),)]
AXES = grid(axis=[None, 0, -1, (0, 1)], keepdims=[False, True])
EMPTY = [at((0, 3), axis=0), at((3, 0), axis=0), at((0,), axis=None), at((), axis=None)]
MATRICES = [((3, 3),), ((2, 3, 3),), ((1, 1),), ((0, 3, 3),)]
SQUARE_3D = [((3, 4),), ((2, 3, 4),)]
