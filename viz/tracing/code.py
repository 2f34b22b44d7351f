"""What a place in the user's code says of the operation that it recorded: the line, and the names of things.

An array that nobody watches has no name of its own. But where the code says `x @ W`, or `np.maximum(x, 0)`, and that is
the operation that was recorded, then its first input is the user's x. The code is parsed and never run.
"""

from __future__ import annotations

import ast
import os
import warnings
from functools import lru_cache
from types import CodeType

from autograd.node import Node
from autograd.source import decode

SIGNS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.MatMult: "matmul",
    ast.Pow: "power",
}  # fmt: skip


@lru_cache(maxsize=4096)
def described(code: CodeType | None, lasti: int) -> tuple[str, str, str]:
    """The variable, the code and `file.py:12` of a place, which a loop visits often. Folders are nobody's business."""
    source = decode(code, lasti)
    return (source.target or "", source.text, os.path.basename(str(source))) if source else ("", "", "")


def operand(node: Node, slot: int) -> str:
    """What the user's code calls an input of an operation, or nothing where it does not say."""
    assert node.op is not None
    names = _operands(described(node.code, node.lasti)[1], node.op.name)
    return names[slot] if len(names) == len(node.inputs) else ""


@lru_cache(maxsize=4096)
def _operands(code: str, op: str) -> list[str]:
    """The names of the operands, if the code is this operation and no other."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user has seen what Python warns about in this file
            whole = ast.parse(code.replace("\n", " "), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    if isinstance(whole, ast.BinOp) and SIGNS.get(type(whole.op)) == op:
        return [_name(whole.left), _name(whole.right)]
    if isinstance(whole, ast.Call) and _name(whole.func).rpartition(".")[2] == op:
        return list(map(_name, whole.args))
    return []


def _name(code: ast.expr) -> str:
    """`x`, `self.x` or `xs[k]`; what is computed on the spot has no name."""
    return ast.unparse(code) if isinstance(code, ast.Name | ast.Attribute | ast.Subscript) else ""
