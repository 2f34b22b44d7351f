"""The coverage table: docs/coverage.md is what `python -m autograd coverage --markdown` prints, nothing left out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd.__main__ import main
from autograd.coverage import COLUMNS, survey

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def entries():
    return survey()


def rows_of(text):
    """name -> the cells of its line."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| np.") or "| scipy." in line]
    return {cells[0].strip(): [cell.strip() for cell in cells] for cells in lines}


def test_the_page_is_up_to_date(entries):
    page = rows_of((ROOT / "docs" / "coverage.md").read_text(encoding="utf-8"))
    now = {e.name: [getattr(e, column) for column in COLUMNS] for e in entries if e.how != "takes no array"}
    assert len(page) > 450
    outdated = [name for name in now.keys() & page.keys() if now[name] != page[name]]
    assert not outdated, f"run: python -m autograd coverage --markdown > docs/coverage.md ({outdated})"
    if f"NumPy {np.__version__}" in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8"):
        assert now.keys() == page.keys()  # other versions have other names


def test_whatever_has_a_derivative_has_all_of_it(entries):
    """Nothing that was measured is "no"; every function of NumPy's with a derivative was measured."""
    derived = [e for e in entries if e.how not in ("no derivative", "not supported", "takes no array")]
    assert len(derived) > 270  # without SciPy, whose functions count where it is installed
    for e in derived:
        assert "no" not in (e.reverse, e.forward, e.second, e.vmap, e.complex, e.float32), e
        assert e.reverse == "yes" or e.name.startswith("scipy."), f"{e.name} has no sample"


def test_what_numpy_has_and_we_have_not(entries):
    """Short, and written down here: to take a name off this list is progress, to add one needs a reason."""
    missing = {e.name for e in entries if e.how == "not supported"}
    # counts of samples in bins; what two sets share; steps between floating-point numbers; conversion to an ndarray;
    # and a name that NumPy drops
    known = {"np.histogram2d", "np.histogramdd", "np.intersect1d", "np.nextafter", "np.require", "np.in1d"}
    assert missing <= known, missing - known


def test_the_command_prints_one_function(capsys):
    assert main(["coverage", "np.linalg.svdvals"]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["name", "how", "reverse"]
    assert line.split()[0] == "np.linalg.svdvals" and line.split()[2] == "yes"


def test_a_name_that_numpy_does_not_have(capsys):
    assert main(["coverage", "no_such_name"]) == 1
    assert "no_such_name" in capsys.readouterr().err


def test_outside_a_checkout_what_the_table_knows_is_printed():
    """There are no samples there, so nothing is measured, and nothing is claimed."""
    code = """
import pathlib, autograd.coverage as c
c.ROOT = pathlib.Path("nowhere")
print(c.plain(c.survey(["np.tanh"])))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].split() == ["np.tanh", "elementwise"]
