"""The table: every operation with its derivative rules, a row each.

To add an operation: one row here (and one in tests/samples). Importing this package fills the dispatch table of
Tensor and attaches its operators and methods.
"""

from . import (
    constant,
    conv,
    decompositions,
    differences,
    einsum,
    elementwise,
    fft,
    fused,
    index,
    linalg,
    matrix,
    methods,
    pad,
    polynomial,
    reduce,
    shape,
    statistics,
    ufunc_methods,
)

__all__ = [
    "constant",
    "conv",
    "decompositions",
    "differences",
    "einsum",
    "elementwise",
    "fft",
    "fused",
    "index",
    "linalg",
    "matrix",
    "methods",
    "pad",
    "polynomial",
    "reduce",
    "shape",
    "statistics",
    "ufunc_methods",
]
