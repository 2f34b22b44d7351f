"""What the names in a rule's text stand for, as far as that is known without computing the rule."""

from __future__ import annotations

import inspect
import re
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.node import Node
from autograd.ops.fused import rows
from autograd.ops.reduce import count, kept
from viz.texts.text import values
from viz.tracing.reading import Known, input_names

# numbers that texts beside a rule speak of: name -> (operations, what it is in terms of x, y and the static arguments)
COUNTED: dict[str, tuple[set[str], Any]] = {
    "n": ({"mean", "var", "std"}, lambda x, y, kwargs: count(x.shape, kwargs.get("axis"))),
    "N": ({"softmax_cross_entropy"}, lambda x, y, kwargs: rows(x)),
    "ties": (
        {"max", "min", "nanmax", "nanmin"},
        lambda x, y, kwargs: np.sum(x == kept(y, x.shape, kwargs.get("axis")), axis=kwargs.get("axis"), keepdims=True),
    ),
}


def names_in(rule: str, node: Node, slot: int, g: Any, known: Known) -> dict[str, Any]:
    """{name: its array, its arrays, or its value as text} for the names in `rule` that are known."""
    found = {}
    for name in _words(rule):
        value = _meaning(name, node, slot, g, known)
        if value is not None:
            found[name] = _shown(value)
    return found


@lru_cache(maxsize=4096)
def _words(rule: str) -> list[str]:
    return sorted({word for word in re.findall(r"\w+", rule) if word.isidentifier()})


def _meaning(name: str, node: Node, slot: int, g: Any, known: Known) -> Any:
    op = node.op
    assert op is not None and node.plan is not None and node.saved is not None
    if name == "g":
        return g
    if name in node.plan.names:
        return node.saved[node.plan.names.index(name)]
    if name in node.kwargs:
        return node.kwargs[name]
    if name == "y":
        return known.get((node, None))
    if name == "i":
        return slot
    inputs = input_names(node)
    if name in inputs:
        return _input(node, inputs.index(name), known)
    if name.removesuffix("_shape") in inputs:
        return _shape(node, inputs.index(name.removesuffix("_shape")), known)
    if name in COUNTED and op.name in COUNTED[name][0]:
        x, y = _input(node, 0, known), known.get((node, None))
        return None if x is None or y is None else COUNTED[name][1](x, y, node.kwargs)
    default = op.needs_of(slot).get(name)
    return None if default is inspect.Parameter.empty else default


def _input(node: Node, slot: int, known: Known) -> Any:
    source = node.inputs[slot]
    if source is None:
        return known.get((node, slot))
    return known.get((source, None)) if isinstance(source, Node) else source


def _shape(node: Node, slot: int, known: Known) -> Any:
    source, value = node.inputs[slot], _input(node, slot, known)
    return source.shape if isinstance(source, Node) else None if value is None else np.shape(value)


def _shown(value: Any) -> Any:
    """What a name stands for, as a record keeps it: an array, arrays, or text."""
    if hasattr(value, "parts"):  # the cotangents of an operation with several results
        return tuple(value)
    if isinstance(value, np.ndarray | np.generic | float) and np.asarray(value).dtype.kind in "biufc":
        return np.asarray(value)
    return value if isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value) else values(value)
