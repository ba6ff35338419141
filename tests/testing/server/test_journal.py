"""What the fake remembers of its requests."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


async def test_what_it_remembers(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Each request is recorded with its host, headers, endpoint, artifact, status and bytes, until all is forgotten."""
    artifact = github.add_artifact(run, "x", size=1000)
    other = github.add_artifact(run, "y", size=500)
    await probe.api("/actions/artifacts?per_page=7")
    await probe.fetch(artifact, Range="bytes=900-")
    await probe.fetch(other)
    listing, signing, getting = github.requests[:3]
    assert (listing.endpoint, listing.query["per_page"], listing.path) == (
        "actions/list-artifacts-for-repo",
        "7",
        f"/repos/{REPO}/actions/artifacts",
    )
    assert (signing.artifact_id, signing.status, signing.headers["AUTHORIZATION"]) == (artifact, 302, "Bearer t0ken")
    assert (getting.host, getting.status, getting.bytes_sent) == ("storage", 206, 100)
    assert (getting.time >= signing.time, getting.raw_path.partition("?")[0]) == (True, getting.path)
    assert (github.bytes_sent(artifact), github.bytes_sent(other), github.bytes_sent()) == (100, 500, 600)
    assert [record.artifact_id for record in github.requests_to("api")] == [None, artifact, other]
    assert str(listing) == f"1 api GET /repos/{REPO}/actions/artifacts?per_page=7: 200"
    assert str(getting) == f"3 storage GET {getting.path}: 206"
    assert str(attrs.evolve(getting, status=0)).endswith(": nothing")
    for record in github.requests:
        assert not {"t0ken", getting.raw_path.partition("?")[2]} & set(repr(record).replace("'", " ").split())
    github.forget_requests()
    assert (github.requests, github.points, github.max_concurrency, github.bytes_sent()) == ([], {}, 0, 0)


@pytest.mark.usefixtures("run")
async def test_forgetting_in_the_middle(github: FakeGitHub, probe: Probe) -> None:
    """What is forgotten while it is answered stays forgotten."""
    github.faults.slow_headers(where="api", seconds=5)
    task = asyncio.ensure_future(probe.api())
    while not github.requests:
        await asyncio.sleep(0)
    github.forget_requests()
    assert (await task).status == 200
    assert github.requests == []


async def test_concurrency_is_counted(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The most requests at once are known, for each host."""
    artifact = github.add_artifact(run, "x")
    url = await probe.sign(artifact)
    github.faults.slow_headers(times=None, seconds=5, where="api")
    github.faults.slow_headers(times=None, seconds=5)
    await asyncio.gather(*(probe.api() for _ in range(7)), *(probe.get(url) for _ in range(3)))
    assert (github.max_concurrency, github.max_storage_concurrency) == (7, 3)
