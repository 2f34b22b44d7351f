"""From Nodes to a `Graph`: what was computed, and the values and gradients as far as they are known.

Works on any graph, also after `backward()` has freed it. Arrays are referred to, not copied.
"""

from __future__ import annotations

import os
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import GraphFreedError
from autograd.node import Node
from autograd.source import decode
from autograd.sweep import reachable
from viz.texts.text import values
from viz.tracing.model import CONSTANT, LEAF, OP, Edge, Graph, Vertex
from viz.tracing.tape import Kept

Known = dict[tuple[Node, int | None], Any]  # (node, None): its value; (node, slot): that of a constant input


def root_of(y: Tensor) -> Node:
    """The node of a Tensor. Raises TypeError or ValueError where there is nothing to show."""
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
                vertices.append(_constant(len(vertices), known.get((node, slot)) if source is None else source))
        ids[node] = len(vertices)
        vertices.append(_vertex(len(vertices), node, known.get((node, None)), node in inner))
        names = input_names(node)
        edges += [Edge(source, ids[node], slot, names[slot]) for slot, source in enumerate(sources)]
    return Graph(vertices, edges), ids


def known_values(y: Tensor, nodes: list[Node]) -> Known:
    """The arrays that the graph of `y` holds, or that a tape has kept."""
    known: Known = {}
    first = next((node for node in nodes if node.op is not None), nodes[-1])
    for node in nodes:
        if isinstance(node.value, Kept):
            _kept(node, node.value, known)
            continue
        value = node.known_value()
        if value is not None and not _changed_since(node, first):
            known.setdefault((node, None), value)
        try:
            saved = node.values()
        except GraphFreedError:
            continue
        for slot, source, value in _named_inputs(node, saved):
            if not isinstance(source, Node):
                known[node, slot] = value
            elif not _changed_since(source, node):
                known.setdefault((source, None), value)
        if "y" in saved and not _changed_since(node, node):
            known[node, None] = saved["y"]
    known.setdefault((nodes[-1], None), y.data)
    return known


def _kept(node: Node, kept: Kept, known: Known) -> None:
    known[node, None] = kept.result
    for slot, (source, value) in enumerate(zip(node.inputs, kept.inputs or (), strict=False)):
        known[(source, None) if isinstance(source, Node) else (node, slot)] = value


def _changed_since(source: Node, node: Node) -> bool:
    return source.changed is not None and source.changed[0] > node.number


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


@lru_cache(maxsize=4096)
def described(code: CodeType | None, lasti: int) -> tuple[str, str, str]:
    """The variable, the code and `file.py:12` of a place, which a loop visits often. Folders are nobody's business."""
    source = decode(code, lasti)
    return (source.target or "", source.text, os.path.basename(str(source))) if source else ("", "", "")


def _arguments(node: Node) -> dict[str, str]:
    """The static arguments that the user gave, as text."""
    if node.op is None or not node.kwargs:
        return {}
    usual = node.op.defaults
    given = {k: v for k, v in node.kwargs.items() if v is not None and not (k in usual and usual[k] is v)}
    return {k: values(repr(v) if isinstance(v, str) else v) for k, v in given.items()}


def _constant(number: int, value: Any) -> Vertex:
    if value is None:
        return Vertex(number, CONSTANT)
    array = np.asarray(value)
    return Vertex(number, CONSTANT, shape=array.shape, dtype=str(array.dtype), value=value)
