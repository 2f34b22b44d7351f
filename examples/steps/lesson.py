"""What the lessons share: the folder for their files, headings, and numbers side by side."""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import viz
from autograd import Tensor


class Lesson(NamedTuple):
    """One run of a lesson. Its files go to `folder`."""

    folder: Path

    def save(self, view: Any, name: str) -> None:
        """Save a picture or a player, and say where it is."""
        print(f"wrote {view.save(self.folder / name)}")


def start(story: str) -> Lesson:
    """Read the options, print the first line of the lesson's story. Files go to the current folder or to --out."""
    parser = argparse.ArgumentParser(description=story, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the files, made if needed")
    folder = parser.parse_args().out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"{folder}: cannot write there ({error.strerror})")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a pipe on Windows is not
    print(story.split("\n", 1)[0])
    return Lesson(folder)


def heading(text: str) -> None:
    """A line that starts a part of the lesson."""
    print(f"\n{text}")


def named(name: str, value: Any) -> Tensor:
    """A leaf that gets a gradient, with its name in every view."""
    leaf = Tensor(np.array(value, dtype=float), requires_grad=True)
    leaf.name = name
    return leaf


def compare(name: str, engine: Any, by_hand: Any) -> None:
    """Two arrays side by side, one line, and an exit with an error where they are not the same."""
    difference = float(np.max(np.abs(np.asarray(engine) - np.asarray(by_hand))))
    print(f"  {name}: engine {text(engine)}, by hand {text(by_hand)}, largest difference {difference:.1e}")
    if not difference <= 1e-12:
        sys.exit(f"{name}: the engine and the hand-written layer differ")


def text(value: Any) -> str:
    """An array on one line."""
    array = np.asarray(value)
    return np.array2string(array, precision=4, separator=", ", suppress_small=True).replace("\n", "")


def show(lesson: Lesson, record: viz.Trace, name: str) -> None:
    """The backward pass of a trace as text, and its picture and player as files."""
    heading("Backward, step by step")
    print(viz.explain(record))
    lesson.save(viz.draw(record), f"{name}.svg")
    lesson.save(viz.step(record), f"{name}.html")
