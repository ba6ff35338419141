"""Responses on a connection, whole and otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from gh_artifacts_async.testing.data.blobs import BytesBlob
from gh_artifacts_async.testing.faults.effects import Drip, Effects, Stop
from gh_artifacts_async.testing.server.responses import Response
from gh_artifacts_async.testing.server.wire import deliver, middle, strip_absent
from gh_artifacts_async.testing.shutdown import listening_socket

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY = b"0123456789"


async def received(effects: Effects, response: Response | None = None, method: str = "GET") -> tuple[bytes, list[int]]:
    """Return the bytes that a client gets of a response until the connection ends, and the counts of bytes sent."""
    sent: list[int] = []
    what = response or Response(200, {"Content-Type": "text/plain"}, BytesBlob(BODY))

    async def handle(request: web.Request) -> web.StreamResponse:
        return await deliver(request, what, effects, sent.append)

    application = web.Application()
    application.router.add_route("*", "/", handle)
    application.on_response_prepare.append(strip_absent)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = listening_socket("127.0.0.1", 0)
    await web.SockSite(runner, listener).start()
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(f"{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    await runner.cleanup()
    return data, sent


def split(data: bytes) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and the body of a response."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


async def test_a_whole_response() -> None:
    """A response without effects is what it says, and its bytes are counted."""
    data, sent = await received(Effects())
    headers, body = split(data)
    assert (headers["content-length"], headers["content-type"], body) == ("10", "text/plain", BODY)
    assert sum(sent) == 10


async def test_no_content_type() -> None:
    """A response without a Content-Type gets none."""
    headers, _ = split((await received(Effects(), Response(200, {}, BytesBlob(BODY))))[0])
    assert not {"content-type", "x-fake-no-content-type"} & set(headers)


async def test_head_has_the_length_only() -> None:
    """HEAD has the length of the body, and no body."""
    headers, body = split((await received(Effects(), Response(200, {}, BytesBlob(BODY), head_only=True), "HEAD"))[0])
    assert (headers["content-length"], body) == ("10", b"")


@pytest.mark.parametrize(
    ("effects", "length", "body"),
    [
        (Effects(corrupt=2), "10", b"01\xcd3456789"),
        (Effects(corrupt=-1), "10", b"01234\xca6789"),
        (Effects(end_at=4), "4", b"0123"),
        (Effects(extra=b"!"), "11", BODY + b"!"),
        (Effects(longer=3), "13", BODY),
        (Effects(longer=-3), "7", BODY),
        (Effects(framing="close"), None, BODY),
        (Effects(stop=Stop("cut", 6)), "10", b"012345"),
        (Effects(stop=Stop("stall", 6, 50.0)), "10", BODY),
        (Effects(drip=Drip(3, 1.0)), "10", BODY),
    ],
)
async def test_effects(effects: Effects, length: str | None, body: bytes) -> None:
    """Each effect changes the length, the bytes, or where the connection ends."""
    headers, got = split((await received(effects))[0])
    assert (headers.get("content-length"), got) == (length, body)


async def test_raw_bytes() -> None:
    """Bytes may be sent in place of any HTTP."""
    assert (await received(Effects(raw=b"not HTTP")))[0] == b"not HTTP"


def test_middle() -> None:
    """The middle of a span is one of its bytes."""
    assert [middle(0, 10), middle(4, 5), middle(7, 7)] == [5, 4, 7]


@pytest.mark.parametrize(
    "effects",
    [
        Effects(head_delay=1),
        Effects(stop=Stop("stall", 5, 1)),
        Effects(framing="close"),
        Effects(drip=Drip(65_536, 0.01)),
    ],
)
async def test_a_client_that_goes_away(effects: Effects, caplog: pytest.LogCaptureFixture) -> None:
    """It is nobody's fault here: nothing is logged, whether the headers were sent or not."""
    ended = asyncio.Event()
    large = Response(200, {"Content-Type": "text/plain"}, BytesBlob(BODY * 2_000_000))

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await deliver(request, large, effects, lambda _: None)
        finally:
            ended.set()

    application = web.Application()
    application.router.add_route("*", "/", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=False)
    await runner.setup()
    listener = listening_socket("127.0.0.1", 0)
    await web.SockSite(runner, listener).start()
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await ended.wait()
    await asyncio.sleep(0.1)
    await runner.cleanup()
    assert [record.getMessage() for record in caplog.records] == []
