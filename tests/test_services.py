"""The web services of docs/examples/ hand on artifacts of the fake: the one with aiohttp, and the one with FastAPI."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
import pytest
from aiohttp import web

from tests.kits.archives import Entry, build
from tests.kits.programs import load, name_in_environment
from tests.kits.transfer import REPO
from tests.kits.zips import MIB, noise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from gh_artifacts_async.testing import FakeGitHub

    Get = Callable[[str], Awaitable["Answer"]]

pytestmark = pytest.mark.realtime  # files are sent from threads that the event loop does not know of

SERVICES = ["aiohttp_service", pytest.param("fastapi_service", marks=pytest.mark.once)]


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    body: bytes
    headers: dict[str, str]


@contextlib.asynccontextmanager
async def serving_aiohttp() -> AsyncGenerator[str]:
    """Run the service with aiohttp on loopback."""
    runner = web.AppRunner(load("aiohttp_service").application(REPO))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}".format(*runner.addresses[0][:2])
    await runner.cleanup()


@contextlib.asynccontextmanager
async def serving_fastapi() -> AsyncGenerator[str]:
    """Run the service with FastAPI on loopback, in uvicorn."""
    import uvicorn

    app = load("fastapi_service").app
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="warning", ws="none", loop="none"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not (server.started or running.done()):
            await asyncio.sleep(0.01)
        yield "http://{}:{}".format(*listening.getsockname())
        server.should_exit = True
        await running


@pytest.fixture(params=SERVICES)
async def get(
    github: FakeGitHub, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Get]:
    """Run a service; ask it for a path."""
    name_in_environment(github, monkeypatch)
    monkeypatch.setenv("REPO", REPO)
    serving = {"aiohttp_service": serving_aiohttp, "fastapi_service": serving_fastapi}[request.param]
    async with serving() as url, aiohttp.ClientSession() as session:

        async def ask(path: str) -> Answer:
            async with session.get(url + path) as answer:
                return Answer(answer.status, await answer.read(), dict(answer.headers))

        yield ask


@pytest.mark.github_com("ranges")
async def test_a_file_of_the_newest_artifact(github: FakeGitHub, get: Get) -> None:
    """One file of the newest good artifact of main is the answer, and little more than it is fetched from storage."""
    archive = build(
        Entry("cover/summary.json", b'{"lines": 91}'), Entry("pad", noise(MIB)), Entry("index", noise(70_000))
    )
    github.add_artifact(github.add_run(REPO, branch="main"), "coverage", archive=archive)
    github.add_artifact(github.add_run(REPO, branch="main", conclusion="failure"), "coverage", files={"a": "a"})
    github.add_artifact(github.add_run(REPO, branch="main", head_repository="who/ever"), "coverage", files={"a": "a"})
    answer = await get("/latest/coverage/cover/summary.json")
    assert (answer.status, answer.body) == (200, b'{"lines": 91}')
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert github.bytes_sent() < 90_000
    assert (await get("/latest/coverage/absent")).status == 404
    assert (await get("/latest/absent/summary.json")).status == 404


async def test_a_whole_artifact(github: FakeGitHub, get: Get) -> None:
    """All who ask for an artifact at once get its bytes, and who asks later gets the file that is there."""
    number = github.add_artifact(github.add_run(REPO), "wheels", size=3 * MIB)
    answers = await asyncio.gather(*(get(f"/artifacts/{number}") for _ in range(3)))
    assert [answer.status for answer in answers] == [200] * 3
    assert all(answer.body == github.content(number) for answer in answers)
    assert answers[0].headers["Content-Disposition"].startswith("attachment; filename")
    assert "wheels.zip" in answers[0].headers["Content-Disposition"]
    github.forget_requests()
    assert (await get(f"/artifacts/{number}")).body == github.content(number)
    assert not github.requests_to("storage")


@pytest.mark.github_com("digest")
async def test_errors_have_a_status(github: FakeGitHub, get: Get) -> None:
    """Each kind of error is a status of its own; a broken artifact is an error, and not a byte of it is sent."""
    run = github.add_run(REPO)
    expired = github.add_artifact(run, "old", expired=True)
    assert (await get(f"/artifacts/{expired}")).status == 410
    assert (await get("/artifacts/7")).status == 404
    broken = github.add_artifact(run, "broken", size=300_000)
    github.faults.corrupt(broken, times=None)
    answer = await get(f"/artifacts/{broken}")
    assert answer.status == 502
    assert b"sha256" in answer.body
    good = github.add_artifact(run, "good", size=300_000)
    github.faults.rate_limit()
    answer = await get(f"/artifacts/{good}")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 5
    assert b"t0ken" not in answer.body


@pytest.mark.github_com("length")
async def test_a_stream(github: FakeGitHub, get: Get) -> None:
    """An artifact is passed on as it arrives, under its own name, and nothing of it is kept."""
    number = github.add_artifact(github.add_run(REPO), "R\u00e4der \u65e5", size=3 * MIB)
    for _ in range(2):
        answer = await get(f"/artifacts/{number}/stream")
        assert (answer.status, answer.body) == (200, github.content(number))
        assert answer.headers["Content-Length"] == str(3 * MIB)
        assert answer.headers["Content-Disposition"].endswith("''R%C3%A4der%20%E6%97%A5.zip")
    assert len(github.requests_to("storage")) == 2
    github.faults.no_length(number)
    answer = await get(f"/artifacts/{number}/stream")
    assert answer.body == github.content(number)
    assert (await get("/artifacts/7/stream")).status == 404


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("length", [True, False])
async def test_a_stream_of_wrong_bytes(github: FakeGitHub, get: Get, *, length: bool) -> None:
    """Who asks sees that the download has failed, whether or not its length was known: it ends too early."""
    number = github.add_artifact(github.add_run(REPO), "broken", size=300_000, digest=f"sha256:{'0' * 64}")
    if not length:
        github.faults.no_length(number, times=None)
    with pytest.raises(aiohttp.ClientError):
        await asyncio.wait_for(get(f"/artifacts/{number}/stream"), 5)
    good = github.add_artifact(github.add_run(REPO), "good", size=300_000)
    assert (await get(f"/artifacts/{good}/stream")).status == 200
