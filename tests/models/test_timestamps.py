"""Timestamps as GitHub writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.models import parse_timestamp


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_times_become_utc(moment, minutes):
    """Whatever the zone, the same moment in UTC."""
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    found = parse_timestamp(there.isoformat())
    assert found == there
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-10T14:59:22", "2026-01-10", "2026-13-01T00:00:00Z"])
def test_what_is_not_a_time_with_a_zone(text):
    """A local time could be any moment."""
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)


def test_a_time_before_the_first_year():
    """In UTC it is outside the years that datetime can hold."""
    with pytest.raises(OverflowError):
        parse_timestamp("0001-01-01T00:00:00+10:00")
