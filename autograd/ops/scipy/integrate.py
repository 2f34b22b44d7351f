"""Differential equations and integrals, differentiated with respect to everything that they depend on.

An ODE is one recorded operation of one vector: y0, the times, and what is recorded among the arguments. Its rule is the
adjoint equation (L. Pontryagin). With a = dL/dy, integrate backwards in time

    dy/dt = f,    da/dt = -(df/dy)^T a,    dq/dt = -(df/dargs)^T a,

adding dL/dy(t_i) to a at each time of output. The adjoint equation is solved by the same recorded operation, so higher
derivatives work, at the price of an adjoint of the adjoint. Derivatives are as exact as the solver's tolerances.
An integral is differentiated under the integral sign, in the same way.
"""

from __future__ import annotations

import numpy as np
import scipy.integrate as si
from scipy.optimize import OptimizeResult

from ...errors import NotDifferentiableError
from ...op import Op
from ...pack import is_recorded, pack, plain
from ...transforms import vjp
from ...tree import flatten

ODEINT_OPTIONS = {"rtol", "atol", "h0", "hmax", "hmin", "mxstep", "mxhnil", "mxordn", "mxords", "ixpr", "printmessg"}
IVP_OPTIONS = {"rtol", "atol", "max_step", "first_step"}
QUAD_OPTIONS = {"epsabs", "epsrel", "limit"}


def _any_recorded(tree):
    return any(is_recorded(leaf) for leaf in flatten(tree)[0])


def _vector(y):
    """What a function of the user's returned, an array, a number or a list of numbers, as one vector."""
    return np.reshape(np.stack(y) if isinstance(y, list | tuple) else y, (-1,))


def _numbers(y):
    if is_recorded(y):
        raise NotDifferentiableError(
            "the function uses a recorded Tensor that is none of its arguments, and its gradient would be lost; "
            "pass it in args"
        )
    return np.asarray(plain(y))


def _check_options(name, given, known):
    if unknown := given.keys() - known:
        raise NotDifferentiableError(
            f"{name}({sorted(unknown)[0]}=) has no derivative here; with Tensors it takes {', '.join(sorted(known))}"
        )


# ---- differential equations ----


def _ode(func, y0, t, args, solver):
    """y at the times t, one row each, where y0 is y at t[0]; dy/dt = func(y, t, *args).

    solver(f, y0, t) does it on plain arrays, also for times that go backwards.
    """
    p, unpack_p = pack(args, is_recorded)
    n, last = y0.shape[0], y0.shape[0] + t.shape[0]

    def f(y, t, p):
        return _vector(func(y, t, *unpack_p(p)))

    def forward(z):
        values = plain(unpack_p(z[last:]))
        return solver(lambda y, t: _numbers(_vector(func(y, t, *values))), z[:n], z[n:last])

    def backwards(state, t, p):
        y_dot, pull = vjp(lambda y, p: f(y, t, p), state[:n], p)
        of_y, of_p = pull(-state[n : 2 * n])
        return np.concatenate([y_dot, of_y, of_p])

    def rule(g, z, y):
        t, p = z[n:last], z[last:]
        a, q, of_t = g[-1], 0 * p, []
        for k in range(t.shape[0] - 1, 0, -1):
            of_t.append(np.sum(g[k] * f(y[k], t[k], p)))
            state = np.concatenate([y[k], a, q])
            state = _ode(backwards, state, np.stack([t[k], t[k - 1]]), (p,), solver)[1]
            at_start, q = state[n : 2 * n], state[2 * n :]
            a = at_start + g[k - 1]
        of_t.append(-np.sum((a - g[0]) * f(y[0], t[0], p)))  # a later start is a smaller y at the old one
        return np.concatenate([a, np.stack(of_t[::-1]), q])

    formulas = ("the adjoint equation da/dt = -(df/dy)^T a, backwards in time",)
    op = Op(forward, (rule,), kind="general", name="ode", inputs="z", formulas=formulas)
    return op(np.concatenate([y0, t, p]))


def odeint(func, y0, t, args=(), tfirst=False, **options):
    """The solution of dy/dt = func(y, t, *args) at the times t, one row each, as scipy.integrate.odeint.

    Differentiable with respect to y0, t and args (containers of arrays too), to any order. With Tensors the options are
    the tolerances and step sizes.
    """
    args = args if isinstance(args, tuple) else (args,)
    if not _any_recorded([y0, t, args]):
        return si.odeint(
            lambda y, t, *args: _numbers(_vector(func(t, y, *args) if tfirst else func(y, t, *args))),
            plain(y0), plain(t), plain(args), **options,
        )  # fmt: skip
    _check_options("odeint", options, ODEINT_OPTIONS)

    def right_side(y, t, *args):
        return func(t, y, *args) if tfirst else func(y, t, *args)

    def solver(f, y0, t):
        return si.odeint(f, y0, t, **options)

    return _ode(right_side, _vector(y0), _vector(t), args, solver)


def solve_ivp(fun, t_span, y0, method="RK45", t_eval=None, dense_output=False, events=None, args=None, **options):
    """scipy.integrate.solve_ivp, differentiable with respect to t_span, y0, t_eval and args, to any order.

    The times that the solver chooses itself, without t_eval, count as constants between the ends of t_span. With
    Tensors there are no events and no dense output, and the options are the tolerances and step sizes.
    """
    args = () if args is None else tuple(args)
    if not _any_recorded([t_span, y0, t_eval, args]):
        return si.solve_ivp(
            lambda t, y, *args: _numbers(_vector(fun(t, y, *args))), plain(tuple(t_span)), plain(y0), method,
            plain(t_eval), dense_output, events, args=plain(args) or None, **options,
        )  # fmt: skip
    if dense_output or events is not None:
        raise NotDifferentiableError("solve_ivp with Tensors has no events and no dense output")
    _check_options("solve_ivp", options, IVP_OPTIONS)
    y0, ends = _vector(y0), _vector(tuple(t_span))
    if t_eval is None:
        plainly = solve_ivp(fun, plain(tuple(t_span)), plain(y0), method, args=plain(args), **options)
        times = np.concatenate([ends[:1], plainly.t[1:-1], ends[1:]])
    else:
        low, high = sorted(plain(ends).tolist())
        if np.any(plain(_vector(t_eval)) < low) or np.any(plain(_vector(t_eval)) > high):
            raise ValueError("t_eval is not within t_span")
        times = np.concatenate([ends[:1], _vector(t_eval)])

    def solver(f, y0, t):
        return _rows_of_ivp(f, y0, t, method, options)

    y = _ode(lambda y, t, *args: fun(t, y, *args), y0, times, args, solver)
    if t_eval is not None:
        times, y = times[1:], y[1:]
    return OptimizeResult(t=times, y=y.T, success=True, status=0, message="solved", sol=None, t_events=None)


def _rows_of_ivp(f, y0, t, method, options):
    """solve_ivp at times of which some may be equal, y one row each."""
    sign = -1.0 if t[-1] < t[0] else 1.0
    ordered, where = np.unique(sign * t, return_inverse=True)
    if len(ordered) == 1:
        return np.stack([y0] * len(t))
    found = si.solve_ivp(lambda t, y: f(y, t), (t[0], sign * ordered[-1]), y0, method, sign * ordered, **options)
    if not found.success:
        raise RuntimeError(f"solve_ivp: {found.message}")
    return found.y.T[where]


# ---- integrals ----


def _integral(func, ends, args, options, errors=None):
    """The integral of func(x, *args), a vector, from ends[0] to ends[1]."""
    p, unpack_p = pack(args, is_recorded)

    def f(x, p):
        return _vector(func(x, *unpack_p(p)))

    def forward(z):
        values = plain(unpack_p(z[2:]))
        y, error = si.quad_vec(lambda x: _numbers(_vector(func(x, *values))), z[0], z[1], **options)
        if errors is not None:
            errors.append(error)
        return y

    def under_the_sign(x, p, g):
        return vjp(lambda p: f(x, p), p)[1](g)

    def rule(g, z):
        ends, p = z[:2], z[2:]
        of_ends = [
            sign * np.sum(g * f(ends[k], p)) if np.isfinite(plain(ends[k])) else np.zeros((), z.dtype)
            for k, sign in ((0, -1), (1, 1))
        ]
        of_p = _integral(under_the_sign, ends, (p, g), options) if p.shape[0] else p
        return np.concatenate([np.stack(of_ends), of_p])

    formulas = ("(-g * f(a), g * f(b), integral of g * df/dargs)",)
    op = Op(forward, (rule,), kind="general", name="integral", inputs="z", formulas=formulas)
    return op(np.concatenate([ends, p]))


def quad(func, a, b, args=(), **options):
    """(integral of func(x, *args) from a to b, estimate of the error), as scipy.integrate.quad.

    Differentiable with respect to a, b and args (containers of arrays too), to any order.
    """
    args = args if isinstance(args, tuple) else (args,)
    if not _any_recorded([a, b, args]):
        return si.quad(lambda x, *args: _numbers(func(x, *args)), plain(a), plain(b), plain(args), **options)
    _check_options("quad", options, QUAD_OPTIONS)
    options = {"epsabs": 1.49e-8, "epsrel": 1.49e-8, "norm": "max", **options}
    errors = []
    y = _integral(func, _vector((a, b)), args, options, errors)
    if y.shape != (1,):
        raise ValueError(f"quad integrates one number, the function returned {y.shape[0]}")
    return y[0], errors[0]


__all__ = ["odeint", "quad", "solve_ivp"]
