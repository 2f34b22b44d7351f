"""What can go wrong, by name.

Every error says what happened, where (the file and line that recorded the operation) and what to write instead.
Each class also derives from the built-in error that a NumPy user would expect to catch.
"""

from __future__ import annotations


class GraphFreedError(RuntimeError):
    """backward() ran through this graph already and freed what it had saved."""


class SavedArrayChangedError(RuntimeError):
    """An array that a derivative rule needs was changed after the operation saved it."""


class NotDifferentiableError(TypeError, NotImplementedError):
    """The operation, the dtype or the argument has no derivative here (HIPS autograd: NotImplementedError)."""


class ShapeError(ValueError):
    """Shapes that do not fit together, or a rule that returned a gradient of the wrong shape."""


class AnomalyError(FloatingPointError):
    """detect_anomaly() met the first nan or inf."""


class GradcheckError(AssertionError):
    """A derivative rule disagrees with the finite difference."""


class NotBatchedError(NotDifferentiableError):
    """Something that cannot be done with an array that stands for a whole batch, inside vmap()."""
