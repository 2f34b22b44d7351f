"""Room for what cards will say: every value and gradient that a vertex ever shows, and the one that takes most room.

A picture that plays is laid out once, with these; then nothing moves between its steps.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from viz.picture.cards import LONGEST
from viz.texts.text import fitting
from viz.tracing.holding import arrived, at_first
from viz.tracing.model import Trace

Lives = dict[int, list[Any]]


def lives(record: Trace) -> tuple[Lives, Lives]:
    """The values and the gradients of each vertex, in the order in which they come."""
    values, gradients = defaultdict(list), defaultdict(list)
    for vertex in record.graph.vertices:
        values[vertex.id].append(vertex.value)
    for id, before in at_first(record.graph).items():
        gradients[id].append(before)
    for step in record.backward:
        if not gradients[step.vertex]:
            gradients[step.vertex].append(step.incoming)
        for given in step.contributions:
            gradients[given.target].append(arrived(record.graph, given))
    for update in record.updates:
        values[update.vertex].append(update.after)
    return values, gradients


def widest(values: list[Any]) -> Any:
    """The value that takes most room; None where none is known."""
    known = [value for value in values if value is not None]
    return max(known, key=lambda value: len(fitting(value, LONGEST)), default=None)
