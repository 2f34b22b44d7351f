"""Two graphs side by side: which operations correspond, and where they differ.

Operations are aligned along the forward pass by module, kind, name and shape, or what of these agrees; leaves and
constants follow the operations that use them. Of each pair it is then said what differs: the operation, its shape and
arguments, its value, its gradient. Two places matter most: the first difference on the way forward and on the way back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor
from viz.picture.picture import Picture
from viz.study.agreement import OK, beside
from viz.study.align import align
from viz.study.check import filled, gradients_of
from viz.study.marked import Above, beneath, framed, marked
from viz.study.sidebyside import as_markdown, as_text, marks, verdict
from viz.texts.words import called
from viz.tracing.budget import summary
from viz.tracing.model import LEAF, OP, Graph, Summary, Trace, Vertex
from viz.tracing.taking import trace
from viz.tracing.tape import Tape

EQUAL, ROUNDING, DIFFERS, UNKNOWN = "equal", "equal within rounding", "differs", "not known"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How two arrays compare; where they differ, by how much at most, and at which cell.

    `summed` says that only the statistics of arrays too large to keep were compared.
    """

    status: str
    error: float | None = None
    relative: float | None = None
    cell: tuple[int, ...] | None = None
    a: Any = None
    b: Any = None
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A vertex of the one graph and its partner in the other; None on a side that has none.

    `changed` says what is not the same, apart from numbers: op, shape, dtype, arguments -> (in a, in b), as text.
    """

    a: Vertex | None
    b: Vertex | None
    names: tuple[str, str]
    changed: dict[str, tuple[str, str]]
    value: Numbers
    gradient: Numbers

    @property
    def alone(self) -> bool:
        """Whether there is no partner."""
        return self.a is None or self.b is None

    @property
    def same(self) -> bool:
        """Whether nothing is known to differ."""
        return not self.alone and not self.changed and DIFFERS not in (self.value.status, self.gradient.status)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of `viz.compare`: `rows` along the forward pass. Prints as text; `.markdown`, `.draw()`.

    `forward` is the first row that differs before any gradient is looked at, `backward` the first one whose gradient
    differs in the order of the backward pass; None where there is none.
    """

    a: Trace
    b: Trace
    rows: list[Pair]
    forward: Pair | None
    backward: Pair | None

    @property
    def same(self) -> bool:
        """Whether nothing is known to differ."""
        return all(row.same for row in self.rows)

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """The same as a Markdown table."""
        return as_markdown(self)

    def draw(self) -> Picture:
        """Both graphs, a above b, with what differs written on the cards."""
        return Above(self._picture(self.a, "a"), self._picture(self.b, "b"))

    def _picture(self, record: Trace, side: str) -> Picture:
        rows = {v.id: row for row in self.rows if (v := getattr(row, side)) is not None}
        lines = {id: marks(row) for id, row in rows.items()}
        return marked(framed(filled(record), side), lines, {id: verdict(row) for id, row in rows.items()}, record)

    def _repr_svg_(self) -> str:
        return self.draw().svg

    def _repr_html_(self) -> str:
        return beneath(self.draw(), str(self))


def compare(a: Tensor | Trace | Tape, b: Tensor | Trace | Tape, grad: Any = None) -> Comparison:
    """Compare two graphs with their values and gradients. `grad` is where backprop starts in both, 1 for scalars.

    Raises what `viz.trace` raises.
    """
    first, second = trace(a, grad), trace(b, grad)
    pairs = list(_paired(first.graph, second.graph))
    names = called(first.graph), called(second.graph)
    gradients = gradients_of(first), gradients_of(second)
    rows = [_row(first.graph, second.graph, i, j, names, gradients) for i, j in pairs]
    forward = next((r for r in rows if r.alone or r.changed or r.value.status == DIFFERS), None)
    by_vertex = {row.a.id: row for row in rows if row.a is not None}
    on_the_way = (by_vertex[id] for id in _backwards(first))
    return Comparison(first, second, rows, forward, next((r for r in on_the_way if r.gradient.status == DIFFERS), None))


def _backwards(record: Trace) -> Iterator[int]:
    """The vertices in the order in which backprop completes their gradients."""
    last = {c.target: c for step in record.backward for c in step.contributions}
    for step in record.backward:
        yield step.vertex
        for c in step.contributions:
            if record.graph.vertices[c.target].kind != OP and last[c.target] is c:
                yield c.target


# ---- which corresponds to which ----


def _paired(a: Graph, b: Graph) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of vertices along the forward pass: inputs before what uses them, and no vertex twice."""
    ops = [[v for v in graph.vertices if v.kind == OP] for graph in (a, b)]
    levels = [tuple([level(v) for v in side] for side in ops) for level in LEVELS]
    partner = {ops[0][i].id: ops[1][j].id for i, j in align(levels)}  # type: ignore[arg-type]
    partner |= _inputs(a, b, partner)
    back = {j: i for i, j in partner.items()}
    j = 0
    for v in a.vertices:
        for w in range(j, partner.get(v.id, j)):
            if w not in back:
                yield None, w
        j = max(j, partner.get(v.id, j - 1) + 1)
        yield v.id, partner.get(v.id)
    for w in range(j, len(b.vertices)):
        if w not in back:
            yield None, w


LEVELS = (
    lambda v: (v.scope, v.op, v.name, v.shape, tuple(v.arguments.items())),
    lambda v: (v.scope, v.op, v.shape),
    lambda v: (v.scope, v.op),
    lambda v: (v.op, v.shape),
    lambda v: v.op,
    lambda v: v.shape,
)


def _inputs(a: Graph, b: Graph, partner: dict[int, int]) -> dict[int, int]:
    """Leaves and constants at the same place of two operations that correspond; then leaves of one name."""
    inputs = a.inputs(), b.inputs()
    found: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in partner.items():
        for left, right in zip(inputs[0][i], inputs[1][j], strict=False):
            v, w = a.vertices[left.source], b.vertices[right.source]
            if v.kind == w.kind != OP and v.id not in found and w.id not in taken:
                found[v.id] = w.id
                taken.add(w.id)
    named = _by_name(a, found.keys()), _by_name(b, taken)
    return found | {id: named[1][name] for name, id in named[0].items() if name in named[1]}


def _by_name(graph: Graph, paired: Collection[int]) -> dict[str, int]:
    """The leaves without a partner, by name, where only one has it."""
    names = Counter(v.name for v in graph.vertices if v.kind == LEAF)
    return {v.name: v.id for v in graph.vertices if v.kind == LEAF and names[v.name] == 1 and v.id not in paired}


# ---- what differs ----


def _row(a: Graph, b: Graph, i: int | None, j: int | None, names: Any, gradients: Any) -> Pair:
    v, w = None if i is None else a.vertices[i], None if j is None else b.vertices[j]
    called = "" if i is None else names[0][i], "" if j is None else names[1][j]
    if v is None or w is None:
        return Pair(v, w, called, {}, Numbers(UNKNOWN), Numbers(UNKNOWN))
    gradient = numbers(gradients[0].get(i), gradients[1].get(j))
    return Pair(v, w, called, dict(_changed(v, w)), numbers(v.value, w.value), gradient)


def _changed(v: Vertex, w: Vertex) -> Iterator[tuple[str, tuple[str, str]]]:
    for what, left, right in (("op", v.op, w.op), ("shape", v.shape, w.shape), ("dtype", v.dtype, w.dtype)):
        if left != right:
            yield what, (str(left), str(right))
    for name in dict.fromkeys((*v.arguments, *w.arguments)):
        both_sides = v.arguments.get(name, "not given"), w.arguments.get(name, "not given")
        if both_sides[0] != both_sides[1]:
            yield name, both_sides


def numbers(a: Any, b: Any) -> Numbers:
    """Compare two values of a record."""
    if a is None or b is None:
        return Numbers(UNKNOWN)
    if isinstance(a, tuple) or isinstance(b, tuple):
        return _worst(a, b)
    summed = isinstance(a, Summary) or isinstance(b, Summary)
    if summed:
        a, b = _statistics(a), _statistics(b)
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return Numbers(UNKNOWN)  # the shapes have been told already
    if "U" in (a.dtype.kind, b.dtype.kind):  # what is no array of numbers is kept as text
        return Numbers(EQUAL if np.array_equal(a, b) else UNKNOWN)
    if np.array_equal(a, b, equal_nan=True):
        return Numbers(EQUAL, 0.0, 0.0, summed=summed)
    found = beside(a if a.dtype.kind in "fc" else a.astype(float), b)
    status = ROUNDING if found.status == OK else DIFFERS
    cell = None if summed else found.cell
    return Numbers(status, found.error, found.relative, cell, found.wanted, found.given, summed)


def _worst(a: Any, b: Any) -> Numbers:
    """Of operations with several results, the one that differs most."""
    if not isinstance(a, tuple) or not isinstance(b, tuple) or len(a) != len(b):
        return Numbers(UNKNOWN)
    order = (UNKNOWN, EQUAL, ROUNDING, DIFFERS)
    found = [numbers(x, y) for x, y in zip(a, b, strict=True)]
    return max(found, key=lambda n: (order.index(n.status), n.error or 0.0), default=Numbers(UNKNOWN))


def _statistics(value: Any) -> np.ndarray:
    """Numbers that are the same for the same array."""
    kept = value if isinstance(value, Summary) else summary(np.asarray(value))
    known = [kept.smallest, kept.largest, kept.mean, kept.norm, kept.zeros, kept.nans, kept.infs]
    return np.array([np.nan if x is None else x for x in known], float)
