"""Op: a forward function, its derivative rules, and the way a call is recorded.

A rule is one line of plain NumPy. Its parameter names say what it needs, and are read once, here:

    g            the incoming cotangent (not in elementwise rules, whose value the engine multiplies by g)
    x  or  a, b  an input by its own name: recording keeps that array; y keeps the result
    x_shape      the shape of an input: keeps no array
    axis, ...    a static argument of the call
    xs, i        in an op of any number of inputs: all of them, and which one the rule is for
    among        how many of the inputs are recorded (1: all others are constants)

Four kinds say what a rule is, and so how the forward mode follows from it:

    elementwise  one partial derivative per argument (a function or a number)
    linear       the transpose, one per argument       (forward mode: the op itself, on the tangents)
    multilinear  one VJP per argument                  (forward mode: the op with the tangent in one place, summed)
    general      one VJP per argument                  (forward mode: the transpose of the VJP, which is linear in g)

Two spellings: a row, `sin = elementwise(np.sin, np.cos)`, or for a longer one `@general` above the forward function
and `@op.rule` above each rule. Users register their own operations with the same calls.
"""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import NotDifferentiableError
from .modes import MODE
from .node import NO_KWARGS, Node
from .plan import MANY, Plan, check_rule, make_plan, parameters, signature_of
from .source import KNOWN_FILES, caller
from .tensor import FUNCTIONS, PLAIN, Tensor, as_array, new_tensor

Rule = Callable[..., Any] | float | None

# On NumPy scalars, which is what 0-d results are, Python's operators are several times faster than the ufunc.
_FASTER: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.absolute: operator.abs,
    np.matmul: operator.matmul,
}


class Op:
    """An operation that can be recorded. Called on Tensors it records; called on plain arrays it just computes.

    inputs     names of the array arguments as the rules spell them; read off a Python function, else "x" or "a b"
    accepts    static arguments that no rule needs but that may be passed on
    formulas   the rules in symbols, where `Symbol` cannot read them off the rules
    selects    part of the input is left out and gets a cotangent of exactly 0: further down 0 * inf must stay 0
    outputs    the number of arrays that the forward function returns (in a tuple)
    residuals  for values that the forward function has computed anyway and a rule names: {name: function of inputs that
               computes it}. The forward function then returns (result, *residuals); they are saved, and computed again
               by that function where the rule runs on Tensors, so that higher orders stay right
    shared     for what the rules of several inputs compute from the cotangent: {name: function}. A rule that names it
               gets its value, found once for all inputs; the function takes what a rule takes
    broadcasts the rules leave it to the engine to sum over the axes along which an input was stretched
    view       (of a registration) NumPy's result is a view of the input where it can be; see view.py
    batch      how the op takes one more axis in front of its arrays: "stack" if it works on their last axes and takes
               stacks of them, "axis" if its static argument `axis` says on which axes it works, "elementwise" if it
               is so whatever its kind, or a function of (op, arrays, static arguments) that returns the result with
               that axis in front. The arrays it gets all have that axis, unless the function has a fourth parameter,
               `batched`, that says which of them do. An op of kind elementwise needs none
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        rules: tuple[Rule, ...] = (),
        *,
        kind: str,
        name: str | None = None,
        inputs: str | None = None,
        accepts: str = "",
        formulas: tuple[str, ...] = (),
        selects: bool = False,
        outputs: int = 1,
        broadcasts: bool | None = None,
        residuals: dict[str, Callable[..., Any]] | None = None,
        shared: dict[str, Callable[..., Any]] | None = None,
        batch: str | Callable[..., Any] | None = None,
    ):
        self.numpy = forward
        self.forward = _FASTER.get(forward, forward) if isinstance(forward, np.ufunc) else forward
        self.kind = kind
        self.name: str = str(name or getattr(forward, "__name__", "op"))
        self.rules = list(rules)
        self.formulas = formulas
        self.selects = selects
        self.special = selects or bool(shared)  # a sweep has something to do after the rules of this op
        self.outputs = outputs
        self.residuals = residuals or {}
        self.shared = shared or {}
        self.batch = batch
        self.broadcasts = kind == "elementwise" if broadcasts is None else broadcasts
        self.__doc__ = getattr(forward, "__doc__", None) if inspect.isfunction(forward) else None
        self._spelled: Callable[..., Any] | None = None
        self._inputs = inputs
        self._accepts = accepts.split()
        self._read_signatures()

    # ---- what the signatures say ----

    def _read_signatures(self) -> None:
        self.plans: dict[int, Plan] = {}
        self.plain = self.outputs == 1 and not self.residuals
        self._parameters: list[str] | None = None
        self.names, self.defaults = self._forward_signature()
        self.arity = MANY if self.names == ("xs",) else len(self.names)
        self.statics = set(self._accepts) | set(self.defaults)
        reserved = {"g", "y", "i", "among"}
        if taken := reserved & {*self.names, *self.statics}:
            raise TypeError(
                f"{self.name}: an argument cannot be called {sorted(taken)[0]!r}: in a rule g is the cotangent, "
                "y the result, and i and among count inputs"
            )
        if len(self.rules) > max(self.arity, 1):
            raise TypeError(f"{self.name} has {len(self.rules)} rules for the inputs {', '.join(self.names)}")
        known = {*reserved, *self.residuals, *self.shared, *self.names, *(f"{n}_shape" for n in self.names)}
        self._needs: list[dict[str, Any]] = []
        for rule in self.rules:
            needs = parameters(rule) if callable(rule) else {}
            self._needs.append(needs)
            if needs:
                check_rule(self, needs, known)
            self.statics |= needs.keys() - known

    def _forward_signature(self) -> tuple[tuple[str, ...], dict[str, Any]]:
        if self._inputs is not None:
            return tuple(self._inputs.split()), NO_KWARGS
        if not inspect.isfunction(self.numpy):
            return (("x",) if len(self.rules) < 2 else ("a", "b")), NO_KWARGS
        names: list[str] = []
        defaults: dict[str, Any] = {}
        for p in inspect.signature(self.numpy).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                return ("xs",), {**defaults}
            if p.default is p.empty and p.kind is not p.KEYWORD_ONLY:
                names.append(p.name)
            elif p.default is not p.empty:
                defaults[p.name] = p.default
            else:
                self._accepts.append(p.name)
        return tuple(names), defaults or NO_KWARGS

    def rule(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the rule of the next input."""
        self.rules.append(rule)
        self._read_signatures()
        return rule

    def with_keywords(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: what a call means that has more than the arrays. It reaches this op through `apply`."""
        self._spelled = function
        return function

    # ---- calling ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self.arity:
            if self._spelled is not None:
                return self._spelled(*args, **kwargs)
            return apply(self, *self.bind(args, kwargs))
        if len(args) == 1 and self.plain and isinstance(args[0], Tensor):  # `apply` for the commonest case
            x = args[0]
            mode = MODE.get()
            if mode.vmap is not None:
                return apply(self, args, self.defaults)
            array, node = x._array, x.node
            y = self.forward(array, **self.defaults) if self.defaults else self.forward(array)
            if node is None or not mode.recording:
                return new_tensor(y if hasattr(y, "dtype") else _result(self, y), None)
            return record(self, (array,), (node,), 1, self.defaults, y, mode)
        return apply(self, args, self.defaults)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call as NumPy spells it into array arguments and static ones; refuse what the rules do not know."""
        if self.arity == MANY:
            data, statics = args, kwargs
        else:
            names = self.parameters
            if len(args) > len(names):
                raise TypeError(f"{self.name}() takes {len(names)} positional arguments, got {len(args)}")
            bound = {**dict(zip(names, args, strict=False)), **kwargs}
            missing = [name for name in names[: self.arity] if name not in bound]
            if missing:
                raise TypeError(f"{self.name}() needs its argument {missing[0]!r}")
            data = tuple(bound.pop(name) for name in names[: self.arity])
            statics = bound
        statics = {k: v for k, v in statics.items() if k in self.statics or not self._is_default(k, v)}
        unknown = statics.keys() - self.statics
        if unknown:
            raise NotDifferentiableError(
                f"{self.name}() on a Tensor does not take {sorted(unknown)[0]}=. "
                f"It takes {', '.join(sorted(self.statics)) or 'no keyword'}; "
                "for anything else compute on t.data, where nothing is recorded."
            )
        return data, {**self.defaults, **statics}

    @property
    def parameters(self) -> list[str]:
        """All parameters of the forward function in its own order and spelling; read when first needed."""
        if self._parameters is None:
            found = signature_of(self.numpy) or []
            self._parameters = found if len(found) >= self.arity else list(self.names)
        return self._parameters

    def _is_default(self, name: str, value: Any) -> bool:
        if value is None or value is np._NoValue:
            return True
        try:
            return bool(inspect.signature(self.numpy).parameters[name].default == value)
        except (TypeError, ValueError, KeyError):
            return False

    # ---- rules ----

    def rule_of(self, i: int) -> Rule:
        """The rule of input i; one rule serves all inputs of an op that takes any number."""
        k = 0 if self.arity == MANY else i
        if k >= len(self.rules):
            raise NotDifferentiableError(
                f"{self.name}() has no derivative rule for its input {self.names[k]!r}. "
                "Pass it as a plain array (t.data), or register a rule for it."
            )
        return self.rules[k]

    def differentiates(self, i: int) -> bool:
        """True if input i has a rule."""
        return self.arity == MANY or (i < len(self.rules) and self.rules[i] is not None)

    def needs_of(self, i: int) -> dict[str, Any]:
        """The parameters of the rule of input i, with their defaults."""
        return self._needs[0 if self.arity == MANY else i]

    def plan(self, active: int, n: int) -> Plan:
        """The Plan where the inputs whose bit is set in `active` are recorded."""
        plan = make_plan(self, active, n)
        if self.arity != MANY:
            self.plans[active] = plan
        return plan

    def input_named(self, name: str, node: Node) -> Any:
        """What the node has recorded for the input of this name (a Node, a number or None)."""
        return node.inputs[self.names.index(name)] if name in self.names and self.arity != MANY else None

    def formula(self, i: int, node: Node | None = None) -> str:
        """The rule of input i in symbols."""
        from .symbol import formula

        return formula(self, i, node)

    def __repr__(self) -> str:
        return f"<{self.kind} op {self.name}>"


# ---- recording ----


def apply(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute op(*args) and, if one of the arguments is recorded, record it. The hot path of the engine."""
    data: list[Any] = []
    inputs: list[Any] = []
    active = 0
    bit = 1
    wrapped = False
    mode = MODE.get()
    if mode.vmap is not None:
        args = mode.vmap.on_one_level(args, kwargs)
    for a in args:
        if isinstance(a, Tensor):
            wrapped = True
            data.append(a._array)
            node = a.node
            inputs.append(node)
            if node is not None:
                active += bit
        else:
            if a.__class__ not in PLAIN:
                if hasattr(a, "__apply_op__"):  # another carrier, for example Symbol
                    y = a.__apply_op__(op, args, kwargs)
                    if y is not NotImplemented:  # else it is a constant beside a Tensor that holds its like
                        return y
                a = as_array(a)
            data.append(a)
            inputs.append(a if a.__class__ in PLAIN and a.__class__ is not np.ndarray else None)
        bit += bit
    y = op.forward(*data, **kwargs) if mode.vmap is None else mode.vmap.forward(op, data, kwargs)
    if op.residuals:
        y, *residuals = y
    else:
        residuals = []
    if active and mode.recording:
        return record(op, [*data, *residuals], inputs, active, kwargs, y, mode)
    if not wrapped:
        return y
    if op.outputs > 1:
        return tuple([new_tensor(part, None) for part in _results(op, y)])
    return new_tensor(y if hasattr(y, "dtype") else _result(op, y), None)


def _result(op: Op, y: Any) -> Any:
    """What a forward function of the user's returned, as an array: it may be a Python number."""
    if isinstance(y, tuple):
        raise TypeError(
            f"{op.name}() returned a tuple of {len(y)}; register an op of several results with outputs={len(y)}"
        )
    return np.asarray(y)


def _results(op: Op, y: Any) -> tuple[Any, ...]:
    if not isinstance(y, tuple | list) or len(y) != op.outputs:
        what = f"a {type(y).__name__} of {len(y)}" if isinstance(y, tuple | list) else f"one {type(y).__name__}"
        raise TypeError(f"{op.name}() returned {what}, but is registered with outputs={op.outputs}")
    return tuple([p if hasattr(p, "dtype") else np.asarray(p) for p in y])


def record(op: Op, data: Any, inputs: Any, active: int, kwargs: dict[str, Any], y: Any, mode: Any) -> Any:
    """Make the Node of a call whose result is y, and the Tensor that holds both."""
    plan = op.plans.get(active) or op.plan(active, len(inputs))
    code, lasti = caller()
    if op.outputs > 1:
        return _record_parts(op, data, inputs, kwargs, y, plan, code, lasti, mode)
    try:
        shape = y.shape
    except AttributeError:
        y = _result(op, y)
        shape = y.shape
    node = Node(
        op, tuple(inputs), kwargs, plan, plan.save(*data, y), shape, y.dtype,
        None if shape else y, code, lasti, mode.scope,
    )  # fmt: skip
    if mode.watchers is not None:
        for watcher in mode.watchers:
            watcher.forward(node, y, data)
    return new_tensor(y, node)


def _does_it_itself(other: Any) -> bool:
    """True for what wants to handle operators itself: it says so, or it is a container of arrays and no array."""
    ufunc = getattr(other, "__array_ufunc__", True)
    return ufunc is None or (ufunc is not True and not hasattr(other, "__array_function__"))


def operators(op: Op) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`a * b` and its reflected form as methods of Tensor.

    This is `apply` and `record` written out for one Tensor and one other argument: code on scalars spends its time
    here, and a call that is not made is what makes it fast.
    """
    forward, plans, plain, ndarray, kwargs = op.forward, op.plans, PLAIN, np.ndarray, op.defaults
    new, get_mode, get_frame, known = Tensor.__new__, MODE.get, sys._getframe, KNOWN_FILES.get

    def method(self: Tensor, other: Any) -> Any:
        a, n = self._array, self.node
        m: Any
        active = 0 if n is None else 1
        if isinstance(other, Tensor):
            b = other._array
            m = other.node
            if m is not None:
                active += 2
        elif other.__class__ in plain:
            b = other
            m = None if other.__class__ is ndarray else other
        elif _does_it_itself(other):
            return NotImplemented
        else:
            return apply(op, (self, other), kwargs)
        mode = get_mode()
        if not mode.usual or not active:
            return apply(op, (self, other), kwargs) if mode.vmap is not None else new_tensor(forward(a, b), None)
        y = forward(a, b)
        plan = plans.get(active) or op.plan(active, 2)
        frame = get_frame(1)
        code: Any = frame.f_code
        lasti = frame.f_lasti
        if known(code.co_filename) is not False:
            code, lasti = caller()
        shape = y.shape
        node = Node(
            op, (n, m), kwargs, plan, plan.save(a, b, y), shape, y.dtype,
            None if shape else y, code, lasti, mode.scope,
        )  # fmt: skip
        if mode.watchers is not None:
            for watcher in mode.watchers:
                watcher.forward(node, y, (a, b))
        t = new(Tensor)
        t._array = y
        t.node = node
        return t

    def reflected(self: Tensor, other: Any) -> Any:
        return apply(op, (other, self), kwargs)

    return method, reflected


# ---- operations with several results: one node for the call, and one `part` node for each result ----


class Parts:
    """The cotangent of a call with several results: some of them, the others zero. Adds like an array."""

    __slots__ = ("dtype", "parts", "shape")

    def __init__(self, parts: dict[int, Any], shape: tuple[Any, ...], dtype: tuple[Any, ...]):
        self.parts = parts
        self.shape = shape
        self.dtype = dtype

    def __add__(self, other: Parts) -> Parts:
        parts = dict(self.parts)
        for k, g in other.parts.items():
            parts[k] = parts[k] + g if k in parts else g
        return Parts(parts, self.shape, self.dtype)

    def __iter__(self) -> Any:
        for k, (shape, dtype) in enumerate(zip(self.shape, self.dtype, strict=True)):
            yield self.parts[k] if k in self.parts else np.zeros(shape, dtype)


part = Op(
    lambda whole, *, index, shape, dtype: whole[index],
    (lambda g, index, shape, dtype: Parts({index: g}, shape, dtype),),
    kind="part",
    name="part",
    inputs="whole",
    formulas=("g",),
)


def _record_parts(
    op: Op, data: Any, inputs: Any, kwargs: dict[str, Any], y: Any, plan: Plan, code: Any, lasti: int, mode: Any
) -> Any:
    y = _results(op, y)
    shape, dtype = tuple([p.shape for p in y]), tuple([p.dtype for p in y])
    whole = Node(op, tuple(inputs), kwargs, plan, plan.save(*data, y), shape, dtype, None, code, lasti, mode.scope)
    if mode.watchers is not None:
        for watcher in mode.watchers:
            watcher.forward(whole, y, data)
    return parts_of(whole, y)


def parts_of(whole: Node, y: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """A Tensor for each result of a call with several."""
    results = []
    for k, p in enumerate(y):
        static = {"index": k, "shape": whole.shape, "dtype": whole.dtype}
        node = Node(
            part, (whole,), static, part.plans.get(1) or part.plan(1, 1), (), p.shape, p.dtype,
            None if p.shape else p, whole.code, whole.lasti, whole.scope,
        )  # fmt: skip
        results.append(new_tensor(p, node))
    return tuple(results)


# ---- registration ----


def _register(kind: str) -> Callable[..., Any]:
    def register(forward: Any = None, *rules: Any, handles: Any = (), view: bool = False, **options: Any) -> Any:
        if forward is None:  # @general(name=..., handles=...)
            return lambda function: register(function, *rules, handles=handles, view=view, **options)
        op = (_view_op() if view else Op)(forward, rules, kind=kind, **options)
        for function in (forward, *(handles if isinstance(handles, tuple) else (handles,))):
            if not inspect.isfunction(function):
                FUNCTIONS[function] = op
        return op

    register.__name__ = kind
    return register


def _view_op() -> type[Op]:
    """The kind of Op whose results remember what they are a view of (the option `view=True` of a row)."""
    from .view import ViewOp

    return ViewOp


def meaning(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: what these functions of NumPy's mean on Tensors, for those that are composed of ops."""

    def register(own: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS.update(dict.fromkeys(functions, own))
        return own

    return register


elementwise = _register("elementwise")
linear = _register("linear")
multilinear = _register("multilinear")
general = _register("general")
