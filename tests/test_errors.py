"""What goes wrong says what happened, where it was recorded, and what to write instead."""

import copy
import pickle
import re
import warnings

import numpy as np
import pytest

import autograd as ag
from autograd import (
    GraphFreedError,
    NotDifferentiableError,
    SavedArrayChangedError,
    ShapeError,
    Tensor,
    detect_anomaly,
    gradients,
    no_grad,
)

HERE = re.compile(r"test_errors\.py:(\d+)")


def leaf(*values):
    return Tensor(np.array(values or (1.0, 2.0)), requires_grad=True)


def matrix(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix(values)


def raises(error, call, *says, line=None):
    """The call raises `error`, whose message contains all of `says` and names this file, at `line`."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    for text in says:
        assert text in message, message
    if line is not None:
        assert str(line) in HERE.findall(message), message
    return message


def numbered(make):
    """(what make() gives, the line that made it): the lambda's own line."""
    return make(), make.__code__.co_firstlineno


# ---- leaving the graph by accident ----


def test_conversion_to_an_array():
    y, line = numbered(lambda: leaf() * 2)
    raises(TypeError, lambda: np.asarray(y), "t.data", "multiply", line=line)
    raises(TypeError, lambda: np.array(y), "t.data", line=line)
    raises(TypeError, lambda: np.array([y, y]), "np.stack", line=line)
    raises(TypeError, lambda: np.array([y[0], y[1]]), "np.stack")
    raises(TypeError, lambda: Tensor([y, y]), "np.stack", line=line)
    buffer = np.zeros(2)
    with pytest.raises(TypeError, match=r"t\.data"):
        buffer[:] = y
    with pytest.raises((TypeError, ValueError)) as caught:
        buffer[0] = y[0]
    assert "t.item()" in str(caught.value) + str(caught.value.__cause__)
    assert np.array_equal(buffer, [0, 0])


@pytest.mark.parametrize("kind", [float, int, complex])
def test_conversion_to_a_number(kind):
    y, line = numbered(lambda: leaf(1.0, 2.0).sum())
    raises(TypeError, lambda: kind(y), f"{kind.__name__}()", "t.item()", "sum", line=line)


def test_conversion_of_a_leaf_names_where_it_was_made():
    x, line = numbered(lambda: Tensor([1.0, 2.0], requires_grad=True, name="W1"))
    raises(TypeError, lambda: np.asarray(x), "W1", line=line)


def test_constants_convert():
    c = Tensor([1.0, 2.0])
    assert np.array_equal(np.asarray(c), [1, 2]) and np.array_equal(np.array([c, c]), [[1, 2], [1, 2]])
    assert float(Tensor(2.0)) == 2.0 and int(Tensor(2)) == 2 and complex(Tensor(1j)) == 1j
    assert [10, 20, 30][Tensor(1)] == 20
    assert np.asarray(c, dtype=np.float32).dtype == np.float32


# ---- functions that the table does not have ----


def test_an_unknown_function():
    x = leaf()
    for call, name in ((lambda: np.nextafter(x, x), "np.nextafter"),):
        raises(NotDifferentiableError, call, name, "t.data", "register a rule")


def test_ufunc_methods():
    x = leaf()
    raises(NotDifferentiableError, lambda: np.nextafter.reduce(x), "np.nextafter")
    raises(NotDifferentiableError, lambda: np.add.reduce(x, out=np.zeros(())), "out=")
    raises(NotDifferentiableError, lambda: np.add.at(x, [0], 1.0), "in place", "x.copy()", "no_grad")
    raises(NotDifferentiableError, lambda: np.add.at(np.zeros(2), [0], x[0]), "np.add.at", "Tensor(np.zeros(shape))")


def test_out_and_where():
    x, out = leaf(), np.zeros(2)
    raises(NotDifferentiableError, lambda: np.add(x, 1, out=out), "out=", "t.data")
    raises(NotDifferentiableError, lambda: np.exp(x, where=[True, False]), "where=", "out=", "t.data")
    raises(NotDifferentiableError, lambda: np.sum(x, out=np.zeros(())), "out=")
    raises(NotDifferentiableError, lambda: np.add(np.ones(2), np.ones(2), out=x), "in place", "no_grad")

    def augmented():
        out.__iadd__(x)

    raises(NotDifferentiableError, augmented, "out=")
    assert np.array_equal(out, [0, 0])


def test_too_many_and_missing_arguments():
    x = leaf()
    raises(TypeError, lambda: ag.ops.elementwise.sigmoid(x, x), "sigmoid()", "takes 1")
    raises(TypeError, lambda: ag.ops.elementwise.sigmoid(), "sigmoid()", "'x'")


# ---- dtypes ----


def test_dtypes_that_a_tensor_does_not_hold():
    for wrong in (np.array([object()]), "text", np.array(["2020-01-01"], "M8[D]"), np.array([b"x"]), None, {}):
        raises(TypeError, lambda wrong=wrong: Tensor(wrong), "numbers", "dtype")
    raises(TypeError, lambda: Tensor(np.ma.array([1.0])), "MaskedArray", "np.asarray")
    raises(TypeError, lambda: Tensor(matrix([1.0])), "matrix", "np.asarray")


def test_only_floats_require_a_gradient():
    for wrong in ([1, 2], True, np.int8(3), np.array([False])):
        raises(TypeError, lambda wrong=wrong: Tensor(wrong, requires_grad=True), "astype(float)")
    t = Tensor([1, 2])
    with pytest.raises(TypeError, match="astype"):
        t.requires_grad = True


def test_operands_that_are_not_plain_arrays():
    x = leaf()
    for op in (np.add, np.multiply, np.matmul):
        raises(TypeError, lambda op=op: op(x, np.ma.array([1.0, 2.0])), "MaskedArray", "np.asarray")
        raises(TypeError, lambda op=op: op(np.ma.array([1.0, 2.0]), x), "MaskedArray", "np.asarray")
    raises(TypeError, lambda: x * matrix([1.0, 2.0]), "matrix", "np.asarray")
    raises(TypeError, lambda: matrix([1.0, 2.0]) * x, "matrix", "np.asarray")
    with pytest.raises(TypeError):
        x * "text"
    with pytest.raises(TypeError):
        x + None


# ---- assignment ----


def test_assignment_into_a_leaf():
    x, line = numbered(lambda: Tensor(np.array([1.0, 2.0]), requires_grad=True))

    def assign():
        x[0] = 1.0

    def through_a_view():
        view = x[:1]
        view += 1

    raises(NotDifferentiableError, assign, "x = x + ...", "x.copy()", "no_grad", line=line)
    raises(NotDifferentiableError, through_a_view, "in place", "no_grad", line=line)
    assert np.array_equal(x.data, [1, 2])


def test_assignment_of_a_recorded_tensor_into_integers():
    c, y = Tensor(np.zeros(2, int)), leaf()

    def assign():
        c[0] = y[0]

    raises(NotDifferentiableError, assign, "int64", "floats")
    with no_grad():
        c[0] = y[0]
    assert np.array_equal(c.data, [1, 0])


def test_assignment_through_a_view_that_is_not_recorded():
    h = leaf() * 2
    with no_grad():
        view = h[:1]

    def assign():
        view[0] = 1.0

    raises(NotDifferentiableError, assign, "make the view again", "no_grad")
    assert np.array_equal(h.data, [2, 4])


def test_requires_grad_of_a_result_cannot_be_set():
    y, line = numbered(lambda: leaf() * 2)

    def switch():
        y.requires_grad = False

    raises(RuntimeError, switch, "detach()", line=line)


# ---- backward ----


def test_backward_of_an_array_names_the_result():
    y, line = numbered(lambda: leaf() * 2)
    raises(ShapeError, y.backward, "grad=", "(2,)", "multiply", line=line)
    raises(ShapeError, lambda: y.backward(np.ones(3)), "(3,)", "(2,)", line=line)
    raises(TypeError, lambda: y.backward(np.ones(2) * 1j), "complex128", "float64", line=line)
    raises(TypeError, lambda: y.backward(np.array(["a", "b"])), "<U1", "float64", line=line)


def test_a_freed_graph_names_the_line():
    y, line = numbered(lambda: leaf() * 2)
    y.sum().backward()
    raises(GraphFreedError, y.sum().backward, "multiply", "retain_graph=True", line=line)
    raises(GraphFreedError, y.node.values, "multiply", line=line)


def test_each_error_is_also_a_builtin_one():
    assert issubclass(GraphFreedError, RuntimeError) and issubclass(SavedArrayChangedError, RuntimeError)
    assert issubclass(NotDifferentiableError, TypeError) and issubclass(ShapeError, ValueError)
    assert issubclass(ag.AnomalyError, FloatingPointError) and issubclass(ag.GradcheckError, AssertionError)


# ---- rules ----


def test_a_rule_of_the_wrong_shape():
    first = ag.general(lambda x: x * 2, lambda g: g[:1], name="first")
    y, line = numbered(lambda: first(leaf()))
    raises(ShapeError, y.sum().backward, "first", "(1,)", "(2,)", "input 0", line=line)


def test_a_rule_whose_shape_merely_broadcasts():
    """Only an op that broadcasts may leave the sum to the engine: for the others it hides a mistake."""
    wide = ag.general(lambda x: x * 2, lambda g: np.stack([g, g]), name="wide")
    y, line = numbered(lambda: wide(leaf()))
    raises(ShapeError, y.sum().backward, "wide", "(2, 2)", line=line)
    stretched = ag.linear(lambda x: x.sum(keepdims=True), lambda g: g, name="stretched")
    y, line = numbered(lambda: stretched(leaf()))
    raises(ShapeError, y.sum().backward, "stretched", "(1,)", "(2,)", line=line)
    partial = ag.elementwise(lambda x: x * 2, lambda x: np.ones((3, 2)), name="partial")
    y, line = numbered(lambda: partial(leaf()))
    raises(ShapeError, lambda: y.sum().backward(), "partial", "(3, 2)", line=line)


def test_a_missing_rule():
    scaled = ag.general(lambda x, scale: x * scale, lambda g, scale: g * scale, name="scaled")
    s = leaf(3.0, 4.0)
    raises(NotDifferentiableError, lambda: scaled(leaf(), s), "scaled", "'scale'", "t.data", "register a rule")
    y = scaled(leaf(), s.data)
    y.sum().backward()


def test_an_error_inside_a_rule_says_which_operation():
    def rule(g):
        raise ZeroDivisionError("in the rule")

    broken = ag.general(lambda x: x * 2, rule, name="broken")
    y, line = numbered(lambda: broken(leaf()))
    with pytest.raises(ZeroDivisionError, match="in the rule") as caught:
        y.sum().backward()
    (note,) = caught.value.__notes__
    assert "broken" in note and str(line) in HERE.findall(note)


def test_numpy_errors_pass_through():
    x = leaf()
    with pytest.raises(ValueError, match="broadcast"):
        x + np.ones(3)
    with pytest.raises(IndexError):
        x[5]
    with pytest.raises(ValueError, match="matmul"):
        x @ np.ones((3, 3))
    with pytest.raises(np.exceptions.AxisError):
        np.sum(x, axis=3)


# ---- gradients and transforms ----


def test_gradients_of_one_tensor_that_is_not_in_a_list():
    x = leaf()
    raises(TypeError, lambda: gradients(x.sum(), x), "list", "[x]")


def test_bad_argnums():
    f = ag.grad(lambda a, b: a * b, argnums=2)
    raises(TypeError, lambda: f(1.0, 2.0), "argnums=2", "2 positional")
    raises(TypeError, lambda: ag.grad(lambda a: a, argnums=(0, 1))(1.0), "argnums")
    raises(TypeError, lambda: ag.grad(lambda a: a, argnums="x")(1.0), "argnums", "'x'")
    raises(TypeError, lambda: ag.grad(lambda a: a, argnums=(0, 0))(1.0), "argnums")


def test_grad_of_an_array():
    message = raises(ShapeError, lambda: ag.grad(np.sin)(np.ones(3)), "(3,)", "jacobian()", "elementwise_grad()")
    assert message.startswith("grad()")
    raises(ShapeError, lambda: ag.hvp(np.sin)(np.ones(3), np.ones(3)), "scalar")


def test_arguments_that_have_no_derivative():
    for wrong in ("text", True, None, b"x"):
        raises(NotDifferentiableError, lambda wrong=wrong: ag.grad(lambda x: x)(wrong), repr(wrong), "argnums")
    raises(TypeError, lambda: ag.grad(np.sum)(np.arange(3)), "astype(float)")


def test_functions_that_return_the_wrong_thing():
    raises(TypeError, lambda: ag.grad(lambda x: (x, x))(1.0), "one array")
    raises(TypeError, lambda: ag.grad(lambda x: x, has_aux=True)(1.0), "(result, aux)")
    raises(ValueError, lambda: ag.jacobian(np.sin, mode="sideways"), "'sideways'")


def test_tangents_and_cotangents_that_do_not_fit():
    raises(ShapeError, lambda: ag.jvp(np.sin, np.ones(3), np.ones(2)), "tangent", "(2,)", "(3,)")
    raises(TypeError, lambda: ag.jvp(np.sin, np.ones(3), np.ones(3) * 1j), "tangent", "complex128")
    raises(TypeError, lambda: ag.jvp(np.sin, (1.0, 2.0), (1.0,)), "2 primals", "1 tangents")
    raises(TypeError, lambda: ag.jvp(np.sin, 1.0), "jvp(f, x, v)")
    _, pull = ag.vjp(np.sin, np.ones(3))
    raises(ShapeError, lambda: pull(np.ones(2)), "cotangent", "(2,)", "(3,)")
    raises(TypeError, lambda: pull(np.ones(3) * 1j), "cotangent", "complex128")
    _, pull = ag.vjp(lambda x: (x, x), np.ones(3))
    raises(TypeError, lambda: pull(np.ones(3)), "the structure of this tuple of 2")


# ---- attributes ----


def test_what_cannot_be_set():
    x = leaf()
    raises(RuntimeError, lambda: setattr(Tensor(1.0), "grad", 1.0), "requires_grad=True")
    raises(ValueError, lambda: setattr(x, "grad", np.ones(3)), "(2,)", "(3,)")
    raises(TypeError, lambda: setattr(x, "grad", np.ones(2) * 1j), "complex128", "float64")
    raises(TypeError, lambda: setattr(x, "name", 3), "str")
    raises(AttributeError, lambda: setattr(x, "shape", (2, 1)), "shape")


def test_a_gradient_that_is_set_takes_the_dtype_of_the_tensor():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    x.grad = np.array([1.0, 2.0])
    assert x.grad.dtype == np.float32
    x.sum().backward()
    assert x.grad.dtype == np.float32 and np.array_equal(x.grad, [2, 3])
    x.grad = None
    assert x.grad is None


def test_a_name_survives_a_change_of_requires_grad():
    x = Tensor([1.0], name="W1")
    x.requires_grad = True
    assert x.name == "W1" == x.node.name
    x.requires_grad = False
    assert x.name == "W1" and not x.requires_grad


def test_deep_copies_of_results():
    y, line = numbered(lambda: leaf() * 2)
    raises(RuntimeError, lambda: copy.deepcopy(y), "detach()", line=line)
    raises(RuntimeError, lambda: copy.deepcopy({"y": [y]}), "detach()", line=line)
    assert pickle.loads(pickle.dumps(y)).node is None


def test_an_anomaly_names_the_line():
    x = leaf(0.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        message = raises(ag.AnomalyError, lambda: np.log(x), "log", "-inf")
    assert HERE.search(message)


# ---- results that cannot be differentiated ----


@pytest.mark.parametrize("other", [np.array([1, 2], object), np.array([1, 2], "m8[s]")], ids=["object", "timedelta"])
def test_a_result_that_is_no_number_is_refused_by_backward(other):
    y, line = numbered(lambda: np.sum(leaf() * other))
    raises(TypeError, y.backward, str(other.dtype), line=line)
    z, line = numbered(lambda: (leaf() * other).astype(float).sum())
    raises(TypeError, z.backward, "multiply", line=line)


def test_a_result_of_integers_is_refused_by_backward():
    """A gradient of that dtype would be rounded."""
    s, line = numbered(lambda: np.sum(leaf(), dtype=int))
    raises(TypeError, lambda: (s * 0.5).backward(), "int", line=line)


def test_where_with_one_choice_raises_as_numpy_does():
    with pytest.raises(ValueError, match="two arrays"):
        np.where(leaf() > 1, leaf())
    with pytest.raises(ValueError, match="two arrays"):
        np.where(Tensor(np.ones(2, bool)), leaf())
