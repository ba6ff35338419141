"""The operations on repositories and their branches, and an owner's repositories."""

from __future__ import annotations

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun, PageSeen
from tests.kits.apptoken import app_token
from tests.kits.probe import API_HEADERS, REPO, Probe, links


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
    assert got["protection"]["required_status_checks"].keys() == {"enforcement_level", "contexts", "checks"}


async def test_branches_without_runs(github: FakeGitHub, probe: Probe) -> None:
    """The default branch always exists; any other needs a run, and a fork's branch is not the repository's."""
    github.add_repository(REPO)
    assert len((await probe.api("/branches/main")).json["commit"]["sha"]) == 40
    github.add_run(REPO, branch="patch", head_repository="fork-er/octo-docs")
    got = await probe.api("/branches/patch")
    assert (got.status, got.json["message"]) == (404, "Branch not found")


async def test_repositories_of_an_owner(github: FakeGitHub, probe: Probe) -> None:
    """An organization's, the newest first; who is a user is no organization; private ones need a token."""
    for name in ("octo-org/one", "octo-org/two", "Octo-Org/three", "octocat/b", "octocat/A"):
        github.add_repository(name)
    github.add_repository("octo-org/secret", private=True)
    github.add_repository("octocat/secret", private=True)
    github.add_user("Octocat")
    got = await probe.api("//orgs/OCTO-ORG/repos")
    assert [one["name"] for one in got.json] == ["secret", "three", "two", "one"]
    got = await probe.request("GET", f"{github.base_url}/orgs/octo-org/repos")
    assert [one["name"] for one in got.json] == ["three", "two", "one"]
    assert [one["name"] for one in (await probe.api("//users/octocat/repos")).json] == ["A", "b"]
    assert len((await probe.api("//users/octo-org/repos")).json) == 3
    for path in ("orgs/octocat", "orgs/nobody", "users/nobody"):
        assert (await probe.api(f"//{path}/repos")).status == 404


async def test_pages_of_repositories(github: FakeGitHub, probe: Probe) -> None:
    """Linked as other listings are, and told to on_page."""
    for number in range(5):
        github.add_repository(f"octo-org/r{number}")
    seen: list[PageSeen] = []
    github.on_page(seen.append)
    got = await probe.api("//orgs/octo-org/repos?per_page=2")
    following = links(got.headers["Link"])["next"]
    assert following == f"{github.base_url}/orgs/octo-org/repos?per_page=2&page=2"
    got = await probe.request("GET", following, API_HEADERS)
    assert [one["name"] for one in got.json] == ["r2", "r1"]
    assert [(page.repo, page.page, page.total_count) for page in seen] == [("octo-org", 1, 5), ("octo-org", 2, 5)]


async def test_repositories_of_an_app(github: FakeGitHub, probe: Probe) -> None:
    """An installation's token sees public repositories, and the private ones that it includes."""
    for name in ("in", "out"):
        github.add_repository(f"octo-org/{name}", private=True)
    github.add_repository("octo-org/public")
    installation = github.add_installation(7, ["octo-org/in"])
    headers = {"Authorization": f"Bearer {app_token(github)}"}
    path = f"//app/installations/{installation.id}/access_tokens"
    token = (await probe.api(path, "POST", headers=headers)).json["token"]
    got = await probe.api("//orgs/octo-org/repos", headers={"Authorization": f"Bearer {token}"})
    assert [one["name"] for one in got.json] == ["public", "in"]
