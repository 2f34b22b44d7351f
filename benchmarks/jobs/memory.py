"""Peak memory of forward and backward: a 20-layer MLP, batch 2048, width 512, float32, in a fresh process an engine.

The base is taken after the imports and a small warm-up, so that code pages and thread pools do not count; parameters,
batch, activations and gradients do. The peak is the kernel's own (VmHWM, set back to the present size through
/proc/self/clear_refs), so it sees every allocation of every library. Linux only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.engines import installed
from benchmarks.fresh import probe
from benchmarks.measure import Spread, paired
from benchmarks.race import OURS, Settings
from benchmarks.report import Row

Shape = tuple[int, int, int]  # layers, batch, width
SHAPE: Shape = (20, 2048, 512)
WARM_UP: Shape = (2, 8, 8)


def drawn(shape: Shape) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The batch, and weight (in, out) and bias of every layer."""
    layers, batch, width = shape
    rng = np.random.default_rng(0)
    x, zeros = rng.standard_normal((batch, width), np.float32), np.zeros(width, np.float32)
    scale = np.float32((2 / width) ** 0.5)
    return x, [(rng.standard_normal((width, width), np.float32) * scale, zeros.copy()) for _ in range(layers)]


def seegrad(shape: Shape) -> list[np.ndarray]:
    import nn

    x, weights = drawn(shape)
    model = nn.Sequential(*(layer for w, b in weights for layer in (nn.Affine(w, b), nn.ReLU())))
    (model(x) ** 2).mean().backward()
    return [p.grad for p in model.parameters()]


def torch(shape: Shape) -> list[np.ndarray]:
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    x, weights = drawn(shape)
    parameters = [tuple(torch.from_numpy(p).requires_grad_() for p in (w.T, b)) for w, b in weights]
    h = torch.from_numpy(x)
    for w, b in parameters:
        h = functional.relu(functional.linear(h, w, b))
    (h**2).mean().backward()
    return [p.grad.numpy().T for pair in parameters for p in pair]


ENGINES: dict[str, Callable[[Shape], list[np.ndarray]]] = {"seegrad": seegrad, "torch": torch}


def status(field: str) -> int:
    """A size from /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def peak(engine: str) -> dict[str, float]:
    """Bytes at the highest point of the job over those before it."""
    train = ENGINES[engine]
    train(WARM_UP)
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back
    base = status("VmRSS")
    train(SHAPE)
    return {"bytes": status("VmHWM") - base}


class Memory:
    name = "memory"
    about = "peak memory of forward and backward of a 20-layer MLP, batch 2048, width 512, float32"

    def rows(self, settings: Settings) -> list[Row]:
        engines = [name for name in ENGINES if installed(name)]
        rounds = [{name: probe("memory", name)["bytes"] for name in engines} for _ in range(settings.runs)]
        samples = {name: [one[name] for one in rounds] for name in engines}
        rows = [Row(self.name, OURS, Spread.of(samples[OURS]) / 1e6, "MB")]
        if "torch" in samples:
            ratio = paired(samples[OURS], samples["torch"])
            rows.append(Row(self.name, "torch", Spread.of(samples["torch"]) / 1e6, "MB", ratio, 1.05))
        return rows
