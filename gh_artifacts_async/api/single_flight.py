"""One piece of work for all who wait for it: the first one starts it, the others join in."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from gh_artifacts_async.errors import ArtifactsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self, task: asyncio.Task[T | ArtifactsError]) -> None:
        self.task = task
        self.waiting = 0


class SingleFlight(Generic[T]):
    """Runs a coroutine in a task of its own while anybody waits for it, and at most once at a time.

    A waiter that is cancelled does not disturb the others; when the last one is cancelled, so is the work.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        """Keep the work; nothing is started."""
        self._work = work
        self._flight: _Flight[T] | None = None

    @property
    def running(self) -> bool:
        """Whether somebody waits for the work now."""
        return self._flight is not None and not self._flight.task.done()

    async def wait(self) -> T:
        """Start the work or join it; return its result.

        Raises:
            ArtifactsError: the work failed; each waiter gets a copy, with a traceback of its own.
        """
        flight = self._flight
        if flight is None or flight.task.done():
            flight = self._flight = _Flight(asyncio.ensure_future(self._outcome()))
        flight.waiting += 1
        try:
            found = await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            await self._leave(flight)
            raise
        if isinstance(found, ArtifactsError):
            raise copy.copy(found)
        return found

    async def _outcome(self) -> T | ArtifactsError:
        """Do the work; an error is returned, since nobody may be left to retrieve it."""
        try:
            return await self._work()
        except ArtifactsError as error:
            return error.with_traceback(None)

    async def _leave(self, flight: _Flight[T]) -> None:
        flight.waiting -= 1
        if flight.waiting or flight.task.done():
            return
        self._flight = None  # whoever comes now starts again
        flight.task.cancel()
        await asyncio.wait([flight.task])
