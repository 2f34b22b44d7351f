"""The graph as a Mermaid flowchart, a text that GitHub and many editors draw inside Markdown.

Mermaid rewrites its text with regular expressions before it parses it (comments, directives, entities, Markdown in
labels), so quoting alone protects nothing: a character of a label that is neither a letter nor a digit nor plainly
harmless is written by its number, `#34;`. Nodes have numbers for names.
"""

from __future__ import annotations

from collections.abc import Iterator

from viz.picture.copies import Copy, copies
from viz.picture.folding import VISIBLE, fold
from viz.texts.text import clean
from viz.texts.words import heading
from viz.tracing.model import CONSTANT, GROUP, INPUT, LEAF, OP, Graph

MOST_ARROWS, MOST_CHARACTERS = 500, 50_000  # Mermaid's own limits, as it comes
HARMLESS = " _,.=()[]+-…"
LIST_MARKS = "0123456789.+-"
BRACKETS = {OP: ("(", ")"), GROUP: ("[[", "]]"), LEAF: ("([", "])"), CONSTANT: ("[", "]"), INPUT: ("(", ")")}
INK, FORWARD, BACKWARD = "#1a1a1a", "#0072b2", "#d55e00"
LOOK = {
    OP: f"fill:#f1f7fb,stroke:{FORWARD},color:{INK}",
    GROUP: f"fill:#f1f7fb,stroke:{FORWARD},color:{INK}",
    INPUT: f"fill:#ffffff,stroke:{FORWARD},color:{INK},stroke-dasharray:2 2",
    LEAF: f"fill:#e9f6f1,stroke:#00805e,color:{INK}",
    CONSTANT: f"fill:#f4f4f4,stroke:#6e6e6e,color:{INK}",
    "module": f"fill:#fbfaf5,stroke:#8a8778,color:{INK}",
}


def mermaid(graph: Graph) -> str:
    """The flowchart as text: solid arrows forward, dashed ones backward, folded where Mermaid would refuse it.

    A dashed arrow is a forward one with its head taken off and one at its tail: its layout would take arrows that
    really ran back for loops, and turn some operations round.
    """
    for smaller in (graph, fold(graph, VISIBLE // 2).graph):
        text, arrows = _text(smaller)
        if arrows <= MOST_ARROWS and len(text) <= MOST_CHARACTERS:
            return text
    raise ValueError(
        f"Mermaid draws at most {MOST_ARROWS} arrows and {MOST_CHARACTERS} characters, and this graph has {arrows} and "
        f"{len(text)} though it is folded: save it as .svg or .html"
    )


def _text(graph: Graph) -> tuple[str, int]:
    """The flowchart, and how many arrows it has."""
    nodes, links = copies(graph)
    arrows = [(tail, "-->", head) for tail, head, _ in links] + [(t, "<-.->", h) for t, h, back in links if back]
    returning = ",".join(str(k) for k in range(len(links), len(arrows)))
    lines = ["flowchart LR", f"  accTitle: {escaped(heading(graph))}", *_modules(nodes)]
    lines += [f"  {tail} {arrow} {head}" for tail, arrow, head in arrows]
    lines += [f"  linkStyle default stroke:{FORWARD}"] * bool(arrows)
    lines += [f"  linkStyle {returning} stroke:{BACKWARD},marker-end:none"] * bool(returning)
    kinds = {node.vertex.kind for node in nodes} | {"module" for node in nodes if node.scope}
    lines += [f"  classDef {kind} {LOOK[kind]}" for kind in LOOK if kind in kinds]
    return "\n".join(lines) + "\n", len(arrows)


def _modules(nodes: list[Copy]) -> Iterator[str]:
    """The nodes, each inside the subgraphs of its scope."""
    inside: dict[tuple[str, ...], list[Copy]] = {}
    for node in nodes:
        for depth in range(len(node.scope) + 1):
            inside.setdefault(node.scope[:depth], [])
        inside[node.scope].append(node)
    number = {scope: f"m{k}" for k, scope in enumerate(inside)}
    open_scopes: list[tuple[str, ...]] = []
    for scope in sorted(inside):  # a scope stands right before those inside it
        while open_scopes and scope[: len(open_scopes[-1])] != open_scopes[-1]:
            yield "  " * len(open_scopes.pop()) + "end"
        if scope:
            yield "  " * len(scope) + f'subgraph {number[scope]}["{escaped(scope[-1])}"]'
            open_scopes.append(scope)
        yield from ("  " * (len(scope) + 1) + _node(node) for node in inside[scope])
    for scope in reversed(open_scopes):
        yield "  " * len(scope) + "end"
    modules = ",".join(number[scope] for scope in inside if scope)
    yield from [f"  class {modules} module"] * bool(modules)


def _node(node: Copy) -> str:
    first, last = BRACKETS[node.vertex.kind]
    rows = "<br>".join(escaped(row.text) for row in node.rows())
    return f'{node.number}{first}"{rows}"{last}:::{node.vertex.kind}'


def escaped(text: str) -> str:
    """Text that Mermaid shows as it is."""
    text = clean(text) or "\N{NO-BREAK SPACE}"
    first = len(text) - len(text.lstrip(LIST_MARKS))  # "1. x" would become an item of a list
    return "".join(c if c.isalnum() or (c in HARMLESS and k >= first) else f"#{ord(c)};" for k, c in enumerate(text))
