"""Events as phrases and counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_artifacts_async import (
    Artifact,
    ExtractionProgress,
    ListingProgress,
    Pacing,
    RateLimitPause,
    TransferBytes,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)
from gh_artifacts_async.cli.render import events

ARTIFACT = Artifact(id=7, node_id="n", name="wheel", size_in_bytes=5, url="u", archive_download_url="d", expired=False)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (TransferStarted(artifact=ARTIFACT, size=None), "wheel: downloading"),
        (
            TransferStarted(artifact=ARTIFACT, size=2000, offset=1000),
            "wheel: downloading 2.0 kB, resuming at 1.0 kB",
        ),
        (TransferResumed(artifact=ARTIFACT, offset=0, reason="why"), "wheel: restarted (why)"),
        (TransferVerified(artifact=ARTIFACT, verified="none"), "wheel: no digest or size to verify"),
        (
            TransferFinished(artifact=ARTIFACT, path=Path("x"), size=1, skipped=True),
            "wheel: already there: x",
        ),
        (
            ExtractionProgress(artifact=ARTIFACT, written=2000, total=2000, members_done=3, members=3),
            "wheel: unpacked 3 members (2.0 kB)",
        ),
        (ExtractionProgress(artifact=ARTIFACT, written=1, total=2, members_done=0, members=3), None),
        (TransferBytes(artifact=ARTIFACT, received=1, size=2), None),
        (TransferFailed(artifact=ARTIFACT, error=OSError()), None),
    ],
)
def test_phrases(event, said):
    """What happens, in words; what is told elsewhere, or too often, is not told here."""
    assert events.phrase(event, everything=True) == said
    assert events.phrase(event, everything=False) is None


def test_a_pause_is_always_told():
    """A long silence is explained without --verbose too."""
    pause = RateLimitPause(seconds=90, kind="primary")
    assert events.phrase(pause, everything=False) == "GitHub's primary rate limit was reached; continuing in 1 min"


def test_long_pacing_is_told():
    """So is a silence before a limit; with --verbose the log has a line of its own, and short ones are none."""
    long = Pacing(seconds=42, reason="points")
    assert events.phrase(long, everything=False) == "keeping below GitHub's rate limits; continuing in 42 s"
    assert events.phrase(long, everything=True) is None
    assert events.phrase(Pacing(seconds=4.9, reason="primary"), everything=False) is None


def test_the_tally():
    """What is resumed, what starts over, and renewed URLs are counted apart; other events do not count."""
    tally = events.Tally()
    for event in (
        ListingProgress(page=1, items=1, total_count=1),
        TransferResumed(artifact=ARTIFACT, offset=5, reason="why"),
        TransferResumed(artifact=ARTIFACT, offset=0, reason="why"),
        TransferURLRenewed(artifact=ARTIFACT, reason="why"),
        TransferBytes(artifact=ARTIFACT, received=1, size=2),
    ):
        tally(event)
    assert tally == events.Tally(pages=1, resumed=1, restarted=1, renewed=1)


def test_the_tally_of_pauses(monkeypatch):
    """One that prolongs another counts by as much as it does."""
    now = iter([100.0, 110.0, 115.0, 300.0])
    monkeypatch.setattr(events.time, "monotonic", lambda: next(now))
    tally = events.Tally()
    for seconds in (60, 20, 60, 5):
        tally(RateLimitPause(seconds=seconds, kind="primary"))
    assert tally.paused == 60 + 15 + 5
