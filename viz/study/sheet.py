"""A worksheet on paper: as HTML with a picture and rules for printing, as Markdown, and as text.

All three have the same parts: the graph with its numbers, blanks where a number is asked for, the tasks, and on a page
of its own the answer key.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape
from typing import NamedTuple

import numpy as np

from viz.formulas.mathml import STYLE as MATH_STYLE
from viz.pages import static_page
from viz.picture import svg
from viz.picture.cards import LONGEST
from viz.picture.folding import fold
from viz.picture.raster import size
from viz.picture.scene import compose
from viz.study.check import gradients_of
from viz.study.report import escaped
from viz.study.worksheet import GRADIENT, VALUE, Task, Worksheet, label, printed
from viz.texts.text import clean, number, plural
from viz.tracing.model import CONSTANT, Graph, Vertex

NAMED = 40  # characters of a name
MANY = 120  # values and gradients of a graph that are all listed
READABLE = 1100.0  # width of a picture that can be read on paper
PAGE_STYLE = """\
:root { color-scheme: light; }
body {
  font: 12pt/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 60rem; margin: 0 auto; padding: 1.5rem;
}
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.who { display: flex; gap: 2rem; margin: 1rem 0; }
.line { flex: 1; border-bottom: 1px solid #595959; min-width: 7rem; padding-top: 1.2rem; }
.note { color: #595959; font-size: .9rem; }
svg { max-width: 100%; height: auto; }
pre { font: 10pt/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-x: auto; margin: .3rem 0; }
ol { list-style: none; padding: 0; margin: 0; }
li {
  display: grid; grid-template-columns: 2.6rem 1fr 9rem; gap: .5rem 1rem; padding: .55rem 0;
  border-bottom: 1px solid #ddd; break-inside: avoid;
}
.key li { grid-template-columns: 2.6rem 1fr; }
.arrays { display: flex; flex-wrap: wrap; gap: .6rem 2.5rem; }
figure { margin: 0; break-inside: avoid; max-width: 100%; }
figcaption { font-size: .9rem; color: #595959; }
table { border-collapse: collapse; align-self: flex-start; font-size: .9rem; }
th, td { text-align: left; padding: .1rem 1.2rem .1rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
td + td { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .8rem; }
li b { font-weight: 700; }
li .line { align-self: end; }
.rule { display: block; margin: .3rem 0 0 1rem; }
.key { break-before: page; }
.key h2 { margin-top: 3rem; }
@media (max-width: 40rem) { li { grid-template-columns: 2.6rem 1fr; } li .line { grid-column: 2; } }
@media print { body { padding: 0; max-width: none; font-size: 10.5pt; } li { padding: .3rem 0; } }
@page { margin: 16mm; }
@page wide { size: landscape; margin: 12mm; }
.wide { page: wide; }
"""
INTRO = (
    "Each letter stands for one number. Numbers are rounded to 4 digits, so the last digits of an answer may differ."
)


def title(sheet: Worksheet) -> str:
    """What the sheet is about."""
    root = sheet.record.graph.root
    return f"Backpropagation by hand: {clean(root.name or root.op or root.kind, NAMED)} (sheet {sheet.seed})"


# ---- the numbers, with blanks ----


class Number(NamedTuple):
    """A value or a gradient that the sheet prints; `rows` are its elements as text, labels where they are left out."""

    vertex: Vertex
    kind: str
    rows: list[list[str]]
    line: str | None  # the same in one line, if it is short

    def heading(self, sheet: Worksheet) -> str:
        shape = f" {self.vertex.shape}" if self.vertex.shape else ""
        return f"{self.kind} of {called(sheet, self.vertex)}{shape}"


def numbers_of(sheet: Worksheet) -> list[Number]:
    """Every value and gradient that the sheet prints, apart from constants that stand in the tasks."""
    gradients, found = gradients_of(sheet.record), []
    for v in sheet.record.graph.vertices:
        for kind, value in ((VALUE, v.value), (GRADIENT, gradients.get(v.id))):
            if printed(value) and (v.kind != CONSTANT or v.shape):
                found.append(_number(sheet, v, kind, np.asarray(value)))
    return found


def listed(sheet: Worksheet) -> list[Number]:
    """The numbers that stand in tables: all of a small graph, of a large one those that the tasks need."""
    found = numbers_of(sheet)
    if len(found) <= MANY:
        return found
    needed = set().union(*(task.needs for task in sheet.tasks))
    return [n for n in found if n.vertex.id in needed]


def called(sheet: Worksheet, v: Vertex) -> str:
    """The name of a vertex on the sheet."""
    return clean(sheet.names[v.id], NAMED)


def _number(sheet: Worksheet, v: Vertex, kind: str, array: np.ndarray) -> Number:
    """Axes before the last two are stacked."""
    blanks = sheet.blanks
    cells = [blanks.get((kind, v.id, cell)) or number(array[cell].item()) for cell in np.ndindex(array.shape)]
    width = array.shape[-1] if array.ndim else 1
    rows = [cells[k : k + width] for k in range(0, len(cells), width)]
    lines = [f"[{', '.join(row)}]" for row in rows]
    line = cells[0] if not array.ndim else lines[0] if array.ndim == 1 else f"[{', '.join(lines)}]"
    return Number(v, kind, rows, line if array.ndim < 3 and len(line) <= LONGEST else None)


def table(rows: list[list[str]]) -> list[str]:
    """Rows with their columns in line."""
    width = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(text.rjust(w) for text, w in zip(row, width, strict=True)) for row in rows]


def blanked(sheet: Worksheet) -> Graph:
    """The graph with its names and numbers as this sheet writes them; long arrays stand below the picture."""
    written = {(n.vertex.id, n.kind): "see below" for n in listed(sheet)}
    written |= {(n.vertex.id, n.kind): n.line for n in numbers_of(sheet) if n.line is not None}
    gradients, vertices = gradients_of(sheet.record), []
    for v in sheet.record.graph.vertices:
        value, gradient = (
            None if x is None else written.get((v.id, kind), "not on this sheet")
            for kind, x in ((VALUE, v.value), (GRADIENT, gradients.get(v.id)))
        )
        if v.kind != CONSTANT or v.shape:
            name = sheet.names[v.id]
            v = replace(v, value=value, name=name) if v.name or not v.op else replace(v, value=value, op=name)
        vertices.append(replace(v, gradient=gradient, source="", code=""))
    return Graph(vertices, sheet.record.graph.edges)


# ---- text and Markdown ----


def _facts(sheet: Worksheet) -> list[str]:
    lines = []
    for n in listed(sheet):
        if n.line is not None:
            lines.append(f"{n.heading(sheet)} = {n.line}")
        else:
            lines += [f"{n.heading(sheet)}:", *("    " + line for line in table(n.rows))]
    return lines


def _asked(task: Task) -> list[str]:
    """The task in words, its rule, and the numbers it brings along."""
    lines = [clean(task.asks)]
    if task.rule is not None:
        lines.append(f"rule: {clean(task.rule.text())}")
    return [*lines, *([f"with {clean(task.given)}"] if task.given else [])]


def _answered(task: Task) -> str:
    way = f" = {clean(task.way)}" if task.way and task.kind != "forward" else ""
    return f"{task.written}{way}   (step {task.step})"


def _sheet_text(sheet: Worksheet) -> list[str]:
    lines = [title(sheet), "", "Name: ____________________   Date: ____________", "", INTRO, "", "The numbers", ""]
    lines += [*_facts(sheet), "", "Find", ""]
    for k, task in enumerate(sheet.tasks):
        first, *more = _asked(task)
        lines += [f"{label(k)} {first}", *("      " + line for line in more), "      answer: ____________", ""]
    return lines


def as_text(sheet: Worksheet) -> str:
    """Sheet and answer key as text, with a form feed between them."""
    key = [f"{label(k)} {_answered(task)}" for k, task in enumerate(sheet.tasks)]
    return "\n".join([*_sheet_text(sheet), "\f", f"Answers: {title(sheet)}", "", *key]) + "\n"


def as_markdown(sheet: Worksheet) -> str:
    """Sheet and answer key in Markdown."""
    lines = [
        f"# {escaped(title(sheet))}",
        "",
        "Name: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_ Date: \\_\\_\\_\\_\\_\\_",
        "",
        INTRO,
        "",
    ]
    lines += ["## The numbers", "", *(f"    {line}" for line in _facts(sheet)), "", "## Find", ""]
    for k, task in enumerate(sheet.tasks):
        said = "<br>".join(escaped(line) for line in _asked(task))
        lines += [f"**{label(k)}** {said}<br>answer: \\_\\_\\_\\_\\_\\_", ""]
    lines += ["---", "", "## Answers", ""]
    lines += [f"- **{label(k)}** {escaped(_answered(task))}" for k, task in enumerate(sheet.tasks)]
    return "\n".join(lines) + "\n"


# ---- HTML ----


def as_html(sheet: Worksheet) -> str:
    """One page to print."""
    return static_page(title(sheet), PAGE_STYLE + MATH_STYLE, f"{_front(sheet)}\n{_key(sheet)}", svg.style())


def _front(sheet: Worksheet) -> str:
    picture = svg.draw(compose(fold(blanked(sheet)).graph))
    tasks = "\n".join(_item(k, task) for k, task in enumerate(sheet.tasks))
    wide = size(picture)[0] > READABLE
    return (
        f'<main><section class="{"wide" if wide else "narrow"}"><h1>{escape(title(sheet))}</h1>'
        '<div class="who"><span>Name</span><span class="line"></span><span>Date</span><span class="line"></span></div>'
        f'<p class="note">{INTRO}</p>\n{picture}</section>{_short(sheet) if wide else ""}{_long(sheet)}'
        f"<h2>{plural(len(sheet.tasks), 'number')} to find</h2><ol>\n{tasks}\n</ol></main>"
    )


def _short(sheet: Worksheet) -> str:
    """The numbers on the cards once more, for a picture that is too wide to be read on paper."""
    lines: dict[int, dict[str, str]] = {}
    for n in listed(sheet):
        if n.line is not None:
            lines.setdefault(n.vertex.id, {})[n.kind] = n.line
    rows = [
        (clean(sheet.names[id], NAMED), *(found.get(k, "") for k in (VALUE, GRADIENT))) for id, found in lines.items()
    ]
    half = -(-len(rows) // 2)
    tables = "".join(map(_table, (rows[:half], rows[half:])))
    return f'<h2>Numbers</h2><div class="arrays">{tables}</div>' if rows else ""


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr><th>name</th><th>value</th><th>gradient</th></tr></thead><tbody>{lines}</tbody></table>"


def _long(sheet: Worksheet) -> str:
    """The arrays that no card has room for."""
    figures = [
        f"<figure><figcaption>{escape(n.heading(sheet))}</figcaption><pre>{escape(chr(10).join(table(n.rows)))}</pre>"
        "</figure>"
        for n in listed(sheet)
        if n.line is None
    ]
    return f'<h2>Arrays</h2><div class="arrays">{"".join(figures)}</div>' if figures else ""


def _item(k: int, task: Task) -> str:
    rule = f'<span class="rule">rule: {task.rule.mathml()}</span>' if task.rule is not None else ""
    given = f'<span class="rule">with {escape(clean(task.given))}</span>' if task.given else ""
    said = f"{escape(clean(task.asks))}{rule}{given}"
    return f'<li><b>{label(k)}</b><span>{said}</span><span class="line"></span></li>'


def _key(sheet: Worksheet) -> str:
    answers = "\n".join(
        f"<li><b>{label(k)}</b><span>{escape(_answered(task))}</span></li>" for k, task in enumerate(sheet.tasks)
    )
    return f'<section class="key"><h2>Answers: {escape(title(sheet))}</h2><ol>\n{answers}\n</ol></section>'


def visible(sheet: Worksheet) -> str:
    """All that can be read on the sheet itself, in any of its forms, with the names of the picture's cards."""
    page = re.sub(r"<style>.*?</style>", " ", _front(sheet), flags=re.DOTALL)
    return "\n".join([*_sheet_text(sheet), unescape(re.sub(r"<[^>]*>", " ", page))])
