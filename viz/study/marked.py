"""Pictures of graphs with marks on their cards: of one, folded where it is large, and of two, one above the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from html import escape

from viz.picture.cards import Row
from viz.picture.folding import VISIBLE, fold
from viz.picture.picture import Picture
from viz.picture.raster import size as size_of
from viz.texts.words import heading
from viz.tracing.model import Edge, Graph, Trace


def marked(graph: Graph, lines: Mapping[int, list[str]], verdicts: Mapping[int, str], source: Trace) -> Picture:
    """The picture with lines added to the cards of some vertices; a card that stands for several counts verdicts."""
    folding = fold(graph, VISIBLE)
    shown: dict[int, list[int]] = {}
    for id in lines:
        shown.setdefault(folding.shown_as[id], []).append(id)
    found = {}
    for card, ids in shown.items():
        counted = Counter(verdicts[id] for id in ids)
        found[card] = lines[ids[0]] if len(ids) == 1 else [f"{count} {verdict}" for verdict, count in counted.items()]
    marks = {card: [Row("mark", text) for text in texts] for card, texts in found.items()}
    return Picture(graph, folding.graph, marks, source=source)


def beneath(picture: Picture, text: str) -> str:
    """HTML for a notebook: the picture, and below it what it says."""
    return f"{picture.svg}<pre>{escape(text, quote=False)}</pre>"


class Above(Picture):
    """Two pictures as one: a above, b below."""

    source = None

    def __init__(self, a: Picture, b: Picture):
        self.graph = both(a.graph, b.graph)
        self.drawn = both(a.drawn, b.drawn)
        self.source = None
        self.svg = stacked(a.svg, b.svg, f"a: {heading(a.drawn)}; b: {heading(b.drawn)}")


def stacked(a: str, b: str, title: str) -> str:
    """One SVG text that holds two of ours, one above the other."""
    sizes = size_of(a), size_of(b)
    width, height = max(sizes[0][0], sizes[1][0]), sizes[0][1] + sizes[1][1]
    lower = b.replace("<svg ", f'<svg y="{sizes[0][1]:g}" ', 1)
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="seegrad" role="group" {size}>'
    paper = f'<rect class="paper" width="{width:g}" height="{height:g}"/>'
    return f"{opening}\n<title>{escape(title)}</title>\n{paper}\n{a}{lower}</svg>\n"


def both(a: Graph, b: Graph) -> Graph:
    """Two graphs as one that is not connected."""
    shift = len(a.vertices)
    edges = [Edge(e.source + shift, e.target + shift, e.slot, e.name) for e in b.edges]
    return Graph([*a.vertices, *(replace(v, id=v.id + shift) for v in b.vertices)], [*a.edges, *edges])


def framed(graph: Graph, name: str) -> Graph:
    """The graph inside a frame of its own."""
    return Graph([replace(v, scope=(name, *v.scope)) for v in graph.vertices], graph.edges)
