"""HIPS autograd's extras: flattening containers, optimisers, fixed points, and a graph recorded once."""

from .flatten import flatten, flatten_func
from .tracers import const_graph

__all__ = ["const_graph", "flatten", "flatten_func"]
