"""checkpoint: compute again in the backward pass instead of keeping what it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .batched import innermost
from .box import Box, Call, array_of, is_number, mapped, recorded_in
from .modes import MODE, setting
from .node import Node, next_number
from .sweep import pullback, reachable
from .tensor import Tensor
from .transforms import _variable
from .tree import flatten

Function = Callable[..., Any]


class _Checkpoint(Box):
    """A region whose inside is dropped after the forward pass and recorded anew when a cotangent arrives."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not MODE.get().recording:
            return self.function(*args, **kwargs)
        call = Call(self, (args, kwargs), {})
        start = next_number()
        xs, result = self._record_inside(call, call.recorded)
        call.closed_over = _entries([t.node for t in recorded_in(result)], start, {x.node for x in xs})
        if not call.recorded and not call.closed_over:
            return result
        return self.record(call, mapped(array_of, result))

    def compute(self, call: Call, args: list[Any]) -> Any:
        positional, keywords = args
        return self.function(*positional, **keywords)

    def _record_inside(self, call: Call, values: list[Any]) -> tuple[list[Tensor], Any]:
        with setting(recording=True):
            xs = [_variable(value) for value in values]
            return xs, self.compute(call, call.filled(xs))

    def pull(self, call: Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        differentiable = any(isinstance(v, Tensor) for v in (*xs, *flatten(g)[0]))
        start = next_number()
        variables, result = self._record_inside(call, xs[: len(call.argnums)])
        ys, gs, before = flatten(result)[0], flatten(g)[0], flatten(y)[0]
        self._compare(ys, before)
        roots = [(t.node, c) for t, c in zip(ys, gs, strict=True) if isinstance(t, Tensor) and t.node is not None]
        own = dict.fromkeys(v.node for v in variables)
        grads: dict[Any, Any] = {}
        for node, c in roots:
            grads[node] = grads[node] + c if node in grads else c
        # not through what is older, nor through the variables: from there on the caller's own sweep goes down
        inside = [n for n in reachable(grads, since=start) if n.number > start and n not in own]
        with np.errstate(all="ignore"), setting(recording=differentiable):
            for _ in pullback(inside, grads, differentiable=differentiable, watched=False):
                pass
        return {k: grads.get(node) for k, node in enumerate([*own, *call.closed_over])}

    def _compare(self, now: list[Any], before: list[Any]) -> None:
        for a, b in zip(now, before, strict=True):
            a, b = innermost(a), innermost(b)
            if is_number(a) and not np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True):
                raise RuntimeError(
                    f"{self.name}() inside checkpoint gave another result when it was computed again; it must not draw "
                    "random numbers (pass them as an argument) nor depend on what changes in between"
                )


def _entries(roots: list[Any], start: int, own: set[Any]) -> list[Node]:
    """The nodes older than `start` that what was recorded since then was computed from."""
    nodes = reachable(roots, since=start)
    inner = [n for node in nodes if node.number > start and node not in own for n in node.inputs]
    return list(dict.fromkeys(n for n in (*nodes, *inner) if isinstance(n, Node) and n.number < start))


def checkpoint(f: Function) -> Function:
    """f, but nothing of its inside is kept for the backward pass, which computes it again: less memory, more time.

    Gradients are the same, to any order, also for recorded Tensors (a layer's parameters) that f finds by itself and
    not among its arguments. f must give the same result twice: RuntimeError if it does not.
    """
    region = _Checkpoint(f)
    return functools.wraps(f)(lambda *args, **kwargs: region(*args, **kwargs))
