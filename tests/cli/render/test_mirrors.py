"""What is said of a mirror."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from gh_artifacts_async import ArtifactRef, Failure, MirroredArtifact, MirrorReport
from gh_artifacts_async.cli.render import mirrors, screen, tables

ENTRY = MirroredArtifact(id=7, name="docs", path=PurePosixPath("main/docs\x1b.zip"), size=1_200_000)


def test_rows() -> None:
    """A line for what is new and for what was removed, with nothing that controls a terminal."""
    report = MirrorReport(fetched=(ENTRY,), kept=(ENTRY,), removed=(ENTRY,))
    shown = Path("out", "main", "docs\\x1b.zip")
    lines = tables.Table(mirrors.COLUMNS, screen.View()).page(mirrors.rows(report, "out"))
    assert lines == f"1.2 MB  new      {shown}\n1.2 MB  removed  {shown}\n"


def test_total() -> None:
    """One line for the whole: what is not there is not mentioned."""
    failure = Failure(artifact=ArtifactRef("o/r", 7), error=OSError())
    full = MirrorReport(
        fetched=(ENTRY,), kept=(ENTRY,) * 2000, removed=(ENTRY,), failed=(failure,), bytes_fetched=1_200_000
    )
    said = "1 artifact new in out (1.2 MB downloaded in 2.0 s); 2,000 already there; 1 removed; 1 failed"
    assert mirrors.total(full, 2.0, "out") == said
    assert mirrors.total(MirrorReport(), 0.1, "out") == "nothing new in out"
