"""Samples of autograd/ops/fft.py: odd and even lengths, shorter and longer than the axis, in each scaling."""

from __future__ import annotations

import numpy as np
from rows import Row, at

ALONG_ONE = [
    at((2, 5)),
    at((6,), norm="ortho"),
    at((5, 2), n=4, axis=0, norm="forward"),
    at((2, 3, 2), n=6, axis=1, norm="backward"),
    at((2, 4), n=1),
    at((0, 3)),
]
ALONG_TWO = [
    at((3, 4)),
    at((2, 3, 4), s=(4, 3), axes=(2, 0), norm="ortho"),
    at((3, 5), s=(-1, 4), axes=(0, 1), norm="forward"),
]
INVERSE_REAL = [at((1,), n=1), at((4,), n=5), at((4,), n=2)]
SHIFTS = [at((5,)), at((4, 3)), at((4, 3), axes=0), at((2, 3, 4), axes=(0, -1))]

FFT = {
    "fft": Row(np.fft.fft, more=ALONG_ONE),
    "ifft": Row(np.fft.ifft, more=ALONG_ONE),
    "rfft": Row(np.fft.rfft, more=ALONG_ONE),
    "irfft": Row(np.fft.irfft, more=[*ALONG_ONE, *INVERSE_REAL]),
    "hfft": Row(np.fft.hfft, more=[at((2, 4)), at((4, 2), n=5, axis=0, norm="ortho"), at((3,), norm="forward")]),
    "ihfft": Row(np.fft.ihfft, more=[at((2, 5)), at((5, 2), n=6, axis=0, norm="ortho"), at((4,), norm="forward")]),
    "fft2": Row(np.fft.fft2, more=ALONG_TWO[:2]),
    "ifft2": Row(np.fft.ifft2, more=ALONG_TWO[:2]),
    "rfft2": Row(np.fft.rfft2, more=ALONG_TWO[:2]),
    "irfft2": Row(np.fft.irfft2, more=ALONG_TWO[:2]),
    "fftn": Row(np.fft.fftn, more=[at((2, 3, 2)), *ALONG_TWO]),
    "ifftn": Row(np.fft.ifftn, more=[at((2, 3, 2)), *ALONG_TWO]),
    "rfftn": Row(np.fft.rfftn, more=[at((2, 3, 2)), *ALONG_TWO]),
    "irfftn": Row(np.fft.irfftn, more=[at((2, 3, 2)), *ALONG_TWO]),
    "fftshift": Row(np.fft.fftshift, more=SHIFTS),
    "ifftshift": Row(np.fft.ifftshift, more=SHIFTS),
}
