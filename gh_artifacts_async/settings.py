"""Settings: frozen values whose defaults suit GitHub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models.values import Value

if TYPE_CHECKING:
    from gh_artifacts_async.models import Artifact

Layout = str | Callable[["Artifact"], str]
"""Where an artifact goes below the directory.

``"id"`` (``<name>-<id>``, the default, which does not depend on what else there is); ``"name"``, for artifacts that are
known to have unique names; a template such as ``"{workflow}/{branch}/{run_id}/{name}"``; or a callable from Artifact to
a relative path. Each part is made safe. A template may use ``{name}``, ``{id}``, ``{owner}``, ``{repo}``, ``{run_id}``,
``{branch}``, ``{sha}``, ``{date}``, ``{workflow}``, ``{event}``, ``{run_number}`` and ``{attempt}``; the last four
cost one GET for each workflow run, and ``{attempt}`` one more for some attempts of a run that has three or more."""

StrPath = str | os.PathLike[str]
"""A path, as the standard library accepts it."""

IfExists = Literal["error", "skip", "replace"]
"""If the destination exists: raise an error, skip it if it is known to be the same, or replace it."""

Conflicts = Literal["error", "identical", "newest"]
"""If two artifacts of a merge have a file at one path: raise an error, allow identical files, or take the newest."""

MOST_CONCURRENT = 100
"""Requests that GitHub allows at once, over all clients of a token."""

MUTATION_POINTS = 5
"""What GitHub counts a mutation (DELETE, POST) as; a GET is 1 point."""

_Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def number(*, above: float | None = None, least: float = 0, whole: bool = False, off: bool = False) -> _Validator:
    """Return a validator for a number greater than ``above``, or of ``least`` or more; ``off`` allows None."""
    expected = "an integer" if whole else "a number"
    expected += f" of {least} or more" if above is None else f" greater than {above}"
    expected += ", or None for off" if off else ""
    kinds = int if whole else (int, float)

    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401  users may pass anything
        if value is None and off:
            return
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if value is None or not fits or not (value >= least if above is None else value > above):
            msg = f"{attribute.name} must be {expected}, not {value!r}"
            raise ConfigurationError(msg)

    return check


def choice(*values: str) -> _Validator:
    """Return a validator for one of ``values``."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in values:
            msg = f"{attribute.name} must be one of {', '.join(map(repr, values))}, not {value!r}"
            raise ConfigurationError(msg)

    return check


@attrs.frozen(kw_only=True)
class Timeouts(Value):
    """Limits on silence and slowness; the total duration of a transfer is not limited. ``None`` means off.

    Attributes:
        connect: seconds to establish a connection, name resolution and TLS included.
        read: seconds from when the request is sent until its response's headers are complete, and then without a
            single byte of the body.
        min_rate: bytes a second that a response's body must average over each window.
        min_rate_window: length of the window in seconds.
    """

    connect: float | None = attrs.field(default=10.0, validator=number(above=0, off=True))
    read: float | None = attrs.field(default=30.0, validator=number(above=0, off=True))
    min_rate: float | None = attrs.field(default=1024, validator=number(above=0, off=True))
    min_rate_window: float = attrs.field(default=30.0, validator=number(above=0))


@attrs.frozen(kw_only=True)
class RetryPolicy(Value):
    """How often requests that are safe to repeat are retried, and how long to wait between attempts.

    The wait before retry n (n = 1, 2, …) is random between 0 and ``min(wait_max, wait_initial * 2**(n - 1))`` (full
    jitter); a ``Retry-After`` header takes its place. Progress in a transfer resets the count.

    Attributes:
        attempts: attempts in total, the first included.
        wait_initial: upper bound of the first wait, in seconds.
        wait_max: upper bound of every wait, in seconds.
    """

    attempts: int = attrs.field(default=6, validator=number(least=1, whole=True))
    wait_initial: float = attrs.field(default=0.5, validator=number())
    wait_max: float = attrs.field(default=20.0, validator=number())


@attrs.frozen(kw_only=True)
class Lease(Value):
    """Points of GitHub's rate limit that a :class:`Budget` grants.

    Attributes:
        points: how many; 0 if none can be granted now.
        wait: seconds before they may be spent, or before it makes sense to ask again if there are none.
    """

    points: int
    wait: float = 0.0


class Budget(Protocol):
    """Where a client's points come from: its own, or those that all clients of one token share.

    :mod:`gh_artifacts_async.budgets` has the implementations. An exception that one of these coroutines raises is
    raised by the call that needed the points, and nothing is sent: without a budget there is no request.
    """

    async def lease(self, points: int) -> Lease:
        """Return points, to be spent within a second, or none and when to ask again.

        Args:
            points: how many are needed: 5 for a mutation, and fewer for one GET or several.
        """
        ...

    async def pause(self, seconds: float, kind: str) -> None:
        """Make all who share the budget pause: a limit of this kind, "primary" or "secondary", was exceeded."""
        ...

    async def paused(self) -> float:
        """Return the seconds of pause left; asked before every request, so it must be cheap."""
        ...


def _concurrency(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401  as above
    number(least=1, whole=True)(instance, attribute, value)
    if value > MOST_CONCURRENT:
        msg = f"{attribute.name} must be at most {MOST_CONCURRENT}, GitHub's limit, not {value}"
        raise ConfigurationError(msg)


def _budget(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None or all(callable(getattr(value, name, None)) for name in ("lease", "pause", "paused")):
        return
    msg = f"{attribute.name} must have the coroutines lease, pause and paused of a Budget, which {value!r} lacks"
    raise ConfigurationError(msg)


@attrs.frozen(kw_only=True)
class Limits(Value):
    """Limits on a client's API requests. ``None`` means off.

    The defaults stay below GitHub's documented secondary rate limits: 100 concurrent requests, 900 points a minute
    (GET 1, DELETE 5), and one second between mutations
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). They are no promise: GitHub also
    limits its own CPU time, and has been seen to refuse after about 1,000 downloads in quick succession. Whatever it
    refuses, all calls of the client pause for as long as it says, and then start slowly.

    Attributes:
        api_concurrency: API requests in flight at once; at most 100.
        points_per_minute: points, as GitHub counts them, in any 60 seconds.
        mutation_interval: seconds between two DELETEs.
        max_pause: longest rate-limit pause of one call, in seconds, and of all its pauses together; beyond that it is
            a RateLimitError instead.
        budget: points shared with other clients, in place of ``points_per_minute``; see
            :mod:`gh_artifacts_async.budgets`. None for the client's own.
        slow_below: if less than this share of the primary limit (requests an hour) is left, the remaining calls are
            spread over the time until it is reset, at most a minute apart; None never slows down.
        etag_bytes: bytes of responses kept for conditional requests: a GET that is repeated asks by ``ETag``, and
            GitHub's 304 costs nothing of the primary limit; None for no such requests.
        max_answer_bytes: bytes of an API response, before and after decompression; a longer one is an
            UnexpectedResponseError. A page of 100 artifacts has about 100 KB.
        storage_connections: connections to storage, over all transfers, beyond the one that each transfer has; see
            ``connections`` of :meth:`~gh_artifacts_async.ArtifactsClient.download`.
        fast_paths: receive bodies in the fastest way that suits them; False receives all of them by aiohttp's own
            reader, over one connection each.
    """

    api_concurrency: int = attrs.field(default=8, validator=_concurrency)
    points_per_minute: float | None = attrs.field(default=840, validator=number(above=0, off=True))
    mutation_interval: float | None = attrs.field(default=1.0, validator=number(off=True))
    max_pause: float | None = attrs.field(default=900.0, validator=number(off=True))
    budget: Budget | None = attrs.field(default=None, validator=_budget)
    slow_below: float | None = attrs.field(default=0.1, validator=number(off=True))
    etag_bytes: int | None = attrs.field(default=4 * 2**20, validator=number(whole=True, off=True))
    max_answer_bytes: int | None = attrs.field(default=8 * 2**20, validator=number(least=1, whole=True, off=True))
    storage_connections: int = attrs.field(default=32, validator=number(whole=True))
    fast_paths: bool = True


def _hosts(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    hosts = () if isinstance(value, str) else tuple(value)
    if isinstance(value, str) or not all(isinstance(host, str) for host in hosts):
        msg = f"allowed_hosts must be a tuple of host names, not {value!r}"
        raise ConfigurationError(msg)
    return tuple(host.lower() for host in hosts)


@attrs.frozen(kw_only=True)
class StoragePolicy(Value):
    """Where a signed URL may lead.

    Always rejected: schemes other than http and https, userinfo in the URL, and a redirect from https to http.

    Attributes:
        allow_http: allow plain http; None allows it only if the API's base URL is http.
        allowed_hosts: exact host names, or ``"*.example.com"`` for all its subdomains; None allows any host
            (GitHub Enterprise Server keeps storage on private addresses).
        max_redirects: how many redirects of the storage host to follow, under the same policy.
    """

    allow_http: bool | None = None
    allowed_hosts: tuple[str, ...] | None = attrs.field(default=None, converter=_hosts)
    max_redirects: int = attrs.field(default=0, validator=number(whole=True))


@attrs.frozen(kw_only=True)
class ExtractPolicy(Value):
    """Limits and rules for extraction; every limit can be raised, or set to None for off.

    Attributes:
        max_total_bytes: uncompressed bytes of all members together.
        max_members: members of the archive.
        max_ratio: uncompressed / compressed bytes, checked if the archive has more than 100 MiB uncompressed.
        max_depth: nested folders in a member's name.
        names: ``"native"`` accepts what the destination can hold; ``"portable"`` also rejects what Windows or a
            case-insensitive file system cannot hold (``aux.c``, ``ab:c``, names that differ only in case).
        symlinks: an archive with symbolic links is rejected (``"reject"``), or they are skipped (``"skip"``); they are
            never created.
    """

    max_total_bytes: int | None = attrs.field(default=64 * 2**30, validator=number(above=0, off=True))
    max_members: int | None = attrs.field(default=1_000_000, validator=number(above=0, off=True))
    max_ratio: float | None = attrs.field(default=250, validator=number(above=0, off=True))
    max_depth: int | None = attrs.field(default=128, validator=number(above=0, off=True))
    names: Literal["native", "portable"] = attrs.field(default="native", validator=choice("native", "portable"))
    symlinks: Literal["reject", "skip"] = attrs.field(default="reject", validator=choice("reject", "skip"))
