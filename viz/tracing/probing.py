"""Why one element of a gradient is what it is: the terms of its sum.

Every derivative rule is linear in g, so an element of a contribution is a sum of elements of g, each times a local
derivative. Those are the derivative of the result by that one element, which is one step of forward mode through the
operation by the same rule. No operation needs anything of its own: a pixel of a convolution shows its patch, a maximum
shows where it came from.
"""

from __future__ import annotations

from typing import Any

from autograd.node import Node
from viz.tracing.model import Probe


def probes(node: Node, slot: int, g: Any, value: Any) -> list[Probe]:
    """The terms of a few elements of a contribution, where a view could not work them out from the values."""
    return []
