"""Deep, bushy and wide graphs: a chain of 1,000,000 nodes, 2^1000 paths, one leaf used 100,000 times.

Each runs in a fresh process; PyTorch does the same for scale. Bytes a node are the growth of the resident set while the
chain is alive. Freeing counts from `del` to the next line, with the collector off, so only reference counts can free.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.engines import installed
from benchmarks.fresh import probe
from benchmarks.jobs.memory import status
from benchmarks.measure import Spread, paired
from benchmarks.race import OURS, Settings
from benchmarks.report import Row

CHAIN = 1_000_000
DOUBLINGS = 1_000
USES = 100_000
# quantity: (unit, what the issue allows seegrad)
QUANTITIES = {
    "chain, forward and backward": ("s", 10),
    "chain, bytes a node": ("B", 1024),
    "chain, freed": ("s", 1),
    "2^1000 paths": ("ms", 50),
    "one leaf 100,000 times": ("s", 1),
}


def seegrad_leaf(value: float) -> Any:
    from autograd import Tensor

    return Tensor(value, requires_grad=True)


def torch_leaf(value: float) -> Any:
    import torch

    torch.set_num_threads(1)
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


LEAVES: dict[str, Callable[[float], Any]] = {"seegrad": seegrad_leaf, "torch": torch_leaf}


@contextmanager
def clock(figures: dict[str, float], quantity: str, scale: float = 1.0) -> Iterator[None]:
    """Add the time of the block to a quantity, in units of 1/scale seconds."""
    start = time.perf_counter()
    yield
    figures[quantity] = figures.get(quantity, 0.0) + (time.perf_counter() - start) * scale


def chain(x: Any, w: Any, nodes: int) -> dict[str, float]:
    """A chain of alternating products and sums."""
    figures: dict[str, float] = {}
    base = status("VmRSS")
    with clock(figures, "chain, forward and backward"):
        y = x
        for _ in range(nodes // 2):
            y = y * w + x
    figures["chain, bytes a node"] = (status("VmRSS") - base) / nodes
    with clock(figures, "chain, forward and backward"):
        y.backward()
    with clock(figures, "chain, freed"):
        del y
    return figures


def paths(x: Any) -> dict[str, float]:
    """Doublings: each joins two edges, so the number of paths doubles too."""
    figures: dict[str, float] = {}
    with clock(figures, "2^1000 paths", scale=1e3):
        y = x
        for _ in range(DOUBLINGS):
            y = y + y
        y.backward()
    return figures


def uses(x: Any, count: int) -> dict[str, float]:
    """One leaf added to a running sum, again and again."""
    figures: dict[str, float] = {}
    with clock(figures, "one leaf 100,000 times"):
        y = x
        for _ in range(count - 1):
            y = y + x
        y.backward()
    return figures


def figures_of(engine: str, nodes: int = CHAIN) -> dict[str, float]:
    """All quantities of one engine. A small chain warms up; the large one is last, since it leaves a torn heap."""
    leaf = LEAVES[engine]
    chain(leaf(0.5), leaf(0.9), 1000)
    gc.disable()
    return {**paths(leaf(0.5)), **uses(leaf(0.5), USES), **chain(leaf(0.5), leaf(0.9), nodes)}


class Deep:
    name = "deep"
    about = "a chain of 1,000,000 nodes, 2^1000 paths, one leaf used 100,000 times"

    def rows(self, settings: Settings) -> list[Row]:
        engines = [name for name in LEAVES if installed(name)]
        rounds = [{name: probe("deep", name) for name in engines} for _ in range(settings.runs)]
        return [row(rounds, quantity, name) for quantity in QUANTITIES for name in engines]


def row(rounds: list[dict[str, dict[str, float]]], quantity: str, engine: str) -> Row:
    unit, bound = QUANTITIES[quantity]
    ours, theirs = ([one[name][quantity] for one in rounds] for name in (OURS, engine))
    if engine == OURS:
        return Row(f"deep: {quantity}", engine, Spread.of(ours), unit, bound=bound)
    return Row(f"deep: {quantity}", engine, Spread.of(theirs), unit, paired(ours, theirs))
