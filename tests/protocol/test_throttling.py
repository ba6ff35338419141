"""Who waits, and how long."""

from __future__ import annotations

import heapq
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.models import RateLimit
from gh_artifacts_async.protocol.throttling import (
    Throttle,
    Window,
    answered_at,
    http_date,
    read_rate_limit,
    retry_after,
    throttle,
    whole,
)
from tests.kits.protocol import DATE, NOW, headers, values

EPOCH = int(NOW.timestamp())
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for user ID 583231."
USED_UP = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": str(EPOCH + 90),
    "date": DATE,
}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 12 ", 12),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1 2", None),
        ("٣", None),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
    ],
)
def test_numbers_of_digits(text, number):
    """Only digits are a number."""
    assert whole(text) == number


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("", None),
        (DATE, NOW),
        ("Thursday, 09-Jul-26 12:47:44 GMT", NOW),
        ("Thu, 09 Jul 2026 14:47:44 +0200", NOW),
        ("Thu, 09 Jul 2026 12:47:44 -0000", NOW),
        ("nonsense", None),
        ("Thu, 99 Jul 2026 12:47:44 GMT", None),
        ("Mon, 01 Jan 1900 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_http_dates(text, moment):
    """RFC 9110 section 5.6.7; what cannot be counted with is no date."""
    assert http_date(text) == moment


def test_the_servers_own_clock_comes_first():
    """``Date``, else the wall clock."""
    later = NOW + timedelta(hours=1)
    assert answered_at({"date": DATE}, lambda: later) == NOW
    assert answered_at({}, lambda: later) == later
    assert answered_at({"date": "x"}, lambda: later) == later


@pytest.mark.parametrize(
    ("given_headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "2"}, 2),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1000000000"}, 1e9),
        ({"retry-after": "9" * 30}, None),
        ({"retry-after": "Thu, 09 Jul 2026 12:48:14 GMT"}, 30),
        ({"retry-after": "Thu, 09 Jul 2026 12:48:14 GMT", "date": "Thu, 09 Jul 2026 12:48:04 GMT"}, 10),
        ({"retry-after": "Thu, 09 Jul 2026 12:00:00 GMT"}, 0),
    ],
)
def test_retry_after(given_headers, seconds):
    """Seconds, or a date counted on the server's own clock; anything else is as if it were not there."""
    assert retry_after(given_headers, lambda: NOW) == seconds


@pytest.mark.parametrize(
    ("given_headers", "limit"),
    [
        ({}, None),
        ({"x-ratelimit-limit": "5000"}, None),
        ({"x-ratelimit-remaining": "1"}, None),
        ({"x-ratelimit-limit": "x", "x-ratelimit-remaining": "1"}, None),
        ({"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59"}, RateLimit(limit=60, remaining=59)),
        (
            {
                "x-ratelimit-limit": "5000",
                "x-ratelimit-remaining": "4998",
                "x-ratelimit-used": "2",
                "x-ratelimit-reset": str(EPOCH),
                "x-ratelimit-resource": "core",
            },
            RateLimit(limit=5000, remaining=4998, used=2, reset_at=NOW, resource="core"),
        ),
        (
            {"x-ratelimit-limit": "1", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "9" * 18},
            RateLimit(limit=1, remaining=1),
        ),
    ],
)
def test_the_primary_limit_as_told(given_headers, limit):
    """GitHub Enterprise Server tells none by default."""
    assert read_rate_limit(given_headers) == limit


def _throttle(status, message="", given_headers=(), url=None):
    return throttle(status, dict(given_headers), message=message, documentation_url=url, now=lambda: NOW)


@pytest.mark.parametrize(
    ("status", "message", "given_headers", "url", "found"),
    [
        (200, "", USED_UP, None, None),
        (404, SECONDARY, {"retry-after": "5"}, None, None),
        (500, "rate limit", USED_UP, None, None),
        (403, "Resource not accessible by integration", {}, None, None),
        (403, "Resource not accessible by integration", USED_UP, None, None),
        (403, "You must have the actions scope to download artifacts.", {"retry-after": "1"}, None, None),
        (403, "Must have admin rights to Repository.", USED_UP, None, None),
        (403, "", {}, None, None),
        (403, "Forbidden", {"x-ratelimit-remaining": "10"}, None, None),
        (
            403,
            PRIMARY,
            USED_UP,
            None,
            Throttle(kind="primary", wait=90, stated=True, reset_at=NOW + timedelta(seconds=90)),
        ),
        (429, "", USED_UP, None, Throttle(kind="primary", wait=90, stated=True, reset_at=NOW + timedelta(seconds=90))),
        (403, "", USED_UP, None, Throttle(kind="primary", wait=90, stated=True, reset_at=NOW + timedelta(seconds=90))),
        (
            403,
            PRIMARY,
            {**USED_UP, "retry-after": "7"},
            None,
            Throttle(kind="primary", wait=7, stated=True, reset_at=NOW + timedelta(seconds=90)),
        ),
        (
            403,
            PRIMARY,
            {**USED_UP, "x-ratelimit-reset": str(EPOCH - 5)},
            None,
            Throttle(kind="primary", wait=0, stated=True, reset_at=NOW - timedelta(seconds=5)),
        ),
        (403, PRIMARY, {"x-ratelimit-remaining": "0"}, None, Throttle(kind="primary", wait=60, stated=False)),
        (
            403,
            SECONDARY,
            {"retry-after": "30", "date": DATE},
            None,
            Throttle(kind="secondary", wait=30, stated=True, reset_at=NOW + timedelta(seconds=30)),
        ),
        (403, SECONDARY, {}, None, Throttle(kind="secondary", wait=60, stated=False)),
        (
            403,
            SECONDARY,
            {"x-ratelimit-reset": str(EPOCH + 3000)},
            None,
            Throttle(kind="secondary", wait=60, stated=False),
        ),
        (
            403,
            SECONDARY,
            USED_UP,
            None,
            Throttle(kind="secondary", wait=90, stated=True, reset_at=NOW + timedelta(seconds=90)),
        ),
        (403, SECONDARY, {"retry-after": "-3"}, None, Throttle(kind="secondary", wait=60, stated=False)),
        (403, SECONDARY, {"retry-after": "soon"}, None, Throttle(kind="secondary", wait=60, stated=False)),
        (
            429,
            SECONDARY,
            {"retry-after": "1000000000"},
            None,
            Throttle(kind="secondary", wait=1e9, stated=True, reset_at=NOW + timedelta(seconds=1e9)),
        ),
        (429, SECONDARY, {"retry-after": "9" * 18}, None, Throttle(kind="secondary", wait=1e18, stated=True)),
        (429, "", {}, None, Throttle(kind="secondary", wait=60, stated=False)),
        (
            403,
            "",
            {"retry-after": "5"},
            None,
            Throttle(kind="secondary", wait=5, stated=True, reset_at=NOW + timedelta(seconds=5)),
        ),
        (
            403,
            "You have triggered an abuse detection mechanism",
            {},
            None,
            Throttle(kind="secondary", wait=60, stated=False),
        ),
        (
            403,
            "Slow down",
            {},
            "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            Throttle(kind="secondary", wait=60, stated=False),
        ),
    ],
)
def test_rate_limits_and_permissions(status, message, given_headers, url, found):
    """Both come as 403; the words decide, then the headers, and only 403 and 429 can be a limit."""
    if found is None:
        assert _throttle(status, message, given_headers, url) is None
        return
    assert _throttle(status, message, given_headers, url) == found


@given(st.sampled_from([403, 429]), headers, values, st.one_of(st.none(), values))
def test_no_answer_breaks_it(status, given_headers, message, url):
    """Whatever is sent, a limit's wait is a number of seconds of 0 or more."""
    found = _throttle(status, message, given_headers, url)
    read_rate_limit(given_headers)
    assert found is None or found.wait >= 0
    assert found is None or found.reset_at is None or found.reset_at.tzinfo is not None


@given(values)
def test_no_text_breaks_a_date(text):
    """Any text is a date that can be counted with, or none."""
    moment = http_date(text)
    assert moment is None or 1969 <= moment.year <= 9001


# --- the sliding window

LIMIT = 20
ticks = st.integers(0, 40 * 64).map(lambda tick: tick / 64)  # exact in binary, so that two may fall together
calls = st.lists(
    st.tuples(st.one_of(st.just(0.0), ticks), st.sampled_from([1, 1, 1, 5]), ticks, st.floats(0, 1)), max_size=80
)


def run_window(asked, limit=LIMIT):
    """Send requests one after the other as the window lets them; return when each was sent and ended, and its points.

    Args:
        asked: for each request the pause before it, its points, its latency and (unused here) when it is counted.
        limit: the window's.
    """
    window, now = Window(limit), 0.0
    ends: list[tuple[float, int]] = []
    sent: list[tuple[float, float, int]] = []

    def pass_until(moment):
        while ends and ends[0][0] <= moment:
            end, points = heapq.heappop(ends)
            window.settle(points, end)

    for pause, points, latency, _ in asked:
        now += pause
        pass_until(now)
        while wait := window.reserve(points, now):
            now = min(now + wait, ends[0][0] if ends else math.inf)
            assert now < math.inf, "nothing under way, and nothing that will be free"
            pass_until(now)
        sent.append((now, now + latency, points))
        heapq.heappush(ends, (now + latency, points))
    return sent


@given(calls, ticks)
def test_no_minute_holds_more_than_the_limit(asked, offset):
    """However a server counts within a request's time: no 60 s have more, and no fixed minutes wherever they begin."""
    sent = run_window(asked)
    counted = [
        (start + (end - start) * part, points) for (start, end, points), (*_, part) in zip(sent, asked, strict=True)
    ]
    minutes: dict[int, int] = {}
    for moment, points in counted:
        minute = math.floor((moment + offset) / 60)
        minutes[minute] = minutes.get(minute, 0) + points
        assert sum(more for other, more in counted if moment <= other < moment + 60) <= LIMIT
    assert max(minutes.values(), default=0) <= LIMIT


@given(calls)
def test_nobody_waits_longer_than_needed(asked):
    """What is held back had no room at any moment before: at its own sending less a tick the limit was exceeded."""
    sent = run_window(asked)
    ready = 0.0
    for number, ((start, _, points), (pause, *_)) in enumerate(zip(sent, asked, strict=True)):
        ready += pause
        if start > ready:
            before = start - 1 / 1024
            held = sum(more for begun, end, more in sent[:number] if begun <= before < end + 60)
            assert held + points > LIMIT
        ready = start


def test_a_whole_minutes_points_at_once():
    """The first 840 points of a quiet minute go at full speed; then one waits until a minute after its response."""
    window = Window(840)
    assert [window.reserve(1, 0.0) for _ in range(840)] == [0.0] * 840
    assert window.reserve(1, 5.0) == math.inf
    window.settle(1, 7.0)
    assert window.reserve(1, 10.0) == 57.0
    assert window.reserve(5, 10.0) == math.inf
    assert window.reserve(1, 67.0) == 0.0


def test_a_request_of_more_points_than_the_limit():
    """It goes alone and is held for so many minutes as it costs, so that the average keeps to the limit."""
    window = Window(2.5)
    assert window.reserve(1, 0.0) == 0.0
    window.settle(1, 1.0)
    assert window.reserve(5, 1.0) == 60.0
    assert window.reserve(5, 61.0) == 0.0
    assert window.reserve(1, 61.0) == math.inf
    window.settle(5, 62.0)
    assert window.reserve(1, 62.0) == 120.0
    assert window.reserve(1, 182.0) == 0.0


def test_no_limit():
    """Infinity never holds a request back."""
    window = Window(math.inf)
    assert not any(window.reserve(5, 0.0) for _ in range(2000))
