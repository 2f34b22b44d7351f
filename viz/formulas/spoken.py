"""A formula in English words, for whoever hears it."""

from __future__ import annotations

import numpy as np

from viz.formulas.tree import (
    NAMED,
    Call,
    Compare,
    Equation,
    Index,
    Infix,
    Negative,
    Partial,
    Transpose,
    Value,
)
from viz.formulas.writer import ATOM, COMPARED, NEGATED, OPEN, RAISED, STRENGTH, Writer, Written
from viz.texts.text import ELLIPSIS, clean, values

SIGNS = {
    "+": "plus", "-": "minus", "*": "times", "/": "over", "@": "matrix times", "**": "to the power", "&": "and",
    "|": "or", "<": "is less than", ">": "is greater than", "<=": "is at most", ">=": "is at least", "==": "equals",
    "!=": "is not",
}  # fmt: skip


class Spoken(Writer):
    """Operators as words, parentheses as words."""

    def grouped(self, text: str) -> str:
        return f"open parenthesis {text} close parenthesis"

    def _partial(self, tree: Partial) -> Written:
        return f"the derivative of {clean(tree.of, NAMED)} by {clean(tree.by, NAMED)}", ATOM

    def _value(self, tree: Value) -> Written:
        text = values(tree.value)
        if text.startswith("-"):
            return f"minus {text[1:]}", ATOM
        shape = "" if isinstance(tree.value, tuple | list) else " by ".join(map(str, np.shape(tree.value)))
        return f"{text} of shape {shape}" if shape and ELLIPSIS in text else text, ATOM

    def _infix(self, tree: Infix) -> Written:
        own = STRENGTH[tree.sign]
        power = tree.sign == "**"
        left, right = self.write(tree.left, own + power), self.write(tree.right, own + (not power))
        return f"{left} {SIGNS[tree.sign]} {right}", own

    def _negative(self, tree: Negative) -> Written:
        return f"minus {self.write(tree.of, NEGATED)}", NEGATED

    def _compare(self, tree: Compare) -> Written:
        parts = [self.write(tree.operands[0], COMPARED + 1)]
        for sign, operand in zip(tree.signs, tree.operands[1:], strict=True):
            parts += [SIGNS[sign], self.write(operand, COMPARED + 1)]
        return f"{' '.join(parts)}, as 1 or 0", COMPARED

    def _transpose(self, tree: Transpose) -> Written:
        return f"{self.write(tree.of, ATOM)} transposed", RAISED

    def _call(self, tree: Call) -> Written:
        given = list(map(self.write, tree.arguments))
        given += [f"{name} {self.write(argument)}" for name, argument in tree.keywords]
        return f"{tree.function.replace('_', ' ')} of {' and '.join(given) or 'nothing'}", NEGATED

    def _index(self, tree: Index) -> Written:
        return f"{self.write(tree.of, ATOM)} at {self.each(tree.cells)}", RAISED

    def _equation(self, tree: Equation) -> Written:
        return " equals ".join(map(self.write, tree.sides)), OPEN
