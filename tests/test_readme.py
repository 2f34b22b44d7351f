"""The README keeps its word: the tour runs and prints what it says, and the commands are the ones that CI runs."""

import re
import sys
from pathlib import Path

import numpy as np

import viz

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)


def test_the_two_commands():
    assert blocks("sh") == [
        "pip install -e . && python examples/two_layer_net.py\n",
        'pip install -e ".[test]" && python -m pytest\n',
    ]


def test_the_tour_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    tour = blocks("python")[0]
    assert len(tour.strip().splitlines()) <= 20
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tour.py").write_text(tour)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tour", raising=False)
    import tour as ran  # noqa: F401 - importing it runs it

    printed = capsys.readouterr().out
    assert printed.count("[1.38177329 0.07700375]") == 2
    assert "Backward from y, steps" in printed and "g * cos(x)" in printed
    assert printed.endswith("[[3. 3.]\n [3. 3.]] [3. 3.]\n")
    assert "</svg>" in (tmp_path / "f.svg").read_text()


def test_batches_and_assignment(tmp_path, monkeypatch, capsys):
    (tmp_path / "more.py").write_text(blocks("python")[1])
    monkeypatch.syspath_prepend(tmp_path)
    import more  # noqa: F401 - importing it runs it

    assert capsys.readouterr().out == "(5, 3)\n[0.   0.25 0.5  1.  ]\n"


def test_every_view_of_a_training_step(tmp_path, monkeypatch):
    (tmp_path / "views.py").write_text(blocks("python")[2])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import views

    assert [step.kind for step in viz.load("trace.json").steps][-4:] == ["update"] * 4
    for name in ("steps.html", "graph.svg", "sheet.html"):
        assert "softmax_cross_entropy" in (tmp_path / name).read_text(encoding="utf-8"), name
    dW = views.model[0].W.grad
    assert viz.check(views.loss, mine={"0 Affine.W": dW}).ok
    assert not viz.check(views.loss, mine={"0 Affine.W": -dW}).ok


def test_the_rows_of_the_readme_are_the_rows_of_the_tables():
    root = Path(__file__).parent.parent
    op_row, sample_row = (block.strip() for block in blocks("python")[3:])
    assert op_row in (root / "autograd" / "ops" / "elementwise.py").read_text()
    assert sample_row in (root / "tests" / "samples" / "elementwise.py").read_text()


def test_every_link_leads_to_a_file():
    root = Path(__file__).parent.parent
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets and all((root / t).exists() for t in targets), targets


def test_numbers_of_the_tour():
    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(np.sin(x) + x * np.cos(x), [1.38177329, 0.07700375], rtol=1e-7)
