"""Names and sentences about a graph: titles, tooltips, and the description that screen readers read out."""

from __future__ import annotations

from collections import Counter

from viz.texts.text import clean, plural, values
from viz.tracing.model import COMPUTED, CONSTANT, GROUP, LEAF, OP, Excerpt, Graph, Vertex

DESCRIBED = 40  # operations that the description spells out
SPOKEN = 60  # characters of a name there
DEEPEST = 6  # modules around a parameter that may tell it apart
NAMED = 40  # characters of a name in a sentence or a formula


def title(vertex: Vertex, name: str) -> str:
    """`h = tanh` for an operation that has a name; else what it is called, without the module around it."""
    if vertex.kind == GROUP:
        return vertex.op
    if vertex.kind == OP:
        return f"{name} = {vertex.op}" if vertex.name else name
    own = clean(vertex.name, NAMED)
    return vertex.name if own and not name.startswith(f"{own}#") else name


def heading(graph: Graph) -> str:
    """The picture's title."""
    return f"Computational graph of {called(graph)[-1]}: {plural(operations(graph), 'operation')}"


def operations(graph: Graph) -> int:
    """The number of operations, those inside groups too."""
    return sum(_stands_for(vertex) for vertex in graph.vertices)


def _stands_for(vertex: Vertex) -> int:
    return int(vertex.arguments["operations"]) if vertex.kind == GROUP else int(vertex.kind == OP)


EXPAND = "viz.draw(y, expand=True) shows all."


def folded(graph: Graph, opening: str = EXPAND) -> str:
    """For a folded graph, what is not to be seen and how to see it; else nothing."""
    groups = [vertex for vertex in graph.vertices if vertex.kind == GROUP]
    if not groups:
        return ""
    hidden, cards = plural(sum(map(_stands_for, groups)), "operation"), plural(len(groups), "card")
    return f"Folded: {hidden} in {cards}. {opening}"


def size(group: Vertex) -> str:
    """`84 operations, 16 results`."""
    return ", ".join([plural(int(count), noun.removesuffix("s")) for noun, count in group.arguments.items()])


def describe(graph: Graph, opening: str = EXPAND) -> str:
    """The picture in sentences, for readers who cannot see it."""
    steps = [vertex for vertex in graph.vertices if vertex.kind in COMPUTED]
    names, inputs = called(graph), graph.inputs()
    said = [_sentence(v, names[v.id], [names[e.source] for e in inputs[v.id]]) for v in steps[:DESCRIBED]]
    if len(steps) > DESCRIBED:
        said.append(f"{plural(len(steps) - DESCRIBED, 'more operation')} not described.")
    leaves = [vertex for vertex in graph.vertices if vertex.kind == LEAF]
    said += [f"Leaf {names[leaf.id]}: {_facts(leaf)}." for leaf in leaves[:DESCRIBED]]
    return " ".join(["Read from left to right.", *filter(None, [folded(graph, opening)]), *said])


def _sentence(vertex: Vertex, name: str, inputs: list[str]) -> str:
    of = ", ".join(inputs[:6]) + " and more" * (len(inputs) > 6)
    made = name if vertex.kind == GROUP else f"{name} = {clean(vertex.op, SPOKEN)}"
    return f"{made} of {of}: {_facts(vertex)}."


def _facts(vertex: Vertex) -> str:
    facts = [size(vertex)] if vertex.kind == GROUP else []
    if vertex.shape is not None or vertex.kind != GROUP:
        facts.append(f"shape {vertex.shape}" if vertex.shape else "a single number")
    if vertex.value is not None:
        facts.append(f"value {values(vertex.value)}")
    if vertex.gradient is not None:
        facts.append(f"gradient {values(vertex.gradient)}")
    elif vertex.kind == LEAF:
        facts.append("gradient not computed")
    return ", ".join(facts)


def tooltip(vertex: Vertex, name: str) -> str:
    """Everything known about a vertex, without the abbreviations of its card."""
    facts = [clean(title(vertex, name), 200), _facts(vertex)]
    facts += [clean(" / ".join(vertex.scope), 200)] * bool(vertex.scope)
    facts += [clean(f"{place(vertex)}: {vertex.code}", 300)] * bool(vertex.source)
    return "; ".join(facts)


def place(vertex: Vertex) -> str:
    """Where the user's code made it: `model.py:12`, without folders (pictures are shared)."""
    return clean(vertex.source, 2 * SPOKEN)


def called(graph: Graph) -> list[str]:
    """A name for each vertex, by which every text refers to it. No two share one, but for constants that are equal.

    A name that is the vertex's alone is it. A parameter is told apart by as much as it takes of the module that uses it
    ("0 Affine.W"); an operation, and whatever is still not alone, by its number ("tanh#7"). In an excerpt everything
    has the name that it has in the whole.
    """
    if isinstance(graph, Excerpt):
        return [
            clean(v.op or v.name, SPOKEN) if n is None else n for v, n in zip(graph.vertices, graph.names, strict=True)
        ]
    own = [clean(vertex.name or vertex.op or vertex.kind, NAMED) for vertex in graph.vertices]
    names, homes = list(own), _homes(graph)
    for depth in range(1, DEEPEST + 1):
        alone = _alone(names)
        for k, home in homes.items():
            if names[k] not in alone and depth <= len(home):
                names[k] = clean(".".join([*home[-depth:], own[k]]), 2 * NAMED)
    alone = _alone(names)
    return [_numbered(v, name, v.name != "" and name in alone) for v, name in zip(graph.vertices, names, strict=True)]


def _homes(graph: Graph) -> dict[int, tuple[str, ...]]:
    """The module that first uses each leaf that has a name."""
    found: dict[int, tuple[str, ...]] = {}
    for edge in graph.edges:
        leaf = graph.vertices[edge.source]
        if leaf.kind == LEAF and leaf.name:
            found.setdefault(leaf.id, graph.vertices[edge.target].scope)
    return found


def _alone(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count == 1}


def _numbered(vertex: Vertex, name: str, alone: bool) -> str:
    if vertex.kind == CONSTANT and vertex.shape == () and vertex.value is not None:
        return values(vertex.value)
    return name if alone else f"{name}#{vertex.id}"
