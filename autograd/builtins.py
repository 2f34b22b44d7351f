"""Python's own containers, as HIPS autograd re-exports them, and `isinstance` and `type` that look inside a Tensor.

A list of Tensors is a list here: nothing needs a box, so `list`, `tuple` and `dict` are simply Python's.
"""

from __future__ import annotations

import builtins
from builtins import dict, list, tuple  # noqa: UP029 - re-exported
from typing import Any

from .tracer import getval

__all__ = ["dict", "isinstance", "list", "tuple", "type"]


def isinstance(value: Any, kind: Any) -> bool:
    """True if the value, or the array in the Tensor, is of this kind."""
    return builtins.isinstance(value, kind) or builtins.isinstance(getval(value), kind)


def type(value: Any, *rest: Any) -> Any:
    """The type of a value; for a Tensor that of the array in it."""
    return builtins.type(value, *rest) if rest else builtins.type(getval(value))
