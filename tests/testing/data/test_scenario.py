"""The data behind the fake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.probe import REPO, Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.profiles import Kind


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


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        ("azure", "auto", True),
        ("azure-raw", "auto", True),
        ("s3", "auto", True),
        ("v3", "auto", False),
        ("v3", "x", True),
    ],
)
async def test_digests(kind: Kind, given: str, shown: bool) -> None:  # noqa: FBT001
    """The v3 form has none unless a test says one: its zips are made anew for each download."""
    github = FakeGitHub("github.com")
    artifact = github.artifact(github.add_artifact(github.add_run(REPO), "docs", kind=kind, digest=given))
    assert (artifact.digest is not None) is shown


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
