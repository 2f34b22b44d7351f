"""How two gradients of one vertex agree: to rounding, nearly, or not; and where they differ most.

Rounding is measured by the size of the numbers that were added up, because a gradient may be all that is left where
large numbers cancel.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from viz.study.differences import Difference
from viz.tracing.model import Summary

OK, APPROXIMATE, WRONG, NOT_CHECKED = "ok", "approximate", "WRONG", "not checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two gradients of one vertex agree: max and relative error, the worst cell and both numbers there."""

    status: str
    error: float | None = None
    relative: float | None = None
    cell: tuple[int, ...] | None = None
    wanted: Any = None
    given: Any = None
    note: str = ""


def beside(wanted: Any, given: Any, noise: float = 0.0) -> Verdict:
    """Compare two arrays. `noise` is the size of the numbers that were added up to get them."""
    if given is None:
        return Verdict(WRONG, note="None")
    if wanted is None or isinstance(wanted, Summary | tuple):
        return Verdict(NOT_CHECKED, note="the engine has none" if wanted is None else "too large to compare")
    wanted = np.asarray(wanted)
    if given.dtype.kind not in "biufc":
        return Verdict(WRONG, note=f"dtype {given.dtype}")
    if given.shape != wanted.shape:
        return Verdict(WRONG, note=f"shape {given.shape}, not {wanted.shape}")
    eps = float(np.finfo(wanted.dtype).eps)
    scale, off = largest(wanted), _apart(wanted, given)
    exact = off <= eps ** (2 / 3) * (np.abs(_finite(wanted)) + 0.01 * scale) + 100 * eps * noise
    close = off <= 1e-4 * np.abs(_finite(wanted)) + 1e-6 * scale + 1e4 * eps * noise
    return _verdict(OK if np.all(exact) else APPROXIMATE if np.all(close) else WRONG, wanted, given, off)


def beside_differences(engine: Any, differences: list[Difference], why: str) -> Verdict:
    """Compare a gradient with the slopes at some of its cells."""
    usable = [d for d in differences if d.value is not None]
    if why or engine is None or isinstance(engine, Summary | tuple):
        return Verdict(NOT_CHECKED, note=why or ("the engine has none" if engine is None else "too large to compare"))
    engine = np.asarray(engine)
    skipped = Counter(d.why.split(":")[0] for d in differences if d.value is None)
    notes = [f"{len(differences)} of {engine.size} cells"] if len(differences) < engine.size else []
    notes += [f"not at {count} of {len(differences)} cells: {why}" for why, count in skipped.items()]
    if not usable:
        return Verdict(NOT_CHECKED, note="; ".join(notes) or "no cells")
    slopes, error = np.array([d.value for d in usable]), np.array([d.error for d in usable])
    given = np.array([engine[d.cell] for d in usable])
    eps = float(np.finfo(engine.dtype).eps)
    scale, off = max(largest(slopes), largest(engine)), _apart(slopes, given)
    bound = (1e-6 + 1000 * eps) * (np.abs(slopes) + 0.01 * scale) + 10 * error
    close = 1e-3 * np.abs(slopes) + 1e-4 * scale + 10 * error
    status = OK if np.all(off <= bound) else APPROXIMATE if np.all(off <= close) else WRONG
    verdict = _verdict(status, slopes, given, off, [d.cell for d in usable])
    return replace(verdict, note="; ".join(notes))


def _verdict(status: str, wanted: Any, given: Any, off: Any, cells: Any = None) -> Verdict:
    if not off.size:
        return Verdict(status, 0.0, 0.0)
    place = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    size = max(largest(wanted), largest(given))
    cell = cells[place] if cells else tuple(int(k) for k in np.unravel_index(place, off.shape))
    error = float(off.flat[place])
    return Verdict(status, error, error / size if size else 0.0, cell, wanted.flat[place], given.flat[place])


def _apart(a: Any, b: Any) -> Any:
    """How far apart; 0 where both are the same infinity or both nan, inf where only one is finite."""
    with np.errstate(all="ignore"):
        off = np.asarray(np.abs(np.subtract(a, b, dtype=np.result_type(a, b, float))))
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(alike, 0.0, np.where(np.isfinite(off), off, np.inf))


def _finite(a: Any) -> Any:
    return np.where(np.isfinite(a), a, 0)


def largest(a: Any) -> float:
    """The largest finite element, without its sign."""
    return float(np.max(np.abs(_finite(np.asarray(a))), initial=0.0))
