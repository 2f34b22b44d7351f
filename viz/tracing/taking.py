"""Take a `Trace`: the graph below a Tensor and a backward pass through it, as plain data.

The backward pass runs on the side, on the sweep that `backward()` itself runs: no `.grad` changes, nothing is freed.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from dataclasses import replace
from operator import mul
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import GraphFreedError
from autograd.guard import check_usable
from autograd.modes import MODE
from autograd.node import Node
from autograd.source import decode
from autograd.sweep import cotangent_of, forget_shared, guarded, pullback, reachable, unless_dead
from viz.tracing.budget import BUDGET, Steps, within_budget
from viz.tracing.code import described
from viz.tracing.holding import added
from viz.tracing.model import LEAF, Backward, Contribution, Graph, Part, Summary, Trace, Update, Vertex
from viz.tracing.names import names_in
from viz.tracing.nudging import nudges
from viz.tracing.probing import Live, add_probes
from viz.tracing.reading import Known, graph, known_values, read, root_of
from viz.tracing.replay import fill_in
from viz.tracing.tape import Tape, trace_on_tape

HELD = 10_000_000  # numbers of contributions that are held until the end, to be probed
TRANSPOSED = re.compile(r"\btranspose\((\w+)\)")


def trace(y: Tensor | Trace | Tape, grad: Any = None, *, budget: int = BUDGET) -> Trace:
    """The record of the graph below `y` and of a backward pass from `grad` or, for a scalar, from 1.

    Values are copied, the smallest first, until there are `budget` numbers; of larger arrays there is a summary. What
    was recorded inside `viz.record()` brings the updates that followed its `backward()` too. A Trace is given back as
    it is, a Tape gives its last one. After `y.backward(retain_graph=True)` the steps are those of that pass.
    Raises what `y.backward(grad)` would raise; on a freed graph, a GraphFreedError that says when to call this.
    """
    if isinstance(y, Trace):
        return y
    if isinstance(y, Tape):
        if not y.traces:
            raise ValueError("this tape has no trace yet: call backward() inside the viz.record() block")
        return y.traces[-1]
    taken = trace_on_tape(root_of(y)) if grad is None else None
    return taken or _from_nothing(take(y, grad, budget)[0])


def _from_nothing(record: Trace) -> Trace:
    """The same record, where `.grad` of every leaf holds just what this pass gives: `backward()` has run already.

    So after `y.backward(retain_graph=True)` the steps are those of that pass, and not of a second one on top.
    """
    last = {c.target: c.after for step in record.backward for c in step.contributions}
    leaves = [v for v in record.graph.vertices if v.kind == LEAF and v.id in last]
    if not leaves or not all(_same(v.gradient, last[v.id]) for v in leaves):
        return record
    vertices = [replace(v, gradient=None) if v.kind == LEAF else v for v in record.graph.vertices]
    return replace(record, graph=Graph(vertices, record.graph.edges))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Summary) and isinstance(b, Summary):
        return a.cells == b.cells and a.norm == b.norm
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b, equal_nan=True)


def shown(y: Tensor | Trace | Tape) -> Graph:
    """The graph that a picture shows: of a Tensor as it is now, of a Trace with the gradients that it ends with."""
    if isinstance(y, Tensor):
        return graph(y)
    record = trace(y)
    last: dict[int, Any] = {step.vertex: step.incoming for step in record.backward}
    last |= {c.target: c.after for step in record.backward for c in step.contributions}
    vertices = [_ended(vertex, last.get(vertex.id)) for vertex in record.graph.vertices]
    return Graph(vertices, record.graph.edges)


def _ended(vertex: Vertex, gradient: Any) -> Vertex:
    """A vertex with the `.grad` that the pass leaves: what it held, and what the pass adds."""
    if gradient is None:
        return vertex
    return replace(vertex, gradient=gradient if vertex.gradient is None else added(vertex.gradient, gradient))


def take(y: Tensor, grad: Any = None, budget: int = BUDGET) -> tuple[Trace, dict[Node, int]]:
    """The trace, and the id of each Node's vertex."""
    nodes = reachable([root_of(y)])
    try:
        check_usable(nodes)
    except GraphFreedError as error:
        raise GraphFreedError(
            "backward() has freed this graph, so its steps are gone: call this before backward(), "
            "use backward(retain_graph=True), or run everything inside `with viz.record():`"
        ) from error
    start = cotangent_of(y, grad._array if isinstance(grad, Tensor) else grad)
    token = MODE.set(MODE.get().unwatched())
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the forward pass has warned already
            return _take(y, nodes, start, budget)
    finally:
        MODE.reset(token)


def _take(y: Tensor, nodes: list[Node], start: Any, budget: int) -> tuple[Trace, dict[Node, int]]:
    known = known_values(y, nodes)
    fill_in(nodes, known)
    found, ids = read(nodes, known)
    ledger = Ledger(known, _uses(nodes, ids))
    steps = Steps(budget)
    times: Any = mul
    for node, g, contributions in pullback(nodes, {nodes[-1]: start}):
        step = Backward(ids[node], _plain(g), [])
        for slot, value in contributions:
            step.contributions.append(ledger.add(node, slot, ids[node.inputs[slot]], g, value, times))
        steps.append(step)
        times = guarded if node.op and node.op.selects else times  # as the sweep does
    record = within_budget(Trace(found, list(steps)), budget)
    add_probes(record, ledger.live)
    if np.array_equal(start, np.ones_like(y._array)):  # else the gradients are not those of the result itself
        record.nudges.extend(nudges(nodes, ids, known, ledger.totals))
    return record, ids


def update(vertex: int, before: Any, after: Any, place: Any) -> Update:
    """An update step, with copies of the arrays and the whole line of code."""
    where = decode(*place)
    line = replace(where, column=0, end_column=sys.maxsize).text if where is not None else ""
    return within_budget(Update(vertex, before, after, described(*place)[2], line))


def _uses(nodes: list[Node], ids: dict[Node, int]) -> Counter[int]:
    """How many contributions will arrive at each vertex: an input without a derivative rule gets none."""
    found: Counter[int] = Counter()
    reached = {nodes[-1]}
    for node in reversed(nodes):
        if node in reached and node.plan is not None:
            sources = [node.inputs[slot] for slot, _ in node.plan.pulls]
            found.update(ids[source] for source in sources)
            reached.update(sources)
    return found


class Ledger:
    """Adds up what arrives at each vertex, as the backward pass does."""

    def __init__(self, known: Known, uses: Counter[int]):
        self.known = known
        self.uses = uses
        self.used: Counter[int] = Counter()
        self.totals: dict[int, Any] = {}
        self.live: list[Live | None] = []
        self.room = HELD

    def add(self, node: Node, slot: int, target: int, g: Any, value: Any, times: Any) -> Contribution:
        op = node.op
        assert op is not None
        before = self.totals.get(target)
        self.totals[target] = after = value if before is None else before + value
        self.used[target] += 1
        self.room -= np.size(value)
        self.live.append(Live(node, slot, g, value) if self.room > 0 else None)
        rule = op.formula(slot, node)
        names = names_in(rule, node, slot, g, self.known)
        spread, axes = _spread(node, slot, g, value, times)
        parts = [*_transposes(rule, names), Part("rule", rule, _plain(spread))]
        if axes:
            over = f"sum over {'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"
            parts.append(Part("sum", over, value, axes))
        local = _local(node, slot, g, spread)
        return Contribution(
            slot, target, rule, names, parts, _plain(before), _plain(after), self.used[target], self.uses[target], local
        )  # fmt: skip


def _transposes(rule: str, names: dict[str, Any]) -> list[Part]:
    """The transposes inside a rule; of one that is nothing but a transpose there is nothing to say before it."""
    if "transpose" not in rule or TRANSPOSED.fullmatch(rule):
        return []
    return [
        Part("transpose", f"transpose({name})", names[name].mT)
        for name in dict.fromkeys(TRANSPOSED.findall(rule))
        if getattr(names.get(name), "ndim", 0) > 1
    ]


def _spread(node: Node, slot: int, g: Any, value: Any, times: Any) -> tuple[Any, tuple[int, ...]]:
    """The value of a rule as it is, and the axes over which the engine summed it to get `value`."""
    op = node.op
    assert op is not None
    if not op.broadcasts or op.outputs > 1 or node.shape == np.shape(value):
        return value, ()
    spread = _pulled(node, slot, g, times)
    if times is guarded and op.kind != "elementwise":
        spread = unless_dead(g, spread)
    if np.isrealobj(value):
        spread = np.real(spread)
    full, shape = np.shape(spread), np.shape(value)
    missing = len(full) - len(shape)
    axes = (*range(missing), *(missing + i for i, n in enumerate(shape) if full[missing + i] != n))
    return (spread, axes) if any(full[k] != 1 for k in axes) else (value, ())


def _local(node: Node, slot: int, g: Any, spread: Any) -> Any:
    """The derivative that g is multiplied by element by element, where the rule does so."""
    assert node.op is not None
    if node.op.kind == "elementwise":
        return _pulled(node, slot, np.ones_like(g), mul)
    return np.ones_like(g) if spread is g and isinstance(g, np.ndarray | np.generic) else None


def _pulled(node: Node, slot: int, g: Any, times: Any) -> Any:
    """What the rule makes of g, before it is made to fit the input."""
    assert node.plan is not None
    pulled = dict(node.plan.pulls)[slot](g, node.saved, node.kwargs, times)
    forget_shared(node.saved)
    return pulled


def _plain(g: Any) -> Any:
    """A gradient as arrays: several results of one operation have a tuple of them."""
    return g if g is None or isinstance(g, np.ndarray | np.generic) else tuple(g)
