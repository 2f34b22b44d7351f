"""What `.grad` holds: what was there before the backward pass, and with the last use what the pass has added up.

Contributions tell what one pass adds, from nothing. `backward()` adds that to what a leaf's `.grad` already held, which
is how a forgotten `zero_grad()` shows. Here is the one place that knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from viz.tracing.model import LEAF, Contribution, Graph, Summary, Vertex


def held(vertex: Vertex) -> Any:
    """What the `.grad` of a leaf held before the pass; None where that changes nothing."""
    found = vertex.gradient if vertex.kind == LEAF else None
    nothing = found.zeros == np.prod(found.shape) if isinstance(found, Summary) else not np.any(found)
    return None if nothing else found


def at_first(graph: Graph) -> dict[int, Any]:
    """The gradients that there are before the pass, by vertex."""
    return {vertex.id: found for vertex in graph.vertices if (found := held(vertex)) is not None}


def arrived(graph: Graph, given: Contribution) -> Any:
    """What the gradient of a contribution's target holds after it: what was there gets the whole sum, at the end."""
    before = held(graph.vertices[given.target])
    if before is None:
        return given.after
    return added(before, given.after) if given.use == given.uses else before


def added(a: Any, b: Any) -> Any:
    """The sum of two gradients. Where only a summary is kept, of the sum its known elements are."""
    if a is None or b is None:
        return None
    if not isinstance(a, Summary) and not isinstance(b, Summary):
        with np.errstate(all="ignore"):
            return a + b
    known = a if isinstance(a, Summary) else b
    cells = {cell: x + y for cell in known.cells for x, y in [(_at(a, cell), _at(b, cell))] if None not in (x, y)}
    return replace(known, smallest=None, largest=None, mean=None, norm=None, cells=cells)


def _at(value: Any, cell: tuple[int, ...]) -> Any:
    return value.cells.get(cell) if isinstance(value, Summary) else value[cell]
