"""Benchmarks do what they say: engines agree on tiny jobs, tables render, mistakes get one line. Nothing is timed."""

import dataclasses
import itertools
import os
import sys

import numpy as np
import pytest

from benchmarks import cli, report
from benchmarks.engines import EngineError, HipsWorker, installed
from benchmarks.jobs import JOBS, RACES, deep, layout, memory
from benchmarks.measure import Case, Spread, calibrate, interleave, paired
from benchmarks.race import OURS, Settings, agree

TINY = {"blocks": 2, "batch": 5, "sizes": [6, 4, 3]}
HIPS_PYTHON = os.environ.get("SEEGRAD_HIPS_PYTHON")


def tiny(race):
    return dataclasses.replace(race, size={name: TINY.get(name, value) for name, value in race.size.items()})


@pytest.mark.parametrize("name", RACES)
def test_engines_agree(name):
    cases = tiny(RACES[name]).cases(Settings())
    agree(name, {engine: case.outcome() for engine, case in cases.items()})


@pytest.fixture
def hips():
    worker = HipsWorker(HIPS_PYTHON)
    yield worker
    worker.close()


@pytest.mark.skipif(not HIPS_PYTHON, reason="needs SEEGRAD_HIPS_PYTHON, an environment with HIPS autograd")
@pytest.mark.parametrize("name", [name for name, race in RACES.items() if "HIPS" in race.engines])
def test_hips_agrees(name, hips):
    race = tiny(RACES[name])
    theirs = hips.case(name, dict(race.size)).outcome()
    agree(name, {OURS: race.engines[OURS](**race.size).outcome(), "HIPS": theirs})


def test_disagreement_is_named():
    with pytest.raises(AssertionError, match="step: torch differs from seegrad"):
        agree("step", {OURS: [np.ones(3)], "torch": [np.ones(3) * 1.001]})


def test_hips_needs_its_own_environment(tmp_path):
    with pytest.raises(EngineError, match="cannot run"):
        HipsWorker(str(tmp_path / "no-such-python"))
    with pytest.raises(EngineError, match="HIPS autograd worker failed"):
        HipsWorker(sys.executable)  # an environment with seegrad, or without any autograd


def test_memory_engines_agree():
    shape = (3, 4, 5)
    expected = memory.ENGINES[OURS](shape)
    for name in filter(installed, memory.ENGINES):
        agree("memory", {OURS: expected, name: memory.ENGINES[name](shape)})


def test_deep_graphs_give_every_quantity():
    for name in filter(installed, deep.LEAVES):
        leaf = deep.LEAVES[name]
        figures = {**deep.chain(leaf(0.5), leaf(0.9), 10), **deep.paths(leaf(0.5)), **deep.uses(leaf(0.5), 10)}
        assert set(figures) == set(deep.QUANTITIES)


@pytest.mark.parametrize("build", layout.GRAPHS.values())
def test_layout_saves_a_picture(build, tmp_path):
    path = tmp_path / "picture.svg"
    assert layout.seconds(build(20), path, expand=False) >= 0
    assert path.read_text().lstrip().startswith(("<svg", "<?xml"))


class FakeCase:
    """Pretends that a run takes 1 ms, and notes who was asked."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def seconds(self, number):
        self.log.append((self.name, number))
        return 1e-3


def test_rounds_are_interleaved_and_samples_long_enough():
    log = []
    samples = interleave({name: FakeCase(name, log) for name in "AB"}, rounds=3, floor=5e-3)
    assert samples == {"A": [1e-3] * 3, "B": [1e-3] * 3}
    assert log[-6:] == list(itertools.islice(itertools.cycle([("A", 8), ("B", 8)]), 6))
    assert calibrate(FakeCase("C", []), floor=0) == 1


def test_case_runs_as_often_as_asked():
    count = itertools.count()
    case = Case(lambda: next(count), lambda result: [result, 2 * result])
    case.seconds(5)
    assert [int(value) for value in case.outcome()] == [5, 10]


def test_ratios_are_paired():
    assert paired([1.0, 4.0, 3.0], [2.0, 2.0, 2.0]) == Spread(0.5, 1.5, 2.0)


ROWS = [
    report.Row("step", "seegrad", Spread(90.0, 100.0, 1234.5), "us"),
    report.Row("step", "torch", Spread(190.0, 200.0, 300.0), "us", Spread(0.4, 0.5, 0.6), bound=0.85),
    report.Row("imports", "seegrad", Spread(59.0, 61.0, 70.0), "ms", bound=60),
]


def test_table_renders():
    assert report.plain(ROWS).splitlines()[2].split("  ")[-1] == "yes"
    *_, last = report.markdown(ROWS).splitlines()
    assert last == "| imports | seegrad | 61 ms | 59 .. 70 |  |  | <= 60 ms | NO |"
    assert "Python" in report.surroundings()


def test_a_job_runs_and_prints(monkeypatch, capsys):
    monkeypatch.setitem(JOBS, "scalars", tiny(RACES["scalars"]))
    monkeypatch.setattr(cli, "settings_of", lambda options, hips: Settings(rounds=1, floor=0.0))
    monkeypatch.delenv("SEEGRAD_HIPS_PYTHON", raising=False)
    assert cli.main(["scalars", "--markdown"]) == 0
    out, err = capsys.readouterr()
    assert "| scalars | seegrad |" in out
    assert "--hips" in err


def test_list_names_every_job(capsys):
    assert cli.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(JOBS)


@pytest.mark.parametrize(
    "arguments, message", [(["nope"], "unknown job 'nope'"), (["--rounds", "0"], "positive number")]
)
def test_a_mistake_gets_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1
