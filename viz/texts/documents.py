"""A document of words and formulas, written as text for a terminal, as Markdown, and as LaTeX.

What comes from users is Quoted or stands in a Formula, and each form escapes it in its way; other words are ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from viz.formulas import Formula
from viz.formulas.latex import escaped
from viz.texts.text import clean


@dataclass(frozen=True)
class Quoted:
    """A user's text."""

    text: str


Line = tuple[str | Quoted | Formula, ...]


@dataclass(frozen=True)
class Item:
    """Words, the equation that follows them, and what is noted behind it.

    A terminal shows the `shape` of the last side too. `spread`: each side has a line of its own. `inner`: the item
    belongs to the one before it.
    """

    line: Line
    equation: Formula
    note: Line = ()
    shape: str = ""
    spread: bool = False
    inner: bool = False


@dataclass(frozen=True)
class Block:
    """Items under a title, or without one."""

    items: list[Item]
    title: Line = ()


@dataclass(frozen=True)
class Section:
    """Blocks under a title and a sentence."""

    title: Line
    lead: Line = ()
    blocks: list[Block] = field(default_factory=list)


def as_text(sections: list[Section]) -> str:
    """For a terminal, a log, a screen reader."""
    parts = []
    for section in sections:
        parts.append([_plain(section.title), *[_plain(section.lead)][: len(section.lead)]])
        for block in section.blocks:
            lines = ["  " + line for item in block.items for line in _text_of(item)]
            if block.title:
                parts.append([_plain(block.title), *lines])
            else:
                parts[-1] += lines
    return _joined(parts)


def _joined(parts: list[list[str]]) -> str:
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _plain(line: Line) -> str:
    return "".join(piece if isinstance(piece, str) else clean(_words_of(piece)) for piece in line)


def _words_of(piece: Quoted | Formula) -> str:
    return piece.text if isinstance(piece, Quoted) else piece.text()


def _text_of(item: Item) -> list[str]:
    first, *more = [side.text() for side in item.equation.sides]
    head = f"{_plain(item.line)}: {first}" if item.line else first
    lines = [head, *(f"  = {side}" for side in more)] if item.spread else [" = ".join([head, *more])]
    lines[-1] += f"   {item.shape}" * bool(item.shape) + _plain(item.note)
    return [f"{'  ' * item.inner}{line}" for line in lines]


def as_markdown(sections: list[Section]) -> str:
    """As GitHub renders it: formulas in ```math blocks, users' text as code."""
    parts = []
    for section in sections:
        parts += [[f"## {_marked(section.title)}"], *[[_marked(section.lead)]][: len(section.lead)]]
        for block in section.blocks:
            parts += [[f"### {_marked(block.title)}"]] if block.title else []
            for item in block.items:
                words = _marked((*item.line, *item.note)).strip()
                parts += [[f"{words}:"]] if words else []
                parts.append(["```math", *_aligned(item.equation, "aligned"), "```"])
    return _joined(parts)


def _marked(line: Line) -> str:
    return "".join(piece if isinstance(piece, str) else _code(clean(_words_of(piece))) for piece in line)


def _code(text: str) -> str:
    """A code span, which nothing in the text can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {text} {ticks}" if longest else f"`{text or ' '}`"


def _aligned(equation: Formula, environment: str) -> list[str]:
    """The sides of an equation below each other."""
    first, *more = [side.latex() for side in equation.sides]
    rows = [f"{first} &= {more[0]}" if more else f"& {first}", *(f"&= {side}" for side in more[1:])]
    return [rf"\begin{{{environment}}}", *(row + r" \\" for row in rows[:-1]), rows[-1], rf"\end{{{environment}}}"]


LATEX = r"""% A fragment for \input{steps} in a document with \usepackage{amsmath}, and best with \allowdisplaybreaks.
% For names in Chinese or Japanese use lualatex or xelatex and a font that has the characters."""


def as_latex(sections: list[Section]) -> str:
    """A fragment of an article."""
    parts = [LATEX.splitlines()]
    for section in sections:
        parts += [[rf"\section*{{{_set(section.title)}}}"], *[[_set(section.lead)]][: len(section.lead)]]
        for block in section.blocks:
            parts += [[rf"\subsection*{{{_set(block.title)}}}"]] if block.title else []
            for item in block.items:
                words = _set((*item.line, *item.note)).strip()
                parts.append([*[rf"\noindent {words}:"][: len(words)], *_aligned(item.equation, "align*")])
    return _joined(parts)


def _set(line: Line) -> str:
    return "".join(_set_piece(piece) for piece in line)


def _set_piece(piece: str | Quoted | Formula) -> str:
    if isinstance(piece, Formula):
        return f"${piece.latex()}$"
    return rf"\texttt{{{escaped(piece.text)}}}" if isinstance(piece, Quoted) else piece


FORMS = {"text": as_text, "markdown": as_markdown, "latex": as_latex}
