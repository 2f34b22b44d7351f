"""What a row of the table of samples says, and what a test can ask of one of its cases.

The rows themselves are in samples/.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
# an interval, or a function of a random generator and a shape
Source = tuple[float, float] | Callable[[Any, Shape], Any]


class Case(NamedTuple):
    """Shapes of the array arguments, static arguments, and where the numbers come from if not from the row's domain."""

    shapes: tuple[Shape, ...]
    kwargs: dict[str, Any]
    domain: Sequence[Source] | None = None


def at(*shapes: Shape, domain: Sequence[Source] | None = None, **kwargs: Any) -> Case:
    """One case."""
    return Case(shapes, kwargs, domain)


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """Every combination of the choices, as keyword arguments."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def plainly(f: Callable[..., Any], *xs: Any, **kwargs: Any) -> Any:
    return f(*xs, **kwargs)


@dataclass(frozen=True)
class Row:
    """What to know about an operation in order to test it.

    function   what a user calls, on arrays and on Tensors
    shapes     the shapes of the array arguments, case by case; each is tried with every entry of `grid`
    more       cases beyond these
    domain     where the numbers of each argument come from; the last entry serves all further arguments
    call       how to call the function, where the arrays do not simply come first
    reference  the plain NumPy function to compare with, where `function` is our own
    aliases    other functions of NumPy's that mean the same
    constant   the result is a plain array: the function has no derivative by nature
    """

    function: Callable[..., Any]
    shapes: Sequence[tuple[Shape, ...]] = ()
    grid: Sequence[dict[str, Any]] = ({},)
    more: Sequence[Case] = ()
    domain: Sequence[Source] = ((-2, 2),)
    call: Callable[..., Any] = plainly
    reference: Callable[..., Any] | None = None
    aliases: tuple[Callable[..., Any], ...] = ()
    constant: bool = False

    def cases(self) -> Iterator[Case]:
        """All cases of this row."""
        for shapes, kwargs in itertools.product(self.shapes, self.grid):
            yield Case(shapes, kwargs)
        yield from self.more


class Sample(NamedTuple):
    """One case of one row, with its numbers: the same ones in every run."""

    name: str
    row: Row
    case: Case

    def arrays(self, dtype: Any = float, example: int = 0) -> list[Any]:
        """The array arguments; those that are integers or booleans by nature stay so. `example`: other numbers."""
        rng = np.random.default_rng(zlib.crc32(str(self).encode()) + example)
        domain = self.case.domain or self.row.domain
        return [_draw(rng, domain[min(k, len(domain) - 1)], s, np.dtype(dtype)) for k, s in enumerate(self.case.shapes)]

    def moving(self, dtype: Any = float) -> list[int]:
        """Which of the arguments can be differentiated."""
        return [k for k, x in enumerate(self.arrays(dtype)) if x.dtype.kind in "fc"]

    def __call__(self, *xs: Any) -> Any:
        """The function on these arguments; several results are joined into one vector."""
        y = self.raw(self.row.function, *xs)
        return np.concatenate([np.ravel(part) for part in y]) if isinstance(y, list | tuple) else y

    def raw(self, function: Callable[..., Any], *xs: Any) -> Any:
        """What another function of the same meaning gives here."""
        return self.row.call(function, *xs, **self.case.kwargs)

    def expected(self, *xs: Any) -> Any:
        """What NumPy gives."""
        y = self.raw(self.row.reference or self.row.function, *xs)
        return np.concatenate([np.ravel(part) for part in y]) if isinstance(y, list | tuple) else y

    def problem(self, dtype: Any = float) -> tuple[Callable[..., Any], list[Any]]:
        """The function of the arguments that can be differentiated alone, and these arguments."""
        arrays, moving = self.arrays(dtype), self.moving(dtype)

        def f(*xs: Any) -> Any:
            given = dict(zip(moving, xs, strict=True))
            return self(*[given.get(k, x) for k, x in enumerate(arrays)])

        return f, [arrays[k] for k in moving]

    def __str__(self) -> str:
        static = ",".join(f"{k}={_text(v)}" for k, v in self.case.kwargs.items())
        return " ".join([self.name, *map(str, self.case.shapes), static]).replace(", ", ",").strip()


def _text(value: Any) -> str:
    """A static argument, the same in every process."""
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return str(value.tolist() if hasattr(value, "tolist") else value)


def _draw(rng: Any, source: Source, shape: Shape, dtype: Any) -> Any:
    x = np.asarray(source(rng, shape) if callable(source) else rng.uniform(*source, shape))
    if x.dtype.kind != "f":
        return x
    # the imaginary part keeps off the branch cuts of the inverse functions
    return (x + 1j * rng.uniform(0.2, 0.9, shape) if dtype.kind == "c" else x).astype(dtype)
