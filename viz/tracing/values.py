"""The values of a trace file: a table in which each array, Summary or tuple stands once.

A record refers to a value by its place in the table, so that an array which is g, a contribution and a gradient at the
same time is written once. A small array is a list of numbers, a larger one base64 of its bytes. Reading trusts nothing:
the size of the data must fit the shape and the dtype before an array is made.
"""

from __future__ import annotations

import base64
import math
from dataclasses import fields
from typing import Any, NoReturn

import numpy as np

from viz.texts.text import clean
from viz.texts.text import values as shown
from viz.tracing.budget import THUMBNAIL
from viz.tracing.model import Summary

LISTED = 32  # elements that are written as numbers; more are written as base64
DTYPES = ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
AXES = 32  # NumPy 1 has no more
SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # numbers that JSON lacks


class Wrong(Exception):
    """What is wrong in a file, and at which place of it."""

    def __init__(self, what: str):
        super().__init__(what)
        self.what = what
        self.at = ""

    def inside(self, step: str) -> Wrong:
        """The same, one level further out: `step` is `.name` or `[3]`."""
        self.at = step + self.at
        return self

    def __str__(self) -> str:
        return f"{self.at.removeprefix('.')}: {self.what}" if self.at else self.what


def wrong(expected: str, found: Any) -> NoReturn:
    """Say what should stand where `found` stands."""
    raise Wrong(f"expected {expected}, found {clean(repr(found)[:200], 60)}")


def number_of(x: Any) -> Any:
    """A number as JSON has it."""
    if type(x) is float:
        return x if math.isfinite(x) else str(x)  # nan, inf, -inf
    if isinstance(x, complex | np.complexfloating):
        return [number_of(x.real), number_of(x.imag)]
    return x if isinstance(x, bool | int) else number_of(float(x))


class Table:
    """Values while they are written."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._places: dict[str, int] = {}  # by what is written
        self._seen: dict[int, int] = {}  # by id; the record holds every value while it is written

    def place(self, value: Any) -> int | None:
        """How a record refers to a value."""
        if value is None:
            return None
        if id(value) not in self._seen:
            self._seen[id(value)] = self._put(value)
        return self._seen[id(value)]

    def named(self, value: Any) -> int | str | None:
        """How a record refers to what a name stands for: a value, or text."""
        if value is None or isinstance(value, str):
            return value
        plain = isinstance(value, Summary | tuple) or np.asarray(value).dtype.kind in "biufc"
        return self.place(value) if plain else shown(value)

    def _put(self, value: Any) -> int:
        row = self._written(value)
        key = repr(row)
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows.append(row)
        return self._places[key]

    def _written(self, value: Any) -> dict[str, Any]:
        if isinstance(value, tuple):
            return {"tuple": [shown(v) if isinstance(v, tuple) else self.named(v) for v in value]}
        return _summary_row(value) if isinstance(value, Summary) else array_row(in_order(np.asarray(value)))


def in_order(array: np.ndarray) -> np.ndarray:
    """An array of one of the `DTYPES`: little end first, and of a number with more than 64 bits the leading ones."""
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a trace holds numbers, not dtype {array.dtype}")
    dtype = array.dtype.newbyteorder("<")
    if dtype.str not in DTYPES:
        dtype = np.dtype("<c16" if dtype.kind == "c" else "<f8")
    return array.astype(dtype, copy=False)


def array_row(array: np.ndarray) -> dict[str, Any]:
    """An array that is `in_order`."""
    row: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if array.size <= LISTED:
        row["data"] = [number_of(x) for x in array.ravel().tolist()]
    else:
        row["base64"] = base64.b64encode(array.tobytes()).decode()
    return row


def _summary_row(value: Summary) -> dict[str, Any]:
    row = {f.name: getattr(value, f.name) for f in fields(value)}
    row |= {name: number_of(row[name]) for name in STATISTICS if row[name] is not None}
    row["dtype"] = in_order(np.empty(0, value.dtype)).dtype.str
    row["thumbnail"] = array_row(value.thumbnail)
    row["cells"] = [[list(cell), number_of(np.asarray(x).item())] for cell, x in value.cells.items()]
    return {"summary": row}


STATISTICS = ("smallest", "largest", "mean", "norm", "scale")
SUMMARY = {f.name for f in fields(Summary)}


def read_rows(rows: Any) -> list[Any]:
    """The values of a table."""
    found: list[Any] = []
    for k, row in enumerate(a_list(rows)):
        try:
            found.append(_read_row(row, found))
        except Wrong as error:
            raise error.inside(f"[{k}]") from None
    return found


def _read_row(row: Any, earlier: list[Any]) -> Any:
    if not isinstance(row, dict):
        wrong("a value", row)
    if "tuple" in row:
        only(row, {"tuple"})
        return tuple([_tuple_item(item, earlier) for item in a_list(row["tuple"])])
    if "summary" in row:
        only(row, {"summary"})
        return _read_summary(row["summary"])
    return read_array(row)


def _tuple_item(item: Any, earlier: list[Any]) -> Any:
    value = item if item is None or isinstance(item, str) else value_at(item, earlier)
    return value if not isinstance(value, tuple) else wrong("no tuple inside a tuple", item)


def value_at(place: Any, rows: list[Any]) -> Any:
    """The value that a record refers to."""
    return rows[place] if type(place) is int and 0 <= place < len(rows) else wrong("the place of a value", place)


def read_array(row: Any) -> np.ndarray:
    """An array, after everything about it has been checked."""
    only(row, {"dtype", "shape", "base64" if isinstance(row, dict) and "base64" in row else "data"})
    dtype, shape = read_dtype(row["dtype"]), read_shape(row["shape"])
    size = math.prod(shape)
    if "base64" in row:
        array = np.frombuffer(_read_bytes(row["base64"], size * dtype.itemsize), dtype)
        if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            raise Wrong("a byte of a bool is 0 or 1")
        return array.astype(dtype.newbyteorder("="), copy=False).reshape(shape)
    data = a_list(row["data"])
    if len(data) != size:
        raise Wrong(f"shape {list(shape)} has {size} elements, and there are {len(data)}")
    return _read_numbers(data, dtype).reshape(shape)


def read_dtype(name: Any) -> np.dtype:
    """A dtype of the list."""
    return np.dtype(name) if isinstance(name, str) and name in DTYPES else wrong("a dtype", name)


def read_shape(shape: Any) -> tuple[int, ...]:
    """A shape that NumPy can have."""
    found = tuple([whole(n) for n in a_list(shape)])
    if len(found) > AXES or math.prod(max(n, 1) for n in found) >= 2**48:
        wrong("a shape", shape)
    return found


def _read_bytes(text: Any, size: int) -> bytes:
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        wrong(f"{size} bytes as base64", text)
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        wrong("base64", text)
    return content if len(content) == size else wrong(f"{size} bytes as base64", text)


def _read_numbers(data: list[Any], dtype: np.dtype) -> np.ndarray:
    numbers = np.array([read_number(x, dtype.kind) for x in data], WIDEST.get(dtype.kind, dtype))
    with np.errstate(over="ignore", under="ignore"):
        array = numbers.astype(dtype.newbyteorder("="))
    if np.array_equal(np.isfinite(array), np.isfinite(numbers)) and (dtype.kind in "fc" or (array == numbers).all()):
        return array
    raise Wrong(f"a number is too large for {dtype.name}")


WIDEST: dict[str, Any] = {"f": float, "c": complex, "i": np.int64, "u": np.uint64, "b": bool}


def read_number(x: Any, kind: str) -> Any:
    """A number of a kind of dtype: b, i, u, f or c."""
    if kind == "c":
        return complex(*[read_number(part, "f") for part in x]) if pair(x) else wrong("[real, imaginary]", x)
    if kind == "b":
        return x if isinstance(x, bool) else wrong("true or false", x)
    if kind == "f":
        return SPECIAL[x] if isinstance(x, str) and x in SPECIAL else finite(x)
    low = 0 if kind == "u" else -(2**63)
    return x if type(x) is int and low <= x < low + 2**64 else wrong("a whole number", x)


def pair(x: Any) -> bool:
    """Two items in a list."""
    return isinstance(x, list) and len(x) == 2


def finite(x: Any) -> float:
    """A number that a float can be."""
    if type(x) not in (int, float) or not abs(x) <= LARGEST:
        wrong("a number", x)
    return float(x)


LARGEST = np.finfo(float).max.item()


def whole(x: Any) -> int:
    """A number that counts something."""
    return x if type(x) is int and 0 <= x < 2**48 else wrong("a whole number", x)


def a_list(x: Any) -> list[Any]:
    """A list."""
    return x if isinstance(x, list) else wrong("a list", x)


def only(x: Any, names: set[str]) -> None:
    """An object with these fields and no other."""
    if not isinstance(x, dict):
        wrong("an object", x)
    if x.keys() != names:
        missing, unknown = sorted(names - x.keys()), sorted(x.keys() - names)
        raise Wrong(f"field {clean(repr((missing or unknown)[0]), 60)} is {'missing' if missing else 'unknown'}")


def _read_summary(row: Any) -> Summary:
    only(row, SUMMARY)
    shape, dtype = read_shape(row["shape"]), read_dtype(row["dtype"])
    numbers = {name: None if row[name] is None else _statistic(row[name]) for name in STATISTICS}
    counts = {name: whole(row[name]) for name in ("zeros", "nans", "infs")}
    thumbnail = read_array(row["thumbnail"])
    rows, columns = (math.prod(shape[:-1]), shape[-1]) if shape else wrong("a shape with an axis", row["shape"])
    expected = (min(rows, THUMBNAIL), min(columns, THUMBNAIL)) if rows * columns else (0, 0)
    if numbers["scale"] is None or thumbnail.dtype != np.int8 or thumbnail.shape != expected:
        raise Wrong(f"the thumbnail of shape {list(shape)} is an int8 array of shape {list(expected)}, with a scale")
    cells = dict([_read_cell(cell, shape, dtype) for cell in a_list(row["cells"])])
    return Summary(shape, dtype.str, **numbers, **counts, thumbnail=thumbnail, cells=cells)  # type: ignore[arg-type]


def _statistic(x: Any) -> Any:
    return x if type(x) is int and abs(x) < 2**64 else read_number(x, "f")


def _read_cell(cell: Any, shape: tuple[int, ...], dtype: np.dtype) -> tuple[tuple[int, ...], Any]:
    if not pair(cell):
        wrong("[index, number]", cell)
    index = read_shape(cell[0])
    if len(index) != len(shape) or any(k >= n for k, n in zip(index, shape, strict=True)):
        wrong(f"an index into shape {list(shape)}", cell[0])
    return index, _read_numbers([cell[1]], dtype)[0]
