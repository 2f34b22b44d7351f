"""numpy.random: numbers that no derivative goes through."""

from numpy import random as _own
from numpy.random import *  # noqa: F403


def __getattr__(name: str) -> object:
    return getattr(_own, name)
