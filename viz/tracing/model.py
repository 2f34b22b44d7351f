"""The record that every view is drawn from, as plain data: what was computed, how backprop went through it, what moved.

A value is an ndarray, a `Summary` of one that is too large to keep, or a tuple of values (an operation with several
results). None always means "not known" or "not computed", never zero. Nothing here refers to a Tensor or a Node, so a
record may as well come from a file, and a view that reads records needs no model and no engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import numpy as np

OP, LEAF, CONSTANT = "op", "leaf", "constant"
GROUP, INPUT = "group", "input"  # in folded graphs: several operations as one vertex; what comes in from outside
COMPUTED = (OP, GROUP)
FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What is kept of a large array: exact statistics of its finite elements, a thumbnail, and a few cells.

    `thumbnail` holds the means of blocks as int8, 127 for `scale`, at most 64 x 64; an array of more than two axes is
    seen as a matrix of its last axis. `cells` are exact elements by index: the first ones and the extremes.
    """

    shape: tuple[int, ...]
    dtype: str
    smallest: float | None
    largest: float | None
    mean: float | None
    norm: float | None
    zeros: int
    nans: int
    infs: int
    scale: float
    thumbnail: np.ndarray
    cells: dict[tuple[int, ...], Any]


@dataclass(frozen=True, slots=True)
class Vertex:
    """One operation, leaf or constant. `id` is its place in `Graph.vertices`; inputs come before what uses them.

    `source` is "file.py:12" without folders. `arguments` are the static arguments, as text. `gradient` is what `.grad`
    held when the record was taken: what a backward pass adds to, None after `zero_grad()`.
    """

    id: int
    kind: str
    op: str = ""
    name: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    value: Any = None
    gradient: Any = None
    arguments: dict[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    source: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """Vertex `source` is input number `slot` of vertex `target`, whose rules call it `name`."""

    source: int
    target: int
    slot: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything below one result, which is the last vertex."""

    vertices: list[Vertex]
    edges: list[Edge]

    @property
    def root(self) -> Vertex:
        return self.vertices[-1]

    def inputs(self) -> list[list[Edge]]:
        """The edges into each vertex, by slot."""
        found: list[list[Edge]] = [[] for _ in self.vertices]
        for edge in sorted(self.edges, key=lambda edge: (edge.target, edge.slot)):
            found[edge.target].append(edge)
        return found

    def uses(self) -> Counter[int]:
        """How often each vertex is used, as far as the graph can tell."""
        return Counter([edge.source for edge in self.edges])


@dataclass(frozen=True, slots=True)
class Excerpt(Graph):
    """What is shown of a larger graph: folded, or a part.

    `names[k]` is what vertex k is called in the whole; None where it stands for several. How often something is used
    in the whole cannot be seen here.
    """

    names: list[str | None]

    def uses(self) -> Counter[int]:
        return Counter()


@dataclass(frozen=True, slots=True)
class Part:
    """One move inside a contribution: a "transpose", the "rule" itself, or the "sum" over broadcast `axes`."""

    what: str
    text: str
    value: Any
    axes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """Why one element of a contribution is what it is: the sum of g[at[k]] * local[k].

    `cell` is the index of the element. Row k of `at` is the index of an element of the incoming g, `g[k]` its value,
    and `local[k]` its derivative by the cell.
    """

    cell: tuple[int, ...]
    at: np.ndarray
    g: np.ndarray
    local: np.ndarray


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one step of the backward pass adds to the gradient of one input.

    `rule` is the derivative rule in symbols, `names` what its names stand for (a value, or text). `parts` are the moves
    that lead to `value`, the last of them. The gradient of vertex `target` grows from `before` (None: nothing yet) to
    `after`, at use number `use` of `uses`. `local` is the derivative that g is multiplied by, element by element, where
    the rule does so. `probes` tell it for other rules.
    """

    slot: int
    target: int
    rule: str
    names: dict[str, Any]
    parts: list[Part]
    before: Any
    after: Any
    use: int
    uses: int
    local: Any = None
    probes: list[Probe] = field(default_factory=list)

    @property
    def value(self) -> Any:
        """What is added."""
        return self.parts[-1].value

    @property
    def spread(self) -> Any:
        """The rule's value, before the sum over `axes`."""
        return next(part.value for part in self.parts if part.what == "rule")

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which the input was broadcast, and its gradient is summed."""
        return self.parts[-1].axes


@dataclass(frozen=True, slots=True)
class Forward:
    """The forward pass computes a vertex."""

    vertex: int
    kind: str = FORWARD


@dataclass(frozen=True, slots=True)
class Backward:
    """The backward pass through one operation: the gradient of its result, and what its inputs get."""

    vertex: int
    incoming: Any
    contributions: list[Contribution]
    kind: str = BACKWARD


@dataclass(frozen=True, slots=True)
class Update:
    """An optimiser replaces the array of a leaf."""

    vertex: int
    before: Any
    after: Any
    source: str = ""
    code: str = ""
    kind: str = UPDATE


Step = Forward | Backward | Update


@dataclass(frozen=True, slots=True)
class Nudge:
    """The true result where one element of a leaf is moved: `results[k]` at element + `offsets[k]`."""

    vertex: int
    cell: tuple[int, ...]
    offsets: np.ndarray
    results: np.ndarray


@dataclass(frozen=True, slots=True)
class Trace:
    """A graph, the backward pass through it, and the updates that followed, in the order in which they happened."""

    graph: Graph
    backward: list[Backward] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    nudges: list[Nudge] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        """Every step: forward, then backward, then updates."""
        return [*(Forward(v.id) for v in self.graph.vertices if v.kind == OP), *self.backward, *self.updates]

    def to_json(self) -> str:
        """The record as text, the same for the same record; `viz.load(path)` reads it back."""
        from viz.tracing.file import to_json

        return to_json(self)

    def save(self, path: Any) -> Any:
        """Write `to_json()` to a file, all or nothing."""
        from viz.tracing.file import save

        return save(self, path)


@cache
def types_of(record: type) -> dict[str, Any]:
    """The fields of a kind of record, in order, with their types."""
    return get_type_hints(record)


@cache
def _holding(record: type) -> tuple[tuple[str, bool], ...]:
    """The fields of a kind of record, and whether there may be values in them."""
    return tuple((name, _holds(hint)) for name, hint in types_of(record).items())


def _holds(hint: Any) -> bool:
    if is_dataclass(hint):
        return any(holds for _, holds in _holding(hint))  # type: ignore[arg-type]
    return hint is Any or any(map(_holds, get_args(hint)))


def map_values(record: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of a record with every value in it, an array or a Summary, replaced by change(it).

    The arrays of probes and nudges are no values: they are needed whole, and are left as they are.
    """
    kind = type(record)
    if record is None or kind is str:
        return record
    if kind is list:
        return [map_values(item, change) for item in record]
    if kind is dict:
        return {key: map_values(item, change) for key, item in record.items()}
    if kind is tuple:
        return tuple([map_values(item, change) for item in record])
    if isinstance(record, np.ndarray | np.generic | Summary):
        return change(record)
    if is_dataclass(kind):
        found = [(getattr(record, name), holds) for name, holds in _holding(kind)]
        return kind(*[map_values(item, change) if holds else item for item, holds in found])
    return record


def each_value(record: Any) -> list[Any]:
    """Every value in a record, an array or a Summary."""
    found: list[Any] = []
    waiting = [record]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if item is None or kind is str:
            continue
        if isinstance(item, np.ndarray | np.generic | Summary):
            found.append(item)
        elif kind is list or kind is tuple:
            waiting += item
        elif kind is dict:
            waiting += item.values()
        elif is_dataclass(kind):
            waiting += [getattr(item, name) for name, holds in _holding(kind) if holds]
    return found
