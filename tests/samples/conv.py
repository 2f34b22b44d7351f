"""Samples of autograd/ops/conv.py."""

from __future__ import annotations

from rows import Row

CONV: dict[str, Row] = {}
