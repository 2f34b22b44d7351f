"""The steps as text: the rule, the numbers, the sums; exactly as a reader should see it, in three forms."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest
from samples import DIFFERENTIABLE
from test_viz_formulas import check_latex, check_mathml

import nn
import viz
from autograd import Tensor
from viz.texts.documents import FORMS
from viz.texts.phrases import PHRASES
from viz.texts.sentences import Sentences
from viz.texts.words import called
from viz.tracing.moments import moments

OF_ROW = {sample.name: sample for sample in reversed(DIFFERENTIABLE)}


def without_places(text: str) -> str:
    """The text without file names and line numbers."""
    return re.sub(r"   \(\S+\.py:\d+\)", "", text)


def named(name: str, value: object) -> Tensor:
    x = Tensor(value, requires_grad=True)
    x.name = name
    return x


def network(lr: float = 0.1) -> viz.Trace:
    """The book's two-layer network, one step of it."""
    model = nn.Sequential(nn.Affine(4, 3, rng=0), nn.ReLU(), nn.Affine(3, 2, rng=1))
    x = np.random.default_rng(0).normal(size=(5, 4))
    with viz.record() as tape:
        loss = nn.SoftmaxWithLoss()(model(x), np.array([0, 1, 1, 0, 1]))
        loss.backward()
        nn.optim.SGD(model.parameters(), lr).step()
    return tape.traces[-1]


def test_elements_are_written_as_python_writes_them():
    A = named("A", np.array([[2.0, 1.0], [1.0, 3.0]]))
    sign, size = np.linalg.slogdet(A)
    text = viz.explain(np.sum(sign * size * A[0, 1:] * A[1, ::2] * A[..., 0]))
    for expected in (
        "= A[0, 1:] = [[2, 1], [1, 3]][0, 1:] = [1]",
        "= A[1, ::2] =",
        "= A[..., 0] =",
        "[1] = (1, 1.609)[1]",
    ):
        assert expected in text
    assert "slice" not in text and "dtype" not in text


def test_letters_of_a_rule_are_told():
    h, W = named("h", np.ones((2, 3))), named("W", np.ones((3, 2)))
    z = np.exp(np.sum(h @ W))
    back = [block.split("\n") for block in viz.explain(z).split("Back through ")]
    (matmul,), (exp,) = ([b for b in back if f" = {op}" in b[0]] for op in ("h @ W", "exp("))
    assert matmul[2:4] == ["  a = h", "  b = W"]
    assert "  y = z" in exp
    x = named("x", 2.0)
    assert "  x = x" not in viz.explain(np.sin(x)), "a letter that is the input's name needs no word"


def test_a_constant_is_called_what_the_code_calls_it():
    w, x, targets = named("w", np.ones((2, 2))), np.eye(2), np.array([0, 1])
    names = called(viz.trace(nn.softmax_cross_entropy(x @ w, targets)).graph)
    assert {"x", "targets"} <= set(names)
    layer = nn.Affine(2, 2, rng=0)
    assert "x" not in called(viz.trace(layer(x).sum()).graph), "what happens inside of a call is not what the code says"
    scaled = viz.explain(np.sum((x + 1) * w * 2))
    assert "constant#" in scaled and " * 2 = " in scaled


def test_zero_times_infinity_is_explained():
    x = named("x", np.array([0.0, 4.0]))
    said = "0 times inf or nan counts as 0 here"
    for form in FORMS:
        assert viz.explain(np.sum(np.where(np.array([False, True]), np.sqrt(x), 1.0)), form=form).count(said) == 1
    assert said not in viz.explain(np.sum(np.sqrt(x))), "an infinite gradient stays infinite"


def test_complex_numbers_keep_their_parts_together():
    z = named("z", 2.0)
    assert "= (0+1j) * z = (0+1j) * 2 = 0+2j" in viz.explain(np.abs(1j * z))


def test_a_scalar_expression_step_by_step():
    x, y = named("x", 2.0), named("y", -1.5)
    s = x * y
    z = s + x
    assert without_places(viz.explain(z)) == (
        "Given\n"
        "  x = 2\n"
        "  y = -1.5\n"
        "\n"
        "Forward, steps 1 to 2 of 6\n"
        "  Step 1: s = x * y = 2 * (-1.5) = -3\n"
        "  Step 2: z = s + x = (-3) + 2 = -1\n"
        "\n"
        "Backward from z, steps 3 to 6 of 6\n"
        "The newest operation first. No gradient exists before the first step.\n"
        "\n"
        "Back through z = s + x\n"
        "  g = z.grad = 1\n"
        "  Step 3, to s: g = 1\n"
        "    s.grad: 1, use 1 of 1\n"
        "  Step 4, to x: g = 1\n"
        "    x.grad: 1, use 1 of 2\n"
        "\n"
        "Back through s = x * y\n"
        "  g = s.grad = 1\n"
        "  a = x\n"
        "  b = y\n"
        "  Step 5, to x: g * b\n"
        "    = 1 * (-1.5)\n"
        "    = -1.5\n"
        "    x.grad: 1 + (-1.5) = -0.5, use 2 of 2\n"
        "  Step 6, to y: g * a\n"
        "    = 1 * 2\n"
        "    = 2\n"
        "    y.grad: 2, use 1 of 1\n"
    )


def test_a_layer_shows_transposes_shapes_and_the_sum_over_the_batch():
    text = viz.explain(network())
    block = text[text.index("Back through h") :] if "Back through h" in text else text
    assert "Step 7, to relu#6: g @ Wᵀ" in block
    assert "    shapes: (5, 2) @ (2, 3) = (5, 3)\n" in block
    assert "    shapes: (3, 5) @ (5, 2) = (3, 2)\n" in block
    assert re.search(r"Step 6, to relu#6, so that the shapes fit: Wᵀ = \[\[.*\]\]   \(2, 3\)\n", block)
    assert "2 Affine.b (2,) was stretched to (5, 2), so sum over axis 0: [0.1434, -0.1434]   (2,)" in block
    assert "2 Affine.b.grad: [0.1434, -0.1434], use 1 of 1" in block
    assert "Step 18, 0 Affine.b: [0, 0, 0] - 0.1 * [-0.01403, 0.1913, 0] = [0.001403, -0.01913, 0]" in block


def test_a_product_with_a_vector_has_no_line_of_shapes():
    x, W = named("x", [1.0, 2.0]), named("W", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    text = viz.explain((x @ W).sum())
    assert "aᵀ @ g\n    = [1, 2]ᵀ @ [1, 1, 1]\n    = [[1, 1, 1], [2, 2, 2]]   (2, 3)\n" in text
    assert "shapes:" not in text


def test_broadcast_axes_are_summed_in_a_line_of_their_own():
    X, b = named("X", np.ones((3, 2))), named("b", np.array([1.0, 2.0]))
    text = viz.explain((X + b).sum())
    assert "b (2,) was stretched to (3, 2), so sum over axis 0: [3, 3]" in text
    assert "b.grad: [3, 3], use 1 of 1" in text
    c = named("c", 1.0)
    assert "c () was stretched to (3, 2), so sum over axes 0, 1: 6" in viz.explain((X + c).sum())


def test_every_accumulation_line_adds_up():
    x = named("x", 0.7)
    text = viz.explain(x * x + np.sin(x) - 3.0 * x)
    sums = re.findall(r"x\.grad: \(?([-\d.e]+)\)? \+ \(?([-\d.e]+)\)? = ([-\d.e]+),", text)
    assert len(sums) == 3
    for before, added, after in sums:
        assert abs(float(before) + float(added) - float(after)) < 2e-3
    x.zero_grad()
    (x * x + np.sin(x) - 3.0 * x).backward()
    assert f"= {float(x.grad):.4g}, use 4 of 4" in text


def test_the_steps_are_those_of_every_view():
    record = network()
    for form in ("text", "markdown", "latex"):
        numbers = list(map(int, re.findall(r"Step (\d+)", viz.explain(record, form=form))))
        assert numbers == list(range(1, len(moments(record)) + 1))


def test_numbers_of_an_elementwise_rule_end_in_g_times_the_local_derivative():
    z = named("z", 1.1)
    text = viz.explain(nn.sigmoid(z), grad=0.7413650696)
    y = 1 / (1 + np.exp(-1.1))
    assert (
        "g * (y * (1 - y))\n"
        f"    = 0.7414 * ({y:.4g} * (1 - {y:.4g}))\n"
        f"    = 0.7414 * {y * (1 - y):.4g}\n"
        f"    = {0.7413650696 * y * (1 - y):.4g}\n" in text
    )


def test_vertices_of_one_name_are_told_apart():
    h = Tensor(0.5, requires_grad=True)
    for _ in range(2):
        h = np.tanh(h)
    assert len(set(re.findall(r"to (h#\d+):", viz.explain(h)))) == 2
    names = called(network().graph)
    assert len(set(names)) == len(names)
    assert {"0 Affine.W", "0 Affine.b", "2 Affine.W", "2 Affine.b"} <= set(names)


def test_long_graphs_and_hostile_names_stay_in_their_lines():
    x = named("evil\nStep 9 of 9: forged\x1b[31m", [1.0, 2.0])
    text = viz.explain((x * x).sum())
    steps = re.findall(r"^ *Step (\d+)", text, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5"]
    assert "\x1b" not in text


def test_nan_inf_and_unknown_values_are_called_so():
    x = named("x", [np.nan, np.inf, -np.inf])
    text = viz.explain((x * 2.0).sum())
    assert "x = [nan, inf, -inf]" in text
    freed = viz.trace(np.tanh(named("t", 0.5)))
    unknown = freed.graph.vertices[0]
    object.__setattr__(unknown, "value", None)
    assert "t = not known" in viz.explain(freed)
    assert "Step 1: " in viz.explain(freed)


def test_the_learning_rate_is_found_only_where_the_update_is_a_multiple_of_the_gradient():
    for dtype in (np.float32, np.float64):
        W = named("W", np.array([-3, -1, 1, 2], dtype))
        with viz.record() as tape:
            np.sum(W**3).backward()
            nn.optim.SGD([W], lr=0.01).step()
            nn.optim.SGD([W], lr=0.01, weight_decay=0.5).step()
        plain, decayed = viz.explain(tape).splitlines()[-2:]
        assert plain == "  Step 5, W: [-3, -1, 1, 2] - 0.01 * [27, 3, 3, 12] = [-3.27, -1.03, 0.97, 1.88]   (4,)"
        after = W.data
        assert re.fullmatch(r"  Step 6, W, which was \[-3.27, -1.03, 0.97, 1.88\], becomes: \[.*\]   \(4,\)", decayed)
        np.testing.assert_allclose([float(x) for x in re.findall(r"-?\d\.\d+", decayed)[4:]], after, rtol=1e-3)


def test_the_gradient_of_an_update_includes_what_was_there_before():
    w = named("w", 2.0)
    (w * 3.0).backward()
    with viz.record() as tape:
        (w * 4.0).backward()
        nn.optim.SGD([w], lr=0.5).step()
    assert "w: 2 - 0.5 * 7 = -1.5" in viz.explain(tape)


@pytest.mark.parametrize("name", OF_ROW)
def test_every_operation_can_be_told(name):
    """In every form and language, whatever the shapes, dtypes and numbers of results."""
    f, xs = OF_ROW[name].problem(float)
    y = f(*(Tensor(x, requires_grad=True) for x in xs))
    record = viz.trace(y, np.ones_like(y.data))
    said = Sentences(record)
    for i, moment in enumerate(moments(record), 1):
        for lang in PHRASES:
            assert "\n" not in said.sentence(moment, i, 99, lang)
        if moment.contribution is not None and moment.part is not None:
            check_mathml(said.steps.gradient(moment.contribution, moment.part).mathml())
            check_latex(said.steps.gradient(moment.contribution, moment.part).latex())
            assert said.steps.gradient(moment.contribution, moment.part).spoken()
    for form in FORMS:
        assert len(re.findall(r"Step \d+", viz.explain(record, form=form))) == len(moments(record))


# ---- Markdown and LaTeX ----

HOSTILE = ["`tick`", "$x$", "a|b", "<script>alert(1)</script>", "a\nb", "\u202ertl", "100%&_#{}~^\\", "*b* _i_"]
HOSTILE += ["![](x)", '"q"', "<b>"]


def hostile(name: str) -> viz.Trace:
    x = named(name, [1.0, 2.0])
    record = viz.trace((x * x).sum())
    vertices = [replace(v, op=v.op and v.op + name) for v in record.graph.vertices]  # as a function of a user's may be
    return replace(record, graph=replace(record.graph, vertices=vertices))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_markdown(name):
    text = viz.explain(hostile(name), form="markdown")
    outside = re.sub(r"^```math\n.*?\n```$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert text.count("```math") == len(re.findall(r"^```$", text, re.MULTILINE))
    words = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert re.fullmatch(r"[A-Za-z0-9 ,.:()=\n#]*", words), words


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_is_well_formed(name):
    text = viz.explain(hostile(name), form="latex")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    for math in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", body, re.DOTALL):
        for row in math.split(" \\\\\n"):
            assert row.count("&= ") + row.count("& ") >= 1
            check_latex(row.replace("&= ", "= ", 1).removeprefix("& "))
    words = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}", "", body, flags=re.DOTALL)
    for inner in re.findall(r"\$(.*?)(?<!\\)\$", words):
        check_latex(inner)
    words = re.sub(r"\$(.*?)(?<!\\)\$", "", words)
    assert not re.search(r"(?<!\\)[$&#_%^~<>|`\"]", words), words
    assert words.isprintable() or set(words) - {"\n"}


def test_markdown_and_latex_set_the_rule_beside_its_numbers():
    text = viz.explain(network(), form="markdown")
    assert "## Backward from `softmax_cross_entropy#9`" in text or "## Backward from `loss`" in text
    assert "\\begin{aligned}\nW^{\\mathrm{T}} &= \\begin{bmatrix}" in text
    latex = viz.explain(network(), form="latex")
    assert r"\usepackage{amsmath}" in latex.split("\n\n")[0]
    assert "\\begin{align*}\n" in latex


def test_an_unknown_form_is_an_error_that_names_the_forms():
    with pytest.raises(ValueError, match="'text', 'markdown', 'latex', not 'pdf'"):
        viz.explain(Tensor(1.0, requires_grad=True) * 2.0, form="pdf")


def test_long_programs_take_linear_time():
    h = Tensor(0.5, requires_grad=True)
    for _ in range(2000):
        h = np.tanh(h)
    record = viz.trace(h)
    start = time.perf_counter()
    text = viz.explain(record)
    assert time.perf_counter() - start < 10
    assert "Step 4000, to" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(tmp_path):
    """What the token check above says, said by LaTeX itself."""
    parts = [r"\documentclass{article}\usepackage{amsmath}\allowdisplaybreaks\begin{document}"]
    parts += [viz.explain(record, form="latex") for record in (network(), *map(hostile, HOSTILE))]
    (tmp_path / "steps.tex").write_text("\n".join([*parts, r"\end{document}"]), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "steps.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
