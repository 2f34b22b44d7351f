"""HIPS autograd's checks of derivatives against central differences.

Directions are drawn from NumPy's global generator, so `np.random.seed` repeats them. Our own `gradcheck` says more
about what is wrong; these take containers and any call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from .core import make_jvp, make_vjp, vspace
from .wrap_util import get_name, unary_to_nary

Function = Callable[..., Any]

TOL = RTOL = EPS = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Equal up to 1e-6, absolutely or relatively."""
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """The function v -> the derivative of f at x along v, as a central difference."""
    xs, ys = vspace(x), vspace(f(x))

    def along(v: Any) -> Any:
        above = f(xs.add(x, xs.scalar_mul(v, EPS / 2)))
        below = f(xs.add(x, xs.scalar_mul(v, -EPS / 2)))
        return ys.scalar_mul(ys.add(above, ys.scalar_mul(below, -1.0)), 1 / EPS)

    return along


def check_vjp(f: Function, x: Any) -> None:
    """Raise AssertionError if the reverse mode of f at x disagrees with a difference."""
    pull, y = make_vjp(f, x)
    xs, ys = vspace(x), vspace(y)
    v, u = xs.randn(), ys.randn()
    g = xs.covector(pull(ys.covector(u)))
    assert vspace(g) == xs, f"the gradient of {get_name(f)} lives in {vspace(g)}, its argument in {xs}"
    analytic, numeric = xs.inner_prod(v, g), ys.inner_prod(u, make_numerical_jvp(f, x)(v))
    assert scalar_close(numeric, analytic), (
        f"Derivative (VJP) check of {get_name(f)} failed with arg {x}:\nanalytic: {analytic}\nnumeric:  {numeric}"
    )


def check_jvp(f: Function, x: Any) -> None:
    """Raise AssertionError if the forward mode of f at x disagrees with a difference."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))


def check_equivalent(x: Any, y: Any) -> None:
    """Raise AssertionError if two values differ in structure, shape, dtype or (along a random direction) in value."""
    space = vspace(x)
    assert space == vspace(y), f"VSpace mismatch:\nx: {space}\ny: {vspace(y)}"
    v = space.randn()
    assert scalar_close(space.inner_prod(x, v), space.inner_prod(y, v)), f"Value mismatch:\nx: {x}\ny: {y}"


@unary_to_nary
def check_grads(f: Function, x: Any, modes: Sequence[str] = ("fwd", "rev"), order: int = 2) -> None:
    """check_grads(f, argnum=0, modes=["fwd", "rev"], order=2)(*args): AssertionError where a derivative is wrong."""
    assert set(modes) <= {"fwd", "rev"}, f"modes are 'fwd' and 'rev', not {modes}"
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            pushed = _named(lambda x, v: make_jvp(f, x)(v)[1], f"jvp_{get_name(f)}")
            check_grads(pushed, (0, 1), modes, order - 1)(x, vspace(x).randn())
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            pulled = _named(lambda x, u: make_vjp(f, x)[0](u), f"vjp_{get_name(f)}")
            check_grads(pulled, (0, 1), modes, order - 1)(x, vspace(f(x)).randn())


def _named(f: Function, name: str) -> Function:
    f.__name__ = name
    return f


def combo_check(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """combo_check(fun, argnums, ...)(choices of x, choices of y, key=choices): check_grads for every combination."""

    def check(*choices: Any, **named: Any) -> None:
        for xs in product(*choices):
            for values in product(*named.values()):
                check_grads(fun, *args, **kwargs)(*xs, **dict(zip(named, values, strict=True)))

    return check
