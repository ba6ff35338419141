"""Plans as tables, lines and documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactRun,
    CleanupPlan,
    PlannedArtifact,
    RepositoryName,
    RetentionPolicy,
)
from gh_artifacts_async.cli.render import cleanup, tables

NOW = datetime(2026, 7, 1, tzinfo=UTC)
REPO = RepositoryName("octo-org", "octo-docs")


def artifact(number: int, **values: Any) -> Artifact:
    """Return an artifact of a week ago."""
    fields: dict[str, Any] = {"name": "docs", "size_in_bytes": 1000, "expired": False, "repository": REPO, **values}
    return Artifact(id=number, url="u", archive_download_url="d", created_at=NOW - timedelta(days=7), **fields)


def plan(delete: list[Any], keep: list[Any] | None = None) -> CleanupPlan:
    """Return a plan whose reasons are all the same."""
    gone, kept = ([PlannedArtifact(it, "a reason") for it in part] for part in (delete, keep or []))
    return CleanupPlan(delete=tuple(gone), keep=tuple(kept), created_at=NOW, repository=REPO)


def test_a_table(capsys):
    """A line an artifact; hostile names are shown, not obeyed; a reference has nothing to show."""
    run = ArtifactRun(id=1, head_branch="ma\x1bin")
    deletes = plan([artifact(7, name="[red]x", workflow_run=run), artifact(8), ArtifactRef(REPO, 9)])
    tables.show(cleanup.COLUMNS, cleanup.rows(deletes, NOW))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["ID", "NAME", "SIZE", "CREATED", "BRANCH", "WHY"],
        ["7", "[red]x", "1.0", "kB", "7", "d", "ago", "ma\\x1bin", "a", "reason"],
        ["8", "docs", "1.0", "kB", "7", "d", "ago", "-", "a", "reason"],
    ]


@pytest.mark.parametrize(
    ("reason", "branch", "said"),
    [
        ("not among the 3 newest named 'docs' on main", "main", "not among the 3 newest"),
        (
            "not among the newest named 'docs' without a known branch",
            None,
            "not among the newest named 'docs' without a known branch",
        ),
        ("older than 30 days", "main", "older than 30 days"),
        ("among the oldest, to get down to 100,000,000 bytes", "main", "over 100 MB in all"),
    ],
)
def test_a_reason_does_not_repeat_its_row(reason, branch, said, capsys):
    """The name and the branch stand beside it."""
    found = artifact(7, workflow_run=branch and ArtifactRun(id=1, head_branch=branch))
    planned = CleanupPlan(delete=(PlannedArtifact(found, reason),), keep=(), created_at=NOW, repository=REPO)
    tables.show(cleanup.COLUMNS, cleanup.rows(planned, NOW))
    assert capsys.readouterr().out.rstrip().endswith(f"  {said}")


@pytest.mark.parametrize(
    ("delete", "keep", "limit", "applies", "said"),
    [
        ([], [], None, False, ["nothing to delete; 0 artifacts (0 B) kept"]),
        (
            [artifact(1)],
            [artifact(2), artifact(3, expired=True)],
            1000,
            False,
            [
                "kept: 2 artifacts (a reason)",
                "would delete 1 artifact (1.0 kB); 2 artifacts (1.0 kB) kept",
                "nothing was deleted; add --apply to delete them",
            ],
        ),
        (
            [artifact(1)],
            [artifact(2)],
            999,
            True,
            [
                "kept: 1 artifact (a reason)",
                "deleting 1 artifact (1.0 kB); 1 artifact (1.0 kB) kept",
                "that is more than 999 B, but nothing else may be deleted",
            ],
        ),
    ],
)
def test_what_is_said_about_a_plan(delete, keep, limit, applies, said):
    """What goes, what stays, and what to do."""
    policy = RetentionPolicy(older_than=timedelta(), max_total_bytes=limit)
    assert list(cleanup.plan_notes(plan(delete, keep), policy, applies=applies, verbose=True)) == said


def test_the_question_and_the_lines_after_it():
    """What has expired frees nothing."""
    found = [artifact(1, name="a\u200fb"), artifact(2, expired=True)]
    assert cleanup.question(found, REPO) == "Delete 2 artifacts (1.0 kB) from octo-org/octo-docs? [y/N] "
    assert cleanup.deleted(found[0]).values == ("1.0 kB", "deleted", "1", "a\u200fb")
    assert cleanup.total(found, 0) == "2 artifacts deleted, 1.0 kB freed"
    assert cleanup.total([], 3) == "0 artifacts deleted, 0 B freed; 3 failed"


def test_a_document():
    """An artifact as GitHub writes it, and the reason; of a reference, what is known."""
    document = cleanup.document(plan([artifact(7)], [ArtifactRef(REPO, 9, "logs")]))
    (gone,), (kept,) = document.pop("delete"), document.pop("keep")
    assert document == {
        "repository": "octo-org/octo-docs",
        "created_at": "2026-07-01T00:00:00Z",
        "bytes_freed": 1000,
        "bytes_kept": 0,
    }
    assert (gone["id"], gone["size_in_bytes"], gone["reason"]) == (7, 1000, "a reason")
    assert kept == {"id": 9, "name": "logs", "reason": "a reason"}
    assert cleanup.document(CleanupPlan.of([]))["repository"] is None
