"""Samples of autograd/ops/elementwise.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rows import Row, at, grid

from autograd.ops import elementwise as e

from .draw import ABOVE_ONE, ANY, ONE, POSITIVE, TWO, UNIT, between_steps, nonzero, truths, whole


def plain_sinc_derivative(x: Any, order: int) -> Any:
    """The integral over s from 0 to 1 of the derivative of cos(pi s x), by quadrature."""
    s, w = np.polynomial.legendre.leggauss(40)
    s, w = np.pi * (s + 1) / 2, w / 2
    return (w * s**order * np.cos(s * np.asarray(x)[..., None] + order * np.pi / 2)).sum(-1).astype((0.5 * x).dtype)


def plain_bessel_i(x: Any, order: int) -> Any:
    """The power series, of whole numbers as of floats."""
    x = np.asarray(1.0 * x)
    return sum((x / 2) ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(25))


ELEMENTWISE = {
    "add": Row(np.add, TWO),
    "subtract": Row(np.subtract, TWO),
    "multiply": Row(np.multiply, TWO),
    "divide": Row(np.divide, TWO, domain=[ANY, nonzero]),
    "negative": Row(np.negative, ONE),
    "positive": Row(np.positive, ONE),
    "reciprocal": Row(np.reciprocal, ONE, domain=[nonzero]),
    "square": Row(np.square, ONE),
    "remainder": Row(np.remainder, TWO, domain=[between_steps, (0.97, 1.03)]),
    "floor_divide": Row(np.floor_divide, TWO, domain=[between_steps, (0.97, 1.03)]),
    "fmod": Row(np.fmod, TWO, domain=[between_steps, (0.97, 1.03)]),
    "ldexp": Row(np.ldexp, TWO, domain=[ANY, whole]),
    "modf": Row(np.modf, ONE, domain=[between_steps]),
    "divmod": Row(np.divmod, TWO, domain=[between_steps, (0.97, 1.03)]),
    "frexp": Row(np.frexp, ONE, domain=[(1.1, 1.9)]),
    "float_power": Row(np.float_power, TWO, domain=[POSITIVE, ANY]),
    "power": Row(np.power, TWO, domain=[POSITIVE, ANY]),
    "sqrt": Row(np.sqrt, ONE, domain=[POSITIVE]),
    "cbrt": Row(np.cbrt, ONE, domain=[nonzero]),
    "exp": Row(np.exp, ONE),
    "exp2": Row(np.exp2, ONE),
    "expm1": Row(np.expm1, ONE),
    "log": Row(np.log, ONE, domain=[POSITIVE]),
    "log2": Row(np.log2, ONE, domain=[POSITIVE]),
    "log10": Row(np.log10, ONE, domain=[POSITIVE]),
    "log1p": Row(np.log1p, ONE, domain=[UNIT]),
    "logaddexp": Row(np.logaddexp, TWO),
    "logaddexp2": Row(np.logaddexp2, TWO),
    "sin": Row(np.sin, ONE),
    "cos": Row(np.cos, ONE),
    "tan": Row(np.tan, ONE, domain=[(-1.2, 1.2)]),
    "arcsin": Row(np.arcsin, ONE, domain=[UNIT]),
    "arccos": Row(np.arccos, ONE, domain=[UNIT]),
    "arctan": Row(np.arctan, ONE),
    "sinh": Row(np.sinh, ONE),
    "cosh": Row(np.cosh, ONE),
    "tanh": Row(np.tanh, ONE),
    "arcsinh": Row(np.arcsinh, ONE),
    "arccosh": Row(np.arccosh, ONE, domain=[ABOVE_ONE]),
    "arctanh": Row(np.arctanh, ONE, domain=[UNIT]),
    "arctan2": Row(np.arctan2, TWO, domain=[nonzero, ANY]),
    "hypot": Row(np.hypot, TWO, domain=[nonzero]),
    "deg2rad": Row(np.deg2rad, ONE, aliases=(np.radians,)),
    "rad2deg": Row(np.rad2deg, ONE, aliases=(np.degrees,)),
    "sinc": Row(np.sinc, ONE),
    "sinc_derivative": Row(e.sinc_derivative, ONE, grid(order=[0, 1, 2, 5]), reference=plain_sinc_derivative),
    "absolute": Row(np.absolute, ONE, domain=[nonzero]),
    "fabs": Row(np.fabs, ONE, domain=[nonzero]),
    "copysign": Row(np.copysign, TWO, domain=[nonzero]),
    "heaviside": Row(
        np.heaviside,
        TWO,
        domain=[nonzero, ANY],
        more=[at((3, 4), (4,), domain=[whole, ANY]), at((), (), domain=[whole, ANY])],
    ),
    "angle": Row(np.angle, ONE, grid(deg=[False, True]), domain=[nonzero]),
    "real_if_close": Row(np.real_if_close, ONE),
    "nan_to_num": Row(np.nan_to_num, ONE, more=[at((3, 4), nan=1.0)]),
    "i0": Row(np.i0, ONE),
    "bessel_i": Row(e.bessel_i, ONE, grid(order=[0, 1, 3]), reference=plain_bessel_i),
    "sign": Row(np.sign, ONE, domain=[nonzero]),
    "floor": Row(np.floor, ONE, domain=[between_steps]),
    "ceil": Row(np.ceil, ONE, domain=[between_steps]),
    "trunc": Row(np.trunc, ONE, domain=[between_steps], aliases=(np.fix,)),
    "rint": Row(np.rint, ONE, domain=[between_steps]),
    "round": Row(np.round, ONE, grid(decimals=[0, 1]), domain=[between_steps], aliases=(np.around,)),
    "real": Row(np.real, ONE),
    "imag": Row(np.imag, ONE),
    "conjugate": Row(np.conjugate, ONE),
    "maximum": Row(np.maximum, TWO),
    "minimum": Row(np.minimum, TWO),
    "fmax": Row(np.fmax, TWO),
    "fmin": Row(np.fmin, TWO),
    "relu": Row(e.relu, ONE, domain=[nonzero], reference=lambda x: x * (x > 0)),
    "sigmoid": Row(e.sigmoid, ONE, reference=lambda x: 1 / (1 + np.exp(-x))),
    "clip": Row(
        np.clip,
        [((3, 4), (4,), (3, 1)), ((3,), (2, 1), ()), ((), (), ()), ((0, 3), (3,), (0, 1))],
        domain=[ANY, (-1.5, -0.5), (0.5, 1.5)],
        more=[
            at((3, 4), a_min=-0.5, a_max=1.0),
            at((3, 4), a_min=None, a_max=0.3),
            at((3, 4), (4,), a_max=None),
            # these keywords came with NumPy 2.1
            *(
                [at((3, 4), min=0.2), at((3, 4), max=0.5, min=-1)]
                if np.lib.NumpyVersion(np.__version__) >= "2.1.0"
                else []
            ),
        ],
    ),
    "where": Row(
        np.where,
        [((3, 4), (3, 4), (3, 4)), ((4,), (3, 1), ()), ((), (2, 3), (3,)), ((0, 3), (3,), ())],
        domain=[truths, ANY],
    ),
}
