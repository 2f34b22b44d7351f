"""The table of samples: a row for every operation, from which all generic tests are made.

A row says which function it is, on which shapes and static arguments to try it, and from where to draw the numbers:

    "divide": Row(np.divide, TWO, domain=[ANY, (0.5, 2)]),
    "sum": Row(np.sum, [((3, 4),)], grid(axis=[None, 0, -1, (0, 1)], keepdims=[False, True])),

To add an operation: its row in autograd/ops, and its row here in the file of the same name. A test fails if either is
missing. No test is left out for an operation; what is special about one is a field of its row, with a check of its own.
"""

from __future__ import annotations

import importlib.util

from rows import Row, Sample

from .assign import ASSIGN
from .constant import CONSTANT
from .conv import CONV
from .decompositions import DECOMPOSITIONS
from .differences import DIFFERENCES
from .einsum import EINSUM
from .elementwise import ELEMENTWISE
from .fft import FFT
from .fused import FUSED
from .index import INDEX
from .joining import JOINING
from .linalg import LINALG
from .matrix import MATRIX
from .norms import NORMS
from .pad import PAD
from .polynomial import POLYNOMIAL
from .quantiles import QUANTILE_ROWS
from .reduce import REDUCTIONS
from .shape import SHAPES
from .statistics import STATISTICS

if importlib.util.find_spec("scipy"):
    from .scipy_linalg import SCIPY_LINALG
    from .scipy_signal import SCIPY_SIGNAL
    from .scipy_special import SCIPY_SPECIAL

    SCIPY: tuple[dict[str, Row], ...] = (SCIPY_SPECIAL, SCIPY_LINALG, SCIPY_SIGNAL)
else:
    SCIPY = ()

TABLES: tuple[dict[str, Row], ...] = (
    ELEMENTWISE,
    REDUCTIONS,
    QUANTILE_ROWS,
    STATISTICS,
    FUSED,
    SHAPES,
    JOINING,
    INDEX,
    PAD,
    DIFFERENCES,
    ASSIGN,
    MATRIX,
    EINSUM,
    DECOMPOSITIONS,
    LINALG,
    NORMS,
    FFT,
    POLYNOMIAL,
    CONV,
    CONSTANT,
    *SCIPY,
)
ROWS: dict[str, Row] = {name: row for table in TABLES for name, row in table.items()}
assert len(ROWS) == sum(map(len, TABLES)), "two rows have the same name"
SAMPLES = [Sample(name, row, case) for name, row in ROWS.items() for case in row.cases()]
DIFFERENTIABLE = [s for s in SAMPLES if not s.row.constant]
