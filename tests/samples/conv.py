"""Samples of autograd/ops/conv.py; the references go through the definition element by element."""

from __future__ import annotations

import math

import numpy as np
from rows import Row, at

from autograd.ops import conv


def taps(out, kernel, size, stride, padding, dilation):
    """(place, place in the kernel, place in x) of every product of a convolution that is not with the padding."""
    for o in np.ndindex(*out):
        for j, k in enumerate(np.ndindex(*kernel)):
            i = tuple(a * s - p + b * d for a, b, s, (p, _), d in zip(o, k, stride, padding, dilation, strict=True))
            if all(0 <= a < n for a, n in zip(i, size, strict=True)):
                yield o, (j, k), i


def outside(sizes, reach, stride, padding):
    """The number of windows along each axis."""
    return tuple((n + sum(p) - r) // s + 1 for n, r, s, p in zip(sizes, reach, stride, padding, strict=True))


def inside(out, reach, stride, padding):
    """The length of each axis that so many windows cover."""
    return tuple((o - 1) * s + r - sum(p) for o, r, s, p in zip(out, reach, stride, padding, strict=True))


def reach_of(kernel, dilation):
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]


def plain_windows(x, *, kernel, stride, padding, dilation):
    n = len(kernel)
    out = outside(x.shape[-n:], reach_of(kernel, dilation), stride, padding)
    y = np.zeros((*x.shape[:-n], math.prod(kernel), *out), x.dtype)
    for o, (j, _), i in taps(out, kernel, x.shape[-n:], stride, padding, dilation):
        y[(..., j, *o)] = x[(..., *i)]
    return y


def plain_unwindows(x, *, kernel, stride, padding, dilation):
    n = len(kernel)
    out = x.shape[-n:]
    y = np.zeros((*x.shape[: -n - 1], *inside(out, reach_of(kernel, dilation), stride, padding)), x.dtype)
    for o, (j, _), i in taps(out, kernel, y.shape[-n:], stride, padding, dilation):
        y[(..., *i)] += x[(..., j, *o)]
    return y


def of_groups(groups, out, channels):
    """(out channel, slice of the in channels that it sees)."""
    return [(c, slice(c * groups // out * channels, (c * groups // out + 1) * channels)) for c in range(out)]


def plain_conv(x, w, *, stride, padding, dilation, groups):
    out = outside(x.shape[2:], reach_of(w.shape[2:], dilation), stride, padding)
    y = np.zeros((len(x), len(w), *out), np.result_type(x, w))
    for o, (_, k), i in taps(out, w.shape[2:], x.shape[2:], stride, padding, dilation):
        for c, seen in of_groups(groups, *w.shape[:2]):
            y[(slice(None), c, *o)] += x[(slice(None), seen, *i)] @ w[(c, slice(None), *k)]
    return y


def plain_conv_transpose(x, w, *, stride, padding, dilation, groups):
    size = inside(x.shape[2:], reach_of(w.shape[2:], dilation), stride, padding)
    y = np.zeros((len(x), groups * w.shape[1], *size), np.result_type(x, w))
    for o, (_, k), i in taps(x.shape[2:], w.shape[2:], size, stride, padding, dilation):
        for c, seen in of_groups(groups, *w.shape[:2]):
            y[(slice(None), seen, *i)] += x[(slice(None), c, *o)][:, None] * w[(c, slice(None), *k)]
    return y


def plain_conv_weight(x, u, *, stride, padding, dilation, groups):
    reach = [n + sum(p) - (o - 1) * s for n, p, o, s in zip(x.shape[2:], padding, u.shape[2:], stride, strict=True)]
    kernel = tuple((r - 1) // d + 1 for r, d in zip(reach, dilation, strict=True))
    y = np.zeros((u.shape[1], x.shape[1] // groups, *kernel), np.result_type(x, u))
    for o, (_, k), i in taps(u.shape[2:], kernel, x.shape[2:], stride, padding, dilation):
        for c, seen in of_groups(groups, *y.shape[:2]):
            y[(c, slice(None), *k)] += u[(slice(None), c, *o)] @ x[(slice(None), seen, *i)]
    return y


LINE = {"stride": (2,), "padding": ((1, 0),), "dilation": (1,)}  # 3 in 6: 3 places
CUT = {"stride": (2,), "padding": ((0, -1),), "dilation": (1,)}  # 2 in 5: 2 places
ONES = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
PLANE = {"stride": (1, 2), "padding": ((0, 0), (1, 0)), "dilation": (2, 1)}  # 2 x 2 in 4 x 3: 2 x 2 places
SPACE = {"stride": (1, 1, 2), "padding": ((1, 0), (0, 0), (0, 0)), "dilation": (1, 1, 1)}

CONV = {
    "windows": Row(
        conv.windows,
        reference=plain_windows,
        more=[
            at((2, 6), kernel=(3,), **LINE),
            at((5,), kernel=(2,), **CUT),
            at((2, 4, 3), kernel=(2, 2), **PLANE),
            at((0, 3), kernel=(2,), **ONES),
            at((3,), kernel=(1,), **ONES),
        ],
    ),
    "unwindows": Row(
        conv.unwindows,
        reference=plain_unwindows,
        more=[
            at((2, 3, 3), kernel=(3,), **LINE),
            at((2, 2), kernel=(2,), **CUT),
            at((2, 4, 2, 2), kernel=(2, 2), **PLANE),
            at((0, 2, 2), kernel=(2,), **ONES),
        ],
    ),
    "conv": Row(
        conv.conv,
        reference=plain_conv,
        more=[
            at((2, 4, 6), (6, 2, 3), groups=2, **LINE),
            at((1, 2, 5), (2, 2, 2), groups=1, **CUT),
            at((2, 1, 4, 3), (2, 1, 2, 2), groups=1, **PLANE),
            at((1, 2, 1, 2, 3), (2, 1, 2, 1, 1), groups=2, **SPACE),
            at((0, 2, 3), (1, 2, 2), groups=1, **ONES),
        ],
    ),
    "conv_transpose": Row(
        conv.conv_transpose,
        reference=plain_conv_transpose,
        more=[
            at((2, 4, 3), (4, 2, 3), groups=2, **LINE),
            at((1, 2, 2), (2, 2, 2), groups=1, **CUT),
            at((2, 2, 2, 2), (2, 1, 2, 2), groups=1, **PLANE),
            at((0, 1, 2), (1, 2, 2), groups=1, **ONES),
        ],
    ),
    "conv_weight": Row(
        conv.conv_weight,
        reference=plain_conv_weight,
        more=[
            at((2, 4, 6), (2, 2, 3), groups=2, **LINE),
            at((1, 2, 5), (1, 2, 2), groups=1, **CUT),
            at((2, 1, 4, 3), (2, 2, 2, 2), groups=1, **PLANE),
            at((0, 2, 3), (0, 1, 2), groups=1, **ONES),
        ],
    ),
}
