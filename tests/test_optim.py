"""SGD: PyTorch's numbers, the dtype of the parameters, and no write into an array that anybody else may hold."""

import gc
import weakref

import numpy as np
import pytest

import nn
from autograd import SavedArrayChangedError, Tensor

SETTINGS = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1},
    {"lr": 0.0, "momentum": 0.5},
]


def problem(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in [(20, 5), (5, 4), (4,), (20, 4)]]


def train(parameters, optimiser, x, t, steps=20):
    """Minimise the squared error of tanh(x W + b); one list of arrays after each step."""
    W, b = parameters
    path = []
    for _ in range(steps):
        optimiser.zero_grad()
        nn.mean_squared_error(np.tanh(x @ W + b), t).backward()
        optimiser.step()
        path.append([W.data.copy(), b.data.copy()])
    return path


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_twenty_steps_equal_those_of_the_formula(settings):
    x, W, b, t = problem()
    ours = [nn.Parameter(W.copy()), nn.Parameter(b.copy())]
    path = train(ours, nn.optim.SGD(ours, **settings), x, t)
    lr, momentum, decay = settings["lr"], settings.get("momentum", 0), settings.get("weight_decay", 0)
    v_W, v_b = np.zeros_like(W), np.zeros_like(b)
    for got_W, got_b in path:
        y = np.tanh(x @ W + b)
        g = 2 * (y - t) / y.size * (1 - y**2)
        v_W = momentum * v_W + x.T @ g + decay * W
        v_b = momentum * v_b + g.sum(0) + decay * b
        W, b = W - lr * v_W, b - lr * v_b
        np.testing.assert_allclose(got_W, W, rtol=0, atol=1e-13)
        np.testing.assert_allclose(got_b, b, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_twenty_steps_equal_those_of_torch(settings, dtype, tolerance):
    torch = pytest.importorskip("torch")
    x, W, b, t = problem(dtype)
    ours = [nn.Parameter(W.copy()), nn.Parameter(b.copy())]
    path = train(ours, nn.optim.SGD(ours, **settings), x, t)
    theirs = [torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)]
    optimiser = torch.optim.SGD(theirs, **settings)
    for step in path:
        optimiser.zero_grad()
        torch.mean((torch.tanh(torch.tensor(x) @ theirs[0] + theirs[1]) - torch.tensor(t)) ** 2).backward()
        optimiser.step()
        for got, want in zip(step, theirs, strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, want.detach().numpy(), rtol=0, atol=tolerance)


# ---- dtype ----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("number", [float, np.float64, np.float32])
def test_the_dtype_of_the_parameters_is_kept(dtype, number):
    x, W, b, t = problem(dtype)
    parameters = [nn.Parameter(W), nn.Parameter(b)]
    optimiser = nn.optim.SGD(parameters, lr=number(0.1), momentum=number(0.9), weight_decay=number(0.01))
    train(parameters, optimiser, x, t, steps=3)
    for p in parameters:
        assert p.dtype == p.data.dtype == p.grad.dtype == dtype


def test_a_schedule_may_set_the_rate_with_numpy():
    x, W, b, t = problem(np.float32)
    parameters = [nn.Parameter(W), nn.Parameter(b)]
    optimiser = nn.optim.SGD(parameters, 0.1, momentum=0.9)
    for k in range(4):
        optimiser.lr = 0.05 * (1 + np.cos(np.pi * k / 4))  # a np.float64
        train(parameters, optimiser, x, t, steps=1)
    assert parameters[0].dtype == parameters[1].dtype == np.float32


def test_a_gradient_that_was_scaled_in_float64_does_not_widen_the_parameter():
    p = nn.Parameter(np.ones(3, np.float32))
    p.grad = np.ones(3, np.float64) * np.float64(0.5)
    nn.optim.SGD([p], 0.5).step()
    assert p.dtype == np.float32
    np.testing.assert_array_equal(p.data, [0.75] * 3)


def test_a_parameter_without_axes():
    p = nn.Parameter(2.0)
    optimiser = nn.optim.SGD([p], 0.1, momentum=0.5, weight_decay=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        (p * 3).backward()
        optimiser.step()
    assert p.shape == () and p.item() == pytest.approx(2 - 0.4 - 0.58 - 0.641)


def test_complex_parameters():
    z = nn.Parameter(np.array([1 + 2j]))
    optimiser = nn.optim.SGD([z], 0.25)
    z.grad = np.array([2 - 4j])
    optimiser.step()
    np.testing.assert_array_equal(z.data, [0.5 + 3j])


# ---- arrays are replaced ----


def steps(optimiser, parameters, n=4):
    for _ in range(n):
        for p in parameters:
            p.grad = np.ones(p.shape, p.dtype)
        optimiser.step()


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_no_array_that_somebody_holds_is_written_to(momentum):
    given = np.zeros((2, 3))
    p = nn.Parameter(given)
    optimiser = nn.optim.SGD([p], 0.5, momentum=momentum)
    held = []
    for _ in range(6):
        held.append((p.data, p.data.copy()))
        steps(optimiser, [p], 1)
    assert held[0][0] is given
    for array, copy in held:
        np.testing.assert_array_equal(array, copy)


def test_an_array_that_only_a_view_looks_at_is_not_written_to():
    p = nn.Parameter(np.zeros((2, 3)))
    optimiser = nn.optim.SGD([p], 0.5)
    views = []
    for _ in range(6):
        views.append((p.data.T[1:], p.data.T[1:].copy(), memoryview(p.data)))
        steps(optimiser, [p], 1)
    for view, copy, raw in views:
        np.testing.assert_array_equal(view, copy)
        np.testing.assert_array_equal(np.asarray(raw).T[1:], copy)


def test_an_array_that_a_graph_saved_is_not_written_to():
    p = nn.Parameter(np.ones(3))
    optimiser = nn.optim.SGD([p], 0.5)
    graphs = []
    for _ in range(6):
        graphs.append((np.sum(p * p), p.data.copy()))
        steps(optimiser, [p], 1)
    for y, copy in graphs:
        square = y.node.inputs[0]
        np.testing.assert_array_equal(square.saved[0], copy)


def test_memory_that_belongs_to_somebody_else_is_not_written_to():
    table = np.zeros((3, 4))
    buffer = bytearray(32)
    frozen = np.zeros(4)
    frozen.flags.writeable = False
    parameters = [
        nn.Parameter(table[1]),
        nn.Parameter(table[:, 2:].T),
        nn.Parameter(np.frombuffer(buffer)),
        nn.Parameter(frozen),
    ]
    del frozen
    steps(nn.optim.SGD(parameters, 0.5), parameters)
    assert not table.any() and not any(buffer)
    for p in parameters:
        np.testing.assert_array_equal(p.data, np.full(p.shape, -2.0))


def test_gradients_are_not_written_to():
    for settings in SETTINGS:
        p = nn.Parameter(np.arange(3.0))
        g = p.grad = np.array([1.0, 2.0, 3.0])
        optimiser = nn.optim.SGD([p], **settings)
        optimiser.step()
        optimiser.step()
        assert p.grad is g
        np.testing.assert_array_equal(g, [1, 2, 3])


def test_two_parameters_on_one_array_part_ways():
    shared = np.zeros(3)
    a, b = nn.Parameter(shared), nn.Parameter(shared)
    a.grad, b.grad = np.ones(3), np.full(3, 2.0)
    optimiser = nn.optim.SGD([a, b], 1.0)
    for _ in range(4):
        optimiser.step()
    np.testing.assert_array_equal([shared, a.data, b.data], [[0] * 3, [-4] * 3, [-8] * 3])


def test_old_arrays_are_let_go():
    gc.collect()
    gc.disable()
    try:
        p = nn.Parameter(np.zeros(3))
        optimiser = nn.optim.SGD([p], 0.5)
        old = [weakref.ref(p.data)]
        for _ in range(5):
            steps(optimiser, [p], 1)
            old.append(weakref.ref(p.data))
        alive = {id(r()) for r in old if r() is not None}
        assert len(alive) <= 2  # the one in use, and one that the next step writes to
        del p, optimiser
        assert not any(r() is not None for r in old)
    finally:
        gc.enable()


def test_backward_after_a_step_raises_and_names_the_op():
    rng = np.random.default_rng(0)
    layer = nn.Affine(3, 2, rng=0)
    x = Tensor(rng.standard_normal((4, 3)), requires_grad=True)
    optimiser = nn.optim.SGD(layer.parameters(), 0.1)
    y = np.sum(layer(x))
    np.sum(layer(x)).backward()
    optimiser.step()
    kept = layer.W.grad.copy(), x.grad.copy()
    with pytest.raises(SavedArrayChangedError, match=r"affine .*saved its input 'W' of shape \(3, 2\)") as caught:
        y.backward()
    assert "test_optim.py" in str(caught.value)
    np.testing.assert_array_equal(layer.W.grad, kept[0])
    np.testing.assert_array_equal(x.grad, kept[1])


def test_a_hand_driven_backward_after_a_step_raises_too():
    layer = nn.Affine(3, 2, rng=0)
    layer.forward(np.ones((4, 3)))
    for p in layer.parameters():
        p.grad = np.ones(p.shape)
    nn.optim.SGD(layer.parameters(), 0.1).step()
    with pytest.raises(SavedArrayChangedError, match="affine"):
        layer.backward(np.ones((4, 2)))
    layer.forward(np.ones((4, 3)))
    np.testing.assert_allclose(layer.backward(np.ones((4, 2))), np.tile(layer.W.data.sum(1), (4, 1)))


def test_a_graph_that_did_not_save_the_parameter_is_not_disturbed():
    p = nn.Parameter(np.ones(3))
    y = np.sum(p + 1)
    p.grad = np.ones(3)
    optimiser = nn.optim.SGD([p], 0.1)
    optimiser.step()
    optimiser.zero_grad()
    y.backward()
    np.testing.assert_array_equal(p.grad, np.ones(3))


# ---- what it does not touch, and what it refuses ----


def test_parameters_without_a_gradient_are_left_alone():
    a, b = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    array = b.data
    optimiser = nn.optim.SGD([a, b], 0.1, momentum=0.9, weight_decay=0.1)
    a.grad = np.ones(2)
    optimiser.step()
    assert b.data is array and np.all(a.data < 1)
    optimiser.zero_grad()
    assert a.grad is None and b.grad is None
    array = a.data
    optimiser.step()
    assert a.data is array


def test_leaves_that_are_no_parameters_can_be_learned_too():
    x = Tensor([1.0, 2.0], requires_grad=True)
    np.sum(x * x).backward()
    nn.optim.SGD([x], 0.5).step()
    np.testing.assert_array_equal(x.data, [0, 0])


@pytest.mark.parametrize("name", ["lr", "momentum", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "0.1", None, 1j, [0.1]], ids=str)
def test_bad_settings_raise_and_name_the_setting(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a finite number, 0 or more, not "):
        nn.optim.SGD([nn.Parameter(np.ones(2))], **{"lr": 0.1, name: value})


def test_bad_parameters_raise():
    p = nn.Parameter(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"no parameters; pass model.parameters\(\)"):
        nn.optim.SGD(nn.ReLU().parameters(), 0.1)
    with pytest.raises(ValueError, match="a parameter twice"):
        nn.optim.SGD([p, p], 0.1)
    for bad in ([np.ones(2)], [p * 2], [Tensor(np.ones(2))], p, nn.Affine(2, 2).named_parameters(), ["W"]):
        with pytest.raises(TypeError, match="SGD takes Parameters"):
            nn.optim.SGD(bad, 0.1)
