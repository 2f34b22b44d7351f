"""One formula in four notations: text, LaTeX, MathML, and words to be heard.

f = formula("g * (1 - y * y)")
f.text()                          g * (1 - y * y)
f.text({"g": 0.5, "y": -0.2})     0.5 * (1 - (-0.2) * (-0.2))
f.latex({"g": Partial("L", "h"), "y": "h"})
equation(f, f.filled(numbers), 0.48).mathml()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viz.formulas.latex import Latex
from viz.formulas.mathml import Mathml
from viz.formulas.spoken import Spoken
from viz.formulas.tree import Equation, Tree, Value, filled, names_in, parse
from viz.formulas.writer import Writer

Names = Mapping[str, Any]


@dataclass(frozen=True)
class Formula:
    """A tree that can be written in four notations.

    `names` says what to write in the place of a name: a value (a number, an array, a Summary), other symbols (a str, a
    `Partial` derivative), or a Formula.
    """

    tree: Tree

    def filled(self, names: Names | None) -> Formula:
        """The formula with these names replaced."""
        if not names:
            return self
        meanings = {k: v.tree if isinstance(v, Formula) else v for k, v in names.items()}
        return Formula(filled(self.tree, meanings))

    @property
    def sides(self) -> list[Formula]:
        """The sides of an equation, or the formula alone."""
        return [Formula(side) for side in self.tree.sides] if isinstance(self.tree, Equation) else [self]

    @property
    def names(self) -> set[str]:
        """The names that stand in it."""
        return names_in(self.tree)

    def text(self, names: Names | None = None) -> str:
        """As Python writes it, with Wᵀ for a transpose; not escaped for any format."""
        return Writer().write(self.filled(names).tree)

    def latex(self, names: Names | None = None) -> str:
        """For LaTeX's math mode, with amsmath; one line."""
        return Latex().write(self.filled(names).tree)

    def mathml(self, names: Names | None = None) -> str:
        """A `math` element; `viz.formulas.mathml.STYLE` draws the brackets of its matrices."""
        return f"<math displaystyle='true'>{Mathml().write(self.filled(names).tree)}</math>"

    def spoken(self, names: Names | None = None) -> str:
        """In English words; not escaped for any format."""
        return Spoken().write(self.filled(names).tree)


def formula(rule: str) -> Formula:
    """The formula of a rule's text; what is no expression is shown as it stands."""
    return Formula(parse(rule))


def equation(*sides: Any) -> Formula:
    """Formulas and values that are equal, in this order."""
    found: list[Tree] = []
    for side in sides:
        tree = side.tree if isinstance(side, Formula) else Value(side)
        found += tree.sides if isinstance(tree, Equation) else [tree]
    return Formula(Equation(tuple(found)))
