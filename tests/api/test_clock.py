"""The wall clock."""

from __future__ import annotations

from datetime import UTC

from gh_artifacts_async.api.clock import utcnow


def test_now_is_aware():
    """Ages are differences to times with a zone."""
    assert utcnow().tzinfo is UTC
