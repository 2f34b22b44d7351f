"""Fourier transforms: what NumPy does with signatures and errors, dense matrices as an oracle, dtypes, a tone."""

import math

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, grad, gradcheck, gradients, jacobian

rng = np.random.default_rng(0)
ONE = [np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft]
MANY = [np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn]
TWO = [np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2]
SHIFTS = [np.fft.fftshift, np.fft.ifftshift]
COMPLEX_INPUT = [np.fft.fft, np.fft.ifft, np.fft.irfft, np.fft.hfft]


def leaf(x):
    return Tensor(x, requires_grad=True)


def name_of(f):
    return f.__name__


every = pytest.mark.parametrize("f", [*ONE, *TWO, *MANY], ids=name_of)


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("f", ONE, ids=name_of)
def test_the_gradient_is_the_transposed_matrix(f, n, norm):
    """Each transform of 4 numbers is a matrix, read off column by column; shorter, as long and longer than those."""
    basis = np.eye(4, dtype=complex if f in COMPLEX_INPUT else float)
    matrix = np.stack([f(e, n, norm=norm) for e in basis], axis=1)
    turned = np.stack([f(1j * e, n, norm=norm) for e in basis], axis=1) if basis.dtype == complex else None
    x = leaf(rng.standard_normal(4) + 0 * basis[0])
    y = f(x, n, norm=norm)
    g = rng.standard_normal(y.shape) * (1 if y.dtype == float else 1 + 2j)
    # the convention: Re(sum(g * dy)) = Re(sum(gradient * dx)) for dx along the real and along the imaginary axis
    expected = np.real(g @ matrix) if turned is None else np.real(g @ matrix) - 1j * np.real(g @ turned)
    np.testing.assert_allclose(gradients(y, [x], g)[0], expected, rtol=1e-12, atol=1e-13)


@every
@pytest.mark.parametrize(
    "options",
    [{"axis": 2}, {"axes": (0, 5)}, {"n": 0}, {"n": -3}, {"s": (3,), "axes": (0, 1)}, {"norm": "none"}],
    ids=str,
)
def test_what_numpy_refuses_is_refused(f, options):
    x = rng.standard_normal((3, 4))
    try:
        f(x, **options)
    except Exception as error:
        with pytest.raises(type(error)):
            f(leaf(x), **options)
    else:
        pytest.fail("NumPy takes it")


@every
def test_results_cannot_be_written_into_an_array(f):
    with pytest.raises(NotDifferentiableError, match="out"):
        f(leaf(np.ones((3, 4))), out=np.empty((3, 4), complex))


def test_lengths_without_axes_are_those_of_the_last_axes_and_deprecated_as_in_numpy():
    x = rng.standard_normal((2, 3, 4))
    with pytest.warns(DeprecationWarning, match="axes"):
        y = np.fft.fftn(leaf(x), (2, 5))
    np.testing.assert_allclose(y.data, np.fft.fftn(x, (2, 5), (1, 2)))


def test_no_axes():
    x = leaf(np.ones(3))
    assert np.fft.fftn(x, axes=()) is x
    with pytest.raises(IndexError):
        np.fft.rfftn(x, axes=())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@every
def test_precision_is_kept(f, dtype):
    x = leaf(rng.standard_normal((4, 6)).astype(dtype))
    y = f(x)
    assert np.finfo(y.dtype).dtype == dtype
    (g,) = gradients(np.sum(np.abs(y) ** 2), [x])
    assert g.dtype == dtype


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_there_and_back_is_the_identity(n):
    x = rng.standard_normal((2, n))
    for there, back in ((np.fft.fft, np.fft.ifft), (np.fft.rfft, np.fft.irfft), (np.fft.ihfft, np.fft.hfft)):
        j = jacobian(lambda x, there=there, back=back: np.real(back(there(x), n)))(x)
        np.testing.assert_allclose(j.reshape(2 * n, 2 * n), np.eye(2 * n), atol=1e-14)


@pytest.mark.parametrize("f", SHIFTS, ids=name_of)
def test_shifts_refuse_an_axis_that_does_not_exist(f):
    for axes in (2, (0, 2)):
        with pytest.raises(IndexError):
            f(leaf(np.ones((3, 4))), axes=axes)


def test_frequencies_are_constants_of_a_spacing_that_may_vary():
    d = leaf(0.5)
    y = np.fft.rfftfreq(6, d)
    np.testing.assert_allclose(y.data, np.fft.rfftfreq(6, 0.5))
    np.testing.assert_allclose(gradients(np.sum(y), [d])[0], -np.sum(np.fft.rfftfreq(6, 0.5)) / 0.5)


def test_power_spectrum_of_a_tone_in_closed_form():
    """|FFT|^2 summed is n |x|^2 (Parseval), so its gradient is 2 n x and its Hessian 2 n."""
    x = np.sin(2 * math.pi * np.arange(8) / 8)

    def power(x):
        return np.sum(np.abs(np.fft.fft(x)) ** 2)

    np.testing.assert_allclose(grad(power)(x), 2 * 8 * x, atol=1e-12)
    gradcheck(power, rng.standard_normal(5), order=3)
