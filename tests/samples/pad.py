"""Samples of autograd/ops/pad.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from .draw import distinct

WIDTHS = [1, (1, 2), ((0, 2), (1, 0))]

EXTREMES = ("maximum", "minimum", "median")

PAD = {
    "pad": Row(
        np.pad,
        [((3, 4),)],
        [
            *grid(pad_width=WIDTHS, mode=["constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean"]),
            *grid(pad_width=WIDTHS[2:], mode=["reflect", "symmetric"], reflect_type=["odd"]),
            {"pad_width": 2, "mode": "linear_ramp", "end_values": ((1.0, 2.0), (3.0, 4.0))},
            {"pad_width": 2, "mode": "mean", "stat_length": ((2, 1), (3, 9))},
            {"pad_width": 1, "constant_values": 3.0},
            {"pad_width": 1, "constant_values": ((1, 2), (3, 4))},
        ],
        more=[at((0, 3), pad_width=1), at((2,), pad_width=5, mode="reflect"), at((), pad_width=1)]
        + [at((s,), pad_width=(9, 4), mode=m, reflect_type="odd") for s in (1, 3) for m in ("reflect", "symmetric")]
        + [at((3, 4), pad_width=(2, 1), mode=m, stat_length=s, domain=[distinct]) for m in EXTREMES for s in (None, 2)],
    ),
}
