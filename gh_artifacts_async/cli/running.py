"""One coroutine from start to end: Ctrl-C, SIGTERM and SIGHUP cancel it cleanly, and so does ``--timeout``.

A second signal ends the program at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import attrs

from gh_artifacts_async.cli.exits import HUNG_UP, INTERRUPTED, TERMINATED, OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import FrameType
    from typing import Any

T = TypeVar("T")

_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
if hasattr(signal, "SIGHUP"):  # not on Windows
    _CODES[signal.SIGHUP] = HUNG_UP
if hasattr(signal, "SIGBREAK"):  # on Windows alone: Ctrl-Break, and the only one that a program can send to another
    _CODES[signal.SIGBREAK] = TERMINATED
_WORDS = {HUNG_UP: "hung up", INTERRUPTED: "interrupted", TERMINATED: "terminated"}


class Stopped(BaseException):
    """The user, or the system, has stopped the program; everything was cleaned up before this is raised."""

    def __init__(self, code: int, hint: str = "") -> None:
        """Keep the exit code, and what the user can do now."""
        super().__init__(code, hint)
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        """Return one line."""
        word = _WORDS[self.code]
        return f"{word}; {self.hint}" if self.hint else word


@attrs.frozen
class _Deadline:
    """When the whole call must be over.

    Attributes:
        seconds: that were given.
        at: on the monotonic clock.
    """

    seconds: float
    at: float


_deadline: ContextVar[_Deadline | None] = ContextVar("_deadline", default=None)


@contextlib.contextmanager
def within(seconds: float | None) -> Generator[None]:
    """Bound all that :func:`run` does in a block; None for no bound."""
    deadline = None if seconds is None else _Deadline(seconds, time.monotonic() + seconds)
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def run(work: Callable[[], Coroutine[Any, Any, T]], *, hint: str = "") -> T:
    """Run a command's coroutine and return its result: an exit code, mostly.

    Args:
        work: starts the coroutine.
        hint: what the user can do after a stop.

    Raises:
        Stopped: by a signal.
        OutOfTimeError: the time of :func:`within` is over.
    """
    with asyncio.Runner() as runner:
        return runner.run(_stoppable(work, hint))


async def _stoppable(work: Callable[[], Coroutine[Any, Any, T]], hint: str) -> T:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - for the type checker: this is a coroutine
    caught: list[signal.Signals] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if caught:  # whoever asks twice does not care for a clean end
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            return
        caught.append(signal.Signals(number))
        loop.call_soon_threadsafe(task.cancel)

    previous = _install(stop)
    try:
        return await _in_time(work, hint)
    except (asyncio.CancelledError, Exception):
        if not caught:
            raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    raise Stopped(_CODES[caught[0]], hint)


async def _in_time(work: Callable[[], Coroutine[Any, Any, T]], hint: str) -> T:
    """Cancel the work when its time is over; what its clean-up raises then is of no interest."""
    deadline = _deadline.get()
    left = None if deadline is None else deadline.at - time.monotonic()
    scope = asyncio.timeout(left)
    try:
        async with scope:
            return await work()
    except Exception:
        if deadline is None or not scope.expired():
            raise
    msg = f"not done within {deadline.seconds:g} s (--timeout); {hint or 'try again'}, or use a larger --timeout"
    raise OutOfTimeError(msg)


def _install(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Set the handlers, and return the previous ones; only the main thread may.

    A hang-up that is ignored from the start stays ignored: nohup did that.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    ignored = {number for number in _CODES if signal.getsignal(number) is signal.SIG_IGN}
    heard = [number for number, code in _CODES.items() if code != HUNG_UP or number not in ignored]
    return {number: signal.signal(number, handler) for number in heard}
