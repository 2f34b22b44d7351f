"""Check derivatives against finite differences, and say what looks wrong.

`numerical_gradient` is the routine of the book that the project follows (K. Saito, Deep Learning from Scratch,
section 4.4): every element of x is moved by +-h in place and put back. `gradcheck` compares along random directions,
in both modes and to any order, by checking the derivative function itself in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import GradcheckError
from .tensor import Tensor
from .transforms import jvp, vjp


def numerical_gradient(f: Callable[[Any], Any], x: Any, h: float = 1e-4) -> Any:
    """The gradient of the scalar f at x by central differences, (f(x + h) - f(x - h)) / 2h for each element.

    x: a float or complex ndarray; its elements are changed in place, one at a time, and restored also if f raises.
    The error is of order h^2. Raises TypeError for integers, which cannot be moved by h.
    """
    x = x.data if isinstance(x, Tensor) else x
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
        kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"numerical_gradient moves the elements of a float ndarray in place, it cannot do so in {kind}")
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        gradient[index] = _difference(f, x, index, h)
        if x.dtype.kind == "c":
            gradient[index] -= 1j * _difference(f, x, index, 1j * h)
    return gradient


def _difference(f: Callable[[Any], Any], x: Any, index: Any, h: Any) -> float:
    kept = x[index]
    try:
        x[index] = kept + h
        above = _number(f(x))
        x[index] = kept - h
        below = _number(f(x))
    finally:
        x[index] = kept
    return (above - below) / (2 * abs(h))


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: Sequence[str] = ("reverse", "forward"),
    eps: float = 1e-6,
    rtol: float = 1e-6,
    atol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Raise GradcheckError if a derivative of f at args disagrees with a central difference.

    args: float64 or complex128 arrays; f returns one array. order: up to which derivative. modes: "reverse" and
    "forward". The message gives both numbers and a diagnosis (sign, factor, transposed, kink, precision).
    """
    arrays = [np.asarray(a.data if isinstance(a, Tensor) else a) for a in args]
    for k, a in enumerate(arrays):
        if a.dtype not in (np.float64, np.complex128):
            raise TypeError(
                f"gradcheck needs float64 or complex128, argument {k} is {a.dtype}: differences drown in its rounding"
            )
    unknown = set(modes) - {"reverse", "forward"}
    if unknown:
        raise ValueError(f"modes are 'reverse' and 'forward', not {sorted(unknown)[0]!r}")
    _check(f, arrays, order, modes, eps, rtol, atol, np.random.default_rng(seed), of=getattr(f, "__name__", "f"))


def _check(
    f: Callable[..., Any],
    xs: list[Any],
    order: int,
    modes: Sequence[str],
    eps: float,
    rtol: float,
    atol: float,
    rng: Any,
    of: str,
) -> None:
    y = _plain(f(*map(np.copy, xs)))  # f may assign into its arguments
    vs = [_direction(x, rng) for x in xs]
    u = _direction(y, rng)
    numeric = _inner(u, _along(f, xs, vs, eps))
    size = 1 + abs(numeric)
    if "reverse" in modes:
        _, pull = vjp(f, *xs)
        gs = pull(u)
        gs = [np.asarray(g) for g in (gs if len(xs) > 1 else (gs,))]
        for k, (g, x) in enumerate(zip(gs, xs, strict=True)):
            if g.shape != x.shape or g.dtype != x.dtype:
                raise GradcheckError(
                    f"the gradient of {of} for argument {k} is {g.dtype} {g.shape}, the argument {x.dtype} {x.shape}"
                )
        found = sum(_inner(g, v) for g, v in zip(gs, vs, strict=True))
        if not abs(found - numeric) <= atol + rtol * size:
            raise GradcheckError(_diagnose(f, of, "reverse", found, numeric, xs, gs, u, eps))
    if "forward" in modes:
        _, t = jvp(f, tuple(xs), tuple(vs))
        found = _inner(u, t)
        if not abs(found - numeric) <= atol + rtol * size:
            raise GradcheckError(_diagnose(f, of, "forward", found, numeric, xs, None, u, eps))
    if order > 1:
        _check_derivatives(f, xs, u, vs, order, modes, eps, rtol, atol, rng, of)


def _check_derivatives(f, xs, u, vs, order, modes, eps, rtol, atol, rng, of) -> None:  # type: ignore[no-untyped-def]
    """The derivative functions are functions like any other: check them in the same way."""
    n = len(xs)
    wiggle = 10.0  # differences of derivatives lose a digit each order
    rest = (order - 1, modes, eps * wiggle, rtol * wiggle, atol * wiggle, rng)
    for k in range(n):

        def pulled(*point: Any, k: int = k) -> Any:
            gs = vjp(f, *point[:n])[1](point[n])
            return gs[k] if n > 1 else gs

        if "reverse" in modes:
            _check(pulled, [*xs, u], *rest, of=f"the VJP of {of} for argument {k}")
    if "forward" in modes:
        _check(lambda *point: jvp(f, point[:n], point[n:])[1], [*xs, *vs], *rest, of=f"the JVP of {of}")


def _plain(y: Any) -> Any:
    return np.asarray(y.data if isinstance(y, Tensor) else y)


def _direction(x: Any, rng: Any) -> Any:
    v = rng.standard_normal(x.shape)
    if x.dtype.kind == "c":
        v = v + 1j * rng.standard_normal(x.shape)
    return np.asarray(v, dtype=x.dtype if x.dtype.kind in "fc" else float)


def _inner(a: Any, b: Any) -> float:
    """The pairing of a cotangent and a tangent: no conjugate, and the real part for complex arrays."""
    return float(np.real(np.sum(_plain(a) * _plain(b))))


def _along(f: Callable[..., Any], xs: list[Any], vs: list[Any], eps: float) -> Any:
    above = _plain(f(*(x + eps * v for x, v in zip(xs, vs, strict=True))))
    below = _plain(f(*(x - eps * v for x, v in zip(xs, vs, strict=True))))
    return (above - below) / (2 * eps)


def _diagnose(
    f: Callable[..., Any],
    of: str,
    mode: str,
    found: float,
    numeric: float,
    xs: list[Any],
    gs: list[Any] | None,
    u: Any,
    eps: float,
) -> str:
    message = (
        f"{mode} mode of {of}: the derivative along a random direction is {found:.10g}, "
        f"a central difference gives {numeric:.10g}."
    )
    for k, x in enumerate(xs):
        if gs is None or x.size > 10_000:
            break
        true = _full_gradient(f, xs, k, u, eps)
        hint = _compare(gs[k], true)
        if hint:
            worst = np.unravel_index(np.argmax(np.abs(gs[k] - true)), x.shape) if x.size else ()
            at = tuple(map(int, worst))
            message += f" Argument {k}, element {at}: {gs[k][worst]:.6g} instead of {true[worst]:.6g}. {hint}"
    return message


def _full_gradient(f: Callable[..., Any], xs: list[Any], k: int, u: Any, eps: float) -> Any:
    def loss(x: Any) -> float:
        return _inner(u, f(*xs[:k], x, *xs[k + 1 :]))

    return numerical_gradient(loss, np.array(xs[k]), h=eps)


def _compare(g: Any, true: Any) -> str:
    """What a wrong gradient looks like; '' if it is right."""

    def close(b: Any, a: Any = g) -> bool:
        return bool(np.allclose(a, b, rtol=1e-4, atol=1e-6))

    if close(true):
        return ""
    if close(-true):
        return "The sign is wrong."
    if not np.all(np.isfinite(g)):
        return "It is not finite there: the point may be outside the domain, or on a kink."
    if g.ndim == 2 and g.shape[0] == g.shape[1] and close(true, g.T):
        return "It looks transposed."
    with np.errstate(all="ignore"):
        ratio = np.median((g / true)[np.abs(true) > 1e-6]) if np.any(np.abs(true) > 1e-6) else math.nan
    if np.isfinite(ratio) and ratio and close(ratio * true):
        return (
            f"It is off by the factor {np.real(ratio):.4g} everywhere (a mean for a sum, a forgotten or doubled use)."
        )
    return "If the function has a kink within the step, move the point; otherwise the rule is wrong."
