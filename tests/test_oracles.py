"""Second opinions: JAX and PyTorch on the rows that they have too, and properties that hold for any shapes.

Finite differences see an error of one part in a million; engines that were written apart agree to 1e-10.
"""

from __future__ import annotations

import functools
import math
import operator

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import Sample, at
from samples import ELEMENTWISE, ROWS
from samples.shape import plain_scatter
from test_table import OF_ROW, check_against_difference, direction, leaf

from autograd import Tensor, grad, gradients, vjp

CLOSE = {"rtol": 1e-10, "atol": 1e-11}


def two_of(name):
    """The first sample of a row, and one from its middle unless the row is elementwise: a new shape costs JAX long."""
    samples = OF_ROW[name]
    return samples[:1] if name in ELEMENTWISE else samples[:: max(1, math.ceil(len(samples) / 2))]


def cotangent(sample):
    return direction(np.asarray(sample.expected(*sample.arrays())), np.random.default_rng(0))


def compare(sample, value, gs):
    """Our value and gradients against another engine's."""
    f, xs = sample.problem()
    y, pull = vjp(f, *xs)
    found = pull(cotangent(sample))
    np.testing.assert_allclose(y, value, **CLOSE)
    for a, b in zip(found if len(xs) > 1 else (found,), gs, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def on(sample, function, concatenate, array):
    """Another engine's function of the arguments that can be differentiated, several results joined; and these."""
    xs, moving = sample.arrays(), sample.moving()

    def f(*moved):
        given = dict(zip(moving, moved, strict=True))
        y = sample.raw(function, *[given[k] if k in given else array(x) for k, x in enumerate(xs)])
        return concatenate([p.reshape(-1) for p in y]) if isinstance(y, list | tuple) else y

    return f, [xs[k] for k in moving]


def namesake(name, *modules):
    called = getattr(ROWS[name].function, "__name__", name)
    return next((getattr(module, called) for module in modules if hasattr(module, called)), None)


def first(*values):
    return next((v for v in values if v is not None), None)


# ---- JAX ----


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def in_jax(jax, name):
    """JAX's function of this meaning; a few are spelled differently."""
    jnp, nn = jax.numpy, jax.nn

    def clip(x, low=None, high=None, a_min=None, a_max=None, min=None, max=None):
        return jnp.clip(x, first(low, a_min, min), first(high, a_max, max))

    def cross_entropy(x, t):
        weights = nn.one_hot(t, x.shape[-1]) if t.dtype.kind == "i" else t
        return -jnp.sum(weights * nn.log_softmax(x)) * x.shape[-1] / x.size

    def parameter_first(name):
        return lambda x, v: getattr(jax.scipy.special, name)(v, x)

    def arrays(name):  # JAX takes no lists
        return lambda x, q, **kw: getattr(jnp, name)(x, jnp.asarray(q), **kw)

    spelled = {
        "clip": clip,
        "softmax_cross_entropy": cross_entropy,
        **{name: arrays(name) for name in ("quantile", "percentile", "nanquantile", "nanpercentile")},
        "histogram": lambda x, bins, **kw: jnp.histogram(x, jnp.asarray(bins), **kw),
        "bincount": lambda x, minlength, **kw: jnp.bincount(x, length=max(minlength, 5), **kw),
        # our operations take the parameter last
        **{name: parameter_first(name) for name in ("polygamma", "zeta", "gammainc", "gammaincc")},
        "getitem": operator.getitem,
        "array_split": None,  # JAX does not cut beyond the end
        "polydiv": None,  # JAX keeps the zeros in front of the remainder
        "roots": lambda p: jnp.roots(p, strip_zeros=False),
        **dict.fromkeys(("eigh", "eig", "eigvals", "svd", "qr", "lstsq")),  # see test_linalg.py
        "repeat": lambda x, repeats, axis=None: jnp.repeat(x, np.asarray(repeats), axis=axis),
        **{
            f: functools.partial(getattr(jnp, f), inplace=False)
            for f in ("put", "place", "fill_diagonal", "put_along_axis")
        },
        "take": lambda x, indices, axis=None, mode=None: jnp.take(x, np.asarray(indices), axis=axis, mode=mode),
        "sort": lambda x, axis=-1, kind=None: jnp.sort(x, axis=axis),
        "partition": None,  # within the parts JAX has another order
        "choose": lambda a, choices, mode: jnp.choose(a, choices, mode="clip"),
        "gradient": None,  # JAX has no edge_order
        "apply_along_axis": None,  # the row's functions are NumPy's
        "apply_over_axes": None,
        "piecewise": None,
        **dict.fromkeys(["array", "asarray"]),  # NumPy's like=
        # the shapes of these depend on the values, which JAX does not compile
        **dict.fromkeys(["compress", "extract", "trim_zeros", "union1d", "setdiff1d", "setxor1d"]),
        **dict.fromkeys(["unique", "unique_values", "unique_all", "unique_counts", "unique_inverse"]),
    }
    places = (jnp.linalg,) if name.startswith("linalg_") else (jnp.fft, jnp, jnp.linalg, nn, jax.scipy.special)
    return spelled[name] if name in spelled else namesake(name, *places)


@pytest.mark.parametrize("name", OF_ROW)
def test_jax_agrees(jax, name):
    function = in_jax(jax, name)
    for sample in two_of(name) if function else ():
        f, xs = on(sample, function, jax.numpy.concatenate, jax.numpy.asarray)

        @jax.jit  # one compilation instead of one for each step
        def value_and_gradients(g, *xs, f=f):
            y, pull = jax.vjp(f, *xs)
            return y, pull(g)

        compare(sample, *value_and_gradients(cotangent(sample), *xs))


def test_jax_has_most_of_them(jax):
    assert sum(in_jax(jax, name) is not None for name in OF_ROW) > 100


# ---- PyTorch ----


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def in_torch(torch, name):
    """PyTorch's function of this meaning: the elementwise ones, and what is spelled out here."""
    F, linalg = torch.nn.functional, torch.linalg

    def over(f):
        return lambda x, axis=None, keepdims=False, **kw: f(x, dim=dims(x, axis), keepdim=keepdims, **kw)

    def dims(x, axis):
        return tuple(range(x.ndim)) if axis is None else axis

    def spread(f):
        return lambda x, ddof=0, **kw: over(f)(x, correction=ddof, **kw)

    def along(f):
        return lambda x, axis=-1: f(x.reshape(-1), dim=0) if axis is None else f(x, dim=axis)

    def cross_entropy(x, t):
        rows = x.reshape(-1, x.shape[-1])
        return F.cross_entropy(rows, t.reshape(-1) if t.dtype == torch.int64 else t.reshape(rows.shape))

    def clip(x, low=None, high=None, a_min=None, a_max=None, min=None, max=None):
        return torch.clip(x, first(low, a_min, min), first(high, a_max, max))

    spelled = {
        "power": torch.pow,
        "clip": clip,
        "imag": None,  # PyTorch has none of a real number
        "angle": lambda x, deg: torch.angle(x) * (180 / math.pi if deg else 1),
        "heaviside": None,  # PyTorch has no derivative of it
        "ldexp": None,  # PyTorch computes 2 ** n in integers, so its gradient is 0 for n < 0
        "floor_divide": None,  # PyTorch has no derivative of it
        "sum": over(torch.sum),
        "mean": over(torch.mean),
        "max": over(torch.amax),
        "min": over(torch.amin),
        "var": spread(torch.var),
        "std": spread(torch.std),
        "logsumexp": over(torch.logsumexp),
        "softmax": along(torch.softmax),
        "log_softmax": along(torch.log_softmax),
        "cumsum": along(torch.cumsum),
        "cumprod": along(torch.cumprod),
        "softmax_cross_entropy": cross_entropy,
        "tensordot": lambda a, b, axes=2: torch.tensordot(a, b, dims=axes),
        "tril": lambda x, k=0: torch.tril(x, k),
        "triu": lambda x, k=0: torch.triu(x, k),
        "norm": lambda x, ord=None, axis=None, keepdims=False: linalg.norm(x, ord, axis, keepdims),
        **{f: getattr(torch, f) for f in ("matmul", "inner", "einsum", "concatenate")},
        **{f: getattr(linalg, f) for f in ("inv", "det", "slogdet", "cholesky", "solve")},
    }
    return spelled[name] if name in spelled else namesake(name, torch) if name in ELEMENTWISE else None


@pytest.mark.parametrize("name", OF_ROW)
def test_torch_agrees(torch, name):
    function = in_torch(torch, name)
    for sample in two_of(name) if function else ():
        f, arrays = on(sample, function, torch.concatenate, torch.tensor)
        xs = [torch.tensor(x, requires_grad=True) for x in arrays]
        y = f(*xs)
        found = [None for _ in xs]  # PyTorch does not record what has the derivative 0
        if y.requires_grad:
            found = torch.autograd.grad(y, xs, torch.tensor(cotangent(sample)), allow_unused=True)
        compare(sample, y.detach(), [np.zeros(x.shape) if g is None else g for x, g in zip(xs, found, strict=True)])


@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "log", "sqrt", "reciprocal", "absolute"])
def test_complex_gradients_are_jaxs_and_the_conjugate_of_torchs(jax, torch, name):
    """The conversion of contract 5: for a real loss, PyTorch's gradient is the conjugate of ours."""
    (x,) = OF_ROW[name][0].arrays(complex)
    function = getattr(np, name)
    ours = grad(lambda z: np.sum(np.abs(function(z)) ** 2))(x)
    theirs = jax.grad(lambda z: jax.numpy.sum(jax.numpy.abs(getattr(jax.numpy, name)(z)) ** 2))(x)
    np.testing.assert_allclose(ours, theirs, **CLOSE)
    z = torch.as_tensor(x).requires_grad_()
    torch.sum(torch.abs(getattr(torch, name)(z)) ** 2).backward()
    np.testing.assert_allclose(ours, z.grad.conj().resolve_conj(), **CLOSE)


# ---- properties, for shapes that hypothesis draws ----

drawn = settings(max_examples=60, deadline=None, derandomize=True, database=None)
two_shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)
small = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


def summed_to(g, shape):
    """g summed over the axes along which an array of this shape was stretched."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if len(OF_ROW[name][0].case.shapes) == 2])
@drawn
@given(shapes=two_shapes)
def test_broadcasting_is_stretching_by_hand(name, shapes):
    """The gradient for a stretched input is that of its full copy, summed."""
    sample = Sample(name, ROWS[name], at(*shapes.input_shapes))
    short = sample.arrays()
    long = [x.copy() for x in np.broadcast_arrays(*short)]
    for k in sample.moving():
        short[k], long[k] = leaf(short[k]), leaf(long[k])
    y, z = sample(*short), sample(*long)
    assert y.shape == z.shape
    g = direction(y, np.random.default_rng(0))
    leaves = [[x for x in xs if isinstance(x, Tensor)] for xs in (short, long)]
    for a, b in zip(gradients(y, leaves[0], g), gradients(z, leaves[1], g), strict=True):
        assert a.shape in shapes.input_shapes
        np.testing.assert_allclose(a, summed_to(b, a.shape), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "norm"])
@drawn
@given(data=st.data())
def test_reductions_over_any_axes(name, data):
    shape = data.draw(small)
    most = min(len(shape), 2) if name == "norm" else None
    axes = data.draw(st.none() | hnp.valid_tuple_axes(len(shape), min_size=1, max_size=most))
    sample = Sample(name, ROWS[name], at(shape, axis=axes, keepdims=data.draw(st.booleans())))
    np.testing.assert_allclose(sample(*map(leaf, sample.arrays())).data, sample.expected(*sample.arrays()), rtol=1e-12)
    alone = math.prod(shape[a] for a in axes or range(len(shape))) == 1
    if not (name == "std" and alone):  # the spread of one number is a kink
        check_against_difference(sample)


@drawn
@given(data=st.data())
def test_any_index_scatters_its_gradient(data):
    shape = data.draw(small)
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    index = data.draw(basic | hnp.integer_array_indices(shape) | hnp.arrays(bool, shape))
    x = leaf(np.arange(float(math.prod(shape))).reshape(shape))
    y = x[index]
    g = direction(np.asarray(y.data), np.random.default_rng(0))
    np.testing.assert_array_equal(y.data, x.data[index])
    np.testing.assert_allclose(gradients(y, [x], g)[0], plain_scatter(g, index, shape), rtol=1e-14, atol=1e-15)


@drawn
@given(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3))
def test_any_matrix_product(shapes):
    check_against_difference(Sample("matmul", ROWS["matmul"], at(*shapes.input_shapes)))


@drawn
@given(data=st.data())
def test_any_einsum(data):
    """Terms over random letters, repeated ones too, and a random result."""
    sizes = {"i": 2, "j": 3, "k": 1, "l": 2}
    terms = data.draw(st.lists(st.text("ijkl", max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    result = "".join(data.draw(st.permutations(used)))[: data.draw(st.integers(0, len(used)))]
    shapes = [tuple(sizes[c] for c in term) for term in terms]
    sample = Sample("einsum", ROWS["einsum"], at(*shapes, subscripts=",".join(terms) + "->" + result))
    np.testing.assert_allclose(sample(*map(leaf, sample.arrays())).data, sample.expected(*sample.arrays()), atol=1e-12)
    check_against_difference(sample)
