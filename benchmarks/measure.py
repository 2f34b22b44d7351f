"""How time is taken: cases, samples of a fixed length, interleaved rounds, spreads.

A `Case` is one engine at one job with its inputs ready. A sample runs it often enough to last `floor` seconds. A round
takes one sample of every case; the ratio of two engines is formed within a round and only then summarised.
The collector stays on, because an engine that leaves cycles behind makes its user pay for them.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Timed(Protocol):
    """What a round needs: a case here or in another process."""

    def seconds(self, number: int) -> float: ...

    def outcome(self) -> list[np.ndarray]: ...


@dataclass(frozen=True)
class Case:
    """`run()` does the job once; `read(result)` gives the arrays on which all engines must agree."""

    run: Callable[[], Any]
    read: Callable[[Any], Iterable[Any]]

    def seconds(self, number: int) -> float:
        """Seconds for one run, averaged over `number` runs."""
        run = self.run
        start = time.perf_counter()
        for _ in range(number):
            run()
        return (time.perf_counter() - start) / number

    def outcome(self) -> list[np.ndarray]:
        """Run once and return the arrays to compare."""
        return [np.asarray(value) for value in self.read(self.run())]


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of a series of samples."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, samples: Iterable[float]) -> Spread:
        values = list(samples)
        return cls(min(values), statistics.median(values), max(values))

    def __truediv__(self, divisor: float) -> Spread:
        return Spread(self.low / divisor, self.median / divisor, self.high / divisor)


def calibrate(case: Timed, floor: float) -> int:
    """Warm the case up and return the number of runs that last at least `floor` seconds."""
    number = 1
    while case.seconds(number) * number < floor:
        number *= 2
    return number


def interleave(cases: Mapping[str, Timed], rounds: int, floor: float) -> dict[str, list[float]]:
    """Time all cases in rounds A B C A B C; returns the seconds of one run, a list of `rounds` samples a case."""
    numbers = {name: calibrate(case, floor) for name, case in cases.items()}
    samples: dict[str, list[float]] = {name: [] for name in cases}
    gc.collect()
    gc.freeze()  # nobody pays for walking what the others imported
    try:
        for _ in range(rounds):
            for name, case in cases.items():
                samples[name].append(case.seconds(numbers[name]))
    finally:
        gc.unfreeze()
    return samples


def paired(ours: list[float], theirs: list[float]) -> Spread:
    """The ratio ours/theirs of each round, summarised."""
    return Spread.of(a / b for a, b in zip(ours, theirs, strict=True))
