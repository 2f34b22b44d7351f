"""A derivative rule as a small tree, parsed from its text.

The text is Python's expression grammar, read by `ast` and never evaluated; `Wᵀ` is `transpose(W)`. A text that is no
such expression, or too long or too deep a one, becomes `Words` and is shown as it stands: the record it came from may
be anybody's file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

LONGEST, DEEPEST = 1000, 40  # characters and levels of a text that is parsed
NAMED = 60  # characters of a user's name
TOKENS = re.compile(  # possessive, so that no text makes it slow; neither strings nor attributes but .T
    r"(?:[^\W\d]\w*+|\d++(?:\.\d*+)?(?:e[-+]?\d++)?j?(?!\w)|\.T\b|\.\.\.|[-+*/@<>=!&|(),:\[\] ])*+"
)
SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|",
    ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tree:
    """A formula, or a part of one."""


@dataclass(frozen=True)
class Name(Tree):
    """What a rule names: an input, the result y, the incoming gradient g."""

    name: str


@dataclass(frozen=True)
class Number(Tree):
    """A number that stands in the rule, as text."""

    text: str


@dataclass(frozen=True)
class Words(Tree):
    """Text that is shown as it stands."""

    text: str


@dataclass(frozen=True, eq=False)
class Value(Tree):
    """An array, a Summary or a tuple in the place of a name."""

    value: Any


@dataclass(frozen=True)
class Partial(Tree):
    """The derivative of one quantity by another, both by their names: it stands in the place of g."""

    of: str
    by: str


@dataclass(frozen=True)
class Call(Tree):
    """A function of arguments."""

    function: str
    arguments: tuple[Tree, ...]
    keywords: tuple[tuple[str, Tree], ...] = ()


@dataclass(frozen=True)
class Transpose(Tree):
    """The transpose of a matrix."""

    of: Tree


@dataclass(frozen=True)
class Infix(Tree):
    """Two operands with + - * / @ ** & or | between them."""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Negative(Tree):
    """An operand behind a minus sign."""

    of: Tree


@dataclass(frozen=True)
class Compare(Tree):
    """A condition, which counts as 1 where it holds and as 0 elsewhere: one operand more than signs."""

    signs: tuple[str, ...]
    operands: tuple[Tree, ...]


@dataclass(frozen=True)
class Index(Tree):
    """Some elements of an array."""

    of: Tree
    cells: tuple[Tree, ...]


@dataclass(frozen=True)
class Slice(Tree):
    """The range of an index; None is an open end."""

    start: Tree | None
    stop: Tree | None
    step: Tree | None = None

    @property
    def ends(self) -> list[Tree | None]:
        """What stands between the colons."""
        return [self.start, self.stop, *([] if self.step is None else [self.step])]


@dataclass(frozen=True)
class Listing(Tree):
    """A list in brackets; `round` makes it a tuple in parentheses."""

    items: tuple[Tree, ...]
    round: bool = False


@dataclass(frozen=True)
class Equation(Tree):
    """Sides that are equal, one after the other."""

    sides: tuple[Tree, ...]


class NoFormulaError(ValueError):
    """The text is outside the grammar of rules."""


def parse(text: str) -> Tree:
    """The tree of a rule's text; Words where it has none."""
    return Words(text) if len(text) > LONGEST else _parsed(text)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Tree:
    code = text.replace("ᵀ", " .T")
    if not TOKENS.fullmatch(code):
        return Words(text)
    try:
        return _tree(ast.parse(code.strip(), mode="eval").body, DEEPEST)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Words(text)


def _tree(node: ast.AST, depth: int) -> Tree:
    if not depth:
        raise NoFormulaError("too deep")
    make = MAKERS.get(type(node))
    if make is None:
        raise NoFormulaError(type(node).__name__)
    return make(node, lambda child: _tree(child, depth - 1))


Branch: TypeAlias = Callable[[Any], Any]


def _constant(node: ast.Constant, tree: Branch) -> Tree:
    value = node.value
    if value is None or isinstance(value, bool):
        return Name(str(value))
    if value is Ellipsis:
        return Name("...")
    return Number(f"{value:.6g}" if isinstance(value, float) else str(value))


def _call(node: ast.Call, tree: Branch) -> Tree:
    if not isinstance(node.func, ast.Name) or any(keyword.arg is None for keyword in node.keywords):
        raise NoFormulaError("not a call of a named function")
    if node.func.id == "transpose" and len(node.args) == 1 and not node.keywords:
        return Transpose(tree(node.args[0]))
    keywords = tuple((str(keyword.arg), tree(keyword.value)) for keyword in node.keywords)
    return Call(node.func.id, tuple(map(tree, node.args)), keywords)


def _infix(node: ast.BinOp, tree: Branch) -> Tree:
    if type(node.op) not in SIGNS:
        raise NoFormulaError(type(node.op).__name__)
    return Infix(SIGNS[type(node.op)], tree(node.left), tree(node.right))


def _unary(node: ast.UnaryOp, tree: Branch) -> Tree:
    if not isinstance(node.op, ast.USub):
        raise NoFormulaError(type(node.op).__name__)
    return Negative(tree(node.operand))


def _compare(node: ast.Compare, tree: Branch) -> Tree:
    if not all(type(op) in SIGNS for op in node.ops):
        raise NoFormulaError("not a comparison of numbers")
    return Compare(tuple(SIGNS[type(op)] for op in node.ops), tuple(map(tree, (node.left, *node.comparators))))


def _attribute(node: ast.Attribute, tree: Branch) -> Tree:
    return Transpose(tree(node.value))  # the only one that TOKENS lets through


def _index(node: ast.Subscript, tree: Branch) -> Tree:
    cells = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return Index(tree(node.value), tuple(map(tree, cells)))


def _slice(node: ast.Slice, tree: Branch) -> Tree:
    return Slice(*(None if end is None else tree(end) for end in (node.lower, node.upper, node.step)))


MAKERS: dict[type, Callable[[Any, Branch], Tree]] = {
    ast.Name: lambda node, tree: Name(node.id),
    ast.Constant: _constant,
    ast.Call: _call,
    ast.BinOp: _infix,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.Attribute: _attribute,
    ast.Subscript: _index,
    ast.Slice: _slice,
    ast.List: lambda node, tree: Listing(tuple(map(tree, node.elts))),
    ast.Tuple: lambda node, tree: Listing(tuple(map(tree, node.elts)), round=True),
}


def replaced(tree: Any, change: Callable[[Tree], Tree | None]) -> Any:
    """A copy of a tree in which each branch is what `change` makes of it; where that is None, its parts are changed."""
    if isinstance(tree, tuple):
        return tuple([replaced(part, change) for part in tree])
    if not isinstance(tree, Tree):
        return tree
    changed = change(tree)
    if changed is not None or isinstance(tree, Name | Number | Words | Value | Partial):
        return changed or tree
    return type(tree)(*[replaced(getattr(tree, name), change) for name in tree.__dataclass_fields__])


def filled(tree: Tree, names: Mapping[str, Any]) -> Tree:
    """The tree with names replaced by what they stand for."""
    return replaced(tree, lambda t: _stands_for(names[t.name]) if isinstance(t, Name) and t.name in names else None)


def _stands_for(meaning: Any) -> Tree:
    if isinstance(meaning, str):
        return parse(meaning)
    return meaning if isinstance(meaning, Tree) else Value(meaning)


def names_in(tree: Tree) -> set[str]:
    """The names that stand in a tree."""
    found: set[str] = set()

    def note(branch: Tree) -> None:
        if isinstance(branch, Name):
            found.add(branch.name)

    replaced(tree, note)
    return found
