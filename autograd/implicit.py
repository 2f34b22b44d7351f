"""Implicit differentiation: the derivative of what a solver found, without differentiating the solver.

Where f(x, p) = 0, the solution moves with the parameters as dx = -(df/dx)^-1 (df/dp) dp (implicit function theorem).
So one linear solve gives a gradient, however many steps the solver took and whatever it is written in. The rule is
written with differentiable functions, so it holds in both modes and to any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import NotDifferentiableError
from .op import Op
from .pack import is_recorded, pack, plain
from .tensor import Tensor
from .transforms import grad, jacobian, vjp
from .tree import flatten

Solver = Callable[[Callable[[Any], Any], Any], Any]


def root(f: Callable[..., Any], x0: Any, *params: Any, solver: Solver | None = None, tol: float | None = None) -> Any:
    """The x near x0 where f(x, *params) = 0, differentiable with respect to the params.

    dx = -(df/dx)^-1 (df/dp) dp. The derivative with respect to x0 is 0.

    x0, params: arrays or containers of arrays; f returns as many numbers as x has. solver(residual, x0) works on plain
    arrays and returns x, where residual(x) is f(x, *params); by default scipy.optimize.root (pip install
    seegrad[scipy]). Raises ValueError if |f| at its result is above `tol` (the square root of the precision, times |x|
    where that is larger than 1), and LinAlgError if df/dx is singular. Forms df/dx, n x n numbers for n unknowns.
    """

    def find(values: Any, x: Any) -> Any:
        return (solver or _scipys_root)(lambda x: f(x, *values), x)

    return _solved(f, x0, params, find, tol)


def fixed_point(
    f: Callable[..., Any],
    x0: Any,
    *params: Any,
    solver: Solver | None = None,
    tol: float | None = None,
    max_steps: int = 10_000,
) -> Any:
    """The x where f(x, *params) = x, differentiable with respect to the params: dx = (1 - df/dx)^-1 (df/dp) dp.

    solver(step, x0), where step(x) is f(x, *params); by default x = f(x) is repeated until x stays, at most `max_steps`
    times. Else as `root`.
    """

    def residual(x: Any, *params: Any) -> Any:
        return _difference(x, f(x, *params))

    def find(values: Any, x: Any) -> Any:
        def step(x: Any) -> Any:
            return f(x, *values)

        return solver(step, x) if solver else _iterate(step, x, max_steps)

    return _solved(residual, x0, params, find, tol)


def minimize(
    f: Callable[..., Any], x0: Any, *params: Any, solver: Solver | None = None, tol: float | None = None
) -> Any:
    """The x near x0 where the scalar f(x, *params) is least, differentiable with respect to the params.

    It is the root of the gradient: dx = -(d2f/dx2)^-1 (d2f/dx dp) dp. solver(objective, x0), where objective(x) is
    f(x, *params); by default `autograd.optimize.minimize`, made exact by Newton's method. Else as `root`.
    """

    def find(values: Any, x: Any) -> Any:
        def objective(x: Any) -> Any:
            return f(x, *values)

        if solver:
            return solver(objective, x)
        from . import optimize

        return _scipys_root(grad(objective), optimize.minimize(objective, x).x)

    return _solved(grad(f), x0, params, find, tol)


def _scipys_root(f: Callable[[Any], Any], x0: Any) -> Any:
    from . import optimize

    return optimize.root(f, x0, tol=1e-14 if pack(x0)[0].dtype == np.float64 else None).x


def _iterate(step: Callable[[Any], Any], x: Any, max_steps: int) -> Any:
    for _ in range(max_steps):
        after = step(x)
        size, gap = (np.max(np.abs(pack(tree)[0]), initial=0) for tree in (after, _difference(after, x)))
        x = after
        if gap <= 4 * np.finfo(gap.dtype).eps * size:
            break
    return x


def _difference(a: Any, b: Any) -> Any:
    left, rebuild = flatten(a)
    right, _ = flatten(b)
    if len(left) != len(right):
        raise TypeError(f"the function returns other containers than it takes: {len(left)} and {len(right)} arrays")
    return rebuild([x - y for x, y in zip(left, right, strict=True)])


def _solved(f: Callable[..., Any], x0: Any, params: Any, find: Callable[[Any, Any], Any], tol: float | None) -> Any:
    """What find(plain params, x0) gives as the solution of f(x, *params) = 0.

    One recorded operation, of the vector of the parameters that are recorded.
    """
    start, unpack_x = pack(plain(x0))
    if start.dtype.kind == "c":
        raise NotDifferentiableError("the unknowns are real numbers; take real and imaginary parts apart")
    p, unpack_p = pack(params, is_recorded)
    constants = plain(params)

    def residual(x: Any, p: Any) -> Any:
        return pack(f(unpack_x(x), *unpack_p(p)))[0]

    def solve(p: Any, start: Any) -> Any:
        values = plain(unpack_p(p)) if p.size else constants
        if is_recorded(pack(f(unpack_x(start), *values))[0]):
            raise NotDifferentiableError(
                "the function uses a recorded Tensor, or an array of vmap(), that is none of its parameters, and its "
                "gradient would be lost; pass it as one of the params"
            )
        x = pack(find(values, unpack_x(start)))[0]
        x = x.data if isinstance(x, Tensor) else x
        if x.shape != start.shape:
            raise ValueError(f"the solver returned {x.size} numbers, x0 has {start.size}")
        _check_solution(pack(f(unpack_x(x), *values))[0], x, tol)
        return x

    def rule(g: Any, p: Any, y: Any) -> Any:
        adjoint = np.linalg.solve(jacobian(residual)(y, p).T, g)
        return -vjp(lambda p: residual(y, p), p)[1](adjoint)

    op = Op(solve, (rule,), kind="general", name="solution", formulas=("-(df/dp)^T solve((df/dx)^T, g)",))
    return unpack_x(op(p, start))


def _check_solution(residual: Any, x: Any, tol: float | None) -> None:
    if residual.shape != x.shape:
        raise ValueError(f"the function gives {residual.size} equations for {x.size} unknowns")
    size = float(np.max(np.abs(residual), initial=0))
    if tol is None:
        tol = math.sqrt(np.finfo(x.dtype).eps) * max(1.0, float(np.max(np.abs(x), initial=0)))
    if not size <= tol:
        raise ValueError(
            f"the solver did not solve: |f(x)| is {size:.3g} at its result, above tol={tol:.3g}. "
            "Start nearer to the solution, or pass another solver="
        )
