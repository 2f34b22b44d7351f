"""Functions in, functions out: grad, jacobian, jvp and their relatives.

Each wraps the arguments as fresh leaves, runs f to record its graph, and sweeps it. Given arrays they return arrays.
An argument that is itself recorded (inside another transform), or a recorded Tensor that f closes over, makes the
sweep run on Tensors, so the result can be differentiated again: any order, any nesting.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .batched import Batched, apart, in_level, level_of, next_level, outside
from .errors import NotDifferentiableError, ShapeError
from .modes import MODE, setting
from .node import Node, next_number
from .op import linear
from .sweep import between, check_float, own, pull_to, pushforward, reachable
from .tensor import Tensor, as_array, new_tensor
from .tree import align, flatten, is_container

Function = Callable[..., Any]
ArgNums = int | str | Sequence[int | str]

_alias = linear(lambda x: x, lambda g: g, name="alias", formulas=("g",), batch="elementwise")


def _variable(value: Any) -> Tensor:
    """A fresh variable with this value: a leaf, or for a recorded Tensor a node of its own above it.

    Inside a vmap, what was recorded outside it is a constant of the new graph.
    """
    vmap = MODE.get().vmap
    if isinstance(value, Tensor) and value.node is not None:
        if vmap is None or level_of(value) == vmap.levels[-1]:
            return _alias(value)
        value = vmap.tagged(value)
    if isinstance(value, Tensor):
        value = _held(value)
    if isinstance(value, bool | str | bytes):
        raise NotDifferentiableError(f"cannot differentiate with respect to {value!r}; choose other argnums")
    variable = Tensor(float(value) if isinstance(value, int) else value, requires_grad=True)
    variable.node.keeps_grad = False  # type: ignore[union-attr]  # it has no .grad, so f may write into it
    return variable


class _Recorded:
    """One run of f on fresh variables: what went in, what came out, and whether sweeps must be recorded themselves."""

    def __init__(
        self, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: ArgNums, has_aux: bool = False
    ):
        self.single = isinstance(argnums, int | np.integer | str)
        call: dict[Any, Any] = dict(enumerate(args)) | kwargs  # by place or by name
        chosen = _chosen(argnums, f, call, len(args))
        for k in chosen:
            if call[k] is None:
                raise NotDifferentiableError("cannot differentiate with respect to None; choose other argnums")
        leaves, self._rebuild = flatten([call[k] for k in chosen])
        with setting(recording=True):
            self.xs = [_variable(leaf) for leaf in leaves]
            self.nodes = [x.node for x in self.xs]  # before f, which may write into them
            call.update(zip(chosen, self._rebuild(self.xs), strict=True))
            result = f(*[call.pop(k) for k in range(len(args))], **call)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError("with has_aux=True the function returns a pair (result, aux)")
            result, self.aux = result
        if result is None:
            raise TypeError("the function returned None; is a `return` missing in it?")
        self.ys, self._rebuild_y = flatten(result)
        self._ends = [y.node if isinstance(y, Tensor) else None for y in self.ys]  # before anybody writes into those
        self.roots = [node for node in self._ends if node is not None]
        self._graph = reachable(self.roots)
        for node in self.roots:
            check_float(node)
        self.differentiable = MODE.get().recording and self._reaches_beyond()
        if has_aux and not self.differentiable:
            self.aux = _unwrapped(self.aux)

    def _reaches_beyond(self) -> bool:
        own = [n for n in self.nodes if n is not None]
        if any(n.op is not None for n in own):
            return True
        first = min([n.number for n in own], default=next_number())  # younger leaves are of transforms inside f
        return any(n.op is None and n.number < first for n in self._graph)

    @property
    def value(self) -> Any:
        """The result of f: arrays, or Tensors where the sweeps are recorded."""
        return self._rebuild_y([_result(y, self.differentiable) for y in self.ys])

    @property
    def y(self) -> Any:
        """The one array that f returned."""
        if len(self.ys) != 1 or is_container(self._rebuild_y(self.ys)):
            raise TypeError("the function must return one array here, not a container of arrays")
        return self.ys[0]

    def scalar(self, name: str) -> Any:
        if np.size(self.y if not isinstance(self.y, Tensor) else self.y._array) != 1:
            raise ShapeError(
                f"{name}() differentiates a scalar, the function returned shape {np.shape(self.y)}; "
                "use jacobian() or elementwise_grad(), or sum the result"
            )
        return self.real(name)

    def real(self, name: str) -> Any:
        """The one array that f returned, if it is of real numbers: a complex result has more than one gradient."""
        y = self.y
        kind = (y.dtype if hasattr(y, "dtype") else np.asarray(y).dtype).kind
        if kind not in "fciu":
            raise TypeError(f"{name}() differentiates a number, the function returned {type(y).__name__}")
        if kind == "c":
            raise TypeError(
                f"{name}() differentiates a real function, the result is complex; take its real part or absolute "
                "value, or use holomorphic_grad()"
            )
        return y

    def pull(self, gs: list[Any]) -> list[Any]:
        """The cotangents of the variables from those of the results (None: zero)."""
        recorded = self._recorded(gs)
        roots = []
        for node, y, g in zip(self._ends, self.ys, gs, strict=True):
            if node is not None and g is not None:
                roots.append((node, _like(g, y, "cotangent", recorded)))
        return pull_to(roots, self.nodes, differentiable=recorded, free=False)

    def _recorded(self, values: list[Any]) -> bool:
        """True if a sweep that starts from these values is part of a larger graph."""
        from_values = any(isinstance(v, Tensor) and v.node is not None for v in values)
        return MODE.get().recording and (self.differentiable or from_values)

    def push(self, ts: list[Any]) -> list[Any]:
        """The tangents of the results from those of the variables (None: zero)."""
        recorded = self._recorded(ts)
        variables = zip(self.nodes, self.xs, ts, strict=True)
        given = [(node, _like(t, x, "tangent", recorded)) for node, x, t in variables if t is not None]
        tangents: dict[Node, Any] = dict(given)  # type: ignore[arg-type]
        recording = recorded or MODE.get().recording  # a tangent may be a batch of Tensors
        with np.errstate(all="ignore"), setting(recording=recording):
            for _ in pushforward(between(self.roots, tangents), tangents, differentiable=recorded):
                pass
        results = []
        for node, y in zip(self._ends, self.ys, strict=True):
            t = tangents.get(node) if node is not None else None
            results.append(np.zeros(np.shape(y), getattr(y, "dtype", float)) if t is None else t)
        taken = {id(t) for _, t in given}
        return [_scalar(t if isinstance(t, Tensor) else own(t, t.dtype, taken)) for t in results]

    @property
    def widest(self) -> int:
        """The bytes of the largest array on the way."""
        nodes = [n for n in self._graph if n.op is None or n.op.outputs == 1]
        return max([math.prod(n.shape) * n.dtype.itemsize for n in nodes], default=0)

    def arrange(self, gs: list[Any]) -> Any:
        """Results in the structure of the chosen arguments."""
        tree = self._rebuild([_scalar(g) for g in gs])
        return tree[0] if self.single else tuple(tree)


def _chosen(argnums: ArgNums, f: Function, call: dict[int | str, Any], n: int) -> list[int | str]:
    """argnums as keys of the call: places among its n positional arguments, and names of keyword arguments."""
    single = isinstance(argnums, int | np.integer | str) or not np.iterable(argnums)
    keys: list[Any] = [argnums] if single else list(argnums)  # type: ignore[arg-type]
    chosen = [_place_of(k, f, call) if isinstance(k, str) else k for k in keys]
    for k in chosen:
        if not isinstance(k, int | np.integer | str):
            raise TypeError(f"argnums is an integer, a name or a sequence of these, not {argnums!r}")
        if not isinstance(k, str) and not -n <= k < n:
            raise TypeError(f"argnums={argnums!r} but the function was called with {n} positional arguments")
    chosen = [k if isinstance(k, str) else int(k) % n for k in chosen]
    if len(set(chosen)) < len(chosen):
        raise TypeError(f"argnums={argnums!r} names the same argument twice")
    return chosen


def _place_of(name: str, f: Function, call: dict[int | str, Any]) -> int | str:
    """Where the argument of this name stands in the call: the name itself, or its place."""
    if name in call:
        return name
    parameters = inspect.signature(f).parameters
    place = list(parameters).index(name) if name in parameters else -1
    if place not in call or parameters[name].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise TypeError(f"argnums={name!r}, but the function was called without an argument of that name")
    return place


def _takes_argnum(transform: Function) -> Function:
    """Decorator: `argnum=`, as HIPS autograd spells it, means `argnums=`."""

    @functools.wraps(transform)
    def with_argnum(f: Function, *args: Any, **kwargs: Any) -> Function:
        if "argnum" in kwargs:
            kwargs["argnums"] = kwargs.pop("argnum")
        return transform(f, *args, **kwargs)

    return with_argnum


def _like(g: Any, y: Tensor, what: str, recorded: bool) -> Any:
    if not isinstance(g, Tensor):
        g = g if g.__class__ is Batched else np.asarray(g)
    elif not recorded:
        g = _held(g)
    if g.shape != y.shape:
        raise ShapeError(f"the {what} has shape {g.shape}, what it belongs to has shape {y.shape}")
    if g.dtype != y.dtype:
        if g.dtype.kind == "c" and y.dtype.kind != "c":
            raise TypeError(f"the {what} is {g.dtype}, what it belongs to is {y.dtype}")
        g = g.astype(y.dtype)
    return g


def _held(t: Tensor) -> Any:
    """The array of a Tensor; a batch keeps the graphs that it holds, which belong to a transform further out."""
    return t._array if t._array.__class__ is Batched else t.data


def _scalar(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _result(y: Any, differentiable: bool) -> Any:
    if isinstance(y, Tensor) and not differentiable:
        y = _held(y)
    return _scalar(y)


def _unwrapped(tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([_held(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves])


def _ones(y: Any) -> Any:
    return np.ones(np.shape(y), y.dtype) if isinstance(y, Tensor) else None


# ---- reverse mode ----


@_takes_argnum
def value_and_grad(f: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Function:
    """A function that returns (f(...), the gradient of f), for a scalar f.

    argnums: which positional arguments (an int, or a sequence: then a tuple of gradients). Each may be an array, a
    number or a container of arrays; its gradient has the same structure, shapes and dtypes.
    has_aux: f returns (result, aux), and so does the first part of the pair. Raises ShapeError if f is no scalar.
    """

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        run = _Recorded(f, args, kwargs, argnums, has_aux)
        gradient = run.arrange(run.pull([_ones(run.scalar("grad"))]))
        return ((run.value, run.aux) if has_aux else run.value), gradient

    return value_and_gradient


@_takes_argnum
def grad(f: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of the scalar function f; with has_aux the pair (gradient, aux).

    See `value_and_grad` for argnums and containers.
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


@_takes_argnum
def elementwise_grad(f: Function, argnums: ArgNums = 0) -> Function:
    """A function that returns the gradient of the sum of f; for an elementwise f its derivative at every element."""

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        run = _Recorded(f, args, kwargs, argnums)
        return run.arrange(run.pull([_ones(run.real("elementwise_grad"))]))

    return gradient


def vjp(f: Function, *primals: Any) -> Any:
    """(f(*primals), pull): pull(g) gives the cotangent of each primal, g having the structure of f's result.

    A tuple of cotangents for several primals, one for one. `vjp(f)` is the function of the primals.
    """
    if not primals:
        return functools.partial(_vjp, f)
    return _vjp(f, *primals)


def _vjp(f: Function, *primals: Any) -> Any:
    run = _Recorded(f, primals, {}, 0 if len(primals) == 1 else range(len(primals)))

    def pull(g: Any) -> Any:
        return run.arrange(run.pull(align(g, run._rebuild_y(run.ys))))

    return run.value, pull


SWEEP_BYTES = 2**26  # the largest array in a batched sweep: a Jacobian of more rows is computed in pieces


@_takes_argnum
def jacobian(f: Function, argnums: ArgNums = 0, mode: str = "auto") -> Function:
    """A function that returns df/dx of shape (*f.shape, *x.shape).

    mode: "reverse" (all elements of f in one sweep), "forward" (all elements of x) or "auto" (the fewer). A container
    of results gives the same container of Jacobians. Very large ones take several sweeps, see SWEEP_BYTES.
    A complex f of real x goes forward, a real f of complex x in reverse: the other way would lose the imaginary part,
    and raises TypeError. For complex f and x both, f is taken to be holomorphic.
    """
    if mode not in ("auto", "reverse", "forward"):
        raise ValueError(f"mode is 'auto', 'reverse' or 'forward', not {mode!r}")

    @functools.wraps(f)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        run = _Recorded(f, args, kwargs, argnums)
        ys = [y if isinstance(y, Tensor) else new_tensor(as_array(y), None) for y in run.ys]
        sweeps = _columns if _goes_forward(run, ys, mode) else _rows
        return run._rebuild_y([run.arrange(js) for js in sweeps(run, ys)])

    return jacobian_of_f


def _goes_forward(run: _Recorded, ys: list[Tensor], mode: str) -> bool:
    """Whether a Jacobian is computed in forward mode; TypeError where its elements are complex only in the other one.

    A sweep ends in the dtype of what it ends at, so elements by a real x from a complex y are complex going forward.
    """
    complex_x = {x.dtype.kind == "c" for x in run.xs}
    complex_y = {y.dtype.kind == "c" for y in ys if y.node is not None}
    modes = {"forward"} if True in complex_y and False in complex_x else set()
    modes |= {"reverse"} if True in complex_x and False in complex_y else set()
    if len(modes) == 2:
        raise TypeError(
            "jacobian() of complex and real results with respect to complex and real arguments has no mode that keeps "
            "every imaginary part; call it for one of them at a time"
        )
    if mode == "auto" and not modes:
        return sum(x.size for x in run.xs) < sum(y.size for y in ys)
    needed = modes.pop() if modes else mode
    if mode not in ("auto", needed):
        what = "a complex function of real" if needed == "forward" else "a real function of complex"
        raise TypeError(
            f"jacobian(mode={mode!r}) of {what} arguments would lose the imaginary part; use mode={needed!r} or 'auto'"
        )
    return needed == "forward"


def _rows(run: _Recorded, ys: list[Tensor]) -> list[list[Any]]:
    """For each result its derivatives by the variables: a batch of cotangents, one for each element, pulled back."""
    return [
        _pieces(run, y, lambda gs, k=k: run.pull([*[None] * k, gs, *[None] * (len(ys) - k - 1)]), run.xs, False)
        for k, y in enumerate(ys)
    ]


def _columns(run: _Recorded, ys: list[Tensor]) -> list[list[Any]]:
    by_x = [
        _pieces(run, x, lambda ts, k=k: run.push([*[None] * k, ts, *[None] * (len(run.xs) - k - 1)]), ys, True)
        for k, x in enumerate(run.xs)
    ]
    return [list(js) for js in zip(*by_x, strict=True)]


def _pieces(run: _Recorded, start: Tensor, sweep: Function, ends: Sequence[Tensor], last: bool) -> list[Any]:
    """What the sweep makes of the unit vectors of `start`, for each end; `last`: their axes come behind the others."""
    if not start.shape:
        return sweep(np.ones((), start.dtype))
    n = start.size
    at_once = max(SWEEP_BYTES // max(run.widest, 1), 1)
    pieces = [_swept(start, range(k, min(k + at_once, n)), sweep, len(ends)) for k in range(0, n, at_once)]
    taken: set[int] = set()
    results = []
    for k, end in enumerate(ends):
        parts = [piece[k] for piece in pieces]
        j = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros((0, *end.shape), end.dtype)
        if last:
            j = np.moveaxis(j, 0, -1)
        j = apart(j, taken)
        results.append(np.reshape(j, (*end.shape, *start.shape) if last else (*start.shape, *end.shape)))
    return results


def _swept(start: Tensor, rows: range, sweep: Function, ends: int) -> list[Any]:
    """One sweep from these unit vectors, all at once along a hidden axis."""
    unit = np.eye(len(rows), start.size, rows.start, dtype=start.dtype).reshape(len(rows), *start.shape)
    level = next_level()
    with in_level(level):
        return [outside(c, level, len(rows)) for c in sweep(Batched(unit, level))]


@_takes_argnum
def hessian(f: Function, argnums: int = 0) -> Function:
    """A function that returns the second derivatives of a scalar f, of shape (*x.shape, *x.shape)."""
    return jacobian(jacobian(f, argnums), argnums)


def hvp(f: Function, *args: Any, argnums: int = 0) -> Any:
    """The Hessian of a scalar f at x times v, without forming the Hessian: hvp(f)(x, v) or hvp(f, x, v)."""

    @functools.wraps(f)
    def product(*xs_and_v: Any, **kwargs: Any) -> Any:
        *xs, v = xs_and_v
        run = _Recorded(grad(f, argnums), tuple(xs), kwargs, argnums)
        vs = align(v if run.single else list(v), run._rebuild(run.xs)[0] if run.single else run._rebuild(run.xs))
        return run.arrange(run.pull(vs))  # the Hessian is symmetric

    return product(*args) if args else product


# ---- forward mode ----


def jvp(f: Function, *args: Any) -> Any:
    """(f(primals), the directional derivative along the tangents) in one forward sweep.

    jvp(f, x, v) for one argument, jvp(f, (x1, x2), (v1, v2)) for several; `jvp(f)` is the function of both.
    """
    if not args:
        return functools.partial(jvp, f)
    if len(args) != 2:
        raise TypeError(
            "jvp takes the function, the primals and the tangents: jvp(f, x, v) or jvp(f, (x1, x2), (v1, v2))"
        )
    primals, tangents = (v if type(v) is tuple else (v,) for v in args)
    if len(primals) != len(tangents):
        raise TypeError(f"{len(primals)} primals but {len(tangents)} tangents")
    run = _Recorded(f, primals, {}, range(len(primals)))
    pushed = run.push(align(list(tangents), run._rebuild(run.xs)))
    return run.value, run._rebuild_y(pushed)


def linearize(f: Function, *primals: Any) -> Any:
    """(f(*primals), push): push(*tangents) gives the tangent of the result, and does not run f again.

    The tangents have the structures and shapes of the primals.
    """
    run = _Recorded(f, primals, {}, range(len(primals)))

    def push(*tangents: Any) -> Any:
        return run._rebuild_y(run.push(align(list(tangents), run._rebuild(run.xs))))

    return run.value, push
