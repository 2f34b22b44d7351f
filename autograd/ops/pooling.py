"""Pooling: the largest or the mean of every window, as PyTorch has it. Composed of the windows of `conv`."""

from __future__ import annotations

import math

import numpy as np

from ..errors import ShapeError
from ..tensor import Tensor, as_array
from .conv import by, each_axis, windows


def _places(name, x, kernel, stride, padding, dilation, ceil_mode):
    """(widths, places): the exact padding and the number of windows for each axis, as PyTorch counts them."""
    n = len(kernel)
    if x.ndim < n:
        raise ShapeError(f"{name}: x needs {n} spatial axes, its last; its shape is {x.shape}")
    found = []
    for size, k, s, p, d in zip(x.shape[-n:], kernel, stride, padding, dilation, strict=True):
        reach = d * (k - 1) + 1
        if 2 * p > k:
            raise ValueError(f"{name}: the padding {padding} must be at most half the kernel {kernel}")
        count = (size + 2 * p - reach + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:  # the last window would start behind x
            count -= 1
        if count < 1 or size < 1:
            raise ShapeError(
                f"{name}: a kernel of {by(kernel)} with dilation {dilation} does not fit into "
                f"{by(x.shape[-n:])} (x of shape {x.shape}) with padding {padding}"
            )
        found.append(((p, (count - 1) * s + reach - size - p), count))
    return tuple(zip(*found, strict=True))


def _settings(n, kernel_size, stride, padding, dilation):
    return (
        each_axis("kernel_size", kernel_size, n, 1),
        each_axis("stride", kernel_size if stride is None else stride, n, 1),
        each_axis("padding", padding, n, 0),
        each_axis("dilation", dilation, n, 1),
    )


def _max_pool(name, n, x, kernel_size, stride, padding, dilation, ceil_mode):
    x = x if isinstance(x, Tensor) else as_array(x)
    if x.dtype.kind not in "iuf":
        raise TypeError(f"{name} takes real numbers, not {x.dtype}")
    kernel, stride, padding, dilation = _settings(n, kernel_size, stride, padding, dilation)
    widths, _ = _places(name, x, kernel, stride, padding, dilation, ceil_mode)
    if any(b > 0 or a > 0 for b, a in widths):
        least = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        around = [(0, 0)] * (x.ndim - n) + [(b, max(a, 0)) for b, a in widths]
        x = np.pad(x, around, constant_values=least)
    cut = tuple((0, min(a, 0)) for _, a in widths)
    return np.max(windows(x, kernel=kernel, stride=stride, padding=cut, dilation=dilation), axis=-n - 1)


def _avg_pool(name, n, x, kernel_size, stride, padding, ceil_mode, count_include_pad):
    x = x if isinstance(x, Tensor) else as_array(x)
    kernel, stride, padding, dilation = _settings(n, kernel_size, stride, padding, 1)
    widths, places = _places(name, x, kernel, stride, padding, dilation, ceil_mode)
    sums = np.sum(windows(x, kernel=kernel, stride=stride, padding=widths, dilation=dilation), axis=-n - 1)
    counts = np.ones((), sums.dtype)
    for size, k, s, p, count in zip(x.shape[-n:], kernel, stride, padding, places, strict=True):
        starts = np.arange(count) * s - p
        first, last = (-p, size + p) if count_include_pad else (0, size)
        seen = np.minimum(starts + k, last) - np.maximum(starts, first)
        counts = counts[..., None] * seen.astype(sums.dtype)
    return sums / counts


def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest element of each window along the last axis of x (N, channels, length).

    stride: by default the kernel_size. padding: with -inf, at most half the kernel. ceil_mode: a last window that
    reaches beyond x counts. The gradient goes to the largest element, and is split evenly between equal ones.
    """
    return _max_pool("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The same as `max_pool1d` over the last two axes of x (N, channels, height, width)."""
    return _max_pool("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window along the last axis of x (N, channels, length).

    stride: by default the kernel_size. padding: with zeros, which count as elements if count_include_pad. ceil_mode:
    a last window that reaches beyond x and its padding counts, with the elements that it has.
    """
    return _avg_pool("avg_pool1d", 1, x, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The same as `avg_pool1d` over the last two axes of x (N, channels, height, width)."""
    return _avg_pool("avg_pool2d", 2, x, kernel_size, stride, padding, ceil_mode, count_include_pad)
