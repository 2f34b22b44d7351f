"""Samples of autograd/ops/assign.py."""

from __future__ import annotations

from rows import Row

ASSIGN: dict[str, Row] = {}
