"""Samples of autograd/ops/fused.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from autograd.ops import fused

from .draw import ANY, AXES, REDUCE, labels


def plain_softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def plain_cross_entropy(x: Any, t: Any) -> Any:
    logp = np.log(plain_softmax(x))
    chosen = np.take_along_axis(logp, t[..., None], axis=-1) if t.dtype.kind == "i" else t * logp
    return -chosen.sum() / logp[..., 0].size


FUSED = {
    "softmax": Row(fused.softmax, REDUCE, grid(axis=[-1, 0]), reference=plain_softmax, more=[at((0, 3))]),
    "log_softmax": Row(
        fused.log_softmax,
        REDUCE,
        grid(axis=[-1, 0]),
        reference=lambda x, axis=-1: np.log(plain_softmax(x, axis)),
        more=[at((0, 3))],
    ),
    "logsumexp": Row(
        fused.logsumexp,
        REDUCE,
        AXES,
        reference=lambda x, axis=None, keepdims=False: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
        more=[at((3, 0), axis=0), at((), axis=None)],
    ),
    "softmax_cross_entropy": Row(
        fused.softmax_cross_entropy,
        [((4, 3), (4,)), ((2, 4, 3), (2, 4)), ((3,), ())],
        domain=[ANY, labels(3)],
        reference=plain_cross_entropy,
        more=[at((4, 3), (4, 3), domain=[ANY, (0, 1)])],
    ),
}
