"""Samples of autograd/ops/statistics.py."""

from __future__ import annotations

from rows import Row

STATISTICS: dict[str, Row] = {}
