"""Errors as the shell sees them: an exit code, and one sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, SOME_FAILED, USAGE, NOT_FOUND, DENIED, RATE_LIMITED, NETWORK, INTEGRITY, DISK = range(9)
INTERRUPTED, TERMINATED = 130, 143

_STORAGE_NOT_FOUND = (404, 410)


class MissingError(LookupError):
    """What was asked for by name is not in the repository's listing."""


# The first class that fits counts: what is also an OSError (DestinationExistsError, a timeout) stands above it.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.MissingTokenError, DENIED),
    (errors.ConfigurationError, USAGE),
    (errors.BadRequestError, USAGE),
    (errors.NotFoundError, NOT_FOUND),
    (MissingError, NOT_FOUND),
    (errors.ArtifactExpiredError, NOT_FOUND),
    (errors.AuthenticationError, DENIED),
    (errors.PermissionDeniedError, DENIED),
    (errors.RateLimitError, RATE_LIMITED),
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
    (errors.OutOfSpaceError, DISK),
    (errors.ArtifactsError, SOME_FAILED),
    (OSError, DISK),
    (KeyboardInterrupt, INTERRUPTED),
)

GOES_ON = "what has arrived is kept, and the same command goes on from there"
"""Of a download, whatever has stopped it but wrong content."""

_AGAIN = "try again"
_KEEP_THE_ZIP = "gh-artifacts download without --extract keeps the zip as it is"
_HINTS: tuple[tuple[type[BaseException], str], ...] = (
    (errors.AuthenticationError, "set GH_TOKEN or GITHUB_TOKEN to a token that is good"),
    (errors.PermissionDeniedError, "use a token that may read the repository's actions"),
    (errors.NotFoundError, "check OWNER/REPO, the ID and the token"),
    (errors.ArtifactExpiredError, "run the workflow again to build it anew"),
    (errors.RateLimitError, "try again then"),
    (errors.CertificateError, "a private certificate authority is named with --ca-file"),
    (errors.RequestTimeoutError, _AGAIN),
    (errors.TransportError, "check the network, the proxy (HTTPS_PROXY) and --api-url, and try again"),
    (errors.SlowTransferError, _AGAIN),
    (errors.StorageError, _AGAIN),
    (errors.DigestMismatchError, "nothing of it was kept; try again, and if it stays so, have the artifact built anew"),
    (errors.IncompleteDownloadError, _AGAIN),
    (errors.DestinationExistsError, "choose another --dir, or --if-exists replace"),
    (errors.OutOfSpaceError, "make room, and run the same command again: it fetches only what is missing"),
    (errors.MemberNotFoundError, "gh-artifacts ls shows what is in it"),
    (errors.CorruptArchiveError, _KEEP_THE_ZIP),
    (errors.UnsafeMemberError, _KEEP_THE_ZIP),
    (errors.ArchiveLimitError, _KEEP_THE_ZIP),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code that an error stands for."""
    if isinstance(error, errors.StorageError) and error.status in _STORAGE_NOT_FOUND:
        return NOT_FOUND
    if isinstance(error, errors.BulkError):
        return combined(error.exceptions, done=0)
    return next((code for kind, code in _CODES if isinstance(error, kind)), SOME_FAILED)


def combined(failures: Sequence[BaseException], *, done: int) -> int:
    """Return the exit code of many items.

    Args:
        failures: what went wrong, an error an item.
        done: how many items went well.

    Returns:
        0 if nothing failed; the failures' common code if nothing else was done; else 1.
    """
    if not failures:
        return OK
    codes = {exit_code(error) for error in failures}
    return codes.pop() if not done and len(codes) == 1 else SOME_FAILED


def is_expected(error: BaseException) -> bool:
    """Whether an error is one that a user can meet without a bug."""
    return isinstance(error, errors.ArtifactsError | MissingError | OSError)


def sentence(error: BaseException, *, kept: bool = False) -> str:
    """Return one sentence for a person: what happened, and what to do.

    Args:
        error: what happened.
        kept: another try goes on with what has arrived.
    """
    said, hint = _said(error), _hint(error)
    if kept and hint == _AGAIN:
        hint = f"{hint}; {GOES_ON}"
    return f"{said}; {hint}" if hint else said


def _hint(error: BaseException) -> str:
    if isinstance(error, errors.ArchiveLimitError) and error.limit == "max_bytes":
        return ""  # says itself what to do
    return next((text for kind, text in _HINTS if isinstance(error, kind)), "")


def _said(error: BaseException) -> str:
    if isinstance(error, errors.ArtifactsError | MissingError):
        return str(error).rstrip(".") or type(error).__name__
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror or type(error).__name__}"
    return f"unexpected {type(error).__name__}; this is a bug: run it again with --verbose, and report what it says"
