"""Retry-After, rate limit headers and dates: waits that are finite, and times that the strict grammar confirms."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from gh_artifacts_async.protocol.throttling import (
    http_date,
    read_rate_limit,
    retry_after,
    throttle,
    until_reset,
    whole,
)
from tests.fuzz.inputs import lines, taken
from tests.fuzz.tally import note

LONGEST = 1024
NOW = datetime(2026, 10, 9, 12, tzinfo=UTC)
STATUSES = [403, 429, 200, 404, 503]
NAMES = (
    *("retry-after", "date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"),
    "x-ratelimit-resource",
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IMF = re.compile(rf"({'|'.join(_DAYS)}), (\d\d) ({'|'.join(_MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
"""An IMF-fixdate (RFC 9110 section 5.6.7), which is what servers must send."""
WORDS: tuple[bytes, ...] = (
    b"Fri, 09 Oct 2026 12:00:00 GMT",
    b"Friday, 09-Oct-26 12:00:00 GMT",
    b"Fri Oct  9 12:00:00 2026",
    b"\n",
)
WORDS += (b"GMT", b"0", b"60", b"+9999", b"-2400", b"9999", b"0001", b"Jan", b"Feb", b"29", b":60", b",")
WORDS += (b"1791547200", b"253402300800", b"1e3", b"-1", b"999999999999999999", b"\xd9\xa1")
WORDS += (b"secondary rate limit", b"rate limit", b"not accessible", b"\xff", b"(", b"EST", b"UTC")


def seeds() -> list[bytes]:
    """Return refusals of GitHub's, with every kind of date."""
    date = "Fri, 09 Oct 2026 12:00:00 GMT"
    answers = [
        ["60", date, "5000", "0", "5000", "1791547200", "core", "API rate limit exceeded for user ID 1."],
        ["", date, "5000", "0", "5001", "1791547200", "core", "API rate limit exceeded"],
        ["Fri, 09 Oct 2026 12:01:00 GMT", date, "", "", "", "", "", "You have exceeded a secondary rate limit."],
        ["Friday, 09-Oct-26 12:01:00 GMT", "", "60", "59", "1", "0", "", "Resource not accessible by integration"],
        ["Fri Oct  9 12:01:00 2026", "", "", "", "", "253402300799", "", "abuse detection"],
        ["Thu, 31 Dec 9999 23:59:59 GMT", date, "0", "0", "0", "253402300800", "x", ""],
        ["Fri, 09 Oct 2026 12:01:00 -2359", "Sat, 29 Feb 2025 12:00:00 GMT", "-1", "+1", "1.0", "", "", ""],
    ]
    return [bytes([number]) + "\n".join(one).encode() for one in answers for number in range(len(STATUSES))]


def fuzz(data: bytes) -> None:
    """Read the headers of a refusal."""
    status, rest = taken(data, STATUSES)
    *values, message = lines(rest, len(NAMES) + 1)
    headers = {name: value for name, value in zip(NAMES, values, strict=True) if value}
    for value in values:
        _date(value)
        _number(value)
    _wait(headers)
    _limit(headers)
    _throttle(status, headers, message)


def _date(value: str) -> None:
    found = http_date(value)
    assert found is None or (found.utcoffset() == timedelta() and 1969 <= found.year <= 9001)
    match = _IMF.fullmatch(value)
    if match is None:
        return
    year, month = int(match[4]), _MONTHS.index(match[3]) + 1
    if year < 100:
        return  # email.utils takes it for a year of two digits
    try:
        expected = datetime(year, month, int(match[2]), int(match[5]), int(match[6]), int(match[7]), tzinfo=UTC)
    except ValueError:
        assert found is None or match[7] == "60"  # a leap second
        return
    note("IMF-fixdate")
    assert found == (expected if 1970 <= year <= 9000 else None)


def _number(value: str) -> None:
    found = whole(value)
    match = re.fullmatch(r"[0-9]{1,18}", value.strip())
    assert found == (int(match[0]) if match else None)


def _wait(headers: dict[str, str]) -> None:
    found = retry_after(headers, lambda: NOW)
    text = headers.get("retry-after", "")
    if found is None:
        assert not re.fullmatch(r"[0-9]{1,18}", text)
        return
    note("waits")
    assert 0.0 <= found < math.inf
    if not re.fullmatch(r"\s*[0-9]{1,18}\s*", text):
        moment = http_date(text)
        assert moment is not None
        began = http_date(headers.get("date")) or NOW
        assert found == max(0.0, (moment - began).total_seconds())


def _limit(headers: dict[str, str]) -> None:
    limit = read_rate_limit(headers)
    if limit is None:
        return
    note("a limit")
    assert limit.limit >= 0
    assert limit.remaining >= 0
    assert limit.used is None or limit.used >= 0
    assert limit.reset_at is None or limit.reset_at.utcoffset() == timedelta()
    assert 0.0 <= until_reset(limit, headers, lambda: NOW) < math.inf


def _throttle(status: int, headers: dict[str, str], message: str) -> None:
    found = throttle(status, headers, message=message, documentation_url=message[::-1] or None, now=lambda: NOW)
    if found is None:
        assert status != 429
        return
    note(f"{found.kind} limit")
    assert status in {403, 429}
    assert 0.0 <= found.wait < math.inf
    assert found.reset_at is None or found.reset_at.utcoffset() == timedelta()
    assert found.stated or (found.wait == 60.0 and found.reset_at is None)
