"""The outline of a graph: nested stretches of its operations, from the whole to the single operation.

Operations are numbered in the order in which they were computed. A stretch of them can stand for a group: what it needs
was computed before it and what needs it comes after it, so whatever stretches are folded, no cycle appears. Stretches
are the runs of a module, then what repeats, then chains of elementwise operations; where there is still too much side
by side, it is cut into equal parts, so that every graph gets an outline. No recursion: a list of work to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby, islice, pairwise, takewhile
from operator import itemgetter

import numpy as np

from autograd import ops as table
from autograd.op import Op
from viz.picture.repeats import Repeat, repeats, worthwhile
from viz.texts.text import clean
from viz.tracing.model import COMPUTED, INPUT, LEAF, Edge, Graph

WIDEST = 12  # parts of one stretch
LABEL = 22  # characters


@dataclass(eq=False, slots=True)
class Span:
    """Operations `start` to `stop`, which share the first `depth` levels of scope.

    What repeats has `times` > 1 instances of equal length. Opened it shows its `parts`: of a repetition the first
    instance and the others, which have no parts and open all at once.
    """

    start: int
    stop: int
    depth: int
    label: str
    times: int = 1
    more: bool = False
    parts: list[Span] = field(default_factory=list)

    def __len__(self) -> int:
        return self.stop - self.start


class Program:
    """A graph as the sequence of its operations.

    `ids` are their vertices. `sources[i]` are the inputs of operation i: the numbers of operations, or -1 - id for
    leaves and constants. `tokens[i]` is the same for operations that do the same thing, whatever they do it with.
    `users[i]` are the operations that use operation i, `last_use[i]` is the last of them; `waiting[i]` counts the
    results that come from before operation i and are needed by it or later. `reach` has the first and the last
    operation that use a leaf or constant.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.inputs = graph.inputs()
        vertices = graph.vertices
        self.ids = [v.id for v in vertices if v.kind in COMPUTED]
        self.place = {id: i for i, id in enumerate(self.ids)}
        self.edges: list[list[Edge]] = [self.inputs[id] for id in self.ids]
        self.sources = [[self.place.get(e.source, -1 - e.source) for e in edges] for edges in self.edges]
        self.scopes = [vertices[id].scope for id in self.ids]
        names: dict[object, int] = {}
        self.tokens = [names.setdefault(self._deed(i), len(names)) for i in range(len(self.ids))]
        self.reach: dict[int, tuple[int, int]] = {}
        for i, sources in enumerate(self.sources):
            for source in sources:
                if source < 0:
                    self.reach[source] = (self.reach.get(source, (i, i))[0], i)
        self.users: list[list[int]] = [[] for _ in self.ids]
        for i, sources in enumerate(self.sources):
            for source in sources:
                if source >= 0:
                    self.users[source].append(i)
        self.last_use = [users[-1] if users else len(self.ids) for users in self.users]
        ends = np.bincount(self.last_use, minlength=len(self.ids) + 1)
        self.waiting = [i - gone for i, gone in enumerate([0, *np.cumsum(ends).tolist()])]

    def _deed(self, i: int) -> object:
        """What an operation does, and which of its inputs are leaves."""
        v, vertices = self.graph.vertices[self.ids[i]], self.graph.vertices
        leaves = tuple([vertices[e.source].kind == LEAF for e in self.edges[i]])
        return v.op, v.shape, v.dtype, tuple(v.arguments.items()), leaves

    def op(self, i: int) -> str:
        return clean(self.graph.vertices[self.ids[i]].op, LABEL)

    def operations(self, span: Span) -> list[Span]:
        """A stretch as single operations."""
        return [Span(i, i + 1, span.depth, self.op(i)) for i in range(span.start, span.stop)]

    def holds(self, span: Span, source: int) -> bool:
        """True if a leaf or constant is used by this stretch only."""
        first, last = self.reach[source]
        return span.start <= first and last < span.stop

    def members(self, start: int, stop: int) -> list[int]:
        """The vertices of a stretch and of its inputs, in an order that alike stretches share."""
        found: dict[int, None] = {}
        for i in range(start, stop):
            found |= dict.fromkeys([*(edge.source for edge in self.edges[i]), self.ids[i]])
        return list(found)

    def part(self, members: list[int], start: int) -> Graph:
        """The graph of a stretch that begins at `start`; what comes from outside is an input."""
        number = {id: k for k, id in enumerate(members)}
        own = {id for id in members if self.place.get(id, -1) >= start}
        scopes = [self.graph.vertices[id].scope for id in own]
        shared = sum(1 for level in takewhile(lambda names: len(set(names)) == 1, zip(*scopes)))
        vertices = []
        for id in members:
            v = self.graph.vertices[id]
            if id in self.place and id not in own:
                v = replace(v, kind=INPUT, name=v.name or v.op, arguments={})
            vertices.append(replace(v, id=number[id], scope=v.scope[shared:] if id in own else ()))
        edges = [replace(e, source=number[e.source], target=number[id]) for id in own for e in self.inputs[id]]
        return Graph(vertices, sorted(edges, key=lambda e: (e.target, e.slot)))

    def look(self, span: Span) -> object:
        """The same for stretches that do the same and are wired alike."""
        return tuple(self.tokens[span.start : span.stop]), self.wiring(span.start, span.stop)

    def follows(self, i: int) -> bool:
        """True if operations i - 1 and i are elementwise and i is all that i - 1 feeds."""
        users = self.users[i - 1]
        return bool(users) and users[0] == users[-1] == i and {self.op(i - 1), self.op(i)} <= elementwise()

    def wiring(self, start: int, stop: int) -> tuple[int, ...]:
        """How a stretch is wired: how far back each input lies, or the how manieth thing from outside it is."""
        outside: dict[int, int] = {}
        return tuple(
            [
                i - source if source >= start else -1 - outside.setdefault(source, len(outside))
                for i in range(start, stop)
                for source in self.sources[i]
            ]
        )


def outline(program: Program) -> Span:
    """The whole as one stretch, with its parts and theirs."""
    whole = Span(0, len(program.ids), 0, "all operations")
    work = [whole] if len(whole) > 1 else []
    while work:
        span = work.pop()
        parts = _chained(program, _repeated(program, _items(program, span)))
        work += [p for part in parts for p in (part.parts or [part]) if len(p) > 1 and not p.parts and not p.more]
        span.parts = _few(program, parts)
    return whole


def _items(program: Program, span: Span) -> list[Span]:
    """Single operations and runs of modules, side by side. A module that is all there is gives way to what it holds."""
    scopes = program.scopes[span.start : span.stop]
    depth = span.depth
    while True:
        items, start = [], span.start
        for name, run in groupby(scopes, key=itemgetter(slice(depth, depth + 1))):
            stop = start + sum(1 for _ in run)
            if name and stop > start + 1:
                items.append(Span(start, stop, depth, clean(name[0], LABEL)))
            else:
                items += [Span(i, i + 1, depth, program.op(i)) for i in range(start, stop)]
            start = stop
        if len(items) > 1:
            return items
        depth += 1


def _repeated(program: Program, items: list[Span]) -> list[Span]:
    """The same items, with repetitions as one."""
    names: dict[object, int] = {}
    found, done = [], 0
    for repeat in repeats([names.setdefault(program.look(item), len(names)) for item in items]):
        first, period = repeat.start + _phase(program, items, repeat), repeat.period
        starts = range(first, first + period * repeat.times, period)
        for _, run in groupby(starts, key=lambda k: program.wiring(items[k].start, items[k + period - 1].stop)):
            alike = list(run)
            if worthwhile(period, len(alike)):
                stop = alike[-1] + period
                found += [*items[done : alike[0]], _repetition(items[alike[0] : stop], period)]
                done = stop
    return found + items[done:]


def _phase(program: Program, items: list[Span], repeat: Repeat) -> int:
    """Where instances begin, if there is a choice: where few results are waiting, and best after one with a name."""

    def cut(shift: int) -> tuple[int, bool]:
        place = items[repeat.start + shift + repeat.period * (repeat.times // 2)].start
        return program.waiting[place], not program.graph.vertices[program.ids[place - 1]].name

    return min(range(repeat.spare + 1), key=cut)


def _repetition(items: list[Span], period: int) -> Span:
    """One stretch for items that repeat. Two instances are simply two parts."""
    start, stop, depth, times = items[0].start, items[-1].stop, items[0].depth, len(items) // period
    label, second = _label(items[:period]), items[period].start
    first = items[0] if period == 1 else Span(start, second, depth, label)
    rest = Span(second, stop, depth, label, times - 1, more=times > 2)
    return Span(start, stop, depth, label, times, parts=[first, rest])


def _label(items: Iterable[Span]) -> str:
    """What the items are called, without the numbers that tell the layers of a model apart."""
    return clean(", ".join([re.sub(r"^\d+\s+", "", item.label) for item in islice(items, 8)]), LABEL)


def _chained(program: Program, items: list[Span]) -> list[Span]:
    """The same items, with chains of elementwise operations, each of which feeds only the next, as one."""
    found: list[list[Span]] = []
    for item in items:
        if found and len(item) == 1 and program.follows(item.start) and len(found[-1][-1]) == 1:
            found[-1].append(item)
        else:
            found.append([item])
    return [run[0] if len(run) == 1 else _chain(program, run) for run in found]


def _chain(program: Program, run: list[Span]) -> Span:
    return Span(run[0].start, run[-1].stop, run[0].depth, _label(run), parts=_few(program, run))


def _few(program: Program, parts: list[Span]) -> list[Span]:
    """At most WIDEST stretches that hold the parts, cut where few results are waiting."""
    while len(parts) > WIDEST:
        count = -(-len(parts) // WIDEST)
        size = len(parts) / count
        near = range(-int(size / 4), int(size / 4) + 1)
        cuts = [0]
        for k in range(1, count):
            middle = round(k * size)
            cuts.append(
                min([middle + d for d in near], key=lambda cut: (program.waiting[parts[cut].start], abs(cut - middle)))
            )
        parts = [_joined(parts[a:b]) for a, b in pairwise([*cuts, len(parts)])]
    return parts


def _joined(parts: list[Span]) -> Span:
    start, stop = parts[0].start, parts[-1].stop
    return Span(start, stop, parts[0].depth, f"operations {start + 1}–{stop}", parts=parts)


@lru_cache(maxsize=1)
def elementwise() -> frozenset[str]:
    """The names of the operations that act on each element by itself."""
    modules = [vars(getattr(table, name)) for name in table.__all__]
    ops = [value for module in modules for value in module.values() if isinstance(value, Op)]
    return frozenset([op.name for op in ops if "elementwise" in (op.kind, op.batch)])
