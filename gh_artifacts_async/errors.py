"""Every error this package raises, in one tree.

::

    ArtifactsError
    ├ ConfigurationError(ValueError)        the caller's mistake, found before any request
    │ └ MissingTokenError                   a download or a delete without a token
    ├ ClientClosedError(RuntimeError)       used after close, or on another event loop
    ├ TransportError                        no answer came
    │ ├ ConnectionFailedError
    │ │ └ CertificateError                  never retried
    │ └ RequestTimeoutError(TimeoutError)
    ├ APIError                              GitHub answered, and said no
    │ ├ BadRequestError                     400, 422
    │ ├ AuthenticationError                 401
    │ ├ PermissionDeniedError               403
    │ ├ NotFoundError                       404
    │ ├ ArtifactExpiredError                410 on a download
    │ ├ RateLimitError
    │ │ ├ PrimaryRateLimitError
    │ │ └ SecondaryRateLimitError
    │ └ ServerError                         5xx
    ├ ProtocolError                         an answer that breaks GitHub's own rules
    │ ├ UnexpectedResponseError
    │ ├ ResponseShapeError
    │ └ UnsafeRedirectError
    ├ DownloadError                         the bytes did not become a file
    │ ├ IncompleteDownloadError
    │ ├ DigestMismatchError
    │ ├ SignedURLExpiredError
    │ ├ SlowTransferError
    │ ├ StorageError
    │ ├ DestinationExistsError(FileExistsError)
    │ └ OutOfSpaceError(OSError)
    ├ ArchiveError                          a zip that is not unpacked
    │ ├ CorruptArchiveError
    │ ├ MemberNotFoundError(KeyError)
    │ ├ UnsafeMemberError
    │ ├ UnsupportedArchiveError
    │ └ ArchiveLimitError
    └ BulkError(ExceptionGroup)             several failures of one bulk call

Errors are plain classes: each keeps its constructor's arguments, so that it survives ``pickle`` and ``copy``; none ever
holds a token, a signed URL's query or an exception of aiohttp's (whose ``repr`` shows both).
"""

from __future__ import annotations

import errno as _errno
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


_SHOWN = 3


def _rebuild(cls: type[ArtifactsError], message: str, fields: dict[str, Any]) -> ArtifactsError:
    return cls(message, **fields)


class ArtifactsError(Exception):
    """Base of every error of this package.

    Attributes:
        message: one sentence for a person: what happened and, where it helps, what to do next.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str = "") -> None:
        """Keep the message."""
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Return the message, whatever the second base class would print."""
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Call the class again with what it was given (pickle, copy)."""
        fields = {name: getattr(self, name) for name in self._fields}
        return _rebuild, (type(self), self.message, fields)


class ConfigurationError(ArtifactsError, ValueError):
    """The caller asked for something that cannot be right; no request was made."""


class MissingTokenError(ConfigurationError):
    """GitHub does this for nobody without a token; no request was made."""


class ClientClosedError(ArtifactsError, RuntimeError):
    """The client or session was used after it was closed, or on another event loop than its own."""


# --- no answer ---------------------------------------------------------------------------------------------------


class TransportError(ArtifactsError):
    """No usable answer arrived: the network, the name service, TLS or a timeout.

    Attributes:
        host: the host that was asked, without path or query; None where unknown.
    """

    _fields: ClassVar[tuple[str, ...]] = ("host",)

    def __init__(self, message: str = "", *, host: str | None = None) -> None:
        """Keep the message and the host."""
        super().__init__(message)
        self.host = host


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke before the answer was whole."""


class CertificateError(ConnectionFailedError):
    """The server's TLS certificate was not accepted; never retried."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The server was silent for longer than :class:`~gh_artifacts_async.Timeouts` allows."""


# --- GitHub's answer ---------------------------------------------------------------------------------------------


class APIError(ArtifactsError):
    """GitHub answered with an error that has no class of its own.

    Attributes:
        status: the HTTP status code.
        request_id: GitHub's ``X-GitHub-Request-Id``, to quote to their support; None if it was not sent.
        documentation_url: the page GitHub's answer points to; None if it points to none.
        request: what was asked, e.g. ``"GET /repos/o/r/actions/artifacts/7"``: no host, no query.
    """

    _fields: ClassVar[tuple[str, ...]] = ("status", "request_id", "documentation_url", "request")

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        request_id: str | None = None,
        documentation_url: str | None = None,
        request: str = "",
    ) -> None:
        """Keep the answer's facts."""
        super().__init__(message or f"{request} was answered with HTTP {status}")
        self.status = status
        self.request_id = request_id
        self.documentation_url = documentation_url
        self.request = request


class BadRequestError(APIError):
    """400 or 422: GitHub refused the request's form or values."""


class AuthenticationError(APIError):
    """401: the token is missing, wrong or has ended."""


class PermissionDeniedError(APIError):
    """403 that is no rate limit: the token lacks a permission.

    Attributes:
        accepted_permissions: ``X-Accepted-GitHub-Permissions``, e.g. ``"actions=read"``; None if it was not sent.
    """

    _fields: ClassVar[tuple[str, ...]] = (*APIError._fields, "accepted_permissions")

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 403,
        request_id: str | None = None,
        documentation_url: str | None = None,
        request: str = "",
        accepted_permissions: str | None = None,
    ) -> None:
        """Keep the answer's facts and the permissions that would do."""
        super().__init__(
            message, status=status, request_id=request_id, documentation_url=documentation_url, request=request
        )
        self.accepted_permissions = accepted_permissions


class NotFoundError(APIError):
    """404: there is no such thing, or this token may not see it (GitHub does not say which)."""


class ArtifactExpiredError(APIError):
    """The artifact's retention has ended: it is still listed, but its bytes are gone."""


class RateLimitError(APIError):
    """A rate limit was met, and waiting for it would take longer than ``Limits.max_pause``.

    Attributes:
        retry_after: seconds to wait from the answer on; None if GitHub did not say.
        reset_at: when the limit's window ends (aware, UTC); None if GitHub did not say.
    """

    _fields: ClassVar[tuple[str, ...]] = (*APIError._fields, "retry_after", "reset_at")

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 403,
        request_id: str | None = None,
        documentation_url: str | None = None,
        request: str = "",
        retry_after: float | None = None,
        reset_at: datetime | None = None,
    ) -> None:
        """Keep the answer's facts and the wait."""
        super().__init__(
            message, status=status, request_id=request_id, documentation_url=documentation_url, request=request
        )
        self.retry_after = retry_after
        self.reset_at = reset_at


class PrimaryRateLimitError(RateLimitError):
    """The hourly budget is used up (``x-ratelimit-remaining: 0``)."""


class SecondaryRateLimitError(RateLimitError):
    """GitHub's limit on concurrency or requests a minute was met."""


class ServerError(APIError):
    """5xx: GitHub's own trouble, still there after the retries."""


# --- their fault -------------------------------------------------------------------------------------------------


class ProtocolError(ArtifactsError):
    """An answer that breaks the rules of GitHub's API or of HTTP."""


class UnexpectedResponseError(ProtocolError):
    """An answer no rule covers: HTML for JSON, a 302 without a Location, a ``next`` link to another origin."""


class ResponseShapeError(ProtocolError):
    """JSON without a required field, or with a value of another type.

    Attributes:
        path: where in the document, e.g. ``"$.artifacts[3].id"``.
    """

    _fields: ClassVar[tuple[str, ...]] = ("path",)

    def __init__(self, message: str = "", *, path: str = "$") -> None:
        """Keep the JSON path."""
        super().__init__(message or f"GitHub's answer has an unexpected shape at {path}")
        self.path = path


class UnsafeRedirectError(ProtocolError):
    """A redirect to somewhere the policy forbids; no request was sent there."""


# --- the bytes ---------------------------------------------------------------------------------------------------


class DownloadError(ArtifactsError):
    """The artifact's bytes could not be turned into a verified file."""


class IncompleteDownloadError(DownloadError):
    """Fewer (or more) bytes arrived than there should be, and the retries did not help.

    Attributes:
        expected: the whole length in bytes; None where no length is known.
        received: the bytes that arrived.
    """

    _fields: ClassVar[tuple[str, ...]] = ("expected", "received")

    def __init__(self, message: str = "", *, expected: int | None = None, received: int = 0) -> None:
        """Keep both lengths."""
        of = "" if expected is None else f" of {expected}"
        super().__init__(message or f"only {received}{of} bytes arrived")
        self.expected = expected
        self.received = received


class DigestMismatchError(DownloadError):
    """The bytes are not those GitHub's digest names; nothing was left under the final name.

    Attributes:
        algorithm: the digest's algorithm, e.g. ``"sha256"``.
        expected: GitHub's digest, lower-case hex.
        actual: the digest of what arrived, lower-case hex.
    """

    _fields: ClassVar[tuple[str, ...]] = ("algorithm", "expected", "actual")

    def __init__(self, message: str = "", *, algorithm: str = "sha256", expected: str = "", actual: str = "") -> None:
        """Keep both digests."""
        super().__init__(message or f"{algorithm} mismatch: expected {expected}, got {actual}")
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual


class SignedURLExpiredError(DownloadError):
    """Storage says that the signed URL has expired, again and again after fresh ones were asked for."""


class SlowTransferError(DownloadError):
    """The transfer stayed under ``Timeouts.min_rate``, also after reconnecting.

    Attributes:
        rate: bytes a second over the last window.
        minimum: bytes a second that were asked for.
    """

    _fields: ClassVar[tuple[str, ...]] = ("rate", "minimum")

    def __init__(self, message: str = "", *, rate: float = 0.0, minimum: float = 0.0) -> None:
        """Keep both rates."""
        super().__init__(message or f"{rate:.0f} bytes/s is below the minimum of {minimum:.0f} bytes/s")
        self.rate = rate
        self.minimum = minimum


class StorageError(DownloadError):
    """The storage host answered with an error.

    Attributes:
        status: the HTTP status code.
        code: storage's own error code (``x-ms-error-code`` or the XML's ``Code``); None if there is none.
    """

    _fields: ClassVar[tuple[str, ...]] = ("status", "code")

    def __init__(self, message: str = "", *, status: int = 0, code: str | None = None) -> None:
        """Keep the status and the code."""
        super().__init__(message or f"storage answered with HTTP {status}" + (f" ({code})" if code else ""))
        self.status = status
        self.code = code


class DestinationExistsError(DownloadError, FileExistsError):
    """Something else is in the destination's place; it was left as it is."""

    _fields: ClassVar[tuple[str, ...]] = ("filename",)

    def __init__(self, message: str = "", *, filename: str | None = None) -> None:
        """Keep the path, as :class:`OSError` does."""
        super().__init__(message or f"{filename} already exists")
        self.errno = _errno.EEXIST
        self.strerror = self.message
        self.filename = filename


class OutOfSpaceError(DownloadError, OSError):
    """The disk, a quota or a file-size limit is full; finished files are kept, and so is the part file.

    Attributes:
        needed: bytes that were to be written; None where unknown.
        free: bytes the file system says are free; None where unknown.
    """

    _fields: ClassVar[tuple[str, ...]] = ("filename", "errno", "needed", "free")

    def __init__(
        self,
        message: str = "",
        *,
        filename: str | None = None,
        errno: int = _errno.ENOSPC,
        needed: int | None = None,
        free: int | None = None,
    ) -> None:
        """Keep the path, the system's error number and the sizes."""
        super().__init__(message or f"no space left for {filename}")
        self.errno = errno
        self.strerror = self.message
        self.filename = filename
        self.needed = needed
        self.free = free


# --- archives ----------------------------------------------------------------------------------------------------


class ArchiveError(ArtifactsError):
    """A zip archive that is refused; the destination is as it was.

    Attributes:
        member: the member's name, escaped for printing; None where the archive as a whole is meant.
        rule: the short name of the rule that refused it, e.g. ``"overlap"``.
    """

    _fields: ClassVar[tuple[str, ...]] = ("member", "rule")

    def __init__(self, message: str = "", *, member: str | None = None, rule: str = "") -> None:
        """Keep the member and the rule."""
        of = f" (member {member})" if member is not None else ""
        super().__init__(message or f"the archive was refused: {rule}{of}")
        self.member = member
        self.rule = rule


class CorruptArchiveError(ArchiveError):
    """The archive is damaged, cut short or contradicts itself."""


class MemberNotFoundError(ArchiveError, KeyError):
    """The archive has no file of that name."""


class UnsafeMemberError(ArchiveError):
    """A member's name or type could write outside the folder, or over another member."""


class UnsupportedArchiveError(ArchiveError):
    """Encryption or a compression method that this package does not read."""


class ArchiveLimitError(ArchiveError):
    """The archive is larger than :class:`~gh_artifacts_async.ExtractPolicy` allows.

    Attributes:
        limit: the policy's field, e.g. ``"max_total_bytes"``.
        value: what the archive has.
    """

    _fields: ClassVar[tuple[str, ...]] = ("member", "rule", "limit", "value")

    def __init__(
        self,
        message: str = "",
        *,
        member: str | None = None,
        rule: str = "limit",
        limit: str = "",
        value: float = 0,
    ) -> None:
        """Keep the limit's name and the archive's value."""
        super().__init__(message or f"the archive exceeds {limit}: {value}", member=member, rule=rule)
        self.limit = limit
        self.value = value


class BulkError(ArtifactsError, ExceptionGroup[Exception]):
    """Several failures of one bulk call, one exception an item; use ``except*`` to handle them by class."""

    def __new__(cls, message: str, exceptions: Sequence[Exception]) -> Self:
        """Build the group (``ExceptionGroup`` does its work here, not in ``__init__``)."""
        return super().__new__(cls, message, exceptions)

    def __init__(self, message: str, exceptions: Sequence[Exception]) -> None:
        """Set ``args``; ``message`` and ``exceptions`` are the group's own read-only attributes."""
        Exception.__init__(self, message, exceptions)

    def __str__(self) -> str:
        """Return the message and the first few failures."""
        shown = "; ".join(str(error) for error in self.exceptions[:_SHOWN])
        more = len(self.exceptions) - _SHOWN
        return f"{self.message}: {shown}" + (f"; and {more} more" if more > 0 else "")

    def derive(self, excs: Sequence[Exception]) -> BulkError:  # type: ignore[override]
        """Build a group of the same class from some of the exceptions (``split``, ``except*``)."""
        return BulkError(self.message, excs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Call the class again with its message and exceptions."""
        return BulkError, (self.message, self.exceptions)
