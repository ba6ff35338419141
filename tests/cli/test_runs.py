from __future__ import annotations

import pytest

from tests.cli.conftest import REPO

pytestmark = pytest.mark.realtime


def test_runs_shows_a_table_and_a_total(server, cli):
    """What a run is called, what it came to, and where; a fork's row says so."""
    done = server.run(workflow="ci.yml", workflow_name="Tests", branch="main")
    fork = server.run(workflow="ci.yml", workflow_name="Tests", branch="patch-1", head_repository="mona/octo-docs")
    failed = server.run(workflow="docs.yml", status="in_progress", conclusion=None, event="schedule")
    ran = cli("runs", REPO)
    assert ran.code == 0
    head, *lines = ran.out.splitlines()
    assert head.split() == ["ID", "WORKFLOW", "STATUS", "EVENT", "BRANCH", "CREATED", "FORK"]
    rows = {int(line.split()[0]): line for line in lines}
    assert rows.keys() == {done.id, fork.id, failed.id}
    assert rows[fork.id].endswith("fork")
    assert not rows[done.id].endswith("fork")
    for word in ("Tests", "success", "push", "main"):
        assert word in rows[done.id]
    assert "in_progress" in rows[failed.id]
    assert "schedule" in rows[failed.id]
    assert ran.err == f"3 runs in {REPO}\n"


def test_without_forks_there_is_no_such_column(server, cli):
    """It would be empty."""
    server.run()
    assert "FORK" not in cli("runs", REPO).out


def test_the_filters_are_githubs(server, cli):
    """A workflow by file or id, a branch, an event, a status, and a limit."""
    one = server.run(workflow="ci.yml", branch="main")
    two = server.run(workflow="docs.yml", branch="dev", event="schedule", conclusion="failure")
    for words, wanted in (
        (["--workflow", "ci.yml"], [one.id]),
        (["--workflow", one.workflow_id], [one.id]),
        (["--branch", "dev"], [two.id]),
        (["-b", "main"], [one.id]),
        (["--event", "schedule"], [two.id]),
        (["--status", "failure"], [two.id]),
        (["--status", "queued"], []),
        (["-w", "ci.yml", "-e", "push", "-s", "success", "-L", "5"], [one.id]),
        ([], [two.id, one.id]),
    ):
        assert [found["id"] for found in cli("runs", REPO, "--json", *words).document] == wanted
    ran = cli("runs", REPO, "--limit", 1)
    assert len(ran.out.splitlines()) == 2
    assert ran.err == "\u2026 and 1 more (--limit all)\n"


def test_nothing_fits(server, cli):
    """An empty table is no error, but is explained."""
    server.run()
    ran = cli("runs", REPO, "--branch", "absent")
    assert (ran.code, ran.out, ran.err) == (0, "", f"no runs in {REPO} match\n")
    assert cli("runs", REPO, "--branch", "absent", "--json").document == []


def test_a_limit_below_0_is_a_usage_error(cli):
    """As for list."""
    ran = cli("runs", REPO, "--limit=-1")
    assert ran.code == 2
    assert "--limit must be" in ran.err
