"""Samples of autograd/ops/index.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from .draw import ANY, SQUARE_3D, distinct, labels, nonzero, truths


def among_zeros(f: Any, x: Any, **kwargs: Any) -> Any:
    """x, which has no zeros, between some."""
    return f(np.pad(x, [(2, 1)] * x.ndim), **kwargs)


def turned(f: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """The second argument of ours first."""
    return f(b, a, **kwargs)


def inserted(f: Any, x: Any, values: Any, obj: Any, axis: Any = None) -> Any:
    """Into an array that is as wide as the values."""
    return f(x.astype(np.result_type(x.dtype, getattr(values, "dtype", x.dtype))), obj, values, axis)


def chosen(f: Any, a: Any, *choices: Any, **kwargs: Any) -> Any:
    return f(a, choices, **kwargs)


def selected(f: Any, x: Any, *choices: Any, **kwargs: Any) -> Any:
    """Conditions that overlap."""
    return f([x > 2, x > 0], list(choices), **kwargs)


def pieces(f: Any, x: Any, *args: Any) -> Any:
    return f(x, [x < 0, x > 1, x > 1.5], [np.sin, lambda v, *a: v * v, 3.0, np.exp][: 3 + len(args)])


PLACES = [2, -1, [0, 2], np.array([[1, 1], [0, -1]])]

INDEX: dict[str, Row] = {
    "take": Row(
        np.take,
        [((3, 4),)],
        grid(indices=PLACES, axis=[None, 0, -1]),
        more=[
            at((3, 4), indices=[-4, 5], axis=1, mode="wrap"),
            at((3, 4), indices=[-4, 5], axis=1, mode="clip"),
            at((3, 4), indices=np.array([], int)),
            at((0, 3), indices=[1], axis=1),
        ],
    ),
    "take_along_axis": Row(
        np.take_along_axis,
        [((3, 4), (2, 4))],
        grid(axis=[0]),
        more=[at((3, 4), (3, 6), axis=-1), at((3, 4), (5,), axis=None), at((3, 4), (1, 2), axis=1)],
        domain=[ANY, labels(3)],
    ),
    "compress": Row(
        np.compress,
        [((3, 4), (3,))],
        grid(axis=[None, 0, -1]),
        more=[at((0, 3), (0,), axis=0)],
        domain=[ANY, truths],
        call=turned,
    ),
    "extract": Row(np.extract, [((3, 4), (3, 4)), ((3,), (3,))], domain=[ANY, truths], call=turned),
    "trim_zeros": Row(
        np.trim_zeros, [((3,),)], grid(trim=["fb", "f", "B"]), domain=[nonzero], call=among_zeros
    ),
    "resize": Row(np.resize, [((3, 4),), ((),)], grid(new_shape=[5, (2, 3), (4, 5)]), more=[at((0,), new_shape=(2,))]),
    "choose": Row(
        np.choose,
        [((3, 4), (3, 4), (4,)), ((), (3,), ())],
        grid(mode=["raise", "wrap"]),
        domain=[labels(2), ANY],
        call=chosen,
    ),
    "select": Row(
        np.select,
        [((3, 4), (3, 4), (4,)), ((3,), (), ())],
        [{}, {"default": 1.5}],
        domain=[labels(4), ANY],
        call=selected,
    ),
    "piecewise": Row(np.piecewise, [((3, 4),), ((),), ((0, 3),)], call=pieces),
    "append": Row(
        np.append, [((2, 3), (4,)), ((), ())], more=[at((2, 3), (1, 3), axis=0), at((2, 3), (2, 1), axis=-1)]
    ),
    "delete": Row(
        np.delete, [((3, 4),)], grid(obj=[1, slice(0, 2), [0, -1], np.array([True, False, True])], axis=[0]),
        more=[at((3, 4), obj=[0, 7]), at((3, 4), obj=-1, axis=-1)],
    ),
    "insert": Row(
        np.insert,
        [((3, 4), ()), ((3, 4), (4,))],
        grid(obj=[1, [1], [2, 0, 2], slice(0, 2)], axis=[0]),
        more=[
            at((3,), (2,), obj=1),
            at((3, 4), (2,), obj=[5, -1]),
            at((3, 4), (3,), obj=1, axis=1),
            at((3, 4), (3, 2), obj=[1, 2], axis=-1),
            at((3, 4), (2, 3), obj=1, axis=1),
            at((3, 4), (), obj=[], axis=0),
        ],
        call=inserted,
    ),
    "sort": Row(
        np.sort, SQUARE_3D, grid(axis=[None, 0, -1], kind=[None, "stable"]), more=[at((0,))], domain=[distinct]
    ),
    "partition": Row(
        np.partition, [((9,),), ((3, 8),)], [{"kth": 3}, {"kth": (1, -2), "axis": 0}, {"kth": 2, "axis": None}],
        domain=[distinct],
    ),
    "sort_complex": Row(np.sort_complex, SQUARE_3D, domain=[distinct]),
    "unique": Row(np.unique, [((3, 4),), ((0,),)], grid(axis=[None, 0]), domain=[distinct]),
    "unique_values": Row(np.unique_values, [((3, 4),)], domain=[distinct], call=lambda f, x: np.sort(f(x))),
    "unique_all": Row(np.unique_all, [((3, 4),)], domain=[distinct], call=lambda f, x: f(x).values),
    "unique_counts": Row(np.unique_counts, [((3, 4),)], domain=[distinct], call=lambda f, x: f(x).values),
    "unique_inverse": Row(np.unique_inverse, [((3, 4),)], domain=[distinct], call=lambda f, x: f(x).values),
    "union1d": Row(np.union1d, [((3, 4), (2,))], domain=[distinct, (3, 4)]),
    "setdiff1d": Row(np.setdiff1d, [((3, 2), (3,))], grid(assume_unique=[False, True]), domain=[distinct, labels(4)]),
    "setxor1d": Row(np.setxor1d, [((4,), (2,))], grid(assume_unique=[False, True]), domain=[distinct, (3, 4)]),
    "intersect1d": Row(np.intersect1d, [((6,), (5,))], domain=[labels(4)], constant=True),
    "apply_along_axis": Row(
        np.apply_along_axis,
        [((3, 4),), ((2, 3, 4),)],
        grid(axis=[0, -1], func=[np.sum, np.sin, lambda v, k: k * np.outer(v, v)]),
        call=lambda f, x, axis, func: f(func, axis, x, *((2,) if func.__name__ == "<lambda>" else ())),
    ),
    "apply_over_axes": Row(
        np.apply_over_axes, [((2, 3, 4),)], grid(axes=[0, (0, 2)], func=[np.sum, np.cumsum]),
        call=lambda f, x, axes, func: f(func, x, axes),
    ),
}  # fmt: skip
