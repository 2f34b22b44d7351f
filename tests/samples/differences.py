"""Samples of autograd/ops/differences.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from .draw import ANY


def growing(rng: Any, shape: Any) -> Any:
    """Points about one apart, from -2 on."""
    return np.arange(shape[0]) - 2 + rng.uniform(0, 0.4, shape)


def winding(rng: Any, shape: Any) -> Any:
    """Steps that do not come near half a turn."""
    return np.cumsum(rng.uniform(-2, 2, shape) + 6 * rng.integers(-1, 2, shape), axis=-1)


def spaced(f: Any, x: Any, *steps: Any, **kwargs: Any) -> Any:
    """Steps that are all positive, or the coordinates that they lead to."""
    return f(x, *[np.cumsum(s) if np.ndim(s) else s for s in steps], **kwargs)


def on_reals(f: Any, x: Any, xp: Any, fp: Any, **kwargs: Any) -> Any:
    return f(np.real(x), np.real(xp), fp, **kwargs)


DIFFERENCES: dict[str, Row] = {
    "diff": Row(
        np.diff,
        [((3, 4),)],
        grid(n=[0, 1, 2, 7], axis=[0, -1]),
        more=[at((0,)), at((1, 3), axis=0)],
    ),
    "ediff1d": Row(
        np.ediff1d, [((3, 4),), ((1,),), ((0,),)], [{}, {"to_begin": np.float16(3), "to_end": np.float16([1, 2])}]
    ),
    "gradient": Row(
        np.gradient,
        [((4, 5),), ((4, 5), ()), ((4, 5), (4,), ())],
        grid(edge_order=[1, 2]),
        more=[
            at((4, 5), (5,), axis=1, edge_order=2),
            at((4, 5), (4,), axis=(0,)),
            at((2,)),
            at((3, 5, 2), (), (), axis=(1, 0), edge_order=2),
        ],
        domain=[ANY, (0.5, 1.5)],
        call=spaced,
    ),
    "interp": Row(
        np.interp,
        [((3, 4), (5,), (5,)), ((), (4,), (4,)), ((3,), (1,), (1,))],
        [{}, {"left": 0.5, "right": -1.5}],
        more=[at((6,), (4,), (4,), period=2.7), at((0,), (2,), (2,))],
        domain=[(-3, 4), growing, ANY],
        call=on_reals,
    ),
    "unwrap": Row(
        np.unwrap,
        [((8,),), ((3, 6),)],
        [{}, {"discont": 4.0}, {"period": 5.0}],
        more=[at((6, 2), axis=0)],
        domain=[winding],
    ),
    "linspace": Row(
        np.linspace,
        [((), ()), ((2, 1), (3,))],
        [{"num": 5}, {"num": 4, "endpoint": False}, {"num": 1}],
        more=[at((2,), (2,), num=3, axis=-1), at((), (), num=0), at((), (), num=4, retstep=True)],
    ),
    "logspace": Row(
        np.logspace,
        [((), ()), ((2,), ())],
        [{"num": 4}, {"num": 3, "endpoint": False, "base": 2}],
        more=[at((2,), (2,), num=3, base=np.array([2.0, 3.0]), axis=-1)],
        domain=[(-1, 1)],
    ),
    "geomspace": Row(
        np.geomspace,
        [((), ()), ((2,), (3, 1))],
        [{"num": 5}, {"num": 3, "endpoint": False, "axis": -1}],
        domain=[(0.5, 2)],
    ),
}
