"""What transfers and bulk calls return, and the two types that carry secrets without showing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, NoReturn, TypeVar

import attrs

from gh_artifacts_async.errors import BulkError
from gh_artifacts_async.models import Artifact, ArtifactRef, Digest
from gh_artifacts_async.models.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


T_co = TypeVar("T_co", covariant=True)


class Secret:
    """A string that no repr, str, format, pickle or attribute listing shows; ``reveal()`` returns it."""

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        """Keep the value behind its own method, where no formatter of locals looks."""
        self.reveal: Callable[[], str] = value.__str__
        """Returns the secret itself."""

    def __repr__(self) -> str:
        """Return stars."""
        return "Secret('***')"

    def __str__(self) -> str:
        """Return stars."""
        return "***"

    def __format__(self, spec: str) -> str:
        """Return stars."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Compare the secrets."""
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        """Hash the secret."""
        return hash(self.reveal())

    def __copy__(self) -> Secret:
        """Return itself: a secret is immutable."""
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        """Return itself: a secret is immutable."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: always.
        """
        msg = "a Secret cannot be pickled"
        raise TypeError(msg)


@attrs.frozen(repr=False, str=False)
class SignedURL(Value):
    """A storage URL that carries its own permission and expires soon.

    Only the redacted form (scheme, host and path, no query) is ever printed. Two are equal if their URLs are.

    Attributes:
        expires_at: when storage is expected to refuse it (aware, UTC). Storage has the last word: a fresh URL is
            always tried; an unused one is signed again after this time.
        lifetime: seconds from the response that carried it to ``expires_at``.
    """

    _secret: Secret = attrs.field(converter=Secret, alias="url")
    expires_at: datetime = attrs.field(kw_only=True, eq=False)
    lifetime: float = attrs.field(kw_only=True, eq=False)

    @property
    def url(self) -> str:
        """The byte-exact URL, secret query included."""
        return self._secret.reveal()

    @property
    def redacted(self) -> str:
        """Scheme, host and path; the whole query is dropped."""
        bare, question, _ = self.url.partition("?")
        bare = bare.partition("#")[0]
        scheme, sep, rest = bare.partition("://")
        authority, slash, path = rest.partition("/")
        return f"{scheme}{sep}{authority.rpartition('@')[2]}{slash}{path}" + ("?***" if question else "")

    @property
    def host(self) -> str:
        """Host and port, without userinfo."""
        rest = self.url.partition("://")[2].partition("?")[0].partition("#")[0]
        return rest.partition("/")[0].rpartition("@")[2]

    def __repr__(self) -> str:
        """Return the redacted URL."""
        return f"SignedURL({self.redacted!r}, expires_at={self.expires_at.isoformat()})"

    def __str__(self) -> str:
        """Return the redacted URL."""
        return self.redacted

    def __format__(self, spec: str) -> str:
        """Return the redacted URL."""
        return format(self.redacted, spec)


@attrs.frozen(kw_only=True)
class ExtractedMember(Value):
    """One file that was extracted from an archive.

    Attributes:
        name: its name in the archive.
        size: bytes, uncompressed.
        path: where it is now.
        executable: whether the archive marks it as executable.
    """

    name: str
    size: int
    path: Path
    executable: bool = False


Verified = Literal["digest", "size", "none"]

Way = Literal["lane", "whole", "chunks", "receiver", "segments"]
"""How a body was received, see :class:`DownloadResult`."""


@attrs.frozen(kw_only=True)
class DownloadResult(Value):
    """What one download left on disk.

    Attributes:
        artifact: what was downloaded.
        path: the file; with ``extract``, the folder.
        size: bytes of the artifact as stored.
        digest: sha256 of the bytes as received.
        verified: what they were checked against: GitHub's ``"digest"``, the ``"size"`` alone, or ``"none"``.
        resumed_from: bytes reused from an earlier part file; 0 for a fresh start.
        elapsed: seconds.
        content_type: as storage sent it; None if it sent none.
        members: the extracted files; None without ``extract``, and for a raw file.
        skipped: True if the same file was there already and nothing was transferred.
        way: how the last body was received: by a ``"lane"`` (HTTP/1.1 of our own over a connection that is kept alive),
            into a buffer for the ``"whole"`` body, in ``"chunks"`` by aiohttp's reader, by the socket ``"receiver"``,
            or in ``"segments"`` over several connections. None if no body was.
    """

    artifact: Artifact
    path: Path
    size: int
    digest: Digest | None
    verified: Verified
    resumed_from: int = 0
    elapsed: float = 0.0
    content_type: str | None = None
    members: tuple[ExtractedMember, ...] | None = None
    skipped: bool = False
    way: Way | None = None


@attrs.frozen(kw_only=True)
class MergeResult(Value):
    """The folder that many artifacts were merged into.

    Attributes:
        path: the folder.
        members: its files, artifact by artifact.
        artifacts: what was merged, each once, in the order in which they were given.
        bytes_fetched: bytes of bodies received from storage.
        skipped: True if the same folder was there already and nothing was fetched.
    """

    path: Path
    members: tuple[ExtractedMember, ...]
    artifacts: tuple[Artifact, ...]
    bytes_fetched: int = 0
    skipped: bool = False


@attrs.frozen(kw_only=True)
class StoredResult(Value):
    """The object that an artifact was stored as.

    Attributes:
        artifact: what was stored.
        key: of the object, below the store's own prefix.
        size: bytes of the object.
        digest: sha256 of the bytes; None for an object that was there already, if neither GitHub nor the object says.
        verified: what they were checked against: GitHub's ``"digest"``, the ``"size"`` alone, or ``"none"``.
        elapsed: seconds.
        content_type: as GitHub's storage sent it; None if it sent none.
        skipped: True if the same object was there already and nothing was transferred.
    """

    artifact: Artifact
    key: str
    size: int
    digest: Digest | None
    verified: Verified
    elapsed: float = 0.0
    content_type: str | None = None
    skipped: bool = False


Action = Literal["download", "resume", "skip", "conflict"]


@attrs.frozen(kw_only=True)
class PlannedDownload(Value):
    """What a download of one artifact would do.

    Attributes:
        artifact: which one.
        path: the file, or the folder with ``extract``. What was not uploaded as a zip keeps the name its storage gives
            it, which is known only when it is downloaded.
        action: ``"download"``; ``"resume"`` what an earlier run left; ``"skip"`` what is there already; or
            ``"conflict"``: something else is at ``path``, or another artifact of the same call would be.
        bytes: to be fetched, as far as GitHub's sizes tell; 0 for ``"skip"`` and ``"conflict"``.
    """

    artifact: Artifact
    path: Path
    action: Action
    bytes: int


@attrs.frozen(kw_only=True)
class Statistics(Value):
    """What a client has done since it was created; a snapshot, which does not change.

    Attributes:
        api_requests: requests sent to GitHub's API, retries and 304s included.
        storage_requests: requests sent to storage, retries and redirects included.
        not_modified: answers of the API that cost nothing of the rate limit: 304, since nothing had changed.
        bytes_fetched: bytes of bodies received from storage, those of failed attempts included.
        artifacts_done: artifacts that were downloaded, verified and put in place.
        artifacts_skipped: artifacts that were there already.
        artifacts_failed: downloads that ended with an error, but for those that were cancelled, and those whose
            artifact could not be looked up.
        retries: failed attempts that were followed by another, by ``kind/error``: ``"api/ServerError"``,
            ``"storage/ConnectionFailedError"``. The kinds are those of :class:`RequestRetried`, the errors the
            classes that would have been raised without retries.
        pauses: pauses after a rate limit was exceeded, by the limit: ``"primary"`` or ``"secondary"``.
        paused_seconds: their length together, in seconds, by the limit.
        paced_seconds: seconds for which the next call was held back to stay within the limits; the interval between
            deletions and the pauses do not count.
    """

    api_requests: int = 0
    storage_requests: int = 0
    not_modified: int = 0
    bytes_fetched: int = 0
    artifacts_done: int = 0
    artifacts_skipped: int = 0
    artifacts_failed: int = 0
    retries: Mapping[str, int] = attrs.field(factory=dict, hash=False)
    pauses: Mapping[str, int] = attrs.field(factory=dict, hash=False)
    paused_seconds: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    paced_seconds: float = 0.0


_LINE = 120
"""Characters of an outcome's repr, about."""


def _one_line(kind: str, artifact: Artifact | ArtifactRef, detail: str) -> str:
    """Return a repr that fits on one line, whatever the detail holds."""
    name = "" if artifact.name is None else f" {artifact.name[:_LINE]!r}"
    detail = " ".join(detail.split())
    return f"<{kind} {artifact.id}{name}: {detail if len(detail) <= _LINE else detail[:_LINE] + '…'}>"


@attrs.frozen(kw_only=True, repr=False)
class Success(Value, Generic[T_co]):
    """One item of a bulk call that worked.

    Attributes:
        artifact: what was passed in.
        ok: True.
        value: the result.
        error: None.
    """

    artifact: Artifact | ArtifactRef
    value: T_co
    ok: ClassVar[Literal[True]] = True
    error: ClassVar[None] = None

    def unwrap(self) -> T_co:
        """Return the value."""
        return self.value

    def __repr__(self) -> str:
        """Return one short line: the artifact, and the path, key or name of what came of it where it has one."""
        names = (getattr(self.value, name, None) for name in ("path", "key", "name"))
        told = next(filter(None, names), type(self.value).__name__)
        return _one_line("Success", self.artifact, str(told))


@attrs.frozen(kw_only=True, repr=False)
class Failure(Value):
    """One item of a bulk call that failed.

    Attributes:
        artifact: what was passed in.
        ok: False.
        value: None.
        error: why it failed.
    """

    artifact: Artifact | ArtifactRef
    error: Exception
    ok: ClassVar[Literal[False]] = False
    value: ClassVar[None] = None

    def unwrap(self) -> NoReturn:
        """Raise the error.

        Raises:
            Exception: always: the error.
        """
        raise self.error

    def __repr__(self) -> str:
        """Return one short line: the artifact, and the error."""
        return _one_line("Failure", self.artifact, f"{type(self.error).__name__}: {self.error}")


Outcome = Success[T_co] | Failure
"""The outcome of one item of a bulk call, e.g. ``Outcome[DownloadResult]``: a Success or a Failure.

``if outcome.ok`` tells them apart, and narrows the type for mypy. pyright narrows on ``if outcome.ok is True``,
``match`` and ``isinstance``, but by design not on the truth of an attribute."""


def raise_for_failures(outcomes: Iterable[Outcome[object]]) -> None:
    """Raise all failures as one group; return None if there are none.

    Args:
        outcomes: any iterable; it is read to the end.

    Raises:
        BulkError: at least one outcome is a failure; it holds every failure's error.
    """
    listed = list(outcomes)
    errors = [outcome.error for outcome in listed if isinstance(outcome, Failure)]
    if errors:
        msg = f"{len(errors)} of {len(listed)} artifacts failed"
        raise BulkError(msg, errors)
