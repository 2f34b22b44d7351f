"""A race: one job, one case an engine, seegrad's time against each of the others'.

Before the clock starts, the engines must agree on what the job computes. A size is a dict of plain values, because it
also travels to the HIPS worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.engines import HIPS, HipsWorker, installed
from benchmarks.measure import Case, Spread, Timed, interleave, paired
from benchmarks.report import Row

OURS = "seegrad"


@dataclass(frozen=True)
class Settings:
    """What the command line decides: rounds and seconds a sample of a race, runs of a slow job, who takes part."""

    rounds: int = 31
    floor: float = 0.02
    runs: int = 5
    compile: bool = False
    hips: HipsWorker | None = None


@dataclass(frozen=True)
class Race:
    """One job for many engines. `operations` divides the times; `bounds` are the issue's, on seegrad/engine."""

    name: str
    about: str
    engines: Mapping[str, Callable[..., Case]]
    size: Mapping[str, Any]
    operations: int = 1
    unit: str = "us"
    bounds: Mapping[str, float] = field(default_factory=dict)

    def cases(self, settings: Settings) -> dict[str, Timed]:
        """Every engine that is here, ready to run."""
        here = [name for name in self.engines if installed(name) and (settings.compile or name != "torch.compile")]
        cases: dict[str, Timed] = {name: self.engines[name](**self.size) for name in here}
        if settings.hips and HIPS in self.engines:
            cases[HIPS] = settings.hips.case(self.name, dict(self.size))
        return cases

    def rows(self, settings: Settings) -> list[Row]:
        """Check that the engines agree, then time them."""
        cases = self.cases(settings)
        agree(self.name, {name: case.outcome() for name, case in cases.items()})
        samples = interleave(cases, settings.rounds, settings.floor)
        return [self.row(name, samples) for name in samples]

    def row(self, engine: str, samples: Mapping[str, list[float]]) -> Row:
        value = Spread.of(samples[engine]) / (self.operations * 1e-6)
        ratio = None if engine == OURS else paired(samples[OURS], samples[engine])
        return Row(self.name, engine, value, self.unit, ratio, self.bounds.get(engine))


def agree(job: str, outcomes: Mapping[str, list[np.ndarray]]) -> None:
    """Raise unless all engines computed the same; tolerances follow the precision of seegrad's arrays."""
    expected = outcomes[OURS]
    single = any(array.dtype == np.float32 for array in expected)
    rtol, atol = (1e-3, 1e-5) if single else (1e-8, 1e-11)
    for engine, arrays in outcomes.items():
        for array, right in zip(arrays, expected, strict=True):
            np.testing.assert_allclose(array, right, rtol, atol, err_msg=f"{job}: {engine} differs from {OURS}")
