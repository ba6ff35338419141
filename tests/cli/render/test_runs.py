"""The table of runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_artifacts_async import RepositoryName, WorkflowRun
from gh_artifacts_async.cli.render import runs, screen, tables

NOW = datetime(2026, 7, 9, 12, tzinfo=UTC)
RUNS = [
    WorkflowRun(
        id=19_000_000_001 + number,
        name="A workflow with quite a long name",
        event="workflow_dispatch",
        status="completed",
        conclusion="startup_failure",
        head_branch="feature/with-a-long-name-too",
        created_at=datetime(2026, 7, 9, 11, tzinfo=UTC),
        repository_id=1,
        head_repository_id=1 + number,
    )
    for number in range(2)
]


@pytest.mark.parametrize(
    ("width", "dropped"),
    [(200, []), (100, []), (80, ["CREATED"]), (64, ["CREATED", "EVENT"])],
)
def test_names_give_way_and_an_id_never_does(width: int, dropped: list[str]):
    """On a narrow terminal too; nor does the mark of a fork."""
    shown = tables.Table(runs.COLUMNS, screen.View(width)).page(runs.row(run, NOW) for run in RUNS)
    head, own, fork = shown.splitlines()
    assert {column.name for column in runs.COLUMNS} - {*head.split()} == {*dropped}
    assert own.split()[0] == "19000000001"
    assert fork.split()[0] == "19000000002"
    assert fork.endswith("fork")
    assert not own.endswith("fork")
    assert max(map(len, (head, own, fork))) <= width


def test_what_old_servers_do_not_say():
    """A dash."""
    shown = tables.Table(runs.COLUMNS, screen.View(80)).page([runs.row(WorkflowRun(id=7), NOW)])
    assert shown.splitlines()[1].split() == ["7", "-", "-", "-", "-", "-", "fork"]


def test_the_last_line():
    """How many."""
    repo = RepositoryName("o", "r")
    assert runs.summary(RUNS, repo=repo) == "2 runs in o/r"
    assert runs.summary([], repo=repo) == "no runs in o/r match"
