"""A scene as SVG text: one self-contained picture without scripts, links, fonts or references of any kind.

Colours are Okabe and Ito's, checked for contrast on both backgrounds, and never the only sign: forward wires are solid
and run above their dashed backward wires; leaves are round, constants square. One embedded media query turns the
picture dark. Every text passes `_esc`, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from viz.picture.cards import PAD, ROW, SHEET, Card, text_width
from viz.picture.frames import Frame
from viz.picture.layout import Run
from viz.picture.scene import Drop, Scene, Wire
from viz.texts.text import clean
from viz.texts.words import EXPAND, describe, folded, heading, tooltip
from viz.tracing.model import CONSTANT, GROUP, INPUT, LEAF, OP, Edge

MARGIN = 22.0
APART = 3.2  # half the distance between the two wires of a pair
HEAD = 7.0  # length of an arrowhead

# (selectors, property, light, dark). All are put under .seegrad: an SVG inside a page shares the page's styles.
COLOURS = [
    (".paper", "fill", "#ffffff", "#121212"),
    ("text", "fill", "#1a1a1a", "#f2f2f2"),
    (".note, .missing, .caption", "fill", "#595959", "#b8b8b8"),
    (".op .body, .group .body, .group .sheet", "fill", "#f1f7fb", "#14212b"),
    (".op .body, .group .body, .group .sheet, .input .body", "stroke", "#0072b2", "#56b4e9"),
    (".leaf .body", "fill", "#e9f6f1", "#0f241d"),
    (".leaf .body", "stroke", "#00805e", "#2dbd8f"),
    (".input .body", "fill", "#ffffff", "#121212"),
    (".constant .body", "fill", "#f4f4f4", "#242424"),
    (".constant .body", "stroke", "#6e6e6e", "#9a9a9a"),
    (".frame .body", "fill", "#fbfaf5", "#1b1b19"),
    (".frame .body", "stroke", "#8a8778", "#7d7b70"),
    (".forward", "stroke", "#0072b2", "#56b4e9"),
    (".forward .head, .tick.value", "fill", "#0072b2", "#56b4e9"),
    (".backward", "stroke", "#d55e00", "#e69f00"),
    (".backward .head, .tick.gradient", "fill", "#d55e00", "#e69f00"),
]
SHAPES = """
.seegrad text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.seegrad .title, .seegrad .mark { font-weight: 700; }
.seegrad .note, .seegrad .missing, .seegrad .caption { font-size: 11px; }
.seegrad .missing { font-style: italic; }
.seegrad .card .body, .seegrad .card .sheet { stroke-width: 1.4; }
.seegrad .input .body { stroke-dasharray: 2 2; }
.seegrad .result .body { stroke-width: 3; }
.seegrad .frame .body { stroke-width: 1; }
.seegrad .wire { fill: none; stroke-width: 1.7; }
.seegrad .backward .line { stroke-dasharray: 5 3.5; }
.seegrad .head { stroke: none; }
"""
BARE = ' fill="none" stroke="currentColor" font-family="monospace" font-size="11"'  # where a page's styles are blocked
LEGEND = [
    (OP, "operation"),
    (GROUP, "group: several operations"),
    (LEAF, "leaf: gets a gradient"),
    (CONSTANT, "constant"),
    (INPUT, "from elsewhere"),
]
CORNER = {OP: 5.0, GROUP: 5.0, LEAF: 13.0, CONSTANT: 0.0, INPUT: 5.0}


def draw(scene: Scene, styled: bool = True, opening: str = EXPAND) -> str:
    """The picture as text; without its style sheet if the page around it has one. `opening`: how a folded one opens."""
    legend, legend_width, legend_height = _legend(scene, folded(scene.graph, opening))
    width = max(scene.width, legend_width) + 2 * MARGIN
    height = scene.height + legend_height + 3 * MARGIN
    view_box = f'viewBox="0 0 {_n(width)} {_n(height)}"' + ("" if styled else BARE)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="seegrad" role="img" {_size(width, height)} {view_box}>',
            f"<title>{_esc(heading(scene.graph))}</title>",
            f"<desc>{_esc(describe(scene.graph, opening))}</desc>",
            *[f"<style>{style()}</style>"] * styled,
            f'<rect class="paper" {_size(width, height)}/>',
            f'<g transform="translate({_n(MARGIN + max(0, legend_width - scene.width) / 2)} {_n(MARGIN)})">',
            *_frames(scene),
            *(_wire(wire) for wire in scene.wires),
            *(_drop(drop) for drop in scene.drops),
            *(_card(card, card.vertex is scene.graph.root) for card in scene.cards),
            "</g>",
            f'<g class="legend" transform="translate({_n(MARGIN)} {_n(scene.height + 2 * MARGIN)})">',
            *legend,
            "</g>",
            "</svg>",
            "",
        ]
    )


def style() -> str:
    """The style sheet: shapes, light colours, and dark ones for readers who prefer them."""
    light, dark = ("".join(_rule(c[0], c[1], c[column]) for c in COLOURS) for column in (2, 3))
    return f"{SHAPES}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def page_style() -> str:
    """The style sheet for a page that has light and dark colours of its own, whatever the reader's system prefers."""
    both = "".join(
        _rule(s, name, light) + _rule(s, name, f"light-dark({light}, {dark})") for s, name, light, dark in COLOURS
    )
    return SHAPES + both


def _rule(selectors: str, name: str, colour: str) -> str:
    return ", ".join(f".seegrad {selector}" for selector in selectors.split(", ")) + f" {{ {name}: {colour}; }}\n"


def _frames(scene: Scene) -> Iterator[str]:
    for frame in scene.frames:
        caption = clean(frame.name, max(4, int((frame.width - 14) / 6.7)))
        yield (
            f'<g class="frame"><title>{_esc(clean(frame.name))}</title>'
            f"{_box(frame, 7)}{_text('caption', frame.x + 8, frame.y + 13, caption)}</g>"
        )


def _card(card: Card, result: bool = False) -> str:
    kind = card.vertex.kind
    rows = "".join(_row(row.kind, row.text, card, i) for i, row in enumerate(card.rows))
    return (
        f'<g class="card {kind}{" result" if result else ""}" data-vertex="{card.vertex.id}">'
        f"<title>{_esc(tooltip(card.vertex, card.name))}</title>"
        f"{_body(card)}{rows}</g>"
    )


def _body(card: Card) -> str:
    corner = CORNER[card.vertex.kind]
    return _pile(card.x, card.y, card.width, card.height) if card.vertex.kind == GROUP else _box(card, corner)


def _pile(x: float, y: float, width: float, height: float) -> str:
    size, corner = _size(width - SHEET, height - SHEET), _n(CORNER[GROUP])
    return (
        f'<rect class="sheet" x="{_n(x + SHEET)}" y="{_n(y + SHEET)}" {size} rx="{corner}"/>'
        f'<rect class="body" x="{_n(x)}" y="{_n(y)}" {size} rx="{corner}"/>'
    )


def _row(kind: str, text: str, card: Card, index: int) -> str:
    x, y = card.x + PAD, card.y + PAD + 8 + index * ROW
    tick = ""
    if kind in ("value", "gradient"):
        tick = f'<rect class="tick {kind}" x="{_n(card.x + 3)}" y="{_n(y - 9)}" width="3" height="11"/>'
    return tick + _text(kind, x, y, text)


def _wire(wire: Wire) -> str:
    runs, last = wire.runs, wire.runs[-1]
    tip = Run(last.x0, last.x1 - HEAD + 1, last.y)
    forward = _pair_half("forward", _curve([*runs[:-1], tip], -APART), _head(last.x1, last.y - APART, 1, 0))
    start = runs[0]
    if wire.branch:
        back_line, back_head = _curve(runs, APART), ""
    else:
        back_line = _curve([Run(start.x0 + HEAD - 1, max(start.x1, start.x0 + HEAD - 1), start.y), *runs[1:]], APART)
        back_head = _head(start.x0, start.y + APART, -1, 0)
    return _edge(wire.edge, forward + _pair_half("backward", back_line, back_head))


def _drop(drop: Drop) -> str:
    down = 1 if drop.y1 > drop.y0 else -1
    side = APART if drop.trained else 0.0
    line = f"M{_n(drop.x - side)} {_n(drop.y0)}V{_n(drop.y1 - down * (HEAD - 1))}"
    halves = _pair_half("forward", line, _head(drop.x - side, drop.y1, 0, down))
    if drop.trained:
        line = f"M{_n(drop.x + side)} {_n(drop.y1)}V{_n(drop.y0 + down * (HEAD - 1))}"
        halves += _pair_half("backward", line, _head(drop.x + side, drop.y0, 0, -down))
    return _edge(drop.edge, halves)


def _edge(edge: Edge, lines: str) -> str:
    return f'<g class="edge" data-edge="{edge.source} {edge.target} {edge.slot}">{lines}</g>'


def _pair_half(kind: str, line: str, head: str) -> str:
    return f'<g class="wire {kind}"><path class="line" d="{line}"/>{head}</g>'


def _curve(runs: Iterable[Run], shift: float) -> str:
    """Straight along each run, an S between two. `shift` moves the line aside by the same distance everywhere."""
    path, before = "", None
    for run in runs:
        y = run.y + shift
        if before is None:
            path = f"M{_n(run.x0)} {_n(y)}"
        else:
            turn = 0.0 if abs(run.y - before.y) < 1 else shift if run.y < before.y else -shift
            middle = (before.x1 + run.x0) / 2 + turn
            path += f"C{_n(middle)} {_n(before.y + shift)} {_n(middle)} {_n(y)} {_n(run.x0)} {_n(y)}"
        if run.x1 != run.x0:
            path += f"H{_n(run.x1)}"
        before = run
    return path


def _head(x: float, y: float, dx: int, dy: int) -> str:
    """An arrowhead with its tip at (x, y), pointing along (dx, dy)."""
    back_x, back_y, half = x - HEAD * dx, y - HEAD * dy, HEAD / 2
    corners = [(x, y), (back_x + half * dy, back_y + half * dx), (back_x - half * dy, back_y - half * dx)]
    return '<path class="head" d="M' + "L".join(f"{_n(a)} {_n(b)}" for a, b in corners) + 'Z"/>'


def _legend(scene: Scene, hint: str) -> tuple[list[str], float, float]:
    """The legend of what the picture really contains, in rows no wider than the picture; with its size."""
    kinds = {card.vertex.kind for card in scene.cards}
    entries = [(f'<g class="card {kind}">{_sample(kind)}</g>', text) for kind, text in LEGEND if kind in kinds]
    if scene.wires or scene.drops:
        entries.append((_pair_half("forward", "M0 -2H18", _head(24, -2, 1, 0)), "forward: values"))
    if scene.wires or any(drop.trained for drop in scene.drops):
        entries.append((_pair_half("backward", "M24 -2H6", _head(0, -2, -1, 0)), "backward: gradients"))
    if scene.frames:
        entries.append((f'<g class="frame">{_sample()}</g>', "module"))
    if hint:
        entries.append(("", hint))
    room = max(scene.width, 430.0)
    parts, x, y, widest = [], 0.0, 10.0, 0.0
    for sign, text in entries:
        indent = 31 if sign else 0
        width = indent + 1 + text_width(text) * 11 / 12
        if x and x + width > room:
            x, y = 0.0, y + 22
        parts.append(f'<g transform="translate({_n(x)} {_n(y)})">{sign}{_text("note", indent, 2, text)}</g>')
        widest = max(widest, x + width)
        x += width + 22
    return parts, widest, y + 4


def _sample(kind: str = "") -> str:
    if kind == GROUP:
        return _pile(0, -9, 24, 14)
    return f'<rect class="body" y="-9" {_size(24, 14)} rx="{_n(min(CORNER.get(kind, 3), 7))}"/>'


def _box(shape: Card | Frame, corner: float) -> str:
    return (
        f'<rect class="body" x="{_n(shape.x)}" y="{_n(shape.y)}" {_size(shape.width, shape.height)} rx="{_n(corner)}"/>'
    )


def _size(width: float, height: float) -> str:
    return f'width="{_n(width)}" height="{_n(height)}"'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{_esc(text)}</text>'


def _esc(text: str) -> str:
    return escape(clean(text), quote=True)


def _n(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
