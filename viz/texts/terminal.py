"""Step through a trace in a terminal: one screen for each moment, one command a line.

Lines in and lines out, so it needs no terminal library and works through a pipe. On a terminal a new screen takes the
place of the old one. Names and code come from users: every line that goes out holds printable characters only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import numpy as np

from viz.formulas import Formula
from viz.texts.sentences import Sentences
from viz.texts.steps import grown
from viz.texts.text import clean, fitting, plural, values
from viz.texts.wide import columns, filled, wrapped
from viz.tracing.elements import Terms, terms
from viz.tracing.holding import arrived, at_first
from viz.tracing.model import CONSTANT, OP, Backward, Contribution, Forward, Summary, Trace, Update
from viz.tracing.moments import Moment, moments

HELP = """\
  n, or Enter   the next step
  b             one step back
  g 17          go to step 17
  f             go to the first backward step
  e W[0,1]      element [0, 1] of the gradient of W, as the sum that it is
  s             show the step again
  q             quit"""
ROWS = 9  # vertices on a screen
TERMS = 12  # terms of an element
USES = 4  # contributions to an element
CLEAR = "\x1b[2J\x1b[H"
LABELS = 10  # columns of the words on the left


def run(record: Trace, lines: Iterable[str], out: TextIO, width: int = 80) -> None:
    """Read commands from `lines` and write what they show, until `q` or the last line."""
    stepper = Stepper(record, width)
    redraws = out.isatty()

    def show(text: str, whole_screen: bool) -> None:
        out.write(CLEAR if redraws and whole_screen else "")
        out.writelines(f"{part}\n" for line in text.split("\n") for part in wrapped(printable(line), width))
        out.write(f"\n{stepper.prompt} ")
        out.flush()

    show(stepper.screen(), True)
    for line in lines:
        if not redraws:  # so that a log shows what was asked
            out.write(printable(line.strip()) + "\n")
        before, answer = stepper.at, stepper.answer(line.strip())
        if answer is None:
            return
        show(answer, stepper.at != before)
    out.write("\n")


def printable(line: str) -> str:
    """A line without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in line)


class Stepper:
    """A trace and the step that is looked at; steps are numbered from 1."""

    def __init__(self, record: Trace, width: int = 80):
        self.record = record
        self.width = width
        self.moments = moments(record)
        self.sentences = Sentences(record)
        self.steps = self.sentences.steps
        self.called = self.steps.called
        self.at = min(1, len(self.moments))

    @property
    def prompt(self) -> str:
        """What stands before the place where a command is typed."""
        return f"step {self.at} of {len(self.moments)}, ? for help >"

    def answer(self, command: str) -> str | None:
        """What a command shows; None to quit."""
        word, rest = re.fullmatch(r"([a-z?]*)\s*(.*)", command, re.DOTALL).groups()  # type: ignore[union-attr]
        if word in ("q", "quit", "exit"):
            return None
        known = self._commands().get(word)
        if known is None:
            return f"there is no command {clean(command, 40)!r}; ? lists them"
        return known(rest)

    def _commands(self) -> dict[str, Callable[[str], str]]:
        short: dict[str, Callable[[str], str]] = {
            "next": lambda rest: self._go(self.at + 1, "this is the last step"),
            "back": lambda rest: self._go(self.at - 1, "this is the first step"),
            "go": self._go_to,
            "first": lambda rest: self._first_backward(),
            "element": self.element,
            "show": lambda rest: self.screen(),
            "help": lambda rest: HELP,
        }
        return short | {word[0]: do for word, do in short.items()} | {"": short["next"], "?": short["help"]}

    def _go(self, to: int, beyond: str) -> str:
        if not 1 <= to <= len(self.moments):
            return beyond
        self.at = to
        return self.screen()

    def _go_to(self, rest: str) -> str:
        count = len(self.moments)
        number = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 10 else 0
        return self._go(number, f"go where? The steps are 1 to {count}: g {count}")

    def _first_backward(self) -> str:
        first = (k for k, moment in enumerate(self.moments, 1) if moment.contribution is not None)
        return self._go(next(first, 0), "there is no backward step in this trace")

    # ---- the screen ----

    def screen(self) -> str:
        """The step as text: its sentence, its numbers, its line of code, and the graph around it."""
        if not self.moments:
            return "\n".join(["No step: the result is itself a leaf.", "", *self._graph()])
        moment = self.moments[self.at - 1]
        said = self.sentences.sentence(moment, self.at, len(self.moments))
        lines = [line for label, text in self._facts(moment) for line in self._labelled(label, text)]
        return "\n".join([*wrapped(printable(said), self.width), "", *lines, "", *self._graph()])

    def _labelled(self, label: str, text: str) -> list[str]:
        first, *more = wrapped(printable(text), self.width - LABELS - 2) or [""]
        name = filled(printable(label), LABELS - 1)
        return [f"  {name} {first}", *(" " * (LABELS + 2) + line for line in more)]

    def _facts(self, moment: Moment) -> list[tuple[str, str]]:
        step = moment.step
        if isinstance(step, Update):
            return [*self._updated(step), *_code(step)]
        vertex = self.record.graph.vertices[step.vertex]
        if isinstance(step, Forward):
            return [*_equation("computes", self.steps.computation(step.vertex)), *_code(vertex)]
        assert moment.contribution is not None and moment.part is not None
        part = moment.part
        rule, *more = _equation(part.what, self.steps.gradient(moment.contribution, part))
        letters = self.steps.letters(step.vertex, [moment.contribution]).items()
        where = [("where", ", ".join(f"{letter} = {meant}" for letter, meant in letters))] if letters else []
        found = [("sum", part.text), ("=", rule[1])] if part.what == "sum" else [rule, *where, *more]
        return [*found, *self._accumulated(moment, moment.contribution), *_code(vertex)]

    def _accumulated(self, moment: Moment, given: Contribution) -> list[tuple[str, str]]:
        if not moment.accumulates:
            return []
        held, grown, name = self.steps.held(given), self.steps.grown(given), f"{self.called[given.target]}.grad"
        what = name if held is None else "this pass"
        found = [("adds up", f"{what} = {self.steps.accumulated(given).text()}, use {given.use} of {given.uses}")]
        if grown is not None:
            found.append(("before", _already(name, held, grown)))
        return found

    def _updated(self, step: Update) -> list[tuple[str, str]]:
        equation = self.steps.updated(step)
        found = [("was", values(step.before)), ("becomes", values(step.after))]
        return found if equation is None else [("computes", equation.text()), *found]

    def _graph(self) -> list[str]:
        """The graph around the step, a vertex a line: what flows from where to where, values, and gradients so far."""
        value, gradient = self._now()
        ends = self._ends()
        known = self.width - 11 - 2 * 19
        header = " " * 11 + filled("graph", known) + filled(" value", 19) + " gradient"
        lines = [header]
        shown = self._around([k for k, _ in ends])
        for place, k in enumerate(shown):
            if place and k > shown[place - 1] + 1:
                lines.append(" " * 6 + "⋮")
            end = dict(ends).get(k, "")
            cells = [_cell(state.get(k, "not computed")) for state in (value, gradient)]
            lines.append(f"{end:<5}{k:>4}  {filled(self._title(k), known - 1)}  {filled(cells[0], 17)}  {cells[1]}")
        return [line.rstrip() for line in lines]

    def _title(self, k: int) -> str:
        vertex = self.record.graph.vertices[k]
        if vertex.kind == OP:
            return printable(f"{self.called[k]} = {self.steps.computed(k).text()}")
        return printable(f"{self.called[k]}{' ' + str(vertex.shape) if vertex.shape else ''}")

    def _now(self) -> tuple[dict[int, Any], dict[int, Any]]:
        """The values and the gradients that exist at this step. Constants have no gradient, and none is missing."""
        vertices = self.record.graph.vertices
        value = {v.id: v.value for v in vertices if v.kind != OP}
        gradient: dict[int, Any] = {v.id: "" for v in vertices if v.kind == CONSTANT} | at_first(self.record.graph)
        for moment in self.moments[: self.at]:
            step = moment.step
            if isinstance(step, Forward):
                value[step.vertex] = vertices[step.vertex].value
            elif isinstance(step, Update):
                value[step.vertex] = step.after
            else:
                gradient[step.vertex] = step.incoming
                if moment.accumulates and moment.contribution is not None:
                    gradient[moment.contribution.target] = arrived(self.record.graph, moment.contribution)
        return value, gradient

    def _ends(self) -> list[tuple[int, str]]:
        """The vertices that the step goes from and to."""
        if not self.moments:
            return []
        moment = self.moments[self.at - 1]
        step = moment.step
        if isinstance(step, Backward):
            assert moment.contribution is not None
            return [(step.vertex, "from"), (moment.contribution.target, "to")]
        sources = [edge.source for edge in self.steps.inputs[step.vertex]] if isinstance(step, Forward) else []
        return [*((k, "from") for k in sources[: ROWS - 1]), (step.vertex, "to")]

    def _around(self, ends: list[int]) -> list[int]:
        """These vertices and the nearest others, as many as there is room for."""
        count = len(self.record.graph.vertices)
        middle = max(ends, default=0)
        near = sorted(range(max(0, middle - ROWS), min(count, middle + ROWS)), key=lambda k: abs(k - middle))
        return sorted(list(dict.fromkeys([*ends, *near]))[:ROWS])

    # ---- one element ----

    def element(self, asked: str) -> str:
        """One element of a gradient: for each contribution so far the terms that make it."""
        name, index = re.fullmatch(r"(.*?)\s*(?:\[([^\[\]]*)\])?", asked, re.DOTALL).groups()  # type: ignore[union-attr]
        target = self._target(name)
        if target is None:
            return f"the gradient of what? There is no {clean(name, 40)!r} in this trace: e {self.called[0]}"
        shape = self.record.graph.vertices[target].shape or ()
        cell = tuple(int(k) for k in re.findall(r"\d+", index or "")[: len(shape) + 1] if len(k) < 10)
        if len(cell) != len(shape) or any(k >= n for k, n in zip(cell, shape, strict=True)):
            example = f"[{', '.join('0' for _ in shape)}]" if shape else ""
            return f"{self.called[target]} has shape {shape}: e {self.called[target]}{example}"
        return self._arrived(target, cell)

    def _target(self, name: str) -> int | None:
        """The vertex that a name means: that of the step where there is no name."""
        moment = self.moments[self.at - 1] if self.moments else None
        if not name and moment is not None and moment.contribution is not None:
            return moment.contribution.target
        candidates = (name, name.removesuffix(".grad"), name.removeprefix("d"))
        return next((self.called.index(n) for n in candidates if n in self.called), None)

    def _arrived(self, target: int, cell: tuple[int, ...]) -> str:
        uses: dict[int, tuple[int, Contribution]] = {}
        for i, moment in enumerate(self.moments, 1):
            if moment.contribution is not None and moment.contribution.target == target:
                uses.setdefault(id(moment.contribution), (i, moment.contribution))
        done = [(i, given) for i, given in uses.values() if i <= self.at]
        name = f"{self.called[target]}.grad"
        if not uses:
            return f"{name}: no step of this trace computes it"
        if not done:
            return f"{name}: not computed yet. Step {next(iter(uses.values()))[0]} is the first that adds to it."
        name += f"[{', '.join(map(str, cell))}]" if cell else ""
        last = done[-1][1]
        held = self.steps.held(last)
        what, so_far = (name, name) if held is None else (f"added to {name}", "this pass")
        lines = [f"{plural(len(done) - USES, 'earlier use')} not shown"] * (len(done) > USES)
        lines += [line for i, given in done[-USES:] for line in _explained(what, i, given, cell)]
        total, earlier = _at(last.after, cell), _at(held, cell)
        lines += [f"{so_far} so far: {values(total)}"] * (len(done) > 1 and total is not None)
        if last.use == last.uses and total is not None and earlier is not None:
            lines.append(_already(name, earlier, grown(earlier, total)))
        return "\n".join(lines)


def _already(name: str, held: Any, grown: Formula) -> str:
    """What a leaf's gradient held before the pass, and what it holds with the pass."""
    return f"{name} already held {values(held)} from before: {grown.text()} (zero_grad() was not called)"


def _equation(word: str, equation: Formula) -> list[tuple[str, str]]:
    """The sides of an equation, a line each."""
    first, *more = [side.text() for side in equation.sides]
    return [(word, first), *(("=", side) for side in more)]


def _code(place: Any) -> list[tuple[str, str]]:
    return [("code", f"{clean(place.source, 40)}   {clean(place.code, 200)}")] if place.source else []


def _cell(value: Any) -> str:
    """A value in a column of the graph; what is longer than the column is not shown at all rather than cut."""
    text = value if isinstance(value, str) else "not known" if value is None else fitting(value, 17)
    return text if columns(text) <= 17 else "…"


def _explained(name: str, i: int, given: Contribution, cell: tuple[int, ...]) -> list[str]:
    """One contribution to an element, as a sum."""
    element = _at(given.value, cell)
    found = None if given.value is None else terms(given, cell)
    head = f"{name}, use {given.use} of {given.uses} (step {i})"
    if found is None:
        shown = "a value that was not kept" if element is None else f"{values(element)}; its terms were not kept"
        return [f"{head}: {shown}"]
    return [f"{head} = {values(found.total)}, {plural(len(found.products), 'term')}:", *_listed(found)]


def _listed(found: Terms) -> list[str]:
    """The terms, the largest first where there are too many."""
    order = np.arange(len(found.products))
    if len(order) > TERMS:
        order = np.argsort(-np.abs(found.products), kind="stable")
    labels = found.labels()
    lines = [
        f"  {left} * {right} = {_operand(found.left[k])} * {_operand(found.right[k])} = {values(found.products[k])}"
        for k in order[:TERMS].tolist()
        for left, right in [labels[k]]
    ]
    rest = order[TERMS:]
    return [*lines, *[f"  and {len(rest)} smaller ones: {values(np.sum(found.products[rest]))}"] * bool(len(rest))]


def _operand(value: Any) -> str:
    text = values(value)
    return f"({text})" if text.startswith("-") else text


def _at(value: Any, cell: tuple[int, ...]) -> Any:
    if isinstance(value, Summary):
        return value.cells.get(cell)
    return np.asarray(value)[cell] if isinstance(value, np.ndarray | np.generic) else None
