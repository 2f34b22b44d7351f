"""seegrad's engine: a computational graph that is recorded as NumPy code runs, and its derivatives."""

__distribution__ = "seegrad"

from . import ops
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
from .transforms import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
    vmap,
)

__version__ = "0.1.0"
