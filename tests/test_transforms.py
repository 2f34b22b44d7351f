"""grad, vjp, jvp, jacobian, hessian, hvp: argument forms, nesting, orders, and agreement with closed forms and JAX."""

import dataclasses
import math
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd import (
    GradcheckError,
    Tensor,
    elementwise_grad,
    grad,
    gradcheck,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    numerical_gradient,
    value_and_grad,
    vjp,
)

try:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
except ImportError:
    jax = None

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed")

A = np.array([[2.0, 1.0, 0.0], [0.5, 3.0, 1.0], [0.0, -1.0, 1.5]])
X = np.array([0.3, -0.7, 1.1])


def quadratic(x):
    return x @ A @ x


# ---- grad and value_and_grad ----


def test_grad_of_numbers():
    assert grad(lambda x: x**3)(2.0) == 12.0
    assert grad(lambda x: x**3)(2) == 12.0
    assert type(grad(np.sin)(1.0)) is np.float64


def test_grad_of_an_array_is_an_array_of_its_shape_and_dtype():
    g = grad(quadratic)(X)
    assert type(g) is np.ndarray and np.allclose(g, (A + A.T) @ X)
    x = X.astype(np.float32)
    g = grad(lambda x: np.sum(np.exp(x) * 0.5 + 2))(x)
    assert g.dtype == np.float32 and g.shape == (3,)
    assert grad(lambda x: x * 2.5)(np.float32(1.5)).dtype == np.float32
    assert grad(np.sum)(np.ones((2, 0))).shape == (2, 0)


def test_value_and_grad():
    value, g = value_and_grad(quadratic)(X)
    assert type(value) is np.float64 and value == quadratic(X) and np.allclose(g, (A + A.T) @ X)


def test_the_wrapper_keeps_name_and_documentation():
    for transform in (grad, value_and_grad, elementwise_grad, jacobian, hessian, hvp):
        wrapped = transform(quadratic)
        assert wrapped.__name__ == "quadratic"


@pytest.mark.parametrize("argnums", [0, 1, -1, (0,), (1, 0), [0, 2], (0, 1, 2), np.int64(1), range(2)])
def test_every_form_of_argnums(argnums):
    args = 2.0, 3.0, 5.0
    true = 15.0, 10.0, 6.0
    result = grad(lambda a, b, c: a * b * c, argnums)(*args)
    if isinstance(argnums, int | np.integer):
        assert result == true[argnums]
    else:
        assert result == tuple(true[k] for k in argnums) and type(result) is tuple


def test_keyword_arguments_pass_through():
    def f(x, *, power, scale=1.0):
        return scale * x**power

    assert grad(f)(2.0, power=3) == 12.0
    assert grad(f)(2.0, power=3, scale=0.5) == 6.0
    assert value_and_grad(f)(2.0, power=2) == (4.0, 4.0)
    assert np.array_equal(jacobian(f)(np.array([1.0, 2.0]), power=2), np.diag([2.0, 4.0]))
    assert hvp(f)(2.0, 1.0, power=3) == 12.0


def test_has_aux():
    def f(x):
        h = x * x
        return np.sum(h), {"h": h, "note": "text", "n": 3}

    g, aux = grad(f, has_aux=True)(X)
    assert np.allclose(g, 2 * X)
    assert type(aux["h"]) is np.ndarray and np.allclose(aux["h"], X * X) and aux["note"] == "text" and aux["n"] == 3
    (value, aux), g = value_and_grad(f, has_aux=True)(X)
    assert value == np.sum(X * X) and np.allclose(g, 2 * X) and np.allclose(aux["h"], X * X)


def test_aux_carries_tensors_inside_another_transform():
    def outer(x):
        g, aux = grad(lambda v: (np.sum(v**3), v * v), has_aux=True)(x)
        return np.sum(g) + np.sum(aux)

    assert np.allclose(grad(outer)(X), 6 * X + 2 * X)


def test_other_arguments_may_be_anything():
    def f(x, mode, table, none):
        assert mode == "sum" and none is None
        return np.sum(x * table["w"])

    assert np.allclose(grad(f)(X, "sum", {"w": 2 * X}, None), 2 * X)


# ---- containers ----

Pair = namedtuple("Pair", "w b")


@dataclasses.dataclass(frozen=True)
class Layer:
    w: np.ndarray
    b: float


def test_a_dict_of_arguments():
    parameters = {"w": A, "b": X}
    g = grad(lambda p: np.sum(p["w"] @ p["b"]))(parameters)
    assert list(g) == ["w", "b"]
    assert np.allclose(g["w"], np.tile(X, (3, 1))) and np.allclose(g["b"], A.sum(axis=0))


def test_lists_tuples_named_tuples_and_data_classes():
    def f(t):
        return np.sum(t[0] * t[1])

    for make in (list, tuple, lambda v: Pair(*v)):
        g = grad(f)(make([X, 2.0]))
        assert type(g) is type(make([X, 2.0])) and np.allclose(g[0], 2.0) and np.isclose(g[1], X.sum())
    g = grad(lambda layer: np.sum(layer.w * layer.b))(Layer(X, 2.0))
    assert isinstance(g, Layer) and np.allclose(g.w, 2.0) and np.isclose(g.b, X.sum())


def test_nested_containers_and_several_arguments():
    def f(p, q):
        return np.sum(p["layers"][0].w * p["scale"]) * q[0] + q[1][0]

    g, h = grad(f, (0, 1))({"layers": [Pair(X, 0.0)], "scale": 2.0}, (3.0, [4.0]))
    assert np.allclose(g["layers"][0].w, 6.0) and np.isclose(g["scale"], 3 * X.sum())
    assert g["layers"][0].b == 0.0 and np.isclose(h[0], 2 * X.sum()) and h[1] == [1.0]


def test_the_kind_of_dict_is_kept():
    g = grad(lambda d: d["a"] * d["b"])(OrderedDict(a=2.0, b=3.0))
    assert type(g) is OrderedDict and dict(g) == {"a": 3.0, "b": 2.0}


def test_empty_containers():
    assert grad(lambda p, x: x * 2, (0, 1))([], 1.0) == ([], 2.0)


def test_jacobian_of_a_dict_has_its_structure():
    j = jacobian(lambda p: p["w"] * p["s"])({"w": X, "s": 2.0})
    assert np.allclose(j["w"], 2 * np.eye(3)) and np.allclose(j["s"], X)


def test_hvp_of_a_dict():
    p = {"w": X, "s": 2.0}
    g = hvp(lambda p: np.sum(p["w"] ** 2) * p["s"])(p, {"w": np.ones(3), "s": 0.0})
    assert np.allclose(g["w"], 4.0) and np.isclose(g["s"], 2 * X.sum())


# ---- functions that ignore their argument, or return it ----


def test_functions_that_ignore_their_argument_have_zero_derivatives():
    x = X.astype(np.float32)
    for f in (lambda x: 3.0, lambda x: 3, lambda x: np.float64(2), lambda x: np.sum(np.ones(2))):
        assert np.array_equal(grad(f)(x), [0, 0, 0]) and grad(f)(x).dtype == np.float32
        assert value_and_grad(f)(x)[0] == f(x)
        assert np.array_equal(hessian(f)(X), np.zeros((3, 3)))
    assert np.array_equal(jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    y, t = jvp(lambda x: np.ones(2), X, X)
    assert np.array_equal(y, [1, 1]) and np.array_equal(t, [0, 0])
    y, pull = vjp(lambda x: np.ones(2), X)
    assert np.array_equal(pull(np.ones(2)), [0, 0, 0])
    assert grad(grad(lambda x: 2 * x))(1.0) == 0.0


def test_integer_results_have_zero_derivatives():
    assert np.array_equal(grad(lambda x: np.argmax(x))(X), [0, 0, 0])
    assert np.array_equal(jacobian(lambda x: x > 0)(X), np.zeros((3, 3)))


def test_the_identity():
    assert grad(lambda x: x)(3.0) == 1.0
    assert np.array_equal(jacobian(lambda x: x)(X), np.eye(3))
    y, pull = vjp(lambda x: x, X)
    assert np.array_equal(y, X) and np.array_equal(pull(X), X)
    y, t = jvp(lambda x: x, X, 2 * X)
    assert np.array_equal(y, X) and np.array_equal(t, 2 * X)


# ---- vjp and jvp ----


def test_vjp():
    y, pull = vjp(lambda x: A @ x, X)
    assert type(y) is np.ndarray and np.allclose(y, A @ X)
    for g in (X, np.ones(3)):  # as often as one likes
        assert np.allclose(pull(g), A.T @ g)


def test_vjp_of_several_arguments_and_results():
    y, pull = vjp(lambda a, b: {"product": a * b, "sum": a + b}, X, 2 * X)
    ga, gb = pull({"product": np.ones(3), "sum": X})
    assert np.allclose(y["product"], 2 * X * X) and np.allclose(ga, 2 * X + X) and np.allclose(gb, X + X)


def test_vjp_as_a_function_of_the_primals():
    _y, pull = vjp(lambda x: x * x)(X)
    assert np.allclose(pull(np.ones(3)), 2 * X)


def test_a_constant_tensor_as_cotangent_gives_an_array():
    _y, pull = vjp(np.sin, X)
    assert type(pull(Tensor(np.ones(3)))) is np.ndarray
    _, t = jvp(np.sin, X, Tensor(np.ones(3)))
    assert type(t) is np.ndarray


def test_a_recorded_cotangent_does_not_make_the_next_one_recorded():
    _, pull = vjp(np.sin, X)
    assert isinstance(pull(Tensor(np.ones(3), requires_grad=True)), Tensor)
    assert type(pull(np.ones(3))) is np.ndarray


def test_jvp():
    y, t = jvp(lambda x: A @ np.sin(x), X, X)
    assert type(t) is np.ndarray
    assert np.allclose(y, A @ np.sin(X)) and np.allclose(t, A @ (np.cos(X) * X))


def test_jvp_of_several_arguments_and_of_containers():
    y, t = jvp(lambda a, b: a * b, (X, 2.0), (np.ones(3), 3.0))
    assert np.allclose(t, 2.0 + 3.0 * X)
    y, t = jvp(lambda p: p["a"] * p["b"], {"a": 2.0, "b": 3.0}, {"a": 1.0, "b": 10.0})
    assert (y, t) == (6.0, 23.0)
    y, t = jvp(lambda p: p.w * p.b, Pair(2.0, 3.0), Pair(1.0, 10.0))
    assert (y, t) == (6.0, 23.0)


def test_jvp_of_several_results():
    (_a, _b), (ta, tb) = jvp(lambda x: (np.sin(x), [1.0, x][1]), X, np.ones(3))
    assert np.allclose(ta, np.cos(X)) and np.allclose(tb, 1.0)


def test_jvp_as_a_function():
    y, t = jvp(np.exp)(0.0, 2.0)
    assert (y, t) == (1.0, 2.0)


def test_jvp_keeps_float32():
    y, t = jvp(lambda x: np.exp(x) * 2.0, X.astype(np.float32), np.ones(3))
    assert y.dtype == np.float32 and t.dtype == np.float32


def test_forward_and_reverse_are_transposes():
    rng = np.random.default_rng(0)

    def f(x):
        return np.concatenate([np.tanh(A @ x), np.cumsum(x) * np.sum(x), np.linalg.inv(A + np.outer(x, x)) @ x])

    v, g = rng.standard_normal(3), rng.standard_normal(9)
    _, t = jvp(f, X, v)
    _, pull = vjp(f, X)
    assert np.isclose(g @ t, pull(g) @ v, rtol=1e-12)


# ---- nothing that is returned shares memory ----


@pytest.mark.parametrize("f", [np.sum, lambda x: np.sum(x.T), lambda x: np.sum(x[:]), lambda x: np.sum(+x), np.mean])
def test_gradients_are_writable_arrays_of_their_own(f):
    x = np.ones((2, 3))
    x_again = np.ones((2, 3))
    a, b = grad(lambda a, b: f(a + b), (0, 1))(x, x_again)
    for g in (a, b, grad(f)(x)):
        assert g.flags.writeable and g.flags.owndata
        g *= 2.0
    assert not np.shares_memory(a, b)
    t = Tensor(x, requires_grad=True)
    u = Tensor(x, requires_grad=True)
    a, b = gradients(f(t + u), [t, u])
    a *= 2
    assert np.array_equal(2 * b, a)


def test_the_cotangent_and_the_tangent_stay_the_users():
    given = np.ones(3)
    for f in (lambda x: x + 0.0, lambda x: x, lambda x: x.reshape(3, 1).reshape(3)):
        g = vjp(f, X)[1](given)
        g *= 5
        _, t = jvp(f, X, given)
        t *= 5
        assert np.array_equal(given, np.ones(3))
    x = Tensor(X, requires_grad=True)
    (g,) = gradients(x + 0.0, [x], grad=given)
    g *= 5
    assert np.array_equal(given, np.ones(3))


def test_jacobians_are_writable():
    for mode in ("reverse", "forward"):
        j = jacobian(lambda x: x.reshape(3), mode=mode)(X)
        j *= 2
    assert np.array_equal(X, [0.3, -0.7, 1.1])


# ---- jacobian and hessian ----


@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
def test_jacobian(mode):
    assert np.allclose(jacobian(lambda x: A @ x, mode=mode)(X), A)
    assert np.allclose(
        jacobian(lambda x: np.outer(x, x), mode=mode)(X),
        np.einsum("ik,j->ijk", np.eye(3), X) + np.einsum("jk,i->ijk", np.eye(3), X),
    )
    assert np.allclose(jacobian(np.sum, mode=mode)(A), np.ones((3, 3)))
    assert jacobian(np.sin, mode=mode)(0.0) == 1.0
    assert jacobian(np.exp, mode=mode)(np.ones((2, 0))).shape == (2, 0, 2, 0)
    a, b = jacobian(lambda a, b: a * b, (0, 1), mode=mode)(X, 2.0)
    assert np.allclose(a, 2 * np.eye(3)) and np.allclose(b, X)


@pytest.mark.parametrize(("mode", "sweeps"), [("reverse", 1), ("forward", 3), ("auto", 1)])
def test_jacobian_takes_one_sweep_and_a_forward_one_calls_an_op_without_a_batch_rule_for_each_element(mode, sweeps):
    calls = []

    def counted(x, *, w):
        calls.append(1)
        return w @ x

    op = ag.linear(counted, lambda g, w: calls.append(1) or w.T @ g)
    j = jacobian(lambda x: op(x, w=A[:2]), mode=mode)(X)
    assert np.array_equal(j, A[:2]) and len(calls) == 1 + sweeps


def test_hessian():
    assert np.allclose(hessian(quadratic)(X), A + A.T)
    assert hessian(lambda x: x**3)(2.0) == 12.0
    h = hessian(lambda m: np.sum(m) ** 2)(A)
    assert h.shape == (3, 3, 3, 3) and np.allclose(h, 2.0)
    assert np.allclose(hessian(lambda a, x: x @ a @ x, 1)(A, X), A + A.T)


def test_hessian_of_a_composite_function_with_closures():
    def softplus(x):
        return np.log1p(np.exp(x))

    def make(w):
        def loss(b):
            return np.sum(softplus(w @ np.tanh(b)) ** 2)

        return loss

    def numeric(f, x, h=1e-4):
        e = np.eye(x.size) * h
        return np.array(
            [[(f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * h * h) for a in e] for b in e]
        )

    h = hessian(make(A))(X)
    assert np.allclose(h, h.T) and np.allclose(h, numeric(make(A), X), atol=1e-6)


def test_hvp_is_the_hessian_times_v():
    f = lambda x: np.sum(np.sin(x) * np.exp(A @ x))
    v = np.array([1.0, -2.0, 0.5])
    full = hessian(f)(X) @ v
    assert np.allclose(hvp(f)(X, v), full) and np.allclose(hvp(f, X, v), full)
    forward_over_reverse = jvp(grad(f), X, v)[1]
    reverse_over_forward = grad(lambda x: jvp(f, x, v)[1])(X)
    assert np.allclose(forward_over_reverse, full) and np.allclose(reverse_over_forward, full)
    assert np.allclose(hvp(lambda a, x: f(x) * a, argnums=1)(2.0, X, v), 2 * full)


def test_elementwise_grad():
    assert np.allclose(elementwise_grad(np.sin)(A), np.cos(A))
    assert np.allclose(elementwise_grad(elementwise_grad(np.sin))(A), -np.sin(A))
    assert np.allclose(elementwise_grad(np.arctan2, 1)(A, 2.0), -A.sum() * 0 - (A / (A * A + 4)).sum())


# ---- nesting ----


def test_the_fifth_derivative_of_the_sine():
    f = np.sin
    for order in range(1, 6):
        f = grad(f)
        assert np.isclose(f(0.7), math.sin(0.7 + order * math.pi / 2), rtol=1e-12)


def test_mixed_orders_of_both_modes():
    def forward(f):
        return lambda x: jvp(f, x, np.ones_like(x))[1]

    for outer in (grad, forward):
        for middle in (grad, forward):
            for inner in (grad, forward):
                assert np.isclose(outer(middle(inner(np.exp)))(0.3), math.exp(0.3)), (outer, middle, inner)


def test_perturbation_confusion():
    """The inner derivative is 1 whatever x is: an engine that mixes up the two variables gets 2."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, 1.0, 1.0)[1], 1.0, 1.0)[1] == 1.0
    assert jvp(lambda x: x * grad(lambda y: x + y)(1.0), 1.0, 1.0)[1] == 1.0
    assert grad(lambda x: x * jvp(lambda y: x + y, 1.0, 1.0)[1])(1.0) == 1.0


def test_perturbation_confusion_in_products():
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert jvp(lambda x: x * jvp(lambda y: x * y, 2.0, 1.0)[1], 3.0, 1.0)[1] == 6.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0


def test_the_nested_functions_of_autodidax():
    """From the idea of its test: a closure that uses the outer variable under two levels of differentiation."""

    def f(x):
        y = np.sin(x) * 2.0
        z = -y + x
        return z

    def d(f):
        return lambda x: jvp(f, x, 1.0)[1]

    x = 3.0
    true = [1 - 2 * math.cos(x), 2 * math.sin(x), 2 * math.cos(x), -2 * math.sin(x)]
    g = h = f
    for value in true:
        g, h = d(g), grad(h)
        assert np.isclose(g(x), value) and np.isclose(h(x), value)

    def foo(x):
        return grad(lambda y: x**2 * y**3 + grad(lambda z: z * x * y)(y))(x)

    # d/dy (x^2 y^3 + x y) = 3 x^2 y^2 + x at y = x: 3 x^4 + x
    assert np.isclose(grad(foo)(2.0), 12 * 8 + 1)


def test_an_outer_recorded_tensor_is_differentiated_through():
    w = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    g = grad(lambda x: np.sum(w * x * x))(X)
    assert isinstance(g, Tensor) and np.allclose(g.data, 2 * w.data * X)
    np.sum(g * g).backward()
    assert np.allclose(w.grad, 8 * w.data * X * X)


def test_a_recorded_argument_is_differentiated_through():
    x = Tensor(X, requires_grad=True)
    g = grad(lambda v: np.sum(v**3))(x)
    assert np.allclose(g.data, 3 * X**2)
    g.sum().backward()
    assert np.allclose(x.grad, 6 * X)
    value, g = value_and_grad(lambda v: np.sum(v**3))(x * 1.0)
    assert isinstance(value, Tensor) and isinstance(g, Tensor)


def test_vjp_of_a_vjp():
    def f(x):
        return np.sin(x) * x

    x = Tensor(X, requires_grad=True)
    _, pull = vjp(f, x)
    np.sum(pull(np.ones(3)) ** 2).backward()
    d1 = np.cos(X) * X + np.sin(X)
    d2 = -np.sin(X) * X + 2 * np.cos(X)
    assert np.allclose(x.grad, 2 * d1 * d2)
    g = Tensor(np.ones(3), requires_grad=True)
    _, pull = vjp(f, X)
    np.sum(pull(g)).backward()
    assert np.allclose(g.grad, d1)


def test_a_recorded_tangent_is_differentiated_through():
    v = Tensor(np.ones(3), requires_grad=True)
    _, t = jvp(lambda x: np.sin(x) * x, X, v)
    np.sum(t * t).backward()
    d1 = np.cos(X) * X + np.sin(X)
    assert np.allclose(v.grad, 2 * d1 * d1)


def test_jacobian_inside_grad():
    assert np.allclose(grad(lambda x: np.sum(jacobian(lambda y: y**3)(x) ** 2))(X), 2 * 3 * X**2 * 6 * X)
    determinant = grad(lambda x: np.linalg.det(jacobian(lambda y: np.tanh(A @ y), mode="forward")(x)))(X)
    assert determinant.shape == (3,)


def test_grad_of_an_optimisation():
    """The derivative of where gradient descent ends, through all of its steps."""

    def descend(target):
        x = 0.0
        for _ in range(5):
            x = x - 0.25 * grad(lambda v: (v - target) ** 2)(x)
        return x

    assert np.isclose(grad(descend)(3.0), 1 - 0.5**5)


# ---- no_grad ----


def test_transforms_work_inside_no_grad():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jvp(np.sin, 0.0, 1.0)[1] == 1.0
        assert np.allclose(hessian(quadratic)(X), A + A.T)
        assert gradcheck(quadratic, X) is None


def test_what_a_transform_returns_inside_no_grad_is_not_recorded():
    w = Tensor(2.0, requires_grad=True)
    with no_grad():
        g = grad(lambda x: w * x * x)(3.0)
        value, pull = vjp(lambda x: w * x, 3.0)
        pulled = pull(1.0)
        _, pushed = jvp(lambda x: w * x, 3.0, 1.0)
    for result, true in ((g, 12.0), (value, 6.0), (pulled, 2.0), (pushed, 2.0)):
        assert not getattr(result, "requires_grad", False) and result == true
    assert grad(lambda x: x * quiet_derivative(x))(3.0) == 6.0  # the derivative there counts as a constant


@no_grad()
def quiet_derivative(x):
    return grad(lambda v: v * v)(x)


def test_a_no_grad_block_inside_a_function_is_constant():
    def f(x):
        with no_grad():
            c = x * x
        return c * x

    assert grad(f)(3.0) == 9.0


# ---- complex numbers: the convention of JAX and HIPS autograd ----


def test_complex_gradients_are_the_conjugate_of_steepest_ascent():
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    assert np.allclose(grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * np.conj(z))
    assert np.allclose(grad(lambda z: np.sum(np.real(z)))(z), 1.0)
    assert np.allclose(grad(lambda z: np.sum(np.imag(z)))(z), -1j)
    assert grad(lambda x: np.real(np.exp(1j * x)))(0.5).dtype == np.float64
    assert np.isclose(grad(lambda x: np.real(np.exp(1j * x)))(0.5), -math.sin(0.5))


@needs_jax
@pytest.mark.parametrize(
    "f",
    [
        lambda np, z: np.real(np.sum(z * z * np.exp(z))),
        lambda np, z: np.sum(np.abs(np.sin(z)) ** 2),
        lambda np, z: np.imag(np.sum(z / (1 + z) * np.conj(z))),
        lambda np, z: np.sum(np.real(z) * np.imag(z)),
        lambda np, z: np.real(np.vdot(z, z)) if hasattr(np, "jit") else np.real(np.sum(np.conj(z) * z)),
    ],
)
def test_complex_gradients_equal_those_of_jax(f):
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    assert np.allclose(grad(lambda z: f(np, z))(z), jax.grad(lambda z: f(jnp, z))(z))


# ---- JAX as the oracle ----

FUNCTIONS = {
    "mlp": lambda np, x, w: np.sum(np.tanh(np.tanh(x @ w) @ w) ** 2),
    "softmax": lambda np, x, w: np.log(np.sum(np.exp(x @ w - np.max(x)))),
    "where": lambda np, x, w: np.sum(np.where(x > 0, np.sin(x @ w), x**2)),
    "solve": lambda np, x, w: x @ np.linalg.solve(w, np.cos(x)),
    "det": lambda np, x, w: np.linalg.det(w * x + np.eye(3)),
    "mixed": lambda np, x, w: np.einsum("i,ij,j->", x, w, np.cumsum(x)),
}


@needs_jax
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_gradient_and_hessian_equal_those_of_jax(f):
    ours, theirs = (lambda x, w: f(np, x, w)), (lambda x, w: f(jnp, x, w))
    for k in (0, 1):
        assert np.allclose(grad(ours, k)(X, A), jax.grad(theirs, k)(X, A))
    assert np.allclose(hessian(ours)(X, A), jax.hessian(theirs)(X, A))
    v = np.array([1.0, -2.0, 0.5])
    assert np.allclose(jvp(lambda x: ours(x, A), X, v)[1], jax.jvp(lambda x: theirs(x, A), (X,), (v,))[1])


@needs_jax
def test_jacobian_equals_that_of_jax():
    f = lambda np, x: np.stack([np.sin(x) * x[0], np.exp(x) / x[1], np.cumsum(x)])
    true = jax.jacobian(lambda x: f(jnp, x))(X)
    for mode in ("reverse", "forward"):
        assert np.allclose(jacobian(lambda x: f(np, x), mode=mode)(X), true)


# ---- gradcheck and numerical_gradient ----


def test_gradcheck_accepts_what_is_right():
    gradcheck(lambda x, w: np.tanh(x @ w), X, A)
    gradcheck(lambda x: np.sum(x**3), X, order=3)
    gradcheck(np.exp, 0.5)
    gradcheck(lambda z: z * z * np.conj(z), np.array([1 + 2j, 0.5j]))
    gradcheck(np.sin, np.ones((0, 3)))
    gradcheck(np.sin, X, modes=("forward",))


def wrong(rule, kind=ag.elementwise, forward=lambda x: x * x):
    return kind(forward, rule, name="wrong")


def diagnosis(op, *args, **kwargs):
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, *args, **kwargs)
    return str(caught.value)


def test_gradcheck_diagnoses_a_wrong_sign():
    message = diagnosis(wrong(lambda x: -2 * x), X, order=1)
    assert "sign" in message and "reverse" in message


def test_gradcheck_diagnoses_a_factor():
    assert "factor 0.5" in diagnosis(wrong(lambda x: x), X, order=1)
    assert "factor 1.01" in diagnosis(wrong(lambda x: 2.02 * x), X, order=1)


def test_gradcheck_diagnoses_a_transposed_gradient():
    op = wrong(lambda g: A * g, ag.general, lambda x: np.sum(A.T * x))
    assert "transposed" in diagnosis(lambda x: op(x), A, order=1)


def test_gradcheck_diagnoses_a_kink():
    message = diagnosis(lambda x: np.maximum(x, 0), np.array([1.0, 0.0, -1.0]), order=1)
    assert "kink" in message and "element (1,)" in message


def test_gradcheck_diagnoses_a_point_outside_of_the_domain():
    with np.errstate(all="ignore"):
        assert "domain" in diagnosis(
            lambda x: np.where(x > 0, 1, x * np.sqrt(np.abs(x)) / np.abs(x)), np.array([1.0, 0.0]), order=1
        )


def test_gradcheck_refuses_float32_and_integers():
    for bad in (X.astype(np.float32), np.arange(3), 3):
        with pytest.raises(TypeError, match="float64"):
            gradcheck(np.sin, bad)
    with pytest.raises(ValueError, match="'sideways'"):
        gradcheck(np.sin, X, modes=("sideways",))


def test_gradcheck_finds_a_wrong_second_order():
    """A rule that is right as a number but hides its dependence on x from the graph."""
    op = wrong(lambda g, x: g * 2 * (x.data if isinstance(x, Tensor) else x), ag.general)
    gradcheck(op, X, order=1)
    assert "VJP" in diagnosis(op, X, order=2)


def test_gradcheck_finds_a_wrong_forward_mode():
    """`linear` computes tangents with the op itself, so a function that is not linear shows there."""
    op = ag.linear(lambda x: x * x, lambda g: g * 2 * X, name="bent")
    gradcheck(op, X, order=1, modes=("reverse",))
    assert "forward" in diagnosis(op, X, order=1)


def test_gradcheck_finds_a_wrong_shape_and_leaves_the_arguments():
    x = X.copy()
    diagnosis(wrong(lambda x: x), x, order=1)
    assert np.array_equal(x, X)


def test_numerical_gradient_of_the_book():
    """K. Saito, Deep Learning from Scratch, section 4.4: f = x0^2 + x1^2."""
    f = lambda x: np.sum(x**2)
    for point, true in (([3.0, 4.0], [6.0, 8.0]), ([0.0, 2.0], [0.0, 4.0]), ([3.0, 0.0], [6.0, 0.0])):
        x = np.array(point)
        assert np.allclose(numerical_gradient(f, x), true, atol=1e-9)
        assert np.array_equal(x, point)
        assert np.array_equal(grad(f)(x), true)


def test_numerical_gradient_restores_x_on_exceptions():
    x = X.copy()
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 4:
            raise KeyError
        return np.sum(x)

    with pytest.raises(KeyError):
        numerical_gradient(f, x)
    assert np.array_equal(x, X)


def test_numerical_gradient_of_matrices_numbers_and_tensors():
    assert np.allclose(numerical_gradient(lambda m: np.sum(m @ m), A.copy()), grad(lambda m: np.sum(m @ m))(A))
    assert np.isclose(numerical_gradient(lambda x: np.sin(x).item(), np.array(0.3)), math.cos(0.3))
    t = Tensor(X.copy(), requires_grad=True)
    assert np.allclose(numerical_gradient(lambda x: np.sum(t.data**2), t), 2 * X)
    z = np.array([1 + 2j])
    assert np.allclose(numerical_gradient(lambda z: np.sum(np.abs(z) ** 2), z), 2 * np.conj(z))


def test_numerical_gradient_refuses_what_it_cannot_move():
    for bad in (np.arange(3), [1.0, 2.0], 1.0):
        with pytest.raises(TypeError, match="float ndarray"):
            numerical_gradient(np.sum, bad)


@pytest.mark.parametrize(
    "transform", [lambda f: ag.grad(f), lambda f: ag.jacobian(f), lambda f: lambda x: ag.jvp(f, x, x)]
)
def test_a_result_of_integers_has_no_derivative(transform):
    with pytest.raises(TypeError, match=r"sum .*int64: only floats"):
        transform(lambda v: np.sum(v, dtype=np.int64))(np.array([1.0, 2.0]))


# ---- which sweep keeps the imaginary part of a Jacobian ----


@pytest.mark.parametrize("n", [1, 4])
def test_jacobian_between_real_and_complex(n):
    """For either shape: "auto" takes the sweep that ends in complex numbers, and the other one refuses."""
    weights = np.arange(1.0, 2 * n + 1).reshape(n, 2)
    x, z = np.array([0.3, 0.7]), np.array([0.3 + 1j, 0.7 - 2j])
    for mode in ("auto", "forward"):
        j = jacobian(lambda x: weights @ np.exp(1j * x), mode=mode)(x)
        np.testing.assert_allclose(j, weights * 1j * np.exp(1j * x), rtol=1e-15)
    for mode in ("auto", "reverse"):
        j = jacobian(lambda z: weights @ np.abs(z), mode=mode)(z)
        np.testing.assert_allclose(j, weights * np.conj(z) / np.abs(z), rtol=1e-15)
    with pytest.raises(TypeError, match="use mode='forward' or 'auto'"):
        jacobian(lambda x: np.exp(1j * x), mode="reverse")(x)
    with pytest.raises(TypeError, match="use mode='reverse' or 'auto'"):
        jacobian(np.abs, mode="forward")(z)
    with pytest.raises(TypeError, match="one of them at a time"):
        jacobian(lambda x, z: (x * z, np.abs(z)), argnums=(0, 1))(x, z)


def test_jacobian_of_a_constant_beside_a_complex_result():
    y, c = jacobian(lambda z: (z * z, 1.0), mode="reverse")(np.array([1 + 2j]))
    np.testing.assert_array_equal(y, [[2 + 4j]])
    np.testing.assert_array_equal(c, [0])
