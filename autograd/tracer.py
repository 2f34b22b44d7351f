"""The names of HIPS autograd's `tracer`. Its boxes are our Tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .custom import primitive
from .node import Node
from .tensor import Tensor
from .tree import flatten

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "register_notrace"]

Box = Tensor
Tensor._value = property(lambda self: self._array, doc="The array without the graph.")  # type: ignore[attr-defined]


def isbox(value: Any) -> bool:
    """True for a Tensor."""
    return isinstance(value, Tensor)


def getval(value: Any) -> Any:
    """The array in a Tensor, also in a container; anything else as it is."""
    leaves, rebuild = flatten(value)
    if not any(map(isbox, leaves)):
        return value
    return rebuild([leaf._array if isbox(leaf) else leaf for leaf in leaves])


def notrace_primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the function gets the arrays in Tensors, and its result is a constant."""

    @functools.wraps(function)
    def on_values(*args: Any, **kwargs: Any) -> Any:
        return function(*map(getval, args), **kwargs)

    return on_values


def register_notrace(node_type: Any, function: Any) -> None:
    """Say that a primitive is constant. Here the decorator `notrace_primitive` says so, or rules that are None."""
    from .core import defvjp_argnum

    defvjp_argnum(function, lambda *call: lambda g: None)
