"""A formula in LaTeX: what stands between dollar signs, with amsmath."""

from __future__ import annotations

import re

from viz.formulas.writer import Typeset
from viz.texts.text import clean

SIGNS = {
    "*": r"\cdot", "×": r"\times", "@": r"\,", "&": r"\land", "|": r"\lor", "∑": r"\sum",
    "<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne",
}  # fmt: skip
SYMBOLS = {"∂": r"\partial", "π": r"\pi", "…": r"\dots", "∞": r"\infty"}
OPERATORS = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "max", "min", "det"}  # LaTeX knows these
PLAIN = re.compile(r"[A-Za-z0-9_#. ]+")
SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\`{}",
    '"': "''",
    **{c: "\\" + c for c in "{}$&#_%"},
}


def escaped(text: str) -> str:
    """Text for LaTeX's text mode, on one line."""
    return "".join(SPECIAL.get(c, c) for c in clean(text))


def upright(text: str) -> str:
    """Text in math mode."""
    if PLAIN.fullmatch(text):
        return r"\mathrm{" + re.sub("([_# ])", r"\\\1", text) + "}"
    return rf"\text{{{escaped(text)}}}"


class Latex(Typeset):
    """The hooks in LaTeX."""

    def row(self, *parts: str) -> str:
        text = " ".join(filter(None, parts))
        return text.replace("- ", "-", 1) if text.startswith("- ") else text

    def sign(self, sign: str) -> str:
        return SIGNS.get(sign, sign)

    def symbol(self, name: str) -> str:
        letter = len(name) == 1 and name.isascii() and name.isalpha()
        return name if letter else SYMBOLS.get(name) or upright(name)

    def function(self, name: str) -> str:
        if name in OPERATORS:
            return "\\" + name
        text = upright(name)
        return text if name == "T" else text.replace(r"\mathrm", r"\operatorname", 1)

    def words(self, text: str) -> str:
        return upright(text)

    def digits(self, text: str) -> str:
        return text

    def fenced(self, left: str, text: str, right: str) -> str:
        tall = any(sign in text for sign in (r"\frac", r"\begin", r"\sum", r"\left"))
        return rf"\left{left} {text} \right{right}" if tall else f"{left}{text}{right}"

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def raised(self, base: str, power: str) -> str:
        return f"{base}^{{{power}}}"

    def lowered(self, base: str, index: str) -> str:
        return f"{base}_{{{index}}}"

    def root(self, text: str) -> str:
        return rf"\sqrt{{{text}}}"

    def matrix(self, rows: list[list[str]]) -> str:
        return r"\begin{bmatrix} " + r" \\ ".join(" & ".join(row) for row in rows) + r" \end{bmatrix}"
