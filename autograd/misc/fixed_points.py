"""The fixed point of an iteration, with the derivative of the point instead of that of the iterations.

For x = f(a)(x) the implicit function theorem gives the cotangent of a as that of f(a)(x) at u, where u solves
u = g + (df/dx)' u: a fixed point again, found by the same function, so that higher orders come by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import defvjp, make_vjp, vspace
from ..custom import primitive

Function = Callable[..., Any]


@primitive
def fixed_point(f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Any:
    """Iterate x = f(a)(x) from x0 until the distance of two iterates is at most tol."""
    step = f(a)
    before, x = x0, step(x0)
    while distance(x, before) > tol:
        before, x = x, step(x)
    return x


def _cotangent_of_a(x: Any, f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Function:
    def adjoint(point: Any) -> Function:
        a, x, g = point
        pull, _ = make_vjp(f(a), x)
        return lambda u: vspace(x).add(pull(u), g)

    def cotangent(g: Any) -> Any:
        u = fixed_point(adjoint, (a, x, g), vspace(x).zeros(), distance, tol)
        return make_vjp(lambda a: f(a)(x), a)[0](u)

    return cotangent


defvjp(fixed_point, None, _cotangent_of_a, None)
