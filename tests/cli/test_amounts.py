"""Lengths of time and sizes as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gh_artifacts_async.cli import amounts
from gh_artifacts_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("2w", timedelta(weeks=2)),
        ("90 min", timedelta(minutes=90)),
        ("1.5H", timedelta(minutes=90)),
        ("0s", timedelta()),
    ],
)
def test_lengths_of_time(text, length):
    """A number and a unit."""
    assert amounts.period("--older-than", text) == length


@pytest.mark.parametrize(
    "text", ["", "30", "30m", "d", "-1d", "1e3d", "1d12h", "٣d", "999999999999d", "9" * 5000 + "d", "30d\n"]
)
def test_what_is_no_length_of_time(text):
    """A number alone could be anything; the error names the option."""
    with pytest.raises(ConfigurationError, match=r"^--older-than must be a length of time such as 30d, 12h or 2w, not"):
        amounts.period("--older-than", text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("400MB", 400_000_000),
        ("1GiB", 2**30),
        ("1.5 kb", 1500),
        ("2T", 2 * 10**12),
        ("7", 7),
        ("7B", 7),
        ("0", 0),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes(text, size):
    """Powers of 1000, or of 1024 with an i; a number alone is bytes."""
    assert amounts.size("--max-total", text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "4 parsecs", "1,000MB", "1..5MB", "9" * 5000, "9" * 400 + ".5TB"])
def test_what_is_no_size(text):
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=r"^--max-total must be a size such as 400MB or 1GiB, not"):
        amounts.size("--max-total", text)


def test_limits():
    """A number, or all of them."""
    assert amounts.limit("30") == 30
    assert amounts.limit("007") == 7
    assert amounts.limit("all") is None
    for text in ("", "0", "-3", "1_000", "ALL", "\u0663", "1" * 19):
        with pytest.raises(ConfigurationError, match="--limit must be a whole number of 1 or more, or all, not"):
            amounts.limit(text)


@pytest.mark.parametrize("given", [0, -1.5, float("nan"), float("inf")])
def test_what_is_no_number_of_seconds(given):
    """A bound that has passed already, or that never comes."""
    with pytest.raises(ConfigurationError, match=rf"^--timeout must be a number of seconds above 0, not {given:g}$"):
        amounts.seconds("--timeout", given)


def test_seconds():
    """What is not given stays so."""
    assert amounts.seconds("--timeout", None) is None
    assert amounts.seconds("--timeout", 0.5) == 0.5


def test_whole_numbers():
    """What is not one is None, and so is what no ID or count can be; a workflow is one, or a name."""
    assert [amounts.whole(text) for text in ("7", "007", "0", "-1", "1.5", "x", "", "\u0667", "9" * 5000)] == [7, 7] + [
        None
    ] * 7
    assert [amounts.workflow(text) for text in ("7", "ci.yml", "9" * 5000, None)] == [7, "ci.yml", "9" * 5000, None]
