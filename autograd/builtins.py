"""Python's own containers, as HIPS autograd re-exports them, and `isinstance` and `type` that look inside a Tensor.

A list of Tensors is a list here: nothing needs a box, so `list`, `tuple` and `dict` are simply Python's.
"""

from __future__ import annotations

import builtins
from builtins import dict, list, tuple  # noqa: UP029 - re-exported
from typing import Any

from .tracer import getval

__all__ = ["DictBox", "SequenceBox", "dict", "isinstance", "list", "tuple", "type"]


class SequenceBox:
    """What HIPS autograd wraps around a list. Nothing is one here; programs ask `isinstance` about it."""


class DictBox:
    """What HIPS autograd wraps around a dict. Nothing is one here."""


def isinstance(value: Any, kind: Any) -> bool:
    """True if the value, or the array in the Tensor, is of this kind."""
    return builtins.isinstance(value, kind) or builtins.isinstance(getval(value), kind)


def type(value: Any, *rest: Any) -> Any:
    """The type of a value; for a Tensor that of the array in it."""
    return builtins.type(value, *rest) if rest else builtins.type(getval(value))
