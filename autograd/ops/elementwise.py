"""Elementwise operations: one partial derivative per argument, a line of the calculus book each.

The engine multiplies a partial by the cotangent (reverse) or the tangent (forward), and undoes broadcasting. At a
kink a rule gives the value of the table in docs/kinks.md. For complex arguments a rule holds no conjugate: the
partial is the complex derivative, and for a loss that is real the gradient is the conjugate of the direction of
steepest ascent (the convention of JAX and HIPS autograd; take the conjugate for PyTorch's).
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import NotDifferentiableError
from ..op import elementwise, general, linear, meaning

LN2, LN10 = math.log(2.0), math.log(10.0)

# arithmetic
add = elementwise(np.add, 1, 1)
subtract = elementwise(np.subtract, 1, -1)
multiply = elementwise(np.multiply, lambda b: b, lambda a: a)
divide = elementwise(np.divide, lambda b: 1 / b, lambda b, y: -y / b)
negative = elementwise(np.negative, -1)
positive = elementwise(np.positive, 1)
reciprocal = elementwise(np.reciprocal, lambda y: -y * y)
square = elementwise(np.square, lambda x: 2 * x)
remainder = elementwise(np.remainder, 1, lambda a, b: -np.floor_divide(a, b))
floor_divide = elementwise(np.floor_divide, 0, 0)
fmod = elementwise(np.fmod, 1, lambda a, b, y: np.rint((y - a) / b))  # (y - a) / b is the whole number -trunc(a / b)
ldexp = linear(
    np.ldexp,
    lambda g, n: np.ldexp(g, n),
    None,
    inputs="x n",
    broadcasts=True,
    formulas=("ldexp(g, n)",),
    batch="elementwise",
)
modf = general(np.modf, lambda g: next(iter(g)), outputs=2, batch="stack", formulas=("g[0]",))

# a ** b: where the power is 0 the derivative is 0, not 0 * a ** -1; where the base is 0 the one for b is 0
_powers = (lambda a, b: b * a ** (b - (b != 0)), lambda a, y: y * np.log(_as(y, a + (a == 0))))
_of_powers = ("g * b * a ** (b - 1)", "g * y * log(a)")
power = elementwise(np.power, *_powers, formulas=_of_powers)
float_power = elementwise(np.float_power, *_powers, formulas=_of_powers)  # in float64 at least

# roots, exponentials, logarithms
sqrt = elementwise(np.sqrt, lambda y: 0.5 / y)
cbrt = elementwise(np.cbrt, lambda y: 1 / (3 * y * y))
exp = elementwise(np.exp, lambda y: y)
exp2 = elementwise(np.exp2, lambda y: y * LN2)
expm1 = elementwise(np.expm1, lambda y: y + 1)
log = elementwise(np.log, lambda x: 1 / x)
log2 = elementwise(np.log2, lambda x: 1 / (x * LN2))
log10 = elementwise(np.log10, lambda x: 1 / (x * LN10))
log1p = elementwise(np.log1p, lambda x: 1 / (x + 1))
logaddexp = elementwise(  # where both are -inf nothing is added to nothing: 0, as in logsumexp
    np.logaddexp,
    lambda a, b, y: sigmoid(np.where(y == -math.inf, a, a - b)),
    lambda a, b, y: sigmoid(np.where(y == -math.inf, b, b - a)),
    formulas=("g * sigmoid(a - b)", "g * sigmoid(b - a)"),
)
logaddexp2 = elementwise(
    np.logaddexp2,
    lambda a, b, y: sigmoid(np.where(y == -math.inf, a, a - b) * LN2),
    lambda a, b, y: sigmoid(np.where(y == -math.inf, b, b - a) * LN2),
    formulas=("g * sigmoid((a - b) log(2))", "g * sigmoid((b - a) log(2))"),
)

# trigonometric and hyperbolic, and their inverses
sin = elementwise(np.sin, lambda x: np.cos(x))
cos = elementwise(np.cos, lambda x: -np.sin(x))
tan = elementwise(np.tan, lambda y: 1 + y * y)
arcsin = elementwise(np.arcsin, lambda x: 1 / np.sqrt(1 - x * x))
arccos = elementwise(np.arccos, lambda x: -1 / np.sqrt(1 - x * x))
arctan = elementwise(np.arctan, lambda x: 1 / (1 + x * x))
sinh = elementwise(np.sinh, lambda x: np.cosh(x))
cosh = elementwise(np.cosh, lambda x: np.sinh(x))
tanh = elementwise(np.tanh, lambda y: 1 - y * y)
arcsinh = elementwise(np.arcsinh, lambda x: 1 / np.sqrt(x * x + 1))
arccosh = elementwise(np.arccosh, lambda x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)))
arctanh = elementwise(np.arctanh, lambda x: 1 / (1 - x * x))
arctan2 = elementwise(  # b / (a^2 + b^2), but the squares of large numbers overflow where hypot does not
    np.arctan2,
    lambda a, b: b / np.hypot(a, b) / np.hypot(a, b),
    lambda a, b: -a / np.hypot(a, b) / np.hypot(a, b),
    formulas=("g * b / (a ** 2 + b ** 2)", "-g * a / (a ** 2 + b ** 2)"),
)
hypot = elementwise(  # where the result is 0 so are the derivatives, of every order
    np.hypot,
    lambda a, y: a * (y != 0) / (y + (y == 0)),
    lambda b, y: b * (y != 0) / (y + (y == 0)),
    formulas=("g * a / y", "g * b / y"),
)
deg2rad = elementwise(np.deg2rad, math.pi / 180, handles=np.radians)
rad2deg = elementwise(np.rad2deg, 180 / math.pi, handles=np.degrees)
sinc = elementwise(np.sinc, lambda x: sinc_derivative(x, order=1))

# absolute value, sign, rounding
absolute = elementwise(np.absolute, lambda x: conj(np.sign(x)), formulas=("g * sign(x)",))
fabs = elementwise(np.fabs, lambda x: np.sign(x))
copysign = elementwise(np.copysign, lambda a, b: np.sign(a) * np.copysign(1, b), 0)
sign = elementwise(np.sign, 0)  # of real numbers; for complex ones see _sign
floor = elementwise(np.floor, 0)
ceil = elementwise(np.ceil, 0)
trunc = elementwise(np.trunc, 0, handles=np.fix)
rint = elementwise(np.rint, 0)
round_ = elementwise(np.round, 0, accepts="decimals", handles=np.around)

# complex parts
real = elementwise(np.real, 1, view=True)
imag = elementwise(np.imag, -1j, view=True)
conjugate = linear(np.conjugate, lambda g: np.conjugate(g), batch="elementwise")

# choice: what is not chosen gets exactly 0, and a tie is split evenly; against a constant a tie counts as not chosen
maximum = elementwise(
    np.maximum,
    lambda a, b, among: (a > b) + _tie(among) * (a == b),
    lambda a, b, among: (b > a) + _tie(among) * (a == b),
    selects=True,
    formulas=("g * (a > b)", "g * (b > a)"),
)
minimum = elementwise(
    np.minimum,
    lambda a, b, among: (a < b) + _tie(among) * (a == b),
    lambda a, b, among: (b < a) + _tie(among) * (a == b),
    selects=True,
    formulas=("g * (a < b)", "g * (b < a)"),
)

# fmax and fmin choose the number beside a nan
_beside_nan = (
    lambda a, b, y, among: (y == a) - (1 - _tie(among)) * (a == b),
    lambda a, b, y, among: (y == b) - (1 - _tie(among)) * (a == b),
)
fmax = elementwise(np.fmax, *_beside_nan, selects=True, formulas=("g * (y == a)", "g * (y == b)"))
fmin = elementwise(np.fmin, *_beside_nan, selects=True, formulas=("g * (y == a)", "g * (y == b)"))
heaviside = elementwise(np.heaviside, 0, lambda a: a == 0, selects=True)
relu = elementwise(lambda x: np.maximum(x, 0), lambda y: y > 0, name="relu", selects=True)
where = linear(
    np.where,
    None,
    lambda g, c: np.where(c, g, 0),
    lambda g, c: np.where(c, 0, g),
    inputs="c a b",
    broadcasts=True,
    selects=True,
    batch="elementwise",
)


@elementwise(name="clip", selects=True, formulas=("g * (lo < x < hi)", "g * (x <= lo)", "g * (x >= hi)"))
def clip(x, lo, hi):
    """x between lo and hi, infinite for no bound; the gradient with respect to x is 0 at the bounds."""
    return np.clip(x, _bound(lo), _bound(hi))


def _bound(b):
    return None if b.__class__ is float and math.isinf(b) else b  # integers stay integers


clip.rule(lambda x, lo, hi: (x > lo) & (x < hi))
clip.rule(lambda x, lo, hi: (x <= lo) & (lo < hi))
clip.rule(lambda x, lo, hi: (x >= hi) | (lo >= hi))


@elementwise(name="sigmoid")
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    left = np.real(x) < 0
    e = np.exp(np.where(left, x, -x) if np.iscomplexobj(x) else -np.abs(x))
    return np.where(left, e, 1) / (1 + e)


sigmoid.rule(lambda y: y * (1 - y))


@elementwise(name="sinc_derivative", formulas=("g * sinc_derivative(x, order + 1)",))
def sinc_derivative(x, *, order):
    """The derivative of `sinc` of this order, exact at and near 0 too.

    With f(u) = sin(u) / u: away from 0 by u f^(n) = sin^(n)(u) - n f^(n-1), near 0 by the Taylor series.
    """
    u = math.pi * np.asarray(x)
    near = np.abs(u) < order + 1
    far = np.where(near, order + 1, u)
    f = np.sin(far) / far
    for n in range(1, order + 1):
        f = (np.sin(far + n * math.pi / 2) - n * f) / far
    u = np.where(near, u, 0)
    series = sum(
        (-1) ** k * u ** (2 * k - order) / (math.factorial(2 * k - order) * (2 * k + 1))
        for k in range((order + 1) // 2, order + 14)
    )
    return (np.where(near, series, f) * math.pi**order).astype(u.dtype)[()]


sinc_derivative.rule(lambda x, order: sinc_derivative(x, order=order + 1))

i0 = elementwise(np.i0, lambda x: bessel_i(x, order=1))


@elementwise(name="bessel_i", formulas=("g * (bessel_i(x, order - 1) + bessel_i(x, order + 1)) / 2",))
def bessel_i(x, *, order):
    """The modified Bessel function I of a whole order >= 0.

    Poisson's integral of exp(x cos(u)) sin(u)^(2 order) over u from 0 to pi, by the trapezoidal rule, which for a
    periodic function is exact but for what 128 points cannot resolve: nothing until exp(x) overflows. No term is
    negative, so for a small x no digit is lost.
    """
    wide = x.astype(np.result_type(x.dtype, np.float64))
    nodes = [(k * math.pi / 128, 0.5 if k in (0, 128) else 1.0) for k in range(129)]
    total = sum(np.exp(wide * math.cos(u)) * (end * math.sin(u) ** (2 * order)) for u, end in nodes)
    scale = math.sqrt(math.pi) / (128 * math.gamma(order + 0.5))
    y = (wide / 2) ** order * (total * scale)
    return y.astype(x.dtype) if x.dtype.kind in "fc" else y


bessel_i.rule(lambda x, order: 0.5 * (bessel_i(x, order=abs(order - 1)) + bessel_i(x, order=order + 1)))


@meaning(np.sign)
def _sign(x):
    """Of a complex number the phase x / |x|, which turns with x; 0 at 0."""
    if x.dtype.kind != "c":
        return sign(x)
    size = np.abs(x)
    return x * (size != 0) / (size + (size == 0))


def conj(x):
    """The complex conjugate; a real array as it is."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def _as(y, base):
    """base in the dtype of y: a Python number has none, and the logarithm of a negative one is complex where y is."""
    return base.astype(y.dtype) if hasattr(base, "dtype") else y.dtype.type(base)


def _tie(among):
    # float16 holds 0 and 1/2 exactly and never widens the dtype of the cotangent it is multiplied with
    return np.float16(0 if among == 1 else 0.5)


@meaning(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None):
    lo = min if a_min is None else a_min
    hi = max if a_max is None else a_max
    return clip(a, -math.inf if lo is None else lo, math.inf if hi is None else hi)


@meaning(np.where)
def _where(condition, *choices):
    if len(choices) == 1:
        raise ValueError("np.where takes a condition alone, or a condition and two arrays to choose from")
    return where(condition, *choices) if choices else np.where(condition.data)


# ---- composed of the above ----


meaning(np.divmod)(lambda a, b: (floor_divide(a, b), remainder(a, b)))


@meaning(np.frexp)
def _frexp(x):
    """The fraction, and the exponent, which is a whole number: a plain array."""
    exponent = np.frexp(x.data)[1]
    return ldexp(x, -exponent), exponent


@meaning(np.angle)
def _angle(z, deg=False):
    """Of a real number 0 or pi, with the derivative 0."""
    angle = arctan2(imag(z), real(z)) if z.dtype.kind == "c" else arctan2(0, z)
    return angle * (180 / math.pi) if deg else angle


@meaning(np.real_if_close)
def _real_if_close(a, tol=100):
    return real(a) if a.dtype.kind == "c" and np.real_if_close(a.data, tol).dtype.kind != "c" else a


@meaning(np.nan_to_num)
def _nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """What is replaced gets the gradient 0; of a complex number each part by itself."""
    if not copy:
        raise NotDifferentiableError("np.nan_to_num(copy=False) would write into a Tensor; leave out copy=")
    if x.dtype.kind == "c":
        return _nan_to_num(real(x), True, nan, posinf, neginf) + 1j * _nan_to_num(imag(x), True, nan, posinf, neginf)
    if x.dtype.kind != "f":
        return x
    largest = float(np.finfo(x.dtype).max)
    for found, value in (
        (np.isnan(x), nan),
        (x == math.inf, largest if posinf is None else posinf),
        (x == -math.inf, -largest if neginf is None else neginf),
    ):
        x = where(found, np.asarray(value, x.dtype), x)
    return x
