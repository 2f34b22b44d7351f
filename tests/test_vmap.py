"""vmap, batched Jacobians and linearize: against JAX, against loops, and where levels could be confused."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import (
    NotDifferentiableError,
    Tensor,
    batched,
    checkpoint,
    grad,
    hessian,
    jacobian,
    jvp,
    linearize,
    no_grad,
    stop_gradient,
    transforms,
    value_and_grad,
    vjp,
    vmap,
)
from autograd.errors import NotBatchedError
from autograd.tracer import getval

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 3))
W = RNG.standard_normal((4, 3))
PEOPLE = {"w": RNG.standard_normal((3, 2)), "b": RNG.standard_normal(2)}


def loss(w, x):
    return np.sum(np.tanh(w @ x) ** 2)


def same(a, b, rtol=1e-11):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


def raises(error, f, *words):
    with pytest.raises(error) as caught:
        f()
    for word in words:
        assert word in str(caught.value), (word, str(caught.value))


def first(gs):
    """JAX gives a tuple for one primal, too."""
    return gs[0] if isinstance(gs, tuple) else gs


# ---- against JAX ----

PROBLEMS = {
    "value": lambda m, np: m.vmap(lambda x: np.sum(np.sin(x) * x))(X),
    "two arguments": lambda m, np: m.vmap(lambda x, y: np.outer(x, y))(X, Y),
    "unbatched argument": lambda m, np: m.vmap(lambda w, x: w @ x, in_axes=(None, 0))(W, X),
    "other axis": lambda m, np: m.vmap(lambda x: x / np.sum(x), in_axes=1)(X),
    "last axis in and out": lambda m, np: m.vmap(lambda x: np.outer(x, x), in_axes=-1, out_axes=-1)(X),
    "out axis 1": lambda m, np: m.vmap(lambda x: np.outer(x, x), out_axes=1)(X),
    "containers": lambda m, np: m.vmap(
        lambda p, x: {"y": np.tanh(x @ p["w"] + p["b"]), "s": x.sum()}, in_axes=({"w": None, "b": None}, 0)
    )(PEOPLE, X)["y"],
    "results at two axes": lambda m, np: m.vmap(lambda x: (np.outer(x, x), x), out_axes=(2, 1))(X)[0],
    "independent result": lambda m, np: m.vmap(lambda x: np.ones(2) * 3)(X),
    "out axes None": lambda m, np: m.vmap(lambda x, y: (x, y * 2), in_axes=(0, None), out_axes=(0, None))(X, Y)[1],
    "twice": lambda m, np: m.vmap(m.vmap(lambda a, b: a * b + a, (None, 0)), (0, None))(X[0], Y[0]),
    "twice, crosswise": lambda m, np: m.vmap(m.vmap(lambda a, b: np.sum(a * b), (0, None)), (None, 0))(X, Y),
    "grad": lambda m, np: m.vmap(m.grad(lambda x: np.sum(np.cos(x) * x)))(X),
    "gradients of each example": lambda m, np: m.vmap(
        m.grad(lambda w, x: np.sum(np.tanh(w @ x) ** 2)), in_axes=(None, 0)
    )(W, X),
    "grad of vmap": lambda m, np: m.grad(lambda w: np.sum(m.vmap(lambda x: np.tanh(w @ x))(X) ** 2))(W),
    "grad of vmap of grad": lambda m, np: m.grad(
        lambda w: np.sum(m.vmap(m.grad(lambda x: np.sum(np.tanh(w @ x) ** 2)))(X) ** 2)
    )(W),
    "grad of vmap of grad by the same": lambda m, np: m.grad(
        lambda w: np.sum(m.vmap(lambda x: m.grad(lambda v: np.sum(np.tanh(v @ x) ** 2))(w))(X) ** 2)
    )(W),
    "vmap of grad of vmap": lambda m, np: m.vmap(m.grad(lambda y: np.sum(m.vmap(lambda x: np.sin(x * y))(X) ** 2)))(Y),
    "vmap of grad of vmap of grad": lambda m, np: m.vmap(
        m.grad(lambda y: np.sum(m.vmap(m.grad(lambda x: np.sum(np.sin(x * y))))(X) ** 2))
    )(Y),
    "vmap of vmap of grad": lambda m, np: m.vmap(
        m.vmap(m.grad(lambda x, y: np.sum(np.sin(x * y))), (None, 0)), (0, None)
    )(X, Y),
    "vmap of vmap, one argument each": lambda m, np: m.vmap(
        lambda x: m.vmap(lambda y: m.grad(lambda w: np.sum(np.tanh(w @ x) * (w @ y)))(W))(Y)
    )(X),
    "jvp": lambda m, np: m.vmap(lambda x, t: m.jvp(lambda v: np.tanh(W @ v), (x,), (t,))[1])(X, Y),
    "tangents in a batch": lambda m, np: m.vmap(lambda t: m.jvp(lambda v: np.tanh(W @ v), (X[0],), (t,))[1])(Y),
    "grad of a batch of tangents": lambda m, np: m.grad(
        lambda y: np.sum(m.vmap(lambda t: m.jvp(lambda v: np.tanh(W @ v), (X[0],), (t * y,))[1])(Y) ** 2)
    )(X[1]),
    "cotangents in a batch": lambda m, np: m.vmap(lambda g: first(m.vjp(lambda v: np.tanh(v @ W.T), X[0])[1](g)))(
        Y @ W.T
    ),
    "jacobian": lambda m, np: m.jacobian(lambda x: np.tanh(W @ x))(X[0]),
    "jacobian of matrices": lambda m, np: m.jacobian(lambda a: np.sin(a @ a.T))(X),
    "vmap of jacobian": lambda m, np: m.vmap(m.jacobian(lambda x: np.tanh(W @ x)))(X),
    "jacobian of vmap": lambda m, np: m.jacobian(m.vmap(lambda x: np.sum(np.tanh(W @ x))))(X),
    "jacobian of jacobian": lambda m, np: m.jacobian(m.jacobian(lambda x: np.tanh(W @ x)))(X[0]),
    "grad of jacobian": lambda m, np: m.grad(lambda x: np.sum(m.jacobian(lambda v: np.tanh(W @ v))(x) ** 2))(X[0]),
    "hessian": lambda m, np: m.hessian(lambda x: np.sum(np.tanh(W @ x) ** 3))(X[0]),
    "vmap of hessian": lambda m, np: m.vmap(m.hessian(lambda x: np.prod(np.sin(x))))(X),
    "grad of vmap of hessian": lambda m, np: m.grad(
        lambda a: np.sum(m.vmap(lambda x: m.hessian(lambda v: np.sum(np.exp(v * a)))(x))(X) ** 2)
    )(Y[0]),
    "sorting": lambda m, np: m.vmap(m.grad(lambda x: np.sum(x[np.argsort(x)] * np.arange(3.0))))(X),
    "where": lambda m, np: m.vmap(m.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x**2))))(X),
    "linalg": lambda m, np: m.vmap(m.grad(lambda a: np.linalg.slogdet(a @ a.T + np.eye(3))[1]))(
        np.stack([X[:3], Y[:3]])
    ),
    "complex": lambda m, np: m.vmap(m.grad(lambda x: np.real(np.sum(x * x * np.conj(x)))))(X + 1j * Y),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_as_jax(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    ours, theirs = PROBLEMS[name](ag, np), PROBLEMS[name](jax, jnp)
    assert isinstance(ours, np.ndarray)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    same(ours, theirs)


# ---- what it computes with ----


def test_f_runs_once_and_sees_one_example():
    shapes = []

    def f(x):
        shapes.append((x.shape, x.ndim, x.size, x.dtype, len(x), x.T.shape, x.mT.shape))
        return x[0]

    vmap(f)(np.ones((7, 2, 3), np.float32))
    assert shapes == [((2, 3), 2, 6, np.dtype(np.float32), 2, (3, 2), (3, 2))]


def test_a_matrix_that_all_share_takes_part_in_one_product(monkeypatch):
    seen = []
    op = ag.ops.matrix.matmul
    monkeypatch.setattr(op, "forward", lambda a, b: seen.append((a.shape, b.shape)) or np.matmul(a, b))
    vmap(lambda x: np.matmul(W, x))(X)
    vmap(lambda x: np.matmul(x, W.T))(X)
    vmap(lambda x: np.matmul(x, W.T))(np.ones((5, 2, 3)))
    vmap(lambda x: np.matmul(W, x))(np.ones((5, 3, 2)))
    assert seen == [((5, 3), (3, 4)), ((5, 3), (3, 4)), ((10, 3), (3, 4)), ((10, 3), (3, 4))]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.complex64])
def test_dtypes_are_kept(dtype):
    y, g = vmap(value_and_grad(lambda x: np.sum(np.real(x * 2.0) ** 2)))(X.astype(dtype))
    assert g.dtype == dtype
    assert y.dtype == np.real(np.ones(1, dtype)).dtype
    assert jacobian(lambda x: np.tanh(x) * 0.5)(X.astype(dtype)).dtype == dtype


def test_no_examples():
    none = np.ones((0, 3))
    assert vmap(lambda x: np.outer(x, x))(none).shape == (0, 3, 3)
    assert vmap(grad(lambda x: np.sum(x.reshape(3, -1) ** 2)))(none).shape == (0, 3)
    twice = ag.linear(lambda x: 2 * x, lambda g: 2 * g, name="twice")
    assert vmap(lambda x: twice(x))(none).shape == (0, 3)
    assert vmap(lambda x: np.linalg.inv(x))(np.ones((0, 2, 2))).shape == (0, 2, 2)
    refuses = ag.linear(lambda x: x if np.any(x) else 1 / 0, lambda g: g, name="refuses")
    raises(ValueError, lambda: vmap(lambda x: refuses(x))(none), "refuses", "example by example")


def test_results_and_arguments_do_not_share_memory():
    a, b = vmap(grad(lambda a, b: np.sum(a + b), (0, 1)))(X, Y)
    assert not np.shares_memory(a, b)
    assert not np.shares_memory(vmap(lambda x: x)(X), X)
    j, k = jacobian(lambda a, b: a + b, (0, 1))(X, Y)
    assert not np.shares_memory(j, k)
    for y in (a, j, vmap(lambda x: np.ones(3))(X), jacobian(lambda x: x)(X[0])):
        y[...] = 0


# ---- indexing ----

INDICES = [
    lambda i, j: i,
    lambda i, j: (i, j),
    lambda i, j: (slice(None), i),
    lambda i, j: (i, slice(None), j),
    lambda i, j: (..., i),
    lambda i, j: (0, slice(None), i),
    lambda i, j: (slice(None), i, j),
    lambda i, j: (None, i, slice(1, 3), None),
    lambda i, j: (i, np.array([[0], [1]])),
    lambda i, j: (slice(None), np.array([True, False, True, True]), i),
    lambda i, j: (np.array([0, 2]), slice(None), np.array([1, 1])),
    lambda i, j: (np.array([0, 2]), ..., 1),
]


@pytest.mark.parametrize("axes", [(0, 0, 0), (None, 0, 0), (None, 0, None), (0, 0, None), (0, None, None)])
@pytest.mark.parametrize("k", range(len(INDICES)))
@pytest.mark.parametrize("shape", [(), (3,), (2, 1)])
def test_index_of_each_example(k, axes, shape):
    if k == 9 and shape == (2, 1):
        shape = (2, 3)
    x, i, j = RNG.standard_normal((5, 3, 4, 4)), RNG.integers(0, 3, (5, *shape)), RNG.integers(-3, 3, (5, *shape))

    def f(x, i, j):
        y, pull = vjp(lambda v: v[INDICES[k](i, j)], x)
        return y, pull(np.arange(1.0, y.size + 1).reshape(y.shape))

    given = [v if a == 0 else v[0] for v, a in zip((x, i, j), axes, strict=True)]
    for r, e in zip(vmap(f, axes)(*given), loop(f, given, axes), strict=True):
        same(r, e)


def loop(f, xs, axes):
    results = [f(*[x if a is None else x[k] for x, a in zip(xs, axes, strict=True)]) for k in range(5)]
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def test_an_index_in_two_vmaps():
    T, i, j = RNG.standard_normal((4, 4)), np.array([3, 1, 1]), np.array([0, 2])
    f = vmap(vmap(grad(lambda t, i, j: t[i, j] ** 2), (None, None, 0)), (None, 0, None))
    same(f(T, i, j), [[grad(lambda t: t[a, b] ** 2)(T) for b in j] for a in i])  # noqa: B023 - called at once


def test_a_mask_of_each_example_has_no_fixed_size():
    raises(NotBatchedError, lambda: vmap(lambda x: Tensor(x)[x > 0])(X), "np.where")


# ---- levels ----


def test_perturbations_are_not_confused():
    """d/dx (x * d/dy (x * y)) and its like, each inside a vmap."""
    f = grad(lambda x: x * grad(lambda y: x * y)(1.0))
    same(vmap(f)(X[0]), 2 * X[0])
    g = grad(lambda x: x * vmap(grad(lambda y: x * y))(X[0]).sum())
    same(g(2.0), 2 * 2.0 * 3)
    h = vmap(lambda x: grad(lambda z: vmap(lambda y: grad(lambda u: u * z * x)(y))(X[0]).sum())(x))
    same(h(Y[0]), 3 * Y[0])


def test_a_tensor_from_outside_is_recorded():
    w = Tensor(W, requires_grad=True)
    y = vmap(lambda x: np.tanh(w @ x))(X)
    assert isinstance(y, Tensor)
    np.sum(y**2).backward()
    same(w.grad, sum(grad(loss)(W, x) for x in X))
    w.zero_grad()
    np.sum(vmap(grad(lambda x: loss(w, x)))(X) ** 2).backward()
    same(w.grad, grad(lambda v: sum(np.sum(grad(loss, 1)(v, x) ** 2) for x in X))(W))


def test_a_leaf_from_inside_has_a_gradient_for_each_example():
    grads = []

    def f(x):
        w = Tensor(W, requires_grad=True)
        y = loss(w, x)
        y.backward()
        grads.append(w.grad)
        return w.grad

    same(vmap(f)(X), [grad(loss)(W, x) for x in X])
    assert isinstance(grads[0], batched.Batched)


def test_tensors_in_and_out():
    x = Tensor(X, requires_grad=True)
    y = vmap(np.sin)(x)
    y.sum().backward()
    same(x.grad, np.cos(X))
    with no_grad():
        assert vmap(np.sin)(x).node is None
    assert vmap(lambda v: no_grad()(np.sin)(v) * v)(X).shape == X.shape


def test_threads_do_not_see_each_other():
    results = {}

    def work(k):
        for _ in range(20):
            results[k] = vmap(grad(lambda x: np.sum(x**k)))(X)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2, 6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(2, 6):
        same(results[k], k * X ** (k - 1))


def test_ops_of_ones_own():
    """Without a batch rule an op runs example by example, and so does a rule that does more than NumPy's functions."""

    def norm(x):
        return float(np.sqrt(sum(v * v for v in x.tolist())))

    def rule(g, x, y):
        out = np.empty(x.shape)
        out[:] = g * x / y
        return out

    own = ag.general(norm, rule, name="own_norm", formulas=("g * x / y",))
    same(vmap(own)(X), np.linalg.norm(X, axis=1))
    same(vmap(grad(own))(X), X / np.linalg.norm(X, axis=1)[:, None])
    same(jacobian(lambda x: own(x) * x)(X[0]), np.outer(X[0], X[0]) / norm(X[0]) + norm(X[0]) * np.eye(3))
    assert batched.how(own) == "loop"
    assert batched.how(ag.ops.matrix.matmul) == "rule"
    assert batched.how(ag.ops.elementwise.sin) == "free"


def test_a_network_and_its_loss():
    scores, t = RNG.standard_normal((5, 4, 3)), RNG.integers(0, 3, (5, 4))
    f = grad(lambda w, x, t: nn.softmax_cross_entropy(nn.relu(x @ w), t))
    w = RNG.standard_normal((3, 3))
    same(vmap(f, (None, 0, 0))(w, scores, t), [f(w, x, k) for x, k in zip(scores, t, strict=True)])
    layer = nn.Affine(RNG.standard_normal((3, 2)), np.zeros(2))
    same(vmap(layer)(X).data, layer(X).data)
    raises(ValueError, lambda: vmap(f, (None, 0, 0))(w, scores, t + 1), "classes")


def test_checkpoint():
    f = checkpoint(lambda x: np.sin(x) ** 2)
    same(vmap(grad(lambda x: np.sum(f(x))))(X), np.sin(2 * X))
    same(jacobian(f)(X[0]), np.diag(np.sin(2 * X[0])))
    same(vmap(hessian(lambda x: np.sum(f(x))))(X), [np.diag(2 * np.cos(2 * x)) for x in X])


def test_what_runs_example_by_example_nests():
    """np.choose and np.interp look at the numbers of one example."""
    T, a = RNG.standard_normal((3, 2, 5)), RNG.standard_normal(5)

    def chosen(x):
        return np.choose((x > 0).astype(int), [x * x, np.sin(x)])

    def one(x):
        return chosen(x).sum()

    def line(w, x):
        return np.interp(0.3 * np.sum(x), np.arange(5.0), w * x)

    same(vmap(vmap(grad(one)))(T), [[grad(one)(x) for x in y] for y in T])
    same(vmap(hessian(one))(T[0]), [hessian(one)(x) for x in T[0]])
    same(vmap(vmap(grad(line), (None, 0)), (None, 0))(a, T), [[grad(line)(a, x) for x in y] for y in T])
    both = grad(lambda w: np.sum(vmap(grad(lambda x: chosen(x * w).sum()))(T[0]) ** 2))
    same(both(a), grad(lambda w: sum(np.sum(grad(lambda x: chosen(x * w).sum())(x) ** 2) for x in T[0]))(a))


# ---- errors ----


def test_errors_say_which_argument():
    raises(ValueError, lambda: vmap(np.sin, None)(X), "no argument is batched")
    raises(ValueError, lambda: vmap(np.add)(X, X[:2]), "5 in argument 0", "2 in argument 1")
    raises(ValueError, lambda: vmap(np.sin, 2)(X), "argument 0", "no axis 2")
    raises(ValueError, lambda: vmap(np.sin)(1.0), "argument 0", "in_axes=None")
    raises(ValueError, lambda: vmap(np.add, (0, 0, 0))(X, X), "3 entries")
    raises(ValueError, lambda: vmap(lambda p: p["w"], ({"v": 0},))(PEOPLE), "argument 0", "do not match")
    raises(ValueError, lambda: vmap(np.sin, 0, None)(X), "out_axes is None")
    raises(ValueError, lambda: vmap(np.sin, 0, 3)(X), "result")


def test_what_one_value_cannot_do_inside():
    raises(NotBatchedError, lambda: vmap(lambda x: x if x.sum() > 0 else -x)(X), "np.where")
    raises(NotBatchedError, lambda: vmap(lambda x: float(x[0]))(X), "one number")
    raises(NotBatchedError, lambda: vmap(lambda x: np.asarray(x))(X), "ndarray")
    raises(NotBatchedError, lambda: vmap(lambda x: np.array([x, x]))(X), "np.stack")
    raises(NotBatchedError, lambda: vmap(lambda x: np.histogram2d(x, x))(X), "histogram2d")
    raises(NotBatchedError, lambda: vmap(lambda x: W[x.astype(int)])(X), "np.take")
    raises(NotBatchedError, lambda: vmap(lambda x: x.__setitem__(0, 1.0))(X), "assignment")
    assert issubclass(NotBatchedError, NotDifferentiableError)


# ---- jacobian, linearize ----


def test_jacobian_in_pieces(monkeypatch):
    monkeypatch.setattr(transforms, "SWEEP_BYTES", 8 * 3 * 2)
    for mode in ("reverse", "forward"):
        same(jacobian(lambda x: np.tanh(W @ x), mode=mode)(X[0]), (1 - np.tanh(W @ X[0]) ** 2)[:, None] * W)
        same(vmap(jacobian(lambda x: x**2, mode=mode))(X), [np.diag(2 * x) for x in X])


def test_jacobian_of_containers():
    j = jacobian(lambda p: {"y": np.tanh(X @ p["w"]), "z": p["b"] * 2})(PEOPLE)
    assert j["y"]["w"].shape == (5, 2, 3, 2)
    same(j["z"]["b"], 2 * np.eye(2))
    same(j["z"]["w"], np.zeros((2, 3, 2)))


def test_linearize_runs_f_once():
    calls = []

    def f(x, y):
        calls.append(1)
        return {"p": np.sin(x) * y}

    value, push = linearize(f, X[0], Y[0])
    same(value["p"], np.sin(X[0]) * Y[0])
    for k in range(3):
        same(push(X[k], Y[k])["p"], jvp(f, (X[0], Y[0]), (X[k], Y[k]))[1]["p"])
    calls.clear()
    same(vmap(push)(X, Y)["p"], np.cos(X[0]) * X * Y[0] + np.sin(X[0]) * Y)
    assert not calls
    raises(TypeError, lambda: push(X[0]), "structure")


def test_hessian_of_a_batch_of_losses_equals_the_loop():
    h = hessian(lambda w: np.mean(vmap(lambda x: loss(w, x))(X)))(W)
    same(h, sum(hessian(lambda w: loss(w, x))(W) for x in X) / 5)  # noqa: B023 - called at once


def nested_constants(stop):
    def f(w):
        return np.sum(vmap(lambda x: stop(np.sum(x * w)) * np.sum(x * w))(X))

    def inside_another_grad(w):
        return np.sum(vmap(grad(lambda x: np.sum(stop(x * w) * x * w)))(X))

    def in_two_vmaps(w):
        return np.sum(vmap(lambda a: vmap(lambda x: np.sum(stop(x * w * a) * w))(X))(np.arange(3.0)))

    return [f, inside_another_grad, in_two_vmaps]


@pytest.mark.parametrize("stop", [stop_gradient, lambda t: t.detach()], ids=["stop_gradient", "detach"])
@pytest.mark.parametrize("k", range(3))
def test_a_constant_inside_is_one_for_every_transform_outside(stop, k):
    f, w = nested_constants(stop)[k], np.array([0.3, -1.2, 0.7])
    products = X @ w
    expected = [products @ X, np.sum(X * w, axis=0), 3 * np.sum(X * w, axis=0)][k]
    np.testing.assert_allclose(grad(f)(w), expected)


@pytest.mark.parametrize("stop", [lambda t: t.data, getval], ids=["data", "getval"])
def test_the_numbers_inside_carry_no_graph_of_a_transform_outside(stop):
    w = np.array([0.3, -1.2, 0.7])
    np.testing.assert_allclose(grad(lambda x: np.sum(vmap(lambda row: np.sum(row * stop(row)))(x)))(X), X)
    g = grad(lambda w: np.sum(vmap(grad(lambda x: np.sum(stop(x * w) * x)))(X)))(w)
    np.testing.assert_array_equal(g, np.zeros(3))


def test_keywords_and_methods_of_ufuncs():
    assert vmap(lambda x: np.add(x, 1, dtype=np.float32))(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(vmap(np.add.reduce)(X), X.sum(axis=1))
    np.testing.assert_allclose(vmap(lambda x: np.multiply.outer(x, x))(X), X[:, :, None] * X[:, None, :])
    raises(NotBatchedError, lambda: vmap(lambda x: np.sum(x, out=np.zeros(())))(X), "ndarray")
