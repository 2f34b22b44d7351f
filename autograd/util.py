"""Small helpers that programs for HIPS autograd import."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


def subvals(x: Sequence[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """x as a tuple with other values in some places, given as (place, value)."""
    new = dict(ivs)
    return tuple(new.get(k, value) for k, value in enumerate(x))


def subval(x: Sequence[Any], i: int, v: Any) -> tuple[Any, ...]:
    """x as a tuple with v in place i."""
    return subvals(x, [(i, v)])


def func(f: Any) -> Any:
    """The function itself."""
    return f


def toposort(end_node: Any, parents: Callable[[Any], Iterable[Any]] = operator.attrgetter("parents")) -> Iterator[Any]:
    """The nodes that end_node was made from, each before its parents."""
    uses: dict[Any, int] = {end_node: 0}
    reached = [end_node]
    for node in reached:
        for parent in parents(node):
            if parent not in uses:
                uses[parent] = 0
                reached.append(parent)
            uses[parent] += 1
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in parents(node):
            uses[parent] -= 1
            if not uses[parent]:
                ready.append(parent)


def quick_grad_check(fun: Callable[..., Any], arg0: Any, extra_args: Any = (), kwargs: Any = None, **_: Any) -> None:
    """Check the first derivative for the first argument. Deprecated: autograd.test_util.check_grads."""
    import warnings

    from .test_util import check_grads

    warnings.warn("quick_grad_check is deprecated; use autograd.test_util.check_grads", stacklevel=2)
    check_grads(lambda x: fun(x, *extra_args, **(kwargs or {})), modes=["rev"], order=1)(arg0)
