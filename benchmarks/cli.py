"""The command line: which jobs, how long, how printed. The table goes to stdout, progress and remarks to stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from benchmarks import report
from benchmarks.engines import HIPS, MAKE_HIPS, PACKAGES, EngineError, HipsWorker, installed
from benchmarks.jobs import JOBS
from benchmarks.race import Settings


class Parser(argparse.ArgumentParser):
    """Argparse with one line for a mistake instead of two."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def job_name(text: str) -> str:
    if text not in JOBS:
        raise argparse.ArgumentTypeError(f"unknown job {text!r}; the jobs are {', '.join(JOBS)}")
    return text


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def parser() -> Parser:
    """All options."""
    result = Parser(prog="python -m benchmarks", description="Time seegrad beside the other engines installed here.")
    result.add_argument("jobs", nargs="*", type=job_name, metavar="JOB", help="which jobs (default: all; see --list)")
    result.add_argument("--list", action="store_true", help="list the jobs and stop")
    result.add_argument("--rounds", type=positive, default=31, help="interleaved rounds of each job (default: 31)")
    result.add_argument("--quick", action="store_true", help="a first look: 5 rounds of short samples, slow jobs once")
    result.add_argument("--markdown", action="store_true", help="print the table of docs/benchmarks.md")
    result.add_argument("--compile", action="store_true", help="let torch.compile take part (needs a C++ compiler)")
    result.add_argument(
        "--hips",
        metavar="PYTHON",
        default=os.environ.get("SEEGRAD_HIPS_PYTHON"),
        help="interpreter of an environment with HIPS autograd (default: $SEEGRAD_HIPS_PYTHON)",
    )
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the jobs asked for; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{name:24}  {job.about}" for name, job in JOBS.items()))
        return 0
    try:
        with hips_worker(options.hips) as hips:
            print_table(options, hips)
    except EngineError as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def hips_worker(python: str | None) -> Iterator[HipsWorker | None]:
    """The worker, if there is an interpreter for it, and its end."""
    if python is None:
        yield None
        return
    worker = HipsWorker(python)
    try:
        yield worker
    finally:
        worker.close()


def settings_of(options: argparse.Namespace, hips: HipsWorker | None) -> Settings:
    if options.quick:
        return Settings(rounds=5, floor=0.005, runs=1, compile=options.compile, hips=hips)
    return Settings(rounds=options.rounds, compile=options.compile, hips=hips)


def print_table(options: argparse.Namespace, hips: HipsWorker | None) -> None:
    """Measure and print."""
    remarks(hips)
    settings = settings_of(options, hips)
    rows = []
    for name in options.jobs or JOBS:
        print(f"{name}: {JOBS[name].about} ...", file=sys.stderr, flush=True)
        rows += JOBS[name].rows(settings)
    print(report.surroundings([f"{HIPS} autograd {hips.version}"] if hips else []), end="\n\n")
    print(report.markdown(rows) if options.markdown else report.plain(rows))


def remarks(hips: HipsWorker | None) -> None:
    """Say which engines are left out, and how to bring them in."""
    missing = sorted({package for engine, package in PACKAGES.items() if not installed(engine)})
    if missing:
        print(f"not installed, left out: {', '.join(missing)} (pip install 'seegrad[bench]')", file=sys.stderr)
    if hips is None:
        print(MAKE_HIPS, file=sys.stderr)
