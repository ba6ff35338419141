"""The fake's one clock: wall time that moves with the event loop, so that it works in tests with a virtual clock."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import attrs

Timestamp = datetime | str | None
"""A time: aware, or as GitHub writes it (``2026-07-09T12:47:44Z``); ``"auto"`` for the default; None for null."""


@attrs.define
class Clock:
    """Wall time as the fake GitHub sees it: ``start`` plus the time that has passed on the event loop's clock.

    Attributes:
        start: aware UTC time at which the clock begins; default: the real time, in whole seconds.
    """

    start: datetime = attrs.field(factory=lambda: datetime.now(UTC).replace(microsecond=0))
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False, repr=False)
    _zero: float = attrs.field(default=0.0, init=False)
    _skew: float = attrs.field(default=0.0, init=False)

    def begin(self) -> None:
        """Tie the clock to the running loop; until then it stands still at ``start``."""
        # The loop itself is kept: what is not a coroutine (a fixture, say) asks for the time too.
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()

    def advance(self, seconds: float) -> None:
        """Set the clock forward (or back) by ``seconds`` relative to the loop's clock."""
        self._skew += seconds

    def elapsed(self) -> float:
        """Return the seconds since ``start``."""
        if self._loop is None:
            return self._skew
        return self._loop.time() - self._zero + self._skew

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self.start + timedelta(seconds=self.elapsed())

    def timestamp(self) -> float:
        """Return the time as seconds since 1970."""
        return self.now().timestamp()

    def http_date(self) -> str:
        """Return the time as a ``Date`` header gives it."""
        return http_date(self.now())


def http_date(moment: datetime) -> str:
    """Return ``moment`` in the one form HTTP writes, e.g. ``Thu, 09 Jul 2026 12:47:44 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso(moment: datetime) -> str:
    """Return ``moment`` as GitHub writes times, e.g. ``2026-07-09T12:47:44Z``: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ceil_second(moment: datetime) -> datetime:
    """Return ``moment`` rounded up to a whole second, so that a short life in a coarse field is never cut short."""
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)


def parse_timestamp(value: Timestamp, default: datetime | None) -> datetime | None:
    """Return ``value`` as an aware time; ``default`` for ``"auto"``."""
    if value == "auto":
        return default
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value
