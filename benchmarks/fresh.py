"""Measurements that need a process of their own: imports, peak memory, graphs too large to share one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.engines import EngineError

ROOT = Path(__file__).parents[1]


def fresh(*arguments: str, **environment: str) -> dict[str, float]:
    """Run `python *arguments` from the project's directory and return the JSON object that it printed last."""
    environ = {**os.environ, **environment}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, env=environ)
    if done.returncode:
        reason = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise EngineError(f"{' '.join(arguments)[:80]}: {reason}")
    return json.loads(done.stdout.splitlines()[-1])


def probe(job: str, argument: str) -> dict[str, float]:
    """Run a job's function from `benchmarks.jobs.PROBES`."""
    return fresh("-m", "benchmarks.probe", job, argument)
