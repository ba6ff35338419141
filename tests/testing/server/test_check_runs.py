"""The operations on check runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kits.probe import REPO, Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub


@pytest.mark.parametrize(("conclusion", "count"), [("failure", 1), ("success", 0), ("cancelled", 0)])
async def test_annotations(github: FakeGitHub, probe: Probe, conclusion: str, count: int) -> None:
    """A job that failed has the annotation that Actions itself makes; any other has none."""
    run = github.add_run(REPO, jobs=["build", "test"], conclusion=conclusion)
    for job in (await probe.api(f"/actions/runs/{run.id}/jobs")).json["jobs"]:
        got = await probe.request("GET", f"{job['check_run_url']}/annotations", {"Authorization": "Bearer t"})
        assert [(one["annotation_level"], one["path"]) for one in got.json] == [("failure", ".github")] * count
        assert all(run.head_sha in one["blob_href"] for one in got.json)


async def test_annotations_of_an_earlier_attempt(github: FakeGitHub, probe: Probe) -> None:
    """An attempt that failed keeps its annotation when the next one succeeds."""
    run = github.add_run(REPO, conclusion="failure")
    github.update_run(run, attempt=2, conclusion="success")
    counts = [
        len((await probe.api(f"/check-runs/{job}/annotations")).json)
        for job in await probe.walk(f"/actions/runs/{run.id}/jobs?filter=all")
    ]
    assert counts == [1, 0]


async def test_annotations_of_nothing(github: FakeGitHub, probe: Probe) -> None:
    """A check run that is not there, or is another repository's, is not found."""
    run, other = github.add_run(REPO), github.add_run("octo-org/other")
    for number in (1, run.job_id(1), other.job_id(0)):
        assert (await probe.api(f"/check-runs/{number}/annotations")).status == 404
