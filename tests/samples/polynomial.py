"""Samples of autograd/ops/polynomial.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, Shape, at

from autograd.ops import polynomial

from .draw import ANY, nonzero

PAIRS = [((5,), (3,)), ((3,), (4,)), ((2,), (2,)), ((), (3,)), ((4,), ())]
MODES: list[dict[str, Any]] = [{"mode": mode} for mode in ("full", "same", "valid")]


def with_simple_roots(rng: Any, shape: Shape) -> Any:
    """Coefficients of a polynomial whose roots, some of them complex, are not near each other."""
    n = shape[0] - 1
    angles = 2 * np.pi * (np.arange(n) // 2 + 1) / (n + 2) * (-1.0) ** np.arange(n)
    zeros = (1 + 0.1 * (np.arange(n) // 2)) * np.exp(1j * angles)
    if n % 2:
        zeros[-1] = 0.4
    return 1.5 * np.real(np.poly(zeros))


def fit(f: Any, x: Any, y: Any, *w: Any, **options: Any) -> Any:
    """At places no two of which are near each other, also where the numbers are integers."""
    return f(x + 5 * np.arange(len(x), dtype=x.dtype), y, **options, w=w[0] if w else None)


POLYNOMIAL = {
    "convolve": Row(np.convolve, PAIRS, MODES),
    "correlate": Row(np.correlate, PAIRS[:3], MODES),
    "polyval": Row(np.polyval, [((3,), (4,)), ((1,), ()), ((2, 3), (3,)), ((4,), (2, 2)), ((2,), (0,))]),
    "polyadd": Row(np.polyadd, [((3,), (3,)), ((3,), ()), ((2,), (4,))]),
    "polysub": Row(np.polysub, [((3,), (3,)), ((), (2,)), ((2,), (4,))]),
    "polymul": Row(np.polymul, [((3,), (3,)), ((3,), ()), ((2,), (4,))]),
    "polydiv": Row(np.polydiv, [((5,), (3,)), ((3,), (3,)), ((3,), (1,))], domain=[ANY, nonzero]),
    "polyder": Row(np.polyder, [((4,),)], [{}, {"m": 0}, {"m": 2}], more=[at((1,)), at((2,), m=3)]),
    "polyint": Row(
        np.polyint, [((3,),)], [{}, {"m": 0}, {"m": 2}, {"k": 1.5}, {"m": 2, "k": [1.0, -2.0]}, {"m": 2, "k": 3.0}]
    ),
    "vander": Row(np.vander, [((3,),), ((0,),)], [{}, {"N": 2}, {"N": 4, "increasing": True}, {"N": 0}]),
    "poly": Row(np.poly, [((3,),), ((1,),)]),
    "of_simple_roots": Row(polynomial.of_simple_roots, [((3,),)], domain=[nonzero]),
    "roots": Row(np.roots, [((4,),), ((2,),), ((5,),)], domain=[with_simple_roots]),
    "polyfit": Row(
        np.polyfit,
        domain=[ANY, ANY, (0.5, 2)],
        call=fit,
        more=[
            at((5,), (5,), deg=2), at((4,), (4, 2), deg=1), at((5,), (5,), (5,), deg=1), at((2,), (2,), deg=0),
            at((5,), (5,), deg=1, cov=True), at((5,), (5, 2), deg=1, cov=True), at((3,), (3,), deg=1, cov="unscaled"),
        ],
    ),
}  # fmt: skip
