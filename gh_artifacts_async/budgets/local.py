"""The budget of one process: the default of a client."""

from __future__ import annotations

import asyncio
import math

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.throttling import Window
from gh_artifacts_async.settings import Lease


class LocalBudget:
    """A sliding window within one process: the default, and what several clients of one event loop can share.

    Attributes:
        window: the points of the last minute.
        open_at: when the current pause ends, on the event loop's clock.
    """

    def __init__(self, points_per_minute: float | None = 840) -> None:
        """Start with nothing spent.

        Args:
            points_per_minute: points in any 60 seconds; None for no limit.

        Raises:
            ConfigurationError: it is not above 0.
        """
        if points_per_minute is not None and not points_per_minute > 0:
            msg = f"points_per_minute must be a number greater than 0, or None for off, not {points_per_minute!r}"
            raise ConfigurationError(msg)
        self.window: Window = Window(math.inf if points_per_minute is None else points_per_minute)
        self.open_at: float = 0.0

    async def lease(self, points: int) -> Lease:
        """Grant points if the last minute leaves room for them; they count for a minute from now."""
        now = asyncio.get_running_loop().time()
        wait = self.window.reserve(points, now)
        if wait:
            return Lease(points=0, wait=min(wait, 1.0))
        self.window.settle(points, now)
        return Lease(points=points)

    async def pause(self, seconds: float, kind: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Pause all clients that share this budget; a shorter pause does not shorten a longer one."""
        self.open_at = max(self.open_at, asyncio.get_running_loop().time() + seconds)

    async def paused(self) -> float:
        """Return the seconds of pause left."""
        return max(0.0, self.open_at - asyncio.get_running_loop().time())
