"""Samples of autograd/ops/index.py."""

from __future__ import annotations

from rows import Row

INDEX: dict[str, Row] = {}
