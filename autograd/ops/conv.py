"""Convolution and pooling in any number of dimensions; arrays are (N, channels, *spatial), as in PyTorch.

Two linear operations move elements: `windows` lays out what a sliding kernel sees, `unwindows` adds it up where it
came from, and each is the other's transpose. Pooling is composed of them. Convolution is three multilinear operations,
each other's rules: `conv`, `conv_transpose` (the gradient of x) and `conv_weight` (that of the kernel), all three a
matrix product with the windows.

These five share their static arguments and take them exact: `padding` holds a width before and after each axis such
that the windows end where the padded array ends. A width below 0 cuts. So each shape follows from the other two.
The functions that users call, from `conv1d` on, check what they are given and work the widths out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..errors import ShapeError
from ..op import linear, multilinear
from ..tensor import Tensor, as_array

# ---- windows ----


def _padded(x, padding):
    """x with zeros around its last axes; where a width is negative, cut there."""
    n = len(padding)
    if min(map(min, padding)) < 0:
        cut = (slice(max(-b, 0), size - max(-a, 0)) for (b, a), size in zip(padding, x.shape[-n:], strict=True))
        x = x[(..., *cut)]
    widths = [(max(b, 0), max(a, 0)) for b, a in padding]
    if not any(map(any, widths)):
        return x
    sizes = x.shape[-n:]
    out = np.zeros((*x.shape[:-n], *(b + size + a for (b, a), size in zip(widths, sizes, strict=True))), x.dtype)
    out[(..., *(slice(b, b + size) for (b, _), size in zip(widths, sizes, strict=True)))] = x
    return out


def _view(x, kernel, stride, padding, dilation):
    """(..., *kernel, *out): what the kernel sees at each place, as a view of x where that is not padded."""
    x = _padded(x, padding)
    n = len(kernel)
    steps = x.strides[-n:]
    out = [
        (size - d * (k - 1) - 1) // s + 1 for size, k, s, d in zip(x.shape[-n:], kernel, stride, dilation, strict=True)
    ]
    within = [d * step for d, step in zip(dilation, steps, strict=True)]
    between = [s * step for s, step in zip(stride, steps, strict=True)]
    return as_strided(x, (*x.shape[:-n], *kernel, *out), (*x.strides[:-n], *within, *between), writeable=False)


@linear(name="windows", batch="stack", formulas=("unwindows(g)",))
def windows(x, *, kernel, stride, padding, dilation):
    """(..., *spatial) to (..., window, *out): the elements that a kernel of this shape sees at each place."""
    view = _view(x, kernel, stride, padding, dilation)
    n = len(kernel)
    return view.reshape(*x.shape[:-n], math.prod(kernel), *view.shape[-n:])


@linear(name="unwindows", batch="stack", formulas=("windows(g)",))
def unwindows(x, *, kernel, stride, padding, dilation):
    """(..., window, *out) to (..., *spatial): each element added where `windows` took it from."""
    n = len(kernel)
    places = list(zip(x.shape[-n:], kernel, stride, dilation, strict=True))
    y = np.zeros((*x.shape[: -n - 1], *((o - 1) * s + d * (k - 1) + 1 for o, k, s, d in places)), x.dtype)
    for j, offset in enumerate(np.ndindex(*kernel)):
        at = (slice(i * d, i * d + (o - 1) * s + 1, s) for i, (o, _, s, d) in zip(offset, places, strict=True))
        y[(..., *at)] += x[(..., j, *(slice(None),) * n)]
    return np.ascontiguousarray(_padded(y, [(-b, -a) for b, a in padding]))


windows.rule(
    lambda g, kernel, stride, padding, dilation: unwindows(
        g, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
unwindows.rule(
    lambda g, kernel, stride, padding, dilation: windows(
        g, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)


# ---- the three of convolution ----


def _batch(op, xs, kwargs, batched):
    """A hidden axis of the examples alone: that many more. Else that many more groups, each with its own kernel."""
    n = next(x.shape[0] for x, b in zip(xs, batched, strict=True) if b)
    if op is not conv_weight and not batched[1]:
        y = op(_joined(xs[0], 0), xs[1], **kwargs)
        return _parted(y, 0, n)
    xs = [x if b else np.broadcast_to(x, (n, *x.shape)) for x, b in zip(xs, batched, strict=True)]
    axes, axis = ((1, 1), 0) if op is conv_weight else ((1, 0), 1)
    y = op(*map(_joined, xs, axes), **{**kwargs, "groups": n * kwargs["groups"]})
    return _parted(y, axis, n)


def _joined(x, axis):
    """The hidden axis in front put into another."""
    x = np.moveaxis(x, 0, axis)
    return np.reshape(x, (*x.shape[:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2 :]))


def _parted(y, axis, n):
    """The hidden axis taken out of another."""
    return np.moveaxis(np.reshape(y, (*y.shape[:axis], n, y.shape[axis] // n, *y.shape[axis + 1 :])), axis, 0)


def _matrices(w, groups):
    """A kernel as a matrix for each group: (groups, out channels, in channels times window)."""
    return w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:]))


@multilinear(name="conv", batch=_batch, formulas=("conv_transpose(g, w)", "conv_weight(x, g)"))
def conv(x, w, *, stride, padding, dilation, groups):
    """x (N, in, *spatial) and w (out, in / groups, *kernel) to (N, out, *out): w . window at each place."""
    seen = windows.forward(x, kernel=w.shape[2:], stride=stride, padding=padding, dilation=dilation)
    out = seen.shape[3:]
    matrices = _matrices(w, groups)
    y = np.empty((len(x), len(w), *out), np.result_type(x, w))
    np.matmul(
        matrices,
        seen.reshape(len(x), groups, matrices.shape[-1], math.prod(out)),
        out=y.reshape(len(x), groups, matrices.shape[1], math.prod(out)),
    )
    return y


@multilinear(name="conv_transpose", batch=_batch, formulas=("conv(g, w)", "conv_weight(g, x)"))
def conv_transpose(x, w, *, stride, padding, dilation, groups):
    """x (N, out, *out) and w (out, in / groups, *kernel) to (N, in, *spatial): x . w added at each place."""
    out, kernel = x.shape[2:], w.shape[2:]
    seen = _matrices(w, groups).mT @ x.reshape(len(x), groups, len(w) // groups, math.prod(out))
    seen = seen.reshape(len(x), groups * w.shape[1], math.prod(kernel), *out)
    return unwindows.forward(seen, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@multilinear(name="conv_weight", batch=_batch, formulas=("conv_transpose(u, g)", "conv(x, g)"))
def conv_weight(x, u, *, stride, padding, dilation, groups):
    """x (N, in, *spatial) and u (N, out, *out) to (out, in / groups, *kernel): u . windows, summed over all places."""
    kernel = tuple(
        (b + size + a - (o - 1) * s - 1) // d + 1
        for (b, a), size, o, s, d in zip(padding, x.shape[2:], u.shape[2:], stride, dilation, strict=True)
    )
    channels, places = x.shape[1] // groups, len(u) * math.prod(u.shape[2:])
    seen = np.moveaxis(_view(x, kernel, stride, padding, dilation), 0, 1 + len(kernel))
    seen = seen.reshape(groups, channels * math.prod(kernel), places)
    y = np.moveaxis(u, 0, 1).reshape(groups, u.shape[1] // groups, places) @ seen.mT
    return y.reshape(u.shape[1], channels, *kernel)


conv.rule(
    lambda g, w, stride, padding, dilation, groups: conv_transpose(
        g, w, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)
conv.rule(
    lambda g, x, stride, padding, dilation, groups: conv_weight(
        x, g, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)
conv_transpose.rule(
    lambda g, w, stride, padding, dilation, groups: conv(
        g, w, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)
conv_transpose.rule(
    lambda g, x, stride, padding, dilation, groups: conv_weight(
        g, x, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)
conv_weight.rule(
    lambda g, u, stride, padding, dilation, groups: conv_transpose(
        u, g, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)
conv_weight.rule(
    lambda g, x, stride, padding, dilation, groups: conv(
        x, g, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
)


# ---- what users say ----


def each_axis(what, value, n, least):
    """A setting as one integer for each of the n axes."""
    values = (value,) * n if isinstance(value, int | np.integer) else value
    fits = isinstance(values, tuple | list) and len(values) == n
    if not fits or not all(isinstance(v, int | np.integer) and v >= least for v in values):
        raise ValueError(f"{what} is an integer of at least {least}, or a tuple of {n} such, not {value!r}")
    return tuple(int(v) for v in values)


def _widths(padding, n, kernel, stride, dilation):
    """The padding before and after each axis."""
    if padding == "valid":
        return [(0, 0)] * n
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"padding='same' keeps the size, which a stride of {stride} does not; use stride=1")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(padding, str):
        raise ValueError(f"padding is 'same', 'valid', an integer or a tuple of integers, not {padding!r}")
    return [(p, p) for p in each_axis("padding", padding, n, 0)]


def _checked(name, n, x, w, b, groups, transposed):
    """The arrays, x with an axis of examples, after a look at how their shapes go together."""
    x, w, b = (v if v is None or isinstance(v, Tensor) else as_array(v) for v in (x, w, b))
    layout = ("length",) if n == 1 else ("height", "width")
    rows = ("in", "out / groups") if transposed else ("out", "in / groups")
    if w.ndim != n + 2 or 0 in w.shape:
        raise ShapeError(f"{name}: w has the shape ({', '.join((*rows, *layout))}), none of them 0, not {w.shape}")
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(f"{name}: x has the shape (N, {', '.join(('in', *layout))}), or one without N, not {x.shape}")
    if not isinstance(groups, int | np.integer) or groups < 1 or w.shape[0] % groups:
        raise ValueError(
            f"{name}: groups is an integer that divides the {w.shape[0]} {rows[0]} channels of w of shape {w.shape}, "
            f"not {groups!r}"
        )
    channels, out = (len(w), groups * w.shape[1]) if transposed else (groups * w.shape[1], len(w))
    if x.shape[-n - 1] != channels:
        raise ShapeError(
            f"{name}: w of shape {w.shape} with groups={groups} takes x of {channels} channels; "
            f"x of shape {x.shape} has {x.shape[-n - 1]}"
        )
    if b is not None and b.shape != (out,):
        raise ShapeError(f"{name}: w of shape {w.shape} with groups={groups} takes b of shape ({out},), not {b.shape}")
    return (np.reshape(x, (1, *x.shape)) if x.ndim == n + 1 else x), w, b


def _finished(y, b, batched):
    """The result with the bias added, without the axis of examples if x had none."""
    y = y if b is None else y + np.reshape(b, (-1,) + (1,) * (y.ndim - 2))
    return y if batched else np.reshape(y, y.shape[1:])


def _convolve(name, n, x, w, b, stride, padding, dilation, groups):
    batched = np.ndim(x) == n + 2
    x, w, b = _checked(name, n, x, w, b, groups, transposed=False)
    stride, dilation = each_axis("stride", stride, n, 1), each_axis("dilation", dilation, n, 1)
    widths = _widths(padding, n, w.shape[2:], stride, dilation)
    sizes = [b + size + a for size, (b, a) in zip(x.shape[2:], widths, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    if any(size < r for size, r in zip(sizes, reach, strict=True)):
        raise ShapeError(
            f"{name}: a kernel that reaches over {by(reach)} (w of shape {w.shape}, dilation {dilation}) does not fit "
            f"into {by(sizes)} (x of shape {x.shape}, padding {padding!r})"
        )
    unseen = [(size - r) % s for size, r, s in zip(sizes, reach, stride, strict=True)]
    exact = tuple((b, a - rest) for (b, a), rest in zip(widths, unseen, strict=True))
    y = conv(x, w, stride=stride, padding=exact, dilation=dilation, groups=groups)
    return _finished(y, b, batched)


def _convolve_transposed(name, n, x, w, b, stride, padding, output_padding, groups, dilation):
    batched = np.ndim(x) == n + 2
    x, w, b = _checked(name, n, x, w, b, groups, transposed=True)
    stride, dilation = each_axis("stride", stride, n, 1), each_axis("dilation", dilation, n, 1)
    more, widths = each_axis("output_padding", output_padding, n, 0), each_axis("padding", padding, n, 0)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ValueError(
            f"{name}: output_padding {more} must be less than the stride {stride} or the dilation {dilation}"
        )
    sizes = [
        (o - 1) * s + d * (k - 1) + 1 - 2 * p + m
        for o, k, s, d, p, m in zip(x.shape[2:], w.shape[2:], stride, dilation, widths, more, strict=True)
    ]
    if 0 in x.shape[2:] or any(size < 1 for size in sizes):
        raise ShapeError(
            f"{name}: x of shape {x.shape} and w of shape {w.shape} with stride {stride}, padding {widths}, dilation "
            f"{dilation} would give {by(sizes)}; each must be at least 1"
        )
    exact = tuple((p, p - m) for p, m in zip(widths, more, strict=True))
    y = conv_transpose(x, w, stride=stride, padding=exact, dilation=dilation, groups=groups)
    return _finished(y, b, batched)


def by(sizes):
    return " x ".join(map(str, sizes))


def conv1d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """The cross-correlation of x (N, in, length) with the kernels w (out, in / groups, length), plus b (out,).

    padding: an integer, "valid" (0) or "same" (the result is as long as x; stride 1). x may lack the axis N.
    Returns (N, out, (length + 2 padding - dilation (k - 1) - 1) // stride + 1). Raises ShapeError, ValueError.
    """
    return _convolve("conv1d", 1, x, w, b, stride, padding, dilation, groups)


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """The same as `conv1d` for images x (N, in, height, width) and kernels w (out, in / groups, height, width).

    stride, padding and dilation: an integer, or a tuple of two, for the height and the width.
    """
    return _convolve("conv2d", 2, x, w, b, stride, padding, dilation, groups)


def conv_transpose1d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of `conv1d`, from its result to its x: w is (in, out / groups, length), b (out,).

    Returns (N, out, (length - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1).
    """
    return _convolve_transposed("conv_transpose1d", 1, x, w, b, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of `conv2d`, from its result to its x: w is (in, out / groups, height, width), b (out,)."""
    return _convolve_transposed("conv_transpose2d", 2, x, w, b, stride, padding, output_padding, groups, dilation)
