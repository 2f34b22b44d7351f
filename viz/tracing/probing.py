"""Why one element of a gradient is what it is: the terms of its sum.

Every derivative rule is linear in g, so an element of a contribution is a sum of elements of g, each times a local
derivative. Those are the derivative of the result by that one element, which is one step of forward mode through the
operation by the same rule. No operation needs anything of its own: a pixel of a convolution shows its patch, a maximum
shows where it came from.

Terms are recorded only where `elements.terms` could not work them out from the values, and only where they add up to
the element: an operation that takes complex numbers apart is no sum of products. Custom operations are left alone,
because running the user's function again may do more than compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.node import Node
from autograd.sweep import pushed
from viz.tracing.elements import adds_up, terms
from viz.tracing.model import Contribution, Probe, Trace
from viz.tracing.replay import size_of

ALL = (
    64  # elements of a contribution that are all probed, at most; of a larger one, the first, the middle, the extremes
)
PROBES = 512  # in one trace, at most
TERMS = 20_000  # likewise
LONGEST = 2_000  # terms of one probe
WORK = 50_000_000  # elements that are computed for one trace; each probe counts as PER_PROBE more
PER_PROBE = 20_000


class Live(NamedTuple):
    """A contribution as the sweep made it: to input `slot` of `node`, from the cotangent g."""

    node: Node
    slot: int
    g: Any
    value: Any


def add_probes(record: Trace, live: list[Live | None]) -> None:
    """Add terms to the contributions of a trace. `live` has these as they were, in the same order.

    Deterministic: each contribution gets a few elements, in the order of the backward pass; then the small ones get
    the rest of theirs, the smallest first; until the work is used up.
    """
    contributions = [c for step in record.backward for c in step.contributions]
    wanting = [(c, x) for c, x in zip(contributions, live, strict=True) if x is not None and _wants(c, x)]
    small = sorted((pair for pair in wanting if pair[1].value.size <= ALL), key=lambda pair: pair[1].value.size)
    plan = [(c, x, cell) for c, x in wanting for cell in _few(x.value)]
    plan += [(c, x, cell) for c, x in small for cell in np.ndindex(*x.value.shape)]
    probes, numbers, work = PROBES, TERMS, WORK
    done = set()
    for c, x, cell in plan:
        cost = PER_PROBE + size_of((x.value, x.g, x.node.saved))
        if (id(c), cell) in done or cost > work:
            continue
        done.add((id(c), cell))
        work -= cost
        probe = _probe(x, cell)
        if probe is not None and len(probe.g) <= numbers:
            c.probes.append(probe)
            probes, numbers = probes - 1, numbers - len(probe.g)
        if not probes:
            break
    for c, _ in wanting:
        c.probes.sort(key=lambda probe: probe.cell)


def _wants(contribution: Contribution, x: Live) -> bool:
    """True where the values do not tell the terms already."""
    op = x.node.op
    assert op is not None
    if op.kind in ("custom", "part") or op.outputs > 1 or not x.value.size:
        return False
    if isinstance(contribution.local, np.ndarray | np.generic):  # g times that, element by element
        return False
    return any(terms(contribution, cell) is None for cell in _few(x.value))


def _few(value: Any) -> Iterator[tuple[int, ...]]:
    """The first element, the middle one, the largest and the smallest."""
    sizes = np.real(value).ravel()
    found = [0, sizes.size // 2]
    if not np.any(np.isnan(sizes)):
        found += [int(np.argmax(sizes)), int(np.argmin(sizes))]
    return (tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in dict.fromkeys(found))


def _probe(x: Live, cell: tuple[int, ...]) -> Probe | None:
    """The terms of one element, if they can be found and make it."""
    node, slot, g, value = x
    unit = np.zeros_like(value)
    unit[cell] = 1
    try:
        local = np.asarray(pushed(node, {slot: unit if unit.ndim else unit[()]}))
    except Exception:  # a rule of the user's may take arrays only
        return None
    depends = local != 0
    if np.count_nonzero(depends) > LONGEST:
        return None
    probe = Probe(cell, np.argwhere(depends), np.asarray(g)[depends], local[depends])
    return probe if adds_up(probe.g, probe.local, value[cell]) else None
