"""Samples of autograd/ops/polynomial.py."""

from __future__ import annotations

from rows import Row

POLYNOMIAL: dict[str, Row] = {}
