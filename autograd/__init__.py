"""seegrad's engine: a computational graph that is recorded as NumPy code runs, and its derivatives."""

__distribution__ = "seegrad"

from . import ops
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
from .tensor import Tensor, tensor
