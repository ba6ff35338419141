"""What long work gives back, and the two types that carry secrets without showing them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, NoReturn, TypeVar

import attrs

from gh_artifacts_async.errors import BulkError
from gh_artifacts_async.models import Artifact, ArtifactRef, Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


T = TypeVar("T")


class Secret:
    """A string that no repr, str, format, pickle or attribute listing shows; ``reveal()`` gives it."""

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        """Keep the value in a closure, where no formatter of locals looks."""
        self.reveal: Callable[[], str] = lambda: value
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
        """Return the same one: it cannot be changed."""
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        """Return the same one: it cannot be changed."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        msg = "a Secret is not pickled"
        raise TypeError(msg)


@attrs.frozen(repr=False, str=False)
class SignedURL:
    """A storage URL that carries its own permission and ends soon.

    Only the redacted form (scheme, host and path, no query) is ever printed. Two are equal where their URLs are.

    Attributes:
        expires_at: when storage is expected to refuse it (aware, UTC). Storage has the last word: a fresh URL is
            always tried; an unused one past this moment is signed again first.
        lifetime: seconds from the answer that carried it to ``expires_at``.
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
        """Host and port, fit for messages."""
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
class ExtractedMember:
    """One member of an archive as it was written.

    Attributes:
        name: as the archive names it.
        size: unpacked bytes.
        path: where it is now.
        executable: it has an executable bit.
    """

    name: str
    size: int
    path: Path
    executable: bool = False


Verified = Literal["digest", "size", "none"]


@attrs.frozen(kw_only=True)
class DownloadResult:
    """What one download left on disk.

    Attributes:
        artifact: what was downloaded.
        path: the file, or the folder with ``extract``.
        size: bytes of the stored artifact.
        digest: sha256 of the bytes as received.
        verified: what they were checked against: GitHub's ``"digest"``, the ``"size"`` alone, or ``"none"``.
        resumed_from: bytes taken over from an earlier part file; 0 for a fresh start.
        elapsed: seconds.
        content_type: as storage sent it; None where it sent none.
        members: what was unpacked; None without ``extract``, and for a raw file.
        skipped: it was there already and known to be the same; nothing was transferred.
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


Action = Literal["download", "resume", "skip", "conflict"]


@attrs.frozen(kw_only=True)
class PlannedDownload:
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
class Outcome(Generic[T]):
    """One item of a bulk call: a value, or the error it ended with.

    Attributes:
        artifact: what was passed in.
        value: the result; None if it failed.
        error: the failure; None if it worked.
    """

    artifact: Artifact | ArtifactRef
    value: T | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether it worked."""
        return self.error is None


def raise_for_failures(outcomes: Iterable[Outcome[T]]) -> None:
    """Raise what failed, as one group.

    Raises:
        BulkError: at least one outcome is a failure; it holds every failure's error.
    """
    listed = list(outcomes)
    errors = [outcome.error for outcome in listed if outcome.error is not None]
    if errors:
        msg = f"{len(errors)} of {len(listed)} artifacts failed"
        raise BulkError(msg, errors)
