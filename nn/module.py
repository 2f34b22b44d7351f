"""Module and Parameter: plain objects that hold arrays.

A module is any object with Parameters in its fields; `named_parameters()` walks `vars(self)` in the order of
definition. Subclasses write `forward(self, x)` on Tensors. Calling the module runs it in the graph; calling `forward`
with plain arrays drives it by hand: it records a small graph of its own, which `backward(dout)` then goes through.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import Tensor, gradients
from autograd.modes import MODE, enter_scope, setting
from autograd.tensor import as_array, as_constant


class Parameter(Tensor):
    """A Tensor that a model learns: `requires_grad` is True. Wraps the array without copying it."""

    __slots__ = ()

    def __init__(self, data: Any, name: str | None = None):
        super().__init__(data, requires_grad=True, name=name)

    def __reduce__(self) -> Any:
        return _parameter, (self.data, self.requires_grad, self.name)

    def __deepcopy__(self, memo: Any) -> Parameter:
        return _parameter(copy.deepcopy(self.data, memo), self.requires_grad, self.name)


def _parameter(data: Any, requires_grad: bool, name: str | None) -> Parameter:
    """A Parameter as it was before it was copied or stored."""
    p = Parameter(data)
    p.requires_grad = requires_grad
    p.name = name
    return p


class Module:
    """Base of all layers and models. Subclasses define `forward(self, *inputs)` with operations on Tensors."""

    training: bool = True
    grads: dict[str, Any] = {}
    _constant_inputs: frozenset[int] = frozenset()
    _driven: tuple[list[Tensor], Tensor] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" in vars(cls):
            compute = vars(cls)["forward"]
            setattr(cls, "_compute", compute)  # noqa: B010 - a plain assignment to a method does not type-check
            setattr(cls, "forward", _by_hand_or_in_graph(compute))  # noqa: B010

    def _compute(self, *inputs: Any, **options: Any) -> Any:
        raise TypeError(f"{type(self).__name__} has no forward(); define forward(self, x) with operations on Tensors")

    # ---- driven through the graph ----

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Run on Tensors or arrays and record the graph. Keyword arguments reach `forward` as they are."""
        return self.run_as(type(self).__name__, *inputs, **options)

    def run_as(self, label: str, /, *inputs: Any, **options: Any) -> Any:
        """The same as calling it, under another name in pictures."""
        token = enter_scope(label)
        try:
            inputs = tuple([as_constant(x) if x.__class__ is np.ndarray else x for x in inputs])
            return self._compute(*inputs, **options)
        finally:
            MODE.reset(token)

    # ---- driven by hand ----

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """With arrays: compute, and remember the graph for `backward`. With Tensors: the same as calling it."""
        return self._compute(*inputs, **options)

    def backward(self, dout: Any = 1) -> Any:
        """The gradient of the input from `dout`, the gradient of the output; fills `grads` for the parameters.

        Returns an ndarray, or a tuple for several inputs. Raises RuntimeError before `forward`.
        """
        if self._driven is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward(dout) needs a forward pass first: call forward(x) with an array"
            )
        xs, out = self._driven
        named = {name: p for name, p in self.named_parameters() if p.requires_grad}
        targets = [x for x in xs if x.requires_grad]
        if out.node is None:
            found = [np.zeros(t.shape, t.dtype) for t in (*targets, *named.values())]
        else:
            found = gradients(out, [*targets, *named.values()], grad=dout, retain_graph=True)
        self.grads = dict(zip(named, found[len(targets) :], strict=True))
        dxs = tuple(found[: len(targets)])
        return dxs[0] if len(dxs) == 1 else dxs

    def _drive(self, compute: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        xs = [self._input(k, as_array(x)) for k, x in enumerate(inputs)]
        with setting(recording=True, scope=(type(self).__name__,)):
            out = compute(self, *xs, **options)
        if not isinstance(out, Tensor):
            raise TypeError(
                f"{type(self).__name__}.forward driven by hand has to return one Tensor, not {type(out).__name__}"
            )
        self._driven = (xs, out)
        return out.data[()]

    def _input(self, k: int, x: Any) -> Tensor:
        if k in self._constant_inputs:
            return Tensor(x)
        return Tensor(x if x.dtype.kind in "fc" else x.astype(float), requires_grad=True)

    # ---- what it holds ----

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(name, Parameter) pairs, as 'fc1.W' or 'layers.0.W', in the order of definition, each Parameter once."""
        for path, found in _walk(self, "", {id(self)}):
            if isinstance(found, Parameter):
                yield path, found

    def parameters(self) -> list[Parameter]:
        """All Parameters, in the order of definition."""
        return [p for _, p in self.named_parameters()]

    def modules(self) -> list[Module]:
        """This module and all modules in it."""
        return [self, *(found for _, found in _walk(self, "", {id(self)}) if isinstance(found, Module))]

    def zero_grad(self) -> None:
        """Forget the gradients of all Parameters."""
        for p in self.parameters():
            p.zero_grad()

    def train(self, mode: bool = True) -> Module:
        """Set the field `training` of this module and all modules in it."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> Module:
        """The same as train(False)."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Copies of all parameter arrays by name."""
        return {name: np.array(p.data) for name, p in self.named_parameters()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace all parameter arrays. Raises ValueError that lists all that does not fit; then nothing changed."""
        named = dict(self.named_parameters())
        faults = [f"missing {name!r}" for name in named if name not in state]
        faults += [f"unexpected {name!r}" for name in state if name not in named]
        arrays = {name: np.array(state[name]) for name in named if name in state}
        for name, array in arrays.items():
            p = named[name]
            if (array.shape, array.dtype) != (p.shape, p.dtype):
                faults.append(f"{name!r} is {array.dtype} {array.shape}, the model has {p.dtype} {p.shape}")
        if faults:
            raise ValueError("the state does not fit the model: " + "; ".join(faults))
        for name, array in arrays.items():
            named[name].data = array

    def __getstate__(self) -> dict[str, Any]:
        """What copies and stored modules keep: all fields but the graph of the last hand-driven forward pass."""
        return {name: value for name, value in vars(self).items() if name != "_driven"}

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={p.shape}" for name, p in self.named_parameters())
        return f"{type(self).__name__}({inside})"


def _by_hand_or_in_graph(compute: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(compute)
    def forward(self: Module, *inputs: Any, **options: Any) -> Any:
        for x in (*inputs, *options.values()):
            if isinstance(x, Tensor):
                return compute(self, *inputs, **options)
        return self._drive(compute, inputs, options)

    return forward


_FOUND = (Parameter, Module)
_HOLDERS = (Module, list, tuple, dict)


def _walk(holder: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Parameters and Modules in the fields of a module, also inside lists, tuples and dicts; each once."""
    if isinstance(holder, Module):
        items: Any = vars(holder).items()
    else:
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, value in items:
        found, holds = isinstance(value, _FOUND), isinstance(value, _HOLDERS) and key not in ("_driven", "grads")
        if not (found or holds) or id(value) in seen:
            continue
        seen.add(id(value))
        if found:
            yield f"{path}{key}", value
        if holds:
            yield from _walk(value, f"{path}{key}.", seen)
