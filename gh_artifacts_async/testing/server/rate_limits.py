"""Rate limits as GitHub keeps them: an hourly budget for each token, and points a minute for each endpoint.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import defaultdict, deque

import attrs

from gh_artifacts_async.testing.clock import Clock

AUTHENTICATED = 5000
ANONYMOUS = 60
MAX_CONCURRENT = 100
MAX_POINTS = 900
"""Points a minute for one endpoint."""

_HOUR = 3600


@attrs.define
class Budget:
    """What one token has used of its hour.

    Attributes:
        limit: requests an hour.
        reset: seconds since 1970 at which the next hour begins.
        used: requests so far.
    """

    limit: int
    reset: int
    used: int = 0

    @property
    def remaining(self) -> int:
        """Requests left."""
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """Return its headers."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-reset": str(self.reset),
            "x-ratelimit-resource": "core",
        }


@attrs.define
class RateLimits:
    """All budgets.

    Attributes:
        clock: the fake's clock.
        enabled: responses have the headers and the limit is enforced.
        secondary: more than 100 requests at once, or 900 points a minute for one endpoint, are refused.
        minute: its length in seconds, for tests in real time.
    """

    clock: Clock
    enabled: bool
    secondary: bool = False
    minute: float = 60.0
    _budgets: dict[str, Budget] = attrs.field(factory=dict)
    _preset: Budget | None = None
    _points: dict[str, deque[tuple[float, int]]] = attrs.field(factory=lambda: defaultdict(deque))

    def budget(self, token: str) -> Budget:
        """Return the budget of ``token`` (``""``: none was sent), renewed when its hour is over."""
        now = self.clock.timestamp()
        known = self._budgets.get(token)
        if known is None and self._preset is not None and now < self._preset.reset:
            known = attrs.evolve(self._preset)
        if known is None or now >= known.reset:
            standard = AUTHENTICATED if token else ANONYMOUS
            known = Budget(standard if self._preset is None else self._preset.limit, int(now) + _HOUR)
        self._budgets[token] = known
        return known

    def set(self, *, limit: int, remaining: int, reset_in: float) -> None:
        """Give every token this budget; see ``FakeGitHub.set_rate_limit``."""
        self.enabled = True
        self._budgets.clear()
        self._preset = Budget(limit, int(self.clock.timestamp() + reset_in), limit - remaining)

    def spend(self, endpoint: str, points: int) -> bool:
        """Count ``points`` for ``endpoint``; return whether its last minute is within what GitHub allows."""
        now = self.clock.timestamp()
        recent = self._points[endpoint]
        while recent and recent[0][0] <= now - self.minute:
            recent.popleft()
        recent.append((now, points))
        return sum(cost for _, cost in recent) <= MAX_POINTS
