"""HttpStream: what it shows, how it reads an error's body, and the answers it reads that are not aiohttp's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.errors import ConnectionFailedError
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.bounds import Watch
from gh_artifacts_async.transport.http import HttpStream
from gh_artifacts_async.transport.lanes import WholeBody
from gh_artifacts_async.transport.streams import BrokenAnswer
from tests.kits.api import check_silent
from tests.kits.lanes import asking, sends
from tests.kits.raw import kept_alive

if TYPE_CHECKING:
    from tests.kits.lanes import Asker

QUICK = Timeouts(connect=5.0, read=5.0)
WAYS = pytest.mark.parametrize("lane", [False, True], ids=["aiohttp", "lane"])


async def opened(it: Asker, *, lane: bool) -> HttpStream:
    """Ask for something that no lane can receive."""
    if not lane:
        return await it.transport.open(it.url(), {}, "storage")
    found = await it.get()
    assert not isinstance(found, WholeBody)
    return found


@WAYS
async def test_it_shows_status_and_host(lane):
    """The URL is a secret."""
    async with asking(sends(kept_alive("404 Not Found", b"no"))) as it:
        stream = await opened(it, lane=lane)
        assert repr(stream) == "HttpStream(404, 'storage')"
        assert stream._answer.url.host == "127.0.0.1"
        stream.close()


@WAYS
@pytest.mark.parametrize("size", [0, 10, 200_000])
async def test_an_errors_body(lane, size):
    """Its first 64 KiB are kept."""
    async with asking(sends(kept_alive("404 Not Found", b"x" * size))) as it:
        stream = await opened(it, lane=lane)
        await stream.read_error()
        stream.close()
        assert stream.response.body == b"x" * min(size, 64 * 1024)
        assert stream.response.headers["content-length"] == str(size)


@WAYS
@pytest.mark.parametrize("then", ["end", "stall"])
async def test_an_errors_body_that_breaks(lane, then):
    """What has arrived is enough for a message."""
    async with asking(sends(kept_alive("404 Not Found", b"x" * 10)[:-3], then=then), timeouts=QUICK) as it:
        stream = await opened(it, lane=lane)
        await stream.read_error()
        stream.close()
        assert stream.response.body == b"x" * 7


@WAYS
async def test_closing_within_a_body(lane):
    """The connection is closed; after the end of a body it serves the next request."""
    long = b"x" * 3_000_000
    async with asking(sends(kept_alive("206 Partial", long))) as it:
        for close_at_once in (False, False, True, False):
            stream = await opened(it, lane=lane)
            while not close_at_once and await stream.read_chunk():
                pass
            stream.close()
            stream.close()
        assert not it.transport._bare.connector._acquired
        assert not it.lanes._all
        assert it.server.connections == 2


async def test_a_broken_answer():
    """What has arrived, and then the same error as often as it is asked."""
    answer = BrokenAnswer(200, {"a": "b"}, b"xyz", ConnectionResetError(104, "reset"), "h:80")
    stream = HttpStream(answer, "h", Watch(Timeouts()))
    assert stream.response.headers == {"a": "b"}
    assert answer.url.host == "h"
    assert await stream.read_chunk() == b"xyz"
    for _ in range(2):
        with pytest.raises(ConnectionFailedError, match="reset") as caught:
            await stream.read_chunk()
        check_silent(caught.value)
    stream.close()


async def test_a_cancelled_read_keeps_the_cancellation():
    """It is not a failure of the network."""
    async with asking(sends(kept_alive("206 Partial", b"xy")[:-1], then="stall"), timeouts=QUICK) as it:
        stream = await opened(it, lane=True)
        await stream.read_chunk()
        task = asyncio.create_task(stream.read_chunk())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stream.close()
