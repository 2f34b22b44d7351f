"""The picture of a graph with marks on its cards, folded where it is large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from viz.picture.cards import Row
from viz.picture.folding import VISIBLE, fold
from viz.picture.picture import Picture
from viz.tracing.model import Graph


def marked(graph: Graph, lines: Mapping[int, list[str]], verdicts: Mapping[int, str]) -> Picture:
    """The picture with lines added to the cards of some vertices; a card that stands for several counts verdicts."""
    folding = fold(graph, VISIBLE)
    shown: dict[int, list[int]] = {}
    for id in lines:
        shown.setdefault(folding.shown_as[id], []).append(id)
    found = {}
    for card, ids in shown.items():
        counted = Counter(verdicts[id] for id in ids)
        found[card] = lines[ids[0]] if len(ids) == 1 else [f"{count} {verdict}" for verdict, count in counted.items()]
    return Picture(graph, folding.graph, {card: [Row("mark", text) for text in texts] for card, texts in found.items()})
