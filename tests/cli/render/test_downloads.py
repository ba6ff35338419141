"""Downloads as lines, and the table of a dry run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_artifacts_async import Artifact, DownloadResult, ExtractedMember, PlannedDownload
from gh_artifacts_async.cli.render import downloads, tables
from gh_artifacts_async.cli.render.events import Tally
from gh_artifacts_async.cli.render.screen import View

ARTIFACT = Artifact(
    id=7, node_id="n", name="wheel", size_in_bytes=2_000_000, url="u", archive_download_url="d", expired=False
)


def result(**values) -> DownloadResult:
    """Return the result of a download."""
    given = {"path": Path("wheel.zip"), "size": 2_000_000, "digest": None, "verified": "digest", **values}
    return DownloadResult(artifact=ARTIFACT, **given)


MEMBER = ExtractedMember(name="a", size=1, path=Path("wheel/a"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "   2.0 MB  sha256 ok      wheel.zip\n"),
        ({"verified": "size"}, "   2.0 MB  size ok        wheel.zip\n"),
        ({"verified": "none"}, "   2.0 MB  unverified     wheel.zip\n"),
        ({"skipped": True}, "   2.0 MB  already there  wheel.zip\n"),
        ({"resumed_from": 500}, "   2.0 MB  sha256 ok      wheel.zip  (resumed at 500 B)\n"),
        ({"path": Path("w\x1b"), "members": (MEMBER,)}, "   2.0 MB  sha256 ok      w\\x1b  (1 file)\n"),
    ],
)
def test_lines(values, said):
    """Size, how it was verified, and where it is."""
    assert downloads.line(result(**values)) == said


@pytest.mark.parametrize(
    ("results", "failed", "tally", "said"),
    [
        ([], 0, Tally(), "nothing to download"),
        ([result(skipped=True)], 0, Tally(), "1 artifact already in out"),
        ([], 1, Tally(resumed=2, renewed=1), "1 failed; 2 broken transfers resumed; 1 expired URL renewed"),
        ([result()], 0, Tally(), "1 artifact downloaded to out (2.0 MB in 2.0 s, 1.0 MB/s)"),
        (
            [result(resumed_from=1_000_000), result(skipped=True)],
            2,
            Tally(restarted=1),
            "1 artifact downloaded to out (1.0 MB in 2.0 s, 500 kB/s); 1 already there; 2 failed; 1 transfer restarted",
        ),
        (
            [result(members=(MEMBER, MEMBER))],
            0,
            Tally(),
            "1 artifact downloaded to out (2.0 MB in 2.0 s, 1.0 MB/s), 1 zip unpacked",
        ),
    ],
)
def test_totals(results, failed, tally, said):
    """What came over the network, what was there, what failed, and what was recovered."""
    assert downloads.total(results, failed, 2.0, tally, "out") == said


def test_expired_ones_are_named_up_to_a_number():
    """Three names are enough for a line."""
    assert downloads.expired([ARTIFACT]) == "skipped (expired): wheel"
    assert downloads.expired([ARTIFACT] * 5) == "skipped (expired): wheel, wheel, wheel and 2 more"


PLANS = [
    PlannedDownload(artifact=ARTIFACT, path=Path("a.zip"), action="download", bytes=2_000_000),
    PlannedDownload(artifact=ARTIFACT, path=Path("b.zip"), action="resume", bytes=500_000),
    PlannedDownload(artifact=ARTIFACT, path=Path("c.zip"), action="skip", bytes=0),
    PlannedDownload(artifact=ARTIFACT, path=Path("d.zip"), action="conflict", bytes=0),
]


def test_a_plan_as_a_table(capsys):
    """A line an artifact: what would be done with it, and where."""
    tables.show(downloads.PLAN_COLUMNS, map(downloads.plan_row, PLANS))
    assert capsys.readouterr().out.splitlines() == [
        "ID  NAME     SIZE  ACTION                 PATH",
        " 7  wheel  2.0 MB  download               a.zip",
        " 7  wheel  2.0 MB  resume (500 kB left)   b.zip",
        " 7  wheel  2.0 MB  skip (already there)   c.zip",
        " 7  wheel  2.0 MB  conflict (path taken)  d.zip",
    ]


def test_a_plan_as_a_line():
    """How much would be fetched, and what would not."""
    said = "would download 2 artifacts (2.5 MB) to out and unpack the zips; 1 already there; 1 conflict"
    assert downloads.plan_total(PLANS, "out", extract=True) == said
    assert downloads.plan_total([], "out", extract=True) == "nothing to download"


def results_of(count, **values):
    """Return results of so many downloads."""
    return [result(path=Path(f"out/wheel-{number}.zip"), **values) for number in range(count)]


def test_a_table_of_what_was_downloaded():
    """What was there already is not in it."""
    found = [*results_of(1, resumed_from=500), *results_of(1, members=(MEMBER,)), result(skipped=True)]
    assert downloads.table(found, View(80)).splitlines() == [
        "NAME     SIZE  VERIFIED   DETAILS           PATH",
        "wheel  2.0 MB  sha256 ok  resumed at 500 B  out/wheel-0.zip",
        "wheel  2.0 MB  sha256 ok  1 file            out/wheel-0.zip",
    ]


@pytest.mark.parametrize(
    ("columns", "last"),
    [
        (45, "wheel  2.0 MB  sha256 ok  out/wheel-0.zip"),
        (40, "wheel  2.0 MB  sha256 ok  out/wheel….zip"),
        (30, "wheel  2.0 MB  sha256 ok"),
        (22, "wh…  2.0 MB  sha256 ok"),
        (20, "wheel  2.0 MB"),
    ],
)
def test_a_table_on_a_narrow_terminal(columns, last):
    """Details, then the path, then the name, then how it was verified give way."""
    lines = downloads.table(results_of(1, resumed_from=500), View(columns)).splitlines()
    assert lines[1] == last
    assert all(len(line) <= columns for line in lines)


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (20, 21), (21, 0)])
def test_a_long_table_is_none(count, lines):
    """It would push what was on the screen off it; the total says how many there are."""
    assert downloads.table(results_of(count), View(80)).count("\n") == lines


def test_a_pause_is_part_of_the_total():
    """It explains why it took so long."""
    said = downloads.total([result()], 0, 90.0, Tally(paused=61.0), "out")
    assert said.endswith("; waited 1 min 1 s for GitHub's rate limit")
