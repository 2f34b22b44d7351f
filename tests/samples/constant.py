"""Samples of autograd/ops/constant.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rows import Row, Shape, Source, grid

from .draw import ANY, ONE, TWO, labels, packed


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
    **plain([((3, 4),)], np.argpartition, grid=grid(kth=[1], axis=[None, 0, -1])),
    **plain([((3, 4),)], np.isin, grid=grid(test_elements=[[0.0, 1.0]])),
    **plain([((4, 4),)], np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.min_scalar_type),
    **plain(TWO[:2], np.array_equiv, np.shares_memory, np.may_share_memory, np.common_type),
    "lexsort": Row(np.lexsort, [((4,), (4,))], call=packed, constant=True),
    "digitize": Row(
        np.digitize, [((3,), (4,))], constant=True, domain=[ANY, lambda rng, s: np.sort(rng.uniform(-2, 2, s))]
    ),
    "ix_": Row(np.ix_, [((3,), (2,))], constant=True, domain=[labels(5)], call=lambda f, *xs: [*map(np.ravel, f(*xs))]),
    "unravel_index": Row(np.unravel_index, [((3,),)], grid(shape=[(3, 4)]), constant=True, domain=[labels(12)]),
    "ravel_multi_index": Row(
        np.ravel_multi_index, [((3,), (3,))], grid(dims=[(3, 4)]), constant=True, domain=[labels(3)], call=packed
    ),
    "can_cast": Row(np.can_cast, [((3,),)], constant=True, call=lambda f, x: f(x.dtype, np.float32)),
    **plain(TWO, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, domain=[bits]),
    **plain(TWO, np.gcd, np.lcm, domain=[bits]),
    **plain(ONE, np.bitwise_count, np.invert, domain=[bits]),
    **plain([((3, 4),)], np.packbits, domain=[bits]),
    **plain([((3, 4),)], np.unpackbits, domain=[lambda rng, s: bits(rng, s).astype(np.uint8)]),
    **plain(ONE, np.spacing, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj),
    **plain([((3, 4),)], np.nanargmax, np.nanargmin, grid=grid(axis=[None, 0, -1])),
    # what np.empty_like holds is not defined: its shape and dtype are compared
    "empty_like": Row(np.empty_like, ONE, constant=True, call=lambda f, x: (f(x).shape, str(f(x).dtype))),
    "searchsorted": Row(np.searchsorted, [((4,), (3,))], constant=True, domain=[increasing, ANY]),
}
