"""record(): keep every value for the views while a block runs.

Inside the block each operation keeps its result and the arrays it was computed from, each `y.backward()` leaves a
trace, and each array that an optimiser replaces is noted as an update of the trace before it. All of it hangs on the
recorded nodes and goes away with them. Outside such a block nothing is kept and nothing is slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from autograd import Tensor
from autograd.modes import Watcher, setting
from autograd.node import Node
from viz.tracing.model import Trace


class Kept:
    """What a recorded node keeps: its result, which a call returns, and its inputs. It leads back to the tape."""

    __slots__ = ("inputs", "result", "tape")

    def __init__(self, result: Any, inputs: Any, tape: Tape):
        self.result = result
        self.inputs = inputs
        self.tape = tape

    def __call__(self) -> Any:
        return self.result


class Tape(Watcher):
    """What happened in one `viz.record()` block: `traces`, one for each backward pass, with the updates after it."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self._roots: list[int] = []  # by the numbers of nodes: a Node here would keep its graph alive
        self._ids: dict[int, int] = {}  # number of a leaf -> its vertex in the last trace

    def forward(self, node: Node, y: Any, inputs: Any) -> None:
        node.value = Kept(y, inputs and tuple(inputs[: len(node.inputs)]), self)

    def before_backward(self, y: Tensor, grad: Any) -> None:
        from viz.tracing.taking import take

        record, ids = take(y, grad)
        self.traces.append(record)
        assert y.node is not None
        self._roots.append(y.node.number)
        self._ids = {node.number: k for node, k in ids.items() if node.op is None}

    def replaced(self, node: Node | None, before: Any, after: Any, place: Any) -> None:
        vertex = self._ids.get(node.number) if node is not None else None
        if vertex is not None:
            from viz.tracing.taking import update

            last = self.traces[-1]
            self.traces[-1] = replace(last, updates=[*last.updates, update(vertex, before, after, place)])

    def trace_of(self, node: Node) -> Trace | None:
        """The trace that the last `backward()` from this node has left."""
        for number, record in zip(reversed(self._roots), reversed(self.traces), strict=True):
            if number == node.number:
                return record
        return None


@contextmanager
def record() -> Iterator[Tape]:
    """Keep every intermediate value in this block, a trace of each `backward()` and each optimiser step after it.

    Views then show all values, also after `backward()` has freed the graph. The Tape (`as tape`) has the traces in
    order; every view takes a Tensor, a Trace, or a Tape (its last trace).
    """
    tape = Tape()
    with setting(watch=tape):
        yield tape


def tape_of(node: Node) -> Tape | None:
    """The tape that was running when the node was recorded."""
    return node.value.tape if isinstance(node.value, Kept) else None
