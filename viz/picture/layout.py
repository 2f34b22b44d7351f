"""Where every box and every edge of a picture goes: a layered layout, from left to right.

An operation stands right of all its inputs (longest paths), and as late as possible where that makes edges shorter.
An edge that skips columns gets one small placeholder, a "bend", in each column on its way, shared by all edges of the
same source; bends claim room like boxes do, so long edges run around boxes. Barycentre sweeps order every column. The
vertical places are then the exact least-squares answer under "keep this order and this distance", by pooling adjacent
violators. Every operation wants the height of its deepest input, its spine: that keeps a recurrent net's chain or a
residual net's trunk on one straight line instead of drifting downhill.

Everything is a loop over lists: columns hold too few boxes for arrays to pay. Deterministic, without recursion.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

GAP_X = 52.0  # between columns; grows with the steepest edge that crosses the gap
GAP_Y = 22.0  # between boxes of one column
BEND = 7.0  # half the height that a passing edge claims
LANE, LANES = 9.0, 24  # distance and number of the lanes for edges that run above the whole picture
ORDER_SWEEPS = 8
PLACE_SWEEPS = 8


class Box(NamedTuple):
    """What the layout must know of a drawn operation: its width, and its extent above and below its port line."""

    width: float
    above: float
    below: float


class Link(NamedTuple):
    """An edge between boxes."""

    source: int
    target: int


class Run(NamedTuple):
    """A horizontal piece of an edge: from x0 to x1 at height y."""

    x0: float
    x1: float
    y: float


class Route(NamedTuple):
    """The runs that an edge passes, left to right. A branch starts on a longer edge of its source, not at the box."""

    runs: list[Run]
    branch: bool


class Layout(NamedTuple):
    """The answer: for box i its left edge `x[i]` and port line `y[i]`, for each edge its route.

    `column[i]` is the column of box i; `columns[c]` lists the boxes of column c from top to bottom.
    """

    x: list[float]
    y: list[float]
    routes: list[Route]
    column: list[int]
    columns: list[list[int]]
    width: float
    top: float
    bottom: float


def arrange(boxes: Sequence[Box], edges: Sequence[Link]) -> Layout:
    """Lay out boxes numbered in topological order (every edge runs to a higher number; the last box is the result)."""
    column = columns_of(len(boxes), edges)
    net = Net(boxes, edges, column)
    columns = order(net)
    y = place(net, columns)
    left, right = sides(net, boxes, y)
    x = [(left[c] + right[c] - box.width) / 2 for box, c in zip(boxes, column)]
    top = min(height - above for height, above in zip(y, net.above))
    bottom = max(height + below for height, below in zip(y, net.below))
    routes, top = route(net, boxes, x, y, left, right, top)
    only_boxes = [[v for v in members if v < len(boxes)] for members in columns]
    return Layout(x, y[: len(boxes)], routes, column, only_boxes, right[-1], top, bottom)


def columns_of(count: int, edges: Sequence[Link]) -> list[int]:
    """Column of each box: longest path from the sources, then one pass that moves boxes late where that saves edge.

    Moving a box right shortens the edges to its consumers and stretches those from its inputs, except from inputs that
    can follow it: trees of sources that feed nothing else. It moves if it shortens more than it stretches.
    """
    inputs: list[list[int]] = [[] for _ in range(count)]
    outputs: list[list[int]] = [[] for _ in range(count)]
    for edge in edges:
        inputs[edge.target].append(edge.source)
        outputs[edge.source].append(edge.target)
    column = [0] * count
    anchors = [0] * count  # inputs that cannot follow
    for v in range(count):
        column[v] = max([column[u] + 1 for u in inputs[v]], default=0)
        anchors[v] = sum(1 for u in inputs[v] if anchors[u] or len(outputs[u]) > 1)
    for v in reversed(range(count)):
        if len(outputs[v]) > anchors[v]:
            column[v] = min(column[w] for w in outputs[v]) - 1
    return column


class Net:
    """Boxes and bends with the links between neighbouring columns. Vertices are the boxes, then the bends.

    `trail[u]` lists the bends of source u by column. Edges in `overhead` would need too many bends: they get none and
    run above the picture.
    """

    def __init__(self, boxes: Sequence[Box], edges: Sequence[Link], column: Sequence[int]):
        self.count = len(boxes)
        self.edges = edges
        self.column = list(column)
        self.above = [box.above for box in boxes]
        self.below = [box.below for box in boxes]
        self.trail: dict[int, list[int]] = {}
        self._add_bends()
        self.overhead = {e for e in edges if self.skips(e) and e.source not in self.trail}
        self._link()

    def skips(self, edge: Link) -> int:
        """How many columns lie between the two ends."""
        return self.column[edge.target] - self.column[edge.source] - 1

    def _add_bends(self) -> None:
        """Shortest trails first, as long as the number of bends stays in proportion to the number of boxes."""
        reach: dict[int, int] = {}
        for edge in self.edges:
            if self.skips(edge):
                reach[edge.source] = max(reach.get(edge.source, 0), self.skips(edge))
        room = 2000 + 2 * self.count
        for u in sorted(reach, key=lambda u: (reach[u], u)):
            room -= reach[u]
            if room < 0:
                break
            first = len(self.column)
            self.trail[u] = list(range(first, first + reach[u]))
            self.column += range(self.column[u] + 1, self.column[u] + 1 + reach[u])
            self.above += [BEND] * reach[u]
            self.below += [BEND] * reach[u]

    def last_stop(self, edge: Link) -> int:
        """The vertex one column left of the edge's target, where the edge comes from in the end."""
        return self.trail[edge.source][self.skips(edge) - 1] if self.skips(edge) else edge.source

    def _link(self) -> None:
        self.inputs: list[list[int]] = [[] for _ in self.column]
        self.outputs: list[list[int]] = [[] for _ in self.column]
        links = [(self.last_stop(edge), edge.target) for edge in self.edges if edge not in self.overhead]
        for u, bends in self.trail.items():
            links += zip([u, *bends], bends)
        for u, v in links:
            self.inputs[v].append(u)
            self.outputs[u].append(v)


def order(net: Net) -> list[list[int]]:
    """Order each column from top to bottom, with few crossings: barycentre sweeps, the best one kept."""
    columns: list[list[int]] = [[] for _ in range(1 + max(net.column))]
    for v in _slot_order(net):
        columns[net.column[v]].append(v)
    position = [0.0] * len(net.column)
    for column in columns:
        _number(column, position)
    best, fewest = [list(c) for c in columns], _crossings(net, columns, position)
    before = float("inf")
    for sweep in range(ORDER_SWEEPS):
        if sweep % 2 == 0:
            if not fewest or fewest > 0.99 * before:  # forth and back for nothing
                break
            before = fewest
        near, path = (net.inputs, columns) if sweep % 2 == 0 else (net.outputs, columns[::-1])
        for column in path:
            _sort_column(column, near, position)
        crossings = _crossings(net, columns, position)
        if crossings < fewest:
            best, fewest = [list(c) for c in columns], crossings
    return best


def _slot_order(net: Net) -> list[int]:
    """All vertices, depth first from the result, inputs in slot order: what is written first is drawn higher."""
    seen = [False] * len(net.column)
    found = []
    stack = [net.count - 1] + [v for v in range(len(net.column)) if not net.outputs[v] and v != net.count - 1]
    stack.reverse()
    while stack:
        v = stack.pop()
        if not seen[v]:
            seen[v] = True
            found.append(v)
            stack += reversed(net.inputs[v])
    return found


def _number(column: list[int], position: list[float]) -> None:
    for place, v in enumerate(column):
        position[v] = place


def _sort_column(column: list[int], near: list[list[int]], position: list[float]) -> None:
    if len(column) > 1:
        for v in column:
            if near[v]:
                position[v] = sum([position[u] for u in near[v]]) / len(near[v])
        column.sort(key=position.__getitem__)
        _number(column, position)


def _crossings(net: Net, columns: list[list[int]], position: list[float]) -> int:
    """Number of pairs of links that cross."""
    total = 0
    for column in columns:
        if len(column) > 1:
            ends: list[float] = []
            for u in column:
                for end in sorted([position[v] for v in net.outputs[u]]):
                    total += len(ends) - bisect_right(ends, end)
                    insort(ends, end)
    return total


def place(net: Net, columns: list[list[int]]) -> list[float]:
    """Height of every vertex: sweeps that move each column towards its neighbours, never closer than boxes allow."""
    y = [0.0] * len(net.column)
    spacing = [[net.below[u] + _gap(net, u, v) + net.above[v] for u, v in pairwise(c)] for c in columns]
    spine, heirs, weight = lines(net)
    pulls = [near or ins or out for near, ins, out in zip(spine, net.inputs, net.outputs)]
    pushes = [near or ins for near, ins in zip(heirs, net.inputs)]
    for sweep in range(PLACE_SWEEPS):
        rightwards = sweep % 2 == 0
        near = pulls if rightwards else pushes
        for column, gaps in zip(columns, spacing) if rightwards else zip(columns[::-1], spacing[::-1]):
            wanted = [sum([y[u] for u in near[v]]) / len(near[v]) if near[v] else y[v] for v in column]
            for v, height in zip(column, pool(wanted, [weight[v] for v in column], gaps)):
                y[v] = height
    return y


def _gap(net: Net, u: int, v: int) -> float:
    return GAP_Y if u < net.count and v < net.count else GAP_Y / 3


def lines(net: Net) -> tuple[list[list[int]], list[list[int]], list[float]]:
    """Spine, heirs and weight of every vertex: which vertices should share one straight line.

    The heirs of a vertex are its consumers with the longest way to the result. Its spine are the inputs that have it as
    heir and end the longest line so far; ties share. The longer the whole line, the less its vertices give way
    (to the fourth power, so that a long line hardly drifts).
    """
    vertices = sorted(range(len(net.column)), key=net.column.__getitem__)
    to_result, furthest = [0] * len(vertices), [0] * len(vertices)
    heirs = list(net.outputs)
    for u in reversed(vertices):
        if heirs[u]:
            furthest[u] = max([to_result[v] for v in heirs[u]])
            to_result[u] = furthest[u] + (u < net.count)
        if len(heirs[u]) > 1:
            heirs[u] = [v for v in heirs[u] if to_result[v] == furthest[u]]
    length = [1] * len(vertices)
    spine = list(net.inputs)
    for v in vertices:
        if any(furthest[u] != to_result[v] for u in spine[v]):
            spine[v] = [u for u in spine[v] if furthest[u] == to_result[v]]
        if spine[v]:
            length[v] += max([length[u] for u in spine[v]])
        if len(spine[v]) > 1:
            spine[v] = [u for u in spine[v] if length[u] == length[v] - 1]
    for v in reversed(vertices):
        for u in spine[v][:1]:
            length[u] = max(length[u], length[v])
    return spine, heirs, [float(n) ** 4 for n in length]


def pool(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Heights closest to `wanted` (weighted least squares) with y[i+1] - y[i] >= gaps[i], exactly, in linear time.

    Measured from the tightest packing this is isotonic regression: neighbours in the wrong order share their mean.
    """
    if not gaps:
        return list(wanted)
    packed = [0.0]
    for gap in gaps:
        packed.append(packed[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for want, weight, offset in zip(wanted, weights, packed):
        mean, members = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_members = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, members = weight + other_weight, members + other_members
        pools.append((mean, weight, members))
    shifts = [mean for mean, _, members in pools for _ in range(members)]
    return [shift + offset for shift, offset in zip(shifts, packed)]


def sides(net: Net, boxes: Sequence[Box], y: list[float]) -> tuple[list[float], list[float]]:
    """Left and right side of every column. A gap widens where an edge is steep."""
    widths = [0.0] * (1 + max(net.column))
    for box, c in zip(boxes, net.column):
        widths[c] = max(widths[c], box.width)
    climb = [0.0] * len(widths)
    for u, c in enumerate(net.column):
        climb[c] = max([climb[c], *(abs(y[v] - y[u]) for v in net.outputs[u])])
    left, right = [0.0], [widths[0]]
    for width, steepest in zip(widths[1:], climb):
        left.append(right[-1] + GAP_X + min(steepest / 6, 2 * GAP_X))
        right.append(left[-1] + width)
    return left, right


def route(
    net: Net, boxes: Sequence[Box], x: list[float], y: list[float], left: list[float], right: list[float], top: float
) -> tuple[list[Route], float]:
    """The route of every edge, and the new top of the picture with the lanes for what runs above it."""
    lanes = {u: top - LANE * (1 + i % LANES) for i, u in enumerate(sorted({e.source for e in net.overhead}))}
    drawn: set[int] = set()  # sources whose trail is drawn; their other edges branch off it
    routes: dict[int, Route] = {}
    for i in sorted(range(len(net.edges)), key=lambda i: -net.skips(net.edges[i])):
        edge, u, v = net.edges[i], net.edges[i].source, net.edges[i].target
        start, end = net.column[u], net.column[v]
        leave = Run(x[u] + boxes[u].width, right[start], y[u])
        arrive = Run(left[end], x[v], y[v])
        if edge in net.overhead:
            between = [Run(right[start] + GAP_X / 2, left[end] - GAP_X / 2, lanes[u])]
        else:
            bends = net.trail[u][: net.skips(edge)] if net.skips(edge) else []
            between = [Run(left[net.column[b]], right[net.column[b]], y[b]) for b in bends]
        branch = bool(between) and u in drawn
        if branch:
            stop = between[-1]
            routes[i] = Route([Run(stop.x1, stop.x1, stop.y), arrive], branch)
        else:
            routes[i] = Route([leave, *between, arrive], branch)
        if between:
            drawn.add(u)
    return [routes[i] for i in range(len(routes))], min([top, *lanes.values()])
