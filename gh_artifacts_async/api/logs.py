"""The log: one line for an event, with the event's fields on the record. Imported when the first line is written.

INFO for what an operator wants to know, DEBUG for every request. The lines are written from the events, so that both
say the same, and what no event shows, no line can.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gh_artifacts_async.events import (
    Pacing,
    RateLimitPause,
    RequestAnswered,
    RequestRetried,
    TransferDelivered,
    TransferFailed,
    TransferFinished,
)

if TYPE_CHECKING:
    from gh_artifacts_async.events import Event
    from gh_artifacts_async.models import Artifact

API_LOG = logging.getLogger("gh_artifacts_async.api")
TRANSFER_LOG = logging.getLogger("gh_artifacts_async.transfer")

_PACING = {
    "points": "the points of this minute are spent",
    "primary": "little is left of GitHub's primary rate limit",
}


def write(event: Event) -> None:
    """Write an event's line; most events have none."""
    match event:
        case RequestAnswered(kind=kind):
            _answered(API_LOG if kind == "api" else TRANSFER_LOG, event)
        case RequestRetried(kind=kind, what=what, reason=reason, wait=wait, attempt=attempt):
            log = API_LOG if kind == "api" else TRANSFER_LOG
            when = f" in {wait:.1f} s" if wait else ""
            extra = _extra("retry", kind=kind, what=what, reason=reason, wait=wait, attempt=attempt)
            log.info("retrying %s%s: %s", what, when, reason, extra=extra)
        case RateLimitPause(seconds=seconds, kind=kind):
            extra = _extra("pause", kind=kind, seconds=seconds)
            API_LOG.info("requests are paused for %.1f s: GitHub's %s rate limit", seconds, kind, extra=extra)
        case Pacing(seconds=seconds, reason=reason):
            extra = _extra("pacing", seconds=seconds, reason=reason)
            why = _PACING.get(reason, reason)
            API_LOG.info("requests are held back for %.1f s: %s", seconds, why, extra=extra)
        case TransferFinished(artifact=artifact, path=place, size=size, skipped=skipped):
            extra = _extra("artifact_skipped" if skipped else "artifact_done", path=str(place), size=size, of=artifact)
            done = "already there" if skipped else "saved"
            TRANSFER_LOG.info("%s: %s, %d bytes: %s", _named(artifact), done, size, place, extra=extra)
        case TransferDelivered(artifact=artifact, key=key, size=size, skipped=skipped):
            extra = _extra("artifact_skipped" if skipped else "artifact_done", key=key, size=size, of=artifact)
            done = "already there" if skipped else "passed on" if key is None else "stored"
            where = "" if key is None else f": {key}"
            TRANSFER_LOG.info("%s: %s, %d bytes%s", _named(artifact), done, size, where, extra=extra)
        case TransferFailed(artifact=artifact, error=error):
            extra = _extra("artifact_failed", error=type(error).__name__, of=artifact)
            TRANSFER_LOG.info("%s: failed: %s", _named(artifact), _said(error), extra=extra)
        case _:
            pass


def _answered(log: logging.Logger, event: RequestAnswered) -> None:
    """Write the line of one request."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    extra = _extra(
        "request",
        kind=event.kind,
        method=event.method,
        host=event.host,
        path=event.path,
        status=event.status,
        request_id=event.request_id,
        duration=event.duration,
        remaining=event.remaining,
        error=None if event.error is None else type(event.error).__name__,
    )
    where = f"{event.method} {event.host}{event.path}"
    if event.error is not None:
        log.debug("%s: no answer after %.3f s: %s", where, event.duration, _said(event.error), extra=extra)
        return
    more = "" if event.request_id is None else f", request id {event.request_id}"
    more += "" if event.remaining is None else f", {event.remaining} remaining"
    log.debug("%s: %s in %.3f s%s", where, event.status, event.duration, more, extra=extra)


def _extra(event: str, *, of: Artifact | None = None, **fields: object) -> dict[str, object]:
    """Return a record's attributes; the prefix keeps them apart from those of logging and of other libraries."""
    if of is not None:
        fields = {"artifact_id": of.id, "artifact_name": of.name, "repository": _repository(of), **fields}
    return {f"gh_{name}": value for name, value in {"event": event, **fields}.items()}


def _repository(artifact: Artifact) -> str | None:
    return None if artifact.repository is None else str(artifact.repository)


def _named(artifact: Artifact) -> str:
    of = _repository(artifact)
    return f"artifact {artifact.id} {artifact.name!r}" + ("" if of is None else f" of {of}")


def _said(error: BaseException) -> str:
    """Return an error's class and its text."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
