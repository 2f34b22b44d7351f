"""Gradients side by side: the engine's, those of finite differences, and a learner's own, with a diagnosis.

The engine's come from the trace. Finite differences compute the recorded graph again, cell by cell, in float64. A
learner's are whatever the learner computed. Where two disagree, the table says where most, and what the numbers look
like: a transpose, a forgotten sum, a missing 1/N. Rows stand in the order in which backprop completes the gradients, so
the first wrong one is where to look first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import GraphFreedError, SavedArrayChangedError
from autograd.guard import check_usable
from autograd.modes import MODE
from autograd.node import Node
from autograd.sweep import cotangent_of, pullback, reachable
from viz.picture.picture import Picture
from viz.study.agreement import APPROXIMATE, NOT_CHECKED, OK, WRONG, Verdict, beside, beside_differences, largest
from viz.study.diagnosis import Case, Diagnosis, diagnose, divisors, first_not_finite, lengths
from viz.study.differences import WORK, Difference, Replay, cells_of, slopes_of
from viz.study.marked import beneath, marked
from viz.study.names import Names
from viz.study.report import as_markdown, as_text, marks, signed
from viz.tracing.model import LEAF, OP, Contribution, Graph, Trace, Vertex
from viz.tracing.reading import known_values, read, root_of
from viz.tracing.taking import trace
from viz.tracing.tape import Tape

CELLS = 64  # cells of one array that finite differences look at
BUDGET = 10_000_000  # numbers in the trace that a check takes
STEPS_LEFT_OUT = 64  # steps of the backward pass that are left out, one after the other, to see what that gives


@dataclass(frozen=True, slots=True)
class Row:
    """The gradients of one vertex. `engine` and `mine` are arrays, or None where there is none.

    `by_differences` is the engine beside finite differences, `by_hand` a learner's gradient beside the engine's; None
    where none was given.
    """

    name: str
    vertex: int
    shape: tuple[int, ...] | None
    dtype: str
    engine: Any
    mine: Any
    differences: list[Difference]
    by_differences: Verdict
    by_hand: Verdict | None = None
    diagnosis: Diagnosis | None = None

    @property
    def slopes(self) -> Any:
        """The gradient by finite differences; None unless they are known at every cell."""
        return slopes_of(self.differences, self.engine)

    @property
    def not_finite(self) -> bool:
        """Whether nan or inf is somewhere in the gradients."""
        return self.diagnosis is not None and self.diagnosis.kind == "not finite"

    @property
    def status(self) -> str:
        """The worse of the two verdicts."""
        found = [verdict.status for verdict in (self.by_differences, self.by_hand) if verdict is not None]
        return next(s for s in (WRONG, APPROXIMATE, OK, NOT_CHECKED) if s in found)


def check(
    y: Tensor | Trace | Tape,
    mine: Mapping[Any, Any] | None = None,
    grad: Any = None,
    *,
    names: Any = None,
    cells: int = CELLS,
    seed: int = 0,
) -> Check:
    """Compare the gradients of `y` by every leaf: engine, finite differences, and `mine` where they are given.

    mine: arrays by the Tensor they are the gradient of, or by its name; intermediate results count too. names: what
    other names mean, a module with `named_parameters()` or a mapping from name to Tensor. grad: where backprop starts,
    1 for a scalar. cells: how many cells of one array finite differences look at, drawn with `seed` from larger ones.
    Finite differences need the graph: of a Trace or a Tape they are "not checked". Raises ValueError for a name that is
    not there or not unique, and what `viz.trace(y)` raises.
    """
    try:
        record, problem = trace(y, grad, budget=BUDGET) if isinstance(y, Tensor) else trace(y), ""
    except SavedArrayChangedError as changed:
        record, problem = _unfinished(y), str(changed)
    return _Checker(y, record, problem, names, grad, cells, seed).run(mine or {})


def _unfinished(y: Any) -> Trace:
    """The record of a graph that backprop cannot go through."""
    nodes = reachable([root_of(y)])
    return Trace(read(nodes, known_values(y, nodes))[0])


@dataclass(frozen=True, slots=True)
class Check:
    """The result of `viz.check`: `rows` in the order in which backprop completes the gradients.

    Prints as a table; `.markdown` is the same for a page; `.draw()` marks the cards of the graph. `problem` is why the
    engine itself gave no gradients, or "".
    """

    record: Trace
    rows: list[Row]
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: no row is, the engine got through, and all its numbers are finite."""
        return not self.problem and self.wrong is None and not any(row.not_finite for row in self.rows)

    @property
    def wrong(self) -> Row | None:
        """The first wrong row: what comes later was computed from it, perhaps."""
        return next((row for row in self.rows if row.status == WRONG), None)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of a name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no row {name!r}; there are {[row.name for row in self.rows]}")

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """The table in Markdown."""
        return as_markdown(self)

    def draw(self) -> Picture:
        """The graph, each checked gradient marked on its card: in words, with a sign."""
        lines = {row.vertex: marks(row) for row in self.rows}
        return marked(filled(self.record), lines, {row.vertex: signed(row.status) for row in self.rows}, self.record)

    def _repr_svg_(self) -> str:
        return self.draw().svg

    def _repr_html_(self) -> str:
        return beneath(self.draw(), str(self))


class _Checker:
    def __init__(self, y: Any, record: Trace, problem: str, names: Any, grad: Any, cells: int, seed: int):
        self.record, self.problem, self.cells, self.seed = record, problem, cells, seed
        self.names = Names(record.graph)
        self.nodes: dict[int, Node] = {}
        self.replay: Replay | None = None
        if isinstance(y, Tensor):
            nodes = reachable([root_of(y)])
            self.nodes = {k: node for node, k in read(nodes, known_values(y, nodes))[1].items()}
            self.replay = Replay(y, cotangent_of(y, grad))
        self.engine = gradients_of(record)
        given = names.named_parameters() if hasattr(names, "named_parameters") else dict(names or {}).items()
        self.given_names = dict(given)

    def run(self, mine: Mapping[Any, Any]) -> Check:
        by_vertex = self._resolved(mine)
        wanted = {v.id for v in self.record.graph.vertices if v.kind == LEAF} | by_vertex.keys()
        order = sorted(wanted, key=lambda id: self._completed.get(id, -1))
        effort = max(1, WORK // (4 * max(1, len(order)) * max(1, len(self.nodes))))
        rows = [self._row(self.record.graph.vertices[id], by_vertex, min(self.cells, effort)) for id in order]
        return Check(self.record, rows, self.problem)

    # ---- whose gradient it is ----

    def _resolved(self, mine: Mapping[Any, Any]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for key, array in mine.items():
            id = self._vertex(key)
            if id in found:
                raise ValueError(f"two of the gradients in `mine` are for {self._label(id)!r}")
            found[id] = array
        return found

    def _vertex(self, key: Any) -> int:
        key = self.given_names.get(key, key) if isinstance(key, str) else key
        if isinstance(key, Tensor):
            return self._vertex_of(key)
        if not isinstance(key, str):
            raise TypeError(f"a key of `mine` is a name or a Tensor, not {type(key).__name__}")
        return self.names.find(key, sorted(self.engine))

    def _vertex_of(self, key: Tensor) -> int:
        for id, node in self.nodes.items():
            if node is key.node:
                return id
        where = "is not in this graph" if self.nodes else "cannot be found in a trace: use its name"
        raise ValueError(f"a Tensor of shape {key.shape} in `mine` {where}")

    def _label(self, id: int) -> str:
        node = self.nodes.get(id)
        for name, tensor in self.given_names.items():
            if node is not None and tensor.node is node:
                return name
        return self.names.of[id]

    # ---- one row ----

    @cached_property
    def _completed(self) -> dict[int, int]:
        """When the gradient of each vertex is complete."""
        steps = (c for step in self.record.backward for c in step.contributions)
        return {c.target: k for k, c in enumerate(steps)}

    @cached_property
    def _contributions(self) -> dict[int, list[Contribution]]:
        found: dict[int, list[Contribution]] = {}
        for step in self.record.backward:
            for c in step.contributions:
                found.setdefault(c.target, []).append(c)
        return found

    def _row(self, v: Vertex, mine: Mapping[int, Any], cells: int) -> Row:
        engine = self.engine.get(v.id)
        differences, why = self._differences(v, cells)
        finite = not isinstance(engine, np.ndarray | np.generic) or bool(np.all(np.isfinite(engine)))
        by_differences = beside_differences(engine, differences, why or (self.problem and "the engine raises"))
        given = by_hand = diagnosis = None
        if v.id in mine:
            given = None if mine[v.id] is None else np.asarray(getattr(mine[v.id], "data", mine[v.id]))
            by_hand = beside(engine, given, self._noise(v.id))
            if by_hand.status != OK:
                diagnosis = self._diagnosis(v, engine, given, by_hand)
        elif not finite:
            diagnosis = self._not_finite()
        elif by_differences.status == WRONG:
            diagnosis = self._engine_diagnosis(engine, slopes_of(differences, engine))
        return Row(
            self._label(v.id),
            v.id,
            v.shape,
            v.dtype,
            engine,
            given,
            differences,
            by_differences,
            by_hand,
            diagnosis,
        )

    def _differences(self, v: Vertex, cells: int) -> tuple[list[Difference], str]:
        if self.replay is None:
            return [], "a trace has no graph to compute again"
        why = "it has several results" if v.shape is None else self.replay.why_not(self.nodes[v.id])
        if why or v.shape is None:
            return [], why
        rng = np.random.default_rng([self.seed, v.id])
        return self.replay.differences(self.nodes[v.id], cells_of(v.shape, cells, rng)), ""

    def _noise(self, id: int) -> float:
        """The size of the numbers that a gradient is the sum of: what rounding is measured by where they cancel."""
        incoming = {step.vertex: step.incoming for step in self.record.backward}
        found = [x for c in self._contributions.get(id, ()) for x in (c.spread, c.value)]
        found += [incoming[step.vertex] for step in self.record.backward for c in step.contributions if c.target == id]
        return max([largest(x) for x in found if isinstance(x, np.ndarray | np.generic)], default=0.0)

    # ---- what it looks like ----

    def _diagnosis(self, v: Vertex, engine: Any, given: Any, verdict: Verdict) -> Diagnosis | None:
        if given is None:
            return Diagnosis("none", "None: no gradient arrived here, or backward() was not called", ("none",))
        if not isinstance(engine, np.ndarray | np.generic):
            return None
        if verdict.status == APPROXIMATE:
            single = given.dtype.itemsize < 8 or np.array_equal(given, given.astype(np.float32).astype(given.dtype))
            return Diagnosis("rounding", "float32 rounding", ("rounding",)) if single else None
        if not np.all(np.isfinite(engine)):
            return self._not_finite()
        uses = [c for c in self._contributions.get(v.id, ()) if isinstance(c.value, np.ndarray | np.generic)]
        others = {self._label(id): g for id, g in self.engine.items() if id != v.id and isinstance(g, np.ndarray)}
        case = Case(
            np.asarray(engine),
            given,
            uses,
            divisors(self.record),
            lengths(self.record),
            self._before(v),
            {name: g for name, g in others.items() if g.ndim and given.size > 1},
            lambda: self._left_out(v.id),
        )
        return diagnose(case)

    def _not_finite(self) -> Diagnosis:
        text = f"the engine's gradient is not finite: first in {first_not_finite(self.record)}"
        return Diagnosis("not finite", text, ("not finite",))

    def _before(self, v: Vertex) -> Any:
        """What .grad held: of a trace that `viz.record` took before backward(), or of a graph still to go through."""
        return v.gradient if isinstance(v.gradient, np.ndarray | np.generic) else None

    def _engine_diagnosis(self, engine: Any, slopes: Any) -> Diagnosis | None:
        """Only where every cell was looked at: a sample has no shape."""
        if slopes is None:
            return None
        rounded = np.float32  # differences are no better
        return diagnose(Case(slopes.astype(rounded), np.asarray(engine).astype(rounded)))

    def _left_out(self, id: int) -> Iterator[tuple[str, np.ndarray]]:
        """The gradient of a vertex as it would be without the derivative of one elementwise step after it."""
        for step, changed in self._sweeps:
            g = changed.get(id)
            if g is not None:
                yield step, np.asarray(self.engine[id]) + g

    def _usable(self) -> bool:
        """Whether backprop can still go through the graph: `backward()` frees it."""
        try:
            check_usable(list(self.nodes.values()))
        except (GraphFreedError, SavedArrayChangedError):
            return False
        return self.replay is not None

    @cached_property
    def _sweeps(self) -> list[tuple[str, dict[int, Any]]]:
        """For each elementwise step: how all gradients change without its derivative. Backprop is linear in g."""
        found: list[tuple[str, dict[int, Any]]] = []
        ids = {node: k for k, node in self.nodes.items()}
        for step in self.record.backward if self._usable() else ():
            for c in step.contributions:
                if c.local is None or len(found) >= STEPS_LEFT_OUT:
                    continue
                if np.shape(step.incoming) != np.shape(c.value) or not isinstance(c.value, np.ndarray | np.generic):
                    continue
                v = self.record.graph.vertices[step.vertex]
                by = f" by {self.names.of[c.target]}" if len(step.contributions) > 1 else ""
                change = pulled(self.nodes[c.target], np.asarray(step.incoming - c.value, self.nodes[c.target].dtype))
                found.append((f"{v.op}{by}, {c.rule}", {ids[node]: g for node, g in change.items()}))
        return found


def pulled(node: Node, g: Any) -> dict[Node, Any]:
    """What backprop from one node, with g, gives every node below it."""
    start = {node: g}
    found = {node: g}
    token = MODE.set(MODE.get().unwatched())
    try:
        with np.errstate(all="ignore"):
            found.update({n: incoming for n, incoming, _ in pullback(reachable([node]), start)})
    finally:
        MODE.reset(token)
    return {**found, **start}


def gradients_of(record: Trace) -> dict[int, Any]:
    """The gradient of every vertex that backprop reaches, complete."""
    found = {step.vertex: step.incoming for step in record.backward}
    for step in record.backward:
        for c in step.contributions:
            if record.graph.vertices[c.target].kind != OP:
                found[c.target] = c.after
    return found


def filled(record: Trace) -> Graph:
    """The graph with the gradients of this backward pass on its vertices."""
    found = gradients_of(record)
    vertices = [replace(v, gradient=found.get(v.id, v.gradient)) for v in record.graph.vertices]
    return Graph(vertices, record.graph.edges)
