"""A formula in MathML, which browsers set by themselves.

Brackets stretch only with a font that has a MATH table. So tall ones, and those of a matrix, are no characters: the
page draws them as borders (`STYLE`).
"""

from __future__ import annotations

from html import escape

from viz.formulas.writer import Typeset

SIGNS = {
    "-": "−", "*": "·", "@": "\N{INVISIBLE TIMES}", "&": "∧", "|": "∨", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠",
}  # fmt: skip
NO_BREAK, SPACE = "\N{NO-BREAK SPACE}", '<mspace width=".15em"/>'
FENCES = {"(": "round", "[": "square", "|": "bars"}
STYLE = """\
math .matrix, math .round, math .square, math .bars {
  border: 0 solid currentColor; border-width: 0 .08em; margin: 0 .15em;
}
math .round { border-radius: .8em; }
math .matrix, math .square { border-radius: .2em; }
"""


class Mathml(Typeset):
    """The hooks in MathML."""

    def row(self, *parts: str) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def sign(self, sign: str) -> str:
        room = ' lspace=".2em" rspace=".2em"' if sign == "@" else ""  # else x W would read as the name xW
        return f"<mo{room}>{escape(SIGNS.get(sign, sign))}</mo>"

    def symbol(self, name: str) -> str:
        return f"<mi>{escape(name)}</mi>"

    def function(self, name: str) -> str:
        return f'<mi mathvariant="normal">{escape(name)}</mi>' if len(name) == 1 else self.symbol(name)

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text).replace(' ', NO_BREAK)}</mtext>"

    def digits(self, text: str) -> str:
        return f"<mn>{escape(text)}</mn>"

    def fenced(self, left: str, text: str, right: str) -> str:
        if "<mtable" in text or "<mfrac" in text:
            return f'<mrow class="{FENCES[left]}">{SPACE}{text}{SPACE}</mrow>'
        return f"<mrow>{self.bracket(left)}{text}{self.bracket(right)}</mrow>"

    def bracket(self, sign: str) -> str:
        """One that is as high as a letter; Chromium sets room around those that may stretch."""
        return f'<mo stretchy="false">{sign}</mo>'

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{top}{bottom}</mfrac>"

    def raised(self, base: str, power: str) -> str:
        return f"<msup>{base}{power}</msup>"

    def lowered(self, base: str, index: str) -> str:
        return f"<msub>{base}{index}</msub>"

    def root(self, text: str) -> str:
        return f"<msqrt>{text}</msqrt>"

    def matrix(self, rows: list[list[str]]) -> str:
        cells = ("".join(f"<mtd>{cell}</mtd>" for cell in row) for row in rows)
        return f'<mrow class="matrix"><mtable>{"".join(f"<mtr>{row}</mtr>" for row in cells)}</mtable></mrow>'
