"""Lanes of the API, for calls whose answer is a redirect: the same answers and errors, and never one of storage."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from gh_artifacts_async import ArtifactsClient, RetryPolicy, Success
from gh_artifacts_async.errors import ArtifactsError, ConnectionFailedError, RequestTimeoutError
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Limits, Timeouts
from tests.kits.api import TOKEN, check_silent
from tests.kits.lanes import Asker, asking, by_turns, ok, sends
from tests.kits.raw import kept_alive
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import fetch_all, fill, listed

QUICK = Timeouts(connect=5.0, read=5.0, min_rate=None)
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
MOSTLY_PLAIN = pytest.mark.parametrize("tls", mostly_slow([False, True]))
LOCATION = "https://storage.example/x?sig=c4nary"
FOUND = kept_alive("302 Found", b"", Location=LOCATION, X_RateLimit_Remaining="4999", Link="<a>")
DENIED = gzip.compress(json.dumps({"message": "no"}).encode())


async def send(it: Asker, **settings: Any) -> Any:
    """Ask the API for a redirect."""
    url = f"{it.server.url}/repos/o/r/actions/artifacts/1/zip"
    return await it.transport.send("GET", url, {"Accept": "x/y"}, "api", token=Secret(TOKEN), short=True, **settings)


async def tried(it: Asker) -> tuple[Any, ...]:
    """Return what a response says, or the error."""
    try:
        found = await send(it)
    except ArtifactsError as error:
        check_silent(error, "c4nary")
        return type(error), str(error)
    return found.status, found.headers, found.body, found.url[-9:]


ANSWERS = {
    "302": FOUND,
    "302 with a body": kept_alive("302 Found", b"<html>", Location=LOCATION),
    "302 that closes": FOUND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "302 in chunks": b"HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "302 with a long body": kept_alive("302 Found", b"x" * 100_000, Location=LOCATION),
    "301": kept_alive("301 Moved", b"{}", Location="/y"),
    "200": kept_alive("200 OK", b"{}"),
    "404": kept_alive("404 Not Found", b'{"message": "Not Found"}'),
    "404 gzip": kept_alive("404 Not Found", DENIED, Content_Encoding="gzip"),
    "429": kept_alive("429 Slow", b"{}", Retry_After="3"),
    "500 without a length": b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\noops",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + FOUND,
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not HTTP": b"SSH-2.0\r\n\r\n",
    "two lengths": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "cut": kept_alive("302 Found", b"body", Location=LOCATION)[:-2],
    "cut in the head": FOUND[:40],
    "gzip that is cut": kept_alive("404 Not Found", DENIED[:-9], Content_Encoding="gzip"),
    "a coding nobody asked for": kept_alive("200 OK", b"x", Content_Encoding="br"),
    "too long": kept_alive("200 OK", b"x" * 5000),
}


@MOSTLY_PLAIN
@pytest.mark.parametrize("what", ANSWERS)
async def test_the_same_answers_and_errors(what, *, tls):
    """Status, headers, body and URL, or the error; asked once, with the same head."""
    found, heads = [], []
    ends = what.startswith(("cut", "not", "500"))
    script = sends(ANSWERS[what], then="end" if ends else "")
    for fast in (True, False):
        async with asking(script, tls=tls, fast_paths=fast, timeouts=QUICK, max_answer_bytes=4000) as it:
            found += [await tried(it), await tried(it)]
            heads.append([head.replace(it.server.url.rpartition("/")[2], "") for head in it.server.heads])
    assert found[:2] == found[2:]
    assert heads[0] == heads[1]
    assert len(heads[0]) == 2
    assert f"Authorization: Bearer {TOKEN}" in heads[0][0]


@TLS
async def test_redirects_over_one_lane(*, tls):
    """It serves one request after the other, and holds no token in between."""
    async with asking(sends(FOUND), tls=tls) as it:
        for _ in range(3):
            answer = await send(it)
            assert answer.status == 302
            assert answer.headers["location"] == LOCATION
        assert it.server.connections == 1
        (lane,) = it.lanes._all
        assert TOKEN not in repr([getattr(lane, name) for name in vars(lane)])


async def test_a_token_never_rides_on_a_lane_of_storage():
    """API and storage of one origin have lanes of their own."""
    seen: dict[Any, set[str]] = {}

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        seen.setdefault(writer.get_extra_info("peername"), set()).add("api" if TOKEN in head else "storage")
        writer.write(FOUND if TOKEN in head else ok(b"ab"))

    async with asking(script) as it:
        for _ in range(3):
            await send(it)
            assert await it.whole() == b"ab"
        await asyncio.gather(*(send(it) for _ in range(4)), *(it.whole() for _ in range(4)))
    assert len(seen) == 8
    assert all(len(kinds) == 1 for kinds in seen.values())


async def test_a_request_that_is_held():
    """A pause that began while it connected holds it back; over a lane that is there it is sent at once."""
    async with asking(sends(FOUND)) as it:
        assert await send(it, held=lambda: True) is None
        assert not it.server.heads
        assert not it.lanes._all
        assert (await send(it, held=lambda: False)).status == 302
        assert (await send(it, held=lambda: True)).status == 302
        assert len(it.server.heads) == 2


async def test_a_fresh_request_is_no_lane():
    """It has a connection of its own."""
    async with asking(sends(FOUND)) as it:
        await send(it)
        await send(it, fresh=True)
        assert it.server.connections == 2
        assert len(it.lanes._all) == 1


async def test_a_stale_lane_is_replaced():
    """Asked once more, over a new connection; after a byte of an answer it is not."""
    async with asking(by_turns(sends(FOUND), sends(then="end"), sends(FOUND), sends(FOUND[:9], then="end"))) as it:
        assert [(await send(it)).status for _ in range(2)] == [302, 302]
        with pytest.raises(ConnectionFailedError):
            await send(it)
        assert len(it.server.heads) == 4


@pytest.mark.parametrize(
    "sent", [b"", FOUND[:30], kept_alive("302 Found", b"abc")[:-1], kept_alive("404 X", b"a")[:-1]]
)
async def test_silence(sent):
    """Timeouts.read, wherever it begins."""
    said = []
    for fast in (True, False):
        async with asking(sends(sent, then="stall"), fast_paths=fast, timeouts=QUICK) as it:
            with pytest.raises(RequestTimeoutError) as caught:
                await send(it)
            check_silent(caught.value)
            said.append(str(caught.value))
            assert fast is False or not it.lanes._all
    assert said[0] == said[1]


async def test_closing_with_a_request_under_way():
    """It fails in words."""
    async with asking(sends(then="stall")) as it:
        task = asyncio.create_task(send(it))
        await asyncio.sleep(0.1)
        await it.transport.aclose()
        with pytest.raises(ConnectionFailedError, match="the connection to api was closed") as caught:
            await task
        check_silent(caught.value)


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("fast", [True, False])
async def test_downloads_ask_over_lanes(github, tmp_path, *, fast):
    """What the client asks for redirects with; its listing does not."""
    fill(github, 6)
    limits = Limits(points_per_minute=None, mutation_interval=None, fast_paths=fast)
    async with ArtifactsClient(TOKEN, base_url=github.base_url, limits=limits, retry=RetryPolicy(attempts=1)) as client:
        found = await listed(client)
        outcomes = await fetch_all(client, found, tmp_path)
        assert all(isinstance(outcome, Success) for outcome in outcomes)
        lanes: Any = client._github.transport._lanes
        assert (lanes is not None) == fast
        assert lanes is None or any(key[0] == "api" for key in lanes._idle)
    assert len(github.requests) > 12
    assert all("Authorization" not in request.headers for request in github.requests_to("storage"))
