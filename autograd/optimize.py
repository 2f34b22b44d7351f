"""Minimise, solve and fit with SciPy's methods, which get their derivatives from here. Needs the extra `scipy`.

SciPy's solvers know vectors of float64. These functions take any container of arrays, of any float dtype, in its
place, and hand over exact gradients, Jacobians and Hessian-vector products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import NotDifferentiableError, ShapeError
from .pack import is_recorded, pack, plain
from .transforms import hessian, hvp, jacobian, value_and_grad
from .tree import flatten, is_container

try:
    import scipy.optimize as _scipy
except ImportError as error:
    raise ImportError("autograd.optimize needs SciPy: pip install seegrad[scipy]") from error

WITHOUT_GRADIENT = {"nelder-mead", "powell", "cobyla", "cobyqa"}
WITH_HESSIAN_PRODUCT = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
WITH_HESSIAN = {"dogleg", "trust-exact"}


class _Vector:
    """f, a function of a container, as SciPy sees it: a function of one float64 vector."""

    def __init__(self, f: Callable[..., Any], x0: Any, args: Any, name: str):
        x0 = plain(x0)
        vector, self.unpack = pack(x0)
        if vector.dtype.kind == "c":
            raise TypeError(f"{name} varies real numbers; give real and imaginary parts as two arrays")
        self.f, self.args, self.name = f, args if isinstance(args, tuple) else (args,), name
        if any(map(is_recorded, flatten(self.args)[0])):
            self._refuse()
        self.x0 = vector.astype(float)

    def _refuse(self) -> None:
        raise NotDifferentiableError(
            f"the result of optimize.{self.name} has no gradient; for its derivative with respect to recorded Tensors "
            f"pass these as params to autograd.implicit.{self.name if self.name == 'root' else 'minimize'}"
        )

    def _number(self, y: Any) -> float:
        if is_recorded(y):
            self._refuse()
        return float(np.reshape(plain(y), ()))

    def _one(self, x: Any) -> Any:
        y = self.f(x, *self.args)
        if is_container(y) or np.shape(y) not in ((), (1,)):
            what = f"a {type(y).__name__}" if is_container(y) else f"shape {np.shape(y)}"
            raise ShapeError(f"{self.name} takes a function that returns one number, not {what}")
        return y

    def scalar(self, v: Any) -> float:
        return self._number(self._one(self.unpack(v)))

    def value_and_gradient(self, v: Any) -> tuple[float, Any]:
        value, gradient = value_and_grad(self._one)(self.unpack(v))
        return self._number(value), pack(gradient)[0].astype(float)

    def hessian_product(self, v: Any, d: Any) -> Any:
        product = hvp(lambda x: self.f(x, *self.args), self.unpack(v), self.unpack(d))
        return pack(product)[0].astype(float)

    def hessian(self, v: Any) -> Any:
        return hessian(lambda v: np.reshape(self.f(self.unpack(v), *self.args), ()))(v)

    def residuals(self, v: Any) -> Any:
        """All numbers that f returns, as one vector."""
        y = pack(self.f(self.unpack(v), *self.args))[0]
        return y.astype(float)

    def numbers(self, v: Any) -> Any:
        """The same for SciPy, which would lose a gradient."""
        y = self.residuals(v)
        if is_recorded(y):
            self._refuse()
        return y

    def jacobian(self, v: Any) -> Any:
        return jacobian(self.residuals)(v)

    def result(self, found: Any) -> Any:
        """SciPy's result, with x as the container it was."""
        found.x = self.unpack(np.asarray(found.x))
        return found


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | None = None,
    *,
    bounds: Any = None,
    constraints: Any = (),
    callback: Callable[..., Any] | None = None,
    **kwargs: Any,
) -> Any:
    """scipy.optimize.minimize of the scalar f(x, *args), with derivatives where the method uses them.

    x0: an array, a number or a container of arrays. The result is SciPy's OptimizeResult, with .x in the structure,
    shapes and dtypes of x0; .jac and .hess_inv belong to the vector of all of x.
    bounds: for a container, the same container with a pair (low, high) of numbers or arrays, or None, in place of each
    array; for one array also what SciPy takes. constraints: as SciPy's dicts, their functions of x as f takes it, their
    derivatives from here; SciPy's constraint objects are about the vector of all of x. callback(x): x as f takes it.
    method, tol, options: SciPy's. Raises ShapeError if f returns more than one number.
    """
    if given := {"jac", "hess", "hessp"} & kwargs.keys():
        raise TypeError(f"minimize computes the derivatives itself; leave out {sorted(given)[0]}=")
    f_of = _Vector(f, x0, args, "minimize")
    which = (method or "").lower() if isinstance(method, str) or method is None else ""
    fun: Callable[..., Any] = f_of.scalar
    if which not in WITHOUT_GRADIENT:
        fun, kwargs["jac"] = f_of.value_and_gradient, True
    if which in WITH_HESSIAN_PRODUCT:
        kwargs["hessp"] = f_of.hessian_product
    elif which in WITH_HESSIAN:
        kwargs["hess"] = f_of.hessian
    if callback is not None:
        kwargs["callback"] = lambda v, *state: callback(f_of.unpack(v), *state)
    if constraints:
        kwargs["constraints"] = _constraints(constraints, x0)
    return f_of.result(_scipy.minimize(fun, f_of.x0, method=method, bounds=_bounds(bounds, x0), **kwargs))


def root(f: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", **kwargs: Any) -> Any:
    """scipy.optimize.root of f(x, *args) = 0 with its Jacobian, for any container x0; .x has its structure."""
    f_of = _Vector(f, x0, args, "root")
    if method in ("hybr", "lm"):
        kwargs["jac"] = f_of.jacobian
    return f_of.result(_scipy.root(f_of.numbers, f_of.x0, method=method, **kwargs))


def least_squares(f: Callable[..., Any], x0: Any, args: Any = (), *, bounds: Any = None, **kwargs: Any) -> Any:
    """scipy.optimize.least_squares of the residuals f(x, *args) with their Jacobian, for any container x0.

    bounds as for `minimize`; for one array they are SciPy's pair (low, high).
    """
    f_of = _Vector(f, x0, args, "least_squares")
    if bounds is not None:
        if is_container(x0):
            bounds = _bounds(bounds, x0)
        kwargs["bounds"] = bounds
    return f_of.result(_scipy.least_squares(f_of.numbers, f_of.x0, jac=f_of.jacobian, **kwargs))


def _bounds(bounds: Any, x0: Any) -> Any:
    """SciPy's Bounds of the vector from pairs in the structure of x0."""
    if bounds is None or not is_container(x0):
        return bounds
    low, high = [], []
    for leaf, pair in _beside(x0, bounds):
        a, b = (None, None) if pair is None else pair
        size = np.shape(leaf)
        low.append(np.broadcast_to(-np.inf if a is None else a, size).ravel())
        high.append(np.broadcast_to(np.inf if b is None else b, size).ravel())
    return _scipy.Bounds(np.concatenate(low), np.concatenate(high))


def _beside(tree: Any, other: Any) -> list[tuple[Any, Any]]:
    """Each leaf of `tree` with what `other` has in its place."""
    if tree is None:
        return []
    if not is_container(tree):
        return [(tree, other)]
    if other is None:
        return [(leaf, None) for leaf in flatten(tree)[0]]
    if isinstance(tree, dict):
        if unknown := other.keys() - tree.keys():
            raise KeyError(f"bounds for {sorted(map(str, unknown))[0]}, which x0 does not have")
        pairs = [(part, other.get(key)) for key, part in tree.items()]
    elif isinstance(tree, list | tuple):
        if len(tree) != len(other):
            raise ValueError(f"{len(other)} bounds for {len(tree)} arrays")
        pairs = list(zip(tree, other, strict=True))
    else:
        pairs = [(part, getattr(other, name)) for name, part in vars(tree).items()]
    return [pair for part, beside in pairs for pair in _beside(part, beside)]


def _constraints(constraints: Any, x0: Any) -> Any:
    """SciPy's dicts, with functions of the vector and their Jacobians."""
    if isinstance(constraints, list | tuple):
        return [_constraints(c, x0) for c in constraints]
    if not isinstance(constraints, dict):
        return constraints
    f_of = _Vector(constraints["fun"], x0, constraints.get("args", ()), "a constraint")
    return {"type": constraints["type"], "fun": f_of.numbers, "jac": f_of.jacobian}
