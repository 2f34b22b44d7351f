"""A comparison as text, as Markdown, and on the cards of a picture of both graphs. Every difference is a word."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from viz.study.report import at, escaped, line, told_apart
from viz.texts.text import clean, plural, values
from viz.tracing.model import OP, Trace, Vertex

if TYPE_CHECKING:
    from viz.study.compare import Comparison, Numbers, Pair

NAMED = 34  # characters of a name
RUN = 3  # equal rows that are shown one by one
HEADINGS = ("", "in a", "in b", "changed", "value", "gradient")
SAME, OTHER, ONLY_A, ONLY_B = "=", "≠", "-", "+"


def as_text(comparison: Comparison) -> str:
    """What differs, row by row; longer runs of equal rows are counted."""
    rows = [list(HEADINGS), *_table(comparison)]
    width = [max(len(cells[k]) for cells in rows) for k in range(len(HEADINGS))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(cells, width, strict=True)).rstrip() for cells in rows]
    return "\n".join([*headlines(comparison), "", *lines]) + "\n"


def as_markdown(comparison: Comparison) -> str:
    """The same as a Markdown table."""
    said = [f"{escaped(text)}  " for text in headlines(comparison)]
    rows = [line([escaped(text) for text in cells]) for cells in _table(comparison)]
    return "\n".join([*said, "", line(HEADINGS), line(["---"] * len(HEADINGS)), *rows]) + "\n"


def headlines(comparison: Comparison) -> list[str]:
    """What both are, how much differs, and where it begins on the way forward and back."""
    rows = comparison.rows
    alone = [row for row in rows if row.alone]
    counts = [
        (sum(row.b is None for row in alone), "vertex only in a", "vertices only in a"),
        (sum(row.a is None for row in alone), "vertex only in b", "vertices only in b"),
        (sum(bool(row.changed) for row in rows), "changed vertex", "changed vertices"),
        (sum(row.value.status == "differs" for row in rows), "value differs", "values differ"),
        (sum(row.gradient.status == "differs" for row in rows), "gradient differs", "gradients differ"),
    ]
    told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    lines = [f"a: {_whole(comparison.a)}. b: {_whole(comparison.b)}."]
    lines.append(f"{', '.join(told)}." if told else "Nothing differs that is known.")
    if comparison.forward is not None:
        lines.append(f"First on the way forward: {_pair(comparison.forward)}.")
    if comparison.backward is not None:
        row = comparison.backward
        lines.append(f"First gradient that differs on the way back: {_who(row)}, {_numbers('gradient', row.gradient)}.")
    return lines


def _whole(record: Trace) -> str:
    root = record.graph.root
    ops = sum(v.kind == OP for v in record.graph.vertices)
    return f"{clean(root.name or root.op or root.kind, NAMED)}, {plural(ops, 'operation')}"


def _table(comparison: Comparison) -> list[list[str]]:
    found = []
    for same, run in groupby(comparison.rows, key=lambda row: row.same):
        rows = list(run)
        shown = len(rows) if not same or len(rows) <= RUN else 1
        found += [_cells(row) for row in rows[:shown]]
        if shown < len(rows):
            found.append([SAME, f"... {len(rows) - shown} more, all equal", "", "", "", ""])
    return found


def _cells(row: Pair) -> list[str]:
    names = [_name(row.a, row.names[0]), _name(row.b, row.names[1])]
    if row.alone:
        return [sign(row), *names, _only(row), "", ""]
    return [sign(row), *names, _changes(row), _short(row.value), _short(row.gradient)]


def _only(row: Pair) -> str:
    return "only in a" if row.b is None else "only in b"


def _changes(row: Pair) -> str:
    return "; ".join(f"{what} {clean(a, NAMED)} / {clean(b, NAMED)}" for what, (a, b) in row.changed.items())


def _short(found: Numbers) -> str:
    return found.status if found.status != "differs" else f"max {found.error:.2g}, relative {found.relative:.2g}"


def sign(row: Pair) -> str:
    """`=` equal, `≠` different, `-` only in a, `+` only in b."""
    return ONLY_A if row.b is None else ONLY_B if row.a is None else SAME if row.same else OTHER


def _name(v: Vertex | None, name: str) -> str:
    if v is None:
        return ""
    what = f"{name} = {v.op}" if v.op and v.name else name
    return clean(f"{what} {v.shape}" if v.shape else what, NAMED)


def _who(row: Pair) -> str:
    """The name, or both where they are not the same."""
    return clean(" / ".join(dict.fromkeys(filter(None, row.names))), 2 * NAMED)


def _pair(row: Pair) -> str:
    """Who it is and all that differs but the gradient."""
    value = [_numbers("value", row.value)] if row.value.status == "differs" else []
    return ", ".join(filter(None, [_who(row), _only(row) if row.alone else _changes(row), *value]))


def _numbers(what: str, found: Numbers) -> str:
    text = f"{what} by {found.error:.2g} at most, relative {found.relative:.2g}"
    if found.summed:
        return f"{text}, in the statistics of what was too large to keep"
    a, b = told_apart(found.a, found.b)
    return f"{text}{at(found.cell or ())}: {a} / {b}"


def verdict(row: Pair) -> str:
    """`≠ different`: a pair in two words."""
    return f"{sign(row)} {_only(row) if row.alone else 'equal' if row.same else 'different'}"


def marks(row: Pair) -> list[str]:
    """What is written on the cards of a pair; nothing on equal ones."""
    if row.alone:
        return [verdict(row)]
    said = [f"{OTHER} {what} {clean(a, 16)} / {clean(b, 16)}" for what, (a, b) in row.changed.items()]
    for what, found in (("value", row.value), ("grad", row.gradient)):
        if found.status == "differs":
            said.append(f"{OTHER} {what} by {values(found.error, 2)}")
    return said
