"""The filters of the listing of runs."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe, links


async def test_run_filters(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Runs are found by branch, event, status or conclusion, commit, actor and time; unknown filters are ignored."""
    other = github.add_run(
        REPO,
        workflow="nightly.yml",
        branch="dev",
        event="schedule",
        conclusion="failure",
        actor="hubot",
        head_sha="ab" * 20,
    )
    running = github.add_run(REPO, status="in_progress", conclusion=None, created_at="2020-01-01T00:00:00Z")
    for query, expected in {
        "branch=dev": [other.id],
        "event=schedule": [other.id],
        "status=failure": [other.id],
        "status=in_progress": [running.id],
        "actor=hubot": [other.id],
        "actor=HuBot": [other.id],
        f"head_sha={'ab' * 20}": [other.id],
        f"check_suite_id={other.id + 1}": [other.id],
        "created=<2020-01-02": [running.id],
        "nonsense=1": [other.id, run.id, running.id],
    }.items():
        assert await probe.walk(f"/actions/runs?{query}") == expected, query


@pytest.mark.parametrize(
    ("expression", "within"),
    [
        ("2026-07-01", True),
        ("2026-07-02", False),
        ("2026-07-01..2026-07-01", True),
        ("*..2026-06-30", False),
        ("2026-07-01T12:00:00Z..*", True),
        (">=2026-07-01T12:00:00Z", True),
        (">2026-07-01T12:00:00Z", False),
        ("<=2026-07-01", True),
        ("<2026-07-01", False),
        ("*..9999-12-31", True),
        ("2026-07-01T14:00:00%2B02:00..*", True),
        ("2026-07-01T14:00:00+02:00..*", False),
        ("2026-07-01..", False),
        ("..2026-07-01", False),
        ("2026-06-01..2026-08-01..", False),
        ("2026-13-01", False),
        ("yesterday", False),
        (">", False),
        ("*", False),
        ("", False),
    ],
)
async def test_times_of_runs(github: FakeGitHub, probe: Probe, expression: str, within: bool) -> None:  # noqa: FBT001
    """GitHub's syntax of time spans; nothing matches what is none."""
    run = github.add_run(REPO, created_at="2026-07-01T12:00:00Z")
    assert await probe.walk(f"/actions/runs?created={expression}") == ([run.id] if within else [])


async def test_a_filtered_listing_ends_at_a_thousand(github: FakeGitHub, probe: Probe) -> None:
    """GitHub shows no more than 1,000 results of a search, and all runs without one."""
    for number in range(1001):
        github.add_run(REPO, run_number=number + 1)
    last = await probe.api("/actions/runs?branch=main&per_page=100&page=10")
    assert (last.json["total_count"], len(last.json["workflow_runs"])) == (1001, 100)
    assert "next" not in links(last.headers["Link"])
    assert "next" in links((await probe.api("/actions/runs?per_page=100&page=10")).headers["Link"])
