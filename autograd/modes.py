"""What the engine does while a block runs: record or not, who watches, inside which module.

One immutable `Mode` sits in a ContextVar, so a thread or an asyncio task never sees another one's setting, and an
operation pays for one look-up whatever the number of settings.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any


class Watcher:
    """Sees what a block records, sweeps and replaces; `setting(watch=Watcher())` puts it in force."""

    def forward(self, node: Any, y: Any, inputs: Any) -> None:
        """`node` was recorded: its result y, the arrays it was computed from (None: not at hand)."""

    def before_backward(self, y: Any, grad: Any) -> None:
        """y.backward(grad) is about to run."""

    def backward(self, node: Any, contributions: Any) -> None:
        """A backward sweep has gone through `node`."""

    def replaced(self, node: Any, before: Any, after: Any, place: Any) -> None:
        """The array of a recorded Tensor was replaced, or written into (before is after), at this place in the code."""


class Mode:
    """The settings of one context; replace, never change.

    watchers: who watches, or None. vmap: the vmaps that are running (batched.Active), or None. usual: record, and
    nothing else to think of.
    """

    __slots__ = ("recording", "scope", "usual", "vmap", "watchers")

    def __init__(self, recording: bool, scope: tuple[str, ...], watchers: tuple[Watcher, ...] | None, vmap: Any):
        self.recording = recording
        self.scope = scope
        self.watchers = watchers
        self.vmap = vmap
        self.usual = recording and vmap is None

    def but(self, **changes: Any) -> Mode:
        """A copy with some settings changed; itself where nothing is. `watch` adds a watcher to those there are."""
        if len(changes) == 1 and changes.get("recording") is self.recording:  # most blocks by far
            return self
        get = changes.get
        watchers = (*(self.watchers or ()), changes["watch"]) if "watch" in changes else self.watchers
        return Mode(
            get("recording", self.recording), get("scope", self.scope), watchers, get("vmap", self.vmap)
        )  # fmt: skip

    def unwatched(self) -> Mode:
        """A copy that nobody watches."""
        return Mode(self.recording, self.scope, None, self.vmap)


_USUAL = Mode(recording=True, scope=(), watchers=None, vmap=None)
MODE: ContextVar[Mode] = ContextVar("seegrad_mode", default=_USUAL)


class setting:
    """Run a block, or a decorated function, generator function or coroutine function, with some settings changed."""

    def __init__(self, **changes: Any):
        self._changes = changes
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> Mode:
        mode = MODE.get().but(**self._changes)
        self._tokens.append(MODE.set(mode))
        return mode

    def __exit__(self, *_: Any) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        changes = self._changes

        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__name__} is an asynchronous generator; use a `with` block inside it instead")

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def in_mode(*args: Any, **kwargs: Any) -> Any:
                with setting(**changes):
                    return await function(*args, **kwargs)

        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def in_mode(*args: Any, **kwargs: Any) -> Any:
                return _steps(function(*args, **kwargs), changes)

        else:

            @functools.wraps(function)
            def in_mode(*args: Any, **kwargs: Any) -> Any:
                with setting(**changes):
                    return function(*args, **kwargs)

        return in_mode


def _steps(generator: Generator[Any, Any, Any], changes: dict[str, Any]) -> Generator[Any, Any, Any]:
    """The generator with its settings on while it runs and off while it waits: its caller must not see them."""
    advance: Callable[[], Any] = functools.partial(next, generator)
    try:
        while True:
            with setting(**changes):
                try:
                    value = advance()
                except StopIteration as stop:
                    return stop.value
            try:
                sent = yield value
                advance = functools.partial(generator.send, sent)
            except Exception as error:
                advance = functools.partial(generator.throw, error)
    finally:
        with setting(**changes):
            generator.close()


def no_grad() -> setting:
    """Compute without recording a graph. Works as `with no_grad():` and as `@no_grad()`.

    In a generator function use the decorator: a `with` block there stays in force for the caller between two steps.
    """
    return setting(recording=False)


def enable_grad() -> setting:
    """Record again inside a `no_grad` block."""
    return setting(recording=True)


def enter_scope(name: str) -> Token[Mode]:
    """What is recorded from here belongs to the module `name` (a box in pictures), until MODE.reset(token).

    Not a context manager, because every layer pays for it at every call.
    """
    mode = MODE.get()
    return MODE.set(Mode(mode.recording, (*mode.scope, name), mode.watchers, mode.vmap))


@contextmanager
def in_scope(name: str) -> Iterator[None]:
    """What is recorded in this block belongs to the module `name`."""
    token = enter_scope(name)
    try:
        yield
    finally:
        MODE.reset(token)
