"""Pictures of large graphs: `viz.draw(y).save("p.svg")` for nets of 10,000 operations, folded and with every operation.

In a fresh process: a picture makes many objects, and among other engines the collector would walk theirs too.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh import probe
from benchmarks.measure import Spread
from benchmarks.race import OURS, Settings
from benchmarks.report import Row

OPERATIONS = 10_000
BOUNDS = {"folded": 1, "expanded": 4}  # seconds


def weights(shape: tuple[int, ...], seed: int) -> Any:
    from autograd import Tensor

    return Tensor(np.random.default_rng(seed).normal(0, 0.1, shape), requires_grad=True)


def residual(operations: int) -> Any:
    """Blocks h + relu(h @ W + b), each with its own parameters: four operations."""
    import nn

    h = np.ones((1, 4))
    for block in range(operations // 4):
        h = h + nn.relu(h @ weights((4, 4), block) + weights((4,), block))
    return h.sum()


def recurrent(operations: int) -> Any:
    """Steps tanh(x @ U + h @ W + b) with shared parameters: five operations."""
    U, W, b = weights((3, 4), 0), weights((4, 4), 1), weights((4,), 2)
    h, x = np.zeros((1, 4)), np.ones((1, 3))
    for _ in range(operations // 5):
        h = np.tanh(x @ U + h @ W + b)
    return h.sum()


def scalars(operations: int) -> Any:
    """A net of three equal layers, written with single numbers: each neuron adds up its inputs times weights."""
    width = int((operations / 6) ** 0.5)
    h: list[Any] = [1.0] * width
    for layer in range(3):
        before, h = h, []
        for neuron in range(width):
            z = weights((), neuron)
            for k, x in enumerate(before):
                z = z + weights((), layer + k) * x
            h.append(np.tanh(z))
    total = h[0]
    for value in h[1:]:
        total = total + value
    return total


GRAPHS = {"residual net": residual, "recurrent net": recurrent, "net of scalars": scalars}


def seconds(y: Any, path: Path, expand: bool) -> float:
    """Time from a result to its picture on disk."""
    import viz

    start = time.perf_counter()
    viz.draw(y, expand=expand).save(path)
    return time.perf_counter() - start


def draw(title: str) -> dict[str, float]:
    """The time for one of GRAPHS at full size, as "residual net, folded"."""
    graph, how = title.split(", ")
    with tempfile.TemporaryDirectory() as folder:
        return {"s": seconds(GRAPHS[graph](OPERATIONS), Path(folder) / "picture.svg", expand=how == "expanded")}


class Layout:
    name = "layout"
    about = "viz.draw to an SVG file, graphs of 10,000 operations"

    def rows(self, settings: Settings) -> list[Row]:
        return [self.row(title, how, settings.runs) for how in BOUNDS for title in GRAPHS]

    def row(self, title: str, how: str, runs: int) -> Row:
        samples = [probe("layout", f"{title}, {how}")["s"] for _ in range(runs)]
        return Row(f"{self.name}: {title}, {how}", OURS, Spread.of(samples), "s", bound=BOUNDS[how])
