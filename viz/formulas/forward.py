"""What an operation computes, as a formula: `x @ W + b` where Python has signs for it, else a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from viz.formulas.formula import Formula, formula
from viz.formulas.tree import NAMED, Call, Index, Name, Words, parse
from viz.texts.text import clean

SIGNED = {  # the inputs are a, b, c, in order
    "add": "a + b",
    "subtract": "a - b",
    "multiply": "a * b",
    "divide": "a / b",
    "power": "a ** b",
    "matmul": "a @ b",
    "affine": "a @ b + c",
    "negative": "-a",
    "square": "a ** 2",
    "reciprocal": "1 / a",
}
CONSTANTS = {"None", "True", "False", "..."}  # Python's own, not names of inputs


def forward(op: str, inputs: Sequence[Any], arguments: Mapping[str, str] | None = None) -> Formula:
    """The formula of an operation on these inputs, each a value or somebody's name for it."""
    names = [chr(ord("a") + k) if k < 3 else f"x{k}" for k in range(len(inputs))]
    meanings = {
        name: symbol(given) if isinstance(given, str) else given for name, given in zip(names, inputs, strict=True)
    }
    found = formula(SIGNED[op]) if op in SIGNED and not arguments else _indexed(op, arguments)
    if found is None or found.names - CONSTANTS != set(names):
        keywords = tuple((clean(name, NAMED), parse(text)) for name, text in (arguments or {}).items())
        found = Formula(Call(clean(op, NAMED), tuple(map(Name, names)), keywords))
    return found.filled(meanings)


def _indexed(op: str, arguments: Mapping[str, str] | None) -> Formula | None:
    """`a[0, 1:]`, where an operation takes elements and the text of its index is one."""
    if op not in ("getitem", "part") or not arguments or arguments.keys() != {"index"}:
        return None
    index = arguments["index"]
    inside = index[1:-1] if index.startswith("(") and "(" not in index[1:] else index
    found = formula(f"a[{inside}]")
    return found if isinstance(found.tree, Index) else None


def symbol(name: str) -> Formula:
    """Somebody's name for something, whatever it looks like."""
    return Formula(Name(clean(name, 2 * NAMED)) if name.isidentifier() else Words(name))
