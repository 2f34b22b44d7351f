"""One's own derivatives: `primitive` for a function with rules, `custom_vjp` for a region, `stop_gradient`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .batched import Batched, carry, hide, in_level, levels_of, reveal, unrecorded
from .box import Box, Call, holds_tensors, is_number, mapped, replaced
from .errors import NotDifferentiableError
from .modes import MODE
from .node import NO_KWARGS
from .op import elementwise, general, linear, multilinear
from .tensor import Tensor, new_tensor
from .tree import align, flatten

Function = Callable[..., Any]

# ---- a black box with rules ----


class Primitive(Box):
    """The function and its rules; `vjps` and `jvps` are what `autograd.extend` defines."""

    kind = "custom"
    batch = None

    def __init__(self, function: Function):
        super().__init__(function)
        self.vjps: Function | None = None  # (argnums, ans, args, kwargs) -> (g -> a cotangent for each argnum)
        self.jvps: Function | None = None  # (argnums, tangents, ans, args, kwargs) -> the tangent of the result
        self.one_by_one = True  # vjps may be asked for one argnum at a time

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if MODE.get().vmap is not None and (level := _outermost_level((args, kwargs))):
            return _example_by_example(self, args, kwargs, level)
        for leaf in flatten(args)[0]:
            if hasattr(leaf, "__apply_op__"):  # another carrier, for example a traced value: it must not look inside
                y = leaf.__apply_op__(self, args, kwargs)
                if y is not NotImplemented:
                    return y
        return super().__call__(*args, **kwargs)

    def compute(self, call: Call, args: list[Any]) -> Any:
        inside_tensors = MODE.get().vmap is not None and _outermost_level(args)
        return (self if inside_tensors else self.function)(*args, **call.kwargs)

    def pull(self, call: Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        if self.vjps is None:
            raise NotDifferentiableError(f"{self.name}() has no VJP; define one with autograd.extend.defvjp")
        argnums = (call.argnums[i],) if self.one_by_one else tuple(call.puts)
        found: dict[int, Any] = {}
        for k, c in zip(argnums, self.vjps(argnums, y, tuple(call.filled(xs)), call.kwargs)(g), strict=True):
            found.update(call.gradients_of(k, c))
        return found

    def push(self, call: Call, ts: dict[int, Any], xs: Any, y: Any) -> Any:
        if self.jvps is None:
            return None
        zeros = [ts[i] if i in ts else np.zeros(x.shape, x.dtype) for i, x in enumerate(xs)]
        argnums = tuple(dict.fromkeys(call.argnums[i] for i in ts))
        tangents = call.filled(zeros)
        t = self.jvps(argnums, [tangents[k] for k in argnums], y, tuple(call.filled(xs)), call.kwargs)
        leaves = align(t, call.rebuild(list(range(len(call.outputs)))))
        leaves = [leaf for k, leaf in enumerate(leaves) if k in call.outputs]
        return leaves[0] if len(leaves) == 1 else tuple(leaves)


class _OfArrays:
    """A call of a box as an operation on the arrays among its arguments, without a rule for a batch of them."""

    kind = "custom"
    batch = None
    broadcasts = False

    def __init__(self, box: Box, call: Any):
        self.box = box
        self.name = box.name
        self.leaves, self.put = flatten(call)
        self.places = [k for k, leaf in enumerate(self.leaves) if isinstance(leaf, Tensor | Batched)]

    def __call__(self, *arrays: Any) -> Any:
        args, kwargs = self.put(replaced(self.leaves, dict(zip(self.places, arrays, strict=True))))
        result, self.rebuild = flatten(self.box(*args, **kwargs))
        return tuple(result)


def _example_by_example(box: Box, args: Any, kwargs: Any, level: int) -> Any:
    """A call on whole batches of a function that may do anything with its arrays."""
    op = _OfArrays(box, (args, kwargs))
    results = carry(op, [op.leaves[k] for k in op.places], NO_KWARGS, level)
    return op.rebuild(list(results))


def _outermost_level(tree: Any) -> int:
    """The level of the batches among the leaves if they are outermost: no Tensor holds the same level; else 0."""
    bare, inside = levels_of(flatten(tree)[0])
    return bare if bare > inside else 0


_KINDS = {"elementwise": elementwise, "linear": linear, "multilinear": multilinear, "general": general}


def primitive(function: Any = None, *rules: Any, kind: str = "general", **options: Any) -> Any:
    """A function of one's own with derivative rules.

    With rules it is one more row of the table, `primitive(f, rule_of_x, rule_of_y, kind="elementwise", ...)`: see
    `autograd.op` for kinds, rules and options. As a plain decorator, `@primitive`, it makes a black box: f gets plain
    arrays and may do anything with them, and takes its rules from `autograd.extend.defvjp` and `defjvp`. Its
    arguments and results may be containers of arrays.
    """
    if rules or options or function is None:
        return _KINDS[kind](function, *rules, **options)
    box = Primitive(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return box(*args, **kwargs)

    call.box = box  # type: ignore[attr-defined]
    call.fun = function  # type: ignore[attr-defined]
    return call


# ---- a region with a backward of its own ----


class _Region(Box):
    def __init__(self, function: Function, forward: Function, backward: Function):
        super().__init__(function)
        self.forward = forward
        self.backward = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if MODE.get().vmap is not None and holds_tensors(args) and (level := _outermost_level(args)):
            return _across_batch(self, args, kwargs, level)
        return super().__call__(*args, **kwargs)

    def compute(self, call: Call, args: list[Any]) -> Any:
        if holds_tensors(args):
            return self(*args, **call.kwargs)
        result = self.function(*args, **call.kwargs)
        self._refuse_others(call, result)
        return result

    def run(self, call: Call) -> Any:
        result, call.residuals = self._forward(call, call.args)
        # what is recorded further out must meet the region too
        return self(*call.args, **call.kwargs) if holds_tensors(call.args) else result

    def _forward(self, call: Call, args: list[Any]) -> Any:
        pair = self.forward(*args, **call.kwargs)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"{self.name}: the forward function returns a pair (result, residuals)")
        return pair

    def pull(self, call: Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        residuals = call.residuals
        if any(isinstance(x, Tensor) for x in xs):  # a higher order: the residuals must know where they come from
            _, residuals = self._forward(call, call.filled(xs))
        cs = self.backward(residuals, g)
        if not isinstance(cs, tuple) or len(cs) != len(call.args):
            raise TypeError(
                f"{self.name}: the backward function returns a tuple of {len(call.args)} cotangents, one for each "
                "positional argument (None for zero)"
            )
        found: dict[int, Any] = {}
        for k in call.puts:
            found.update(call.gradients_of(k, cs[k]))
        return found


def _across_batch(region: _Region, args: tuple[Any, ...], kwargs: dict[str, Any], level: int) -> Any:
    """A call on whole batches that hold recorded Tensors: a region of these Tensors, which runs on the batches."""
    leaves = flatten(args)[0]
    own = [leaf.__class__ is Batched and leaf.level == level for leaf in leaves]
    spread = [mine and leaf.batched for mine, leaf in zip(own, leaves, strict=True)]
    size = next((leaf.inner.shape[0] for leaf, b in zip(leaves, spread, strict=True) if b), None)

    def bare(tree: Any) -> Any:
        return mapped(lambda y: reveal.forward(y, level=level, size=size) if is_number(y) else y, tree)

    def whole(tree: Any) -> Any:
        return mapped(lambda y: hide.forward(y, level=level, size=size) if is_number(y) else y, tree)

    def batches(inner: tuple[Any, ...]) -> Any:
        values, rebuild = flatten(inner)
        return rebuild([Batched(v, level, b) if mine else v for v, mine, b in zip(values, own, spread, strict=True)])

    def function(*inner: Any) -> Any:
        with in_level(level):
            return bare(region.function(*batches(inner), **kwargs))

    def forward(*inner: Any) -> Any:
        with in_level(level):
            result, residuals = region.forward(*batches(inner), **kwargs)
            return bare(result), residuals

    def backward(residuals: Any, g: Any) -> Any:
        with in_level(level):
            cs = region.backward(residuals, whole(g))
            if not isinstance(cs, tuple) or len(cs) != len(args):
                return cs
            of_leaves = [c for a, part in zip(args, cs, strict=True) for c in _beside(a, part)]
            found = [_summed(bare(c), not b and size is not None) for c, b in zip(of_leaves, spread, strict=True)]
        return flatten(args)[1](found)

    across = _Region(function, forward, backward)
    across.name = region.name
    return whole(across(*mapped(lambda x: x.inner if x.__class__ is Batched and x.level == level else x, args)))


def _beside(argument: Any, c: Any) -> list[Any]:
    """The parts of the cotangent of an argument in the order of its leaves."""
    leaves = flatten(argument)[0]
    return [None] * len(leaves) if c is None else align(c, argument)


def _summed(c: Any, over_examples: bool) -> Any:
    return np.sum(c, axis=0) if over_examples and c is not None else c


def custom_vjp(f: Function, forward: Function, backward: Function) -> Function:
    """f with another derivative: what `backward` says, whatever f does.

    forward(*args, **kwargs) -> (f's result, residuals); backward(residuals, g) -> a tuple with a cotangent for each
    positional argument, None for zero. Arguments, result, g and cotangents may be containers of arrays. All three get
    plain arrays; for a second derivative forward and backward run on Tensors. Keyword arguments are constants.
    Raises NotDifferentiableError if f uses a recorded Tensor that is not among its arguments.
    """
    region = _Region(f, forward, backward)
    return functools.wraps(f)(lambda *args, **kwargs: region(*args, **kwargs))


# ---- no derivative ----


def stop_gradient(x: Any) -> Any:
    """x as a constant: no gradient flows back through it. An array, a Tensor, or a container of them."""
    return mapped(_stopped, x)


def _stopped(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return new_tensor(unrecorded(leaf), None)
    return leaf.data if leaf.__class__ is Batched else leaf
