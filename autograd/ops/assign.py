"""Assignment: `y[i] = x`, `y[mask] += z`, `y *= 2`, through views too.

A write replaces a part of y by a value, which is linear in both: `assign`. The Tensor stays the same object and gets
another node. The array is written in place unless somebody else may hold it (a saved value, the user, a view); then
a copy is. Writes that nobody has read in between wait, and become one node when the node is asked for: a loop that
fills n rows costs O(n), forward and backward.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

from ..batched import Batched
from ..errors import NotBatchedError, NotDifferentiableError
from ..guard import mark_changed, owner
from ..modes import MODE
from ..node import Node, describe
from ..op import apply, linear
from ..source import caller
from ..tensor import PLAIN, Tensor, as_array
from ..view import DETACHED, NODE, View, follow, version_of
from . import shape
from .elementwise import imag, real

# ---- the operation ----


class Way:
    """Where a value goes: steps from an array to a view of it, and an index into that view."""

    __slots__ = ("crosses", "index", "steps")

    def __init__(self, steps, index):
        self.steps = steps
        self.index = index
        self.crosses = bool(steps) and any(op is real or op is imag for op, _ in steps)  # to real or imaginary parts

    def put(self, array, value):
        """Write into an ndarray."""
        target = follow(self.steps, array) if self.steps else array
        if target is not array and owner(target) is not owner(array):
            raise RuntimeError("the memory of this Tensor was laid out anew, and its view is now a copy; make it again")
        if not _names_once(self.index) and np.ndim(value):
            value = _in_reading_order(value, target, self.index)
        target[self.index] = value

    def read(self, x):
        """That part of x: of an ndarray, of a Tensor, or of any carrier."""
        return follow(self.steps, x)[self.index]


def _in_reading_order(value, target, index):
    """The value as it lies in memory after a copy, so that which of two values for one element wins is certain."""
    try:
        part = target[index]
        return np.broadcast_to(np.squeeze(value, tuple(range(np.ndim(value) - part.ndim))), part.shape).copy()
    except (IndexError, ValueError):
        return value  # NumPy will say what is wrong


class Writes:
    """The ways of one `assign`, in the order of writing, and the order of the axes in memory that its views rely on."""

    __slots__ = ("_survivors", "layout", "ways")

    def __init__(self, ways, layout=None):
        self.ways = tuple(ways)
        self.layout = layout
        self._survivors = None

    def copy(self, x):
        """A copy of x to write into."""
        if self.layout is None:
            return np.array(x, order="C")
        return np.array(np.transpose(x, self.layout), order="C").transpose(np.argsort(self.layout))

    def survivors(self, k, shape):
        """Which elements of value k were not overwritten, by another one or by themselves; None for all.

        NumPy decides: every element is written as a number of its own, and those that are still there survive.
        """
        if self._survivors is None:
            self._survivors = self._find_survivors(shape)
        return self._survivors[k]

    def _find_survivors(self, shape):
        if len(self.ways) == 1 and _names_once(self.ways[0].index):
            return (None,)
        stamps = self.copy(np.zeros(shape, complex if any(way.crosses for way in self.ways) else int))
        numbers, start = [], 1
        for way in self.ways:
            part = way.read(stamps)
            numbers.append(np.arange(start, start + part.size).reshape(part.shape))
            way.put(stamps, numbers[-1])
            start += part.size
        alive = [way.read(stamps) == number for way, number in zip(self.ways, numbers, strict=True)]
        return tuple([None if np.all(mask) else mask for mask in alive])

    def __repr__(self):
        return " ".join([str(way.index) if not way.steps else "view" for way in self.ways])


_names_once = shape.is_basic


@linear(name="assign", selects=True, broadcasts=True, formulas=("g, 0 where assigned", "g[where assigned]"))
def assign(*xs, writes):
    """xs[0] with the part where each of `writes` leads to replaced by the next of xs, one after the other."""
    out = writes.copy(xs[0])
    for way, value in zip(writes.ways, xs[1:], strict=True):
        if way.crosses:
            value = np.real(value)  # in forward mode the tangent 0 of a real value may be complex
        _check_kind(value, out)
        way.put(out, value)
    return out if out.ndim else out[()]


def _check_kind(value, out):
    dtype = np.asarray(value).dtype
    if not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"numbers of {dtype} cannot go into an array of {out.dtype}")


@assign.rule
def _assign_rule(g, xs_shape, i, writes):
    if i == 0:
        return assign(g, *[0] * len(writes.ways), writes=writes)
    way = writes.ways[i - 1]
    # a real number v put at an imaginary part adds 1j * v, whose cotangent is the real part of 1j * g
    part = way.read(np.conjugate(g) if way.crosses else g)
    alive = writes.survivors(i - 1, xs_shape[0])
    if alive is not None:
        part = np.where(alive, part, 0)
    extra = len(xs_shape[i]) - len(part.shape)  # NumPy takes a value with more axes, if they are of length 1
    return np.reshape(part, (1,) * extra + part.shape) if extra > 0 else part


# ---- what a Tensor that was written into remembers ----


class Written:
    """The version that views compare with, and the writes that are not yet a node."""

    __slots__ = ("_last", "inputs", "place", "scope", "shapes", "version", "ways")

    def __init__(self):
        self.version = 0
        self._start()

    def _start(self):
        self.ways, self.inputs, self.shapes = [], [], []
        self._last = {}  # row -> its last pending write; None once there is a write that is not to one row
        self.place = self.scope = None

    def take(self):
        """The pending writes: (ways, nodes of the values, shapes of the values); from now on there are none."""
        pending = self.ways, self.inputs, self.shapes
        self._start()
        return pending

    def add(self, way, node, shape, rows):
        """One more write, into an array of so many rows."""
        row = None if way.steps else _row(way.index, rows)
        if row is None:
            self._last = None
        elif self._last is not None:
            self._last[row] = len(self.ways)
        self.ways.append(way)
        self.inputs.append(node)
        self.shapes.append(shape)

    def node_at(self, steps, part, base):
        """The node of the value that was written last to just this part, or None.

        With it a recurrence, h[t + 1] = f(h[t]), does not ask for the node of h, and its writes stay together.
        """
        if not self._last or len(steps) != 1 or steps[0][0] is not shape.getitem:
            return None
        index = steps[0][1]["index"]
        k = self._last.get(_row(index, len(base)))
        if k is None or not _is_plain(self.ways[k].index) or self.ways[k].index != index:
            return None
        node = self.inputs[k]
        return node if node is not None and (node.shape, node.dtype) == (part.shape, base.dtype) else None


def _row(index, rows):
    """The number of the row that an index stays in, or None."""
    first = index[0] if isinstance(index, tuple) and index else index
    if not isinstance(first, int | np.integer) or isinstance(first, bool):
        return None
    return int(first) % rows


def _is_plain(index):
    """True for an index without arrays: such are the views, and can be compared."""
    return all(p is None or p is ... or isinstance(p, int | slice | np.integer) for p in _parts(index))


def _parts(index):
    return index if isinstance(index, tuple) else (index,)


class Pending(Tensor):
    """A Tensor with writes that are not yet a node: whoever asks for the node makes it."""

    __slots__ = ()

    @property
    def node(self):
        """The node of the value as it is now."""
        _flush(self)
        return NODE.__get__(self)

    @node.setter
    def node(self, value):
        _flush(self)
        self.node = value


_lock = threading.Lock()


def _flush(t, arrays=None):
    """Make the pending writes a node. arrays: what it is computed from, where a watcher wants to know."""
    with _lock:
        if not t._link.ways:  # another thread was faster
            return
        (code, lasti), scope = t._link.place, t._link.scope
        ways, inputs, shapes = t._link.take()
        array = t._array
        inputs = (NODE.__get__(t), *inputs)
        active = sum(1 << k for k, n in enumerate(inputs) if n is not None)
        node = Node(
            assign, inputs, {"writes": Writes(ways, _layout(array, ways))}, assign.plan(active, len(inputs)),
            ((array.shape, *shapes),), array.shape, array.dtype, None if array.shape else array, code, lasti, scope,
        )  # fmt: skip
        NODE.__set__(t, node)
        if t.__class__ is Pending:
            t.__class__ = Tensor
    for watcher in MODE.get().watchers or ():
        watcher.forward(node, array, arrays)


def _layout(array, ways):
    """The axes from the outermost to the innermost in memory, where a way leads through views."""
    if not isinstance(array, np.ndarray) or not any(way.steps for way in ways):
        return None
    return sorted(range(array.ndim), key=lambda k: -abs(array.strides[k]))


def _written(t):
    if not hasattr(t, "_link"):
        t._link = Written()
    return t._link


# ---- writing ----
# `write` is t[index] = value, `store` replaces all of t by the result of an operation.


def _references(t):
    return sys.getrefcount(t._array)


_ALONE = _references(Tensor(np.zeros(1)))


def write(t, index, value):
    """t[index] = value, recorded where t or the value is; else a plain write into the array."""
    base, steps = (t._link.base, t._link.steps) if t.__class__ is View else (t, ())
    if value.__class__ is View and _is_that_part(value, base, (*steps, (shape.getitem, {"index": index}))):
        return  # y[i] += x ends with y[i] = y[i]
    way = Way(steps, index)
    mode = MODE.get()
    node = value.node if isinstance(value, Tensor) else None
    unrecorded = node is None and t.__class__ is View and t._link.constant == DETACHED
    if mode.recording and not unrecorded and (node is not None or base.__class__ is Pending or base.node is not None):
        _refuse(t, base)
        _write_recorded(base, way, value, node, mode)
    else:
        _write_plain(base, way, value)


def set_item(t, index, value):
    """`t[index] = value` on a Tensor."""
    index = shape.plain_index(index)
    if MODE.get().vmap is not None and any(i.__class__ is Batched for i in _parts(index)):
        _set_in_each(t, index, value)
    else:
        write(t, index, value)


def _set_in_each(t, index, value):
    """t[mask] = number inside vmap, where the mask differs from example to example: a choice for every element."""
    if index.__class__ is not Batched or index.dtype != bool or index.ndim > t.ndim or np.ndim(value):
        raise NotBatchedError(
            "inside vmap() this index differs from example to example; of such only y[mask] = number can be assigned. "
            "Write y = np.where(mask, values, y), for one place i np.where(np.arange(n) == i, value, y)"
        )
    mask = np.reshape(index, index.shape + (1,) * (t.ndim - index.ndim))
    store(t, np.where(mask, value, t).astype(t.dtype))


def _is_that_part(value, base, steps):
    """True for a view of just the part that is written to; one without a gradient would take that of the part away."""
    link = value._link
    if link.base is not base or link.constant or len(link.steps) != len(steps):
        return False
    return _is_plain(steps[-1][1]["index"]) and link.steps == steps


def _refuse(t, base):
    """Raise if this Tensor cannot be changed while the graph is recorded."""
    if t.__class__ is View and t._link.constant:  # detached, or else made under no_grad
        raise NotDifferentiableError(
            "this view was made where nothing is recorded (no_grad or detach), and would lose the gradient of what is "
            "written through it; make the view again, or write inside `with no_grad():`"
        )
    node = NODE.__get__(base)
    if node is not None and node.op is None and node.keeps_grad:
        raise NotDifferentiableError(
            f"{describe(node)} requires a gradient and cannot be changed in place while the graph is recorded; "
            "write x = x + ..., or change a copy, y = x.copy(), or do it inside `with no_grad():`"
        )
    if base.dtype.kind not in "fc":
        raise NotDifferentiableError(
            f"a recorded value written into a Tensor of {base.dtype} would lose its gradient; make that one of floats"
        )


def _write_recorded(base, way, value, node, mode):
    raw = value._array if isinstance(value, Tensor) else value
    if node is not None and node.dtype.kind == "c" and base.dtype.kind == "f":
        value = value.astype(base.dtype)  # warns, as NumPy does
        raw, node = value._array, value.node
    watched = mode.watchers is not None
    if way.crosses or watched:
        base.node  # noqa: B018 - this write gets a node of its own: what else waits becomes one now
    place = caller()
    before = base._array if watched else None  # one more reference to it, and it would not be alone
    alone = False
    if _is_carrier(base._array) or _is_carrier(raw):
        array = apply(assign, (base._array, as_array(raw)), {"writes": Writes((way,))})
    else:
        alone = _references(base) == _ALONE and _owns(base._array)
        array = base._array if alone else np.array(base._array, order="K")
        way.put(array, raw)
    written = _written(base)
    if alone and not written.ways:
        mark_changed(array, None, place)  # nobody holds it; if somebody did after all, backward would raise
    base._array = array
    written.add(way, node, np.shape(raw), base.shape[0] if base.ndim else 0)
    written.place, written.scope = place, mode.scope
    written.version += 1
    if base.__class__ is Tensor:
        base.__class__ = Pending
    if base.__class__ is not Pending or way.crosses or watched:
        _flush(base, (before, raw))  # a subclass keeps its class


def _is_carrier(x):
    """True for something else than an ndarray that speaks NumPy's protocols."""
    return x.__class__ not in PLAIN and hasattr(x, "__array_ufunc__") and not isinstance(x, np.ndarray | np.generic)


def _owns(array):
    return isinstance(array, np.ndarray) and array.base is None and array.flags.writeable and array.flags.owndata


def _write_plain(base, way, value):
    raw = value._array if isinstance(value, Tensor) else value
    if _is_carrier(base._array) or _is_carrier(raw):
        base._array = apply(assign, (base._array, as_array(raw)), {"writes": Writes((way,))})
    else:
        way.put(base.data, raw)
    wrote_plainly(base)


def wrote_plainly(t):
    """Note that the array of t was written into where nothing is recorded."""
    base = t._link.base if t.__class__ is View else t
    node, place = base.node, caller()
    mark_changed(base._array, node, place)
    if node is not None:
        for watcher in MODE.get().watchers or ():
            watcher.replaced(node, base._array, base._array, place)
    if version_of(base):
        base._link.version += 1
    base._show_value()


def store(t, result):
    """Replace all of t by the result of an operation, of the same shape and dtype."""
    recording = MODE.get().recording
    recorded = recording and isinstance(result, Tensor) and result.node is not None
    if t.__class__ is View:
        write(t, ..., result)
        if recorded:
            t._hold(result._array, result.node, version_of(t._link.base))  # so that reading it needs no new node
    elif recorded:
        _refuse(t, t)
        t.node, t._array = result.node, result._array
        _written(t).version += 1
    elif isinstance(t._array, np.generic) and not (recording and t.node is not None):  # a number is no memory
        t._replace(result._array if isinstance(result, Tensor) else np.asarray(result)[()], caller())
    else:
        write(t, ..., result)


# ---- adding at an index that may repeat ----


@linear(name="add_at", selects=False, formulas=("g", "g[index]"))
def add_at(x, value, *, index):
    """x with the values added at `index`, each of them also where an index occurs more than once."""
    out = np.array(x, order="C")
    _check_kind(value, out)
    np.add.at(out, index, value)
    return out if out.ndim else out[()]


add_at.rule(lambda g: g)
add_at.rule(lambda g, index: g[index])


def refuse_array(target, what, values):
    """Raise if a recorded value is about to be written into an ndarray."""
    recorded = [v for v in values if isinstance(v, Tensor) and v.node is not None]
    if recorded and MODE.get().recording:
        raise NotDifferentiableError(
            f"{what} of a {type(target).__name__} cannot take the gradient of {describe(recorded[0].node)}; write into "
            "a Tensor, for example Tensor(np.zeros(shape)), or compute on t.data"
        )
