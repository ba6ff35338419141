"""The fake as a whole: its life, its data, what it remembers."""

from __future__ import annotations

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import Probe


async def test_the_promise_of_the_documentation() -> None:
    """What the documentation shows works as shown."""
    async with FakeGitHub() as github:
        run = github.add_run("octo-org/octo-docs", workflow="ci.yml", branch="main")
        artifact_id = github.add_artifact(run, "Rails", files={"log.txt": b"..."})
        github.faults.cut(artifact_id, at=100, times=2)
        async with Probe(github) as probe:
            assert len((await probe.fetch(artifact_id)).body) == 100
        assert [record.host for record in github.requests] == ["api", "storage"]


async def test_artifacts_can_vanish(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """An artifact may be gone, or expired, without anyone having asked for it."""
    gone, old = github.add_artifact(run, "x"), github.add_artifact(run, "y")
    github.remove_artifact(gone)
    github.expire_artifact(old)
    assert (await probe.api(f"/actions/artifacts/{gone}")).status == 404
    assert (await probe.api(f"/actions/artifacts/{old}")).json["expired"] is True
