"""Folding: a large graph as a smaller one, in which groups of operations stand for what is inside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.tracing.model import Graph

VISIBLE = 150  # vertices that a picture shows before it folds


@dataclass(frozen=True, slots=True)
class Group:
    """A visible vertex that stands for operations.

    `instances` lists the members (ids in the whole graph) of each repetition: one list, or the time steps of a loop.
    `inside` is the graph of the first one; `inside_ids` says which vertex of the whole graph each of its vertices is.
    """

    label: str
    instances: list[list[int]]
    inside: Graph
    inside_ids: list[int]


@dataclass(frozen=True, slots=True)
class Folding:
    """The visible graph; `shown_as[id]` is the visible vertex of each vertex of the whole graph (None: inside)."""

    graph: Graph
    shown_as: list[int | None]
    groups: dict[int, Group] = field(default_factory=dict)


def fold(graph: Graph, visible: int = VISIBLE) -> Folding:
    """The graph with at most `visible` vertices."""
    return Folding(graph, list(range(len(graph.vertices))))
