"""Which attempt of a run an artifact belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.protocol.run_attempts import attempt_of, attempt_to_ask

START = datetime(2026, 7, 9, 12, tzinfo=UTC)
seconds = st.integers(0, 40)


def after(number):
    """A time some seconds later."""
    return START + timedelta(seconds=number)


@pytest.mark.parametrize(("created", "attempt"), [(0, 1), (99, 1), (100, 2), (199, 2), (200, 3), (5000, 3)])
def test_an_attempt_lasts_until_the_next_one_starts(created, attempt):
    """What was uploaded in the second in which an attempt started is that attempt's."""
    starts = {1: after(50), 2: after(100), 3: after(200)}
    assert attempt_of(after(created), starts) == attempt
    assert attempt_to_ask(after(created), starts) is None


@given(st.lists(seconds, min_size=1, max_size=6, unique=True), seconds)
def test_only_the_attempts_that_matter_are_asked_for(offsets, created):
    """Asked from the latest one back, the answer is that of all of them; the first is never asked for, none twice."""
    known = dict(enumerate(map(after, sorted(offsets)), start=1))
    starts = {len(known): known[len(known)]}
    asked = []
    while (number := attempt_to_ask(after(created), starts)) is not None:
        asked.append(number)
        starts[number] = known[number]
    found = attempt_of(after(created), starts)
    assert found == attempt_of(after(created), known)
    assert asked == list(range(len(known) - 1, max(found, 2) - 1, -1))
