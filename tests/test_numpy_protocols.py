"""A Tensor among NumPy's own: mixed operators, methods, comparisons, copies, what stays a Tensor and what does not."""

import copy
import operator
import pickle
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, gradients, tensor

A = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]])
B = np.array([2.0, 0.5, -1.0])
NUMBERS = [2, 2.0, True, np.float64(2), np.float32(2), np.int8(2), np.array(2.0), 2 + 1j]


def leaf(value=A):
    return Tensor(np.array(value), requires_grad=True)


# ---- mixed operators ----


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "mod", "floordiv"])
def test_operators_with_arrays_on_either_side_record(name):
    op = getattr(operator, name)
    x = leaf()
    for left, right in ((x, B), (B, x), (x, leaf(B)), (leaf(B), x)):
        y = op(left, right)
        true = op(*(v.data if isinstance(v, Tensor) else v for v in (left, right)))
        assert isinstance(y, Tensor) and y.requires_grad and np.array_equal(y.data, true)
        (g,) = gradients(y.sum(), [x])
        assert g.shape == A.shape


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{type(n).__name__} {n}")
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_operators_with_numbers_on_either_side_record_and_promote_as_numpy_does(name, number):
    op = getattr(operator, name)
    for dtype in (np.float32, np.float64):
        a = np.abs(A).astype(dtype)
        x = leaf(a)
        for y, true in ((op(x, number), op(a, number)), (op(number, x), op(number, a))):
            assert isinstance(y, Tensor) and y.requires_grad
            assert y.dtype == true.dtype and np.array_equal(y.data, true)
            y.sum().backward(np.ones((), y.dtype))
        assert x.grad.dtype == dtype


def test_matmul_on_either_side():
    x, b = leaf(), B
    assert np.array_equal((x @ b).data, A @ b) and (x @ b).requires_grad
    y = A.T @ x
    assert isinstance(y, Tensor) and y.requires_grad and np.array_equal(y.data, A.T @ A)
    assert isinstance(b @ x.T, Tensor)
    with pytest.raises(ValueError):
        x @ 2.0


def test_unary_operators():
    x = leaf()
    for op in (operator.neg, operator.pos, operator.abs):
        y = op(x)
        assert y.requires_grad and np.array_equal(y.data, op(A))
    assert (+x) is not x


def test_lists_and_tuples_as_operands():
    x = leaf()
    for values in ([1.0, 2.0, 3.0], (1, 2, 3)):
        assert np.array_equal((x + values).data, A + values) and np.array_equal((values - x).data, values - A)


def test_float_warnings_are_those_of_numpy():
    x = Tensor(0.0, requires_grad=True)
    for f in (lambda v: 1 / v, np.log, lambda v: v / 0.0, lambda v: v**-1.0):
        with pytest.warns(RuntimeWarning):
            f(x)
        with pytest.warns(RuntimeWarning):
            f(leaf([0.0]))
        with np.errstate(all="ignore"):
            f(x)


def test_an_unknown_operand_gets_its_turn():
    class Reflects:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    assert leaf() + Reflects() == "mine"


def test_operands_that_are_no_numbers_are_refused():
    for other in (Fraction(1, 2), Decimal(1), None, "text", {}, object(), [object()]):
        with pytest.raises(TypeError, match="expected numbers"):
            leaf() * other
        with pytest.raises(TypeError, match="expected numbers"):
            other - leaf()


# ---- numbers ----


def test_results_without_axes_stay_tensors():
    x = Tensor(3.0, requires_grad=True)
    for y in (
        x * 2,
        2 * x,
        x + x,
        -x,
        np.sin(x),
        x**2,
        leaf().sum(),
        np.mean(leaf()),
        leaf()[0, 0],
        leaf(B) @ B,
        x.reshape(()),
    ):
        assert isinstance(y, Tensor) and y.shape == () and y.ndim == 0 and y.size == 1
        assert isinstance(y.data, np.ndarray) and isinstance(y.item(), float)
    assert not isinstance(x.item(), np.generic)


def test_numbers_keep_their_dtype():
    x = Tensor(np.float32(3), requires_grad=True)
    for y in (x * 2.5, 2.5 * x, x / 3, 1 / x, x**2, 2**x, np.exp(x), np.sqrt(x), x + True, np.maximum(x, 0.5)):
        assert y.dtype == np.float32, y.node.op
        y.backward()
    assert x.grad.dtype == np.float32


def test_a_constant_number():
    c = Tensor(3.0)
    assert c.shape == () and (c * 2).item() == 6.0 and float(c) == 3.0 and not c.requires_grad


# ---- comparisons and searches give plain arrays ----


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_comparisons(name):
    op = getattr(operator, name)
    x = leaf()
    for other, plain in ((0.5, 0.5), (B, B), (leaf(B), B), (x, A)):
        y = op(x, other)
        assert type(y) is np.ndarray and y.dtype == bool and np.array_equal(y, op(A, plain))
    y = op(B, x)
    assert type(y) is np.ndarray and np.array_equal(y, op(B, A))
    assert isinstance(op(np.float64(2), x), np.ndarray) and isinstance(op(2, x), np.ndarray)
    assert op(Tensor(1.0), 2.0) in (True, False)


def test_searches_and_questions():
    x = leaf()
    for f in (np.argmax, np.argmin, np.any, np.all, np.ndim, np.size, np.shape, np.count_nonzero):
        assert f(x) == f(A) and not isinstance(f(x), Tensor)
    for f in (np.argsort, np.isnan, np.isfinite, np.isinf, np.signbit, np.argwhere, np.zeros_like, np.ones_like):
        assert type(f(x)) is np.ndarray and np.array_equal(f(x), f(A))
    assert np.array_equal(x.argmax(axis=1), A.argmax(axis=1)) and type(x.argsort()) is np.ndarray
    assert np.allclose(x, A) and np.array_equal(A, x) and np.isclose(x, A).all()
    assert np.result_type(x, np.float32(1)) == np.float64
    assert all(np.array_equal(a, b) for a, b in zip(np.nonzero(x > 0), np.nonzero(A > 0), strict=True))


def test_a_comparison_as_a_mask():
    x = leaf()
    y = np.sum(x[x > 0] ** 2) + np.sum(np.where(x > 0, x, 0))
    y.backward()
    assert np.array_equal(x.grad, np.where(A > 0, 2 * A + 1, 0))


# ---- methods and attributes are those of ndarray ----

METHODS = {
    "sum": [(), (0,), {"axis": 1, "keepdims": True}],
    "mean": [(), (0,), {"axis": (0, 1)}],
    "prod": [(), (1,)],
    "max": [(), (0,)],
    "min": [(), {"axis": 1, "keepdims": True}],
    "var": [(), (0,), {"ddof": 1}],
    "std": [(), (0,)],
    "cumsum": [(), (1,)],
    "cumprod": [(), (0,)],
    "reshape": [(3, 2), ((3, 2),), (-1,), (2, -1, 1)],
    "transpose": [(), (1, 0), ((1, 0),)],
    "swapaxes": [(0, 1)],
    "squeeze": [()],
    "repeat": [(2,), (2, 1)],
    "ravel": [()],
    "flatten": [()],
    "round": [(), (1,)],
    "clip": [(-1, 1), {"min": 0}],
    "dot": [(B,)],
    "trace": [()],
    "diagonal": [()],
    "astype": [(np.float32,), (np.complex128,)],
    "copy": [()],
    "conj": [()],
}
CALLS = [(name, call) for name, calls in METHODS.items() for call in calls]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{name}{call}" for name, call in CALLS])
def test_methods_equal_those_of_ndarray(name, call):
    x = leaf()
    args, kwargs = ((), call) if isinstance(call, dict) else (call, {})
    y, true = getattr(x, name)(*args, **kwargs), getattr(A, name)(*args, **kwargs)
    assert isinstance(y, Tensor) and y.requires_grad
    assert y.shape == np.shape(true) and y.dtype == true.dtype and np.allclose(y.data, true)


def test_attributes_equal_those_of_ndarray():
    z = A + 1j * A[::-1]
    x, c = leaf(), leaf(z)
    for name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize"):
        assert getattr(x, name) == getattr(A, name)
    for t, a in ((x, A), (c, z)):
        for name in ("T", "mT", "real", "imag"):
            y = getattr(t, name)
            assert (
                isinstance(y, Tensor) and y.dtype == getattr(a, name).dtype and np.array_equal(y.data, getattr(a, name))
            )
    assert x.tolist() == A.tolist() and x.numpy() is x.data
    assert Tensor(2.5).item() == 2.5


def test_an_attribute_that_does_not_exist():
    with pytest.raises(AttributeError, match="no_such"):
        leaf().no_such  # noqa: B018
    with pytest.raises(AttributeError):
        leaf().no_such = 1


def test_integer_and_boolean_casts_leave_the_graph():
    assert not leaf().astype(int).requires_grad and leaf().astype(int).dtype == int


# ---- protocols of Python ----


def test_hash_is_identity():
    x, twin = leaf(), leaf()
    assert hash(x) == hash(x) and len({x, twin, x}) == 2 and {x: 1}[x] == 1


def test_len_and_iteration():
    x = leaf()
    assert len(x) == 2
    rows = list(x)
    assert all(isinstance(row, Tensor) and row.requires_grad for row in rows)
    first, second = x
    np.sum(first * 2 + second * 3).backward()
    assert np.array_equal(x.grad, [[2, 2, 2], [3, 3, 3]])
    with pytest.raises(TypeError, match="0-d"):
        iter(Tensor(1.0))
    with pytest.raises(TypeError):
        len(Tensor(1.0))


def test_truth():
    assert Tensor(1.0) and not Tensor(0.0) and bool(Tensor(2.0, requires_grad=True))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf())


def test_membership():
    assert 4.0 in leaf() and 7.0 not in leaf()


def test_sum_of_python_and_sorted_and_max():
    x = leaf(B)
    assert sum(x).item() == B.sum() and max(x).item() == 2.0 and [t.item() for t in sorted(x)] == sorted(B)


def test_format_and_repr():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(Tensor(np.float32(1.5))) == "Tensor(1.5, dtype=float32)"
    assert repr(leaf(B)) == "Tensor([ 2. ,  0.5, -1. ], requires_grad=True)"
    assert repr(leaf(B) * 2) == "Tensor([ 4.,  1., -2.], op=multiply)"
    assert repr(Tensor(3.0, requires_grad=True)) == "Tensor(3., requires_grad=True)"
    assert str(Tensor([1, 2])) == "Tensor([1, 2])"
    assert repr(leaf(np.zeros((2, 0)))).startswith("Tensor([]")
    assert "\n" in repr(leaf()) and len(repr(leaf(np.zeros((1000, 1000))))) < 1000
    assert "multiply" in repr((leaf(B) * 2).node)


def test_a_number_formats_as_a_number():
    loss = Tensor(0.12345, requires_grad=True) * 1
    assert f"{loss:.3f} {Tensor(1.5):6.2f}" == "0.123   1.50"
    assert f"{loss}" == str(loss)
    with pytest.raises(TypeError):
        f"{leaf():.3f}"


def test_a_float_is_no_index():
    for t in (Tensor(2.0), Tensor(2.0, requires_grad=True)):
        with pytest.raises(TypeError, match="integer"):
            range(t)
    assert list(range(Tensor(2))) == [0, 1]
    with pytest.raises(TypeError):
        range(Tensor([1, 2]))


# ---- wrapping, copying, storing ----


def test_tensor_wraps_and_the_function_copies():
    a = A.copy()
    assert Tensor(a).data is a and Tensor(a, requires_grad=True).data is a
    assert not np.shares_memory(tensor(a).data, a)
    assert tensor([1, 2]).dtype == int and tensor(2.0, requires_grad=True, name="w").name == "w"
    assert not np.shares_memory(tensor(Tensor(a)).data, a)


def test_detach_shares_memory_and_drops_the_graph():
    x = leaf()
    d = (x * 1).detach()
    assert not d.requires_grad and d.is_leaf
    assert x.detach().data is x.data


def test_copies_and_pickles_of_leaves():
    x = Tensor(A.copy(), requires_grad=True, name="W1")
    x.sum().backward()
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other is not x and other.requires_grad and other.is_leaf and other.name == "W1"
        assert np.array_equal(other.data, A) and not np.shares_memory(other.data, x.data)
        assert other.dtype == x.dtype
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]


def test_copies_and_pickles_of_results_drop_the_graph():
    y = leaf() * 2
    for other in (copy.copy(y), pickle.loads(pickle.dumps(y))):
        assert not other.requires_grad and np.array_equal(other.data, 2 * A)
    with pytest.raises(RuntimeError, match="detach"):
        copy.deepcopy(y)
    assert copy.deepcopy(y.detach()).node is None


def test_big_endian_and_read_only_arrays():
    a = A.astype(">f8")
    a.flags.writeable = False
    x = Tensor(a, requires_grad=True)
    np.sum(x * x).backward()
    assert np.array_equal(x.grad, 2 * A) and x.grad.dtype == a.dtype


def test_indexing_by_a_tensor_and_of_a_plain_array():
    x = leaf(B)
    assert np.array_equal(x[Tensor([2, 0])].data, B[[2, 0]])
    assert B[Tensor(1)] == 0.5


# ---- other array types ----


def test_masked_arrays_are_refused_on_either_side():
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    x = leaf(B)
    for op in (operator.add, operator.mul, operator.sub, operator.truediv):
        with pytest.raises(TypeError, match="MaskedArray"):
            op(x, masked)
        with pytest.raises(TypeError, match=r"MaskedArray|t\.data"):
            op(masked, x)


def test_matrices_are_refused_on_either_side():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[1.0, 2.0, 3.0]])
    x = leaf()
    for call in (lambda: x * matrix, lambda: matrix + x, lambda: matrix @ x.T, lambda: np.multiply(matrix, x)):
        with pytest.raises(TypeError, match="matrix"):
            call()


def test_an_unknown_function_of_numpy_is_refused_and_not_computed():
    with pytest.raises(NotDifferentiableError):
        np.histogram2d(leaf(B), leaf(B))


def test_numpy_functions_with_containers_of_tensors():
    x = leaf(B)
    for y, true in (
        (np.concatenate([x, B]), np.concatenate([B, B])),
        (np.stack((B, x)), np.stack((B, B))),
        (np.where([True, False, True], x, 0), np.where([True, False, True], B, 0)),
    ):
        assert isinstance(y, Tensor) and y.requires_grad and np.array_equal(y.data, true)
