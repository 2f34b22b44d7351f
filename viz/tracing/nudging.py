"""What really happens to the result when one element of a leaf is moved a little: the graph computed again.

A gradient g promises a change of g * offset. Here is what the same operations give, so that a view can show both and
how they part. What the graph holds as a constant stays as it was, also an index that was found by sorting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from autograd.node import Node
from viz.tracing.model import Nudge
from viz.tracing.reading import Known
from viz.tracing.replay import below, computed, inputs_of, size_of

STEPS = 5  # offsets to each side
WHOLE, LARGEST = 16, 4  # of a leaf of up to WHOLE elements each is moved, else those of the LARGEST gradients
WORK = 40_000  # operations that are computed again for one trace, at most; PER_OPERATION elements count as one more
PER_OPERATION = 2_000


def nudges(nodes: list[Node], ids: dict[Node, int], known: Known, gradients: dict[int, Any]) -> list[Nudge]:
    """For a few elements of the leaves, the result at several offsets; none where it cannot be computed again.

    gradients: of the result, by vertex. Takes one element of each leaf in turn until the work is used up.
    """
    root = nodes[-1]
    if not isinstance(root.dtype, np.dtype) or root.dtype.kind != "f" or math.prod(root.shape) != 1:
        return []
    leaves = [n for n in nodes[:-1] if n.op is None and n.dtype.kind == "f" and known.get((n, None)) is not None]
    points = 2 * STEPS + 1
    work = WORK - len(leaves) * len(nodes) // 10
    if work < points * len(nodes):
        return []
    costs = {node: _cost(node, known) for node in nodes if _same(computed(node, known), known.get((node, None)))}
    found, moves = [], []
    for leaf in leaves:
        moved = below(leaf, nodes)
        if ids[leaf] in gradients and moved[-1:] == [root] and costs.keys() >= set(moved):
            moves.append([(leaf, moved, cell) for cell in _cells(gradients[ids[leaf]])])
    trial = dict(known)
    for leaf, moved, cell in _in_turn(moves):
        work -= points * sum(costs[node] for node in moved)
        if work < 0:
            break
        offsets, results = _moved(leaf, cell, moved, trial)
        if np.all(np.isfinite(offsets)):
            found.append(Nudge(ids[leaf], cell, offsets, results))
        for node in (leaf, *moved):
            trial[node, None] = known[node, None]
    return sorted(found, key=lambda nudge: (nudge.vertex, nudge.cell))


def _same(a: Any, b: Any) -> bool:
    """True if computing again gives what it gave: else the operation depends on more than its inputs."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return all(map(_same, a, b))
    return a is not None and b is not None and np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True)


def _cost(node: Node, known: Known) -> int:
    """In operations on numbers."""
    return 1 + (size_of(known[node, None]) + sum(map(size_of, inputs_of(node, known) or ()))) // PER_OPERATION


def _cells(gradient: np.ndarray) -> list[tuple[int, ...]]:
    """The elements to move, the one with the largest gradient first."""
    sizes = np.nan_to_num(np.abs(gradient)).ravel()
    order = np.argsort(-sizes, kind="stable")[: WHOLE if sizes.size <= WHOLE else LARGEST]
    return [tuple(int(i) for i in np.unravel_index(k, np.shape(gradient))) for k in order]


def _in_turn(moves: list[Any]) -> Iterator[Any]:
    """The first of each, then the second of each, and so on."""
    return (move for round_ in zip_longest(*moves) for move in round_ if move is not None)


def _moved(leaf: Node, cell: tuple[int, ...], moving: list[Node], trial: Known) -> tuple[np.ndarray, np.ndarray]:
    """The offsets as they come out in the dtype of the leaf, and the result at each."""
    x = trial[leaf, None]
    offsets, results = [], []
    for offset in _span(x, cell) * np.arange(-STEPS, STEPS + 1) / STEPS:
        moved = np.array(x)
        moved[cell] += offset
        trial[leaf, None] = moved if np.ndim(x) else moved[()]
        for node in moving:
            trial[node, None] = computed(node, trial)
        offsets.append(float(moved[cell]) - float(x[cell]))
        results.append(float(np.reshape(trial[moving[-1], None], ())))
    return np.array(offsets), np.array(results)


def _span(x: np.ndarray, cell: tuple[int, ...]) -> float:
    """How far to move: about the size of the element or of its neighbours, as 1, 2 or 5 times a power of ten."""
    size = max(abs(float(x[cell])), float(np.sqrt(np.mean(np.square(x, dtype=float)))))
    if not math.isfinite(size) or size == 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return power * max((k for k in (1, 2, 5) if k * power <= size), default=1)
