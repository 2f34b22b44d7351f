"""The table of samples: a row for every operation, from which all generic tests are made.

A row says which function it is, on which shapes and static arguments to try it, and from where to draw the numbers:

    "divide": Row(np.divide, TWO, domain=[ANY, (0.5, 2)]),
    "sum": Row(np.sum, [((3, 4),)], grid(axis=[None, 0, -1, (0, 1)], keepdims=[False, True])),

To add an operation: its row in autograd/ops, and its row here under the same name. A test fails if either is missing.
No test is left out for an operation; what is special about one is a field of its row, with a check of its own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rows import Row, Sample, Shape, at, grid

from autograd.ops import elementwise as e
from autograd.ops import fused, matrix, shape

# ---- where numbers come from ----

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


def invertible(rng: Any, shape: Shape) -> Any:
    return rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:])


def truths(rng: Any, shape: Shape) -> Any:
    return rng.random(shape) < 0.5


def labels(classes: int) -> Callable[[Any, Shape], Any]:
    return lambda rng, shape: rng.integers(0, classes, shape)


# ---- how functions are called ----


def packed(f: Callable[..., Any], *xs: Any, **kwargs: Any) -> Any:
    """The arrays in one list."""
    return f(xs, **kwargs)


def symmetric(f: Callable[..., Any], x: Any) -> Any:
    """On a positive definite matrix made of x, whichever way x is moved."""
    return f((x + x.conj().mT) / 2)


# ---- plain references for what NumPy does not have ----


def plain_softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def plain_cross_entropy(x: Any, t: Any) -> Any:
    logp = np.log(plain_softmax(x))
    chosen = np.take_along_axis(logp, t[..., None], axis=-1) if t.dtype.kind == "i" else t * logp
    return -chosen.sum() / logp[..., 0].size


def plain_scatter(x: Any, index: Any, shape: Shape) -> Any:
    """Element by element."""
    out = np.zeros(shape, x.dtype)
    places = np.broadcast_to(np.arange(out.size).reshape(shape)[index], x.shape)
    for place, value in zip(places.ravel(), x.ravel(), strict=True):
        out.flat[place] += value
    return out


def plain_sinc_derivative(x: Any, order: int) -> Any:
    """The integral over s from 0 to 1 of the derivative of cos(pi s x), by quadrature."""
    s, w = np.polynomial.legendre.leggauss(40)
    s, w = np.pi * (s + 1) / 2, w / 2
    return (w * s**order * np.cos(s * np.asarray(x)[..., None] + order * np.pi / 2)).sum(-1).astype((0.5 * x).dtype)


# ---- the table ----

ONE = [((3, 4),), ((),), ((0, 3),)]
TWO = [((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3), ()), ((), ()), ((0, 3), (3,))]
REDUCE = [((3, 4),), ((2, 3, 2),)]
AXES = grid(axis=[None, 0, -1, (0, 1)], keepdims=[False, True])
EMPTY = [at((0, 3), axis=0), at((3, 0), axis=0), at((0,), axis=None), at((), axis=None)]
MATRICES = [((3, 3),), ((2, 3, 3),), ((1, 1),), ((0, 3, 3),)]
SQUARE_3D = [((3, 4),), ((2, 3, 4),)]

ELEMENTWISE = {
    "add": Row(np.add, TWO),
    "subtract": Row(np.subtract, TWO),
    "multiply": Row(np.multiply, TWO),
    "divide": Row(np.divide, TWO, domain=[ANY, nonzero]),
    "negative": Row(np.negative, ONE),
    "positive": Row(np.positive, ONE),
    "reciprocal": Row(np.reciprocal, ONE, domain=[nonzero]),
    "square": Row(np.square, ONE),
    "remainder": Row(np.remainder, TWO, domain=[between_steps, (0.97, 1.03)]),
    "floor_divide": Row(np.floor_divide, TWO, domain=[between_steps, (0.97, 1.03)]),
    "power": Row(np.power, TWO, domain=[POSITIVE, ANY]),
    "sqrt": Row(np.sqrt, ONE, domain=[POSITIVE]),
    "cbrt": Row(np.cbrt, ONE, domain=[nonzero]),
    "exp": Row(np.exp, ONE),
    "exp2": Row(np.exp2, ONE),
    "expm1": Row(np.expm1, ONE),
    "log": Row(np.log, ONE, domain=[POSITIVE]),
    "log2": Row(np.log2, ONE, domain=[POSITIVE]),
    "log10": Row(np.log10, ONE, domain=[POSITIVE]),
    "log1p": Row(np.log1p, ONE, domain=[UNIT]),
    "logaddexp": Row(np.logaddexp, TWO),
    "logaddexp2": Row(np.logaddexp2, TWO),
    "sin": Row(np.sin, ONE),
    "cos": Row(np.cos, ONE),
    "tan": Row(np.tan, ONE, domain=[(-1.2, 1.2)]),
    "arcsin": Row(np.arcsin, ONE, domain=[UNIT]),
    "arccos": Row(np.arccos, ONE, domain=[UNIT]),
    "arctan": Row(np.arctan, ONE),
    "sinh": Row(np.sinh, ONE),
    "cosh": Row(np.cosh, ONE),
    "tanh": Row(np.tanh, ONE),
    "arcsinh": Row(np.arcsinh, ONE),
    "arccosh": Row(np.arccosh, ONE, domain=[ABOVE_ONE]),
    "arctanh": Row(np.arctanh, ONE, domain=[UNIT]),
    "arctan2": Row(np.arctan2, TWO, domain=[nonzero, ANY]),
    "hypot": Row(np.hypot, TWO, domain=[nonzero]),
    "deg2rad": Row(np.deg2rad, ONE, aliases=(np.radians,)),
    "rad2deg": Row(np.rad2deg, ONE, aliases=(np.degrees,)),
    "sinc": Row(np.sinc, ONE),
    "sinc_derivative": Row(e.sinc_derivative, ONE, grid(order=[0, 1, 2, 5]), reference=plain_sinc_derivative),
    "absolute": Row(np.absolute, ONE, domain=[nonzero]),
    "fabs": Row(np.fabs, ONE, domain=[nonzero]),
    "sign": Row(np.sign, ONE, domain=[nonzero]),
    "floor": Row(np.floor, ONE, domain=[between_steps]),
    "ceil": Row(np.ceil, ONE, domain=[between_steps]),
    "trunc": Row(np.trunc, ONE, domain=[between_steps], aliases=(np.fix,)),
    "rint": Row(np.rint, ONE, domain=[between_steps]),
    "round": Row(np.round, ONE, grid(decimals=[0, 1]), domain=[between_steps], aliases=(np.around,)),
    "real": Row(np.real, ONE),
    "imag": Row(np.imag, ONE),
    "conjugate": Row(np.conjugate, ONE),
    "maximum": Row(np.maximum, TWO),
    "minimum": Row(np.minimum, TWO),
    "fmax": Row(np.fmax, TWO),
    "fmin": Row(np.fmin, TWO),
    "relu": Row(e.relu, ONE, domain=[nonzero], reference=lambda x: x * (x > 0)),
    "sigmoid": Row(e.sigmoid, ONE, reference=lambda x: 1 / (1 + np.exp(-x))),
    "clip": Row(
        np.clip,
        [((3, 4), (4,), (3, 1)), ((3,), (2, 1), ()), ((), (), ()), ((0, 3), (3,), (0, 1))],
        domain=[ANY, (-1.5, -0.5), (0.5, 1.5)],
        more=[
            at((3, 4), a_min=-0.5, a_max=1.0),
            at((3, 4), a_min=None, a_max=0.3),
            at((3, 4), (4,), a_max=None),
            # these keywords came with NumPy 2.1
            *(
                [at((3, 4), min=0.2), at((3, 4), max=0.5, min=-1)]
                if np.lib.NumpyVersion(np.__version__) >= "2.1.0"
                else []
            ),
        ],
    ),
    "where": Row(
        np.where,
        [((3, 4), (3, 4), (3, 4)), ((4,), (3, 1), ()), ((), (2, 3), (3,)), ((0, 3), (3,), ())],
        domain=[truths, ANY],
    ),
}

REDUCTIONS = {
    "sum": Row(np.sum, REDUCE, AXES, more=EMPTY),
    "mean": Row(np.mean, REDUCE, AXES, more=[at((3, 0, 2), axis=0), at((), axis=None)]),
    "prod": Row(np.prod, REDUCE, AXES, more=EMPTY),
    "max": Row(
        np.max, REDUCE, AXES, aliases=(np.amax,), domain=[distinct], more=[at((3, 0), axis=0), at((), axis=None)]
    ),
    "min": Row(
        np.min, REDUCE, AXES, aliases=(np.amin,), domain=[distinct], more=[at((3, 0), axis=0), at((), axis=None)]
    ),
    "var": Row(np.var, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=[at((3, 0), axis=0)]),
    "std": Row(np.std, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=[at((3, 0), axis=0)]),
    "cumsum": Row(np.cumsum, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
    "cumprod": Row(np.cumprod, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
    "softmax": Row(fused.softmax, REDUCE, grid(axis=[-1, 0]), reference=plain_softmax, more=[at((0, 3))]),
    "log_softmax": Row(
        fused.log_softmax,
        REDUCE,
        grid(axis=[-1, 0]),
        reference=lambda x, axis=-1: np.log(plain_softmax(x, axis)),
        more=[at((0, 3))],
    ),
    "logsumexp": Row(
        fused.logsumexp,
        REDUCE,
        AXES,
        reference=lambda x, axis=None, keepdims=False: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
        more=[at((3, 0), axis=0), at((), axis=None)],
    ),
    "softmax_cross_entropy": Row(
        fused.softmax_cross_entropy,
        [((4, 3), (4,)), ((2, 4, 3), (2, 4)), ((3,), ())],
        domain=[ANY, labels(3)],
        reference=plain_cross_entropy,
        more=[at((4, 3), (4, 3), domain=[ANY, (0, 1)])],
    ),
}

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

MATRIX = {
    "matmul": Row(
        np.matmul,
        [
            ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
            ((2, 1, 2, 3), (3, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
            ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((0,), (0,)),
        ],
    ),
    "affine": Row(
        matrix.affine,
        [((2, 3), (3, 4), (4,)), ((3,), (3, 4), (4,)), ((5, 2, 3), (3, 4), (4,)), ((0, 3), (3, 2), (2,))],
        reference=lambda x, W, b: x @ W + b,
    ),
    "dot": Row(
        np.dot,
        [
            ((3,), (3,)), ((), (3,)), ((2, 3), ()), ((2, 3), (3,)), ((2, 3), (3, 4)),
            ((3,), (2, 3, 4)), ((5, 2, 3), (4, 3, 2)), ((5, 2, 3), (3, 2)),
        ],
    ),
    "inner": Row(np.inner, [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), ()), ((2, 5, 3), (3,))]),
    "outer": Row(np.outer, [((3,), (4,)), ((2, 3), (4,)), ((), (3,)), ((0,), (3,))]),
    "tensordot": Row(
        np.tensordot,
        [((2, 3, 4), (3, 4, 5))],
        grid(axes=[2, ((1, 2), (0, 1)), ((-1, 1), (1, 0)), (2, 1), ([1], [0])]),
        more=[at((2, 3), (4,), axes=0), at((2, 3), (3, 4), axes=1), at((2, 3), (2, 3)), at((0, 2), (2, 3), axes=1)],
    ),
    "einsum": Row(
        np.einsum,
        call=lambda f, *xs, subscripts: f(subscripts, *xs),
        more=[
            at((2, 3), (3, 4), subscripts="ij,jk->ik"),
            at((2, 3), (3, 4), subscripts="ij,jk"),
            at((2, 3), (4, 3), subscripts="ki, ji -> jk"),
            at((2, 3), subscripts="ij->"),
            at((2, 3), subscripts="ij->j"),
            at((2, 3), subscripts="ba"),
            at((3, 3), subscripts="ii"),
            at((3, 3), subscripts="ii->i"),
            at((2, 3, 3), subscripts="...ii->...i"),
            at((3, 2, 3, 3), subscripts="iaii->a"),
            at((3, 3), (3, 3), subscripts="ii,jj->ij"),
            at((2, 3, 4), (4, 5), subscripts="...j,jk->...k"),
            at((2, 3, 4), (2, 4, 5), subscripts="...ij,...jk"),
            at((3, 4), (2, 4, 5), subscripts="...ij,...jk"),
            at((2, 1, 3), (4, 3), subscripts="...i,...i->..."),
            at((2, 3), (3, 4), (4, 2), subscripts="ij,jk,ki->"),
            at((2, 3), (3,), (2,), subscripts="ij,j,i->ij"),
            at((2, 3), (4,), subscripts="ij,k->k"),
            at((3,), (3,), subscripts="i,j->ij"),
            at((), (3,), subscripts=",i->i"),
            at((0, 3), (3, 2), subscripts="ij,jk->ik"),
            at((1, 3), (2, 3), subscripts="ij,ij->j"),
            at((2, 1), (1, 3), (2, 3), subscripts="ij,ij,ij->"),
            at((1, 1), (2, 3), subscripts="ij,ji->i"),
            at((1, 1), subscripts="ij->j"),
        ],
    ),
    "diagonal": Row(
        np.diagonal,
        [((3, 4),), ((2, 3, 4),)],
        grid(offset=[0, 1, -2]),
        more=[at((2, 3, 4), offset=0, axis1=2, axis2=-2), at((3, 2), offset=7)],
    ),
    "trace": Row(
        np.trace,
        [((3, 4),), ((2, 3, 4),)],
        grid(offset=[0, 1, -2]),
        more=[at((2, 3, 4), axis1=-1, axis2=1), at((3, 2), offset=7)],
    ),
    "diag": Row(np.diag, [((3, 4),), ((3,),), ((0,),)], grid(k=[0, 1, -2])),
    "tril": Row(np.tril, [((3, 4),), ((2, 3, 3),)], grid(k=[0, 1, -1])),
    "triu": Row(np.triu, [((3, 4),), ((2, 3, 3),)], grid(k=[0, 1, -1])),
    "inv": Row(np.linalg.inv, MATRICES, domain=[invertible]),
    "det": Row(np.linalg.det, MATRICES, domain=[invertible]),
    "slogdet": Row(np.linalg.slogdet, MATRICES, domain=[invertible]),
    "cholesky": Row(np.linalg.cholesky, MATRICES, domain=[invertible], call=symmetric),
    "solve": Row(
        np.linalg.solve,
        [
            ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)),
            ((2, 3, 3), (3,)), ((3, 3, 3), (3,)), ((3, 3), (3, 0)),
        ],
        domain=[invertible, ANY],
    ),
    "norm": Row(
        np.linalg.norm,
        [((3, 4),)],
        [
            *grid(ord=[None], axis=[None, 0, -1, (0, 1)], keepdims=[False, True]),
            *grid(ord=[1, 2, 3, 2.5, -1, -2, np.inf, -np.inf, 0], axis=[0, -1]),
            *grid(ord=["fro", 1, -1, np.inf, -np.inf], axis=[None, (1, 0)], keepdims=[False, True]),
        ],
        domain=[distinct],
        more=[
            at((2, 3, 4)), at((2, 3, 4), ord="fro", axis=(0, -1)), at((2, 3, 4), ord=1, axis=(2, 0)),
            at((4,), ord=1), at((0,)),
        ],
    ),
}  # fmt: skip


def plain(
    shapes: Sequence[tuple[Shape, ...]], *functions: Any, grid: Sequence[dict[str, Any]] = ({},)
) -> dict[str, Row]:
    """Rows of functions that have no derivative by nature."""
    return {f.__name__: Row(f, shapes, grid, constant=True) for f in functions}


PLAIN = {
    **plain(TWO, np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
    **plain(TWO, np.logical_and, np.logical_or, np.logical_xor),
    **plain(ONE, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit),
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

ROWS: dict[str, Row] = ELEMENTWISE | REDUCTIONS | SHAPES | MATRIX | PLAIN
SAMPLES = [Sample(name, row, case) for name, row in ROWS.items() for case in row.cases()]
DIFFERENTIABLE = [s for s in SAMPLES if not s.row.constant]
