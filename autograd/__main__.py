"""`python -m autograd coverage [NAME ...] [--markdown]`: what seegrad differentiates."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m autograd", description="About this installation of seegrad.")
    commands = parser.add_subparsers(dest="command", required=True)
    coverage = commands.add_parser("coverage", help="what becomes of each function of NumPy's on a Tensor")
    coverage.add_argument("names", nargs="*", metavar="NAME", help="only names that contain this, for example linalg")
    coverage.add_argument("--markdown", action="store_true", help="as docs/coverage.md has it")
    options = parser.parse_args(arguments)

    from .coverage import markdown, plain, survey

    entries = survey(options.names)
    if not entries:
        print(f"python -m autograd coverage: no function has {' or '.join(options.names)} in its name", file=sys.stderr)
        return 1
    print(markdown(entries) if options.markdown else plain(entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
