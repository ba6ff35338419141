"""The gate that all API calls of a client pass: concurrency, points a minute, and pauses that all calls share.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from gh_artifacts_async.budgets import LocalBudget
from gh_artifacts_async.errors import RateLimitError
from gh_artifacts_async.settings import MUTATION_POINTS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import RateLimit
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.throttling import Throttle
    from gh_artifacts_async.settings import Budget, Limits

_ROUNDING = 1.0
"""Seconds added to a stated window's end: GitHub's times are whole seconds, rounded down."""

_MOST_DOUBLINGS = 16
_LEAST_PAUSE = 1.0  # seconds
_MOST_SPACING = 60.0  # seconds between two calls, however little is left
_NOTABLE = 1.0  # seconds that calls are held back before it is an event
_BATCH = MUTATION_POINTS - 1  # points of GETs that are leased together; a budget knows a mutation by its 5
_SPENT_WITHIN = 1.0  # seconds in which leased points are spent, or lost
_LEAST_WAIT = 0.05  # seconds before a budget that has no points is asked again


class Gate:
    """Lets API calls through in order of arrival, as many and as fast as the limits allow.

    It belongs to one event loop. A call that is cancelled while it waits has used up nothing.

    Attributes:
        recovering: a limit was exceeded, and not all is as before it; good responses bring that about.
        spacing: seconds between two calls while little of the primary limit is left; 0.0 otherwise.
    """

    def __init__(self, limits: Limits, emitter: Emitter) -> None:
        """Start with nothing in flight.

        Args:
            limits: concurrency, points a minute, the interval between mutations and the longest pause.
            emitter: gets a RateLimitPause when a pause begins or becomes longer, and Pacing when calls are held back.
        """
        self._limits = limits
        self._emitter = emitter
        budget = LocalBudget(limits.points_per_minute) if limits.budget is None else limits.budget
        self._local = budget if isinstance(budget, LocalBudget) else LocalBudget(None)
        self._shared = None if budget is self._local else SharedPoints(budget, limits)
        self._window = self._local.window
        self._in_flight = 0
        self._width = float(limits.api_concurrency)
        self._queued = 0  # points that the waiting calls need
        self._line = asyncio.Lock()  # asyncio's locks are fair: whoever holds it is the next to be let through,
        self._turn = asyncio.Lock()  # unless a call that was refused takes its turn before it
        self._freed = asyncio.Event()  # a call has left: the next one looks again
        self._mutating = asyncio.Lock()
        self._next_mutation = 0.0
        self._next_call = 0.0
        self._loop = asyncio.get_running_loop()
        self._unstated_pauses = 0
        self.recovering: bool = False
        self.spacing: float = 0.0

    def enter_at_once(self, request: Request) -> bool:
        """Let a request through if nothing is in its way and nobody waits; as :meth:`enter`, with less to do."""
        now = self._loop.time()
        if (
            self._queued
            or self._shared is not None
            or self.spacing
            or request.points >= MUTATION_POINTS
            or self._local.open_at > now
            or self._in_flight >= int(self._width)
            or self._window.reserve(request.points, now)
        ):
            return False
        self._in_flight += 1
        self._next_call = now
        return True

    async def enter(self, request: Request, *, first: bool) -> None:
        """Wait until a request may be sent; from then on it is in flight, until :meth:`leave`.

        Its points count from before it is sent until a minute after it has left, since nobody knows when the server
        counts them.

        Args:
            request: what is to be sent.
            first: it goes before all others that wait: it has waited in line before and was refused, or they wait for
                the token that it asks for.

        Raises:
            BudgetUnavailableError: the shared budget cannot be reached.
            RateLimitError: those who share the budget pause for longer than ``Limits.max_pause``.
        """
        loop = asyncio.get_running_loop()
        interval = self._limits.mutation_interval
        is_mutation = request.points >= MUTATION_POINTS and request.credential is None  # all wait for a token
        spacing = self._spaced(interval) if is_mutation and interval else nullcontext()
        granted = self._shared is None
        self._queued += request.points
        try:
            async with spacing, nullcontext() if first else self._line, self._turn:
                while True:
                    now = loop.time()
                    wait = (
                        max(0.0, self._local.open_at - now)
                        or (0.0 if self._in_flight < int(self._width) else math.inf)
                        or (max(0.0, self._next_call - now) if self.spacing else 0.0)
                        or (self._window.reserve(request.points, now) if granted else 0.0)
                    )
                    if wait:
                        await self._hold(wait)
                    elif granted or self._shared is None:
                        break
                    elif wait := await self._shared.hold(request.points, self._queued):
                        await self._hold(wait)
                    else:
                        granted = True
                        continue  # a pause may have begun meanwhile
                    granted = self._shared is None
                if self._shared is not None:
                    self._shared.stock -= request.points
                self._in_flight += 1
                self._next_call = loop.time() + self.spacing
        finally:
            self._queued -= request.points

    def leave(self, request: Request) -> None:
        """Note that a request got its response, or failed."""
        self._window.settle(request.points, self._loop.time())
        self._in_flight -= 1
        self._freed.set()

    async def _hold(self, seconds: float) -> None:
        """Wait until a call has left the gate, but no longer than ``seconds``."""
        loop = asyncio.get_running_loop()
        if not self._in_flight and seconds == math.inf:
            seconds = _LEAST_WAIT  # it is a call of another client that shares the budget, which nobody tells us of
        began, paces = loop.time(), seconds < math.inf and not self.is_paused()
        if paces and seconds > _NOTABLE:
            self._emitter.paced(seconds, "primary" if self.spacing else "points")
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._freed.wait()
        if paces:
            self._emitter.counters.paced_seconds += loop.time() - began

    def is_paused(self) -> bool:
        """Whether a pause is on, as far as this process knows."""
        return self._local.open_at > asyncio.get_running_loop().time()

    @asynccontextmanager
    async def _spaced(self, interval: float) -> AsyncGenerator[None]:
        """Let mutations enter one by one, at least ``interval`` seconds apart, after a pause too."""
        loop = asyncio.get_running_loop()
        async with self._mutating:
            while (left := self._next_mutation - loop.time()) > 0:  # noqa: ASYNC110 - timers may run a little early
                await asyncio.sleep(left)
            yield
            self._next_mutation = loop.time() + interval

    async def pause_for(self, throttle: Throttle) -> float | None:
        """Pause all calls because a rate limit was exceeded; those of other processes that share the budget too.

        This process pauses before anything is awaited. A pause whose length GitHub does not state doubles from one to
        the next, and halves the points of a minute, until good responses win both back.

        Returns:
            The seconds of the pause; None if it would be longer than ``Limits.max_pause``: then nothing is paused.

        Raises:
            BudgetUnavailableError: the others cannot be told.
        """
        now = asyncio.get_running_loop().time()
        longest = self._limits.max_pause
        if longest is not None and throttle.wait > longest:
            return None
        paused = self.is_paused()
        wait = throttle.wait if throttle.stated else self._unstated_wait(throttle.wait, now, paused=paused)
        wait = max(wait, _LEAST_PAUSE)  # "Retry-After: 0" again and again must not become a flood
        if longest is not None:
            wait = min(wait, longest)
        if throttle.kind == "primary":
            wait += _ROUNDING
        longer = now + wait - self._local.open_at
        self._local.open_at = max(self._local.open_at, now + wait)
        self._width, self.recovering = 1.0, True
        if not paused or longer > _ROUNDING:  # calls that were in flight together report one pause, not many
            self._emitter.paused(wait, throttle.kind, added=min(wait, longer))
            if self._shared is not None:
                await self._shared.budget.pause(wait, throttle.kind)
        return wait

    def _unstated_wait(self, shortest: float, now: float, *, paused: bool) -> float:
        """Return how long to pause; calls that were in flight together count as one step."""
        if not paused:
            self._unstated_pauses = min(self._unstated_pauses + 1, _MOST_DOUBLINGS)
            self._window.halve(now)
        return shortest * 2.0 ** max(0, self._unstated_pauses - 1)

    def recover(self) -> None:
        """Note a good response: after a pause, one call at a time is followed by two, then three.

        The next pause of unstated length is a short one again.
        """
        if self.is_paused():
            return  # sent before the limit was exceeded
        self._unstated_pauses = 0
        self._width += 1 / self._width
        if self._width >= self._limits.api_concurrency:
            self._width = float(self._limits.api_concurrency)
            self.recovering = False

    def spread(self, limit: RateLimit, seconds: float) -> None:
        """Note what is left of the primary limit: if it is little, spread the calls over the time until its reset.

        Args:
            limit: as of the latest response.
            seconds: until its reset.
        """
        low = limit.remaining < (self._limits.slow_below or 0.0) * limit.limit
        self.spacing = min(seconds / max(1, limit.remaining), _MOST_SPACING) if low else 0.0


class SharedPoints:
    """The points that a client has leased from a budget, and the others' pauses.

    Attributes:
        budget: the budget.
        stock: points leased and not spent yet.
    """

    def __init__(self, budget: Budget, limits: Limits) -> None:
        """Start without points."""
        self.budget = budget
        self._max_pause = limits.max_pause
        self.stock: int = 0
        self._spend_from = self._spend_until = 0.0

    async def hold(self, points: int, queued: int) -> float:
        """Return how long a request must wait before it asks again; 0.0 if there is no pause and ``stock`` will do.

        Args:
            points: what the request needs.
            queued: what it and all that wait behind it need; GETs are leased together.

        Raises:
            BudgetUnavailableError: the budget cannot be reached.
            RateLimitError: the others pause for longer than ``Limits.max_pause``.
        """
        loop = asyncio.get_running_loop()
        left = await self.budget.paused()
        if left > 0:
            if self._max_pause is not None and left > self._max_pause:
                raise _too_long(left)
            return left
        now = loop.time()
        if now >= self._spend_until:
            self.stock = 0
        if self.stock < points:
            await self._lease(points, points if points >= MUTATION_POINTS else max(points, min(queued, _BATCH)))
            now = loop.time()
        if self.stock < points:
            return max(_LEAST_WAIT, self._spend_from - now)
        return max(0.0, self._spend_from - now)

    async def _lease(self, points: int, batch: int) -> None:
        loop = asyncio.get_running_loop()
        lease = await self.budget.lease(batch)
        if not lease.points and batch > points:
            lease = await self.budget.lease(points)
        self.stock += lease.points
        self._spend_from = loop.time() + lease.wait
        self._spend_until = self._spend_from + _SPENT_WITHIN


def _too_long(seconds: float) -> RateLimitError:
    msg = (
        f"another process that shares this budget has met a rate limit; it is lifted in {seconds:.0f} s, and "
        "Limits.max_pause is shorter"
    )
    return RateLimitError(msg, retry_after=seconds)
