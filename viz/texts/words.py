"""Names and sentences about a graph: titles, tooltips, and the description that screen readers read out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from viz.texts.text import clean, plural, values
from viz.tracing.model import COMPUTED, CONSTANT, GROUP, LEAF, OP, Graph, Vertex

DESCRIBED = 40  # operations that the description spells out
SPOKEN = 60  # characters of a name there
NAMED = 40  # characters of a name in a sentence or a formula


def title(vertex: Vertex) -> str:
    """`h = tanh` for an operation; else its name, its number, or its kind."""
    if vertex.kind in COMPUTED:
        return f"{vertex.name} = {vertex.op}" if vertex.name else vertex.op
    if vertex.kind == CONSTANT and vertex.value is not None and not vertex.shape:
        return values(vertex.value)
    return vertex.name or vertex.kind


def heading(graph: Graph) -> str:
    """The picture's title."""
    return f"Computational graph of {_called(graph.root)}: {plural(operations(graph), 'operation')}"


def operations(graph: Graph) -> int:
    """The number of operations, those inside groups too."""
    return sum(_stands_for(vertex) for vertex in graph.vertices)


def _stands_for(vertex: Vertex) -> int:
    return int(vertex.arguments["operations"]) if vertex.kind == GROUP else int(vertex.kind == OP)


def folded(graph: Graph) -> str:
    """For a folded graph, what is not to be seen and how to see it; else nothing."""
    groups = [vertex for vertex in graph.vertices if vertex.kind == GROUP]
    if not groups:
        return ""
    hidden, cards = plural(sum(map(_stands_for, groups)), "operation"), plural(len(groups), "card")
    return f"Folded: {hidden} in {cards}. viz.draw(y, expand=True) shows all."


def size(group: Vertex) -> str:
    """`84 operations, 16 results`."""
    return ", ".join([plural(int(count), noun.removesuffix("s")) for noun, count in group.arguments.items()])


def describe(graph: Graph) -> str:
    """The picture in sentences, for readers who cannot see it."""
    steps = [vertex for vertex in graph.vertices if vertex.kind in COMPUTED]
    inputs = graph.inputs()
    homes = _homes(graph)
    said = [_sentence(v, [graph.vertices[e.source] for e in inputs[v.id]], homes) for v in steps[:DESCRIBED]]
    if len(steps) > DESCRIBED:
        said.append(f"{plural(len(steps) - DESCRIBED, 'more operation')} not described.")
    leaves = [vertex for vertex in graph.vertices if vertex.kind == LEAF]
    said += [f"Leaf {_called(leaf, homes)}: {_facts(leaf)}." for leaf in leaves[:DESCRIBED]]
    return " ".join(["Read from left to right.", *filter(None, [folded(graph)]), *said])


def _homes(graph: Graph) -> dict[int, tuple[str, ...]]:
    """For leaves that share a name with another one, the module that uses them first."""
    alike = Counter([vertex.name for vertex in graph.vertices if vertex.kind == LEAF])
    homes: dict[int, tuple[str, ...]] = {}
    for edge in graph.edges:
        leaf, scope = graph.vertices[edge.source], graph.vertices[edge.target].scope
        if leaf.kind == LEAF and leaf.name and scope and alike[leaf.name] > 1:
            homes.setdefault(leaf.id, scope)
    return homes


def _sentence(vertex: Vertex, inputs: list[Vertex], homes: dict[int, tuple[str, ...]]) -> str:
    of = ", ".join([_called(source, homes) for source in inputs[:6]]) + " and more" * (len(inputs) > 6)
    return f"{clean(title(vertex), SPOKEN)} of {of}: {_facts(vertex)}."


def _called(vertex: Vertex, homes: Mapping[int, tuple[str, ...]] = MappingProxyType({})) -> str:
    """How a sentence refers to a vertex."""
    if vertex.id in homes:
        return f"{clean(vertex.name, SPOKEN)} of {clean(' / '.join(homes[vertex.id]), SPOKEN)}"
    if vertex.kind in COMPUTED and not vertex.name:
        return f"the {clean(vertex.op, SPOKEN)}"
    return clean(vertex.name if vertex.kind in COMPUTED else title(vertex), SPOKEN)


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


def tooltip(vertex: Vertex) -> str:
    """Everything known about a vertex, without the abbreviations of its card."""
    facts = [clean(title(vertex), 200), _facts(vertex)]
    facts += [clean(" / ".join(vertex.scope), 200)] * bool(vertex.scope)
    facts += [clean(f"{place(vertex)}: {vertex.code}", 300)] * bool(vertex.source)
    return "; ".join(facts)


def place(vertex: Vertex) -> str:
    """Where the user's code made it: `model.py:12`, without folders (pictures are shared)."""
    return clean(vertex.source, 2 * SPOKEN)


def called(graph: Graph) -> list[str]:
    """A name for each vertex, by which text can refer to it: no two share one, but for constants.

    A name that is the vertex's alone is it. A parameter of a module is told apart by the module ("0 Affine.W"), an
    operation, or whatever is still not alone, by its number ("tanh#7").
    """
    own = [clean(vertex.name or vertex.op or vertex.kind, NAMED) for vertex in graph.vertices]
    user: dict[int, Vertex] = {}
    for edge in graph.edges:
        user.setdefault(edge.source, graph.vertices[edge.target])
    alone = _alone(own)
    inside = [
        clean(f"{user[v.id].scope[-1]}.{name}", 2 * NAMED)
        if v.kind == LEAF and v.name and name not in alone and v.id in user and user[v.id].scope
        else name
        for v, name in zip(graph.vertices, own, strict=True)
    ]
    alone = _alone(inside)
    return [_numbered(v, name, v.name != "" and name in alone) for v, name in zip(graph.vertices, inside, strict=True)]


def _alone(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count == 1}


def _numbered(vertex: Vertex, name: str, alone: bool) -> str:
    if vertex.kind == CONSTANT:
        return values(vertex.value) if vertex.shape == () and vertex.value is not None else f"{name}#{vertex.id}"
    return name if alone else f"{name}#{vertex.id}"
