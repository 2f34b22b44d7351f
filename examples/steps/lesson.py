"""What the lessons share: the folder for their files, headings, and numbers side by side."""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import viz
from viz.saving import write_atomically
from viz.texts.text import values

sys.path.append(str(Path(__file__).parents[1]))
import mnist  # in the folder above

DIGITS = 4000


class Lesson(NamedTuple):
    """One run of a lesson. Its files go to `folder`; `digit` is the example that the reader chose."""

    folder: Path
    digit: int = 0

    def save(self, view: Any, name: str) -> None:
        """Save a picture or a player, and say where it is."""
        print(f"wrote {view.save(self.folder / name)}")

    def write(self, name: str, content: str) -> None:
        """Write a text file, and say where it is."""
        print(f"wrote {write_atomically(self.folder / name, content.encode())}")


def start(story: str, digit: int | None = None) -> Lesson:
    """Read the options and print the first line of the story. Files go to the current folder or to --out.

    A lesson about one handwritten digit names the usual one.
    """
    parser = argparse.ArgumentParser(description=story, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the files, made if needed")
    if digit is not None:
        parser.add_argument("--digit", type=int, default=digit, metavar="N", help=f"0 to {DIGITS - 1}")
    options = parser.parse_args()
    if not 0 <= getattr(options, "digit", 0) < DIGITS:
        parser.error(f"there are digits 0 to {DIGITS - 1}")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"{options.out}: cannot write there ({error.strerror})")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a pipe may be of another mind
    print(story.split("\n", 1)[0])
    return Lesson(options.out, getattr(options, "digit", 0))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """4,000 handwritten digits: images (4000, 28, 28) from 0 to 255, and labels."""
    found = mnist.load(Path(mnist.__file__).parent / "mnist_5k")
    return found.train_images, found.train_labels


def drawn(image: np.ndarray) -> str:
    """An image of 28 x 28 in characters, two rows of pixels in one line."""
    rows = image.reshape(14, 2, 28).mean(axis=1)
    return "\n".join("".join(" .:+#"[int(pixel) * 5 // 256] for pixel in row).rstrip() for row in rows)


def heading(text: str) -> None:
    """A line that starts a part of the lesson."""
    print(f"\n{text}")


def compare(name: str, engine: Any, by_hand: Any) -> None:
    """Two arrays side by side, one line, and an exit with an error where they are not the same."""
    difference = float(np.max(np.abs(np.asarray(engine) - np.asarray(by_hand))))
    print(f"  {name}: {text(engine)}   by hand the same, to {difference:.1e}")
    if not difference <= 1e-12:
        sys.exit(f"{name}: the engine and the hand-written layer differ")


def text(value: Any) -> str:
    """An array on one line, all of it."""
    return values(np.asarray(value), whole=100)


def show(lesson: Lesson, record: viz.Trace, name: str) -> None:
    """The steps of a trace as text, and its picture and player as files."""
    heading("Step by step")
    print(viz.explain(record))
    lesson.save(viz.draw(record), f"{name}.svg")
    lesson.save(viz.step(record), f"{name}.html")
