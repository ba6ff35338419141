"""The one gate that all API calls of a client pass: concurrency, points a minute, a pause that all share.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter

from gh_artifacts_async.events import RateLimitPause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.throttling import Throttle
    from gh_artifacts_async.settings import Limits

_BURST = 50.0
"""Points that may be spent at once; a bucket of a whole minute's points would let twice as many through at first.
With the default of 840 a minute no minute has more than 890, and GitHub's 900 leave room for answers that bunch up."""

_ROUNDING = 1.0
"""Seconds added to a stated window's end: GitHub's times are whole seconds, rounded down."""


def _limiter(points_per_minute: float | None) -> AsyncLimiter | None:
    if points_per_minute is None:
        return None
    burst = max(1.0, min(_BURST, points_per_minute))
    return AsyncLimiter(burst, burst * 60 / points_per_minute)


class Gate:
    """Lets API calls through, as many and as fast as the limits allow; belongs to one event loop."""

    def __init__(self, limits: Limits, emitter: Emitter) -> None:
        """Open the gate."""
        self._limits = limits
        self._emitter = emitter
        self._slots = asyncio.Semaphore(limits.api_concurrency)
        self._points = _limiter(limits.points_per_minute)
        self._mutating = asyncio.Lock()
        self._next_mutation = 0.0
        self._open_at = 0.0
        self._unstated = 0

    @asynccontextmanager
    async def slot(self, request: Request) -> AsyncGenerator[None]:
        """Wait until the request may be sent; it counts as in flight until the block is left."""
        if request.method == "DELETE" and self._limits.mutation_interval:
            await self._enter_spaced(request, self._limits.mutation_interval)
        else:
            await self._enter(request)
        try:
            yield
        finally:
            self._slots.release()

    async def _enter_spaced(self, request: Request, interval: float) -> None:
        """GitHub asks for at least a second between two mutations, and after a pause, too: they enter one by one."""
        loop = asyncio.get_running_loop()
        async with self._mutating:
            await asyncio.sleep(max(0.0, self._next_mutation - loop.time()))
            await self._enter(request)
            self._next_mutation = loop.time() + interval

    async def _enter(self, request: Request) -> None:
        """Take a slot, and keep it while waiting for what else holds the request back."""
        await self._slots.acquire()
        try:
            await self._wait_for_pause()
            await self._spend(request.points)
            await self._wait_for_pause()
        except BaseException:
            self._slots.release()
            raise

    async def _spend(self, points: int) -> None:
        """Take the points one by one: the limiter serves the smallest amount first, and would starve a DELETE."""
        if self._points is not None:
            for _ in range(points):
                await self._points.acquire()

    async def _wait_for_pause(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._open_at - loop.time()) > 0:  # noqa: ASYNC110 - it may have been prolonged meanwhile
            await asyncio.sleep(left)

    def pause_for(self, throttle: Throttle) -> bool:
        """Pause every call because a rate limit was met.

        Returns:
            False if the pause would be longer than ``Limits.max_pause``: then nothing was paused.
        """
        now = asyncio.get_running_loop().time()
        paused = self._open_at > now
        wait = throttle.wait
        if not throttle.stated:
            wait *= 2 ** (self._unstated if not paused else max(0, self._unstated - 1))
        longest = self._limits.max_pause
        if longest is not None and throttle.wait > longest:
            return False
        if longest is not None:
            wait = min(wait, longest)
        if not throttle.stated and not paused:
            self._unstated = min(self._unstated + 1, 16)
        if throttle.kind == "primary":
            wait += _ROUNDING
        longer = now + wait - self._open_at
        self._open_at = max(self._open_at, now + wait)
        if not paused or longer > _ROUNDING:  # calls that were in flight together tell of one pause, not of many
            self._emitter.emit(RateLimitPause(seconds=wait, kind=throttle.kind))
        return True

    def reset_backoff(self) -> None:
        """Take note of a good answer: the next pause of an unstated length starts small again."""
        self._unstated = 0
