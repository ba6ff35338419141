"""The operations on workflow runs."""

from __future__ import annotations

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


async def test_runs_of_a_workflow(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A workflow is named by its file or its number; one that never ran is not there."""
    other = github.add_run(REPO, workflow="nightly.yml")
    again = github.add_run(REPO, workflow="ci.yml")
    assert (run.run_number, other.run_number, again.run_number) == (1, 1, 2)
    assert await probe.walk("/actions/workflows/ci.yml/runs") == [again.id, run.id]
    assert await probe.walk(f"/actions/workflows/{other.workflow_id}/runs") == [other.id]
    assert (await probe.api("/actions/workflows/none.yml/runs")).status == 404


async def test_runs_tell_of_forks_and_pull_requests(github: FakeGitHub, probe: Probe) -> None:
    """A run from a fork names it, one whose fork is gone names none; pull requests can be left out."""
    fork = github.add_run(REPO, head_repository="fork-er/octo-docs", pull_requests=[7])
    gone = github.add_run(REPO, head_repository=None)
    told = (await probe.api(f"/actions/runs/{fork.id}")).json
    assert told["head_repository"]["full_name"] == "fork-er/octo-docs"
    assert told["head_repository"]["fork"] is True
    assert [pull["number"] for pull in told["pull_requests"]] == [7]
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
