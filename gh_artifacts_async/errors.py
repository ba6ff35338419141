"""Every error this package raises, in one tree.

::

    ArtifactsError
    ├ ConfigurationError(ValueError)        an invalid argument or setting, found before any request
    │ └ MissingTokenError                   a download or a delete without a token
    ├ ClientClosedError(RuntimeError)       used after close, or on another event loop
    ├ PlanRefusedError                      a plan that would remove more than is certain; nothing was removed
    ├ TransportError                        no response
    │ ├ ConnectionFailedError
    │ │ ├ BudgetUnavailableError            the shared budget cannot be reached, so nothing was sent
    │ │ ├ CertificateError                  never retried
    │ │ └ ProxyError                        407 and 403 of a proxy are never retried
    │ └ RequestTimeoutError(TimeoutError)
    ├ APIError                              GitHub answered with an error
    │ ├ BadRequestError                     400, 422
    │ ├ AuthenticationError                 401
    │ ├ PermissionDeniedError               403, 451
    │ ├ NotFoundError                       404
    │ ├ ArtifactExpiredError                410 on a download
    │ ├ RateLimitError
    │ │ ├ PrimaryRateLimitError
    │ │ └ SecondaryRateLimitError
    │ └ ServerError                         5xx
    ├ ProtocolError                         a response that breaks the rules of the API or of HTTP
    │ ├ UnexpectedResponseError
    │ ├ ResponseShapeError
    │ └ UnsafeRedirectError
    ├ DownloadError                         the artifact could not be downloaded
    │ ├ IncompleteDownloadError
    │ ├ DigestMismatchError
    │ ├ SignedURLExpiredError
    │ ├ SlowTransferError
    │ ├ StorageError
    │ ├ ObjectStoreError                    the object store, where the artifact was to go, failed
    │ │ └ ObjectStoreUnavailableError       it would refuse every other object too
    │ ├ DestinationExistsError(FileExistsError)
    │ └ OutOfSpaceError(OSError)
    ├ DuplicateArtifactsError               a run has several artifacts of one name, and the query allows one only
    ├ WaitTimeoutError(TimeoutError)        a wait for artifacts or a run came to its deadline
    ├ RunFailedError                        the run that a wait depends on ended without success
    ├ ArchiveError                          a zip archive was rejected
    │ ├ CorruptArchiveError
    │ ├ MemberNotFoundError(KeyError)
    │ ├ MergeConflictError                  two artifacts have a member at the same path
    │ ├ UnsafeMemberError
    │ ├ UnsupportedArchiveError
    │ └ ArchiveLimitError
    └ BulkError(ExceptionGroup)             all failures of one bulk call

Each error keeps its constructor's arguments, so that it can be pickled and copied. None of them holds a token, the
query of a signed URL, or an exception of aiohttp (whose ``repr`` shows both).
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
        message: one sentence: what happened and, where it helps, what to do.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str = "") -> None:
        """Keep the message."""
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Return the message, whatever a second base class would return."""
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle and copy need to call the class again with the same arguments."""
        fields = {name: getattr(self, name) for name in self._fields}
        return _rebuild, (type(self), self.message, fields)


class ConfigurationError(ArtifactsError, ValueError):
    """An argument or a setting is invalid; no request was sent."""


class MissingTokenError(ConfigurationError):
    """The operation needs a token and there is none; no request was sent."""


class ClientClosedError(ArtifactsError, RuntimeError):
    """The client or session was used after it was closed, or on an event loop other than its own."""


class PlanRefusedError(ArtifactsError):
    """A plan to delete or to prune was refused: it is too old, or rests on a listing that may be wrong.

    Nothing was removed.
    """


# --- no response ---------------------------------------------------------------------------------------------------


class TransportError(ArtifactsError):
    """No usable response arrived: a failure of the network, of name resolution or of TLS, or a timeout.

    Attributes:
        host: the host, without path or query; None if unknown.
    """

    _fields: ClassVar[tuple[str, ...]] = ("host",)

    def __init__(self, message: str = "", *, host: str | None = None) -> None:
        """Keep the message and the host."""
        super().__init__(message)
        self.host = host


class ConnectionFailedError(TransportError):
    """The connection could not be established, or was lost before the response was complete."""


class BudgetUnavailableError(ConnectionFailedError):
    """The budget that the clients of a token share cannot be reached; nothing was sent without it.

    ``host`` is the budget's.
    """


class CertificateError(ConnectionFailedError):
    """The server's TLS certificate is not trusted; never retried."""


class ProxyError(ConnectionFailedError):
    """The proxy refused the request, or cannot be reached: GitHub and storage were not asked.

    Attributes:
        status: the proxy's HTTP status, e.g. 407; None if it did not answer. 407 and 403 are never retried.
    """

    _fields: ClassVar[tuple[str, ...]] = ("host", "status")

    def __init__(self, message: str = "", *, host: str | None = None, status: int | None = None) -> None:
        """Keep the message, the host that was asked for, and the proxy's status."""
        super().__init__(message, host=host)
        self.status = status


class RequestTimeoutError(TransportError, TimeoutError):
    """The server was silent for longer than :class:`~gh_artifacts_async.Timeouts` allows."""


# --- GitHub's response ---------------------------------------------------------------------------------------------


class APIError(ArtifactsError):
    """GitHub answered with an error that has no class of its own.

    Attributes:
        status: the HTTP status code.
        request_id: ``X-GitHub-Request-Id``, to quote to GitHub's support; None if it was not sent.
        documentation_url: the documentation page that GitHub's response names; None if it names none.
        request: method and path, e.g. ``"GET /repos/o/r/actions/artifacts/7"``: no host, no query.
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
        """Keep the details of the response."""
        super().__init__(message or f"{request} was answered with HTTP {status}")
        self.status = status
        self.request_id = request_id
        self.documentation_url = documentation_url
        self.request = request


class BadRequestError(APIError):
    """400 or 422: GitHub did not accept the request's parameters."""


class AuthenticationError(APIError):
    """401: the token is missing, invalid or expired; or a GitHub App got no token for an installation.

    Attributes:
        server_time: GitHub's time as of the response to a request of a GitHub App itself, to which the times in its
            JSON Web Token must fit (aware, UTC); None for any other request.
    """

    _fields: ClassVar[tuple[str, ...]] = (*APIError._fields, "server_time")

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 401,
        request_id: str | None = None,
        documentation_url: str | None = None,
        request: str = "",
        server_time: datetime | None = None,
    ) -> None:
        """Keep the details of the response, and the server's time."""
        super().__init__(
            message, status=status, request_id=request_id, documentation_url=documentation_url, request=request
        )
        self.server_time = server_time


class PermissionDeniedError(APIError):
    """403 other than a rate limit, or 451: access is denied, for the reason that GitHub's message gives.

    Attributes:
        accepted_permissions: ``X-Accepted-GitHub-Permissions``, e.g. ``"actions=read"``; None if it was not sent.
        sso_url: where to authorize the token for an organization that requires SAML single sign-on (``X-GitHub-SSO``);
            None if that is not the reason.
    """

    _fields: ClassVar[tuple[str, ...]] = (*APIError._fields, "accepted_permissions", "sso_url")

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 403,
        request_id: str | None = None,
        documentation_url: str | None = None,
        request: str = "",
        accepted_permissions: str | None = None,
        sso_url: str | None = None,
    ) -> None:
        """Keep the details of the response, the accepted permissions and the URL of the sign-on."""
        super().__init__(
            message, status=status, request_id=request_id, documentation_url=documentation_url, request=request
        )
        self.accepted_permissions = accepted_permissions
        self.sso_url = sso_url


class NotFoundError(APIError):
    """404: not found, or the token has no access (GitHub does not say which)."""


class ArtifactExpiredError(APIError):
    """The artifact has expired: it may still be listed, but can no longer be downloaded."""


class RateLimitError(APIError):
    """A rate limit was exceeded, and the wait would be longer than ``Limits.max_pause``.

    Attributes:
        retry_after: seconds to wait, counted from the response; None if GitHub did not say.
        reset_at: when the limit is reset (aware, UTC); None if GitHub did not say.
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
        """Keep the details of the response and the wait."""
        super().__init__(
            message, status=status, request_id=request_id, documentation_url=documentation_url, request=request
        )
        self.retry_after = retry_after
        self.reset_at = reset_at


class PrimaryRateLimitError(RateLimitError):
    """The primary rate limit, requests an hour, is used up (``x-ratelimit-remaining: 0``)."""


class SecondaryRateLimitError(RateLimitError):
    """A secondary rate limit was exceeded: concurrent requests, or points a minute."""


class ServerError(APIError):
    """5xx: a failure on GitHub's side that outlasted the retries."""


# --- broken responses --------------------------------------------------------------------------------------------


class ProtocolError(ArtifactsError):
    """A response that breaks the rules of GitHub's API or of HTTP."""


class UnexpectedResponseError(ProtocolError):
    """A response nothing expects: HTML instead of JSON, a 302 without Location, a ``next`` link to another origin.

    Attributes:
        wrong_address: a server other than github.com answered with a web page or its sign-in page: the base URL is
            probably not that of its REST API, or the server is in private mode. Or it is Gitea or Forgejo.
    """

    _fields: ClassVar[tuple[str, ...]] = ("wrong_address",)

    def __init__(self, message: str = "", *, wrong_address: bool = False) -> None:
        """Keep what the message says about the address."""
        super().__init__(message)
        self.wrong_address = wrong_address


class ResponseShapeError(ProtocolError):
    """JSON that lacks a required field, or has a value of the wrong type.

    Attributes:
        path: the place in the document, e.g. ``"$.artifacts[3].id"``.
    """

    _fields: ClassVar[tuple[str, ...]] = ("path",)

    def __init__(self, message: str = "", *, path: str = "$") -> None:
        """Keep the JSON path."""
        super().__init__(message or f"GitHub's response has an unexpected shape at {path}")
        self.path = path


class UnsafeRedirectError(ProtocolError):
    """A redirect that :class:`~gh_artifacts_async.StoragePolicy` does not allow; no request was sent there."""


# --- downloads ---------------------------------------------------------------------------------------------------


class DownloadError(ArtifactsError):
    """The artifact could not be downloaded and verified."""


class IncompleteDownloadError(DownloadError):
    """Fewer (or more) bytes arrived than expected, also after the retries.

    Attributes:
        expected: the full length in bytes; None if unknown.
        received: bytes that arrived.
    """

    _fields: ClassVar[tuple[str, ...]] = ("expected", "received")

    def __init__(self, message: str = "", *, expected: int | None = None, received: int = 0) -> None:
        """Keep both lengths."""
        of = "" if expected is None else f" of {expected}"
        super().__init__(message or f"only {received}{of} bytes arrived")
        self.expected = expected
        self.received = received


class DigestMismatchError(DownloadError):
    """The bytes do not match GitHub's digest; nothing was left under the final name.

    Attributes:
        algorithm: the digest's algorithm, e.g. ``"sha256"``.
        expected: GitHub's digest, lower-case hex.
        actual: the digest of the bytes received, lower-case hex.
    """

    _fields: ClassVar[tuple[str, ...]] = ("algorithm", "expected", "actual")

    def __init__(self, message: str = "", *, algorithm: str = "sha256", expected: str = "", actual: str = "") -> None:
        """Keep both digests."""
        super().__init__(message or f"{algorithm} mismatch: expected {expected}, got {actual}")
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual


class SignedURLExpiredError(DownloadError):
    """Storage keeps answering that the signed URL has expired, also for newly signed ones."""


class SlowTransferError(DownloadError):
    """The transfer stayed below ``Timeouts.min_rate``, also after reconnecting.

    Attributes:
        rate: bytes a second over the last window.
        minimum: the minimum, bytes a second.
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
        code: storage's error code (``x-ms-error-code``, or ``Code`` in an XML body); None if there is none.
    """

    _fields: ClassVar[tuple[str, ...]] = ("status", "code")

    def __init__(self, message: str = "", *, status: int = 0, code: str | None = None) -> None:
        """Keep the status and the code."""
        super().__init__(message or f"storage answered with HTTP {status}" + (f" ({code})" if code else ""))
        self.status = status
        self.code = code


class ObjectStoreError(DownloadError):
    """The object store into which the artifact was to go answered with an error, or did not answer.

    Attributes:
        key: of the object; None if unknown.
    """

    _fields: ClassVar[tuple[str, ...]] = ("key",)

    def __init__(self, message: str = "", *, key: str | None = None) -> None:
        """Keep the key."""
        super().__init__(message or f"the object store failed on {key!r}")
        self.key = key


class ObjectStoreUnavailableError(ObjectStoreError):
    """The object store refuses the credentials, has no such bucket, or cannot be reached: no object could go there."""


class DestinationExistsError(DownloadError, FileExistsError):
    """Something else is at the destination; it was left unchanged.

    Attributes:
        filename: the path; None if unknown.
    """

    _fields: ClassVar[tuple[str, ...]] = ("filename",)

    def __init__(self, message: str = "", *, filename: str | None = None) -> None:
        """Keep the path, as :class:`OSError` does."""
        super().__init__(message or f"{filename} already exists")
        self.errno: int | None = _errno.EEXIST
        self.strerror: str | None = self.message
        self.filename = filename


class OutOfSpaceError(DownloadError, OSError):
    """The disk is full, or a quota or a file-size limit was reached; finished files and the part file are kept.

    Attributes:
        filename: the path that was being written; None if unknown.
        errno: the system's error number: ENOSPC, EDQUOT or EFBIG.
        needed: bytes required; None if unknown.
        free: bytes that the file system reports as free; None if unknown.
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
        self.errno: int | None = errno
        self.strerror: str | None = self.message
        self.filename = filename
        self.needed = needed
        self.free = free


# --- archives ----------------------------------------------------------------------------------------------------


class DuplicateArtifactsError(ArtifactsError):
    """A run has several artifacts of one name (re-runs), and the query says that this is an error.

    Attributes:
        artifacts: two of these Artifacts, the newer one first.
    """

    _fields: ClassVar[tuple[str, ...]] = ("artifacts",)

    def __init__(self, message: str = "", *, artifacts: Sequence[Any] = ()) -> None:
        """Keep the artifacts."""
        super().__init__(message or "a run has several artifacts of the same name")
        self.artifacts: tuple[Any, ...] = tuple(artifacts)


class WaitTimeoutError(ArtifactsError, TimeoutError):
    """A wait for artifacts or for a run came to its deadline.

    Attributes:
        missing: names of the artifacts that had not come.
        run: the WorkflowRun as last seen; None if no run was asked for, or it was not seen.
    """

    _fields: ClassVar[tuple[str, ...]] = ("missing", "run")

    def __init__(self, message: str = "", *, missing: Sequence[str] = (), run: Any = None) -> None:  # noqa: ANN401 - the models import the errors
        """Keep what had not come, and the run's state."""
        super().__init__(message or "the wait timed out")
        self.missing: tuple[str, ...] = tuple(missing)
        self.run = run


class RunFailedError(ArtifactsError):
    """The workflow run that a wait depends on ended without success.

    Attributes:
        run: the WorkflowRun, with its ``conclusion``.
    """

    _fields: ClassVar[tuple[str, ...]] = ("run",)

    def __init__(self, message: str = "", *, run: Any = None) -> None:  # noqa: ANN401 - the models import the errors
        """Keep the run."""
        super().__init__(message or "the workflow run ended without success")
        self.run = run


class ArchiveError(ArtifactsError):
    """A zip archive was rejected; the destination is unchanged.

    Attributes:
        member: the member's name, escaped for printing; None if it is about the archive as a whole.
        rule: the short name of the rule it breaks, e.g. ``"overlap"``.
    """

    _fields: ClassVar[tuple[str, ...]] = ("member", "rule")

    def __init__(self, message: str = "", *, member: str | None = None, rule: str = "") -> None:
        """Keep the member and the rule."""
        of = f" (member {member})" if member is not None else ""
        super().__init__(message or f"the archive was rejected: {rule}{of}")
        self.member = member
        self.rule = rule


class CorruptArchiveError(ArchiveError):
    """The archive is damaged, truncated or inconsistent."""


class MemberNotFoundError(ArchiveError, KeyError):
    """The archive has no file of that name."""


class MergeConflictError(ArchiveError):
    """Two artifacts have a member at the same path; nothing was written.

    Attributes:
        path: the path in the merged folder, with slashes.
        artifacts: the two Artifacts.
    """

    _fields: ClassVar[tuple[str, ...]] = (*ArchiveError._fields, "path", "artifacts")

    def __init__(
        self,
        message: str = "",
        *,
        path: str = "",
        artifacts: Sequence[Any] = (),
        member: str | None = None,
        rule: str = "merge",
    ) -> None:
        """Keep the path and both artifacts."""
        super().__init__(message or f"two artifacts have a member at {path!r}", member=member or path, rule=rule)
        self.path = path
        self.artifacts: tuple[Any, ...] = tuple(artifacts)


class UnsafeMemberError(ArchiveError):
    """A member could be written outside the destination, or over another member."""


class UnsupportedArchiveError(ArchiveError):
    """The archive is encrypted, or uses a compression method that is not supported."""


class ArchiveLimitError(ArchiveError):
    """The archive exceeds a limit of :class:`~gh_artifacts_async.ExtractPolicy`.

    Attributes:
        limit: the policy's field, e.g. ``"max_total_bytes"``.
        value: the archive's value.
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
    """The failures of one bulk call, one exception for each; use ``except*`` to handle them by class."""

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
