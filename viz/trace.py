"""The one record that every view draws from: a graph, and the backward pass over it, as plain data.

`graph(y)` reads what is there (operations, leaves, constants, values and gradients as far as they exist) and works on any
graph, also after `backward()` has freed it. `trace(y)` adds the steps of the backward pass. Views read these records
and never the engine, so a record could as well come from a file.

"None" always means "not known" or "not computed", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    scope: tuple[str, ...] = ()
    source: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """Vertex `source` is input number `slot` of vertex `target`."""

    source: int
    target: int
    slot: int


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
