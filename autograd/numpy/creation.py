"""NumPy's functions that build arrays and do not dispatch on Tensors: they call NumPy's own unless they meet one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from ..batched import Batched
from ..tensor import Tensor

__all__ = [
    "amax", "amin", "append", "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray",
    "asfortranarray", "c_", "column_stack", "concat", "concatenate", "dstack", "full", "full_like", "hstack",
    "isscalar", "make_diagonal", "max", "mean", "min", "prod", "r_", "row_stack", "select", "stack", "std", "sum",
    "var", "vectorize", "vstack",
]  # fmt: skip


def _tensors_in(value: Any) -> Iterator[Tensor | Batched]:
    """The Tensors, and what stands for a batch of arrays, in a nesting of lists and tuples."""
    if isinstance(value, Tensor | Batched):
        yield value
    elif type(value) in (list, tuple):
        for part in value:
            yield from _tensors_in(part)


def _has_tensor(value: Any) -> bool:
    return any(True for _ in _tensors_in(value))


# ---- arrays from Tensors ----


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0, **options: Any) -> Any:
    """np.array, also of Tensors, alone or nested in lists, mixed with numbers and arrays."""
    if not isinstance(object, Tensor | Batched):
        try:
            return np.array(object, dtype, copy=copy, ndmin=ndmin, **options)
        except TypeError:  # a recorded Tensor does not turn into plain numbers
            if not _has_tensor(object):
                raise
    t = _joined(object)
    if t is object and copy:
        t = t.copy()
    t = t if dtype is None or t.dtype == dtype else t.astype(dtype)
    return np.reshape(t, (1,) * (ndmin - t.ndim) + t.shape) if ndmin > t.ndim else t


def _joined(value: Any) -> Any:
    """A nesting of lists as one array, where there are Tensors in it."""
    if type(value) in (list, tuple) and _has_tensor(value):
        return np.stack([_joined(part) for part in value])
    return value if isinstance(value, Tensor | Batched) else np.asarray(value)


def _builder(function: Callable[..., Any]) -> Callable[..., Any]:
    """np.asarray and its like: they copy nothing, and a Tensor has no memory layout."""

    @functools.wraps(function)
    def build(a: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
        if not isinstance(a, Tensor | Batched):
            try:
                return function(a, dtype, *args, **options)
            except TypeError:
                if not _has_tensor(a):
                    raise
        return array(a, dtype, copy=options.get("copy"))

    return build


asarray = _builder(np.asarray)
asanyarray = _builder(np.asanyarray)
ascontiguousarray = _builder(np.ascontiguousarray)
asfortranarray = _builder(np.asfortranarray)


@functools.wraps(np.asarray_chkfinite)
def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    if not _has_tensor(a):
        return np.asarray_chkfinite(a, dtype, order)
    t = asarray(a, dtype)
    np.asarray_chkfinite(t.data)
    return t


@functools.wraps(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    if not _has_tensor(fill_value):
        return np.full(shape, fill_value, dtype, *args, **options)
    return np.broadcast_to(array(fill_value, dtype), shape) + np.zeros((), dtype or np.bool_)


@functools.wraps(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    if not _has_tensor(fill_value):
        return np.full_like(a.data if isinstance(a, Tensor) else a, fill_value, dtype, *args, **options)
    shape = args[2] if len(args) > 2 else options.get("shape")
    return full(np.shape(a) if shape is None else shape, fill_value, np.result_type(a) if dtype is None else dtype)


@functools.wraps(np.arange)
def arange(*args: Any, dtype: Any = None, **options: Any) -> Any:
    if not any(isinstance(a, Tensor) for a in (*args, *options.values())):
        return np.arange(*args, dtype=dtype, **options)
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    step = options.get("step", step)
    n = math.ceil((_number(options.get("stop", stop)) - _number(start)) / _number(step))
    t = start + np.arange(n) * step
    return t if dtype is None else t.astype(dtype)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def isscalar(element: Any) -> bool:
    """np.isscalar, for which a Tensor is a number if it has no axes."""
    return element.ndim == 0 if isinstance(element, Tensor) else np.isscalar(element)


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The last axis of D on the diagonal of a new last pair of axes (HIPS autograd's addition to NumPy's names)."""
    if (offset, axis1, axis2) != (0, -1, -2):
        raise NotImplementedError("make_diagonal takes offset=0, axis1=-1, axis2=-2")
    return D[..., None] * np.eye(D.shape[-1], dtype=D.dtype)


# ---- functions of lists ----


def _or_joined(function: Callable[..., Any], join: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    """The function; where a list of Tensors is too much for it, it gets what `join` makes of its arguments."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:  # a recorded Tensor does not turn into plain numbers
            if not any(type(a) in (list, tuple) and _has_tensor(a) for a in args):
                raise
        return function(*join(*args), **kwargs)

    return call


def takes_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its first argument also a list of Tensors."""
    return _or_joined(function, lambda a, *rest: (_joined(a), *rest))


def _joiner(function: Callable[..., Any]) -> Callable[..., Any]:
    """np.concatenate and its like, with lists of Tensors among the arrays to join."""
    return _or_joined(function, lambda arrays, *rest: ([_joined(a) for a in arrays], *rest))


sum = takes_lists(np.sum)
prod = takes_lists(np.prod)
max = amax = takes_lists(np.max)
min = amin = takes_lists(np.min)
mean = takes_lists(np.mean)
std = takes_lists(np.std)
var = takes_lists(np.var)
concatenate = concat = _joiner(np.concatenate)
stack = _joiner(np.stack)
vstack = row_stack = _joiner(np.vstack)
hstack = _joiner(np.hstack)
dstack = _joiner(np.dstack)
column_stack = _joiner(np.column_stack)
append = _or_joined(np.append, lambda arr, values, *rest: (_joined(arr), _joined(values), *rest))
select = _or_joined(np.select, lambda conditions, choices, *rest: (conditions, [_joined(c) for c in choices], *rest))


class vectorize(np.vectorize):
    """np.vectorize, which calls the function for each element, also for elements that are Tensors."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not any(isinstance(a, Tensor) for a in (*args, *kwargs.values())):
            return super().__call__(*args, **kwargs)
        if kwargs or self.excluded or self.signature is not None:
            raise TypeError("vectorize with Tensors takes positional arguments, without excluded= and signature=")
        args = tuple(np.broadcast_arrays(*(a if isinstance(a, Tensor) else np.asarray(a) for a in args)))
        shape = args[0].shape
        results = [self.pyfunc(*(a[i] for a in args)) for i in product(*map(range, shape))]
        if results and isinstance(results[0], tuple):
            return tuple(np.reshape(array(list(column)), shape) for column in zip(*results, strict=True))
        return np.reshape(array(results), shape)


# ---- arrays from brackets ----


class _Brackets:
    """np.r_ and np.c_. NumPy's own puts together the numbers of the elements, and they say where each goes."""

    def __init__(self, own: Any):
        self.own = own

    def __getitem__(self, key: Any) -> Any:
        if not _has_tensor(key):
            return self.own[key]
        numbers: list[Any] = []
        elements: list[Any] = []
        n = 0
        for part in key if type(key) is tuple else (key,):
            if isinstance(part, str):  # a directive
                numbers.append(part)
                continue
            part = np.r_[part] if isinstance(part, slice) else asarray(part)
            numbers.append(np.arange(n, n + part.size).reshape(part.shape))
            elements.append(np.reshape(part, -1))
            n += part.size
        return np.concatenate(elements)[np.asarray(self.own[tuple(numbers)])]


r_ = _Brackets(np.r_)
c_ = _Brackets(np.c_)
