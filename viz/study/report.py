"""A check as text, as Markdown, and as marks on the cards of its picture. No colour is needed to read any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from viz.picture.cards import LONGEST
from viz.texts.text import clean, fitting, values

if TYPE_CHECKING:
    from viz.study.check import Check, Row, Verdict

SIGNS = {"ok": "✓", "approximate": "≈", "WRONG": "✗", "not checked": "?"}
NAMED = 40  # characters of a name in the table
LOOKS = 44  # characters of a diagnosis on a card
HEADINGS = ("gradient", "shape", "engine by finite differences", "mine by engine")


def as_text(check: Check) -> str:
    """The table, and below each row that is not simply ok what there is to say about it."""
    cells = [list(HEADINGS), *(_cells(row) for row in check.rows)]
    width = [max(len(line[k]) for line in cells) for k in range(len(HEADINGS))]
    lines = [headline(check), ""]
    for i, line in enumerate(cells):
        lines.append("  ".join(text.ljust(w) for text, w in zip(line, width, strict=True)).rstrip())
        lines += ["    " + remark for remark in (remarks(check.rows[i - 1]) if i else ())]
    return "\n".join(lines) + "\n"


def as_markdown(check: Check) -> str:
    """The same as a Markdown table with a list of remarks."""
    lines = [escaped(headline(check)), "", line(HEADINGS), line(["---"] * len(HEADINGS))]
    lines += [line([escaped(text) for text in _cells(row)]) for row in check.rows]
    said = [f"- **{escaped(clean(row.name, NAMED))}** {escaped(text)}" for row in check.rows for text in remarks(row)]
    return "\n".join([*lines, *([""] if said else []), *said]) + "\n"


def line(cells: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in "\\`*_{}[]<>#|~&$!":
        text = text.replace(
            mark, f"\\{mark}" if mark not in "<>&" else f"&{ {'<': 'lt', '>': 'gt', '&': 'amp'}[mark] };"
        )
    return text


def headline(check: Check) -> str:
    """What the whole table says."""
    of = clean(check.record.graph.root.name or check.record.graph.root.op or "the result", NAMED)
    if check.problem:
        return f"Gradients of {of}: the engine raises. {clean(check.problem)}"
    wrong = [row for row in check.rows if row.status == "WRONG"]
    bad = sum(row.not_finite for row in check.rows)
    if not wrong:
        return f"Gradients of {of}: " + (f"{bad} of {len(check.rows)} not finite." if bad else "none is wrong.")
    first = f"Look first at {clean(wrong[0].name, NAMED)}: backprop completes it first."
    return f"Gradients of {of}: {len(wrong)} of {len(check.rows)} wrong. " + first


def _cells(row: Row) -> list[str]:
    shape = "" if row.shape is None else str(row.shape)
    mine = "" if row.by_hand is None else _short(row.by_hand)
    return [clean(row.name, NAMED), shape, _short(row.by_differences), mine]


def _short(verdict: Verdict) -> str:
    """`✗ WRONG, max 0.5, relative 0.8`."""
    text = signed(verdict.status)
    if verdict.error is not None:
        text += f", max {verdict.error:.2g}, relative {verdict.relative:.2g}"
    return text


def remarks(row: Row) -> Iterator[str]:
    """The worst cell with its numbers, why something was not checked, and the diagnosis."""
    hand, differences = row.by_hand, row.by_differences
    if hand is not None and hand.status not in ("ok", "not checked") and hand.cell is not None:
        slope = next((d.value for d in row.differences if d.cell == hand.cell and d.value is not None), None)
        given, wanted = told_apart(hand.given, hand.wanted)
        third = "" if slope is None else f", finite difference {values(slope)}"
        yield f"worst{at(hand.cell)}: mine {given}, engine {wanted}{third}"
    if hand is not None and hand.note:
        yield f"mine: {clean(hand.note)}"
    if differences.status in ("WRONG", "approximate") and differences.cell is not None:
        given, wanted = told_apart(differences.given, differences.wanted)
        yield f"worst{at(differences.cell)}: engine {given}, finite difference {wanted}"
    if differences.note:
        yield f"finite differences: {clean(differences.note)}"
    if row.diagnosis is not None:
        yield clean(row.diagnosis.text)
    elif hand is not None and hand.status == "WRONG" and hand.cell is not None:
        yield "no known mistake gives these numbers"


def told_apart(a: object, b: object) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in (4, 8, 17):
        texts = values(a, digits), values(b, digits)
        if texts[0] != texts[1]:
            break
    return texts


def at(cell: tuple[int, ...]) -> str:
    """` at [1, 2]`; nothing for a single number."""
    return f" at [{', '.join(map(str, cell))}]" if cell else ""


def marks(row: Row) -> list[str]:
    """What a check adds to a card: the other gradients beside the engine's, and what is wrong with them."""
    lines = [_mark("diff", row.slopes, row.by_differences)]
    if row.by_hand is not None:
        lines.append(_mark("mine", row.mine, row.by_hand))
    if row.diagnosis is not None:
        lines.append(clean(row.diagnosis.text.split(":")[0], LOOKS))
    return lines


def _mark(name: str, gradient: object, verdict: Verdict) -> str:
    numbers = "" if gradient is None else f" {fitting(gradient, LONGEST)}"
    return f"{name}{numbers} {signed(verdict.status)}"


def signed(status: str) -> str:
    """`✗ WRONG`."""
    return f"{SIGNS[status]} {status}"
