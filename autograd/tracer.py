"""The names of HIPS autograd's `tracer`: boxes are Tensors, and `trace` follows a function with one's own nodes.

What `trace` hands to the function is a `Traced`: a value that speaks NumPy's protocols, computes as usual, and makes a
node of the user's class for every call. It may hold a Tensor and be held by one, so traces and derivatives nest.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from .batched import Batched
from .custom import primitive
from .modes import MODE
from .tensor import Tensor, new_tensor
from .tree import flatten

__all__ = ["Box", "Node", "Traced", "getval", "isbox", "notrace_primitive", "primitive", "register_notrace", "trace"]

Function = Callable[..., Any]

Box = Tensor


def isbox(value: Any) -> bool:
    """True for a Tensor, and for what `trace` hands out."""
    return isinstance(value, Tensor | Traced)


def getval(value: Any) -> Any:
    """The array in a Tensor, also in a container; anything else as it is."""
    leaves, rebuild = flatten(value)
    while any(map(isbox, leaves)):
        leaves = [leaf._value if isbox(leaf) else leaf for leaf in leaves]
        value = rebuild(leaves)
    if MODE.get().vmap is not None:
        return rebuild([leaf.data if leaf.__class__ is Batched else leaf for leaf in leaves])
    return value


def notrace_primitive(function: Function) -> Function:
    """Decorator: the function gets the arrays in Tensors, and its result is a constant."""

    @functools.wraps(function)
    def on_values(*args: Any, **kwargs: Any) -> Any:
        return function(*map(getval, args), **kwargs)

    return on_values


def register_notrace(node_type: Any, function: Any) -> None:
    """Say that a primitive has no derivative, in all its arguments."""
    from .core import defvjp_argnum

    defvjp_argnum(function, lambda *call: lambda g: None)


# ---- a trace with nodes of one's own ----


class Node:
    """Base of what a trace is made of. A subclass says in `__init__` what to keep of a call."""

    def __init__(self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Any):
        raise NotImplementedError

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        """What the node of the variable itself keeps."""

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Any:
        """The node of a variable."""
        root = cls.__new__(cls)
        root.initialize_root(*args, **kwargs)
        return root


_next_trace = count().__next__


def trace(start_node: Any, fun: Function, x: Any) -> tuple[Any, Any]:
    """(fun(x), the node of the result), where each call makes a node of the class of start_node; None: none did."""
    start = Traced(x, _next_trace(), start_node)
    end = fun(start)
    return (end._value, end._node) if isinstance(end, Traced) and end._trace == start._trace else (end, None)


_METADATA = (np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj)  # not part of a trace


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A value, and the node that made it in the trace of this number."""

    __slots__ = ("_node", "_trace", "_value")
    __array_priority__ = 2000.0

    def __init__(self, value: Any, trace: int, node: Any):
        self._value = value
        self._trace = trace
        self._node = node

    shape = property(lambda self: np.shape(self._value))
    dtype = property(lambda self: np.result_type(self._value))
    ndim = property(lambda self: np.ndim(self._value))
    size = property(lambda self: np.size(self._value))

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return _follow(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in _METADATA:
            return function(*[a._value if isinstance(a, Traced) else a for a in args], **kwargs)
        return _follow(function, args, kwargs)

    def __apply_op__(self, op: Any, args: Any, kwargs: Any) -> Any:
        return _follow(op, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return _follow(operator.getitem, (self, index), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced value has no attribute {name!r}")
        if not callable(getattr(np.ndarray, name)):
            return _follow(operator.attrgetter(name), (self,), {})
        method = functools.partial(_call_method, name)
        method.__name__ = name  # type: ignore[attr-defined]
        return lambda *args, **kwargs: _follow(method, (self, *args), kwargs)

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Traced({self._value!r})"


def _call_method(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    return getattr(value if hasattr(value, name) else np.asarray(value), name)(*args, **kwargs)


def _follow(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call fun on the values in the innermost trace, and make its node; a node for each part of several results."""
    if any(isinstance(leaf, Traced) for leaf in flatten(kwargs)[0]):
        raise TypeError(f"{getattr(fun, '__name__', fun)}: a traced value is passed by position, not as a keyword")
    leaves, rebuild = flatten(args)
    if any(isinstance(leaf, Tensor) and isinstance(leaf._array, Traced) for leaf in leaves):
        # a derivative inside the trace: there this value is a constant
        return fun(*rebuild([new_tensor(v, None) if isinstance(v, Traced) else v for v in leaves]), **kwargs)
    top = max(leaf._trace for leaf in leaves if isinstance(leaf, Traced))
    whole = _make(fun, [_packed(a, top) for a in args], kwargs, top)
    if not isinstance(whole._value, tuple | list):
        return whole
    return type(whole._value)([_make(operator.getitem, [whole, k], {}, top) for k in range(len(whole._value))])


def _packed(argument: Any, top: int) -> Any:
    """An argument with traced values inside as one traced value, so that a node has one parent for each argument."""
    leaves, rebuild = flatten(argument)
    if isinstance(argument, Traced) or not any(_is_of(leaf, top) for leaf in leaves):
        return argument

    def pack(*values: Any) -> Any:
        return rebuild(list(values))

    return _make(pack, leaves, {}, top)


def _make(fun: Any, args: Any, kwargs: dict[str, Any], top: int) -> Traced:
    own = [(k, a) for k, a in enumerate(args) if _is_of(a, top)]
    values = tuple(a._value if _is_of(a, top) else a for a in args)
    value = fun(*values, **kwargs)
    node_type = type(own[0][1]._node)
    node = node_type(value, fun, values, kwargs, tuple(k for k, _ in own), tuple(a._node for _, a in own))
    return Traced(value, top, node)


def _is_of(value: Any, top: int) -> bool:
    return isinstance(value, Traced) and value._trace == top
