"""Where in the user's code an operation was recorded.

Recording keeps only `(code object, instruction offset)` of the first frame outside the package, which costs a fraction
of a microsecond. Everything else (file, line, columns, the text, the variable that the result was assigned to) is
decoded here, when somebody asks.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType
from typing import Any

_folders: tuple[str, ...] = ()
KNOWN_FILES: dict[str, bool] = {}  # file -> True where its frames are not the user's


def hide(folder: str) -> None:
    """Never report frames of files below this folder: they are not the user's."""
    global _folders
    _folders = (*_folders, os.path.join(os.path.abspath(folder), ""))
    KNOWN_FILES.clear()


def is_inside(file: str) -> bool:
    """True for a file whose frames are not the user's."""
    try:
        return KNOWN_FILES[file]
    except KeyError:
        return KNOWN_FILES.setdefault(file, file.startswith(_folders))


hide(os.path.dirname(__file__))


def caller() -> tuple[CodeType | None, int]:
    """The code object and instruction offset of the nearest frame of the user's."""
    frame: Any = sys._getframe(2)  # who calls this is ours
    while frame is not None:
        code = frame.f_code
        try:
            if not KNOWN_FILES[code.co_filename]:
                return code, frame.f_lasti
        except KeyError:
            is_inside(code.co_filename)
            continue
        frame = frame.f_back
    return None, 0


@dataclass(frozen=True)
class Source:
    """A place in the user's code; columns count the bytes of the line in UTF-8, from 0, as Python's ast does."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def text(self) -> str:
        """The expression that recorded the operation, or '' where the source is not to be had."""
        lines = self._lines()
        if not lines:
            return ""
        lines[-1] = lines[-1].encode()[: self.end_column].decode(errors="replace")
        lines[0] = lines[0].encode()[self.column :].decode(errors="replace")
        return "\n".join(line.strip() for line in lines).strip()

    @property
    def target(self) -> str | None:
        """The name that this whole expression was assigned to: `h` in `h = x @ W`, None in `h = x @ W + b`."""
        text = "".join(linecache.getlines(self.file))
        return _targets(text).get((self.line, self.column, self.end_line, self.end_column))

    def _lines(self) -> list[str]:
        return linecache.getlines(self.file)[self.line - 1 : self.end_line]


@lru_cache(maxsize=64)
def _targets(text: str) -> dict[tuple[Any, ...], str]:
    """(line, column, end line, end column) of each assigned expression in a source text -> what it is assigned to."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user has seen what Python warns about in this file
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found = {}
    value: ast.expr | ast.stmt
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            target, value = node.target, node.value
        elif isinstance(node, ast.AugAssign):  # the operation of `x += 1` is the whole statement
            target, value = node.target, node
        else:
            continue
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            span = (value.lineno, value.col_offset, value.end_lineno, value.end_col_offset)
            found[span] = ast.unparse(target)
    return found


def decode(code: CodeType | None, lasti: int) -> Source | None:
    """The Source of a recorded position, or None where none was recorded."""
    if code is None:
        return None
    line, end_line, column, end_column = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    line = line or code.co_firstlineno
    return Source(code.co_filename, line, end_line or line, column or 0, end_column or 0, code.co_qualname)
