"""What the fake sends is what GitHub's OpenAPI description promises."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.kits.apptoken import app_token
from tests.kits.probe import REPO

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub, FakeRun
    from tests.kits.probe import Got, Probe

CONTRACTS = Path(__file__).parent.parent.parent / "contract"
PROFILES = ["github.com", "ghes-3.4", "ghes-3.8", "ghes-3.19"]
# GitHub's own documents: the origin that their `servers` name.
ORIGINS = {"github.com": "https://api.github.com"}


@functools.cache
def contract(name: str) -> OpenAPI:
    """Return one of the documents, read once."""
    return OpenAPI.from_dict(json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8")))


def check(document: str, profile: str, method: str, path: str, got: Got) -> None:
    """Raise if ``got`` is no answer that the document allows to a request for ``path`` below the base URL."""
    parts = urlsplit(path)
    prefix = "" if profile == "github.com" else "/api/v3"
    query = dict(pair.split("=") for pair in parts.query.split("&") if pair)
    origin = ORIGINS.get(profile, "http://HOSTNAME")
    request = MockRequest(origin, method.lower(), prefix + parts.path, args=query)
    kind = got.headers.get("Content-Type", "application/json")
    response = MockResponse(got.body, got.status, headers=dict(got.headers), content_type=kind)
    contract(document).validate_response(request, response)


@pytest.fixture
def artifact(github: FakeGitHub, run: FakeRun) -> int:
    """An artifact among others, some of them odd."""
    github.add_artifact(run, "old", expired=True)
    github.add_artifact(run, "undated", created_at=None, updated_at=None, expires_at=None, digest=None)
    github.add_artifact(run, "homeless", workflow_run=False)
    return github.add_artifact(run, "Rails", files={"log.txt": b"text"})


@pytest.mark.parametrize(
    ("github", "profile"), [(profile, profile) for profile in PROFILES], indirect=["github"], ids=PROFILES
)
class TestArtifacts:
    """The five operations, each in four versions of GitHub."""

    async def test_lists(self, probe: Probe, run: FakeRun, artifact: int, profile: str) -> None:
        """Both listings, a single page and one of several."""
        assert artifact
        for path in ("/actions/artifacts", f"/actions/runs/{run.id}/artifacts"):
            for query in ("", "?per_page=2&page=2"):
                got = await probe.api(path + query)
                assert got.json["artifacts"]
                check(f"{profile}.artifacts", profile, "GET", f"/repos/{REPO}{path}{query}", got)

    async def test_get_and_delete(self, probe: Probe, artifact: int, profile: str) -> None:
        """A get, a delete."""
        path = f"/actions/artifacts/{artifact}"
        for method in ("GET", "DELETE"):
            got = await probe.api(path, method)
            check(f"{profile}.artifacts", profile, method, f"/repos/{REPO}{path}", got)

    async def test_downloads(self, github: FakeGitHub, probe: Probe, artifact: int, profile: str) -> None:
        """A redirection, and 410 for one that has expired."""
        path = f"/actions/artifacts/{artifact}/zip"
        for status in (302, 410):
            got = await probe.api(path)
            assert got.status == status
            check(f"{profile}.artifacts", profile, "GET", f"/repos/{REPO}{path}", got)
            github.expire_artifact(artifact)


async def test_neighbours(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Runs, repositories and rate limits are as described too."""
    github.add_run(REPO, branch=None, conclusion=None, status="in_progress", pull_requests=[3], attempt=2)
    github.add_run(REPO, head_repository="fork-er/octo-docs", branch="patch")
    paths = ["", "/actions/runs", f"/actions/runs/{run.id}", "/actions/workflows/ci.yml/runs"]
    for path in paths:
        check("github.com.neighbours", "github.com", "GET", f"/repos/{REPO}{path}", await probe.api(path))
    check("github.com.neighbours", "github.com", "GET", "/rate_limit", await probe.api("//rate_limit"))


async def test_workflows_jobs_and_attempts(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Workflows, jobs and attempts are as described."""
    running = github.add_run(REPO, status="in_progress", conclusion=None, branch=None, attempt=2)
    paths = ["/actions/workflows", "/actions/workflows/ci.yml"]
    # No jobs of a running attempt: GitHub says "nullable" of their conclusion, but leaves null out of its values.
    paths += [f"/actions/runs/{running.id}/attempts/{number}" for number in (1, 2)]
    paths += [f"/actions/runs/{run.id}/jobs?filter=all"]
    for path in paths:
        check("github.com.neighbours", "github.com", "GET", f"/repos/{REPO}{path}", await probe.api(path))


async def test_repositories_and_retention(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """An owner's repositories, and how long artifacts are kept, are as described."""
    owner = run.repo.partition("/")[0]
    github.add_repository(f"{owner}/second", private=True)
    retention = "/actions/permissions/artifact-and-log-retention"
    for path in (f"/orgs/{owner}/repos", f"/users/{owner}/repos?per_page=1", f"/repos/{REPO}{retention}"):
        check("github.com.neighbours", "github.com", "GET", path, await probe.api(f"/{path}"))
    got = await probe.api(retention, "PUT", json={"days": 5})
    check("github.com.neighbours", "github.com", "PUT", f"/repos/{REPO}{retention}", got)


@pytest.mark.parametrize("github", ["github.com", "ghes-3.8"], indirect=True)
async def test_pages_for_people(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """They are github.com's, or on an Enterprise Server its own."""
    origin = github.base_url.removesuffix("/api/v3") if github.base_url.endswith("/v3") else "https://github.com"
    host = origin.partition("://")[2]
    repository = (await probe.api()).json
    assert (repository["html_url"], repository["clone_url"]) == (f"{origin}/{REPO}", f"{origin}/{REPO}.git")
    assert repository["ssh_url"] == f"git@{host}:{REPO}.git"
    for path in ("", f"/actions/runs/{run.id}", "/actions/workflows/ci.yml", f"/actions/jobs/{run.job_id(0)}"):
        assert (await probe.api(path)).json["html_url"].startswith(f"{origin}/{REPO}")
    assert repository["owner"]["html_url"] == f"{origin}/{REPO.partition('/')[0]}"


async def test_accounts(github: FakeGitHub, probe: Probe) -> None:
    """Who owns repositories is an organization, unless it was added as a user."""
    github.add_user("octocat")
    run = github.add_run("octocat/hello", actor="hubot")
    assert github.add_run(REPO)
    owners = [(await probe.api(f"//repos/{name}")).json["owner"]["type"] for name in (REPO, "octocat/hello")]
    assert owners == ["Organization", "User"]
    assert (await probe.api(f"//repos/octocat/hello/actions/runs/{run.id}")).json["actor"]["type"] == "User"


@pytest.mark.parametrize("path", ["/meta", "/versions"])
async def test_the_service(probe: Probe, path: str) -> None:
    """What GitHub says of itself is as described."""
    check("github.com.neighbours", "github.com", "GET", path, await probe.api(f"/{path}"))


async def test_apps(github: FakeGitHub, probe: Probe) -> None:
    """An App's installation and its token are as described."""
    installation = github.add_installation(7, [REPO])
    headers = {"Authorization": f"Bearer {app_token(github)}"}
    got = await probe.api("/installation", headers=headers)
    check("github.com.neighbours", "github.com", "GET", f"/repos/{REPO}/installation", got)
    path = f"/app/installations/{installation.id}/access_tokens"
    check("github.com.neighbours", "github.com", "POST", path, await probe.api(f"/{path}", "POST", headers=headers))
