"""Is a record from a file one that could have been taken? Whatever a view relies on is checked here, once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from viz.tracing.model import (
    CONSTANT,
    LEAF,
    OP,
    Backward,
    Contribution,
    Graph,
    Nudge,
    Probe,
    Summary,
    Trace,
    Update,
    Vertex,
)
from viz.tracing.values import AXES, Wrong


def check(record: Trace) -> None:
    """Raises Wrong where the parts of a record do not fit together."""
    _graph(record.graph)
    for before, after in pairwise(record.backward):
        _must(before.vertex > after.vertex, "backward", "the steps do not run from the last vertex to the first")
    sources = {(edge.target, edge.slot): edge.source for edge in record.graph.edges}
    for k, step in enumerate(record.backward):
        _backward(record.graph.vertices, sources, step, f"backward[{k}]")
    for k, update in enumerate(record.updates):
        _update(record.graph.vertices, update, f"updates[{k}]")
    for k, nudge in enumerate(record.nudges):
        _nudge(record.graph.vertices, nudge, f"nudges[{k}]")


def _must(fits: bool, where: str, what: str) -> None:
    if not fits:
        raise Wrong(what).inside(where)


def _graph(graph: Graph) -> None:
    _must(len(graph.vertices) > 0, "vertices", "there is none")
    for k, vertex in enumerate(graph.vertices):
        where = f"vertices[{k}]"
        _must(vertex.id == k, where, f"its id is {vertex.id}, and it is number {k}")
        _must(vertex.kind in (OP, LEAF, CONSTANT), where, "its kind is unknown")
        _must(vertex.shape is None or len(vertex.shape) <= AXES, where, "its shape has too many axes")
        _must(_fits(vertex.value, vertex) and _fits(vertex.gradient, vertex), where, "a value has another shape")
    for k, edge in enumerate(graph.edges):
        forwards = edge.source < edge.target < len(graph.vertices)
        _must(forwards, f"edges[{k}]", f"it runs from {edge.source} to {edge.target}, not forwards to a vertex")
    for vertex, inputs in zip(graph.vertices, graph.inputs(), strict=True):
        slots = [edge.slot for edge in inputs]
        _must(slots == list(range(len(slots))), "edges", f"the inputs of vertex {vertex.id} are not 0, 1, 2 ...")
        _must(not slots or vertex.kind == OP, "edges", f"vertex {vertex.id} is no operation and has inputs")


def _backward(vertices: list[Vertex], sources: dict[tuple[int, int], int], step: Backward, where: str) -> None:
    vertex = _vertex(vertices, step.vertex, OP, where)
    _must(_fits(step.incoming, vertex), where, "the incoming gradient has another shape than the vertex")
    for k, part in enumerate(step.contributions):
        inner = f"{where}.contributions[{k}]"
        _must(sources.get((step.vertex, part.slot)) == part.target, inner, "there is no such edge")
        _contribution(vertices[part.target], part, inner)
        for probe in part.probes:
            _probe(probe, vertices[part.target].shape, _shape(step.incoming), inner)


def _contribution(target: Vertex, found: Contribution, where: str) -> None:
    kinds = [part.what for part in found.parts]
    sums = kinds[-1:] == ["sum"]
    moves = ["transpose"] * (len(kinds) - 1 - sums) + ["rule"] + ["sum"] * sums
    _must(kinds == moves, where, 'its parts are not "transpose" ..., "rule", and perhaps "sum"')
    _must(1 <= found.use <= found.uses, where, f"use {found.use} of {found.uses}")
    fits = all(_fits(value, target) for value in (found.before, found.after, found.value))
    _must(fits, where, f"a value has another shape than its target, {target.shape}")
    axes = len(_shape(found.spread) or ()) if sums else 0
    _must(all(axis < axes for part in found.parts for axis in part.axes), where, "a sum over an axis that is not there")


def _probe(probe: Probe, target: Any, incoming: Any, where: str) -> None:
    _must(_inside(probe.cell, target), where, f"a probe looks at {probe.cell}, outside of its target")
    count = len(probe.g) if probe.g.ndim == 1 else -1
    _must(probe.g.shape == probe.local.shape == (count,), where, "a probe has not one factor for each g")
    _must(probe.at.ndim == 2 and len(probe.at) == count, where, "a probe has not one index for each g")
    _must(probe.at.dtype.kind in "iu", where, "the indices of a probe are no whole numbers")
    if incoming is not None and count:
        fits = probe.at.shape[1] == len(incoming) and (probe.at >= 0).all() and (probe.at < incoming).all()
        _must(bool(fits), where, "a probe looks at elements outside of g")


def _update(vertices: list[Vertex], update: Update, where: str) -> None:
    leaf = _vertex(vertices, update.vertex, LEAF, where)
    _must(_fits(update.before, leaf) and _fits(update.after, leaf), where, "a value has another shape than its leaf")


def _nudge(vertices: list[Vertex], nudge: Nudge, where: str) -> None:
    leaf = _vertex(vertices, nudge.vertex, LEAF, where)
    _must(_inside(nudge.cell, leaf.shape), where, f"it moves {nudge.cell}, outside of its leaf")
    paired = nudge.offsets.ndim == 1 and nudge.offsets.shape == nudge.results.shape
    _must(paired, where, "there is not one result for each offset")


def _vertex(vertices: list[Vertex], place: int, kind: str, where: str) -> Vertex:
    _must(place < len(vertices) and vertices[place].kind == kind, where, f"vertex {place} is no {kind}")
    return vertices[place]


def _shape(value: Any) -> tuple[int, ...] | None:
    return value.shape if isinstance(value, np.ndarray | Summary) else None


def _fits(value: Any, vertex: Vertex) -> bool:
    """Whether a value, if it is known, has the shape of a vertex; several results have none, and are a tuple."""
    return value is None or (isinstance(value, tuple) if vertex.shape is None else _shape(value) == vertex.shape)


def _inside(cell: tuple[int, ...], shape: tuple[int, ...] | None) -> bool:
    return shape is None or (len(cell) == len(shape) and all(k < n for k, n in zip(cell, shape, strict=True)))
