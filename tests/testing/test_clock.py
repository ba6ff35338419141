"""The fake's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from gh_artifacts_async.testing.clock import Clock, ceil_second, http_date, iso

_START = datetime(2026, 7, 9, 12, 47, 44, tzinfo=UTC)


def test_it_stands_still_until_it_begins() -> None:
    """Before it is tied to a loop, only ``advance`` moves it."""
    clock = Clock(_START)
    assert clock.now() == _START
    clock.advance(90)
    assert clock.timestamp() == _START.timestamp() + 90


async def test_it_moves_with_the_loop() -> None:
    """It counts the loop's seconds, however fast they go by."""
    clock = Clock(_START)
    clock.begin()
    await asyncio.sleep(3600)
    assert 3600 <= clock.elapsed() < 3610
    assert clock.http_date().startswith("Thu, 09 Jul 2026 13:47:")


def test_forms() -> None:
    """Times are written as HTTP and GitHub write them, and rounded up where a field is coarse."""
    assert http_date(_START) == "Thu, 09 Jul 2026 12:47:44 GMT"
    assert iso(_START) == "2026-07-09T12:47:44Z"
    assert ceil_second(_START + timedelta(milliseconds=1)) == _START + timedelta(seconds=1)
    assert ceil_second(_START) == _START
