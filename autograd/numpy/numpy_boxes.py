"""Where programs for HIPS autograd find the class of what flows through a function: here it is Tensor."""

from ..builtins import DictBox, SequenceBox
from ..tensor import Tensor
from ..tracer import Box

__all__ = ["ArrayBox", "Box", "DictBox", "SequenceBox"]

ArrayBox = Tensor
