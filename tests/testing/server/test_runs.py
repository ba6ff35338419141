"""The operations on workflow runs."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


async def test_runs_tell_of_forks_and_pull_requests(github: FakeGitHub, probe: Probe) -> None:
    """A run from a fork names it, one whose fork is gone names none; pull requests can be left out."""
    fork = github.add_run(REPO, head_repository="fork-er/octo-docs", pull_requests=[7])
    gone = github.add_run(REPO, head_repository=None)
    got = (await probe.api(f"/actions/runs/{fork.id}")).json
    assert got["head_repository"]["full_name"] == "fork-er/octo-docs"
    assert got["head_repository"]["fork"] is True
    assert [pull["number"] for pull in got["pull_requests"]] == [7]
    assert (await probe.api(f"/actions/runs/{gone.id}")).json["head_repository"] is None
    bare = (await probe.api("/actions/runs?exclude_pull_requests=true")).json["workflow_runs"]
    assert [item["pull_requests"] for item in bare] == [[], []]
    artifact = github.add_artifact(gone, "x")
    assert (await probe.api(f"/actions/artifacts/{artifact}")).json["workflow_run"]["head_repository_id"] is None


async def test_deleting_a_run_takes_its_artifacts(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A run's artifacts go with it."""
    artifact = github.add_artifact(run, "x")
    kept = github.add_artifact(github.add_run(REPO), "x")
    assert (await probe.api(f"/actions/runs/{run.id}", "DELETE")).status == 204
    assert artifact not in github.scenario.artifacts
    assert kept in github.scenario.artifacts


async def test_attempts(github: FakeGitHub, probe: Probe) -> None:
    """A run that is started again keeps its earlier attempts as they were."""
    run = github.add_run(REPO, conclusion="failure", created_at="2026-07-01T08:00:00Z")
    github.update_run(
        run, attempt=2, status="in_progress", conclusion=None, run_started_at=datetime(2026, 7, 1, 9, tzinfo=UTC)
    )
    path = f"/actions/runs/{run.id}/attempts"
    first, second = (await probe.api(f"{path}/1")).json, (await probe.api(f"{path}/2")).json
    assert (first["run_attempt"], first["conclusion"], first["previous_attempt_url"]) == (1, "failure", None)
    assert (first["run_started_at"], second["run_started_at"]) == ("2026-07-01T08:00:00Z", "2026-07-01T09:00:00Z")
    assert second == (await probe.api(f"/actions/runs/{run.id}")).json
    assert second["previous_attempt_url"].endswith(f"/runs/{run.id}/attempts/1")
    for number in (0, 3):
        assert (await probe.api(f"{path}/{number}")).status == 404
        assert (await probe.api(f"{path}/{number}/jobs")).status == 404


async def test_attempts_that_were_not_recorded(github: FakeGitHub, probe: Probe) -> None:
    """A run that is added with several attempts failed in the earlier ones; pull requests can be left out."""
    run = github.add_run(REPO, attempt=3, pull_requests=[7])
    path = f"/actions/runs/{run.id}/attempts/2"
    found = (await probe.api(path)).json
    assert (found["run_attempt"], found["conclusion"], len(found["pull_requests"])) == (2, "failure", 1)
    assert (await probe.api(f"{path}?exclude_pull_requests=true")).json["pull_requests"] == []


async def test_jobs(github: FakeGitHub, probe: Probe) -> None:
    """Jobs are listed for a run's latest attempt, for all of them, or for one; each can be got by its number."""
    run = github.add_run(REPO, attempt=2, jobs=["build", "test"])
    path = f"/actions/runs/{run.id}"
    latest = (await probe.api(f"{path}/jobs")).json
    assert [(job["name"], job["run_attempt"], job["conclusion"]) for job in latest["jobs"]] == [
        ("build", 2, "success"),
        ("test", 2, "success"),
    ]
    every = await probe.walk(f"{path}/jobs?filter=all&per_page=3")
    first = await probe.walk(f"{path}/attempts/1/jobs")
    assert every == first + [job["id"] for job in latest["jobs"]]
    assert len(set(every)) == 4
    for job in latest["jobs"]:
        assert (await probe.api(f"/actions/jobs/{job['id']}")).json == job
    other = github.add_run("octo-org/other")
    for number in (1, run.job_id(2), other.job_id(0)):
        assert (await probe.api(f"/actions/jobs/{number}")).status == 404


async def test_jobs_that_are_running(github: FakeGitHub, probe: Probe) -> None:
    """A job of a run that is not completed has no end and no conclusion."""
    run = github.add_run(REPO, status="queued", conclusion=None)
    (job,) = (await probe.api(f"/actions/runs/{run.id}/jobs")).json["jobs"]
    assert (job["status"], job["conclusion"], job["completed_at"]) == ("queued", None, None)
    assert job["runner_name"] is None
