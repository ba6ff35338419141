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


def unmet_condition(headers: Mapping[str, str], etag: str, modified: datetime, *, azure: bool = True) -> int | None:
    """Return the status for the first condition of a GET or HEAD that is not met, 412 or 304; None if all are.

    Azure wants If-Match and If-Unmodified-Since, and one of If-None-Match and If-Modified-Since; with others a date
    counts only without its ETag (RFC 9110 section 13.2.2). ``If-Range`` is not among them: Azure documents it nowhere,
    and Azurite ignores it.

    Args:
        headers: of the request.
        etag: the blob's, quoted.
        modified: when the blob was last modified, aware; compared by the second.
        azure: Azure's rules, by which no blob that is there can meet ``If-None-Match: *``: that is 400.
    """
    modified = modified.replace(microsecond=0)
    match, same = (_lists(headers.get(name), etag) for name in ("If-Match", "If-None-Match"))
    until, since = (_date(headers.get(name)) for name in ("If-Unmodified-Since", "If-Modified-Since"))
    if azure and headers.get("If-None-Match", "").strip() == "*":
        return 400
    if match is False or (until is not None and modified > until and (azure or match is None)):
        return 412
    unchanged = None if since is None else modified <= since
    answers = [answer for answer in (same, unchanged) if answer is not None]
    return 304 if answers and (all(answers) if azure else answers[0]) else None


def _lists(tags: str | None, etag: str) -> bool | None:
    """Return whether a header lists an ETag; None without such a header."""
    return None if tags is None else bool({tag.strip() for tag in tags.split(",")} & {etag, "*"})


def _date(text: str | None) -> datetime | None:
    """Return a date, or None for anything that is not one, which is ignored."""
    try:
        found = None if text is None else parsedate_to_datetime(text)
    except ValueError:
        return None
    # "-0000" instead of GMT gives a time without a zone.
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
