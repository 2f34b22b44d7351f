"""Box: a function of the user's that is recorded as one node; what `primitive`, `custom_vjp` and `checkpoint` share.

The inputs of the node are the recorded Tensors among the arguments, also those inside containers; what it was called
with, and how its cotangents are found, is kept in a `Call`. Nothing is dropped on the way: a recorded Tensor that the
function reaches by another way than its arguments is an error (in a checkpoint it is one more input).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .batched import Batched
from .errors import NotDifferentiableError
from .modes import MODE
from .node import Node, describe
from .op import Op, Parts, record
from .tensor import NUMBERS, Tensor, new_tensor
from .tree import align, flatten, is_container

Function = Callable[..., Any]


class Call:
    """One call of a black box: its arguments, with places for the recorded ones, and the structure of its result."""

    def __init__(self, box: Box, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.box = box
        self.args = list(args)
        self.kwargs = mapped(array_of, kwargs) if kwargs else kwargs
        self.wrapped = False  # a Tensor came in, so Tensors go out
        self.recorded: list[Tensor] = []
        self.argnums: list[int] = []  # of each recorded Tensor
        self.puts: dict[int, Callable[[list[Any]], Any]] = {}  # argnum -> puts Tensors or arrays in their places
        for k, a in enumerate(args):
            self._take(k, a)
        self.shapes: list[tuple[Any, Any]] = []  # and dtypes, of the inputs
        self.residuals: Any = None
        self.closed_over: list[Node] = []
        self._shared: tuple[Any, Any, dict[int, Any]] = (None, None, {})

    def _take(self, k: int, argument: Any) -> None:
        leaves, rebuild = flatten(argument)
        if not any(isinstance(leaf, Tensor) for leaf in leaves):
            return
        self.wrapped = True
        plain = [array_of(leaf) for leaf in leaves]
        self.args[k] = rebuild(plain)
        places = [j for j, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.node is not None]
        if places:
            self.recorded += [leaves[j] for j in places]
            self.argnums += [k] * len(places)
            self.puts[k] = lambda values: rebuild(replaced(plain, dict(zip(places, values, strict=True))))

    def filled(self, xs: Sequence[Any]) -> list[Any]:
        """The arguments with xs in the places of the recorded Tensors."""
        args = list(self.args)
        for k, put in self.puts.items():
            args[k] = put([x for x, n in zip(xs, self.argnums, strict=False) if n == k])
        return args

    def cotangents(self, g: Any, xs: Any, y: Any, i: int) -> Any:
        """What the rule gives for input i; computed once for all inputs, which are asked for one after the other."""
        of_g, of_xs, found = self._shared
        if of_g is not g or of_xs is not xs:  # the very same objects: an equal g may belong to another sweep
            found = {}
        if i not in found:
            found.update(self.box.pull(self, self._result(g), xs, self._result(y), i))
            self._shared = (g, xs, found)
        c = found.pop(i)
        if not found:
            self._shared = (None, None, {})
        return np.zeros(*self.shapes[i]) if c is None else c

    def _result(self, y: Any) -> Any:
        """The results, or their cotangents, in the structure in which the function returned them."""
        return self.rebuild(list(y) if isinstance(y, tuple | Parts) else [y])

    def rebuild(self, ys: list[Any]) -> Any:
        rest = iter(ys)
        return self.build([next(rest) if k in self.outputs else leaf for k, leaf in enumerate(self.leaves)])

    def set_result(self, result: Any) -> list[Any]:
        """Remember the structure of a result; the arrays in it."""
        self.leaves, self.build = flatten(result)
        self.outputs = {k for k, leaf in enumerate(self.leaves) if is_number(leaf)}
        ys = [leaf for k, leaf in enumerate(self.leaves) if k in self.outputs]
        self.leaves = [None if k in self.outputs else leaf for k, leaf in enumerate(self.leaves)]
        return ys

    def gradients_of(self, k: int, c: Any) -> dict[int, Any]:
        """The cotangent of argument k, taken apart: {input: its part}."""
        inputs = [i for i, n in enumerate(self.argnums) if n == k]
        if c is None or not is_container(self.args[k]):
            return dict.fromkeys(inputs, c)
        marked = self.puts[k]([_Mark(i) for i in inputs])
        pairs = zip(flatten(marked)[0], align(c, marked), strict=True)
        return {mark.i: part for mark, part in pairs if isinstance(mark, _Mark)}


class _Mark:
    """Stands in a container for input i."""

    def __init__(self, i: int):
        self.i = i


def replaced(values: list[Any], new: dict[int, Any]) -> list[Any]:
    return [new.get(k, value) for k, value in enumerate(values)]


def array_of(value: Any) -> Any:
    return value._array if isinstance(value, Tensor) else value


def is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, int | float | complex) if dtype is None else getattr(dtype, "kind", "?") in NUMBERS


def _constant(value: Any) -> Any:
    return new_tensor(np.asarray(array_of(value)), None) if is_number(value) else value


def recorded_in(tree: Any) -> Iterable[Tensor]:
    return (leaf for leaf in flatten(tree)[0] if isinstance(leaf, Tensor) and leaf.node is not None)


def recorded_inside(tree: Any) -> Iterable[Tensor]:
    """The same with the Tensors that batches hold."""
    for leaf in flatten(tree)[0]:
        while leaf.__class__ is Batched:
            leaf = leaf.inner
        if isinstance(leaf, Tensor) and leaf.node is not None:
            yield leaf


def holds_tensors(tree: Any) -> bool:
    """True if there is a Tensor among the leaves, or inside a batch."""
    return any(isinstance(x, Tensor) or (x.__class__ is Batched and x.data is not x) for x in flatten(tree)[0])


class Box:
    """A function that is recorded as one node. A subclass says how it is run and how a cotangent goes back."""

    def __init__(self, function: Function):
        self.function = function
        self.name = self.__name__ = getattr(function, "__name__", type(function).__name__)
        self._ops: dict[int, Op] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for t in recorded_inside(kwargs):
            raise NotDifferentiableError(
                f"{self.name}() got the result of {describe(t.node)} as a keyword argument, which its rules do not "
                "cover; pass it by position"
            )
        call = Call(self, args, kwargs)
        mode = MODE.get()
        if not call.recorded or not mode.recording:
            result = self.compute(call, call.args)
            return mapped(_constant, result) if call.wrapped else result
        result = self.run(call)
        self._refuse_others(call, result)
        return self.record(call, result)

    def _refuse_others(self, call: Call, result: Any) -> None:
        for t in (recorded_in if holds_tensors(call.args) else recorded_inside)(result):
            raise NotDifferentiableError(
                f"{self.name}() uses the result of {describe(t.node)} that is not among its arguments, so that its "
                "gradient would be lost; pass it as an argument"
            )

    def record(self, call: Call, result: Any) -> Any:
        """The result of the call as Tensors of one node."""
        ys = [np.asarray(array_of(y)) if not hasattr(y, "dtype") else array_of(y) for y in call.set_result(result)]
        if not ys:
            raise TypeError(f"{self.name}() returned {type(result).__name__}, and no array in it")
        xs = [t._array for t in call.recorded] + [None] * len(call.closed_over)
        nodes = [t.node for t in call.recorded] + call.closed_over
        call.shapes = [(n.shape, n.dtype) for n in nodes if n is not None]
        op, mode = self._op(len(ys)), MODE.get()
        y = record(op, xs, nodes, (1 << len(xs)) - 1, {"call": call}, ys[0] if len(ys) == 1 else tuple(ys), mode)
        call.recorded = []
        return call.rebuild([y] if len(ys) == 1 else list(y))

    def _op(self, outputs: int) -> Op:
        if outputs not in self._ops:
            self._ops[outputs] = Op(
                _again,
                (lambda g, xs, y, i, call: call.cotangents(g, xs, y, i),),
                kind="custom",
                name=self.name,
                outputs=outputs,
                formulas=(f"{self.name}'(g)",),
            )
        return self._ops[outputs]

    def compute(self, call: Call, args: list[Any]) -> Any:
        """The function for these arguments in place of the recorded call's."""
        return self.function(*args, **call.kwargs)

    def run(self, call: Call) -> Any:
        """The result of a call that is going to be recorded."""
        return self.compute(call, call.args)

    def pull(self, call: Call, g: Any, xs: Any, y: Any, i: int) -> dict[int, Any]:
        """Cotangents of input i, and of others if they come with it."""
        raise NotImplementedError

    def push(self, call: Call, ts: dict[int, Any], xs: Any, y: Any) -> Any:
        """The tangent of the result; None where it is to be found through `pull`."""
        return None


def _again(*xs: Any, call: Call) -> Any:
    """The forward function of such a node: the call with other arrays in the places of the recorded ones."""
    result = call.box.compute(call, call.filled(xs))
    ys = [array_of(leaf) for leaf in flatten(result)[0] if is_number(leaf)]
    return ys[0] if len(ys) == 1 else tuple(ys)


def mapped(function: Function, tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])
