"""Convolution and pooling: as PyTorch over drawn settings; ties, errors, no examples; layers and a small network."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples.conv import plain_conv, plain_conv_transpose

import nn
from autograd import ShapeError, Tensor, grad, gradcheck, gradients, hvp, jvp
from autograd.ops import conv as ops
from autograd.ops import pooling

rng = np.random.default_rng(0)
drawn = settings(max_examples=60, deadline=None, derandomize=True, database=None)
CLOSE = {"rtol": 1e-10, "atol": 1e-11}
CONV = {1: ops.conv1d, 2: ops.conv2d}
TRANSPOSED = {1: ops.conv_transpose1d, 2: ops.conv_transpose2d}
MAX, AVG = {1: pooling.max_pool1d, 2: pooling.max_pool2d}, {1: pooling.avg_pool1d, 2: pooling.avg_pool2d}


def leaf(x):
    return Tensor(x, requires_grad=True)


def pixels(*shape, dtype=float):
    return rng.standard_normal(shape).astype(dtype)


@pytest.fixture(scope="module")
def F():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    functional.torch = torch
    return functional


# ---- PyTorch agrees ----


def compare(torch, ours, theirs, arrays):
    """Values, and gradients for all arrays; or both refuse."""
    others = [torch.tensor(x, requires_grad=True) for x in arrays]
    try:
        expected = theirs(*others)
    except RuntimeError:
        with pytest.raises(ValueError):
            ours(*map(leaf, arrays))
        return
    leaves = [leaf(x) for x in arrays]
    y = ours(*leaves)
    assert y.dtype == arrays[0].dtype
    np.testing.assert_allclose(y.data, expected.detach().numpy(), **CLOSE)
    g = np.asarray(rng.standard_normal(y.shape))
    for a, b in zip(gradients(y, leaves, g), torch.autograd.grad(expected, others, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(a, b.numpy(), **CLOSE)


def axes(draw, n, least, most):
    """A setting: one integer or one for each axis."""
    one = st.integers(least, most)
    return draw(st.one_of(one, st.tuples(*[one] * n)))


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # PyTorch's, about its speed
@drawn
@given(data=st.data())
def test_convolution_is_pytorchs(F, data):
    draw = data.draw
    n, groups = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3))
    channels, out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    x = pixels(draw(st.integers(1, 3)), channels, *draw(st.tuples(*[st.integers(1, 7)] * n)))
    w = pixels(out, channels // groups, *draw(st.tuples(*[st.integers(1, 3)] * n)))
    padding = draw(st.sampled_from(["same", "valid", None]))
    options = {
        "stride": 1 if padding == "same" else axes(draw, n, 1, 3),
        "padding": axes(draw, n, 0, 2) if padding is None else padding,
        "dilation": axes(draw, n, 1, 2),
        "groups": groups,
    }
    theirs = {1: F.conv1d, 2: F.conv2d}[n]
    arrays = [x, w, pixels(out)] if draw(st.booleans()) else [x, w]
    if draw(st.booleans()):
        arrays[0] = x[0]
    compare(F.torch, lambda *a: CONV[n](*a, **options), lambda *a: theirs(*a, **options), arrays)


@drawn
@given(data=st.data())
def test_transposed_convolution_is_pytorchs(F, data):
    draw = data.draw
    n, groups = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3))
    channels, out = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    x = pixels(draw(st.integers(1, 3)), channels, *draw(st.tuples(*[st.integers(1, 4)] * n)))
    w = pixels(channels, out, *draw(st.tuples(*[st.integers(1, 3)] * n)))
    options = {
        "stride": axes(draw, n, 1, 3),
        "padding": axes(draw, n, 0, 2),
        "output_padding": axes(draw, n, 0, 2),
        "dilation": axes(draw, n, 1, 3),
        "groups": groups,
    }
    theirs = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[n]
    arrays = [x, w, pixels(out * groups)] if draw(st.booleans()) else [x, w]
    compare(F.torch, lambda *a: TRANSPOSED[n](*a, **options), lambda *a: theirs(*a, **options), arrays)


@drawn
@given(data=st.data())
def test_pooling_is_pytorchs(F, data):
    draw = data.draw
    n = draw(st.sampled_from([1, 2]))
    x = pixels(*draw(st.tuples(*[st.integers(1, 2)] * 2, *[st.integers(1, 7)] * n)))
    options = {
        "kernel_size": axes(draw, n, 1, 4),
        "stride": draw(st.none()) or axes(draw, n, 1, 3),
        "padding": axes(draw, n, 0, 2),
        "ceil_mode": draw(st.booleans()),
    }
    largest, mean = {1: (F.max_pool1d, F.avg_pool1d), 2: (F.max_pool2d, F.avg_pool2d)}[n]
    # a dilated window may see nothing but padding, and PyTorch then writes outside of its memory
    dilation, include = axes(draw, n, 1, 2 if options["padding"] == 0 else 1), draw(st.booleans())
    compare(
        F.torch,
        lambda x: MAX[n](x, **options, dilation=dilation),
        lambda x: largest(x, **options, dilation=dilation),
        [x],
    )
    compare(
        F.torch,
        lambda x: AVG[n](x, **options, count_include_pad=include),
        lambda x: mean(x, **options, count_include_pad=include),
        [x],
    )


# ---- without PyTorch ----


def test_convolution_by_its_definition():
    x, w, b = pixels(2, 4, 5, 6), pixels(6, 2, 3, 2), pixels(6)
    y = ops.conv2d(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
    exact = {"stride": (2, 1), "padding": ((1, 1), (0, 0)), "dilation": (1, 2), "groups": 2}
    np.testing.assert_allclose(y, plain_conv(x, w, **exact) + b[:, None, None], **CLOSE)
    assert type(y) is np.ndarray


def test_transposed_convolution_undoes_the_shape():
    x, w = pixels(2, 3, 8), pixels(4, 3, 3)
    y = ops.conv1d(x, w, stride=3, padding=1)
    assert y.shape == (2, 4, 3)
    back = ops.conv_transpose1d(y, w, stride=3, padding=1, output_padding=1)
    assert back.shape == x.shape
    exact = {"stride": (3,), "padding": ((1, 0),), "dilation": (1,), "groups": 1}
    np.testing.assert_allclose(back, plain_conv_transpose(y, w, **exact), **CLOSE)
    assert np.sum(back * x) == pytest.approx(np.sum(y * y))


@pytest.mark.parametrize("f", [*CONV.values(), *TRANSPOSED.values()], ids=lambda f: f.__name__)
def test_derivatives_of_every_order(f):
    n = 2 if f.__name__.endswith("2d") else 1
    x, w, b = pixels(2, 2, *(3,) * n), pixels(2, 2, *(2,) * n), pixels(2)
    gradcheck(lambda x, w, b: f(np.sin(x), w, b, stride=2, padding=1), x, w, b, order=3, modes=("reverse",))
    gradcheck(lambda x, w, b: f(np.sin(x), w, b, stride=2, padding=1), x, w, b, order=2)


@pytest.mark.parametrize("f", [*MAX.values(), *AVG.values()], ids=lambda f: f.__name__)
def test_pooling_has_derivatives_of_every_order(f):
    n = 2 if f.__name__.endswith("2d") else 1
    gradcheck(lambda x: f(np.sin(x) * x, 3, 2, 1, ceil_mode=True), pixels(2, *(5,) * n), order=3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(dtype):
    x, w, b = leaf(pixels(2, 3, 6, 6, dtype=dtype)), leaf(pixels(3, 3, 3, 3, dtype=dtype)), leaf(pixels(3, dtype=dtype))
    h = pooling.max_pool2d(ops.conv2d(x, w, b, padding=1), 2, padding=1)
    y = pooling.avg_pool2d(ops.conv_transpose2d(h, w, b, stride=2), 3, 2, 1, count_include_pad=False)
    assert y.dtype == dtype
    assert all(g.dtype == dtype for g in gradients(np.sum(y), [x, w, b]))


def test_no_examples():
    x, w, b = leaf(np.empty((0, 2, 5, 5))), leaf(pixels(3, 2, 2, 2)), leaf(pixels(3))
    y = pooling.avg_pool2d(pooling.max_pool2d(ops.conv2d(x, w, b), 2), 2)
    assert y.shape == (0, 3, 1, 1)
    for g, like in zip(gradients(np.sum(y), [x, w, b]), (x, w, b), strict=True):
        assert g.shape == like.shape
        assert not g.any()


def test_arrays_are_not_written_to():
    for f, arrays in (
        (lambda x, w: ops.conv2d(x, w, padding=1), (pixels(1, 1, 3, 3), pixels(1, 1, 1, 1))),
        (lambda x, w: ops.conv_transpose2d(x, w), (pixels(1, 1, 3, 3), pixels(1, 1, 1, 1))),
        (lambda x: pooling.max_pool2d(x, 1), (pixels(1, 1, 3, 3),)),
    ):
        for x in arrays:
            x.setflags(write=False)
        before = [x.copy() for x in arrays]
        leaves = [leaf(x) for x in arrays]
        f(*leaves).backward(np.ones((1, 1, 3, 3) if f(*arrays).shape[-1] == 3 else (1, 1, 5, 5)))
        np.testing.assert_equal(arrays, before)


@pytest.mark.parametrize("batched", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("op", [ops.conv, ops.conv_transpose, ops.conv_weight], ids=lambda op: op.name)
def test_a_hidden_axis(op, batched):
    """What vmap does with an axis in front is the loop over it."""
    how = {"stride": (2,), "padding": ((1, 0),), "dilation": (1,), "groups": 2}
    shapes = {
        "conv": ((2, 4, 6), (6, 2, 3)),
        "conv_transpose": ((2, 6, 3), (6, 2, 3)),
        "conv_weight": ((2, 4, 6), (2, 6, 3)),
    }
    xs = [pixels(*(5,) * b, *shape) for shape, b in zip(shapes[op.name], batched, strict=True)]
    one = [op(*(x[k] if b else x for x, b in zip(xs, batched, strict=True)), **how) for k in range(5)]
    np.testing.assert_allclose(op.batch(op, xs, how, batched), np.stack(one), **CLOSE)


# ---- kinks of max pooling ----


def test_equal_largest_elements_share_the_gradient():
    x = np.array([[1.0, 1.0, 0.0, 2.0]])
    np.testing.assert_array_equal(grad(lambda x: np.sum(pooling.max_pool1d(x, 2)))(x), [[0.5, 0.5, 0, 1]])
    t = np.array([[3.0, 1.0, 5.0, 7.0]])
    np.testing.assert_array_equal(jvp(lambda x: pooling.max_pool1d(x, 2), (x,), (t,))[1], [[2, 7]])
    np.testing.assert_array_equal(hvp(lambda x: np.sum(pooling.max_pool1d(x, 2) ** 2), x, t), [[2, 2, 0, 14]])
    flat = grad(lambda x: np.sum(pooling.max_pool2d(x, 2)))(np.zeros((1, 2, 2)))
    np.testing.assert_array_equal(flat, np.full((1, 2, 2), 0.25))


def test_padding_is_never_the_largest():
    x = np.full((1, 3), -5.0)
    np.testing.assert_array_equal(pooling.max_pool1d(x, 3, 3, 1), [[-5]])
    np.testing.assert_array_equal(pooling.max_pool1d(x.astype(int), 2, 2, 1), [[-5, -5]])
    np.testing.assert_allclose(grad(lambda x: np.sum(pooling.max_pool1d(x, 3, 3, 1)))(x), [[0.5, 0.5, 0]])


def test_a_window_of_nothing_but_padding_is_a_constant():
    x = np.ones((1, 3))
    np.testing.assert_array_equal(pooling.max_pool1d(x, 2, 1, padding=1, dilation=4), [[-np.inf]])
    np.testing.assert_array_equal(grad(lambda x: np.sum(pooling.max_pool1d(x, 2, 1, 1, 4)))(x), [[0, 0, 0]])


# ---- errors name the shapes ----

X, W = np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ops.conv2d(X, np.ones((4, 2, 3, 3))), ShapeError, "takes x of 2 channels; x of shape .* has 3"),
        (lambda: ops.conv2d(X, W[0]), ShapeError, "out, in / groups, height, width"),
        (lambda: ops.conv2d(X, W[:, :, :0]), ShapeError, "none of them 0"),
        (lambda: ops.conv2d(X[0, 0], W), ShapeError, "N, in, height, width"),
        (lambda: ops.conv2d(X, W, np.ones(3)), ShapeError, r"b of shape \(4,\), not \(3,\)"),
        (lambda: ops.conv2d(X, W, dilation=3), ShapeError, "reaches over 7 x 7 .* does not fit into 5 x 5"),
        (lambda: ops.conv2d(X, W, groups=3), ValueError, "divides the 4 out channels"),
        (lambda: ops.conv2d(X, W, groups=0), ValueError, "groups"),
        (lambda: ops.conv2d(X, W, stride=0), ValueError, "stride is an integer of at least 1"),
        (lambda: ops.conv2d(X, W, stride=(1, 2, 3)), ValueError, "a tuple of 2"),
        (lambda: ops.conv2d(X, W, padding=-1), ValueError, "padding is an integer of at least 0"),
        (lambda: ops.conv2d(X, W, padding=0.5), ValueError, "padding is an integer"),
        (lambda: ops.conv2d(X, W, padding="full"), ValueError, "'same', 'valid'"),
        (lambda: ops.conv2d(X, W, padding="same", stride=2), ValueError, "stride=1"),
        (lambda: ops.conv_transpose2d(X, W), ShapeError, "takes x of 4 channels"),
        (lambda: ops.conv_transpose2d(X, W[:3], output_padding=1), ValueError, "must be less than the stride"),
        (lambda: ops.conv_transpose2d(X[:, :, :1], W[:3], padding=2), ShapeError, "would give -1 x 3"),
        (lambda: pooling.max_pool2d(X, 6), ShapeError, "kernel of 6 x 6 .* does not fit into 5 x 5"),
        (lambda: pooling.max_pool2d(X, 2, padding=2), ValueError, "at most half the kernel"),
        (lambda: pooling.max_pool2d(X * 1j, 2), TypeError, "real numbers"),
        (lambda: pooling.avg_pool2d(X[0, 0, 0], 2), ShapeError, "needs 2 spatial axes"),
        (lambda: nn.Conv2d(3, 4), ValueError, "kernel_size is an integer"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "groups"),
        (lambda: nn.Conv2d(W, np.ones(3)), ShapeError, r"b of shape \(out,\) or None"),
        (lambda: nn.Conv2d(W[0], None), ShapeError, "out, in / groups"),
        (lambda: nn.ConvTranspose1d(W, None), ShapeError, "in, out / groups"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


# ---- layers ----

SIGNAL, IMAGE = pixels(2, 4, 6), pixels(2, 4, 6, 5)


def layers():
    """One of each, with an input."""
    return {
        "Conv1d": (nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2, rng=0), SIGNAL),
        "Conv2d": (nn.Conv2d(4, 2, (3, 2), padding="same", dilation=(1, 2), rng=0), IMAGE),
        "Conv2d, no bias": (nn.Conv2d(4, 2, 2, bias=False, rng=0), IMAGE),
        "ConvTranspose1d": (nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, groups=2, rng=0), SIGNAL),
        "ConvTranspose2d": (nn.ConvTranspose2d(4, 2, (3, 2), stride=(1, 2), dilation=2, rng=0), IMAGE),
        "MaxPool1d": (nn.MaxPool1d(3, stride=2, padding=1), SIGNAL),
        "MaxPool2d": (nn.MaxPool2d((2, 3), ceil_mode=True), IMAGE),
        "AvgPool1d": (nn.AvgPool1d(3, 2, 1, count_include_pad=False), SIGNAL),
        "AvgPool2d": (nn.AvgPool2d(2, ceil_mode=True), IMAGE),
        "Flatten": (nn.Flatten(), IMAGE),
    }


@pytest.mark.parametrize("name", layers())
def test_a_layer_by_hand_and_in_the_graph(name):
    layer, x = layers()[name]
    y = layer(leaf(x))
    dout = pixels(*y.shape)
    np.testing.assert_array_equal(layer.forward(x), y.data)
    dx = layer.backward(dout)
    parameters = dict(layer.named_parameters())
    xs = leaf(x)
    expected = gradients(layer(xs), [xs, *parameters.values()], dout)
    for g, e in zip((dx, *layer.grads.values()), expected, strict=True):
        np.testing.assert_array_equal(g, e)
    if parameters:
        assert layer.dW is layer.grads["W"]
        assert layer.db is layer.grads.get("b")


@pytest.mark.parametrize("name", [name for name in layers() if name not in ("Flatten", "Conv2d, no bias")])
def test_a_layer_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    layer, x = layers()[name]
    settings = {k: v for k, v in vars(layer).items() if k not in ("W", "b")}
    if name.startswith("Conv"):
        rows, columns, *kernel = layer.W.shape
        columns *= layer.groups
        channels = (rows, columns) if layer.transposed else (columns, rows)
        theirs = getattr(torch.nn, name)(*channels, tuple(kernel), **settings, dtype=torch.float64)
        assert tuple(theirs.weight.shape) == layer.W.shape
        theirs.weight.data, theirs.bias.data = torch.tensor(layer.W.data), torch.tensor(layer.b.data)
    else:
        theirs = getattr(torch.nn, name)(**settings)
    np.testing.assert_allclose(layer.forward(x), theirs(torch.tensor(x)).detach().numpy(), **CLOSE)


def test_given_arrays_are_shared():
    W, b = pixels(4, 3, 3, 3), pixels(4)
    layer = nn.Conv2d(W, b, stride=2)
    assert layer.W.data is W
    assert layer.b.data is b
    np.testing.assert_allclose(layer.forward(X), ops.conv2d(X, W, b, 2))
    assert [name for name, _ in nn.Conv2d(W, None).named_parameters()] == ["W"]
    assert nn.Conv2d(3, 4, 3, dtype=np.float32).W.dtype == np.float32


def test_drawn_weights_keep_the_size_of_a_signal():
    x = np.maximum(rng.standard_normal((16, 32, 12, 12)), 0)
    y = nn.Conv2d(32, 64, 3, rng=0).forward(x)
    assert np.mean(y**2) == pytest.approx(2 * np.mean(x**2), rel=0.1)


# ---- a small network ----


def lenet(dtype, rng=0):
    rng = np.random.default_rng(rng)
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2, rng=rng, dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 5, rng=rng, dtype=dtype),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Affine(200, 10, rng=rng, dtype=dtype),
    )


@pytest.fixture(scope="module")
def digits():
    sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
    try:
        import mnist
    finally:
        sys.path.pop(0)
    d = mnist.load(Path(mnist.__file__).parent / "mnist_5k")
    return d.train_images[:500, None] / np.float32(255), d.train_labels[:500]


def test_a_small_network_learns_digits(digits):
    images, labels = digits
    model = lenet(np.float32)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        for k in range(0, 500, 50):
            loss = nn.softmax_cross_entropy(model(images[k : k + 50]), labels[k : k + 50])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert loss.dtype == np.float32
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_the_loss_of_a_small_network_has_the_right_gradient(digits):
    images, labels = digits
    model = lenet(float)
    x = images[:2].astype(float) + rng.uniform(0, 0.1, (2, 1, 28, 28))  # plain paper is all ties
    leaves = [leaf(x), *model.parameters()]
    found = gradients(nn.softmax_cross_entropy(model(leaves[0]), labels[:2]), leaves)
    for p, g in zip(leaves, found, strict=True):
        v = rng.standard_normal(p.shape) / np.sqrt(p.size)
        kept, values = p.data, []
        for h in (1e-6, -1e-6):
            p.data = kept + h * v
            values.append(nn.softmax_cross_entropy(model(leaves[0]), labels[:2]).item())
        p.data = kept
        assert np.sum(g * v) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)
