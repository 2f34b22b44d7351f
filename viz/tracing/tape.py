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

import numpy as np

from autograd import Tensor
from autograd.modes import Watcher, setting
from autograd.node import Node
from viz.tracing.model import Trace


class Kept:
    """What a recorded node keeps: its result, which a call returns, and its inputs. It leads back to the tapes."""

    __slots__ = ("inputs", "result", "tapes")

    def __init__(self, result: Any, inputs: Any, tapes: tuple[Tape, ...]):
        self.result = result
        self.inputs = inputs
        self.tapes = tapes

    def __call__(self) -> Any:
        return self.result


class Tape(Watcher):
    """What happened in one `viz.record()` block: `traces`, one for each backward pass, with the updates after it."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self._roots: list[int] = []  # by the numbers of nodes: a Node here would keep its graph alive
        self._places: dict[int, tuple[int, int]] = {}  # number of a leaf -> its last trace, and its vertex there

    def forward(self, node: Node, y: Any, inputs: Any) -> None:
        outer = node.value.tapes if isinstance(node.value, Kept) else ()
        node.value = Kept(y, inputs and tuple(inputs[: len(node.inputs)]), (*outer, self))

    def before_backward(self, y: Tensor, grad: Any) -> None:
        from viz.tracing.taking import take

        if not isinstance(y._array, np.ndarray | np.generic):  # a batch, inside vmap
            return
        record, ids = take(y, grad)
        assert y.node is not None
        self._roots.append(y.node.number)
        self._places.update({node.number: (len(self.traces), k) for node, k in ids.items() if node.op is None})
        self.traces.append(record)

    def replaced(self, node: Node | None, before: Any, after: Any, place: Any) -> None:
        if node is None or node.number not in self._places:
            return
        from viz.tracing.taking import update

        k, vertex = self._places[node.number]
        record = self.traces[k]
        if before is after:  # the array was written into, as by w.data -= step
            before = next((u.after for u in reversed(record.updates) if u.vertex == vertex), None)
            before = record.graph.vertices[vertex].value if before is None else before
        self.traces[k] = replace(record, updates=[*record.updates, update(vertex, before, after, place)])

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


def trace_on_tape(node: Node) -> Trace | None:
    """The trace that the last `backward()` from this node has left on a tape."""
    recorded = node.inputs[0] if node.op is not None and node.op.kind == "part" else node  # one call, several results
    tapes = recorded.value.tapes if isinstance(recorded.value, Kept) else ()
    return next((found for tape in reversed(tapes) if (found := tape.trace_of(node)) is not None), None)
