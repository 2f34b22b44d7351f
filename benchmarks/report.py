"""Rows and how they are printed: plain columns for a terminal, Markdown for the documentation."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measure import Spread

HEADINGS = ("job", "engine", "median", "min .. max", "ours/theirs", "min .. max", "bound", "met")
VERSIONS = ("numpy", "torch", "jax", "mygrad", "micrograd")


@dataclass(frozen=True)
class Row:
    """One engine at one job. The bound is on the ratio where there is one, else on the value itself."""

    job: str
    engine: str
    value: Spread
    unit: str
    ratio: Spread | None = None
    bound: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the bound; None where the issue sets none."""
        judged = self.ratio or self.value
        return None if self.bound is None else judged.median <= self.bound

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of HEADINGS."""
        return (
            self.job,
            self.engine,
            f"{number(self.value.median)} {self.unit}",
            f"{number(self.value.low)} .. {number(self.value.high)}",
            number(self.ratio.median) if self.ratio else "",
            f"{number(self.ratio.low)} .. {number(self.ratio.high)}" if self.ratio else "",
            self.bound_text(),
            {None: "", True: "yes", False: "NO"}[self.met],
        )

    def bound_text(self) -> str:
        if self.bound is None:
            return ""
        return f"<= {self.bound:g}x" if self.ratio else f"<= {self.bound:g} {self.unit}"


def number(value: float) -> str:
    """Three digits that matter, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plain(rows: Iterable[Row]) -> str:
    """Aligned columns."""
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table)


def markdown(rows: Iterable[Row]) -> str:
    """A Markdown table."""
    table: list[Sequence[str]] = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)


def surroundings(extra: Iterable[str] = ()) -> str:
    """Date, processor and versions in one line: what a figure needs to mean anything."""
    packages = [f"{name} {installed}" for name in VERSIONS if (installed := version_of(name))]
    python = f"Python {platform.python_version()} on {sys.platform}"
    return "; ".join([f"{datetime.date.today()}", processor(), python, ", ".join([*packages, *extra]), "one thread"])


def version_of(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name (Linux: from /proc) and the number of cores."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"
