"""Frames around the operations of one module, nested as the modules are.

A frame belongs to blocks of one scope that are connected with each other, column by column from left to right. It ends
where a stranger would come to stand inside it, and a new frame with the same caption begins: a picture may repeat a
caption, but it never claims an operation for a module that did not run it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from viz.picture.layout import Box, Layout, Link

MARGIN, CAPTION = 9.0, 19.0  # space inside a frame on three sides, and at the top, where its caption stands


class Frame(NamedTuple):
    """A module's frame; depth 1 is the outermost module."""

    name: str
    depth: int
    x: float
    y: float
    width: float
    height: float


class Part(NamedTuple):
    """Neighbours in one column: their room, and the free room up to the strangers above and below them."""

    column: int
    x0: float
    x1: float
    y0: float
    y1: float
    free0: float
    free1: float

    def joined(self, other: Part) -> Part:
        return Part(
            other.column,
            min(self.x0, other.x0),
            max(self.x1, other.x1),
            min(self.y0, other.y0),
            max(self.y1, other.y1),
            max(self.free0, other.free0),
            min(self.free1, other.free1),
        )

    def holds_no_stranger(self) -> bool:
        return self.free0 <= self.y0 and self.y1 <= self.free1


def frames(scopes: Sequence[tuple[str, ...]], boxes: Sequence[Box], links: Sequence[Link], plan: Layout) -> list[Frame]:
    """All frames, the outermost first. The boxes' sizes must include `MARGIN` and `CAPTION` for each level of scope."""
    found = []
    for depth in range(1, 1 + max(map(len, scopes), default=0)):
        for members in _connected(scopes, links, depth):
            name = scopes[members[0]][depth - 1]
            for part in _runs(_parts(set(members), depth, boxes, plan)):
                y = part.y0 - plan.top
                found.append(Frame(name, depth, part.x0, y, part.x1 - part.x0, part.y1 - part.y0))
    return found


def _connected(scopes: Sequence[tuple[str, ...]], links: Iterable[Link], depth: int) -> list[list[int]]:
    """Groups of blocks that share the first `depth` levels of scope and are connected by links inside the group."""
    leader = list(range(len(scopes)))

    def find(v: int) -> int:
        while leader[v] != v:
            leader[v] = leader[leader[v]]
            v = leader[v]
        return v

    for link in links:
        if scopes[link.source][:depth] == scopes[link.target][:depth]:
            leader[find(link.source)] = find(link.target)
    groups = defaultdict(list)
    for v, scope in enumerate(scopes):
        if len(scope) >= depth:
            groups[find(v)].append(v)
    return list(groups.values())


def _parts(members: set[int], depth: int, boxes: Sequence[Box], plan: Layout) -> Iterator[Part]:
    """The members of each column, as groups that stand next to each other."""
    inset = MARGIN * (depth - 1)
    for c, column in _columns_with(members, plan):
        places = {i for i, v in enumerate(column) if v in members}
        starts = [i for i in sorted(places) if i - 1 not in places]
        ends = [i for i in sorted(places) if i + 1 not in places]
        for start, end in zip(starts, ends):
            inside = column[start : end + 1]
            first, last = column[start], column[end]
            before, after = column[start - 1 : start], column[end + 1 : end + 2]
            yield Part(
                c,
                min(plan.x[v] for v in inside) + inset,
                max(plan.x[v] + boxes[v].width for v in inside) - inset,
                plan.y[first] - boxes[first].above + CAPTION * (depth - 1),
                plan.y[last] + boxes[last].below - inset,
                max([plan.y[v] + boxes[v].below for v in before], default=float("-inf")),
                min([plan.y[v] - boxes[v].above for v in after], default=float("inf")),
            )


def _columns_with(members: set[int], plan: Layout) -> list[tuple[int, list[int]]]:
    return [(c, plan.columns[c]) for c in sorted({plan.column[v] for v in members})]


def _runs(parts: Iterable[Part]) -> Iterator[Part]:
    """Join parts of neighbouring columns as long as no stranger gets in."""
    run: Part | None = None
    for part in parts:
        if run is not None:
            joined = run.joined(part)
            if part.column == run.column + 1 and joined.holds_no_stranger():
                run = joined
                continue
            yield run
        run = part
    if run is not None:
        yield run
