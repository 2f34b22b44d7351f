"""scipy.integrate with derivatives."""

from __future__ import annotations

from typing import Any

import scipy.integrate as _scipy

from ..ops.scipy.integrate import odeint, quad, solve_ivp

__all__ = ["odeint", "quad", "solve_ivp"]


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
