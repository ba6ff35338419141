"""The wall clock; everything else is counted on the event loop's own clock."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the wall clock's time; it is asked only for responses without a ``Date``, and for ages."""
    return datetime.now(UTC)
