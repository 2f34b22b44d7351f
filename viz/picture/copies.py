"""A leaf or constant stands beside each operation that uses it, once for each use.

Programs that lay out a graph themselves (Graphviz, Mermaid) would else make a hairball of a shared weight. Nodes have
numbers, those of the vertices for operations and fresh ones for copies: no text of a user becomes an identifier.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from viz.picture.cards import Row, card_rows
from viz.texts.words import called
from viz.tracing.model import COMPUTED, CONSTANT, Graph, Vertex


class Copy(NamedTuple):
    """A node of the drawing: use number `use` of `uses` of a vertex. `scope` is that of the operation beside it."""

    number: int
    vertex: Vertex
    name: str
    scope: tuple[str, ...]
    use: int = 1
    uses: int = 1

    def rows(self) -> list[Row]:
        """What the vertex's card says."""
        return card_rows(self.vertex, self.name, self.use, self.uses)


class Link(NamedTuple):
    """An arrow between two nodes; where `returns`, a gradient goes back."""

    tail: int
    head: int
    returns: bool


def copies(graph: Graph) -> tuple[list[Copy], list[Link]]:
    """The nodes and arrows of a drawing, operations in the order in which they ran."""
    uses, names = graph.uses(), called(graph)
    used: Counter[int] = Counter()
    nodes, links = [], []
    fresh = len(graph.vertices)
    for vertex, inputs in zip(graph.vertices, graph.inputs(), strict=True):
        if vertex.kind not in COMPUTED and vertex is not graph.root:
            continue
        nodes.append(Copy(vertex.id, vertex, names[vertex.id], vertex.scope))
        for edge in inputs:
            source, tail = graph.vertices[edge.source], edge.source
            if source.kind not in COMPUTED:
                tail, fresh = fresh, fresh + 1
                used[source.id] += 1
                use = used[source.id], uses[source.id]
                nodes.append(Copy(tail, source, names[source.id], vertex.scope, *use))
            links.append(Link(tail, vertex.id, source.kind != CONSTANT))
    return nodes, links
