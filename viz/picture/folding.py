"""Folding: a large graph as a smaller one, in which groups of operations stand for what is inside them.

A folded graph is a Graph like any other; its groups are vertices of kind GROUP. Groups come from the outline of the
graph, and are opened in a fixed order, each after what holds it, as long as the picture has room: the largest first (of
equal parts without a meaning of their own those near the result), then whatever was left out as "the same again". So
more room opens more and closes nothing.

A leaf that is used by one group only is inside it. Where many leaves and constants meet at one card, they share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heappop, heappush

import numpy as np

from viz.picture.outline import Span, operations, outline
from viz.picture.program import Program
from viz.texts.text import plural
from viz.tracing.model import COMPUTED, CONSTANT, GROUP, INPUT, LEAF, Edge, Excerpt, Graph, Vertex

VISIBLE = 150  # cards that a picture shows before it folds
SATELLITES = 4  # leaves and constants at one card of a folded graph; more of them share a card


class Group:
    """A visible vertex that stands for several operations.

    `inside` is the graph of these operations, of what repeats that of the first instance. Operations outside it that it
    needs are vertices of kind INPUT in it. `instances[k][i]` is the vertex of the whole graph that vertex i of `inside`
    is in repetition k. Both are made when first asked for.
    """

    def __init__(self, program: Program, span: Span):
        self.label = span.label
        self._program = program
        size = len(span) // span.times
        self._starts = range(span.start, span.stop, size)
        self._size = size

    @cached_property
    def instances(self) -> list[list[int]]:
        return [self._program.members(start, start + self._size) for start in self._starts]

    @cached_property
    def inside(self) -> Graph:
        return self._program.part(self._starts[0], self._starts[0] + self._size)


@dataclass(frozen=True, slots=True)
class Folding:
    """A visible graph, and how the whole is shown in it.

    `shown_as[id]` is the visible vertex that shows vertex `id` of the whole graph: itself, or the group that it is in.
    `edges[target, slot]` is the visible edge that shows an edge of the whole graph; those inside a group have none.
    `groups` are the visible vertices that stand for more than themselves.
    """

    graph: Graph
    shown_as: list[int]
    edges: dict[tuple[int, int], Edge]
    groups: dict[int, Group] = field(default_factory=dict)


def fold(graph: Graph, visible: int = VISIBLE) -> Folding:
    """The graph as a picture of at most `visible` cards, satellites included. A small graph stays as it is."""
    if cards_of(graph) <= max(visible, 1):
        return Folding(graph, list(range(len(graph.vertices))), {(e.target, e.slot): e for e in graph.edges})
    program = Program(graph)
    quotient = _Quotient(program)
    for span in opened(program, outline(program), visible):
        quotient.add(span)
    return quotient.folding()


def cards_of(graph: Graph) -> int:
    """How many cards a picture of a graph has: its operations, and leaves and constants once for each use."""
    ops = [vertex.kind in COMPUTED for vertex in graph.vertices]
    return max(1, sum(ops) + sum(not ops[edge.source] for edge in graph.edges))


def opened(program: Program, whole: Span, visible: int) -> list[Span]:
    """What to show, in order: the outline opened as far as there is room."""
    weigh = Weight(program)
    room = visible - weigh(whole)
    chosen: dict[Span, list[Span]] = {}
    for span in _order(whole):
        parts = span.parts or operations(program, span)
        room -= sum(map(weigh, parts)) - weigh(span)
        if room < 0:
            break
        chosen[span] = parts
    return list(_shown(whole, chosen))


def _order(whole: Span) -> Iterator[Span]:
    """All stretches that can be opened, in the order in which they are."""
    again = []
    heap = [(0.0, 0, whole)]
    while heap:
        span = heappop(heap)[2]
        if span.parts:
            yield span
        elif span.times > 1:
            again.append(span)
        for part in span.parts:
            heappush(heap, (-len(part) / 2**part.far, part.start, part))
    yield from sorted(again, key=lambda span: (len(span), span.start))


def _shown(whole: Span, chosen: dict[Span, list[Span]]) -> Iterator[Span]:
    stack = [whole]
    while stack:
        span = stack.pop()
        if span in chosen:
            stack += chosen[span][::-1]
        else:
            yield span


class Weight:
    """How many cards a stretch is shown with: its own, and those of the leaves and constants that it shares."""

    def __init__(self, program: Program):
        used = [(i, s) for i, sources in enumerate(program.sources) for s in sources if s < 0]
        self.user, self.source = np.array(used, np.int64).reshape(-1, 2).T
        self.starts = np.searchsorted(self.user, np.arange(len(program.ids) + 1))
        self.first, self.last = np.array([program.reach[s] for _, s in used], np.int64).reshape(-1, 2).T

    def __call__(self, span: Span) -> int:
        inside = slice(self.starts[span.start], self.starts[span.stop])
        shared = self.source[inside]
        if len(span) > 1:
            shared = np.unique(shared[(self.first[inside] < span.start) | (self.last[inside] >= span.stop)])
        return 1 + (len(shared) if len(shared) <= SATELLITES else 1)


class _Quotient:
    """Builds the visible graph, a vertex for each stretch that is shown."""

    def __init__(self, program: Program):
        self.program = program
        self.vertices: list[Vertex] = []
        self.ids: list[int | None] = []
        self.edges: list[Edge] = []
        self.shown_as = [-1] * len(program.graph.vertices)
        self.copies: dict[int, int] = {}  # leaves and constants that have a card of their own
        self.edge_of: dict[tuple[int, int], Edge] = {}
        self.groups: dict[int, Group] = {}

    def folding(self) -> Folding:
        names = [None if id is None else self.program.called[id] for id in self.ids]
        drawn = Excerpt(self.vertices, self.edges, names)
        return Folding(drawn, self.shown_as, self.edge_of, self.groups)

    def add(self, span: Span) -> None:
        bundles = self._bundles(span)
        satellites = [bundle for bundle in bundles if self.program.place.get(bundle[0].source) is None]
        surplus = satellites if len(satellites) > SATELLITES else []
        ends = [(self._source(bundle[0].source), bundle) for bundle in bundles if bundle not in surplus]
        if surplus:
            hidden = [edge for bundle in surplus for edge in bundle]
            ends.append((self._surplus([edge.source for edge in hidden]), hidden))
        number = self._vertex(span)
        for slot, (source, bundle) in enumerate(ends):
            first = bundle[0]
            edge = Edge(source, number, slot) if len(span) > 1 else Edge(source, number, first.slot, first.name)
            self.edges.append(edge)
            self.edge_of |= {(e.target, e.slot): edge for e in bundle}

    def _bundles(self, span: Span) -> list[list[Edge]]:
        """The edges into a stretch, those that are shown as one together."""
        program, alone = self.program, len(span) == 1
        found: dict[object, list[Edge]] = {}
        for i in range(span.start, span.stop):
            for edge, source in zip(program.edges[i], program.sources[i], strict=True):
                if source >= span.start or (not alone and source < 0 and program.holds(span.start, span.stop, source)):
                    continue
                shown = self.shown_as[edge.source] if source >= 0 else source
                key = (shown, edge.slot) if alone and shown not in self.groups else shown
                found.setdefault(key, []).append(edge)
        return list(found.values())

    def _source(self, id: int) -> int:
        """The visible vertex of an input; leaves and constants appear when they are first needed."""
        if id in self.program.place:
            return self.shown_as[id]
        if id not in self.copies:
            self.copies[id] = self.shown_as[id] = self._show(self.program.graph.vertices[id], id)
        return self.copies[id]

    def _surplus(self, ids: list[int]) -> int:
        kinds = [self.program.graph.vertices[id].kind for id in dict.fromkeys(ids)]
        nouns = {LEAF: "leaf", CONSTANT: "constant", INPUT: "input"}
        told = [plural(count, noun) for kind, noun in nouns.items() if (count := kinds.count(kind))]
        number = self._show(Vertex(0, INPUT, name=", ".join(told).replace("leafs", "leaves")))
        for id in ids:
            self.shown_as[id] = number if self.shown_as[id] < 0 else self.shown_as[id]
        return number

    def _vertex(self, span: Span) -> int:
        program = self.program
        if len(span) == 1:
            number = self._show(program.vertex(span.start), program.ids[span.start])
        else:
            number = self._show(self._card(span))
            self.groups[number] = Group(program, span)
        for i in range(span.start, span.stop):
            self.shown_as[program.ids[i]] = number
            for source in program.sources[i]:
                if source < 0 and self.shown_as[-1 - source] < 0:
                    self.shown_as[-1 - source] = number
        return number

    def _show(self, vertex: Vertex, id: int | None = None) -> int:
        self.ids.append(id)
        self.vertices.append(replace(vertex, id=len(self.vertices)))
        return len(self.vertices) - 1

    def _card(self, span: Span) -> Vertex:
        """A group's vertex, with what is known of its result if it has one only."""
        program = self.program
        results = [i for i in range(span.start, span.stop) if program.last_use[i] >= span.stop]
        facts = {"operations": str(len(span))} | ({"results": str(len(results))} if len(results) > 1 else {})
        scope = program.vertex(span.start).scope[: span.depth]
        card = Vertex(0, GROUP, span.title, arguments=facts, scope=scope)
        if len(results) > 1:
            return card
        last = program.vertex(results[0])
        return replace(card, shape=last.shape, dtype=last.dtype, value=last.value, gradient=last.gradient)
