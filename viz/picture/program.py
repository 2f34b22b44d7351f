"""A graph as the sequence of its operations, and what folding asks of it: what is alike, and where to cut.

Operations are numbered in the order in which they were computed. A stretch of them can stand for a group: what it needs
was computed before it and what needs it comes after it, so whatever stretches are folded, no cycle appears.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import takewhile

import numpy as np

from autograd import ops as table
from autograd.op import Op
from viz.texts.words import called
from viz.tracing.model import COMPUTED, INPUT, LEAF, Edge, Excerpt, Graph, Vertex


class Program:
    """The operations of a graph by number.

    `ids` are their vertices. `sources[i]` are the inputs of operation i: the numbers of operations, or -1 - id for
    leaves and constants. `tokens[i]` is the same for operations that do the same thing, whatever they do it with.
    `users[i]` are the operations that use operation i, `last_use[i]` is the last of them; `waiting[i]` counts the
    results that come from before operation i and are needed by it or later. `reach` has the first and the last
    operation that use a leaf or constant.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.ids = [v.id for v in graph.vertices if v.kind in COMPUTED]
        self.place = {id: i for i, id in enumerate(self.ids)}
        inputs = graph.inputs()
        self.edges: list[list[Edge]] = [inputs[id] for id in self.ids]
        self.sources = [[self.place.get(e.source, -1 - e.source) for e in edges] for edges in self.edges]
        names: dict[object, int] = {}
        self.tokens = [names.setdefault(self._deed(i), len(names)) for i in range(len(self.ids))]
        self.users: list[list[int]] = [[] for _ in self.ids]
        self.reach: dict[int, tuple[int, int]] = {}
        for i, sources in enumerate(self.sources):
            for source in sources:
                if source >= 0:
                    self.users[source].append(i)
                else:
                    self.reach[source] = (self.reach.get(source, (i, i))[0], i)
        self.last_use = [users[-1] if users else len(self.ids) for users in self.users]
        ends = np.bincount(self.last_use, minlength=len(self.ids) + 1)
        self.waiting = [i - gone for i, gone in enumerate([0, *np.cumsum(ends).tolist()])]

    @cached_property
    def called(self) -> list[str]:
        """What texts call each vertex."""
        return called(self.graph)

    def __len__(self) -> int:
        return len(self.ids)

    def vertex(self, i: int) -> Vertex:
        return self.graph.vertices[self.ids[i]]

    def _deed(self, i: int) -> object:
        """What an operation does, and which of its inputs are leaves."""
        v = self.vertex(i)
        leaves = tuple([self.graph.vertices[e.source].kind == LEAF for e in self.edges[i]])
        return v.op, v.shape, v.dtype, tuple(v.arguments.items()), leaves

    # ---- what is alike ----

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

    def look(self, start: int, stop: int) -> object:
        """The same for stretches that do the same and are wired alike."""
        return tuple(self.tokens[start:stop]), self.wiring(start, stop)

    def outside(self, start: int, stop: int) -> list[int]:
        """The inputs of a stretch that come from outside, in the order of use."""
        sources = [source for i in range(start, stop) for source in self.sources[i] if source < start]
        return list(dict.fromkeys(sources))

    def holds(self, start: int, stop: int, source: int) -> bool:
        """True if a leaf or constant is used in this stretch only."""
        first, last = self.reach[source]
        return start <= first and last < stop

    # ---- where to cut ----

    def cut(self, i: int) -> int:
        """How bad it is to cut before operation i.

        The fewer results wait there the better; then where the code goes back to an earlier line, as a loop does; then
        after a result that has a name.
        """
        if not 0 < i < len(self):
            return 4 * self.waiting[i]
        before, after = self.vertex(i - 1), self.vertex(i)
        return 4 * self.waiting[i] + 2 * (_line(before) <= _line(after)) + (not before.name)

    def follows(self, i: int) -> bool:
        """True if operations i - 1 and i are elementwise and i is all that i - 1 feeds."""
        users = self.users[i - 1]
        return users[:1] == users[-1:] == [i] and {self.vertex(i - 1).op, self.vertex(i).op} <= elementwise()

    # ---- a stretch by itself ----

    def members(self, start: int, stop: int) -> list[int]:
        """The vertices of a stretch and of its inputs, in an order that alike stretches share."""
        found: dict[int, None] = {}
        for i in range(start, stop):
            found |= dict.fromkeys([*[edge.source for edge in self.edges[i]], self.ids[i]])
        return list(found)

    def part(self, start: int, stop: int) -> Graph:
        """The graph of a stretch; operations outside it are inputs."""
        members = self.members(start, stop)
        number = {id: k for k, id in enumerate(members)}
        own = set(self.ids[start:stop])
        scopes = zip(*[self.graph.vertices[id].scope for id in own])
        shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, scopes))
        vertices = []
        for id in members:
            v = self.graph.vertices[id]
            if id in self.place and id not in own:
                v = replace(v, kind=INPUT, name=v.name or v.op, arguments={}, scope=())
            vertices.append(replace(v, id=number[id], scope=v.scope[shared:]))
        edges = [e for i in range(start, stop) for e in self.edges[i]]
        edges = [replace(e, source=number[e.source], target=number[e.target]) for e in edges]
        return Excerpt(vertices, edges, [self.called[id] for id in members])


def _line(vertex: Vertex) -> int:
    """The line of the user's code, 0 if it is not known."""
    found = re.search(r":([0-9]{1,9})$", vertex.source)
    return int(found[1]) if found else 0


@lru_cache(maxsize=1)
def elementwise() -> frozenset[str]:
    """The names of the operations that act on each element by itself."""
    modules = [vars(getattr(table, name)) for name in table.__all__]
    ops = [value for module in modules for value in module.values() if isinstance(value, Op)]
    return frozenset([op.name for op in ops if "elementwise" in (op.kind, op.batch)])
