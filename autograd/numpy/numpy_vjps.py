"""Helpers that programs for HIPS autograd use in rules of their own. Those of NumPy's functions are in autograd.ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["replace_zero", "unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """x summed over the axes along which a value was stretched. target_meta: (shape, ndim, dtype, whether complex)."""
    shape, _, _, is_complex = target_meta
    while np.ndim(x) > len(shape):
        x = np.sum(x, axis=broadcast_idx)
    stretched = tuple(k for k, n in enumerate(shape) if n == 1)
    if np.shape(x) != tuple(shape) and stretched:
        x = np.sum(x, axis=stretched, keepdims=True)
    return np.real(x) if np.iscomplexobj(x) and not is_complex else x


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """f, with its result summed to the shape of `target`."""
    meta = np.shape(target), np.ndim(target), np.result_type(target), np.iscomplexobj(target)
    return lambda g: unbroadcast(f(g), meta)


def replace_zero(x: Any, val: Any) -> Any:
    """x with its zeros replaced."""
    return np.where(x, x, val)
