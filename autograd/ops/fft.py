"""Fourier transforms. `fft`, `ifft`, `rfft` and `irfft` along one axis have rules; the others are composed of them.

Each is a matrix times the vector along the axis, and its rule the transposed matrix. That of `fft` and of `ifft` is
symmetric: the rule is the same transform. The real transforms hold one half of a spectrum whose other half follows from
it, so what is between the two ends of the half counts twice. No rule holds a conjugate of its own: where one is
written, it turns the sign of the exponent of a transform.
"""

from __future__ import annotations

import operator
import warnings

import numpy as np

from ..op import linear, meaning

_OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


# ---- along one axis ----


def _to_length(x, n, axis):
    """x cut to n elements along an axis, or filled up with zeros at its end, as a transform of length n takes it."""
    axis %= x.ndim
    missing = n - x.shape[axis]
    if missing > 0:
        return np.pad(x, [(0, missing if k == axis else 0) for k in range(x.ndim)])
    return x[(*(slice(None),) * axis, slice(n))] if missing else x


def _counts(n, middle, like, axis):
    """How often each of the n // 2 + 1 elements of half a spectrum is in the whole: the ends once, others `middle`."""
    counts = np.full(n // 2 + 1, middle, np.finfo(like.dtype).dtype)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts.reshape((-1,) + (1,) * (-1 - axis if axis < 0 else like.ndim - 1 - axis))


def _fft_rule(g, x_shape, axis=-1, norm=None):
    return _to_length(np.fft.fft(g, None, axis, norm), x_shape[axis], axis)


def _ifft_rule(g, x_shape, axis=-1, norm=None):
    return _to_length(np.fft.ifft(g, None, axis, norm), x_shape[axis], axis)


def _rfft_rule(g, x_shape, n=None, axis=-1, norm=None):
    n = x_shape[axis] if n is None else n
    return _to_length(np.fft.hfft(g * _counts(n, 0.5, g, axis), n, axis, norm), x_shape[axis], axis)


def _irfft_rule(g, x_shape, axis=-1, norm=None):
    n = g.shape[axis]
    return _to_length(np.fft.ihfft(g, n, axis, norm) * _counts(n, 2, g, axis), x_shape[axis], axis)


fft = linear(np.fft.fft, _fft_rule, accepts="n", batch="axis", formulas=("fft(g)",))
ifft = linear(np.fft.ifft, _ifft_rule, accepts="n", batch="axis", formulas=("ifft(g)",))
rfft = linear(np.fft.rfft, _rfft_rule, batch="axis", formulas=("hfft(g / 2, its ends whole)",))
irfft = linear(np.fft.irfft, _irfft_rule, accepts="n", batch="axis", formulas=("2 * ihfft(g), its ends once",))


@meaning(np.fft.hfft)
def _hfft(a, n=None, axis=-1, norm=None, out=None):
    return irfft(np.conjugate(a), n=n, axis=axis, norm=_opposite(norm), out=out)


@meaning(np.fft.ihfft)
def _ihfft(a, n=None, axis=-1, norm=None, out=None):
    return np.conjugate(rfft(a, n=n, axis=axis, norm=_opposite(norm), out=out))


def _opposite(norm):
    """The scaling of a transform of the other direction; one that does not exist goes on, and NumPy refuses it."""
    return _OPPOSITE.get(norm, norm)


# ---- along several axes: one after the other, in NumPy's order ----


def _lengths(a, s, axes):
    """(length or None, axis) for each axis of a transform along several; None for as many as there are."""
    if s is None:
        axes = range(a.ndim) if axes is None else axes
        return [(None, axis) for axis in axes]
    s = [n if n is None else operator.index(n) for n in s]
    if axes is None:
        warnings.warn("give `axes` together with `s`: NumPy 2 deprecates one without the other", DeprecationWarning, 3)
        axes = range(-len(s), 0)
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    return [(a.shape[axis] if n == -1 else n, axis) for n, axis in zip(s, axes, strict=True)]


def _each(op, a, lengths, norm, out=None):
    for n, axis in lengths:
        a = op(a, n=n, axis=axis, norm=norm, out=out)
    return a


@meaning(np.fft.fftn)
def _fftn(a, s=None, axes=None, norm=None, out=None):
    return _each(fft, a, reversed(_lengths(a, s, axes)), norm, out)


@meaning(np.fft.ifftn)
def _ifftn(a, s=None, axes=None, norm=None, out=None):
    return _each(ifft, a, reversed(_lengths(a, s, axes)), norm, out)


@meaning(np.fft.rfftn)
def _rfftn(a, s=None, axes=None, norm=None, out=None):
    lengths = _lengths(a, s, axes)
    return _each(fft, _each(rfft, a, [lengths[-1]], norm, out), reversed(lengths[:-1]), norm, out)


@meaning(np.fft.irfftn)
def _irfftn(a, s=None, axes=None, norm=None, out=None):
    lengths = _lengths(a, s, axes)
    return _each(irfft, _each(ifft, a, lengths[:-1], norm), [lengths[-1]], norm, out)


meaning(np.fft.fft2)(lambda a, s=None, axes=(-2, -1), norm=None, out=None: _fftn(a, s, axes, norm, out))
meaning(np.fft.ifft2)(lambda a, s=None, axes=(-2, -1), norm=None, out=None: _ifftn(a, s, axes, norm, out))
meaning(np.fft.rfft2)(lambda a, s=None, axes=(-2, -1), norm=None, out=None: _rfftn(a, s, axes, norm, out))
meaning(np.fft.irfft2)(lambda a, s=None, axes=(-2, -1), norm=None, out=None: _irfftn(a, s, axes, norm, out))


# ---- order of the frequencies; fftfreq and rfftfreq take no arrays ----


@meaning(np.fft.fftshift)
def _fftshift(x, axes=None):
    return _shift(x, axes, lambda n: n // 2)


@meaning(np.fft.ifftshift)
def _ifftshift(x, axes=None):
    return _shift(x, axes, lambda n: -(n // 2))


def _shift(x, axes, by):
    axes = tuple(range(x.ndim)) if axes is None else axes
    if isinstance(axes, int | np.integer):
        return np.roll(x, by(x.shape[axes]), axes)
    return np.roll(x, [by(x.shape[axis]) for axis in axes], tuple(axes))
