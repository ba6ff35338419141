"""The progress display as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import (
    ExtractionProgress,
    ListingProgress,
    RateLimitPause,
    RequestRetried,
    TransferBytes,
    TransferChecking,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferVerified,
)
from gh_artifacts_async.cli.render import cells, progress
from gh_artifacts_async.cli.render.progress import Board, Look
from gh_artifacts_async.cli.render.transfers import Transfers
from tests.cli.render.test_transfers import ARTIFACT, MB, OTHER, events_of

WALL = datetime(2026, 11, 27, 14, 5, 10, tzinfo=UTC)
PLAIN = Look(coloured=False)


class Shown:
    """A board, and the time."""

    def __init__(self, planned=(ARTIFACT, OTHER), look=PLAIN):
        self.transfers = Transfers(planned)
        self.board = Board(self.transfers, look)
        self.now = 100.0

    def at(self, second, *events):
        """Take events at a second."""
        self.now = 100.0 + second
        for event in events:
            self.transfers.take(event, self.now)
        return self

    def lines(self, columns=80, rows=24):
        """Return what is to be seen."""
        return self.board.lines(self.now, WALL, columns, rows)


def started(artifact=ARTIFACT, **values):
    """Return the event of a start."""
    return TransferStarted(artifact=artifact, **{"size": artifact.size_in_bytes, **values})


def received(count, artifact=ARTIFACT):
    """Return the event of bytes."""
    return TransferBytes(artifact=artifact, received=count, size=artifact.size_in_bytes)


def after(*events):
    """Return the line of a transfer whose last event was just now."""
    shown = Shown().at(0, TransferSigning(artifact=ARTIFACT)).at(2, *events)
    return " ".join(shown.lines()[1].split()[1:])


def test_a_transfer_that_goes_well():
    """Name, bar, bytes, rate and time left; the whole has the same columns, so that they stand below each other."""
    shown = Shown().at(0, started()).at(0, received(0))
    shown.lines()
    assert shown.at(1, received(MB)).lines() == [
        "0 of 2 done                 ━─────────      1.0/10.0 MB   1.0 MB/s    10 s left",
        "wheel                       ━━────────       1.0/4.0 MB                        ",
    ]
    assert shown.at(2, received(2 * MB)).lines() == [
        "0 of 2 done                 ━━────────      2.0/10.0 MB   1.0 MB/s     9 s left",
        "wheel                       ━━━━━─────       2.0/4.0 MB   1.0 MB/s     3 s left",
    ]
    assert shown.lines(60)[1] == "wheel                  ━━━━────      2.0/4.0 MB    3 s left"
    assert shown.lines(40)[1] == "wheel           ━━━───  50%    3 s left"
    assert shown.lines(31)[1] == "wheel          50%    3 s left"
    assert shown.lines(20)[1] == "wheel           50%"
    assert shown.lines(8)[1] == "wheel  "
    assert len(shown.lines(120)[1]) == 119


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([TransferChecking(artifact=ARTIFACT)], "────────── 0 B/4.0 MB checking what is there"),
        ([TransferSigning(artifact=ARTIFACT)], "────────── 0 B/4.0 MB signing URL"),
        ([started(offset=MB)], "━━──────── 1.0/4.0 MB resuming at 1.0 MB"),
        ([started(offset=MB), received(2 * MB)], "━━━━━───── 2.0/4.0 MB resumed at 1.0 MB"),
        (
            [received(2 * MB), TransferResumed(artifact=ARTIFACT, offset=0, reason="r")],
            "────────── 0 B/4.0 MB starting over",
        ),
        (
            [RequestRetried(kind="storage", what="artifact 7", reason="r", wait=4.2, attempt=1)],
            "────────── 0 B/4.0 MB retrying in 5 s",
        ),
        ([received(4 * MB)], "━━━━━━━━━━ 4.0/4.0 MB verifying"),
        (
            [
                TransferVerified(artifact=ARTIFACT, verified="digest"),
                ExtractionProgress(artifact=ARTIFACT, written=MB, total=8 * MB, members_done=1, members=4),
            ],
            "━───────── 1.0/8.0 MB extracting",
        ),
        (
            [RateLimitPause(seconds=200, kind="primary")],
            "waiting for the rate limit until 14:09",
        ),
        (
            [RateLimitPause(seconds=20, kind="secondary")],
            "waiting for the rate limit until 14:05:30",
        ),
    ],
)
def test_states(events, line):
    """Each in place of rate and time; a pause of all requests says until when, by the local clock."""
    assert after(*events) == line


def test_a_transfer_that_stalls():
    """After three seconds without a byte."""
    shown = Shown().at(0, started()).at(1, received(MB))
    assert "stalled" not in shown.at(3.9).lines()[1]
    assert shown.at(4).lines()[1].endswith("  stalled for 3 s       ")
    assert shown.lines(40)[1].endswith(" stalled    ")
    assert "stalled" not in shown.at(20, received(2 * MB)).lines()[1]


def test_a_retry_that_is_due():
    """Seconds are counted down, and not below nought."""
    retry = RequestRetried(kind="storage", what="artifact 7", reason="r", wait=4.0, attempt=1)
    shown = Shown().at(0, started()).at(1, retry)
    assert shown.at(2).lines(40)[1].endswith("retry 4 s  ")
    assert shown.at(6).lines()[1].rstrip().endswith("  retrying")


def test_a_pause_on_a_narrow_terminal():
    """Until when is what must be said, of the whole and of each."""
    shown = Shown().at(0, TransferSigning(artifact=ARTIFACT)).at(1, RateLimitPause(seconds=200, kind="primary"))
    assert shown.lines() == [
        "0 of 2 done                 ──────────      0 B/10.0 MB  rate limit until 14:09",
        "wheel                       waiting for the rate limit until 14:09",
    ]
    assert shown.lines(40) == ["0 of 2 done     rate limit until 14:09", "wheel           rate limit until 14:09"]
    assert [len(line) for line in shown.lines(20)] == [19, 19]
    shown.at(1, received(1, OTHER))
    assert "rate limit" not in shown.lines()[0]


def test_small_ones_are_not_shown():
    """What takes less than half a second would only flicker."""
    shown = Shown().at(0, started())
    assert len(shown.at(0.4).lines()) == 1
    assert len(shown.at(0.5).lines()) == 2


def finished(artifact):
    """Return the event of an end."""
    return TransferFinished(artifact=artifact, path=Path("x"), size=artifact.size_in_bytes)


def names(shown, **values):
    """Return whose the lines are."""
    return [line.split(" ")[0] for line in shown.lines(**values)[1:]]


def test_a_transfer_keeps_its_line():
    """One that has ended leaves its line to the next, else stays: the last one for a second, others for longer."""
    third = attrs.evolve(ARTIFACT, id=9, name="third")
    shown = Shown((ARTIFACT, OTHER, third)).at(0, started(), started(OTHER)).at(1)
    assert names(shown) == ["wheel", "docs"]
    shown.at(1, finished(ARTIFACT), started(third))
    assert names(shown) == ["wheel", "docs"]
    assert "  done" in shown.lines()[1]
    assert names(shown.at(1.6)) == ["third", "docs"]
    assert names(shown.at(2, finished(third))) == ["third", "docs"]
    assert names(shown.at(9)) == ["third", "docs"]
    shown.at(9, TransferFailed(artifact=OTHER, error=OSError()))
    assert "  failed" in shown.lines()[2]
    assert shown.lines()[0].startswith("2 of 3 done, 1 failed")
    assert names(shown.at(10)) == []


def test_more_than_the_terminal_has_rows():
    """So many are counted; a terminal that has become lower loses lines at the bottom."""
    many = [attrs.evolve(ARTIFACT, id=number, name=f"n{number}") for number in range(9)]
    shown = Shown(many).at(0, *(started(one) for one in many)).at(1)
    assert len(shown.lines(rows=24)) == 10
    lines = shown.lines(rows=6)
    assert [line.split(" ")[0] for line in lines] == ["0", "n0", "n1", "n2", "n3", "…"]
    assert lines[-1] == "… and 5 more active"
    assert len(shown.lines(rows=1)) <= 2
    plain = Shown(many, Look.of("ascii", coloured=False)).at(0, *(started(one) for one in many)).at(1)
    assert plain.lines(rows=6)[-1] == "... and 5 more active"


def test_counts_give_way_to_failures():
    """As many words as there is room for."""
    shown = Shown([ARTIFACT] * 1200).at(0, TransferFailed(artifact=ARTIFACT, error=OSError()))
    assert shown.lines()[0].startswith("0 of 1,200 done, 1 failed  ")
    assert shown.lines(45)[0].startswith("0/1200, 1 failed ")
    assert shown.lines(40)[0].startswith("0 of 1,200 done ")


def test_a_merge_that_waits_for_the_others():
    """What is done of it is done."""
    done = ExtractionProgress(artifact=ARTIFACT, written=9, total=9, members_done=2, members=2)
    shown = Shown().at(0, TransferSigning(artifact=ARTIFACT)).at(1)
    shown.lines()
    shown.at(2, TransferVerified(artifact=ARTIFACT, verified="digest"), done)
    assert shown.lines()[0].startswith("1 of 2 done")
    assert shown.lines()[1].rstrip().endswith("9/9 B  extracted")


def test_without_a_total():
    """A mirror's listing goes on while it fetches: how much there is, and no bar."""
    shown = Shown(None)
    assert shown.lines() == ["⠋ contacting GitHub"]
    shown.at(0, ListingProgress(page=1, items=100, total_count=2000))
    assert shown.lines() == ["⠋ listing: 100 of 2,000"]
    shown.at(1, RequestRetried(kind="api", what="GET /repos/o/r/actions/artifacts", reason="r", wait=3, attempt=1))
    assert shown.lines() == ["⠴ listing: 100 of 2,000, retrying in 4 s"]
    shown.at(1, RateLimitPause(seconds=200, kind="primary"))
    assert shown.lines() == ["⠴ waiting for the rate limit until 14:09"]
    shown = Shown(None).at(0, received(MB))
    assert shown.lines() == ["0 done                                           1.0 MB                        "]
    assert shown.lines(40) == ["0 done               1.0 MB            "]


def test_a_raw_artifact_and_an_empty_one():
    """Where there is nothing to do, it is done once it is verified."""
    empty = attrs.evolve(ARTIFACT, size_in_bytes=0)
    shown = Shown([empty]).at(0, TransferSigning(artifact=empty)).at(1)
    assert "──────────            0/0 B" in shown.lines()[1]
    shown.at(1, TransferVerified(artifact=empty, verified="none"))
    assert "━━━━━━━━━━            0/0 B" in shown.lines()[1]


def test_colours():
    """The line is coloured where that is wanted, and as wide as without."""
    plain, coloured = (
        Shown(look=look).at(0, started()).at(1, received(MB)).lines() for look in (PLAIN, Look(coloured=True))
    )
    assert [progress_line.replace("\x1b[0m", "").count("\x1b[") for progress_line in coloured] == [3, 2]
    assert len(plain) == len(coloured)


@pytest.mark.parametrize(("encoding", "full"), [("utf-8", "━"), (None, "━"), ("ascii", "#"), ("no such", "#")])
def test_a_terminal_that_has_no_such_characters(encoding, full):
    """It gets plain ones."""
    look = Look.of(encoding, coloured=False)
    assert look.bar(0.5, 4) == full * 2 + look.rest * 2
    assert look.spin(0.0) in {"⠋", "|"}
    named = Shown(look=look).at(0, started(attrs.evolve(ARTIFACT, name="résumé"))).at(1)
    first = named.lines()[1].split()[0]
    assert first == ("résumé" if full == "━" else r"r\xe9sum\xe9")


@given(
    events=st.lists(events_of(ARTIFACT) | events_of(attrs.evolve(OTHER, name="日本語\x1b[31m" * 9)), max_size=8),
    pause=st.none() | st.floats(0.1, 9000),
    columns=st.integers(1, 200),
    rows=st.integers(1, 30),
    encoding=st.sampled_from(["utf-8", "ascii", "latin-1"]),
)
def test_no_line_is_longer_than_the_screen(events, pause, columns, rows, encoding):
    """And there are no more of them than it has rows, whatever happens; nor does anything need escapes any more."""
    shown = Shown(look=Look.of(encoding, coloured=False))
    for second, event in enumerate(events):
        shown.at(second, event)
    if pause:
        shown.at(len(events), RateLimitPause(seconds=pause, kind="primary"))
    lines = shown.lines(columns, rows)
    assert all(cells.width(line) <= max(1, columns - 1) for line in lines)
    assert len(lines) <= max(2, rows)
    assert not any("\x1b" in line for line in lines)
    assert "".join(lines).encode(encoding)


def test_the_widths_of_a_layout_add_up():
    """At each width the parts fill the line, and the name has room."""
    for columns in range(31, 200):
        layout = progress.Layout.of(columns)
        parts = [layout.name, layout.bar, layout.amount, layout.state]
        used = sum(parts) + layout.gap * (sum(part > 0 for part in parts) - 1)
        assert used == layout.columns
        assert layout.name >= 13
