"""Plan: what the parameter names of an op's rules mean for one call of it.

The names are the list of what is saved. For each pattern of recorded inputs a Plan says, once and for all, what to
save and how to call each rule with it, so that recording and sweeping look nothing up.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .op import Op

MANY = -1  # the arity of an op that takes any number of arrays

# what to keep of (x, y) and of (a, b, y), written out because every recorded operation runs one of these
_SAVE: dict[int, dict[tuple[int, ...], Callable[..., tuple[Any, ...]]]] = {
    1: {(): lambda x, y: (), (0,): lambda x, y: (x,), (1,): lambda x, y: (y,)},
    2: {
        (): lambda a, b, y: (),
        (0,): lambda a, b, y: (a,),
        (1,): lambda a, b, y: (b,),
        (2,): lambda a, b, y: (y,),
        (0, 1): lambda a, b, y: (a, b),
        (1, 0): lambda a, b, y: (b, a),
    },
}


class Plan:
    """For one pattern of recorded inputs: which values to save, and how to pull g back to each of the inputs."""

    __slots__ = ("names", "pulls", "save")

    def __init__(self, names: tuple[str, ...], save: Callable[..., tuple[Any, ...]], pulls: tuple[Any, ...]):
        self.names = names
        self.save = save
        self.pulls = pulls


def make_plan(op: Op, active: int, n: int) -> Plan:
    """The Plan where the inputs whose bit is set in `active` are recorded."""
    rules = [(i, op.rule_of(i)) for i in range(n) if active >> i & 1]
    rules = [(i, rule) for i, rule in rules if rule is not None]
    needs = [op.needs_of(i) for i, _ in rules]
    keep = {"y", *op.names, *op.residuals, *(f"{name}_shape" for name in op.names)}
    asked = [name for need in needs for name in need]
    asked += [name for share in asked if share in op.shared for name in parameters(op.shared[share])]
    wanted = [name for name in asked if name in keep]
    wanted += [name for residual in wanted if residual in op.residuals for name in parameters(op.residuals[residual])]
    if op.kind == "linear":  # in forward mode all but the tangents are zeros of these shapes
        wanted += [f"{name}_shape" for k, name in enumerate(op.names) if not active >> k & 1 or op.arity == MANY]
    names = tuple(dict.fromkeys(wanted))
    pulls = tuple(
        (i, _pull(op, rule, need, names, {"i": i, "among": len(rules)}))
        for (i, rule), need in zip(rules, needs, strict=True)
    )
    save = _save(op, names)
    return Plan(names, (lambda *values: Sharing(save(*values))) if op.shared else save, pulls)


class Sharing(tuple[Any, ...]):
    """What a node saved, and beside it what its rules compute together from the cotangent `of`, within one sweep."""

    def __init__(self, *_: Any):
        self.of: Any = None
        self.values: dict[str, Any] = {}


def _save(op: Op, names: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """save(*data, *residuals, y) -> the values that go with these names."""
    getters = [_getter(op, name) for name in names]
    if any(callable(get) for get in getters):
        return lambda *values: tuple([get(values) if callable(get) else values[get] for get in getters])
    places = tuple(op.arity if k < 0 else k for k in getters)
    if not op.residuals and places in _SAVE.get(op.arity, ()):
        return _SAVE[op.arity][places]
    return lambda *values: tuple([values[k] for k in getters])


def _getter(op: Op, name: str) -> Any:
    """The place of a saved name in (*data, *residuals, y), or a function of that tuple."""
    if name == "y":
        return -1
    if name in op.residuals:
        return len(op.names) + list(op.residuals).index(name)
    if name == "xs":
        return lambda values: values[:-1]
    if name == "xs_shape":
        return lambda values: tuple([np.shape(x) for x in values[:-1]])
    if name in op.names:
        return op.names.index(name)
    k = op.names.index(name.removesuffix("_shape"))
    return lambda values: np.shape(values[k])


def _pull(op: Op, rule: Any, needs: Any, names: tuple[str, ...], known: dict[str, int]) -> Callable[..., Any]:
    """pull(g, saved, kwargs, times) -> the cotangent of an input, before `conform`."""
    if not callable(rule):
        return {0: _zero, 1: _pass, -1: _negate}.get(rule, lambda g, saved, kwargs, times: g * rule)
    if shared := [name for name in op.shared if name in needs]:
        return _call_with_shared(op, shared, rule, names, known)
    if op.kind != "elementwise":
        return _call_with_names(rule, needs, names, known)
    if len(needs) == 1 and not needs.keys() - set(names):
        (k,) = (names.index(name) for name in needs)
        return lambda g, saved, kwargs, times: times(g, rule(saved[k]))
    partial = _call_with_names(rule, needs, names, known)
    return lambda g, saved, kwargs, times: times(g, partial(None, saved, kwargs, None))


# ---- reading signatures and calling rules by name ----


def read_plainly(function: Any) -> dict[str, Any] | None:
    """The parameters of a plain Python function with their defaults, at a twentieth of the cost of `inspect.signature`.

    None for what only `inspect` can read: other callables, wrapped functions, *args and **kwargs.
    """
    if not inspect.isfunction(function) or function.__dict__:  # it may say there what it wraps
        return None
    code = function.__code__
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return None
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    last = names[code.co_argcount - len(defaults) : code.co_argcount]
    given = {**dict(zip(last, defaults, strict=True)), **(function.__kwdefaults__ or {})}
    return {name: given.get(name, inspect.Parameter.empty) for name in names}


def signature_of(function: Any) -> list[str] | None:
    """The names of the parameters of a function, or None where it does not tell."""
    if (plain := read_plainly(function)) is not None:
        return list(plain)
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some of NumPy's C functions have no signature
        return None


def parameters(rule: Any) -> dict[str, Any]:
    """The parameters of a rule, with their defaults."""
    if isinstance(rule, np.ufunc):
        return {"x": inspect.Parameter.empty}  # `sin = elementwise(np.sin, np.cos)`
    if (plain := read_plainly(rule)) is not None:
        return plain
    parameters = inspect.signature(rule).parameters
    stars = [str(p) for p in parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if stars:
        raise TypeError(f"a rule names each value that it needs, so it cannot take {stars[0]}")
    return {p.name: p.default for p in parameters.values()}


def _zero(g: Any, saved: Any, kwargs: Any, times: Any) -> Any:
    return np.zeros(g.shape, g.dtype)


def _pass(g: Any, saved: Any, kwargs: Any, times: Any) -> Any:
    return g


def _negate(g: Any, saved: Any, kwargs: Any, times: Any) -> Any:
    return -g


def _call_with_names(rule: Any, needs: Any, names: tuple[str, ...], known: dict[str, int]) -> Callable[..., Any]:
    """A function that calls the rule with what its parameters name: g, saved values, what is known, statics."""
    slot = {name: k for k, name in enumerate(names)}
    first = [name for name in needs if name == "g" or name in slot]
    constants = {name: value for name, value in known.items() if name in needs}
    statics = [name for name in needs if name not in first and name not in constants]
    picks = [slot.get(name, -1) for name in first]

    def pull(g: Any, saved: Any, kwargs: Any, times: Any) -> Any:
        values = [saved[k] if k >= 0 else g for k in picks]
        return rule(*values, **constants, **{name: kwargs[name] for name in statics if name in kwargs})

    if statics or constants:
        return pull
    if len(first) == 2 and first[0] == "g":  # most rules by far: no list, no star
        (_, k) = picks
        return lambda g, saved, kwargs, times: rule(g, saved[k])
    return lambda g, saved, kwargs, times: rule(*[saved[k] if k >= 0 else g for k in picks])


def _call_with_shared(
    op: Op, shared: list[str], rule: Any, names: tuple[str, ...], known: dict[str, int]
) -> Callable[..., Any]:
    """The same for a rule that names shared values, which are found when the first rule of a node asks for them."""
    ways = {name: _call_with_names(op.shared[name], parameters(op.shared[name]), names, known) for name in shared}
    call = _call_with_names(rule, parameters(rule), (*names, *shared), known)

    def pull(g: Any, saved: Any, kwargs: Any, times: Any) -> Any:
        if saved.of is not g:
            saved.of, saved.values = g, {}
        for name, compute in ways.items():
            if name not in saved.values:
                saved.values[name] = compute(g, saved, kwargs, times)
        return call(g, (*saved, *[saved.values[name] for name in shared]), kwargs, times)

    return pull


def check_rule(op: Op, needs: dict[str, Any], known: set[str]) -> None:
    """Refuse a rule whose parameters mean nothing here: a misspelled one would go unnoticed, with its default."""
    if op.kind == "elementwise" and "g" in needs:
        raise TypeError(f"{op.name}: an elementwise rule leaves out 'g'; the engine multiplies by it")
    if op.kind != "elementwise" and "g" not in needs:
        raise TypeError(f"{op.name}: a {op.kind} rule takes the cotangent, as its parameter 'g'")
    unknown = [name for name in needs if name not in known and name not in op.statics]
    signature = signature_of(op.numpy) if unknown else None
    unknown = [name for name in unknown if signature is not None and name not in signature]
    if unknown:
        static = sorted({*op.statics, *(signature or ())} - {*op.names})
        raise TypeError(
            f"{op.name}: its rule asks for {unknown[0]!r}, which the forward function does not have. A rule knows g, "
            f"y, {', '.join(op.names)}, the same with _shape, and the static arguments ({', '.join(static) or 'none'})"
        )
    kinds = [name in known - {"i", "among"} for name in needs]
    if kinds != sorted(kinds, reverse=True):
        raise TypeError(
            f"{op.name}: a rule takes g and what is saved first, then static arguments; got {', '.join(needs)}"
        )
