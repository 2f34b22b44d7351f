"""Import time in fresh processes, after `import numpy`: what a user waits for who has NumPy loaded already.

The clock runs inside the process, so starting the interpreter does not count. Bytecode is compiled in a first round
that is thrown away, into a folder of its own, also where the environment says to write none. The other engines stand
beside it for scale.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory

from benchmarks.engines import PACKAGES, installed
from benchmarks.fresh import fresh
from benchmarks.measure import Spread
from benchmarks.race import Settings
from benchmarks.report import Row

CODE = """
import json, time
import numpy
start = time.perf_counter()
import {packages}
print(json.dumps({{"ms": (time.perf_counter() - start) * 1e3}}))
"""
OURS = {"seegrad: autograd": ("autograd", 60), "seegrad: autograd, nn, viz": ("autograd, nn, viz", 150)}
OTHERS = ("torch", "jax.jit", "mygrad")


class Imports:
    name = "imports"
    about = "milliseconds of an import over that of NumPy, in a fresh process"

    def rows(self, settings: Settings) -> list[Row]:
        subjects = {**OURS, **{name: (PACKAGES[name], None) for name in OTHERS if installed(name)}}
        with TemporaryDirectory() as cache:
            rounds = [
                {name: once(packages, cache) for name, (packages, _) in subjects.items()}
                for _ in range(settings.runs + 1)
            ]
        return [
            Row(self.name, name, Spread.of(one[name] for one in rounds[1:]), "ms", bound=bound)
            for name, (_, bound) in subjects.items()
        ]


def once(packages: str, cache: str) -> float:
    """Milliseconds."""
    code = CODE.format(packages=packages)
    return fresh("-c", code, PYTHONPYCACHEPREFIX=cache, PYTHONDONTWRITEBYTECODE="")["ms"]
