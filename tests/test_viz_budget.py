"""What a record keeps: whole values up to a size, true summaries beyond it, and never more than a budget on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

import viz
from autograd import Tensor
from viz.tracing.budget import FIRST, SMALL, THUMBNAIL, Steps, summary, within_budget
from viz.tracing.model import Backward, Contribution, Part, Summary, each_value

ROOT = Path(__file__).parent.parent


def leaf(x):
    return Tensor(np.asarray(x), requires_grad=True)


# ---- summaries ----

KINDS = (
    some.boolean_dtypes()
    | some.integer_dtypes(endianness="?")
    | some.unsigned_integer_dtypes(endianness="?")
    | some.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | some.complex_number_dtypes(endianness="?", sizes=(64, 128))
)


def size_of(x):
    """The absolute value of a complex number, in more bits than it has; other numbers as they are."""
    return np.hypot(np.longdouble(x.real), np.longdouble(x.imag)) if isinstance(x, complex) else x


@settings(max_examples=400, deadline=None)
@given(some.arrays(KINDS, some.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_statistics_are_those_of_the_finite_elements(array):
    found = summary(array)
    elements = [x for x in array.ravel().tolist() if np.isfinite(x)]
    sizes = [size_of(x) for x in elements]
    assert found.shape == array.shape
    assert np.dtype(found.dtype) == array.dtype.newbyteorder("<")
    assert found.zeros == sum(x == 0 for x in array.ravel().tolist())
    assert found.nans == sum(x != x for x in array.ravel().tolist())
    assert found.infs == int(np.sum(np.isinf(array)))
    if not sizes:
        assert (found.smallest, found.largest, found.mean, found.norm) == (None,) * 4
        return
    if array.dtype.kind != "c":
        assert (found.smallest, found.largest) == (min(sizes), max(sizes))
    exactly = np.array(sizes, np.longdouble)
    np.testing.assert_allclose(float(found.largest), float(exactly.max()), rtol=1e-14)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found.mean, float(exactly.mean()), rtol=1e-9, atol=1e-12 * float(exactly.max()))
        np.testing.assert_allclose(found.norm, float(np.sqrt(np.sum(exactly**2))), rtol=1e-9)


@settings(max_examples=200, deadline=None)
@given(some.arrays(KINDS, some.array_shapes(max_dims=3, max_side=6)))
def test_cells_are_elements(array):
    found = summary(array)
    assert all(repr(x) == repr(array[cell]) or x == array[cell] for cell, x in found.cells.items())
    first = (0,) * (array.ndim - 1)
    assert {(*first, k) for k in range(min(FIRST, array.shape[-1]))} <= found.cells.keys()
    if found.smallest is not None:
        sizes = [size_of(x.item()) for x in found.cells.values()]
        assert any(np.isclose(float(found.largest), float(x), rtol=1e-6, atol=0) for x in sizes if np.isfinite(x))
        assert any(np.isclose(float(found.smallest), float(x), rtol=1e-6, atol=0) for x in sizes if np.isfinite(x))


def test_whole_numbers_beyond_53_bits_are_exact():
    found = summary(np.array([2**63 - 1, 2**62 + 1, -(2**63)]))
    assert (found.smallest, found.largest) == (-(2**63), 2**63 - 1)
    assert summary(np.array([2**64 - 1], np.uint64)).largest == 2**64 - 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sums_do_not_overflow(dtype):
    top = np.finfo(dtype).max
    found = summary(np.full((3, 1000), top))
    assert found.mean == pytest.approx(float(top), rel=1e-12)
    assert found.scale == float(top)
    assert (found.thumbnail == 127).all()
    tiny = summary(np.full(1000, np.finfo(dtype).smallest_subnormal))
    assert tiny.mean == float(np.finfo(dtype).smallest_subnormal)
    assert (tiny.thumbnail == 127).all()


def test_nothing_finite():
    found = summary(np.array([[np.nan, np.inf], [-np.inf, np.nan]] * 50))
    assert (found.nans, found.infs, found.zeros, found.mean, found.scale) == (100, 100, 0, None, 0.0)
    assert (found.thumbnail == 0).all()


def blocks(array):
    """The thumbnail, written down in another way: each pixel is the mean of its part of the array."""
    matrix = array.reshape(-1, array.shape[-1])
    rows, columns = (
        [(k * n // min(n, THUMBNAIL), (k + 1) * n // min(n, THUMBNAIL)) for k in range(min(n, THUMBNAIL))]
        for n in matrix.shape
    )
    return np.array([[matrix[a:b, c:d].mean() for c, d in columns] for a, b in rows])


@pytest.mark.parametrize("shape", [(1,), (64,), (65,), (200, 3), (64, 64), (130, 129), (5, 7, 11), (2, 40, 3, 70)])
def test_a_thumbnail_shows_the_means_of_blocks(shape):
    array = np.random.default_rng(0).normal(size=shape)
    found, expected = summary(array), blocks(array)
    assert found.thumbnail.shape == expected.shape and found.thumbnail.dtype == np.int8
    assert found.scale == pytest.approx(np.abs(expected).max())
    np.testing.assert_allclose(found.thumbnail * (found.scale / 127), expected, atol=found.scale / 127 / 1.99)


def test_a_thumbnail_of_any_layout():
    array = np.random.default_rng(0).normal(size=(90, 100))
    expected = summary(array).thumbnail
    wide = np.zeros((90, 200))
    wide[:, ::2] = array
    for same in (np.asfortranarray(array), wide[:, ::2], array[::-1][::-1], array.astype(">f8")):
        np.testing.assert_array_equal(summary(same).thumbnail, expected)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 0, 4)])
def test_summaries_of_nothing_and_of_one_number(shape):
    found = summary(np.zeros(shape))
    assert found.zeros == int(np.prod(shape))
    assert found.thumbnail.shape == ((1, 1) if shape == () else (0, 0))


# ---- what is kept ----


def test_small_values_are_kept_and_copied():
    x = np.arange(100.0)
    (kept,) = within_budget([x], 100)
    x[0] = 7.0
    assert kept[0] == 0.0


def test_what_is_kept_depends_on_its_size_alone():
    values = [np.ones(size) for size in (100, 300, 200, 300, 100)]
    kinds = [isinstance(value, Summary) for value in within_budget(values, 400)]
    assert kinds == [False, True, False, True, False]
    assert [isinstance(v, Summary) for v in within_budget(values, 399)] == [False, True, True, True, False]


def test_a_value_in_several_places_stays_one_and_counts_once():
    x, big = np.ones(100), np.ones(1000)
    a, b, c, d = within_budget([x, x, big, big], 100)
    assert a is b and not isinstance(a, Summary)
    assert c is d and isinstance(c, Summary)


def test_few_numbers_are_always_kept():
    assert not any(isinstance(value, Summary) for value in within_budget([np.ones(SMALL)] * 3 + [np.float64(1)], 0))


def test_what_is_no_number_is_not_kept():
    assert within_budget([np.array(["text"]), np.array([None])]) == [None, None]


def step(*values):
    return Backward(0, None, [Contribution(0, 0, "g", {}, [Part("rule", "g", v)], None, v, 1, 1) for v in values])


def test_steps_hold_no_more_than_the_budget_allows():
    steps = Steps(budget=1000)
    for k in range(50):
        steps.append(step(np.full(300, k), np.full(70, k)))
    held = {id(v): v.size for v in each_value(list(steps)) if isinstance(v, np.ndarray)}
    assert sum(held.values()) <= 2000
    assert len(steps) == 50


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([1, 65, 90, 150, 400]), max_size=60), st.integers(0, 3000))
def test_summing_up_early_changes_nothing(sizes, budget):
    values = [np.full(size, float(k)) for k, size in enumerate(sizes)]
    steps = Steps(budget)
    for value in values:
        steps.append(step(value))
    early, late = within_budget(list(steps), budget), within_budget([step(value) for value in values], budget)
    for a, b in zip(each_value(early), each_value(late), strict=True):
        assert type(a) is type(b) and a.shape == b.shape
        assert a.mean == b.mean if isinstance(a, Summary) else (a == b).all()


MEMORY = """
import resource
import numpy as np
import viz
from autograd import Tensor
rng = np.random.default_rng(0)
W, h = (Tensor(rng.normal(size=shape) / 20, requires_grad=True) for shape in ((300, 300), (1, 300)))
for _ in range(400):
    h = np.tanh(h @ W)
y = h.sum()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
record = viz.trace(y)
shapes = [vertex.shape for vertex in record.graph.vertices]
used = [c for step in record.backward for c in step.contributions if shapes[c.target] == (300, 300)]
assert len(used) == 400 and used[-1].uses == 400
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_weight_used_many_times_takes_little_memory():
    """Its gradients alone, before and after each use, would be 288 MB."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < 120_000  # KB; measured: 40,000


def test_sums_over_a_large_gradient_are_true():
    W, h = leaf(np.eye(80)), leaf(np.ones((1, 80)))
    record = viz.trace(((h @ W) @ W).sum(), budget=1000)
    final = record.backward[-1].contributions[-1].after
    assert isinstance(final, Summary)
    assert final.largest == 2.0 and final.mean == pytest.approx(2.0)
