"""Folding: few cards stand for many operations, nothing is lost, and a larger budget only ever opens more."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import viz
from autograd import Tensor
from autograd.modes import in_scope
from viz.picture.folding import cards_of, fold
from viz.picture.program import elementwise
from viz.picture.repeats import periodic, repeats
from viz.picture.scene import Scene, compose
from viz.texts.words import called
from viz.tracing.model import COMPUTED, CONSTANT, GROUP, INPUT, LEAF, OP, Edge, Graph, Vertex
from viz.tracing.reading import graph


def parameter(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(0, 0.3, shape), requires_grad=True)


def residual(blocks: int, scopes: bool = False) -> Tensor:
    """Blocks h + tanh(h @ W + b), each with its own parameters."""
    h = np.ones((1, 4))
    for k in range(blocks):
        with in_scope(f"{k} Block" if scopes else "Net"):
            h = h + np.tanh(h @ parameter(4, 4, seed=k) + parameter(4, seed=k))
    return h.sum()


def recurrent(steps: int) -> Tensor:
    """Time steps as a plain loop, with shared parameters."""
    U, W, b = parameter(3, 4), parameter(4, 4), parameter(4)
    for name, leaf in {"U": U, "W": W, "b": b}.items():
        leaf.name = name
    h = np.zeros((1, 4))
    for _ in range(steps):
        h = np.tanh(np.ones((1, 3)) @ U + h @ W + b)
    return h.sum()


def scalars(width: int, layers: int) -> Tensor:
    """Layers of neurons, written with single numbers."""
    h = [float(k) for k in range(width)]
    for _ in range(layers):
        new = []
        for _ in range(width):
            z = parameter()
            for x in h:
                z = z + parameter() * x
            new.append(np.tanh(z))
        h = new
    total = h[0]
    for x in h[1:]:
        total = total + x
    return total


def model(blocks: int) -> Tensor:
    parts = [nn.Sequential(nn.Affine(4, 4), nn.ReLU()) for _ in range(blocks)]
    return nn.SoftmaxWithLoss()(nn.Sequential(*parts, nn.Affine(4, 3))(np.ones((2, 4))), np.zeros(2, int))


def irregular(operations: int) -> Graph:
    """A graph without any structure, as plain data."""
    pick = np.random.default_rng(0)
    vertices, edges = [Vertex(0, LEAF, shape=())], []
    for number in range(1, operations + 1):
        op = str(pick.choice(["add", "matmul", "exp"]))
        vertices.append(Vertex(number, OP, op, shape=()))
        sources = {number - 1, int(pick.integers(max(0, number - 20), number))}
        edges += [Edge(source, number, slot) for slot, source in enumerate(sorted(sources))]
    return Graph(vertices, edges)


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


# ---- any graph ----


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 80))
def test_a_folded_graph_is_small_acyclic_and_loses_nothing(whole, visible):
    folding = fold(whole, visible)
    drawn = folding.graph
    assert cards_of(drawn) <= visible
    assert [v.id for v in drawn.vertices] == list(range(len(drawn.vertices)))
    assert all(edge.source < edge.target for edge in drawn.edges)
    assert drawn.root.id == folding.shown_as[whole.root.id]
    for vertex, shown in zip(whole.vertices, folding.shown_as, strict=True):
        card = drawn.vertices[shown]
        assert (shown in folding.groups) == (card.kind == GROUP)
        assert card.kind in (GROUP, INPUT, vertex.kind)
    stands_for = [int(v.arguments["operations"]) if v.kind == GROUP else v.kind == OP for v in drawn.vertices]
    assert sum(stands_for) == sum(v.kind == OP for v in whole.vertices)


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 80))
def test_every_edge_is_shown_or_inside_one_card(whole, visible):
    folding = fold(whole, visible)
    for edge in whole.edges:
        source, target = folding.shown_as[edge.source], folding.shown_as[edge.target]
        shown = folding.edges.get((edge.target, edge.slot))
        if shown is None:
            assert source == target and target in folding.groups
        else:
            assert shown in folding.graph.edges
            assert shown.target == target
            assert shown.source == source or folding.graph.vertices[shown.source].kind == INPUT
    assert set(folding.graph.edges) == set(folding.edges.values())


@settings(max_examples=60, deadline=None)
@given(graphs(), st.lists(st.integers(1, 90), min_size=2, max_size=6))
def test_folding_is_monotone(whole, budgets):
    """What stands apart in a smaller picture stands apart in a larger one."""
    for small, large in itertools.pairwise(sorted(budgets)):
        fine, coarse = fold(whole, large), fold(whole, small)
        inside: dict[int, set[int]] = {}
        for v in whole.vertices:
            if v.kind == OP:
                inside.setdefault(fine.shown_as[v.id], set()).add(coarse.shown_as[v.id])
        assert all(len(cards) == 1 for cards in inside.values())


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_group_can_be_opened_by_itself(whole):
    folding = fold(whole, 12)
    for shown, group in folding.groups.items():
        own = {v.id for v in whole.vertices if v.kind == OP and folding.shown_as[v.id] == shown}
        drawn = [
            id for ids in group.instances for v, id in zip(group.inside.vertices, ids, strict=True) if v.kind == OP
        ]
        assert sorted(drawn) == sorted(own)
        for ids in group.instances:
            ops = {id: v.op for v, id in zip(group.inside.vertices, ids, strict=True) if v.kind == OP}
            assert all(whole.vertices[id].op == op for id, op in ops.items())
            wires = {(ids[e.source], ids[e.target], e.slot) for e in group.inside.edges}
            assert wires == {(e.source, e.target, e.slot) for e in whole.edges if e.target in ops}
        assert all(edge.source < edge.target for edge in group.inside.edges)
        assert cards_of(fold(group.inside, 5).graph) <= 5


# ---- what becomes a group ----


def labels(y: Tensor, visible: int = 150) -> list[str]:
    return [v.op for v in fold(graph(y), visible).graph.vertices if v.kind in COMPUTED]


def test_a_small_graph_is_not_folded():
    whole = graph(residual(12))
    assert cards_of(whole) <= 150
    assert fold(whole).graph is whole


def test_the_smallest_pictures():
    x = parameter(2)
    assert viz.draw(x, visible=0).drawn.vertices[0].kind == LEAF
    assert labels(x * 2.0, visible=0) == ["multiply"]
    assert labels(np.sin(x * 2.0), visible=0) == ["all operations"]
    assert "Folded: 2 operations in 1 card." in viz.draw(np.sin(x * 2.0), visible=0).svg


def test_repeated_structure_is_folded_by_structure_whatever_it_is_called():
    """The first block adds a constant, so it is another structure; the second is shown, the others are the same."""
    block = ["matmul", "add", "tanh", "add"]
    assert labels(residual(40)) == [*block, *block, "matmul, 2 add, tanh ×38", "sum"]
    assert labels(residual(40, scopes=True)) == [*block, *block, "Block ×38", "sum"]


def test_modules_are_folded_first():
    assert labels(model(3), visible=3) == ["Sequential", "softmax_cross_entropy"]
    assert labels(model(60)) == ["affine", "relu", "Sequential ×59", "affine", "softmax_cross_entropy"]


def test_a_module_that_is_called_twice_is_two_groups():
    layer = nn.Sequential(nn.Affine(4, 4), nn.ReLU())
    h = layer(np.ones((2, 4)))
    h = layer(np.sum(h, axis=0, keepdims=True))
    assert labels(h.sum(), visible=8) == ["Sequential", "sum", "Sequential", "sum"]


def test_time_steps_are_one_block():
    whole = graph(recurrent(1000))
    folding = fold(whole)
    (group,) = folding.groups.values()
    assert group.label == "2 matmul, 2 add, tanh"
    assert [v.op for v in group.inside.vertices if v.kind == OP] == ["matmul", "matmul", "add", "add", "tanh"]
    assert [v.name for v in group.inside.vertices if v.kind == INPUT] == ["h"]
    steps = [v.id for v in whole.vertices if v.op == "tanh"]
    assert len(steps) == 1000
    assert [ids[-1] for ids in group.instances] == steps[1:]


def test_a_body_of_several_lines_is_cut_where_the_loop_ends():
    W = parameter(3, 3)
    h = np.exp(np.ones(3) @ W)  # like the end of a step, but none
    for _ in range(90):
        h = np.sin(h)
        h = h @ W
        h = np.exp(h)
    assert labels(h.sum()) == ["matmul", "exp", "sin", "matmul", "exp", "sin, matmul, exp ×89", "sum"]


def test_layers_of_neurons_are_not_run_together():
    """The neurons of all layers have the same structure, but only those of one layer have the same inputs."""
    width = 8
    neuron = "8 multiply, 8 add, tanh"
    names = labels(scalars(width, 6), visible=40)
    assert f"{neuron} ×{width}" in names or f"{neuron} ×{width - 1}" in names
    assert "64 multiply, 64 add, … ×4" in names
    assert max(int(times) for name in names for times in re.findall(rf"{neuron} ×(\d+)", name)) <= width


def test_chains_of_elementwise_operations_are_fused():
    x = parameter(3)
    h = np.exp(np.sin(np.tanh(x @ parameter(3, 3)))) @ parameter(3, 3)
    h = np.cos(h) + np.sin(h)  # sin and cos do not feed each other
    k = np.tanh(x @ parameter(3, 3))
    assert labels((np.sin(k) * k).sum(), visible=6) == ["matmul", "tanh", "sin, multiply", "sum"]  # tanh feeds two
    assert labels(h.sum(), visible=10) == ["matmul", "tanh, sin, exp", "matmul", "cos", "sin, add", "sum"]


def test_which_operations_are_elementwise_is_read_off_the_table():
    assert {"add", "tanh", "relu", "where"} <= elementwise()
    assert not {"matmul", "sum", "softmax", "sort", "cumsum"} & elementwise()


def test_a_graph_without_structure_is_cut_into_parts_and_shows_more_near_the_result():
    folding = fold(irregular(3000))
    sizes = [int(v.arguments["operations"]) for v in folding.graph.vertices if v.kind == GROUP]
    assert 75 <= cards_of(folding.graph) <= 150
    assert np.mean(sizes[: len(sizes) // 3]) > np.mean(sizes[-len(sizes) // 3 :])


def test_leaves_of_one_group_are_inside_and_shared_ones_beside_each():
    folding = fold(graph(recurrent(1000)))
    beside = Counter(v.name for v in folding.graph.vertices if v.kind == LEAF)
    assert beside == {"U": 1, "W": 1, "b": 1}
    places = Counter(e.source for e in folding.graph.edges if folding.graph.vertices[e.source].kind == LEAF)
    assert set(places.values()) == {2}
    assert not [v for v in fold(graph(residual(40)), visible=3).graph.vertices if v.kind == LEAF]


def test_many_leaves_at_one_card_share_one():
    whole = graph(np.stack([parameter() for _ in range(400)]).sum())
    drawn = fold(whole).graph
    assert [v.name or v.op for v in drawn.vertices] == ["400 leaves", "stack", "sum"]
    assert set(fold(whole).shown_as) == {0, 1, 2}


def test_a_hundred_thousand_operations_and_deep_scopes_need_no_recursion():
    for count, scope in ((100_000, ("A",)), (300, ("A",) * 3000)):
        ops = [
            Vertex(k, OP, ("sin", "cos", "add")[k % 3], shape=(), scope=scope[: 1 + k * 10]) for k in range(1, count)
        ]
        whole = Graph([Vertex(0, LEAF), *ops], [Edge(k - 1, k, 0) for k in range(1, count)])
        folding = fold(whole)
        assert cards_of(folding.graph) <= 150
        for group in folding.groups.values():
            assert sum(v.kind == OP for v in group.inside.vertices) >= 1


# ---- pictures of folded graphs ----

LARGE = {
    "residual net": lambda: graph(residual(60)),
    "blocks": lambda: graph(residual(60, scopes=True)),
    "recurrent net": lambda: graph(recurrent(1000)),
    "neurons": lambda: graph(scalars(8, 6)),
    "model": lambda: graph(model(60)),
    "no structure": lambda: irregular(2000),
}


@pytest.fixture(params=[(name, visible) for name in LARGE for visible in (20, 150)], ids=str)
def scene(request) -> Scene:
    name, visible = request.param
    return compose(fold(LARGE[name](), visible).graph)


def test_cards_and_wires_do_not_overlap(scene):
    boxes = {id(card): (card.x, card.y, card.x + card.width, card.y + card.height) for card in scene.cards}
    for a, b in itertools.combinations(boxes.values(), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for wire, card in itertools.product(scene.wires, scene.cards):
        x0, y0, x1, y1 = boxes[id(card)]
        for run in wire.runs:
            beside = run.x1 <= x0 + 1e-6 or x1 <= run.x0 + 1e-6
            assert beside or run.y <= y0 or y1 <= run.y or card.vertex.id in (wire.edge.source, wire.edge.target)
    for drop, card in itertools.product(scene.drops, scene.cards):
        x0, y0, x1, y1 = boxes[id(card)]
        top, bottom = sorted((drop.y0, drop.y1))
        assert not x0 < drop.x < x1 or bottom <= y0 + 1e-6 or y1 <= top + 1e-6


def test_frames_hold_what_is_in_their_module_and_nothing_else(scene):
    for frame, card in itertools.product(scene.frames, scene.cards):
        if card.vertex.kind in COMPUTED:
            inside = frame.x < card.x + card.width / 2 < frame.x + frame.width
            inside = inside and frame.y < card.y + card.height / 2 < frame.y + frame.height
            assert not inside or card.vertex.scope[frame.depth - 1 : frame.depth] == (frame.name,)
            if inside:
                assert frame.x <= card.x and card.x + card.width <= frame.x + frame.width
                assert frame.y <= card.y and card.y + card.height <= frame.y + frame.height


def test_a_large_graph_opens_folded_and_says_how_to_see_all():
    y = recurrent(1000)
    picture = viz.draw(y)
    root = ElementTree.fromstring(picture.svg)
    hint = "Folded: 4995 operations in 1 card. viz.draw(y, expand=True) shows all."
    assert hint in (root.findtext("{http://www.w3.org/2000/svg}desc") or "")
    assert hint in [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "5001 operations" in repr(picture)
    assert len(picture.graph.vertices) > 5001 > 20 > len(picture.drawn.vertices)
    everything = viz.draw(y, expand=True)
    assert everything.svg.count('<g class="card op') == 5001 + 1  # one in the legend
    assert "Folded" not in everything.svg


def test_dot_is_folded_in_the_same_way():
    y = recurrent(1000)
    assert "2 matmul, 2 add, tanh ×999" in viz.dot(y).source
    assert viz.dot(y).source.count("[label") < 20
    assert viz.dot(y, expand=True).source.count("tanh") == 1000


def test_a_group_shows_the_value_of_its_last_result():
    y = recurrent(1000)
    rng = np.random.default_rng
    U, W, b = (rng(0).normal(0, 0.3, shape) for shape in ((3, 4), (4, 4), (4,)))
    h = np.zeros((1, 4))
    for _ in range(1000):
        h = np.tanh(np.ones((1, 3)) @ U + h @ W + b)
    (card,) = [v for v in fold(graph(y)).graph.vertices if v.kind == GROUP]
    np.testing.assert_allclose(card.value, h, rtol=1e-12)
    assert card.shape == (1, 4)


def test_a_group_with_several_results_shows_none():
    folding = fold(graph(scalars(8, 6)), 40)
    several = [v for v in folding.graph.vertices if v.kind == GROUP and "results" in v.arguments]
    assert several
    assert all(v.value is None and v.shape is None for v in several)
    assert "results" in viz.draw(scalars(8, 6), visible=40).svg


def test_how_often_a_leaf_is_used_is_said_only_where_it_is_known():
    picture = viz.draw(recurrent(1000))
    assert "use 1 of" not in picture.svg and "use 1 of" not in viz.dot(recurrent(1000)).source
    (group,) = fold(picture.graph).groups.values()
    assert "use 1 of" not in viz.Picture(group.inside).svg
    rng = np.random.default_rng(0)
    leaves = [parameter() for _ in range(30)]
    total = sum(np.exp(leaf * rng.normal()) * leaf for _ in range(20) for leaf in leaves)
    assert "use 1 of" not in viz.draw(total).svg
    assert "use 1000 of 1000" in viz.draw(recurrent(1000), expand=True).svg


def test_everything_has_the_name_that_it_has_in_the_whole():
    whole = graph(model(60))
    folding = fold(whole)
    names, shown = called(whole), called(folding.graph)
    for vertex, name in zip(folding.graph.vertices, shown, strict=True):
        stands_for = [id for id, card in enumerate(folding.shown_as) if card == vertex.id]
        assert name == ("Sequential ×59" if vertex.kind == GROUP else names[stands_for[0]])
    (group,) = folding.groups.values()
    assert called(group.inside) == [names[id] for id in group.instances[0]]
    assert f"Computational graph of {names[-1]}: 122 operations" in viz.draw(model(60)).svg


def test_pictures_of_a_trace_show_its_gradients():
    """Those of the backward pass in it, also of operations, where the graph itself has none yet."""
    x, W = np.arange(6.0).reshape(2, 3), parameter(3, 2)
    W.name = "W"
    h = np.tanh(x @ W)
    y = (h * h).sum()
    shown = {v.name or v.op: v.gradient for v in viz.draw(viz.trace(y)).graph.vertices}
    th = np.tanh(x @ W.data)
    np.testing.assert_allclose(shown["W"], x.T @ (2 * th * (1 - th**2)), rtol=1e-12)
    np.testing.assert_allclose(shown["h"], 2 * th, rtol=1e-12)
    assert shown["y"] == 1
    assert W.grad is None
    assert "grad not computed" in viz.draw(y).svg


# ---- what repeats ----


@given(st.lists(st.integers(0, 2), max_size=60))
def test_what_is_found_does_repeat(sequence):
    for start, stop, period in periodic(sequence):
        assert sequence[start : stop - period] == sequence[start + period : stop]
    end = 0
    for start, period, times in repeats(sequence):
        assert start >= end and times > 1
        end = start + period * times
        assert sequence[start : end - period] == sequence[start + period : end]
    assert end <= len(sequence)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(3, 6), st.lists(st.integers(5, 9), max_size=8))
def test_three_of_the_same_are_always_found(block, times, before):
    covered: set[int] = set()
    for start, period, count in repeats(before + block * times + [99]):
        covered |= set(range(start, start + period * count))
    missing = set(range(len(before), len(before) + len(block) * times)) - covered
    assert len(missing) < len(block)


def test_instances_are_cut_where_it_costs_least():
    sequence = [7, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 8]
    cost = [9, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9]
    assert repeats(sequence, cost) == [(3, 3, 3)]
    assert repeats(sequence) == [(1, 3, 3)]
