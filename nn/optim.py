"""Optimisers: `step()` moves each parameter along its `.grad`.

They replace arrays and never write into one, because a graph may have saved it. The dtype of a parameter is kept.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.source import caller


class SGD:
    """Gradient descent with momentum and weight decay, in PyTorch's order of operations.

    With d = grad + weight_decay * p and v = momentum * v + d: p = p - lr * v. A parameter whose `.grad` is None is
    left alone. Raises ValueError for a setting below 0, for no parameters and for one that is there twice.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        self.params = list(params)
        if not self.params:
            raise ValueError("SGD got no parameters; pass model.parameters()")
        for p in self.params:
            if not isinstance(p, Tensor) or not p.requires_grad or not p.is_leaf:
                raise TypeError("SGD takes Parameters, or leaves made with requires_grad=True")
        if len({id(p) for p in self.params}) < len(self.params):
            raise ValueError("SGD got a parameter twice, and would move it twice in a step; pass each once")
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not isinstance(value, Real) or not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a finite number, 0 or more, not {value!r}")
        # Python floats: a NumPy float64 would turn float32 parameters into float64
        self.lr, self.momentum, self.weight_decay = float(lr), float(momentum), float(weight_decay)
        self._spare: list[Any] = [None] * len(self.params)
        self._velocity: list[Any] = [None] * len(self.params)

    def step(self) -> None:
        """Move every parameter once."""
        spares, place = self._spare, caller()
        for k, p in enumerate(self.params):
            d = p.grad
            if d is None:
                continue
            old = p.data
            if self.weight_decay:
                d = d + self.weight_decay * old
            if self.momentum:
                v = self._velocity[k]
                d = self._velocity[k] = d.copy() if v is None else self.momentum * v + d
            # The array that the last step replaced is written to again if nobody else holds it (two references: the
            # list and the argument): fresh memory costs more than the arithmetic.
            new = spares[k] if spares[k] is not None and sys.getrefcount(spares[k]) == 2 else np.empty_like(old)
            np.multiply(d, self.lr, out=new)
            np.subtract(old, new, out=new)
            p._replace(new, place)
            spares[k] = old if old.base is None and old.flags.writeable else None  # a view's memory is somebody else's

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.params:
            p.zero_grad()
