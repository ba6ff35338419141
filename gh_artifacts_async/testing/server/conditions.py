"""Conditional requests, as storage evaluates them.

https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def unmet_condition(headers: Mapping[str, str], etag: str, modified: datetime) -> int | None:
    """Return 412 or 304 for the first condition of a GET or HEAD that is not met; None if all are.

    ``If-Range`` is not among them: Azure documents it nowhere, and Azurite ignores it.

    Args:
        headers: of the request.
        etag: the blob's, quoted.
        modified: when the blob was last modified, aware; compared by the second.
    """
    modified = modified.replace(microsecond=0)
    if "If-Match" in headers and not _lists(headers["If-Match"], etag):
        return 412
    since = _date(headers.get("If-Unmodified-Since"))
    if since is not None and modified > since:
        return 412
    if "If-None-Match" in headers:
        # If-Modified-Since counts only without it (https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2).
        return 304 if _lists(headers["If-None-Match"], etag) else None
    since = _date(headers.get("If-Modified-Since"))
    return 304 if since is not None and modified <= since else None


def _lists(tags: str, etag: str) -> bool:
    return bool({tag.strip() for tag in tags.split(",")} & {etag, "*"})


def _date(text: str | None) -> datetime | None:
    """Return a date, or None for anything that is not one, which is ignored."""
    try:
        found = None if text is None else parsedate_to_datetime(text)
    except ValueError:
        return None
    # "-0000" instead of GMT gives a time without a zone.
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
