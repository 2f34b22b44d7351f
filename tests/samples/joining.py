"""Samples of autograd/ops/joining.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from .draw import SQUARE_3D, packed

JOINING = {
    "concatenate": Row(
        np.concatenate,
        [((2, 3), (2, 3)), ((2, 3), (2, 3), (2, 3))],
        grid(axis=[0, 1, -1, None]),
        call=packed,
        more=[at((0, 3), (2, 3)), at((2, 1), (2, 3), axis=1), at((4,)), at((2, 3), (2, 3), dtype=complex)],
    ),
    "stack": Row(
        np.stack,
        [((2, 3), (2, 3)), ((2, 3),)],
        grid(axis=[0, 1, -1, -2]),
        call=packed,
        more=[at((), ()), at((0,), (0,)), at((3,), (3,), dtype=complex, casting="safe")],
    ),
    "vstack": Row(np.vstack, [((2, 3), (1, 3)), ((3,), (3,)), ((), ())], call=packed),
    "hstack": Row(np.hstack, [((2, 3), (2, 1)), ((3,), (2,)), ((), ())], call=packed),
    "dstack": Row(np.dstack, [((2, 3), (2, 3)), ((3,), (3,)), ((2, 3, 2), (2, 3))], call=packed),
    "column_stack": Row(np.column_stack, [((3,), (3, 2)), ((), ())], call=packed),
    "block": Row(
        np.block,
        [((2, 3), (2, 1), (4,)), ((), (2,), (3,))],
        call=lambda f, a, b, c: f([[a, b], [c]]),
        more=[at((2, 3), (2, 3), (1, 2, 6))],
    ),
    "split": Row(
        np.split,
        more=[
            at((4, 6), indices_or_sections=2),
            at((4, 6), indices_or_sections=3, axis=-1),
            at((4, 6), indices_or_sections=[1, 3], axis=1),
        ],
    ),
    "array_split": Row(
        np.array_split,
        more=[at((4, 5), indices_or_sections=3), at((4, 5), indices_or_sections=[1, 3, 9], axis=-1)],
    ),
    "hsplit": Row(np.hsplit, [((4,),), ((2, 4),)], [{"indices_or_sections": 2}, {"indices_or_sections": [1]}]),
    "vsplit": Row(np.vsplit, [((4, 2),)], [{"indices_or_sections": 2}]),
    "dsplit": Row(np.dsplit, [((2, 1, 4),)], [{"indices_or_sections": [1, 3]}]),
    **({"unstack": Row(np.unstack, SQUARE_3D, grid(axis=[0, -1]))} if hasattr(np, "unstack") else {}),
    "repeat": Row(
        np.repeat,
        [((3, 2),)],
        grid(repeats=[2, 0], axis=[None, 0, -1]),
        more=[at((3, 2), repeats=[1, 0, 3], axis=0), at((), repeats=3)],
    ),
    "tile": Row(np.tile, [((3, 2),), ((),), ((0, 2),)], grid(reps=[2, (2, 3), (2, 1, 1), ()])),
}
