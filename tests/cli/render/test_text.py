"""Words and numbers for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.cli.render import text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (532, "532 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_400_000, "1.4 MB"),
        (99_940_000, "99.9 MB"),
        (120_000_000, "120 MB"),
        (999_960_000, "1.0 GB"),
        (5e18, "5000 PB"),
    ],
)
def test_sizes(count, said):
    """Three digits are enough for a person."""
    assert text.size(count) == said


def test_exact_sizes():
    """Bytes are told once."""
    assert text.exact_size(283) == "283 B"
    assert text.exact_size(1_434_216) == "1.4 MB (1,434,216 bytes)"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (0.5, "0 s"), (59, "59 s"), (150, "2 min"), (7300, "2 h"), (90 * 86400, "90 d")]
)
def test_spans(seconds, said):
    """The biggest unit that fits."""
    assert text.span(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.1, "1 s"), (58.9, "59 s"), (59, "1:00"), (125.5, "2:06"), (3600, "1h 00m"), (35999, "10 h"), (200_000, "2 d")],
)
def test_countdowns(seconds, said):
    """Never longer than six characters, and never nought."""
    assert text.countdown(seconds) == said
    assert len(said) <= 6


@pytest.mark.parametrize(("seconds", "said"), [(0.4213, "0.42 s"), (12.34, "12.3 s"), (125, "2 min 5 s")])
def test_durations(seconds, said):
    """How long something took."""
    assert text.duration(seconds) == said


def test_ages():
    """Before and after now; a dash for what GitHub does not say."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert text.age(now - timedelta(hours=3), now) == "3 h ago"
    assert text.ahead(now + timedelta(days=89), now) == "in 89 d"
    assert text.age(None, now) == text.ahead(None, now) == "-"


def test_counts():
    """One is singular."""
    assert text.count(1, "page") == "1 page"
    assert text.count(2500, "artifact") == "2,500 artifacts"


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain", "plain"),
        ("日本語 é", "日本語 é"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", "\\u2066\\u2069\\u200e\\u200f\\u061c"),
        ("\u2028\ufeff\ud800", "\\u2028\\ufeff\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_escapes(foreign, shown):
    """Nothing is left that a terminal would obey."""
    assert text.escaped(foreign) == shown
