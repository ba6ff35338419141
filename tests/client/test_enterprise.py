"""GitHub Enterprise Server and GHE.com: what works on every version, and what differs."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactRef,
    ArtifactsClient,
    BadRequestError,
    Limits,
    NotFoundError,
    token_variables,
)
from tests.kits.api import ARTIFACT, QUICK, TOKEN
from tests.kits.profiles import PROFILES
from tests.kits.transfer import REPO, WORKER_SIZE, add, client_for, everything, fetch, fetch_all, listed

if TYPE_CHECKING:
    from pathlib import Path

    from aioresponses import aioresponses

    from gh_artifacts_async.testing import FakeGitHub

on_every_version = pytest.mark.parametrize("github", PROFILES, indirect=True)
RECORD = ".docs.zip.gh-artifacts.json"


@on_every_version
async def test_listings(github: FakeGitHub, client: ArtifactsClient) -> None:
    """By name, in either direction, of a repository and of a run, counted and up to a limit."""
    run = github.add_run(REPO)
    named = [("docs", github.add_artifact(run, name)) for name in ("docs", "wheel") for _ in range(3)]
    docs, everyone = [number for _, number in named[:3]], [number for _, number in named]
    for direction, found in (("asc", everyone), ("desc", everyone[::-1]), (None, everyone[::-1])):
        items = client.list_run_artifacts(REPO, run.id, direction=direction, per_page=2)  # type: ignore[arg-type]
        assert [item.id async for item in items] == found
    assert [item.id async for item in client.list_run_artifacts(REPO, run.id, name="docs")] == docs[::-1]
    assert [item.id async for item in client.list_artifacts(REPO, name="docs", limit=2)] == docs[:0:-1]
    assert (await client.count_artifacts(REPO), await client.count_artifacts(REPO, name="docs")) == (6, 3)
    assert await client.count_artifacts(REPO, name="other") == 0
    assert (await client.get_workflow_run(REPO, run.id)).id == run.id
    assert client.rate_limit is None
    assert {record.path.split("/")[1:3] == ["api", "v3"] for record in github.requests} == {True}


@on_every_version
async def test_downloads(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Without a digest and a length the end of the zip is checked, and a record tells later whose file it is."""
    number = add(github, size=WORKER_SIZE)
    github.faults.cut(number, at=WORKER_SIZE // 2)
    result = await fetch(client, number, tmp_path)
    assert (result.verified, result.artifact.digest, result.resumed_from) == ("none", None, 0)
    assert result.path.read_bytes() == github.content(number)
    assert everything(tmp_path) == {"docs.zip", RECORD}
    github.forget_requests()
    assert (await fetch(client, number, tmp_path, if_exists="skip")).skipped
    assert await client.verify(result.artifact, result.path)
    assert not github.requests_to("storage")


@on_every_version
async def test_archives(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Extracted, and read by members although storage sends the whole zip only; a layout by run and branch."""
    run = github.add_run(REPO, branch="main")
    number = github.add_artifact(run, "docs", files={"a.txt": b"one", "b/c.txt": b"two"})
    assert await client.read_member(ArtifactRef(REPO, number), "b/c.txt") == b"two"
    (outcome,) = await fetch_all(client, await listed(client), tmp_path, layout="{branch}/{run_id}", extract=True)
    folder = outcome.unwrap().path
    assert folder == tmp_path / "main" / str(run.id)
    assert {name: (folder / name).read_bytes() for name in everything(folder)} == {"a.txt": b"one", "b/c.txt": b"two"}


@on_every_version
async def test_what_is_gone(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An expired artifact and a deleted one are the same errors as on github.com; times may be null."""
    expired = add(github, "old", expired=True, expires_at=None, workflow_run=False)
    artifact = await client.get_artifact(REPO, expired)
    assert (artifact.expired, artifact.expires_at, artifact.run_id) == (True, None, None)
    with pytest.raises(ArtifactExpiredError):
        await client.get_download_url(artifact)
    with pytest.raises(ArtifactExpiredError):
        await client.download(artifact, tmp_path)
    await client.delete_artifact(artifact)
    with pytest.raises(NotFoundError):
        await client.delete_artifact(artifact)
    await client.delete_artifact(artifact, missing_ok=True)


@on_every_version
async def test_paced_without_headers(github: FakeGitHub) -> None:
    """A server that states no limits is spared all the same."""
    number, clock = add(github), asyncio.get_running_loop().time
    async with client_for(github, limits=Limits(points_per_minute=20, mutation_interval=None)) as client:
        began = clock()
        for _ in range(41):
            await client.get_artifact(REPO, number)
    assert 120 <= clock() - began < 125
    assert not [name for record in github.requests for name in record.headers if "ratelimit" in name.lower()]


@on_every_version
async def test_count_of_many(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A count by name goes on behind the first page."""
    run = github.add_run(REPO)
    for number in range(150):
        github.add_artifact(run, "docs" if number % 2 else "wheel", archive=b"")
    assert await client.count_artifacts(REPO, name="docs") == 75


# --- versions of the API


@pytest.mark.parametrize(("github", "known"), [(name, name != "ghes-3.19") for name in PROFILES], indirect=["github"])
async def test_an_api_version_of_later(github: FakeGitHub, *, known: bool) -> None:
    """3.19 does not know it, which is one clear error after one request; older servers do not read it at all."""
    number = add(github)
    async with client_for(github, api_version="2026-03-10") as client:
        if known:
            assert (await client.get_artifact(REPO, number)).id == number
            return
        with pytest.raises(BadRequestError) as caught:
            await client.get_artifact(REPO, number)
    said = str(caught.value)
    assert "Supported: 2022-11-28: GitHub Enterprise Server 3.19.0 does not know api_version '2026-03-10'; " in said
    assert "leave it at its default, 2022-11-28" in said
    assert len(github.requests) == 1
    async with client_for(github) as client:
        assert (await client.get_artifact(REPO, number)).id == number


# --- GHE.com

TENANT = "https://api.octocorp.ghe.com"


async def test_a_tenant_is_like_github_com(mocked: aioresponses, monkeypatch: pytest.MonkeyPatch) -> None:
    """GHE.com has github.com's API without /api/v3, its variables, and counts by name in one request."""
    monkeypatch.setenv("GH_HOST", "octocorp.ghe.com")
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "another")
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    assert token_variables(TENANT) == ("GH_TOKEN", "GITHUB_TOKEN")
    mocked.get(re.compile(re.escape(f"{TENANT}/repos/{REPO}/")), payload={"total_count": 7, "artifacts": [ARTIFACT]})
    async with ArtifactsClient.from_env(limits=QUICK) as client:
        assert await client.count_artifacts(REPO, name="Rails") == 7
    ((_, url), (call,)) = next(iter(mocked.requests.items()))
    assert (url.host, url.query["per_page"]) == ("api.octocorp.ghe.com", "1")
    assert call.kwargs["headers"]["Authorization"] == f"Bearer {TOKEN}"
