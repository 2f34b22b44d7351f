"""Padding: what is put around an array, in every mode that NumPy has.

Zeros are an operation of their own. The modes that repeat elements are a selection, whose indices NumPy itself finds
by padding 0, 1, 2, ...; all others put something before and after one axis at a time.
"""

from __future__ import annotations

import numpy as np

from ..errors import NotDifferentiableError
from ..op import linear, meaning
from .constant import plain
from .shape import stored, to_dtype

pad = linear(
    lambda x, *, pad_width: np.pad(x, pad_width),
    lambda g, x_shape, pad_width: g[tuple(slice(b, b + n) for (b, _), n in zip(pad_width, x_shape, strict=True))],
    name="pad",
    formulas=("g[inner part]",),
    batch=lambda op, xs, kwargs: op(*xs, pad_width=((0, 0), *kwargs["pad_width"])),
)

_STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}
_OPTIONS = {
    **dict.fromkeys(("edge", "wrap", "empty"), None),
    **dict.fromkeys(("reflect", "symmetric"), "reflect_type"),
    **dict.fromkeys(_STATISTICS, "stat_length"),
    "constant": "constant_values",
    "linear_ramp": "end_values",
}


@meaning(np.pad)
def _pad(array, pad_width, mode="constant", **options):
    _check_mode(mode, options)
    widths = _widths(pad_width, array.ndim)
    if not widths:
        return np.copy(array)
    if mode == "empty" or (mode == "constant" and _all_zero(options.get("constant_values", 0))):
        return pad(array, pad_width=widths)  # "empty" promises nothing; zeros it is
    if mode in ("edge", "wrap") or (options.get("reflect_type", "even") == "even" and mode in ("reflect", "symmetric")):
        return array[np.ix_(*[np.pad(np.arange(n), w, mode) for n, w in zip(array.shape, widths, strict=True)])]
    option = _pairs(options.get(_OPTIONS[mode], None if mode in _STATISTICS else 0), array.ndim)
    for axis, (width, values) in enumerate(zip(widths, option, strict=True)):
        if not any(width):
            continue
        if mode != "constant" and not array.shape[axis]:
            raise ValueError(f"np.pad: axis {axis} is empty, so mode={mode!r} has nothing to take from")
        if mode in ("reflect", "symmetric"):
            array = _mirrored(array, axis, width, mode)
        else:
            array = _between(array, axis, *_around(array, axis, width, mode, values))
    return array


def _check_mode(mode, options):
    if callable(mode):
        raise NotDifferentiableError(
            "np.pad with a function as its mode writes into an array; join the parts with np.concatenate instead"
        )
    if mode not in _OPTIONS:
        raise ValueError(f"np.pad has no mode {mode!r}; it has {', '.join(_OPTIONS)}")
    unknown = options.keys() - {_OPTIONS[mode]}
    if unknown:
        raise ValueError(f"np.pad with mode={mode!r} does not take {sorted(unknown)[0]}=")
    if options.get("reflect_type", "even") not in ("even", "odd"):
        raise ValueError(f"reflect_type is 'even' or 'odd', not {options['reflect_type']!r}")


def _widths(pad_width, ndim):
    """(before, after) of each axis."""
    if isinstance(pad_width, dict):
        given = {range(ndim)[axis]: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(given.get(k, 0), 2) for k in range(ndim)]
    widths = np.asarray(plain(pad_width))
    if widths.dtype.kind != "i":
        raise TypeError("pad_width must be of integral type")
    if np.any(widths < 0):
        raise ValueError("pad_width cannot be negative")
    return tuple(map(tuple, np.broadcast_to(widths, (ndim, 2)).tolist()))


def _all_zero(values):
    return not np.any(plain(values)) and getattr(values, "node", None) is None


def _pairs(values, ndim):
    """An option as (before, after) of each axis; its values may be Tensors."""
    if values is None:
        return [(None, None)] * ndim
    return np.broadcast_to(np.stack(values) if isinstance(values, list | tuple) else values, (ndim, 2))


def _between(x, axis, before, after):
    return np.concatenate([before, x, after], axis=axis)


def _around(x, axis, width, mode, values):
    """What to put before and after an axis of x."""
    for side, (n, value) in enumerate(zip(width, values, strict=True)):
        shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
        if mode == "constant":
            slab = stored(value, x.dtype)
        elif mode == "linear_ramp":
            slab = _ramp(_end(x, axis, 1, side), axis, n, value, side)
        else:
            slab = _statistic(x, axis, mode, value, side)
        yield np.broadcast_to(_fitting(slab, x.dtype, mode), shape)


def _end(x, axis, n, side):
    """The first or the last n elements along an axis."""
    cut = slice(x.shape[axis] - n, None) if side else slice(n)
    return x[(*(slice(None),) * axis, cut)]


def _ramp(edge, axis, n, value, side):
    """n steps from a value outside to the edge, which is not among them."""
    steps = np.arange(n)[::-1] if side else np.arange(n)
    part = np.reshape(steps / max(n, 1), (-1, *(1,) * (edge.ndim - axis - 1))).astype(
        edge.dtype if edge.dtype.kind in "fc" else float
    )
    return value + (edge - value) * part


def _statistic(x, axis, mode, length, side):
    length = x.shape[axis] if length is None else min(int(length), x.shape[axis])
    if length == 0 and mode in ("maximum", "minimum"):
        raise ValueError("np.pad: stat_length 0 leaves nothing to take a maximum or minimum of")
    return _STATISTICS[mode](_end(x, axis, length, side), axis=axis, keepdims=True)


def _fitting(values, dtype, mode):
    """In the dtype of the array; for integers rounded as NumPy does."""
    if values.dtype == dtype:
        return values
    if dtype.kind in "iu":
        values = np.floor(values) if mode == "linear_ramp" else np.rint(values)
    return to_dtype(values, dtype)


def _mirrored(x, axis, width, mode):
    """Reflected through the point at each edge: 2 * edge - x.

    Each element is then a sum of three: the first, the last and one in between. Padding the unit vectors tells by
    which factors.
    """
    n = x.shape[axis]
    units = np.eye(n, dtype=x.dtype)[[0, -1]]
    first, last = (np.pad(u, width, mode, reflect_type="odd") for u in units)
    last = last if n > 1 else 0 * last
    middle = 1 - first - last
    place = np.pad(np.arange(n), width, mode)
    column = (-1, *(1,) * (x.ndim - axis - 1))
    factors = [np.reshape(f, column) for f in (first, middle, last)]
    parts = [_end(x, axis, 1, 0), x[(*(slice(None),) * axis, place)], _end(x, axis, 1, 1)]
    return factors[0] * parts[0] + factors[1] * parts[1] + factors[2] * parts[2]
