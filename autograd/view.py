"""Views: Tensors that look at a part of another Tensor and see what is written into it, as in NumPy.

A View holds its base and the steps (operations with their static arguments) that lead from the base to it. The base
knows nothing of its views, so there is no cycle. A write, through whichever of them, goes to the base and raises its
version; a View that is read after that takes value and node afresh from the base. It cannot be stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .guard import owner
from .modes import MODE, setting
from .op import Op, apply, record
from .tensor import Tensor, new_tensor

Step = tuple[Op, dict[str, Any]]

# the slots that View and Pending hide behind properties
ARRAY, NODE = Tensor.__dict__["_array"], Tensor.__dict__["node"]
_array_of, _node_of = ARRAY.__get__, NODE.__get__


NO_GRAD = "made where nothing is recorded"
DETACHED = "made by detach()"


class Link:
    """What a View looks at. `seen`: the version of the base that it has taken its value from.

    `constant`: why it carries no gradient, if it carries none (NO_GRAD or DETACHED).
    """

    __slots__ = ("base", "constant", "seen", "steps")

    def __init__(self, base: Tensor, steps: tuple[Step, ...], seen: int, constant: str | None):
        self.base = base
        self.steps = steps
        self.seen = seen
        self.constant = constant


class View(Tensor):
    """A Tensor whose value and node are those of a part of its base."""

    __slots__ = ()
    _link: Link

    @property
    def _array(self) -> Any:
        link = self._link
        if link.seen or hasattr(link.base, "_link"):  # else nothing was ever written
            self._refresh()
        return _array_of(self)

    @_array.setter
    def _array(self, value: Any) -> None:
        self._part_from_base()
        self._array = value

    @property
    def node(self) -> Any:
        link = self._link
        if link.seen or hasattr(link.base, "_link"):
            self._refresh()
        return _node_of(self)

    @node.setter
    def node(self, value: Any) -> None:
        self._part_from_base()
        self.node = value

    @Tensor.data.getter  # type: ignore[attr-defined]
    def data(self) -> Any:
        """The ndarray: it looks at the memory of the base, also where this Tensor has computed with a copy."""
        self._refresh()
        link = self._link
        if link.seen and isinstance(link.base.data, np.ndarray):
            ARRAY.__set__(self, follow(link.steps, link.base.data))
        return ARRAY.__get__(self)

    def _refresh(self) -> None:
        link = self._link
        version = version_of(link.base)
        if link.seen != version:
            t = _read(link)
            self._hold(_own_if_small(t._array, link.base), t.node, version)

    def _hold(self, array: Any, node: Any, version: int) -> None:
        ARRAY.__set__(self, array)
        NODE.__set__(self, node)
        self._link.seen = version

    def _part_from_base(self) -> None:
        """Become a Tensor of its own, because somebody gives it other data or makes it a leaf."""
        self._refresh()
        del self._link
        self.__class__ = Tensor  # type: ignore[assignment]


class ViewOp(Op):
    """An operation whose result NumPy makes a view of the input where it can."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result, which remembers what it looks at."""
        if kwargs or len(args) != 1:
            args, kwargs = self.bind(args, kwargs)
        else:
            kwargs = self.defaults
        x = args[0]
        return view_of(x, self, kwargs) if isinstance(x, Tensor) else apply(self, args, kwargs)


def view_of(x: Tensor, op: Op, kwargs: dict[str, Any]) -> Tensor:
    """op(x): a View of x, or of what x looks at, where NumPy's result is one."""
    link = x._link if x.__class__ is View else None
    base = x if link is None else link.base
    if hasattr(base, "_link") and version_of(base):
        return _later(x, link, base, op, kwargs)
    mode = MODE.get()
    array, node = x._array, x.node
    if mode.usual and node is not None:
        y = record(op, (array,), (node,), 1, kwargs, op.forward(array, **kwargs), mode)
    else:
        y = apply(op, (x,), kwargs)
    if link is None and getattr(y._array, "base", None) is array:  # by far the most
        y._link = Link(x, ((op, kwargs),), 0, None if y.node is not None or node is None else NO_GRAD)
        y.__class__ = View
    elif _looks_at(y._array, array, op, kwargs):
        steps = ((op, kwargs),) if link is None else (*link.steps, (op, kwargs))
        y._link = Link(base, steps, 0, _why_constant(link, node is not None and y.node is None))
        y.__class__ = View
    return y


def _later(x: Tensor, link: Link | None, base: Tensor, op: Op, kwargs: dict[str, Any]) -> Tensor:
    """The same for a base that was written into: its View is computed when it is read.

    So a write through `y.T` or `y[0]` needs no value of it, and the pending writes of y stay together.
    """
    whole = base._array
    steps = ((op, kwargs),) if link is None else (*link.steps, (op, kwargs))
    if not isinstance(whole, np.ndarray):
        whole = np.empty(whole.shape, whole.dtype)
    part = follow(steps, whole)
    if owner(part) is not owner(whole):
        return apply(op, (x,), kwargs)
    return look_at(base, steps, _why_constant(link, not MODE.get().recording))


def _why_constant(link: Link | None, unrecorded: bool) -> str | None:
    if link is not None and link.constant:
        return link.constant
    return NO_GRAD if unrecorded else None


def look_at(base: Tensor, steps: tuple[Step, ...], constant: str | None) -> Tensor:
    """A View that reads its base when it is read."""
    view = Tensor.__new__(View)
    view._link = Link(base, steps, -1, constant)
    return view


def detached(t: Tensor) -> Tensor:
    """A constant that looks at a Tensor which was written into, or at what a View looks at."""
    link = t._link if t.__class__ is View else None
    return look_at(t, (), DETACHED) if link is None else look_at(link.base, link.steps, DETACHED)


def version_of(base: Tensor) -> int:
    """How many recorded writes there were; 0 for a Tensor whose memory its views still share."""
    written = getattr(base, "_link", None)
    return 0 if written is None else written.version


def follow(steps: Iterable[Step], x: Any) -> Any:
    """The part of x that the steps lead to."""
    for op, kwargs in steps:
        x = apply(op, (x,), kwargs)
    return x


def _read(link: Link) -> Tensor:
    base = link.base
    if not link.constant:
        part = follow(link.steps, base._array)
        node = base._link.node_at(link.steps, part, base)
        if node is not None:
            return new_tensor(part, node)
    node = None if link.constant else base.node
    t = new_tensor(base._array, node)
    if node is None or MODE.get().recording:
        return follow(link.steps, t)
    with setting(recording=True):  # a View made while the graph is recorded stays recorded, wherever it is read
        return follow(link.steps, t)


def _own_if_small(part: Any, base: Tensor) -> Any:
    """A copy of a small part: an operation that saves it must not make the next write copy the whole base.

    A large part may share the memory. Whoever reads it touches as many elements as that copy would.
    """
    return part.copy() if isinstance(part, np.ndarray) and 2 * part.size < base.size else part


def _looks_at(part: Any, whole: Any, op: Op, kwargs: dict[str, Any]) -> bool:
    if part.__class__ is np.ndarray:
        below = part.base
        if below is None:
            return part is whole
        return below is whole or owner(part) is owner(whole)
    if isinstance(part, np.generic):
        return False
    try:  # another carrier than an ndarray: what would NumPy do?
        like = np.empty(whole.shape, whole.dtype)
        return owner(op.forward(like, **kwargs)) is like
    except (TypeError, ValueError, IndexError):
        return False
