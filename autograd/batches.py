"""vmap: a function of one example as a function of a batch of them.

The arguments go in as `Batched` arrays of a new level and the results come out of it; here is what the axes mean and
what can be wrong with them.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .batched import Batched, apart, in_level, next_level, outside
from .guard import owner
from .tensor import Tensor, as_array
from .transforms import Function
from .tree import children, flatten, is_container


def vmap(f: Function, in_axes: Any = 0, out_axes: Any = 0) -> Function:
    """A function that takes a batch of examples and computes f for all of them at once.

    in_axes: which axis of an argument counts the examples; None for an argument that is the same for all. One for all
    positional arguments, or a tuple with one for each, where a container of them goes with a container of arrays.
    out_axes: in the same way where the axis stands in the results; None for a result that is the same for all.
    Keyword arguments are passed on as they are. Raises ValueError if no argument is batched, the lengths differ or an
    array lacks the axis. f sees arrays without that axis; it cannot ask for their values (`if x > 0`), see np.where.
    """

    @functools.wraps(f)
    def batched(*args: Any, **kwargs: Any) -> Any:
        level = next_level()
        axes = tuple(in_axes) if isinstance(in_axes, tuple | list) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise ValueError(f"vmap: in_axes has {len(axes)} entries, the function was called with {len(args)}")
        sizes: dict[str, int] = {}
        call = [
            _spread(arg, axis, f"argument {k}", lambda x, a, name: _inside(x, a, name, level, sizes))
            for k, (arg, axis) in enumerate(zip(args, axes, strict=True))
        ]
        size = _common_size(sizes)
        with in_level(level):
            result = f(*call, **kwargs)
        taken = {id(owner(x)) for x in flatten(args)[0]}
        return _spread(
            result, out_axes, "the result", lambda y, a, name: apart(_outside(y, a, name, level, size), taken)
        )

    return batched


def _spread(tree: Any, axes: Any, name: str, put: Function) -> Any:
    """put(leaf, its axis, its name) for every leaf, where one axis may stand for a whole container."""
    leaves, rebuild = flatten(tree)
    names = [f"{name}, its array {k}" if is_container(tree) else name for k in range(len(leaves))]
    chosen = [axes] * len(leaves) if axes is None or isinstance(axes, int | np.integer) else _matched(tree, axes, name)
    return rebuild([put(leaf, a, n) for leaf, a, n in zip(leaves, chosen, names, strict=True)])


def _matched(tree: Any, axes: Any, name: str) -> list[Any]:
    """The axis of every leaf of a container, from a container of axes of the same kind."""
    if axes is None or isinstance(axes, int | np.integer):
        return [axes] * len(flatten(tree)[0])
    parts, choices = children(tree), children(axes)
    if parts is None or choices is None or len(parts) != len(choices) or _keys(tree) != _keys(axes):
        raise ValueError(f"vmap: the axes {axes!r} do not match {name}")
    if isinstance(tree, dict):
        choices = [axes[key] for key in tree]
    return [a for part, choice in zip(parts, choices, strict=True) for a in _matched(part, choice, name)]


def _keys(tree: Any) -> Any:
    return set(tree) if isinstance(tree, dict) else None


def _inside(x: Any, axis: Any, name: str, level: int, sizes: dict[str, int]) -> Any:
    if axis is None or x is None:
        return x
    x = x if isinstance(x, Tensor | Batched) else as_array(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"vmap: {name} of shape {x.shape} has no axis {axis}; in_axes=None if it is not batched")
    sizes[f"{name} of shape {x.shape} along axis {axis}"] = x.shape[axis]
    return Batched(np.moveaxis(x, axis, 0) if axis else x, level)


def _common_size(sizes: dict[str, int]) -> int:
    if not sizes:
        raise ValueError("vmap: no argument is batched; give at least one an axis in in_axes")
    if len(set(sizes.values())) > 1:
        found = "; ".join(f"{n} in {name}" for name, n in sizes.items())
        raise ValueError(f"vmap: the numbers of examples differ: {found}")
    return next(iter(sizes.values()))


def _outside(y: Any, axis: Any, name: str, level: int, size: int) -> Any:
    if y is None:
        return None
    try:
        return outside(y, level, size, axis)
    except ValueError as error:
        raise ValueError(f"vmap: {name}: {error}") from error
