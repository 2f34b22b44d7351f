"""The pictures that the player plays on: laid out once, with room for everything that will ever be written in them.

A card gets the widest text of its life to be laid out with, and is drawn with the last one. So nothing moves between
steps, and where no script runs the picture is the finished one. A large graph is folded: the first picture, then one of
the inside of each group and of the groups in there, as far as there is room, and one of every operation.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from viz.picture import svg
from viz.picture.cards import card_rows
from viz.picture.folding import Folding, cards_of, fold
from viz.picture.room import lives, widest
from viz.picture.scene import compose
from viz.texts.words import called
from viz.tracing.model import COMPUTED, GROUP, Excerpt, Graph, Trace, Vertex

OPENING = "A click on a group opens it."
CHANGING = ("title", "value", "gradient")  # rows that another instance, or another step, writes anew
INSIDES, WHOLE = 1200, 1200  # cards of all insides together; of a picture of every operation


def views(record: Trace) -> list[dict[str, Any]]:
    """The pictures as plain data; the first is the one to begin with.

    `shown[k]` is the card of vertex k of a view's graph and `about[card]` the vertex that a card speaks of; vertex k is
    number `instances[i][k]` in the trace, for each repetition i. `edges` are those drawn, `arcs` says which of them
    shows [target, slot]. `groups` are cards with more inside, `inside` the number of that view. Of a view that shows
    the trace's graph as it is, only the picture and the edges are needed.
    """
    painter, graph = Painter(record), record.graph
    found: list[dict[str, Any]] = []
    work: deque[tuple[Graph, list[Sequence[int]], dict[str, Any]]] = deque([(graph, [range(len(graph.vertices))], {})])
    room = INSIDES + cards_of(fold(graph).graph)
    while work:
        part, instances, group = work.popleft()
        folding = fold(part)
        room -= cards_of(folding.graph)
        if room < 0:
            break
        group["inside"] = len(found)
        view = painter.view(part, folding, instances)
        found.append(view)
        for id, inner in folding.groups.items():
            repeated: list[Sequence[int]] = [
                [ids[k] for k in members] for ids in instances for members in inner.instances
            ]
            view["groups"][id] = {"label": inner.label, "times": len(inner.instances)}
            work.append((inner.inside, repeated, view["groups"][id]))
    if "shown" in found[0] and cards_of(graph) <= WHOLE:
        same = Folding(graph, list(range(len(graph.vertices))), {(e.target, e.slot): e for e in graph.edges})
        found.append(painter.view(graph, same, [range(len(graph.vertices))]))
    return found


class Painter:
    """Draws parts of a record's graph."""

    def __init__(self, record: Trace):
        self.whole = record.graph
        self.called = called(record.graph)
        values, gradients = lives(record)
        self.widest_value = {id: widest(found) for id, found in values.items()}
        self.widest_gradient = {id: widest(found) for id, found in gradients.items()}
        self.last_gradient = {id: found[-1] for id, found in gradients.items() if found}

    def view(self, part: Graph, folding: Folding, instances: list[Sequence[int]]) -> dict[str, Any]:
        """One picture, as `views` describes it."""
        drawn = folding.graph
        about = _about(part, folding)
        edges = [[e.source, e.target, e.slot] for e in drawn.edges]
        picture = {"svg": self._svg(drawn, about, instances), "edges": edges, "groups": {}}
        if part is self.whole and len(drawn.vertices) == len(part.vertices):
            return picture
        number = {id(edge): k for k, edge in enumerate(drawn.edges)}
        arcs = [[target, slot, number[id(edge)]] for (target, slot), edge in folding.edges.items()]
        scopes = [vertex.scope for vertex in drawn.vertices]
        kept = [] if part is self.whole else instances
        return picture | {"shown": folding.shown_as, "about": about, "arcs": arcs, "scopes": scopes, "instances": kept}

    def _svg(self, drawn: Graph, about: list[int | None], instances: list[Sequence[int]]) -> str:
        last, wide, names, longest = [], [], called(drawn), []
        for vertex, k in zip(drawn.vertices, about, strict=True):
            ids = [] if k is None else [instance[k] for instance in instances]
            gradient = self.last_gradient.get(ids[0]) if ids else None
            last.append(replace(vertex, gradient=gradient))
            longest.append(None if vertex.kind == GROUP or not ids else max([self.called[id] for id in ids], key=len))
            value = widest([vertex.value, *[self.widest_value.get(id) for id in ids]])
            wide.append(replace(vertex, value=value, gradient=widest([self.widest_gradient.get(id) for id in ids])))
        scene = compose(
            Excerpt(wide, drawn.edges, longest) if isinstance(drawn, Excerpt) else replace(drawn, vertices=wide)
        )
        for card in scene.cards:
            card.vertex, card.name = last[card.vertex.id], names[card.vertex.id]
            written = {row.kind: row for row in card_rows(card.vertex, card.name)}
            card.rows = [written.get(row.kind, row) if row.kind in CHANGING else row for row in card.rows]
        return svg.draw(scene._replace(graph=replace(drawn, vertices=last)), styled=False, opening=OPENING)


def _about(part: Graph, folding: Folding) -> list[int | None]:
    """The vertex whose value and gradient each card shows: of a group with one result, its last operation."""
    members: dict[int, list[int]] = defaultdict(list)
    for k, card in enumerate(folding.shown_as):
        members[card].append(k)
    return [_result(part, vertex, members[vertex.id]) for vertex in folding.graph.vertices]


def _result(part: Graph, card: Vertex, members: list[int]) -> int | None:
    if len(members) == 1:
        return members[0]
    return max(k for k in members if part.vertices[k].kind in COMPUTED) if card.shape is not None else None
