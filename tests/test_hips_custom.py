"""primitive, custom_vjp, checkpoint, stop_gradient: black boxes and regions, against finite differences and by hand."""

import functools
import math
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import NotDifferentiableError, Tensor, grad, gradcheck, hessian, jacobian, jvp, no_grad, vjp
from autograd.extend import (
    SparseObject,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive,
    vspace,
)

ROOT = Path(__file__).parent.parent
X = np.array([0.3, -0.7, 1.1])
Y = np.array([1.5, 0.4, -0.2])


class Pair(NamedTuple):
    first: object
    second: object


def softplus():
    """A black box that could not be traced: it writes into an array."""

    @primitive
    def softplus(x, scale=1.0):
        """log(1 + exp(scale * x))"""
        out = np.empty_like(x)
        np.exp(scale * x, out=out)
        return np.log1p(out)

    defvjp(softplus, lambda ans, x, scale=1.0: lambda g: g * scale / (1 + np.exp(-scale * x)))
    return softplus


# ---- primitive ----


def test_a_primitive_computes_on_plain_arrays():
    f = softplus()
    assert f.__name__ == "softplus" and f.__doc__ == "log(1 + exp(scale * x))"
    assert type(f(X)) is np.ndarray
    assert np.allclose(f(X), np.log1p(np.exp(X)))
    y = f(Tensor(X))
    assert isinstance(y, Tensor) and y.node is None


def test_both_modes_and_any_order_from_one_vjp():
    f = softplus()
    gradcheck(f, X, order=3)
    gradcheck(functools.partial(f, scale=2.0), X)
    y = f(Tensor(X, requires_grad=True))
    assert y.node.op.name == "softplus" and y.node.source.file == __file__


def test_two_arguments_and_a_constant_one():
    @primitive
    def f(kind, x, y):
        return {"product": x * y, "sum": x + y}[kind]

    defvjp(f, lambda ans, kind, x, y: lambda g: g * y, lambda ans, kind, x, y: lambda g: g * x, argnums=[1, 2])
    gradcheck(lambda x, y: f("product", x, y), X, Y)
    assert np.array_equal(grad(lambda x: np.sum(f("product", x, Y)))(X), Y)


def test_none_is_a_gradient_of_zero():
    f = primitive(lambda x, y: x * y)
    defvjp(f, None, lambda ans, x, y: lambda g: g * x)
    defjvp(f, None, lambda g, ans, x, y: g * x)
    assert np.array_equal(grad(lambda x: np.sum(f(x, Y)))(X), [0, 0, 0])
    assert np.array_equal(jvp(lambda x: f(x, Y), X, X)[1], [0, 0, 0])
    assert np.array_equal(grad(lambda y: np.sum(f(X, y)))(Y), X)


@pytest.mark.parametrize("how", ["argnum", "argnums"])
def test_one_rule_for_all_arguments(how):
    calls = []
    f = primitive(lambda *xs: sum(x**2 for x in xs))

    def of_all(argnums, ans, args, kwargs):
        calls.append(argnums)
        return lambda g: [2 * g * args[k] for k in argnums]

    if how == "argnum":
        defvjp_argnum(f, lambda k, ans, args, kwargs: lambda g: 2 * g * args[k])
        defjvp_argnum(f, lambda k, g, ans, args, kwargs: 2 * g * args[k])
    else:
        defvjp_argnums(f, of_all)
        defjvp_argnums(
            f, lambda argnums, gs, ans, args, kwargs: sum(2 * g * args[k] for k, g in zip(argnums, gs, strict=True))
        )
    gradcheck(f, X, Y, X * Y)
    calls.clear()
    grad(lambda x, y: np.sum(f(x, X, y)), (0, 1))(X, Y)
    assert calls == ([(0, 2)] if how == "argnums" else [])  # the work is shared


def test_a_jvp_of_its_own_is_used():
    f = primitive(lambda x, y: x * y)
    defjvp(f, "same", lambda g, ans, x, y: 10 * g * x)
    assert np.allclose(jvp(f, (X, Y), (Y, X))[1], Y * Y + 10 * X * X)
    with pytest.raises(NotImplementedError, match="no VJP"):
        grad(lambda x: np.sum(f(x, Y)))(X)


def test_no_rule_for_an_argument():
    f = primitive(lambda x, y: x * y)
    defvjp(f, lambda ans, x, y: lambda g: g * y)
    with pytest.raises(NotImplementedError, match="argument 1"):
        grad(lambda y: np.sum(f(X, y)))(Y)


def test_containers_in_and_out():
    @primitive
    def f(tree, y):
        return {"sum": tree["a"] + tree["b"][0], "both": Pair(tree["a"] * y, tree["label"])}

    def rule(ans, tree, y):
        def cotangent(g):
            by_key = {"label": None, "b": [g["sum"]], "a": g["sum"] + g["both"].first * y}  # another order of keys
            return by_key

        return cotangent

    defvjp(f, rule, lambda ans, tree, y: lambda g: g["both"].first * tree["a"])

    def loss(a, b, y):
        result = f({"a": a, "b": [b], "label": "x"}, y)
        assert result["both"].second == "x"
        return np.sin(result["sum"]) + result["both"].first ** 2

    def plain(a, b, y):
        return np.sin(a + b) + (a * y) ** 2

    gradcheck(loss, X, Y, X + Y)
    for k in range(3):
        ours, true = (jacobian(h, k)(X, Y, X + Y) for h in (loss, plain))
        assert np.allclose(ours, true, atol=1e-12)


def test_a_sparse_gradient():
    f = primitive(lambda x, k: x[k])

    def at(g, k, space):
        def add(a):
            a[k] += g
            return a

        return SparseObject(space, add)

    defvjp(f, lambda ans, x, k: lambda g: at(g, k, vspace(x)), None)
    assert np.array_equal(grad(lambda x: f(x, 1) * 3)(X), [0, 3, 0])


def test_methods_can_be_primitives():
    class Model:
        @primitive
        def scaled(self, x):
            return 3 * x

    defvjp(Model.scaled, lambda ans, self, x: lambda g: 3 * g, argnums=[1])
    assert grad(Model().scaled)(2.0) == 3


def test_what_a_black_box_would_lose_is_an_error():
    f = softplus()
    with pytest.raises(NotDifferentiableError, match="keyword argument"):
        grad(lambda s: np.sum(f(X, scale=s)))(2.0)
    with pytest.raises(NotDifferentiableError, match="not among its arguments"):
        grad(lambda w: np.sum(primitive(lambda x: x * w)(w)))(X)
    with pytest.raises(TypeError, match="no array"):
        grad(primitive(lambda x: "text"))(1.0)


def test_wrong_shape_of_a_cotangent():
    f = primitive(lambda x: x * 2)
    defvjp(f, lambda ans, x: lambda g: np.ones(7))
    with pytest.raises(ag.ShapeError, match="gradient of shape"):
        grad(lambda x: np.sum(f(x)))(X)


def test_primitive_with_rules_is_a_row_of_the_table():
    cube = ag.primitive(lambda x: x**3, lambda x: 3 * x**2, kind="elementwise", name="cube")
    assert isinstance(cube, ag.Op)
    gradcheck(cube, X, order=3)

    @ag.primitive(name="dot")
    def dot(a, b):
        return np.sum(a * b)

    dot.rule(lambda g, b: g * b)
    dot.rule(lambda g, a: g * a)
    gradcheck(dot, X, Y)


def test_a_primitive_keeps_its_saved_arrays_honest():
    f = softplus()
    x = Tensor(X.copy(), requires_grad=True)
    y = np.sum(f(x))
    x.data += 1
    with pytest.raises(ag.SavedArrayChangedError):
        y.backward()


def test_no_grad_and_backward():
    f = softplus()
    x = Tensor(X.copy(), requires_grad=True)
    with no_grad():
        assert f(x).node is None
    np.sum(f(x)).backward()
    assert np.allclose(x.grad, 1 / (1 + np.exp(-X)))


# ---- custom_vjp ----


def clipped():
    """The identity, with a gradient that is clipped to [-1, 1]: the classic example."""
    return ag.custom_vjp(lambda x: x, lambda x: (x, None), lambda _, g: (np.clip(g, -1, 1),))


def test_a_region_with_another_derivative():
    f = clipped()
    assert np.array_equal(grad(lambda x: np.sum(10 * f(x)))(X), [1, 1, 1])
    assert np.array_equal(f(X), X)


def logsumexp_region():
    def forward(x):
        y = np.log(np.sum(np.exp(x)))
        return y, np.exp(x - y)

    return ag.custom_vjp(lambda x: np.log(np.sum(np.exp(x))), forward, lambda p, g: (g * p,))


def test_a_region_to_any_order():
    f = logsumexp_region()
    gradcheck(f, X, order=3)
    p = np.exp(X) / np.sum(np.exp(X))
    assert np.allclose(hessian(f)(X), np.diag(p) - np.outer(p, p))


def test_a_region_with_containers_and_keywords():
    def f(tree, y, *, power=2):
        return Pair(tree["a"] ** power * y, tree["b"])

    def forward(tree, y, *, power=2):
        return f(tree, y, power=power), (tree, y, power)

    def backward(saved, g):
        tree, y, power = saved
        return {"b": g.second, "a": g.first * power * tree["a"] ** (power - 1) * y}, g.first * tree["a"] ** power

    region = ag.custom_vjp(f, forward, backward)
    gradcheck(lambda a, b, y: sum(region({"a": a, "b": b}, y, power=3)), X, Y, X - Y)
    gradcheck(lambda a, b: region({"a": a, "b": b}, Y).first * b, X, Y)


def test_a_region_may_not_close_over_a_variable():
    def loss(w):
        region = ag.custom_vjp(lambda x: x * w, lambda x: (x * w, None), lambda _, g: (g,))
        return np.sum(region(w))

    with pytest.raises(NotDifferentiableError, match="not among its arguments"):
        grad(loss)(X)


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (lambda x: x, lambda r, g: (g,), "pair"),
        (lambda x: (x, None), lambda r, g: g, "tuple of 1"),
        (lambda x: (x, None), lambda r, g: (g, g), "tuple of 1"),
    ],
)
def test_mistakes_in_a_region(forward, backward, message):
    with pytest.raises(TypeError, match=message):
        grad(lambda x: np.sum(ag.custom_vjp(lambda x: x, forward, backward)(x)))(X)


# ---- checkpoint ----


def block(x):
    for _ in range(6):
        x = np.sin(x * x + 1)
    return x


def test_checkpoint_changes_no_derivative():
    f = ag.checkpoint(block)
    gradcheck(f, X, order=3)
    assert np.array_equal(f(X), block(X))
    for transform in (grad, hessian):
        a, b = (transform(lambda x, h=h: np.sum(h(x) * x))(X) for h in (f, block))
        assert np.allclose(a, b, rtol=1e-14)


def test_checkpoint_takes_containers_and_keywords():
    def f(tree, *, scale):
        return {"y": np.sin(tree["w"]) * scale, "n": 3, "plain": X}

    def loss(h, w, s):
        out = h({"w": w, "label": "a"}, scale=s)
        assert out["n"] == 3
        return np.sum(out["y"] ** 2 * out["plain"])

    a, b = (grad(lambda w, s, h=h: loss(h, w, s), (0, 1))(X, 2.0) for h in (ag.checkpoint(f), f))
    assert all(np.allclose(u, v, rtol=1e-14) for u, v in zip(a, b, strict=True))


def test_checkpoint_reaches_what_it_closes_over():
    """Parameters of a layer, and intermediate results of the caller: first and second order."""
    w = Tensor(X.copy(), requires_grad=True)
    y = np.sum(ag.checkpoint(lambda x: np.tanh(w * x) * w)(Tensor(Y)))
    y.backward()
    plain = grad(lambda w: np.sum(np.tanh(w * Y) * w))(X)
    assert np.allclose(w.grad, plain, rtol=1e-14)

    def loss(w, remember):
        v = w**2  # not an argument
        inner = lambda x: np.sin(x * v) + w * v
        return np.sum((ag.checkpoint(inner) if remember else inner)(Y) ** 2)

    gradcheck(lambda w: loss(w, True), X)
    assert np.allclose(*(hessian(lambda w, r=r: loss(w, r))(X) for r in (True, False)), rtol=1e-12)
    assert np.allclose(*(grad(lambda w, r=r: ag.checkpoint(lambda: w)() @ Y if r else w @ Y)(X) for r in (0, 1)))


def test_checkpoint_does_not_use_a_changed_parameter():
    w = Tensor(X.copy(), requires_grad=True)
    y = np.sum(ag.checkpoint(lambda x: x * w)(Tensor(Y)))
    w.data += 1
    with pytest.raises(ag.SavedArrayChangedError):
        y.backward()


def test_checkpoint_notices_random_numbers():
    rng = np.random.default_rng(0)
    f = ag.checkpoint(lambda x: x * rng.random(3))
    with pytest.raises(RuntimeError, match="another result"):
        grad(lambda x: np.sum(f(x)))(X)


def test_checkpoint_keeps_less():
    x = np.linspace(0, 1, 50_000)

    def peak(f):
        def loss(x):
            for _ in range(6):
                x = f(x)
            return np.sum(x)

        grad(loss)(x)
        tracemalloc.start()
        grad(loss)(x)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(ag.checkpoint(block)) < 0.5 * peak(block)


# ---- stop_gradient ----


def test_stop_gradient():
    assert grad(lambda x: x * ag.stop_gradient(x))(3.0) == 3
    assert grad(lambda x: x * ag.stop_gradient({"a": [x, 2]})["a"][0])(3.0) == 3
    assert jvp(lambda x: x * ag.stop_gradient(x), 3.0, 1.0)[1] == 3
    assert hessian(lambda x: x * x * ag.stop_gradient(x))(3.0) == 6
    assert ag.stop_gradient(X) is X


# ---- argnums by name, and other spellings ----


def power(x, p=2.0, *, scale=1.0):
    return scale * x**p


def test_argnums_by_name():
    true = (2 * 3.0 * 1.5, 1.5 * 9 * math.log(3), 9.0)
    assert np.isclose(grad(power, "x")(3.0, 2.0, scale=1.5), true[0])
    assert np.allclose(grad(power, ("x", "p", "scale"))(3.0, 2.0, scale=1.5), true)
    assert np.allclose(grad(power, ["p", 0])(3.0, p=2.0, scale=1.5), (true[1], true[0]))
    assert np.isclose(hessian(power, "x")(3.0, scale=1.5), 3.0)
    assert np.isclose(grad(grad(power, "x"), "scale")(3.0, scale=1.5), 6.0)
    assert np.isclose(jacobian(power, argnum="p")(3.0, 2.0), 9 * math.log(3))


@pytest.mark.parametrize("name", ["q", "p"])
def test_a_name_that_was_not_passed(name):
    with pytest.raises(TypeError, match="without an argument of that name"):
        grad(power, name)(3.0)


def test_the_same_argument_twice():
    with pytest.raises(TypeError, match="twice"):
        grad(power, ("x", 0))(3.0)


@pytest.mark.parametrize("transform", [ag.grad, ag.elementwise_grad, ag.jacobian, ag.hessian])
def test_argnum(transform):
    f = lambda a, b: a * b**3
    assert np.isclose(transform(f, argnum=1)(2.0, 3.0), transform(f, 1)(2.0, 3.0))
    assert ag.value_and_grad(f, argnum=1)(2.0, 3.0) == (54, 54)


def test_structure_of_a_cotangent():
    f = lambda x: {"a": np.sin(x), "b": x * x}
    _, pull = vjp(f, X)
    assert np.allclose(pull({"b": X, "a": Y}), np.cos(X) * Y + 2 * X * X)  # another order of keys
    for wrong in ({"a": X}, [X, Y], X):
        with pytest.raises(TypeError, match="structure"):
            pull(wrong)


@pytest.mark.parametrize("f", [lambda x: x * 1j, lambda x: None, lambda x: "text", lambda x: x > 0])
def test_results_that_have_no_gradient(f):
    with pytest.raises(TypeError):
        grad(f)(2.0)
    with pytest.raises(TypeError):
        ag.elementwise_grad(f)(2.0)


def test_holomorphic_grad():
    z = 0.3 + 0.7j
    assert np.isclose(ag.holomorphic_grad(lambda z: np.sin(z) * 1j)(z), np.cos(z) * 1j)
    with pytest.raises(TypeError, match="complex"):
        ag.holomorphic_grad(np.sin)(1.0)
    g, aux = ag.grad_and_aux(lambda x, y: (x * y, {"twice": 2 * x}), 1)(2.0, 3.0)
    assert (g, aux) == (2, {"twice": 4})


def test_rules_for_a_function_of_numpys():
    """In a process of its own, because it is for good."""
    code = """
import numpy as np
from autograd import grad
from autograd.core import primitive_vjps
from autograd.extend import defvjp
defvjp(np.nextafter, lambda ans, x, y: lambda g: 7 * g, None)
defvjp(np.sin, lambda ans, x: lambda g: 2 * g)
print(grad(lambda x: np.nextafter(x, 2.0))(1.0), grad(np.sin)(1.0), np.sin in primitive_vjps, np.sin(0.0))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.split() == ["7.0", "2.0", "True", "0.0"]
