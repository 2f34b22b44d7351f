"""Runs inside HIPS autograd's own environment and answers one JSON line for each line it reads.

HIPS is imported first; only then does this project's directory join the path, at its end, for the job functions.
"""

import gc
import json
import sys
from pathlib import Path
from typing import Any

try:
    import autograd
except ModuleNotFoundError:
    autograd = None
if not hasattr(autograd, "elementwise_grad") or hasattr(autograd, "Tensor"):
    sys.exit(f"{sys.executable} does not hold HIPS autograd: make an environment with autograd[scipy] alone")
sys.path.append(str(Path(__file__).parents[1]))

from benchmarks.engines import HIPS
from benchmarks.jobs import RACES
from benchmarks.measure import Case

cases: list[Case] = []


def answer(question: dict[str, Any]) -> Any:
    if "hello" in question:
        from importlib.metadata import version

        return version("autograd")
    if "job" in question:
        cases.append(RACES[question["job"]].engines[HIPS](**question["size"]))
        gc.freeze()  # as the other process does
        return len(cases) - 1
    case = cases[question["case"]]
    return [array.tolist() for array in case.outcome()] if "outcome" in question else case.seconds(question["number"])


for line in sys.stdin:
    try:
        reply = {"answer": answer(json.loads(line))}
    except Exception as error:  # whatever went wrong belongs to the process that asked
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)
