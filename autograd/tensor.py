"""Tensor: an array and the Node that made it.

A Tensor speaks NumPy's protocols: operators, ufuncs (`np.sin(t)`) and functions (`np.sum(t)`) arrive here and are
looked up in `FUNCTIONS`, the table that `autograd.ops` fills. What is not in the table raises; nothing is silently
computed without its gradient. A Tensor whose node is None is a constant.
"""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import NotBatchedError, NotDifferentiableError
from .guard import mark_changed
from .modes import MODE
from .node import NO_KWARGS, Node, describe
from .source import caller

FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # NumPy's function -> what it means on Tensors

# ways to call that take more than a look into FUNCTIONS: "out" (any function), "keywords" (of a ufunc), and
# the methods of a ufunc, "reduce", "at", ...
CALLS: dict[str, Callable[..., Any]] = {}

NUMBERS = "fciub"  # the kinds of dtype that are computed with

# Types that an operation takes as they are; everything else goes through `as_array`.
PLAIN = frozenset({np.ndarray, float, int, complex, bool, *np.sctypeDict.values()})


def as_array(value: Any) -> Any:
    """`value` as something to compute with: a list becomes an ndarray, other carriers of NumPy's protocols stay."""
    if value.__class__ is np.ndarray:  # and np.ma is not loaded for its sake
        return value
    if isinstance(value, np.ma.MaskedArray | np.matrix):
        raise TypeError(f"{type(value).__name__} is not supported; pass np.asarray(...) of it")
    if isinstance(value, np.ndarray) or (hasattr(value, "__array_function__") and hasattr(value, "dtype")):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in NUMBERS:
        raise TypeError(f"expected numbers or an array of numbers, not {type(value).__name__} (dtype {array.dtype})")
    return array


def _checked(data: Any) -> Any:
    data = as_array(data)
    if data.dtype.kind not in NUMBERS:
        raise TypeError(f"a Tensor holds floats, complex numbers, integers or booleans, not dtype {data.dtype}")
    return data


def new_tensor(data: Any, node: Node | None) -> Tensor:
    """A Tensor around the result of an operation, without the checks of the constructor."""
    t = Tensor.__new__(Tensor)
    t._array = data
    t.node = node
    return t


def as_constant(array: Any) -> Tensor:
    """A constant Tensor around an ndarray."""
    return new_tensor(array if array.dtype.kind in NUMBERS else _checked(array), None)


class Tensor:
    """An ndarray that remembers how it was computed.

    `Tensor(array)` wraps the array without copying it; `requires_grad=True` makes it a leaf, whose `.grad` is filled
    by `backward()`. Raises TypeError for dtypes other than float, complex, integer and bool, and for
    `requires_grad=True` on integers and bools.
    """

    # `_array` and not `_data`: numpy.ma takes the `_data` of whatever it meets, and would lose the gradient
    __slots__ = ("_array", "_link", "_name", "node")  # _link: see view.py and ops/assign.py
    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None):
        number = requires_grad and isinstance(data, float | complex | np.inexact)
        data = _unrecorded(data)
        # A leaf given as a number stays a NumPy scalar, which is several times faster to compute with.
        self._array: Any = np.asarray(data)[()] if number else _checked(data)
        self.node: Node | None = None
        if requires_grad:
            self._become_leaf()
        self.name = name

    def _become_leaf(self) -> None:
        if self._array.dtype.kind not in "fc":
            raise TypeError(
                f"only floats and complex numbers can require a gradient, not {self._array.dtype}; "
                "convert first, for example Tensor(x.astype(float), requires_grad=True)"
            )
        code, lasti = caller()
        mode = MODE.get()
        if mode.vmap is not None:
            self._array = mode.vmap.tagged(self._array)
        self.node = Node(
            None, (), NO_KWARGS, None, (), self._array.shape, self._array.dtype, None, code, lasti, mode.scope
        )  # fmt: skip
        self._show_value()

    # ---- what it holds ----

    @property
    def data(self) -> Any:
        """The ndarray. Assigning to it (also `t.data += 1`) makes backward() through an older use raise."""
        if self._array.__class__ is not np.ndarray:
            if isinstance(self._array, np.generic):
                self._array = np.asarray(self._array)
            elif MODE.get().vmap is not None:  # a batch may hold what is recorded further out
                from .batched import unrecorded

                return unrecorded(self._array)
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        old, node = self._array, self.node
        if value.__class__ is not np.ndarray or value.dtype is not old.dtype:
            value = _checked(value._array if isinstance(value, Tensor) else value)
        if node is not None and (value.shape != node.shape or value.dtype != node.dtype):
            raise ValueError(
                f".data of a recorded Tensor keeps its shape and dtype {node.shape} {node.dtype}, "
                f"not {value.shape} {value.dtype}; make a new Tensor instead"
            )
        self._replace(value, caller())

    def _replace(self, value: Any, place: Any) -> None:
        """The data setter without its checks, for an optimiser, which asks once for the place in the user's code."""
        mark_changed(self._array, self.node, place, replaced=value is not self._array)
        for watcher in MODE.get().watchers or ():
            watcher.replaced(self.node, self._array, value, place)
        self._array = value
        self._show_value()

    def _show_value(self) -> None:
        """Let the node of a leaf, or of a number, tell what it is now."""
        if self.node is not None and (self.node.op is None or self.node.value is not None):
            weak = isinstance(self._array, np.ndarray) and self._array.ndim
            self.node.value = weakref.ref(self._array) if weak else self._array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> Any:
        return self._array.dtype

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    def item(self) -> Any:
        """The one element as a Python number."""
        return self._array.item()

    def numpy(self) -> Any:
        """The ndarray, without the graph (the same as `.data`)."""
        return self.data

    @property
    def _value(self) -> Any:
        """The same, as programs for HIPS autograd ask for it."""
        return self._array if MODE.get().vmap is None else self.data

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self._array.tolist()

    def detach(self) -> Tensor:
        """A constant Tensor around the same array."""
        if MODE.get().vmap is not None:
            return new_tensor(self.data, None)
        if hasattr(self, "_link"):  # it was written into, or is a view
            from .view import detached

            return detached(self)
        return new_tensor(self._array, None)

    # ---- the graph ----

    @property
    def requires_grad(self) -> bool:
        """True for a leaf that was made so, and for whatever was recorded from one."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError(
                f"this is a result of {describe(self.node)}; requires_grad can be set on a leaf only, "
                "use t.detach() for a constant"
            )
        name = self.name
        if value and self.node is None:
            self._become_leaf()
        elif not value:
            self.node = None
        self.name = name

    @property
    def is_leaf(self) -> bool:
        """True unless an operation recorded it."""
        return self.node is None or self.node.op is None

    @property
    def name(self) -> str | None:
        """What pictures and errors call it."""
        return self.node.name if self.node is not None else getattr(self, "_name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"a name is a str, not {type(value).__name__}")
        if self.node is not None:
            self.node.name = value
        else:
            self._name = value

    @property
    def grad(self) -> Any:
        """The gradient that backward() accumulated: an ndarray of this shape and dtype, or None before."""
        return self.node.grad if self.node is not None else None

    @grad.setter
    def grad(self, value: Any) -> None:
        if self.node is None:
            raise RuntimeError("a constant has no gradient; make it with requires_grad=True")
        if value is not None:
            value = np.asarray(value)
            if value.shape != self.shape:
                raise ValueError(f"the gradient has the shape of the Tensor, {self.shape}, not {value.shape}")
            if not np.can_cast(value.dtype, self.dtype, "same_kind"):
                raise TypeError(f"the gradient has the dtype of the Tensor, {self.dtype}, not {value.dtype}")
            value = value.astype(self.dtype, copy=False)
        self.node.grad = value

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` is None again."""
        if self.node is not None:
            self.node.grad = None

    def retain_grad(self) -> None:
        """Let backward() fill `.grad` of this intermediate result too."""
        if self.node is None:
            raise RuntimeError("a constant has no gradient to retain")
        self.node.keeps_grad = True

    # ---- NumPy's protocols ----

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__":
            if kwargs:
                return CALLS["keywords"](ufunc, *inputs, **kwargs)
            meaning = FUNCTIONS.get(ufunc) or of_scipy(ufunc)
            return unknown(ufunc) if meaning is None else meaning(*inputs)
        call = functools.partial(CALLS[method], ufunc)
        return CALLS["out"](ufunc, call, inputs, kwargs) if "out" in kwargs else call(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        meaning = FUNCTIONS.get(function)
        try:
            if meaning is not None and ("out" in kwargs or len(args) > 2):
                return CALLS["out"](function, meaning, args, kwargs)
            return unknown(function) if meaning is None else meaning(*args, **kwargs)
        except NotBatchedError as refused:
            from .batched import one_by_one

            return one_by_one(meaning, args, kwargs, refused)  # type: ignore[arg-type]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        whole = dtype is not None and np.dtype(dtype).kind in "iub"  # np.int64(t): whole numbers have no derivative
        if self.node is not None and not whole:
            raise TypeError(
                f"{describe(self.node)} is recorded, and as an ndarray it would lose its gradient. Use t.data for "
                "the numbers, np.stack([t1, t2]) instead of np.array([t1, t2]), and NumPy's functions on the Tensor; "
                "to assign it, make the array a Tensor: y = Tensor(np.zeros(shape))"
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """NumPy's namespace with Tensors in and out, as the array API standard asks for it."""
        from . import numpy

        if api_version not in (None, getattr(np, "__array_api_version__", None)):
            raise ValueError(f"NumPy implements version {np.__array_api_version__} of the array API, not {api_version}")
        return numpy

    def _number(self, kind: Callable[[Any], Any]) -> Any:
        if self.node is not None:
            raise TypeError(
                f"{kind.__name__}() of a recorded Tensor would lose its gradient; use t.item() for the number, or, to "
                "assign it to an element, make the array a Tensor: y = Tensor(np.zeros(shape)). "
                f"It was recorded by {describe(self.node)}"
            )
        return kind(self._array)

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __complex__(self) -> complex:
        return self._number(complex)

    def __index__(self) -> int:
        return operator.index(self._array)  # an integer is never recorded

    def __bool__(self) -> bool:
        return bool(self._array)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d Tensor")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return value in self._array

    def __reduce__(self) -> Any:
        return tensor, (self.data, self.is_leaf and self.requires_grad, self.name)

    def __deepcopy__(self, memo: Any) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                f"this is a result of {describe(self.node)}, and a deep copy would lose its graph; "
                "copy t.detach(), or the leaves"
            )
        return tensor(self.data, self.requires_grad, self.name)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else object.__format__(self, spec)

    def __repr__(self) -> str:
        body = np.array2string(self.data, prefix="Tensor(", separator=", ")
        dtype = "" if self.dtype in (np.float64, np.int64, np.bool_) else f", dtype={self.dtype}"
        by = (
            "" if self.node is None else ", requires_grad=True" if self.node.op is None else f", op={self.node.op.name}"
        )
        return f"Tensor({body}{dtype}{by})"

    if TYPE_CHECKING:  # autograd.ops.methods attaches backward, the operators and the ndarray methods

        def backward(self, grad: Any = None, retain_graph: bool = False) -> None: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...


def tensor(data: Any, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """A Tensor around a copy of `data` (an array, a number, a nested list, or another Tensor)."""
    return Tensor(np.array(_unrecorded(data)), requires_grad, name)


def _unrecorded(data: Any) -> Any:
    """What a constructor was given, without the Tensor around it; a recorded result would lose its gradient."""
    if not isinstance(data, Tensor):
        return data
    if data.node is not None and data.node.op is not None:
        raise TypeError(
            f"a new Tensor around the result of {describe(data.node)} would lose its gradient; "
            "use the result itself, or t.detach() if that is what you want"
        )
    return data._array if MODE.get().vmap is not None else data.data


def of_scipy(ufunc: Any) -> Any:
    """What a ufunc of SciPy's means, whose table is loaded when the first one is met."""
    if "scipy.special" not in sys.modules:
        return None
    from .ops.scipy import special  # noqa: F401  (it fills FUNCTIONS)

    return FUNCTIONS.get(ufunc)


def unknown(function: Any) -> Any:
    """Raise the error for a function of NumPy's that has no meaning on Tensors."""
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or ("numpy" if hasattr(np, name) else "scipy.special")  # a ufunc's
    name = f"{module.replace('numpy', 'np', 1)}.{name}"
    raise NotDifferentiableError(
        f"{name} has no derivative rule here. Compute it on t.data if no gradient is needed, "
        "write it with functions that have one, or register a rule (autograd.elementwise, linear, general)."
    )
