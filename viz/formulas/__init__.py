"""Derivative rules as formulas: plain text, LaTeX, MathML and words, in symbols and with their numbers."""

from viz.formulas.formula import Formula, equation, formula
from viz.formulas.tree import Partial

__all__ = ["Formula", "Partial", "equation", "formula"]
