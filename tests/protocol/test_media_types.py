"""What a Content-Type says without its parameters."""

from __future__ import annotations

from gh_artifacts_async.protocol.media_types import media_type


def test_media_types():
    """Parameters and case do not count."""
    assert media_type(" Text/HTML ;charset=x") == "text/html"
    assert media_type(None) == ""
