"""The layout: nothing overlaps, everything flows to the right, long edges run around boxes, straight stays straight."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from viz.picture.layout import GAP_Y, Box, Layout, Link, arrange, pool


def residual(blocks: int) -> list[tuple[int, int]]:
    """x -> three operations -> add to x, again and again."""
    first = range(0, 4 * blocks, 4)
    return [e for v in first for e in [(v, v + 1), (v + 1, v + 2), (v + 2, v + 3), (v, v + 4), (v + 3, v + 4)]]


def recurrent(steps: int) -> list[tuple[int, int]]:
    """h = tanh(x @ Wx + h @ Wh) for every step, the sum of h @ V as the result."""
    numbers = itertools.count()
    hidden, total, edges = None, None, []
    for _ in range(steps):
        step = next(numbers)
        if hidden is not None:
            recur, joined = next(numbers), next(numbers)
            edges += [(hidden, recur), (step, joined), (recur, joined)]
            step = joined
        hidden, out = next(numbers), next(numbers)
        edges += [(step, hidden), (hidden, out)]
        if total is not None:
            summed = next(numbers)
            edges += [(total, summed), (out, summed)]
            out = summed
        total = out
    return edges


def scattered(count: int, seed: int) -> list[tuple[int, int]]:
    """A random graph in which everything leads to the last box."""
    pick = random.Random(seed)
    edges = [(pick.randrange(max(0, v - 9), v), v) for v in range(1, count) for _ in range(pick.randint(1, 2))]
    used = {u for u, _ in edges}
    return edges + [(v, count - 1) for v in range(count - 1) if v not in used]


def stacked(count: int) -> list[tuple[int, int]]:
    """A chain all of whose members meet in the last box, as in np.stack([h1, h2, ...])."""
    return [(v, v + 1) for v in range(count - 2)] + [(v, count - 1) for v in range(count - 1)]


GRAPHS = {
    "single": [],
    "twice": [(0, 1), (0, 1)],
    "residual": residual(15),
    "recurrent": recurrent(30),
    "stacked": stacked(120),
    "wide": [(v, 50) for v in range(50)],
    **{f"scattered {seed}": scattered(60, seed) for seed in range(8)},
}


def sizes(count: int) -> list[Box]:
    pick = random.Random(count)
    return [Box(pick.uniform(40, 180), pick.uniform(15, 60), pick.uniform(15, 60)) for _ in range(count)]


def laid_out(name: str) -> tuple[list[Box], list[Link], Layout]:
    edges = GRAPHS[name]
    boxes = sizes(1 + max((v for edge in edges for v in edge), default=0))
    links = [Link(u, v) for u, v in edges]
    return boxes, links, arrange(boxes, links)


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_keep_their_distance(name):
    boxes, _, plan = laid_out(name)
    corners = [
        (x, y - box.above, x + box.width, y + box.below) for x, y, box in zip(plan.x, plan.y, boxes, strict=True)
    ]
    for a, b in itertools.combinations(corners, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] + GAP_Y <= b[1] + 1e-6 or b[3] + GAP_Y <= a[1] + 1e-6


@pytest.mark.parametrize("name", GRAPHS)
def test_every_edge_flows_to_the_right_into_its_target(name):
    boxes, links, plan = laid_out(name)
    for link, route in zip(links, plan.routes, strict=True):
        first, last = route.runs[0], route.runs[-1]
        assert (last.x1, last.y) == (plan.x[link.target], plan.y[link.target])
        if not route.branch:
            assert (first.x0, first.y) == (plan.x[link.source] + boxes[link.source].width, plan.y[link.source])
        stops = [x for run in route.runs for x in (run.x0, run.x1)]
        assert np.diff(stops).min() > -1e-9


@pytest.mark.parametrize("name", GRAPHS)
def test_edges_run_around_boxes(name):
    """A run is horizontal, and between two runs an edge stays in the gap between columns: checking runs is enough."""
    boxes, links, plan = laid_out(name)
    for link, route in zip(links, plan.routes, strict=True):
        for run in route.runs:
            for v, box in enumerate(boxes):
                beside = run.x1 <= plan.x[v] or plan.x[v] + box.width <= run.x0
                clear = run.y <= plan.y[v] - box.above or plan.y[v] + box.below <= run.y
                assert beside or clear or v in (link.source, link.target), (link, v)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_branch_starts_on_another_edge_of_its_source(name):
    _, links, plan = laid_out(name)
    for link, route in zip(links, plan.routes, strict=True):
        if route.branch:
            start = route.runs[0]
            trunks = [r for e, r in zip(links, plan.routes, strict=True) if e.source == link.source and not r.branch]
            assert any(run.x1 == start.x0 and run.y == start.y for trunk in trunks for run in trunk.runs)


@pytest.mark.parametrize("name", GRAPHS)
def test_everything_lies_inside_the_picture(name):
    boxes, _, plan = laid_out(name)
    for x, y, box in zip(plan.x, plan.y, boxes, strict=True):
        assert x > -1e-6 and x + box.width < plan.width + 1e-6
        assert plan.top < y - box.above + 1e-6 and y + box.below < plan.bottom + 1e-6
    assert all(plan.top <= run.y <= plan.bottom for route in plan.routes for run in route.runs)


def test_layout_is_deterministic():
    assert laid_out("scattered 3")[2] == laid_out("scattered 3")[2]


def test_the_trunk_of_a_residual_net_is_straight():
    plan = laid_out("residual")[2]
    assert np.ptp(plan.y) < 1


def test_a_recurrent_net_does_not_drift():
    edges = recurrent(300)
    count = 1 + edges[-1][1]
    plan = arrange([Box(100, 30, 30)] * count, [Link(u, v) for u, v in edges])
    assert plan.bottom - plan.top < 600


def test_an_operand_that_is_used_late_stands_late():
    """0 -> 1 -> 2 -> 3 -> 5, and 4 is needed only by 5."""
    plan = arrange([Box(50, 10, 10)] * 6, [Link(0, 1), Link(1, 2), Link(2, 3), Link(3, 5), Link(4, 5)])
    assert plan.column == [0, 1, 2, 3, 3, 4]


def test_the_first_operand_stands_above_the_second():
    plan = arrange([Box(50, 10, 10)] * 3, [Link(0, 2), Link(1, 2)])
    assert plan.y[0] < plan.y[2] < plan.y[1]


def test_crossings_are_removed():
    """Two chains that are given in crossed order."""
    links = [Link(0, 3), Link(1, 2), Link(2, 4), Link(3, 5), Link(5, 6), Link(4, 6)]
    plan = arrange([Box(50, 10, 10)] * 7, links)
    assert (plan.y[1] < plan.y[0]) == (plan.y[2] < plan.y[3]) == (plan.y[4] < plan.y[5])


def test_deep_and_wide_graphs_need_no_recursion():
    for edges in ([(v, v + 1) for v in range(20_000)], stacked(3_000), [(v, 5_000) for v in range(5_000)]):
        count = 1 + max(v for _, v in edges)
        plan = arrange([Box(50, 10, 10)] * count, [Link(u, v) for u, v in edges])
        assert len(plan.routes) == len(edges)


@pytest.mark.parametrize("seed", range(5))
def test_pool_finds_the_least_squares_heights(seed):
    """Optimality (KKT): no constraint is broken, and the pull inside every tight group is balanced."""
    rng = np.random.default_rng(seed)
    count = 12
    wanted, weights, gaps = rng.normal(0, 20, count), rng.uniform(0.1, 5, count), rng.uniform(0, 9, count - 1)
    y = np.array(pool(list(wanted), list(weights), list(gaps)))
    slack = np.diff(y) - gaps
    assert slack.min() > -1e-9
    force = np.cumsum(weights * (wanted - y))  # what each member passes on to the next one
    assert abs(force[-1]) < 1e-9
    assert (force[:-1] > -1e-9).all()  # boxes push, they never pull
    assert np.abs(force[:-1][slack > 1e-9]).max(initial=0) < 1e-9  # and only where they touch
