"""A trace as JSON: `docs/trace.md` describes the format, `docs/trace.schema.json` checks it.

Values stand once in a table and are referred to by their place in it, so that an array which is g, a contribution and
a gradient at the same time is written once. The text is the same, byte for byte, for the same record.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from viz.saving import write_atomically
from viz.tracing.model import (
    Backward,
    Contribution,
    Nudge,
    Part,
    Probe,
    Summary,
    Trace,
    Update,
    Vertex,
)

FORMAT, VERSION = "seegrad trace", 1
LISTED = 32  # elements that are written as numbers; more are written as base64


class Table:
    """The values of a record, each once."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._places: dict[Any, int] = {}
        self._seen: dict[int, int] = {}

    def place(self, value: Any) -> Any:
        """How a record refers to a value: its place, null, or text as it is."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, tuple):
            return self._put(
                ("tuple", tuple(map(self.place, value))), lambda: {"tuple": [self.place(v) for v in value]}
            )
        if id(value) not in self._seen:  # the record holds every value while it is written
            if isinstance(value, Summary):
                self._seen[id(value)] = self._put(("summary", id(value)), lambda: _summary(value))
            else:
                array = np.asarray(value)
                key = (array.dtype.str, array.shape, array.tobytes())
                self._seen[id(value)] = self._put(key, lambda: encoded(array))
        return self._seen[id(value)]

    def _put(self, key: Any, write: Any) -> int:
        if key not in self._places:
            row = write()
            self._places[key] = len(self.rows)
            self.rows.append(row)
        return self._places[key]


def to_json(record: Trace) -> str:
    """The text of a trace."""
    table = Table()
    content = {
        "format": FORMAT,
        "version": VERSION,
        "vertices": [_fields(v, table) for v in record.graph.vertices],
        "edges": [[e.source, e.target, e.slot, e.name] for e in record.graph.edges],
        "backward": [_fields(step, table) for step in record.backward],
        "updates": [_fields(step, table) for step in record.updates],
        "nudges": [_fields(nudge, table) for nudge in record.nudges],
    }
    content["values"] = table.rows
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


VALUES = {
    Vertex: {"value", "gradient"},
    Backward: {"incoming"},
    Contribution: {"before", "after", "local"},
    Part: {"value"},
    Update: {"before", "after"},
    Probe: {"at", "g", "local"},
    Nudge: {"offsets", "results"},
}
LISTS = {(Backward, "contributions"): Contribution, (Contribution, "parts"): Part, (Contribution, "probes"): Probe}
OMITTED = {"id", "kind"}


def _fields(item: Any, table: Table) -> dict[str, Any]:
    """The fields of a record's item that are not at their default."""
    kind, found = type(item), {}
    for f in fields(item):
        value = getattr(item, f.name)
        if f.name == "id" or (f.name == "kind" and kind is not Vertex):
            continue
        if f.name in VALUES[kind]:
            value = table.place(value)
        elif (kind, f.name) in LISTS:
            value = [_fields(part, table) for part in value]
        elif kind is Contribution and f.name == "names":
            value = {name: table.place(v) for name, v in value.items()}
        if value not in (None, "", [], {}, ()):
            found[f.name] = value
    return found


def encoded(array: np.ndarray) -> dict[str, Any]:
    """An array: its elements as numbers, or as base64 of its bytes in C order, little end first."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    row: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if array.size <= LISTED and array.dtype.kind in "biuf":
        row["data"] = [_number(x) for x in array.ravel().tolist()]
    else:
        row["base64"] = base64.b64encode(array.tobytes()).decode()
    return row


def _number(x: Any) -> Any:
    return x if not isinstance(x, float) or np.isfinite(x) else str(x)  # "nan", "inf", "-inf"


def _summary(value: Summary) -> dict[str, Any]:
    row = {f.name: getattr(value, f.name) for f in fields(value)}
    row["thumbnail"] = encoded(value.thumbnail)
    row["cells"] = [[list(cell), _number(np.asarray(x).item())] for cell, x in value.cells.items()]
    return {"summary": row}


def save(record: Trace, path: str | os.PathLike[str]) -> Path:
    """Write the text of a trace to a file, all or nothing."""
    return write_atomically(Path(path), to_json(record).encode())
