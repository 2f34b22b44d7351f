"""Custom operations: the four kinds, both spellings, static arguments, several results, and mistakes in a rule."""

import math
import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
import viz
from autograd import NotDifferentiableError, ShapeError, Tensor, grad, gradcheck, gradients, hessian, jvp, vjp

X = np.array([0.3, -0.7, 1.1])
A = np.arange(1.0, 7.0).reshape(2, 3)


def leaf(value):
    return Tensor(np.array(value, dtype=float), requires_grad=True)


# ---- the four kinds, as rows ----


def test_an_elementwise_row():
    softplus = ag.elementwise(lambda x: np.log1p(np.exp(x)), lambda x: 1 / (1 + np.exp(-x)), name="softplus")
    gradcheck(softplus, X, order=3)
    assert np.allclose(grad(lambda x: np.sum(softplus(x)))(X), 1 / (1 + np.exp(-X)))


def test_an_elementwise_row_that_needs_its_result():
    expm = ag.elementwise(lambda x: np.exp(-x), lambda y: -y)
    gradcheck(expm, X)
    x = leaf(X)
    y = expm(x)
    assert list(y.node.values()) == ["y"]


def test_an_elementwise_row_of_two_arguments_broadcasts():
    huber = ag.elementwise(
        lambda a, b: np.sqrt(1 + (a - b) ** 2), lambda a, b, y: (a - b) / y, lambda a, b, y: (b - a) / y, name="huber"
    )
    gradcheck(huber, A, X)
    gradcheck(huber, X, np.array(0.5))
    assert np.isclose(grad(lambda b: np.sum(huber(A, b)))(0.5), -np.sum((A - 0.5) / np.sqrt(1 + (A - 0.5) ** 2)))


def test_numbers_as_rules():
    affine = ag.elementwise(lambda a, b: 2 * a - b, 2, -1, name="affine")
    gradcheck(affine, X, 2 * X)
    steps = ag.elementwise(lambda x: np.floor(x), 0, name="steps")
    assert np.array_equal(grad(lambda x: np.sum(steps(x)))(X), [0, 0, 0])


def test_a_linear_row():
    blur = ag.linear(lambda x: (x + np.roll(x, 1)) / 2, lambda g: (g + np.roll(g, -1)) / 2, name="blur")
    gradcheck(blur, X, order=3)


def test_a_multilinear_row():
    bilinear = ag.multilinear(lambda a, b: a @ b.T, lambda g, b: g @ b, lambda g, a: g.T @ a, name="bilinear")
    gradcheck(bilinear, A, A[::-1].copy())
    assert hessian(lambda a: np.sum(bilinear(a, a)))(A).shape == (2, 3, 2, 3)


def test_a_general_row():
    unit = ag.general(
        lambda x: x / np.sqrt(np.sum(x * x)),
        lambda g, x, y: (g - y * np.sum(g * y)) / np.sqrt(np.sum(x * x)),
        name="unit",
    )
    gradcheck(unit, X, order=3)


def test_a_row_for_a_function_of_numpy_makes_it_work_on_tensors():
    """In a process of its own, because registration is for good."""
    code = """
import numpy as np, autograd as ag
ag.elementwise(np.i0, lambda x: np.ones_like(x))
ag.general(np.ptp, lambda g, x: g * (x == np.max(x)) - g * (x == np.min(x)))
ag.linear(lambda x: np.triu(x), lambda g: np.triu(g), name="upper", handles=(np.spacing, np.frexp))
x = ag.Tensor(np.array([1.0, 3.0]), requires_grad=True)
np.sum(np.i0(x)).backward()
assert np.array_equal(x.grad, [1, 1])
assert np.array_equal(ag.grad(np.ptp)(np.array([1.0, 3.0])), [-1, 1])
assert np.spacing(ag.Tensor(np.ones((2, 2)), requires_grad=True)).node.op.name == "upper"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# ---- decorators ----


@ag.elementwise(name="swish")
def swish(x):
    """x * sigmoid(x)."""
    return x / (1 + np.exp(-x))


@swish.rule
def _swish_rule(x, y):
    s = 1 / (1 + np.exp(-x))
    return s + y * (1 - s)


@ag.general
def scaled_power(x, scale, *, power=2, offset):
    """scale * x ** power + offset."""
    return scale * x**power + offset


@scaled_power.rule
def _power_x(g, x, scale, power=2):
    return np.sum(g * scale * power * x ** (power - 1), axis=()) + 0 * x


@scaled_power.rule
def _power_scale(g, x, scale_shape, power=2):
    return np.reshape(np.sum(g * x**power), scale_shape)


def test_the_decorator_keeps_name_and_documentation():
    assert swish.name == "swish" and swish.__doc__ == "x * sigmoid(x)."
    assert scaled_power.name == "scaled_power" and repr(scaled_power) == "<general op scaled_power>"
    assert swish.kind == "elementwise"


def test_decorated_operations():
    gradcheck(swish, X, order=3)
    gradcheck(lambda x, s: scaled_power(x, s, power=3, offset=1.0), X, np.array(2.0))


def test_on_plain_arrays_an_operation_just_computes():
    y = swish(X)
    assert type(y) is np.ndarray and np.allclose(y, X / (1 + np.exp(-X)))
    assert not swish(Tensor(X)).requires_grad
    with ag.no_grad():
        assert not swish(leaf(X)).requires_grad


def test_an_operation_takes_lists_and_numbers():
    assert np.allclose(scaled_power([1.0, 2.0], 3.0, offset=0.0), [3.0, 12.0])
    y = scaled_power(leaf([1.0, 2.0]), 3, offset=0)
    y.sum().backward()
    assert np.array_equal(y.data, [3, 12])


# ---- static arguments ----


def test_static_arguments():
    x = leaf(X)
    y = scaled_power(x, 2.0, power=3, offset=1.0)
    assert np.allclose(y.data, 2 * X**3 + 1) and y.node.kwargs == {"power": 3, "offset": 1.0}
    (g,) = gradients(y.sum(), [x])
    assert np.allclose(g, 6 * X**2)
    y = scaled_power(x, 2.0, offset=0.0)
    (g,) = gradients(y.sum(), [x])
    assert np.allclose(g, 4 * X)


def test_arguments_may_be_named():
    x = leaf(X)
    y = scaled_power(scale=2.0, x=x, offset=0.0)
    assert np.allclose(y.data, 2 * X**2)


def test_a_keyword_without_a_default_is_needed():
    with pytest.raises(TypeError, match="offset"):
        scaled_power(leaf(X), 2.0)


def test_an_unknown_keyword_is_refused():
    with pytest.raises(NotDifferentiableError, match=r"scaled_power\(\).*powr.*offset, power"):
        scaled_power(leaf(X), 2.0, powr=3, offset=0.0)


# ---- optional rules ----


def test_an_input_without_a_rule_must_be_a_constant():
    masked = ag.elementwise(lambda x, mask: np.where(mask > 0, x, 0), lambda mask: mask > 0, name="masked")
    y = masked(leaf(X), np.array([1, 0, 1]))
    y.sum().backward()
    with pytest.raises(NotDifferentiableError, match=r"masked\(\) has no derivative rule for its input 'mask'"):
        masked(leaf(X), leaf(X))
    with pytest.raises(NotDifferentiableError, match="'mask'"):
        masked(X, leaf(X))


def test_none_as_a_rule_stops_the_gradient():
    stop = ag.linear(lambda a, b: a + b, lambda g: g, None, name="stop_b")
    a, b = leaf(X), leaf(X)
    ga, gb = gradients(stop(a, b).sum(), [a, b])
    assert np.array_equal(ga, [1, 1, 1]) and np.array_equal(gb, [0, 0, 0])


def test_only_what_the_active_rules_name_is_saved():
    product = ag.multilinear(lambda a, b: a * b, lambda g, b: g * b, lambda g, a: g * a, name="product")
    assert list(product(leaf(X), X).node.values()) == ["b"]
    assert list(product(X, leaf(X)).node.values()) == ["a"]
    assert sorted(product(leaf(X), leaf(X)).node.values()) == ["a", "b"]
    total = ag.linear(lambda x: np.sum(x), lambda g, x_shape: np.broadcast_to(g, x_shape), name="total")
    assert total(leaf(X)).node.values() == {"x_shape": (3,)}


# ---- any number of inputs ----


@ag.linear(name="add_all")
def add_all(*xs, weight=1.0):
    """The weighted sum of the arrays."""
    return weight * sum(xs)


@add_all.rule
def _add_all_rule(g, xs_shape, i, weight=1.0):
    assert xs_shape[i] == g.shape
    return weight * g


def test_any_number_of_inputs():
    for n in (1, 2, 5):
        xs = [leaf(k * X) for k in range(n)]
        y = add_all(*xs, weight=3.0)
        assert all(np.array_equal(g, [3, 3, 3]) for g in gradients(y.sum(), xs))
    gradcheck(lambda a, b: add_all(a, b, a, weight=0.5), X, 2 * X)
    y = add_all(X, leaf(X), 2 * X)
    assert [n is None for n in y.node.inputs] == [True, False, True]


def test_which_input_and_how_many_are_recorded():
    seen = []

    def rule(g, i, among):
        seen.append((i, among))
        return g

    op = ag.linear(lambda *xs: xs[0] + xs[1] + xs[2], rule, name="three")
    op(leaf(X), X, leaf(X)).sum().backward()
    assert seen == [(0, 2), (2, 2)]


@ag.general(name="log_sum_exp")
def log_sum_exp(*xs):
    """log(exp(a) + exp(b) + ...)."""
    return np.log(sum(np.exp(x) for x in xs))


log_sum_exp.rule(lambda g, xs, y, i: g * np.exp(xs[i] - y))


@ag.general(name="product_of_exp")
def product_of_exp(*xs):
    """exp(a) * exp(b) * ..., whose rule needs the result alone."""
    return np.exp(sum(xs))


product_of_exp.rule(lambda g, y: g * y)


def test_rules_of_many_inputs_that_need_values():
    gradcheck(lambda a, b, c: log_sum_exp(a, b, c), X, 2 * X, 1 - X)
    gradcheck(lambda a, b: log_sum_exp(a, X, b), X, 2 * X)
    for n in (1, 2, 3, 4):
        gradcheck(lambda *xs: product_of_exp(*xs), *([X] * n))


# ---- linear operations in forward mode, some of whose inputs are constants ----


def test_linear_operations_with_constants_in_forward_mode():
    pair = ag.linear(
        lambda a, b: np.concatenate([a, b]),
        lambda g, a_shape: g[: a_shape[0]],
        lambda g, b: g[-b.shape[0] :],
        name="pair",
    )
    zeros = np.zeros(3)
    for f, point, true in (
        (lambda a: pair(a, 1 + X), X, np.concatenate([X, zeros])),
        (lambda b: pair(1 + X, b), X, np.concatenate([zeros, X])),
        (lambda a: pair(a, Tensor(1 + X, requires_grad=True)).data, X, None),
        (lambda a: add_all(1 + X, a, 5.0, a), X, 2 * X),
        (lambda a: ag.ops.joining.stack(a, 1 + X), X, np.stack([X, zeros])),
    ):
        if true is not None:
            assert np.array_equal(jvp(f, point, X)[1], true)
    a, b = leaf(X), leaf(X)
    gradcheck(lambda a, b: pair(a, b) * pair(b, a), X, 2 * X)
    assert np.array_equal(jvp(lambda v: pair(v, a + b).detach(), X, X)[1], np.zeros(6))


def test_a_linear_operation_with_an_argument_that_has_no_rule():
    apply_matrix = ag.linear(lambda x, w: w @ x, lambda g, w: w.T @ g, name="apply_matrix")
    assert np.allclose(jvp(lambda x: apply_matrix(x, A), X, X)[1], A @ X)
    gradcheck(lambda x: apply_matrix(x, A), X)
    stop = ag.linear(lambda a, b: a + b, lambda g: g, None, name="stop_b")
    assert np.array_equal(jvp(lambda x: stop(x, X), X, X)[1], X)
    assert np.array_equal(jvp(lambda x: stop(x, x), X, X)[1], X)


# ---- several results ----


@ag.general(outputs=2)
def polar(a, b):
    """Radius and angle of points in the plane."""
    return np.hypot(a, b), np.arctan2(b, a)


@polar.rule
def _polar_a(g, a, b):
    of_radius, of_angle = g
    r = np.sqrt(a * a + b * b)
    return of_radius * a / r - of_angle * b / (r * r)


@polar.rule
def _polar_b(g, b, y, a):
    of_radius, of_angle = g
    radius, _ = y
    return of_radius * b / radius + of_angle * a / (radius * radius)


def test_several_results():
    a, b = leaf([3.0]), leaf([4.0])
    r, angle = polar(a, b)
    assert isinstance(r, Tensor) and isinstance(angle, Tensor) and r.data == 5.0
    assert [g.item() for g in gradients(r, [a, b])] == pytest.approx([0.6, 0.8])
    r, angle = polar(a, b)
    assert [g.item() for g in gradients(angle, [a, b])] == pytest.approx([-4 / 25, 3 / 25])


def test_several_results_in_both_modes_and_to_second_order():
    gradcheck(lambda a, b: np.sum(polar(a, b)[0] * polar(a, b)[1]), X, 1 + X)
    gradcheck(lambda a, b: polar(a, b)[1], X, 1 + X)
    value, (tr, ta) = jvp(polar, (X, 1 + X), (np.ones(3), np.zeros(3)))
    r = np.hypot(X, 1 + X)
    assert np.allclose(value[0], r) and np.allclose(tr, X / r) and np.allclose(ta, -(1 + X) / r**2)
    _, pull = vjp(polar, X, 1 + X)
    gx, gy = pull((np.ones(3), np.zeros(3)))
    assert np.allclose(gx, X / r) and np.allclose(gy, (1 + X) / r)


def test_several_results_that_are_python_numbers():
    @ag.general(outputs=2)
    def both(x):
        return float(x) * 2, float(x) ** 2

    @both.rule
    def _rule(g, x):
        first, second = g
        return first * 2 + second * 2 * x

    x = leaf(3.0)
    a, b = both(x)
    (a * b).backward()  # 2 x^3
    assert x.grad == 54.0


def test_one_result_that_is_a_python_number():
    op = ag.general(lambda x: math.fsum(x), lambda g, x_shape: np.ones(x_shape) * g, name="fsum")
    x = leaf(X)
    op(x).backward()
    assert np.array_equal(x.grad, [1, 1, 1])


def test_a_rule_may_return_a_python_number():
    op = ag.general(lambda x: x * 2, lambda g: 2.0, name="double")
    x = leaf(3.0)
    op(x).backward()
    assert x.grad == 2.0


def test_results_that_do_not_fit_the_declaration():
    pair = ag.general(lambda x: (x, x), lambda g: g, name="pair")
    with pytest.raises(TypeError, match=r"pair.*tuple.*outputs=2"):
        pair(leaf(X))
    single = ag.general(lambda x: x, lambda g: g, name="single", outputs=2)
    with pytest.raises(TypeError, match=r"single.*outputs=2"):
        single(leaf(X))
    triple = ag.general(lambda x: (x, x, x), lambda g: g, name="triple", outputs=2)
    with pytest.raises(TypeError, match=r"triple.*3.*outputs=2"):
        triple(leaf(X))


# ---- mistakes in a rule: one clear error where it is registered ----


def test_a_misspelled_parameter():
    with pytest.raises(TypeError) as caught:
        ag.general(lambda x: x * 2, lambda g, xx: g * 2, name="double")
    message = str(caught.value)
    assert "double" in message and "'xx'" in message and "x" in message.split("knows")[-1]


def test_a_misspelled_parameter_with_a_default_would_never_be_given():
    """The rule would quietly compute with its default."""
    with pytest.raises(TypeError, match="'powr'"):

        @ag.general
        def op(x, *, power=2):
            return x**power

        @op.rule
        def _rule(g, x, powr=2):
            return g * powr * x ** (powr - 1)


def test_a_misspelled_parameter_of_a_rule_for_numpy():
    with pytest.raises(TypeError, match=r"'axes'.*axis"):
        ag.linear(np.sum, lambda g, x_shape, axes=None: np.broadcast_to(g, x_shape))
    assert np.sum(leaf(X)).node.op is ag.ops.reduce.sum  # the refused row did not replace the built-in one


def test_a_misspelled_shape():
    with pytest.raises(TypeError, match="'a_shape'"):
        ag.linear(lambda x: np.sum(x), lambda g, a_shape: np.broadcast_to(g, a_shape), name="total")


def test_an_elementwise_rule_does_not_take_the_cotangent():
    with pytest.raises(TypeError, match=r"'g'.*multiplies"):
        ag.elementwise(np.cosh, lambda g, x: g * np.sinh(x), name="cosh")


def test_other_rules_take_the_cotangent():
    for register in (ag.linear, ag.multilinear, ag.general):
        with pytest.raises(TypeError, match=r"'g'"):
            register(lambda x: x * 2, lambda x: 2 * x, name="double")


def test_more_rules_than_inputs():
    with pytest.raises(TypeError, match=r"double has 2 rules for the inputs x"):
        ag.elementwise(lambda x: x * 2, 2, 2, name="double")


def test_static_arguments_come_last():
    with pytest.raises(TypeError, match="first"):
        ag.general(lambda x, *, k: x * k, lambda k, g: g * k, name="times")


def test_names_that_a_rule_uses_for_something_else():
    """`y` in a rule is the result: as the name of an input it would silently mean two things."""
    with pytest.raises(TypeError, match=r"'y'.*result"):
        ag.general(lambda x, y: x * y, lambda g, y: g * y, lambda g, x: g * x, name="product")
    with pytest.raises(TypeError, match="'i'"):
        ag.general(lambda x, *, i=2: x**i, lambda g, x, i=2: g * i * x ** (i - 1), name="power")


def test_star_parameters_are_refused():
    with pytest.raises(TypeError, match=r"\*\*kwargs|'kwargs'"):
        ag.general(lambda x: x * 2, lambda g, **kwargs: g * 2, name="double")


def test_a_wrong_kind_shows_in_gradcheck():
    square = ag.linear(lambda x: x * x, lambda g: 2 * g, name="square")
    with pytest.raises(ag.GradcheckError):
        gradcheck(square, X)


def test_a_rule_of_the_wrong_shape_names_the_operation():
    op = ag.linear(lambda x: np.sum(x), lambda g: g, name="total")
    with pytest.raises(ShapeError, match=r"total \(.*test_custom_ops"):
        op(leaf(X)).backward()


# ---- what the engine sees of a custom operation ----


def test_formulas_are_read_off_the_rules():
    assert swish.formula(0)
    op = ag.elementwise(lambda x: np.exp(-x), lambda y: -y, name="decay")
    assert op.formula(0) == "g * -y" or op.formula(0) == "g * (-y)"
    op = ag.general(lambda x: x * 2, lambda g: 2 * g, name="double", formulas=("twice g",))
    assert op.formula(0) == "twice g"


def test_a_rule_that_a_symbol_cannot_run_is_called_by_its_name():
    assert add_all.formula(0) == "add_all_rule(g, xs_shape, i, weight)"
    y = add_all(leaf(X), weight=3.0).sum()
    assert "add_all_rule(" in viz.explain(y)


def test_dtype_and_shape_are_kept():
    x = Tensor(X.astype(np.float32), requires_grad=True)
    op = ag.elementwise(lambda x: np.tanh(x), lambda y: 1.0 - y * y, name="squash")
    op(x).sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.shape == (3,)
    wide = ag.general(lambda x: x * 2, lambda g: np.asarray(g, dtype=np.float64) * 2.0, name="wide")
    x.zero_grad()
    wide(x).sum().backward()
    assert x.grad.dtype == np.float32


# ---- what several rules compute together ----


def counted_product():
    """a * b whose rules share a product with the cotangent; how often it was computed, in a list."""
    calls = []

    def double(g):
        calls.append(1)
        return 2 * g

    op = ag.multilinear(
        lambda a, b: 2 * a * b, lambda g, twice, b: twice * b, lambda g, twice, a: twice * a,
        shared={"twice": double}, name="doubled", inputs="a b",
    )  # fmt: skip
    return op, calls


def test_a_shared_value_is_computed_once_for_all_inputs():
    op, calls = counted_product()
    a, b = leaf(X), leaf(X + 1)
    ga, gb = gradients(np.sum(op(a, b)), [a, b])
    assert len(calls) == 1
    np.testing.assert_allclose(ga, 2 * b.data)
    np.testing.assert_allclose(gb, 2 * a.data)
    gradcheck(op, X, X + 1, order=3)


def test_a_shared_value_lasts_for_one_sweep():
    op, calls = counted_product()
    a, b = leaf(X), leaf(X + 1)
    y, g = op(a, b), np.ones(3)
    for scale in (1, 3):
        g[...] = scale  # the same array with other numbers
        np.testing.assert_allclose(gradients(y, [a], grad=g, retain_graph=True)[0], scale * 2 * b.data)
    assert len(calls) == 2


def test_an_attribute_error_in_a_rule_is_the_one_that_is_seen():
    def rule(g, a):
        return a.no_such_attribute

    op = ag.general(lambda a: a + 0, rule, name="misspelled", inputs="a")
    with pytest.raises(AttributeError, match="no_such_attribute"):
        op(leaf(1.0)).backward()
