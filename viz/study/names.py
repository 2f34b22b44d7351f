"""Which vertex a name means.

Every name that a view shows is understood, the name alone where only one vertex has it, and a key of
`model.named_parameters()` if it means one vertex only: words in it that no module of the graph has, such as the field
`layers` of `layers.0.W`, are passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from viz.texts.text import clean
from viz.texts.words import called
from viz.tracing.model import CONSTANT, Graph

NAMED = 60  # characters of a name in a list
LISTED = 40  # names that an error lists


class Names:
    """The names in one graph. `of[id]` is what views call a vertex."""

    def __init__(self, graph: Graph):
        self.of = called(graph)
        modules = _modules(graph)
        self._ids: dict[str, set[int]] = defaultdict(set)
        for v in graph.vertices:
            name = v.name or v.op or v.kind
            if v.kind != CONSTANT:
                for form in (self.of[v.id], f"{name}#{v.id}", *_paths(modules[v.id], name)):
                    self._ids[form].add(v.id)
        self._words = {word for module in modules for label in module for word in _words(label)}

    def find(self, key: str, among: Iterable[int]) -> int:
        """The one vertex that a key means. Raises ValueError with the names there are."""
        found = self._ids.get(key) or self._ids.get(self._known_part(key), set())
        if len(found) == 1:
            return next(iter(found))
        fault = f"{clean(key, NAMED)!r} names {'several gradients' if found else 'no gradient here'}"
        names = [clean(self.of[id], NAMED) for id in sorted(found or among)]
        listed = ", ".join(map(repr, names[:LISTED])) + ", ..." * (len(names) > LISTED)
        raise ValueError(f"{fault}; there {'are' if len(names) > 1 else 'is'} {listed}. A Tensor can be a key too")

    def _known_part(self, key: str) -> str:
        """`layers.0.W` as `0.W`: without the words that no module of the graph has. "" where no module is left."""
        *path, name = key.split(".")
        known = [word for word in path if word in self._words]
        return ".".join([*known, name]) if known else ""


def _modules(graph: Graph) -> list[tuple[str, ...]]:
    """The scope of each vertex: that of its operation or, for a leaf, that of the first operation that uses it."""
    found = [v.scope for v in graph.vertices]
    for edge in reversed(graph.edges):
        if not graph.vertices[edge.source].op:
            found[edge.source] = graph.vertices[edge.target].scope
    return found


def _paths(modules: tuple[str, ...], name: str) -> Iterable[str]:
    """`W`, `0 Affine.W`, `Sequential.0 Affine.W`; and by the first word of each: `0.W`, `Sequential.0.W`."""
    for path in (modules, tuple(_words(label)[0] for label in modules)):
        for k in range(len(path) + 1):
            yield ".".join([*path[k:], name])


def _words(label: str) -> list[str]:
    """A module's label and the word before its first space, which is a number inside a Sequential."""
    return [label.split(" ")[0], label]
