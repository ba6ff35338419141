"""What one lane makes of a response, over raw servers, with and without TLS."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from gh_artifacts_async.errors import ConnectionFailedError, RequestTimeoutError, SlowTransferError
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.bounds import SILENT, OutOfTimeError
from gh_artifacts_async.transport.lane_protocol import BUFFER, Lane
from gh_artifacts_async.transport.lanes import WholeBody
from tests.kits import lane_pairs
from tests.kits.api import check_silent
from tests.kits.lanes import CANARY, asking, by_turns, ok, sends
from tests.kits.raw import kept_alive
from tests.kits.sampling import mostly_slow

TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
MOSTLY_PLAIN = pytest.mark.parametrize("tls", mostly_slow([False, True]))
BODY = bytes(range(256)) * 80
LONG = bytes(range(256)) * 1200
QUICK = Timeouts(connect=5.0, read=5.0, min_rate=None)


# --- whole bodies


@MOSTLY_PLAIN
@pytest.mark.parametrize("body", [b"", b"x", BODY, LONG, b"y" * (BUFFER - 200), b"z" * (2 * 1024 * 1024)], ids=len)
async def test_whole_bodies_over_one_connection(body, *, tls):
    """A body of any size up to 2 MiB arrives whole; long ones in a lent buffer, which may be longer than they are."""
    async with asking(sends(ok(body, ETag='"e"')), tls=tls) as it:
        it.spare = 1000
        for _ in range(3):
            found = await it.get()
            assert isinstance(found, WholeBody)
            assert found.body == body
            assert found.response.status == 200
            assert found.response.headers == {"etag": '"e"', "content-length": str(len(body))}
            assert found.host == "storage"
            assert (found.buffer is None) == (len(body) < BUFFER - 100)
            assert found.buffer is None or len(found.buffer) == len(body) + 1000
            assert CANARY not in repr(found)
        assert it.server.connections == 1
        assert it.lent == ([] if len(body) < BUFFER - 100 else [len(body)] * 3)


@TLS
async def test_a_response_in_single_bytes(*, tls):
    """However it is cut, it is the same response."""
    async with asking(sends(*(bytes([byte]) for byte in ok(b"abc"))), tls=tls) as it:
        assert await it.whole() == b"abc"
        assert await it.whole() == b"abc"
        assert it.server.connections == 1


async def test_no_buffer_to_lend():
    """The body is then a stream, over the same connection, and nothing is asked for twice."""
    async with asking(sends(ok(LONG))) as it:
        it.lend = lambda _: None
        assert await it.stream() == (200, LONG)
        assert len(it.server.heads) == 1


async def test_a_lender_that_fails():
    """Its error is the caller's; the lane is closed."""
    async with asking(sends(ok(LONG))) as it:

        def lend(_: int) -> bytearray:
            raise MemoryError

        it.lend = lend
        with pytest.raises(MemoryError):
            await it.get()
        assert not it.lanes._all


async def test_a_lent_buffer_that_is_too_short():
    """A mistake of the caller, which no body may pay for."""
    async with asking(sends(ok(LONG))) as it:
        it.spare = -1
        with pytest.raises(ValueError, match="was lent for 307200"):
            await it.get()
        assert not it.lanes._all


# --- the ordinary way, with the answer that is there

ODD = {
    "206": (kept_alive("206 Partial Content", b"ab", Content_Range="bytes 0-1/9"), 206, b"ab"),
    "302": (kept_alive("302 Found", b"", Location="http://h/"), 302, b""),
    "404": (kept_alive("404 Not Found", b"{}"), 404, b"{}"),
    "503": (kept_alive("503 Busy", b"{}", Retry_After="1"), 503, b"{}"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
    "both": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", 200, b"a"),
    "gzip": (kept_alive("200 OK", b"\x1f\x8bnot", Content_Encoding="gzip"), 200, b"\x1f\x8bnot"),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + ok(b"ab"), 200, b"ab"),
    "too long": (ok(b"x" * (2 * 1024 * 1024 + 1)), 200, b"x" * (2 * 1024 * 1024 + 1)),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
    "zeros": (b"HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nab", 200, b"ab"),
    "text beyond ASCII": (b"HTTP/1.1 200 OK\r\nX: \xe4\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
    "two types": (
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\nab",
        200,
        b"ab",
    ),
}


@MOSTLY_PLAIN
@pytest.mark.parametrize("what", ODD)
async def test_what_is_not_for_a_lane_is_read_by_aiohttp(what, *, tls):
    """The answer that is there is read on, however it is cut, and never asked for twice."""
    sent, status, body = ODD[what]
    cut = len(sent) // 2
    script = by_turns(sends(sent), sends(sent[:5], sent[5:cut], sent[cut:]))
    async with asking(script, tls=tls) as it:
        for count in (1, 2):
            assert await it.stream() == (status, body)
            assert len(it.server.heads) == count
        assert not it.lanes._all


async def test_a_body_until_the_end_of_the_connection():
    """Without a length, the end of the connection is the end of the body."""
    async with asking(sends(b"HTTP/1.1 200 OK\r\n\r\nab", b"cd", then="end")) as it:
        assert await it.stream() == (200, b"abcd")


BAD = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "conflicting lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\nab",
    "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab",
    "signed": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
    "smuggled": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nab",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
    "bare CR": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nab",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nab",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nab",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nab",
    "a head of 65 KiB": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 11_100 + b"Content-Length: 2\r\n\r\nab",
    "a line of 9 KiB": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000 + b"\r\nContent-Length: 2\r\n\r\nab",
    "surplus": ok(b"ab") + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "surplus that is not HTTP": ok(b"ab") + b"junk",
}


@pytest.mark.parametrize("what", BAD)
async def test_odd_answers_mean_what_they_mean_to_aiohttp(what):
    """The same status, headers and body, or the same error; and the connection is not used again."""
    found = []
    for fast in (True, False):
        async with asking(sends(BAD[what], then="end"), fast_paths=fast, timeouts=QUICK) as it:
            try:
                stream = await it.get()
                assert not isinstance(stream, WholeBody)
                body = await stream.read_chunk()
                stream.close()
                found.append((stream.response, body))
            except ConnectionFailedError as error:
                found.append(str(error))
                check_silent(error, CANARY)
            assert len(it.server.heads) == 1
            assert not fast or not it.lanes._all
    assert found[0] == found[1]


@pytest.mark.parametrize("size", [10, 300_000])
async def test_surplus_bytes_with_the_last_of_a_body(size):
    """They are seen where the lane's own buffer has room for them; else the connection is closed by what follows."""
    sent = ok(b"a" * size) + ok(b"not yours")
    async with asking(sends(sent[:45], sent[45:])) as it:
        if size < BUFFER:
            assert await it.stream() == (200, b"a" * size)
        else:
            assert await it.whole() == b"a" * size
        await asyncio.sleep(0.1)
        assert not it.lanes._all


# --- bodies that break, and time


@MOSTLY_PLAIN
@pytest.mark.parametrize("then", ["end", "reset"])
@pytest.mark.parametrize("size", [1000, 300_000])
async def test_a_body_that_breaks(size, then, *, tls):
    """What has arrived is given before the error, so that it can be resumed."""
    body = b"b" * size
    async with asking(sends(ok(body)[:-10], then=then), tls=tls) as it:
        found = await it.get()
        assert not isinstance(found, WholeBody)
        assert found.response.status == 200
        assert found.response.headers["content-length"] == str(size)
        assert CANARY not in repr(found)
        arrived = await found.read_chunk()
        assert arrived == body[:-10] or (then == "reset" and body.startswith(arrived))
        with pytest.raises(ConnectionFailedError, match="broke before the body was complete") as caught:
            await found.read_chunk()
        check_silent(caught.value, CANARY)
        assert not found.take_over(None, None, None)
        found.close()
        assert not it.lanes._all
        assert len(it.server.heads) == 1


@TLS
async def test_a_server_that_does_not_answer(*, tls):
    """The limit is Timeouts.read, on a new lane and on a reused one, and it is the ordinary way's error."""
    said = []
    for fast in (True, False):
        async with asking(
            by_turns(sends(ok(BODY)), sends(then="stall")), tls=tls, fast_paths=fast, timeouts=QUICK
        ) as it:
            found = await it.get()
            assert isinstance(found, WholeBody) == fast
            if not isinstance(found, WholeBody):
                await found.read_chunk()
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(RequestTimeoutError) as caught:
                await it.get()
            assert 5 <= loop.time() - began < 6
            said.append(str(caught.value))
            check_silent(caught.value, CANARY)
            assert len(it.server.heads) == 2
    assert said[0] == said[1]


async def test_a_new_connection_to_a_server_that_does_not_answer():
    """The same limit, from when the connection is there."""
    async with asking(sends(then="stall"), timeouts=QUICK) as it:
        with pytest.raises(RequestTimeoutError, match="headers did not arrive"):
            await it.get()
        assert not it.lanes._all


async def test_a_head_that_drips():
    """Bytes of a head do not move its limit."""
    pieces = [bytes([byte]) for byte in ok(b"")]

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(1)

    async with asking(script, timeouts=QUICK) as it:
        with pytest.raises(RequestTimeoutError, match="headers did not arrive"):
            await it.get()


@MOSTLY_PLAIN
@pytest.mark.parametrize("size", [1000, 300_000])
async def test_a_body_that_stalls(size, *, tls):
    """What has arrived is given, and then the error."""
    body = b"b" * size
    async with asking(sends(ok(body)[:-10], then="stall"), tls=tls, timeouts=QUICK) as it:
        found = await it.get()
        assert not isinstance(found, WholeBody)
        assert await found.read_chunk() == body[:-10]
        with pytest.raises(RequestTimeoutError, match="silent") as caught:
            await found.read_chunk()
        check_silent(caught.value, CANARY)
        assert not it.lanes._all


async def test_a_body_that_drips():
    """Each piece in time, all of it too slow: Timeouts.min_rate ends it."""

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(ok(b"x" * 1000)[:-1000])
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(2)

    limits = Timeouts(connect=5.0, read=5.0, min_rate=100.0, min_rate_window=20.0)
    async with asking(script, timeouts=limits) as it:
        found = await it.get()
        assert not isinstance(found, WholeBody)
        assert set(await found.read_chunk()) == {ord("x")}
        with pytest.raises(SlowTransferError, match=r"sent 1 bytes/s over 20 s; Timeouts\.min_rate is 100"):
            await found.read_chunk()
        assert not it.lanes._all


async def test_a_slow_body_that_is_fast_enough():
    """Pieces within Timeouts.read add up to a whole body."""

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        for piece in itertools.batched(ok(b"x" * 100), 30) if hasattr(itertools, "batched") else [ok(b"x" * 100)]:
            writer.write(bytes(piece))
            await writer.drain()
            await asyncio.sleep(0.5)

    async with asking(script, timeouts=QUICK) as it:
        assert await it.whole() == b"x" * 100


async def test_a_body_that_is_complete_just_in_time(monkeypatch):
    """The limit was reached when the last byte had come: it is a whole body."""
    exchange = Lane.exchange

    async def late(self: Any, *arguments: Any) -> None:
        await exchange(self, *arguments)
        raise OutOfTimeError(SILENT)

    async with asking(sends(ok(BODY))) as it:
        monkeypatch.setattr(Lane, "exchange", late)
        assert await it.whole() == BODY


async def test_flow_control_of_what_is_sent():
    """Aiohttp's protocol hears both of its ends, whichever of the two protocols has the connection."""
    async with asking(sends(ok(BODY))) as it:
        await it.whole()
        (lane,) = it.lanes._all
        lane.pause_writing()
        assert lane._former.writing_paused
        lane.resume_writing()
        assert not lane._former.writing_paused


async def test_whole_exchanges_end_as_they_do_with_aiohttp():
    """Responses that are right or nearly so, in pieces, with a right or a wrong end: the same outcome."""
    await lane_pairs.pairs(range(30))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 5000, 1000))
async def test_many_more_exchanges_end_as_they_do_with_aiohttp(first):
    """The same of a thousand; lanes receive about a fifth of them."""
    assert await lane_pairs.pairs(range(first, first + 1000)) > 100
