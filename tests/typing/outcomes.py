"""Never run: what a user's type checker must make of outcomes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, assert_never, assert_type

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    BulkError,
    DownloadResult,
    Failure,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
    Success,
    raise_for_failures,
)


def by_ok(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``if outcome.ok`` narrows for mypy and ty; pyright does not, by design: not by the truth of an attribute."""
    if outcome.ok:
        assert_type(outcome, Success[DownloadResult])  # error: pyright
        return outcome.unwrap().path
    assert_type(outcome.error, Exception)  # error: pyright
    return ValueError()


def by_identity(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``is True`` narrows for all three."""
    if outcome.ok is True:
        assert_type(outcome, Success[DownloadResult])
        assert_type(outcome.error, None)
        return outcome.value.path
    assert_type(outcome, Failure)
    assert_type(outcome.value, None)
    return outcome.error


def by_value(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """So does asking for the value, or for the error."""
    if outcome.error is None:
        assert_type(outcome, Success[DownloadResult])
    if outcome.value is not None:
        return outcome.value.path
    return outcome.error


def by_class(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``match`` is exhaustive with both classes; ``isinstance`` narrows too."""
    if isinstance(outcome, Failure):
        assert_type(outcome.artifact, Artifact | ArtifactRef)
    match outcome:
        case Success(value=result):
            return result.path
        case Failure(error=error):
            return error
        case _:
            assert_never(outcome)


def unwrapped(outcome: Outcome[DownloadResult], success: Success[DownloadResult]) -> None:
    """Unwrapping needs no narrowing; an outcome of a class is one of its base class."""
    assert_type(outcome.unwrap(), DownloadResult)
    assert_type(success.ok, Literal[True])
    wider: Outcome[object] = outcome
    raise_for_failures([wider, success])


def failures(outcomes: list[Outcome[DownloadResult]]) -> None:
    """What errors carry."""
    try:
        raise_for_failures(outcomes)
    except BulkError as group:
        assert_type(group.exceptions, tuple[Exception | ExceptionGroup[Exception], ...])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.reset_at, datetime | None)
    except PermissionDeniedError as error:
        assert_type(error.accepted_permissions, str | None)
    except NotFoundError as error:
        assert_type(error.status, int)
        assert_type(error.request_id, str | None)
