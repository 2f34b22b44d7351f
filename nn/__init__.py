"""Layers, losses and optimisers, composed of graph operations. No derivative rule lives here.

Two ways to drive a layer: as a function that records a graph (`loss = model(x)`, `loss.backward()`), or by hand as in
the book (`out = layer.forward(x)`, `dx = layer.backward(dout)`, `layer.dW`). Both run the same graph.
"""

import autograd

if getattr(autograd, "__distribution__", None) != "seegrad":
    from importlib.metadata import packages_distributions

    _owners = ", ".join(sorted(set(packages_distributions().get("autograd", ["unknown"])) - {"seegrad"}))
    raise ImportError(
        f"nn belongs to the distribution seegrad, but the package autograd at {autograd.__file__} belongs to "
        f"{_owners or 'another one'}. Both install a package of that name: uninstall one, then reinstall seegrad."
    )

from autograd.source import hide as _hide

_hide(__path__[0])

from . import init, optim
from .convolution import (
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Flatten,
    MaxPool1d,
    MaxPool2d,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    max_pool1d,
    max_pool2d,
)
from .functions import log_softmax, logsumexp, mean_squared_error, relu, sigmoid, softmax, softmax_cross_entropy
from .layers import Affine, ReLU, Sequential, Sigmoid, SoftmaxWithLoss
from .module import Module, Parameter

__all__ = [
    "Affine",
    "AvgPool1d",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Flatten",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "SoftmaxWithLoss",
    "avg_pool1d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "init",
    "log_softmax",
    "logsumexp",
    "max_pool1d",
    "max_pool2d",
    "mean_squared_error",
    "optim",
    "relu",
    "sigmoid",
    "softmax",
    "softmax_cross_entropy",
]
