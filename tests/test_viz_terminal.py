"""The stepper in a terminal and `python -m viz`: in the real process, with true numbers, and safe to look at."""

from __future__ import annotations

import inspect
import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viz
from autograd import Tensor
from viz.__main__ import main
from viz.texts.sentences import sentences
from viz.texts.terminal import CLEAR, HELP, Stepper, run
from viz.texts.wide import columns, filled, wrapped
from viz.tracing.model import Contribution, Part, Vertex
from viz.tracing.moments import moments

ROOT = Path(__file__).parent.parent


def leaf(x, name=""):
    tensor = Tensor(np.asarray(x), requires_grad=True)
    tensor.name = name
    return tensor


def layer(names=("x", "W", "b", "s")):
    """One affine layer with its three parameters, and their gradients by hand."""
    rng = np.random.default_rng(0)
    x, W, b = (leaf(rng.normal(size=s), n) for s, n in zip([(5, 4), (4, 3), (3,)], names, strict=False))
    s = (x @ W + b).sum()
    s.name = names[-1]
    g = np.ones((5, 3))
    return viz.trace(s), {"x": g @ W.data.T, "W": x.data.T @ g, "b": g.sum(axis=0)}, (x.data, W.data)


def trained():
    w = leaf([1.0, -2.0], "w")
    with viz.record() as tape:
        (w * w).sum().backward()
        w.data = w.data - 0.1 * w.grad
    return tape.traces[0]


def said(record, *commands, width=80):
    """What the stepper writes."""
    out = io.StringIO()
    run(record, [f"{command}\n" for command in commands], out, width)
    return out.getvalue()


def last(record, *commands):
    """The answer to the last command."""
    stepper = Stepper(record)
    answers = [stepper.answer(command) for command in commands]
    return answers[-1]


# ---- what a screen shows ----


def test_every_step_is_said_in_the_shared_sentence():
    record, _, _ = layer()
    text = said(record, *["n"] * 30)
    for sentence in sentences(record):
        assert sentence in re.sub(r"\n(?! )", " ", text)
    assert "this is the last step" in text


def test_a_screen_has_rule_numbers_sum_code_and_graph():
    x = leaf(3.0, "x")
    y = x * x
    line = inspect.currentframe().f_lineno - 1
    y.name = "y"
    lines = last(viz.trace(y), "g 3").split("\n")
    assert lines[0].startswith("Step 3 of 3, backward through multiply to x: ")
    body = [line.strip() for line in lines]
    assert "rule      g * a" in body
    assert "where     a = x" in body
    assert "=         1 * 3" in body
    assert "=         3" in body
    assert "adds up   x.grad = 3 + 3 = 6, use 2 of 2" in body
    assert f"code      test_viz_terminal.py:{line}   x * x" in body
    assert [line.split() for line in lines[-3:]] == [
        ["graph", "value", "gradient"],
        ["to", "0", "x", "3", "6"],
        ["from", "1", "y", "=", "x", "*", "x", "9", "1"],
    ]


def rows_of(screen):
    """{vertex: (mark, what follows)} of the graph on a screen."""
    found = re.findall(r"^(from|to  |    )  +(\d+)  (.*)$", screen, re.MULTILINE)
    return {int(k): (mark.strip(), rest) for mark, k, rest in found}


def test_the_marks_say_where_a_step_goes():
    record, _, _ = layer()
    ids = {v.name or v.op: v.id for v in record.graph.vertices}
    stepper = Stepper(record)
    for i, moment in enumerate(moments(record), 1):
        marks = {k: mark for k, (mark, _) in rows_of(stepper.answer(f"g {i}")).items() if mark}
        if moment.contribution is not None:
            assert marks == {moment.step.vertex: "from", moment.contribution.target: "to"}
        elif moment.step.vertex == ids["matmul"]:
            assert marks == {ids["x"]: "from", ids["W"]: "from", ids["matmul"]: "to"}


def test_nothing_is_shown_before_it_is_computed():
    record, _, _ = layer()
    stepper, root = Stepper(record), record.graph.root.id
    seen = set()
    for i, moment in enumerate(moments(record), 1):
        seen |= {moment.step.vertex} if moment.contribution is None else set()
        rows = rows_of(stepper.answer(f"g {i}"))
        for vertex in record.graph.vertices:
            if vertex.kind == "op":
                missing = rows[vertex.id][1].count("not computed")
                assert missing == (vertex.id not in seen) + (moment.contribution is None or "not" in rows[vertex.id][1])
    assert "not computed" not in rows[root][1]


def test_gradients_grow_as_they_are_summed():
    x = leaf(2.0, "x")
    record = viz.trace(x * x + x)
    stepper = Stepper(record)
    shown = []
    for i in range(1, len(moments(record)) + 1):
        row = rows_of(stepper.answer(f"g {i}"))[0][1]
        shown.append(re.split(r"\s{2,}", row)[-1])
    numbers = list(dict.fromkeys(shown))
    assert numbers[0] == "not computed" and numbers[-1] == "5" and len(numbers) >= 3


def test_an_update_shows_both_values():
    text = last(trained(), "g 6")
    assert "was       [1, -2]" in text and "becomes   [0.8, -1.6]" in text
    assert "[0.8, -1.6]" in rows_of(text)[0][1]


def test_a_large_graph_is_shown_around_the_step():
    y = x = leaf(1.0, "x")
    for _ in range(200):
        y = np.sin(y) + x
    screen = last(viz.trace(y), "g 300")
    assert len(rows_of(screen)) == 9 and "⋮" in screen
    assert len(screen.split("\n")) < 24


def test_a_leaf_alone_has_no_steps():
    text = said(viz.trace(leaf(1.5, "x")), "n", "b", "f", "g 1", "e x", "e", "s")
    assert "No step: the result is itself a leaf." in text
    assert "x.grad: no step of this trace computes it" in text


def test_large_arrays_are_shown_by_their_summaries():
    x = leaf(np.linspace(-1, 1, 3000).reshape(30, 100), "x")
    record = viz.trace(np.tanh(x).sum(), budget=100)
    assert "-0.7616, -0.7613" in said(record)
    assert "its terms were not kept" in last(record, "g 4", "e x[0,1]")
    assert "a value that was not kept" in last(record, "g 4", "e x[7,7]")


# ---- one element ----


@pytest.mark.parametrize("name", ["x", "W"])
def test_an_element_is_the_sum_of_its_terms(name):
    record, gradients, (x, W) = layer()
    count = len(moments(record))
    arrays = {"a": x, "b": W, "g": np.ones((5, 3))}
    for cell in np.ndindex(gradients[name].shape):
        head, *lines = last(record, f"g {count}", f"e {name}{list(cell)}").split("\n")
        found = re.fullmatch(rf"{name}.grad\[(.*)\], use 1 of 1 \(step (\d+)\) = (\S+), (\d+) terms:", head)
        assert found[1] == ", ".join(map(str, cell))
        assert float(found[3]) == pytest.approx(gradients[name][cell], rel=1e-3)
        assert int(found[4]) == len(lines) == {"x": 3, "W": 5}[name]
        total = 0.0
        for line in lines:
            (a, i), (b, j), *numbers = term(line)
            left, right, product = map(float, numbers)
            assert left == pytest.approx(arrays[a][i], rel=1e-3)
            assert right == pytest.approx(arrays[b][j], rel=1e-3)
            assert product == pytest.approx(left * right, rel=2e-3)
            total += product
        assert total == pytest.approx(gradients[name][cell], rel=1e-2, abs=1e-3)


def term(line):
    """("a", index), ("g", index), and the three numbers of a term."""
    assert re.fullmatch(r"  \w\[[\d, ]+\] \* \w\[[\d, ]+\] = \(?[-.\de]+\)? \* \(?[-.\de]+\)? = [-.\de]+", line)
    labels = re.findall(r"(\w)\[([\d, ]+)\]", line)
    places = [(name, tuple(map(int, index.split(", ")))) for name, index in labels]
    return [*places, *re.findall(r"(?:= |\* )\(?(-?[\d.e-]+)\)?", line)]


def test_an_element_of_a_broadcast_input():
    record, _, _ = layer()
    text = last(record, f"g {len(moments(record))}", "e b[2]")
    assert text.startswith("b.grad[2], use 1 of 1") and "= 5, 5 terms:" in text


def test_several_uses_and_what_they_come_to():
    x = leaf([2.0, 3.0], "x")
    record = viz.trace((x * x).sum())
    text = last(record, "g 9", f"g {len(moments(record))}", "e x[1]")
    assert text.split("\n")[-1] == "x.grad[1] so far: 6"
    assert "use 1 of 2" in text and "use 2 of 2" in text
    y = sum(x for _ in range(10))
    text = last(viz.trace(y.sum()), "g 1000", "g 30", "e x[1]")
    assert "earlier uses not shown" in text


def test_many_terms_are_cut_to_the_largest():
    V = leaf(np.ones((2, 3)), "V")
    record = viz.trace((np.arange(80.0).reshape(40, 2) @ V).sum())
    text = last(record, f"g {len(moments(record))}", "e V[0,0]").split("\n")
    assert len(text) == 1 + 12 + 1
    assert text[1].endswith("= 78") and text[-1] == "  and 28 smaller ones: 756"  # 2 * (0 + 1 + ... + 27)


@pytest.mark.parametrize("asked", ["e W[0,1]", "element W[0, 1]", "e dW[0,1]", "e W.grad[0,1]", "eW[0,1]"])
def test_ways_to_name_an_element(asked):
    record, _, _ = layer()
    assert last(record, f"g {len(moments(record))}", asked).startswith("W.grad[0, 1], use 1 of 1")


def test_elements_that_are_not_there_yet_or_never():
    record, _, _ = layer()
    assert last(record, "e W[0,1]").startswith("W.grad: not computed yet. Step ")
    step = int(re.search(r"Step (\d+)", last(record, "e W[0,1]"))[1])
    assert moments(record)[step - 1].contribution.target == next(v.id for v in record.graph.vertices if v.name == "W")
    assert last(record, "e W[9,9]") == "W has shape (4, 3): e W[0, 0]"
    assert (
        last(record, "e W[0]") == last(record, "e W") == last(record, "e W[0,0,0]") == "W has shape (4, 3): e W[0, 0]"
    )
    assert "There is no 'Q'" in last(record, "e Q[0]")


# ---- commands ----


def test_going_about():
    record, _, _ = layer()
    stepper, count = Stepper(record), len(moments(record))
    places = []
    for command in ("", "n", "next", "b", "back", f"g {count}", "n", "go 2", "g 0", "g -1", "g x", "g 99999", "f", "s"):
        stepper.answer(command)
        places.append(stepper.at)
    first = next(i for i, moment in enumerate(moments(record), 1) if moment.contribution)
    assert places == [2, 3, 4, 3, 2, count, count, 2, 2, 2, 2, 2, first, first]
    assert stepper.answer("g 99") == f"go where? The steps are 1 to {count}: g {count}"
    assert stepper.answer("?") == stepper.answer("help") == HELP
    assert [stepper.answer(word) for word in ("q", "quit", "exit")] == [None] * 3
    assert stepper.answer("dance now") == "there is no command 'dance now'; ? lists them"


def test_it_ends_with_q_or_with_the_input():
    record, _, _ = layer()
    assert said(record, "q", "n").count("Step ") == 1
    assert said(record, "n").endswith("> \n")


COMMANDS = st.lists(
    st.sampled_from(["n", "b", "f", "s", "e", "e W[0,1]", "e b[2]", "e x[0", "e [1]", "g 5", "g", "?", "e s"])
    | st.text(max_size=12).filter(lambda text: text.strip() not in ("q", "quit", "exit")),
    max_size=15,
)


@settings(max_examples=100, deadline=None)
@given(COMMANDS)
def test_any_commands_are_answered(commands):
    record, _, _ = LAYER
    stepper = Stepper(record)
    for command in commands:
        assert isinstance(stepper.answer(command), str)
        assert 1 <= stepper.at <= len(moments(record))


LAYER = layer()

# ---- what is safe and what fits ----

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202e\r\n\ud800<b>{i}%s"


def hostile():
    """A trace with escape sequences wherever there is text."""
    record, _, _ = layer((HOSTILE + "1", HOSTILE + "2", HOSTILE + "3", HOSTILE))
    vertices, edges = record.graph.vertices, record.graph.edges
    for k, v in enumerate(vertices):
        arguments = {HOSTILE: HOSTILE} if v.kind == "op" else {}
        vertices[k] = Vertex(
            v.id, v.kind, v.op + HOSTILE if v.kind == "op" else "", v.name + HOSTILE, v.shape, HOSTILE, v.value,
            v.gradient, arguments, (HOSTILE,), HOSTILE, HOSTILE,
        )  # fmt: skip
    for step in record.backward:
        for k, c in enumerate(step.contributions):
            parts = [Part(p.what, p.text + HOSTILE, p.value, p.axes) for p in c.parts]
            names = {**c.names, HOSTILE: HOSTILE}
            step.contributions[k] = Contribution(
                c.slot, c.target, c.rule + HOSTILE, names, parts, c.before, c.after, c.use, c.uses, c.local, c.probes
            )
    assert edges
    return record


def test_no_escape_sequence_gets_through(tmp_path):
    record = viz.load(hostile().save(tmp_path / "hostile.json"))
    commands = [*["n"] * 20, "e", f"e {HOSTILE}", HOSTILE, "e x[0]", "e [0,0]", "g 1"]
    for text in (said(record, *commands), viz.explain(record)):
        assert {c for c in text if not c.isprintable()} == {"\n"}
    assert all(line.isprintable() for line in process(tmp_path / "hostile.json").stdout.split("\n"))


@pytest.mark.parametrize("width", [60, 80, 110])
def test_every_line_fits(width):
    names = ("入力データ" * 6, "a_very_long_name_for_a_weight_matrix" * 3, "é́" * 40, "s")
    for record in (layer()[0], layer(names)[0], trained(), hostile()):
        count = len(moments(record))
        text = said(record, *["n"] * count, "e [0,0]", "e", "b", "e [1]", "?", width=width)
        assert max(map(columns, text.split("\n"))) <= width


def test_text_in_columns():
    assert columns("ab日本é") == 7
    assert filled("日本語", 5) == "日本…" and filled("ab", 4) == "ab  " and filled("日本語", 4) == "日… "
    assert wrapped("one two  three", 7) == ["one two", "three"]
    assert wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrapped("日本語です", 4) == ["日本", "語で", "す"]
    assert wrapped("    indented", 20) == ["    indented"]


@given(st.text(st.sampled_from("ab 日é"), max_size=60), st.integers(2, 20))
def test_wrapping_loses_nothing(text, width):
    lines = wrapped(text, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


# ---- the program ----


def process(*arguments, given="", **environment):
    """Run `python -m viz` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "viz", *map(str, arguments)],
        input=given,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        timeout=120,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return layer()[0].save(tmp_path_factory.mktemp("traces") / "layer.json")


def test_the_program_steps_through_a_pipe(saved):
    done = process(saved, "--tui", given="n\nf\ng 99\ne W[0,1]\nq\nn\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == said(viz.load(saved), "n", "f", "g 99", "e W[0,1]", "q", "n")
    assert "\x1b" not in done.stdout


def test_the_program_prints_text_where_there_is_no_terminal(saved):
    expected = viz.explain(viz.load(saved))
    for options in ((), ("--text",)):
        done = process(saved, *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


def test_the_program_writes_the_player(saved, tmp_path):
    page = tmp_path / "page.html"
    done = process(saved, "--html", page)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{page}\n", "")
    assert page.read_bytes() == viz.step(viz.load(saved)).html.encode()


def test_an_encoding_without_the_characters_is_no_error(saved):
    done = process(saved, "--tui", given="n\n", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Step 2 of" in done.stdout


def test_help_names_everything():
    done = process("--help")
    assert done.returncode == 0
    for word in ("--tui", "--html", "--text", "trace.json", "e W[0,1]", "go to step 17"):
        assert word in done.stdout


ERRORS = {
    "no file": ((), "the following arguments are required: trace.json"),
    "two forms": (("t.json", "--tui", "--text"), "not allowed with"),
    "an unknown option": (("t.json", "--fast"), "unrecognized arguments: --fast"),
    "a missing file": (("missing.json",), "missing.json: No such file or directory"),
    "a folder": ((".",), "it is a folder"),
    "no trace": (("setup.cfg",), "setup.cfg cannot be read as a trace: it is not JSON"),
    "an escape sequence": (("\x1b[2Jx",), " [2Jx: No such file"),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_are_one_line_and_exit_code_2(arguments, message, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    try:
        code = main(arguments)
    except SystemExit as end:  # from the parser of the command line
        code = end.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert message in err and err.count("\n") == 1 and err.startswith("python -m viz: ")
    assert err.strip().isprintable()


def test_errors_of_the_process(saved, tmp_path):
    done = process(saved, "--html", tmp_path / "nowhere" / "page.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"python -m viz: {tmp_path / 'nowhere' / 'page.html'}: No such file or directory\n"
    done = process(saved, "--html", tmp_path / "page.exe")
    assert done.returncode == 2 and ".html" in done.stderr and done.stderr.count("\n") == 1


def test_a_reader_that_has_seen_enough(saved):
    command = f'"{sys.executable}" -m viz "{saved}" --tui | head -n 1'
    yes = subprocess.run(
        ["bash", "-c", f"yes n | head -n 20000 | {command}"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=120,
    )
    assert yes.stderr == "" and yes.stdout.startswith("Step 1 of")


def on_a_terminal(path, keys):
    """Run the program on a pseudo-terminal of 80 columns, type something, and give back what it shows."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    program = subprocess.Popen(
        [sys.executable, "-m", "viz", str(path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    try:
        for key in [None, *keys]:
            if key is not None:
                os.write(ours, key.encode()) if isinstance(key, str) else program.send_signal(key)
            shown += until_it_waits(ours)
        return shown.decode(), program.wait(60)
    finally:
        program.kill()
        program.wait()
        os.close(ours)


def until_it_waits(terminal):
    found, end = b"", time.monotonic() + 60
    while not found.rstrip().endswith(b">") and time.monotonic() < end:
        try:
            found += os.read(terminal, 10_000)
        except OSError:  # the program has ended
            break
    return found


def test_on_a_terminal_a_screen_takes_the_place_of_the_last(saved):
    shown, code = on_a_terminal(saved, ["n\n", "e\n", "q\n"])
    assert code == 0
    screens = shown.split(CLEAR)
    assert len(screens) == 3  # nothing, step 1, step 2 with an answer below it
    assert screens[1].startswith("Step 1 of") and screens[2].startswith("Step 2 of")
    assert "the gradient of what?" in screens[2]


def test_control_c_ends_it_quietly(saved):
    shown, code = on_a_terminal(saved, [signal.SIGINT])
    assert code == 0 and "Traceback" not in shown
