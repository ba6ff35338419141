"""Never run: what a user's type checker must make of models, settings and errors."""

from __future__ import annotations

import errno
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, assert_type

from gh_artifacts_async import (
    APIError,
    ArchiveError,
    ArchiveLimitError,
    Artifact,
    ArtifactPage,
    ArtifactRef,
    ArtifactRetention,
    ArtifactRun,
    ArtifactsError,
    AuthenticationError,
    Budget,
    ConfigurationError,
    DestinationExistsError,
    Digest,
    DigestMismatchError,
    DownloadError,
    ExtractedMember,
    ExtractPolicy,
    IncompleteDownloadError,
    Job,
    Lease,
    Limits,
    MergeConflictError,
    MissingTokenError,
    ObjectStoreError,
    ObjectStoreUnavailableError,
    OutOfSpaceError,
    ProtocolError,
    ProxyError,
    RateLimit,
    RepositoryName,
    RequestTimeoutError,
    ResponseShapeError,
    SecondaryRateLimitError,
    Secret,
    SignedURL,
    SlowTransferError,
    StorageError,
    StoragePolicy,
    Success,
    Timeouts,
    TransportError,
    WorkflowRun,
    errors,
)


def values(artifact: Artifact, url: SignedURL) -> None:
    """The fields of models."""
    assert_type(artifact.id, int)
    assert_type(artifact.created_at, datetime | None)
    assert_type(artifact.workflow_run, ArtifactRun | None)
    assert_type(artifact.run_id, int | None)
    assert_type(artifact.repository, RepositoryName | None)
    assert_type(url.url, str)
    assert_type(url.expires_at, datetime)
    assert_type(RepositoryName.parse("o/r"), RepositoryName)
    assert_type(Digest.parse("sha256:0"), Digest)


def made() -> Artifact:
    """What a program makes itself: only what an artifact cannot be without is asked for."""
    assert_type(ArtifactRef("o/r", 7, "x").repository, RepositoryName)
    assert_type(RepositoryName("o", "r").owner, str)
    assert_type(Digest("sha256", "0" * 64).verifiable, bool)
    return Artifact(
        id=7,
        name="x",
        size_in_bytes=1,
        url="https://api.github.com/…",
        archive_download_url="https://api.github.com/…/zip",
        expired=False,
    )


def neighbours(run: WorkflowRun, job: Job, page: ArtifactPage, retention: ArtifactRetention, limit: RateLimit) -> None:
    """Runs, jobs, pages, and how much of the limit is left."""
    assert_type(run.id, int)
    assert_type(run.conclusion, str | None)
    assert_type(run.head_branch, str | None)
    assert_type(run.run_attempt, int | None)
    assert_type(job.id, int)
    assert_type(job.labels, tuple[str, ...])
    assert_type((page.total_count, page.artifacts, page.next_page), tuple[int, tuple[Artifact, ...], int | None])
    assert_type((retention.days, retention.maximum_allowed_days), tuple[int, int])
    assert_type((limit.limit, limit.remaining), tuple[int, int])


def settings(budget: Budget) -> list[object]:
    """Every setting, and None for off where that is allowed."""
    return [
        Timeouts(connect=1, read=2.5, min_rate=None, min_rate_window=60),
        Limits(
            points_per_minute=None,
            mutation_interval=None,
            budget=budget,
            slow_below=None,
            etag_bytes=None,
            max_answer_bytes=None,
            storage_connections=4,
            fast_paths=False,
        ),
        StoragePolicy(allow_http=None, allowed_hosts=None, max_redirects=1),
        ExtractPolicy(max_total_bytes=None, max_members=None, max_ratio=None, names="portable", symlinks="skip"),
    ]


class OwnBudget:
    """A budget of a user's own, by its shape alone."""

    async def lease(self, points: int) -> Lease:
        """Grant them."""
        return Lease(points=points, wait=1.5)

    async def pause(self, seconds: float, kind: str) -> None:
        """Pause all."""
        del seconds, kind

    async def paused(self) -> float:
        """Return what is left of it."""
        return 0.0


def secrets(url: SignedURL) -> None:
    """What is kept from being shown can be had by asking."""
    assert_type(Secret("t").reveal(), str)
    assert_type((url.redacted, url.host, url.lifetime), tuple[str, str, float])
    settings(OwnBudget())


def by_kind(error: ArtifactsError) -> object:  # noqa: C901, PLR0911, PLR0912  one for each
    """Each class has what a program needs, and may be caught as what Python itself has for it."""
    assert_type(error.message, str)
    match error:
        case MissingTokenError():
            return assert_type(error, MissingTokenError)
        case ProxyError():
            return assert_type(error.status, int | None)
        case TransportError():
            return assert_type(error.host, str | None)
        case AuthenticationError() | SecondaryRateLimitError():
            return assert_type(error.documentation_url, str | None)
        case APIError():
            return assert_type((error.status, error.request), tuple[int, str])
        case ResponseShapeError():
            return assert_type(error.path, str)
        case IncompleteDownloadError():
            return assert_type((error.expected, error.received), tuple[int | None, int])
        case DigestMismatchError():
            return assert_type((error.algorithm, error.expected, error.actual), tuple[str, str, str])
        case SlowTransferError():
            return assert_type((error.rate, error.minimum), tuple[float, float])
        case StorageError():
            return assert_type((error.status, error.code), tuple[int, str | None])
        case ObjectStoreUnavailableError():
            return assert_type(error.key, str | None)
        case OutOfSpaceError():
            return assert_type((error.needed, error.free), tuple[int | None, int | None]), error.errno == errno.ENOSPC
        case ArchiveLimitError():
            return assert_type((error.limit, error.value), tuple[str, float])
        case MergeConflictError():
            return assert_type(error.path, str)
        case ArchiveError():
            return assert_type((error.member, error.rule), tuple[str | None, str])
        case _:
            return None


def as_python_has_them() -> list[type[Exception]]:
    """Errors that are Python's own as well."""
    value: type[ValueError] = ConfigurationError
    late: type[TimeoutError] = RequestTimeoutError
    there: type[FileExistsError] = DestinationExistsError
    full: type[OSError] = OutOfSpaceError
    base: type[DownloadError] = ObjectStoreError
    same: type[ProtocolError] = errors.UnexpectedResponseError
    return [value, late, there, full, base, same]


def kept(member: ExtractedMember, success: Success[Path], age: timedelta) -> tuple[object, ...]:
    """Fields of what is on disk."""
    assert_type((member.name, member.size, member.path, member.executable), tuple[str, int, Path, bool])
    assert_type(success.ok, Literal[True])
    return member, success.value, age
