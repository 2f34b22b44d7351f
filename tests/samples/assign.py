"""Samples of autograd/ops/assign.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rows import Row, at

from autograd import Tensor
from autograd.ops import assign, shape
from autograd.ops.assign import Way, Writes

ROW, COLUMN, CORNER = Way((), 0), Way((), (slice(None), 1)), Way((), (slice(None, 2), slice(1, 3)))
TWICE = Way((), np.array([2, 0, 2]))
FIRST_COLUMN = Way(((shape.transpose, {}),), 0)
FLAT = Way(((shape.reshape, {"shape": (-1,)}),), slice(None, None, 5))


def plain_assign(x: Any, *values: Any, writes: Writes) -> Any:
    """One assignment after the other."""
    out = np.array(x)
    for way, value in zip(writes.ways, values, strict=True):
        target = out.T if way is FIRST_COLUMN else out.reshape(-1) if way is FLAT else out
        target[way.index] = value
    return out


def plain_add_at(x: Any, value: Any, *, index: Any) -> Any:
    out = np.array(x)
    np.add.at(out, index, value)
    return out


def writing(f: Callable[..., Any], x: Any, *values: Any, **kwargs: Any) -> Any:
    """What a copy of x is after the function has written into it: a Tensor, if it is to take the gradient of one."""
    y = x.copy()
    if isinstance(y, np.ndarray) and any(isinstance(v, Tensor) for v in values):
        y = Tensor(y)
    new = f(y, *values, **kwargs)  # another engine's function returns it
    return y if new is None else new


ASSIGN: dict[str, Row] = {
    "assign": Row(
        assign.assign,
        more=[
            at((3, 4), (4,), writes=Writes([ROW])),
            at((3, 4), (4,), (3,), (2, 1), writes=Writes([ROW, COLUMN, CORNER])),
            at((3, 4), (3, 4), (), writes=Writes([TWICE, ROW])),
            at((3, 4), (3,), (3,), writes=Writes([FIRST_COLUMN, FLAT])),
            at((3, 4), (1, 1, 4), writes=Writes([ROW])),
            at((), (), writes=Writes([Way((), ...)])),
            at((0, 3), (3,), writes=Writes([Way((), slice(None))])),
        ],
        reference=plain_assign,
    ),
    "add_at": Row(
        assign.add_at,
        more=[
            at((3, 4), (3, 4), index=np.array([0, 2, 0])),
            at((3, 4), (2,), index=(np.array([1, 1]), np.array([3, 3]))),
            at((3, 4), (4,), index=1),
            at((), (), index=()),
        ],
        reference=plain_add_at,
    ),
    "copyto": Row(
        np.copyto,
        [((3, 4), (4,)), ((3, 4), ())],
        call=writing,
        more=[at((3, 4), (3, 4), where=np.arange(4) % 2 == 0), at((0, 3), (3,)), at((2,), (2,), where=False)],
    ),
    "put": Row(
        np.put,
        call=lambda f, x, v, ind, **mode: writing(f, x, ind, v, **mode),
        more=[
            at((3, 4), (2,), ind=np.array([[0, 7], [5, 2]])),
            at((3, 4), (3,), ind=[[0, -1], [5, 5]]),
            at((3, 4), (3,), ind=np.array([-14, 1, 13]), mode="wrap"),
            at((3, 4), (3,), ind=np.array([-14, 1, 13]), mode="clip"),
            at((3, 4), (), ind=3),
        ],
    ),
    "place": Row(
        np.place,
        call=lambda f, x, v, mask: writing(f, x, mask, v),
        more=[
            at((3, 4), (5,), mask=np.arange(12).reshape(3, 4) % 2 == 0),
            at((3, 4), (20,), mask=np.arange(12).reshape(3, 4) % 3 == 0),
        ],
    ),
    "putmask": Row(
        np.putmask,
        call=lambda f, x, v, mask: writing(f, x, mask, v),
        more=[
            at((3, 4), (3, 4), mask=np.arange(12).reshape(3, 4) % 2 == 0),
            at((3, 4), (5,), mask=np.arange(12).reshape(3, 4) % 3 == 0),
        ],
    ),
    "fill_diagonal": Row(
        np.fill_diagonal,
        [((3, 4), ()), ((3, 3), (2,)), ((7, 3), (3,)), ((3, 3, 3), (3,))],
        call=writing,
        more=[at((7, 3), (7,), wrap=True)],
    ),
    "put_along_axis": Row(
        np.put_along_axis,
        call=lambda f, x, v, indices, axis: writing(f, x, indices, v, axis),
        more=[
            at((3, 4), (3, 2), indices=np.array([[0, 1], [3, 3], [-1, 0]]), axis=1),
            at((3, 4), (1, 4), indices=np.array([[0, 2, 2, 1]]), axis=0),
            at((3, 4), (3,), indices=np.array([0, 11, 5]), axis=None),
            at((2, 3, 4), (2, 1, 4), indices=np.ones((2, 1, 4), int), axis=-2),
        ],
    ),
}
