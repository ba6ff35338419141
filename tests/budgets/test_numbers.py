"""What budgets that processes share are given alike."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ConfigurationError
from gh_artifacts_async.budgets import numbers


@pytest.mark.parametrize(
    ("key", "points", "interval", "match"),
    [
        ("", 840, 1.0, "key must be"),
        (None, 840, 1.0, "key must be"),
        ("bot", 4, 1.0, "points_per_minute must be an integer of 5 or more, not 4"),
        ("bot", 8.5, 1.0, "points_per_minute"),
        ("bot", 840, -1, "mutation_interval must be a number of 0 or more, or None for off, not -1"),
        ("bot", 840, "1", "mutation_interval"),
    ],
)
def test_what_is_refused(key, points, interval, match):
    """In one sentence that says what is allowed."""
    with pytest.raises(ConfigurationError, match=match):
        numbers.check(key, points, interval)


@pytest.mark.parametrize("interval", [None, 0, 1.0])
def test_what_is_taken(interval):
    """None is off."""
    numbers.check("bot", 5, interval)
