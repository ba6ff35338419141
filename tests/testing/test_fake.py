"""The fake as a whole: its life, its data, what it remembers."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime

import aiohttp
import pytest
import trustme

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import API_HEADERS, REPO, Probe


async def test_the_promise_of_the_documentation() -> None:
    """What the documentation shows works as shown."""
    async with FakeGitHub() as github:
        run = github.add_run("octo-org/octo-docs", workflow="ci.yml", branch="main")
        artifact_id = github.add_artifact(run, "Rails", files={"log.txt": b"..."})
        github.faults.cut(artifact_id, at=100, times=2)
        async with Probe(github) as probe:
            assert len((await probe.fetch(artifact_id)).body) == 100
        assert [record.host for record in github.requests] == ["api", "storage"]


async def test_leaving_is_quick_and_clean(probe: Probe, github: FakeGitHub, run: FakeRun) -> None:
    """A fake that is left while it stalls ends these requests at once; leaving twice is no error."""
    artifact = github.add_artifact(run, "x", size=100_000)
    url = await probe.sign(artifact)
    github.faults.stall(at=5)
    github.faults.slow_headers(where="api", times=None)
    tasks = [asyncio.ensure_future(probe.get(url)), asyncio.ensure_future(probe.api())]
    while len(github.requests) < 3:
        await asyncio.sleep(0)
    begun = asyncio.get_running_loop().time()
    await github.aclose()
    await github.aclose()
    assert asyncio.get_running_loop().time() - begun < 2
    assert (await tasks[0]).error is not None
    with pytest.raises(aiohttp.ClientError):
        await tasks[1]


async def test_clients_may_leave(probe: Probe, github: FakeGitHub, run: FakeRun) -> None:
    """A client that goes away in the middle of a body, or waiting for one, is let go."""
    artifact = github.add_artifact(run, "x", size=5_000_000)
    url = await probe.sign(artifact)
    async with probe.session.get(url) as response:
        await response.content.readany()
    github.faults.slow_headers(seconds=5)
    with pytest.raises(TimeoutError):
        await probe.request("GET", url, timeout=aiohttp.ClientTimeout(total=1))
    await asyncio.sleep(10)
    assert (await probe.get(url)).status == 200


async def test_a_port_that_is_taken() -> None:
    """A fake that cannot have its ports leaves nothing behind."""
    async with FakeGitHub() as github:
        port = int(github.storage_url.rpartition(":")[2])
        with pytest.raises(OSError, match="Errno"):
            async with FakeGitHub(storage_port=port):
                pass


@pytest.mark.parametrize("name", ["ghes-2.22", "ghes-3.3", "ghes-3.99", "gitlab"])
def test_profiles_that_are_none(name: str) -> None:
    """A GitHub that nobody described is a ValueError."""
    with pytest.raises(ValueError, match="no such profile"):
        FakeGitHub(name)


@pytest.mark.parametrize("github", ["ghes-3.8"], indirect=True)
async def test_an_appliance_lives_below_a_prefix(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """On Enterprise Server the API is below /api/v3 and nowhere else."""
    assert github.base_url.endswith("/api/v3")
    assert (await probe.api()).json["url"] == f"{github.base_url}/repos/{run.repo}"
    bare = github.base_url.removesuffix("/api/v3")
    assert (await probe.request("GET", f"{bare}/repos/{REPO}", API_HEADERS)).status == 404


async def test_tls() -> None:
    """Both hosts speak TLS when given a certificate; resets work there too."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with FakeGitHub(ssl_context=server) as github, Probe(github) as probe:
        artifact = github.add_artifact(github.add_run(REPO), "x", size=1000)
        assert github.base_url.startswith("https://")
        url = (await probe.api(f"/actions/artifacts/{artifact}/zip", ssl=client)).headers["Location"]
        assert url.startswith("https://")
        assert (await probe.request("GET", url, ssl=client)).body == github.content(artifact)
        github.faults.reset(at=500)
        assert (await probe.request("GET", url, ssl=client)).error is not None


async def test_ipv6() -> None:
    """A fake may listen at an IPv6 address."""
    try:
        async with FakeGitHub(host="::1") as github, Probe(github) as probe:
            github.add_run(REPO)
            assert (await probe.api()).status == 200
    except OSError:
        pytest.skip("no IPv6 here")


async def test_the_clock_can_be_set() -> None:
    """A fake lives at any time; what it makes is made then."""
    start = datetime(2026, 7, 9, 12, 0, tzinfo=UTC)
    async with FakeGitHub(now=start) as github, Probe(github) as probe:
        run = github.add_run(REPO)
        artifact = github.add_artifact(run, "x")
        told = (await probe.api(f"/actions/artifacts/{artifact}")).json
        assert (told["created_at"], told["expires_at"]) == ("2026-07-09T12:00:00Z", "2026-10-07T12:00:00Z")
        old = github.artifact(github.add_artifact(run, "x", expired=True, created_at="2026-07-01T00:00:00Z"))
        assert old.expires_at is not None
        assert old.expires_at < github.clock.now()


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


async def test_runs_can_be_changed(github: FakeGitHub, probe: Probe) -> None:
    """A run goes on; its artifacts know it as it is now."""
    run = github.add_run(REPO, status="in_progress", conclusion=None, head_sha="00" * 20)
    artifact = github.add_artifact(run, "x")
    github.update_run(run, status="completed", conclusion="success", branch="renamed")
    assert github.update_run(run.id).conclusion == "success"
    told = (await probe.api(f"/actions/artifacts/{artifact}")).json["workflow_run"]
    assert told == {
        "id": run.id,
        "repository_id": run.repository_id,
        "head_repository_id": run.repository_id,
        "head_branch": "renamed",
        "head_sha": "00" * 20,
    }


async def test_artifacts_can_vanish(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """An artifact may be gone, or expired, without anyone having asked for it."""
    gone, old = github.add_artifact(run, "x"), github.add_artifact(run, "y")
    github.remove_artifact(gone)
    github.expire_artifact(old)
    assert (await probe.api(f"/actions/artifacts/{gone}")).status == 404
    assert (await probe.api(f"/actions/artifacts/{old}")).json["expired"] is True
