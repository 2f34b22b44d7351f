"""HIPS autograd's operators on functions, in terms of our transforms."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from . import core
from .recompute import checkpoint
from .transforms import (
    ArgNums,
    _takes_argnum,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    value_and_grad,
)
from .tree import flatten
from .wrap_util import unary_to_nary

Function = Callable[..., Any]

__all__ = [
    "checkpoint",
    "deriv",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]

make_vjp = unary_to_nary(core.make_vjp)
make_jvp = unary_to_nary(core.make_jvp)


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """The derivative of fun in forward mode, along ones: for an elementwise function at every element."""
    return core.make_jvp(fun, x)(core.vspace(x).ones())[1]


@_takes_argnum
def holomorphic_grad(f: Function, argnums: ArgNums = 0) -> Function:
    """The complex derivative of a holomorphic scalar function of complex arguments; TypeError for real ones."""

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        g = grad(lambda *a, **k: np.real(f(*a, **k)), argnums)(*args, **kwargs)
        for part in flatten(g)[0]:
            if not np.iscomplexobj(part):
                raise TypeError("holomorphic_grad takes complex arguments; pass x + 0j")
        return g

    return derivative


@_takes_argnum
def grad_and_aux(f: Function, argnums: ArgNums = 0) -> Function:
    """For f that returns (scalar, aux): the pair (gradient of the scalar, aux)."""
    return grad(f, argnums, has_aux=True)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient for the argument of this name."""
    return grad(fun, argname)


def multigrad_dict(fun: Function) -> Function:
    """The gradients for all arguments at once, as a dict by name; defaults are filled in."""
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_arguments(arguments: dict[str, Any]) -> Any:
            bound.arguments.update(arguments)
            return fun(*bound.args, **bound.kwargs)

        return grad(of_arguments)(dict(bound.arguments))

    return gradients


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> Any:
    """(product, gradient): product(v) is the Hessian at x times v, without running fun again."""
    return core.make_vjp(grad(fun), x)


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """The function (*args, v) -> the Hessian times v."""
    return hvp(fun, argnums=argnum)


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """The function (*args, v) -> v times the Jacobian, summed over all axes of v."""

    def product(*args_and_v: Any, **kwargs: Any) -> Any:
        *args, v = args_and_v
        return jacobian(lambda *a: np.tensordot(v, fun(*a, **kwargs), axes=np.ndim(v)), argnum)(*args)

    return product


vector_jacobian_product = tensor_jacobian_product


@unary_to_nary
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """The function v -> the derivative of fun at x along v, as the transpose of the VJP."""
    pull, y = core.make_vjp(fun, x)
    return core.make_vjp(pull, core.vspace(y).zeros())[0]


def make_ggnvp(f: Function, g: Function = lambda x: np.sum(x**2, axis=-1) / 2, f_argnum: int = 0) -> Function:
    """The function v -> the generalised Gauss-Newton matrix of g(f(x)) times v: J' H J v, with J of f and H of g."""

    @unary_to_nary
    def at_point(f: Function, x: Any) -> Function:
        pull, y = core.make_vjp(f, x)
        push = core.make_jvp(f, x)
        hessian_product, _ = core.make_vjp(grad(g), y)
        return lambda v: pull(hessian_product(push(v)[1]))

    return at_point(f, f_argnum)
