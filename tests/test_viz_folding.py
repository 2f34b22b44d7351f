"""Folding: few cards stand for many operations, nothing is lost, and a larger budget only ever opens more."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Tensor
from autograd.modes import in_scope
from viz.picture.folding import cards_of, fold
from viz.picture.repeats import periodic, repeats
from viz.tracing.model import COMPUTED, CONSTANT, GROUP, INPUT, LEAF, OP, Edge, Graph, Vertex
from viz.tracing.reading import graph


def parameter(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(0, 0.3, shape), requires_grad=True)


def residual(blocks: int, scopes: bool = False) -> Tensor:
    """Blocks h + tanh(h @ W + b), each with its own parameters."""
    h = np.ones((1, 4))
    for k in range(blocks):
        with in_scope(f"{k} Block" if scopes else ""):
            h = h + np.tanh(h @ parameter(4, 4, seed=k) + parameter(4, seed=k))
    return h.sum()


def recurrent(steps: int) -> Tensor:
    U, W, b = parameter(3, 4), parameter(4, 4), parameter(4)
    h = np.zeros((1, 4))
    for _ in range(steps):
        h = np.tanh(np.ones((1, 3)) @ U + h @ W + b)
    return h.sum()


@st.composite
def graphs(draw) -> Graph:
    """Any graph: random operations, scopes and wires, with everything leading to the last vertex."""
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    unused: list[int] = []
    ops: list[int] = []
    shared: list[int] = []
    for _ in range(draw(st.integers(1, 60))):
        sources = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["op", "op", "shared", LEAF, CONSTANT]))
            if kind == "op" and ops:
                sources.append(draw(st.sampled_from(ops[-9:])))
            elif kind == "shared" and shared:
                sources.append(draw(st.sampled_from(shared)))
            else:
                vertices.append(Vertex(len(vertices), CONSTANT if kind == CONSTANT else LEAF, shape=(2,)))
                sources.append(len(vertices) - 1)
                shared += [sources[-1]] * (kind != CONSTANT)
        scope = draw(st.sampled_from([(), ("A",), ("A", "B"), ("A", "C"), ("D",)]))
        op = draw(st.sampled_from(["add", "tanh", "matmul"]))
        vertices.append(Vertex(len(vertices), OP, op, shape=(2,), scope=scope))
        number = vertices[-1].id
        edges += [Edge(source, number, slot) for slot, source in enumerate(sources)]
        unused = [v for v in unused if v not in sources] + [number]
        ops.append(number)
    vertices.append(Vertex(len(vertices), OP, "stack", shape=(2,)))
    edges += [Edge(source, vertices[-1].id, slot) for slot, source in enumerate(unused)]
    return Graph(vertices, edges)


@settings(max_examples=150, deadline=None)
@given(graphs(), st.integers(1, 80))
def test_a_folded_graph_is_small_acyclic_and_loses_nothing(whole, visible):
    folding = fold(whole, visible)
    drawn = folding.graph
    assert [v.id for v in drawn.vertices] == list(range(len(drawn.vertices)))
    assert all(edge.source < edge.target for edge in drawn.edges)
    assert drawn.root.id == folding.shown_as[whole.root.id]
    for vertex, shown in zip(whole.vertices, folding.shown_as, strict=True):
        card = drawn.vertices[shown]
        assert shown in folding.groups or card.kind == INPUT or card.kind == vertex.kind
    for edge in whole.edges:
        ends = folding.shown_as[edge.source], folding.shown_as[edge.target]
        visible_edge = folding.edges.get((edge.target, edge.slot))
        if visible_edge is None:
            assert ends[0] == ends[1] or whole.vertices[edge.source].kind not in COMPUTED
            assert ends[1] in folding.groups
        else:
            assert visible_edge.target == ends[1]
            assert visible_edge in drawn.edges
            assert visible_edge.source == ends[0] or drawn.vertices[visible_edge.source].kind == INPUT
    stands_for = [int(v.arguments["operations"]) if v.kind == GROUP else v.kind == OP for v in drawn.vertices]
    assert sum(stands_for) == sum(v.kind == OP for v in whole.vertices)


@settings(max_examples=150, deadline=None)
@given(graphs(), st.lists(st.integers(1, 90), min_size=2, max_size=6))
def test_folding_is_monotone(whole, budgets):
    """Whatever a smaller picture shows apart, a larger one shows apart; and none is larger than its budget."""
    for small, large in zip(sorted(budgets), sorted(budgets)[1:], strict=False):
        fine, coarse = fold(whole, large), fold(whole, small)
        assert cards_of(fine.graph) <= max(large, 9) and cards_of(coarse.graph) <= max(small, 9)
        groups: dict[int, set[int]] = {}
        for v in whole.vertices:
            if v.kind == OP:
                groups.setdefault(fine.shown_as[v.id], set()).add(coarse.shown_as[v.id])
        assert all(len(inside) == 1 for inside in groups.values())


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_a_group_can_be_opened_by_itself(whole):
    for shown, group in fold(whole, 12).groups.items():
        assert all(len(ids) == len(group.inside.vertices) for ids in group.instances)
        ops = [id for ids in group.instances for id in ids if whole.vertices[id].kind == OP]
        own = [id for id in ops if fold(whole, 12).shown_as[id] == shown]
        assert len(own) >= 2
        for ids in group.instances:
            for vertex, id in zip(group.inside.vertices, ids, strict=True):
                assert vertex.kind in (whole.vertices[id].kind, INPUT, LEAF, CONSTANT)
                if vertex.kind == OP:
                    assert vertex.op == whole.vertices[id].op
        assert all(edge.source < edge.target for edge in group.inside.edges)


def test_a_small_graph_is_not_folded():
    whole = graph(residual(12))
    assert cards_of(whole) <= 150
    assert fold(whole).graph is whole


def labels(y: Tensor, visible: int = 150) -> list[str]:
    return [v.op for v in fold(graph(y), visible).graph.vertices if v.kind in COMPUTED]


def test_repeated_structure_is_folded_by_structure_whatever_it_is_called():
    """The first block adds a constant, so it is another structure; the second is shown, the others are the same."""
    block = ["matmul", "add", "tanh", "add"]
    assert labels(residual(40)) == [*block, *block, "matmul, 2 add, tanh ×38", "sum"]
    assert labels(residual(40, scopes=True)) == [*block, *block, "Block ×38", "sum"]


def test_time_steps_are_one_block():
    whole = graph(recurrent(1000))
    folding = fold(whole)
    (group,) = folding.groups.values()
    assert len(group.instances) == 999
    assert [v.op for v in group.inside.vertices if v.kind == OP] == ["matmul", "matmul", "add", "add", "tanh"]
    steps = [id for id in range(len(whole.vertices)) if whole.vertices[id].op == "tanh"]
    results = [ids[-1] for ids in group.instances]
    assert results == steps[1:]


# ---- what repeats ----


@given(st.lists(st.integers(0, 2), max_size=60))
def test_what_is_found_does_repeat(sequence):
    for start, stop, period in periodic(sequence):
        assert sequence[start : stop - period] == sequence[start + period : stop]
    end = 0
    for start, period, times in repeats(sequence):
        assert start >= end
        end = start + period * times
        assert sequence[start : end - period] == sequence[start + period : end]
    assert end <= len(sequence)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(3, 6), st.lists(st.integers(5, 9), max_size=8))
def test_three_of_the_same_are_always_found(block, times, before):
    sequence = before + block * times + [99]
    covered = set()
    for start, period, count in repeats(sequence):
        covered |= set(range(start, start + period * count))
    assert set(range(len(before), len(before) + len(block) * times)) <= covered
