"""What a wrong gradient looks like: which known mistake explains its numbers.

Each hypothesis is an array that a certain mistake would give: the transpose, the contribution of one use only, the rows
that were not summed. It counts only where it equals the given array to rounding, as it is or times a number that means
something (-1, the length N of the batch, 2). So a diagnosis is always a fact about the numbers; where several mistakes
give the same numbers it names them all, the simplest first, and where none does it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from viz.texts.text import number, values
from viz.tracing.model import CONSTANT, Contribution, Trace

USES = 50  # uses of one vertex that are looked at one by one
MATRIX_PRODUCT = re.compile(r"transpose\((?P<a>\w+)\) @ (?P<b>\w+)|(?P<c>\w+) @ transpose\((?P<d>\w+)\)")


class Reason(NamedTuple):
    """One mistake that explains the numbers. `cost` ranks them: the simpler, the lower."""

    cost: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The simplest mistake that gives these numbers, and the kinds of all that are as simple."""

    kind: str
    text: str
    kinds: tuple[str, ...]


@dataclass(slots=True)
class Case:
    """A wanted gradient, a given one, and what the trace knows around them.

    `divisors` are numbers that the backward pass divides by, `lengths` those that one might, each with what it is.
    `before` is what `.grad` held before the backward pass, `others` the gradients of other vertices by name. `left_out`
    gives pairs: a step of the backward pass in words, and the gradient without its derivative.
    """

    wanted: np.ndarray
    given: np.ndarray
    contributions: list[Contribution] = field(default_factory=list)
    divisors: dict[float, str] = field(default_factory=dict)
    lengths: dict[float, str] = field(default_factory=dict)
    before: Any = None
    others: dict[str, np.ndarray] = field(default_factory=dict)
    left_out: Callable[[], Iterable[tuple[str, np.ndarray]]] = tuple


def diagnose(case: Case) -> Diagnosis | None:
    """What explains the given array; None where nothing known does."""
    bad = _not_finite(case)
    if bad:
        return Diagnosis("not finite", bad, ("not finite",))
    for hypotheses in (_simple, _elsewhere, _step_left_out):
        reasons = sorted(hypotheses(case), key=lambda reason: reason.cost)
        if reasons:
            best = [r for r in reasons if r.cost == reasons[0].cost]
            texts = list(dict.fromkeys(r.text for r in best))
            return Diagnosis(best[0].kind, "; or ".join(texts[:3]), tuple(dict.fromkeys(r.kind for r in best)))
    if case.given.shape != case.wanted.shape:
        return Diagnosis(
            "wrong shape",
            f"a gradient has the shape of what it is the gradient of, {case.wanted.shape}",
            ("wrong shape",),
        )
    return None


# ---- the hypotheses ----


class Hypothesis(NamedTuple):
    """What a mistake would give. `looks` says the mistake, `fact` what the array is."""

    cost: float
    kind: str
    looks: str
    fact: str
    array: Any


def _simple(case: Case) -> Iterator[Reason]:
    """The gradient itself in another form, and the parts that it is the sum of."""
    yield from _explained(case, Hypothesis(0, "", "", "the right gradient", case.wanted))
    for hypothesis in (*_turned(case), *_uses(case), *_broadcast(case), *_not_transposed(case), *_kept(case)):
        yield from _explained(case, hypothesis)
    wanted, given = case.wanted, case.given
    if given.shape != wanted.shape and given.size == wanted.size and same(given.reshape(wanted.shape), wanted, case):
        yield Reason(0.9, "wrong shape", f"wrong shape: the right numbers as {given.shape} instead of {wanted.shape}")
    if given.size and not np.any(given) and np.any(wanted):
        yield Reason(0.5, "zero", "all 0: never filled in, or cleared since")


def _elsewhere(case: Case) -> Iterator[Reason]:
    """The gradient of something else, or the same numbers in another order."""
    for name, array in case.others.items():
        looks = f"swapped with the gradient of {name}"
        yield from _explained(case, Hypothesis(1, "swapped", looks, "equal to it", array))
        if array.ndim == 2:
            yield from _explained(case, Hypothesis(2, "swapped", looks, "equal to its transpose", array.T))
    wanted, given = case.wanted, case.given
    if given.shape == wanted.shape and given.size > 2 and given.dtype.kind in "biuf" and wanted.dtype.kind == "f":
        a, b = np.sort(given, axis=None), np.sort(wanted, axis=None)
        if same(a, b, case) and np.all(np.diff(b) > tolerance(case) * np.max(np.abs(b))):
            yield Reason(3, "permutation", "a permutation: the right numbers in another order")


def _step_left_out(case: Case) -> Iterator[Reason]:
    for step, array in case.left_out():
        looks = f"missing the derivative of {step}"
        yield from _explained(
            case, Hypothesis(1, "missing derivative", looks, "the gradient without that factor", array)
        )


def _turned(case: Case) -> Iterator[Hypothesis]:
    """The right numbers with the axes in another order."""
    wanted = case.wanted
    for order in permutations(range(wanted.ndim)) if wanted.ndim in (2, 3) else ():
        if order != tuple(range(wanted.ndim)):
            fact = "the transpose of the right gradient" if wanted.ndim == 2 else f"its axes stand as {order}"
            yield Hypothesis(1, "transposed", "looks transposed", fact, np.transpose(wanted, order))


def _uses(case: Case) -> Iterator[Hypothesis]:
    """One use of several only, or all but one."""
    uses = case.contributions
    for c in uses[:USES] if len(uses) > 1 else ():
        looks = f"overwritten instead of accumulated: off by the number of uses, {len(uses)}"
        yield Hypothesis(1, "overwritten", looks, f"the contribution of use {c.use} only", c.value)
        if len(uses) > 2:
            looks = f"use {c.use} of {len(uses)} is missing"
            yield Hypothesis(1, "use missing", looks, "the sum of the others", case.wanted - c.value)


def _broadcast(case: Case) -> Iterator[Hypothesis]:
    """Where the input was broadcast: its gradient before the sum, one slice of it, or the sum over another axis."""
    for c in case.contributions if len(case.contributions) == 1 else ():
        spread = c.spread
        if not c.axes or not isinstance(spread, np.ndarray):
            continue
        axes = f"{'axis' if len(c.axes) == 1 else 'axes'} {', '.join(map(str, c.axes))}"
        looks = f"not summed over the broadcast {axes}"
        yield Hypothesis(1, "not summed", looks, f"shape {spread.shape} instead of {case.wanted.shape}", spread)
        for k, which in ((0, "first"), (-1, "last")):
            index = tuple(k if axis in c.axes else slice(None) for axis in range(spread.ndim))
            fact = f"the {which} of {spread.size // max(1, case.wanted.size)} slices only"
            yield Hypothesis(1, "not summed", looks, fact, spread[index].reshape(case.wanted.shape))
        for axis in range(spread.ndim):
            if len(c.axes) == 1 and axis not in c.axes:
                looks = f"summed over axis {axis} instead of {axes}"
                yield Hypothesis(1, "wrong axis", looks, "the same numbers, another sum", spread.sum(axis))


def _not_transposed(case: Case) -> Iterator[Hypothesis]:
    """`x @ g` where the rule says `transpose(x) @ g`."""
    for c in case.contributions if len(case.contributions) == 1 else ():
        found = MATRIX_PRODUCT.fullmatch(c.rule)
        if found is None:
            continue
        left, right = (found["a"], found["b"]) if found["a"] else (found["c"], found["d"])
        a, b = c.names.get(left), c.names.get(right)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.ndim == b.ndim == 2 and len(b) == a.shape[1]:
            looks = f"missing transpose of {found['a'] or found['d']}"
            yield Hypothesis(1, "not transposed", looks, f"{left} @ {right}, where the rule is {c.rule}", a @ b)


def _kept(case: Case) -> Iterator[Hypothesis]:
    """The gradient on top of what `.grad` held before."""
    if case.before is not None and np.shape(case.before) == case.wanted.shape and np.any(case.before):
        fact = "the right gradient plus what .grad held before"
        yield Hypothesis(0.7, "accumulated", "zero_grad() was forgotten", fact, case.wanted + case.before)


# ---- whether a hypothesis fits ----


def _explained(case: Case, h: Hypothesis) -> Iterator[Reason]:
    """The reasons if the given array is the hypothesis, or it times a number that means something."""
    array, given = np.asarray(h.array), case.given
    if array.shape != given.shape or not np.any(array) or not np.all(np.isfinite(array)):
        return
    if h.kind and same(given, array, case):
        yield Reason(h.cost, h.kind, f"{h.looks}: {h.fact}")
        return
    if h.kind and np.count_nonzero(array) < 2:
        return  # a number is a multiple of any other
    factor = np.vdot(array, given) / np.vdot(array, array)
    if not np.isfinite(factor) or not factor or not same(given, factor * array, case):
        return
    for cost, kind, looks, fact in _meanings(factor, array, case):
        if h.kind and kind == "factor":
            continue
        both = f"{h.looks}, and {looks}" if h.kind else looks
        yield Reason(h.cost + cost, h.kind or kind, f"{both}: {h.fact} {fact}")


def _meanings(factor: Any, array: np.ndarray, case: Case) -> Iterator[tuple[float, str, str, str]]:
    """(cost, kind, looks, fact) for a factor between what is given and what it should be."""
    if abs(np.imag(factor)) > tolerance(case) * abs(factor):
        return
    sign, size = float(np.real(factor)) < 0, abs(factor)
    if _near(size, 1, case):
        if sign:
            yield 0.5, "sign", "wrong sign", "times -1"
        return
    minus, fact = ", and wrong sign" * sign, f"times {number(float(np.real(factor)))}"
    named = list(_named_factors(size, case))
    for cost, kind, looks in named:
        yield cost + sign, kind, looks + minus, fact
    moduli = np.abs(array[array != 0])
    if not named and moduli.size > 2 and np.ptp(moduli) > 1e-3 * np.max(moduli):
        yield 3, "factor", "off by a constant factor", fact


def _named_factors(size: float, case: Case) -> Iterator[tuple[float, str, str]]:
    """(cost, kind, looks) for a positive factor. A gradient is rarely added up more than three times by mistake."""
    for count, what in case.divisors.items():
        if _near(size, count, case):
            yield 0.7, "missing 1/N", f"missing 1/N ({what})"
    for count, what in {**case.lengths, **case.divisors}.items():
        if _near(size, 1 / count, case):
            yield 0.7, "1/N twice", f"1/N once too often ({what})"
    for times in range(2, 11):
        if _near(size, times, case):
            yield (0.7 if times < 4 else 0.9), "accumulated", f"added {times} times, as without zero_grad()"
    if _near(size, 2, case) or _near(size, 0.5, case):
        yield 0.7, "factor 2", "off by a constant factor 2"


def same(a: Any, b: Any, case: Case) -> bool:
    """Whether two arrays are equal to rounding."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    scale = np.max(np.abs(b), initial=0.0)
    return bool(np.max(np.abs(a - b), initial=0.0) <= tolerance(case) * scale)


def _near(a: float, b: float, case: Case) -> bool:
    return abs(a - b) <= tolerance(case) * abs(b)


def tolerance(case: Case) -> float:
    """What rounding explains: of the coarser of the two precisions."""
    kinds = [x.dtype for x in (case.wanted, case.given) if x.dtype.kind in "fc"]
    return 200 * max((float(np.finfo(d).eps) for d in kinds), default=float(np.finfo(float).eps)) + 1e-10


def _not_finite(case: Case) -> str:
    """Where nan or inf stand in what is given and not in what is wanted."""
    wanted, given = case.wanted, case.given
    bad = ~np.isfinite(given)
    if given.shape == wanted.shape:
        bad &= np.isfinite(wanted)
    if not np.any(bad):
        return ""
    cell = np.unravel_index(int(np.argmax(bad)), bad.shape)
    entry = f" first at [{', '.join(str(int(k)) for k in cell)}]" if bad.ndim else ""
    return f"not finite: {values(given[cell])}{entry}, {int(np.sum(bad))} of {bad.size} numbers"


# ---- what a trace knows ----


def divisors(record: Trace) -> dict[float, str]:
    """The numbers that the backward pass divides by, with what they are."""
    found: dict[float, str] = {}
    for step in record.backward:
        for c in step.contributions:
            for name, value in c.names.items() if "/" in c.rule else ():
                count = _single(value)
                if count > 1:
                    op = record.graph.vertices[step.vertex].op
                    found.setdefault(count, f"{name} = {number(count)} in the derivative of {op}")
    return found | {k: what for k, what in _constants(record).items() if k not in found}


def lengths(record: Trace) -> dict[float, str]:
    """The numbers that one may divide by without being asked: how long the first axes are."""
    shapes = (v.shape for v in record.graph.vertices)
    return {float(shape[0]): f"N = {shape[0]}, the length of axis 0" for shape in shapes if shape and shape[0] > 1}


def _constants(record: Trace) -> dict[float, str]:
    """Numbers that the user multiplies or divides by; 0.2 divides by 5."""
    vertices = record.graph.vertices
    scaling = [vertices[e.source] for e in record.graph.edges if vertices[e.target].op in ("multiply", "divide")]
    sizes = [abs(_single(v.value)) for v in scaling if v.kind == CONSTANT and v.shape == ()]
    return {max(x, 1 / x): f"the constant {number(x)}" for x in sizes if x not in (0.0, 1.0)}


def _single(value: Any) -> float:
    """A number, also one that a record keeps as text; 0 for anything else."""
    try:
        x = float(value) if isinstance(value, str | float | int) or np.shape(value) == () else 0.0
    except (TypeError, ValueError):
        return 0.0
    return x if np.isfinite(x) else 0.0


def first_not_finite(record: Trace) -> str:
    """The first step whose numbers are not finite although those before it were; "" if there is none."""
    for v in record.graph.vertices:
        if isinstance(v.value, np.ndarray | np.generic) and not np.all(np.isfinite(v.value)):
            return f"the forward pass: {values(v.value)} in {v.op or v.name or v.kind}"
    for step in record.backward:
        for c in step.contributions:
            if isinstance(c.value, np.ndarray | np.generic) and not np.all(np.isfinite(c.value)):
                return f"the backward pass through {record.graph.vertices[step.vertex].op}: {values(c.value)}"
    return ""
