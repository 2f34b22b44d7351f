"""The graph in Graphviz's language, for those who have its `dot` program or want to edit the picture by hand.

The `graphviz` package only writes text; `dot` is needed to render it. Nodes are numbered, so no user text can become an
identifier or a port, and every label is escaped: backslashes, quotes, entities and HTML-like labels lose their meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd import Tensor
from viz.picture.copies import Copy, copies
from viz.picture.folding import VISIBLE, fold
from viz.texts.text import clean
from viz.tracing.model import CONSTANT, GROUP, INPUT, LEAF, OP, Graph, Trace
from viz.tracing.taking import shown
from viz.tracing.tape import Tape

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]  # it ships no type information

FORWARD, BACKWARD = "#0072b2", "#d55e00"
LOOK = {
    OP: {"style": "rounded,filled", "color": FORWARD, "fillcolor": "#f1f7fb"},
    GROUP: {"style": "rounded,filled", "color": FORWARD, "fillcolor": "#f1f7fb", "peripheries": "2"},
    INPUT: {"style": "rounded,filled,dashed", "color": FORWARD, "fillcolor": "#ffffff"},
    LEAF: {"style": "filled", "shape": "ellipse", "color": "#00805e", "fillcolor": "#e9f6f1"},
    CONSTANT: {"style": "filled", "color": "#6e6e6e", "fillcolor": "#f4f4f4"},
}
FRAME = {"style": "rounded,filled", "color": "#8a8778", "fillcolor": "#fbfaf5", "labeljust": "l"}
FRAME |= {"fontname": "monospace", "fontsize": "10", "fontcolor": "#595959"}


def dot(y: Tensor | Trace | Tape, *, expand: bool = False, visible: int = VISIBLE) -> graphviz.Digraph:
    """The graph below `y` as a `graphviz.Digraph`, folded as `viz.draw` folds it.

    Its `.source` is text; its `.render()` needs the program `dot`.
    """
    whole = shown(y)
    return digraph(whole if expand else fold(whole, visible).graph)


def digraph(record: Graph) -> graphviz.Digraph:
    """A `graphviz.Digraph` with leaves and constants once for each use, and a cluster for each module."""
    import graphviz  # here, so that `import viz` stays cheap

    drawing = graphviz.Digraph(
        graph_attr={"rankdir": "LR"},
        node_attr={"shape": "box", "fontname": "monospace", "fontsize": "11"},
        edge_attr={"color": FORWARD},
    )
    clusters: dict[tuple[str, ...], graphviz.Digraph] = {(): drawing}
    nodes, links = copies(record)
    for node in nodes:
        _cluster(node.scope, clusters).node(str(node.number), label(node), **LOOK[node.vertex.kind])
    for tail, head, returns in links:
        drawing.edge(str(tail), str(head))
        if returns:
            drawing.edge(str(head), str(tail), style="dashed", color=BACKWARD, constraint="false")
    for scope in sorted(clusters, key=len, reverse=True)[:-1]:
        clusters[scope[:-1]].subgraph(clusters[scope])
    return drawing


def _cluster(scope: tuple[str, ...], clusters: dict[tuple[str, ...], graphviz.Digraph]) -> graphviz.Digraph:
    """The cluster of a scope; it and those around it are made when first asked for."""
    import graphviz

    for depth in range(1, len(scope) + 1):
        if scope[:depth] not in clusters:
            look = FRAME | {"label": escaped(scope[depth - 1])}
            clusters[scope[:depth]] = graphviz.Digraph(f"cluster_{len(clusters)}", graph_attr=look)
    return clusters[scope]


def label(node: Copy) -> str:
    """The rows of a vertex's card as one plain label."""
    import graphviz

    return graphviz.nohtml(r"\n".join(escaped(row.text) for row in node.rows()))


def escaped(text: str) -> str:
    """Text that Graphviz shows as it is."""
    import graphviz

    return graphviz.escape(clean(text).replace("&", "&amp;"))
