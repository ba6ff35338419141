"""The data behind the fake."""

from __future__ import annotations

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.probe import REPO, Probe


async def test_ids_are_the_same_in_every_run() -> None:
    """Two fakes give the same ids to the same things, and never one twice."""
    ids = []
    for _ in range(2):
        github = FakeGitHub()
        run = github.add_run(REPO, id=9_000_000_002)
        github.add_run(REPO)
        third = github.add_run(REPO)
        ids.append((run.id, third.id, github.add_artifact(run.id, "x"), github.add_artifact(third, "x")))
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


async def test_runs_can_be_changed(github: FakeGitHub, probe: Probe) -> None:
    """A run changes; its artifacts show it as it is now."""
    run = github.add_run(REPO, status="in_progress", conclusion=None, head_sha="00" * 20)
    artifact = github.add_artifact(run, "x")
    github.update_run(run, status="completed", conclusion="success", branch="renamed")
    assert github.update_run(run.id).conclusion == "success"
    got = (await probe.api(f"/actions/artifacts/{artifact}")).json["workflow_run"]
    assert got == {
        "id": run.id,
        "repository_id": run.repository_id,
        "head_repository_id": run.repository_id,
        "head_branch": "renamed",
        "head_sha": "00" * 20,
    }
