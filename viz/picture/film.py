"""The steps as a film: one frame for each moment, an animated GIF.

Every frame is the same picture. What has not happened yet is not there: a value appears when it is computed, a gradient
grows as it is added up. The edge of the moment is lit, and its sentence stands below. The layout is made once, with
room for the longest text that each card will hold, so nothing moves.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np

from viz.picture import raster, svg
from viz.picture.cards import Card, card_rows, text_width
from viz.picture.folding import VISIBLE, cards_of
from viz.picture.room import lives, widest
from viz.picture.scene import Scene, compose
from viz.texts.sentences import Sentences
from viz.texts.text import clean
from viz.tracing.holding import arrived, at_first
from viz.tracing.model import OP, Forward, Graph, Trace, Update, Vertex
from viz.tracing.moments import Moment, moments

MOST_FRAMES = 240
WIDEST, HIGHEST = 2000, 1200  # pixels
SHOWN, LAST = 1800, 5000  # milliseconds
LINE, LETTER, GAP = 20.0, 7 / 6, 8.0  # of the sentence; a letter beside one of a card
NARROWEST = 640.0
LONGEST = 600  # characters of a sentence
BETWEEN = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0)  # 0.3 is that of the wires which are not lit
UNKNOWN = 255
CALM = """
.seegrad .edge .wire { opacity: 0.3; }
.seegrad .sentence { font-size: 14px; }
.seegrad .result .body { stroke-width: 1.4; }
"""


@dataclass(frozen=True, slots=True)
class Instant:
    """What is known after a moment: values and gradients by vertex."""

    moment: Moment
    values: dict[int, Any]
    gradients: dict[int, Any]


def gif(record: Trace) -> bytes:
    """The film. Raises ImportError without the extra, ValueError where nobody would watch it to the end."""
    try:
        from PIL import Image
    except ImportError:
        raise raster.missing("gif") from None
    pictures = frames(record)
    width, height = raster.size(pictures[0])
    scale = min(2.0, WIDEST / width, HIGHEST / height)
    painter = Painter()
    shots = []
    for png in raster.shots(pictures, scale, "gif"):
        colours = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        shot = Image.frombytes("P", (colours.shape[1], colours.shape[0]), painter.numbers(colours).tobytes())
        shot.putpalette(painter.palette.tobytes())
        shots.append(shot)
    file = io.BytesIO()
    durations = [*[SHOWN] * (len(shots) - 1), LAST]
    shots[0].save(file, "GIF", save_all=True, append_images=shots[1:], duration=durations, loop=0, optimize=False)
    return file.getvalue()


class Painter:
    """One palette for a film: the colours of the style sheet, and between each ink and each paper, for smooth edges."""

    def __init__(self) -> None:
        papers: set[tuple[int, ...]] = set()
        inks: set[tuple[int, ...]] = set()
        for where, what, light, _ in svg.COLOURS:
            is_paper = what == "fill" and where.endswith((".body", ".sheet", ".paper"))
            (papers if is_paper else inks).add(tuple(bytes.fromhex(light[1:])))
        paper, ink = np.array(sorted(papers))[:, None], np.array(sorted(inks))
        colours = [(paper + part * (ink - paper)).reshape(-1, 3) for part in BETWEEN]
        self.palette = np.unique(np.rint(np.concatenate(colours)).astype(np.uint8), axis=0)
        assert len(self.palette) <= UNKNOWN
        self._nearest = np.full(1 << 24, UNKNOWN, np.uint8)  # for each colour that there is

    def numbers(self, colours: np.ndarray) -> np.ndarray:
        """For each pixel of (height, width, 3) the number of the nearest colour of the palette."""
        codes = colours @ np.array([1 << 16, 1 << 8, 1])
        new = np.unique(codes[self._nearest[codes] == UNKNOWN])
        apart = (new[:, None] >> np.array([16, 8, 0]) & 255)[:, None] - self.palette.astype(int)
        self._nearest[new] = np.argmin(np.sum(apart**2, axis=-1), axis=-1)
        return self._nearest[codes]


def frames(record: Trace) -> list[str]:
    """The frames as SVG, the backward pass alone where all of it would be too long."""
    found = list(enumerate(instants(record), 1))
    count = len(found)
    if count > MOST_FRAMES:
        found = [(i, instant) for i, instant in found if not isinstance(instant.moment.step, Forward)]
    cards = cards_of(record.graph)
    if not 0 < len(found) <= MOST_FRAMES or cards > VISIBLE:
        raise ValueError(
            f"a film has 1 to {MOST_FRAMES} frames and at most {VISIBLE} cards, and here are {len(found)} and {cards}: "
            f"viz.step(y).save('steps.html') plays graphs of any size"
        )
    scene = compose(_roomy(record))
    width, height = raster.size(svg.draw(scene))
    width = max(width, NARROWEST)
    sentences = Sentences(record)
    said = [clean(sentences.sentence(instant.moment, i, count), LONGEST) for i, instant in found]
    lines = [_wrapped(text, width - 2 * svg.MARGIN) for text in said]
    height += max(len(rows) for rows in lines) * LINE + GAP
    return [_frame(scene, now, rows, width, height) for (_, now), rows in zip(found, lines, strict=True)]


def _wrapped(text: str, width: float) -> list[str]:
    """A sentence in lines; no number is broken."""
    letters = width / LETTER / text_width(text) * len(text)
    return textwrap.wrap(text, int(letters), break_on_hyphens=False)


def instants(record: Trace) -> Iterator[Instant]:
    """The state after each moment."""
    values = {v.id: v.value for v in record.graph.vertices if v.kind != OP}
    gradients = at_first(record.graph)
    for moment in moments(record):
        step = moment.step
        if isinstance(step, Forward):
            values[step.vertex] = record.graph.vertices[step.vertex].value
        elif isinstance(step, Update):
            values[step.vertex] = step.after
        else:
            gradients[step.vertex] = step.incoming
            if moment.accumulates and moment.contribution is not None:
                gradients[moment.contribution.target] = arrived(record.graph, moment.contribution)
        yield Instant(moment, dict(values), dict(gradients))


def _roomy(record: Trace) -> Graph:
    """The graph with each vertex as it is when its card is largest."""
    values, gradients = lives(record)
    vertices = [replace(v, value=widest(values[v.id]), gradient=widest(gradients[v.id])) for v in record.graph.vertices]
    return Graph(vertices, record.graph.edges)


def _at(vertex: Vertex, now: Instant) -> Vertex:
    """A vertex as it is known then."""
    return replace(vertex, value=now.values.get(vertex.id), gradient=now.gradients.get(vertex.id))


def _frame(scene: Scene, now: Instant, lines: list[str], width: float, height: float) -> str:
    """One frame: the picture of that instant, and its sentence."""
    graph = Graph([_at(vertex, now) for vertex in scene.graph.vertices], scene.graph.edges)
    cards = [_card(card, graph.vertices[card.vertex.id]) for card in scene.cards]
    picture = svg.draw(scene._replace(graph=graph, cards=cards))
    below = raster.size(picture)[1]
    said = [
        f'<text class="sentence" x="{svg.MARGIN}" y="{below + GAP + k * LINE:g}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    ]
    later = [v.id for v in scene.graph.vertices if v.id not in now.values]
    style = svg.style() + CALM + "".join(map(_ahead, later)) + _lit(scene.graph, now.moment)
    box = f'width="{width:g}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="seegrad" {box} viewBox="0 0 {width:g} {height:g}">',
            f"<style>{style}</style>",
            f'<rect class="paper" {box}/>',
            picture + "\n".join(said),
            "</svg>",
            "",
        ]
    )


def _card(card: Card, vertex: Vertex) -> Card:
    return replace(card, vertex=vertex, rows=card_rows(vertex, card.name, card.use, card.uses))


def _ahead(vertex: int) -> str:
    """The style of a card that is not computed yet."""
    return f'.seegrad .card[data-vertex="{vertex}"] .body {{ stroke-dasharray: 2 3; fill: none; }}\n'


def _lit(graph: Graph, moment: Moment) -> str:
    """The style of what the moment is about: the wires it goes along, and the card it reaches."""
    step, contribution = moment.step, moment.contribution
    edges = [edge for edge in graph.edges if edge.target == step.vertex]
    if contribution is not None:
        edges = [edge for edge in edges if edge.slot == contribution.slot]
    elif isinstance(step, Update):
        edges = []
    half, reached = ("forward", step.vertex) if contribution is None else ("backward", contribution.target)
    wires = [f'.seegrad [data-edge="{e.source} {e.target} {e.slot}"] .{half}' for e in edges]
    styles = [f"{wire} {{ opacity: 1; stroke-width: 3; }}\n" for wire in wires]
    return "".join([*styles, f'.seegrad .card[data-vertex="{reached}"] .body {{ stroke-width: 3.4; }}\n'])
