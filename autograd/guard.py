"""Notice that an array was changed after the graph saved it.

Recording pays nothing for this. Nodes carry a creation number; a change through a Tensor takes a number of its own
from the same counter. A saved array whose last change is younger than the node that saved it is not what the forward
pass saw, and backward says so instead of computing a wrong gradient. Views count as the memory they look at.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from operator import itemgetter
from types import CodeType
from typing import Any

import numpy as np

from .errors import GraphFreedError, SavedArrayChangedError
from .node import Node, describe, freed, next_number
from .source import decode

Change = tuple[int, CodeType | None, int]  # its number, and the place in the user's code

# id of the array that owns the memory -> (weak reference to it, its last change)
_changes: dict[int, tuple[Any, Change]] = {}
_last = 0
_lock = threading.Lock()


def owner(array: Any) -> Any:
    """The array that owns the memory which `array` looks at."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def mark_changed(array: Any, node: Node | None, place: tuple[CodeType | None, int], replaced: bool = False) -> None:
    """Note that `array`, the data of a Tensor, is being written to, or replaced by another one.

    place: where in the user's code, from `caller()`.
    """
    global _last
    with _lock:  # _last must not go back when two threads change something at once
        _last = number = next_number()
    if node is not None:
        node.changed = (number, *place)
    if isinstance(array, np.ndarray) and not (replaced and node is not None):
        root = owner(array)
        key = id(root)
        _changes[key] = (weakref.ref(root, lambda _: _changes.pop(key, None)), (number, *place))


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
    for name, made_by, value in _origins(node):
        change = _later(made_by.changed if isinstance(made_by, Node) else None, change_of(value))
        if change is not None and change[0] > node.number:
            at = decode(*change[1:])
            raise SavedArrayChangedError(
                f"{describe(node)} saved its {'result' if name == 'y' else 'input'} {name!r} of shape "
                f"{np.shape(value)} for backward, and it was changed since{f' at {at}' if at else ''}. "
                "Call backward() before you change it, or change a copy: a new Tensor(t.data + ...)."
            )


def _origins(node: Node) -> Iterator[tuple[str, Any, Any]]:
    """(name, node that the value came from, value) of everything that was saved, tuples taken apart."""
    assert node.op is not None
    for name, value in node.values().items():
        if name == "xs":
            yield from ((name, n, v) for n, v in zip(node.inputs, value, strict=True))
        elif isinstance(value, tuple):  # y, where there are several results
            yield from ((name, None, v) for v in value)
        else:
            yield name, node if name == "y" else node.op.input_named(name, node), value


def change_of(value: Any) -> Change | None:
    """The last change of the memory that a saved array looks at."""
    root = owner(value)
    reference, change = _changes.get(id(root), (None, None))
    return change if reference is not None and reference() is root else None


def _later(a: Change | None, b: Change | None) -> Change | None:
    return max((c for c in (a, b) if c is not None), key=itemgetter(0), default=None)
