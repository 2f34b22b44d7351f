"""The lessons run as their readers run them, their numbers are the published ones, and their files open."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

STEPS = Path(__file__).parents[1] / "examples" / "steps"
LESSONS = sorted(file.stem for file in STEPS.glob("*.py") if file.stem != "lesson")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What a lesson prints, and the folder with its files; each runs once."""
    done: dict[str, tuple[str, Path]] = {}

    def run(name: str) -> tuple[str, Path]:
        if name not in done:
            folder = tmp_path_factory.mktemp(name) / "new folder"
            command = [sys.executable, "-W", "error", str(STEPS / f"{name}.py"), "--out", str(folder)]
            environment = os.environ | {"PYTHONPATH": str(STEPS.parents[1]), "PYTHONIOENCODING": "ascii"}
            elsewhere = tmp_path_factory.mktemp("elsewhere")
            result = subprocess.run(
                command, capture_output=True, encoding="utf-8", env=environment, cwd=elsewhere, check=False
            )
            assert result.returncode == 0, result.stderr
            assert result.stderr == "" and list(elsewhere.iterdir()) == []
            done[name] = result.stdout, folder
        return done[name]

    return run


class Page(HTMLParser):
    """The start tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_tells_its_story_and_leaves_its_files(ran, name):
    text, folder = ran(name)
    story = re.search(r'^"""(.*)', (STEPS / f"{name}.py").read_text(encoding="utf-8"))
    assert story is not None and text.startswith(story[1])
    written = [Path(path) for path in re.findall(r"^wrote (.*)$", text, re.MULTILINE)]
    assert sorted(written) == sorted(folder.iterdir())
    assert len([path for path in written if path.suffix == ".svg"]) == (8 if name == "museum" else 1)
    for path in written:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".svg":
            assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
        if path.suffix == ".html":
            page = Page()
            page.feed(content)
            assert content.startswith("<!DOCTYPE html>") and len(content) < (
                300_000 if name == "sensitivities" else 500_000
            )
            policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
            assert policy is not None and policy.startswith("default-src 'none'")
            assert not any(str(a.get(key, "")).startswith("http") for _, a in page.tags for key in ("src", "href"))
    assert name == "museum" or (folder / f"{name}.html").exists()


@pytest.mark.parametrize("name", LESSONS)
def test_the_index_names_every_lesson(name):
    assert f"[{name}.py]({name}.py)" in (STEPS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("lesson", "option", "value", "message"),
    [
        ("relu", "--out", "file/folder", "cannot write there"),
        ("sensitivities", "--digit", "4000", "there are digits 0 to 3999"),
        ("sensitivities", "--digit", "-1", "there are digits 0 to 3999"),
    ],
)
def test_a_wrong_option_is_answered_in_one_line(tmp_path, lesson, option, value, message):
    (tmp_path / "file").write_text("")
    command = [sys.executable, str(STEPS / f"{lesson}.py"), f"{option}={value}"]
    environment = os.environ | {"PYTHONPATH": str(STEPS.parents[1])}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert result.returncode != 0 and message in result.stderr.splitlines()[-1] and "Traceback" not in result.stderr


# ---- the numbers ----


def numbers(text: str, label: str) -> np.ndarray:
    """The numbers after `label`."""
    line = next(line for line in text.splitlines() if line.strip().startswith(label + ": "))
    return np.array([float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line.split(": ", 1)[1].split("   ")[0])])


def test_relu(ran):
    text, _ = ran("relu")
    assert numbers(text, "out").tolist() == [1, 0, 0, 3]
    assert numbers(text, "dx").tolist() == [0.1, 0, 0, 0.4]


def test_sigmoid(ran):
    text, _ = ran("sigmoid")
    y = 1 / (1 + np.exp(-np.array([-6.0, -1, 0, 1, 6])))
    assert np.allclose(numbers(text, "out"), y, atol=5e-5)
    assert np.allclose(numbers(text, "dx"), y * (1 - y), atol=5e-5)


def test_affine(ran):
    text, _ = ran("affine")
    x, W = np.arange(1.0, 7).reshape(3, 2), np.arange(1.0, 7).reshape(2, 3) / 10
    dout = np.array([[1.0, 0, -1], [2, 1, 0], [0, 0.5, 1]])
    assert np.allclose(numbers(text, "dx = dout W.T"), (dout @ W.T).ravel())
    assert np.allclose(numbers(text, "dW = x.T dout"), (x.T @ dout).ravel())
    assert np.allclose(numbers(text, "db = dout summed over axis 0"), dout.sum(axis=0))
    assert "so sum over axis 0" in text


def test_softmax_with_loss(ran):
    text, _ = ran("softmax_with_loss")
    e = np.exp([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
    y = e / e.sum(axis=1, keepdims=True)
    assert np.allclose(numbers(text, "loss"), -np.mean(np.log([y[0, 0], y[1, 2]])), atol=5e-4)
    assert np.allclose(numbers(text, "dx"), ((y - [[1, 0, 0], [0, 0, 1]]) / 2).ravel(), atol=5e-5)


def test_convolution(ran):
    text, _ = ran("convolution")
    image = np.array([[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]])
    kernel, dout = np.outer([1.0, 2, 1], [1, 0, -1]), np.array([[1.0, 0.5], [-1, 2]])
    dK, dx = np.zeros((3, 3)), np.zeros((4, 4))
    for i, j, k, m in np.ndindex(2, 2, 3, 3):  # by the definition: each product on its own
        dK[k, m] += dout[i, j] * image[i + k, j + m]
        dx[i + k, j + m] += dout[i, j] * kernel[k, m]
    assert np.allclose(numbers(text, "dK = image with dout"), dK.ravel())
    assert np.allclose(numbers(text, "dx = bordered dout with the turned kernel"), dx.ravel())
    assert f"= {dx[1, 1]:g}\n" in text


def test_matt_mazurs_published_numbers(ran):
    text, _ = ran("mazur")
    published = {
        "out_h1": "0.593269992",
        "out_o1": "0.751365070",
        "out_o2": "0.772928465",
        "E_o1": "0.274811083",
        "E_o2": "0.023560026",
        "E": "0.298371109",
        "dE/dw5": "0.082167041",
        "w5": "0.358916480",
        "w6": "0.408666186",
        "w7": "0.511301270",
        "w8": "0.561370121",
        "w1": "0.149780716",
        "E after one step": "0.291027774",
    }
    for name, number in published.items():
        found = re.findall(rf"(?<![\w/]){re.escape(name)} = ([\d. *]+?)(?=$|,| = )", text, re.MULTILINE)
        assert number in found, (name, found)
    factors = re.search(r"dE/dw5 = ([\d.]+) \* ([\d.]+) \* ([\d.]+) = ([\d.]+)", text)
    assert factors is not None
    assert factors.groups() == ("0.741365070", "0.186815602", "0.593269992", "0.082167041")


def test_the_13002_sensitivities(ran):
    text, folder = ran("sensitivities")
    assert "13,002 weights and biases" in text
    with open(folder / "sensitivities.csv", newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["parameter", "sensitivity"] and len(rows) == 784 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10
    assert len({name for name, _ in rows}) == len(rows)
    sizes = np.abs([float(value) for _, value in rows])
    assert np.all(np.diff(sizes) <= 0) and sizes[0] > 0
    shown = re.findall(
        r"^  (\S+\[.*?\]) +([+-][\d.]+) +predicted ([+-][\d.]+) +really ([+-][\d.]+)$", text, re.MULTILINE
    )
    assert [name for name, *_ in shown] == [name for name, _ in rows[: len(shown)]] and len(shown) == 10
    for (_, _, predicted, really), (_, value) in zip(shown, rows[:10], strict=True):
        assert abs(float(predicted) - 0.001 * float(value)) < 1e-8
        assert abs(float(predicted) - float(really)) < 1e-6  # half the curvature times the square of the nudge
    zeros = re.search(r"([\d,]+) are 0: (\d+) pixels are blank", text)
    assert zeros is not None
    assert int(zeros[1].replace(",", "")) == 16 * int(zeros[2]) == int(np.sum(sizes == 0))


def test_the_four_steps(ran):
    text, _ = ran("four_steps")
    means = re.search(r"first 5 rounds ([\d.]+), of the last 5 ([\d.]+)", text)
    right = re.search(r"([\d.]+) % of the 4,000 digits", text)
    assert means is not None and right is not None
    assert float(means[2]) < 0.5 * float(means[1]) and float(right[1]) > 75
    moved = dict(re.findall(r"^  (\w\d): moved by ([\d.]+) at most$", text, re.MULTILINE))
    assert set(moved) == {"W1", "b1", "W2", "b2"} and min(map(float, moved.values())) > 0


MUSEUM = {
    "forgotten_zero_grad": ("W", "zero_grad() was forgotten"),
    "overwritten": ("x", "overwritten instead of accumulated: off by the number of uses, 2"),
    "missing_transpose": ("W", "missing transpose"),
    "missing_mean": ("scores", "missing 1/N (N = 3"),
    "missing_sum": ("b", "not summed over the broadcast axis 0"),
    "overflow": ("scores", "not finite: nan first at [0, 0]"),
    "changed_in_place": ("skipped", "swapped with the gradient of x: equal to it"),
}


@pytest.mark.parametrize("exhibit", MUSEUM)
def test_the_museum_names_each_bug(ran, exhibit):
    text, _ = ran("museum")
    name, diagnosis = MUSEUM[exhibit]
    part = re.split(r"^\d\. ", text.split(f"{exhibit}: ", 1)[1], flags=re.MULTILINE)[0]
    wrong = [line.split()[0] for line in part.splitlines() if "WRONG" in line]
    assert wrong == [name]
    assert any(line.strip().startswith(diagnosis) for line in part.splitlines()), part


def test_the_museum_shows_what_the_engine_refuses(ran):
    text, _ = ran("museum")
    part = text.split("updated_too_early: ", 1)[1]
    assert "the engine raises" in part and "saved its input 'b'" in part and "changed since" in part
