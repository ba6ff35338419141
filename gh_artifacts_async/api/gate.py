"""The gate that all API calls of a client pass: concurrency, points a minute, and pauses that all calls share.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from gh_artifacts_async.protocol.throttling import Window

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.throttling import Throttle
    from gh_artifacts_async.settings import Limits

_ROUNDING = 1.0
"""Seconds added to a stated window's end: GitHub's times are whole seconds, rounded down."""

_MOST_DOUBLINGS = 16


class Gate:
    """Lets API calls through in order of arrival, as many and as fast as the limits allow.

    It belongs to one event loop. A call that is cancelled while it waits has used up nothing.

    Attributes:
        unstated_pauses: pauses of unstated length since the last good response.
    """

    def __init__(self, limits: Limits, emitter: Emitter) -> None:
        """Start with nothing in flight.

        Args:
            limits: concurrency, points a minute, the interval between mutations and the longest pause.
            emitter: gets a RateLimitPause when a pause begins or becomes longer.
        """
        self._limits = limits
        self._emitter = emitter
        self._free = limits.api_concurrency
        self._window = Window(math.inf if limits.points_per_minute is None else limits.points_per_minute)
        self._turn = asyncio.Lock()  # asyncio's locks are fair: whoever holds it is the next to be let through
        self._freed = asyncio.Event()  # a call has left: the next one looks again
        self._mutating = asyncio.Lock()
        self._next_mutation = 0.0
        self._open_at = 0.0
        self.unstated_pauses = 0

    @asynccontextmanager
    async def slot(self, request: Request) -> AsyncGenerator[None]:
        """Wait until a request may be sent; it counts as in flight until the block is left.

        Its points count from before it is sent until a minute after the block is left, since nobody knows when the
        server counts them.
        """
        loop = asyncio.get_running_loop()
        interval = self._limits.mutation_interval
        spacing = self._spaced(interval) if request.method == "DELETE" and interval else nullcontext()
        async with spacing, self._turn:
            while wait := (
                max(0.0, self._open_at - loop.time())
                or (0.0 if self._free else math.inf)
                or self._window.reserve(request.points, loop.time())
            ):
                await self._wait(wait)
            self._free -= 1
        try:
            yield
        finally:
            self._window.settle(request.points, loop.time())
            self._free += 1
            self._freed.set()

    async def _wait(self, seconds: float) -> None:
        """Wait until a call has left the gate, but no longer than ``seconds``."""
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._freed.wait()

    @asynccontextmanager
    async def _spaced(self, interval: float) -> AsyncGenerator[None]:
        """Let mutations enter one by one, at least ``interval`` seconds apart, after a pause too."""
        loop = asyncio.get_running_loop()
        async with self._mutating:
            while (left := self._next_mutation - loop.time()) > 0:  # noqa: ASYNC110 - timers may run a little early
                await asyncio.sleep(left)
            yield
            self._next_mutation = loop.time() + interval

    def pause_for(self, throttle: Throttle) -> bool:
        """Pause all calls because a rate limit was exceeded.

        A pause whose length GitHub does not state doubles from one to the next, until :meth:`reset_backoff`.

        Returns:
            False if the pause would be longer than ``Limits.max_pause``: then nothing is paused.
        """
        now = asyncio.get_running_loop().time()
        longest = self._limits.max_pause
        if longest is not None and throttle.wait > longest:
            return False
        paused = self._open_at > now
        wait = throttle.wait if throttle.stated else self._unstated_wait(throttle.wait, paused=paused)
        if longest is not None:
            wait = min(wait, longest)
        if throttle.kind == "primary":
            wait += _ROUNDING
        longer = now + wait - self._open_at
        self._open_at = max(self._open_at, now + wait)
        if not paused or longer > _ROUNDING:  # calls that were in flight together report one pause, not many
            self._emitter.paused(wait, throttle.kind, added=min(wait, longer))
        return True

    def _unstated_wait(self, shortest: float, *, paused: bool) -> float:
        """Return how long to pause; calls that were in flight together count as one step."""
        if not paused:
            self.unstated_pauses = min(self.unstated_pauses + 1, _MOST_DOUBLINGS)
        return shortest * 2.0 ** max(0, self.unstated_pauses - 1)

    def reset_backoff(self) -> None:
        """Note a good response: the next pause of unstated length is a short one again."""
        self.unstated_pauses = 0
