"""seegrad's engine: a computational graph that is recorded as NumPy code runs, and its derivatives."""

__distribution__ = "seegrad"

from . import implicit, ops
from .anomaly import detect_anomaly
from .check import gradcheck, numerical_gradient
from .errors import (
    AnomalyError,
    GradcheckError,
    GraphFreedError,
    NotDifferentiableError,
    SavedArrayChangedError,
    ShapeError,
)
from .modes import enable_grad, no_grad
from .node import Node
from .op import Op, elementwise, general, linear, multilinear
from .sweep import gradients
from .symbol import Symbol
from .tensor import Tensor, tensor
from .transforms import elementwise_grad, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"


def __getattr__(name):
    """autograd.optimize and autograd.scipy, which need SciPy, are loaded when they are first used."""
    if name in ("optimize", "scipy"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
