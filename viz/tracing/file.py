"""A trace as JSON: `docs/trace.md` describes the format, `docs/trace.schema.json` checks it.

The fields of a record are written as they stand in `model.py`: their types say how. A field that is at its default is
left out. The text is the same, byte for byte, for the same record. A file is read as data that anybody may have
written: everything is checked, nothing in it is run, and what is wrong is one `TraceFileError`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

import numpy as np

from viz import collector
from viz.saving import write_atomically
from viz.texts.text import clean
from viz.tracing.model import Backward, Edge, Graph, Nudge, Trace, Update, Vertex, types_of
from viz.tracing.sound import check
from viz.tracing.values import Table, Wrong, a_list, only, read_rows, value_at, whole, wrong

FORMAT, VERSION = "seegrad trace", 1
LIMIT = 64_000_000  # bytes of a file
SECTIONS = {"vertices": Vertex, "edges": Edge, "backward": Backward, "updates": Update, "nudges": Nudge}
IMPLIED = {Backward: "kind", Update: "kind"}  # the section says it


class TraceFileError(ValueError):
    """A file is no trace, or a damaged one. The message names the file and what is wrong."""


def to_json(record: Trace) -> str:
    """The text of a trace."""
    table = Table()
    sections = (record.graph.vertices, record.graph.edges, record.backward, record.updates, record.nudges)
    content = {"format": FORMAT, "version": VERSION}
    for (name, kind), items in zip(SECTIONS.items(), sections, strict=True):
        content[name] = kind_of(list[kind]).write(items, table)  # type: ignore[valid-type]
    content["values"] = table.rows
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    return text.encode(
        "utf-8", "backslashreplace"
    ).decode()  # half characters, which no file can hold, as JSON has them


def save(record: Trace, path: str | os.PathLike[str]) -> Path:
    """Write the text of a trace to a file, all or nothing."""
    return write_atomically(Path(path), to_json(record).encode())


def load(path: str | os.PathLike[str], *, limit: int = LIMIT) -> Trace:
    """The trace in a file that `Trace.save` has written; no model is needed, and nothing in the file is run.

    Raises TraceFileError where the file is damaged, of an unknown version, no trace at all, or larger than `limit`
    bytes; an OSError where it cannot be opened.
    """
    try:
        content = _content(Path(path), limit)
        with collector.paused():
            return parsed(content)
    except Wrong as error:
        raise TraceFileError(f"{clean(os.fspath(path))} cannot be read as a trace: {error}") from None


def _content(path: Path, limit: int) -> bytes:
    """The bytes of a file; of one that never ends, no more than the limit."""
    if path.is_dir():
        raise Wrong("it is a folder")
    with open(path, "rb") as file:
        content = file.read(limit + 1) if os.fstat(file.fileno()).st_size <= limit else None
    if content is None or len(content) > limit:
        raise Wrong(f"it has more than {limit:,} bytes; load(path, limit=...) sets another limit")
    return content


def parsed(content: bytes) -> Trace:
    """The record in the bytes of a file. Raises Wrong."""
    tree = _tree(content)
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise Wrong(f'its "format" is not "{FORMAT}"')
    if type(tree.get("version")) is not int or tree["version"] != VERSION:
        raise Wrong(f"its version is {clean(repr(tree.get('version')), 60)}, and this program reads version {VERSION}")
    only(tree, {"format", "version", *SECTIONS, "values"})
    rows = _inside(".values", read_rows, tree["values"])
    vertices, edges, backward, updates, nudges = (
        _inside(f".{name}", kind_of(list[kind]).read, tree[name], rows)  # type: ignore[valid-type]
        for name, kind in SECTIONS.items()
    )
    record = Trace(Graph(vertices, edges), backward, updates, nudges)
    check(record)
    return record


def _tree(content: bytes) -> Any:
    """JSON, and nothing that only Python takes for it."""

    def constant(name: str) -> Any:
        raise Wrong(f"{name} is not JSON")

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_object, parse_constant=constant)
    except UnicodeDecodeError as error:
        raise Wrong(f"it is not UTF-8, from byte {error.start} on") from None
    except RecursionError:
        raise Wrong("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Wrong(f"it is not JSON, or not all of it is there: {error}") from None
    except ValueError:
        raise Wrong("a number in it has too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    raise Wrong(f"field {clean(repr(twice), 60)} is there twice")


def _inside(step: str, read: Callable[..., Any], *given: Any) -> Any:
    """Read something; where it is wrong, say that it is inside `step`."""
    try:
        return read(*given)
    except Wrong as error:
        raise error.inside(step) from None


class Kind(NamedTuple):
    """How a type of field is written and read."""

    write: Callable[[Any, Table], Any]
    read: Callable[[Any, list[Any]], Any]


def _as_it_is(value: Any, table: Table) -> Any:
    return value


def _text(found: Any, rows: list[Any]) -> str:
    return found if isinstance(found, str) else wrong("text", found)


def _array(found: Any, rows: list[Any]) -> np.ndarray:
    value = value_at(found, rows)
    return value if isinstance(value, np.ndarray) else wrong("the place of an array", found)


PLAIN = {
    int: Kind(_as_it_is, lambda found, rows: whole(found)),
    str: Kind(_as_it_is, _text),
    np.ndarray: Kind(lambda value, table: table.place(value), _array),
    Any: Kind(lambda value, table: table.place(value), lambda found, rows: _known(found, rows)),
}
NAMED = Kind(lambda value, table: table.named(value), lambda found, rows: _named(found, rows))


def _known(found: Any, rows: list[Any]) -> Any:
    return None if found is None else value_at(found, rows)


def _named(found: Any, rows: list[Any]) -> Any:
    return found if isinstance(found, str) else _known(found, rows)


@cache
def kind_of(hint: Any) -> Kind:
    """How fields of a type are written and read."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, given = get_origin(hint), [h for h in get_args(hint) if h not in (NoneType, ...)]
    if origin in (list, tuple):
        return _sequence(origin, kind_of(given[0]))
    if origin is dict:
        return _mapping(NAMED if given[1] is Any else kind_of(given[1]))
    if origin is not None:  # a type or None
        return _or_none(kind_of(given[0]))
    return _record(hint)


def _or_none(kind: Kind) -> Kind:
    return Kind(
        lambda value, table: None if value is None else kind.write(value, table),
        lambda found, rows: None if found is None else kind.read(found, rows),
    )


def _sequence(made: type, item: Kind) -> Kind:
    def read(found: Any, rows: list[Any]) -> Any:
        return made([_inside(f"[{k}]", item.read, x, rows) for k, x in enumerate(a_list(found))])

    return Kind(lambda value, table: [item.write(x, table) for x in value], read)


def _mapping(item: Kind) -> Kind:
    def read(found: Any, rows: list[Any]) -> Any:
        if not isinstance(found, dict):
            wrong("an object", found)
        return {name: _inside(f"[{clean(repr(name), 60)}]", item.read, x, rows) for name, x in found.items()}

    return Kind(lambda value, table: {name: item.write(x, table) for name, x in value.items()}, read)


def _record(made: type) -> Kind:
    kinds = {name: kind_of(hint) for name, hint in types_of(made).items() if name != IMPLIED.get(made)}
    usual = defaults(made)

    def write(value: Any, table: Table) -> Any:
        found = ((name, kind, getattr(value, name)) for name, kind in kinds.items())
        return {name: kind.write(x, table) for name, kind, x in found if name not in usual or _differs(x, usual[name])}

    def read(found: Any, rows: list[Any]) -> Any:
        if not isinstance(found, dict):
            wrong("an object", found)
        if not found.keys() <= kinds.keys():
            raise Wrong(f"field {clean(repr(min(found.keys() - kinds.keys())), 60)} is unknown")
        if not kinds.keys() - usual.keys() <= found.keys():
            raise Wrong(f"field {min(kinds.keys() - usual.keys() - found.keys())!r} is missing")
        return made(**{name: _inside(f".{name}", kinds[name].read, x, rows) for name, x in found.items()})

    return Kind(write, read)


def defaults(record: Any) -> dict[str, Any]:
    """What the fields of a kind of record are where nothing is given."""
    found = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(record)}
    return {name: default for name, default in found.items() if default is not MISSING}


def _differs(value: Any, default: Any) -> bool:
    return value is not None if default is None else value != default
