"""Samples of autograd/ops/fft.py."""

from __future__ import annotations

from rows import Row

FFT: dict[str, Row] = {}
