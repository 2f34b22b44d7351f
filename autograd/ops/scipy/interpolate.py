"""Interpolation: a spline is a function of x whose derivatives are splines, and it is linear in its data y.

Through recorded data the spline is B(x) @ y, where the columns of B are SciPy's splines through the unit vectors: it
takes len(x) * len(y) numbers. What is not linear in the data (PCHIP, Akima) is differentiated with respect to x.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.interpolate as si

from ...errors import NotDifferentiableError
from ...op import general
from ...pack import is_recorded, plain


@general(name="spline", batch=lambda op, xs, kwargs: op(*xs, **kwargs), formulas=("sum(g * spline'(x))",))
def spline(x, *, curve, order=0):
    """The derivative of this order of a curve at x, in the shape of x followed by that of the curve's values."""
    if np.iscomplexobj(x):
        raise TypeError("a curve is a function of real numbers")
    return np.asarray(curve(x, order))[()]


@spline.rule
def _spline_rule(g, x, *, curve, order=0):
    slope = spline(x, curve=curve, order=order + 1)
    return np.sum(g * slope, axis=tuple(range(x.ndim, slope.ndim)))


class Interpolator:
    """A curve through (x, y), to be called like SciPy's: curve(x) or curve(x, nu) for a derivative.

    fit(y) makes SciPy's object for plain data y along its first axis.
    """

    def __init__(self, fit, y, axis, linear=True):
        self.axis = axis
        y = y if hasattr(y, "dtype") else np.asarray(y)
        if is_recorded(y) and not linear:
            raise NotDifferentiableError("this curve is not linear in its data y, and has a derivative for x only")
        self.y = np.moveaxis(y, axis, 0) if y.ndim > 1 else y
        self.curve = fit(np.eye(y.shape[axis]) if is_recorded(y) else plain(self.y))

    def __call__(self, x, nu=0):
        x = x if hasattr(x, "dtype") else np.asarray(x, float)
        values = spline(x, curve=self.curve, order=nu)
        if is_recorded(self.y):
            values = np.tensordot(values, self.y, axes=1)
        k = self.axis % max(self.y.ndim, 1)
        if k == 0:
            return values
        n = x.ndim
        return np.transpose(values, (*range(n, n + k), *range(n), *range(n + k, values.ndim)))

    def derivative(self, nu=1):
        """The curve's derivative, as a function of x."""
        return lambda x: self(x, nu)


def _no_slopes(bc_type, y):
    """The ends may be given by name only where the data are recorded: prescribed slopes are not linear in them."""
    if is_recorded(y) and not isinstance(bc_type, str | None):
        raise NotDifferentiableError("with recorded data bc_type is a name, such as 'natural'")


class CubicSpline(Interpolator):
    """scipy.interpolate.CubicSpline, differentiable with respect to y and to where it is evaluated."""

    def __init__(self, x, y, axis=0, bc_type="not-a-knot", extrapolate=None):
        _no_slopes(bc_type, y)
        super().__init__(lambda y: si.CubicSpline(x, y, 0, bc_type, extrapolate), y, axis)


class PchipInterpolator(Interpolator):
    """scipy.interpolate.PchipInterpolator, differentiable with respect to where it is evaluated."""

    def __init__(self, x, y, axis=0, extrapolate=None):
        super().__init__(lambda y: si.PchipInterpolator(x, y, 0, extrapolate), y, axis, linear=False)


class Akima1DInterpolator(Interpolator):
    """scipy.interpolate.Akima1DInterpolator, differentiable with respect to where it is evaluated."""

    def __init__(self, x, y, axis=0):
        super().__init__(lambda y: si.Akima1DInterpolator(x, y, 0), y, axis, linear=False)


def make_interp_spline(x, y, k=3, t=None, bc_type=None, axis=0):
    """scipy.interpolate.make_interp_spline, differentiable with respect to y and to where it is evaluated."""
    _no_slopes(bc_type, y)
    return Interpolator(lambda y: si.make_interp_spline(x, y, k, t, bc_type), y, axis)


def interp1d(x, y, kind="linear", axis=-1, copy=True, bounds_error=None, fill_value=None, assume_sorted=False):
    """scipy.interpolate.interp1d of the kinds that are splines: "linear", "quadratic", "cubic" or their degree.

    Outside the data it raises ValueError, gives nan (bounds_error=False) or goes on (fill_value="extrapolate").
    """
    degree = {"linear": 1, "slinear": 1, "quadratic": 2, "cubic": 3}.get(kind, kind)
    if not isinstance(degree, int) or not 1 <= degree <= 5:
        raise NotDifferentiableError(f"interp1d is differentiable for splines, not for kind={kind!r}")
    beyond = isinstance(fill_value, str) and fill_value == "extrapolate"
    if not beyond and fill_value is not None and not np.all(np.isnan(fill_value)):
        raise NotDifferentiableError("interp1d is differentiable for fill_value='extrapolate' or nan")
    x = np.asarray(plain(x), float)
    order = np.argsort(x, kind="stable")
    y = y if hasattr(y, "dtype") else np.asarray(y)
    if not assume_sorted:
        x, y = x[order], y[(*[slice(None)] * (axis % y.ndim), order)]
    curve = make_interp_spline(x, y, degree, axis=axis)

    def evaluate(at):
        values = np.asarray(plain(at))
        outside = (values < x[0]) | (values > x[-1])
        if not beyond and bounds_error is not False and np.any(outside):
            raise ValueError("A value is outside the range of the data")
        result = curve(at)
        if beyond or not np.any(outside):
            return result
        k = axis % y.ndim
        mask = np.reshape(outside, (*[1] * k, *outside.shape, *[1] * (y.ndim - k - 1)))
        return np.where(mask, math.nan, result)

    return evaluate
