"""From Nodes to a `Graph`: what was computed, and the values and gradients as far as they are known.

Works on any graph, also after `backward()` has freed it. Arrays are referred to, not copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.batched import Batched
from autograd.errors import GraphFreedError
from autograd.guard import change_of
from autograd.node import Node
from autograd.sweep import reachable
from viz.texts.text import values
from viz.tracing.code import described, operand
from viz.tracing.model import CONSTANT, LEAF, OP, Edge, Graph, Vertex
from viz.tracing.tape import Kept

Known = dict[tuple[Node, int | None], Any]  # (node, None): its value; (node, slot): that of a constant input


def root_of(y: Tensor) -> Node:
    """The node of a Tensor. Raises TypeError or ValueError where there is nothing to show."""
    if isinstance(y, Batched) or (isinstance(y, Tensor) and isinstance(y._array, Batched)):
        raise TypeError("inside vmap() no example has a graph of its own: call this on what vmap() returns")
    if not isinstance(y, Tensor):
        raise TypeError(f"viz shows the graph of a Tensor, a Trace or a Tape, not of {type(y).__name__}")
    if y.node is None:
        raise ValueError(
            "there is no graph to show: nothing was recorded for this Tensor. "
            "Compute it, outside no_grad(), from a Tensor made with requires_grad=True."
        )
    return y.node


def graph(y: Tensor) -> Graph:
    """Read the graph below `y`."""
    nodes = reachable([root_of(y)])
    return read(nodes, known_values(y, nodes))[0]


def read(nodes: list[Node], known: Known) -> tuple[Graph, dict[Node, int]]:
    """The graph of these nodes, oldest first, and the id of each Node's vertex."""
    ids: dict[Node, int] = {}
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    inner = _inside_calls(nodes)
    for node in nodes:
        sources = []
        for slot, source in enumerate(node.inputs):
            if isinstance(source, Node):
                sources.append(ids[source])
            else:
                sources.append(len(vertices))
                value = known.get((node, slot)) if source is None else source
                vertices.append(_constant(len(vertices), value, operand(node, slot)))
        ids[node] = len(vertices)
        vertices.append(_vertex(len(vertices), node, known.get((node, None)), node in inner))
        names = input_names(node)
        edges += [Edge(source, ids[node], slot, names[slot]) for slot, source in enumerate(sources)]
    return Graph(vertices, edges), ids


def known_values(y: Tensor, nodes: list[Node]) -> Known:
    """The arrays that the graph of `y` holds, or that a tape has kept, where they are still what they were."""
    known: Known = {}
    uses = _uses(nodes)
    for node in nodes:
        if isinstance(node.value, Kept):
            _kept(node, node.value, known)
            continue
        first, _ = uses.get(node, (node.number, node.number))
        value = node.known_value()
        if value is not None and not _changed(value, first, node):
            known.setdefault((node, None), value)
        try:
            saved = node.values()
        except GraphFreedError:
            continue
        for slot, source, value in _named_inputs(node, saved):
            if not isinstance(source, Node):
                known[node, slot] = value
            elif not _changed(value, node.number, source):
                known.setdefault((source, None), value)
        if "y" in saved and not _changed(saved["y"], node.number, node):
            known[node, None] = saved["y"]
    if not _changed(y._array, nodes[-1].number, nodes[-1]):
        known.setdefault((nodes[-1], None), y._array)
    for node, (first, last) in uses.items():
        if node.changed is not None and first < node.changed[0] < last:
            known.pop((node, None), None)  # it was one array at one use and another one at the next
    return known


def _uses(nodes: list[Node]) -> dict[Node, tuple[int, int]]:
    """The numbers of the first and the last node that each node is an input of."""
    found: dict[Node, tuple[int, int]] = {}
    for node in nodes:
        for source in node.inputs:
            if isinstance(source, Node):
                found[source] = (found[source][0] if source in found else node.number, node.number)
    return found


def _kept(node: Node, kept: Kept, known: Known) -> None:
    """What a tape keeps is the very array of that time, unless it was written into."""
    if not _changed(kept.result, node.number):
        known[node, None] = kept.result
    for slot, (source, value) in enumerate(zip(node.inputs, kept.inputs or (), strict=False)):
        if value is not None and not _changed(value, node.number):
            known.setdefault((source, None) if isinstance(source, Node) else (node, slot), value)


def _changed(value: Any, number: int, holder: Node | None = None) -> bool:
    """True if an array, or that of its holder, was changed after the node of this number was recorded."""
    changes = (change_of(value), holder.changed if holder is not None else None)
    return any(change is not None and change[0] > number for change in changes)


def _named_inputs(node: Node, saved: dict[str, Any]) -> list[tuple[int, Any, Any]]:
    """(slot, input, saved array) for each input whose array the node has saved."""
    if node.op is None:
        return []
    if "xs" in saved:
        return list(zip(range(len(node.inputs)), node.inputs, saved["xs"], strict=True))
    return [(k, node.inputs[k], saved[name]) for k, name in enumerate(input_names(node)) if name in saved]


def input_names(node: Node) -> tuple[str, ...]:
    """What the rules of the node call its inputs."""
    if node.op is None or len(node.op.names) == len(node.inputs):
        return () if node.op is None else node.op.names
    return ("",) * len(node.inputs)  # an operation on any number of inputs


def _inside_calls(nodes: list[Node]) -> set[Node]:
    """The nodes that a module recorded on the way to its result: of `h = model(x)` only the last one is h."""
    return {
        n
        for node in nodes
        for n in node.inputs
        if isinstance(n, Node) and n.scope and (n.code, n.lasti) == (node.code, node.lasti)
    }


def _vertex(number: int, node: Node, value: Any, inner: bool) -> Vertex:
    target, code, place = described(node.code, node.lasti)
    several = isinstance(node.dtype, tuple)
    return Vertex(
        number,
        LEAF if node.op is None else OP,
        node.op.name if node.op else "",
        node.name or ("" if inner else target),
        None if several else node.shape,
        "" if several else str(node.dtype),
        value,
        node.grad,
        _arguments(node),
        node.scope,
        place,
        code,
    )


def _arguments(node: Node) -> dict[str, str]:
    """The static arguments that the user gave, as text."""
    if node.op is None or not node.kwargs:
        return {}
    usual, kwargs = node.op.defaults, node.kwargs
    if node.op.kind == "part":  # the rest is what the call with several results is known by
        kwargs = {"index": kwargs["index"]}
    given = {k: v for k, v in kwargs.items() if v is not None and not (k in usual and usual[k] is v)}
    return {k: values(repr(v) if isinstance(v, str) else v) for k, v in given.items()}


def _constant(number: int, value: Any, name: str) -> Vertex:
    if value is None:
        return Vertex(number, CONSTANT, name=name)
    array = np.asarray(value)
    return Vertex(number, CONSTANT, name=name, shape=array.shape, dtype=str(array.dtype), value=array)
