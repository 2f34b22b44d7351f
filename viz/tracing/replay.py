"""Compute recorded operations again: to fill in values that the graph has not kept, and to see what a change does.

A node tells its operation and its static arguments; with the values of its inputs that is a whole computation. Custom
operations are left alone, because running the user's function again may do more than compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.node import Node
from viz.tracing.reading import Known


def fill_in(nodes: list[Node], known: Known) -> None:
    """Add to `known` the values of nodes, oldest first, as far as their inputs are known."""
    with np.errstate(all="ignore"):  # the forward pass has warned already
        for node in nodes:
            if node.op is not None and known.get((node, None)) is None:
                value = computed(node, known)
                if value is not None:
                    known[node, None] = value


def computed(node: Node, known: Known) -> Any:
    """The value of a node from those of its inputs; None where one is missing."""
    op = node.op
    if op is None or op.kind == "custom":
        return None
    inputs = inputs_of(node, known)
    if inputs is None:
        return None
    y = op.forward(*inputs, **node.kwargs)
    return _as_arrays(y[0] if op.residuals else y)


def inputs_of(node: Node, known: Known) -> list[Any] | None:
    """The values of the inputs of a node; None where one is missing."""
    inputs = []
    for slot, source in enumerate(node.inputs):
        key = (source, None) if isinstance(source, Node) else (node, slot)
        value = known.get(key) if isinstance(source, Node) or source is None else source
        if value is None:
            return None
        inputs.append(value)
    return inputs


def below(node: Node, nodes: list[Node]) -> list[Node]:
    """The nodes whose values depend on that of a node, oldest first as `nodes` are."""
    moving, found = {node}, []
    for other in nodes:
        if any(source in moving for source in other.inputs if isinstance(source, Node)):
            moving.add(other)
            found.append(other)
    return found


def _as_arrays(y: Any) -> Any:
    """What a forward function returned: one of the user's may return Python numbers, or a list of results."""
    if isinstance(y, tuple | list):
        return tuple(map(_as_arrays, y))
    return y if hasattr(y, "dtype") else np.asarray(y)


def size_of(value: Any) -> int:
    """How many numbers a value holds."""
    return sum(map(size_of, value)) if isinstance(value, tuple) else int(np.size(value))
