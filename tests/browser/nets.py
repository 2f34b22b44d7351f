"""Small programs for the pages, with what NumPy alone says about every number in them."""

from __future__ import annotations

import numpy as np

import nn
import viz
from autograd import Tensor


def named(name: str, data) -> Tensor:
    tensor = Tensor(np.array(data), requires_grad=True)
    tensor.name = name
    return tensor


def diamond():
    """A scalar program in which a is used twice; the values of each vertex and the contributions in their order."""
    a, b, c = named("a", 2.0), named("b", -3.0), named("c", 10.0)
    p = a * b
    q = p + c
    r = np.tanh(a)
    loss = q * r
    t = np.tanh(2.0)
    values = {"a": 2.0, "b": -3.0, "c": 10.0, "p": -6.0, "q": 4.0, "r": t, "loss": 4 * t}
    into = [("q", t), ("r", 4.0), ("a", 4 * (1 - t * t)), ("p", t), ("c", t), ("a", t * -3.0), ("b", t * 2.0)]
    return viz.trace(loss), values, into


def stretched():
    """A bias that is stretched over two rows: its gradient is summed back."""
    x, b = named("x", [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]), named("b", [0.5, 1.5, -0.5])
    s = x * b
    loss = np.sum(s)
    values = {"x": x.data, "b": b.data, "s": x.data * b.data, "loss": np.sum(x.data * b.data)}
    into = [("s", np.ones((2, 3))), ("x", np.tile(b.data, (2, 1))), ("b", x.data), ("b", x.data.sum(0))]
    return viz.trace(loss), values, into


def layers():
    """Two layers, a loss and a step of learning; the tape, every value, the contributions, and the updates."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 3))
    t = np.array([0, 1, 1, 0])
    first, second = nn.Affine(3, 5, rng=1), nn.Affine(5, 2, rng=2)
    W1, b1, W2, b2 = (p.data.copy() for p in (first.W, first.b, second.W, second.b))
    optimizer = nn.optim.SGD([first.W, first.b, second.W, second.b], lr=0.5)
    with viz.record() as tape:
        u = first(Tensor(x))
        h = nn.sigmoid(u)
        v = second(h)
        loss = nn.softmax_cross_entropy(v, t)
        loss.backward()
        optimizer.step()
    z = x @ W1 + b1
    s = 1 / (1 + np.exp(-z))
    o = s @ W2 + b2
    e = np.exp(o - o.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    dv = (p - np.eye(2)[t]) / 4
    ds = dv @ W2.T
    dz = ds * s * (1 - s)
    values = {"u": z, "h": s, "v": o, "loss": -np.log(p[range(4), t]).mean()}
    into = [("v", dv), ("h", W2.T), ("h", ds), ("W", s.T), ("W", s.T @ dv), ("b", dv), ("b", dv.sum(0)), ("u", dz)]
    into += [("W", x.T), ("W", x.T @ dz), ("b", dz), ("b", dz.sum(0))]
    updates = [W1 - 0.5 * x.T @ dz, b1 - 0.5 * dz.sum(0), W2 - 0.5 * s.T @ dv, b2 - 0.5 * dv.sum(0)]
    return tape.traces[-1], values, into, updates


def thirteen_thousand():
    """The net 784-16-16-10 with its 13,002 parameters, one example, float64, all of it recorded."""
    widths = (784, 16, 16, 10)
    model = nn.Sequential(
        *(layer for k in range(3) for layer in (nn.Affine(widths[k], widths[k + 1], rng=k), nn.Sigmoid()))
    )
    with viz.record() as tape:
        x = Tensor(np.random.default_rng(0).random((1, 784)))
        loss = nn.softmax_cross_entropy(model(x), np.array([3]))
        loss.backward()
    assert sum(p.data.size for p in model.parameters()) == 13_002
    return tape.traces[-1]
