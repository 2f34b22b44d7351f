"""Notice that an array was changed after the graph saved it.

Recording pays nothing for this. Nodes carry a creation number; a change through a Tensor takes a number of its own
from the same counter. A saved array whose last change is younger than the node that saved it is not what the forward
pass saw, and backward says so instead of computing a wrong gradient. Views count as the memory they look at.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .errors import GraphFreedError, SavedArrayChangedError
from .node import Node, describe, freed, next_number
from .source import caller, decode

# id of the array that owns the memory -> (weak reference to it, number of its last change, where)
_changes: dict[int, tuple[Any, int, Any]] = {}
_last = 0


def owner(array: Any) -> Any:
    """The array that owns the memory which `array` looks at."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def mark_changed(array: Any, node: Node | None) -> None:
    """Note that `array`, the data of a Tensor, is being changed or replaced."""
    global _last
    _last = number = next_number()
    if node is not None:
        node.changed = number
    if isinstance(array, np.ndarray):
        root = owner(array)
        key = id(root)
        _changes[key] = (weakref.ref(root, lambda _: _changes.pop(key, None)), number, caller())


def check_usable(nodes: list[Node]) -> None:
    """Raise if one of these nodes, oldest first, was freed or needs an array that has changed since."""
    first = 0
    for node in nodes:
        if node.saved is None:
            raise GraphFreedError(freed(node))
        if not first and node.op is not None:
            first = node.number
    if first and _last > first:
        for node in nodes:
            _check_saved(node)


def _check_saved(node: Node) -> None:
    if node.plan is None:
        return
    assert node.op is not None
    for name, value in node.values().items():
        made_by = node if name == "y" else node.op.input_named(name, node)
        when, place = (made_by.changed, None) if isinstance(made_by, Node) else (0, None)
        if isinstance(value, np.ndarray):
            root = owner(value)
            entry = _changes.get(id(root))
            if entry is not None and entry[0]() is root:
                when, place = max(when, entry[1]), entry[2]
        if when > node.number:
            at = decode(*place) if place else None
            raise SavedArrayChangedError(
                f"{describe(node)} saved its {'result' if name == 'y' else 'input'} {name!r} {node_shape(value)} for "
                f"backward, and it was changed since{f' at {at}' if at else ''}. Call backward() before you change it, "
                "or change a copy (t.data = t.data + ...)."
            )


def node_shape(value: Any) -> str:
    return f"of shape {np.shape(value)}"
