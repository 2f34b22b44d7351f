"""Finite differences of a recorded graph: the same operations computed again with one element moved, in float64.

The result as a function of one element is followed along both directions. Central differences at h and h/2 give the
slope and, by how much they differ, its error; the slopes to the right and to the left tell a kink (a ReLU at 0), where
there is no derivative to compare with. What cannot be computed again is not checked; no number is made up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.node import Node
from autograd.sweep import reachable
from viz.tracing.reading import Known, known_values, root_of
from viz.tracing.replay import below, computed, fill_in

STEPS = (1e-4, 1e-5, 1e-6)  # of the size of the values: the first that is good enough is used
EPS = float(np.finfo(float).eps)
WORK = 200_000  # operations that one check computes again, at most


@dataclass(frozen=True, slots=True)
class Difference:
    """The slope at one cell; `value` is None at a kink and where the result is not finite, and `why` says so."""

    cell: tuple[int, ...]
    value: Any
    error: float = 0.0
    why: str = ""


class Replay:
    """The graph of y, to compute again: sum(grad * y) as a function of the value of one node.

    `problem` says why nothing can be, or is "".
    """

    def __init__(self, y: Tensor, grad: Any):
        self.nodes = reachable([root_of(y)])
        known = known_values(y, self.nodes)
        fill_in(self.nodes, known)
        self._known: Known = {key: widened(value) for key, value in known.items()}
        self._grad = widened(grad)
        self._left: set[Node] = set()  # what cannot be computed again
        self.problem = self._start()
        self._y = self._known.get((self.nodes[-1], None))

    def _start(self) -> str:
        """Compute everything once, in double precision. What cannot be keeps the value that it has."""
        root = self._known.get((self.nodes[-1], None))
        try:
            with np.errstate(all="ignore"):  # the forward pass has warned already
                for node in self.nodes:
                    value = computed(node, self._known)
                    if value is not None:
                        self._known[node, None] = value
                    elif node.op is not None:
                        self._left.add(node)
        except Exception as error:  # an operation may refuse float64 in its own way
            return f"it cannot be computed again in float64: {type(error).__name__}"
        again = self._known.get((self.nodes[-1], None))
        near = 1e4 * np.finfo(self.nodes[-1].dtype).eps
        if (
            again is not None
            and root is not None
            and not np.allclose(again, root, rtol=near, atol=near, equal_nan=True)
        ):
            return "computed again it gives another result: what it was computed from has changed since"
        return ""

    def why_not(self, node: Node) -> str:
        """Why the result cannot be computed again from another value of this node; "" if it can."""
        lost = [n for n in below(node, self.nodes) if n in self._left]
        for n in lost:
            if n.op is not None and n.op.kind == "custom":
                return f"running the custom operation {n.op.name} again may do more than compute"
        if lost or self._known.get((node, None)) is None:
            return "the graph has not kept all values: compute the result inside `with viz.record():`"
        return self.problem

    def _run(self, nodes: list[Node]) -> None:
        with np.errstate(all="ignore"):
            for node in nodes:
                self._known[node, None] = computed(node, self._known)

    def differences(self, node: Node, cells: list[tuple[int, ...]]) -> list[Difference]:
        """The slope of sum(grad * y) at some cells of the value of a node."""
        moving = below(node, self.nodes)
        kept: Known = {(n, None): self._known[n, None] for n in (node, *moving)}
        value = np.array(kept[node, None])
        typical = float(np.sqrt(np.mean(np.abs(value) ** 2))) if value.size else 0.0
        precision = max(_precision(self._known[n, None]) for n in (node, *moving))
        noise = precision * float(np.sum(np.abs(self._grad * self._y)))

        def moved(cell: tuple[int, ...], unit: complex) -> Callable[[float], float]:
            def change(by: float) -> float:
                x = value.copy()
                x[cell] += by * unit
                self._known[node, None] = x
                self._run(moving)
                with np.errstate(all="ignore"):
                    return float(np.real(np.sum(self._grad * (self._known[self.nodes[-1], None] - self._y))))

            return change

        def size(cell: tuple[int, ...]) -> float:
            return max(abs(value[cell]), typical) or 1.0

        try:
            found = [slope(cell, moved(cell, 1), size(cell), noise) for cell in cells]
            if value.dtype.kind == "c":
                imaginary = [slope(cell, moved(cell, 1j), size(cell), noise) for cell in cells]
                found = [_complex(a, b) for a, b in zip(found, imaginary, strict=True)]
            return found
        finally:
            self._known.update(kept)


def _complex(real: Difference, imaginary: Difference) -> Difference:
    """The gradient by a complex cell, in the convention of the engine: d/dx - i d/dy."""
    if real.value is None or imaginary.value is None:
        return real if real.value is None else imaginary
    return Difference(real.cell, real.value - 1j * imaginary.value, real.error + imaginary.error)


def _precision(value: Any) -> float:
    """The rounding of a value: an operation may ask for less than double precision."""
    dtype = getattr(value, "dtype", None)
    return float(np.finfo(dtype).eps) if dtype is not None and dtype.kind in "fc" else EPS


def slope(cell: tuple[int, ...], change: Callable[[float], float], size: float, noise: float) -> Difference:
    """The slope at 0 of a function that is 0 there. `noise` is the rounding error of its values."""
    best, gaps = None, []
    for step in STEPS:
        h = step * size
        up, down, half_up, half_down = change(h), change(-h), change(h / 2), change(-h / 2)
        if not np.all(np.isfinite([up, down, half_up, half_down])):
            continue
        coarse, fine = (up - down) / (2 * h), (half_up - half_down) / h
        value = (4 * fine - coarse) / 3
        gap = 4 * (half_up + half_down) / h - (up + down) / h  # right slope - left slope, extrapolated to h = 0
        gaps.append(gap)
        error = abs(value - fine) + abs(gap) / 2 + noise / h
        if best is None or error < best.error:
            best = Difference(cell, value, error)
        if best.error <= 1e-8 * abs(best.value):
            return best
    if best is None:
        return Difference(cell, None, why="the result is not finite beside it")
    if len(gaps) == len(STEPS) and _stays(gaps, noise / (STEPS[-1] * size), best):
        return Difference(cell, None, why=f"a kink: the slope jumps by {abs(gaps[-1]):.3g}")
    return best


def _stays(gaps: list[float], noise: float, best: Difference) -> bool:
    """Whether the two slopes differ by the same at every h: curvature would vanish and rounding grow as h shrinks."""
    smallest, largest = min(map(abs, gaps)), max(map(abs, gaps))
    return largest < 2 * smallest and smallest > 100 * noise and best.error > 1e-7 * abs(best.value)


def cells_of(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """All cells of a small array, else `count` of them drawn by chance."""
    size = int(np.prod(shape))
    places = range(size) if size <= count else np.sort(rng.choice(size, count, replace=False))
    return [tuple(int(k) for k in np.unravel_index(place, shape)) for place in places]


def widened(value: Any) -> Any:
    """Numbers in double precision; anything else as it is."""
    if isinstance(value, tuple | list):
        return type(value)(map(widened, value)) if type(value) in (tuple, list) else value
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return np.asarray(value, {"f": float, "c": complex}[kind]) if kind in ("f", "c") else value


def slopes_of(differences: list[Difference], like: Any) -> Any:
    """All slopes as an array shaped like another; None unless there is one for every cell."""
    known = [d.value for d in differences if d.value is not None]
    return np.reshape(known, np.shape(like)) if known and len(known) == np.size(like) else None
