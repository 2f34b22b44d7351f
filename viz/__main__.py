"""`python -m viz trace.json`: a trace from a file, as text, step by step in the terminal, or as the player's page."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import viz
from viz.texts.terminal import HELP, printable, run


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"{self.prog}: {printable(message)} (--help says more)\n")


def parser() -> Parser:
    """The command line."""
    found = Parser(
        prog="python -m viz",
        description="Show a trace that viz.trace(y).save('trace.json') has written.",
        epilog=f"commands of the stepper:\n{HELP}\n\nWithout an option: the stepper in a terminal, else the text.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("trace", metavar="trace.json", help="the file")
    form = found.add_mutually_exclusive_group()
    form.add_argument("--tui", action="store_true", help="step through it; commands are read a line at a time")
    form.add_argument("--text", action="store_true", help="print every step")
    form.add_argument("--html", metavar="OUT.html", help="write the step player: one page that needs no network")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; gives back the exit code."""
    asked = parser().parse_args(arguments)
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a terminal that lacks a character shows another one
    try:
        show(asked, viz.load(asked.trace))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read this has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print()
    except (ValueError, OSError) as error:
        print(f"python -m viz: {printable(said(error))}", file=sys.stderr)
        return 2
    return 0


def show(asked: argparse.Namespace, record: viz.Trace) -> None:
    """Show a trace in the form that was asked for."""
    if asked.html:
        print(printable(str(viz.step(record).save(asked.html))))
    elif asked.tui or (sys.stdout.isatty() and not asked.text):
        width = min(max(shutil.get_terminal_size((80, 24)).columns, 60), 110)
        run(record, iter(sys.stdin.readline, ""), sys.stdout, width)
    else:
        sys.stdout.write(viz.explain(record))


def said(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
