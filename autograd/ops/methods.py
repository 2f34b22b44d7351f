"""The operators of a Tensor and the methods it shares with ndarray, attached from the table."""

from __future__ import annotations

import operator

import numpy as np

from ..batched import Batched
from ..errors import NotDifferentiableError
from ..op import apply, operators
from ..sweep import backward
from ..tensor import FUNCTIONS, Tensor
from . import elementwise as e
from . import matrix, shape
from .assign import set_item, store


def _in_place(op):
    def method(self, other):
        """Change this Tensor, and with it what it is a view of, and its views."""
        result = op(self, other)
        if result.shape != self.shape:
            raise ValueError(f"the result has shape {result.shape}, which does not fit in place into {self.shape}")
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"the result is {result.dtype}, which does not fit in place into {self.dtype}")
        store(self, result if result.dtype == self.dtype else result.astype(self.dtype))
        return self

    return method


def _between(op):
    """An operator and its reflected form as methods of Batched."""

    def method(self, other):
        y = self.__apply_op__(op, (self, other), op.defaults)
        return apply(op, (self, other), op.defaults) if y is NotImplemented else y

    def reflected(self, other):
        return apply(op, (other, self), op.defaults)

    return method, reflected


for _name, _op in {
    "add": e.add,
    "sub": e.subtract,
    "mul": e.multiply,
    "truediv": e.divide,
    "pow": e.power,
    "matmul": matrix.matmul,
    "mod": e.remainder,
    "floordiv": e.floor_divide,
}.items():
    _method, _reflected = operators(_op)
    setattr(Tensor, f"__{_name}__", _method)
    setattr(Tensor, f"__r{_name}__", _reflected)
    setattr(Tensor, f"__i{_name}__", _in_place(_op))
    _method, _reflected = _between(_op)
    setattr(Batched, f"__{_name}__", _method)
    setattr(Batched, f"__r{_name}__", _reflected)


def _unary(op):
    return lambda self: apply(op, (self,), op.defaults)


Tensor.backward = backward
for _class in (Tensor, Batched):
    _class.__neg__ = _unary(e.negative)
    _class.__pos__ = _unary(e.positive)
    _class.__abs__ = _unary(e.absolute)
    _class.__divmod__ = lambda self, other: np.divmod(self, other)
    _class.__rdivmod__ = lambda self, other: np.divmod(other, self)
    _class.__getitem__ = shape.select
Tensor.__setitem__ = set_item


def _comparison(compare):
    return lambda self, other: compare(self.data, other.data if isinstance(other, Tensor) else other)


def _constant_between(function):
    meaning = FUNCTIONS[function]
    return (lambda self, other: meaning(self, other)), (lambda self, other: meaning(other, self))


for _name, _function in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(Tensor, f"__{_name}__", _comparison(getattr(operator, _name)))
    setattr(Batched, f"__{_name}__", _constant_between(_function)[0])

# truths and integers inside a vmap, which have no derivative
for _name, _function in {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}.items():
    _method, _reflected = _constant_between(_function)
    setattr(Batched, f"__{_name}__", _method)
    setattr(Batched, f"__r{_name}__", _reflected)
Batched.__invert__ = lambda self: FUNCTIONS[np.invert](self)


def _method(function):
    meaning = FUNCTIONS[function]

    def method(self, *args, **kwargs):
        if "out" in kwargs:
            return function(self, *args, **kwargs)
        return meaning(self, *args, **kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"The same as np.{function.__name__}(t, ...)."
    return method


for _name in [
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "var",
    "std",
    "cumsum",
    "cumprod",
    "swapaxes",
    "squeeze",
    "repeat",
    "ravel",
    "round",
    "clip",
    "dot",
    "trace",
    "diagonal",
    "take",
    "choose",
    "argmax",
    "argmin",
    "argsort",
    "argpartition",
    "all",
    "any",
    "nonzero",
    "searchsorted",
]:
    for _class in (Tensor, Batched):
        setattr(_class, _name, _method(getattr(np, _name)))


def _one_or_many(args):
    return args[0] if len(args) == 1 and not isinstance(args[0], int | np.integer) else args


def _reshape(self, *new_shape, order="C", copy=None):
    """A Tensor of the same elements in another shape: t.reshape(2, -1) or t.reshape((2, -1))."""
    return FUNCTIONS[np.reshape](self, _one_or_many(new_shape), order, copy=copy)


def _transpose(self, *axes):
    """The axes in another order, reversed if none is given."""
    return shape.transpose(self, axes=_one_or_many(axes) if axes else None)


def _astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
    """A copy in another dtype; recorded if that is a float or complex one."""
    if not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(f"{self.dtype} cannot become {np.dtype(dtype)} with casting={casting!r}")
    return shape.to_dtype(self, dtype, copy=copy)


def _compress(self, condition, axis=None):
    """The slices along an axis where the condition holds."""
    return np.compress(condition, self, axis)


def _sorts_in_place(name):
    def method(self, *args, **kwargs):
        raise NotDifferentiableError(f"t.{name}() would sort in place; write t = np.{name}(t) instead")

    return method


Tensor.astype = _astype


def _fill(self, value):
    """Write one value into every element."""
    self[...] = value


def _put(self, indices, values, mode="raise"):
    """The same as np.put(t, ...)."""
    np.put(self, indices, values, mode)


for _name, _function in {
    "reshape": _reshape,
    "transpose": _transpose,
    "copy": lambda self, order="C": shape.copy(self, order=order),
    "compress": _compress,
    "flatten": lambda self, order="C": np.ravel(shape.copy(self), order),
    "sort": _sorts_in_place("sort"),
    "partition": _sorts_in_place("partition"),
    "conj": lambda self: e.conjugate(self),
    "fill": _fill,
    "put": _put,
}.items():
    for _class in (Tensor, Batched):
        setattr(_class, _name, _function)

for _name, _function in {
    "T": lambda self: shape.transpose(self),
    "mT": lambda self: shape.matrix_transpose(self),
    "real": lambda self: e.real(self),
    "imag": lambda self: e.imag(self),
}.items():
    for _class in (Tensor, Batched):
        setattr(_class, _name, property(_function))
