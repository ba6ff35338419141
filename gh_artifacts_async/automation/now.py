"""The wall clock, for questions about a server's dates: one function, which tests replace."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the current time (aware, UTC)."""
    return datetime.now(UTC)
