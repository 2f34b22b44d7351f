"""The backward pass as text, one block for each step, for a terminal, a log or a screen reader.

A block gives the rule in symbols, the same rule with its numbers, the result, and what that result was added to. Where
an input was stretched by broadcasting, summing the gradient back to the input's shape is a line of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from autograd import Tensor
from viz.texts.text import clean, plural, values
from viz.texts.words import place
from viz.tracing.model import CONSTANT, Backward, Contribution, Edge, Graph, Trace, Vertex
from viz.tracing.taking import trace
from viz.tracing.tape import Tape

NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*\(|\s*=[^=])")  # a name that is neither called nor a keyword
NAMED = 40  # characters of a user's name


def explain(y: Tensor | Trace | Tape, grad: Any = None) -> str:
    """The backward pass from `y` as text; from `grad`, or for a scalar from 1. Changes no gradient and frees nothing.

    Raises GraphFreedError after a `backward()` that did not retain the graph.
    """
    return steps_as_text(trace(y, grad))


def steps_as_text(record: Trace) -> str:
    """The steps of a trace, one block each."""
    called, inputs = _names(record.graph), record.graph.inputs()
    count = len(record.backward)
    lines = [f"Backward from {called[-1]}, in {plural(count, 'step')}. No gradient exists before the first."]
    for i, step in enumerate(record.backward, 1):
        vertex = record.graph.vertices[step.vertex]
        lines += ["", f"Step {i} of {count}: {_headline(vertex, inputs[vertex.id], called)}"]
        lines += ["  " + line for line in _block(record.graph, step, called)]
    return "\n".join(lines) + "\n"


def _names(graph: Graph) -> list[str]:
    """A name for each vertex: its own where only it has it, else with its number."""
    own = [clean(v.name or v.op or v.kind, NAMED) for v in graph.vertices]
    count = Counter(own)
    return [_called(v, name, unique=count[name] == 1) for v, name in zip(graph.vertices, own, strict=True)]


def _called(vertex: Vertex, own: str, unique: bool) -> str:
    if vertex.kind == CONSTANT and vertex.shape == ():
        return values(vertex.value)
    if vertex.kind == CONSTANT:
        return f"constant {vertex.shape or ''}".rstrip()
    return own if vertex.name and unique else f"{own}#{vertex.id}"


def _headline(vertex: Vertex, inputs: list[Edge], called: list[str]) -> str:
    """`s = multiply(a=x, b=y)` and where the user wrote it."""
    given = [f"{edge.name}={called[edge.source]}" if edge.name else called[edge.source] for edge in inputs]
    given += [f"{clean(name, NAMED)}={clean(value, NAMED)}" for name, value in vertex.arguments.items()]
    where = f"   ({place(vertex)})" if vertex.source else ""
    return f"{called[vertex.id]} = {vertex.op}({', '.join(given)}){where}"


def _block(graph: Graph, step: Backward, called: list[str]) -> list[str]:
    lines = [f"g = {called[step.vertex]}.grad = {_value(step.incoming)}"]
    for part in step.contributions:
        lines += _contribution(graph.vertices[part.target], part, called[part.target])
    return lines


def _contribution(target: Vertex, part: Contribution, name: str) -> list[str]:
    lines = [f"to {name}: {part.rule}"]
    numbers = with_numbers(part.rule, part.names)
    result = _value(part.spread)
    if numbers != part.rule and part.rule not in part.names:
        lines.append(f"  = {numbers}")
    lines.append(f"  = {result}")
    if part.axes:
        lines.append(
            f"  {name} {target.shape} was stretched to {np.shape(part.spread)}, so sum over "
            f"{'axis' if len(part.axes) == 1 else 'axes'} {', '.join(map(str, part.axes))}: {_value(part.value)}"
        )
    return [*lines, f"  {_sum(name, part)}"]


def _sum(name: str, part: Contribution) -> str:
    """`x.grad: 0.5 + 0.3 = 0.8, use 2 of 2`."""
    use = f"use {part.use} of {part.uses}"
    if part.before is None:
        return f"{name}.grad: {values(part.after)}, {use}"
    return f"{name}.grad: {values(part.before)} + {_operand(part.value)} = {values(part.after)}, {use}"


def with_numbers(rule: str, names: dict[str, Any]) -> str:
    """A rule with its names replaced by what they stand for, arrays abbreviated."""

    def number(match: re.Match[str]) -> str:
        name = match.group()
        return _operand(names[name]) if name in names else name

    return NAME.sub(number, rule)


def _operand(value: Any) -> str:
    """A value inside a formula: a negative number in parentheses."""
    text = values(value)
    return f"({text})" if text.startswith("-") else text


def _value(value: Any) -> str:
    """A value with the shape of an array."""
    shape = np.shape(value) if not isinstance(value, tuple) else ()
    return f"{values(value)}   {shape}" if shape else values(value)
