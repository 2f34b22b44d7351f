"""Which element goes where: what the table of samples cannot say. Errors are NumPy's, places may be Tensors."""

import numpy as np
import pytest

from autograd import Tensor, gradients

X = np.array([[3.0, -1.0, 2.0, 0.5], [0.0, 4.0, -2.5, 1.5], [7.0, 6.0, -3.0, 2.5]])


def leaf(value=X):
    return Tensor(np.array(value), requires_grad=True)


def gradient(f, x=X):
    """The gradient of the sum of f(x) * (1, 2, 3, ...)."""
    x = leaf(x)
    y = f(x)
    return gradients(y, [x], np.arange(1.0, y.size + 1).reshape(y.shape))[0]


# ---- errors ----

BAD_CALLS = {
    "take beyond": lambda x: np.take(x, 3, axis=0),
    "take float": lambda x: np.take(x, np.array([0.5])),
    "take mode": lambda x: np.take(x, [0], mode="no"),
    "take axis": lambda x: np.take(x, [0], axis=2),
    "take from nothing": lambda x: np.take(x[:0], [0], axis=0, mode="wrap"),
    "take_along_axis beyond": lambda x: np.take_along_axis(x, np.full((3, 1), 4), axis=1),
    "take_along_axis ndim": lambda x: np.take_along_axis(x, np.array([0]), axis=1),
    "take_along_axis float": lambda x: np.take_along_axis(x, np.ones((3, 1)), axis=1),
    "take_along_axis flat": lambda x: np.take_along_axis(x, np.zeros((3, 1), int), axis=None),
    "compress long": lambda x: np.compress([False] * 4 + [True], x, axis=0),
    "compress 2-d": lambda x: np.compress([[True]], x, axis=0),
    "extract long": lambda x: np.extract(np.ones(13, bool), x),
    "choose beyond": lambda x: np.choose([0, 2, 0, 0], [x, x]),
    "choose shapes": lambda x: np.choose([0, 1], [x, x]),
    "choose float": lambda x: np.choose([0.5], [x, x]),
    "select lengths": lambda x: np.select([X > 0], [x, x]),
    "select nothing": lambda x: np.select([], [x][:0], x),
    "select condition": lambda x: np.select([np.ones(4)], [x]),
    "piecewise count": lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]),
    "delete beyond": lambda x: np.delete(x, 3, axis=0),
    "delete axis": lambda x: np.delete(x, 0, axis=2),
    "insert beyond": lambda x: np.insert(x, 5, 0, axis=0),
    "insert shapes": lambda x: np.insert(x, [0, 1], np.ones((3, 4)), axis=0),
    "append axis": lambda x: np.append(x, x, axis=2),
    "append shapes": lambda x: np.append(x, x[:, :1], axis=0),
    "resize negative": lambda x: np.resize(x, (-1, 2)),
    "repeat axis": lambda x: np.repeat(x, 2, axis=2),
    "repeat counts": lambda x: np.repeat(x, [1, 2], axis=0),
    "repeat negative": lambda x: np.repeat(x, -1),
    "tile float": lambda x: np.tile(x, 1.5),
    "sort axis": lambda x: np.sort(x, axis=2),
    "sort kind": lambda x: np.sort(x, kind="no"),
    "partition beyond": lambda x: np.partition(x, 4),
    "diff negative": lambda x: np.diff(x, -1),
    "diff axis": lambda x: np.diff(x, axis=2),
    "diff 0-d": lambda x: np.diff(x[0, 0]),
    "ediff1d cast": lambda x: np.ediff1d(x, to_end=1j),
    "gradient short": lambda x: np.gradient(x[:, :2], axis=1, edge_order=2),
    "gradient spacings": lambda x: np.gradient(x, 1.0, 2.0, 3.0),
    "gradient coordinates": lambda x: np.gradient(x, [1.0, 2.0], axis=0),
    "gradient axis": lambda x: np.gradient(x, axis=2),
    "gradient order": lambda x: np.gradient(x, edge_order=3),
    "interp shapes": lambda x: np.interp(x, [0.0, 1.0], [0.0]),
    "interp nothing": lambda x: np.interp(x, [], []),
    "interp period": lambda x: np.interp(x, [0.0], [0.0], period=0),
    "interp complex": lambda x: np.interp(x, [0.0, 1.0], [0.0]),
    "rot90 axes": lambda x: np.rot90(x, axes=(0, 2)),
    "rot90 one axis": lambda x: np.rot90(x, axes=(1, -1)),
    "rollaxis": lambda x: np.rollaxis(x, 0, 4),
    "block tuple": lambda x: np.block(([x], [x])),
    "block depths": lambda x: np.block([x, [x]]),
    "block nothing": lambda x: np.block([[], [x]]),
    "meshgrid": lambda x: np.meshgrid(x[0], indexing="no"),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x[:, :3]),
    "concatenate casting": lambda x: np.concatenate([x, x], dtype=int),
    "stack casting": lambda x: np.stack([x, x], dtype=np.float32, casting="safe"),
    "stack shapes": lambda x: np.stack([x, x[0]]),
    "stack axis": lambda x: np.stack([x, x], axis=3),
    "vstack shapes": lambda x: np.vstack([x, x[:, :2]]),
    "column_stack shapes": lambda x: np.column_stack([x, x[:2]]),
    "dsplit": lambda x: np.dsplit(x, 2),
    "vsplit": lambda x: np.vsplit(x[0], 2),
    "hsplit unequal": lambda x: np.hsplit(x, 3),
    "split axis": lambda x: np.split(x, 2, axis=2),
    "diagonal axis": lambda x: np.diagonal(x, axis1=2),
    "diagonal axes": lambda x: np.diagonal(x, axis1=1, axis2=-1),
    "apply_along_axis": lambda x: np.apply_along_axis(np.sum, 2, x),
    "apply_along_axis of nothing": lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]),
    "apply_over_axes": lambda x: np.apply_over_axes(lambda a, axis: np.sum(a), x, [0]),
    "window": lambda x: np.lib.stride_tricks.sliding_window_view(x, (4, 4)),
    "window axis": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2),
    "reshape": lambda x: np.reshape(x, (5, 2)),
    "pad mode": lambda x: np.pad(x, 1, mode="no"),
    "pad option": lambda x: np.pad(x, 1, mode="edge", constant_values=1),
    "pad float": lambda x: np.pad(x, 1.0),
    "pad negative": lambda x: np.pad(x, -1),
    "pad widths": lambda x: np.pad(x, ((1, 1), (1, 1), (1, 1))),
    "pad nothing": lambda x: np.pad(x[:0], 1, mode="edge"),
    "pad mean of nothing": lambda x: np.pad(x[:0], 1, mode="mean"),
    "pad stat_length 0": lambda x: np.pad(x, 1, mode="maximum", stat_length=0),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_errors_are_those_of_numpy(name):
    bad = BAD_CALLS[name]
    with pytest.raises(Exception) as numpys:
        bad(X)
    with pytest.raises(numpys.type):
        bad(leaf())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.take(x, [0], out=np.zeros(1)),
        lambda x: np.compress([True], x, out=np.zeros(1)),
        lambda x: np.choose([0], [x[0]], out=np.zeros(4)),
        lambda x: np.concatenate([x, x], out=np.zeros((6, 4))),
        lambda x: np.stack([x, x], out=np.zeros((2, 3, 4))),
        lambda x: np.pad(x, 1, mode=lambda vector, width, axis, kwargs: None),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 0, writeable=True),
        lambda x: np.lib.stride_tricks.as_strided(x, (2, 2)),
        lambda x: np.insert(np.arange(3), 0, x[0, 0]),
        lambda x: np.full_like(Tensor([1, 2]), x[0, 0]),
        lambda x: np.intersect1d(x, X),
        lambda x: x.sort(),
        lambda x: x.partition(1),
    ],
)
def test_what_would_lose_a_gradient_raises(call):
    with pytest.raises(TypeError):
        call(leaf())


# ---- places ----


def test_places_may_be_tensors():
    places = Tensor(np.array([2, 0, 2]))
    assert gradient(lambda x: np.take(x, places, axis=0)[:, 0])[:, 0].tolist() == [2, 0, 4]
    assert gradient(lambda x: x.take(places)).sum() == 6
    assert gradient(lambda x: np.choose(Tensor(np.array([1, 0, 1])), [x[:, 0], x[:, 1]]))[:, :2].tolist() == [
        [0, 1],
        [2, 0],
        [0, 3],
    ]
    along = Tensor(np.array([[3], [0], [1]]))
    assert np.array_equal(np.take_along_axis(leaf(), along, 1).data, np.take_along_axis(X, along.data, 1))
    assert np.array_equal(np.delete(leaf(), places, axis=0).data, X[1:2])
    assert np.array_equal(np.repeat(leaf(), places, axis=0).data, np.repeat(X, places.data, axis=0))
    assert np.array_equal(np.split(leaf(), Tensor(np.array([1])))[1].data, X[1:])


def test_places_are_not_aliased():
    places = np.array([0, 1])
    x = leaf(X[0])
    y = np.take(x, places)
    places[:] = 3
    assert gradients(np.sum(y), [x])[0].tolist() == [1, 1, 0, 0]


def test_a_plain_array_that_a_recorded_one_goes_into():
    v = leaf(2.0)
    for f in (
        lambda v: np.insert(X, 1, v, axis=0),
        lambda v: np.append(X, v),
        lambda v: np.ediff1d(X, to_end=v),
        lambda v: np.select([X > 0], [leaf()], v),
        lambda v: np.choose((X > 0).astype(int), [v, X]),
        lambda v: np.block([[X, np.broadcast_to(v, (3, 1))]]),
        lambda v: np.hstack([X[0], v]),
        lambda v: np.diff(leaf(), prepend=v),
        lambda v: np.interp(Tensor(X), [0, 1], np.stack([v, 2 * v])),
        lambda v: np.interp(leaf(), [0, 1], [1, 2], left=v),
        lambda v: np.pad(leaf(), 1, constant_values=v),
        lambda v: np.pad(leaf(), 1, mode="linear_ramp", end_values=(0.0, v)),
        lambda v: np.gradient(leaf(), v, axis=0),
        lambda v: np.piecewise(leaf(), [X > 0], [v]),
    ):
        y = f(v)
        (g,) = gradients(np.sum(y), [v])
        above, below = (np.sum(f(Tensor(2.0 + h))).item() for h in (1e-6, -1e-6))
        assert g == pytest.approx((above - below) / 2e-6, rel=1e-6) and g != 0


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="older NumPy took a mask as 0 and 1")
def test_insert_at_a_mask():
    mask = np.array([True, False, True])
    assert np.array_equal(np.insert(leaf(), mask, 9.0, axis=0).data, np.insert(X, mask, 9.0, axis=0))


# ---- layouts ----


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_every_order_of_reading(order):
    deep = np.arange(24.0).reshape(2, 3, 4)
    for x in (deep, np.asfortranarray(deep), deep.transpose(1, 0, 2), deep.transpose(2, 0, 1), deep[:, ::-1]):
        t = Tensor(x, requires_grad=True)
        for y, true in ((np.ravel(t, order), np.ravel(x, order)), (t.flatten(order), x.flatten(order))):
            assert np.array_equal(y.data, true)
            (g,) = gradients(y, [t], true)
            assert np.array_equal(g, x)
        if order != "K":
            y = np.reshape(t, (4, 6), order)
            assert np.array_equal(y.data, np.reshape(x, (4, 6), order))
            assert np.array_equal(gradients(y, [t], y.data)[0], x)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="NumPy has copy= from 2.1 on")
def test_reshape_that_may_not_copy():
    assert np.reshape(leaf(), (4, 3), copy=False).requires_grad
    assert np.reshape(leaf(), (4, 3), copy=True).requires_grad
    with pytest.raises(ValueError):
        np.reshape(leaf().T, (12,), copy=False)


# ---- results beside the values ----


def test_unique_gives_what_numpy_gives():
    x = np.array([2.0, 1.0, 2.0, np.nan, np.nan])
    t = Tensor(x, requires_grad=True)
    for kwargs in ({"return_index": True}, {"return_inverse": True, "return_counts": True}, {"equal_nan": False}):
        for a, b in zip(tuple(np.unique(t, **kwargs)), tuple(np.unique(x, **kwargs)), strict=True):
            np.testing.assert_array_equal(a.data if isinstance(a, Tensor) else a, b)
    for function in (np.unique_all, np.unique_counts, np.unique_inverse):
        ours, numpys = function(t), function(x)
        assert type(ours) is type(numpys) and ours.values.requires_grad
        for a, b in zip((ours.values.data, *ours[1:]), numpys, strict=True):
            np.testing.assert_array_equal(a, b)


def test_sorting_puts_nan_last_and_keeps_its_gradient_apart():
    x = np.array([2.0, np.nan, 1.0])
    assert gradient(np.sort, x).tolist() == [2, 3, 1]
    assert gradient(lambda x: np.partition(x, 1), x).tolist() == [2, 3, 1]


def test_real_if_close():
    x = np.array([1 + 1e-16j, 2])
    assert np.real_if_close(leaf(x)).dtype == float
    assert np.real_if_close(leaf(x + 1j)).dtype == complex


# ---- padding ----


def test_pad_empty_has_the_shape_and_the_gradient():
    assert (
        gradient(lambda x: np.pad(x, 1, mode="empty")).tolist() == np.arange(1.0, 31).reshape(5, 6)[1:-1, 1:-1].tolist()
    )


def test_pad_widths_by_axis():
    y = np.pad(leaf(), {-1: (1, 2), 0: 1})
    assert np.array_equal(y.data, np.pad(X, ((1, 1), (1, 2))))


# ---- interpolation ----


def test_interp_at_and_beyond_the_points():
    xp, fp = np.array([0.0, 1.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 5.0, np.inf, 7.0])
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, np.nan])
    np.testing.assert_array_equal(np.interp(leaf(x), xp, fp).data, np.interp(x, xp, fp))
    for ends in ({}, {"left": -1, "right": 9}):
        np.testing.assert_array_equal(
            np.interp(leaf(x), [1.0], [4.0], **ends).data[:-1], np.interp(x, [1.0], [4.0], **ends)[:-1]
        )


def test_interp_gives_exactly_0_to_points_that_are_not_used():
    fp = leaf([1.0, np.inf, 2.0, 3.0])
    assert gradients(np.interp(Tensor(2.5), [0, 1, 2, 3], fp), [fp])[0].tolist() == [0, 0, 0.5, 0.5]


# ---- windows ----


def test_windows_are_views_and_the_mean_over_them_has_the_right_gradient():
    x = leaf(np.random.default_rng(0).standard_normal(1000))
    windows = np.lib.stride_tricks.sliding_window_view(x, 50)
    assert np.shares_memory(windows.data, x.data)
    (g,) = gradients(np.sum(np.mean(windows, axis=1) ** 2), [x])
    kernel = np.full(50, 1 / 50)
    np.testing.assert_allclose(g, np.convolve(2 * np.convolve(x.data, kernel, "valid"), kernel), rtol=1e-10, atol=1e-12)


def test_lists_among_the_arrays_that_are_joined():
    """As NumPy takes them: np.concatenate([[0.0], x, [1.0]])."""
    x = Tensor(np.array([2.0, 3.0]), requires_grad=True)
    y = np.concatenate([[0.5], x, [1.0]])
    np.testing.assert_array_equal(y.data, [0.5, 2, 3, 1])
    y.backward(np.arange(4.0))
    np.testing.assert_array_equal(x.grad, [1, 2])
    np.testing.assert_array_equal(np.stack([[1, 2], x]).data, [[1, 2], [2, 3]])
