"""A container of arrays as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(vector, unflatten) of arrays and numbers in any nesting of containers; the keys of a dict are sorted."""
    leaves, rebuild = tree.flatten(_sorted(value))
    shapes = [np.shape(leaf) for leaf in leaves]
    dtypes = [np.result_type(leaf) for leaf in leaves]
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)]).tolist()

    def unflatten(vector: Any) -> Any:
        parts = [np.reshape(vector[a:b], s) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]
        return rebuild([_as(part, dtype) for part, dtype in zip(parts, dtypes, strict=True)])

    vector = np.concatenate([np.reshape(leaf, -1) for leaf in leaves]) if leaves else np.array([])
    return vector, unflatten


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """(func of vectors, unflatten, the example as a vector)."""
    vector, unflatten = flatten(example)
    return (lambda x, *args: flatten(func(unflatten(x), *args))[0]), unflatten, vector


def _sorted(value: Any) -> Any:
    if type(value) is dict:
        return {k: _sorted(value[k]) for k in sorted(value)}
    return type(value)(map(_sorted, value)) if type(value) in (list, tuple) else value


def _as(part: Any, dtype: Any) -> Any:
    """A slice of the vector in the dtype that it came from; numbers as numbers."""
    if dtype.kind == "f" and part.dtype.kind == "c":
        part = np.real(part)
    if dtype.kind in "fc" and part.dtype != dtype:
        part = part.astype(dtype)
    return part[()] if isinstance(part, np.ndarray) and not part.shape else part
