"""A container of arrays as one vector, for code that knows vectors only: outside solvers and their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .batched import Batched
from .tensor import Tensor, as_array
from .tree import flatten


def is_recorded(value: Any) -> bool:
    """True for what an operation must see: a Tensor that has a gradient, or what stands for a batch inside vmap()."""
    if value.__class__ is Batched:
        return value.batched or is_recorded(value.inner)
    return isinstance(value, Tensor) and value.node is not None


def pack(tree: Any, which: Callable[[Any], bool] = lambda leaf: True) -> tuple[Any, Callable[[Any], Any]]:
    """(vector, unpack): the leaves for which `which` holds, end to end; unpack(vector) puts them back where they were.

    Leaves keep their shapes and dtypes; the other ones stay as they are. Differentiable both ways.
    """
    leaves, rebuild = flatten(tree)
    chosen = [k for k, leaf in enumerate(leaves) if which(leaf)]
    arrays = [as_array(leaves[k]) for k in chosen]
    arrays = [x if x.dtype.kind in "fc" else x.astype(float) for x in arrays]
    vector = np.concatenate([np.reshape(x, (-1,)) for x in arrays]) if arrays else np.zeros(0)
    layout = [(k, x.shape, x.dtype) for k, x in zip(chosen, arrays, strict=True)]

    def unpack(v: Any) -> Any:
        parts = list(leaves)
        start = 0
        for k, shape, dtype in layout:
            stop = start + math.prod(shape)
            part = np.reshape(v[start:stop], shape)
            parts[k] = part if part.dtype == dtype else _cast(part, dtype)
            start = stop
        return rebuild(parts)

    return vector, unpack


def _cast(x: Any, dtype: Any) -> Any:
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = np.real(x)
    return x.astype(dtype)


def plain(tree: Any) -> Any:
    """The same container with ndarrays instead of Tensors; a batch is one without Tensors inside."""
    leaves, rebuild = flatten(tree)
    arrays = [leaf.data if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    return rebuild([x.data if x.__class__ is Batched else x for x in arrays])
