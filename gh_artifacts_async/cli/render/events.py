"""Events as phrases, and as counts for the last line."""

from __future__ import annotations

import time

import attrs

from gh_artifacts_async import (
    Event,
    ExtractionProgress,
    ListingProgress,
    Pacing,
    RateLimitPause,
    TransferDelivered,
    TransferEvent,
    TransferFinished,
    TransferResumed,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)
from gh_artifacts_async.cli.render import text

_LONG = 5.0  # seconds of silence that need an explanation


def phrase(event: Event, *, everything: bool) -> str | None:
    """Return one line about an event; None where it is not worth one.

    Args:
        event: what happened.
        everything: also what only ``--verbose`` shows.
    """
    match event:
        case RateLimitPause(seconds=seconds, kind=kind):
            return f"GitHub's {kind} rate limit was reached; continuing in {text.span(seconds)}"
        case Pacing(seconds=seconds) if not everything and seconds >= _LONG:  # the log has it, too
            return f"keeping below GitHub's rate limits; continuing in {text.span(seconds)}"
        case ExtractionProgress(artifact=artifact, written=written, members_done=done, members=members):
            last = everything and done == members
            return f"{artifact.name}: unpacked {text.count(members, 'member')} ({text.size(written)})" if last else None
        case TransferEvent() if everything:
            return _transfer(event)
        case ListingProgress(page=page, items=items, total_count=total) if everything:
            return f"page {page}: {items:,} of {total:,} listed"
        case _:
            return None


def seconds_of_wait(event: Event) -> float | None:
    """Return for how long API requests wait for a rate limit, if that is what the event is about."""
    return event.seconds if isinstance(event, RateLimitPause | Pacing) else None


def _transfer(event: TransferEvent) -> str | None:
    name = event.artifact.name
    match event:
        case TransferStarted(size=size, offset=offset):
            of = "" if size is None else f" {text.size(size)}"
            return f"{name}: downloading{of}" + (f", resuming at {text.size(offset)}" if offset else "")
        case TransferResumed(offset=offset, reason=reason):
            where = f"resumed at {text.size(offset)}" if offset else "restarted"
            return f"{name}: {where} ({reason})"
        case TransferURLRenewed(reason=reason):
            return f"{name}: requested a new URL: {reason}"
        case TransferVerified(verified=verified):
            return f"{name}: verified by {verified}" if verified != "none" else f"{name}: no digest or size to verify"
        case TransferFinished(path=place, skipped=skipped) | TransferDelivered(key=place, skipped=skipped):
            return f"{name}: {'already there' if skipped else 'saved'}" + (f": {place}" if place else "")
        case _:
            return None


@attrs.define
class Tally:
    """Counts what happened on the way; an observer.

    Attributes:
        pages: pages of listings.
        resumed: transfers that broke and were resumed.
        restarted: transfers that had to start from the beginning.
        renewed: signed URLs that were requested again.
        paused: seconds for which a rate limit of GitHub's held requests back.
    """

    pages: int = 0
    resumed: int = 0
    restarted: int = 0
    renewed: int = 0
    paused: float = 0.0
    _paused_until: float = 0.0

    def __call__(self, event: Event) -> None:
        """Count an event."""
        match event:
            case ListingProgress():
                self.pages += 1
            case TransferURLRenewed():
                self.renewed += 1
            case TransferResumed(offset=0):
                self.restarted += 1
            case TransferResumed():
                self.resumed += 1
            case RateLimitPause(seconds=seconds):
                now = time.monotonic()
                self.paused += max(0.0, now + seconds - max(now, self._paused_until))
                self._paused_until = max(self._paused_until, now + seconds)
            case _:
                pass
