"""Programs as users write them, where several parts of the engine meet, against plain computations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, custom_vjp, grad, hvp, jacobian, jvp, value_and_grad, vmap
from autograd.errors import NotBatchedError
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
        lambda w: np.sum(
            vmap(lambda row: np.stack(value_and_grad(lambda u: np.sum(f(u * w, row * w)))(row)[1]))(X) ** 2
        )
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


def of_another(y):
    """A region that multiplies by y, which is not among its arguments."""
    return custom_vjp(lambda x: x * y, lambda x: (x * y, None), lambda _, g: (g,))


@pytest.mark.parametrize(
    "f",
    [
        lambda w: of_another(w)(W),
        lambda w: vmap(lambda x: of_another(w)(x))(X),
        lambda w: vmap(lambda x: of_another(x * w)(x))(X),
        lambda w: vmap(
            lambda x: custom_vjp(lambda x, k: x * k, lambda x, k: (x * k, k), lambda k, g: (g * k,))(W, k=x)
        )(X * w),
    ],
)
def test_a_gradient_that_a_region_does_not_know_of_is_refused(f):
    with pytest.raises(NotDifferentiableError, match="pass it"):
        grad(lambda w: np.sum(f(w)))(W)


# ---- containers ----


def test_none_in_a_container_is_an_empty_place():
    params = {"W": X, "b": None, "more": [W, None, ()]}

    def f(p):
        return np.sum(p["W"] @ p["more"][0]) if p["b"] is None else math.nan

    g = grad(f)(params)
    assert list(g) == ["W", "b", "more"] and g["b"] is None and g["more"][1:] == [None, ()]
    np.testing.assert_allclose(g["more"][0], np.sum(X, axis=0))
    v, t = jvp(f, params, params)
    np.testing.assert_allclose(t, 2 * v)
    np.testing.assert_allclose(hvp(f)(params, params)["W"], np.tile(W, (4, 1)))
    rows = vmap(grad(f), in_axes=({"W": 0, "b": None, "more": None},))(params)
    np.testing.assert_allclose(rows["W"], np.tile(W, (4, 1)))
    assert rows["b"] is None


def test_an_argument_none():
    with pytest.raises(NotDifferentiableError, match="respect to None"):
        grad(lambda x: 0.0)(None)


# ---- assignment inside vmap ----


def squares_in_a_loop(x):
    y = Tensor(np.zeros(3))
    for i in range(3):
        y[i] = x[i] ** 2 if i < 2 else y[0] * y[1]
    return y


def squares(x):
    return np.stack([x[0] ** 2, x[1] ** 2, x[0] ** 2 * x[1] ** 2])


@pytest.mark.parametrize(
    "program",
    [
        lambda f: vmap(f)(X),
        lambda f: vmap(jacobian(f))(X),
        lambda f: grad(lambda w: np.sum(vmap(lambda x: f(x * w) * w)(X) ** 2))(W),
        lambda f: grad(lambda w: np.sum(vmap(lambda x: grad(lambda u: np.sum(f(u * w) * w))(x))(X) ** 2))(W),
    ],
)
def test_a_tensor_filled_in_a_loop(program):
    np.testing.assert_allclose(program(squares_in_a_loop), program(squares))


def test_a_number_where_a_mask_of_each_example_holds():
    def clipped(x):
        y = x * 1.0
        y[y > 0] = 0.0
        y[1:][y[1:] < -0.5] = x[0]
        return np.sum(y**2)

    def by_where(x):
        y = np.where(x > 0, 0, x)
        return y[0] ** 2 + np.sum(np.where(y[1:] < -0.5, x[0], y[1:]) ** 2)

    np.testing.assert_allclose(vmap(grad(clipped))(X), loop(grad(by_where))(X))

    def rows(x):
        y = Tensor(np.zeros((3, 2), np.float32))
        y[x > 0] = 2.0
        return y

    y = vmap(rows)(X)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.data, np.where(X > 0, 2.0, 0.0)[..., None] * np.ones(2))


@pytest.mark.parametrize("index", [lambda x: np.argmax(x), lambda x: (x > 0, 0)])
def test_assignment_at_another_place_in_each_example_is_refused(index):
    def f(x):
        y = Tensor(np.zeros((3, 2)))
        y[index(x)] = 1.0
        return y

    with pytest.raises(NotBatchedError, match=r"np\.where"):
        vmap(f)(X)


# ---- mistakes ----


def test_what_mistakes_say():
    for f in (grad, jacobian, hvp):
        with pytest.raises(TypeError, match="`return` missing"):
            f(lambda x: None)(*(W,) * (1 + (f is hvp)))
    with pytest.raises(TypeError, match="argnums is an integer, a name or a sequence"):
        grad(np.sum, argnums=0.5)(W)
    assert vmap(lambda x: None)(X) is None
