"""The two sweeps over a graph, and the one place that makes a gradient fit its input.

`pullback` goes newest first and carries cotangents g (reverse mode); `pushforward` goes oldest first and carries
tangents t (forward mode). Both are generators: `backward()` just runs one to its end, and a stepper, a tracer or a
debugger watches the same one. On arrays a sweep computes; on Tensors (`differentiable=True`) the same rules record,
which gives higher orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter, mul
from typing import Any

import numpy as np

from .batched import Batched, innermost, one_by_one
from .errors import NotBatchedError, ShapeError
from .guard import check_usable
from .modes import MODE, setting
from .node import Node, describe
from .op import Parts, apply, elementwise, parts_of
from .plan import MANY, Sharing, parameters
from .tensor import PLAIN, Tensor, new_tensor

_by_number = attrgetter("number")
Contributions = list[tuple[int, Any]]


def reachable(roots: Iterable[Node], since: int = 0) -> list[Node]:
    """All nodes that the roots were computed from, with the roots, oldest first; none numbered below `since`."""
    order = list(dict.fromkeys(roots))
    seen = set(order)
    see, append = seen.add, order.append
    for node in order:  # grows while it is walked: breadth first, without recursion
        for n in node.inputs:
            if n.__class__ is Node and n not in seen and n.number >= since:
                see(n)
                append(n)
    order.sort(key=_by_number)
    return order


def between(roots: Iterable[Node], targets: Iterable[Node]) -> list[Node]:
    """The nodes on a path from a target up to a root, oldest first."""
    wanted = set(targets)
    if not wanted:
        return []
    nodes = reachable(roots, since=min(map(_by_number, wanted)))
    on_path = []
    for node in nodes:
        if node in wanted or any(n in wanted for n in node.inputs if n.__class__ is Node):
            wanted.add(node)
            on_path.append(node)
    return on_path


def pullback(
    nodes: list[Node],
    grads: dict[Node, Any],
    *,
    differentiable: bool = False,
    free: bool = False,
    within: bool = False,
    watched: bool = True,
) -> Iterator[tuple[Node, Any, Contributions]]:
    """Carry the cotangents in `grads` down through `nodes` (oldest first), newest first.

    Yields (node, its cotangent, [(input index, contribution)]); what arrives at leaves is left in `grads`.
    `within`: only to inputs that are in `nodes`. `free`: drop the saved arrays on the way. `watched`: False leaves the
    contributions out of what is yielded.
    """
    times = mul
    watchers = MODE.get().watchers
    watched = watched or watchers is not None
    inside = set(nodes) if within else None
    pop, get = grads.pop, grads.get
    node = None
    try:
        for node in reversed(nodes):
            op = node.op
            if op is None:
                continue
            g = pop(node, None)
            if g is None:
                continue
            saved = _as_tensors(node) if differentiable else node.saved
            inputs = node.inputs
            kwargs = node.kwargs
            contributions: Contributions = []
            for i, pull in node.plan.pulls:  # type: ignore[union-attr]
                n = inputs[i]
                if inside is not None and n not in inside:
                    continue
                try:
                    c = pull(g, saved, kwargs, times)
                except NotBatchedError as refused:
                    c = one_by_one(pull, (g, saved, kwargs, times), {}, refused)
                if times is guarded and (op.kind == "general" or op.kind == "multilinear"):
                    c = unless_dead(g, c)
                try:
                    if c.dtype is not n.dtype or c.shape != n.shape:
                        c = conform(c, n, node, i)
                except AttributeError:
                    if hasattr(c, "dtype"):
                        raise
                    c = conform(np.asarray(c), n, node, i)  # a rule of the user's may return a Python number
                if watched:
                    contributions.append((i, c))
                before = get(n)
                grads[n] = c if before is None else before + c
            if op.special:
                times = guarded if op.selects else times
                forget_shared(saved)
            if watchers is not None:
                for watcher in watchers:
                    watcher.backward(node, contributions)
            if free:
                node.saved = None
            yield node, g, contributions
    except Exception as error:
        _say_where(error, node)
        if node is not None:
            forget_shared(node.saved)
        raise


def forget_shared(saved: Any) -> None:
    """Drop what the rules of a node have computed together: the same cotangent may hold other numbers next time."""
    if isinstance(saved, Sharing):
        saved.of = None
        saved.values.clear()


def _say_where(error: Exception, node: Node | None) -> None:
    """Add to an error in a rule which operation the rule belongs to, unless it says so itself."""
    if node is not None and describe(node) not in str(error):
        error.add_note(f"in the backward rule of {describe(node)}")


# The product in a guarded sweep that is recorded: the sweep through it must be guarded as well. At x = 0 the derivative
# of x**1.5 is finite, and only the next one is not.
_product = elementwise(lambda a, b: a * b, lambda b: b, lambda a: a, name="multiply", selects=True)


def guarded(g: Any, d: Any) -> Any:
    """g * d where a cotangent of exactly 0 wins over an infinite or nan derivative: that branch was not taken."""
    plain = g.__class__ in PLAIN and d.__class__ in PLAIN
    if plain:
        c = g * d
        look = np.vdot(c, c) if c.__class__ is np.ndarray else c  # nan if an element is, and cheaper to find
        if look == look:
            return c
    else:
        c = _product(g, d)
        if not _has_nan(c):
            return c
    dead = (_raw(g) == 0) & ~np.isfinite(_raw(d))
    return np.where(dead, 0, c) if np.any(innermost(dead)) else c


def unless_dead(g: Any, c: Any) -> Any:
    """What a rule made of g that is no product of elements: exactly 0 where the whole of g is."""
    raw = _raw(g)
    if raw.__class__ is np.ndarray and raw.size and (raw.item(0) or np.logical_or.reduce(raw, axis=None)):
        return c  # found without a pass over all of g: both stop at the first element that is not 0
    return np.where(np.all(_raw(g) == 0), 0, c) if not isinstance(g, Parts) and _has_nan(c) else c


def _has_nan(c: Any) -> bool:
    raw = innermost(c)
    look = np.vdot(raw, raw) if raw.__class__ is np.ndarray else raw
    return bool(look != look)


def _raw(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def _as_tensors(node: Node) -> tuple[Any, ...]:
    """The saved values as Tensors that are connected to the graph, so that what a rule computes is recorded too."""
    op, plan = node.op, node.plan
    assert op is not None and plan is not None and node.saved is not None
    values: dict[str, Any] = {}
    for name, value in zip(plan.names, node.saved, strict=True):
        if name == "y":
            value = new_tensor(value, node) if op.outputs == 1 else parts_of(node, value)
        elif name == "xs":
            value = tuple(
                [new_tensor(v, n) if n.__class__ is Node else v for v, n in zip(value, node.inputs, strict=True)]
            )
        else:
            n = op.input_named(name, node)
            value = new_tensor(value, n) if n.__class__ is Node else value
        values[name] = value
    for name, compute in op.residuals.items():
        if name in values:
            values[name] = compute(*[values[p] for p in parameters(compute)])
    return type(node.saved)(values.values())


def conform(g: Any, to: Node, node: Node, i: int) -> Any:
    """Make a gradient fit its input: undo broadcasting, cast to its dtype, drop an imaginary part that it lacks.

    Raises ShapeError, naming the op and the rule, if the op does not broadcast and the shape is wrong.
    """
    if g.shape != to.shape:
        g = unbroadcast(g, to.shape, node, i)
    if g.dtype != to.dtype:
        check_float(to)
        if g.dtype.kind == "c" and to.dtype.kind == "f":
            g = np.real(g)
        g = g.astype(to.dtype)
    return g


def check_float(node: Node) -> None:
    """Raise if the result of this node has no derivative, because it is of integers."""
    if node.dtype.kind not in "fc":
        raise TypeError(
            f"{describe(node)} gave {node.dtype}: only floats and complex numbers have a derivative; "
            "convert its inputs first, or take the result out of the graph with t.detach()"
        )


def unbroadcast(g: Any, shape: tuple[int, ...], node: Node, i: int) -> Any:
    """Sum over the axes along which an input of this shape was stretched."""
    extra = len(g.shape) - len(shape)
    assert node.op is not None
    fits = g.shape == node.shape or node.op.kind != "elementwise"  # else the rule itself has made it larger
    if node.op.broadcasts and fits:
        if extra > 0:
            g = g.sum(axis=0 if extra == 1 else tuple(range(extra)))
        if g.shape != shape and extra >= 0:
            g = g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)
    if g.shape != shape:
        raise ShapeError(
            f"the rule of {describe(node)} for its input {i} gives a gradient of shape {g.shape}; "
            f"the input has shape {shape}"
        )
    return g


# ---- reverse mode ----


def cotangent_of(y: Tensor, grad: Any) -> Any:
    """The cotangent to start from: `grad` checked against y, or 1 for a scalar."""
    if y.node is None:
        raise RuntimeError(
            "nothing was recorded here: no input had requires_grad=True, or the result was computed under no_grad()"
        )
    check_float(y.node)
    if grad is None:
        if y.size != 1:
            raise ShapeError(
                f"{describe(y.node)} has shape {y.shape}, and only a scalar has a default gradient to start from; "
                "pass grad=, an array of that shape, or reduce it with np.sum or np.mean"
            )
        return y.dtype.type(1) if not y.shape else np.ones(y.shape, y.dtype)
    if not isinstance(grad, Tensor | Batched):
        grad = np.asarray(grad)
    if grad.shape != y.shape:
        raise ShapeError(f"grad has shape {grad.shape}, the result of {describe(y.node)} has shape {y.shape}")
    if not np.can_cast(grad.dtype, y.dtype, "same_kind"):
        raise TypeError(f"grad is {grad.dtype}, the result of {describe(y.node)} is {y.dtype}")
    return grad if grad.dtype == y.dtype else grad.astype(y.dtype)


def backward(y: Tensor, grad: Any = None, retain_graph: bool = False) -> None:
    """Add dy/d(leaf), contracted with `grad`, to the `.grad` of every leaf below y; all or nothing.

    grad: the cotangent, of the shape of y; may be left out for a scalar. The graph is freed as it is used unless
    `retain_graph`. For gradients that are recorded themselves use `gradients(..., create_graph=True)`.
    Raises GraphFreedError, SavedArrayChangedError; then no `.grad` has changed.
    """
    start = cotangent_of(y, _raw(grad))
    root = y.node
    assert root is not None
    nodes = reachable((root,))
    check_usable(nodes)
    for watcher in MODE.get().watchers or ():
        watcher.before_backward(y, start)
    grads = {root: start}
    with np.errstate(all="ignore"):  # the user's forward pass has warned already
        kept = {
            node: g for node, g, _ in pullback(nodes, grads, free=not retain_graph, watched=False) if node.keeps_grad
        }
    grads.update(kept)
    taken = {id(start)}
    for n, g in grads.items():
        n.grad = own(_raw(g) if n.grad is None else n.grad + _raw(g), n.dtype, taken)


def own(g: Any, dtype: Any, taken: set[int]) -> Any:
    """g as an array to hand out: a copy if it is a view, or one of the arrays (by id) that somebody else holds too.

    dtype: that of the input, down to the byte order, which an addition on the way does not keep.
    """
    if g.__class__ is not np.ndarray and hasattr(g, "__apply_op__"):  # another carrier, for example a traced value
        return g
    if g.__class__ is not np.ndarray or g.base is not None or id(g) in taken or g.dtype != dtype:
        g = np.array(g, dtype)
    taken.add(id(g))
    return g


def gradients(
    y: Tensor, xs: list[Tensor], grad: Any = None, create_graph: bool = False, retain_graph: bool | None = None
) -> list[Any]:
    """dy/dx for each x in xs, contracted with `grad`; no `.grad` is touched.

    Returns ndarrays, or Tensors that can be differentiated again with `create_graph`. An x that y does not depend on
    gets zeros. The graph is freed unless `retain_graph` (default: the same as create_graph).
    """
    if not isinstance(y, Tensor):
        raise TypeError(f"gradients() takes the Tensor to differentiate first, not {type(y).__name__}")
    if isinstance(xs, Tensor):
        raise TypeError("gradients() takes a list of Tensors to differentiate with respect to: [x], not x")
    for x in xs:
        if not isinstance(x, Tensor) or x.node is None:
            raise TypeError("gradients() takes recorded Tensors in xs; make them with requires_grad=True")
    keep = create_graph if retain_graph is None else retain_graph
    g = cotangent_of(y, grad)
    if not create_graph:
        g = _raw(g)
    return pull_to([(y.node, g)], [x.node for x in xs], differentiable=create_graph, free=not keep)


def pull_to(roots: list[tuple[Any, Any]], targets: list[Any], *, differentiable: bool, free: bool) -> list[Any]:
    """The cotangents that arrive at the target nodes from (root node, cotangent) pairs; zeros where none does."""
    nodes = between([node for node, _ in roots], targets)
    check_usable(nodes)
    inside = set(nodes)
    wanted = set(targets)
    grads: dict[Node, Any] = {}
    for node, g in roots:
        if node in inside:
            grads[node] = grads[node] + g if node in grads else g
    recording = differentiable or MODE.get().recording  # a rule may sweep a graph of its own
    with np.errstate(all="ignore"), setting(recording=recording):
        sweep = pullback(nodes, grads, differentiable=differentiable, free=free, within=True, watched=False)
        grads.update({node: g for node, g, _ in sweep if node in wanted})
    gs = [grads[t] if t in grads else np.zeros(t.shape, t.dtype) for t in targets]
    if differentiable:
        return [_apart(g) for g in gs]
    taken = {id(g) for _, g in roots}
    return [own(_raw(g), t.dtype, taken) for g, t in zip(gs, targets, strict=True)]


def _apart(g: Any) -> Any:
    """A Tensor to hand out: one that is no view, and that nobody else holds, for the user may write into it."""
    if isinstance(g, Batched):
        return g
    return new_tensor(g._array, g.node) if isinstance(g, Tensor) else new_tensor(np.asarray(g), None)


# ---- forward mode ----


def pushforward(
    nodes: list[Node], tangents: dict[Node, Any], *, differentiable: bool = False
) -> Iterator[tuple[Node, Any]]:
    """Carry the tangents of the oldest nodes up through `nodes`, oldest first; yields (node, its tangent)."""
    for node in nodes:
        if node.op is None or node in tangents:
            continue
        t = _tangent(node, tangents, differentiable)
        if t is not None:
            tangents[node] = t
            yield node, t


def _tangent(node: Node, tangents: dict[Node, Any], differentiable: bool) -> Any:
    assert node.plan is not None
    given = {i: tangents[node.inputs[i]] for i, _ in node.plan.pulls if node.inputs[i] in tangents}
    return pushed(node, given, differentiable) if given else None


def pushed(node: Node, given: dict[int, Any], differentiable: bool = False) -> Any:
    """The tangent of the result of one node from those of some of its inputs, by their number."""
    op = node.op
    assert op is not None
    saved = _as_tensors(node) if differentiable else node.saved
    t = _PUSH[op.kind](node, saved, given)
    return _fit(t, node) if op.outputs == 1 else t


def _push_elementwise(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    total = None
    times = _selected if node.op.selects else mul  # type: ignore[union-attr]
    for i, pull in node.plan.pulls:  # type: ignore[union-attr]
        if i in given:
            try:
                t = pull(given[i], saved, node.kwargs, times)
            except NotBatchedError as refused:
                t = one_by_one(pull, (given[i], saved, node.kwargs, times), {}, refused)
            total = t if total is None else total + t
    return total


def _selected(t: Any, d: Any) -> Any:
    """t * d where what was not selected (d is 0) stays out, also if its tangent is infinite or nan."""
    return guarded(d, t)


def _push_linear(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    return apply(node.op, _arguments(node, saved, given, zeros=True), node.kwargs)  # type: ignore[arg-type]


def _push_multilinear(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    total = None
    for i, t in given.items():
        y = apply(node.op, _arguments(node, saved, {i: t}, zeros=False), node.kwargs)  # type: ignore[arg-type]
        total = y if total is None else total + y
    return total


def _arguments(node: Node, saved: Any, given: dict[int, Any], zeros: bool) -> list[Any]:
    """The op's array arguments with tangents in some places: elsewhere zeros (linear) or the saved values."""
    op, plan = node.op, node.plan
    assert op is not None and plan is not None
    values = dict(zip(plan.names, saved, strict=True))
    arguments = []
    for k, n in enumerate(node.inputs):
        if k in given:
            arguments.append(given[k])
        elif op.arity == MANY:
            arguments.append(np.zeros(values["xs_shape"][k], node.dtype) if zeros else values["xs"][k])
        elif zeros and (op.differentiates(k) or op.names[k] not in values):
            shape = n.shape if n.__class__ is Node else values[f"{op.names[k]}_shape"]
            arguments.append(np.zeros(shape, node.dtype))
        else:  # what the op is not linear in, as the condition of `where`
            arguments.append(values[op.names[k]])
    return arguments


def _push_general(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    """J t through the VJP alone: g -> J'g is linear in g, so its own transpose, applied to t, is J t."""
    plan = node.plan
    assert plan is not None
    many = node.op.outputs > 1  # type: ignore[union-attr]
    shapes, dtypes = (node.shape, node.dtype) if many else ((node.shape,), (node.dtype,))
    with setting(recording=True):
        gs = [Tensor(np.zeros(s, d), requires_grad=True) for s, d in zip(shapes, dtypes, strict=True)]
        g: Any = Parts(dict(enumerate(gs)), node.shape, node.dtype) if many else gs[0]
        pulled = [(i, _pulled(pull(g, saved, node.kwargs, mul), node, i)) for i, pull in plan.pulls if i in given]
    forget_shared(saved)
    carriers = [*given.values(), *(v for value in saved for v in (value if isinstance(value, tuple) else (value,)))]
    differentiable = any(isinstance(v, Tensor) for v in carriers)
    roots = [(c.node, given[i]) for i, c in pulled if isinstance(c, Tensor) and c.node is not None]
    ts = pull_to(roots, [x.node for x in gs], differentiable=differentiable, free=False)
    return tuple(ts) if many else ts[0]


def _push_custom(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    """By the call's own rule where it has one, else through its VJP."""
    call, values = node.kwargs["call"], dict(zip(node.plan.names, saved, strict=True))  # type: ignore[union-attr]
    t = call.box.push(call, given, values["xs"], values["y"])
    return _push_general(node, saved, given) if t is None else t


def _push_part(node: Node, saved: Any, given: dict[int, Any]) -> Any:
    return given[0][node.kwargs["index"]]


_PUSH = {
    "elementwise": _push_elementwise,
    "linear": _push_linear,
    "multilinear": _push_multilinear,
    "general": _push_general,
    "custom": _push_custom,
    "part": _push_part,
}


def _pulled(c: Any, node: Node, i: int) -> Any:
    n = node.inputs[i]
    return c if c.dtype == n.dtype and c.shape == n.shape else conform(c, n, node, i)


def _fit(t: Any, node: Node) -> Any:
    """Make a tangent fit its result: broadcast, cast, drop an imaginary part that the result lacks."""
    if not hasattr(t, "shape"):
        t = np.asarray(t)
    if t.shape != node.shape:
        t = np.broadcast_to(t, node.shape)
    if t.dtype != node.dtype:
        if t.dtype.kind == "c" and node.dtype.kind == "f":
            t = np.real(t)
        t = t.astype(node.dtype)
    return t
