"""The module that HIPS autograd keeps its wrapped functions in: here another name of `autograd.numpy`."""

from . import *  # noqa: F403


def __getattr__(name: str) -> object:
    from .. import numpy

    return getattr(numpy, name)
