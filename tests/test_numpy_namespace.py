"""autograd.numpy is NumPy's namespace: the same names, NumPy's own objects, and arrays that are built from Tensors."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy
import pytest

import autograd.numpy as np
from autograd import Tensor, grad, gradcheck, jacobian
from autograd.numpy import creation

ROOT = Path(__file__).parent.parent
X = numpy.array([0.3, -0.7, 1.1])
A = numpy.arange(1.0, 7.0).reshape(2, 3)

SUBMODULES = ("linalg", "fft", "random")


# ---- names ----


def test_every_name_is_there():
    for module, own in ((numpy, np), *((getattr(numpy, m), getattr(np, m)) for m in SUBMODULES)):
        missing = [name for name in module.__all__ if not hasattr(own, name)]
        assert not missing
    assert np.__version__ == numpy.__version__ and set(dir(numpy)) <= set(dir(np))
    with pytest.raises(AttributeError):
        np.no_such_function  # noqa: B018


def test_what_dispatches_is_numpys_own():
    different = {n for n in numpy.__all__ if getattr(np, n) is not getattr(numpy, n)}
    assert different <= {*creation.__all__, *SUBMODULES}
    assert {n for n in numpy.linalg.__all__ if getattr(np.linalg, n) is not getattr(numpy.linalg, n)} == {"norm"}
    assert numpy.concat is numpy.concatenate and np.concat is np.concatenate


@pytest.mark.parametrize("name", ["numpy", "numpy.linalg", "numpy.fft", "numpy.random", "extend", "misc", "test_util"])
def test_modules_come_when_they_are_asked_for(name):
    code = (
        f"import sys, autograd; had = 'autograd.{name}' in sys.modules; "
        f"module = autograd.{name}; print(had, module.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.split() == ["False", f"autograd.{name}"]


COMPATIBILITY = ("numpy", "scipy", "misc", "extend", "core", "tracer", "builtins", "test_util", "util", "wrap_util",
                 "differential_operators")  # fmt: skip


def test_the_engine_loads_none_of_it():
    code = "import sys, autograd, nn, viz; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {m for m in run.stdout.split() if m.startswith("autograd.")}
    assert not [m for m in loaded if m.split(".")[1] in COMPATIBILITY]


# ---- arrays from Tensors ----


def scalars(f):
    """f of a list of three Tensors as a function of one array."""
    return lambda x: f([x[0], x[1], x[2]])


BUILDERS = {
    "array": lambda t: np.array(t),
    "array of numbers too": lambda t: np.array([1.0, t[0], 2, t[1] * t[2]]),
    "nested": lambda t: np.array([[t[0], t[1]], [t[2], 4.0]]),
    "nested with arrays": lambda t: np.array([t[0] * X, X]),
    "tuples": lambda t: np.array(((t[0],), (t[1],))),
    "ndmin": lambda t: np.array(t, ndmin=3),
    "dtype": lambda t: np.array([1, t[0]], dtype=float),
    "asarray": lambda t: np.asarray(t),
    "asanyarray": lambda t: np.asanyarray([t[0], 1.0]),
    "ascontiguousarray": lambda t: np.ascontiguousarray([t, t]),
    "asfortranarray": lambda t: np.asfortranarray([t, t]),
    "asarray_chkfinite": lambda t: np.asarray_chkfinite(t),
    "full": lambda t: np.full((2, 3), t[0] * t[1]),
    "full of rows": lambda t: np.full((2, 3), t),
    "full_like": lambda t: np.full_like(A, t[0]),
    "full_like, another shape": lambda t: np.full_like(A, t[1], shape=(4,)),
    "arange": lambda t: np.arange(t[0], t[0] + 3),
    "arange, step": lambda t: np.arange(t[0], t[0] + 3 * t[2], t[2]),
    "arange, keywords": lambda t: np.arange(t[0], t[0] + 3, step=2),
    "concatenate": lambda t: np.concatenate([[t[0], t[1]], X, [t[2]]]),
    "concat": lambda t: np.concat(([t[0]], [1.0])),
    "stack": lambda t: np.stack([t[0], t[1] ** 2]),
    "stack of lists": lambda t: np.stack([t, [1.0, t[0], 2.0]], axis=1),
    "mean": lambda t: np.mean(t),
    "std": lambda t: np.std(t),
    "sum": lambda t: np.sum(t),
    "sum of rows": lambda t: np.sum([[t[0], t[1]], [t[2], 2.0]], axis=0),
    "prod": lambda t: np.prod(t),
    "max": lambda t: np.max(t),
    "min": lambda t: np.amin(t),
    "var": lambda t: np.var(t, ddof=1),
    "norm": lambda t: np.linalg.norm(t),
    "vectorize": lambda t: np.vectorize(lambda a, b: np.sin(a) * b)(np.array(t), 2.0),
    "vectorize, two results": lambda t: sum(np.vectorize(lambda a: (a, a * a))(np.array([t, t]))),
    "r_": lambda t: np.r_[t[0], np.array(t), 1.0, 2:4],
    "r_ of rows": lambda t: np.r_[np.array([t]), A],
    "r_ with a directive": lambda t: np.r_["0,2", np.array(t), X],
    "r_ with places": lambda t: np.r_["1,2,0", np.array(t), X],
    "c_": lambda t: np.c_[np.array(t), X],
    "c_ of matrices": lambda t: np.c_[A, np.array([t, t])],
    "make_diagonal": lambda t: np.make_diagonal(np.array([t, t]), axis1=-1, axis2=-2),
    "array of itself": lambda t: np.array(np.array(t)),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_builders(name):
    f = BUILDERS[name]
    plain, y = f([*X]), f([Tensor(v, requires_grad=True) for v in X])
    assert type(plain) in (numpy.ndarray, numpy.float64)
    assert isinstance(y, Tensor) and y.node is not None
    assert (y.shape, y.dtype) == (plain.shape, plain.dtype)
    numpy.testing.assert_allclose(y.data, plain, rtol=1e-15)
    gradcheck(scalars(f), X)


@pytest.mark.parametrize(
    "directive", ["0", "-1", "1", "0,2", "1,2", "0,3", "0,2,0", "0,3,1", "0,3,2", "0,3,-2", "r", "c"]
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_directives_of_r_(directive, shape):
    warnings.simplefilter("ignore", PendingDeprecationWarning)  # np.matrix, which "r" and "c" ask for
    a = numpy.ones(shape)
    try:
        expected = numpy.asarray(numpy.r_[directive, a, 2 * a])
    except ValueError:
        with pytest.raises(ValueError):
            np.r_[directive, Tensor(a, requires_grad=True), a]
        return
    y = np.r_[directive, Tensor(a, requires_grad=True), 2 * a]
    numpy.testing.assert_array_equal(y.data, expected)


JOINERS = {
    "vstack": lambda t: np.vstack([t, X]),
    "vstack of numbers": lambda t: np.vstack([t[0], 1.0]),
    "hstack": lambda t: np.hstack([t, [1.0]]),
    "dstack": lambda t: np.dstack([t, X]),
    "column_stack": lambda t: np.column_stack([t, X]),
    "append": lambda t: np.append(t, [1.0]),
    "append to numbers": lambda t: np.append(X, t[0]),
    "select": lambda t: np.select([X > 0, X < -1], [t, [1.0, t[0], 2.0]], 7.0),
    "linspace": lambda t: np.linspace(t[0], t[1] * t[2], 4),
    "logspace": lambda t: np.logspace(t[0], t[1], 3),
    "geomspace": lambda t: np.geomspace(t[0] ** 2, t[1] ** 2, 3),
}


@pytest.mark.parametrize("name", JOINERS)
def test_joiners(name):
    test = JOINERS[name]
    x = Tensor(X, requires_grad=True)
    numpy.testing.assert_allclose(test([x[0], x[1], x[2]]).data, test([*X]), rtol=1e-14)
    gradcheck(scalars(test), X)


def test_plain_input_gives_numpys_result_and_numpys_errors():
    assert np.array([1, 2], dtype="f4").dtype == numpy.float32
    assert np.array([[1, 2]], ndmin=3, copy=None, order="F").shape == (1, 1, 2)
    assert np.array(["a"]).dtype.kind == "U" and np.array([None], dtype=object)[0] is None
    a = numpy.ones(3)
    assert np.asarray(a) is a and np.array(a) is not a
    for wrong in (lambda: np.array([[1, 2], [3]]), lambda: np.stack([]), lambda: np.asarray_chkfinite([numpy.nan])):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        np.array([1, {}], dtype=float)
    assert numpy.array_equal(np.r_[1:3, 5], [1, 2, 5]) and np.c_[[1, 2]].shape == (2, 1)
    assert numpy.array_equal(np.vectorize(lambda x: x + 1)([1, 2]), [2, 3])
    assert np.full(2, 3).dtype == int and np.arange(3).dtype == int


def test_wrong_arguments_of_builders():
    t = Tensor(X, requires_grad=True)
    for wrong in (
        lambda: np.array([t, t[:2]]),
        lambda: np.asarray_chkfinite(t * numpy.nan),
        lambda: np.array([t, 1.0]),
        lambda: np.full((2, 2), t),
    ):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        np.vectorize(lambda a: a, signature="(n)->(n)")(t)
    with pytest.raises(NotImplementedError):
        np.make_diagonal(t)


def test_array_copies_and_asarray_does_not():
    t = Tensor(X, requires_grad=True)
    assert np.asarray(t) is t and np.array(t, copy=False) is t
    assert np.array(t) is not t
    assert np.array(t, dtype=numpy.float32).dtype == numpy.float32
    assert np.full((2,), t[0], dtype=numpy.float32).dtype == numpy.float32
    assert np.isscalar(t[0]) and not np.isscalar(t)


def test_whole_numbers_have_no_gradient_to_lose():
    t = Tensor(X * 10, requires_grad=True)
    assert numpy.array_equal(np.int64(t), [3, -7, 11])
    assert numpy.array_equal(numpy.asarray(t, dtype=bool), [True] * 3)
    with pytest.raises(TypeError):
        numpy.asarray(t)


def test_programs():
    """As programs write it: numpy and everything else from one name."""

    def f(x):
        rotation = np.array([[np.cos(x), -np.sin(x)], [np.sin(x), np.cos(x)]])
        return np.dot(rotation, np.array([1.0, 2.0]))

    assert numpy.allclose(jacobian(f)(0.3), [-np.sin(0.3) - 2 * np.cos(0.3), np.cos(0.3) - 2 * np.sin(0.3)])
    g = grad(lambda x: np.sum(np.array([grad(lambda y: y**3 * x)(x), x])))
    assert np.isclose(g(2.0), 9 * 4 + 1)


def test_the_array_of_a_box():
    """Without any other module loaded than autograd.numpy."""
    code = "import autograd.numpy as np, autograd; print(autograd.grad(lambda x: x * (x + x._value))(2.0))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "6.0"


# ---- the array API ----


def test_array_namespace():
    t = Tensor(A, requires_grad=True)
    xp = t.__array_namespace__()
    assert xp is np and t.__array_namespace__(api_version=np.__array_api_version__) is np
    with pytest.raises(ValueError):
        t.__array_namespace__(api_version="1999.01")
    y = xp.sum(xp.pow(xp.abs(xp.permute_dims(t, (1, 0))), 2.0)) + xp.sum(xp.concat([t, xp.asarray([[1.0, 2.0, 3.0]])]))
    y.backward()
    assert numpy.allclose(t.grad, 2 * A + 1)
