"""How long to wait before what failed is tried again: full jitter, a server's Retry-After first.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ and RFC 9110 section 10.2.3
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import (
    CertificateError,
    RateLimitError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from gh_artifacts_async.settings import RetryPolicy

_MOST_DOUBLINGS = 30


def jitter(policy: RetryPolicy, failures: int) -> float:
    """Return a random part of ``min(wait_max, wait_initial * 2**(failures - 1))`` seconds."""
    ceiling = min(policy.wait_max, policy.wait_initial * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
    return random.uniform(0.0, ceiling)  # noqa: S311 - spreads retries, keeps no secret


class Backoff:
    """The hook of one call's retries: which errors are worth another try, and after how long.

    stamina's hook sees only the exception, so the count, and what the server asked for, are kept here.

    Attributes:
        failures: tries that have failed so far.
        asked: seconds the last answer asked to wait; None where it did not.
        final: the last error is not worth another try, whatever its class.
        may_have_worked: an earlier try got no clear answer, so the server may have done what was asked.
    """

    def __init__(self, policy: RetryPolicy, max_pause: float | None) -> None:
        """Start counting."""
        self._policy = policy
        self._max_pause = max_pause
        self.failures = 0
        self.asked: float | None = None
        self.final = False
        self.may_have_worked = False

    def hook(self, error: Exception) -> float | bool:
        """Return the seconds to wait, or False for an error that is handed to the caller."""
        if self.final or isinstance(error, CertificateError):
            return False
        self.failures += 1
        if isinstance(error, RateLimitError):
            return 0.0  # the gate makes everyone wait, this call too
        if not isinstance(error, TransportError | ServerError):
            return False
        self.may_have_worked = True
        asked, self.asked = self.asked, None  # the next failure may be one without an answer
        if asked is None:
            return jitter(self._policy, self.failures)
        return asked if self._max_pause is None or asked <= self._max_pause else False
