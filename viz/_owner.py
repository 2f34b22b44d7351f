"""Importing this module fails, with one clear error, where `import autograd` finds another project's package.

HIPS autograd installs a package of the same name. Whichever was installed last may have replaced files of the other.
"""

from __future__ import annotations

import autograd


def clash() -> str:
    """What happened, who owns the name, and what to do."""
    # Imported here because it reads the metadata of everything installed.
    from importlib.metadata import packages_distributions

    owners = sorted({*packages_distributions().get("autograd", []), "seegrad"})
    others = [name for name in owners if name != "seegrad"] or ["an unknown distribution"]
    return (
        f"viz belongs to 'seegrad', but 'import autograd' finds the package of {' and '.join(map(repr, others))} "
        f"({getattr(autograd, '__file__', None)}). The two cannot share one environment: run "
        f"'pip uninstall {others[0]}', then 'pip install --force-reinstall seegrad'; or give each its own environment."
    )


if getattr(autograd, "__distribution__", None) != "seegrad":
    raise ImportError(clash())
