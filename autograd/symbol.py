"""Symbol: what a rule computes, as a formula.

Fed to a rule in place of an array, a Symbol records the expression instead of computing it. The formula on the screen
is therefore the code that ran and cannot go stale. `str(s)` prints it; `s.evaluate(x=...)` computes it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .node import Node
    from .op import Op

# printed form and binding strength of the operators, as in Python's grammar; a call binds strongest
_INFIX: dict[Any, tuple[str, int]] = {
    **{f: (s, 1) for f, s in ((operator.gt, ">"), (operator.lt, "<"), (operator.ge, ">="), (operator.le, "<="))},
    operator.eq: ("==", 1),
    operator.ne: ("!=", 1),
    operator.or_: ("|", 2),
    operator.and_: ("&", 3),
    operator.add: ("+", 4),
    operator.sub: ("-", 4),
    operator.mul: ("*", 5),
    operator.truediv: ("/", 5),
    operator.matmul: ("@", 5),
    operator.neg: ("-", 6),
    operator.pow: ("**", 7),
}
_ATOM = 9
_UFUNCS = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.power: operator.pow, np.negative: operator.neg, np.matmul: operator.matmul, np.greater: operator.gt,
    np.less: operator.lt, np.greater_equal: operator.ge, np.less_equal: operator.le, np.equal: operator.eq,
    np.not_equal: operator.ne, np.logical_and: operator.and_,
    np.bitwise_and: operator.and_, np.bitwise_or: operator.or_,
}  # fmt: skip


class Symbol:
    """A named value, or a function applied to Symbols and constants."""

    __slots__ = ("args", "function", "kwargs", "name")
    __hash__ = object.__hash__

    def __init__(
        self, name: str, function: Callable[..., Any] | None = None, args: tuple[Any, ...] = (), kwargs: Any = None
    ):
        self.name = name
        self.function = function
        self.args = args
        self.kwargs = kwargs or {}

    # ---- recording ----

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Symbol:
        return _call(_UFUNCS.get(ufunc, ufunc), args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Symbol:
        return _call(function, args, kwargs)

    def __apply_op__(self, op: Op, args: Any, kwargs: Any) -> Symbol:
        return _call(op, args, {k: v for k, v in kwargs.items() if v is not op.defaults.get(k)})

    def __neg__(self) -> Symbol:
        return _call(operator.neg, (self,), {})

    def __getitem__(self, index: Any) -> Symbol:
        return _call(operator.getitem, (self, index), {})

    @property
    def mT(self) -> Symbol:
        return Symbol("transpose", operator.attrgetter("mT"), (self,))

    # ---- reading ----

    def evaluate(self, **values: Any) -> Any:
        """The value of the formula for these values of its names. Raises KeyError for a name that is missing."""
        if self.function is None:
            return values[self.name]
        args = [a.evaluate(**values) if isinstance(a, Symbol) else a for a in self.args]
        return self.function(*args, **self.kwargs)

    def __str__(self) -> str:
        return self._text()[0]

    __repr__ = __str__

    def _text(self) -> tuple[str, int]:
        if self.function is None:
            return self.name, _ATOM
        if self.function is operator.getitem:
            return f"{_operand(self.args[0], _ATOM)}[{self.args[1]}]", _ATOM
        if self.function in _INFIX:
            sign, strength = _INFIX[self.function]
            if len(self.args) == 1:
                return f"{sign}{_operand(self.args[0], strength)}", strength
            power, compares = self.function is operator.pow, strength == _INFIX[operator.eq][1]
            left = _operand(self.args[0], strength + (power or compares))  # a < b < c would be a chain
            right = _operand(self.args[1], strength + (not power))
            return f"{left} {sign} {right}", strength
        parts = [_operand(a, 0) for a in self.args] + [f"{k}={v}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(parts)})", _ATOM


def _operand(value: Any, strength: int) -> str:
    if not isinstance(value, Symbol):
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        return f"({text})" if text.startswith("-") and strength else text
    text, own = value._text()
    return f"({text})" if own < strength else text


def _call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
    return Symbol(getattr(function, "name", None) or function.__name__, function, args, kwargs)


def _operator(function: Any) -> tuple[Any, Any]:
    return (lambda a, b: _call(function, (a, b), {})), (lambda a, b: _call(function, (b, a), {}))


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    _forward, _reflected = _operator(getattr(operator, _name))
    setattr(Symbol, f"__{_name}__", _forward)
    setattr(Symbol, f"__r{_name}__", _reflected)
for _name in ("gt", "lt", "ge", "le", "eq", "ne", "and_", "or_"):
    setattr(Symbol, f"__{_name.rstrip('_')}__", _operator(getattr(operator, _name))[0])


def rule_symbol(op: Op, i: int, node: Node | None = None) -> Symbol:
    """What the rule of input i makes of the cotangent g, read off the rule itself."""
    g: Any = Symbol("g")
    rule = op.rule_of(i)
    if not callable(rule):
        return g if rule == 1 else -g if rule == -1 else g * rule
    needs = op.needs_of(i)
    statics = {**op.defaults, **(node.kwargs if node is not None else {})}
    known = {"i": i, "among": sum(1 for _ in node.plan.pulls) if node is not None and node.plan else 1, "g": g}
    values = [known[n] if n in known else Symbol(n) for n in needs if n in known or n not in op.statics]
    keywords = {n: statics.get(n, default) for n, default in needs.items() if n in op.statics and n not in known}
    keywords = {
        n: Symbol(n) if v is not None and not isinstance(v, int | float | str | tuple) else v
        for n, v in keywords.items()
    }
    result = rule(*values, **keywords)
    return g * result if op.kind == "elementwise" else result


def formula(op: Op, i: int, node: Node | None = None) -> str:
    """The rule of input i in symbols: the string that stands beside the rule, or else read off it by Symbol.

    A rule that Symbol cannot read is called by its name.
    """
    if op.formulas:
        return op.formulas[min(i - sum(rule is None for rule in op.rules[:i]), len(op.formulas) - 1)]
    try:
        return str(rule_symbol(op, i, node))
    except Exception:  # a rule of the user's may ask its arguments what only an array can tell
        return f"{op.name}_rule({', '.join(op.needs_of(i))})"
