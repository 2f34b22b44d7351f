"""Every view reads the trace and nothing else: another process, without the model, shows the same from a file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import viz
from viz.texts.terminal import run

ROOT = Path(__file__).parent.parent


def views(record, folder):
    """{view: its text} of everything that can be made of a trace without an extra."""
    out = io.StringIO()
    run(record, ["n", "b", "first", "element 0 0", "go 3", "element 0", "n", "show"], out)
    found = {"terminal": out.getvalue()}
    for suffix in (".svg", ".html", ".dot", ".mmd", ".md", ".tex", ".json"):
        found[suffix] = viz.draw(record).save(Path(folder) / f"picture{suffix}").read_text("utf-8")
    found["expanded"] = viz.draw(record, expand=True).svg
    found |= {f"player {lang}": viz.step(record, lang).html for lang in (None, "en", "zh", "ja")}
    found["notebook"] = json.dumps(viz.step(record)._repr_mimebundle_())
    found["text"] = viz.explain(record)
    for what in (viz.check(record), viz.compare(record, record)):
        found[type(what).__name__] = str(what) + what.markdown + what.draw().svg
    sheet = viz.worksheet(record, seed=5)
    found["worksheet"] = str(sheet) + sheet.markdown + sheet.html
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in found.items()}


def trained():
    """A step of training with everything that views show: scopes, broadcasting, transposes, updates."""
    import nn

    model = nn.Sequential(nn.Affine(6, 5, rng=0), nn.ReLU(), nn.Affine(5, 3, rng=1))
    with viz.record() as tape:
        x = np.random.default_rng(2).normal(size=(4, 6))
        nn.softmax_cross_entropy(model(x), np.array([0, 1, 2, 1])).backward()
        nn.optim.SGD(model.parameters(), lr=0.1).step()
    return tape.traces[0]


def folded():
    """More operations than a picture shows."""
    import nn

    cell = nn.Affine(3, 3, rng=0)
    h = np.zeros((1, 3))
    for t in range(40):
        h = np.tanh(cell(h) + t / 40)
    return viz.trace((h * h).sum())


@pytest.mark.parametrize("make", [trained, folded])
def test_another_process_shows_the_same_from_a_file(make, tmp_path):
    record = make()
    file, expected = record.save(tmp_path / "trace.json"), views(record, tmp_path)
    code = (
        "import json, sys; sys.modules['nn'] = None; from test_viz_views import views, viz;"  # no model can be there
        "print(json.dumps(views(viz.load(sys.argv[1]), sys.argv[2])))"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, file, tmp_path]
        done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert json.loads(done.stdout) == expected
