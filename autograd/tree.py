"""Containers of arrays: dicts, lists, tuples, namedtuples and dataclasses, nested in any way; None is an empty one.

`flatten` takes one apart into its leaves and a function that puts other leaves in their places.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves in order, and `rebuild(leaves)`. Anything that is no container is a leaf."""
    parts = None if type(tree) is np.ndarray else _children(tree)  # most leaves by far
    if parts is None:
        return [tree], itemgetter(0)
    children, build = parts
    flat = [flatten(child) for child in children]

    def rebuild(leaves: list[Any]) -> Any:
        rest = iter(leaves)
        return build([put([next(rest) for _ in own]) for own, put in flat])

    return [leaf for own, _ in flat for leaf in own], rebuild


def _children(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]] | None:
    if tree is None:
        return [], lambda values: None
    if isinstance(tree, dict):
        return list(tree.values()), lambda values: type(tree)(zip(tree, values, strict=True))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return list(tree), lambda values: type(tree)(*values)
    if type(tree) in (list, tuple):
        return list(tree), type(tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        return [getattr(tree, n) for n in names], lambda values: dataclasses.replace(
            tree, **dict(zip(names, values, strict=True))
        )
    return None


def children(tree: Any) -> list[Any] | None:
    """What a container holds directly, or None for a leaf."""
    parts = _children(tree)
    return None if parts is None else parts[0]


def align(tree: Any, like: Any) -> list[Any]:
    """The leaves of `tree` in the order of `like`, which has the same structure; raises TypeError if it has not.

    Dicts may hold their keys in another order, and a list may stand for a tuple.
    """
    example = _children(like)
    if example is None:
        return [tree]
    own = _children(tree)
    keyed = isinstance(like, dict)
    if own is None or len(own[0]) != len(example[0]) or (keyed and like.keys() != getattr(tree, "keys", tuple)()):
        raise TypeError(f"expected the structure of this {type(like).__name__} of {len(example[0])}, got {tree!r:.60}")
    parts = [tree[k] for k in like] if keyed else own[0]
    return [leaf for part, other in zip(parts, example[0], strict=True) for leaf in align(part, other)]


def is_container(tree: Any) -> bool:
    """True for what `flatten` takes apart, except None."""
    return tree is not None and _children(tree) is not None
