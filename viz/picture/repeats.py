"""What repeats in a sequence of numbers: the same stretch two or more times in a row.

Stretches of 1, 2, 4, 8 ... numbers get names, equal ones the same name. Where a long enough stretch comes back after
`period` places, and so do the stretches that start one, two, three places later, the sequence is periodic there. The
names of stretches twice as long are pairs of names, so everything is sorting: near-linear, at any period.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Repeat(NamedTuple):
    """sequence[start : start + period] comes `times` times in a row."""

    start: int
    period: int
    times: int


def repeats(sequence: Sequence[int], cost: Sequence[int] | None = None) -> list[Repeat]:
    """Repeats that do not overlap, in order. Those that save most come first where several are possible.

    A periodic stretch can be cut into instances in several ways where it is longer than a whole number of them:
    `cost[i]` says how bad a cut before place i is.
    """
    free = np.ones(len(sequence), bool)
    costs = np.zeros(len(sequence) + 1) if cost is None else np.asarray(cost)
    chosen = []
    for start, stop, period in sorted(periodic(sequence), key=lambda run: (run[0] - run[1] + run[2], run[2], run[0])):
        for first, last in _stretches(free[start:stop]):
            times, spare = divmod(last - first, period)
            if worthwhile(period, times):
                cuts = start + first + np.arange(spare + 1)[:, None] + period * np.arange(times + 1)
                begin = start + first + int(np.argmin(costs[cuts].sum(axis=1)))
                chosen.append(Repeat(begin, period, times))
                free[begin : begin + period * times] = False
    return sorted(chosen)


def worthwhile(period: int, times: int) -> bool:
    """True if folding makes a picture simpler: two short things in a row are best shown as they are."""
    return times > 2 or (times == 2 and period > 3)


def periodic(sequence: Sequence[int]) -> set[tuple[int, int, int]]:
    """(start, stop, period) of periodic stretches, as long as they can be, with at least two periods."""
    found: set[tuple[int, int, int]] = set()
    names = np.unique(np.asarray(sequence, np.int64), return_inverse=True)[1]
    length = 1
    while len(names) > 1:
        order = np.argsort(names, kind="stable")
        same = names[order][1:] == names[order][:-1]
        if not same.any():
            break
        gaps = np.zeros(len(names) + 1, np.int64)  # to the next stretch of the same name; 0: too far, or none
        gaps[order[:-1][same]] = np.diff(order)[same]
        gaps[gaps > 2 * length] = 0
        starts = np.flatnonzero(np.diff(gaps, prepend=0)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(gaps)]):
            period = int(gaps[start])
            end = stop - 1 + length + period
            if period and worthwhile(period, (end - start) // period):
                found.add((start, end, period))
        pairs = names[:-length] * len(names) + np.roll(names, -length)[:-length]
        names = np.unique(pairs, return_inverse=True)[1]
        length *= 2
    return found


def _stretches(free: np.ndarray) -> list[tuple[int, int]]:
    """The stretches of a mask that are True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
    return list(zip(ends[::2].tolist(), ends[1::2].tolist()))
