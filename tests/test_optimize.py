"""autograd.optimize: SciPy's methods on containers of arrays, with the derivatives handed over."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra scipy is not installed")

import scipy.optimize

from autograd import NotDifferentiableError, ShapeError, Tensor, optimize

ROOT = Path(__file__).parent.parent
METHODS = [
    None, "Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "SLSQP", "trust-constr",
    "dogleg", "trust-ncg", "trust-krylov", "trust-exact",
]  # fmt: skip


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def bowl(x):
    """A smooth convex function of a dict: its minimum is at a = 1, 2, 3 and b = -1."""
    return np.sum((x["a"] - np.array([1.0, 2.0, 3.0])) ** 2) + np.sum((x["b"] + 1) ** 4 + (x["b"] + 1) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_a_container(method):
    found = optimize.minimize(bowl, {"a": np.ones(3), "b": np.ones((1, 2))}, method=method)
    assert isinstance(found, scipy.optimize.OptimizeResult)
    np.testing.assert_allclose(found.x["a"], [1, 2, 3], atol=1e-2)
    np.testing.assert_allclose(found.x["b"], [[-1, -1]], atol=1e-2)
    assert found.x["b"].shape == (1, 2)


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-exact"])
def test_exact_derivatives_save_evaluations(method):
    x0 = np.array([-1.2, 1.0, 0.7])
    ours = optimize.minimize(rosenbrock, x0, method=method)
    np.testing.assert_allclose(ours.x, 1, atol=1e-4)
    theirs = scipy.optimize.minimize(
        rosenbrock,
        x0,
        method=method,
        jac=scipy.optimize.rosen_der,
        hess=None if method == "BFGS" else scipy.optimize.rosen_hess,
    )
    assert ours.nit == pytest.approx(theirs.nit, abs=2)


@dataclass
class Model:
    w: object
    b: object


def test_a_dataclass_and_float32_data():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)).astype(np.float32), rng.normal(size=50).astype(np.float32)

    def loss(model, x, y):
        seen.add(model.w.dtype)
        return np.mean((x @ model.w + model.b - y) ** 2)

    seen = set()
    found = optimize.minimize(loss, Model(np.zeros(3, np.float32), np.float32(0)), (x, y), method="L-BFGS-B")
    expected = np.linalg.lstsq(np.c_[x, np.ones(50)], y, rcond=None)[0]
    np.testing.assert_allclose([*found.x.w, found.x.b], expected, atol=1e-3)
    assert seen == {np.dtype(np.float32)} == {found.x.w.dtype}


def test_scalars_lists_tuples_and_one_argument():
    assert optimize.minimize(lambda x, a: (x - a) ** 2, 0.0, 3.0).x == pytest.approx(3)
    x, (y,) = optimize.minimize(lambda t: (t[0] - 1) ** 2 + (t[1][0] - 2.0) ** 2, (0.0, [0.0])).x
    assert (float(x), float(y)) == (pytest.approx(1), pytest.approx(2))
    assert optimize.minimize(lambda x: np.sum((x - 1) ** 2, keepdims=True), np.zeros(2)).x == pytest.approx([1, 1])


def test_bounds_in_the_structure():
    found = optimize.minimize(
        bowl, {"a": np.zeros(3), "b": np.zeros(1)}, bounds={"a": (None, np.array([0.5, 9, 2])), "b": (0, 1)}
    )
    np.testing.assert_allclose(found.x["a"], [0.5, 2, 2], atol=1e-5)
    np.testing.assert_allclose(found.x["b"], [0], atol=1e-5)
    free = optimize.minimize(bowl, {"a": np.zeros(3), "b": np.zeros(1)}, bounds={"b": (0, None)})
    np.testing.assert_allclose(free.x["a"], [1, 2, 3], atol=1e-4)
    pairs = optimize.minimize(lambda x: np.sum((x - 2) ** 2), np.zeros(2), bounds=[(0, 1), (None, None)])
    np.testing.assert_allclose(pairs.x, [1, 2], atol=1e-5)
    nested = optimize.minimize(
        lambda x: np.sum((x[0] - 2) ** 2) + np.sum((x[1].w - 2) ** 2) + x[1].b ** 2,
        [np.zeros(2), Model(np.zeros(1), 1.0)],
        bounds=[None, Model((0, 1), (0.5, None))],
    )
    assert (nested.x[1].w[0], nested.x[1].b) == (pytest.approx(1), pytest.approx(0.5))
    with pytest.raises(KeyError, match="c"):
        optimize.minimize(bowl, {"a": np.zeros(3), "b": np.zeros(1)}, bounds={"c": (0, 1)})
    with pytest.raises(ValueError, match="2 bounds for 1"):
        optimize.minimize(lambda x: np.sum(x[0] ** 2), [np.zeros(3)], bounds=[None, None])


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_take_the_container(method):
    found = optimize.minimize(
        lambda x: (x["u"] - 2) ** 2 + (x["v"] - 2) ** 2,
        {"u": 0.8, "v": 0.5},
        method=method,
        constraints=[{"type": "eq", "fun": lambda x, c: x["u"] ** 2 + x["v"] ** 2 - c, "args": (2.0,)}],
    )
    assert (float(found.x["u"]), float(found.x["v"])) == (pytest.approx(1, abs=1e-4), pytest.approx(1, abs=1e-4))


def test_callback_sees_the_container():
    seen = []
    optimize.minimize(bowl, {"a": np.zeros(3), "b": np.zeros(1)}, callback=lambda x: seen.append(x["a"].shape))
    assert set(seen) == {(3,)}


def test_root_and_least_squares():
    found = optimize.root(lambda x: {"p": x["u"] ** 2 - 2, "q": x["v"] * x["u"] - 1}, {"u": 1.0, "v": np.ones(2)})
    assert found.success
    np.testing.assert_allclose(found.x["v"], 2**-0.5)
    assert optimize.root(lambda x: np.cos(x) - x, 1.0, method="broyden1").x == pytest.approx(0.739085, abs=1e-4)

    t = np.linspace(0, 1, 20)
    y = 2 * np.exp(-1.3 * t)
    fit = optimize.least_squares(lambda x, t: x["a"] * np.exp(-x["k"] * t) - y, {"a": 1.0, "k": 1.0}, (t,))
    assert (float(fit.x["a"]), float(fit.x["k"])) == (pytest.approx(2), pytest.approx(1.3))
    bounded = optimize.least_squares(
        lambda x: x["a"] * np.exp(-x["k"] * t) - y, {"a": 1.0, "k": 0.5}, bounds={"k": (None, 1.0)}
    )
    assert bounded.x["k"] == pytest.approx(1)
    assert optimize.least_squares(lambda x: x - 3, np.full(2, 0.5), bounds=(0, 1)).x == pytest.approx([1, 1])


def test_what_goes_wrong_is_said():
    for method in (None, "Nelder-Mead"):
        with pytest.raises(ShapeError, match="one number"):
            optimize.minimize(lambda x: x**2, np.zeros(3), method=method)
    with pytest.raises(ShapeError, match="one number, not a list"):
        optimize.minimize(lambda x: [np.sum(x)], np.zeros(3))
    with pytest.raises(TypeError, match="jac="):
        optimize.minimize(rosenbrock, np.zeros(3), jac=True)
    with pytest.raises(TypeError, match="real"):
        optimize.minimize(lambda x: np.abs(x) ** 2, 1j)
    with pytest.raises(NotDifferentiableError):
        optimize.minimize(lambda x: np.sum(np.nextafter(x, 1.0)), np.zeros(3))


@pytest.mark.parametrize("method", ["BFGS", "Nelder-Mead"])
def test_a_recorded_parameter_is_referred_to_implicit(method):
    p = Tensor(2.0, requires_grad=True)
    with pytest.raises(NotDifferentiableError, match=r"implicit\.minimize"):
        optimize.minimize(lambda x, p: (x - p) ** 2, 0.0, p, method=method)
    with pytest.raises(NotDifferentiableError, match=r"implicit\.minimize"):
        optimize.minimize(lambda x: (x - p) ** 2, 0.0, method=method)
    with pytest.raises(NotDifferentiableError, match=r"implicit\.root"):
        optimize.root(lambda x, p: x - p, 0.0, p)


def test_it_is_loaded_when_first_used():
    code = (
        "import sys, autograd; assert 'scipy' not in sys.modules; "
        "print(autograd.optimize.minimize(lambda x: (x - 2.0) ** 2, 0.0).success, autograd.scipy.special.erf(0.0))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.split() == ["True", "0.0"]


def test_without_scipy_the_extra_is_named():
    code = "import sys; sys.modules['scipy'] = sys.modules['scipy.optimize'] = None\n{}"
    for line in (
        "import autograd.optimize",
        "import autograd; autograd.optimize",
        "import autograd.scipy",
        "import autograd.scipy.special",
    ):
        run = subprocess.run([sys.executable, "-c", code.format(line)], capture_output=True, text=True, cwd=ROOT)
        assert "pip install seegrad[scipy]" in run.stderr.splitlines()[-1]
