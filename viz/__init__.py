"""viz reads a recorded graph and shows it: as a picture, as Graphviz source, as a step-by-step explanation.

    viz.draw(y)      the picture; shows itself in a notebook, .save("y.svg") writes a file
    viz.dot(y)       a graphviz.Digraph
    viz.explain(y)   the backward pass as text, one block for each step
    viz.trace(y)     the record that the views are drawn from

Nothing here changes a gradient or frees a graph. Importing viz imports neither graphviz nor any drawing program.
It fails at once, in `_owner`, where another project owns the package that `import autograd` finds.
"""

from __future__ import annotations

from viz import _owner as _owner
from viz.dot import dot
from viz.explain import explain
from viz.picture import Picture, draw
from viz.trace import trace

__all__ = ["Picture", "dot", "draw", "explain", "trace"]
