"""One's own derivatives: `primitive`, `custom_vjp`, `checkpoint` and `stop_gradient`.

The first three record one node for a whole call. Its inputs are the recorded Tensors among the arguments, also those
inside containers; what it was called with, and how its cotangents are found, is kept in a `_Call`. Nothing is dropped
on the way: a recorded Tensor that a black box reaches by another way than its arguments is an error (in a checkpoint
it is one more input).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .batched import Batched, carry, hide, in_level, innermost, levels_of, reveal, unrecorded
from .errors import NotDifferentiableError
from .modes import MODE, setting
from .node import NO_KWARGS, Node, describe, next_number
from .op import Op, Parts, elementwise, general, linear, multilinear, record
from .sweep import pullback, reachable
from .tensor import NUMBERS, Tensor, new_tensor
from .transforms import _variable
from .tree import align, flatten, is_container

Function = Callable[..., Any]


class _Call:
    """One call of a black box: its arguments, with places for the recorded ones, and the structure of its result."""

    def __init__(self, box: _Box, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.box = box
        self.args = list(args)
        self.kwargs = _map(_plain, kwargs) if kwargs else kwargs
        self.wrapped = False  # a Tensor came in, so Tensors go out
        self.recorded: list[Tensor] = []
        self.argnums: list[int] = []  # of each recorded Tensor
        self.puts: dict[int, Callable[[list[Any]], Any]] = {}  # argnum -> puts Tensors or arrays in their places
        for k, a in enumerate(args):
            self._take(k, a)
        self.shapes: list[tuple[Any, Any]] = []  # and dtypes, of the inputs
        self.residuals: Any = None
        self.closed_over: list[Node] = []
        self._shared: tuple[Any, Any, dict[int, Any]] = (None, None, {})

    def _take(self, k: int, argument: Any) -> None:
        leaves, rebuild = flatten(argument)
        if not any(isinstance(leaf, Tensor) for leaf in leaves):
            return
        self.wrapped = True
        plain = [_plain(leaf) for leaf in leaves]
        self.args[k] = rebuild(plain)
        places = [j for j, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.node is not None]
        if places:
            self.recorded += [leaves[j] for j in places]
            self.argnums += [k] * len(places)
            self.puts[k] = lambda values: rebuild(_replaced(plain, dict(zip(places, values, strict=True))))

    def filled(self, xs: Sequence[Any]) -> list[Any]:
        """The arguments with xs in the places of the recorded Tensors."""
        args = list(self.args)
        for k, put in self.puts.items():
            args[k] = put([x for x, n in zip(xs, self.argnums, strict=False) if n == k])
        return args

    def cotangents(self, g: Any, xs: Any, y: Any, i: int) -> Any:
        """What the rule gives for input i; computed once for all inputs, which are asked for one after the other."""
        of_g, of_xs, found = self._shared
        if of_g is not g or of_xs is not xs:  # the very same objects: an equal g may belong to another sweep
            found = {}
        if i not in found:
            found.update(self.box.pull(self, self._result(g), xs, self._result(y), i))
            self._shared = (g, xs, found)
        c = found.pop(i)
        if not found:
            self._shared = (None, None, {})
        return np.zeros(*self.shapes[i]) if c is None else c

    def _result(self, y: Any) -> Any:
        """The results, or their cotangents, in the structure in which the function returned them."""
        return self.rebuild(list(y) if isinstance(y, tuple | Parts) else [y])

    def rebuild(self, ys: list[Any]) -> Any:
        rest = iter(ys)
        return self.build([next(rest) if k in self.outputs else leaf for k, leaf in enumerate(self.leaves)])

    def set_result(self, result: Any) -> list[Any]:
        """Remember the structure of a result; the arrays in it."""
        self.leaves, self.build = flatten(result)
        self.outputs = {k for k, leaf in enumerate(self.leaves) if _is_number(leaf)}
        ys = [leaf for k, leaf in enumerate(self.leaves) if k in self.outputs]
        self.leaves = [None if k in self.outputs else leaf for k, leaf in enumerate(self.leaves)]
        return ys

    def gradients_of(self, k: int, c: Any) -> dict[int, Any]:
        """The cotangent of argument k, taken apart: {input: its part}."""
        inputs = [i for i, n in enumerate(self.argnums) if n == k]
        if c is None or not is_container(self.args[k]):
            return dict.fromkeys(inputs, c)
        marked = self.puts[k]([_Mark(i) for i in inputs])
        pairs = zip(flatten(marked)[0], align(c, marked), strict=True)
        return {mark.i: part for mark, part in pairs if isinstance(mark, _Mark)}


class _Mark:
    """Stands in a container for input i."""

    def __init__(self, i: int):
        self.i = i


def _replaced(values: list[Any], new: dict[int, Any]) -> list[Any]:
    return [new.get(k, value) for k, value in enumerate(values)]


def _plain(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, int | float | complex) if dtype is None else getattr(dtype, "kind", "?") in NUMBERS


def _constant(value: Any) -> Any:
    return new_tensor(np.asarray(_plain(value)), None) if _is_number(value) else value


def _recorded_in(tree: Any) -> Iterable[Tensor]:
    return (leaf for leaf in flatten(tree)[0] if isinstance(leaf, Tensor) and leaf.node is not None)


def _recorded_inside(tree: Any) -> Iterable[Tensor]:
    """The same with the Tensors that batches hold."""
    for leaf in flatten(tree)[0]:
        while leaf.__class__ is Batched:
            leaf = leaf.inner
        if isinstance(leaf, Tensor) and leaf.node is not None:
            yield leaf


def _holds_tensors(tree: Any) -> bool:
    """True if there is a Tensor among the leaves, or inside a batch."""
    return any(isinstance(x, Tensor) or (x.__class__ is Batched and x.data is not x) for x in flatten(tree)[0])


class _Box:
    """A function that is recorded as one node. A subclass says how it is run and how a cotangent goes back."""

    def __init__(self, function: Function):
        self.function = function
        self.name = self.__name__ = getattr(function, "__name__", type(function).__name__)
        self._ops: dict[int, Op] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for t in _recorded_inside(kwargs):
            raise NotDifferentiableError(
                f"{self.name}() got the result of {describe(t.node)} as a keyword argument, which its rules do not "
                "cover; pass it by position"
            )
        call = _Call(self, args, kwargs)
        mode = MODE.get()
        if not call.recorded or not mode.recording:
            result = self.compute(call, call.args)
            return _map(_constant, result) if call.wrapped else result
        result = self.run(call)
        self._refuse_others(call, result)
        return self.record(call, result)

    def _refuse_others(self, call: _Call, result: Any) -> None:
        for t in (_recorded_in if _holds_tensors(call.args) else _recorded_inside)(result):
            raise NotDifferentiableError(
                f"{self.name}() uses the result of {describe(t.node)} that is not among its arguments, so that its "
                "gradient would be lost; pass it as an argument"
            )

    def record(self, call: _Call, result: Any) -> Any:
        """The result of the call as Tensors of one node."""
        ys = [np.asarray(_plain(y)) if not hasattr(y, "dtype") else _plain(y) for y in call.set_result(result)]
        if not ys:
            raise TypeError(f"{self.name}() returned {type(result).__name__}, and no array in it")
        xs = [t._array for t in call.recorded] + [None] * len(call.closed_over)
        nodes = [t.node for t in call.recorded] + call.closed_over
        call.shapes = [(n.shape, n.dtype) for n in nodes if n is not None]
        op, mode = self._op(len(ys)), MODE.get()
        y = record(op, xs, nodes, (1 << len(xs)) - 1, {"call": call}, ys[0] if len(ys) == 1 else tuple(ys), mode)
        call.recorded = []
        return call.rebuild([y] if len(ys) == 1 else list(y))

    def _op(self, outputs: int) -> Op:
        if outputs not in self._ops:
            self._ops[outputs] = Op(
                _again,
                (lambda g, xs, y, i, call: call.cotangents(g, xs, y, i),),
                kind="custom",
                name=self.name,
                outputs=outputs,
                formulas=(f"{self.name}'(g)",),
            )
        return self._ops[outputs]

    def compute(self, call: _Call, args: list[Any]) -> Any:
        """The function for these arguments in place of the recorded call's."""
        return self.function(*args, **call.kwargs)

    def run(self, call: _Call) -> Any:
        """The result of a call that is going to be recorded."""
        return self.compute(call, call.args)

    def pull(self, call: _Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        """Cotangents of input i, and of others if they come with it."""
        raise NotImplementedError

    def push(self, call: _Call, ts: dict[int, Any], xs: Any, y: Any) -> Any:
        """The tangent of the result; None where it is to be found through `pull`."""
        return None


def _again(*xs: Any, call: _Call) -> Any:
    """The forward function of such a node: the call with other arrays in the places of the recorded ones."""
    result = call.box.compute(call, call.filled(xs))
    ys = [_plain(leaf) for leaf in flatten(result)[0] if _is_number(leaf)]
    return ys[0] if len(ys) == 1 else tuple(ys)


# ---- a black box with rules ----


class Primitive(_Box):
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

    def compute(self, call: _Call, args: list[Any]) -> Any:
        inside_tensors = MODE.get().vmap is not None and _outermost_level(args)
        return (self if inside_tensors else self.function)(*args, **call.kwargs)

    def pull(self, call: _Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        if self.vjps is None:
            raise NotDifferentiableError(f"{self.name}() has no VJP; define one with autograd.extend.defvjp")
        argnums = (call.argnums[i],) if self.one_by_one else tuple(call.puts)
        found: dict[int, Any] = {}
        for k, c in zip(argnums, self.vjps(argnums, y, tuple(call.filled(xs)), call.kwargs)(g), strict=True):
            found.update(call.gradients_of(k, c))
        return found

    def push(self, call: _Call, ts: dict[int, Any], xs: Any, y: Any) -> Any:
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

    def __init__(self, box: _Box, call: Any):
        self.box = box
        self.name = box.name
        self.leaves, self.put = flatten(call)
        self.places = [k for k, leaf in enumerate(self.leaves) if isinstance(leaf, Tensor | Batched)]

    def __call__(self, *arrays: Any) -> Any:
        args, kwargs = self.put(_replaced(self.leaves, dict(zip(self.places, arrays, strict=True))))
        result, self.rebuild = flatten(self.box(*args, **kwargs))
        return tuple(result)


def _example_by_example(box: _Box, args: Any, kwargs: Any, level: int) -> Any:
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


class _Region(_Box):
    def __init__(self, function: Function, forward: Function, backward: Function):
        super().__init__(function)
        self.forward = forward
        self.backward = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if MODE.get().vmap is not None and _holds_tensors(args) and (level := _outermost_level(args)):
            return _across_batch(self, args, kwargs, level)
        return super().__call__(*args, **kwargs)

    def compute(self, call: _Call, args: list[Any]) -> Any:
        if _holds_tensors(args):
            return self(*args, **call.kwargs)
        result = self.function(*args, **call.kwargs)
        self._refuse_others(call, result)
        return result

    def run(self, call: _Call) -> Any:
        result, call.residuals = self._forward(call, call.args)
        # what is recorded further out must meet the region too
        return self(*call.args, **call.kwargs) if _holds_tensors(call.args) else result

    def _forward(self, call: _Call, args: list[Any]) -> Any:
        pair = self.forward(*args, **call.kwargs)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"{self.name}: the forward function returns a pair (result, residuals)")
        return pair

    def pull(self, call: _Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
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
        return _map(lambda y: reveal.forward(y, level=level, size=size) if _is_number(y) else y, tree)

    def whole(tree: Any) -> Any:
        return _map(lambda y: hide.forward(y, level=level, size=size) if _is_number(y) else y, tree)

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
    return whole(across(*_map(lambda x: x.inner if x.__class__ is Batched and x.level == level else x, args)))


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


# ---- compute again instead of keeping ----


class _Checkpoint(_Box):
    """A region whose inside is dropped after the forward pass and recorded anew when a cotangent arrives."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not MODE.get().recording:
            return self.function(*args, **kwargs)
        call = _Call(self, (args, kwargs), {})
        start = next_number()
        xs, result = self._record_inside(call, call.recorded)
        call.closed_over = _entries([t.node for t in _recorded_in(result)], start, {x.node for x in xs})
        if not call.recorded and not call.closed_over:
            return result
        return self.record(call, _map(_plain, result))

    def compute(self, call: _Call, args: list[Any]) -> Any:
        positional, keywords = args
        return self.function(*positional, **keywords)

    def _record_inside(self, call: _Call, values: list[Any]) -> tuple[list[Tensor], Any]:
        with setting(recording=True):
            xs = [_variable(value) for value in values]
            return xs, self.compute(call, call.filled(xs))

    def pull(self, call: _Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
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
            if _is_number(a) and not np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True):
                raise RuntimeError(
                    f"{self.name}() inside checkpoint gave another result when it was computed again; it must not draw "
                    "random numbers (pass them as an argument) nor depend on what changes in between"
                )


def _entries(roots: list[Any], start: int, own: set[Any]) -> list[Node]:
    """The nodes older than `start` that what was recorded since then was computed from."""
    nodes = reachable(roots, since=start)
    inner = [n for node in nodes if node.number > start and node not in own for n in node.inputs]
    return list(dict.fromkeys(n for n in (*nodes, *inner) if isinstance(n, Node) and n.number < start))


def _map(function: Function, tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def checkpoint(f: Function) -> Function:
    """f, but nothing of its inside is kept for the backward pass, which computes it again: less memory, more time.

    Gradients are the same, to any order, also for recorded Tensors (a layer's parameters) that f finds by itself and
    not among its arguments. f must give the same result twice: RuntimeError if it does not.
    """
    region = _Checkpoint(f)
    return functools.wraps(f)(lambda *args, **kwargs: region(*args, **kwargs))


def stop_gradient(x: Any) -> Any:
    """x as a constant: no gradient flows back through it. An array, a Tensor, or a container of them."""
    return _map(_stopped, x)


def _stopped(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return new_tensor(unrecorded(leaf), None)
    return leaf.data if leaf.__class__ is Batched else leaf
