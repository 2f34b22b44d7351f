"""Implicit differentiation against closed forms, unrolled iterations, finite differences and JAX."""

import gc
from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the default solvers need the extra scipy")

from autograd import (
    NotDifferentiableError,
    Tensor,
    grad,
    gradcheck,
    gradients,
    hessian,
    implicit,
    jacobian,
    jvp,
    optimize,
    vmap,
)
from autograd.node import Node

RNG = np.random.default_rng(0)


def bisect(f, x):
    """A solver of the user's, on plain floats."""
    low, high = 0.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) > 0 else (middle, high)
    return np.float64(middle)


@pytest.mark.parametrize("solver", [None, bisect])
def test_square_root_to_third_order(solver):
    f = lambda p: implicit.root(lambda x, p: x * x - p, 1.0, p, solver=solver)
    for expected in (lambda p: p**0.5, lambda p: p**-0.5 / 2, lambda p: -(p**-1.5) / 4, lambda p: 3 * p**-2.5 / 8):
        assert f(2.0) == pytest.approx(expected(2.0), rel=1e-12)
        f = grad(f)


def test_a_linear_system():
    a, b = RNG.normal(size=(4, 4)) + 4 * np.eye(4), RNG.normal(size=4)

    def solution(a, b):
        return implicit.root(lambda x, a, b: a @ x - b, np.zeros(4), a, b)

    np.testing.assert_allclose(solution(a, b), np.linalg.solve(a, b), rtol=1e-12)
    for k in (0, 1):
        np.testing.assert_allclose(
            jacobian(solution, k)(a, b), jacobian(np.linalg.solve, k)(a, b), rtol=1e-10, atol=1e-12
        )
    np.testing.assert_allclose(
        jvp(solution, (a, b), (a * 0.1, b))[1], jvp(np.linalg.solve, (a, b), (a * 0.1, b))[1], rtol=1e-10
    )
    gradcheck(solution, a, b)


def test_fixed_point_is_the_unrolled_iteration():
    w, b = RNG.uniform(-0.3, 0.3, (3, 3)), RNG.normal(size=3)

    def step(x, w, b):
        return np.tanh(w @ x + b)

    def unrolled(w, b):
        x = np.zeros(3)
        for _ in range(60):
            x = step(x, w, b)
        return np.sum(x**2)

    def implicitly(w, b):
        return np.sum(implicit.fixed_point(step, np.zeros(3), w, b) ** 2)

    for k in (0, 1):
        np.testing.assert_allclose(grad(implicitly, k)(w, b), grad(unrolled, k)(w, b), rtol=1e-10)
    np.testing.assert_allclose(hessian(implicitly, 1)(w, b), hessian(unrolled, 1)(w, b), rtol=1e-8, atol=1e-11)
    gradcheck(implicitly, w, b)


def test_fixed_point_with_a_solver_of_ones_own():
    def solver(step, x):
        for _ in range(100):
            x = step(x)
        return x

    f = lambda p: implicit.fixed_point(lambda x, p: (x + p / x) / 2, 1.0, p, solver=solver)  # Newton's square root
    assert grad(f)(2.0) == pytest.approx(2**-0.5 / 2)
    assert grad(grad(f))(2.0) == pytest.approx(-(2**-1.5) / 4)


def test_ridge_regression_by_its_penalty():
    """Closed form: w = (X'X + p)^-1 X'y."""
    x, y = RNG.normal(size=(20, 3)), RNG.normal(size=20)

    def closed(p):
        return np.linalg.solve(x.T @ x + p * np.eye(3), x.T @ y)

    def ridge(p):
        return implicit.minimize(lambda w, p: np.sum((x @ w - y) ** 2) + p * np.sum(w**2), np.zeros(3), p)

    np.testing.assert_allclose(ridge(1.5), closed(1.5), rtol=1e-9)
    np.testing.assert_allclose(jacobian(ridge)(1.5), jacobian(closed)(1.5), rtol=1e-8)
    np.testing.assert_allclose(jacobian(jacobian(ridge))(1.5), jacobian(jacobian(closed))(1.5), rtol=1e-7)


def test_minimize_with_a_solver_of_ones_own():
    def solver(objective, x):
        for _ in range(200):
            x = x - 0.4 * grad(objective)(x)
        return x

    f = lambda p: implicit.minimize(lambda x, p: (x - p) ** 2 + p * x, 0.0, p, solver=solver)  # x = p / 2
    assert f(3.0) == pytest.approx(1.5)
    assert grad(f)(3.0) == pytest.approx(0.5)


class Params(NamedTuple):
    a: object
    b: object


def test_containers_of_unknowns_and_parameters():
    def f(x, p, scale):
        return {"u": scale * x["u"] - p.a, "v": [x["v"][0] ** 3 - p.b["c"] * np.sum(x["u"])]}

    def loss(p, scale):
        x = implicit.root(f, {"u": np.zeros((2, 2)), "v": [np.ones(())]}, p, scale)
        return np.sum(x["u"]) + x["v"][0]

    def closed(p, scale):
        total = np.sum(p.a) / scale
        return total + np.cbrt(p.b["c"] * total)

    p = Params(np.array([[1.0, 2.0], [3.0, 4.0]]), {"c": 0.8})
    assert loss(p, 2.0) == pytest.approx(closed(p, 2.0))
    ours, expected = grad(loss, (0, 1))(p, 2.0), grad(closed, (0, 1))(p, 2.0)
    np.testing.assert_allclose(ours[0].a, expected[0].a)
    np.testing.assert_allclose([ours[0].b["c"], ours[1]], [expected[0].b["c"], expected[1]])


def test_float32_and_integers_among_the_parameters():
    p = np.float32([4.0, 9.0])
    f = lambda p: np.sum(implicit.root(lambda x, p, k: x**k - p, np.ones(2, np.float32), p, 2))
    g = grad(f)(p)
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, [1 / 4, 1 / 6], rtol=1e-4)


def test_backward_and_no_parameter_recorded():
    p = Tensor(4.0, requires_grad=True)
    x = implicit.root(lambda x, p: x * x - p, 1.0, p)
    x.backward()
    assert p.grad == pytest.approx(0.25)
    assert isinstance(implicit.root(lambda x, p: x * x - p, 1.0, 4.0), float | np.ndarray)
    assert grad(lambda x0: implicit.root(lambda x: x * x - 4.0, x0))(1.0) == 0


def test_what_goes_wrong_is_said():
    with pytest.raises(ValueError, match="did not solve"):
        implicit.root(lambda x, p: x * x + p, 1.0, 1.0, solver=lambda f, x: x)
    with pytest.raises(ValueError, match="did not solve"):
        implicit.fixed_point(lambda x: 2 * x + 1, 0.0, max_steps=20)
    with pytest.raises(ValueError, match="equations"):
        implicit.root(lambda x: np.sum(x), np.zeros(2), solver=lambda f, x: x)
    with pytest.raises(ValueError, match="numbers"):
        implicit.root(lambda x: x, np.zeros(2), solver=lambda f, x: x[:1])
    with pytest.raises(TypeError, match="arrays"):
        implicit.fixed_point(lambda x: [x, x], np.zeros(2))
    with pytest.raises(NotDifferentiableError, match="real"):
        implicit.root(lambda x: x, 1j)
    with pytest.raises(NotDifferentiableError, match="none of its parameters"):
        grad(lambda p: implicit.root(lambda x: x - p, 1.0, solver=lambda f, x: np.float64(2.0)))(2.0)
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda p: implicit.root(lambda x, p: x**2 * p, 1.0, p, solver=lambda f, x: np.zeros(1)[0]))(1.0)


def test_the_graph_is_gone_without_the_collector():
    def live():
        return sum(type(o) is Node for o in gc.get_objects())

    p = Tensor(4.0, requires_grad=True)
    implicit.root(lambda x, p: x * x - p, 1.0, p)
    gc.collect()
    gc.disable()
    try:
        before = live()
        gradients(implicit.root(lambda x, p: x * x - p, 1.0, p), [p], create_graph=True)
        assert live() == before
    finally:
        gc.enable()


def test_against_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    w = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
    p = np.array([0.1, 0.4, -0.3])

    def ours(p):
        return implicit.root(lambda x, p: w @ x + np.sin(x) * p - np.exp(p), np.zeros(3), p)

    def theirs(p):
        def newton(f, x):
            for _ in range(30):
                x = x - jnp.linalg.solve(jax.jacobian(f)(x), f(x))
            return x

        return jax.lax.custom_root(
            lambda x: w @ x + jnp.sin(x) * p - jnp.exp(p),
            jnp.zeros(3),
            newton,
            lambda g, y: jnp.linalg.solve(jax.jacobian(g)(y), y),
        )

    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        np.testing.assert_allclose(jacobian(ours)(p), jax.jacobian(theirs)(p), rtol=1e-10)
        np.testing.assert_allclose(
            jacobian(jacobian(ours))(p), jax.jacobian(jax.jacobian(theirs))(p), rtol=1e-9, atol=1e-12
        )


def test_inside_vmap():
    def cube_root(p, x0=1.0):
        return implicit.root(lambda x, p: x**3 - p, x0, p)

    ps = np.array([1.0, 8.0, 27.0])
    np.testing.assert_allclose(vmap(cube_root)(ps), [1, 2, 3])
    np.testing.assert_allclose(vmap(grad(cube_root))(ps), 1 / (3 * ps ** (2 / 3)))
    np.testing.assert_allclose(grad(lambda s: np.sum(vmap(lambda p: cube_root(s * p))(ps)))(1.0), 2)
    starts = np.array([1.0, -1.0])
    np.testing.assert_allclose(vmap(lambda x0: implicit.root(lambda x, p: x**2 - p, x0, 4.0))(starts), [2, -2])


@pytest.mark.parametrize("inside", [lambda f: grad(f)(2.0), lambda f: vmap(f)(np.array([2.0, 3.0]))])
def test_a_parameter_that_is_closed_over_is_refused(inside):
    with pytest.raises(NotDifferentiableError, match="pass it as one of the params"):
        inside(lambda p: implicit.root(lambda x: x**3 - p, 1.0))
    with pytest.raises(NotDifferentiableError, match=r"pass these as params to autograd.implicit.root"):
        inside(lambda p: optimize.root(lambda x: x**3 - p, 1.0).x)
