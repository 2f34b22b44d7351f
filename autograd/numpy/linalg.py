"""numpy.linalg, whose functions dispatch on Tensors; `norm` takes a list of them too."""

from numpy import linalg as _own
from numpy.linalg import *  # noqa: F403

from .creation import takes_lists

norm = takes_lists(_own.norm)


def __getattr__(name: str) -> object:
    return getattr(_own, name)
