"""What the engine does while a block runs: record or not, look for nan or not, keep every value or not.

One immutable `Mode` sits in a ContextVar, so a thread or an asyncio task never sees another one's setting, and an
operation pays for one look-up whatever the number of settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
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


def enter_scope(name: str) -> Token[Mode]:
    """What is recorded from here belongs to the module `name` (a box in pictures), until MODE.reset(token).

    Not a context manager, because every layer pays for it at every call.
    """
    mode = MODE.get()
    return MODE.set(Mode(mode.recording, (*mode.scope, name), mode.detector, mode.keep))


@contextmanager
def in_scope(name: str) -> Iterator[None]:
    """What is recorded in this block belongs to the module `name`."""
    token = enter_scope(name)
    try:
        yield
    finally:
        MODE.reset(token)
