"""Exit codes: which one an error stands for, and which one many errors have together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, SOME_FAILED, USAGE, NOT_FOUND, DENIED, RATE_LIMITED, NETWORK, INTEGRITY, DISK = range(9)
HUNG_UP, INTERRUPTED, TERMINATED = 129, 130, 143

_STORAGE_NOT_FOUND = (404, 410)


class NoMatchError(LookupError):
    """Nothing in the repository's listing matches what was asked for."""


class OutOfTimeError(Exception):
    """The time that ``--timeout`` allows is over; everything was cleaned up before this is raised."""


# The first class that fits counts: what is also an OSError (DestinationExistsError, a timeout) stands above it.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.MissingTokenError, DENIED),
    (errors.ConfigurationError, USAGE),
    (errors.BadRequestError, USAGE),
    (errors.NotFoundError, NOT_FOUND),
    (NoMatchError, NOT_FOUND),
    (OutOfTimeError, NETWORK),
    (errors.ArtifactExpiredError, NOT_FOUND),
    (errors.AuthenticationError, DENIED),
    (errors.PermissionDeniedError, DENIED),
    (errors.RateLimitError, RATE_LIMITED),
    (errors.WaitTimeoutError, NOT_FOUND),
    (errors.RunFailedError, SOME_FAILED),
    (errors.PlanRefusedError, SOME_FAILED),
    (errors.DuplicateArtifactsError, SOME_FAILED),
    (errors.TransportError, NETWORK),
    (errors.ServerError, NETWORK),
    (errors.SlowTransferError, NETWORK),
    (errors.SignedURLExpiredError, NETWORK),
    (errors.StorageError, NETWORK),
    (errors.UnsafeRedirectError, INTEGRITY),
    (errors.ProtocolError, NETWORK),
    (errors.DigestMismatchError, INTEGRITY),
    (errors.IncompleteDownloadError, INTEGRITY),
    (errors.MemberNotFoundError, NOT_FOUND),
    (errors.ArchiveError, INTEGRITY),
    (errors.DestinationExistsError, DISK),
    (errors.ObjectStoreError, DISK),
    (errors.OutOfSpaceError, DISK),
    (errors.ArtifactsError, SOME_FAILED),
    (OSError, DISK),
    (KeyboardInterrupt, INTERRUPTED),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code that an error stands for."""
    if isinstance(error, errors.StorageError) and error.status in _STORAGE_NOT_FOUND:
        return NOT_FOUND
    if isinstance(error, errors.UnexpectedResponseError) and error.wrong_address:
        return USAGE
    if isinstance(error, errors.PlanRefusedError) and isinstance(error.__cause__, errors.ArtifactsError):
        return exit_code(error.__cause__)
    if isinstance(error, errors.BulkError):
        return combined(error.exceptions, done=0)
    return next((code for kind, code in _CODES if isinstance(error, kind)), SOME_FAILED)


def combined(failures: Sequence[BaseException], *, done: int) -> int:
    """Return the exit code of many items.

    Args:
        failures: what went wrong, an error an item.
        done: how many items succeeded.

    Returns:
        0 if nothing failed; the failures' common code if nothing else was done; else 1.
    """
    if not failures:
        return OK
    codes = {exit_code(error) for error in failures}
    return codes.pop() if not done and len(codes) == 1 else SOME_FAILED


def is_expected(error: BaseException) -> bool:
    """Whether an error is one that a user can meet without a bug."""
    return isinstance(error, errors.ArtifactsError | NoMatchError | OutOfTimeError | OSError)
