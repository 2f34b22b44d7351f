"""Starting values for weights: arrays of a shape, drawn with a NumPy Generator (or a seed, or None)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Rng = np.random.Generator | int | None


def normal(shape: tuple[int, ...], std: float = 0.01, rng: Rng = None, dtype: Any = np.float64) -> Any:
    """Normal with mean 0 and this standard deviation (0.01 in the book's first networks)."""
    return (std * np.random.default_rng(rng).standard_normal(shape)).astype(dtype)


def he_normal(shape: tuple[int, ...], rng: Rng = None, dtype: Any = np.float64) -> Any:
    """Normal with standard deviation sqrt(2 / n_in), for ReLU (He et al., 2015). shape: (n_in, n_out)."""
    return normal(shape, math.sqrt(2 / max(shape[0], 1)), rng, dtype)


def xavier_normal(shape: tuple[int, ...], rng: Rng = None, dtype: Any = np.float64) -> Any:
    """Normal with standard deviation sqrt(2 / (n_in + n_out)), for sigmoid and tanh (Glorot and Bengio, 2010)."""
    return normal(shape, math.sqrt(2 / max(sum(shape[:2]), 1)), rng, dtype)
