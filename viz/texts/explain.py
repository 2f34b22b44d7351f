"""The steps of a trace as text, for a terminal, a log or a screen reader, and for an article.

First what is given and what the forward pass makes of it, a line each. Then the backward pass, a block for each
operation: the rule in symbols, the same rule with its numbers, the result, and what that result was added to. Last the
updates. Steps have the numbers that they have in every view.
"""

from __future__ import annotations

from typing import Any, cast

from autograd import Tensor
from viz.formulas import Formula, equation, formula
from viz.formulas.forward import symbol
from viz.texts.documents import FORMS, Block, Item, Line, Quoted, Section
from viz.texts.steps import Steps, shape_of
from viz.texts.words import place
from viz.tracing.holding import at_first
from viz.tracing.model import CONSTANT, OP, Backward, Contribution, Forward, Trace, Update
from viz.tracing.moments import Moment, moments
from viz.tracing.taking import trace
from viz.tracing.tape import Tape


def explain(y: Tensor | Trace | Tape, grad: Any = None, *, form: str = "text") -> str:
    """The steps to `y` and back from it as text; from `grad`, or for a scalar from 1.

    form: "text" | "markdown" (as GitHub renders it) | "latex" (a fragment for an article, with amsmath).
    Changes no gradient and frees nothing.
    Raises GraphFreedError after a `backward()` that did not retain the graph.
    """
    if form not in FORMS:
        raise ValueError(f"explain() writes {', '.join(map(repr, FORMS))}, not {form!r}")
    return FORMS[form](sections(trace(y, grad)))


def sections(record: Trace) -> list[Section]:
    """The document of a trace."""
    return Story(record).sections()


class Story:
    """A trace as a document."""

    def __init__(self, record: Trace):
        self.record = record
        self.steps = Steps(record)
        self.called = self.steps.called
        self.moments = list(enumerate(moments(record), 1))
        self.within: dict[int, list[tuple[int, Moment]]] = {}  # the moments of each step
        for i, moment in self.moments:
            self.within.setdefault(id(moment.step), []).append((i, moment))

    def sections(self) -> list[Section]:
        """Given, forward, backward, updates: those that there are."""
        held = at_first(self.record.graph)
        before = "Some leaves hold a gradient from before." if held else "No gradient exists before the first step."
        found = [
            Section(("Given",), (), [Block(self._given())]),
            Section(
                ("Forward", *self._range(Forward)), (), [Block([self._forward(i, m) for i, m in self._of(Forward)])]
            ),
            Section(
                ("Backward from ", Quoted(self.called[-1]), *self._range(Backward)),
                (f"The newest operation first. {before}",),
                [self._block(step) for step in self.record.backward],
            ),
            Section(("Updates", *self._range(Update)), (), [Block([self._update(i, m) for i, m in self._of(Update)])]),
        ]
        return [section for section in found if any(block.items for block in section.blocks)]

    def _of(self, kind: type) -> list[tuple[int, Moment]]:
        return [(i, moment) for i, moment in self.moments if isinstance(moment.step, kind)]

    def _range(self, kind: type) -> Line:
        numbers = [i for i, _ in self._of(kind)]
        return (f", {_steps(numbers)} of {len(self.moments)}",) if numbers else ()

    # ---- given, forward, updates ----

    def _given(self) -> list[Item]:
        vertices = [v for v in self.record.graph.vertices if v.kind != OP and not (v.kind == CONSTANT and not v.shape)]
        return [
            Item((), equation(symbol(self.called[v.id]), _value(v.value)), _placed(place(v)), shape_of(v.value))
            for v in vertices
        ]

    def _forward(self, i: int, moment: Moment) -> Item:
        vertex = self.record.graph.vertices[moment.step.vertex]
        sides = equation(symbol(self.called[vertex.id]), self.steps.computation(vertex.id))
        return Item((f"Step {i}",), sides, _placed(place(vertex)), shape_of(vertex.value))

    def _update(self, i: int, moment: Moment) -> Item:
        step = moment.step
        assert isinstance(step, Update)
        moved, name = self.steps.updated(step), cast(Line, (Quoted(self.called[step.vertex]),))
        if moved is None:
            name = (*name, ", which was ", _value(step.before), ", becomes")
            moved = _value(step.after)
        return Item((f"Step {i}, ", *name), moved, (), shape_of(step.after))

    # ---- backward ----

    def _block(self, step: Backward) -> Block:
        """The backward pass through one operation."""
        vertex = self.record.graph.vertices[step.vertex]
        name = self.called[step.vertex]
        title = ("Back through ", equation(symbol(name), self.steps.computed(vertex.id)), *_placed(place(vertex)))
        g = equation(formula("g"), symbol(f"{name}.grad"), _value(step.incoming))
        items = [Item((), g, (), shape_of(step.incoming))]
        letters = self.steps.letters(vertex.id, step.contributions)
        items += [Item((), equation(formula(letter), symbol(meant))) for letter, meant in letters.items()]
        for i, moment in self.within.get(id(step), ()):
            assert moment.contribution is not None
            items += self._move(i, moment, moment.contribution)
        return Block(items, title)

    def _move(self, i: int, moment: Moment, given: Contribution) -> list[Item]:
        part, name = moment.part, Quoted(self.called[given.target])
        assert part is not None
        head: Line = (f"Step {i}, to ", name)
        found = []
        if part.what == "sum":
            shape = self.record.graph.vertices[given.target].shape
            axes = ("axis " if len(part.axes) == 1 else "axes ") + ", ".join(map(str, part.axes))
            head = (*head, ": ", name, f" {shape} was stretched to {shape_of(given.spread)}, so sum over {axes}")
        if part.what == "transpose":
            head = (*head, ", so that the shapes fit")
        moved = self.steps.gradient(given, part)
        note: Line = ("   0 times inf or nan counts as 0 here: that branch was not taken",)
        note = note if self.steps.zero_wins(given, part) else ()
        found.append(Item(head, moved, note, shape_of(part.value), spread=len(moved.sides) > 2))
        shapes = self.steps.shapes(given) if part.what == "rule" else None
        if shapes is not None:
            found.append(Item(("shapes",), shapes, inner=True))
        if moment.accumulates:
            use = f", use {given.use} of {given.uses}"
            held, grown = self.steps.held(given), self.steps.grown(given)
            grad = Quoted(f"{name.text}.grad")
            what: Line = (grad,) if held is None else ("this pass",)
            found.append(Item(what, self.steps.accumulated(given), (use,), inner=True))
            if grown is not None:
                words = (grad, " already held ", equation(held), " from before")
                found.append(Item(words, grown, (" (", Quoted("zero_grad()"), " was not called)"), inner=True))
        return found


def _steps(numbers: list[int]) -> str:
    return f"steps {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"step {numbers[0]}"


def _value(value: Any) -> Formula:
    return symbol("not known") if value is None else equation(value)


def _placed(where: str) -> Line:
    return ("   (", Quoted(where), ")") if where else ()
