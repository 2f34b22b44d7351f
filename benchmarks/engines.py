"""Which engines can take part, and HIPS autograd's seat outside.

HIPS autograd and seegrad share the import name `autograd`, so HIPS runs under an interpreter of its own. It
executes the same job functions on request, one JSON line a question, and so takes its turn in every round.
"""

from __future__ import annotations

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

HIPS = "HIPS"
PACKAGES = {
    "seegrad": "autograd",
    "torch": "torch",
    "torch.optim": "torch",
    "torch.compile": "torch",
    "jax.jit": "jax",
    "mygrad": "mygrad",
    "micrograd": "micrograd",
    "NumPy by hand": "numpy",
}
MAKE_HIPS = (
    "HIPS autograd is left out: python -m venv hips && hips/bin/pip install 'autograd[scipy]', "
    "then pass --hips hips/bin/python (or set SEEGRAD_HIPS_PYTHON)"
)


class EngineError(Exception):
    """An engine is missing or not the one expected; the message says what to do."""


def installed(engine: str) -> bool:
    """Whether the engine can be imported here; HIPS never can."""
    return engine in PACKAGES and find_spec(PACKAGES[engine]) is not None


class HipsWorker:
    """HIPS autograd in a process of its own, started with the given interpreter."""

    def __init__(self, python: str):
        script = Path(__file__).with_name("hips_worker.py")
        try:
            # -I keeps this project's directory and PYTHONPATH out, so that `import autograd` finds HIPS.
            self.process = subprocess.Popen(
                [python, "-I", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise EngineError(f"cannot run {python!r} for HIPS autograd: {error.strerror}") from error
        try:
            self.version: str = self.ask(hello=True)
        except EngineError:
            self.close()
            raise

    def ask(self, **question: Any) -> Any:
        """Send one question and wait for its answer."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: the empty answer below says so
        answer = json.loads(self.process.stdout.readline() or '{"error": "it ended; see its message above"}')
        if "error" in answer:
            raise EngineError(f"the HIPS autograd worker failed: {answer['error']}")
        return answer["answer"]

    def case(self, job: str, size: dict[str, Any]) -> RemoteCase:
        """Prepare a job there."""
        return RemoteCase(self, self.ask(job=job, size=size))

    def close(self) -> None:
        """End the worker: it stops when its input ends."""
        self.process.communicate()


class RemoteCase:
    """A Case that lives in the worker; the clock runs there, so the pipe costs nothing."""

    def __init__(self, worker: HipsWorker, key: int):
        self.worker, self.key = worker, key

    def seconds(self, number: int) -> float:
        return self.worker.ask(case=self.key, number=number)

    def outcome(self) -> list[np.ndarray]:
        return [np.asarray(value) for value in self.worker.ask(case=self.key, outcome=True)]
