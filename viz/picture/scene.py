"""From a graph to shapes with coordinates: cards, wires and module frames. No drawing format is known here.

An operation is a card. Its leaves and constants are satellites, small cards above and below it in slot order, one copy
for each use: a weight that a thousand steps share costs a thousand short wires instead of one hairball. The layout sees
an operation and its satellites as one block. Module frames surround neighbouring blocks of one scope, as far as no
stranger stands between them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from viz.picture import layout
from viz.picture.cards import PAD, Card, Row, make_card
from viz.picture.frames import CAPTION, MARGIN, Frame, frames
from viz.picture.layout import Run
from viz.texts.words import called
from viz.tracing.model import COMPUTED, CONSTANT, Edge, Graph

REACH = 30.0  # length of a satellite's wire
STAIR = 30.0  # how far stacked satellites step aside, so that each wire is free
WIRE = 17.0  # where a stacked satellite's wire leaves it, from its left side
PORT = 15.0  # between edges that arrive at one card

Marks = Mapping[int, Sequence[Row]]


class Wire(NamedTuple):
    """An edge between operations: the runs it passes. A branch starts on a longer wire, not at a card."""

    edge: Edge
    runs: tuple[Run, ...]
    branch: bool


class Drop(NamedTuple):
    """An edge from a satellite: a vertical line from y0 to y1. `trained` says that a gradient flows back."""

    edge: Edge
    x: float
    y0: float
    y1: float
    trained: bool


class Scene(NamedTuple):
    """Everything to draw, in coordinates that start at (0, 0)."""

    graph: Graph
    cards: list[Card]
    wires: list[Wire]
    drops: list[Drop]
    frames: list[Frame]
    width: float
    height: float


class Block:
    """An operation with its satellites, in coordinates of its own: the port line is y = 0, the card starts at x = 0."""

    __slots__ = ("card", "drops", "ports", "satellites")

    def __init__(self, card: Card, satellites: list[tuple[Edge, Card]], ports: list[Edge]):
        self.card = card
        self.ports = ports  # the edges that come from other blocks
        self.satellites = [satellite for _, satellite in satellites]
        self.drops: list[Drop] = []
        card.y = -card.height / 2
        middle = ports[0].slot if ports else len(satellites) / 2
        self._stack([pair for pair in satellites if pair[0].slot < middle][::-1], up=True)
        self._stack([pair for pair in satellites if pair[0].slot >= middle], up=False)

    def _stack(self, satellites: list[tuple[Edge, Card]], up: bool) -> None:
        """Place satellites from the nearest outwards. Each steps left of the nearer one, so that wires are straight."""
        count = len(satellites)
        stair = min(STAIR, (self.card.width - STAIR) / max(1, count - 1))
        edge_of_card = self.card.y if up else self.card.y + self.card.height
        y = edge_of_card
        for i, (edge, satellite) in enumerate(satellites):
            satellite.x = stair * (count - 1 - i) if count > 1 else (self.card.width - satellite.width) / 2
            satellite.y = y - REACH - satellite.height if up else y + REACH
            x = satellite.x + WIRE if count > 1 else self.card.width / 2
            near, y = (y - REACH, satellite.y) if up else (y + REACH, satellite.y + satellite.height)
            self.drops.append(Drop(edge, x, near, edge_of_card, satellite.vertex.kind != CONSTANT))

    def cards(self) -> list[Card]:
        return [self.card, *self.satellites]

    def box(self) -> layout.Box:
        """Size for the layout, with room for the frames of the operation's scope."""
        depth = len(self.card.vertex.scope)
        above = -min(card.y for card in self.cards())
        below = max(card.y + card.height for card in self.cards())
        width = self.right() - self.left() + 2 * MARGIN * depth
        return layout.Box(width, above + CAPTION * depth, below + MARGIN * depth)

    def left(self) -> float:
        return min(card.x for card in self.cards())

    def right(self) -> float:
        return max(card.x + card.width for card in self.cards())

    def settle(self, middle: float, y: float) -> None:
        """Move everything to the place that the layout found."""
        dx = middle - (self.left() + self.right()) / 2
        for card in self.cards():
            card.x, card.y = card.x + dx, card.y + y
        self.drops = [Drop(d.edge, d.x + dx, d.y0 + y, d.y1 + y, d.trained) for d in self.drops]


def compose(graph: Graph, marks: Marks | None = None) -> Scene:
    """Lay out a graph. `marks` are rows to add to the cards of some vertices."""
    blocks = _blocks(graph, marks or {})
    number = {block.card.vertex.id: i for i, block in enumerate(blocks)}
    edges = [edge for block in blocks for edge in block.ports]
    links = [layout.Link(number[edge.source], number[edge.target]) for edge in edges]
    boxes = [block.box() for block in blocks]
    plan = layout.arrange(boxes, links)
    for block, box, x, y in zip(blocks, boxes, plan.x, plan.y):
        block.settle(x + box.width / 2, y - plan.top)
    cards = {block.card.vertex.id: block.card for block in blocks}
    wires = _wires(edges, plan, cards)
    return Scene(
        graph,
        [card for block in blocks for card in block.cards()],
        wires,
        [drop for block in blocks for drop in block.drops],
        frames([block.card.vertex.scope for block in blocks], boxes, links, plan),
        plan.width,
        plan.bottom - plan.top,
    )


def _wires(edges: list[Edge], plan: layout.Layout, cards: dict[int, Card]) -> list[Wire]:
    """The layout ends routes at the middle of blocks; wires go on to the cards, side by side where several meet."""
    paths = [[Run(run.x0, run.x1, run.y - plan.top) for run in route.runs] for route in plan.routes]
    leaving, arriving = defaultdict(list), defaultdict(list)
    for i, (edge, route) in enumerate(zip(edges, plan.routes)):
        if not route.branch:
            leaving[edge.source].append(i)
        arriving[edge.target].append(i)
    for source, wires in leaving.items():
        wires.sort(key=lambda i: paths[i][1].y)
        for i, shift in zip(wires, _ports([paths[i][1].y - paths[i][0].y for i in wires], cards[source].height)):
            run = paths[i][0]
            paths[i][0] = Run(cards[source].x + cards[source].width, run.x1, run.y + shift)
    for target, wires in arriving.items():
        for i, shift in zip(wires, _ports([paths[i][-2].y - paths[i][-1].y for i in wires], cards[target].height)):
            run = paths[i][-1]
            paths[i][-1] = Run(run.x0, cards[target].x, run.y + shift)
    return [Wire(edge, tuple(path), route.branch) for edge, path, route in zip(edges, paths, plan.routes)]


def _ports(slopes: list[float], height: float) -> list[float]:
    """Where wires meet the side of a card, from the middle. The straightest wire gets the middle."""
    straight = min(range(len(slopes)), key=lambda i: (abs(slopes[i]), i))
    most = max(straight, len(slopes) - 1 - straight, 1)
    step = min(PORT, (height / 2 - PAD) / most)
    return [(i - straight) * step for i in range(len(slopes))]


def _blocks(graph: Graph, marks: Marks) -> list[Block]:
    """One block for each operation, oldest first. A graph without operations is the card of its only leaf."""
    uses, names = graph.uses(), called(graph)
    used: Counter[int] = Counter()
    blocks = []
    for vertex, inputs in zip(graph.vertices, graph.inputs()):
        if vertex.kind not in COMPUTED and vertex is not graph.root:
            continue
        ports, satellites = [], []
        for edge in inputs:
            source = graph.vertices[edge.source]
            if source.kind in COMPUTED:
                ports.append(edge)
            else:
                used[source.id] += 1
                use = used[source.id], uses[source.id]
                satellites.append((edge, make_card(source, names[source.id], *use, marks.get(source.id, ()))))
        card = make_card(vertex, names[vertex.id], marks=marks.get(vertex.id, ()))
        blocks.append(Block(card, satellites, ports))
    return blocks
