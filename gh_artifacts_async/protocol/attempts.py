"""The one retry rule: what failed, how often, and whether anything was gained -> wait so long, or give up.

Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); a server's Retry-After
(RFC 9110 section 10.2.3) takes its place. The callers loop, sleep and raise; nothing here waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gh_artifacts_async.errors import BudgetUnavailableError, CertificateError, ProxyError

if TYPE_CHECKING:
    from gh_artifacts_async.errors import TransportError
    from gh_artifacts_async.settings import RetryPolicy

_REFUSED_BY_PROXY = (403, 407)
_LEAST_PAUSE = 1.0  # what a pause counts at least, so that a server that says "0 seconds" is given up on too
_MOST_DOUBLINGS = 30  # from half a second that is 17 years, and no float overflows


class _Bare:
    """A value without fields: one is equal to every other of its type."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Compare the types."""
        return type(self) is type(other)

    def __hash__(self) -> int:
        """Hash the type."""
        return hash(type(self))

    def __repr__(self) -> str:
        """Return the type, as it is written."""
        return f"{type(self).__name__}()"


class Attempts(NamedTuple):
    """What has failed so far; ``Attempts()`` is the start.

    Attributes:
        faults: faults since something was gained.
        refused: refused URLs since something was gained.
        throttled: rate limits met.
        paused: seconds of the pauses after them.
    """

    faults: int = 0
    refused: int = 0
    throttled: int = 0
    paused: float = 0.0

    @property
    def failed(self) -> int:
        """How many attempts that is."""
        return self.faults + self.refused + self.throttled


class Fault(NamedTuple):
    """No answer, a 5xx, or a body that broke off.

    Attributes:
        wait: seconds the server's Retry-After asks for; None if it does not say.
    """

    wait: float | None = None


class Throttled(NamedTuple):
    """A rate limit was exceeded; the gate pauses every call, so there is nothing left to wait for here.

    Attributes:
        wait: seconds of the pause; None if it would be too long, and nobody pauses.
    """

    wait: float | None


class RefusedURL(_Bare):
    """Storage refuses a signed URL: a new one is tried at once the first time, then after a wait as for a fault."""

    __slots__ = ()


class Final(_Bare):
    """An error that no retry can mend."""

    __slots__ = ()


Cause = Fault | Throttled | RefusedURL | Final


class Wait(NamedTuple):
    """Try again.

    Attributes:
        seconds: how long to wait first.
    """

    seconds: float


class GiveUp(_Bare):
    """Hand the error to the caller."""

    __slots__ = ()


def after(
    policy: RetryPolicy, max_pause: float | None, state: Attempts, failure: Cause, *, gained: bool, draw: float
) -> tuple[Attempts, Wait | GiveUp]:
    """Return what has failed by now, and what to do about it.

    Args:
        policy: how often and how patiently to retry.
        max_pause: seconds; a server that asks for a longer wait is given up on, and so is one whose rate limits have
            made the call pause for longer in all. None for no bound.
        state: what had failed before.
        failure: what failed now.
        gained: progress was made since the last failure: faults and refused URLs are counted from zero again.
        draw: a random number in [0, 1), for the full jitter.
    """
    if gained:
        state = state._replace(faults=0, refused=0)
    match failure:
        case Final():
            return state, GiveUp()
        case Throttled(wait=wait):
            paused = state.paused + max(wait or 0.0, _LEAST_PAUSE)
            state = state._replace(throttled=state.throttled + 1, paused=paused)
            enough = wait is None or policy.attempts == 1 or _is_too_long(paused, max_pause)
            return state, GiveUp() if enough else Wait(0.0)
        case Fault(wait=stated):
            state = state._replace(faults=state.faults + 1)
            return state, _decision(policy, max_pause, state, stated, draw)
        case RefusedURL():
            state = state._replace(refused=state.refused + 1)
            return state, _decision(policy, max_pause, state, 0.0 if state.refused == 1 else None, draw)


def is_final(error: TransportError) -> bool:
    """Whether no retry can mend a transport failure: an untrusted certificate, a proxy that says no, no budget."""
    if isinstance(error, CertificateError | BudgetUnavailableError):
        return True
    return isinstance(error, ProxyError) and error.status in _REFUSED_BY_PROXY


def _decision(
    policy: RetryPolicy, max_pause: float | None, state: Attempts, stated: float | None, draw: float
) -> Wait | GiveUp:
    failures = state.faults + state.refused
    if failures >= policy.attempts or _is_too_long(stated, max_pause):
        return GiveUp()
    if stated is not None:
        return Wait(stated)
    return Wait(draw * min(policy.wait_max, policy.wait_initial * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)))


def _is_too_long(wait: float | None, max_pause: float | None) -> bool:
    return wait is not None and max_pause is not None and wait > max_pause
