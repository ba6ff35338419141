"""An event loop in a thread of its own: a fake for code that is not asyncio."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class LoopThread:
    """Keeps an async context manager entered, in a loop and a thread that exist for just that."""

    def __init__(self, manager: AbstractAsyncContextManager[object]) -> None:
        """Prepare the thread; ``start`` starts it."""
        self._manager = manager
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        # A daemon: a test run that is given up does not wait for it.
        self._thread = threading.Thread(target=self._run, name=type(manager).__name__, daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Return once the manager is entered; raise what it raises instead."""
        self._thread.start()
        failure = self._started.exception()
        if failure is not None:
            self._thread.join()
            raise failure

    def stop(self) -> None:
        """Leave the manager, and return once the thread has ended; raise what leaving raised."""
        loop, leave = self._started.result()
        loop.call_soon_threadsafe(leave.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            if self._started.done():
                self._failure = error
            else:
                self._started.set_exception(error)

    async def _keep(self) -> None:
        leave = asyncio.Event()
        async with self._manager:
            self._started.set_result((asyncio.get_running_loop(), leave))
            await leave.wait()
