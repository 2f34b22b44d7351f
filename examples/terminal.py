"""What the examples share at the terminal: checked options, faults in one line, a progress bar if tqdm is installed.

A wrong option ends the program with exit code 2 and one line on stderr that says what was expected. The functions
`number`, `folder` and `picture` are converters for argparse: they take the text of an option and return its value.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Self

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that shows defaults, takes no abbreviations and answers a wrong option in one line."""

    def __init__(self, description: str) -> None:
        show_defaults = argparse.ArgumentDefaultsHelpFormatter
        super().__init__(description=description, allow_abbrev=False, formatter_class=show_defaults)

    def error(self, message: str) -> NoReturn:
        fail(f"{message} (--help explains the options)", code=2)


def fail(message: str, code: int = 1) -> NoReturn:
    """End the program with one line on stderr."""
    print(f"{Path(sys.argv[0]).name}: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    """Numbers of one kind from `low` to `high`, both included."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:  # also refuses nan
            name = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"{text!r} is not a {name} from {low:,} to {high:,}")
        return value

    return convert


def folder(text: str) -> Path:
    """A folder that exists."""
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return Path(text)


def picture(text: str) -> Path:
    """The path of an .svg file that can be written."""
    path = Path(text)
    if path.suffix != ".svg" or path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} is not an .svg file in a folder that can be written to")
    return path


class PlainLines:
    """The part of tqdm that the examples use, for where it is not installed: the lines without the bar."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, count: int) -> None:
        pass

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        pass

    def write(self, line: str) -> None:
        print(line)


def progress_bar(total: int, unit: str) -> Any:
    """A tqdm bar, which hides itself where stderr is no terminal, or PlainLines."""
    return tqdm(total=total, unit=f" {unit}", unit_scale=True, disable=None) if tqdm else PlainLines()
