"""Conditional requests to storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.testing.clock import http_date
from gh_artifacts_async.testing.server.conditions import unmet_condition

MODIFIED = datetime(2026, 7, 9, 12, 47, 44, 999, tzinfo=UTC)
ETAG = '"0x8D1"'
SAME, BEFORE, AFTER = (http_date(MODIFIED + timedelta(seconds=seconds)) for seconds in (0, -1, 1))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"If-Match": ETAG}, None),
        ({"If-Match": f'"other", {ETAG}'}, None),
        ({"If-Match": "*"}, None),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": "*"}, 400),
        ({"If-Match": '"other"', "If-None-Match": "*"}, 400),
        ({"If-None-Match": '"other"'}, None),
        ({"If-Unmodified-Since": SAME}, None),
        ({"If-Unmodified-Since": AFTER}, None),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": BEFORE.replace("GMT", "-0000")}, 412),
        ({"If-Modified-Since": SAME}, 304),
        ({"If-Modified-Since": BEFORE}, None),
        ({"If-None-Match": '"other"', "If-Modified-Since": AFTER}, None),
        ({"If-None-Match": ETAG, "If-Modified-Since": BEFORE}, None),
        ({"If-None-Match": ETAG, "If-Modified-Since": AFTER}, 304),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, 412),
        ({"If-Match": '"other"', "If-None-Match": ETAG}, 412),
        ({"If-Unmodified-Since": "yesterday"}, None),
        ({"If-Range": '"other"'}, None),
    ],
)
def test_conditions(headers: dict[str, str], status: int | None) -> None:
    """A precondition that fails is 412, an unchanged blob is 304, and what is no condition is ignored."""
    assert unmet_condition(headers, ETAG, MODIFIED) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": ETAG, "If-Modified-Since": BEFORE}, 304),
        ({"If-None-Match": '"other"', "If-Modified-Since": AFTER}, None),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, None),
        ({"If-Match": '"other"', "If-Unmodified-Since": AFTER}, 412),
        ({"If-Unmodified-Since": BEFORE}, 412),
    ],
)
def test_others_conditions(headers: dict[str, str], status: int | None) -> None:
    """With others than Azure a date counts only without its ETag."""
    assert unmet_condition(headers, ETAG, MODIFIED, azure=False) == status
