"""Rate limits: what a response says about them, and the sliding window that keeps below them.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import functools
import math
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from gh_artifacts_async.models import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECONDARY_WAIT = 60.0
"""Seconds to wait if a secondary limit states none: GitHub's "at least one minute"."""

_LEAST_SHARE = 1 / 16
_WON_BACK = 0.05 / 60  # of the whole limit, a second
_FORBIDDEN = 403
_TOO_MANY = 429
_MAX_EPOCH = 253_402_300_799  # the last second of the year 9999, which datetime can hold
_FIRST_YEAR, _LAST_YEAR = 1970, 9000  # datetime overflows a little below 1 and above 9999
_PERMISSION_PHRASES = ("resource not accessible", "you must have", "must have admin", "saml enforcement")
_SECONDARY_PHRASES = ("secondary rate limit", "abuse detection")


class Throttle(NamedTuple):
    """A rate limit that a response says was exceeded.

    Attributes:
        kind: which limit.
        wait: seconds from the response on until the next request is allowed.
        stated: GitHub named the time; otherwise ``wait`` is the minimum for a first retry, and grows with the next.
        reset_at: when the window ends, for people (aware, UTC).
    """

    kind: Literal["primary", "secondary"]
    wait: float
    stated: bool
    reset_at: datetime | None = None


def whole(text: str | None) -> int | None:
    """Return a header's value as a number if it is nothing but digits; None for anything else, and if it is missing."""
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 19 else None  # noqa: PLR2004 - fits 63 bits


@functools.lru_cache(maxsize=16)
def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date (RFC 9110 section 5.6.7) as aware UTC; None if it is not one. Cached: servers repeat them."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return in_utc(moment)


def in_utc(moment: datetime) -> datetime | None:
    """Return a time as aware UTC; one without a zone is taken as UTC. None if its year does not allow arithmetic."""
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)


def answered_at(headers: Mapping[str, str], now: Callable[[], datetime]) -> datetime:
    """Return the server's own time of a response (its ``Date``); ``now`` if it sent none."""
    return http_date(headers.get("date")) or now()


def retry_after(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Return ``Retry-After`` (RFC 9110 section 10.2.3) in seconds from the response on; None if absent or invalid."""
    text = headers.get("retry-after")
    seconds = whole(text)
    if seconds is not None:
        return float(seconds)
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - answered_at(headers, now)).total_seconds())


def _reset_at(headers: Mapping[str, str]) -> datetime | None:
    epoch = whole(headers.get("x-ratelimit-reset"))
    return None if epoch is None or epoch > _MAX_EPOCH else datetime.fromtimestamp(epoch, UTC)


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Return the primary limit as a response states it; None if it states none (as GHES by default)."""
    limit, remaining = whole(headers.get("x-ratelimit-limit")), whole(headers.get("x-ratelimit-remaining"))
    if limit is None or remaining is None:
        return None
    used, reset = whole(headers.get("x-ratelimit-used")), whole(headers.get("x-ratelimit-reset"))
    reset_at = None if reset is None or reset > _MAX_EPOCH else datetime.fromtimestamp(reset, UTC)
    resource = headers.get("x-ratelimit-resource")
    return RateLimit(limit=limit, remaining=remaining, used=used, reset_at=reset_at, resource=resource)


def _is_throttled(status: int, headers: Mapping[str, str], text: str) -> bool:
    if status == _TOO_MANY:
        return True
    if status != _FORBIDDEN:
        return False
    if "rate limit" in text or any(phrase in text for phrase in _SECONDARY_PHRASES):
        return True
    if any(phrase in text for phrase in _PERMISSION_PHRASES):
        return False
    return whole(headers.get("x-ratelimit-remaining")) == 0 or "retry-after" in headers


def throttle(
    status: int,
    headers: Mapping[str, str],
    *,
    message: str,
    documentation_url: str | None,
    now: Callable[[], datetime],
) -> Throttle | None:
    """Tell a rate limit from a missing permission: both come as 403.

    Returns:
        None if no rate limit is meant.
    """
    text = f"{message} {(documentation_url or '').replace('-', ' ')}".lower()
    if not _is_throttled(status, headers, text):
        return None
    exhausted = whole(headers.get("x-ratelimit-remaining")) == 0
    secondary = any(phrase in text for phrase in _SECONDARY_PHRASES) or not exhausted
    kind: Literal["primary", "secondary"] = "secondary" if secondary else "primary"
    reset = _reset_at(headers)
    wait = retry_after(headers, now)
    if wait is None and exhausted and reset is not None:
        wait = max(0.0, (reset - answered_at(headers, now)).total_seconds())
    if wait is None:
        return Throttle(kind=kind, wait=SECONDARY_WAIT, stated=False)  # a reset is the other limit's window
    if kind == "secondary" or reset is None:
        reset = _later(answered_at(headers, now), wait)
    return Throttle(kind=kind, wait=wait, stated=True, reset_at=reset)


def _later(moment: datetime, seconds: float) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return None


def until_reset(limit: RateLimit, headers: Mapping[str, str], now: Callable[[], datetime]) -> float:
    """Return the seconds, on the server's own clock, until the primary limit is reset; 0.0 if it does not say."""
    if limit.reset_at is None:
        return 0.0
    return max(0.0, (limit.reset_at - answered_at(headers, now)).total_seconds())


class Window:
    """A sliding window over the points that a server may have counted: never more than a limit in any 60 seconds.

    A server counts a request at some moment between its sending and its response, so its points are held from before
    it is sent until ``seconds`` after its response or failure. The times passed in must never go back.

    Attributes:
        reduced: the limit is reduced for now, see :meth:`halve`.
    """

    def __init__(self, points: float, seconds: float = 60.0) -> None:
        """Start with nothing counted.

        Args:
            points: how many any ``seconds`` may hold; infinity for no limit.
            seconds: the window's length.
        """
        self._limit = points
        self._seconds = seconds
        self._used = 0
        self._settled: deque[tuple[float, int]] = deque()  # when they are free again, and how many
        self.reduced: bool = False
        self._share, self._since = 1.0, 0.0

    def reserve(self, points: int, now: float) -> float:
        """Take the points of a request that is about to be sent.

        A request of more points than the limit is let through alone, and then held for longer in proportion.

        Returns:
            0.0 if they are taken now. Otherwise nothing is taken, and this is the number of seconds after which to
            ask again: infinity while only requests under way can free enough.
        """
        while self._settled and self._settled[0][0] <= now:
            self._used -= self._settled.popleft()[1]
        limit = self._reduced(now) if self.reduced else self._limit
        excess = self._used + points - max(limit, points)
        if excess <= 0:
            self._used += points
            return 0.0
        for free_at, freed in self._settled:
            excess -= freed
            if excess <= 0:
                return free_at - now
        return math.inf

    def settle(self, points: int, now: float) -> None:
        """Note that a request got its response, or failed: from now on its points are free in ``seconds``."""
        self._settled.append((now + self._seconds * max(1.0, points / self._limit), points))

    def halve(self, now: float) -> None:
        """Halve the limit: the server refused without saying why. It is won back at 5 % of the whole a minute."""
        share = self._reduced(now) / self._limit if self.reduced else 1.0
        self._share, self._since = max(_LEAST_SHARE, share / 2), now
        self.reduced = self._limit < math.inf

    def _reduced(self, now: float) -> float:
        share = self._share + (now - self._since) * _WON_BACK
        self.reduced = share < 1.0
        return self._limit * min(1.0, share)
