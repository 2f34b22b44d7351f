"""The keywords of a call that say where a result goes: `out=` of any function; `where=`, `dtype=`, `casting=` of a
ufunc; and `ufunc.at`.

The result is computed as ever and then written (see assign.py). What `where=` leaves out is not computed at all, and
gets a gradient of exactly 0. Without `out=` NumPy leaves it undefined, so there it is an error.
"""

from __future__ import annotations

import functools
import inspect

import numpy as np

from ..errors import NotDifferentiableError
from ..modes import MODE
from ..tensor import CALLS, FUNCTIONS, Tensor, as_array, unknown
from . import assign, shape
from .constant import plain


def _call(
    ufunc, *inputs, out=(), where=True, dtype=None, casting="same_kind", order="K", subok=True, signature=None, **others
):
    """ufunc(*inputs, out=..., where=..., dtype=..., casting=...)."""
    if signature is not None:
        raise NotDifferentiableError(f"np.{ufunc.__name__}() on a Tensor does not take signature=; use dtype=")
    out = out if isinstance(out, tuple) else (out,)
    inputs = [_loop_input(x) for x in inputs]
    if dtype is not None or casting != "same_kind":
        inputs = _cast(ufunc, inputs, dtype, casting)
    if where is not True:
        return _call_where(ufunc, inputs, np.asarray(plain(where)), out, casting)
    meaning = FUNCTIONS.get(ufunc)
    # without keywords NumPy sorts it out: if no input is a Tensor nothing needs a meaning
    result = ufunc(*inputs) if not others else unknown(ufunc) if meaning is None else meaning(*inputs, **others)
    if not any(target is not None for target in out):
        return result
    results = result if isinstance(result, tuple) else (result,)
    filled = [
        r if target is None else _fill(target, r, casting, ufunc.__name__, exact=ufunc.signature is not None)
        for target, r in zip(out, results, strict=True)
    ]
    return tuple(filled) if len(filled) > 1 else filled[0]


def _loop_input(x):
    return x if isinstance(x, Tensor | int | float | complex) else as_array(x)


def _cast(ufunc, inputs, dtype, casting):
    """The inputs in the dtype of the loop that NumPy would choose; raises as NumPy does where there is none."""
    given = [type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype if isinstance(x, bool) else x.dtype
             for x in inputs]  # fmt: skip
    want = None if dtype is None else (*[None] * ufunc.nin, *[np.dtype(dtype)] * ufunc.nout)
    loop = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout), signature=want, casting=casting)
    return [
        as_array(x).astype(d) if not isinstance(x, int | float | complex) and x.dtype != d else x
        for x, d in zip(inputs, loop, strict=False)
    ]


def _call_where(ufunc, inputs, mask, out, casting):
    """Only the chosen elements are computed."""
    if not any(target is not None for target in out):
        raise NotDifferentiableError(
            f"np.{ufunc.__name__}(where=...) leaves the other elements undefined without out=; pass out=, a Tensor, "
            "use np.where, or compute on t.data"
        )
    if mask.dtype != bool:
        raise TypeError(f"where is an array of booleans, not of {mask.dtype}")
    shapes = [np.shape(x) for x in inputs] + [t.shape for t in out if t is not None]
    full = np.broadcast_shapes(mask.shape, *shapes)
    mask = np.broadcast_to(mask, full)
    chosen = [x if isinstance(x, int | float | complex) else np.broadcast_to(x, full)[mask] for x in inputs]
    if all(isinstance(x, int | float | complex) for x in chosen):
        chosen = [np.full(np.count_nonzero(mask), x) for x in chosen]
    results = ufunc(*chosen)
    results = results if isinstance(results, tuple) else (results,)
    for target, r in zip(out, results, strict=True):
        if target is None:
            raise NotDifferentiableError(f"np.{ufunc.__name__}(where=...) needs every out=")
        if target.shape != full:
            raise ValueError(f"out= of shape {target.shape} does not fit the broadcast shape {full}")
        _check_cast(r, target, casting, ufunc.__name__)
    for target, r in zip(out, results, strict=True):
        if not isinstance(target, Tensor):
            assign.refuse_array(target, f"np.{ufunc.__name__}(out=)", [r])
        target[mask] = r if isinstance(target, Tensor) else plain(r)
    return out if len(out) > 1 else out[0]


def _check_cast(result, target, casting, name):
    if not np.can_cast(result.dtype, target.dtype, casting):
        raise TypeError(f"np.{name}: the result is {result.dtype}, which does not fit into out= of {target.dtype}")


def _fill(target, result, casting, name, exact=False):
    """Write a result into what the caller gave as out=, and return that."""
    if not isinstance(result, Tensor):
        result = np.asarray(result)
    if not isinstance(target, Tensor):
        assign.refuse_array(target, f"out= of np.{name}()", [result])
    fits = result.shape == target.shape
    if not fits and not exact and result.ndim <= target.ndim:
        fits = np.broadcast_shapes(result.shape, target.shape) == target.shape
    if not fits:
        raise ValueError(f"np.{name}: the result has shape {result.shape}, out= has shape {target.shape}")
    _check_cast(result, target, casting, name)
    if not isinstance(target, Tensor):
        target[...] = plain(result)
    elif result.shape != target.shape:
        target[...] = result
    else:
        assign.store(target, result if result.dtype == target.dtype else result.astype(target.dtype))
    return target


# ---- out= of functions that are no ufuncs ----


@functools.cache
def _place_of_out(function):
    try:
        found = inspect.signature(function).parameters
    except ValueError:  # some of NumPy's C functions have no signature
        return None
    return (
        list(found).index("out")
        if "out" in found and found["out"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        else None
    )


def _with_out(function, meaning, args, kwargs):
    """A function with out=, by name or by position."""
    if "out" in kwargs:
        kwargs = dict(kwargs)
        out = kwargs.pop("out")
    else:
        place = _place_of_out(function)
        if place is None or place >= len(args):
            return meaning(*args, **kwargs)
        behind = zip(list(inspect.signature(function).parameters)[place + 1 :], args[place + 1 :], strict=False)
        args, out, kwargs = args[:place], args[place], {**kwargs, **dict(behind)}
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    result = meaning(*args, **kwargs)
    if out is None or out is np._NoValue:
        return result
    return _fill(out, result, "same_kind", function.__name__, exact=function not in (np.clip, np.round))


# ---- ufunc.at ----


def _at(ufunc, target, index, *operands):
    """ufunc.at(target, index, operand): in place, an index that occurs twice counts twice."""
    index = shape.plain_index(index)
    operands = [_loop_input(x) for x in operands]
    nodes = [x.node is not None for x in (target, *operands) if isinstance(x, Tensor)]
    if ufunc not in FUNCTIONS:
        unknown(ufunc)
    if not isinstance(target, Tensor):
        assign.refuse_array(target, f"np.{ufunc.__name__}.at", operands)
    if not isinstance(target, Tensor) or not (any(nodes) and MODE.get().recording):
        return _at_plain(ufunc, target, index, [plain(x) for x in operands])
    ufunc.resolve_dtypes((*[_dtype(x) for x in (target, *operands)], target.dtype), casting="same_kind")
    if ufunc in (np.add, np.subtract):
        value = operands[0] if ufunc is np.add else -operands[0]
        assign.store(target, assign.add_at(target, _stretched(value, target, index), index=index))
    else:
        assign.store(target, _in_rounds(ufunc, target, index, operands))
    return None


def _dtype(x):
    return type(x) if type(x) in (int, float, complex) else x.dtype


def _at_plain(ufunc, target, index, operands):
    array = target.data if isinstance(target, Tensor) else target
    ufunc.at(array, index, *operands)
    if isinstance(target, Tensor):
        assign.wrote_plainly(target)


def _stretched(value, target, index):
    """The value in the shape of target[index], for NumPy adds nothing up where one value serves many elements."""
    return np.broadcast_to(value, _numbered(target)[index].shape)


def _numbered(target):
    return np.arange(target.size).reshape(target.shape)


def _in_rounds(ufunc, target, index, operands):
    """Round k serves the k-th occurrence of every element, so in one round none occurs twice."""
    places = _numbered(target)[index]
    operands = [np.ravel(np.broadcast_to(x, np.shape(places))) for x in operands]
    places = np.ravel(places)
    order = np.argsort(places, kind="stable")
    sorted_places = places[order]
    occurrence = np.empty(places.size, int)
    occurrence[order] = np.arange(places.size) - np.searchsorted(sorted_places, sorted_places)
    result = target.copy()
    for k in range(occurrence.max(initial=-1) + 1):
        now = occurrence == k
        at = np.unravel_index(places[now], target.shape)
        result[at] = ufunc(result[at], *[x[now] for x in operands])
    return result


CALLS["keywords"] = _call
CALLS["out"] = _with_out
CALLS["at"] = _at
