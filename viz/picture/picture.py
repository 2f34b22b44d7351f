"""A picture that shows itself in a notebook and saves itself in the format that the file's name asks for.

The formats are one table, `WRITERS`. Text formats need nothing else; PNG, PDF and GIF are made from the SVG and need
an extra. Those that tell the steps take the trace when they are asked for. A save is atomic: the file appears complete
or not at all, and a failure leaves an older file as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd import Tensor
from viz import collector
from viz.pages import static_page
from viz.picture import film, raster, svg
from viz.picture.dot import digraph
from viz.picture.folding import VISIBLE, cards_of, fold
from viz.picture.mermaid import mermaid
from viz.picture.scene import Marks, compose
from viz.saving import write_atomically
from viz.texts.explain import explain
from viz.texts.words import describe, heading
from viz.tracing.model import Graph, Trace
from viz.tracing.taking import shown, trace
from viz.tracing.tape import Tape

IN_TEXT = 40  # cards of a graph that is drawn inside a Markdown file
PAGE_STYLE = ":root { color-scheme: light dark; } body { margin: 0; } main { overflow: auto; }"


def draw(y: Tensor | Trace | Tape, *, expand: bool = False, visible: int = VISIBLE) -> Picture:
    """The picture of the graph below `y`, with values and gradients as they are now, or as a trace has them.

    A graph of more than `visible` cards is folded: modules, repetitions and chains of elementwise operations become
    one card each, as many as it takes. `expand=True` draws every operation.
    """
    with collector.paused():
        whole = shown(y)
        return Picture(whole, None if expand else fold(whole, visible).graph, source=y)


class Picture:
    """A picture of a graph; `.svg` is its SVG text. `drawn` is what it shows of `graph`, which may be folded.

    `source` is what has the graph and its steps; without one it cannot be saved in a format that tells the steps.
    """

    def __init__(
        self,
        graph: Graph,
        drawn: Graph | None = None,
        marks: Marks | None = None,
        *,
        source: Tensor | Trace | Tape | None = None,
    ):
        self.graph = graph
        self.drawn = drawn or graph
        self.source = source
        self.svg = svg.draw(compose(self.drawn, marks))

    @cached_property
    def record(self) -> Trace:
        """The steps, taken when first asked for. Raises GraphFreedError where `backward()` has freed them."""
        if self.source is None:
            raise ValueError("this picture has no steps to tell: save it as .svg or .html")
        return trace(self.source)

    @property
    def html(self) -> str:
        """One page that holds the picture: no scripts, and a policy that forbids every request."""
        return static_page(heading(self.drawn), PAGE_STYLE, f"<main>\n{self.svg}</main>", svg.style())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file in the format of its suffix.

        .svg, .html, .dot, .mmd (Mermaid) are the picture; .json is the trace, .md and .tex the steps with formulas.
        With an extra: .png, .pdf, and .gif, the steps as a film.
        """
        target = Path(path)
        write = WRITERS.get(target.suffix.lower())
        if write is None:
            raise ValueError(f"cannot save a picture as {target.name!r}: the name must end in {', '.join(WRITERS)}")
        return write_atomically(target, write(self))

    def __repr__(self) -> str:
        return f"<{heading(self.drawn)}; .save('picture.svg') writes it to a file>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


def _markdown(picture: Picture) -> str:
    """The steps with their formulas and, where it is small enough to be read there, the graph above them."""
    steps = explain(picture.record, form="markdown")
    whole = shown(picture.record)
    return f"## Graph\n\n```mermaid\n{mermaid(whole)}```\n\n{steps}" if cards_of(whole) <= IN_TEXT else steps


WRITERS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": lambda picture: picture.svg.encode(),
    ".html": lambda picture: picture.html.encode(),
    ".dot": lambda picture: digraph(picture.drawn).source.encode(),
    ".mmd": lambda picture: mermaid(picture.drawn).encode(),
    ".md": lambda picture: _markdown(picture).encode(),
    ".tex": lambda picture: explain(picture.record, form="latex").encode(),
    ".json": lambda picture: picture.record.to_json().encode(),
    ".png": lambda picture: raster.png(picture.svg),
    ".pdf": lambda picture: raster.pdf(picture.svg, describe(picture.drawn)),
    ".gif": lambda picture: film.gif(picture.record),
}
