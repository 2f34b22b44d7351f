"""Functions on Tensors (and, without recording, on arrays): activations and losses.

Losses check what they are given. A label that does not exist, or shapes that would silently broadcast, raise an error
that names the position.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import ShapeError, Tensor
from autograd.batched import innermost
from autograd.ops.elementwise import relu, sigmoid
from autograd.ops.fused import log_softmax, logsumexp, softmax
from autograd.ops.fused import softmax_cross_entropy as _softmax_cross_entropy
from autograd.tensor import as_array

__all__ = ["log_softmax", "logsumexp", "mean_squared_error", "relu", "sigmoid", "softmax", "softmax_cross_entropy"]


_UNSIGNED = {np.dtype(f"i{size}"): np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


def mean_squared_error(y: Any, t: Any) -> Any:
    """The mean of (y - t)^2 over all elements. Raises ShapeError unless y and t have the same shape."""
    if np.shape(y) != np.shape(t):
        raise ShapeError(
            f"mean_squared_error: y has shape {np.shape(y)}, t has shape {np.shape(t)}; reshape one of them"
        )
    return np.mean(np.square(y - t))


def softmax_cross_entropy(x: Any, t: Any) -> Any:
    """The mean over the examples of -log(softmax(x)[label]); 0 for no examples. Finite for any finite scores.

    x: float scores, of shape (N, classes) or (classes,). A score of -inf is a class that is ruled out: its gradient is
    0, and the loss is inf if it is the label.
    t: class numbers of shape (N,), or one row of weights that sum to 1 (such as one-hot) for each example, of the
    shape of x.
    Raises ShapeError, TypeError for scores that are not floats, and ValueError that names the position of a label that
    is out of range, fractional or nan, of a row of weights that does not sum to 1, or of a row of scores whose largest
    is infinite, since it has no softmax.
    """
    x = x if isinstance(x, Tensor) else as_array(x)
    t = t if isinstance(t, Tensor) else as_array(t)
    loss = _softmax_cross_entropy(x, _checked_labels(x, t))
    value = innermost(loss)  # several where the examples of a vmap have a loss each
    if (value != value).any():
        top = np.max(innermost(x), axis=-1)
        _refuse(np.isinf(top), top, "is the largest score; softmax needs a finite one in each row", what="row")
    return loss


def _checked_labels(x: Any, t: Any) -> Any:
    """Labels as integers, or rows of weights in the dtype of x, after the checks."""
    values = t.data if isinstance(t, Tensor) else t
    if x.dtype.kind != "f":
        raise TypeError(
            f"softmax_cross_entropy: the scores are floats, not {x.dtype}; convert them first: x.astype(float)"
        )
    if x.ndim == 0:
        raise ShapeError("softmax_cross_entropy: the scores need an axis of classes, got a 0-d array")
    if t.shape == x.shape[:-1]:
        return _class_numbers(values, x.shape[-1])
    if t.shape == x.shape:
        _check_rows(innermost(values))
        return t if t.dtype == x.dtype else t.astype(x.dtype)
    raise ShapeError(
        f"softmax_cross_entropy: scores of shape {x.shape} need class numbers of shape {x.shape[:-1]} or rows "
        f"of weights of shape {x.shape}, not {t.shape}"
    )


def _class_numbers(labels: Any, classes: int) -> Any:
    t = innermost(labels)
    if t.dtype.kind not in "iuf":
        raise ValueError(f"softmax_cross_entropy: class numbers are integers, not {t.dtype}")
    if t.dtype.kind == "f":
        _refuse(~(t == np.floor(t)), t, "is not a class number; labels are integers")
    unsigned = t.view(_UNSIGNED[t.dtype]) if t.dtype in _UNSIGNED else t  # a negative number becomes a huge one
    if (t.size and not np.maximum.reduce(unsigned, axis=None) < classes) or (t.dtype.kind == "f" and (t < 0).any()):
        _refuse((t < 0) | (t >= classes), t, f"is not one of the {classes} classes, 0 to {classes - 1}")
    return labels if t.dtype.kind in "iu" else labels.astype(np.intp)


def _check_rows(t: Any) -> None:
    if t.dtype.kind not in "biuf":
        raise ValueError(f"softmax_cross_entropy: rows of weights are real numbers, not {t.dtype}")
    _refuse(~(t >= 0), t, "is not a weight; weights are 0 or more")
    sums = np.sum(t, axis=-1, dtype=float)
    tolerance = max(1e-6, 4 * np.finfo(t.dtype).eps) if t.dtype.kind == "f" else 1e-6
    _refuse(np.abs(sums - 1) > tolerance, sums, "is the sum of the row, it must be 1")


def _refuse(bad: Any, values: Any, why: str, what: str = "label") -> None:
    if np.any(bad):
        first = tuple(int(k) for k in np.argwhere(bad)[0])
        at = f"at position {first[0] if len(first) == 1 else first}: " if first else ""
        raise ValueError(f"softmax_cross_entropy: {what} {at}{np.asarray(values)[first]} {why}")
