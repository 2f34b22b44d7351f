"""Modules: what they hold, the two ways to drive them, copies and states, and what they say when something is wrong."""

import copy
import gc
import inspect
import os
import pickle
import subprocess
import sys
import weakref
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, detect_anomaly, gradients, no_grad, numerical_gradient
from autograd.sweep import reachable

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 3))
X.flags.writeable = False
IMAGES = np.random.default_rng(1).standard_normal((2, 2, 4, 3))
IMAGES.flags.writeable = False
LABELS = np.array([0, 1, 1, 0, 1])


def small_net(dtype=np.float64):
    return nn.Sequential(nn.Affine(3, 4, rng=0, dtype=dtype), nn.ReLU(), nn.Affine(4, 2, rng=1, dtype=dtype))


def layers():
    """One of each, with an input and a cotangent of the output."""
    return {
        "ReLU": (nn.ReLU(), (X,), rng.standard_normal((5, 3))),
        "Sigmoid": (nn.Sigmoid(), (X,), rng.standard_normal((5, 3))),
        "Affine": (nn.Affine(3, 2, rng=0), (X,), rng.standard_normal((5, 2))),
        "SoftmaxWithLoss": (nn.SoftmaxWithLoss(), (X, LABELS), 2.0),
        "SoftmaxWithLoss, rows": (nn.SoftmaxWithLoss(), (X, np.eye(3)[LABELS]), 2.0),
        "Conv2d": (nn.Conv2d(2, 3, 2, padding=1, rng=0), (IMAGES,), rng.standard_normal((2, 3, 5, 4))),
        "ConvTranspose1d": (nn.ConvTranspose1d(3, 2, 2, rng=0), (IMAGES[0, :, :3],), rng.standard_normal((2, 2, 4))),
        "MaxPool2d": (nn.MaxPool2d(2), (IMAGES,), rng.standard_normal((2, 2, 2, 1))),
        "AvgPool2d": (nn.AvgPool2d(2), (IMAGES,), rng.standard_normal((2, 2, 2, 1))),
        "Flatten": (nn.Flatten(), (IMAGES,), rng.standard_normal((2, 24))),
        "Sequential": (small_net(), (X,), rng.standard_normal((5, 2))),
        "Net": (Net(), (X,), rng.standard_normal((5, 2))),
    }  # fmt: skip


class Net(nn.Module):
    """A model as a user of PyTorch writes it."""

    def __init__(self):
        self.fc1 = nn.Affine(3, 4, rng=0)
        self.gain = nn.Parameter(np.full(4, 1.5), name="gain")
        self.fc2 = nn.Affine(4, 2, rng=1)

    def forward(self, x):
        h = nn.sigmoid(self.fc1(x)) * self.gain
        return self.fc2(h)


NAMES_OF_LAYERS = list(layers())


@pytest.fixture(params=NAMES_OF_LAYERS)
def case(request):
    return layers()[request.param]


# ---- two ways to drive ----


def test_both_ways_give_the_same_results_and_gradients(case):
    layer, inputs, dout = case
    x = Tensor(inputs[0], requires_grad=True)
    y = layer(x, *inputs[1:])
    y.backward(dout)
    assert isinstance(y, Tensor)
    out = layer.forward(*inputs)
    dx = layer.backward(dout)
    np.testing.assert_array_equal(out, y.data)
    np.testing.assert_array_equal(dx, x.grad)
    named = dict(layer.named_parameters())
    assert list(layer.grads) == list(named)
    for name, g in layer.grads.items():
        np.testing.assert_array_equal(g, named[name].grad)


def test_hand_driven_gradients_equal_the_numerical_ones(case):
    layer, inputs, dout = case
    x = inputs[0].copy()
    layer.forward(x, *inputs[1:])
    dx = layer.backward(dout)

    def loss(_):
        return np.sum(layer.forward(x, *inputs[1:]) * dout)

    grads = layer.grads
    np.testing.assert_allclose(dx, numerical_gradient(loss, x), atol=1e-7)
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(grads[name], numerical_gradient(loss, p.data), atol=1e-7)


def test_driven_by_hand_everything_is_a_plain_array(case):
    layer, inputs, dout = case
    out = layer.forward(*inputs)
    assert isinstance(out, np.ndarray if np.ndim(dout) else np.float64)
    for g in (layer.backward(dout), *layer.grads.values()):
        assert type(g) is np.ndarray and g.dtype == np.float64


def test_backward_before_forward_raises(case):
    layer, _, dout = case
    with pytest.raises(RuntimeError, match=rf"^{type(layer).__name__}\.backward\(dout\) needs a forward pass first"):
        layer.backward(dout)
    assert layer.grads == {}


def test_calling_the_layer_is_no_forward_pass_by_hand():
    layer = nn.Affine(3, 2, rng=0)
    layer(X)
    with pytest.raises(RuntimeError, match="forward pass first"):
        layer.backward(np.ones((5, 2)))


def test_backward_twice_gives_the_same(case):
    layer, inputs, dout = case
    layer.forward(*inputs)
    first, grads = layer.backward(dout), layer.grads
    kept = [g.copy() for g in (first, *grads.values())]
    second = layer.backward(dout)
    for g, h, k in zip((first, *grads.values()), (second, *layer.grads.values()), kept, strict=True):
        assert g is not h
        np.testing.assert_array_equal(g, k)
        np.testing.assert_array_equal(h, k)


def test_hand_driving_leaves_grad_and_arguments_alone(case):
    layer, inputs, dout = case
    kept = [np.copy(a) for a in (*inputs, dout)]
    layer.forward(*inputs)
    layer.backward(dout)
    assert all(p.grad is None for p in layer.parameters())
    for a, k in zip((*inputs, dout), kept, strict=True):
        np.testing.assert_array_equal(a, k)


def test_affine_names_its_gradients():
    layer = nn.Affine(3, 2, rng=0)
    assert layer.dW is None and layer.db is None
    dout = rng.standard_normal((5, 2))
    layer.forward(X)
    dx = layer.backward(dout)
    np.testing.assert_allclose(dx, dout @ layer.W.data.T, rtol=1e-14)
    np.testing.assert_allclose(layer.dW, X.T @ dout, rtol=1e-14)
    np.testing.assert_allclose(layer.db, dout.sum(0), rtol=1e-14)
    assert layer.grads["W"] is layer.dW and layer.grads["b"] is layer.db


def test_softmax_with_loss_shows_what_it_computed():
    last = nn.SoftmaxWithLoss()
    assert last.loss is last.y is last.t is None
    for drive in (last.forward, last):
        value = drive(X, LABELS)
        assert last.loss == (value.item() if isinstance(value, Tensor) else value)
        np.testing.assert_allclose(last.y, np.exp(X) / np.exp(X).sum(1, keepdims=True), rtol=1e-14)
        np.testing.assert_array_equal(last.t, LABELS)
    last.forward(X, LABELS)
    np.testing.assert_allclose(last.backward(), (last.y - np.eye(3)[LABELS]) / 5, atol=1e-16)
    np.testing.assert_array_equal(last.backward(), last.backward(1))


def test_hand_driving_works_under_no_grad_and_records_nothing_outside():
    layer = nn.Affine(3, 2, rng=0)
    with no_grad():
        layer.forward(X)
        dx = layer.backward(np.ones((5, 2)))
        assert layer(X).node is None
    np.testing.assert_allclose(dx, np.ones((5, 2)) @ layer.W.data.T)


def test_cotangents_of_any_kind_are_taken_and_wrong_ones_refused():
    layer = nn.Affine(3, 2, rng=0)
    layer.forward(X)
    want = layer.backward(np.ones((5, 2)))
    for dout in (np.ones((5, 2), int), np.ones((5, 2)).tolist(), Tensor(np.ones((5, 2))), np.ones((5, 2), np.float32)):
        np.testing.assert_array_equal(layer.backward(dout), want)
    for shape in [(), (2,), (5, 1), (2, 5)]:
        with pytest.raises(ShapeError) as caught:
            layer.backward(np.ones(shape))
        assert str(shape) in str(caught.value) and "(5, 2)" in str(caught.value)
    with pytest.raises(TypeError, match="complex"):
        layer.backward(1j * np.ones((5, 2)))


def test_lists_and_integers_are_taken_by_hand():
    class Times(nn.Module):
        def forward(self, a, b):
            return a * b

    layer = Times()
    assert layer.forward(100, 2) == 200
    da, db = layer.backward(1.1)
    assert (da, db) == (pytest.approx(2.2), pytest.approx(110)) and da.dtype == np.float64
    relu = nn.ReLU()
    np.testing.assert_array_equal(relu.forward([[1, -2], [-3, 4]]), [[1, 0], [0, 4]])
    np.testing.assert_array_equal(relu.backward(np.ones((2, 2))), [[1, 0], [0, 1]])


class Shift(nn.Module):
    def __init__(self):
        self.b = nn.Parameter(np.zeros((2, 2)))

    def forward(self, x):
        return x + self.b


class Total(nn.Module):
    def forward(self, x):
        return np.sum(x)


def test_what_backward_returns_may_be_written_to():
    shift, dout = Shift(), np.ones((2, 2))
    shift.forward(np.zeros((2, 2)))
    dx = shift.backward(dout)
    dx *= 5
    np.testing.assert_array_equal([dout, shift.grads["b"]], np.ones((2, 2, 2)))
    dx = shift.backward(Tensor(dout))
    dx *= 5
    np.testing.assert_array_equal(dout, np.ones((2, 2)))
    for layer in (Total(), nn.Sequential(Total())):
        layer.forward(np.zeros((2, 3)))
        dx = layer.backward()
        dx[0] = 0
        np.testing.assert_array_equal(dx, [[0, 0, 0], [1, 1, 1]])
    identity, dout = nn.Sequential(), np.ones(3)
    identity.forward(np.zeros(3))
    assert not np.shares_memory(identity.backward(dout), dout)


def test_a_module_that_ignores_its_input_has_zero_gradients():
    class Constant(nn.Module):
        def __init__(self):
            self.p = nn.Parameter(np.ones(2))

        def forward(self, x):
            return Tensor(np.ones(3))

    layer = Constant()
    layer.forward(X)
    np.testing.assert_array_equal(layer.backward(np.ones(3)), np.zeros_like(X))
    np.testing.assert_array_equal(layer.grads["p"], [0, 0])


@pytest.mark.parametrize("result", [X, (Tensor(X), Tensor(X)), None, 1.0], ids=["ndarray", "tuple", "None", "float"])
def test_by_hand_a_module_returns_one_tensor(result):
    class Odd(nn.Module):
        def forward(self, x):
            return result

    assert Odd()(X) is result
    with pytest.raises(TypeError, match=f"Odd.forward .* one Tensor, not {type(result).__name__}"):
        Odd().forward(X)


def test_keyword_arguments_reach_forward_as_they_are():
    class Scale(nn.Module):
        def forward(self, x, *, by=1.0, label=None):
            return x * by

    layer = Scale()
    np.testing.assert_array_equal(layer(X, by=3.0, label="a").data, 3 * X)
    np.testing.assert_array_equal(layer.forward(X, by=3.0), 3 * X)
    np.testing.assert_array_equal(layer.backward(np.ones_like(X)), np.full_like(X, 3))
    assert isinstance(layer.forward(Tensor(X), by=3.0), Tensor)
    assert layer.forward(x=Tensor(X, requires_grad=True)).node is not None
    with pytest.raises(TypeError, match="unexpected keyword argument 'bye'"):
        layer(X, bye=1)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_a_penalty_on_the_gradients_is_differentiated_through_all_layers(activation):
    """Second order, against numerical differentiation of the first."""
    model = nn.Sequential(nn.Affine(3, 4, rng=0), activation(), nn.Affine(4, 2, rng=1))
    last = nn.SoftmaxWithLoss()
    gs = gradients(last(model(X), LABELS), model.parameters(), create_graph=True)
    sum(np.sum(g * g) for g in gs).backward()

    def penalty(_):
        last.forward(model.forward(X), LABELS)
        model.backward(last.backward())
        return sum(np.sum(g * g) for g in model.grads.values())

    for p in model.parameters():
        np.testing.assert_allclose(p.grad, numerical_gradient(penalty, p.data), atol=1e-7)


# ---- subclasses ----


def test_forward_with_tensors_records_inside_subclasses():
    class Twice(nn.Affine):
        def forward(self, x):
            return super().forward(super().forward(x))

    class Residual(nn.Module):
        def __init__(self):
            self.inner = Twice(3, 3, rng=0)

        def forward(self, x):
            return x + self.inner.forward(nn.ReLU().forward(x))

    layer = Residual()
    W = layer.inner.W.data
    x = Tensor(X, requires_grad=True)
    y = layer(x)
    np.testing.assert_allclose(y.data, X + np.maximum(X, 0) @ W @ W, rtol=1e-13)
    y.backward(np.ones_like(X))
    np.testing.assert_array_equal(layer.forward(X), y.data)
    np.testing.assert_array_equal(layer.backward(np.ones_like(X)), x.grad)
    np.testing.assert_array_equal(layer.grads["inner.W"], layer.inner.W.grad)
    assert layer.inner._driven is None  # inside a graph nothing is driven by hand


def test_a_subclass_without_forward_of_its_own_inherits_both_ways():
    class Named(nn.Affine):
        pass

    layer = Named(3, 2, rng=0)
    np.testing.assert_array_equal(layer.forward(X), layer(X).data)
    assert layer(X).node.scope == ("Named",)


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    for drive in (Empty(), Empty().forward):
        with pytest.raises(TypeError, match=r"Empty has no forward\(\); define forward\(self, x\)"):
            drive(X)


class Zoo(nn.Module):
    """Parameters in every kind of field, in an order that is not the alphabet's."""

    def __init__(self):
        self.z = nn.Parameter(np.zeros(1))
        self.stack = [nn.Affine(2, 2, rng=0), nn.ReLU(), (nn.Parameter(np.zeros(2)), nn.Affine(2, 3, rng=1))]
        self.number, self.text, self.nothing, self.array = 3, "W", None, np.zeros(2)
        self.table = OrderedDict(second=nn.Affine(1, 1, rng=2), first={"deep": nn.Parameter(np.zeros(3))})
        self.constant = Tensor(np.zeros(2))
        self.tied = self.stack[0].W
        self.again = self.stack[0]
        self.a = nn.Parameter(np.zeros(4))

    def forward(self, x):
        return x


NAMES = [
    "z", "stack.0.W", "stack.0.b", "stack.2.0", "stack.2.1.W", "stack.2.1.b",
    "table.second.W", "table.second.b", "table.first.deep", "a",
]  # fmt: skip


def test_parameters_are_found_once_in_the_order_of_definition():
    zoo = Zoo()
    named = dict(zoo.named_parameters())
    assert list(named) == NAMES == list(zoo.state_dict())
    assert zoo.parameters() == list(named.values())
    assert named["stack.0.W"] is zoo.tied and named["table.first.deep"] is zoo.table["first"]["deep"]
    assert [type(m).__name__ for m in zoo.modules()] == ["Zoo", "Affine", "ReLU", "Affine", "Affine"]


def test_a_shared_parameter_gets_the_sum_of_its_gradients():
    class Tied(nn.Module):
        def __init__(self):
            self.one = nn.Affine(3, 3, rng=0)
            self.two = nn.Affine(self.one.W, nn.Parameter(np.zeros(3)))

        def forward(self, x):
            return self.two(self.one(x))

    model = Tied()
    assert [name for name, _ in model.named_parameters()] == ["one.W", "one.b", "two.b"]
    dout = rng.standard_normal((5, 3))
    model.forward(X)
    model.backward(dout)
    g = model.grads["one.W"]
    model.forward(X)
    np.testing.assert_allclose(
        g, numerical_gradient(lambda _: np.sum(model.forward(X) * dout), model.one.W.data), atol=1e-7
    )


def test_a_module_that_knows_its_parent_is_walked_once():
    model = small_net()
    model[0].parent = model
    model.self_list = [model]
    model.self_list.append(model.self_list)
    assert len(model.parameters()) == 4 and len(model.modules()) == 4
    assert model.eval() is model and not model[0].training


def test_fields_that_change_are_seen():
    model = Net()
    model.fc2 = nn.Affine(4, 7, rng=0)
    model.extra = nn.Parameter(np.zeros(2))
    assert dict(model.named_parameters())["fc2.W"].shape == (4, 7)
    del model.gain
    assert [name for name, _ in model.named_parameters()] == ["fc1.W", "fc1.b", "fc2.W", "fc2.b", "extra"]


def test_frozen_parameters_are_left_out():
    model = Net()
    model.fc1.W.requires_grad = False
    np.sum(model(X)).backward()
    assert model.fc1.W.grad is None and model.fc1.b.grad is not None
    model.forward(X)
    model.backward(np.ones((5, 2)))
    assert list(model.grads) == ["fc1.b", "gain", "fc2.W", "fc2.b"]
    np.testing.assert_array_equal(model.grads["fc2.W"], model.fc2.W.grad)


def test_train_and_eval_are_a_field_of_each_module():
    class Doubled(nn.Module):
        def forward(self, x):
            return x * 2 if self.training else x

    model, other = nn.Sequential(Doubled(), nn.Sequential(Doubled())), Doubled()
    np.testing.assert_array_equal(model(X).data, 4 * X)
    assert model.eval() is model
    np.testing.assert_array_equal(model(X).data, X)
    np.testing.assert_array_equal(other(X).data, 2 * X)
    model[1].train()
    np.testing.assert_array_equal(model.forward(X), 2 * X)
    assert model.train() is model and all(m.training for m in model.modules())


def test_zero_grad():
    model = small_net()
    np.sum(model(X)).backward()
    np.sum(model(X)).backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_repr_names_the_parameters():
    assert repr(nn.Affine(3, 2, rng=0)) == "Affine(W=(3, 2), b=(2,))"
    assert repr(nn.ReLU()) == "ReLU()"
    assert "layers.2.b=(2,)" in repr(small_net())


# ---- parameters and starting values ----


def test_a_parameter_shares_its_array():
    array = np.zeros((2, 3))
    p = nn.Parameter(array, name="W1")
    assert p.data is array and p.requires_grad and p.is_leaf and p.name == "W1" and isinstance(p, Tensor)
    array += 1
    assert p.data[0, 0] == 1
    with pytest.raises(TypeError, match="only floats"):
        nn.Parameter([1, 2])


def test_affine_shares_the_arrays_and_parameters_it_is_given():
    W, b = np.zeros((3, 2), np.float32), nn.Parameter(np.zeros(2, np.float32), name="mine")
    layer = nn.Affine(W, b)
    assert layer.W.data is W and layer.W.name == "W" and layer.b is b and b.name == "mine"
    W += 1
    np.testing.assert_array_equal(layer.forward(np.ones((1, 3), np.float32)), [[3, 3]])


def test_affine_starts_the_same_from_the_same_seed():
    a, b, c = nn.Affine(30, 20, rng=7), nn.Affine(30, 20, np.random.default_rng(7)), nn.Affine(30, 20, rng=8)
    np.testing.assert_array_equal(a.W.data, b.W.data)
    assert np.all(a.W.data != c.W.data)
    generator = np.random.default_rng(7)
    assert np.all(nn.Affine(30, 20, rng=generator).W.data != nn.Affine(30, 20, rng=generator).W.data)
    assert np.all(nn.Affine(30, 20).W.data != nn.Affine(30, 20).W.data)
    state = np.random.get_state()[1].copy()
    nn.Affine(30, 20)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # NumPy's global generator is the user's


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_affine_starts_with_the_right_spread(dtype):
    layer = nn.Affine(np.int64(500), 400, rng=0, dtype=dtype)
    assert layer.W.shape == (500, 400) and layer.W.dtype == layer.b.dtype == dtype
    assert np.std(layer.W.data, dtype=float) == pytest.approx(np.sqrt(2 / 500), rel=0.01)
    assert np.mean(layer.W.data, dtype=float) == pytest.approx(0, abs=5e-4)
    assert not layer.b.data.any()


@pytest.mark.parametrize(
    "draw, std",
    [(nn.init.normal, 0.01), (nn.init.he_normal, np.sqrt(2 / 500)), (nn.init.xavier_normal, np.sqrt(2 / 900))],
)
def test_starting_values(draw, std):
    W = draw((500, 400), rng=3)
    assert W.dtype == np.float64 and np.std(W) == pytest.approx(std, rel=0.01)
    np.testing.assert_array_equal(W, draw((500, 400), rng=np.random.default_rng(3)))
    assert draw((5, 4), rng=3, dtype=np.float32).dtype == np.float32
    assert draw((0, 4)).shape == (0, 4)


def test_wrong_shapes_raise_and_name_the_shapes():
    for W, b in [((3, 2), (3,)), ((3, 2), (2, 1)), ((3,), (3,)), ((3, 2), ()), ((2, 3, 2), (2,))]:
        with pytest.raises(ShapeError) as caught:
            nn.Affine(np.zeros(W), np.zeros(b))
        assert str(W) in str(caught.value) and str(b) in str(caught.value)
    layer = nn.Affine(3, 2, rng=0)
    for shape in [(5, 2), (2,), (5, 3, 2), (0, 4), ()]:
        x = np.zeros(shape)
        for given in (x, Tensor(x), x.tolist() if x.size else x):
            for drive in (layer, layer.forward):
                with pytest.raises(ShapeError) as caught:
                    drive(given)
                said = f"Affine with W of shape (3, 2) takes x of shape (..., 3), got {shape}"
                assert str(caught.value) == said
    with pytest.raises(TypeError, match="only floats"):
        nn.Affine(np.zeros((3, 2), int), np.zeros(2))


def test_affine_takes_any_number_of_leading_axes():
    layer = nn.Affine(3, 2, rng=0)
    for shape in [(3,), (5, 3), (4, 5, 3), (2, 1, 5, 3)]:
        x = rng.standard_normal(shape)
        out = layer.forward(x)
        np.testing.assert_allclose(out, x @ layer.W.data, rtol=1e-13)
        dout = rng.standard_normal(out.shape)
        dx = layer.backward(dout)
        assert dx.shape == shape
        np.testing.assert_allclose(
            layer.dW, np.tensordot(x, dout, (range(len(shape) - 1),) * 2), rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(layer.db, dout.reshape(-1, 2).sum(0), rtol=1e-13)


# ---- dtype ----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
@pytest.mark.parametrize(
    "labels", [LABELS, np.eye(2)[LABELS], np.eye(2, dtype=int)[LABELS]], ids=["indices", "float64", "int"]
)
def test_a_whole_training_step_keeps_the_dtype(dtype, activation, labels):
    model = nn.Sequential(nn.Affine(3, 4, rng=0, dtype=dtype), activation(), nn.Affine(4, 2, rng=1, dtype=dtype))
    optimiser = nn.optim.SGD(model.parameters(), lr=np.float64(0.1), momentum=0.9, weight_decay=1e-4)
    x = X.astype(dtype)
    for _ in range(3):
        loss = nn.softmax_cross_entropy(model(x), labels)
        assert {n.dtype for n in reachable([loss.node])} == {np.dtype(dtype)}
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert all(p.dtype == p.grad.dtype == p.data.dtype == dtype for p in model.parameters())
    last = nn.SoftmaxWithLoss()
    assert last.forward(model.forward(x), labels).dtype == dtype
    assert model.backward(last.backward()).dtype == dtype
    assert all(g.dtype == dtype for g in model.grads.values())
    assert last.y.dtype == dtype


# ---- empty batches ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [np.zeros(0, int), np.zeros((0, 2))], ids=["indices", "one-hot"])
def test_an_empty_batch_passes_with_zero_gradients(dtype, labels):
    model = nn.Sequential(
        nn.Affine(3, 4, rng=0, dtype=dtype), nn.ReLU(), nn.Sigmoid(), nn.Affine(4, 2, rng=1, dtype=dtype)
    )
    last = nn.SoftmaxWithLoss()
    x = np.zeros((0, 3), dtype)
    out = model.forward(x)
    assert out.shape == (0, 2) and last.forward(out, labels) == 0
    assert last.y.shape == (0, 2)
    assert model.backward(last.backward()).shape == (0, 3)
    loss = last(model(x), labels)
    loss.backward()
    for name, p in model.named_parameters():
        for g in (model.grads[name], p.grad):
            assert g.dtype == dtype
            np.testing.assert_array_equal(g, np.zeros(p.shape))


# ---- Sequential ----


def test_sequential_takes_functions_and_modules():
    model = nn.Sequential(
        nn.Affine(3, 4, rng=0), nn.relu, lambda h: np.tanh(h) * 2, nn.Sequential(nn.Affine(4, 2, rng=1))
    )
    W1, W2 = model[0].W.data, model[3][0].W.data
    want = np.tanh(np.maximum(X @ W1, 0)) * 2 @ W2
    np.testing.assert_allclose(model(X).data, want, rtol=1e-13)
    np.testing.assert_allclose(model.forward(X), want, rtol=1e-13)
    assert model.backward(np.ones((5, 2))).shape == X.shape
    assert list(model.grads) == ["layers.0.W", "layers.0.b", "layers.3.layers.0.W", "layers.3.layers.0.b"]
    assert len(model) == 4 and model[1] is nn.relu and [*model][3] is model[3]


def test_an_empty_sequential_passes_its_input_on():
    model = nn.Sequential()
    np.testing.assert_array_equal(model.forward(X), X)
    np.testing.assert_array_equal(model.backward(2 * X), 2 * X)


# ---- scopes and source positions ----


def scopes(y):
    return {(n.op.name, n.scope) for n in reachable([y.node]) if n.op is not None}


def test_nodes_know_the_modules_they_were_recorded_in():
    model = nn.Sequential(nn.Affine(3, 4, rng=0), nn.relu, nn.Sequential(nn.Sigmoid()), Net2())
    assert scopes(np.sum(model(X))) == {
        ("affine", ("Sequential", "0 Affine")),
        ("relu", ("Sequential",)),
        ("sigmoid", ("Sequential", "2 Sequential", "0 Sigmoid")),
        ("affine", ("Sequential", "3 Net2", "Affine")),
        ("multiply", ("Sequential", "3 Net2")),
        ("sum", ()),
    }
    assert scopes(nn.SoftmaxWithLoss()(Tensor(X, requires_grad=True), LABELS)) == {
        ("softmax_cross_entropy", ("SoftmaxWithLoss",))
    }


class Net2(nn.Module):
    def __init__(self):
        self.fc = nn.Affine(4, 2, rng=1)

    def forward(self, x):
        return self.fc(x) * 2


def test_the_scope_ends_with_the_module_also_where_it_raises():
    model = nn.Sequential(nn.Affine(3, 4, rng=0))
    for drive in (model, model.forward):
        with pytest.raises(ShapeError):
            drive(np.zeros((2, 9)))
    x = Tensor(X, requires_grad=True)
    assert (x * 2).node.scope == ()


def test_positions_point_to_the_users_line():
    x = Tensor(X, requires_grad=True)
    model = small_net()
    y = model(x)
    here = inspect.currentframe().f_lineno - 1
    nodes = [n for n in reachable([y.node]) if n.op is not None]
    assert len(nodes) == 3
    assert {(n.source.file, n.source.line, n.source.text) for n in nodes} == {(__file__, here, "model(x)")}
    assert y.node.source.target == "y"
    loss = nn.softmax_cross_entropy(y, LABELS)
    assert loss.node.source.file == __file__
    assert loss.node.source.text == "nn.softmax_cross_entropy(y, LABELS)"
    by_class = nn.SoftmaxWithLoss()(y, LABELS)
    assert by_class.node.source.text == "nn.SoftmaxWithLoss()(y, LABELS)"
    error = nn.mean_squared_error(y, np.zeros((5, 2)))
    assert {n.source.text for n in reachable([error.node]) if n.number > by_class.node.number} == {
        "nn.mean_squared_error(y, np.zeros((5, 2)))"
    }


def test_positions_in_a_users_module_are_its_own_lines():
    nodes = [n for n in reachable([Net()(X).node]) if n.op is not None]
    lines, first = inspect.getsourcelines(Net.forward)
    for node in nodes:
        assert node.source.file == __file__ and first < node.source.line < first + len(lines)
        assert node.source.function == "Net.forward"
    assert {n.source.text for n in nodes if n.op.name == "affine"} == {"self.fc1(x)", "self.fc2(h)"}


def test_parameters_and_hand_driven_nodes_have_the_users_line_too():
    layer = nn.Affine(3, 2, rng=0)
    here = inspect.currentframe().f_lineno - 1
    assert layer.W.node.source.line == layer.b.node.source.line == here and layer.W.node.source.file == __file__
    layer.forward(X)
    nodes = reachable([layer._driven[1].node])
    assert {n.source.file for n in nodes} == {__file__}
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"test_nn\.py:"):
        layer.forward(np.full((5, 3), np.nan))


# ---- memory ----


@pytest.mark.parametrize("name", NAMES_OF_LAYERS)
def test_nothing_survives_with_the_collector_off(name):
    def drive(layer, inputs, dout):
        x = Tensor(inputs[0].copy(), requires_grad=True)
        y = layer(x, *inputs[1:])
        y.backward(dout)
        first = inputs[0].copy()
        layer.forward(first, *inputs[1:])
        dx = layer.backward(dout)
        arrays = [x.data, x.grad, y.data, first, dx, *layer.grads.values()]
        arrays += [a for p in layer.parameters() for a in (p.data, p.grad)]
        return [weakref.ref(a) for a in (*arrays, *layer.modules())]

    layers()  # whatever is cached on the way
    gc.collect()
    gc.disable()
    try:
        assert not [r() for r in drive(*layers()[name]) if r() is not None]
    finally:
        gc.enable()


def test_a_new_forward_pass_lets_the_last_graph_go():
    gc.disable()
    try:
        layer = nn.Sequential(nn.Affine(3, 2, rng=0), nn.Sigmoid())
        first = X.copy()
        ref = weakref.ref(first)
        layer.forward(first)
        del first
        assert ref() is not None
        layer.forward(X)
        assert ref() is None
    finally:
        gc.enable()


# ---- states and copies ----


def test_a_state_goes_from_one_model_to_another():
    a, b = Net(), Net()
    for p in a.parameters():
        p.data = p.data + 1
    state = a.state_dict()
    b.load_state_dict(state)
    np.testing.assert_array_equal(a(X).data, b(X).data)
    assert list(state) == ["fc1.W", "fc1.b", "gain", "fc2.W", "fc2.b"]
    assert all(type(v) is np.ndarray for v in state.values())


def test_states_are_copies_on_the_way_out_and_in():
    model = Net()
    kept = model.fc1.W.data.copy()
    state = model.state_dict()
    state["fc1.W"] += 1
    np.testing.assert_array_equal(model.fc1.W.data, kept)
    model.load_state_dict(state)
    state["fc1.W"] += 1
    np.testing.assert_array_equal(model.fc1.W.data, kept + 1)
    old = model.fc1.W.data
    model.load_state_dict(state)
    np.testing.assert_array_equal(old, kept + 1)  # replaced, not written into


def test_a_state_that_does_not_fit_changes_nothing_and_lists_all_faults():
    model = Net()
    kept = model.state_dict()
    state = {name: array + 1 for name, array in kept.items()}
    state["fc1.W"] = np.zeros((4, 3))
    state["gain"] = np.zeros(4, np.float32)
    state["other"] = np.zeros(1)
    del state["fc2.b"]
    with pytest.raises(ValueError) as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    for part in (
        "missing 'fc2.b'",
        "unexpected 'other'",
        "'fc1.W' is float64 (4, 3), the model has float64 (3, 4)",
        "'gain' is float32 (4,), the model has float64 (4,)",
    ):
        assert part in message
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, kept[name])


def test_a_state_passes_through_a_file(tmp_path):
    model, other = Net(), Net()
    model.gain.data = model.gain.data * 3
    np.savez(tmp_path / "net.npz", **model.state_dict())
    with np.load(tmp_path / "net.npz") as state:
        other.load_state_dict(dict(state))
    np.testing.assert_array_equal(other(X).data, model(X).data)


COPIES = {"copy.deepcopy": copy.deepcopy, "pickle": lambda m: pickle.loads(pickle.dumps(m))}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_a_model_of_its_own(how):
    model = Zoo()
    model.stack[0].b.requires_grad = False
    model.forward(X)
    model.stack[0].forward(np.zeros((1, 2)))
    twin = COPIES[how](model)
    named = dict(twin.named_parameters())
    assert list(named) == NAMES and all(type(p) is nn.Parameter for p in named.values())
    assert twin.tied is twin.stack[0].W and twin.again is twin.stack[0]
    assert not named["stack.0.b"].requires_grad and named["stack.0.W"].requires_grad
    assert named["stack.0.W"].name == "W"
    for (_, p), q in zip(model.named_parameters(), named.values(), strict=True):
        assert p is not q and not np.shares_memory(p.data, q.data)
        np.testing.assert_array_equal(p.data, q.data)
    with pytest.raises(RuntimeError, match="forward pass first"):
        twin.stack[0].backward(np.zeros((1, 2)))
    model.stack[0].backward(np.zeros((1, 2)))


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_keeps_what_is_shared_within_it(how):
    W, b = np.ones((3, 2)), np.zeros(2)
    twin = COPIES[how]({"params": {"W": W, "b": b}, "layer": nn.Affine(W, b)})
    twin["params"]["W"] += 1
    np.testing.assert_array_equal(twin["layer"].W.data, np.full((3, 2), 2.0))
    np.testing.assert_array_equal(W, np.ones((3, 2)))


# ---- the neighbours ----


def test_another_package_called_autograd_is_named_in_one_clear_error(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("")
    env = {**os.environ, "PYTHONPATH": str(Path(nn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", "import nn"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: nn belongs to the distribution seegrad") and "uninstall one" in last
    assert str(tmp_path) in last
