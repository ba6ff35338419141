"""Artifacts as tables, and a line about a listing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from gh_artifacts_async import Artifact, ArtifactRun, RepositoryName
from gh_artifacts_async.cli.render import artifacts, screen, tables

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPO = RepositoryName("octo-org", "octo-docs")
FRESH = Artifact(
    id=7,
    node_id="n",
    name="wheel",
    size_in_bytes=1_400_000,
    url="https://api.github.com/u",
    archive_download_url="d",
    expired=False,
    created_at=NOW - timedelta(hours=3),
    expires_at=NOW + timedelta(days=90),
    workflow_run=ArtifactRun(id=9, repository_id=1, head_repository_id=1, head_branch="main", head_sha="abc"),
    repository=REPO,
)
OLD = Artifact(id=6, node_id="n", name="old", size_in_bytes=9, url="u", archive_download_url="d", expired=True)


def test_a_table(capsys):
    """A line an artifact; a dash for what GitHub does not say."""
    artifacts.show([FRESH, OLD], NOW)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["ID", "NAME", "SIZE", "CREATED", "EXPIRES", "RUN", "BRANCH"],
        ["7", "wheel", "1.4", "MB", "3", "h", "ago", "in", "90", "d", "9", "main"],
        ["6", "old", "9", "B", "-", "expired", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("run", "fork"),
    [
        (None, False),
        (ArtifactRun(id=9), False),
        (ArtifactRun(id=9, repository_id=1, head_repository_id=1), False),
        (ArtifactRun(id=9, repository_id=1), False),
        (ArtifactRun(id=9, repository_id=1, head_repository_id=2), True),
    ],
)
def test_the_row_of_a_fork_says_so(run, fork, capsys):
    """Where GitHub says both repositories, and they differ."""
    artifacts.show([attrs.evolve(FRESH, workflow_run=run)], NOW)
    head, row = capsys.readouterr().out.splitlines()
    assert head.endswith("FORK") == row.endswith("fork") == fork


def test_details():
    """Names and values, absolute times with relative ones."""
    shown = tables.pairs(artifacts.details(FRESH, NOW), screen.View())
    assert "size        1.4 MB (1,400,000 bytes)\n" in shown
    assert "created     2025-12-31 21:00:00 UTC (3 h ago)\n" in shown
    assert "expires     2026-04-01 00:00:00 UTC (in 90 d)\n" in shown
    assert "digest      none (a download can only be checked by its size)\n" in shown
    shown = tables.pairs(artifacts.details(OLD, NOW), screen.View())
    assert "expires     expired\n" in shown
    assert "updated     -\n" in shown


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        ([FRESH], {}, "1 artifact in octo-org/octo-docs, 1.4 MB"),
        ([FRESH, OLD], {"run": 9}, "2 artifacts in run 9 of octo-org/octo-docs, 1.4 MB; 1 expired"),
        ([FRESH], {"name": "wheel"}, "1 artifact named 'wheel' in octo-org/octo-docs, 1.4 MB"),
        ([], {}, "no artifacts in octo-org/octo-docs"),
        ([], {"name": "x", "run": 9}, "no artifacts named 'x' in run 9 of octo-org/octo-docs"),
    ],
)
def test_summaries(found, asked, said):
    """How many, how large, and how many of them have expired; expired ones take no space."""
    assert artifacts.summary(found, repo=REPO, **{"run": None, "name": None, **asked}) == said
