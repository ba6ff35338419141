"""Whole responses in pieces, with any end: over a lane the same comes out as from aiohttp's protocol alone."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.bounds import Limit, Watch, headers_of
from gh_artifacts_async.transport.connections import READ_BUFFER
from gh_artifacts_async.transport.lane_protocol import Call, Lane
from tests.fuzz import scratch
from tests.fuzz.tally import note
from tests.fuzz.targets import lanes
from tests.kits.lane_fuzz import HEADS, SHORT, mutated

LONGEST, WORDS = lanes.LONGEST, lanes.WORDS
STRUCTURED = 0.7
ENDS = ("nothing", "eof", "lost", "reset")
STATUSES = (200, 200, 200, 302)
_LIMIT = 8192


def seeds() -> list[bytes]:
    """Return responses; the first byte says how they end and what is asked for, the next three where they are cut."""
    rng = random.Random(2)  # noqa: S311 - the same each time
    good = [head + b"x" * 20 for head in HEADS[1:]] + [HEADS[0]]
    odd = [b"HTTP/1.1 103 Early\r\n\r\n" + good[0], good[0] + b"x", good[2] + good[2], good[1][:-5]]
    odd += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n"]
    odd += [b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + bytes(9000)]
    return [rng.randbytes(4) + data for data in (*good, *odd) for _ in range(3)] + [
        rng.randbytes(4) + mutated(rng) + b"y" * 20 for _ in range(60)
    ]


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change lines of a head that is real, what follows it, and where it is cut."""
    what = rng.random()
    if what < 0.2:
        return rng.randbytes(4) + data[4:]
    body = rng.randbytes(rng.choice((0, 1, 19, 20, 20, 20, 20, 20, 21, 200)))
    if rng.random() < 0.1:
        body += rng.choice((b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n", SHORT.replace(b"\n", b"\r\n")))
    before = b"HTTP/1.1 10%d X\r\n\r\n" % rng.randrange(4) if rng.random() < 0.05 else b""
    return rng.randbytes(4) + before + mutated(rng) + body


class _Transport(asyncio.Transport):
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.aborted = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        del data

    def is_closing(self) -> bool:
        return self.aborted

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.aborted = True

    def abort(self) -> None:
        self.aborted = True


def fuzz(data: bytes) -> None:
    """Feed a response to a lane, and to aiohttp's protocol in the same pieces."""
    control, response = data[:4].ljust(4, b"\0"), data[4:]
    end, status = ENDS[control[0] % 4], STATUSES[control[0] // 4 % 4]
    cuts = sorted(cut * len(response) // 255 for cut in control[1:])
    pieces = [response[a:b] for a, b in zip([0, *cuts], [*cuts, len(response)], strict=True) if a < b]
    scratch.loop().run_until_complete(_compare(pieces, end, status))


async def _compare(pieces: list[bytes], end: str, status: int) -> None:
    lane, ours = await _over_lane(pieces, end, status)
    theirs = await _alone(pieces, end)
    note(f"{lane}: {'an error' if ours[3] else 'no end' if not ours[4] else 'a response'}")
    if lane == "lane":
        assert ours[4] or ours[3]
    # Of a body that breaks, aiohttp loses what it has not handed out yet. It may see an error in a head before its end.
    assert ours[0] == theirs[0] or (ours[0] is None and (ours[3] or not ours[4]) and theirs[3])
    if ours[0] is not None:
        assert ours[1] == theirs[1]
        assert ours[2] == theirs[2] or (ours[3] and ours[2].startswith(theirs[2]))
        assert ours[3:] == theirs[3:]


def _end(protocol: Any, transport: _Transport, end: str) -> None:
    if end == "eof":
        protocol.eof_received()
        if not transport.aborted or transport.protocol is not None:
            transport.protocol.connection_lost(None)
    elif end == "lost":
        protocol.connection_lost(None)
    elif end == "reset":
        protocol.connection_lost(ConnectionResetError(104, "reset"))


async def _outcome(former: ResponseHandler) -> tuple[Any, ...]:
    """Return what aiohttp's protocol has: status, headers, body, the kind of error, and whether it is complete."""
    while True:
        if not former._buffer and former.exception() is None:
            return None, None, b"", None, False
        try:
            message, payload = await former.read()
        except Exception as error:  # noqa: BLE001 - it is compared
            return None, None, b"", _kind(error), False
        if not 100 <= message.code < 200 or message.code == 101:
            break
    body, failure = b"", None
    headers = headers_of(SimpleNamespace(headers=message.headers))
    try:
        while payload.exception() is None and (chunk := payload.read_nowait(-1)):
            body += chunk
    except Exception as error:  # noqa: BLE001 - as above
        failure = _kind(error)
    if payload.exception() is not None:
        failure = _kind(payload.exception())
    return message.code, headers, body, failure, failure is None and payload.is_eof()


def _kind(error: BaseException) -> str:
    return "payload" if isinstance(error, aiohttp.ClientPayloadError) else "head"


async def _alone(pieces: list[bytes], end: str) -> tuple[Any, ...]:
    transport, former = _Transport(), ResponseHandler(scratch.loop())
    former.connection_made(transport)
    transport.set_protocol(former)
    former.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BUFFER)
    for piece in pieces:
        if former.exception() is None and not transport.aborted:
            former.data_received(piece)
    _end(former, transport, end)
    return await _outcome(former)


async def _over_lane(pieces: list[bytes], end: str, status: int) -> tuple[str, tuple[Any, ...]]:
    transport, former = _Transport(), ResponseHandler(scratch.loop())
    former.connection_made(transport)
    transport.set_protocol(former)
    connection: Any = SimpleNamespace(protocol=former, transport=transport, close=lambda: None)
    lane = Lane(connection, "blob.example", set())
    unused: Any = None
    call = Call("storage", "https://blob.example", "/x", {}, unused, unused, unused, status, _LIMIT)
    watch = Watch(Timeouts(read=None, min_rate=None))
    with Limit(watch, None, "") as limit:
        exchange = asyncio.ensure_future(lane.exchange(call, "", limit))
        await asyncio.sleep(0)
        for piece in pieces:
            _feed(lane, former, transport, piece)
        done = lane.complete or lane.handed or exchange.done()
        if not (lane.complete and not lane.handed):
            _end(former if lane.handed else lane, transport, end)
    await asyncio.sleep(0)
    if lane.handed:
        await exchange
        return "handed", await _outcome(former)
    head = lane.head
    failure = None
    if exchange.done():
        error = exchange.exception()
        failure = None if error is None else _kind(error)
    else:
        exchange.cancel()
        await asyncio.sleep(0)
    if head is None:
        return "no head", (None, None, b"", failure, False)
    if failure is None and done and lane.complete:
        whole = lane.take()
        return "lane", (head.status, head.headers, bytes(whole.body), None, True)
    return "lane, before its end", (head.status, head.headers, lane.arrived(), failure, False)


def _feed(lane: Lane, former: ResponseHandler, transport: _Transport, piece: bytes) -> None:
    """Give bytes as asyncio would: as much as there is space for, to whatever protocol is set."""
    while piece and not transport.aborted:
        if lane.handed:
            if former.exception() is None:
                former.data_received(piece)
            return
        space = lane.get_buffer(-1)
        some = min(len(space), len(piece))
        space[:some] = piece[:some]
        lane.buffer_updated(some)
        piece = piece[some:]
