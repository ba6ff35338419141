"""The fake as a whole: its life, its data, what it remembers."""

from __future__ import annotations

import pytest

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


async def test_what_the_fake_does_not_have(github: FakeGitHub, run: FakeRun) -> None:
    """A number or name that is wrong is an error at once, in a sentence that says what to use."""
    for call in (github.artifact, github.content, github.remove_artifact, github.expire_artifact):
        with pytest.raises(LookupError, match=r"^this fake has no artifact 7; use the id that add_artifact returned$"):
            call(7)
    for change in (lambda: github.add_artifact(7, "x"), lambda: github.update_run(7, status="queued")):
        with pytest.raises(LookupError, match=r"^this fake has no run 7; use what add_run returned$"):
            change()
    with pytest.raises(TypeError, match="colour"):
        github.update_run(run, colour="red")
    for wrong in ("octo-docs", "a/b/c", "/b", "a/", ""):
        with pytest.raises(ValueError, match=rf"a repository is 'owner/name', not {wrong!r}"):
            github.add_run(wrong)


async def test_conclusions_follow(github: FakeGitHub) -> None:
    """A run has a conclusion once it is completed, and none before, unless another is given."""
    run = github.add_run("a/b", status="in_progress")
    assert run.conclusion is None
    assert github.update_run(run, head_sha="0" * 40).conclusion is None
    assert github.update_run(run, status="completed").conclusion == "success"
    assert github.update_run(run, attempt=2, status="queued").conclusion is None
    assert github.update_run(run, status="completed", conclusion="failure").conclusion == "failure"
    assert github.add_run("a/b", conclusion="cancelled").conclusion == "cancelled"
    assert github.add_run("a/b", status="completed", conclusion=None).conclusion is None
