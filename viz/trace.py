"""The one record that every view draws from: a graph, and the backward pass over it, as plain data.

`graph(y)` reads what is there (operations, leaves, constants; values and gradients as far as they exist) and works on
any graph, also after `backward()` has freed it. `trace(y)` adds the steps of a backward pass, which it runs on the
side: no `.grad` changes and nothing is freed. Views read these records and never the engine, so that a record may as
well come from a file.

None always means "not known" or "not computed", never zero.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from operator import mul
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import GraphFreedError
from autograd.guard import check_usable
from autograd.node import Node
from autograd.source import Source
from autograd.sweep import cotangent_of, guarded, pullback, reachable

OP, LEAF, CONSTANT = "op", "leaf", "constant"


@dataclass(frozen=True, slots=True)
class Vertex:
    """One operation, leaf or constant. `id` is its place in `Graph.vertices`; inputs come before what uses them."""

    id: int
    kind: str
    op: str = ""
    name: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    value: Any = None
    gradient: Any = None
    arguments: dict[str, Any] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    source: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """Vertex `source` is input number `slot` of vertex `target`, whose rules call it `name`."""

    source: int
    target: int
    slot: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything below one result, which is the last vertex."""

    vertices: list[Vertex]
    edges: list[Edge]

    @property
    def root(self) -> Vertex:
        return self.vertices[-1]

    def inputs(self) -> list[list[Edge]]:
        """The edges into each vertex, by slot."""
        found: list[list[Edge]] = [[] for _ in self.vertices]
        for edge in sorted(self.edges, key=lambda edge: (edge.target, edge.slot)):
            found[edge.target].append(edge)
        return found


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one step of the backward pass adds to the gradient of one input.

    `rule` is the derivative rule in symbols, `names` what its names stand for. `spread` is the rule's value before the
    sum over `axes`, the axes along which the input was broadcast; `value` is what is added. The input's gradient grows
    from `before` (None: nothing yet) to `after`, at use number `use` of `uses`.
    """

    slot: int
    target: int
    rule: str
    names: dict[str, Any]
    spread: Any
    axes: tuple[int, ...]
    value: Any
    before: Any
    after: Any
    use: int
    uses: int


@dataclass(frozen=True, slots=True)
class Step:
    """The backward pass through one operation: the gradient of its result, and what its inputs get."""

    vertex: int
    incoming: Any
    contributions: list[Contribution]


@dataclass(frozen=True, slots=True)
class Trace:
    """A graph with the steps of its backward pass, in the order in which they run."""

    graph: Graph
    steps: list[Step]


def graph(y: Tensor) -> Graph:
    """Read the graph below `y`. Arrays are referred to, not copied."""
    return _read(y)[0]


def trace(y: Tensor, grad: Any = None) -> Trace:
    """Read the graph below `y` and follow a backward pass through it, from `grad` or, for a scalar, from 1.

    Raises what `y.backward(grad)` would raise; on a freed graph, a GraphFreedError that says when to call this.
    """
    found, ids = _read(y)
    nodes = reachable([_node(y)])
    try:
        check_usable(nodes)
    except GraphFreedError as error:
        raise GraphFreedError(
            "backward() has freed this graph, so its steps are gone: "
            "call this before backward(), or use backward(retain_graph=True)"
        ) from error
    ledger = Ledger(found)
    steps = []
    times: Any = mul
    with np.errstate(all="ignore"):  # the forward pass has warned already
        for node, g, contributions in pullback(nodes, {nodes[-1]: cotangent_of(y, grad)}):
            step = Step(ids[node], _plain(g), [])
            for slot, value in contributions:
                spread = _spread(node, slot, g, value, times)
                step.contributions.append(ledger.add(node, slot, ids[node.inputs[slot]], g, spread, value))
            steps.append(step)
            times = guarded if node.op and node.op.selects else times  # as the sweep does
    return Trace(found, steps)


class Ledger:
    """Adds up what arrives at each vertex, as the backward pass does."""

    def __init__(self, graph: Graph):
        self.uses = Counter(edge.source for edge in graph.edges)
        self.used: Counter[int] = Counter()
        self.totals: dict[int, Any] = {}

    def add(self, node: Node, slot: int, target: int, g: Any, spread: Any, value: Any) -> Contribution:
        assert node.op is not None
        before = self.totals.get(target)
        self.totals[target] = after = value if before is None else before + value
        self.used[target] += 1
        return Contribution(
            slot,
            target,
            node.op.formula(slot, node),
            {**node.kwargs, **node.values(), "g": _plain(g), "i": slot},
            _plain(spread),
            _summed_axes(np.shape(spread), np.shape(value)) if spread is not value else (),
            _plain(value),
            _plain(before),
            _plain(after),
            self.used[target],
            self.uses[target],
        )


def _node(y: Tensor) -> Node:
    if not isinstance(y, Tensor):
        raise TypeError(f"viz shows the graph of a Tensor, not of {type(y).__name__}")
    if y.node is None:
        raise ValueError(
            "there is no graph to show: nothing was recorded for this Tensor. "
            "Compute it, outside no_grad(), from a Tensor made with requires_grad=True."
        )
    return y.node


def _read(y: Tensor) -> tuple[Graph, dict[Node, int]]:
    """The graph, and the id of each Node's vertex."""
    root = _node(y)
    nodes = reachable([root])
    known = _known_values(nodes)
    known.setdefault((root, None), y.data)
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
                vertices.append(_constant(len(vertices), value))
        ids[node] = len(vertices)
        vertices.append(_vertex(len(vertices), node, known.get((node, None)), node in inner))
        names = _input_names(node)
        edges += [Edge(source, ids[node], slot, names[slot]) for slot, source in enumerate(sources)]
    return Graph(vertices, edges), ids


def _known_values(nodes: list[Node]) -> dict[tuple[Node, int | None], Any]:
    """The arrays that the graph holds: (node, None) for the value of a node, (node, slot) for a constant input."""
    known: dict[tuple[Node, int | None], Any] = {}
    first = next((node for node in nodes if node.op is not None), nodes[-1])
    for node in nodes:
        value = node.known_value()
        if value is not None and not _changed_since(node, first):
            known[node, None] = value
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
    return known


def _changed_since(source: Node, node: Node) -> bool:
    return source.changed is not None and source.changed[0] > node.number


def _named_inputs(node: Node, saved: dict[str, Any]) -> list[tuple[int, Any, Any]]:
    """(slot, input, saved array) for each input whose array the node has saved."""
    if node.op is None:
        return []
    if "xs" in saved:
        return list(zip(range(len(node.inputs)), node.inputs, saved["xs"], strict=True))
    return [(k, node.inputs[k], saved[name]) for k, name in enumerate(_input_names(node)) if name in saved]


def _input_names(node: Node) -> tuple[str, ...]:
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
    source = node.source
    target, code = _described(source) if source else ("", "")
    target = "" if inner else target
    return Vertex(
        number,
        LEAF if node.op is None else OP,
        node.op.name if node.op else "",
        node.name or target,
        None if isinstance(node.dtype, tuple) else node.shape,  # an operation with several results
        "" if isinstance(node.dtype, tuple) else str(node.dtype),
        value,
        node.grad,
        _arguments(node),
        node.scope,
        str(source or ""),
        code,
    )


@lru_cache(maxsize=4096)
def _described(source: Source) -> tuple[str, str]:
    """The variable and the code of a place, which a loop visits often."""
    return source.target or "", source.text


def _arguments(node: Node) -> dict[str, Any]:
    """The static arguments that the user gave."""
    if node.op is None:
        return {}
    usual = node.op.defaults
    return {k: v for k, v in node.kwargs.items() if v is not None and not (k in usual and usual[k] is v)}


def _constant(number: int, value: Any) -> Vertex:
    if value is None:
        return Vertex(number, CONSTANT)
    array = np.asarray(value)
    return Vertex(number, CONSTANT, shape=array.shape, dtype=str(array.dtype), value=value)


def _spread(node: Node, slot: int, g: Any, value: Any, times: Any) -> Any:
    """The value of a rule as it is, where the engine summed it to get `value`."""
    if node.plan is None or node.shape == np.shape(value):
        return value
    spread = dict(node.plan.pulls)[slot](g, node.saved, node.kwargs, times)
    return spread if np.size(spread) > np.size(value) else value


def _summed_axes(full: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of `full` that a sum must remove or shrink to 1 to reach `shape`."""
    missing = len(full) - len(shape)
    return (*range(missing), *(missing + i for i, n in enumerate(shape) if full[missing + i] != n))


def _plain(g: Any) -> Any:
    """A gradient as arrays: several results of one operation have a tuple of them."""
    return g if g is None or isinstance(g, np.ndarray | np.generic) else tuple(g)
