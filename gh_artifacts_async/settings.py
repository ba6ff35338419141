"""What a user may tune: frozen settings with the defaults that suit GitHub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import attrs

from gh_artifacts_async.errors import ConfigurationError

if TYPE_CHECKING:
    from gh_artifacts_async.models import Artifact

Layout = str | Callable[["Artifact"], str]
"""Where an artifact goes below the directory: ``"name"`` (default), ``"id"`` (``<name>-<id>``), a template such as
``"{branch}/{run_id}/{name}"`` or a callable from Artifact to a relative path. Each part is made safe."""

StrPath = str | os.PathLike[str]
"""A path as the standard library takes it."""

IfExists = Literal["error", "skip", "replace"]
"""What to do when the destination is taken: an error, skip it where it is known to be the same, or replace it."""

_Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def _number(*, above: float | None = None, least: float = 0, whole: bool = False, off: bool = False) -> _Validator:
    """Return a validator for a number greater than ``above``, or of ``least`` or more; ``off`` takes None too."""
    wanted = "a whole number" if whole else "a number"
    wanted += f" of {least} or more" if above is None else f" greater than {above}"
    wanted += ", or None for off" if off else ""
    kinds = int if whole else (int, float)

    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401  anything may come
        if value is None and off:
            return
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if value is None or not fits or not (value >= least if above is None else value > above):
            msg = f"{attribute.name} must be {wanted}, not {value!r}"
            raise ConfigurationError(msg)

    return check


def _choice(*values: str) -> _Validator:
    """Return a validator for one of ``values``."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in values:
            msg = f"{attribute.name} must be one of {', '.join(map(repr, values))}, not {value!r}"
            raise ConfigurationError(msg)

    return check


@attrs.frozen(kw_only=True)
class Timeouts:
    """Limits on silence and slowness; there is none on the whole length of a transfer. ``None`` means off.

    Attributes:
        connect: seconds until a connection stands, name service and TLS included.
        read: seconds without a single byte, before the headers as well as within the body.
        min_rate: bytes a second that a transfer must reach over each window.
        min_rate_window: the window in seconds.
    """

    connect: float | None = attrs.field(default=10.0, validator=_number(above=0, off=True))
    read: float | None = attrs.field(default=30.0, validator=_number(above=0, off=True))
    min_rate: float | None = attrs.field(default=1024, validator=_number(above=0, off=True))
    min_rate_window: float = attrs.field(default=30.0, validator=_number(above=0))


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently what is safe to repeat is repeated.

    The wait before attempt n+1 is a random part of ``min(wait_max, wait_initial * 2**n)`` (full jitter); a server's
    ``Retry-After`` takes its place. Progress in a transfer resets the count.

    Attributes:
        attempts: tries in all, the first included.
        wait_initial: seconds, the ceiling of the first wait.
        wait_max: seconds, the ceiling of every wait.
    """

    attempts: int = attrs.field(default=6, validator=_number(least=1, whole=True))
    wait_initial: float = attrs.field(default=0.5, validator=_number())
    wait_max: float = attrs.field(default=20.0, validator=_number())


@attrs.frozen(kw_only=True)
class Limits:
    """How hard a client may lean on GitHub's API. ``None`` means off.

    The defaults keep below GitHub's documented secondary limits: 100 concurrent requests, 900 points a minute (GET 1,
    DELETE 5), and one second between mutations
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).

    Attributes:
        api_concurrency: API requests in flight at once.
        points_per_minute: GitHub's points that may be spent a minute.
        mutation_interval: seconds between two DELETEs.
        max_pause: seconds; a rate-limit pause longer than this is a RateLimitError instead.
    """

    api_concurrency: int = attrs.field(default=8, validator=_number(least=1, whole=True))
    points_per_minute: float | None = attrs.field(default=840, validator=_number(above=0, off=True))
    mutation_interval: float | None = attrs.field(default=1.0, validator=_number(off=True))
    max_pause: float | None = attrs.field(default=900.0, validator=_number(off=True))


def _hosts(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    hosts = () if isinstance(value, str) else tuple(value)
    if isinstance(value, str) or not all(isinstance(host, str) for host in hosts):
        msg = f"allowed_hosts is a tuple of host names, not {value!r}"
        raise ConfigurationError(msg)
    return tuple(host.lower() for host in hosts)


@attrs.frozen(kw_only=True)
class StoragePolicy:
    """Where a signed URL may lead.

    Refused whatever the policy says: schemes other than http and https, userinfo in the URL, and a redirect from
    https to http.

    Attributes:
        allow_http: plain http; None means only where the API's base URL itself is http.
        allowed_hosts: exact host names, or ``"*.example.com"`` for every host below; None means any host
            (GitHub Enterprise Server keeps storage on private addresses).
        max_redirects: redirects of the storage host itself that are followed, under the same policy.
    """

    allow_http: bool | None = None
    allowed_hosts: tuple[str, ...] | None = attrs.field(default=None, converter=_hosts)
    max_redirects: int = attrs.field(default=0, validator=_number(whole=True))


@attrs.frozen(kw_only=True)
class ExtractPolicy:
    """Limits and rules for unpacking; every limit can be raised, or set to None for off.

    Attributes:
        max_total_bytes: unpacked bytes of all members together.
        max_members: members of the archive.
        max_ratio: unpacked / packed bytes, counted once the archive unpacks to more than 100 MiB.
        max_depth: folders a member's name may go down.
        names: ``"native"`` takes what the destination can hold; ``"portable"`` refuses what Windows or a
            case-insensitive file system would not (``aux.c``, ``ab:c``, case twins).
        symlinks: symbolic links refuse the archive (``"reject"``) or are left out (``"skip"``); never created.
    """

    max_total_bytes: int | None = attrs.field(default=64 * 2**30, validator=_number(above=0, off=True))
    max_members: int | None = attrs.field(default=1_000_000, validator=_number(above=0, off=True))
    max_ratio: float | None = attrs.field(default=250, validator=_number(above=0, off=True))
    max_depth: int | None = attrs.field(default=128, validator=_number(above=0, off=True))
    names: Literal["native", "portable"] = attrs.field(default="native", validator=_choice("native", "portable"))
    symlinks: Literal["reject", "skip"] = attrs.field(default="reject", validator=_choice("reject", "skip"))
