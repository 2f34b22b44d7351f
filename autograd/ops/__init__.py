"""The table: every operation with its derivative rules, a row each.

To add an operation: one row here (and one in tests/samples). Importing this package fills the dispatch table of
Tensor and attaches its operators and methods.
"""

from . import (
    assign,
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
    out,
    pad,
    polynomial,
    put,
    reduce,
    shape,
    statistics,
    ufunc_methods,
)

__all__ = [
    "assign",
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
    "out",
    "pad",
    "polynomial",
    "put",
    "reduce",
    "shape",
    "statistics",
    "ufunc_methods",
]
