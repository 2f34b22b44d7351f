"""Cards: what a picture writes about one vertex, line by line, and how much room that takes.

The same rows serve every drawing format. A gradient that does not exist is "not computed" on a leaf and absent on an
operation; it is never shown as 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from viz.texts.text import ELLIPSIS, clean, fitting
from viz.texts.words import size, title
from viz.tracing.model import CONSTANT, GROUP, LEAF, Vertex

ROW, PAD = 17.0, 9.0  # height of a text row, space inside a card
NARROWEST = 64.0
SHEET = 4.0  # a group looks like a pile: how far the lower sheet shows
LONGEST = 30  # characters in a row
MISSING = "grad not computed"


class Row(NamedTuple):
    """One line of a card. Kinds: title, note, value, gradient, missing, mark."""

    kind: str
    text: str


@dataclass(slots=True)
class Card:
    """A box with text, for use number `use` of a vertex, which texts call `name`. (x, y) is its top left corner."""

    vertex: Vertex
    name: str
    rows: list[Row]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    use: int = 1
    uses: int = 1


def make_card(vertex: Vertex, name: str, use: int = 1, uses: int = 1, marks: Sequence[Row] = ()) -> Card:
    """A card for one use of a vertex, at (0, 0). `marks` are more rows, which a study adds."""
    rows = [*card_rows(vertex, name, use, uses), *marks]
    reserved = [Row("missing", MISSING)] * any(row.kind == "gradient" for row in rows)  # so wide before backward, too
    width = max([text_width(row.text, bold=row.kind in ("title", "mark")) for row in rows + reserved]) + 2 * PAD
    sheet = SHEET if vertex.kind == GROUP else 0.0
    height = ROW * len(rows) + 2 * PAD - 5 + sheet
    return Card(vertex, name, rows, max(width, NARROWEST) + sheet, height, use=use, uses=uses)


def card_rows(vertex: Vertex, name: str, use: int = 1, uses: int = 1) -> list[Row]:
    """What a card says, line by line."""
    rows = [Row("title", clean(title(vertex, name), LONGEST))]
    if vertex.kind == GROUP:
        rows.append(Row("note", size(vertex)))
    if vertex.shape:
        rows.append(Row("note", f"{vertex.shape} {vertex.dtype}"))
    elif vertex.dtype and vertex.kind != CONSTANT:
        rows.append(Row("note", vertex.dtype))
    if vertex.arguments and vertex.kind != GROUP:
        rows.append(Row("note", arguments(vertex)))
    if vertex.value is not None and (vertex.kind != CONSTANT or vertex.shape):
        rows.append(Row("value", "value " + fitting(vertex.value, LONGEST)))
    if vertex.gradient is not None:
        rows.append(Row("gradient", "grad " + fitting(vertex.gradient, LONGEST)))
    elif vertex.kind == LEAF:
        rows.append(Row("missing", MISSING))
    if uses > 1:
        rows.append(Row("note", f"use {use} of {uses}"))
    return rows


def arguments(vertex: Vertex) -> str:
    """The static arguments, as many as fit: `axis=0, keepdims=True`."""
    shown: list[str] = []
    for name, value in vertex.arguments.items():
        text = clean(f"{name}={value}", LONGEST)
        if shown and len(", ".join([*shown, text])) > LONGEST:
            return ", ".join([*shown, ELLIPSIS])
        shown.append(text)
    return ", ".join(shown)


def text_width(text: str, bold: bool = False) -> float:
    """Width in the 12 px monospace of the picture (East Asian wide characters take two places)."""
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return (len(text) + wide) * (7.5 if bold else 7.25)
