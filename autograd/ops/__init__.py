"""The table: every operation with its derivative rules, a row each.

To add an operation: one row here (and one in tests/samples.py). Importing this package fills the dispatch table of
Tensor and attaches its operators and methods.
"""

from . import constant, elementwise, fused, linalg, matrix, methods, reduce, shape

__all__ = ["constant", "elementwise", "fused", "linalg", "matrix", "methods", "reduce", "shape"]
