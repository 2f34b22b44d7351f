"""Take a `Trace`: the graph below a Tensor and a backward pass through it, as plain data.

The backward pass runs on the side, on the sweep that `backward()` itself runs: no `.grad` changes, nothing is freed.
"""

from __future__ import annotations

import re
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
from autograd.sweep import cotangent_of, guarded, pullback, reachable
from viz.texts.text import values
from viz.tracing.budget import BUDGET, Steps, within_budget
from viz.tracing.model import Backward, Contribution, Graph, Part, Trace, Update
from viz.tracing.nudging import nudges
from viz.tracing.probing import probes
from viz.tracing.reading import described, graph, known_values, read, root_of
from viz.tracing.replay import fill_in
from viz.tracing.tape import Tape, tape_of

TRANSPOSED = re.compile(r"\btranspose\((\w+)\)")


def trace(y: Tensor | Trace | Tape, grad: Any = None, *, budget: int = BUDGET) -> Trace:
    """The record of the graph below `y` and of a backward pass from `grad` or, for a scalar, from 1.

    Values are copied, the smallest first, until there are `budget` numbers; of larger arrays there is a summary. What
    was recorded inside `viz.record()` brings the updates that followed its `backward()` too. A Trace is given back as
    it is, a Tape gives its last one.
    Raises what `y.backward(grad)` would raise; on a freed graph, a GraphFreedError that says when to call this.
    """
    if isinstance(y, Trace):
        return y
    if isinstance(y, Tape):
        if not y.traces:
            raise ValueError("this tape has no trace yet: call backward() inside the viz.record() block")
        return y.traces[-1]
    node = root_of(y)
    tape = tape_of(node)
    taken = tape.trace_of(node) if tape is not None and grad is None else None
    return taken or take(y, grad, budget)[0]


def shown(y: Tensor | Trace | Tape) -> Graph:
    """The graph that a picture shows: of a Tensor as it is now, of a Trace with the gradients that it ends with."""
    if isinstance(y, Tensor):
        return graph(y)
    record = trace(y)
    last: dict[int, Any] = {step.vertex: step.incoming for step in record.backward}
    last |= {c.target: c.after for step in record.backward for c in step.contributions}
    vertices = [replace(v, gradient=last.get(v.id)) if v.gradient is None else v for v in record.graph.vertices]
    return Graph(vertices, record.graph.edges)


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
    known = known_values(y, nodes)
    fill_in(nodes, known)
    found, ids = read(nodes, known)
    ledger = Ledger(found)
    steps = Steps(budget)
    times: Any = mul
    start = cotangent_of(y, grad)
    token = MODE.set(MODE.get().unwatched())
    try:
        with np.errstate(all="ignore"):  # the forward pass has warned already
            for node, g, contributions in pullback(nodes, {nodes[-1]: start}):
                step = Backward(ids[node], _plain(g), [])
                for slot, value in contributions:
                    step.contributions.append(ledger.add(node, slot, ids[node.inputs[slot]], g, value, times))
                steps.append(step)
                times = guarded if node.op and node.op.selects else times  # as the sweep does
            record = Trace(found, list(steps), [], nudges(nodes, ids, known))
    finally:
        MODE.reset(token)
    return within_budget(record, budget), ids


def update(vertex: int, before: Any, after: Any, place: Any) -> Update:
    """An update step, with copies of the arrays."""
    _, code, source = described(*place)
    return within_budget(Update(vertex, before, after, source, code))


class Ledger:
    """Adds up what arrives at each vertex, as the backward pass does."""

    def __init__(self, graph: Graph):
        self.uses = Counter(edge.source for edge in graph.edges)
        self.used: Counter[int] = Counter()
        self.totals: dict[int, Any] = {}

    def add(self, node: Node, slot: int, target: int, g: Any, value: Any, times: Any) -> Contribution:
        op = node.op
        assert op is not None
        before = self.totals.get(target)
        self.totals[target] = after = value if before is None else before + value
        self.used[target] += 1
        rule = op.formula(slot, node)
        names = {**node.kwargs, **node.values(), "g": g, "i": slot}
        return Contribution(
            slot,
            target,
            rule,
            {name: _named(names[name]) for name in sorted(set(re.findall(r"\w+", rule)) & names.keys())},
            _parts(node, slot, rule, names, g, value, times),
            _plain(before),
            _plain(after),
            self.used[target],
            self.uses[target],
            _local(node, slot, g, times),
            probes(node, slot, g, value),
        )


def _parts(node: Node, slot: int, rule: str, names: dict[str, Any], g: Any, value: Any, times: Any) -> list[Part]:
    """Transposes first, then the rule, then the sum over the axes along which the input was broadcast."""
    found = [
        Part("transpose", f"transpose({name})", names[name].mT)
        for name in dict.fromkeys(TRANSPOSED.findall(rule))
        if getattr(names.get(name), "ndim", 0) > 1
    ]
    spread = _spread(node, slot, g, value, times)
    found.append(Part("rule", rule, _plain(spread)))
    if spread is not value:
        axes = _summed_axes(np.shape(spread), np.shape(value))
        found.append(Part("sum", f"sum over {'axis' if len(axes) == 1 else 'axes'} {_listed(axes)}", value, axes))
    return found


def _listed(axes: tuple[int, ...]) -> str:
    return ", ".join(map(str, axes))


def _local(node: Node, slot: int, g: Any, times: Any) -> Any:
    """The derivative that g is multiplied by, of an elementwise operation."""
    assert node.op is not None and node.plan is not None
    if node.op.kind != "elementwise":
        return None
    return dict(node.plan.pulls)[slot](np.ones_like(g), node.saved, node.kwargs, mul)


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


def _named(value: Any) -> Any:
    """What a name in a rule stands for: an array, or text."""
    value = _plain(value) if hasattr(value, "parts") else value
    if isinstance(value, np.ndarray | np.generic | float) and np.asarray(value).dtype.kind in "biufc":
        return np.asarray(value)
    return value if isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value) else values(value)
