"""The jobs by name, in the order of the table. Races have many engines; the other jobs measure in their own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from benchmarks.jobs import chain, conv, deep, imports, jacobian, layout, memory, rules, step
from benchmarks.race import Race, Settings
from benchmarks.report import Row


class Job(Protocol):
    """What the command line needs of a job."""

    @property
    def name(self) -> str: ...

    @property
    def about(self) -> str: ...

    def rows(self, settings: Settings) -> list[Row]: ...


RACES: dict[str, Race] = {
    race.name: race for race in [*chain.RACES, *step.RACES, *jacobian.RACES, *conv.RACES, *rules.RACES]
}
OTHERS: list[Job] = [imports.Imports(), memory.Memory(), layout.Layout(), deep.Deep()]
PROBES: dict[str, Callable[[str], dict[str, float]]] = {
    "memory": memory.peak,
    "layout": layout.draw,
    "deep": deep.figures_of,
}
JOBS: dict[str, Job] = {**RACES, **{job.name: job for job in OTHERS}}
