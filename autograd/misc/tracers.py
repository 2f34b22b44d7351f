"""A function that runs once, as a recorded list of calls: later runs repeat the calls that depend on the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..tracer import Node, trace
from ..tree import flatten
from ..util import toposort

Function = Callable[..., Any]


class _CallNode(Node):
    """One call: the function, and its arguments with places for what comes from other nodes."""

    def __init__(self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Any):
        self.call = functools.partial(fun, **kwargs)
        self.args = args
        self.argnums = parent_argnums
        self.parents = parents

    def initialize_root(self) -> None:
        self.parents = ()

    def again(self, values: dict[Any, Any]) -> Any:
        """The result for these values of other nodes."""
        args = list(self.args)
        for k, parent in zip(self.argnums, self.parents, strict=True):
            args[k] = values[parent]
        return self.call(*args)


class _Pack:
    """Several variables as the one that a trace starts from."""

    def __init__(self, values: Any):
        self.values = values
        self.shape = ()

    def __getitem__(self, k: Any) -> Any:
        return self.values[k]


def const_graph(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """fun(*args, ..., **kwargs) as a function of its remaining positional arguments, which runs as Python code once.

    For functions that do the same calls whatever the arguments; only calls that depend on them are repeated.
    """
    whole = functools.partial(fun, *args, **kwargs)
    recorded: list[Any] = []

    @functools.wraps(fun)
    def run(*xs: Any) -> Any:
        leaves, rebuild = flatten(xs)
        pack = _Pack(leaves)
        if not recorded:
            root = _CallNode.new_root()
            value, end = trace(root, lambda box: whole(*rebuild([box[k] for k in range(len(leaves))])), pack)
            if end is None:
                raise TypeError(f"the result of {fun.__name__} does not depend on the arguments")
            recorded.extend(list(toposort(end))[::-1])
            return value
        values = {recorded[0]: pack}
        for node in recorded[1:]:
            values[node] = node.again(values)
        return values[recorded[-1]]

    return run
