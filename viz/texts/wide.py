"""Text in columns of a terminal, where a character of Chinese or Japanese takes two and an accent none."""

from __future__ import annotations

import unicodedata

from viz.texts.text import ELLIPSIS


def columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def filled(text: str, width: int) -> str:
    """Text that takes `width` columns: cut, or with spaces after it."""
    if columns(text) > width:
        while columns(text) >= width:
            text = text[:-1]
        text += ELLIPSIS
    return text + " " * (width - columns(text))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces where there are any."""
    if columns(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if columns(joined) <= width:
            line = joined
            continue
        lines += [line] * bool(line)
        while columns(word) > width:
            cut = next(k for k in range(len(word), 0, -1) if k == 1 or columns(word[:k]) <= width)
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return [*lines, line]
