"""The operations on workflows."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


async def test_runs_of_a_workflow(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A workflow is named by its file or its number; one that never ran is not found."""
    other = github.add_run(REPO, workflow="nightly.yml")
    again = github.add_run(REPO, workflow="ci.yml")
    assert (run.run_number, other.run_number, again.run_number) == (1, 1, 2)
    assert await probe.walk("/actions/workflows/ci.yml/runs") == [again.id, run.id]
    assert await probe.walk(f"/actions/workflows/{other.workflow_id}/runs") == [other.id]
    assert (await probe.api("/actions/workflows/none.yml/runs")).status == 404


async def test_workflows(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A repository's workflows are listed in pages; each is found by its file or its number."""
    nightly = github.add_run(REPO, workflow="nightly.yml", workflow_name="Nightly build")
    github.add_run("octo-org/other", workflow="else.yml")
    assert await probe.walk("/actions/workflows?per_page=1") == [run.workflow_id, nightly.workflow_id]
    for name in ("nightly.yml", nightly.workflow_id):
        found = (await probe.api(f"/actions/workflows/{name}")).json
        assert (found["id"], found["name"]) == (nightly.workflow_id, "Nightly build")
        assert found["path"] == ".github/workflows/nightly.yml"
        assert (await probe.request("GET", found["url"], {"Authorization": "Bearer t"})).json == found


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["else.yml", "1", "CI.YML"])
async def test_workflows_that_are_not_there(github: FakeGitHub, probe: Probe, name: str) -> None:
    """A workflow of another repository, or of another name, is not found."""
    github.add_run("octo-org/other", workflow="else.yml")
    assert (await probe.api(f"/actions/workflows/{name}")).status == 404
