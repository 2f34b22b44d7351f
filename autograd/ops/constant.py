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
    np.argpartition,
    np.lexsort,
    np.digitize,
    np.isin,
    np.ix_,
    np.ravel_multi_index,
    np.unravel_index,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
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
BINS = (np.nanargmax, np.nanargmin)
MEMORY_AND_DTYPES = (
    np.array_equiv,
    np.shares_memory,
    np.may_share_memory,
    np.can_cast,
    np.min_scalar_type,
    np.common_type,
)
LIKE = (np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.array2string, np.array_repr, np.array_str)


def constant(function):
    """Register a function that computes on the arrays inside Tensors and returns plain arrays."""

    @functools.wraps(function)
    def on_data(*args, **kwargs):
        return function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    on_data.kind = "constant"
    FUNCTIONS[function] = on_data
    return on_data


def plain(value):
    """What a Tensor holds, also for Tensors in a list or tuple; anything else as it is."""
    if isinstance(value, Tensor):
        return value.data
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


for _function in (
    *COMPARISONS,
    *LOGICAL,
    *SEARCHES,
    *QUESTIONS,
    *INTEGERS,
    *PARTS_OF_NUMBERS,
    *BINS,
    *MEMORY_AND_DTYPES,
    *LIKE,
):
    constant(_function)
