"""viz.check: three gradients side by side. Right ones are called right, planted bugs by their name, noise by none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nn
import viz
from autograd import Tensor, elementwise, numerical_gradient
from autograd.extend import defvjp, primitive
from viz.study.agreement import beside
from viz.study.diagnosis import Case, diagnose

SIZES = st.integers(2, 6)


def leaf(array, name):
    return Tensor(np.array(array, float), requires_grad=True, name=name)


class Net:
    """The book's two-layer net (K. Saito, chapter 5) by hand, with a switch for each mistake one can make in it."""

    def __init__(self, rng, n=5, sizes=(4, 3, 2), activation="sigmoid", dtype=float):
        a, b, c = sizes
        self.x = rng.normal(size=(n, a)).astype(dtype)
        self.t = np.eye(c)[rng.integers(0, c, n)].astype(dtype)
        draw = {"W1": (a, b), "b1": (b,), "W2": (b, c), "b2": (c,)}
        self.params = {name: rng.normal(size=shape).astype(dtype) for name, shape in draw.items()}
        self.activation = activation

    def loss(self):
        p = {name: Tensor(value, requires_grad=True, name=name) for name, value in self.params.items()}
        act = {"sigmoid": nn.sigmoid, "relu": nn.relu}[self.activation]
        h = act(self.x @ p["W1"] + p["b1"])
        h.name = "h"
        return nn.softmax_cross_entropy(h @ p["W2"] + p["b2"], self.t)

    def gradient(self, bug=""):
        p, n = self.params, len(self.x)
        a = self.x @ p["W1"] + p["b1"]
        h = 1 / (1 + np.exp(-a)) if self.activation == "sigmoid" else np.maximum(a, 0)
        s = h @ p["W2"] + p["b2"]
        y = np.exp(s - s.max(1, keepdims=True))
        y /= y.sum(1, keepdims=True)
        ds = (y - self.t) if bug == "missing 1/N" else (y - self.t) / n
        dh = ds @ p["W2"].T
        da = dh * h * (1 - h) if self.activation == "sigmoid" else dh * (a > 0)
        if bug == "missing derivative":
            da = dh
        found = {"W2": h.T @ ds, "b2": ds.sum(0), "h": dh, "W1": self.x.T @ da, "b1": da.sum(0)}
        if bug == "transposed":
            found["W1"] = found["W1"].T
        if bug == "not summed":
            found["b1"] = da
        if bug == "first row":
            found["b1"] = da[0]
        if bug == "mean":
            found["b1"] = da.mean(0)
        if bug == "sign":
            found["W1"] = -found["W1"]
        return found


# ---- what is right is called right ----


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_book_s_net_by_hand_is_right(activation, dtype):
    net = Net(np.random.default_rng(1), activation=activation, dtype=dtype)
    result = viz.check(net.loss(), net.gradient())
    assert result.ok, str(result)
    assert {row.name for row in result.rows} == {"W1", "b1", "W2", "b2", "h"}
    assert all(row.by_differences.status == row.by_hand.status == "ok" for row in result.rows), str(result)
    assert not any(row.diagnosis for row in result.rows)


def test_the_finite_differences_are_those_of_the_book_s_routine():
    net = Net(np.random.default_rng(2))
    rows = {row.name: row for row in viz.check(net.loss()).rows}
    for name, array in net.params.items():
        expected = numerical_gradient(lambda _: net.loss().item(), array, h=1e-5)
        np.testing.assert_allclose(rows[name].slopes, expected, rtol=1e-5, atol=1e-9)
        assert len(rows[name].differences) == array.size


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.sin(x) * x),
        lambda x: np.prod(x),
        lambda x: np.sum(np.linalg.inv(x @ x.T + np.eye(3))),
        lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2),
        lambda x: np.sum(np.linalg.eigh(x @ x.T)[0] ** 3),
        lambda x: np.max(x) + np.sum(np.sort(x, axis=0)[1]),
        lambda x: np.sum(x.astype(np.float32) ** 2),
        lambda x: np.sum(x[[0, 0, 2]] ** 2) * 1e6 + 1e9,
    ],
)
def test_finite_differences_agree_with_the_engine(f):
    x = leaf(np.random.default_rng(3).normal(size=(3, 4)), "x")
    with viz.record():
        y = f(x)
    (row,) = viz.check(y).rows
    assert row.by_differences.status in ("ok", "approximate"), str(viz.check(y))


def test_complex_gradients_follow_the_engine_s_convention():
    z = Tensor(np.array([1 + 2j, -0.5j]), requires_grad=True, name="z")
    (row,) = viz.check(np.sum(np.abs(z * z) ** 2)).rows
    assert row.by_differences.status == "ok"
    (row,) = viz.check(np.sum(np.real(z * z)), {"z": 2 * z.data}).rows
    assert row.by_hand.status == "ok"
    (row,) = viz.check(np.sum(np.real(z * z)), {"z": -2 * z.data}).rows
    assert row.diagnosis.kind == "sign"


@pytest.mark.parametrize("wrong", [-1, 2, 1 / 5])
def test_a_diagnosis_holds_to_rounding_or_is_not_given(wrong):
    net = Net(np.random.default_rng(4))
    given = net.gradient()
    for off, kinds in ((1e-14, {"sign", "missing 1/N", "1/N twice"}), (1e-7, {"", "factor"})):
        noise = 1 + off * np.random.default_rng(5).normal(size=given["W1"].shape)
        row = next(r for r in viz.check(net.loss(), given | {"W1": wrong * noise * given["W1"]}).rows if r.name == "W1")
        assert row.status == "WRONG" and (row.diagnosis.kind if row.diagnosis else "") in kinds, (off, row.diagnosis)


def test_a_start_other_than_one():
    x = leaf([1.0, 2.0, 3.0], "x")
    y, g = x * x, np.array([1.0, -2.0, 0.5])
    assert viz.check(y, {x: 2 * x.data * g}, grad=g).ok


def test_large_leaves_are_sampled_the_same_for_the_same_seed():
    x = leaf(np.random.default_rng(0).normal(size=(50, 40)), "x")

    def cells(seed):
        return [d.cell for d in viz.check(np.sum(np.tanh(x)), cells=10, seed=seed).rows[0].differences]

    assert cells(0) == cells(0) != cells(1)
    assert len(set(cells(0))) == 10
    result = viz.check(np.sum(np.tanh(x)), cells=10)
    assert "10 of 2000 cells" in str(result)
    assert result.rows[0].slopes is None


# ---- what cannot be compared is "not checked" ----


def test_a_kink_is_not_a_derivative_to_compare_with():
    x = leaf([-1.0, 0.0, 2.0], "x")
    (row,) = viz.check(np.sum(nn.relu(x) * 3)).rows
    assert [d.value is None for d in row.differences] == [False, True, False]
    assert "jumps by 3" in row.differences[1].why
    assert row.by_differences.status == "ok"
    assert "not at 1 of 3 cells: a kink" in str(viz.check(np.sum(nn.relu(x) * 3)))


@pytest.mark.parametrize("f", [lambda x: x**4, lambda x: x**2, np.cosh, lambda x: np.sin(x) ** 3, lambda x: x * 0.0])
def test_a_flat_place_is_no_kink(f):
    x = leaf([0.0, 0.0], "x")
    (row,) = viz.check(np.sum(f(x))).rows
    assert all(d.value is not None for d in row.differences)
    assert row.by_differences.status == "ok"


def test_a_kink_close_by_is_stepped_around():
    x = leaf([3e-5, 1.0], "x")
    (row,) = viz.check(np.sum(np.abs(x))).rows
    np.testing.assert_allclose([d.value for d in row.differences], 1, rtol=1e-6)


def test_the_edge_of_a_domain():
    x = leaf([0.0, 4.0], "x")
    (row,) = viz.check(np.sum(np.sqrt(x))).rows
    assert row.differences[0].value is None
    assert "not finite" in row.differences[0].why
    assert row.differences[1].value == pytest.approx(0.25)


def test_a_trace_is_compared_with_mine_only():
    net = Net(np.random.default_rng(4))
    result = viz.check(viz.trace(net.loss()), net.gradient("sign"))
    assert [row.by_differences.status for row in result.rows] == ["not checked"] * 5
    assert all(not row.differences for row in result.rows)
    assert result["W1"].diagnosis.kind == "sign"
    assert "a trace has no graph to compute again" in str(result)


def test_what_the_graph_has_not_kept_is_not_made_up():
    x, w = leaf([1.0, 2.0], "x"), leaf([3.0, 4.0], "w")

    def compute():
        return np.sum(np.exp(x + np.array([0.5, 0.7])) * w)  # a sum keeps no constant

    lost, kept = viz.check(compute())
    assert {lost.name: lost.by_differences.status, kept.name: kept.by_differences.status} == {
        "x": "not checked",
        "w": "ok",
    }
    with viz.record():
        y = compute()
    assert all(row.by_differences.status == "ok" for row in viz.check(y))


def test_a_custom_operation_is_not_run_again():
    calls = []

    @primitive
    def twice(x):
        calls.append(x)
        return 2 * x

    defvjp(twice, lambda y, x: lambda g: 2 * g)
    x = leaf([1.0, 2.0], "x")
    y = np.sum(twice(x))
    before = len(calls)
    (row,) = viz.check(y).rows
    assert row.by_differences.status == "not checked"
    assert "custom operation" in row.by_differences.note
    assert len(calls) == before


def test_a_change_in_place_is_what_the_engine_says_it_is():
    x = leaf([1.0, 2.0], "x")
    y = np.sum(x * x)
    x.data += 1
    result = viz.check(y, {"x": [2.0, 4.0]})
    assert not result.ok
    assert "changed" in result.problem
    assert "the engine raises" in str(result)
    assert result.rows[0].engine is None
    assert result.rows[0].by_hand.status == "not checked"


def test_nothing_is_changed_or_freed():
    net = Net(np.random.default_rng(5))
    loss = net.loss()
    before = {name: array.copy() for name, array in net.params.items()}
    first = str(viz.check(loss, net.gradient("transposed")))
    assert str(viz.check(loss, net.gradient("transposed"))) == first
    assert all(np.array_equal(before[name], net.params[name]) for name in before)
    loss.backward()


# ---- whose gradient it is ----


def model():
    rng = np.random.default_rng(0)
    m = nn.Sequential(nn.Affine(4, 3, rng=rng), nn.ReLU(), nn.Affine(3, 2, rng=rng))
    return m, nn.softmax_cross_entropy(m(rng.normal(size=(5, 4))), np.array([0, 1, 1, 0, 1]))


def test_the_names_of_named_parameters_and_of_modules_and_tensors_are_understood():
    m, loss = model()
    named = dict(m.named_parameters())
    by_hand = viz.check(loss)
    grads = {id(p): row.engine for p, row in zip([m.parameters()[k] for k in (2, 3, 0, 1)], by_hand.rows, strict=True)}
    assert [row.name for row in by_hand.rows] == ["2 Affine.W", "2 Affine.b", "0 Affine.W", "0 Affine.b"]
    for mine in (
        {name: grads[id(p)] for name, p in named.items()},
        {p: grads[id(p)] for p in named.values()},
        {f"{k} Affine.{s}": grads[id(named[f"layers.{k}.{s}"])] for k in (0, 2) for s in "Wb"},
        {f"Sequential.{k} Affine.{s}": grads[id(named[f"layers.{k}.{s}"])] for k in (0, 2) for s in "Wb"},
    ):
        result = viz.check(loss, mine)
        assert result.ok and all(row.by_hand.status == "ok" for row in result.rows)


def test_a_model_says_what_its_names_mean():
    class Two(nn.Module):
        def __init__(self):
            self.second, self.first = nn.Affine(2, 2, rng=0), nn.Affine(2, 2, rng=1)

        def forward(self, x):
            return self.second(nn.sigmoid(self.first(x)))

    m = Two()
    loss = np.sum(m(np.ones((3, 2))) ** 2)
    loss.backward(retain_graph=True)
    mine = {name: p.grad.copy() for name, p in m.named_parameters()}
    with pytest.raises(ValueError, match=r"'first.W'|'second.W'"):
        viz.check(loss, mine)
    result = viz.check(loss, mine, names=m)
    assert result.ok
    assert {row.name for row in result.rows} == set(mine)


@pytest.mark.parametrize(
    ("key", "error", "match"),
    [
        ("W", ValueError, r"'W' names several gradients; there are '0 Affine.W', '2 Affine.W'"),
        ("fc.W", ValueError, r"'fc.W' names no gradient here; there are .*'0 Affine.b'"),
        (3, TypeError, "a key of `mine` is a name or a Tensor, not int"),
        (Tensor(1.0, requires_grad=True), ValueError, "is not in this graph"),
    ],
)
def test_a_name_that_means_nothing_or_several(key, error, match):
    _, loss = model()
    with pytest.raises(error, match=match):
        viz.check(loss, {key: np.zeros(3)})


def test_one_gradient_given_twice():
    _, loss = model()
    with pytest.raises(ValueError, match="two of the gradients"):
        viz.check(loss, {"0.W": np.zeros((4, 3)), "0 Affine.W": np.zeros((4, 3))})


# ---- diagnoses ----


@pytest.mark.parametrize(
    ("bug", "kinds"),
    [
        ("missing 1/N", {"W2": "missing 1/N", "b2": "missing 1/N", "W1": "missing 1/N", "b1": "missing 1/N"}),
        ("transposed", {"W1": "transposed"}),
        ("not summed", {"b1": "not summed"}),
        ("first row", {"b1": "not summed"}),
        ("mean", {"b1": "1/N twice"}),
        ("sign", {"W1": "sign"}),
        ("missing derivative", {"W1": "missing derivative", "b1": "missing derivative"}),
    ],
)
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=SIZES, sizes=st.tuples(SIZES, SIZES, SIZES))
def test_a_planted_bug_is_called_by_its_name(bug, kinds, activation, seed, n, sizes):
    net = Net(np.random.default_rng(seed), n, sizes, activation)
    right, wrong = net.gradient(), net.gradient(bug)
    assume(np.any(wrong["b1"]))
    visible = [k for k in kinds if right[k].shape != wrong[k].shape or not np.allclose(right[k], wrong[k], rtol=1e-3)]
    assume(visible and min(np.max(np.abs(right[k])) for k in visible) > 1e-6)
    result = viz.check(net.loss(), wrong, cells=2)
    for name in visible:
        assert result[name].by_hand.status == "WRONG"
        assert kinds[name] in result[name].diagnosis.kinds, str(result)
    assert all(row.diagnosis is None for row in result.rows if row.by_hand.status == "ok")


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=SIZES, sizes=st.tuples(SIZES, SIZES, SIZES))
def test_a_random_array_has_no_diagnosis(seed, n, sizes):
    rng = np.random.default_rng(seed)
    net = Net(rng, n, sizes)
    mine = {name: rng.normal(size=g.shape) for name, g in net.gradient().items()}
    result = viz.check(net.loss(), mine, cells=1)
    for row in result.rows:
        assert row.by_hand.status == "WRONG"
        assert row.diagnosis is None
    assert "no known mistake" in str(result)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), uses=st.integers(2, 5), shape=st.sampled_from([(), (1,), (3,), (2, 3)]))
def test_one_use_of_several(seed, uses, shape):
    rng = np.random.default_rng(seed)
    x = leaf(rng.normal(size=shape), "x")
    factors = [rng.uniform(0.5, 2, size=shape) for _ in range(uses)]
    loss = sum(np.sum(x * f) for f in factors)
    for k in range(uses):
        (row,) = viz.check(loss, {"x": factors[k]}, cells=1).rows
        assert row.by_hand.status == "WRONG"
        assert {"overwritten", "use missing"} & set(row.diagnosis.kinds)
        if uses > 2:
            (row,) = viz.check(loss, {"x": sum(factors) - factors[k]}, cells=1).rows
            assert "use missing" in row.diagnosis.kinds


def test_the_gradient_of_an_earlier_batch_is_still_in_it():
    x = leaf([1.0, 2.0, 3.0], "x")
    np.sum(x**2).backward()
    with viz.record() as tape:
        np.sum(x * np.array([1.0, 5.0, -2.0])).backward()
    diagnosis = viz.check(tape, {"x": x.grad})["x"].diagnosis
    assert diagnosis.kind == "accumulated"
    assert "zero_grad() was forgotten" in diagnosis.text


def test_a_matrix_that_is_not_transposed():
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(3, 3)), leaf(rng.normal(size=(3, 3)), "W")
    y, g = x @ W, rng.normal(size=(3, 3))
    diagnosis = viz.check(y, {"W": x @ g}, grad=g)["W"].diagnosis
    assert diagnosis.kind == "not transposed"
    assert "missing transpose" in diagnosis.text


def test_a_naive_softmax_overflows():
    x = leaf([[1000.0, 2.0, 3.0], [1.0, 2.0, 3.0]], "x")
    with np.errstate(all="ignore"):
        e = np.exp(x)
        loss = -np.mean(np.log(e / np.sum(e, axis=1, keepdims=True)))
    for mine in (None, {"x": np.zeros((2, 3))}):
        result = viz.check(loss, mine)
        assert not result.ok
        assert result["x"].diagnosis.kind == "not finite"
        assert "the forward pass: [[inf, 7.389, 20.09], [2.718, 7.389, 20.09]] in exp" in str(result)
    assert "1 of 1 not finite" in str(viz.check(loss))


def test_a_sum_divides_by_nothing():
    x = leaf([1.0, 2.0], "x")
    kinds = viz.check(np.sum(x**3), {"x": 6 * x.data**2})["x"].diagnosis.kinds
    assert "accumulated" in kinds
    assert "missing 1/N" not in kinds
    assert "missing 1/N" not in viz.check(np.sum(x**3), {"x": 9 * x.data**2})["x"].diagnosis.kinds
    assert "missing 1/N" in viz.check(np.mean(x**3), {"x": 3 * x.data**2})["x"].diagnosis.kinds
    assert "missing 1/N" in viz.check(np.sum(x**3) / 5, {"x": 3 * x.data**2})["x"].diagnosis.kinds


def test_swapped_and_shuffled():
    a, b = leaf([1.0, 2.0, 4.0], "a"), leaf([3.0, 5.0, -1.0], "b")
    loss = np.sum(a * b + a)
    result = viz.check(loss, {"a": a.data, "b": b.data + 1})
    assert [row.diagnosis.kind for row in result.rows] == ["swapped", "swapped"]
    assert viz.check(loss, {"a": (b.data + 1)[[2, 0, 1]]})["a"].diagnosis.kind == "permutation"


@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        ([[2.0], [4.0], [6.0]], "wrong shape"),
        ([0.0, 0.0, 0.0], "zero"),
        ([2.0, np.nan, 6.0], "not finite"),
        ([6.0, 4.0, 2.0], "permutation"),
        ([7.4, 14.8, 22.2], "factor"),
        ([4.0, 8.0, 12.0], "accumulated"),
        ([1.0, 2.0, 3.0], "factor 2"),
        (None, "none"),
        (np.float32([2.0 + 1e-6, 4.0, 6.0]), "rounding"),
        ([[1.0, 2.0, 3.0, 4.0]], "wrong shape"),
    ],
)
def test_simple_mistakes(given_, kind):
    x = leaf([1.0, 2.0, 3.0], "x")
    (row,) = viz.check(np.sum(x * x), {"x": given_}).rows
    assert kind in row.diagnosis.kinds, row.diagnosis


def test_a_mistake_that_makes_no_difference_is_none():
    symmetric = np.array([[1.0, 2.0], [2.0, 5.0]])
    X = leaf(np.zeros((2, 2)), "X")
    assert viz.check(np.sum(X * symmetric), {"X": symmetric.T}).ok
    one = leaf([1.0, 2.0], "b")
    loss = np.sum((np.array([[3.0, 4.0]]) + one) ** 2) / 1
    assert viz.check(loss, {"b": 2 * (np.array([3.0, 4.0]) + one.data) / 1}).ok
    wrong = np.array([[1.0, 2.0], [2.0, 6.0]])
    assert viz.check(np.sum(X * symmetric), {"X": wrong})["X"].diagnosis is None


def test_a_single_number_is_not_a_multiple_of_everything():
    assert diagnose(Case(np.array(3.0), np.array(7.1))) is None
    assert diagnose(Case(np.array([0.0, 3.0]), np.array([0.0, 7.1]))) is None
    assert diagnose(Case(np.array(3.0), np.array(-3.0))).kind == "sign"
    others = {"b": np.array([0.0, 3.5])}
    assert diagnose(Case(np.array([0.0, 3.0]), np.array([0.0, 7.0]), others=others)) is None
    assert diagnose(Case(np.ones(4), np.full(4, 3.7))) is None


def test_what_is_left_where_large_numbers_cancel_is_rounding():
    rng = np.random.default_rng(0)
    b, X, W = leaf(rng.normal(size=3), "b"), rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    with viz.record():
        h = X * 1.0 + b
        y = np.sum((h - np.mean(h, axis=0)) * W)
    (row,) = viz.check(y, {"b": np.zeros(3)}).rows
    assert 0 < np.max(np.abs(row.engine)) < 1e-12
    assert row.status == "ok", str(viz.check(y, {"b": np.zeros(3)}))


def test_infinities_and_nans_in_the_same_places_agree():
    wanted = np.array([np.inf, np.nan, 1.0, -np.inf])
    assert beside(wanted, wanted.copy()).status == "ok"
    assert beside(wanted, -wanted).status == "WRONG"
    assert beside(wanted, np.array([np.inf, 0.0, 1.0, -np.inf])).status == "WRONG"


def test_two_mistakes_at_once():
    net = Net(np.random.default_rng(8), n=5)
    g = net.gradient()
    diagnosis = viz.check(net.loss(), {"W1": -5 * g["W1"].T})["W1"].diagnosis
    assert diagnosis.kind == "transposed"
    assert "missing 1/N" in diagnosis.text and "wrong sign" in diagnosis.text


def test_an_engine_that_is_wrong_is_found_by_finite_differences():
    wrong = elementwise(lambda x: np.sin(x), lambda x: -np.cos(x), name="bad_sine")
    x = leaf([0.3, 0.7, 1.1], "x")
    result = viz.check(np.sum(wrong(x)))
    assert not result.ok
    assert result.rows[0].by_differences.status == "WRONG"
    assert result.rows[0].diagnosis.kind == "sign"


# ---- the seed's layers, and broken versions of them ----


class Relu:
    def forward(self, x):
        self.mask = x < 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class Loss:
    def forward(self, x, t):
        y = np.exp(x - x.max(1, keepdims=True))
        self.y, self.t = y / y.sum(1, keepdims=True), t
        return -np.sum(t * np.log(self.y)) / len(t)

    def backward(self):
        return (self.y - self.t) / self.t.shape[0]


class AffineForgetsTheSum(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout
        return dx


class AffineForgetsTheTranspose(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = np.dot(dout.T, self.x)
        return dx


class ReluForgetsTheMask(Relu):
    def backward(self, dout):
        return dout


class LossForgetsTheBatch(Loss):
    def backward(self):
        return self.y - self.t


def by_hand(rng, relu=Relu, affine=Affine, loss=Loss):
    net = Net(rng, 6, (4, 5, 3), "relu")
    p = net.params
    layers = [Affine(p["W1"], p["b1"]), relu(), affine(p["W2"], p["b2"])]
    x = net.x
    for layer in layers:
        x = layer.forward(x)
    last = loss()
    value = last.forward(x, net.t)
    dout = last.backward()
    for layer in reversed(layers):
        dout = layer.backward(dout)
    first, _, second = layers
    mine = {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}
    y = net.loss()
    assert value == pytest.approx(y.item())
    return viz.check(y, mine)


def test_the_seed_s_layers_are_right():
    assert by_hand(np.random.default_rng(0)).ok


@pytest.mark.parametrize(
    ("broken", "first", "kind"),
    [
        ({"affine": AffineForgetsTheSum}, "b2", "not summed"),
        ({"affine": AffineForgetsTheTranspose}, "W2", "transposed"),
        ({"relu": ReluForgetsTheMask}, "b1", "missing derivative"),
        ({"loss": LossForgetsTheBatch}, "b2", "missing 1/N"),
    ],
)
def test_the_seed_s_layers_broken(broken, first, kind):
    result = by_hand(np.random.default_rng(0), **broken)
    assert result.wrong.name == first
    assert result.wrong.diagnosis.kind == kind, str(result)


# ---- how it shows ----


def test_it_prints_as_a_table_with_the_worst_cell():
    net = Net(np.random.default_rng(1))
    mine = net.gradient()
    mine["W1"][2, 1] += 0.5
    text = str(viz.check(net.loss(), mine))
    right = net.gradient()["W1"][2, 1]
    assert "1 of 5 wrong" in text
    assert f"worst at [2, 1]: mine {right + 0.5:.4g}, engine {right:.4g}, finite difference {right:.4g}" in text
    assert "✗ WRONG, max 0.5" in text


def test_the_picture_marks_each_card_in_words():
    net = Net(np.random.default_rng(1))
    svg = viz.check(net.loss(), net.gradient("sign")).draw().svg
    assert svg.count("✗ WRONG") == 1
    assert "wrong sign" in svg
    assert svg.count("✓ ok") == 9


def test_a_notebook_shows_picture_and_table():
    result = viz.check(np.sum(leaf([1.0, 2.0], "x") * 3.0), {"x": [3.0, 4.0]})
    page = result._repr_html_()
    assert page.startswith(result._repr_svg_())
    assert "✗ WRONG" in page.split("<pre>")[1]


def test_hostile_names_are_only_text():
    evil = "<script>alert(1)</script>\n| `x` [a](javascript:alert(1)) \u202e"
    x = leaf([1.0, 2.0], evil)
    result = viz.check(np.sum(x * x), {x: [2.0, 5.0]})
    assert "<script>" not in result._repr_html_() + result.markdown
    assert "](" not in result.markdown.replace("\\](", "")
    assert all(line.startswith("|") for line in result.markdown.splitlines()[2:5])
    assert "\u202e" not in str(result) + result.markdown
    with pytest.raises(ValueError, match="names no gradient") as error:
        viz.check(np.sum(x * x), {"other\n\u202e": [1.0]})
    assert "\n" not in str(error.value) and "\u202e" not in str(error.value)


def test_a_row_that_is_not_there():
    with pytest.raises(KeyError, match="no row 'z'"):
        viz.check(np.sum(leaf([1.0], "x") * 2))["z"]


def test_a_graph_that_backward_has_freed_is_checked_by_its_tape():
    w, x = Tensor(0.4, requires_grad=True, name="w"), Tensor(2.0, requires_grad=True, name="x")
    with viz.record():
        y = np.tanh(w * x) ** 2
        y.backward()
        w.data = w.data - 0.1 * w.grad
    found = viz.check(y, mine={"w": 0.09, "x": x.grad})
    assert not found.ok
    assert {row.name: row.by_hand.status for row in found} == {"w": "WRONG", "x": "ok"}
    assert all(row.by_differences.status == "ok" for row in found)
