"""Samples of autograd/ops/shape.py."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from rows import Row, Shape, at, grid

from autograd.ops import shape

from .draw import ONE, SQUARE_3D, packed


def plain_scatter(x: Any, index: Any, shape: Shape) -> Any:
    """Element by element."""
    out = np.zeros(shape, x.dtype)
    places = np.broadcast_to(np.arange(out.size).reshape(shape)[index], x.shape)
    for place, value in zip(places.ravel(), x.ravel(), strict=True):
        out.flat[place] += value
    return out


SHAPES = {
    "astype": Row(
        shape.astype, ONE, grid(dtype=[np.dtype(complex)]), call=lambda f, x, dtype: x.astype(dtype)
    ),
    "reshape": Row(
        np.reshape,
        [((3, 4),)],
        grid(shape=[(12,), (2, -1), -1, (1, 4, 3)], order=["C", "F"]),
        more=[at((), shape=(1, 1)), at((0, 3), shape=(3, 0)), at((1,), shape=())],
        call=lambda f, x, *, shape, order="C": f(x, shape, order),  # the keyword has two names
    ),
    "ravel": Row(np.ravel, ONE, grid(order=["C", "F"])),
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
    "atleast_1d": Row(np.atleast_1d, ONE),
    "flip": Row(np.flip, SQUARE_3D, grid(axis=[None, 0, -1, (0, 1)]), more=[at((0,)), at(())]),
    "fliplr": Row(np.fliplr, SQUARE_3D),
    "flipud": Row(np.flipud, SQUARE_3D),
    "roll": Row(
        np.roll,
        SQUARE_3D,
        [*grid(shift=[2, -1], axis=[None, 0, -1]), {"shift": (1, 2), "axis": (0, 1)}, {"shift": 1, "axis": (0, 1)}],
        more=[at((0, 3), shift=1)],
    ),
    "concatenate": Row(
        np.concatenate,
        [((2, 3), (2, 3)), ((2, 3), (2, 3), (2, 3))],
        grid(axis=[0, 1, -1, None]),
        call=packed,
        more=[at((0, 3), (2, 3)), at((2, 1), (2, 3), axis=1), at((4,))],
    ),
    "stack": Row(
        np.stack,
        [((2, 3), (2, 3)), ((2, 3),)],
        grid(axis=[0, 1, -1, -2]),
        call=packed,
        more=[at((), ()), at((0,), (0,))],
    ),
    "split": Row(
        np.split,
        more=[
            at((4, 6), indices_or_sections=2),
            at((4, 6), indices_or_sections=3, axis=-1),
            at((4, 6), indices_or_sections=[1, 3], axis=1),
        ],
    ),
    "array_split": Row(
        np.array_split,
        more=[at((4, 5), indices_or_sections=3), at((4, 5), indices_or_sections=[1, 3, 9], axis=-1)],
    ),
    "repeat": Row(
        np.repeat,
        [((3, 2),)],
        grid(repeats=[2, 0], axis=[None, 0, -1]),
        more=[at((3, 2), repeats=[1, 0, 3], axis=0), at((), repeats=3)],
    ),
    "tile": Row(np.tile, [((3, 2),), ((),), ((0, 2),)], grid(reps=[2, (2, 3), (2, 1, 1), ()])),
    "pad": Row(
        np.pad,
        [((3, 4),)],
        [
            *grid(pad_width=[1, (1, 2), ((0, 2), (1, 0))], mode=["constant", "edge", "reflect", "symmetric", "wrap"]),
            {"pad_width": 1, "constant_values": 3.0},
            {"pad_width": 1, "constant_values": ((1, 2), (3, 4))},
        ],
        more=[at((0, 3), pad_width=1), at((2,), pad_width=5, mode="reflect")],
    ),
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
