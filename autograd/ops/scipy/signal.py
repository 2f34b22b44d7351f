"""Convolution in any number of dimensions: one multilinear operation, whose transposes are convolutions again.

In its own layout an operand is (kept, summed, *space): kept axes of the two operands become the axes of the result
(kept of a, kept of b, *space), summed axes are paired. `convolve` brings operands into this layout and cuts the full
result to the mode.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
import scipy.signal as ss

from ...op import multilinear
from ...tensor import Tensor, as_array

BY_FFT_FROM = 300  # elements of the smaller operand from which the Fourier transform is faster


@multilinear(
    name="signal.convolve", formulas=("convolve(g, reversed(b)), cut to a", "convolve(g, reversed(a)), cut to b")
)
def full_convolution(a, b, *, fft=None):
    """(I, J, *space) from (I, D, *space) and (J, D, *space); fft=None: by Fourier transform where that is faster."""
    of_a, of_b = a.shape[2:], b.shape[2:]
    if math.prod(of_b) > math.prod(of_a):
        return np.swapaxes(full_convolution(b, a, fft=fft), 0, 1)
    floats = np.result_type(a, b).kind in "fc"
    if floats and (fft or (fft is None and math.prod(of_b) >= BY_FFT_FROM)):
        return _by_fft(a, b)
    b = b[(slice(None), slice(None), *[slice(None, None, -1)] * len(of_b))]
    a = np.pad(a, [(0, 0), (0, 0), *((n - 1, n - 1) for n in of_b)])
    space = list(range(2, a.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(a, of_b, axis=tuple(space))
    y = np.tensordot(windows, b, axes=([1, *(k + len(space) for k in space)], [1, *space]))
    return np.moveaxis(y, -1, 1)


def _by_fft(a, b):
    dtype = np.result_type(a, b)
    axes = tuple(range(2, a.ndim))
    shape = [n + m - 1 for n, m in zip(a.shape[2:], b.shape[2:], strict=True)]
    fast = [scipy.fft.next_fast_len(n, dtype.kind != "c") for n in shape]
    forth, back = (scipy.fft.fftn, scipy.fft.ifftn) if dtype.kind == "c" else (scipy.fft.rfftn, scipy.fft.irfftn)
    wide = np.result_type(dtype, np.float32)
    fa, fb = (forth(x.astype(wide, copy=False), fast, axes=axes) for x in (a, b))
    y = back(np.einsum("id...,jd...->ij...", fa, fb), fast, axes=axes)[(..., *(slice(n) for n in shape))]
    return y.astype(dtype, copy=False)


def _reversed(x):
    return x[(slice(None), slice(None), *[slice(None, None, -1)] * (x.ndim - 2))]


def _cut(x, start, size):
    return x[(slice(None), slice(None), *(slice(k, k + n) for k, n in zip(start, size, strict=True)))]


@full_convolution.rule
def _of_a(g, b, a_shape, fft=None):
    y = full_convolution(g, np.swapaxes(_reversed(b), 0, 1), fft=fft)
    return _cut(y, [n - 1 for n in b.shape[2:]], a_shape[2:])


@full_convolution.rule
def _of_b(g, a, b_shape, fft=None):
    y = full_convolution(np.swapaxes(g, 0, 1), np.swapaxes(_reversed(a), 0, 1), fft=fft)
    return _cut(y, [n - 1 for n in a.shape[2:]], b_shape[2:])


def convolve(A, B, axes=None, dot_axes=((), ()), mode="full", method="auto"):
    """The convolution of A and B over all axes, or over the pairs of axes in `axes`, summed over those in `dot_axes`.

    axes, dot_axes: (axes of A, axes of B), as in HIPS autograd; the other axes are kept. The result has A's kept axes,
    then B's, then those convolved over. In the place of `axes` a mode may stand, as in SciPy: "full", "same" (the size
    of A) or "valid". Raises ValueError for arrays of size zero, and for "valid" where neither array is the larger one.
    """
    if isinstance(axes, str):
        axes, mode = None, axes
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"method is 'auto', 'direct' or 'fft', not {method!r}")
    a, b = as_array(A), as_array(B)
    if axes is None:
        if a.ndim != b.ndim:
            raise ValueError(f"convolve takes arrays of the same number of axes, not {a.ndim} and {b.ndim}")
        axes = (range(a.ndim), range(b.ndim))
    a, kept_a, of_a = _laid_out(a, axes[0], dot_axes[0])
    b, kept_b, of_b = _laid_out(b, axes[1], dot_axes[1])
    if 0 in a.shape or 0 in b.shape:
        raise ValueError("convolve takes no arrays of size zero")
    if not of_a:
        y = np.sum(a[:, None] * b[None], axis=2)
    else:
        y = full_convolution(a, b, fft={"auto": None, "direct": False, "fft": True}[method])
        y = _cut(y, *_part(mode, of_a, of_b))
    return np.reshape(y, (*kept_a, *kept_b, *y.shape[2:]))


def _laid_out(x, space, summed):
    """x as (kept, summed, *space), with the sizes of its kept and of its space axes."""
    space, summed = ([k % x.ndim for k in ks] for ks in (space, summed))
    kept = [k for k in range(x.ndim) if k not in space and k not in summed]
    sizes = [tuple(x.shape[k] for k in ks) for ks in (kept, summed, space)]
    x = np.transpose(x, (*kept, *summed, *space))
    return np.reshape(x, (math.prod(sizes[0]), math.prod(sizes[1]), *sizes[2])), sizes[0], sizes[2]


def _part(mode, n, m):
    """(start, size) of the part of the full result that a mode keeps."""
    pairs = list(zip(n, m, strict=True))
    if mode == "full":
        return [0] * len(n), [i + k - 1 for i, k in pairs]
    if mode == "same":
        return [(k - 1) // 2 for k in m], n
    if mode != "valid":
        raise ValueError(f"mode is 'full', 'same' or 'valid', not {mode!r}")
    if not (all(i >= k for i, k in pairs) or all(i <= k for i, k in pairs)):
        raise ValueError("with mode='valid' one array is at least as large as the other along every axis")
    return [min(pair) - 1 for pair in pairs], [abs(i - k) + 1 for i, k in pairs]


def fftconvolve(in1, in2, mode="full", axes=None):
    """`convolve` by the Fourier transform. With axes, the other axes broadcast; on Tensors they must be absent."""
    if not isinstance(in1, Tensor) and not isinstance(in2, Tensor):
        return ss.fftconvolve(in1, in2, mode, axes)
    if axes is not None and sorted(k % in1.ndim for k in np.atleast_1d(axes).tolist()) != list(range(in1.ndim)):
        raise TypeError("fftconvolve over some of the axes of a Tensor: write convolve(..., axes=, dot_axes=)")
    return convolve(in1, in2, mode=mode, method="fft")


def correlate(in1, in2, mode="full", method="auto"):
    """The cross-correlation: the convolution of in1 with the reversed conjugate of in2."""
    in2 = as_array(in2)
    backwards = in2[tuple([slice(None, None, -1)] * in2.ndim)]
    return convolve(in1, np.conjugate(backwards), mode=mode, method=method)
