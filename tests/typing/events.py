"""Never run: what a user's type checker must make of events."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, assert_never, assert_type

from gh_artifacts_async import (
    Event,
    ExtractionProgress,
    ListingProgress,
    Pacing,
    RateLimitPause,
    RequestAnswered,
    RequestRetried,
    RequestSent,
    TransferBytes,
    TransferChecking,
    TransferDelivered,
    TransferEvent,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)


def observer(event: Event) -> None:
    """Narrow by isinstance."""
    if isinstance(event, TransferBytes):
        assert_type(event.received, int)
        assert_type(event.size, int | None)
    elif isinstance(event, TransferFinished):
        assert_type(event.path, Path)


def phrase(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912  one for each
    """Handle every event: a class that is missing here is an error at ``assert_never``."""
    match event:
        case ListingProgress(page=page):
            return f"page {page}"
        case RateLimitPause(seconds=seconds, kind=kind) | Pacing(seconds=seconds, reason=kind):
            return f"{kind}: {seconds}"
        case RequestSent(method=method, host=host, path=path):
            return f"{method} {host}{path}"
        case RequestAnswered(status=status, request_id=request_id, remaining=remaining, error=failure):
            assert_type(event.kind, Literal["api", "storage"])
            assert_type(event.duration, float)
            return f"{status} {request_id} {remaining} {failure}"
        case RequestRetried(what=what, reason=reason, wait=wait, attempt=attempt):
            return f"{what}: {reason} {wait:.1f} {attempt}"
        case TransferChecking(artifact=artifact) | TransferSigning(artifact=artifact):
            return artifact.name
        case TransferStarted(size=size) | TransferBytes(size=size):
            return str(size)
        case TransferResumed(reason=reason) | TransferURLRenewed(reason=reason):
            return reason
        case TransferVerified(verified=verified):
            return verified
        case ExtractionProgress(members_done=done, members=members):
            return f"{done}/{members}"
        case TransferFinished(path=path):
            return str(path)
        case TransferDelivered(key=key):
            assert_type(key, str | None)
            return str(key)
        case TransferFailed(error=error):
            return str(error)
        case _:
            assert_never(event)


def phrase_by_base(event: Event) -> str:
    """Handle every event, those of transfers by their base."""
    match event:
        case TransferEvent():
            return event.artifact.name
        case ListingProgress() | RateLimitPause() | Pacing() | RequestSent() | RequestAnswered() | RequestRetried():
            return ""
        case _:
            assert_never(event)
