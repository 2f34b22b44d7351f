"""The coverage table: what becomes of every public name of NumPy, and of the parts of SciPy that we know, on a Tensor.

Nothing here is written down twice. Whether a function has a rule, is composed of others or is constant by nature is
read off the table of operations. What it can do is measured: it is run on the samples of the tests, so those columns
need a checkout. The edge rows are counted in docs/kinks.md.

    python -m autograd coverage             # the table, as text
    python -m autograd coverage linalg      # the names that contain this
    python -m autograd coverage --markdown  # docs/coverage.md
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing.overrides import get_overridable_numpy_array_functions

from .batched import how
from .check import gradcheck
from .errors import GradcheckError
from .sweep import gradients, reachable
from .tensor import FUNCTIONS, Tensor

ROOT = Path(__file__).parent.parent
MODULES = {"np": "numpy", "np.linalg": "numpy.linalg", "np.fft": "numpy.fft"}
SCIPY = ("special", "stats", "linalg", "signal", "integrate", "interpolate")
# NumPy lets Tensors into these through like= only, or they are about files, dates and bytes
NO_ARRAYS = {
    "arange", "empty", "eye", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "full", "genfromtxt",
    "identity", "loadtxt", "ones", "tri", "zeros", "save", "savetxt", "savez", "savez_compressed", "busday_count",
    "busday_offset", "datetime_as_string", "is_busday", "isnat",
}  # fmt: skip
KINDS = {"constant": "no derivative", "refused": "not supported", "part": "rule"}
LEGEND = """\
- **how**: the kind of its rule, or *composed* of operations that have one. *No derivative*: the result is constant by
  nature (a comparison, an index), so a Tensor gives a plain array. *Not supported*: it raises and says what to write
  instead. *Takes no array*: what it is given are shapes, dtypes, files, dates or settings.
- **reverse**, **forward**, **second**: its derivatives agree with finite differences, in both modes and twice.
- **vmap**: *free* (the rule runs on the batch as it is), *rule* (an axis rule), or *loop* (right, but one by one).
- **complex**: the same check on complex numbers; empty where NumPy does not take them.
- **float32**: the result has NumPy's dtype, and the gradient is float32.
- **edge rows**: the lines of [kinks.md](kinks.md) that name it, each of which is a test."""


@dataclass(frozen=True)
class Entry:
    """One line of the table."""

    name: str
    how: str
    reverse: str = ""
    forward: str = ""
    second: str = ""
    vmap: str = ""
    complex: str = ""
    float32: str = ""
    edges: str = ""


COLUMNS = tuple(field.name for field in fields(Entry))
HEADINGS = tuple("edge rows" if column == "edges" else column for column in COLUMNS)


# ---- the names ----


def names() -> Iterator[tuple[str, Any, str]]:
    """(public name, object, what becomes of it) for NumPy's namespaces and the SciPy functions that we know."""
    for short, module in MODULES.items():
        for name, value in functions_of(importlib.import_module(module)):
            yield f"{short}.{name}", value, kind_of(value)
    for part in SCIPY:
        try:
            ours = importlib.import_module(f"autograd.scipy.{part}")
        except ImportError:
            return
        known = {name: getattr(ours, name) for name in ours.__all__}
        dispatched = functions_of(importlib.import_module(f"scipy.{part}"))
        known |= {name: value for name, value in dispatched if value in FUNCTIONS}
        for name in sorted(known):
            yield f"scipy.{part}.{name}", known[name], kind_of(known[name], ours=True)


def functions_of(module: Any) -> list[tuple[str, Any]]:
    """The public functions of a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that NumPy is about to drop
        found = [(name, getattr(module, name)) for name in dir(module) if not name.startswith("_")]
    return [(n, v) for n, v in found if callable(v) and not isinstance(v, type) and v.__hash__ is not None]


def kind_of(function: Any, ours: bool = False) -> str:
    """What the table says of a function. ours: it is not NumPy's but a function of ours."""
    meaning = FUNCTIONS.get(function, function if ours else None)
    if meaning is None:
        takes_arrays = isinstance(function, np.ufunc) or function in get_overridable_numpy_array_functions()
        return "not supported" if takes_arrays and function.__name__ not in NO_ARRAYS else "takes no array"
    kind = getattr(meaning, "kind", "composed")
    return KINDS.get(kind, kind)


# ---- what it can do, measured on its samples ----


def samples() -> dict[Any, Any]:
    """function -> its first differentiable sample; {} outside a checkout."""
    folder = ROOT / "tests"
    if not (folder / "samples").is_dir():
        return {}
    sys.path.insert(0, str(folder))
    try:
        table = importlib.import_module("samples")
    finally:
        sys.path.remove(str(folder))
    found: dict[Any, Any] = {}
    for sample in table.DIFFERENTIABLE:
        for function in (sample.row.function, *sample.row.aliases):
            found.setdefault(function, sample)
    return found


def passes(f: Any, xs: Sequence[Any], **options: Any) -> str:
    """ "yes" if the derivatives of f agree with finite differences, "no" if they do not or there are none."""
    try:
        with np.errstate(all="ignore"):
            gradcheck(f, *xs, **options)
    except (GradcheckError, TypeError, ValueError, np.linalg.LinAlgError):
        return "no"
    return "yes"


def measured(sample: Any) -> dict[str, str]:
    """The measured columns."""
    f, xs = sample.problem()
    return {
        "reverse": passes(f, xs, order=1, modes=("reverse",)),
        "forward": passes(f, xs, order=1, modes=("forward",)),
        "second": passes(f, xs, order=2),
        "vmap": batching(f, xs),
        "complex": on_complex(sample),
        "float32": on_float32(sample),
    }


def batching(f: Any, xs: Sequence[Any]) -> str:
    """The slowest way in which one of the operations takes a batch."""
    y = f(*[Tensor(x, requires_grad=True) for x in xs])
    ways = {how(node.op) for node in reachable([y.node]) if node.op is not None}
    return next((way for way in ("loop", "rule", "free") if way in ways), "free")


def on_complex(sample: Any) -> str:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sample.expected(*sample.arrays(complex))
    except (TypeError, ValueError):
        return ""
    return passes(*sample.problem(complex), order=2)


def on_float32(sample: Any) -> str:
    f, xs = sample.problem(np.float32)
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    y = f(*leaves)
    gs = gradients(y, leaves, grad=np.ones(y.shape, y.dtype))
    kept = y.dtype == sample.expected(*sample.arrays(np.float32)).dtype
    return "yes" if kept and all(g.dtype == np.float32 for g in gs) else "no"


def edge_rows() -> Counter[str]:
    """name -> how many lines of docs/kinks.md speak of it."""
    file = ROOT / "docs" / "kinks.md"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return Counter(name for line in lines if line.startswith("|") for name in set(re.findall(r"[a-z_]\w+", line)))


# ---- the table ----


def survey(wanted: Sequence[str] = ()) -> list[Entry]:
    """The lines for the names that contain one of `wanted` (all, if none is given)."""
    of, edges = samples(), edge_rows()
    known: dict[int, dict[str, str]] = {}
    entries = []
    for name, function, kind in names():
        if wanted and not any(part in name for part in wanted):
            continue
        sample, columns = of.get(function), {}
        if sample is not None and kind not in ("no derivative", "not supported", "takes no array"):
            columns = known.setdefault(id(sample), {}) or measured(sample)
            known[id(sample)] = columns
        rows = edges.get(name.rpartition(".")[2], 0) if columns else 0
        entries.append(Entry(name, kind, **columns, edges=str(rows or "")))
    return entries


def plain(entries: Sequence[Entry]) -> str:
    """Aligned columns."""
    table = [HEADINGS, *map(astuple, entries)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table)


def markdown(entries: Sequence[Entry]) -> str:
    """docs/coverage.md."""
    counts = Counter(e.how if e.how in {*KINDS.values(), "takes no array"} else "with derivative" for e in entries)
    table = [HEADINGS, ["---"] * len(HEADINGS), *map(astuple, (e for e in entries if e.how != "takes no array"))]
    absent = ", ".join(f"`{e.name}`" for e in entries if e.how == "takes no array")
    return "\n\n".join(
        [
            "# Coverage",
            "Written by `python -m autograd coverage --markdown` with "
            f"NumPy {np.__version__}; a test compares it with the table of operations.",
            "; ".join(f"{n} {what}" for what, n in counts.most_common()) + ".",
            LEGEND,
            "\n".join("| " + " | ".join(cells) + " |" for cells in table),
            f"Takes no array: {absent}.",
            "",
        ]
    )
