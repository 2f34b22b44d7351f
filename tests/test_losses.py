"""Losses and the functions they stand on: exact where numbers are extreme, loud where labels or shapes are wrong.

The reference for values is Python's decimal arithmetic with 60 digits; for derivatives finite differences, and torch
where it is installed.
"""

import decimal
from decimal import Decimal

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, grad, gradcheck, hessian, numerical_gradient

FLOATS = (np.float32, np.float64)
INF, NAN = np.inf, np.nan


def loss_and_gradient(scores, labels):
    x = Tensor(scores, requires_grad=True)
    loss = nn.softmax_cross_entropy(x, labels)
    loss.backward()
    return loss.data[()], x.grad


def scores_and_labels(n=5, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal((n, classes)), rng.integers(0, classes, n)


def soft(labels, classes=4):
    """Weights that sum to 1 with most on the label."""
    return np.where(np.eye(classes, dtype=bool)[labels], 0.7, 0.3 / (classes - 1))


# ---- values against exact arithmetic ----

ROWS = [
    [1e4, -1e4, 0.0],
    [1e4, 9999.5, 9999.0],
    [-1e4, -1e4, -9997.0],
    [-1e4, -1e4 + 30, -1e4],
    [0.0, 0.0, 0.0],
    [1.5, -2.25, 0.125],
    [1e-8, -1e-8, 0.0],
]


def exact(function, row):
    """The function of the row in decimal arithmetic."""
    with decimal.localcontext(prec=60):
        exps = [Decimal(float(x)).exp() for x in row]
        total = sum(exps)
        return {
            "softmax": [e / total for e in exps],
            "log_softmax": [(e / total).ln() for e in exps],
            "logsumexp": [total.ln()],
            "sigmoid": [1 / (1 + (-Decimal(float(x))).exp()) for x in row],
        }[function]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("function", ["softmax", "log_softmax", "logsumexp", "sigmoid"])
def test_values_are_exact_to_four_eps(function, row, dtype):
    x = np.array(row, dtype)
    y = np.atleast_1d(getattr(nn, function)(x))
    assert y.dtype == dtype
    eps = float(np.finfo(dtype).eps)
    for got, want in zip(y, exact(function, x), strict=True):
        size = abs(float(want)) if function == "sigmoid" else max(1.0, abs(float(want)))
        assert abs(float(Decimal(float(got)) - want)) <= 4 * eps * size + float(np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", FLOATS)
def test_log_softmax_and_loss_agree_with_exact_arithmetic_at_extremes(dtype):
    scores = np.array(ROWS, dtype)
    for label in range(3):
        want = [-exact("log_softmax", row)[label] for row in scores]
        loss = nn.softmax_cross_entropy(scores, np.full(len(ROWS), label))
        assert loss.dtype == dtype
        assert float(loss) == pytest.approx(float(sum(want) / len(want)), rel=4 * float(np.finfo(dtype).eps))


# ---- extreme scores ----


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize(
    "dtype, big", [(np.float16, 6e4), (np.float32, 1e4), (np.float64, 1e4), (np.float32, 3e38), (np.float64, 1.7e308)]
)
def test_extreme_scores_give_finite_losses_and_gradients(dtype, big, one_hot):
    scores = np.array([[big, -big, 0], [0, big, -big], [-big, big, big], [0, 0, -big]], dtype)
    labels = np.array([0, 1, 2, 0])
    loss, g = loss_and_gradient(scores, np.eye(3)[labels] if one_hot else labels)
    assert loss.dtype == g.dtype == dtype
    assert loss == pytest.approx(np.log(2) / 2, rel=2 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(g, np.array([[0, 0, 0], [0, 0, 0], [0, 0.125, -0.125], [-0.125, 0.125, 0]]))


@pytest.mark.parametrize("dtype, big", [(np.float16, 6e4), (np.float32, 1e4), (np.float64, 1e4)])
def test_a_confident_mistake_costs_the_difference_of_the_scores(dtype, big):
    scores = np.array([[big, 0.0], [0.0, 0.0]], dtype)
    loss, g = loss_and_gradient(scores, [1, 0])
    assert loss == pytest.approx((big + np.log(2)) / 2, rel=float(np.finfo(dtype).eps))
    np.testing.assert_allclose(g, [[0.5, -0.5], [-0.25, 0.25]])


def test_float16_keeps_a_mean_whose_sum_is_out_of_range():
    scores = np.tile(np.array([[2000, 0]], np.float16), (100, 1))
    for labels in (np.ones(100, int), np.tile([0, 1], (100, 1))):
        loss, g = loss_and_gradient(scores, labels)
        assert loss == 2000 and loss.dtype == g.dtype == np.float16
        np.testing.assert_allclose(g, np.tile([0.01, -0.01], (100, 1)), rtol=1e-3)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_score_of_minus_infinity_is_ruled_out_and_gets_no_gradient(dtype, one_hot):
    scores = np.array([[1, -INF, 2, 0], [-INF, 3, -INF, 1]], dtype)
    labels = np.array([2, 1])
    t = np.eye(4)[labels] if one_hot else labels
    loss, g = loss_and_gradient(scores, t)
    finite = np.where(np.isinf(scores), -1e3, scores).astype(dtype)  # far enough for a probability of 0
    want, want_g = loss_and_gradient(finite, t)
    assert loss == pytest.approx(want, rel=1e-6)
    assert np.all(g[np.isinf(scores)] == 0)
    np.testing.assert_allclose(g, want_g, rtol=1e-5)


def test_the_second_order_stays_finite_beside_a_score_of_minus_infinity():
    scores = np.array([[1.0, -INF, 2.0]])
    for t in ([2], [[0, 0, 1]]):
        h = hessian(lambda x, t=t: nn.softmax_cross_entropy(x, t))(scores).reshape(3, 3)
        assert np.all(h[1] == 0) and np.all(h[:, 1] == 0)
        p = 1 / (1 + np.e)
        np.testing.assert_allclose(h[np.ix_([0, 2], [0, 2])], p * (1 - p) * np.array([[1, -1], [-1, 1]]), rtol=1e-12)


def test_masking_with_where_leaves_the_masked_scores_without_gradient():
    scores, labels = scores_and_labels()
    mask = np.ones(scores.shape, bool)
    mask[np.arange(5), (labels + 1) % 4] = False
    x = Tensor(scores, requires_grad=True)
    nn.softmax_cross_entropy(np.where(mask, x, -INF), labels).backward()
    assert np.all(x.grad[~mask] == 0) and np.all(np.isfinite(x.grad)) and np.all(x.grad[mask] != 0)


def test_a_label_that_is_ruled_out_costs_infinity():
    loss, g = loss_and_gradient(np.array([[0.0, -INF]]), [1])
    assert loss == INF
    np.testing.assert_array_equal(g, [[1, -1]])


@pytest.mark.parametrize("t", [[0, 1, 1], np.eye(2)[[0, 1, 1]]], ids=["indices", "one-hot"])
@pytest.mark.parametrize("bad", [[-INF, -INF], [0.0, INF], [INF, INF]], ids=str)
def test_a_row_without_a_softmax_raises_and_names_the_row(bad, t):
    scores = np.array([[0.0, 1.0], [2.0, 3.0], bad])
    with pytest.raises(ValueError, match=r"row at position 2: -?inf is the largest score"):
        nn.softmax_cross_entropy(scores, t)


def test_a_nan_score_stays_a_nan_loss():
    assert np.isnan(nn.softmax_cross_entropy(np.array([[NAN, 0.0]]), [1]))


def test_softmax_of_nothing_but_minus_infinity_warns():
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.all(np.isnan(nn.softmax(np.full(3, -INF))))
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.all(np.isnan(nn.log_softmax(np.full(3, -INF))))
    assert nn.logsumexp(np.full(3, -INF)) == -INF


def test_sigmoid_and_relu_at_the_ends():
    np.testing.assert_array_equal(nn.sigmoid(np.array([-INF, INF, -0.0])), [0, 1, 0.5])
    np.testing.assert_array_equal(nn.relu(np.array([-INF, INF, 0.0])), [0, INF, 0])
    assert np.isnan(nn.sigmoid(np.array([NAN]))[0]) and np.isnan(nn.relu(np.array([NAN]))[0])


# ---- labels ----


def test_index_labels_of_every_integer_dtype_and_whole_floats():
    scores, labels = scores_and_labels()
    want, want_g = loss_and_gradient(scores, labels)
    for dtype in (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64, np.float32, np.float64):
        loss, g = loss_and_gradient(scores, labels.astype(dtype))
        assert loss == want
        np.testing.assert_array_equal(g, want_g)
    assert loss_and_gradient(scores, labels.tolist())[0] == want
    assert nn.softmax_cross_entropy(scores.tolist(), Tensor(labels)) == want


def test_one_hot_of_every_dtype_equals_indices():
    scores, labels = scores_and_labels()
    want, want_g = loss_and_gradient(scores, labels)
    for dtype in (bool, np.int8, np.uint8, np.int64, np.float16, np.float32, np.float64):
        loss, g = loss_and_gradient(scores, np.eye(4, dtype=dtype)[labels])
        assert loss == pytest.approx(want, rel=1e-14)
        np.testing.assert_allclose(g, want_g, atol=1e-16)


def test_single_examples_and_sequences():
    scores, labels = scores_and_labels(6)
    each = [nn.softmax_cross_entropy(row, label) for row, label in zip(scores, labels, strict=True)]
    assert np.mean(each) == pytest.approx(nn.softmax_cross_entropy(scores, labels), rel=1e-14)
    assert nn.softmax_cross_entropy(scores[0], np.eye(4)[labels[0]]) == pytest.approx(each[0], rel=1e-14)
    assert nn.softmax_cross_entropy(scores.reshape(2, 3, 4), labels.reshape(2, 3)) == pytest.approx(
        np.mean(each), rel=1e-14
    )
    assert nn.softmax_cross_entropy(scores.reshape(2, 3, 4), soft(labels).reshape(2, 3, 4)) == pytest.approx(
        nn.softmax_cross_entropy(scores, soft(labels)), rel=1e-14
    )


BAD_LABELS = {
    "too large": ([0, 4, 1], r"label at position 1: 4 is not one of the 4 classes, 0 to 3"),
    "negative": ([0, 1, -1], r"label at position 2: -1 is not one of the 4 classes"),
    "huge": (np.array([2**63, 0, 0], np.uint64), r"label at position 0: 9223372036854775808 is not one of"),
    "fractional": ([0.0, 1.5, 1.0], r"label at position 1: 1.5 is not a class number"),
    "nan": ([0.0, 1.0, NAN], r"label at position 2: nan is not a class number"),
    "infinite": ([INF, 1.0, 1.0], r"label at position 0: inf is not one of the 4 classes"),
    "bool": ([True, False, True], r"class numbers are integers, not bool"),
    "text": (np.array(["a", "b", "c"]), r"class numbers are integers, not <U1"),
    "complex": ([1j, 0, 0], r"class numbers are integers, not complex128"),
    "rows: two ones": (
        np.eye(4)[[0, 1, 2]] + np.eye(4)[[0, 1, 3]] * [[0], [0], [1]],
        r"position 2: 2.0 is the sum of the row",
    ),
    "rows: all zero": (np.eye(4, dtype=int)[[0, 1, 2]] * [[0], [1], [1]], r"position 0: 0.0 is the sum of the row"),
    "rows: bool": (np.ones((3, 4), bool), r"position 0: 4.0 is the sum of the row"),
    "rows: off by a little": (
        [[1, 0, 0, 0], [0.9999, 0, 0, 0], [1, 0, 0, 0]],
        r"position 1: 0.9999 is the sum of the row",
    ),
    "rows: negative": (
        [[1, 0, 0, 0], [1.5, -0.5, 0, 0], [1, 0, 0, 0]],
        r"label at position \(1, 1\): -0.5 is not a weight",
    ),
    "rows: nan": ([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, NAN, 0]], r"label at position \(2, 2\): nan is not a weight"),
    "rows: infinite": ([[1, 0, 0, 0], [INF, 0, 0, 0], [1, 0, 0, 0]], r"position 1: inf is the sum of the row"),
    "rows: complex": (np.eye(4, dtype=complex)[:3], r"rows of weights are real numbers, not complex128"),
}


@pytest.mark.parametrize("bad", BAD_LABELS)
def test_labels_that_do_not_exist_raise_and_name_the_position(bad):
    labels, message = BAD_LABELS[bad]
    for scores in (np.zeros((3, 4)), Tensor(np.zeros((3, 4), np.float32), requires_grad=True)):
        with pytest.raises(ValueError, match="softmax_cross_entropy: .*" + message):
            nn.softmax_cross_entropy(scores, labels)
    if bad != "text":  # which no Tensor holds
        with pytest.raises(ValueError, match=message):
            nn.SoftmaxWithLoss().forward(np.zeros((3, 4)), labels)


def test_a_bad_label_in_a_sequence_is_named_by_all_its_indices():
    labels = np.zeros((2, 3), int)
    labels[1, 2] = 9
    with pytest.raises(ValueError, match=r"label at position \(1, 2\): 9 is not one of"):
        nn.softmax_cross_entropy(np.zeros((2, 3, 4)), labels)
    with pytest.raises(ValueError, match=r"label 9 is not one of"):
        nn.softmax_cross_entropy(np.zeros(4), 9)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1, 3), (3, 3), (4, 3), (3, 4, 1), ()])
def test_labels_of_the_wrong_shape_raise_and_name_the_shapes(shape):
    with pytest.raises(ShapeError) as caught:
        nn.softmax_cross_entropy(np.zeros((3, 4)), np.zeros(shape, int))
    for part in ("(3, 4)", "(3,)", str(shape)):
        assert part in str(caught.value)


def test_scores_that_are_no_floats_raise():
    for scores in (np.zeros((3, 4), int), np.zeros((3, 4), complex), np.zeros((3, 4), bool)):
        with pytest.raises(TypeError, match="the scores are floats, not"):
            nn.softmax_cross_entropy(scores, [0, 1, 2])
    with pytest.raises(ShapeError, match="axis of classes"):
        nn.softmax_cross_entropy(1.0, 0)
    with pytest.raises(TypeError, match="MaskedArray"):
        nn.softmax_cross_entropy(np.zeros((3, 4)), np.ma.array([0, 1, 2], mask=[0, 1, 0]))


def test_an_empty_batch_costs_nothing():
    for labels in (np.zeros(0, int), np.zeros((0, 4))):
        loss, g = loss_and_gradient(np.zeros((0, 4), np.float32), labels)
        assert loss == 0 and loss.dtype == np.float32 and g.shape == (0, 4)


def test_labels_and_scores_are_not_changed():
    scores, labels = scores_and_labels()
    for t in (labels, soft(labels)):
        kept = scores.copy(), t.copy()
        loss_and_gradient(scores, t)
        np.testing.assert_array_equal(scores, kept[0])
        np.testing.assert_array_equal(t, kept[1])


def test_own_softmax_is_accepted_as_weights():
    for dtype in FLOATS:
        scores = (5 * np.random.default_rng(0).standard_normal((20, 1000))).astype(dtype)
        assert nn.softmax_cross_entropy(scores, nn.softmax(scores)).dtype == dtype


# ---- mean squared error ----


def test_mean_squared_error():
    rng = np.random.default_rng(0)
    y, t = rng.standard_normal((2, 5, 3))
    x = Tensor(y, requires_grad=True)
    loss = nn.mean_squared_error(x, t)
    loss.backward()
    assert loss.item() == pytest.approx(np.mean((y - t) ** 2), rel=1e-15)
    np.testing.assert_allclose(x.grad, 2 * (y - t) / 15, rtol=1e-14)
    assert nn.mean_squared_error(y, t) == loss.item()
    gradcheck(nn.mean_squared_error, y, t)


@pytest.mark.parametrize("a, b", [((5,), (5, 1)), ((5, 1), (5,)), ((5, 3), (3,)), ((5, 1), (5, 3)), ((5,), ())])
def test_mean_squared_error_never_broadcasts(a, b):
    for y in (np.zeros(a), Tensor(np.zeros(a), requires_grad=True)):
        with pytest.raises(ShapeError) as caught:
            nn.mean_squared_error(y, np.zeros(b))
        assert str(a) in str(caught.value) and str(b) in str(caught.value)


def test_mean_squared_error_keeps_float32():
    y = Tensor(np.ones((3, 2), np.float32), requires_grad=True)
    loss = nn.mean_squared_error(y, np.zeros((3, 2), np.float32))
    loss.backward()
    assert loss.dtype == y.grad.dtype == np.float32


# ---- derivatives ----


def test_the_gradient_is_softmax_minus_one_hot():
    scores, labels = scores_and_labels()
    _, g = loss_and_gradient(scores, labels)
    np.testing.assert_allclose(g, (nn.softmax(scores) - np.eye(4)[labels]) / 5, atol=1e-16)


@pytest.mark.parametrize("kind", ["indices", "one-hot", "soft"])
def test_the_gradient_agrees_with_differences(kind):
    scores, labels = scores_and_labels()
    t = {"indices": labels, "one-hot": np.eye(4)[labels], "soft": soft(labels)}[kind]
    _, g = loss_and_gradient(scores, t)
    np.testing.assert_allclose(
        g, numerical_gradient(lambda x: nn.softmax_cross_entropy(x, t), scores.copy()), atol=1e-9
    )
    gradcheck(lambda x: nn.softmax_cross_entropy(x, t), scores)


def test_the_weights_may_be_learned_too():
    scores, _ = scores_and_labels()
    others = np.random.default_rng(1).standard_normal(scores.shape)
    gradcheck(lambda x, u: nn.softmax_cross_entropy(x, nn.softmax(u)), scores, others)


@pytest.mark.parametrize("kind", ["indices", "soft"])
def test_the_hessian_agrees_with_differences_of_the_gradient(kind):
    scores, labels = scores_and_labels(3)
    t = labels if kind == "indices" else soft(labels)
    df = grad(lambda x: nn.softmax_cross_entropy(x, t))
    h = hessian(lambda x: nn.softmax_cross_entropy(x, t))(scores)
    assert h.shape == (3, 4, 3, 4)
    for index in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[index] = 1e-5
        np.testing.assert_allclose(h[index], (df(scores + step) - df(scores - step)) / 2e-5, atol=1e-9)


# ---- torch ----


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("kind", ["indices", "soft"])
def test_torch_agrees(kind, dtype, tolerance):
    torch = pytest.importorskip("torch")
    scores, labels = scores_and_labels(7)
    scores = scores.astype(dtype)
    t = labels if kind == "indices" else soft(labels).astype(dtype)
    loss, g = loss_and_gradient(scores, t)
    x = torch.tensor(scores, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(x, torch.tensor(t))
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=tolerance)
    np.testing.assert_allclose(g, x.grad.numpy(), atol=tolerance)


@pytest.mark.parametrize("kind", ["indices", "soft"])
def test_torch_agrees_in_second_order(kind):
    torch = pytest.importorskip("torch")
    scores, labels = scores_and_labels(3)
    t = labels if kind == "indices" else soft(labels)
    h = hessian(lambda x: nn.softmax_cross_entropy(x, t))(scores)
    theirs = torch.autograd.functional.hessian(
        lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(t)), torch.tensor(scores)
    )
    np.testing.assert_allclose(h, theirs.numpy(), atol=1e-12)
