"""Layers of convolutional networks: convolution, its transpose, pooling, flattening. Arrays are (N, channels, ...).

What they compute is in `autograd.ops.conv`; arguments, shapes and results are PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autograd import ShapeError
from autograd.ops.conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d, each_axis
from autograd.ops.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d

from . import init
from .layers import Weighted
from .module import Module, Parameter

Sizes = int | tuple[int, ...]


class _Kernel(Weighted):
    """What the convolutions share: a kernel W and a bias b (or None), drawn here or given."""

    n: ClassVar[int]
    transposed: ClassVar[bool] = False

    def _take(self, W: Any, b: Any, kernel_size: Any, groups: int, bias: bool, rng: init.Rng, dtype: Any) -> None:
        if isinstance(W, int | np.integer) and isinstance(b, int | np.integer):
            W, b = self._drawn(int(W), int(b), kernel_size, groups, bias, rng, dtype)
        self.W = W if isinstance(W, Parameter) else Parameter(W, name="W")
        self.b = b if b is None or isinstance(b, Parameter) else Parameter(b, name="b")
        self.groups = groups
        out = self.W.shape[:1] if not self.transposed else (groups * self.W.shape[1],)
        if self.W.ndim != self.n + 2 or (self.b is not None and self.b.shape != out):
            rows = "in, out / groups" if self.transposed else "out, in / groups"
            raise ShapeError(
                f"{type(self).__name__} needs W of shape ({rows}, *kernel) with a kernel of {self.n} axes, and b of "
                f"shape (out,) or None, got {self.W.shape} and {None if self.b is None else self.b.shape}"
            )

    def _drawn(self, n_in: int, n_out: int, kernel_size: Any, groups: int, bias: bool, rng: Any, dtype: Any) -> Any:
        """Normal weights of standard deviation sqrt(2 / number of inputs), as `init.he_normal`; a bias of zeros."""
        if groups < 1 or n_in % groups or n_out % groups:
            raise ValueError(f"groups={groups} must divide the {n_in} channels in and the {n_out} channels out")
        kernel = each_axis("kernel_size", kernel_size, self.n, 1)
        channels = (n_in, n_out // groups) if self.transposed else (n_out, n_in // groups)
        std = math.sqrt(2 / max(n_in // groups * math.prod(kernel), 1))
        W = init.normal((*channels, *kernel), std, rng, dtype)
        return W, np.zeros(n_out, dtype=dtype) if bias else None


class Conv1d(_Kernel):
    """Cross-correlation of (N, in_channels, length) with kernels, plus a bias; see `nn.conv1d`.

    Conv1d(in_channels, out_channels, kernel_size): W of shape (out, in / groups, k) and b of shape (out,) drawn here.
    Conv1d(W, b): these arrays, shared and not copied; b may be None.
    After a hand-driven `backward(dout)` the gradients are in `dW` and `db`.
    """

    n = 1

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        kernel_size: Sizes | None = None,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        rng: init.Rng = None,
        dtype: Any = np.float64,
    ):
        self._take(in_channels, out_channels, kernel_size, groups, bias, rng, dtype)
        self.stride, self.padding, self.dilation = stride, padding, dilation

    def forward(self, x: Any) -> Any:
        return conv1d(x, self.W, self.b, self.stride, self.padding, self.dilation, self.groups)


class Conv2d(Conv1d):
    """The same as `Conv1d` for images (N, in_channels, height, width): W is (out, in / groups, height, width)."""

    n = 2

    def forward(self, x: Any) -> Any:
        return conv2d(x, self.W, self.b, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose1d(_Kernel):
    """The transpose of a convolution, which makes (N, in_channels, length) longer; see `nn.conv_transpose1d`.

    W has the shape (in, out / groups, k), b (out,); drawn here or given as in `Conv1d`.
    """

    n = 1
    transposed = True

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        kernel_size: Sizes | None = None,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        rng: init.Rng = None,
        dtype: Any = np.float64,
    ):
        self._take(in_channels, out_channels, kernel_size, groups, bias, rng, dtype)
        self.stride, self.padding, self.output_padding, self.dilation = stride, padding, output_padding, dilation

    def forward(self, x: Any) -> Any:
        return conv_transpose1d(
            x, self.W, self.b, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class ConvTranspose2d(ConvTranspose1d):
    """The same as `ConvTranspose1d` for images: W is (in, out / groups, height, width)."""

    n = 2

    def forward(self, x: Any) -> Any:
        return conv_transpose2d(
            x, self.W, self.b, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class MaxPool1d(Module):
    """The largest element of each window; see `nn.max_pool1d`. stride: by default the kernel_size."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
    ):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode

    def forward(self, x: Any) -> Any:
        return max_pool1d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool2d(MaxPool1d):
    """The same as `MaxPool1d` over height and width."""

    def forward(self, x: Any) -> Any:
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class AvgPool1d(Module):
    """The mean of each window; see `nn.avg_pool1d`. stride: by default the kernel_size."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        return avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(AvgPool1d):
    """The same as `AvgPool1d` over height and width."""

    def forward(self, x: Any) -> Any:
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class Flatten(Module):
    """(N, ...) to (N, features): what an Affine layer after a convolution takes."""

    def forward(self, x: Any) -> Any:
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
