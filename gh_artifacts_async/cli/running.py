"""One coroutine from start to end: Ctrl-C and SIGTERM cancel it cleanly, a second one ends the program at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, TypeVar

from gh_artifacts_async.cli.exits import INTERRUPTED, TERMINATED

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType
    from typing import Any

T = TypeVar("T")

_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


class Stopped(BaseException):
    """The user, or the system, has stopped the program; everything was cleaned up before this is raised."""

    def __init__(self, code: int, hint: str = "") -> None:
        """Keep the exit code, and what the user can do now."""
        super().__init__(code, hint)
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        """Return one line."""
        word = "interrupted" if self.code == INTERRUPTED else "terminated"
        return f"{word}; {self.hint}" if self.hint else word


def run(work: Callable[[], Coroutine[Any, Any, T]], *, hint: str = "") -> T:
    """Run a command's coroutine and return its result: an exit code, mostly.

    Args:
        work: starts the coroutine.
        hint: what the user can do after a stop.

    Raises:
        Stopped: by a signal.
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
        return await work()
    except (asyncio.CancelledError, Exception):
        if not caught:
            raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    raise Stopped(_CODES[caught[0]], hint)


def _install(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Set the handlers, and return the previous ones; only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in _CODES}
