"""Samples of autograd/ops/creation.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

ENDS = [((), ()), ((3,), ()), ((2, 1), (3,))]

CREATION = {
    "linspace": Row(
        np.linspace,
        ENDS,
        grid(num=[5], endpoint=[True, False]),
        more=[at((3,), (3,), num=1), at((3,), (3,), num=0), at((2, 3), (3,), num=4, axis=-1)],
    ),
    "logspace": Row(
        np.logspace,
        ENDS,
        grid(num=[4], endpoint=[True, False]),
        more=[at((3,), (3,), num=3, base=2.0), at((2, 3), (3,), num=4, axis=-1)],
    ),
    "geomspace": Row(
        np.geomspace,
        ENDS,
        grid(num=[4], endpoint=[True, False]),
        more=[at((2, 3), (3,), num=4, axis=-1), at((3,), (3,), num=3, domain=[(-2, -1), (-3, -2)])],
        domain=[(0.5, 2)],
    ),
}
