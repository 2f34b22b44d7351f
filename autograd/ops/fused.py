"""Operations that are one step for the user and for numerical stability: softmax and its relatives."""

from __future__ import annotations

import math

import numpy as np

from ..op import general
from .reduce import kept


@general(name="softmax", batch="axis")
def softmax(x, *, axis=-1):
    """exp(x) / sum(exp(x)) along an axis, without overflow; nan, with NumPy's warning, where every x is -inf."""
    with np.errstate(over="ignore"):  # a difference below the range of the dtype, whose exp is 0 all the same
        e = np.exp(x - x.max(axis=axis, keepdims=True))
    e /= e.sum(axis=axis, keepdims=True)
    return e


softmax.rule(lambda g, y, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)))


@general(name="log_softmax", batch="axis")
def log_softmax(x, *, axis=-1):
    """log(softmax(x)) along an axis, without overflow or loss of digits."""
    z = x - x.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


log_softmax.rule(lambda g, y, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))


@general(name="logsumexp", formulas=("g * exp(x - y)",), batch="axis")
def logsumexp(x, *, axis=None, keepdims=False):
    """log(sum(exp(x))) over an axis, without overflow; -inf where every x is."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        y = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return y if keepdims else np.reshape(y, np.sum(x, axis=axis).shape)


@logsumexp.rule
def _logsumexp_rule(g, x, y, axis=None):
    y = kept(y, x.shape, axis)
    return kept(g, x.shape, axis) * np.exp(x - np.where(y == -math.inf, 0, y))


@general(
    name="softmax_cross_entropy",
    residuals={"p": lambda x: softmax(x)},
    formulas=("g * (softmax(x) - one_hot(t)) / N", "-g * log(softmax(x)) / N"),
    batch=lambda op, xs, kwargs: _cross_entropies(*xs),
)
def softmax_cross_entropy(x, t):
    """The mean over the rows of x of -log(softmax(x)[label]); t: labels (integers), or a row of weights for each."""
    with np.errstate(over="ignore", invalid="ignore"):  # over: as in softmax; invalid: nn says which row is at fault
        z = x - np.maximum.reduce(x, axis=-1, keepdims=True)
        p = np.exp(z)
        total = np.add.reduce(p, axis=-1, keepdims=True)
        p /= total
        # the sum may leave the range of float16 where the mean does not
        wide = np.float32 if p.dtype == np.float16 else p.dtype
        if t.dtype.kind in "iu":
            chosen = z.reshape(-1, x.shape[-1])[np.arange(t.size), t.ravel()]
            loss = (np.log(total).ravel() - chosen).sum(dtype=wide)
        else:
            losses = t * (np.log(total) - z)
            loss = losses.sum(dtype=wide)
            if loss != loss:  # nan, perhaps from a score of -inf, which with weight 0 adds nothing
                loss = losses.sum(dtype=wide, where=t != 0)
    return p.dtype.type(loss / rows(x)), p


@softmax_cross_entropy.rule
def _cross_entropy_x(g, p, t):
    if t.dtype.kind in "iu":
        return (p - one_hot(t, p.shape[-1])) * (g / rows(p))
    return (p * np.sum(t, axis=-1, keepdims=True) - t) * (g / rows(p))


@softmax_cross_entropy.rule
def _cross_entropy_t(g, x):
    return log_softmax(x) * (-g / rows(x))


def _cross_entropies(x, t):
    """The loss of each of a batch of problems."""
    logp = log_softmax(x)
    if t.dtype.kind in "iu":
        losses = np.where(one_hot(t, x.shape[-1]), logp, 0)
    else:
        losses = np.where(t != 0, t * logp, 0)
    return np.sum(losses, axis=tuple(range(1, losses.ndim))) / -rows(x[0])


def rows(x):
    """The number of examples in an array of shape (..., classes), at least 1: the mean over none is 0, not 0 / 0."""
    return max(math.prod(x.shape[:-1]), 1)


def one_hot(t, classes):
    """Labels as rows with True in one place."""
    return t[..., None] == np.arange(classes)
