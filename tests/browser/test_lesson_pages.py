"""The lessons' players in Chromium: each plays to its last step, and Matt Mazur's numbers are on the screen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = Path(__file__).parents[2] / "examples" / "steps"
PLAYED = sorted(file.stem for file in STEPS.glob("*.py") if file.stem not in ("lesson", "museum"))


def page_of(lesson: str, folder: Path) -> str:
    command = [sys.executable, str(STEPS / f"{lesson}.py"), "--out", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(STEPS.parents[1])}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return (folder / f"{lesson}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lesson", PLAYED)
def test_a_lesson_plays_to_its_end(lesson, opened, tmp_path):
    page = opened(page_of(lesson, tmp_path))
    said = []
    while not said or said[-1] != page.locator("#sentence").inner_text():
        said.append(page.locator("#sentence").inner_text())
        page.keyboard.press("ArrowRight")
    places = [re.match(r"Step (\d+) of (\d+), ", sentence) for sentence in said]
    assert all(places)
    assert [int(place[1]) for place in places] == list(range(1, len(said) + 1))
    assert {int(place[2]) for place in places} == {len(said)}
    if lesson == "mazur":
        assert any(re.search(r"E = .*0\.2984", sentence) for sentence in said)
        assert any(re.search(r"w5\.grad is 0\.08217", sentence) for sentence in said)
        assert "Step 68 of 71, update of w5: 0.4 - 0.5 * 0.08217 = 0.3589." in said
