"""Samples of autograd/ops/scipy/special.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp
from rows import Row, at, grid

from autograd.ops.scipy import special

from .draw import ANY, ONE, POSITIVE, UNIT, nonzero

TWO = [((3, 4), (4,)), ((2, 1), (1, 3)), ((), ()), ((0, 3), (3,))]
OPEN = (0.05, 0.95)  # inside (0, 1)
SMALL = [((3,),), ((),)]


def orders(low: int, high: int) -> Callable[..., Any]:
    return lambda rng, shape: rng.integers(low, high, shape)


def order_first(f: Callable[..., Any], x: Any, v: Any) -> Any:
    return f(v, x)


def real_only(f: Callable[..., Any]) -> Callable[..., Any]:
    def refusing(*xs: Any, **kwargs: Any) -> Any:
        if any(np.iscomplexobj(x) for x in xs):
            raise TypeError("real numbers only")
        return f(*xs, **kwargs)

    return refusing


def bessel(ufunc: Any, domain: Any = POSITIVE, **options: Any) -> Row:
    return Row(ufunc, [((3, 4), (4,)), ((), ())], domain=[domain, orders(0, 4)], call=order_first, **options)


def plain_gammainc_derivative(x: Any, a: Any, order: int) -> Any:
    """By quadrature of the derivative of the integrand; s^8 makes it smooth at 0."""
    dtype = sp.gammainc(a, x).dtype
    s, w = np.polynomial.legendre.leggauss(80)
    s, w = (s + 1) / 2, w / 2
    x, a = (np.asarray(v, float)[..., None] for v in (x, a))
    t = x * s**8
    u = np.log(t) - sp.digamma(a)
    inner = {1: u, 2: u**2 - sp.polygamma(1, a)}[order]
    return (w * 8 * x * s**7 * t ** (a - 1) * np.exp(-t) / sp.gamma(a) * inner).sum(-1).astype(dtype)


def plain_polygamma(x: Any, v: Any) -> Any:
    if np.iscomplexobj(x):  # by the recurrence from far away, where the asymptotic series is exact
        n, z = np.asarray(v), x + 40
        y = (-1.0) ** (n + 1) * sp.gamma(n) * z ** -(n + 0.0) * (1 + n / (2 * z))
        for j in (1, 2, 3, 4):
            y = y + (-1.0) ** (n + 1) * sp.bernoulli(8)[2 * j] * sp.gamma(n + 2 * j) / sp.gamma(2 * j + 1) / z ** (
                n + 2 * j
            )
        for k in range(40):
            y = y + (-1.0) ** (n + 1) * sp.gamma(n + 1) * (x + k) ** -(n + 1.0)
        return y.astype(x.dtype)
    y = sp.polygamma(v, x)
    return y.astype(x.dtype) if x.dtype.kind == "f" else y


SCIPY_SPECIAL = {
    "gamma": Row(sp.gamma, ONE, domain=[POSITIVE], more=[at((3,), domain=[(-0.8, -0.2)])]),
    "gammaln": Row(sp.gammaln, ONE, domain=[POSITIVE]),
    "loggamma": Row(sp.loggamma, ONE, domain=[POSITIVE]),
    "gammasgn": Row(sp.gammasgn, ONE, domain=[(-0.9, -0.1)]),
    "psi": Row(sp.digamma, ONE, domain=[POSITIVE]),
    "polygamma": Row(
        special._polygamma, [((3,), ()), ((2, 3), (3,))], domain=[POSITIVE, orders(1, 4)], reference=plain_polygamma
    ),
    "rgamma": Row(sp.rgamma, ONE, domain=[(-1.9, 2)]),
    "beta": Row(sp.beta, TWO, domain=[POSITIVE]),
    "betaln": Row(sp.betaln, TWO, domain=[POSITIVE]),
    "zeta": Row(
        special._zeta,
        [((3, 4), (4,))],
        domain=[POSITIVE, orders(2, 5)],
        reference=lambda q, v: sp.zeta(v, q),
    ),
    "gammainc": Row(special.gammainc, TWO, domain=[POSITIVE, (0.6, 3)], reference=lambda x, a: sp.gammainc(a, x)),
    "special.gammainc": Row(sp.gammainc, TWO, domain=[POSITIVE]),
    "gammaincc": Row(special.gammaincc, TWO, domain=[POSITIVE, (0.6, 3)], reference=lambda x, a: sp.gammaincc(a, x)),
    "special.gammaincc": Row(sp.gammaincc, TWO, domain=[POSITIVE]),
    "gammainc_derivative": Row(
        special.gammainc_derivative,
        [((3,), (3,))],
        grid(order=[1, 2]),
        domain=[POSITIVE, (0.8, 3)],
        reference=real_only(plain_gammainc_derivative),
    ),
    "betainc": Row(
        sp.betainc,
        [((3, 4), (4,), ()), ((), (), ())],
        domain=[OPEN, orders(1, 4)],
        call=lambda f, x, a, b: f(a, b, x),
    ),
    "stdtr": Row(sp.stdtr, [((3, 4), (4,)), ((), ())], domain=[ANY, orders(1, 6)], call=order_first),
    "erf": Row(sp.erf, ONE),
    "erfc": Row(sp.erfc, ONE),
    "erfi": Row(sp.erfi, ONE, domain=[UNIT]),
    "erfcx": Row(sp.erfcx, ONE),
    "erfinv": Row(sp.erfinv, ONE, domain=[UNIT]),
    "erfcinv": Row(sp.erfcinv, ONE, domain=[(0.1, 1.9)]),
    "dawsn": Row(sp.dawsn, ONE),
    "ndtr": Row(sp.ndtr, ONE),
    "log_ndtr": Row(sp.log_ndtr, ONE),
    "ndtri": Row(sp.ndtri, ONE, domain=[OPEN]),
    "expit": Row(sp.expit, ONE),
    "logit": Row(sp.logit, ONE, domain=[OPEN]),
    "log_expit": Row(sp.log_expit, ONE),
    "xlogy": Row(sp.xlogy, TWO, domain=[nonzero, POSITIVE]),
    "xlog1py": Row(sp.xlog1py, TWO, domain=[nonzero, UNIT]),
    "entr": Row(sp.entr, ONE, domain=[POSITIVE]),
    "rel_entr": Row(sp.rel_entr, TWO, domain=[POSITIVE]),
    "kl_div": Row(sp.kl_div, TWO, domain=[POSITIVE]),
    "j0": Row(sp.j0, ONE),
    "j1": Row(sp.j1, ONE),
    "y0": Row(sp.y0, ONE, domain=[POSITIVE]),
    "y1": Row(sp.y1, ONE, domain=[POSITIVE]),
    "special.i0": Row(sp.i0, ONE),
    "i1": Row(sp.i1, ONE),
    "k0": Row(sp.k0, ONE, domain=[POSITIVE]),
    "k1": Row(sp.k1, ONE, domain=[POSITIVE]),
    "i0e": Row(sp.i0e, ONE, domain=[nonzero]),
    "i1e": Row(sp.i1e, ONE, domain=[nonzero]),
    "k0e": Row(sp.k0e, ONE, domain=[POSITIVE]),
    "k1e": Row(sp.k1e, ONE, domain=[POSITIVE]),
    "jv": bessel(sp.jv, aliases=(sp.jn,)),
    "yv": bessel(sp.yv),
    "yn": bessel(sp.yn, reference=real_only(sp.yn)),
    "iv": bessel(sp.iv),
    "kv": bessel(sp.kv),
    "kve": bessel(sp.kve),
    "ive": bessel(sp.ive, domain=nonzero, reference=real_only(sp.ive)),
    "exp1": Row(sp.exp1, ONE, domain=[POSITIVE]),
    "expi": Row(sp.expi, ONE, domain=[nonzero]),
    "sici": Row(sp.sici, [((3, 4),), ((),)], domain=[POSITIVE]),
    "sine_integral": Row(special.sine_integral, ONE, reference=lambda x: sp.sici(x)[0]),
    "cosine_integral": Row(special.cosine_integral, ONE, domain=[POSITIVE], reference=lambda x: sp.sici(x)[1]),
    "exp10": Row(sp.exp10, ONE),
    "cosm1": Row(sp.cosm1, ONE),
    "special.expm1": Row(sp.expm1, ONE),
    "special.log1p": Row(sp.log1p, ONE, domain=[UNIT]),
    "special.exp2": Row(sp.exp2, ONE),
}
