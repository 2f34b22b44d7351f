"""The outline of a graph: nested stretches of its operations, from the whole to the single operation.

Stretches are the runs of a module, then what repeats, by structure and not by name, then chains of elementwise
operations. Where there is still too much side by side it is cut into equal parts, so that every graph gets an outline.
No recursion: a list of work to do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter

from viz.picture.program import Program
from viz.picture.repeats import repeats, worthwhile
from viz.texts.text import ELLIPSIS, clean

WIDEST = 12  # parts of one stretch
LABEL = 24  # characters
SAME, MOVED, OWN, ELSEWHERE, UNLIKE = range(5)  # how the inputs of instances follow each other


@dataclass(eq=False, slots=True)
class Span:
    """Operations `start` to `stop`, which share the first `depth` levels of scope.

    What repeats has `times` > 1 instances of equal length. Its `parts` are the first instance and the others, which
    stand for "the same again": they have no parts and open all at once. Of equal parts, `far` counts those between it
    and the last one.
    """

    start: int
    stop: int
    depth: int
    label: str
    module: bool = False
    times: int = 1
    far: int = 0
    parts: list[Span] = field(default_factory=list)

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def title(self) -> str:
        return f"{self.label} ×{self.times}" if self.times > 1 else self.label


def outline(program: Program) -> Span:
    """The whole as one stretch, with its parts and theirs."""
    whole = Span(0, len(program), 0, "all operations")
    work = [whole]
    while work:
        span = work.pop()
        parts = _chained(program, _folded(program, _items(program, span)))
        found = [p for part in parts for p in (part.parts or [part])]
        work += [part for part in found if len(part) > 1 and part.times == 1 and not part.parts]
        span.parts = _few(program, parts)
    return whole


def operations(program: Program, span: Span) -> list[Span]:
    """A stretch as single operations."""
    return [Span(i, i + 1, span.depth, program.vertex(i).op) for i in range(span.start, span.stop)]


def _items(program: Program, span: Span) -> list[Span]:
    """Single operations and runs of modules, side by side. A module that is all there is gives way to what it holds."""
    scopes = [program.vertex(i).scope for i in range(span.start, span.stop)]
    depth = span.depth
    while True:
        items, start = [], span.start
        for name, run in groupby(scopes, key=itemgetter(slice(depth, depth + 1))):
            found = Span(start, start + sum(1 for _ in run), depth, clean(name[0], LABEL) if name else "", bool(name))
            items += [found] if name and len(found) > 1 else operations(program, found)
            start = found.stop
        if len(items) > 1 or len(span) == 1:
            return items
        depth += 1


# ---- what repeats ----


def _folded(program: Program, items: list[Span]) -> list[Span]:
    """The same items, with repetitions as one, and repetitions of those."""
    while True:
        folded = _repeated(program, items)
        if len(folded) == len(items):
            return folded
        items = folded


def _repeated(program: Program, items: list[Span]) -> list[Span]:
    """The same items, with repetitions as one: they do the same, are wired alike, and follow each other alike."""
    names: dict[object, int] = {}
    tokens = [names.setdefault(program.look(item.start, item.stop), len(names)) for item in items]
    cost = [program.cut(place) for place in (*[item.start for item in items], items[-1].stop)]
    found, done = [], 0
    for start, period, times in repeats(tokens, cost):
        instances = [items[k : k + period] for k in range(start, start + period * times, period)]
        for first, last in _series(program, [(run[0].start, run[-1].stop) for run in instances]):
            if worthwhile(period, last - first):
                found += [*items[done : start + first * period], _repetition(program, instances[first:last])]
                done = start + last * period
    return found + items[done:]


def _series(program: Program, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(first, last + 1) of instances that follow each other in the same way, the longest runs served first.

    Only the first of them may be fed otherwise: by a constant, where the others are fed by an operation.
    """
    wirings = [program.wiring(*place) for place in places]
    inputs = [program.outside(*place) for place in places]
    runs: list[tuple[int, int]] = []
    usual: list[int] = []
    for k, (start, stop) in enumerate(places[:-1]):
        if wirings[k] != wirings[k + 1]:
            continue
        step = [_step(a, b, stop - start) for a, b in zip(inputs[k], inputs[k + 1])]
        goes_on = bool(runs) and runs[-1][1] == k + 1
        if goes_on and all(a in (b, UNLIKE) for a, b in zip(usual, step)):
            usual = step
            runs[-1] = runs[-1][0], k + 2
        elif not (goes_on and UNLIKE in step):
            usual = step
            runs.append((k, k + 2))
    taken, found = [False] * len(places), []
    for first, last in sorted(runs, key=lambda run: (run[0] - run[1], run)):
        free = [k for k in range(first, last) if not taken[k]]
        if free:
            found.append((free[0], free[-1] + 1))
            taken[first:last] = [True] * (last - first)
    return sorted(found)


def _step(before: int, after: int, length: int) -> int:
    """How an input from outside changes from one instance to the next."""
    if (before < 0) != (after < 0):
        return UNLIKE
    if before == after:
        return SAME
    if before < 0:
        return OWN
    return MOVED if after - before == length else ELSEWHERE


def _repetition(program: Program, instances: list[list[Span]]) -> Span:
    """One stretch for all instances. The last stands by itself if the result of the whole graph is in it."""
    label, module = _label(program, instances[0]), len(instances[0]) == 1 and instances[0][0].module

    def span(run: list[list[Span]]) -> Span:
        if len(run) == len(run[0]) == 1:
            return run[0][0]
        return Span(run[0][0].start, run[-1][-1].stop, run[0][0].depth, label, module, times=len(run))

    whole = span(instances)
    last = len(instances) - (whole.stop == len(program))
    whole.parts = [span(run) for run in (instances[:1], instances[1:last], instances[last:]) if run]
    return whole


def _label(program: Program, items: list[Span]) -> str:
    """What there is, counted, without the numbers that tell the layers of a model apart: `2 matmul, 2 add, tanh`."""
    counts: Counter[str] = Counter()
    for item in items:
        if item.module:
            counts[re.sub(r"^[0-9]+\s+", "", item.label)] += item.times
        else:
            counts.update([clean(program.vertex(i).op, LABEL) for i in range(item.start, item.stop)])
    words = [name if count == 1 else f"{count} {name}" for name, count in counts.items()]
    while len(text := ", ".join(words)) > LABEL and len(words) > 1:
        words = [*words[: -1 - (words[-1] == ELLIPSIS)], ELLIPSIS]
    return clean(text, LABEL)


# ---- chains and parts ----


def _chained(program: Program, items: list[Span]) -> list[Span]:
    """The same items, with chains of elementwise operations, each of which feeds only the next, as one."""
    runs: list[list[Span]] = []
    for item in items:
        if runs and len(item) == len(runs[-1][-1]) == 1 and program.follows(item.start):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [run[0] if len(run) == 1 else _joined(_label(program, run), _few(program, run)) for run in runs]


def _few(program: Program, parts: list[Span]) -> list[Span]:
    """At most WIDEST stretches that hold the parts, cut where few results are waiting."""
    while len(parts) > WIDEST:
        count = -(-len(parts) // WIDEST)
        size = len(parts) / count
        cuts = [0]
        for k in range(1, count):
            near = range(round(k * size - size / 4), round(k * size + size / 4) + 1)
            cuts.append(min(near, key=lambda cut: (program.waiting[parts[cut].start], abs(cut - k * size))))
        runs = [parts[a:b] for a, b in pairwise([*cuts, len(parts)])]
        parts = [_joined(f"operations {run[0].start + 1}–{run[-1].stop}", run) for run in runs]
        for k, part in enumerate(parts):
            part.far = count - 1 - k
    return parts


def _joined(label: str, parts: list[Span]) -> Span:
    return Span(parts[0].start, parts[-1].stop, parts[0].depth, label, parts=parts)
