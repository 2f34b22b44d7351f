"""The rules for SciPy's functions. Needs the extra `scipy`, and is loaded only where it is used.

Importing `autograd.scipy.special`, or applying a ufunc of SciPy's to a Tensor, loads them; `import autograd` does not.
"""

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise ImportError("this part of autograd needs SciPy: pip install seegrad[scipy]") from error

__all__ = ["integrate", "interpolate", "linalg", "signal", "special", "stats"]
