"""Functions whose result has no derivative by nature: they take Tensors and give plain arrays."""

from __future__ import annotations

import functools
import inspect

import numpy as np

from ..batched import Batched, aligned, carry
from ..tensor import FUNCTIONS, Tensor

COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
LOGICAL = (np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.isnan, np.isinf, np.isfinite, np.signbit)
ALONG_AN_AXIS = (
    np.argmax,
    np.argmin,
    np.argsort,
    np.argpartition,
    np.count_nonzero,
    np.all,
    np.any,
    np.nanargmax,
    np.nanargmin,
)
SEARCHES = (
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.searchsorted,
    np.lexsort,
    np.digitize,
    np.isin,
    np.ix_,
    np.ravel_multi_index,
    np.unravel_index,
    np.array_equal,
    np.array_equiv,
)
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
PARTS_OF_NUMBERS = (np.isclose, np.spacing, np.isposinf, np.isneginf, np.isreal, np.iscomplex)
OF_THE_SHAPE = (
    np.ndim,
    np.shape,
    np.size,
    np.iscomplexobj,
    np.isrealobj,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.result_type,
    np.can_cast,
    np.min_scalar_type,
    np.common_type,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
)
OTHERS = (np.array2string, np.array_repr, np.array_str, np.shares_memory, np.may_share_memory)


class Constant:
    """A function that computes on the arrays inside Tensors and returns plain arrays.

    batch: how it takes a hidden axis, as an Op says it; "shape" if only the shapes and dtypes of its arguments matter.
    """

    kind = "constant"
    broadcasts = False

    def __init__(self, function, batch=None):
        functools.update_wrapper(self, function)
        self.numpy = function
        self.name = function.__name__
        self.batch = "elementwise" if isinstance(function, np.ufunc) else batch

    def __call__(self, *args, **kwargs):
        args = [plain(a) for a in args]
        kwargs = {k: plain(v) for k, v in kwargs.items()} if kwargs else kwargs
        levels = [a.level for a in (*args, *kwargs.values()) if a.__class__ is Batched]
        if not levels:
            return self.numpy(*args, **kwargs)
        if self.batch == "shape":
            return self.numpy(*map(_stand_in, args), **kwargs)
        if self.batch == "axis":
            args, kwargs = self._bound(args, kwargs)
        return carry(self, args, kwargs, max(levels))

    def _bound(self, args, kwargs):
        """The one array, and all else by name."""
        (_, x), *rest = inspect.signature(self.numpy).bind(*args, **kwargs).arguments.items()
        return (x,), dict(rest)


def _stand_in(x):
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if x.__class__ is Batched else x


def constant(function, batch=None):
    """Register a function that has no derivative by nature. batch: see Constant."""
    FUNCTIONS[function] = Constant(function, batch)
    return FUNCTIONS[function]


def plain(value):
    """What a Tensor holds, also for Tensors in a list or tuple; anything else as it is."""
    if isinstance(value, Tensor):
        return value.data
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


for _function in (*COMPARISONS, *LOGICAL, *INTEGERS, *SEARCHES, *OTHERS):
    constant(_function)
for _function in ALONG_AN_AXIS:
    constant(_function, batch="axis")
for _function in OF_THE_SHAPE:
    constant(_function, batch="shape")
for _function in PARTS_OF_NUMBERS:
    constant(_function, batch="elementwise")


def _allclose_batch(op, xs, kwargs, batched):
    close = np.isclose(*aligned(xs, batched), **kwargs)
    return np.all(close, axis=tuple(range(1, close.ndim)))


constant(np.allclose, batch=_allclose_batch)
