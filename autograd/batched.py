"""Batched: an array with a hidden leading axis, so that one call computes a whole batch.

A function that was written for one example runs on it unchanged: `.shape` and all the others are those of an example.
What the array holds may be an ndarray, a Tensor (then the batch is recorded) or a Batched of a lower level; so vmap,
grad and jacobian nest in any order. Every vmap has a level. In an operation the highest level is outermost and takes
the operation apart, unless a Tensor holds that level inside: then the Tensor is outermost, and records.

Functions that are composed of ops decompose into them as they do on Tensors. What an op does with the hidden axis is
told by its kind and its `batch=` (see Op); without one it runs example by example.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from .errors import NotBatchedError
from .guard import owner
from .modes import MODE, setting
from .node import NO_KWARGS
from .op import Op, apply, linear
from .plan import parameters
from .tensor import CALLS, FUNCTIONS, PLAIN, Tensor, as_array, of_scipy

next_level = count(1).__next__


class Batched:
    """An array with a hidden axis in front; or, with `batched=False`, one that is the same for every example.

    inner: an ndarray, a NumPy scalar, a Tensor or a Batched of a lower level. level: of the vmap it belongs to.
    """

    __slots__ = ("batched", "dtype", "inner", "level", "shape")
    __array_priority__ = 2000.0
    __hash__ = object.__hash__

    def __init__(self, inner: Any, level: int, batched: bool = True):
        self.inner = inner
        self.level = level
        self.batched = batched
        self.shape: tuple[int, ...] = inner.shape[1:] if batched else inner.shape
        self.dtype = inner.dtype

    # ---- what one example is like ----

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def data(self) -> Batched:
        """The same without the graphs of the Tensors inside."""
        return Batched(unrecorded(self.inner), self.level, self.batched) if _holds(self) else self

    def detach(self) -> Batched:
        """A constant of the same numbers."""
        return self.data

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Batched:
        """The same in another dtype."""
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"{self.dtype} cannot become {np.dtype(dtype)} with casting={casting!r}")
        return Batched(self.inner.astype(dtype), self.level, self.batched)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Batched({self.inner!r}, level={self.level}{'' if self.batched else ', batched=False'})"

    # ---- NumPy's protocols, and the engine's ----

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs or method != "__call__":
            return CALLS["keywords" if method == "__call__" else method](ufunc, *inputs, **kwargs)
        meaning = FUNCTIONS.get(ufunc) or of_scipy(ufunc)
        if meaning is None or method != "__call__":
            raise _refuse(ufunc, method)
        if kwargs or not isinstance(meaning, Op):
            return composed(ufunc, meaning, inputs, kwargs)
        y = self.__apply_op__(meaning, inputs, meaning.defaults)
        return apply(meaning, inputs, meaning.defaults) if y is NotImplemented else y

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        meaning = FUNCTIONS.get(function)
        if meaning is None:
            raise _refuse(function)
        if "out" in kwargs or len(args) > 2:
            return CALLS["out"](function, lambda *a, **k: composed(function, meaning, a, k), args, kwargs)
        return composed(function, meaning, args, kwargs)

    def __apply_op__(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bare, inside = levels_of(args, kwargs)
        return carry(op, args, kwargs, bare) if bare > inside else NotImplemented

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if not self.batched:
            return np.array(self.inner, dtype=dtype, copy=copy)
        raise NotBatchedError(
            "inside vmap() an array stands for a whole batch and cannot become an ndarray; use NumPy's functions on it "
            "and np.stack([a, b]) instead of np.array([a, b]), and np.take(x, i) where it is the index of a plain array"
        )

    def _number(self, kind: Callable[[Any], Any]) -> Any:
        if not self.batched:
            return kind(self.inner)
        raise NotBatchedError(
            "inside vmap() this value differs from example to example, so it is not one number and decides no `if`; "
            "use np.where(condition, a, b), and array operations instead of float() or int()"
        )

    def __bool__(self) -> bool:
        return self._number(bool)

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __complex__(self) -> complex:
        return self._number(complex)

    def __index__(self) -> int:
        return self._number(operator.index)

    def item(self) -> Any:
        """The one element, where it is the same for every example."""
        return self._number(methodcaller("item"))

    def tolist(self) -> Any:
        """The elements as nested lists, where they are the same for every example."""
        return self._number(methodcaller("tolist"))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise NotBatchedError(
            "assignment to an array inside vmap(): make it a Tensor first, Tensor(x) or Tensor(np.zeros(shape)), "
            "or build the result with np.where, np.stack or np.concatenate"
        )

    if TYPE_CHECKING:  # autograd.ops.methods attaches the operators and the ndarray methods

        def __getitem__(self, index: Any) -> Batched: ...
        def __getattr__(self, name: str) -> Any: ...


def _refuse(function: Any, method: str = "__call__") -> Exception:
    name = function.__name__ if method == "__call__" else f"{function.__name__}.{method}"
    return NotBatchedError(
        f"{name} takes no array that stands for a whole batch, as there is inside vmap(): the table does not have it. "
        "Write it with functions of the table, or register it (autograd.elementwise, linear, general)"
    )


# ---- levels ----


def levels_of(args: Any, kwargs: dict[str, Any] = NO_KWARGS) -> tuple[int, int]:
    """The highest level of a bare Batched in a call, and the highest inside a Tensor; 0 for none."""
    bare = inside = 0
    for a in args:
        if a.__class__ is Batched:
            if a.level > bare:
                bare = a.level
        elif a.__class__ not in PLAIN and isinstance(a, Tensor) and a._array.__class__ is Batched:
            inside = max(inside, a._array.level)
    if kwargs and (level := _level_of_static(tuple(kwargs.values()))) > bare:
        bare = level
    return bare, inside


def _level_of_static(value: Any) -> int:
    """The highest level of a bare Batched in a nested value."""
    if value.__class__ is Batched:
        return value.level
    level = 0
    if value.__class__ is tuple or value.__class__ is list:
        for v in value:
            kind = v.__class__
            if kind is Batched or kind is tuple or kind is list:
                level = max(level, _level_of_static(v))
    return level


def level_of(value: Any) -> int:
    """The level that a value holds on top, or inside a Tensor."""
    inner = value._array if isinstance(value, Tensor) else value
    return inner.level if inner.__class__ is Batched else 0


def _holds(value: Any) -> bool:
    """True if there is a Tensor somewhere inside."""
    while value.__class__ is Batched:
        value = value.inner
    return isinstance(value, Tensor)


def unrecorded(value: Any) -> Any:
    """The array of a Tensor, or a Batched, without a graph anywhere inside."""
    return unrecorded(value._array) if isinstance(value, Tensor) else value.data if _holds(value) else value


def innermost(value: Any) -> Any:
    """The numbers without anything around them: of the whole batch."""
    while True:
        if value.__class__ is Batched:
            value = value.inner
        elif isinstance(value, Tensor):
            value = value._array
        else:
            return value


class Active:
    """The vmaps that are running, as the engine meets them (`Mode.vmap`)."""

    __slots__ = ("levels", "running")

    def __init__(self, levels: tuple[int, ...]):
        self.levels = levels
        self.running: list[Any] = []  # the functions of NumPy's that are being composed

    def on_one_level(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments of a call where recorded Tensors from further out are constants of the outermost level."""
        bare, inside = levels_of(args, kwargs)
        level = bare if bare > inside else inside
        if not level:
            return args
        return tuple(
            [
                Batched(a, level, False) if isinstance(a, Tensor) and a.node is not None and level_of(a) < level else a
                for a in args
            ]
        )

    def forward(self, op: Op, data: list[Any], kwargs: dict[str, Any]) -> Any:
        """What op.forward gives, residuals included, where the arrays of Tensors may be Batched."""
        level, _ = levels_of(data, kwargs)
        if not level:
            return op.forward(*data, **kwargs)
        y = carry(op, data, kwargs, level)
        if not op.residuals:
            return y
        values = {**dict(zip(op.names, data, strict=False)), "y": y}
        return y, *[compute(*[values[p] for p in parameters(compute)]) for compute in op.residuals.values()]

    def tagged(self, value: Any) -> Any:
        """A value as the variable of a new graph: it carries every running level, so that they all lie inside."""
        return _tagged(value, self.levels)


def _tagged(value: Any, levels: tuple[int, ...]) -> Any:
    if isinstance(value, Tensor) and value.node is None:
        value = value._array
    own = level_of(value)
    if value.__class__ is Batched:
        value = Batched(_tagged(value.inner, tuple([n for n in levels if n < own])), own, value.batched)
    for level in levels:
        if level > own:
            value = Batched(value, level, False)
    return value


def in_level(level: int) -> setting:
    """A block in which this vmap runs."""
    active = MODE.get().vmap
    return setting(vmap=Active(tuple(sorted({*active.levels, level})) if active is not None else (level,)))


# ---- an operation on the hidden axis ----


def carry(op: Any, args: Any, kwargs: dict[str, Any], level: int) -> Any:
    """op(*args) where Batched arrays of this level are outermost."""
    if (op is reveal or op is hide) and kwargs["level"] >= level:  # not about what is hidden further in
        return op.forward(*args, **kwargs)
    xs: list[Any] = []
    batched: list[bool] = []
    for a in args:
        kind = a.__class__
        if kind is Batched and a.level == level:
            xs.append(a.inner)
            batched.append(a.batched)
        else:
            ready = kind in PLAIN or kind is Batched or isinstance(a, Tensor) or not isinstance(op, Op)
            xs.append(a if ready else as_array(a))
            batched.append(False)
    varying = False
    if kwargs and _level_of_static(tuple(kwargs.values())) >= level:
        kwargs = {k: _static(v, level) for k, v in kwargs.items()}
        varying = bool(_sizes(list(kwargs.values())))
    if not varying and True not in batched:
        return _wrapped(call(op, xs, kwargs), level, False)
    return _wrapped(_rule(op, varying)(op, xs, kwargs, batched), level, True)


class Varying:
    """Part of a static argument that differs from example to example: an array with the hidden axis in front."""

    __slots__ = ("dtype", "inner", "ndim")

    def __init__(self, inner: Any):
        self.inner = inner
        self.ndim = inner.ndim - 1
        self.dtype = inner.dtype


def _static(value: Any, level: int) -> Any:
    """A static argument with what is Batched at this level taken out of its Batched."""
    if value.__class__ in (tuple, list):
        return type(value)([_static(v, level) for v in value])
    if value.__class__ is not Batched or value.level != level:
        return value
    return Varying(value.inner) if value.batched else value.inner


def _wrapped(y: Any, level: int, batched: bool) -> Any:
    if y.__class__ in (tuple, list):
        return tuple([_wrapped(part, level, batched) for part in y])
    return Batched(y if hasattr(y, "dtype") else np.asarray(y), level, batched)


def call(op: Any, xs: Any, kwargs: dict[str, Any] = NO_KWARGS) -> Any:
    """op on what the Batched arrays hold, which may be Tensors or Batched arrays themselves."""
    if isinstance(op, Op):
        for x in xs:
            if x.__class__ not in PLAIN:
                return apply(op, tuple(xs), kwargs)
        if not kwargs or not _level_of_static(tuple(kwargs.values())):
            y = op.forward(*xs, **kwargs)
            return y[0] if op.residuals else y
        return apply(op, tuple(xs), kwargs)
    return op(*xs, **kwargs)


def how(op: Any) -> str:
    """How vmap takes this operation: "free" (elementwise), "rule" (it has batch=) or "loop" (example by example)."""
    if op.kind == "elementwise" or op.batch == "elementwise":
        return "free"
    return "loop" if op.batch is None else "rule"


def _rule(op: Any, varying: bool) -> Callable[..., Any]:
    """rule(op, xs, kwargs, batched) for an op; `varying`: its static arguments differ from example to example."""
    batch = op.batch
    if varying and not getattr(batch, "takes_batched_statics", False):
        return _loop
    if op.kind == "elementwise" or batch == "elementwise":
        return _elementwise
    if batch is None:
        return _loop
    if batch == "stack":
        return _stack
    if batch == "axis":
        return _along_axis
    return batch if _takes_flags(batch) else _stretched


@cache
def _takes_flags(batch: Callable[..., Any]) -> bool:
    return "batched" in inspect.signature(batch).parameters


def size_of(xs: Any, batched: Any, kwargs: dict[str, Any] = NO_KWARGS) -> int:
    """The length of the hidden axis."""
    for x, b in zip(xs, batched, strict=True):
        if b:
            return x.shape[0]
    (size, *_) = _sizes(list(kwargs.values()))
    return size


def _sizes(values: Any) -> list[int]:
    """The lengths of the hidden axes of what varies in a nested value."""
    if values.__class__ in (tuple, list):
        return [size for v in values for size in _sizes(v)]
    return [values.inner.shape[0]] if values.__class__ is Varying else []


def aligned(xs: Any, batched: Any) -> list[Any]:
    """The arrays with axes of length 1 after the hidden one, so that the axes of the examples broadcast."""
    n = max([getattr(x, "ndim", 0) - b for x, b in zip(xs, batched, strict=True)])
    return [align(x, n) if b else x for x, b in zip(xs, batched, strict=True)]


def align(x: Any, n: int) -> Any:
    """An array with a hidden axis as if its examples had n axes."""
    missing = n + 1 - x.ndim
    return x.reshape((x.shape[0],) + (1,) * missing + x.shape[1:]) if missing > 0 else x


def stretch(x: Any, size: int) -> Any:
    """An array without the hidden axis, with one."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    return np.broadcast_to(x, (size, *x.shape))


def stretched(xs: Any, batched: Any, size: int) -> list[Any]:
    """All arrays with the hidden axis."""
    return [x if b else stretch(x, size) for x, b in zip(xs, batched, strict=True)]


def _elementwise(op: Any, xs: Any, kwargs: dict[str, Any], batched: Any) -> Any:
    return call(op, xs if len(xs) == 1 else aligned(xs, batched), kwargs)


def _stack(op: Any, xs: Any, kwargs: dict[str, Any], batched: Any) -> Any:
    if len(xs) > 1:
        xs = aligned(xs, batched) if op.broadcasts else stretched(xs, batched, size_of(xs, batched))
    return call(op, xs, kwargs)


def _stretched(op: Any, xs: Any, kwargs: dict[str, Any], batched: Any) -> Any:
    return op.batch(op, stretched(xs, batched, size_of(xs, batched)), kwargs)


def _along_axis(op: Any, xs: Any, kwargs: dict[str, Any], batched: Any) -> Any:
    """One more axis in front of the one that the op works on; all of an example's where it works on all."""
    xs = stretched(xs, batched, size_of(xs, batched))
    n = xs[0].ndim - 1
    axis = kwargs["axis"] if "axis" in kwargs else _default_axis(op)
    if n == 1 and axis is None:
        return call(op, xs, {**kwargs, "axis": 1})
    if axis is not None and not (n == 0 and axis in (0, -1)):
        return call(op, xs, {**kwargs, "axis": behind(axis, n)})
    if n > 1 and isinstance(op, Op) and "keepdims" in op.statics:
        return call(op, xs, {**kwargs, "axis": tuple(range(1, n + 1))})
    y = call(op, [x.reshape((x.shape[0], math.prod(x.shape[1:]))) for x in xs], {**kwargs, "axis": 1})
    return y.reshape((y.shape[0],) + (1,) * n) if kwargs.get("keepdims") is True else y


@cache
def _default_axis(op: Any) -> Any:
    return inspect.signature(op.numpy).parameters["axis"].default


def behind(axis: Any, n: int) -> Any:
    """An axis, or several, of an example of n axes, counted with the hidden axis. Raises AxisError as NumPy does."""
    if isinstance(axis, tuple | list | range | np.ndarray) and np.ndim(axis):
        return tuple([normalize_axis_index(a, n) + 1 for a in axis])
    return normalize_axis_index(axis, n) + 1


def _loop(op: Any, xs: Any, kwargs: dict[str, Any], batched: Any) -> Any:
    size = size_of(xs, batched, kwargs)

    def one(i: int) -> Any:
        arrays = [x[i, ...] if b else x for x, b in zip(xs, batched, strict=True)]
        return call(op, arrays, {k: _example(v, i) for k, v in kwargs.items()})

    if size:
        return _stacked([one(i) for i in range(size)])
    xs = [np.zeros((1, *x.shape[1:]), x.dtype) if b else x for x, b in zip(xs, batched, strict=True)]
    return _none_of(op, lambda: one(0))


def _none_of(op: Any, compute: Callable[[], Any]) -> Any:
    """The results of no examples: of the shape and dtype that one of zeros has."""
    try:
        with np.errstate(all="ignore"):
            y = compute()
    except Exception as error:
        raise ValueError(
            f"{op.name} runs example by example inside vmap(), and there is none to tell the shape of its result"
        ) from error
    empty = [np.zeros((0, *np.shape(part)), np.result_type(part)) for part in (y if isinstance(y, tuple) else (y,))]
    return tuple(empty) if isinstance(y, tuple) else empty[0]


def _example(value: Any, i: int) -> Any:
    """Example i of what varies in a nested value."""
    if value.__class__ in (tuple, list):
        return type(value)([_example(v, i) for v in value])
    return value.inner[i, ...] if value.__class__ is Varying else value


def _like_tuple(example: Any, parts: list[Any]) -> Any:
    """Results as a tuple, a named one where the function gives one."""
    return type(example)(*parts) if hasattr(example, "_fields") else tuple(parts)


def _stacked(results: list[Any]) -> Any:
    if isinstance(results[0], tuple | list):
        return _like_tuple(results[0], [_stacked(list(parts)) for parts in zip(*results, strict=True)])
    if len(shapes := {np.shape(r) for r in results}) > 1:
        raise NotBatchedError(f"the examples of a batch gave results of different shapes: {sorted(shapes)}")
    return np.stack(results)


# ---- a function of the table that does more than a whole batch can ----


def composed(function: Any, meaning: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What a function of NumPy's means; example by example where it needs the numbers of one.

    One that calls itself again on the same carrier has handed it back to NumPy, which would never end.
    """
    active = MODE.get().vmap
    if active is None:
        return meaning(*args, **kwargs)
    if function in active.running:
        raise _refuse(function)
    active.running.append(function)
    try:
        return meaning(*args, **kwargs)
    except NotBatchedError as error:
        refused = error
    finally:
        active.running.remove(function)
    return one_by_one(meaning, args, kwargs, refused)


def one_by_one(function: Callable[..., Any], args: Any, kwargs: dict[str, Any], refused: Exception) -> Any:
    """function(*args, **kwargs) example by example."""
    level = max(_levels_anywhere((args, kwargs)), default=0)
    if not level:
        raise refused
    outer = [v._array if isinstance(v, Tensor) else v for v in _leaves((args, kwargs)) if level_of(v) == level]
    size = next((v.inner.shape[0] for v in outer if v.batched), None)
    recorded = any(isinstance(v, Tensor) and level_of(v) == level for v in _leaves((args, kwargs)))
    if recorded and any(isinstance(v, Tensor) and v.node and level_of(v) < level for v in _leaves((args, kwargs))):
        raise refused
    if size == 0:
        raise refused
    args, kwargs = _mapped((args, kwargs), lambda v: _opened(v, level, size))
    if size is None:
        return _closed(_alone(function, args, kwargs), level, None, recorded)
    each = [_mapped((args, kwargs), partial(_example, i=k)) for k in range(size)]
    return _closed(_stacked([_alone(function, a, k) for a, k in each]), level, size, recorded)


def _alone(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """One example, which may be a batch of a vmap further out."""
    try:
        return function(*args, **kwargs)
    except NotBatchedError as refused:
        return one_by_one(function, args, kwargs, refused)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, tuple | list):
        return [leaf for v in tree for leaf in _leaves(v)]
    return _leaves(list(tree.values())) if isinstance(tree, dict) else [tree]


def _levels_anywhere(tree: Any) -> list[int]:
    return [level_of(v) for v in _leaves(tree)]


def _mapped(tree: Any, f: Callable[[Any], Any]) -> Any:
    if tree.__class__ in (tuple, list):
        return tree.__class__([_mapped(v, f) for v in tree])
    return {k: _mapped(v, f) for k, v in tree.items()} if tree.__class__ is dict else f(tree)


def _opened(value: Any, level: int, size: int | None) -> Any:
    """What a Batched of this level holds, also inside a Tensor; Varying if the hidden axis is there.

    A Tensor that is the same for every example is stretched, since each example has a gradient of its own for it.
    """
    if level_of(value) != level:
        return value
    if isinstance(value, Tensor):
        inner = reveal(value, level=level, size=size)
        return inner if size is None else Varying(inner)
    return Varying(value.inner) if value.batched else value.inner


def _closed(y: Any, level: int, size: int | None, recorded: bool) -> Any:
    if isinstance(y, tuple | list):
        return _like_tuple(y, [_closed(part, level, size, recorded) for part in y])
    if recorded and isinstance(y, Tensor):
        return hide(y, level=level, size=size)
    return Batched(y if hasattr(y, "dtype") else np.asarray(y), level, size is not None)


def _visible(x: Any, *, level: int, size: int | None) -> Any:
    """An array with the hidden axis of this level, of this length, as its first one; None: without."""
    batched = False
    if x.__class__ is Batched and x.level == level:
        x, batched = x.inner, x.batched
    return x if batched or size is None else stretch(x, size)


def _visible_batch(op: Op, xs: Any, kwargs: dict[str, Any]) -> Any:
    y = call(op, xs, kwargs)  # with the other hidden axis as the first of an example
    return y if kwargs["size"] is None else np.moveaxis(y, 1, 0)


def _hidden_batch(op: Op, xs: Any, kwargs: dict[str, Any]) -> Any:
    return call(op, xs if kwargs["size"] is None else [np.moveaxis(xs[0], 0, 1)], kwargs)


# a Tensor of what is inside the Batched of a Tensor, and back
reveal: Any = linear(
    _visible,
    lambda g, level, size: hide(g, level=level, size=size),
    name="reveal",
    formulas=("g",),
    batch=_visible_batch,
)
hide: Any = linear(
    lambda x, *, level, size: Batched(x, level, size is not None),
    lambda g, level, size: reveal(g, level=level, size=size),
    name="hide",
    formulas=("g",),
    batch=_hidden_batch,
)


def apart(value: Any, taken: set[int]) -> Any:
    """A value to hand out: a copy if it is an array whose memory (by the id of its owner) is handed out already."""
    if value.__class__ is not np.ndarray:
        return value
    if id(owner(value)) in taken or not value.flags.writeable:
        value = np.array(value)
    taken.add(id(owner(value)))
    return value


def outside(value: Any, level: int, size: int, axis: int | None = 0) -> Any:
    """What a Batched of this level is outside its vmap: the hidden axis stands at `axis`."""
    while isinstance(value, Tensor) and level_of(value) >= level:
        value = value._array  # it was recorded on a variable from inside, which nobody outside knows
    batched = False
    if value.__class__ is Batched and value.level == level:
        value, batched = value.inner, value.batched
    if not batched:
        if axis is None:
            return value
        value = stretch(value if isinstance(value, Tensor | Batched) else as_array(value), size)
    elif axis is None:
        raise ValueError("out_axes is None for a result that differs from example to example")
    return np.moveaxis(value, 0, normalize_axis_index(axis, value.ndim)) if axis else value
