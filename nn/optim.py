"""Optimisers: `step()` moves each parameter along its `.grad`.

They replace arrays and never write into one, because a graph may have saved it. The dtype of a parameter is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor


class SGD:
    """Gradient descent with momentum and weight decay, in PyTorch's order of operations.

    With d = grad + weight_decay * p and v = momentum * v + d: p = p - lr * v. A parameter whose `.grad` is None is
    left alone. Raises ValueError for a negative setting and for an empty list of parameters.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        self.params = list(params)
        if not self.params:
            raise ValueError("SGD got no parameters; pass model.parameters()")
        for p in self.params:
            if not isinstance(p, Tensor) or not p.requires_grad or not p.is_leaf:
                raise TypeError("SGD takes Parameters, or leaves made with requires_grad=True")
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} must be 0 or more, not {value}")
        # Python floats: a NumPy float64 would turn float32 parameters into float64
        self.lr, self.momentum, self.weight_decay = float(lr), float(momentum), float(weight_decay)
        self._spare: list[Any] = [None] * len(self.params)
        self._velocity: list[Any] = [None] * len(self.params)

    def step(self) -> None:
        """Move every parameter once."""
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
            # The array that the last step replaced is written to again if nobody else holds it: fresh memory costs
            # more than the arithmetic.
            spare, self._spare[k] = self._spare[k], None
            if spare is None or sys.getrefcount(spare) > 2:
                spare = np.empty_like(old)
            np.multiply(d, self.lr, out=spare)
            np.subtract(old, spare, out=spare)
            p.data = spare
            self._spare[k] = old

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.params:
            p.zero_grad()
