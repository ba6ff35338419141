"""The media type of a Content-Type (RFC 9110 section 8.3.1)."""

from __future__ import annotations


def media_type(content_type: str | None) -> str:
    """Return the type without parameters, in lower case; empty if there is none."""
    return (content_type or "").partition(";")[0].strip().lower()
