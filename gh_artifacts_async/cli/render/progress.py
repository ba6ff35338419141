"""Events as phrases, and as numbers for the last line."""

from __future__ import annotations

import attrs

from gh_artifacts_async import events
from gh_artifacts_async.cli.render import text


def phrase(event: events.Event, *, everything: bool) -> str | None:
    """Return one line about an event; None where it is not worth one.

    Args:
        event: what happened.
        everything: what only the curious want, too.
    """
    match event:
        case events.RateLimitPause(seconds=seconds, kind=kind):
            return f"GitHub's {kind} rate limit was met; going on in {text.span(seconds)}"
        case events.ExtractionProgress(artifact=artifact, written=written, members_done=done, members=members):
            last = everything and done == members
            return f"{artifact.name}: unpacked {text.count(members, 'member')}, {text.size(written)}" if last else None
        case events.TransferEvent() if everything:
            return _transfer(event)
        case events.ListingProgress(page=page, items=items, total_count=total) if everything:
            return f"page {page}: {items:,} of {total:,} artifacts"
        case _:
            return None


def _transfer(event: events.TransferEvent) -> str | None:
    name = event.artifact.name
    match event:
        case events.TransferStarted(size=size, offset=offset):
            of = "" if size is None else f", {text.size(size)}"
            return f"{name}: started{of}" + (f", going on from {text.size(offset)}" if offset else "")
        case events.TransferResumed(offset=offset, reason=reason):
            where = f"resumed at {text.size(offset)}" if offset else "begun again"
            return f"{name}: {where} ({reason})"
        case events.TransferURLRenewed(reason=reason):
            return f"{name}: signed again ({reason})"
        case events.TransferVerified(verified=verified):
            return f"{name}: verified by {verified}" if verified != "none" else f"{name}: nothing to verify it by"
        case events.TransferFinished(path=path, skipped=skipped):
            return f"{name}: {'is there already' if skipped else 'done'}, {path}"
        case _:
            return None


@attrs.define
class Tally:
    """Counts what happened on the way.

    Attributes:
        pages: pages of listings.
        resumed: transfers that broke and went on.
        resigned: fresh signed URLs that were asked for.
    """

    pages: int = 0
    resumed: int = 0
    resigned: int = 0

    def __call__(self, event: events.Event) -> None:
        """Count an event."""
        match event:
            case events.ListingProgress():
                self.pages += 1
            case events.TransferURLRenewed():
                self.resigned += 1
            case events.TransferResumed():
                self.resumed += 1
            case _:
                pass
