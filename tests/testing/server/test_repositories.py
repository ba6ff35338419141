"""The operations on repositories and their branches."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


async def test_a_repository(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A repository is found by its name in any case of letters, and by its number."""
    got = (await probe.api()).json
    assert (got["id"], got["default_branch"], got["visibility"]) == (run.repository_id, "main", "public")
    assert (await probe.api(f"//repos/{REPO.upper()}")).json == got
    assert (await probe.api(f"//repositories/{run.repository_id}")).json == got
    assert got["url"] == f"{github.base_url}/repos/{REPO}"


@pytest.mark.parametrize("written", ["feature/x", "feature%2Fx"])
async def test_a_branch(github: FakeGitHub, probe: Probe, run: FakeRun, written: str) -> None:
    """A branch has the commit of its latest run; a slash in its name may be escaped or not."""
    github.add_run(REPO, branch="feature/x", created_at="2020-01-01T00:00:00Z")
    latest = github.add_run(REPO, branch="feature/x", head_sha="ab" * 20)
    got = (await probe.api(f"/branches/{written}")).json
    assert (got["name"], got["commit"]["sha"]) == ("feature/x", latest.head_sha)
    assert (await probe.api("/branches/main")).json["commit"]["sha"] == run.head_sha
    assert (await probe.request("GET", got["_links"]["self"], {"Authorization": "Bearer t"})).json == got


async def test_branches_without_runs(github: FakeGitHub, probe: Probe) -> None:
    """The default branch always exists; any other needs a run, and a fork's branch is not the repository's."""
    github.add_repository(REPO)
    assert len((await probe.api("/branches/main")).json["commit"]["sha"]) == 40
    github.add_run(REPO, branch="patch", head_repository="fork-er/octo-docs")
    got = await probe.api("/branches/patch")
    assert (got.status, got.json["message"]) == (404, "Branch not found")
