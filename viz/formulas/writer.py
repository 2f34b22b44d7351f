"""What all notations of a formula share: which operands need parentheses, and how values are shown.

A notation is a Writer. Every method that begins with an underscore writes one kind of tree, and gives the text and how
strongly it binds; `write` adds parentheses where that is too weak. `Typeset` reduces mathematical setting to a few
hooks (a row, a fraction, something raised), which LaTeX and MathML fill in.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from viz.formulas.tree import (
    LONGEST,
    NAMED,
    Call,
    Compare,
    Equation,
    Index,
    Infix,
    Listing,
    Name,
    Negative,
    Number,
    Partial,
    Slice,
    Transpose,
    Tree,
    Value,
    Words,
)
from viz.texts.text import clean, number, values
from viz.tracing.model import Summary

OPEN, COMPARED, PRODUCT, NEGATED, RAISED, FRACTION, ATOM = 0, 1, 5, 6, 7, 8, 9
STRENGTH = {"|": 2, "&": 3, "+": 4, "-": 4, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "**": RAISED}  # as in Python
WHOLE, SIDE = 12, 6  # elements, and rows or columns, of an array that is set as a matrix
NUMERAL = re.compile(r"(-?)(\d+(?:\.\d+)?|inf|nan)(?:e([-+]\d+))?")
COMPLEX = re.compile(r"[^\[(]*j")

Written = tuple[str, int]


class Writer:
    """The formula as Python writes it, but with a raised T for a transpose; arrays are abbreviated lists."""

    def write(self, tree: Tree, strength: int = OPEN) -> str:
        """A tree, in parentheses where it binds less than it must."""
        text, own = getattr(self, f"_{type(tree).__name__.lower()}")(tree)
        return self.grouped(text) if own < strength else text

    def each(self, trees: tuple[Tree, ...]) -> str:
        """Trees with commas between them."""
        return ", ".join(map(self.write, trees))

    def grouped(self, text: str) -> str:
        """In parentheses."""
        return f"({text})"

    def _name(self, tree: Name) -> Written:
        return tree.name, ATOM

    def _number(self, tree: Number) -> Written:
        return tree.text, ATOM

    def _words(self, tree: Words) -> Written:
        text = clean(tree.text[: LONGEST + 1], LONGEST)
        return text, OPEN if " " in text else ATOM

    def _partial(self, tree: Partial) -> Written:
        return f"∂{clean(tree.of, NAMED)}/∂{clean(tree.by, NAMED)}", ATOM

    def _value(self, tree: Value) -> Written:
        text = values(tree.value)
        return text, OPEN if text.startswith("-") or COMPLEX.fullmatch(text) else ATOM

    def _infix(self, tree: Infix) -> Written:
        own = STRENGTH[tree.sign]
        power = tree.sign == "**"  # the only one that groups from the right
        return f"{self.write(tree.left, own + power)} {tree.sign} {self.write(tree.right, own + (not power))}", own

    def _negative(self, tree: Negative) -> Written:
        return f"-{self.write(tree.of, NEGATED)}", NEGATED

    def _compare(self, tree: Compare) -> Written:
        operands = [self.write(operand, COMPARED + 1) for operand in tree.operands]
        later = [f"{sign} {operand}" for sign, operand in zip(tree.signs, operands[1:], strict=True)]
        return " ".join([operands[0], *later]), COMPARED

    def _transpose(self, tree: Transpose) -> Written:
        return f"{self.write(tree.of, ATOM)}ᵀ", ATOM

    def _call(self, tree: Call) -> Written:
        given = list(map(self.write, tree.arguments))
        given += [f"{name}={self.write(argument)}" for name, argument in tree.keywords]
        return f"{tree.function}({', '.join(given)})", ATOM

    def _index(self, tree: Index) -> Written:
        return f"{self.write(tree.of, ATOM)}[{self.each(tree.cells)}]", ATOM

    def _slice(self, tree: Slice) -> Written:
        return ":".join("" if end is None else self.write(end) for end in tree.ends), OPEN

    def _listing(self, tree: Listing) -> Written:
        inside = self.each(tree.items)
        return f"({inside}{',' * (len(tree.items) == 1)})" if tree.round else f"[{inside}]", ATOM

    def _equation(self, tree: Equation) -> Written:
        return " = ".join(map(self.write, tree.sides)), OPEN


class Typeset(Writer):
    """Fractions, roots and powers set as such; a product of matrices by juxtaposition, any other with a dot."""

    # ---- hooks: all arguments but names and words are written already ----

    def row(self, *parts: str) -> str:
        """One after the other."""
        raise NotImplementedError

    def sign(self, sign: str) -> str:
        """An operator or a comma."""
        raise NotImplementedError

    def symbol(self, name: str) -> str:
        """A variable."""
        raise NotImplementedError

    def function(self, name: str) -> str:
        """The name of a function."""
        raise NotImplementedError

    def words(self, text: str) -> str:
        """Text that is no formula."""
        raise NotImplementedError

    def digits(self, text: str) -> str:
        """A number without a sign."""
        raise NotImplementedError

    def fenced(self, left: str, text: str, right: str) -> str:
        """Between brackets or bars."""
        raise NotImplementedError

    def fraction(self, top: str, bottom: str) -> str:
        raise NotImplementedError

    def raised(self, base: str, power: str) -> str:
        raise NotImplementedError

    def lowered(self, base: str, index: str) -> str:
        raise NotImplementedError

    def root(self, text: str) -> str:
        raise NotImplementedError

    def matrix(self, rows: list[list[str]]) -> str:
        raise NotImplementedError

    # ---- names and numbers ----

    def grouped(self, text: str) -> str:
        return self.fenced("(", text, ")")

    def each(self, trees: tuple[Tree, ...]) -> str:
        return self.separated([self.write(tree) for tree in trees])

    def separated(self, parts: list[str], by: str = ",") -> str:
        """Parts with a sign between them."""
        if len(parts) == 1:
            return parts[0]
        return self.row(*(piece for k, part in enumerate(parts) for piece in [self.sign(by)] * (k > 0) + [part]))

    def numeral(self, text: str) -> Written:
        """A number, from its text."""
        match = NUMERAL.fullmatch(text)
        if not match:
            return self.words(text), ATOM if text.isalnum() else OPEN
        minus, size, power = match.groups()
        found = {"inf": self.symbol("∞"), "nan": self.words("nan")}.get(size) or self.digits(size)
        if power:
            found = self.row(found, self.sign("×"), self.raised(self.digits("10"), self.numeral(str(int(power)))[0]))
        return self.row(self.sign("-"), found) if minus else found, OPEN if minus or power else ATOM

    def _name(self, tree: Name) -> Written:
        return self.symbol({"pi": "π", "...": "…"}.get(tree.name, tree.name)), ATOM

    def _number(self, tree: Number) -> Written:
        return self.numeral(tree.text)

    def _words(self, tree: Words) -> Written:
        text, own = super()._words(tree)
        return self.words(text), own

    def _partial(self, tree: Partial) -> Written:
        top, bottom = (self.row(self.symbol("∂"), self.symbol(clean(name, NAMED))) for name in (tree.of, tree.by))
        return self.fraction(top, bottom), FRACTION

    def _value(self, tree: Value) -> Written:
        value = tree.value
        if isinstance(value, Summary):
            return self._large(value, value.shape), ATOM
        if isinstance(value, tuple | list) or np.asarray(value).dtype.kind not in "biufc":
            return self.words(values(value)), ATOM
        array = np.asarray(value)
        if not array.ndim:
            return self.numeral(number(array.item()))
        if array.ndim > 2 or not 0 < array.size <= WHOLE or max(array.shape) > SIDE:
            return self._large(array, array.shape), ATOM
        return self.matrix([[self.numeral(number(x))[0] for x in row] for row in np.atleast_2d(array).tolist()]), ATOM

    def _large(self, value: Any, shape: tuple[int, ...]) -> str:
        """What fits of a large array, and its shape."""
        return self.lowered(self.words(values(value)), self.separated(list(map(self.digits, map(str, shape))), "×"))

    # ---- operations ----

    def _infix(self, tree: Infix) -> Written:
        own = STRENGTH[tree.sign]
        if tree.sign == "/":
            return self.fraction(self.write(tree.left), self.write(tree.right)), FRACTION
        if tree.sign == "**":
            return self.raised(self.write(tree.left, ATOM), self.write(tree.right)), RAISED
        right = RAISED if isinstance(tree.right, Negative) else own + 1  # two signs in a row are hard to read
        return self.row(self.write(tree.left, own), self.sign(tree.sign), self.write(tree.right, right)), own

    def _negative(self, tree: Negative) -> Written:
        return self.row(self.sign("-"), self.write(tree.of, NEGATED)), NEGATED

    def _compare(self, tree: Compare) -> Written:
        parts = [self.write(tree.operands[0], COMPARED + 1)]
        for sign, operand in zip(tree.signs, tree.operands[1:], strict=True):
            parts += [self.sign(sign), self.write(operand, COMPARED + 1)]
        return self.fenced("[", self.row(*parts), "]"), ATOM

    def _transpose(self, tree: Transpose) -> Written:
        return self.raised(self.write(tree.of, ATOM), self.function("T")), RAISED

    def _call(self, tree: Call) -> Written:
        keywords = dict(tree.keywords)
        axis = keywords.pop("axis", None)
        keywords.pop("keepdims", None)  # of no interest to a reader
        if len(tree.arguments) == 1 and not keywords and axis is None:
            of = tree.arguments[0]
            if tree.function == "sqrt":
                return self.root(self.write(of)), ATOM
            if tree.function in ("abs", "absolute"):
                return self.fenced("|", self.write(of), "|"), ATOM
            if tree.function == "inv":
                return self.raised(self.write(of, ATOM), self.numeral("-1")[0]), RAISED
        name = self.sign("∑") if tree.function == "sum" else self.function(tree.function)
        if axis is not None:
            name = self.lowered(name, self.row(self.words("axis "), self.write(axis)))
        given = list(map(self.write, tree.arguments))
        given += [self.row(self.symbol(name), self.sign("="), self.write(v)) for name, v in keywords.items()]
        return self.row(name, self.grouped(self.separated(given))), ATOM

    def _index(self, tree: Index) -> Written:
        return self.row(self.write(tree.of, ATOM), self.fenced("[", self.each(tree.cells), "]")), ATOM

    def _slice(self, tree: Slice) -> Written:
        ends = ["" if end is None else self.write(end) for end in tree.ends]
        return self.row(ends[0], *(part for end in ends[1:] for part in (self.sign(":"), end))), OPEN

    def _listing(self, tree: Listing) -> Written:
        if not tree.round and tree.items and all(isinstance(row, Listing) and row.items for row in tree.items):
            rows = [[self.write(item) for item in row.items] for row in tree.items if isinstance(row, Listing)]
            return self.matrix(rows), ATOM
        left, right = "()" if tree.round else "[]"
        return self.fenced(left, self.each(tree.items), right), ATOM

    def _equation(self, tree: Equation) -> Written:
        return self.separated(list(map(self.write, tree.sides)), "="), OPEN
