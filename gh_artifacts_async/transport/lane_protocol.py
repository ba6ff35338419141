"""Lane: a connection of aiohttp's with a protocol of ours, which speaks the part of HTTP/1.1 small responses need.

That part is a strict language (:mod:`.lane_heads`). Whatever else arrives is given to aiohttp's own protocol, from the
response's first byte, so that it means what it always means, and nothing is asked for twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import aiohttp
from aiohttp.http import HttpProcessingError

from gh_artifacts_async.transport.bounds import ClosedError
from gh_artifacts_async.transport.connections import READ_BUFFER, is_readable
from gh_artifacts_async.transport.lane_heads import may_become_head, parse_head
from gh_artifacts_async.transport.streams import LateAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection

    from gh_artifacts_async.transport.bounds import Limit
    from gh_artifacts_async.transport.lane_heads import Head

    Buffers = Callable[[int], bytearray | None]

BUFFER = 64 * 1024
"""Bytes that a lane holds itself: of a head, and of a body that fits in beside it."""


class Whole(NamedTuple):
    """A response in the strict language, all of it here."""

    head: Head
    body: memoryview
    buffer: bytearray | None


class Receipt(NamedTuple):
    """Whom to tell of a body before it is whole.

    Attributes:
        arrived: called with the headers, and the number of bytes that have arrived and of all, while these differ.
        cut: called when the task was cancelled, or the client closed, with the headers, what has arrived, and the
            number of all bytes.
    """

    arrived: Callable[[Mapping[str, str], int, int], None]
    cut: Callable[[Mapping[str, str], bytes, int], None]


class Call(NamedTuple):
    """A GET, and the answer that a lane may receive itself.

    Attributes:
        kind: what the lane is for; a token never rides on a lane of storage.
        origin: of the URL, as :func:`.lane_heads.split_url` returns it.
        target: the rest of the URL.
        headers: to send, secrets included.
        session: aiohttp's, whose connector opens connections.
        ask: the same request to aiohttp.
        timeout: on connecting.
        status: of the answer.
        longest: bytes of the answer's body.
        buffers: lends a buffer of at least so many bytes for a body that does not fit into the lane's own; None if it
            has none.
        held: whether requests must not be sent any more, asked once a new connection is open.
        receipt: whom to tell of the body before it is whole; None for nobody.
    """

    kind: str
    origin: str
    target: str
    headers: Mapping[str, str]
    session: aiohttp.ClientSession
    ask: Callable[..., Awaitable[aiohttp.ClientResponse]]
    timeout: aiohttp.ClientTimeout
    status: int
    longest: int
    buffers: Buffers | None = None
    held: Callable[[], bool] | None = None
    receipt: Receipt | None = None


class Lane(asyncio.BufferedProtocol):
    """One connection; it serves one request after the other.

    Attributes:
        closed: it can serve no request any more.
        handed: the connection is aiohttp's again, together with the response.
        head: of the response, once it has arrived.
        idle_since: when the last response was complete.
    """

    def __init__(self, connection: Connection, host: str, lanes: set[Lane]) -> None:
        """Take over a connection that has served no request yet.

        Args:
            connection: aiohttp's.
            host: the value of ``Host``.
            lanes: all that are open.
        """
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._former = cast("ResponseHandler", connection.protocol)
        self._transport = cast("asyncio.Transport", connection.transport)
        self._lanes = lanes
        self.host = host
        self.closed: bool = False
        self.handed: bool = False
        self.head: Head | None = None
        self.idle_since: float = 0.0
        self._own = memoryview(bytearray(BUFFER))
        self._space = self._own
        self._filled = 0
        self._latest = 0
        self._start = 0
        self._searched = 0
        self._buffer: bytearray | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._call: Call | None = None
        self._limit: Limit | None = None
        lanes.add(self)
        self._transport.set_protocol(self)

    # --- requests

    async def exchange(self, call: Call, fields: str, limit: Limit) -> None:
        """Send a request and wait until its response has arrived, or is aiohttp's to read.

        Args:
            call: the request.
            fields: its headers but for ``Host``, as lines.
            limit: in force.

        Raises:
            aiohttp.ClientError: the connection broke.
            OutOfTimeError: the body was too slow.
            ClosedError: the client was closed.
        """
        self.head, self._space, self._filled, self._searched = None, self._own, 0, 0
        self._call, self._limit = call, limit
        self._waiter = self._loop.create_future()
        self._transport.write(f"GET {call.target} HTTP/1.1\r\nHost: {self.host}\r\n{fields}\r\n".encode())
        await self._waiter

    @property
    def heard(self) -> bool:
        """Whether any byte of the response has arrived."""
        return self._filled > 0 or self.handed

    @property
    def complete(self) -> bool:
        """Whether the whole response has arrived here."""
        return self.head is not None and not self.handed and self._left(self.head) == 0

    def arrived(self) -> bytes:
        """Return what has arrived of a body that broke."""
        return bytes(self._space[self._start : self._filled])

    def take(self) -> Whole:
        """Return the response; the lane is idle from then on."""
        assert self.head is not None  # noqa: S101 - the exchange is complete
        if self._buffer is None:
            body = memoryview(bytes(self._own[self._start : self._start + self.head.length]))
        else:
            body = self._space
        found = Whole(self.head, body, self._buffer)
        self._forget()
        return found

    def _forget(self) -> None:
        """Keep nothing of a request: it may hold a secret, and its buffer is lent."""
        self._call = self._limit = self._waiter = self._buffer = None
        self._space, self._filled = self._own, 0

    async def answer(self) -> LateAnswer:
        """Return the response that aiohttp reads.

        Raises:
            aiohttp.ClientError: the connection broke, or the response is not HTTP.
        """
        invalid = False
        while True:
            try:
                message, payload = await self._former.read()
            except HttpProcessingError:
                invalid = True
                break
            if not 100 <= message.code < 200 or message.code == 101:  # noqa: PLR2004 - interim responses
                return LateAnswer(self._connection, message, payload, self.host)
        assert invalid  # noqa: S101 - outside the except clause, so that aiohttp's error is no context
        raise aiohttp.ClientResponseError(cast("Any", None), ())

    # --- asyncio's calls

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the space for the next bytes; never beyond a body in a lent buffer."""
        del sizehint
        return self._own if self.handed else self._space[self._filled :] or self._own

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes; what nobody has asked for closes the connection."""
        if self.handed:  # Windows' event loop brings what it has read in pieces, and all of them to one protocol
            self._former.data_received(bytes(self._own[:nbytes]))
            return
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.discard()
            return
        self._filled += nbytes
        self._latest = nbytes
        try:
            if self.head is None:
                self._read_head()
            else:
                self._read_body(nbytes)
        except Exception as error:  # noqa: BLE001 - of a limit or a caller: asyncio would only log it
            self._fail(error)

    def pause_writing(self) -> None:
        """Tell aiohttp's protocol, which may be the one that hears of the end of it."""
        self._former.pause_writing()

    def resume_writing(self) -> None:
        """Tell aiohttp's protocol."""
        self._former.resume_writing()

    def eof_received(self) -> bool:
        """Fail what is under way."""
        self._fail(self._broken(None))
        self.discard()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way, and notify aiohttp's protocol, for which its connector may wait."""
        self._fail(self._broken(exc))
        self._former.connection_lost(exc)
        self.discard()

    def _broken(self, exc: Exception | None) -> aiohttp.ClientError:
        """Return the error that aiohttp would raise."""
        if self.head is not None:
            return aiohttp.ClientPayloadError()
        return aiohttp.ClientOSError(*exc.args) if isinstance(exc, OSError) else aiohttp.ServerDisconnectedError()

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    # --- a response

    def _read_head(self) -> None:
        """Look for the end of the head."""
        data = cast("bytearray", self._own.obj)
        end = data.find(b"\r\n\r\n", self._searched, self._filled)
        if end < 0:
            self._searched = max(0, self._filled - 3)
            if self._filled == BUFFER or not may_become_head(bytes(self._own[: self._filled])):
                self._hand_over()
            return
        head, self._start = parse_head(bytes(self._own[: end + 4])), end + 4
        call = self._call
        assert call is not None  # noqa: S101 - a request is under way
        if head is None or head.status != call.status or not self._place(head, call):
            self._hand_over()
            return
        self.head = head
        if self._left(head):
            assert self._limit is not None  # noqa: S101 - as above
            self._limit.brought(0)
            self._read_body(self._filled - self._start)
        elif self._waiter is not None:
            self._waiter.set_result(None)

    def _place(self, head: Head, call: Call) -> bool:
        """Find a place for the body; False if there is none, or if there is more than the body."""
        end = self._start + head.length
        if head.length > call.longest or self._filled > end:
            return False
        if end < BUFFER:
            return True
        buffer = None if call.buffers is None else call.buffers(head.length)
        if buffer is None:
            return False
        if len(buffer) < head.length:
            msg = f"a buffer of {len(buffer)} bytes was lent for {head.length}"
            raise ValueError(msg)
        space, here = memoryview(buffer)[: head.length], self._filled - self._start
        space[:here] = self._own[self._start : self._filled]
        self._buffer, self._space, self._start, self._filled = buffer, space, 0, here
        return True

    def _left(self, head: Head) -> int:
        """Return how many bytes of the body are missing."""
        return self._start + head.length - self._filled

    def _read_body(self, nbytes: int) -> None:
        """Count bytes of the body."""
        waiter, limit, head = self._waiter, self._limit, self.head
        assert waiter is not None and limit is not None and head is not None  # noqa: S101, PT018 - as above
        left = self._left(head)
        if left > 0:
            limit.brought(nbytes)
            if self._call is not None and self._call.receipt is not None:
                self._call.receipt.arrived(head.headers, head.length - left, head.length)
            return
        if left < 0:
            self._hand_over()
            return
        waiter.set_result(None)

    def _hand_over(self) -> None:
        """Give the connection back to aiohttp, with all that has arrived of the response."""
        self.handed = True
        self._lanes.discard(self)
        former = self._former
        former.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BUFFER)
        self._transport.set_protocol(former)
        before = self._filled - self._latest  # in the same pieces: where a response is odd, aiohttp may care
        if before:
            former.data_received(bytes(self._own[:before]))
        former.data_received(bytes(self._own[before : self._filled]))
        if self._waiter is not None:
            self._waiter.set_result(None)

    # --- between requests, and the end

    def is_quiet(self) -> bool:
        """Whether the connection is open, and nothing has arrived on it since the last response."""
        return not (self.closed or self._transport.is_closing() or is_readable(self._transport))

    async def settles(self) -> bool:
        """Let the event loop read what has arrived; whether that was nothing for a request."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the loop reads sockets after it has run what was ready
        return self.is_quiet()

    def discard(self) -> None:
        """Close the connection."""
        if self.closed:
            return
        self.closed = True
        self._lanes.discard(self)
        if not self.handed:
            self._transport.set_protocol(self._former)
        self._transport.abort()
        self._connection.close()

    def leave(self) -> None:
        """Fail what is under way, and let aiohttp's connector, which is about to be closed, wait for the end."""
        self.closed = True
        self._fail(ClosedError())
        self._transport.set_protocol(self._former)
        self._transport.abort()

    def forget_connection(self) -> None:
        """Note that the connector has closed the connection."""
        self._connection.close()
