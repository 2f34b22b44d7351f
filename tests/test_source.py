"""Where an operation was recorded: file, line, columns, text, and the name that its result was assigned to."""

import linecache
import sys
import textwrap

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.source import hide


def leaf(*values):
    return Tensor(np.array(values or (1.0, 2.0)), requires_grad=True)


def source(t):
    assert t.node.source is not None
    return t.node.source


X, W = leaf(), leaf(3.0, 4.0)


# ---- file, line, columns ----


def test_file_line_and_function():
    line = sys._getframe().f_lineno
    y = X * W
    s = source(y)
    assert s.file == __file__ and s.line == s.end_line == line + 1
    assert str(s) == f"{__file__}:{line + 1}"
    assert s.function == "test_file_line_and_function"


def test_columns_delimit_the_expression():
    y = X + X * W
    s = source(y)
    line = linecache.getline(__file__, s.line)
    assert line[s.column : s.end_column] == "X + X * W" == s.text
    inner = y.node.inputs[1].source
    assert line[inner.column : inner.end_column] == "X * W" == inner.text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: X * W, "X * W"),
        (lambda: 2.0 * X, "2.0 * X"),
        (lambda: X**2, "X**2"),
        (lambda: X @ W, "X @ W"),
        (lambda: -X, "-X"),
        (lambda: abs(X), "abs(X)"),
        (lambda: X[0], "X[0]"),
        (lambda: np.sin(X), "np.sin(X)"),
        (lambda: np.sum(X, axis=0), "np.sum(X, axis=0)"),
        (lambda: np.concatenate([X, W]), "np.concatenate([X, W])"),
        (lambda: np.linalg.norm(X), "np.linalg.norm(X)"),
        (lambda: X.sum(), "X.sum()"),
        (lambda: X.reshape(2, 1), "X.reshape(2, 1)"),
        (lambda: X.T, "X.T"),
        (lambda: np.ones(2) * X, "np.ones(2) * X"),
        (lambda: np.float64(2) * X, "np.float64(2) * X"),
        (lambda: leaf(1.0).sum(), "leaf(1.0).sum()"),
    ],
)
def test_the_text_of_operators_functions_and_methods(make, text):
    assert source(make()).text == text


def test_nested_calls():
    y = np.sum(np.exp(X) * W)
    product = y.node.inputs[0]
    exp = product.inputs[0]
    assert [n.source.text for n in (y.node, product, exp)] == ["np.sum(np.exp(X) * W)", "np.exp(X) * W", "np.exp(X)"]


def test_a_leaf_knows_where_it_was_made():
    here = Tensor([1.0], requires_grad=True)
    s = source(here)
    assert s.text == "Tensor([1.0], requires_grad=True)" and s.target == "here"


def test_an_expression_over_several_lines():
    y = np.sum(
        X  # a remark
        * W,
        axis=0,
    )
    s = source(y)
    assert s.end_line == s.line + 4
    assert s.text.splitlines()[0] == "np.sum(" and s.text.splitlines()[-1] == ")"
    assert s.target == "y"
    assert y.node.inputs[0].source.line == s.line + 1


def test_columns_count_bytes_also_after_other_letters():
    größe = X
    y = "äöü", größe * W  # fmt: skip
    s = source(y[1])
    assert s.text == "größe * W"
    assert linecache.getline(__file__, s.line).encode()[s.column : s.end_column].decode() == "größe * W"


# ---- target ----


def test_the_target_of_a_whole_expression_only():
    h = X * W + 1.0
    assert source(h).target == "h"
    assert h.node.inputs[0].source.target is None


def test_targets_of_every_kind():
    class Box:
        pass

    box = Box()
    box.value = X * 2
    assert source(box.value).target == "box.value"

    annotated: Tensor = X * 2
    assert source(annotated).target == "annotated"

    first = second = X * 2
    assert first is second and source(second).target == "first"

    if (walrus := X * 2) is not None:
        assert source(walrus).target == "walrus"

    parenthesised = (X * 2)  # fmt: skip
    assert source(parenthesised).target == "parenthesised"

    spread = (
        X
        * 2
    )  # fmt: skip
    assert source(spread).target == "spread"

    grown = X * 1
    grown += W
    assert source(grown).target == "grown"

    for one in (1, 2): y = X * one  # noqa: E701  # fmt: skip
    assert source(y).target == "y"

    a = X * 1; b = X * 2  # noqa: E702  # fmt: skip
    assert (source(a).target, source(b).target) == ("a", "b")

    table = {}
    table["w"] = X * 2
    assert source(table["w"]).target == "table['w']"


def test_no_target():
    pair = X * 2, X * 3
    assert source(pair[0]).target is None
    items = [X * k for k in (1, 2)]
    assert source(items[1]).target is None
    assert source((lambda v: v * 2)(X)).target is None

    def returned():
        return X * 2

    z = returned()
    assert source(z).target is None


def test_the_results_of_an_op_of_several_results():
    sign, log = np.linalg.slogdet(Tensor(np.eye(2), requires_grad=True))
    assert source(sign).target in (None, "sign, log", "(sign, log)")
    assert source(log).text.startswith("np.linalg.slogdet(")


# ---- unusual code ----


def test_lambdas():
    y = (lambda v: v * W)(X)
    s = source(y)
    assert s.text == "v * W" and s.function.endswith("<lambda>")


def test_code_without_a_source_file():
    space = {"x": X}
    exec(compile("\n\ny = x * 2", "<made up>", "exec"), space)
    s = source(space["y"])
    assert (s.file, s.line, s.text, s.target) == ("<made up>", 3, "", None)
    assert str(s) == "<made up>:3"


def test_code_that_linecache_knows():
    """Notebooks and consoles register their cells in linecache."""
    code = "if True:\n    y = x * 2\n"
    linecache.cache["<cell 1>"] = (len(code), None, code.splitlines(True), "<cell 1>")
    space = {"x": X}
    exec(compile(code, "<cell 1>", "exec"), space)
    s = source(space["y"])
    assert (s.text, s.target, s.function) == ("x * 2", "y", "<module>")


def test_a_file_that_has_changed_or_is_gone(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("y = x * 2\n")
    space = {"x": X}
    exec(compile(path.read_text(), str(path), "exec"), space)
    path.write_text("this is ( no python\n")
    s = source(space["y"])
    assert s.target is None and s.line == 1
    path.unlink()
    linecache.checkcache(str(path))
    assert (s.text, s.target) == ("", None)


def test_code_without_positions():
    """`python -X no_debug_ranges` leaves out the columns."""
    code = compile("y = x * 2", "<bare>", "exec")
    bare = code.replace(co_linetable=b"")
    space = {"x": X}
    exec(bare, space)
    s = source(space["y"])
    assert s.file == "<bare>" and s.text == "" and s.target is None


def test_functions_inside_the_package_are_not_the_users_place():
    """numerical code of the package that runs ops reports the user's call."""
    y, _t = ag.jvp(lambda v: np.sum(v * W), X, X)
    assert source(y).text == "np.sum(v * W)"
    line = sys._getframe().f_lineno
    g = ag.grad(lambda v: np.sum(v * v))(X)
    assert source(g).file == __file__ and source(g).line == line + 1


def test_a_folder_may_be_hidden(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    path = folder / "layers.py"
    path.write_text(
        textwrap.dedent("""
        def double(x):
            return x * 2
    """)
    )
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    assert source(space["double"](X)).file == str(path)
    hide(str(folder))
    s = source(space["double"](X))
    assert s.file == __file__ and s.text == 'space["double"](X)'


def test_recording_with_no_user_frame_at_all():
    """For example a callback that C code starts in a thread, inside a hidden folder."""
    space = {"Tensor": Tensor, "np": np}
    inside = ag.source.__file__
    exec(compile("def run(x):\n    return x * 2", inside, "exec"), space)
    import threading

    made = []
    thread = threading.Thread(target=lambda: made.append(space["run"](X)))
    thread.start()
    thread.join()
    assert made[0].node.source.file != inside
