"""Is it fast enough: the rate of one transfer over a window of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ArtifactsError, RequestTimeoutError, SlowTransferError

if TYPE_CHECKING:
    from gh_artifacts_async.settings import Timeouts

EVENT_INTERVAL = 0.1
"""Seconds between two events that count a transfer's bytes."""


class RateWatch:
    """Finds a transfer that stays below the minimum rate over a window; the times are the event loop's."""

    def __init__(self, timeouts: Timeouts) -> None:
        """Start with no window open."""
        self._minimum = timeouts.min_rate
        self._window = timeouts.min_rate_window
        self._since: float | None = None
        self._bytes = 0

    def start(self, now: float) -> None:
        """Open a window."""
        self._since, self._bytes = now, 0

    def exclude(self, seconds: float) -> None:
        """Leave time out that was not storage's: waiting for GitHub's rate limit, or for our own disk."""
        if self._since is not None:
            self._since += seconds

    def after(self, failure: ArtifactsError, now: float) -> bool:
        """Take note of how a try ended, so that its slowness is not blamed on the next connection.

        A timeout ends the window by its kind: the silence may be as long as the window, and a little
        of it excluded.

        Returns:
            Whether the try was too slow; False where the window is not over yet, and continues.
        """
        if isinstance(failure, SlowTransferError):
            return True
        if self._since is None or self._minimum is None:
            return False
        silent = isinstance(failure, RequestTimeoutError)
        passed = now - self._since
        if passed < self._window and not silent:
            return False
        slow = self._bytes < self._minimum * passed
        self.start(now)
        return slow

    def count(self, size: int, now: float, host: str) -> None:
        """Count bytes.

        Raises:
            SlowTransferError: the window is over and was too slow; the next one is open.
        """
        if self._since is None:
            self._since = now
        self._bytes += size
        passed = now - self._since
        if passed < self._window or self._minimum is None:
            return
        rate = self._bytes / passed
        self.start(now)
        if rate < self._minimum:
            msg = f"{host} sent {rate:.0f} bytes/s over {passed:.0f} s; Timeouts.min_rate is {self._minimum:.0f}"
            raise SlowTransferError(msg, rate=rate, minimum=self._minimum)
