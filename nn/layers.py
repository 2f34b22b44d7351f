"""The four layers of the book's chapter 5, and Sequential."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor
from autograd.ops.matrix import affine

from . import init
from .functions import relu, sigmoid, softmax, softmax_cross_entropy
from .module import Module, Parameter


class ReLU(Module):
    """max(x, 0) for each element; the gradient at 0 is 0."""

    def forward(self, x: Any) -> Any:
        return relu(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)) for each element."""

    def forward(self, x: Any) -> Any:
        return sigmoid(x)


class Weighted(Module):
    """A layer with a weight W and a bias b (or None), and their gradients by hand."""

    W: Parameter
    b: Parameter | None

    @property
    def dW(self) -> Any:
        """The gradient of W from the last hand-driven backward; None before."""
        return self.grads.get("W")

    @property
    def db(self) -> Any:
        """The gradient of b from the last hand-driven backward; None before, and without a bias."""
        return self.grads.get("b")


class Affine(Weighted):
    """y = x @ W + b.

    Affine(n_in, n_out, rng=...): W of shape (n_in, n_out) drawn as `init.he_normal`, b zeros.
    Affine(W, b): these arrays, shared and not copied.
    After a hand-driven `backward(dout)` the gradients are in `dW` and `db`.
    """

    def __init__(self, W: Any, b: Any, rng: np.random.Generator | int | None = None, dtype: Any = np.float64):
        if isinstance(W, int | np.integer) and isinstance(b, int | np.integer):
            W, b = init.he_normal((int(W), int(b)), rng=rng, dtype=dtype), np.zeros(int(b), dtype=dtype)
        self.W = W if isinstance(W, Parameter) else Parameter(W, name="W")
        self.b = b if isinstance(b, Parameter) else Parameter(b, name="b")
        if self.W.ndim != 2 or self.b.shape != self.W.shape[1:]:
            raise ShapeError(
                f"Affine needs W of shape (in, out) and b of shape (out,), got {self.W.shape} and {self.b.shape}"
            )

    def forward(self, x: Any) -> Any:
        try:
            return affine(x, self.W, self.b)
        except ValueError:
            n, _ = self.W.shape
            raise ShapeError(
                f"Affine with W of shape {self.W.shape} takes x of shape (..., {n}), got {np.shape(x)}"
            ) from None


class SoftmaxWithLoss(Module):
    """The softmax of scores and its cross entropy against labels, as one step; see `nn.softmax_cross_entropy`.

    After a forward pass: `loss`, `y` (the softmax) and `t`, as arrays.
    """

    t: Any = None
    _loss: Any = None
    _x: Any = None
    _constant_inputs = frozenset({1})

    def forward(self, x: Any, t: Any) -> Any:
        loss = softmax_cross_entropy(x, t)
        self._x = x.data if isinstance(x, Tensor) else x
        self.t = t.data if isinstance(t, Tensor) else t
        self._loss = loss.detach() if isinstance(loss, Tensor) else loss
        return loss

    @property
    def loss(self) -> Any:
        """The loss of the last forward pass as a number; None before."""
        return self._loss.data[()] if isinstance(self._loss, Tensor) else self._loss

    @property
    def y(self) -> Any:
        """softmax(x) of the last forward pass; None before."""
        return None if self._x is None else softmax(self._x)


@functools.cache
def _label(k: int, kind: str) -> str:
    return f"{k} {kind}"


class Sequential(Module):
    """Layers (or functions) one after the other."""

    def __init__(self, *layers: Module | Callable[[Any], Any]):
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        for k, layer in enumerate(self.layers):
            x = layer.run_as(_label(k, type(layer).__name__), x) if isinstance(layer, Module) else layer(x)
        return x

    def __getitem__(self, k: int) -> Any:
        return self.layers[k]

    def __len__(self) -> int:
        return len(self.layers)
