"""viz reads a recorded graph and shows it: as a picture, step by step, as text.

    viz.draw(y)      the picture; shows itself in a notebook, .save("y.svg") writes a file
    viz.step(y)      the step player: one HTML page that plays forward and backward pass
    viz.explain(y)   the same steps as text
    viz.trace(y)     the record that all of these are drawn from; viz.load(path) reads one from a file
    viz.record()     a block in which every value is kept for the views
    viz.check(y)     gradients beside finite differences and a learner's own, with a diagnosis
    viz.compare(a, b)  two graphs aligned, and where they differ
    viz.worksheet(y) a sheet to print, with blanks and an answer key
    viz.dot(y)       a graphviz.Digraph

Nothing here changes a gradient or frees a graph. Importing viz imports neither graphviz nor any drawing program.
It fails at once, in `_owner`, where another project owns the package that `import autograd` finds.
"""

from __future__ import annotations

from viz import _owner as _owner
from viz.picture.dot import dot
from viz.picture.picture import Picture, draw
from viz.player.page import Player, step
from viz.study.check import Check, check
from viz.study.compare import Comparison, compare
from viz.study.worksheet import Worksheet, worksheet
from viz.texts.explain import explain
from viz.tracing.file import TraceFileError, load
from viz.tracing.model import Trace
from viz.tracing.taking import trace
from viz.tracing.tape import Tape, record

__all__ = [
    "Check", "Comparison", "Picture", "Player", "Tape", "Trace", "TraceFileError", "Worksheet",
    "check", "compare", "dot", "draw", "explain", "load", "record", "step", "trace", "worksheet",
]  # fmt: skip
