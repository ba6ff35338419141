"""The wall clock."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_artifacts_async.automation.now import utcnow


def test_it_is_aware_and_utc():
    """The time has UTC as its zone, so that it can be compared with GitHub's times."""
    before = datetime.now(UTC)
    assert before <= utcnow() <= datetime.now(UTC)
    assert utcnow().tzinfo is UTC
