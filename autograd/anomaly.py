"""detect_anomaly: stop at the first nan or inf, and at any saved array that was changed by whatever route.

Costs a pass over every result and a checksum of every saved array, so it is a tool for finding a fault, not a default.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from .batched import innermost
from .errors import AnomalyError, SavedArrayChangedError
from .modes import Watcher, setting
from .node import Node, describe
from .op import Parts


class Detector(Watcher):
    """Watches what is recorded and what a backward sweep computes."""

    def __init__(self) -> None:
        self._prints: dict[int, Any] = {}  # by the number of the node: a Node here would keep its graph alive

    def forward(self, node: Node, y: Any, inputs: Any) -> None:
        for part in y if isinstance(y, tuple) else (y,):
            _refuse(part, f"{describe(node)} gave")
        self._prints[node.number] = _fingerprint(node.saved or ())

    def backward(self, node: Node, contributions: list[tuple[int, Any]]) -> None:
        now = _fingerprint(node.saved or ())
        before = self._prints.get(node.number, now)
        for name, a, b in zip(node.plan.names if node.plan else (), before, now, strict=True):
            if a != b:
                raise SavedArrayChangedError(
                    f"{describe(node)} saved {name!r} for backward, and its elements were changed since. "
                    "Call backward() before you change it, or change a copy."
                )
        for i, c in contributions:
            for part in c.parts.values() if isinstance(c, Parts) else (c,):
                _refuse(part, f"the backward rule of {describe(node)} for input {i} gave")


def _fingerprint(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_fingerprint, value))
    return zlib.crc32(np.ascontiguousarray(value).tobytes()) if isinstance(value, np.ndarray) else None


def _refuse(y: Any, who: str) -> None:
    y = innermost(y)
    if getattr(y, "dtype", np.dtype(bool)).kind not in "fc":
        return
    bad = ~np.isfinite(y)
    if np.any(bad):
        first = tuple(int(k) for k in np.argwhere(bad)[0])
        raise AnomalyError(f"{who} the first {y[first] if first else y} at index {first}, of shape {np.shape(y)}")


def detect_anomaly() -> setting:
    """In this block, raise where the first nan or inf appears, forward or backward, naming the op and the line.

    Also raises if a saved array was changed by any route before backward used it.
    """
    return setting(watch=Detector())
