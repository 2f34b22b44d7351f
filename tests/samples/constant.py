"""Samples of autograd/ops/constant.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rows import Row, Shape, grid

from .draw import ANY, ONE, TWO, truths


def plain(
    shapes: Sequence[tuple[Shape, ...]], *functions: Any, grid: Sequence[dict[str, Any]] = ({},)
) -> dict[str, Row]:
    """Rows of functions that have no derivative by nature."""
    return {f.__name__: Row(f, shapes, grid, constant=True) for f in functions}


CONSTANT = {
    **plain(TWO, np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
    **plain(TWO, np.logical_and, np.logical_or, np.logical_xor),
    **plain(ONE, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit),
    **{
        f.__name__: Row(f, TWO[:2], constant=True, domain=[truths])
        for f in (np.bitwise_and, np.bitwise_or, np.bitwise_xor)
    },
    "invert": Row(np.invert, ONE, constant=True, domain=[truths]),
    **plain([((3, 4),)], np.argmax, np.argmin, np.argsort, grid=grid(axis=[None, 0, -1])),
    **plain([((3, 4),)], np.all, np.any, np.count_nonzero, grid=grid(axis=[None, 0])),
    **plain([((3, 4),)], np.nonzero, np.flatnonzero, np.argwhere, np.ndim, np.shape, np.size, np.iscomplexobj),
    **plain(ONE, np.zeros_like, np.ones_like, np.array2string, np.array_repr, np.array_str),
    **plain(TWO[:2], np.allclose, np.array_equal, np.isclose, np.result_type),
    # what np.empty_like holds is not defined: its shape and dtype are compared
    "empty_like": Row(np.empty_like, ONE, constant=True, call=lambda f, x: (f(x).shape, str(f(x).dtype))),
    "searchsorted": Row(
        np.searchsorted, [((4,), (3,))], constant=True, domain=[lambda rng, s: np.sort(rng.uniform(-2, 2, s)), ANY]
    ),
}
