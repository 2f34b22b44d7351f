"""A worksheet from a trace: numbers of the run left out, tasks to find them, and an answer key on a page of its own.

The numbers are those of the trace; the seed decides which of them are asked for. Tasks stand in the order of the run:
a forward value, a local derivative, a contribution, an accumulated gradient, an update. What is asked for stands
nowhere else on the sheet, and what is needed to find it does: as a number, or as an earlier task.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor
from viz.formulas import Formula, Partial, formula
from viz.formulas.forward import forward, symbol
from viz.saving import write_atomically
from viz.study.check import gradients_of
from viz.texts.text import number
from viz.texts.words import called
from viz.tracing.elements import terms
from viz.tracing.model import Backward, Contribution, Forward, Trace, Update, Vertex
from viz.tracing.moments import Moment, moments
from viz.tracing.taking import trace
from viz.tracing.tape import Tape

VALUE, GRADIENT = "value", "gradient"
KINDS = ("forward", "local", "contribution", "accumulated", "update")
WHOLE = 36  # elements of an array that the sheet prints
TERMS = 8  # terms of one element that a task lists
CANCELS = 20.0  # how much larger than their sum the terms may be together
TOKEN = re.compile(r"(?<![\w.])[-−]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")

Cell = tuple[int, ...]
Place = tuple[str, int, Cell]  # VALUE or GRADIENT, a vertex, an element


@dataclass(frozen=True, slots=True)
class Task:
    """One number to find. `step` is its moment's number; `blank` is where the sheet leaves it out, if it stands there.

    `rule` is the formula that gives it, where there is one. `given` lists numbers that stand nowhere else. `answer` is
    the exact number, `way` how it comes about, `needs` the vertices whose numbers it takes.
    """

    step: int
    kind: str
    asks: str
    answer: Any
    rule: Formula | None = None
    given: str = ""
    blank: Place | None = None
    way: str = ""
    needs: frozenset[int] = frozenset()

    @property
    def written(self) -> str:
        """The answer as the sheet writes numbers."""
        return number(self.answer)


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The result of `viz.worksheet`: tasks in order, labelled (a), (b), ... Prints as text; `.html`, `.markdown`."""

    record: Trace
    seed: int
    tasks: list[Task]
    names: list[str] = field(repr=False)

    def __str__(self) -> str:
        from viz.study.sheet import as_text

        return as_text(self)

    __repr__ = __str__

    @property
    def markdown(self) -> str:
        """Sheet and answer key in Markdown."""
        from viz.study.sheet import as_markdown

        return as_markdown(self)

    @property
    def html(self) -> str:
        """One page to print: no scripts, and a policy that forbids every request. The answer key begins a new sheet."""
        from viz.study.sheet import as_html

        return as_html(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file that ends in .html, .md or .txt."""
        target = Path(path)
        forms: dict[str, Callable[[], str]] = {
            ".html": lambda: self.html,
            ".md": lambda: self.markdown,
            ".txt": lambda: str(self),
        }
        if target.suffix.lower() not in forms:
            raise ValueError(f"cannot save a worksheet as {target.name!r}: the name must end in {', '.join(forms)}")
        return write_atomically(target, forms[target.suffix.lower()]().encode())

    @property
    def blanks(self) -> dict[Place, str]:
        """The label at each number that the sheet leaves out."""
        return {task.blank: label(k) for k, task in enumerate(self.tasks) if task.blank is not None}


def label(k: int) -> str:
    """(a), (b), ... (z), (aa), ..."""
    letters = ""
    while k >= 0:
        letters = chr(ord("a") + k % 26) + letters
        k = k // 26 - 1
    return f"({letters})"


def worksheet(y: Tensor | Trace | Tape, grad: Any = None, *, seed: int = 0, tasks: int = 10) -> Worksheet:
    """A printable sheet of up to `tasks` tasks from a run; another `seed` asks for other numbers of it.

    Raises ValueError where no number can be asked for, and what `viz.trace(y)` raises.
    """
    if tasks < 1:
        raise ValueError(f"a worksheet has at least one task, not {tasks}")
    record = trace(y, grad)
    rng = np.random.default_rng(seed)
    source = Source(record, rng)
    with np.errstate(all="ignore"):  # a run may hold nan and infinities
        candidates = mixed(list(source.candidates()), rng)
    if not candidates:
        raise ValueError("nothing to ask for: the trace has no numbers small enough to work with by hand")
    chosen: list[Task] = []
    while True:
        while candidates and len(chosen) < tasks:
            task = candidates.pop()
            if all(task.blank is None or task.blank != other.blank for other in chosen):
                chosen.append(task)
        sheet = Worksheet(record, seed, sorted(chosen, key=lambda task: task.step), source.names)
        told = given_away(sheet)
        if not told:
            break
        chosen = [task for task in chosen if task.written not in told]
    if not chosen:
        raise ValueError("nothing to ask for: every number of this trace stands in several places")
    return sheet


def given_away(sheet: Worksheet) -> set[str]:
    """The answers that the sheet itself prints."""
    from viz.study.sheet import visible

    found = set(map(size, TOKEN.findall(visible(sheet))))
    return {task.written for task in sheet.tasks if size(task.written) in found}


def size(written: str) -> str:
    """A written number without its sign, which would be half of the answer."""
    return written.lstrip("-−")


def mixed(tasks: list[Task], rng: np.random.Generator) -> list[Task]:
    """In an order, to be taken from the end, in which the kinds take turns."""
    by_kind = {kind: [task for task in tasks if task.kind == kind] for kind in KINDS}
    for some in by_kind.values():
        rng.shuffle(some)
    found = []
    while any(by_kind.values()):
        found += [some.pop() for some in by_kind.values() if some]
    return found[::-1]


class Source:
    """What a trace offers to ask for."""

    def __init__(self, record: Trace, rng: np.random.Generator):
        self.record, self.rng = record, rng
        self.names = called(record.graph)
        self.inputs = record.graph.inputs()
        self.gradients = gradients_of(record)
        self.root = self.names[-1] if record.graph.root.name else "L"
        values = [v.value for v in record.graph.vertices] + list(self.gradients.values())
        self.stands = Counter(size(number(x)) for value in values if printed(value) for x in np.ravel(value).tolist())

    def candidates(self) -> Iterator[Task]:
        """One task, or two, for each moment that has a number to find."""
        for step, moment in enumerate(moments(self.record), 1):
            if isinstance(moment.step, Forward):
                yield from self._forward(step, self.record.graph.vertices[moment.step.vertex])
            elif isinstance(moment.step, Update):
                yield from self._update(step, moment.step)
            elif moment.accumulates:
                yield from self._backward(step, moment)

    def _pick(self, value: Any, places: int) -> Cell | None:
        """A finite element in so many places of the sheet and no more, by chance one of those with few digits."""
        array = np.asarray(value)
        finite = map(tuple, np.argwhere(np.isfinite(array)).tolist())
        cells = [c for c in finite if self.stands[size(number(array[c].item()))] <= places]
        cells.sort(key=lambda cell: len(f"{array[cell]:.12g}"))
        return cells[int(self.rng.integers(max(1, len(cells) // 4)))] if cells else None

    # ---- forward ----

    def _forward(self, step: int, v: Vertex) -> Iterator[Task]:
        sources = [self.record.graph.vertices[edge.source] for edge in self.inputs[v.id]]
        if not printed(v.value) or not sources or not all(printed(source.value) for source in sources):
            return
        cell = self._pick(v.value, 1)
        if cell is not None:
            rule = forward(v.op, [self.names[source.id] for source in sources], v.arguments)
            asks = f"the value of {self.at(v.id, cell)}"
            needs = frozenset((v.id, *(source.id for source in sources)))
            yield Task(step, "forward", asks, np.asarray(v.value)[cell], rule, blank=(VALUE, v.id, cell), needs=needs)

    def at(self, id: int, cell: Cell) -> str:
        """`W[1, 2]`."""
        return self.names[id] + (f"[{', '.join(map(str, cell))}]" if cell else "")

    # ---- backward ----

    def _backward(self, step: int, moment: Moment) -> Iterator[Task]:
        c, back = moment.contribution, moment.step
        assert c is not None and isinstance(back, Backward)
        readable = self._readable(c, back)
        if isinstance(c.value, np.ndarray | np.generic):
            yield from self._contribution(step, c, back, readable)
        if isinstance(c.local, np.ndarray | np.generic) and readable:
            yield from self._local(step, c, back)
        if c.use == c.uses > 1 and printed(c.after):
            yield from self._accumulated(step, c)

    def _contribution(self, step: int, c: Contribution, back: Backward, readable: bool) -> Iterator[Task]:
        cell = self._pick(c.value, 1 if c.uses == 1 and printed(c.value) else 0)
        found = None if cell is None else terms(c, cell)
        few = found is not None and len(found.products) <= TERMS
        if cell is None or not (readable or few) or (found is not None and not steady(found.products)):
            return
        op, sums = self.record.graph.vertices[back.vertex].op, ""
        if c.axes:
            sums = f", the rule summed over {'axis' if len(c.axes) == 1 else 'axes'} {', '.join(map(str, c.axes))}"
        given = way = ""
        if found is not None and few:
            factors = list(zip(found.labels(), found.left, found.right, strict=True))
            way = " + ".join(f"{_operand(x)} · {_operand(y)}" for _, x, y in factors)
            if not readable:
                given = "; ".join(f"{a} = {number(x)}, {b} = {number(y)}" for (a, b), x, y in factors)
        asks = f"what the step back through {op} adds to the gradient of {self.at(c.target, cell)}{sums}"
        rule = formula(c.rule).filled(self._symbols(c, back))
        blank = (GRADIENT, c.target, cell) if c.uses == 1 and printed(c.value) else None
        answer = np.asarray(c.value)[cell]
        yield Task(step, "contribution", asks, answer, rule, given, blank, way, self._around(back))

    def _local(self, step: int, c: Contribution, back: Backward) -> Iterator[Task]:
        cell = self._pick(c.local, 0)
        if cell is not None:
            of, by = self.at(back.vertex, cell), self.names[c.target]
            asks = f"the local derivative of {of} by {by}, which the rule multiplies the gradient by"
            rule = formula(c.rule).filled(self._symbols(c, back))
            yield Task(step, "local", asks, np.asarray(c.local)[cell], rule, needs=self._around(back))

    def _accumulated(self, step: int, c: Contribution) -> Iterator[Task]:
        cell = self._pick(c.after, 1)
        uses = [k.value for s in self.record.backward for k in s.contributions if k.target == c.target]
        known = all(isinstance(use, np.ndarray | np.generic) for use in uses)
        if cell is not None and known and steady([np.asarray(use)[cell] for use in uses]):
            asks = f"the gradient of {self.at(c.target, cell)} after all its {c.uses} uses"
            way = " + ".join(_operand(np.asarray(use)[cell]) for use in uses)
            answer, blank = np.asarray(c.after)[cell], (GRADIENT, c.target, cell)
            steps = (s for s in self.record.backward for k in s.contributions if k.target == c.target)
            needs = frozenset().union(*map(self._around, steps))
            yield Task(step, "accumulated", asks, answer, blank=blank, way=way, needs=needs)

    def _around(self, back: Backward) -> frozenset[int]:
        """An operation and its inputs."""
        return frozenset((back.vertex, *(edge.source for edge in self.inputs[back.vertex])))

    def _readable(self, c: Contribution, back: Backward) -> bool:
        """Whether the sheet prints all that the rule names."""
        arrays = [value for value in c.names.values() if not isinstance(value, str)]
        return all(printed(value) for value in arrays) and printed(back.incoming) and "g" in c.names

    def _symbols(self, c: Contribution, back: Backward) -> dict[str, Any]:
        """What the names in a rule are called on the sheet."""
        inputs = {edge.name: symbol(self.names[edge.source]) for edge in self.inputs[back.vertex] if edge.name}
        own = {"y": symbol(self.names[back.vertex]), "g": Partial(self.root, self.names[back.vertex])}
        numbers = {name: value for name, value in c.names.items() if not isinstance(value, str) and not np.shape(value)}
        return {**numbers, **inputs, **own}

    # ---- update ----

    def _update(self, step: int, update: Update) -> Iterator[Task]:
        g = self.gradients.get(update.vertex)
        rate = learning_rate(update, g)
        cell = self._pick(update.after, 0) if rate is not None and printed(update.before) else None
        if rate is not None and cell is not None:
            name = self.at(update.vertex, cell)
            asks = f"{name} after one step of gradient descent with the learning rate {number(rate)}"
            way = f"{number(np.asarray(update.before)[cell])} - {number(rate)} · {_operand(np.asarray(g)[cell])}"
            needs = frozenset([update.vertex])
            yield Task(step, "update", asks, np.asarray(update.after)[cell], way=way, needs=needs)


def _operand(x: Any) -> str:
    return f"({number(x)})" if np.real(x) < 0 else number(x)


def steady(parts: Any) -> bool:
    """Whether a sum can be found from rounded parts: not where they nearly cancel."""
    return bool(np.sum(np.abs(parts)) <= CANCELS * np.abs(np.sum(parts)))


def learning_rate(update: Update, g: Any) -> float | None:
    """The one number that the gradient was multiplied by; None where the update is no plain step down the gradient."""
    arrays = (update.before, update.after, g)
    if not all(isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f" for x in arrays):
        return None
    moved, g = np.asarray(update.before) - update.after, np.asarray(g)
    if moved.shape != g.shape or not np.any(g):
        return None
    rate = float(f"{np.vdot(g, moved) / np.vdot(g, g):.6g}")
    near = 1e3 * np.finfo(g.dtype).eps * (np.abs(update.before) + np.abs(rate * g))
    return rate if rate > 0 and np.all(np.abs(moved - rate * g) <= near) else None


def printed(value: Any) -> bool:
    """Whether the sheet prints a value whole: real, finite, and few enough elements."""
    array = isinstance(value, np.ndarray | np.generic | int | float)
    return (
        array
        and 0 < np.size(value) <= WHOLE
        and np.asarray(value).dtype.kind in "biuf"
        and bool(np.all(np.isfinite(value)))
    )
