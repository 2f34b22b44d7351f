"""HIPS autograd's documented API, in the spellings of its tutorial: programs written for it run on ours."""

import warnings

import numpy as onp
import pytest

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_jvp_reversemode,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from autograd import elementwise_grad as egrad
from autograd.builtins import dict, isinstance, list, tuple, type
from autograd.core import VSpace, sum_outgrads
from autograd.extend import (
    Box,
    Node,
    def_linear,
    defjvp,
    defvjp,
    notrace_primitive,
    primitive,
    register_notrace,
    vspace,
)
from autograd.misc import const_graph, flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.numpy.numpy_boxes import ArrayBox, DictBox, SequenceBox
from autograd.numpy.numpy_vjps import replace_zero, unbroadcast_f
from autograd.test_util import check_equivalent, check_grads, check_jvp, check_vjp, combo_check, scalar_close
from autograd.tracer import getval, isbox, trace
from autograd.util import func, subval, subvals, toposort
from autograd.wrap_util import unary_to_nary

X = onp.array([0.3, -0.7, 1.1])
V = onp.array([1.5, 0.4, -0.2])
M = onp.arange(12.0).reshape(4, 3) / 7


@pytest.fixture(autouse=True)
def same_numbers():
    npr.seed(0)


# ---- gradients ----


def tanh(x):
    y = np.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)


def test_the_tutorials_first_steps():
    d = grad(tanh)
    assert np.isclose(d(1.0), 1 - onp.tanh(1.0) ** 2)
    t = onp.tanh(0.3)
    assert np.isclose(grad(grad(d))(0.3), (6 * t**2 - 2) * (1 - t**2))
    x = np.linspace(-2, 2, 9)
    assert np.allclose(egrad(egrad(tanh))(x), -2 * onp.tanh(x) * (1 - onp.tanh(x) ** 2))
    assert np.isclose(deriv(tanh)(1.0), d(1.0)) and np.allclose(deriv(tanh)(x), egrad(tanh)(x))
    assert elementwise_grad is egrad


def test_control_flow_and_containers():
    def loss(params, x):
        for layer in params["layers"]:
            x = np.tanh(np.dot(x, layer["W"]) + layer["b"])
        return np.sum(x**2) if np.sum(x) > -100 else 0.0

    params = {"layers": [{"W": npr.randn(3, 4), "b": npr.randn(4)}, {"W": npr.randn(4, 2), "b": 0.5}], "unused": 1.0}
    check_grads(loss)(params, X)
    g = grad(loss)(params, X)
    assert g["unused"] == 0 and g["layers"][1]["W"].shape == (4, 2) and type(g["layers"]) is list


def test_logistic_regression_learns():
    inputs, targets = onp.array([[0.52, 1.12], [0.88, -1.08], [0.52, 0.06], [0.74, -2.49]]), onp.array([1, 1, 0, 1])

    def loss(weights):
        p = 0.5 * (np.tanh(np.dot(inputs, weights) / 2) + 1)
        return -np.sum(np.log(p * targets + (1 - p) * (1 - targets)))

    weights, gradient = np.zeros(2), grad(loss)
    for _ in range(100):
        weights -= gradient(weights) * 0.1
    assert loss(weights) < loss(np.zeros(2))


def test_arguments():
    f = lambda a, b=2.0, *, c=3.0: np.sum(a * b**2 * c)
    assert np.allclose(grad(f, argnum=0)(X), 12)
    assert [np.shape(g) for g in grad(f, argnum=[0, 1])(X, 2.0)] == [(3,), ()]
    assert np.isclose(grad_named(f, "b")(X, 2.0), 12 * X.sum())
    value, g = value_and_grad(f, 1)(X, 2.0, c=1.0)
    assert np.isclose(value, 4 * X.sum()) and np.isclose(g, 4 * X.sum())
    g, aux = grad_and_aux(lambda x: (np.sum(x**2), x[0]))(X)
    assert np.allclose(g, 2 * X) and aux == X[0]


def test_multigrad_dict():
    grads = multigrad_dict(lambda a, b, c=2.0: np.sum(a * b * c))(X, b=V)
    assert list(grads) == ["a", "b", "c"]
    assert np.allclose(grads["a"], 2 * V) and np.isclose(grads["c"], X @ V)


def swirl(x):
    return np.roll(np.sin(x), 1) * x


def bowl(x):
    return np.sum(swirl(x) ** 2)


def test_products_with_the_hessian():
    H = hessian(bowl)(X)
    assert np.allclose(H, jacobian(grad(bowl))(X))
    product, gradient = make_hvp(bowl)(X)
    for Hv in (product(V), hessian_vector_product(bowl)(X, V), hessian_tensor_product(bowl)(X, V)):
        assert np.allclose(Hv, H @ V)
    assert np.allclose(gradient, grad(bowl)(X))
    matrices = hessian_tensor_product(lambda a, b: np.sum(np.sin(a @ b)), 1)
    assert matrices(M, M.T, M.T).shape == (3, 4)


def test_products_with_the_jacobian():
    J = jacobian(swirl)(X)
    pull, value = make_vjp(swirl)(X)
    assert np.allclose(value, swirl(X)) and np.allclose(pull(V), V @ J)
    value, pushed = make_jvp(swirl)(X)(V)
    assert np.allclose(value, swirl(X)) and np.allclose(pushed, J @ V)
    assert np.allclose(make_jvp_reversemode(swirl)(X)(V), J @ V)
    assert np.allclose(vector_jacobian_product(swirl)(X, V), V @ J)
    outer = lambda x: np.outer(x, V)
    assert np.allclose(tensor_jacobian_product(outer)(X, M[:3]), np.tensordot(M[:3], jacobian(outer)(X), axes=2))
    assert np.allclose(make_vjp(lambda a, b: a * b, 1)(X, V)[0](V), X * V)


def test_gauss_newton():
    f = lambda w: np.tanh(M @ w)
    J = jacobian(f)(X)
    assert np.allclose(make_ggnvp(f)(X)(V), J.T @ (J @ V))
    g = lambda y: np.sum(y**4)
    assert np.allclose(make_ggnvp(f, g)(X)(V), J.T @ (hessian(g)(f(X)) @ (J @ V)))


# ---- extending ----


def test_the_tutorials_primitive():
    @primitive
    def logsumexp(x):
        """Numerically stable log(sum(exp(x)))."""
        m = np.max(x)
        return m + np.log(np.sum(np.exp(x - m)))

    def rule(ans, x):
        x_shape = x.shape
        return lambda g: np.full(x_shape, g) * np.exp(x - np.full(x_shape, ans))

    defvjp(logsumexp, rule)
    check_grads(lambda y: logsumexp(y**2))(X)
    p = np.exp(X) / np.exp(X).sum()
    assert np.allclose(hessian(logsumexp)(X), np.diag(p) - np.outer(p, p))


def test_linear_and_constant_primitives():
    @primitive
    def both(x, y):
        return 3 * x + y

    def_linear(both)
    assert make_jvp(lambda x: both(x, 0 * X))(X)(V)[1] == pytest.approx(3 * V)

    @notrace_primitive
    def size(x):
        assert not isbox(x)
        return len(x)

    assert np.allclose(grad(lambda x: np.sum(x) * size(x))(X), 3)
    steps = primitive(lambda x: np.floor(x))
    register_notrace(Node, steps)
    assert np.allclose(grad(lambda x: np.sum(steps(x) + x))(X), 1)


def test_rules_for_broadcasting_primitives():
    scale = primitive(lambda x, y: x * y)
    defvjp(
        scale,
        lambda ans, x, y: unbroadcast_f(x, lambda g: g * y),
        lambda ans, x, y: unbroadcast_f(y, lambda g: g * x),
    )
    check_grads(scale, argnum=(0, 1))(2.0, X)
    check_grads(scale, argnum=(0, 1))(M, onp.ones((4, 1)))
    assert np.array_equal(replace_zero(np.array([0.0, 2.0]), 1.0), [1, 2])


def test_a_mistake_in_a_rule():
    f = primitive(lambda x: x**2)
    defvjp(f, "not a rule")
    with pytest.raises(TypeError, match="is no VJP"):
        grad(f)(1.0)
    with pytest.raises(TypeError, match="primitive"):
        defvjp(swirl, lambda ans, x: lambda g: g)
    defjvp(f, lambda g, ans, x: 2.1 * g * x)
    with pytest.raises(AssertionError):
        check_jvp(f, 1.5)
    defvjp(f, lambda ans, x: lambda g: 2.1 * g * x)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of"):
        check_vjp(f, 1.5)


def test_the_old_methods():
    from autograd.core import primitive as old
    from autograd.util import quick_grad_check

    f = old(lambda x, y, z: x * y + z)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        f.defgrad(lambda ans, x, y, z: lambda g: g * y)
        f.defvjp(lambda g, ans, vs, gvs, x, y, z: g * x, argnum=1)
        f.defvjp_is_zero(argnums=[2])
        quick_grad_check(lambda x: f(x, 2.0, 3.0), 1.0)
    assert len(seen) == 4
    assert np.allclose(grad(f, (0, 1, 2))(2.0, 3.0, 4.0), (3, 2, 0))


# ---- what flows through a function ----


def test_boxes_are_tensors():
    seen = []

    def f(x):
        seen.append((isbox(x), isinstance(x, onp.ndarray), isinstance(x, Box), isinstance(x, ArrayBox), type(x)))
        assert getval(x) is x._value and not isbox(getval({"a": [x]})["a"][0])
        assert isinstance([x], list) and isinstance((x,), tuple) and isinstance(dict(a=x), dict)
        return np.sum(x)

    grad(f)(X)
    assert seen == [(True, True, True, True, onp.ndarray)]
    assert not isinstance([X], SequenceBox) and not isinstance({}, DictBox)
    assert not isbox(X) and getval(X) is X and type("a", (), {}).__name__ == "a"


# ---- vector spaces ----


@pytest.mark.parametrize("value", [1.5, X, M + 1j * M, [1.0, X], {"b": (X, 2.0), "a": M}], ids=repr)
def test_vector_spaces(value):
    vs = vspace(value)
    x, y = vs.randn(), vs.randn()
    assert vspace(x) == vs == vspace(vs.zeros()) == vspace(vs.add(x, y))
    assert len([*vs.standard_basis()]) == vs.size
    check_equivalent(sum_outgrads(vs.standard_basis()), vs.ones())
    assert scalar_close(vs.inner_prod(x, vs.scalar_mul(y, 2.0)), 2 * vs.inner_prod(y, x))
    assert scalar_close(vs.inner_prod(vs.covector(x), vs.covector(y)), vs.inner_prod(x, y))
    assert vs.mut_add(None, x) is x
    check_grads(vs.inner_prod, argnum=(0, 1))(x, y)


def test_what_has_no_vector_space():
    for value in ("text", None, 3):
        with pytest.raises(TypeError, match="no vector space"):
            vspace(value)

    class Money:
        pass

    VSpace.register(Money)
    assert type(vspace(Money())) is VSpace


# ---- test_util, misc, util ----


def test_checks_notice():
    check = combo_check(lambda x, y, k=1: np.sin(x) * y**k, (0, 1))
    check([X, 0.5], [V, 2.0], k=[1, 2])
    with pytest.raises(AssertionError, match="mismatch"):
        check_equivalent(X, X + 1e-3)
    with pytest.raises(AssertionError, match="mismatch"):
        check_equivalent(X, X.astype("f4"))
    with pytest.raises(AssertionError, match="modes"):
        check_grads(np.sin, modes=["backward"])(1.0)


def test_flatten():
    value = {"b": [X, 2.0], "a": (M, 1 + 2j)}
    vector, unflatten = flatten(value)
    assert vector.shape == (17,) and np.allclose(vector[:12], M.ravel())  # sorted keys
    back = unflatten(vector)
    assert np.array_equal(back["b"][0], X) and back["a"][1] == 1 + 2j and back["b"][0].dtype == float
    assert flatten([])[0].shape == (0,)
    of_vector, _, start = flatten_func(lambda p: {"w": p["w"] * 2}, {"w": X})
    assert np.allclose(of_vector(start), 2 * X)
    check_grads(lambda x: flatten({"u": x, "v": [x**2]})[0])(X)
    check_grads(lambda v: unflatten(v)["b"][0] * unflatten(v)["b"][1])(np.real(vector))


@pytest.mark.parametrize(("optimizer", "rest"), [(sgd, (300, 0.1, 0.5)), (rmsprop, (400, 0.02)), (adam, (900, 0.05))])
def test_optimizers(optimizer, rest):
    target = {"w": X, "b": [2.0]}
    distance = lambda p: np.sum((p["w"] - target["w"]) ** 2) + (p["b"][0] - target["b"][0]) ** 2
    seen = []
    start = {"w": np.zeros(3), "b": [0.0]}
    end = optimizer(lambda p, i: grad(distance)(p), start, lambda p, i, g: seen.append((i, distance(p), g["b"])), *rest)
    assert distance(end) < 1e-3 and len(seen) == rest[0] and seen[0][2] == [-4.0]
    assert start["b"] == [0.0]


def test_an_optimizer_can_be_differentiated():
    def after_training(rate):
        return sgd(lambda x, i: 2 * x, np.array([1.0]), num_iters=5, step_size=rate, mass=0.0)[0]

    assert np.isclose(grad(after_training)(0.1), 5 * (1 - 0.2) ** 4 * -2)


def test_fixed_point():
    def root(a):
        return fixed_point(lambda a: lambda x: (x + a / x) / 2, a, 1.0, lambda x, y: np.abs(x - y), 1e-12)

    assert np.isclose(root(2.0), 2**0.5)
    assert np.isclose(grad(root)(2.0), 0.5 * 2**-0.5)
    assert np.isclose(grad(grad(root))(2.0), -0.25 * 2**-1.5)
    both = lambda p: fixed_point(
        lambda p: lambda x: p["a"] * np.cos(x) + p["b"], p, X, lambda x, y: np.max(np.abs(x - y)), 1e-13
    )
    check_grads(lambda a, b: both({"a": a, "b": b}), (0, 1), order=1)(0.4, X)


def test_const_graph():
    runs = []

    def f(x, p):
        runs.append(x)
        z = np.stack([np.sin(x), p["k"] * x, x[:1] * np.ones(3)])
        rows = np.split(z, 3)
        return np.sum(np.dot(z, z.T) ** 2) * rows[0].max() + grad(lambda y: np.sum(y**2 * x))(x)[0]

    g = const_graph(f)
    for x in (X, V, X * V):
        assert np.isclose(g(x, {"k": 2.0}), f(x, {"k": 2.0}))
    assert len(runs) == 4
    derivative = const_graph(lambda x: grad(lambda x: np.sum(np.tanh(M @ x)))(x))
    for x in (X, V):
        assert np.allclose(derivative(x), grad(lambda x: np.sum(np.tanh(M @ x)))(x))
    assert np.allclose(jacobian(derivative)(X), hessian(lambda x: np.sum(np.tanh(M @ x)))(X))
    with pytest.raises(TypeError, match="depend"):
        const_graph(lambda x: 3.0)(X)


def test_trace_with_nodes_of_ones_own():
    class Names(Node):
        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            self.parents = parents
            self.line = [*parents[0].line, fun.__name__]

        def initialize_root(self):
            self.parents = ()
            self.line = []

    value, node = trace(Names.new_root(), lambda x: np.sum(np.exp(x) * 2.0 + x.mean()), X)
    assert np.isclose(value, np.sum(np.exp(X) * 2 + X.mean()))
    assert node.line == ["exp", "multiply", "add", "sum"]
    assert len([*toposort(node)]) == 6
    assert trace(Names.new_root(), lambda x: 1.0, X) == (1.0, None)
    _, node = trace(Names.new_root(), grad(lambda x: np.sin(x) * x), 0.5)
    assert node.line[0] in ("sin", "cos")


def test_small_helpers():
    assert subvals((1, 2, 3), [(0, 5), (2, 6)]) == (5, 2, 6) and subval((1, 2), 1, 3) == (1, 3) and func(grad) is grad

    @unary_to_nary
    def difference(fun, x, h=1e-6):
        return (fun(x + h) - fun(x - h)) / (2 * h)

    assert np.isclose(difference(lambda a, b: a * b, 1)(3.0, 5.0), 3)
    assert difference(tanh).__name__ == "difference_of_tanh_wrt_argnum_0"


def test_errors_that_programs_catch():
    with pytest.raises(NotImplementedError):
        grad(primitive(lambda x: x * 2))(1.0)
    with pytest.raises(NotImplementedError):
        deriv(primitive(lambda x: x * 2))(1.0)
    with pytest.raises(TypeError):
        grad(lambda x: x * 1j)(1.0)
    with pytest.raises(TypeError):
        grad(lambda x: np.allclose(x, x))(X)
