"""Samples of autograd/ops/constant.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rows import Row, Shape, Source, grid

from .draw import ANY, ONE, TWO


def plain(
    shapes: Sequence[tuple[Shape, ...]],
    *functions: Any,
    grid: Sequence[dict[str, Any]] = ({},),
    domain: Sequence[Source] = (ANY,),
) -> dict[str, Row]:
    """Rows of functions that have no derivative by nature."""
    return {f.__name__: Row(f, shapes, grid, domain=domain, constant=True) for f in functions}


def bits(rng: Any, shape: Shape) -> Any:
    return rng.integers(0, 8, shape)


def increasing(rng: Any, shape: Shape) -> Any:
    return np.sort(rng.uniform(-2, 2, shape))


CONSTANT = {
    **plain(TWO, np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
    **plain(TWO, np.logical_and, np.logical_or, np.logical_xor),
    **plain(ONE, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit),
    **plain([((3, 4),)], np.argmax, np.argmin, np.argsort, grid=grid(axis=[None, 0, -1])),
    **plain([((3, 4),)], np.all, np.any, np.count_nonzero, grid=grid(axis=[None, 0])),
    **plain([((3, 4),)], np.nonzero, np.flatnonzero, np.argwhere, np.ndim, np.shape, np.size, np.iscomplexobj),
    **plain(ONE, np.zeros_like, np.ones_like, np.array2string, np.array_repr, np.array_str),
    **plain(TWO[:2], np.allclose, np.array_equal, np.isclose, np.result_type),
    **plain(TWO, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, domain=[bits]),
    **plain(TWO, np.gcd, np.lcm, domain=[bits]),
    **plain(ONE, np.bitwise_count, np.invert, domain=[bits]),
    **plain(ONE, np.spacing, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj),
    **plain([((3, 4),)], np.nanargmax, np.nanargmin, grid=grid(axis=[None, 0, -1])),
    **plain(TWO[:2], np.array_equiv, np.common_type),
    "digitize": Row(np.digitize, [((3, 4), (5,))], constant=True, domain=[ANY, increasing]),
    "min_scalar_type": Row(np.min_scalar_type, [((3, 4),)], constant=True),
    "can_cast": Row(np.can_cast, [((3, 4),)], constant=True, call=lambda f, x: f(x.dtype, np.float32)),
    # what np.empty_like holds is not defined: its shape and dtype are compared
    "empty_like": Row(np.empty_like, ONE, constant=True, call=lambda f, x: (f(x).shape, str(f(x).dtype))),
    "searchsorted": Row(np.searchsorted, [((4,), (3,))], constant=True, domain=[increasing, ANY]),
}
