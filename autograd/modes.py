"""What the engine does while a block runs: record or not, look for nan or not, keep every value or not.

One immutable `Mode` sits in a ContextVar, so a thread or an asyncio task never sees another one's setting, and an
operation pays for one look-up whatever the number of settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Mode:
    """The settings of one context; replace, never change."""

    __slots__ = ("detector", "keep", "recording", "scope")

    def __init__(self, recording: bool, scope: tuple[str, ...], detector: Any, keep: bool):
        self.recording = recording
        self.scope = scope
        self.detector = detector
        self.keep = keep

    def but(self, **changes: Any) -> Mode:
        """A copy with some settings changed."""
        return Mode(**{name: changes.get(name, getattr(self, name)) for name in Mode.__slots__})


MODE: ContextVar[Mode] = ContextVar("seegrad_mode", default=Mode(recording=True, scope=(), detector=None, keep=False))


@contextmanager
def setting(**changes: Any) -> Iterator[Mode]:
    """Run a block, or a decorated function, with some settings changed."""
    mode = MODE.get().but(**changes)
    token = MODE.set(mode)
    try:
        yield mode
    finally:
        MODE.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording a graph. Works as `with no_grad():` and as `@no_grad()`."""
    with setting(recording=False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record again inside a `no_grad` block."""
    with setting(recording=True):
        yield


class in_scope:
    """Mark what is recorded in this block as part of the module `name` (nn does this; viz draws it as a box)."""

    __slots__ = ("_name", "_token")

    def __init__(self, name: str):
        self._name = name

    def __enter__(self) -> None:
        mode = MODE.get()
        self._token = MODE.set(Mode(mode.recording, (*mode.scope, self._name), mode.detector, mode.keep))

    def __exit__(self, *_: Any) -> None:
        MODE.reset(self._token)
