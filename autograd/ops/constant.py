"""Functions whose result has no derivative by nature: they take Tensors and give plain arrays."""

from __future__ import annotations

import functools

import numpy as np

from ..tensor import FUNCTIONS, Tensor

COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
LOGICAL = (np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.isnan, np.isinf, np.isfinite, np.signbit)
SEARCHES = (
    np.argmax,
    np.argmin,
    np.argsort,
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.count_nonzero,
    np.searchsorted,
)
QUESTIONS = (np.allclose, np.array_equal, np.isclose, np.all, np.any, np.ndim, np.shape, np.size, np.iscomplexobj)
INTEGERS = (
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.bitwise_count,
    np.invert,
    np.left_shift,
    np.right_shift,
    np.gcd,
    np.lcm,
)
PARTS_OF_NUMBERS = (np.spacing, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj)
BINS = (np.nanargmax, np.nanargmin, np.digitize)
DTYPES = (np.array_equiv, np.common_type, np.min_scalar_type, np.can_cast)
LIKE = (np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.array2string, np.array_repr, np.array_str)


def constant(function):
    """Register a function that computes on the arrays inside Tensors and returns plain arrays."""

    @functools.wraps(function)
    def on_data(*args, **kwargs):
        return function(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})

    on_data.kind = "constant"
    FUNCTIONS[function] = on_data
    return on_data


def _plain(value):
    if isinstance(value, Tensor):
        return value.data
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


for _function in (*COMPARISONS, *LOGICAL, *SEARCHES, *QUESTIONS, *INTEGERS, *PARTS_OF_NUMBERS, *BINS, *DTYPES, *LIKE):
    constant(_function)
