"""A trace in a file: the same bytes each time, the same views from it, and one clear error for whatever is wrong."""

from __future__ import annotations

import base64
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import DIFFERENTIABLE

import viz
from autograd import Tensor
from viz.tracing.budget import summary
from viz.tracing.file import kind_of, load, parsed, to_json
from viz.tracing.model import Backward, Contribution, Edge, Graph, Nudge, Part, Probe, Trace, Update, Vertex
from viz.tracing.sound import check
from viz.tracing.values import Table, Wrong, read_rows

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def leaf(x, name=""):
    tensor = Tensor(np.asarray(x), requires_grad=True)
    tensor.name = name
    return tensor


def net():
    """Broadcasting, a transpose, several uses, constants, a static argument."""
    rng = np.random.default_rng(0)
    X, W, b = (leaf(rng.normal(size=s), name) for s, name in (((5, 4), "X"), ((4, 3), "W"), ((3,), "b")))
    h = np.tanh(X @ W + b)
    return (h * h * np.arange(3.0) + np.exp(X[:, :3])).sum(axis=0).sum()


def trained():
    """A trace with updates."""
    w = leaf([1.0, -2.0], "w")
    with viz.record() as tape:
        (w * w).sum().backward()
        w.data = w.data - 0.1 * w.grad
    return tape.traces[0]


def several():
    """An operation with several results, complex numbers, and numbers that JSON lacks."""
    a = leaf(np.array([[2.0, 1.0], [0.0, 3.0]]))
    z = leaf(np.array([1 + 2j, complex(math.nan, -math.inf), -0.0]))
    with np.errstate(all="ignore"):
        _, log = np.linalg.slogdet(a)
        return (log * np.array([np.inf, -np.inf, np.nan, -0.0])).sum() + np.abs(z).sum()


def explained():
    """A record with everything in it that a view may ask for."""
    record = viz.trace(leaf(np.arange(4.0), "x").sum())
    probe = Probe((1,), np.zeros((1, 0), int), np.ones(1), np.ones(1))
    record.backward[0].contributions[0].probes.append(probe)
    record.nudges.append(Nudge(0, (2,), np.array([-0.1, 0.1]), np.array([5.9, 6.1])))
    return record


def large():
    """More numbers than the budget: summaries."""
    x = leaf(np.linspace(-1, 1, 3000).reshape(30, 100), "x")
    return viz.trace(np.tanh(x).sum(), budget=1000)


RECORDS = {
    "net": lambda: viz.trace(net()),
    "trained": trained,
    "several": lambda: viz.trace(several()),
    "explained": explained,
    "large": large,
    "one leaf": lambda: viz.trace(leaf(1.5, "x")),
}
each_record = pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)


def content(record):
    return to_json(record).encode()


# ---- there and back ----


@each_record
def test_a_loaded_trace_is_the_trace(make, tmp_path):
    record = make()
    again = viz.load(record.save(tmp_path / "trace.json"))
    assert again.to_json() == record.to_json()
    assert viz.explain(again) == viz.explain(record)
    assert viz.draw(again).svg == viz.draw(record).svg
    assert same(again, record)


def same(a, b):
    """Equal in every field, with -0.0 and nan where the other has them."""
    if isinstance(a, np.ndarray | np.generic):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and repr(a.tolist()) == repr(b.tolist())
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, k), getattr(b, k)) for k in a.__dataclass_fields__)
    return a == b


def test_the_comparison_notices_a_difference():
    assert not same(np.array([1.0]), np.array([1.0 + 1e-15]))
    assert not same([Vertex(0, "leaf")], [Vertex(0, "op")])
    assert not same(np.zeros(2), np.zeros(2, np.float32))
    assert not same(np.array([0.0]), np.array([-0.0]))


FIRST_OF_ROW = list({sample.name: sample for sample in reversed(DIFFERENTIABLE)}.values())


@pytest.mark.parametrize("dtype", [float, complex, np.float32], ids=lambda d: d.__name__)
def test_traces_of_every_operation_come_back(dtype):
    count = 0
    for sample in FIRST_OF_ROW:
        f, xs = sample.problem(dtype)
        try:
            with np.errstate(all="ignore"):
                y = f(*map(leaf, xs))
        except TypeError:  # not for complex numbers
            continue
        record = viz.trace(y, np.ones_like(y.data))
        again = parsed(content(record))
        assert content(again) == content(record), sample
        assert viz.explain(again) == viz.explain(record), sample
        count += 1
    assert count > len(FIRST_OF_ROW) / 2


NUMBERS = [
    np.array([True, False]),
    *[np.array([np.iinfo(t).min, np.iinfo(t).max, 1], t) for t in "bhilqBHILQ"],
    *[np.array([0.1, -0.0, np.nan, np.inf, -np.inf, np.finfo(t).max, np.finfo(t).tiny / 2], t) for t in "efd"],
    *[np.array([0.1 - 2j, complex(-0.0, np.nan), complex(np.inf, -np.inf)], t) for t in "FD"],
]


@pytest.mark.parametrize("times", [1, 20], ids=["listed", "base64"])
@pytest.mark.parametrize("array", NUMBERS, ids=lambda a: a.dtype.name)
def test_every_number_comes_back(array, times):
    array = np.tile(array, times)
    other_end = array.astype(array.dtype.newbyteorder(">"))
    for value in (array, array.reshape(1, -1, 1), array[::-1], other_end, array[:0]):
        table = Table()
        assert table.place(value) == 0
        (found,) = read_rows(json.loads(json.dumps(table.rows, allow_nan=False)))
        assert found.dtype == array.dtype and found.shape == value.shape
        assert found.tobytes() == value.astype(array.dtype).tobytes()
    assert ("base64" in table.rows[0]) is False  # an empty array is a list


@pytest.mark.parametrize("array", NUMBERS, ids=lambda a: a.dtype.name)
def test_every_summary_comes_back(array):
    given = summary(np.tile(array, (70, 50)))
    table = Table()
    table.place(given)
    (found,) = read_rows(json.loads(json.dumps(table.rows, allow_nan=False)))
    assert same(found, given)


def test_long_floats_are_rounded_and_objects_refused():
    table, long, objects = Table(), np.array([1.5], np.longdouble), np.array([object()])
    table.place(long)
    assert table.rows == [{"dtype": "<f8", "shape": [1], "data": [1.5]}]
    with pytest.raises(TypeError, match="dtype object"):
        table.place(objects)


def test_a_value_is_written_once_and_by_its_content():
    x = np.arange(40.0)
    table = Table()
    several = x, x.copy(), x[::-1], x.reshape(4, 10), -x, (x, None, "text"), (x, None, "text")
    assert [table.place(value) for value in several] == [0, 0, 1, 2, 3, 4, 4]
    assert [table.place(summary(v)) for v in (x, x.copy())] == [5, 5]


def test_nan_is_one_number_whatever_its_sign():
    table, signs = Table(), (np.array(np.nan), -np.array(np.nan))
    assert [table.place(value) for value in signs] == [0, 0]


def test_minus_zero_is_another_number_than_zero():
    table = Table()
    assert table.place(np.array(0.0)) != table.place(np.array(-0.0))


def test_half_characters_in_names(tmp_path):
    x = leaf(2.0, "a\ud800b\u2028\x1b[31m日本")
    path = (x * x).sum()
    record = viz.trace(path)
    record.to_json().encode("utf-8")
    assert viz.load(record.save(tmp_path / "t.json")).graph.vertices[0].name == x.name


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from test_viz_file import RECORDS
[bytes(n) for n in range({n})]
sys.stdout.buffer.write("".join(make().to_json() for make in RECORDS.values()).encode())
"""


def test_the_bytes_do_not_depend_on_the_process():
    found = set()
    for n, seed in ((0, "1"), (1000, "2")):
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(tests=str(Path(__file__).parent), n=n)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        found.add(run.stdout)
    assert len(found) == 1 and len(found.pop()) > 10_000


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "trace.json"
    path.write_text("old")
    record = Trace(Graph([Vertex(0, "leaf", value=np.array([object()]))], []))
    with pytest.raises(TypeError):
        record.save(path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["trace.json"]


# ---- the documents ----


@each_record
def test_files_fit_the_schema(make):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DOCS / "trace.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(make().to_json()))


@pytest.mark.parametrize("kind", [Vertex, Edge, Backward, Contribution, Part, Probe, Update, Nudge])
def test_schema_and_description_know_every_field(kind):
    schema = json.loads((DOCS / "trace.schema.json").read_text())["$defs"][kind.__name__.lower()]
    fields = set(kind.__dataclass_fields__) - ({"kind"} if kind in (Backward, Update) else set())
    assert schema["properties"].keys() == fields
    for name in fields:
        assert f"`{name}`" in (DOCS / "trace.md").read_text() or f"`{name}[k]" in (DOCS / "trace.md").read_text()


def test_the_schema_is_as_strict_about_fields_as_the_reader():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads((DOCS / "trace.schema.json").read_text()))
    for damage in (lambda t: t.update(extra=1), lambda t: t["vertices"][0].pop("id"), lambda t: t.update(version=2)):
        tree = json.loads(content(explained()))
        damage(tree)
        assert not validator.is_valid(tree)
        with pytest.raises(Wrong):
            parsed(json.dumps(tree).encode())


def test_the_example_in_the_description_is_true():
    text = (DOCS / "trace.md").read_text()
    example = json.loads(text.split("```json\n")[1].split("```")[0])
    x = Tensor(3.0, requires_grad=True)
    x.name = "x"
    y = x * x
    written = json.loads(viz.trace(y).to_json())
    for vertex in [*example["vertices"], *written["vertices"]]:
        del vertex["source"]
    assert written == example
    assert "x.grad: 3 + 3 = 6, use 2 of 2" in viz.explain(parsed(json.dumps(example).encode()))


# ---- what is wrong with a file ----


def damaged(change, make=explained):
    """The bytes of a file in which something has been changed."""
    tree = json.loads(content(make()))
    change(tree)
    return json.dumps(tree).encode()


def put(*path):
    """put("vertices", 0, "id", 7): a change that puts the last item into the place that the others name."""
    *outer, name, value = path

    def change(tree):
        for step in outer:
            tree = tree[step]
        tree[name] = value

    return change


def array(**fields):
    return put("values", 0, {"dtype": "<f8", "shape": [1], "data": [1.0]} | fields)


def parts_of(tree):
    return tree["backward"][0]["contributions"][0]["parts"]


BIG = [{"dtype": "<f8", "shape": [2**40], "base64": "AAAA"}]
C = ("backward", 0, "contributions", 0)
DAMAGES = {
    "not an object": (lambda t: t.clear(), '"format"'),
    "another format": (put("format", "other"), '"format"'),
    "a future version": (put("version", 2), "version is 2, and this program reads version 1"),
    "a version that is no number": (put("version", True), "version is True"),
    "no values": (lambda t: t.pop("values"), "'values' is missing"),
    "an unknown section": (put("extra", []), "'extra' is unknown"),
    "an unknown field": (put("vertices", 0, "__class__", "os"), r"vertices\[0\]: field '__class__' is unknown"),
    "sections of a wrong type": (put("edges", {}), "edges: expected a list"),
    "a vertex that is a list": (put("vertices", 0, []), r"vertices\[0\]: expected an object"),
    "a name that is no text": (put("vertices", 0, "name", 3), r"vertices\[0\].name: expected text, found 3"),
    "a scope that is no text": (put("vertices", 0, "scope", [None]), r"vertices\[0\].scope\[0\]: expected text"),
    "an argument that is no text": (put("vertices", 0, "arguments", {"a": 1}), r"arguments\['a'\]: expected text"),
    "a fractional id": (put("vertices", 0, "id", 0.0), "expected a whole number, found 0.0"),
    "a true id": (put("vertices", 0, "id", False), "expected a whole number, found False"),
    "a wrong id": (put("vertices", 0, "id", 7), r"vertices\[0\]: its id is 7"),
    "no vertices": (put("vertices", []), "vertices: there is none"),
    "an unknown kind": (put("vertices", 0, "kind", "file"), "kind is unknown"),
    "a negative length": (put("vertices", 0, "shape", [-1]), "expected a whole number, found -1"),
    "too many axes": (put("vertices", 0, "shape", [1] * 40), "too many axes"),
    "a value of another shape": (put("vertices", 0, "shape", [3]), "another shape"),
    "a place that is not there": (put("vertices", 0, "value", 99), "place of a value, found 99"),
    "a place before the first": (put("vertices", 0, "value", -1), "place of a value, found -1"),
    "a value that is text": (put("vertices", 0, "value", "0"), "place of a value"),
    "an edge backwards": (put("edges", 0, "source", 1), "not forwards"),
    "an edge to nowhere": (put("edges", 0, "target", 5), "not forwards"),
    "an edge twice": (lambda t: t["edges"].append(t["edges"][0]), "are not 0, 1, 2"),
    "a slot too far": (put("edges", 0, "slot", 1), "are not 0, 1, 2"),
    "inputs of a leaf": (put("vertices", 1, "kind", "leaf"), "no operation and has inputs"),
    "a step of no operation": (put("backward", 0, "vertex", 0), "no op"),
    "a step of a vertex that is not there": (put("backward", 0, "vertex", 9), "no op"),
    "a step twice": (lambda t: t["backward"].append(t["backward"][0]), "from the last vertex to the first"),
    "a contribution along no edge": (put(*C, "slot", 1), "no such edge"),
    "a contribution without parts": (put(*C, "parts", []), "its parts are not"),
    "an unknown part": (put(*C, "parts", 0, "what", "magic"), "its parts are not"),
    "two rules": (lambda t: parts_of(t).append(parts_of(t)[0]), "its parts are not"),
    "a rule with axes": (put(*C, "parts", 0, "axes", [0]), "axis that is not there"),
    "use 2 of 1": (put(*C, "use", 2), "use 2 of 1"),
    "use 0": (put(*C, "use", 0), "use 0 of 1"),
    "a use left out": (lambda t: t["backward"][0]["contributions"][0].pop("use"), "'use'"),
    "a probe outside": (put(*C, "probes", 0, "cell", [4]), "outside of its target"),
    "a probe with too few factors": (put(*C, "probes", 0, "g", 0), "one factor for each g"),
    "a nudge outside": (put("nudges", 0, "cell", [1, 1]), "outside of its leaf"),
    "a nudge of an operation": (put("nudges", 0, "vertex", 1), "no leaf"),
    "a nudge without results": (put("nudges", 0, "results", 0), "one result for each offset"),
    "a nudge whose offsets are not known": (put("nudges", 0, "offsets", None), "place of a value"),
    "a value that is a number": (put("values", 0, 3), "expected a value"),
    "an object dtype": (array(dtype="|O"), "expected a dtype, found '|O'"),
    "a structured dtype": (array(dtype="<f8,<f8"), "expected a dtype"),
    "a dtype that is a list": (array(dtype=[["a", "<f8"]]), "expected a dtype"),
    "a dtype with the big end first": (array(dtype=">f8"), "expected a dtype"),
    "too few elements": (array(shape=[2]), "has 2 elements, and there are 1"),
    "far too few elements": (array(shape=[2**40]), "elements, and there are 1"),
    "a shape beyond all bounds": (array(shape=[2**40, 2**40]), "expected a shape"),
    "an empty shape beyond all bounds": (array(shape=[0, 2**47, 2**47], data=[]), "expected a shape"),
    "a shape with a fraction": (array(shape=[1.0]), "expected a whole number"),
    "a huge array without its bytes": (put("values", BIG), "bytes as base64, found 'AAAA'"),
    "bytes that are no base64": (put("values", 0, {"dtype": "|u1", "shape": [3], "base64": "A*=="}), "base64"),
    "bytes that are not ASCII": (put("values", 0, {"dtype": "|u1", "shape": [3], "base64": "AAAä"}), "base64"),
    "padding that hides a byte": (put("values", 0, {"dtype": "|u1", "shape": [3], "base64": "AA=="}), "base64"),
    "a bool of 2": (put("values", 0, {"dtype": "|b1", "shape": [3], "base64": "AAEC"}), "bool is 0 or 1"),
    "data and bytes": (array(base64="AAAA"), "'data' is unknown"),
    "text among numbers": (array(data=["1.0"]), "expected a number, found '1.0'"),
    "a bool among numbers": (array(data=[True]), "expected a number, found True"),
    "a list among numbers": (array(data=[[1.0]]), "expected a number"),
    "a number beyond its dtype": (array(dtype="<f4", data=[1e300]), "too large for float32"),
    "an integer beyond its dtype": (array(dtype="|i1", data=[128]), "too large for int8"),
    "a negative unsigned number": (array(dtype="|u1", data=[-1]), "expected a whole number"),
    "a fraction among integers": (array(dtype="<i8", data=[0.5]), "expected a whole number"),
    "an integer beyond 64 bits": (array(dtype="<u8", data=[2**64]), "expected a whole number"),
    "an integer beyond floats": (array(data=[10**400]), "expected a number"),
    "half a complex number": (array(dtype="<c16", data=[1.0]), "imaginary"),
    "a tuple of itself": (put("values", 0, {"tuple": [0]}), "place of a value, found 0"),
    "a tuple of a later row": (put("values", 0, {"tuple": [1]}), "place of a value, found 1"),
    "a tuple of a tuple": (put("values", [{"tuple": []}, {"tuple": [0]}]), "no tuple inside a tuple"),
    "an empty summary": (put("values", 0, {"summary": {}}), "'cells' is missing"),
}


@pytest.mark.parametrize(("change", "message"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_say_what_is_wrong(change, message, tmp_path):
    path = tmp_path / "damaged.json"
    path.write_bytes(damaged(change))
    with pytest.raises(viz.TraceFileError, match=message) as error:
        viz.load(path)
    assert str(path) in str(error.value) and len(str(error.value)) < 400


def test_the_undamaged_file_is_fine():
    parsed(damaged(lambda tree: None))


SUMMARY_DAMAGES = {
    "no axis": (put("shape", []), "shape with an axis"),
    "another shape": (put("shape", [3, 100]), "the thumbnail of shape"),
    "a large thumbnail": (put("thumbnail", {"dtype": "|i1", "shape": [65, 1], "base64": "A" * 88}), "thumbnail|base64"),
    "a float thumbnail": (put("thumbnail", {"dtype": "<f8", "shape": [0], "data": []}), "the thumbnail of shape"),
    "no scale": (put("scale", None), "with a scale"),
    "text": (put("mean", "0.1"), "expected a number"),
    "a count below zero": (put("nans", -1), "expected a whole number"),
    "a cell outside": (put("cells", 0, 0, [30, 0]), "an index into shape"),
    "a cell of one axis": (put("cells", 0, 0, [0]), "an index into shape"),
    "a cell without a number": (put("cells", 0, [[0, 0]]), "index, number"),
    "a cell with text": (put("cells", 0, 1, "one"), "expected a number"),
    "another field": (put("more", 1), "'more' is unknown"),
}


@pytest.mark.parametrize(("change", "message"), SUMMARY_DAMAGES.values(), ids=SUMMARY_DAMAGES)
def test_damaged_summaries_say_what_is_wrong(change, message):
    def inside(tree):
        change(next(row["summary"] for row in tree["values"] if "summary" in row))

    with pytest.raises(Wrong, match=message):
        parsed(damaged(inside, large))


NOT_JSON = {
    "nothing": (b"", "not JSON"),
    "half of it": (content(explained())[:-200], "not all of it is there"),
    "one character less": (content(explained())[:-3], "not all of it is there"),
    "something behind it": (content(explained()) + b"{}", "not JSON"),
    "binary": (b"\x80\x04\x95\x00pickle", "not UTF-8"),
    "two-byte characters": (to_json(explained()).encode("utf-16"), "not UTF-8"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "deep inside": (content(explained()).replace(b'"nudges":', b'"nudges":' + b'{"a":' * 100_000), "nested too deeply"),
    "NaN": (content(explained()).replace(b"[5.9,6.1]", b"[NaN,6.1]"), "NaN is not JSON"),
    "Infinity": (content(explained()).replace(b"[5.9,6.1]", b"[-Infinity,6.1]"), "-Infinity is not JSON"),
    "an overflow": (content(explained()).replace(b"[5.9,6.1]", b"[1e999,6.1]"), "expected a number, found inf"),
    "many digits": (content(explained()).replace(b"[5.9,6.1]", b"[" + b"9" * 10_000 + b",6.1]"), "too many digits"),
    "a field twice": (content(explained()).replace(b'"use":1', b'"use":1,"use":1'), "'use' is there twice"),
    "a section twice": (content(explained())[:-2] + b',"values":[]}', "'values' is there twice"),
    "a list": (b"[]", '"format" is not'),
    "a number": (b"3", '"format" is not'),
    "an escape sequence": (b'{"\\u001b[31m": 1, "\\u001b[31m": 2}', r"field '\\x1b\[31m' is there twice"),
}


@pytest.mark.parametrize(("found", "message"), NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_no_trace_at_all(found, message, tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(found)
    start = time.process_time()
    with pytest.raises(viz.TraceFileError, match=message) as error:
        viz.load(path)
    assert time.process_time() - start < 1
    assert str(error.value).isprintable()
    assert error.value.__suppress_context__


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(viz.TraceFileError, match="it is a folder"):
        viz.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        viz.load(tmp_path / "missing.json")


def test_a_file_that_is_too_large_or_never_ends(tmp_path):
    path = tmp_path / "large.json"
    with open(path, "wb") as file:
        file.truncate(2**40)  # takes no room
    for endless in (path, "/dev/zero"):
        with pytest.raises(viz.TraceFileError, match=r"more than 64,000,000 bytes; load\(path, limit"):
            viz.load(endless)
    small = explained().save(tmp_path / "small.json")
    size = small.stat().st_size
    assert viz.load(small, limit=size)
    with pytest.raises(viz.TraceFileError, match="more than"):
        viz.load(small, limit=size - 1)


def test_a_promise_of_a_huge_array_takes_no_memory(tmp_path):
    path = tmp_path / "huge.json"
    path.write_bytes(damaged(put("values", [{"dtype": "|u1", "shape": [2**46], "data": []}] * 100)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(viz.TraceFileError):
        viz.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB


# ---- anything at all ----

ATOMS = (
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})
)


def places(tree, path=()):
    """The path to every item of a tree."""
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def mutated(data, tree):
    """A tree with an item put somewhere, taken away, or moved from elsewhere."""
    everywhere = list(places(tree))[1:]
    *outer, name = data.draw(st.sampled_from(everywhere))
    into = tree
    for step in outer:
        into = into[step]
    source = tree
    for step in data.draw(st.sampled_from(everywhere)):
        source = source[step]
    kind = data.draw(st.sampled_from(["put", "take away", "move", "twice"]))
    if kind == "take away":
        del into[name]
    elif kind == "twice" and isinstance(into, list):
        into.insert(name, json.loads(json.dumps(into[name])))
    else:
        into[name] = data.draw(ATOMS) if kind == "put" else json.loads(json.dumps(source))


def survives(found):
    """The file is refused, or gives a trace that can be written, read and shown."""
    try:
        record = parsed(found)
    except Wrong:
        return
    assert content(parsed(content(record))) == content(record)
    with np.errstate(all="ignore"):
        viz.explain(record)
        viz.draw(record)


@pytest.mark.parametrize("make", [RECORDS[name] for name in ("explained", "trained", "several", "net", "large")])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_change_is_refused_or_valid(make, data):
    tree = json.loads(content(make()))
    for _ in range(data.draw(st.integers(1, 3))):
        mutated(data, tree)
    survives(json.dumps(tree).encode())


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_change_of_bytes_is_refused_or_valid(data):
    found = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(found)))
        stop = data.draw(st.integers(start, min(len(found), start + 20)))
        found[start:stop] = data.draw(st.binary(max_size=4) | st.sampled_from([b"[", b"}", b",", b"9", b"-", b'"']))
    survives(bytes(found))


CONTENT = content(explained())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(CONTENT.rstrip()) - 1))
def test_every_truncation_is_refused(length):
    with pytest.raises(Wrong):
        parsed(CONTENT[:length])


def test_the_checks_see_what_types_cannot():
    record = explained()
    record.backward[0].contributions[0].probes[0] = Probe((1,), np.zeros((1, 2), int), np.ones(1), np.ones(1))
    with pytest.raises(Wrong, match="outside of g"):
        check(record)
    record.backward[0].contributions[0].probes[0] = Probe((1,), np.zeros((1, 0)), np.ones(1), np.ones(1))
    with pytest.raises(Wrong, match="no whole numbers"):
        check(record)


def test_the_fields_of_a_record_are_read_off_its_types():
    assert kind_of(tuple[int, ...] | None).read(None, []) is None
    assert kind_of(tuple[int, ...] | None).read([2, 3], []) == (2, 3)
    assert kind_of(list[Edge]).read([{"source": 0, "target": 1, "slot": 0}], []) == [Edge(0, 1, 0)]


def test_bytes_are_little_end_first():
    row = json.loads(content(large()))["values"]
    thumbnail = next(r["summary"]["thumbnail"] for r in row if "summary" in r)
    assert len(base64.b64decode(thumbnail["base64"])) == 30 * 64
    table = Table()
    table.place(np.arange(40, dtype=">i2"))
    assert base64.b64decode(table.rows[0]["base64"])[:4] == b"\x00\x00\x01\x00"


def test_a_large_trace_is_written_and_read_in_time(tmp_path):
    y = x = leaf(np.linspace(0, 1, 8), "x")
    for _ in range(5000):
        y = np.tanh(y + x)
    record = viz.trace(y.sum())
    start = time.process_time()
    path = record.save(tmp_path / "long.json")
    assert len(load(path).backward) == 10_001
    assert time.process_time() - start < 10  # measured: 1.2 s, of which 0.5 s for writing
