"""The table of runs."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from gh_artifacts_async import RepositoryName, WorkflowRun
from gh_artifacts_async.cli.render import runs

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


@pytest.mark.parametrize("width", [200, 100, 80, 60])
def test_names_give_way_and_an_id_never_does(width: int):
    """On a narrow terminal too; nor does the mark of a fork."""
    out = io.StringIO()
    Console(file=out, width=width).print(runs.table(RUNS, NOW))
    _, own, fork = out.getvalue().splitlines()
    assert own.split()[0] == "19000000001"
    assert fork.split()[0] == "19000000002"
    assert fork.rstrip().endswith("fork")
    assert not own.rstrip().endswith("fork")


def test_what_old_servers_do_not_say():
    """A dash."""
    out = io.StringIO()
    Console(file=out, width=80).print(runs.table([WorkflowRun(id=7)], NOW))
    assert out.getvalue().splitlines()[1].split() == ["7", "-", "-", "-", "-", "-", "fork"]


def test_the_last_line():
    """How many, and whether there may be more."""
    repo = RepositoryName("o", "r")
    assert runs.summary(RUNS, repo=repo, limit=20) == "2 runs in o/r"
    assert runs.summary(RUNS, repo=repo, limit=2) == "2 runs in o/r; there may be more (--limit 4)"
    assert runs.summary([], repo=repo, limit=2) == "no runs in o/r match"
