"""The listing that the project started from runs as it stands, and every number in it is right.

Below is the seed document's TwoLayerNet, word for word: only the two imports of the book's modules name ours, ReLU has
its capitals, and the quotes are straight. It shares a dict of arrays with the layers, drives them by hand in a reverse
loop, and is trained by writing into those arrays. The oracles are the four layers written out in NumPy, numerical
differentiation, and torch where it is installed.
"""
# The listing stays as it is printed:
# ruff: noqa: E401, E402, E701, F403, F405, I001

# fmt: off
import sys, os
sys.path.append(os.pardir)
import numpy as np
from nn import *
from autograd import numerical_gradient
from collections import OrderedDict

class TwoLayerNet:

    def __init__(self, input_size, hidden_size, output_size,
                 weight_init_std=0.01):
        # 初始化权重
        self.params = {}
        self.params['W1'] = weight_init_std *                             np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = weight_init_std *                             np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

        # 生成层
        self.layers = OrderedDict()   # OrderedDict是有序字典
        self.layers['Affine1'] =             Affine(self.params['W1'], self.params['b1'])
        self.layers['Relu1'] = ReLU()
        self.layers['Affine2'] =             Affine(self.params['W2'], self.params['b2'])

        self.lastLayer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)

        return x

    # x:输入数据, t:监督数据
    def loss(self, x, t):
        y = self.predict(x)
        return self.lastLayer.forward(y, t)

    def accuracy(self, x, t):
        y = self.predict(x)
        y = np.argmax(y, axis=1)
        if t.ndim != 1 : t = np.argmax(t, axis=1)
        accuracy = np.sum(y == t) / float(x.shape[0])
        return accuracy

    # x:输入数据, t:监督数据
    def numerical_gradient(self, x, t):
        loss_W = lambda W: self.loss(x, t)

        grads = {}
        grads['W1'] = numerical_gradient(loss_W, self.params['W1'])
        grads['b1'] = numerical_gradient(loss_W, self.params['b1'])
        grads['W2'] = numerical_gradient(loss_W, self.params['W2'])
        grads['b2'] = numerical_gradient(loss_W, self.params['b2'])

        return grads

    def gradient(self, x, t):
        # forward
        self.loss(x, t)

        # backward
        dout = 1
        dout = self.lastLayer.backward(dout)

        layers = list(self.layers.values())
        layers.reverse()
        for layer in layers:
            dout = layer.backward(dout)

        # 设定
        grads = {}
        grads['W1'] = self.layers['Affine1'].dW
        grads['b1'] = self.layers['Affine1'].db
        grads['W2'] = self.layers['Affine2'].dW
        grads['b2'] = self.layers['Affine2'].db

        return grads

# fmt: on

import pytest

import nn

sys.path.remove(os.pardir)  # the listing's; nothing here needs it


class SigmoidNet(TwoLayerNet):
    """The same with the other activation."""

    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        self.layers["Relu1"] = Sigmoid()  # replaces the value, keeps the place


NETS = {"relu": TwoLayerNet, "sigmoid": SigmoidNet}
KINDS = ("indices", "one-hot")


@pytest.fixture(params=NETS)
def activation(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def make(activation="relu", sizes=(6, 5, 4), std=0.5, seed=0):
    np.random.seed(seed)
    return NETS[activation](*sizes, weight_init_std=std)


def batch(kind="indices", n=7, inputs=6, classes=4, seed=1):
    """Inputs and labels that nobody may write to."""
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal((n, inputs)), rng.integers(0, classes, n)
    t = np.eye(classes)[t] if kind == "one-hot" else t
    x.flags.writeable = t.flags.writeable = False
    return x, t


# ---- the book's four layers in NumPy ----


class PlainAffine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.einsum("ni,io->no", x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.einsum("ni,no->io", self.x, dout)
        self.db = np.einsum("no->o", dout)
        return np.einsum("no,io->ni", dout, self.W)


class PlainReLU:
    def forward(self, x):
        self.on = x > 0
        return np.where(self.on, x, 0)

    def backward(self, dout):
        return np.where(self.on, dout, 0)


class PlainSigmoid:
    def forward(self, x):
        self.y = (1 + np.tanh(x / 2)) / 2
        return self.y

    def backward(self, dout):
        return dout * self.y * (1 - self.y)


class PlainSoftmaxWithLoss:
    def forward(self, x, t):
        e = np.exp(x)
        self.y = e / e.sum(axis=1, keepdims=True)
        self.t = t if t.ndim == 2 else np.eye(x.shape[1])[t]
        self.loss = -np.log((self.y * self.t).sum(axis=1)).mean()
        return self.loss

    def backward(self, dout=1):
        return dout * (self.y - self.t) / len(self.t)


def plain(net):
    """The same network of plain layers, on the same arrays."""
    p = net.params
    middle = PlainReLU() if isinstance(net.layers["Relu1"], ReLU) else PlainSigmoid()
    return [PlainAffine(p["W1"], p["b1"]), middle, PlainAffine(p["W2"], p["b2"])], PlainSoftmaxWithLoss()


def plain_gradient(net, x, t):
    layers, last = plain(net)
    for layer in layers:
        x = layer.forward(x)
    last.forward(x, t)
    dout = last.backward()
    for layer in reversed(layers):
        dout = layer.backward(dout)
    first, _, second = layers
    return {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}


# ---- gradients ----


def test_the_layers_share_the_arrays_of_the_dict():
    net = make()
    for name, layer, field in [
        ("W1", "Affine1", "W"),
        ("b1", "Affine1", "b"),
        ("W2", "Affine2", "W"),
        ("b2", "Affine2", "b"),
    ]:
        assert getattr(net.layers[layer], field).data is net.params[name]


@pytest.mark.parametrize("std", [0.01, 0.5])
def test_gradients_equal_the_numerical_ones(activation, kind, std):
    net = make(activation, std=std)
    x, t = batch(kind)
    kept = {key: array.copy() for key, array in net.params.items()}
    found, numeric = net.gradient(x, t), net.numerical_gradient(x, t)
    assert list(found) == list(numeric) == ["W1", "b1", "W2", "b2"]
    for key in found:
        assert type(found[key]) is np.ndarray and found[key].dtype == np.float64
        assert found[key].shape == net.params[key].shape
        assert np.max(np.abs(found[key] - numeric[key])) < 1e-8
        np.testing.assert_array_equal(net.params[key], kept[key])


def test_every_number_equals_the_layers_written_out(activation, kind):
    net = make(activation)
    x, t = batch(kind)
    layers, last = plain(net)
    ours, theirs = x, x
    for mine, other in zip(net.layers.values(), layers, strict=True):
        ours, theirs = mine.forward(ours), other.forward(theirs)
        assert type(ours) is np.ndarray
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)
    loss = net.lastLayer.forward(ours, t)
    assert isinstance(loss, float)
    assert loss == pytest.approx(last.forward(theirs, t), rel=1e-14)
    assert loss == net.lastLayer.loss == net.loss(x, t)
    np.testing.assert_allclose(net.lastLayer.y, last.y, rtol=1e-13)
    np.testing.assert_array_equal(net.lastLayer.t, t)

    ours, theirs = net.lastLayer.backward(1), last.backward(1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-16)
    for mine, other in zip(reversed(net.layers.values()), reversed(layers), strict=True):
        ours, theirs = mine.backward(ours), other.backward(theirs)
        assert type(ours) is np.ndarray
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-16)
        if isinstance(mine, Affine):
            np.testing.assert_allclose(mine.dW, other.dW, rtol=1e-12, atol=1e-16)
            np.testing.assert_allclose(mine.db, other.db, rtol=1e-12, atol=1e-16)


def test_the_gradients_of_one_batch_do_not_change_with_the_next():
    net = make()
    first = net.gradient(*batch(seed=1))
    kept = {key: g.copy() for key, g in first.items()}
    second = net.gradient(*batch(seed=2))
    for key in first:
        np.testing.assert_array_equal(first[key], kept[key])
        assert np.any(first[key] != second[key])


def test_both_kinds_of_labels_mean_the_same(activation):
    net = make(activation)
    (x, t), (_, rows) = batch("indices"), batch("one-hot")
    assert net.loss(x, t) == pytest.approx(net.loss(x, rows), rel=1e-15)
    a, b = net.gradient(x, t), net.gradient(x, rows)
    for key in a:
        np.testing.assert_allclose(a[key], b[key], rtol=1e-14, atol=1e-17)
    assert net.accuracy(x, t) == net.accuracy(x, rows)


def test_the_graph_gives_the_same_gradients(activation, kind):
    net = make(activation)
    x, t = batch(kind)
    by_hand = net.gradient(x, t)
    model = nn.Sequential(*net.layers.values())
    loss = nn.softmax_cross_entropy(model(x), t)
    loss.backward()
    assert loss.item() == net.loss(x, t)
    for g, p in zip(by_hand.values(), model.parameters(), strict=True):
        np.testing.assert_array_equal(g, p.grad)


# ---- training ----


def separable(n=60, inputs=6, classes=4, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, inputs))
    return x, np.argmax(x @ rng.standard_normal((inputs, classes)), axis=1)


def test_writing_into_the_arrays_trains_the_net(activation, kind):
    net = make(activation, sizes=(6, 12, 4))
    x, t = separable()
    t = np.eye(4)[t] if kind == "one-hot" else t
    arrays, before, path = dict(net.params), net.accuracy(x, t), [net.loss(x, t)]
    lr = 0.5
    for _ in range(150):
        grad = net.gradient(x, t)
        for key in ("W1", "b1", "W2", "b2"):
            net.params[key] -= lr * grad[key]
        path.append(net.loss(x, t))
    assert path[-1] < path[0] / 3 and np.all(np.diff(path[:20]) < 0)
    assert net.accuracy(x, t) > max(before, 0.9)
    for key, array in arrays.items():
        assert net.params[key] is array


def test_every_step_of_training_sees_the_arrays_as_they_are(activation):
    net = make(activation)
    x, t = batch()
    for _ in range(5):
        grad, want = net.gradient(x, t), plain_gradient(net, x, t)
        for key in grad:
            np.testing.assert_allclose(grad[key], want[key], rtol=1e-11, atol=1e-15)
            net.params[key] -= 0.5 * grad[key]


def test_accuracy_is_the_share_of_right_answers(kind):
    net = make()
    x, t = batch(kind)
    labels = t if t.ndim == 1 else t.argmax(axis=1)
    assert net.accuracy(x, t) == np.mean(net.predict(x).argmax(axis=1) == labels)
    right = net.predict(x).argmax(axis=1)
    assert net.accuracy(x, right) == 1 and net.accuracy(x, np.eye(4)[right]) == 1
    assert net.accuracy(x, (right + 1) % 4) == 0


# ---- the layers leave what they are given alone ----


def test_no_layer_changes_its_arguments(activation, kind):
    net = make(activation)
    x, t = batch(kind)
    given = [x, t, *net.params.values()]

    def locked(array):
        array = np.array(array)  # the layer gets an array of its own that it cannot write to
        array.flags.writeable = False
        given.append(array)
        return array

    for array in net.params.values():
        array.flags.writeable = False
    kept = [array.copy() for array in given]
    out = x
    for layer in net.layers.values():
        out = layer.forward(locked(out))
        kept.append(given[-1].copy())
    net.lastLayer.forward(locked(out), t)
    kept.append(given[-1].copy())
    dout = net.lastLayer.backward()
    for layer in reversed(net.layers.values()):
        dout = layer.backward(locked(dout))
        kept.append(given[-1].copy())
    for array, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_results_of_backward_may_be_written_to(activation):
    net = make(activation)
    x, t = batch()
    want = plain_gradient(net, x, t)
    net.loss(x, t)
    dout = net.lastLayer.backward()
    for layer in reversed(net.layers.values()):
        passed, dout = dout, layer.backward(dout)
        passed *= 0  # as the book's own ReLU does with what it gets
    np.testing.assert_allclose(net.layers["Affine1"].dW, want["W1"], rtol=1e-12)
    np.testing.assert_allclose(net.layers["Affine2"].db, want["b2"], rtol=1e-12)


# ---- torch ----


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_torch_agrees(activation, kind, dtype, tolerance):
    torch = pytest.importorskip("torch")
    net = make(activation)
    x, t = batch(kind)
    x = x.astype(dtype)
    for key in net.params:
        net.params[key] = net.params[key].astype(dtype)
    net.layers["Affine1"] = Affine(net.params["W1"], net.params["b1"])
    net.layers["Affine2"] = Affine(net.params["W2"], net.params["b2"])
    theirs = {key: torch.tensor(array, requires_grad=True) for key, array in net.params.items()}
    act = {"relu": torch.relu, "sigmoid": torch.sigmoid}[activation]
    scores = act(torch.tensor(x) @ theirs["W1"] + theirs["b1"]) @ theirs["W2"] + theirs["b2"]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(t.astype(dtype) if t.ndim == 2 else t))
    loss.backward()
    assert net.loss(x, t).dtype == dtype
    assert net.loss(x, t) == pytest.approx(loss.item(), abs=tolerance)
    np.testing.assert_allclose(net.predict(x), scores.detach().numpy(), rtol=0, atol=tolerance)
    for key, g in net.gradient(x, t).items():
        assert g.dtype == dtype
        np.testing.assert_allclose(g, theirs[key].grad.numpy(), rtol=0, atol=tolerance)
