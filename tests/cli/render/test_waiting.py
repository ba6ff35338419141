"""A line an artifact."""

from __future__ import annotations

import attrs

from gh_artifacts_async import Artifact, ArtifactRun
from gh_artifacts_async.cli.render import screen, tables, waiting

ARTIFACT = Artifact(id=7, name="w\u202eheels", size_in_bytes=1400, url="u", archive_download_url="d", expired=False)


def line(artifact: Artifact, width: int | None = None) -> str:
    """Return what is printed of an artifact."""
    return tables.Table(waiting.COLUMNS, screen.View(width)).page([waiting.row(artifact)])


def test_what_github_does_not_say_is_left_out():
    """Id, name and size are always there; a name cannot turn the line around."""
    assert line(ARTIFACT) == "7  w\\u202eheels  1.4 kB\n"


def test_run_and_branch():
    """A branch is escaped too."""
    found = attrs.evolve(ARTIFACT, workflow_run=ArtifactRun(id=9, head_branch="a\nb"))
    assert line(found) == "7  w\\u202eheels  1.4 kB  run 9  a\\x0ab\n"
    assert line(found, 30) == "7  w\\u202eheels  1.4 kB  run 9\n"


def test_what_is_waited_for():
    """One by its name, more by their number."""
    assert waiting.waiting(["docs"], 600) == "waiting for 'docs', for up to 10 min"
    assert waiting.waiting(["docs", "wheels"], 45) == "waiting for 2 artifacts, for up to 45 s"
