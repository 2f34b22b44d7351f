"""seegrad's engine: a computational graph that is recorded as NumPy code runs, and its derivatives."""

__distribution__ = "seegrad"

from typing import Any

from . import ops
from .anomaly import detect_anomaly
from .batches import vmap
from .check import gradcheck, numerical_gradient
from .custom import custom_vjp, primitive, stop_gradient
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
from .recompute import checkpoint
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
)

__version__ = "0.1.0"

# What is loaded when it is first asked for: namespaces, what needs SciPy, and HIPS autograd's other names.
_MODULES = (
    "builtins", "core", "differential_operators", "extend", "implicit", "misc", "numpy", "optimize", "scipy",
    "test_util", "tracer", "util", "wrap_util",
)  # fmt: skip
_NAMES = {
    **dict.fromkeys(("dict", "isinstance", "list", "tuple", "type"), "builtins"),
    **dict.fromkeys(
        (
            "deriv", "grad_and_aux", "grad_named", "hessian_tensor_product", "hessian_vector_product",
            "holomorphic_grad", "make_ggnvp", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp",
            "multigrad_dict", "tensor_jacobian_product", "vector_jacobian_product",
        ),
        "differential_operators",
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
