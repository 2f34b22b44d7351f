"""The names of HIPS autograd's `core`, in terms of our transforms: make_vjp, make_jvp, vector spaces, rules.

A vector space says what arithmetic a value (an array, or a container of arrays) takes part in. Ours are plain
functions of arrays, so they work on Tensors too and need no rules.
"""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, ClassVar

import numpy as np

from . import custom
from .custom import Primitive
from .errors import NotDifferentiableError
from .tensor import FUNCTIONS, Tensor
from .transforms import _Recorded, vjp
from .tree import align, flatten, is_container

Function = Callable[..., Any]


def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """(pull, fun(x)): pull(g) gives the cotangent of x."""
    value, pull = vjp(fun, x)
    return pull, value


def make_jvp(fun: Function, x: Any) -> Function:
    """The function v -> (fun(x), the derivative of fun at x along v)."""
    run = _Recorded(fun, (x,), {}, 0)
    return lambda v: (run.value, run._rebuild_y(run.push(align(v, run._rebuild(run.xs)[0]))))


# ---- vector spaces ----


class VSpace:
    """What zero, a sum and an inner product are for values like this one."""

    mappings: ClassVar[dict[type, Function]] = {}
    iscomplex = False

    def __init__(self, value: Any):
        self.value = value

    @classmethod
    def register(cls, value_type: type, vspace_maker: Function | None = None) -> None:
        """Values of this type live in this space."""
        VSpace.mappings[value_type] = vspace_maker or cls

    def mut_add(self, x: Any, y: Any) -> Any:
        """The sum, x being None for zero. Nothing is changed in place."""
        return y if x is None else self.add(x, y)

    def add(self, x: Any, y: Any) -> Any:
        """The sum x + y."""
        return x + y

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """The product x * a with a number."""
        return x * a

    def covector(self, x: Any) -> Any:
        """x as a linear form: its conjugate."""
        return np.conj(x) if self.iscomplex else x

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__})"


class ArrayVSpace(VSpace):
    """Arrays of one shape and dtype; complex ones have two real dimensions for each element."""

    def __init__(self, value: Any):
        self.shape: Any = np.shape(value)
        self.dtype = np.result_type(value)
        self.iscomplex = self.dtype.kind == "c"

    @property
    def size(self) -> int:
        """The number of real dimensions."""
        return int(np.prod(self.shape)) * (2 if self.iscomplex else 1)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def zeros(self) -> Any:
        return np.zeros(self.shape, self.dtype)

    def ones(self) -> Any:
        return np.full(self.shape, 1 + 1j if self.iscomplex else 1, self.dtype)

    def randn(self) -> Any:
        """Standard normal numbers, from NumPy's global generator."""
        draw = np.asarray(np.random.randn(*self.shape))
        return (draw + 1j * np.random.randn(*self.shape) if self.iscomplex else draw).astype(self.dtype)

    def standard_basis(self) -> Iterator[Any]:
        for index in np.ndindex(self.shape):
            for one in (1, 1j) if self.iscomplex else (1,):
                e = self.zeros()
                e[index] = one
                yield e

    def inner_prod(self, x: Any, y: Any) -> Any:
        return np.real(np.sum(np.conj(x) * y)) if self.iscomplex else np.sum(x * y)


class ContainerVSpace(VSpace):
    """Containers of one structure: everything is done leaf by leaf."""

    def __init__(self, value: Any):
        leaves, rebuild = flatten(value)
        self.kind = type(value)
        self.shape: Any = rebuild([vspace(leaf) for leaf in leaves])

    def _map(self, f: Function, *values: Any) -> Any:
        spaces, rebuild = flatten(self.shape)
        columns = [align(v, self.shape) for v in values]
        return rebuild([f(*row) for row in zip(spaces, *columns, strict=True)])

    @property
    def size(self) -> int:
        """The number of real dimensions."""
        return sum(space.size for space in flatten(self.shape)[0])

    def zeros(self) -> Any:
        return self._map(lambda space: space.zeros())

    def ones(self) -> Any:
        return self._map(lambda space: space.ones())

    def randn(self) -> Any:
        return self._map(lambda space: space.randn())

    def standard_basis(self) -> Iterator[Any]:
        spaces, rebuild = flatten(self.shape)
        for k, space in enumerate(spaces):
            for e in space.standard_basis():
                yield rebuild([e if j == k else other.zeros() for j, other in enumerate(spaces)])

    def add(self, x: Any, y: Any) -> Any:
        return self._map(lambda space, a, b: space.add(a, b), x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return self._map(lambda space, v: space.scalar_mul(v, a), x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        parts = self._map(lambda space, a, b: space.inner_prod(a, b), x, y)
        return sum(flatten(parts)[0])

    def covector(self, x: Any) -> Any:
        return self._map(lambda space, v: space.covector(v), x)


def vspace(value: Any) -> Any:
    """The vector space of an array, a float or complex number, a container of these, or a registered type."""
    value = value._array if isinstance(value, Tensor) else value
    for kind in type(value).__mro__:
        if kind in VSpace.mappings:
            return VSpace.mappings[kind](value)
    if is_container(value):
        return ContainerVSpace(value)
    if isinstance(value, np.ndarray | np.inexact | float | complex):
        return ArrayVSpace(value)
    raise TypeError(f"a {type(value).__name__} has no vector space: {value!r:.60}")


class SparseObject:
    """A gradient that is almost everywhere zero: `mut_add` adds it to an array of the space `vs`, and returns that."""

    def __init__(self, vs: Any, mut_add: Function):
        self.vs = vs
        self.mut_add = mut_add

    def dense(self) -> Any:
        """The same as an array or a container of arrays."""
        return self.mut_add(self.vs.zeros())


VSpace.register(SparseObject, operator.attrgetter("vs"))


def sum_outgrads(gs: Iterable[Any]) -> Any:
    """The sum of cotangents."""
    return functools.reduce(lambda a, b: vspace(b).add(a, b), map(_dense, gs))


def _dense(g: Any) -> Any:
    return g.dense() if isinstance(g, SparseObject) else g


# ---- rules ----


def _box_of(fun: Any) -> Primitive:
    """The black box behind a function: a @primitive, or a function of NumPy's, which then takes its rules from here."""
    box = getattr(fun, "box", None)
    if isinstance(box, Primitive):
        return box
    if isinstance(fun, np.ufunc) or hasattr(fun, "_implementation"):  # it speaks NumPy's protocols
        own = FUNCTIONS.get(fun)
        if not isinstance(own, Primitive):
            own = FUNCTIONS[fun] = Primitive(fun)
        return own
    raise TypeError(f"{getattr(fun, '__name__', fun)} takes no rules: put @primitive above it")


def defvjp_argnums(fun: Any, vjpmaker: Function) -> None:
    """vjpmaker(argnums, ans, args, kwargs) -> (g -> the cotangents of these arguments)."""
    box = _box_of(fun)

    def vjps(*call: Any) -> Function:
        pull = vjpmaker(*call)
        return lambda g: map(_dense, pull(g))

    box.vjps = vjps
    box.one_by_one = False
    primitive_vjps[fun] = vjpmaker


def defvjp_argnum(fun: Any, vjpmaker: Function) -> None:
    """vjpmaker(argnum, ans, args, kwargs) -> (g -> the cotangent of this argument)."""

    def vjps(argnums: Any, *call: Any) -> Function:
        pulls = [vjpmaker(k, *call) for k in argnums]
        return lambda g: [pull(g) for pull in pulls]

    defvjp_argnums(fun, vjps)
    _box_of(fun).one_by_one = True


def defvjp(fun: Any, *vjpmakers: Function | None, argnums: Iterable[int] | None = None) -> None:
    """vjpmaker(ans, *args, **kwargs) -> (g -> cotangent), one for each of `argnums` (0, 1, ...). None: no gradient."""
    rules = dict(zip(count() if argnums is None else argnums, vjpmakers, strict=False))

    def one(k: int, ans: Any, args: Any, kwargs: Any) -> Function:
        rule = _rule(rules, k, fun, "VJP")
        return (lambda g: None) if rule is None else rule(ans, *args, **kwargs)

    defvjp_argnum(fun, one)


def defjvp_argnums(fun: Any, jvpmaker: Function) -> None:
    """jvpmaker(argnums, tangents, ans, args, kwargs) -> the tangent of the result."""
    _box_of(fun).jvps = lambda *call: _dense(jvpmaker(*call))
    primitive_jvps[fun] = jvpmaker


def defjvp_argnum(fun: Any, jvpmaker: Function) -> None:
    """jvpmaker(argnum, g, ans, args, kwargs) -> what the tangent g of this argument contributes."""
    defjvp_argnums(
        fun,
        lambda argnums, gs, *call: sum_outgrads([jvpmaker(k, g, *call) for k, g in zip(argnums, gs, strict=True)]),
    )


def defjvp(fun: Any, *jvpfuns: Any, argnums: Iterable[int] | None = None) -> None:
    """jvpfun(g, ans, *args, **kwargs) -> tangent, one for each of `argnums`.

    "same": fun is linear in this argument, and is its own derivative. None: no derivative.
    """
    rules = dict(zip(count() if argnums is None else argnums, jvpfuns, strict=False))

    def one(k: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        rule = _rule(rules, k, fun, "JVP")
        if rule is None:
            return vspace(ans).zeros()
        return _linear(k, g, args, kwargs, fun) if isinstance(rule, str) else rule(g, ans, *args, **kwargs)

    defjvp_argnum(fun, one)


def def_linear(fun: Any) -> None:
    """Say that fun is linear in each of its arguments."""
    defjvp_argnum(fun, lambda k, g, ans, args, kwargs: _linear(k, g, args, kwargs, fun))


def _linear(k: int, g: Any, args: Sequence[Any], kwargs: Any, fun: Any) -> Any:
    return fun(*args[:k], g, *args[k + 1 :], **kwargs)


def _rule(rules: dict[int, Any], k: int, fun: Any, kind: str) -> Any:
    if k not in rules:
        raise NotDifferentiableError(f"{fun.__name__}() has no {kind} for its argument {k}")
    if rules[k] is not None and not callable(rules[k]) and rules[k] != "same":
        raise TypeError(f"{fun.__name__}: {rules[k]!r} is no {kind}")
    return rules[k]


# What was defined by these functions. Rules of the table are not here: NumPy's functions have them from autograd.ops.
primitive_vjps: dict[Any, Function] = {}
primitive_jvps: dict[Any, Function] = {}


# ---- the spellings of before version 1.2 ----


def primitive(function: Any) -> Any:
    """`autograd.primitive` with the methods that old programs define rules with: defvjp, defgrad, defvjp_is_zero."""
    call = custom.primitive(function)
    rules: dict[int, Any] = {}

    def define(maker: Any, argnums: Iterable[int]) -> None:
        warnings.warn("methods that define rules are deprecated; use autograd.extend.defvjp", stacklevel=3)
        rules.update(dict.fromkeys(argnums, maker))
        defvjp(call, *rules.values(), argnums=tuple(rules))

    def old_vjp(rule: Function, argnum: int = 0) -> None:
        def maker(ans: Any, *args: Any, **kwargs: Any) -> Function:
            return lambda g: rule(g, ans, vspace(args[argnum]), vspace(g), *args, **kwargs)

        define(maker, [argnum])

    call.defvjp = old_vjp
    call.defgrad = lambda maker, argnum=0: define(maker, [argnum])
    call.defvjp_is_zero = lambda argnums=(0,): define(None, argnums)
    return call
