"""Node: one recorded operation, or a leaf.

Tensors point at Nodes, Nodes point at the Nodes they were computed from, and nothing points back. There is no
reference cycle, so a graph that nobody holds is freed at once by reference counting. Nodes are numbered as they are
made; inputs exist before outputs, so sorting by number is a topological order.
"""

from __future__ import annotations

from itertools import count
from types import CodeType
from typing import TYPE_CHECKING, Any

from .errors import GraphFreedError
from .source import Source, decode

if TYPE_CHECKING:
    from .op import Op, Plan

next_number = count(1).__next__
NO_KWARGS: dict[str, Any] = {}


class Node:
    """One operation of the graph: what was computed, from what, and what its derivative rules need.

    `op` is None for a leaf. `inputs` has one entry per array argument: a Node where that input is recorded, the
    number itself for a scalar constant, None for a constant array. `value` is the result where it is a scalar, or
    something to call for it: a leaf refers to its array weakly, `viz.record` keeps it. Read it with `known_value()`.
    """

    __slots__ = (
        "changed",
        "code",
        "dtype",
        "grad",
        "inputs",
        "keeps_grad",
        "kwargs",
        "lasti",
        "name",
        "number",
        "op",
        "plan",
        "saved",
        "scope",
        "shape",
        "value",
    )

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Any, ...],
        kwargs: dict[str, Any],
        plan: Plan | None,
        saved: tuple[Any, ...] | None,
        shape: Any,
        dtype: Any,
        value: Any,
        code: CodeType | None,
        lasti: int,
        scope: tuple[str, ...],
    ):
        self.op = op
        self.inputs = inputs
        self.kwargs = kwargs
        self.plan = plan
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.value = value
        self.code = code
        self.lasti = lasti
        self.scope = scope
        self.number = next_number()
        self.name: str | None = None
        self.grad: Any = None
        self.keeps_grad = op is None
        self.changed: tuple[int, CodeType | None, int] | None = None

    @property
    def source(self) -> Source | None:
        """The place in the user's code that recorded this node."""
        return decode(self.code, self.lasti)

    def known_value(self) -> Any:
        """The result, as far as the graph or somebody else still holds it; else None."""
        return self.value() if callable(self.value) else self.value

    def values(self) -> dict[str, Any]:
        """What was saved, under the names that the rules use."""
        if self.plan is None:
            return {}
        if self.saved is None:
            raise GraphFreedError(freed(self))
        return dict(zip(self.plan.names, self.saved, strict=True))

    def __repr__(self) -> str:
        return f"<Node {self.number} {describe(self)} {self.shape} {self.dtype}>"


def describe(node: Node | None) -> str:
    """'multiply (model.py:12)', or the leaf's name: how errors speak of a node."""
    assert node is not None
    what = node.op.name if node.op is not None else f"leaf {node.name!r}" if node.name else "leaf"
    return f"{what} ({node.source})" if node.source else what


def freed(node: Node) -> str:
    """The message for a graph that was used up."""
    return (
        f"backward() already went through this graph and freed what {describe(node)} had saved. "
        "Call the first backward(retain_graph=True), or compute the result again."
    )
