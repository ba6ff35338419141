"""Wall-clock time: now, and as GitHub writes it; everything else is counted on the event loop's own clock."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the wall clock's time; it is asked only for responses without a ``Date``, and for ages."""
    return datetime.now(UTC)


def parse_timestamp(text: str) -> datetime:
    """Read an ISO 8601 time as aware UTC.

    Raises:
        ValueError: it is not such a time, or has no zone.
        OverflowError: in UTC it is outside the years that datetime can hold.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is UTC:
        return found
    if found.tzinfo is None:
        msg = "a time needs a zone"
        raise ValueError(msg)
    return found.astimezone(UTC)
