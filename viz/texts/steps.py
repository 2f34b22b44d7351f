"""What the steps of a trace say in symbols and numbers: the equations that sentences, blocks and pages are made of.

Every equation is a `Formula` whose sides are true of the recorded values, from the rule to the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from viz.formulas import Formula, equation, formula
from viz.formulas.forward import forward
from viz.formulas.tree import Infix, Name, Transpose, Tree, parse, replaced
from viz.texts.text import ELLIPSIS, values
from viz.texts.words import called
from viz.tracing.holding import added, arrived, held
from viz.tracing.model import CONSTANT, Contribution, Part, Summary, Trace, Update

LONGEST = 120  # characters of the numbers in a sentence


class Steps:
    """A trace with names for its vertices and equations for its steps."""

    def __init__(self, record: Trace):
        self.record = record
        self.graph = record.graph
        self.called = called(record.graph)
        self.inputs = record.graph.inputs()

    # ---- forward ----

    def computed(self, vertex: int) -> Formula:
        """What an operation computes, in the names of its inputs: `x @ W + b`."""
        return self._forward(vertex, [self._known_as(edge.source) for edge in self.inputs[vertex]])

    def computation(self, vertex: int) -> Formula:
        """The same, with their numbers where these are short and whole, and the result; only names if it is unknown."""
        value = self.graph.vertices[vertex].value
        if value is None:
            return self.computed(vertex)
        known = [self.graph.vertices[edge.source].value for edge in self.inputs[vertex]]
        numbers = [self._forward(vertex, known)] if all(v is not None for v in known) else []
        return _equation(self.computed(vertex), *filter(_is_short, numbers), value)

    def _known_as(self, vertex: int) -> Any:
        """The name of a vertex; a constant number is its own."""
        made = self.graph.vertices[vertex]
        number = made.kind == CONSTANT and made.shape == () and made.value is not None
        return made.value if number else self.called[vertex]

    def _forward(self, vertex: int, inputs: list[Any]) -> Formula:
        made = self.graph.vertices[vertex]
        return forward(made.op, inputs, made.arguments)

    # ---- backward ----

    def letters(self, vertex: int, given: Iterable[Contribution]) -> dict[str, str]:
        """What the letters in the rules of an operation stand for here: {"a": "h"} for h @ W, {"N": "5"} for a mean."""
        used = {name: one.names.get(name) for one in given for name in formula(one.rule).names}
        meant = {edge.name: self.called[edge.source] for edge in self.inputs[vertex]} | {"y": self.called[vertex]}
        counts = {name: values(value) for name, value in sorted(used.items()) if _is_count(value)}
        return {name: meaning for name, meaning in (counts | meant).items() if name in used and name != meaning}

    def gradient(self, contribution: Contribution, part: Part) -> Formula:
        """A move of a contribution: in symbols, with numbers, with g times the local derivative, and its value."""
        if part.what == "sum":
            return equation(part.value)
        rule = formula(part.text)
        if part.what == "transpose":
            return equation(rule, part.value)
        product = _times_local(rule, contribution)
        return _equation(rule, rule.filled(contribution.names), *product, part.value)

    def zero_wins(self, contribution: Contribution, part: Part) -> bool:
        """True where g is 0 and the local derivative infinite or nan: backward takes 0 for their product."""
        g, local = contribution.names.get("g"), contribution.local
        if part.what != "rule" or not isinstance(g, np.ndarray) or not isinstance(local, np.ndarray):
            return False
        return bool(np.any((g == 0) & ~np.isfinite(local)))

    def turned(self, contribution: Contribution, part: Part) -> tuple[str, str]:
        """What a transpose transposes: its name in the rule, and its shape."""
        name = min(formula(part.text).names, default="")
        return name, shape_of(contribution.names.get(name))

    def shapes(self, contribution: Contribution) -> Formula | None:
        """`(5, 2) @ (2, 3) = (5, 3)`: why a product of matrices fits; None where it is none, or one of vectors."""
        rule = formula(contribution.rule)
        shapes = {name: np.shape(value) for name, value in contribution.names.items() if _is_matrix(value)}
        if not isinstance(rule.tree, Infix) or rule.tree.sign != "@" or not rule.names <= shapes.keys():
            return None

        def shape(tree: Tree) -> Tree | None:
            if isinstance(tree, Transpose) and isinstance(tree.of, Name):
                return parse(str((*shapes[tree.of.name][:-2], *shapes[tree.of.name][:-3:-1])))
            return parse(str(shapes[tree.name])) if isinstance(tree, Name) else None

        return equation(Formula(replaced(rule.tree, shape)), formula(shape_of(contribution.spread)))

    def accumulated(self, contribution: Contribution) -> Formula:
        """`0.5 + 0.3 = 0.8`; only the sum where there was nothing before."""
        if contribution.before is None:
            return equation(contribution.after)
        return equation(ADDED.filled({"a": contribution.before, "b": contribution.value}), contribution.after)

    def held(self, contribution: Contribution) -> Any:
        """What the `.grad` of its target held before the pass; None where there was nothing."""
        return held(self.graph.vertices[contribution.target])

    def grown(self, contribution: Contribution) -> Formula | None:
        """`3 + 0.5 = 3.5`: at the last use, what `.grad` held before the pass and what it holds now; else None."""
        before = self.held(contribution)
        if before is None or contribution.use < contribution.uses:
            return None
        return grown(before, contribution.after)

    # ---- updates ----

    def updated(self, update: Update) -> Formula | None:
        """`0.4 - 0.5 * 0.08217 = 0.3589`, where an update is a fixed multiple of the gradient; else None."""
        gradient = self.gradients.get(update.vertex)
        rate = _rate(update, gradient)
        if rate is None:
            return None
        return equation(DESCENT.filled({"a": update.before, "b": rate, "c": gradient}), update.after)

    @cached_property
    def gradients(self) -> dict[int, Any]:
        """The gradient of each vertex after the backward pass, with what it had before it."""
        every = (contribution for step in self.record.backward for contribution in step.contributions)
        return {contribution.target: arrived(self.graph, contribution) for contribution in every}


ADDED, DESCENT = formula("a + b"), formula("a - b * c")


def grown(before: Any, total: Any) -> Formula:
    """`3 + 0.5 = 3.5`: what a gradient held, and what a pass adds to it."""
    return equation(ADDED.filled({"a": before, "b": total}), added(before, total))


def _equation(*sides: Any) -> Formula:
    """Sides that are equal, without one that reads like the one before it."""
    written = [side if isinstance(side, Formula) else equation(side) for side in sides]
    return equation(*(side for k, side in enumerate(written) if not k or side.text() != written[k - 1].text()))


def _times_local(rule: Formula, contribution: Contribution) -> list[Formula]:
    """`g * local` of an elementwise rule that has this form."""
    tree = rule.tree
    if contribution.local is None or not (isinstance(tree, Infix) and tree.sign == "*" and tree.left == Name("g")):
        return []
    return [formula("g * local").filled({"g": contribution.names.get("g", "g"), "local": contribution.local})]


def _rate(update: Update, gradient: Any) -> float | None:
    """The number that the gradient was multiplied by, if it was one: the shortest that explains the new value."""
    before, after, g = (_real(value) for value in (update.before, update.after, gradient))
    if before is None or after is None or g is None:
        return None
    with np.errstate(all="ignore"):
        rate = float(np.sum((before - after) * g) / np.sum(g * g))
        close = 1e-6 if np.asarray(update.after).dtype.itemsize < 8 else 1e-12
        for digits in range(1, 8):
            rounded = float(f"{rate:.{digits}g}")
            if np.allclose(before - rounded * g, after, rtol=close, atol=close * float(np.max(np.abs(before)))):
                return rounded
    return None


def brief(rule: Formula) -> str:
    """The rule, the numbers next to the result if they are short and whole, and the result."""
    first, *more = rule.sides
    return " = ".join([side.text() for side in (first, *filter(_is_short, more[:-1][-1:]), *more[-1:])])


def _is_short(side: Formula) -> bool:
    return ELLIPSIS not in side.text() and len(side.text()) <= LONGEST


def _is_count(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iu"


def _is_matrix(value: Any) -> bool:
    return isinstance(value, np.ndarray | Summary) and len(value.shape) > 1


def _real(value: Any) -> np.ndarray | None:
    """An array of floats in double precision; None for anything else."""
    known = isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f" and value.size > 0
    return np.asarray(value, float) if known else None


def shape_of(value: Any) -> str:
    """The shape of an array, as Python writes it; nothing for a number or several results."""
    if value is None:
        return ""
    shape = value.shape if isinstance(value, Summary) else () if isinstance(value, tuple | list) else np.shape(value)
    return str(tuple(shape)) if shape else ""
