"""The picture that the player plays on: laid out once, with room for everything that will ever be written in it.

A card gets the widest text of its life to be laid out with, and is drawn with the last one. So nothing moves between
steps, and where no script runs the picture is the finished one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from viz.picture import svg
from viz.picture.cards import LONGEST, card_rows
from viz.picture.scene import compose
from viz.texts.text import fitting
from viz.tracing.model import Graph, Trace


def lives(record: Trace) -> tuple[dict[int, list[Any]], dict[int, list[Any]]]:
    """The values and the gradients that each vertex has, one after the other."""
    made: dict[int, list[Any]] = defaultdict(list)
    gradients: dict[int, list[Any]] = defaultdict(list)
    for vertex in record.graph.vertices:
        made[vertex.id].append(vertex.value)
    for step in record.backward:
        if not gradients[step.vertex]:
            gradients[step.vertex].append(step.incoming)
        for given in step.contributions:
            gradients[given.target].append(given.after)
    for update in record.updates:
        made[update.vertex].append(update.after)
    return made, gradients


def picture(record: Trace) -> str:
    """The SVG text of the stage; its colours are those of the page."""
    made, gradients = lives(record)
    vertices = record.graph.vertices
    last = {v.id: replace(v, gradient=gradients[v.id][-1] if gradients[v.id] else None) for v in vertices}
    wide = [replace(v, value=_widest(made[v.id]), gradient=_widest(gradients[v.id])) for v in vertices]
    scene = compose(Graph(wide, record.graph.edges))
    for card in scene.cards:
        written = {row.kind: row for row in card_rows(last[card.vertex.id])}
        card.vertex = last[card.vertex.id]
        card.rows = [written[row.kind] if row.kind in ("value", "gradient") else row for row in card.rows]
    return svg.draw(scene._replace(graph=Graph(list(last.values()), record.graph.edges)), styled=False)


def _widest(values: list[Any]) -> Any:
    return max(values, key=lambda value: len(fitting(value, LONGEST)), default=None)
