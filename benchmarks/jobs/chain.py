"""The cost of an operation: a chain of 200 of them, on 0-d arrays or arrays of 100, forward and backward.

Each expression is written once; an engine brings its leaves and its functions. `mixed` has products, sums, a sine and
a hyperbolic tangent. micrograd knows neither, so `basic` keeps to what all engines share: products, sums and ReLU.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.engines import HIPS
from benchmarks.measure import Case
from benchmarks.race import Race

Shape = list[int]
BLOCK, BLOCKS = 8, 25  # operations in one turn of either loop; turns


def mixed(x: Any, w: Any, f: SimpleNamespace, blocks: int) -> Any:
    sin, tanh = f.sin, f.tanh
    y = x
    for _ in range(blocks):
        y = sin(y * w + x)
        y = tanh(y * 0.5 - w)
        y = y * x + w
    return y


def basic(x: Any, w: Any, f: SimpleNamespace, blocks: int) -> Any:
    relu = f.relu
    y = x
    for _ in range(blocks):
        y = relu(y * w + x)
        y = relu(y * 0.5 + w)
        y = y * x * w
    return y


EXPRESSIONS = {"mixed": mixed, "basic": basic}


def inputs(shape: Shape) -> list[Any]:
    """Values for x and w for which nothing saturates, whatever the length of the chain; numbers where shape is []."""
    rng = np.random.default_rng(0)
    return [np.asarray(rng.uniform(0.4, 0.9, shape))[()] for _ in "xw"]


def recording(leaves: list[Any], f: SimpleNamespace, clear: Callable[[Any], None], **job: Any) -> Case:
    """A case for an engine whose objects record: leaves with `.grad`, results with `.data` and `.backward()`."""
    x, w = leaves
    expression, scalar, blocks = EXPRESSIONS[job["expression"]], not job["shape"], job["blocks"]

    def run() -> Any:
        clear(x)
        clear(w)
        y = expression(x, w, f, blocks)
        if not scalar:
            y = y.sum()
        y.backward()
        return y

    return Case(run, lambda y: [y.data, x.grad, w.grad])


def transformed(value_and_grad: Callable[..., Any], total: Callable[..., Any], f: SimpleNamespace, **job: Any) -> Any:
    """The function of x and w that gives value and gradients, for an engine that transforms functions."""
    expression, blocks = EXPRESSIONS[job["expression"]], job["blocks"]
    return value_and_grad(lambda x, w: total(expression(x, w, f, blocks)), (0, 1))


def forget(leaf: Any) -> None:
    leaf.grad = None


def seegrad(**job: Any) -> Case:
    import nn
    from autograd import Tensor

    leaves = [Tensor(value, requires_grad=True) for value in inputs(job["shape"])]
    return recording(leaves, SimpleNamespace(sin=np.sin, tanh=np.tanh, relu=nn.relu), Tensor.zero_grad, **job)


def torch(**job: Any) -> Case:
    import torch

    torch.set_num_threads(1)
    leaves = [torch.tensor(value, requires_grad=True) for value in inputs(job["shape"])]
    return recording(leaves, SimpleNamespace(sin=torch.sin, tanh=torch.tanh, relu=torch.relu), forget, **job)


def mygrad(**job: Any) -> Case:
    import mygrad
    from mygrad.nnet.activations import relu

    leaves = [mygrad.tensor(value) for value in inputs(job["shape"])]
    f = SimpleNamespace(sin=mygrad.sin, tanh=mygrad.tanh, relu=relu)
    return recording(leaves, f, mygrad.Tensor.null_grad, **job)


def micrograd(**job: Any) -> Case:
    from micrograd.engine import Value

    def clear(leaf: Value) -> None:
        leaf.grad = 0.0

    leaves = [Value(float(value)) for value in inputs(job["shape"])]
    return recording(leaves, SimpleNamespace(relu=Value.relu), clear, **job)


def jax(**job: Any) -> Case:
    import jax

    jax.config.update("jax_enable_x64", True)
    f = SimpleNamespace(sin=jax.numpy.sin, tanh=jax.numpy.tanh, relu=jax.nn.relu)
    x, w = map(jax.numpy.asarray, inputs(job["shape"]))
    compiled = jax.jit(transformed(jax.value_and_grad, jax.numpy.sum, f, **job))
    return Case(lambda: jax.block_until_ready(compiled(x, w)), lambda result: [result[0], *result[1]])


def hips(**job: Any) -> Case:
    import autograd.numpy as anp
    from autograd import value_and_grad

    f = SimpleNamespace(sin=anp.sin, tanh=anp.tanh, relu=lambda y: anp.maximum(y, 0.0))
    x, w = inputs(job["shape"])
    gradient = transformed(value_and_grad, anp.sum if job["shape"] else (lambda y: y), f, **job)
    return Case(lambda: gradient(x, w), lambda result: [result[0], *result[1]])


ENGINES = {"seegrad": seegrad, "torch": torch, "jax.jit": jax, "mygrad": mygrad, HIPS: hips}


def race(name: str, about: str, expression: str, shape: Shape, bounds: dict[str, float]) -> Race:
    size = {"expression": expression, "shape": shape, "blocks": BLOCKS}
    engines = {**ENGINES, "micrograd": micrograd} if expression == "basic" else ENGINES
    return Race(name, about, engines, size, operations=BLOCKS * BLOCK, unit="us/op", bounds=bounds)


SCALAR_BOUNDS = {"torch": 0.5, HIPS: 0.1}
RACES = [
    race("scalars", "200 mixed operations on 0-d float64", "mixed", [], SCALAR_BOUNDS),
    race("scalars-basic", "the same with +, * and ReLU only, for micrograd", "basic", [], SCALAR_BOUNDS),
    race("arrays", "200 mixed operations on float64 arrays of 100", "mixed", [100], {"torch": 0.75, HIPS: 0.1}),
]
