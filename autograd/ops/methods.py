"""The operators of a Tensor and the methods it shares with ndarray, attached from the table."""

from __future__ import annotations

import operator

import numpy as np

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


def _unary(op):
    return lambda self: apply(op, (self,), op.defaults)


Tensor.backward = backward
Tensor.__neg__ = _unary(e.negative)
Tensor.__pos__ = _unary(e.positive)
Tensor.__abs__ = _unary(e.absolute)
Tensor.__divmod__ = lambda self, other: np.divmod(self, other)
Tensor.__rdivmod__ = lambda self, other: np.divmod(other, self)
Tensor.__getitem__ = shape.select
Tensor.__setitem__ = set_item


def _comparison(compare):
    return lambda self, other: compare(self.data, other.data if isinstance(other, Tensor) else other)


for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Tensor, f"__{_name}__", _comparison(getattr(operator, _name)))


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
    setattr(Tensor, _name, _method(getattr(np, _name)))


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


def _fill(self, value):
    """Write one value into every element."""
    self[...] = value


def _put(self, indices, values, mode="raise"):
    """The same as np.put(t, ...)."""
    np.put(self, indices, values, mode)


for _name, _function in {
    "reshape": _reshape,
    "transpose": _transpose,
    "astype": _astype,
    "copy": lambda self, order="C": shape.copy(self, order=order),
    "compress": _compress,
    "flatten": lambda self, order="C": np.ravel(shape.copy(self), order),
    "sort": _sorts_in_place("sort"),
    "partition": _sorts_in_place("partition"),
    "conj": lambda self: e.conjugate(self),
    "fill": _fill,
    "put": _put,
}.items():
    setattr(Tensor, _name, _function)

for _name, _function in {
    "T": lambda self: shape.transpose(self),
    "mT": lambda self: shape.matrix_transpose(self),
    "real": lambda self: e.real(self),
    "imag": lambda self: e.imag(self),
}.items():
    setattr(Tensor, _name, property(_function))
