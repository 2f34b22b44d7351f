"""Samples of autograd/ops/shape.py."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from rows import Row, Shape, at, grid

from autograd import Tensor
from autograd.ops import shape

from .draw import ONE, SQUARE_3D


def plain_scatter(x: Any, index: Any, shape: Shape) -> Any:
    """Element by element."""
    out = np.zeros(shape, x.dtype)
    places = np.broadcast_to(np.arange(out.size).reshape(shape)[index], x.shape)
    for place, value in zip(places.ravel(), x.ravel(), strict=True):
        out.flat[place] += value
    return out


def plain_overlap_add(x: Any, shape: Shape, window_shape: Any, axis: Any = None) -> Any:
    """Element by element, by the places that the windows of 0, 1, 2, ... show."""
    places = np.lib.stride_tricks.sliding_window_view(np.arange(np.prod(shape)).reshape(shape), window_shape, axis)
    return plain_scatter(x.ravel(), places.ravel(), (np.prod(shape),)).reshape(shape)


def like(*xs: Any) -> Any:
    return next((x for x in xs if isinstance(x, Tensor)), None)


def alike(f: Any, x: Any) -> Any:
    """These functions reach a Tensor by like= alone."""
    return f(x, like=like(x))


SHAPES = {
    "astype": Row(
        np.astype,
        [((3, 4),), ((0, 3),)],
        grid(dtype=[np.dtype(complex)]),
        call=lambda f, x, dtype: f(x, dtype),  # by position only
    ),
    "reshape": Row(
        np.reshape,
        [((3, 4),)],
        grid(shape=[(12,), (2, -1), -1, (1, 4, 3)], order=["C", "F"]),
        more=[at((), shape=(1, 1)), at((0, 3), shape=(3, 0)), at((1,), shape=())],
        call=lambda f, x, *, shape, order="C": f(x, shape, order),  # the keyword has two names
    ),
    "ravel": Row(np.ravel, ONE, grid(order=["C", "F"])),
    "copy": Row(np.copy, ONE),
    "transpose": Row(
        np.transpose,
        ONE,
        more=[at((3, 4), axes=(1, 0)), at((2, 3, 4), axes=(2, 0, 1)), at((2, 3, 4), axes=(-1, 0, -2))],
    ),
    "matrix_transpose": Row(np.matrix_transpose, [((3, 4),), ((2, 3, 4),), ((0, 3),)]),
    "swapaxes": Row(np.swapaxes, [((2, 3, 4),), ((2, 0, 4),)], [{"axis1": 0, "axis2": -1}, {"axis1": 1, "axis2": 0}]),
    "moveaxis": Row(
        np.moveaxis,
        [((2, 3, 4),)],
        [{"source": 0, "destination": -1}, {"source": (0, -1), "destination": (1, 0)}],
    ),
    "expand_dims": Row(np.expand_dims, ONE, grid(axis=[0, -1, (0, 1)])),
    "squeeze": Row(np.squeeze, [((1, 3, 1),), ((1, 0, 1),)], grid(axis=[None, 0, -1, (0, 2)])),
    "broadcast_to": Row(
        np.broadcast_to,
        [((3, 1),), ((4,),), ((),), ((3, 4),)],
        grid(shape=[(3, 4), (2, 3, 4)]),
        more=[at((1, 3), shape=(0, 3))],
    ),
    "atleast_1d": Row(np.atleast_1d, [*ONE, ((), (3, 4))]),
    "atleast_2d": Row(np.atleast_2d, [*ONE, ((), (3,))]),
    "atleast_3d": Row(np.atleast_3d, [*ONE, ((3,), (2, 3, 4))]),
    "rollaxis": Row(np.rollaxis, [((2, 3, 4),)], [{"axis": 2}, {"axis": 0, "start": 3}, {"axis": -1, "start": -2}]),
    "broadcast_arrays": Row(np.broadcast_arrays, [((3, 1), (1, 4)), ((), (0,)), ((2,),)]),
    "meshgrid": Row(
        np.meshgrid,
        [((2,), (3,)), ((2,), (3,), (1,)), ((2,),)],
        grid(indexing=["xy", "ij"], sparse=[False, True]),
        more=[at((2,), (3,), copy=False)],
    ),
    "full_like": Row(
        np.full_like,
        [((),), ((3,),), ((2, 1),)],
        call=lambda f, x: f(Tensor(np.zeros((2, 3), x.dtype)), x),
        reference=lambda a, x: np.full_like(a.data, x),
    ),
    "array": Row(
        np.array,
        [((3, 4),), ((),)],
        grid(ndmin=[0, 3], order=["K", "F"]),
        call=lambda f, *xs, **kwargs: f(xs[0] if len(xs) == 1 else [xs[:2], list(xs[1:])], like=like(*xs), **kwargs),
        more=[at((3,), (3,), (3,)), at((), (), (), dtype=np.dtype(complex))],
    ),
    "asarray": Row(np.asarray, [((3, 4),)], call=alike, aliases=(np.asanyarray,)),
    "asfortranarray": Row(np.asfortranarray, [((3, 4),), ((),)], call=alike),
    "ascontiguousarray": Row(np.ascontiguousarray, [((3, 4),), ((),)], call=alike),
    "flip": Row(np.flip, SQUARE_3D, grid(axis=[None, 0, -1, (0, 1)]), more=[at((0,)), at(())]),
    "fliplr": Row(np.fliplr, SQUARE_3D),
    "flipud": Row(np.flipud, SQUARE_3D),
    "roll": Row(
        np.roll,
        SQUARE_3D,
        [*grid(shift=[2, -1], axis=[None, 0, -1]), {"shift": (1, 2), "axis": (0, 1)}, {"shift": 1, "axis": (0, 1)}],
        more=[at((0, 3), shift=1)],
    ),
    "rot90": Row(np.rot90, SQUARE_3D, [*grid(k=[0, 1, 2, -1]), {"k": 1, "axes": (-1, 0)}]),
    "getitem": Row(
        shape.getitem,
        [((3, 4),)],
        grid(
            index=[
                0, -1, (1, 2), (), ..., (..., 0), None, (slice(None), None, 1), True,
                slice(None), slice(1, None), slice(3, 3), slice(None, None, -1), (slice(0, 3, 2), slice(None, 2)),
                [2, 0], np.array([0, 2]), np.array([1, 1, -1]), np.array([], int),
                (np.array([0, 0, 2]), np.array([1, 1, 3])), (np.array([[0], [2]]), np.array([1, 1, 0])),
                (slice(None), np.array([3, 3])), (np.array([1, 1]), slice(1, 3)), (None, np.array([0, 1]), ..., None),
                np.array([True, False, True]), (np.array([True, False, True]), 2), np.arange(12).reshape(3, 4) % 5 > 1,
            ]
        ),
        call=lambda f, x, index: x[index],
        reference=operator.getitem,
        more=[
            at((2, 3, 4), index=(np.array([0, 1, 1]), slice(None), np.array([2, 2, 0]))),
            at((), index=()),
            at((0, 3), index=slice(1)),
        ],
    ),
    "sliding_window_view": Row(
        np.lib.stride_tricks.sliding_window_view,
        [((4, 5),)],
        [{"window_shape": (2, 3)}, {"window_shape": 2, "axis": -1}, {"window_shape": (2, 2), "axis": (0, 0)}],
    ),
    "overlap_add": Row(
        shape.overlap_add,
        more=[
            at((3, 3, 2, 3), shape=(4, 5), window_shape=(2, 3)),
            at((4, 4, 2), shape=(4, 5), window_shape=2, axis=1),
        ],
        reference=plain_overlap_add,
    ),
    "scatter": Row(
        shape.scatter,
        more=[
            at((2, 4), index=np.array([0, 2]), shape=(3, 4)),
            at((3, 4), index=np.array([1, 1, 2]), shape=(3, 4)),
            at((4,), index=1, shape=(3, 4)),
            at((3, 2), index=(slice(None), slice(None, None, 2)), shape=(3, 4)),
            at((2, 4), index=np.array([True, False, True]), shape=(3, 4)),
        ],
        reference=plain_scatter,
    ),
}  # fmt: skip
