"""Programs as users write them, where several parts of the engine meet: each against a plain computation of the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import Tensor, custom_vjp, grad, jacobian, value_and_grad, vmap
from autograd.extend import defvjp, primitive

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal(3)


def loop(f):
    """What vmap(f) means."""
    return lambda xs: np.stack([f(xs[k]) for k in range(len(xs))])


# ---- one's own rules inside vmap: the rule is three times the true derivative, so that a way around it shows ----

region = custom_vjp(
    lambda x, y: np.sin(x) * y,
    lambda x, y: (np.sin(x) * y, (x, y)),
    lambda saved, g: (3 * g * np.cos(saved[0]) * saved[1], g * np.sin(saved[0])),
)


@primitive
def black_box(x, y):
    assert all(isinstance(v, np.ndarray | np.float64) for v in (x, y))
    return np.array([math.sin(v) for v in x]) * y


defvjp(black_box, lambda ans, x, y: lambda g: 3 * g * np.cos(x) * y, lambda ans, x, y: lambda g: g * np.sin(x))

WITH_OWN_RULES = {
    "of the batch": lambda f, vmap: grad(lambda x: np.sum(vmap(lambda row: f(row, W))(x) ** 2))(X),
    "of what all share": lambda f, vmap: grad(lambda w: np.sum(vmap(lambda row: f(row, w))(X) ** 2))(W),
    "of both": lambda f, vmap: grad(lambda w: np.sum(vmap(lambda row: f(row * w, w) * w)(X) ** 2))(W),
    "of no batch": lambda f, vmap: grad(lambda w: np.sum(vmap(lambda row: f(w, w) * row)(X)))(W),
    "in two": lambda f, vmap: grad(lambda w: np.sum(vmap(lambda a: vmap(lambda b: f(a * w, b * w))(X))(X) ** 2))(W),
    "inside": lambda f, vmap: vmap(grad(lambda row: np.sum(f(row, W * row))))(X),
    "between two": lambda f, vmap: vmap(grad(lambda a: np.sum(vmap(lambda b: f(b * a, a))(X) ** 2)))(X),
    "inside and outside": lambda f, vmap: grad(
        lambda w: np.sum(vmap(lambda row: np.stack(value_and_grad(lambda u: np.sum(f(u * w, row * w)))(row)[1]))(X) ** 2)
    )(W),
    "value of an inner transform": lambda f, vmap: grad(
        lambda w: np.sum(vmap(lambda row: value_and_grad(lambda u: np.sum(f(u * w, row * w)))(row)[0])(X) ** 2)
    )(W),
    "a Jacobian inside": lambda f, vmap: grad(
        lambda w: np.sum(vmap(lambda row: jacobian(lambda u: f(u, row * w))(row))(X) ** 2)
    )(W),
}


@pytest.mark.parametrize("f", [region, black_box], ids=["custom_vjp", "primitive"])
@pytest.mark.parametrize("program", WITH_OWN_RULES.values(), ids=WITH_OWN_RULES.keys())
def test_rules_of_ones_own_hold_inside_vmap(program, f):
    np.testing.assert_allclose(program(f, vmap), program(f, loop), rtol=1e-12)


def test_backward_through_ones_own_rule_inside_vmap():
    w = Tensor(W, requires_grad=True)
    np.sum(vmap(lambda row: region(row * w, w) * w)(X)).backward()
    np.testing.assert_allclose(w.grad, np.sum(3 * np.cos(X * W) * X * W**2 + 2 * np.sin(X * W) * W, axis=0))


def test_containers_through_ones_own_rule_inside_vmap():
    f = custom_vjp(
        lambda p, note: {"s": p["a"] * p["b"], "note": note},
        lambda p, note: ({"s": p["a"] * p["b"], "note": note}, (p, note)),
        lambda saved, g: ({"b": 2 * g["s"] * saved[0]["a"], "a": len(saved[1]) * g["s"] * saved[0]["b"]}, None),
    )
    g = grad(lambda w: np.sum(vmap(lambda row: f({"a": row * w, "b": w}, "four")["s"])(X)))(W)
    np.testing.assert_allclose(g, np.sum((4 + 2) * X * W, axis=0))

    @primitive
    def h(p):
        assert isinstance(p["a"], np.ndarray)
        return {"s": p["a"] * p["b"], "t": (p["a"],)}

    defvjp(h, lambda ans, p: lambda g: {"a": 3 * g["s"] * p["b"] + g["t"][0], "b": g["s"] * p["a"]})
    g = grad(lambda w: np.sum(vmap(lambda row: h({"a": row * w, "b": w})["s"])(X)))(W)
    np.testing.assert_allclose(g, np.sum(4 * X * W, axis=0))
    g = vmap(grad(lambda row: np.sum(h({"a": row * W, "b": W})["t"][0])))(X)
    np.testing.assert_allclose(g, np.tile(W, (4, 1)))
