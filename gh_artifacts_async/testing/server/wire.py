"""From an answer and what is to be wrong with it to bytes on a connection.

Whole and honest answers go through aiohttp; what HTTP does not allow is written past it, to the transport.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import gzip
import socket
import struct
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

import attrs
from aiohttp import web
from multidict import CIMultiDict

from gh_artifacts_async.testing.data.blobs import Blob, BytesBlob, FlippedBlob, JoinedBlob, SliceBlob
from gh_artifacts_async.testing.faults.effects import Framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.testing.faults.effects import Drip, Effects

CHUNK = 256 * 1024
"""Bytes handed to the network at once."""

_POLL = 0.001
_POLLS = 200
_ABSENT = "x-fake-no-content-type"


@attrs.frozen
class Reply:
    """An answer before it is sent.

    Attributes:
        status: the HTTP status.
        headers: without the framing; ``Content-Type`` only where the answer has one.
        body: where the body's bytes come from.
        start: first byte of ``body`` to send; faults count from the beginning of ``body``.
        stop: the byte after the last one; None: to the end.
        framing: how the body's end is told.
        head_only: the answer to HEAD: the length, no body.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: Blob = attrs.field(factory=lambda: BytesBlob(b""))
    start: int = 0
    stop: int | None = None
    framing: Framing = "length"
    head_only: bool = False

    @property
    def end(self) -> int:
        """The byte after the last one."""
        return self.body.size if self.stop is None else self.stop


def middle(start: int, stop: int) -> int:
    """Return the byte in the middle of ``[start, stop)``."""
    return start + (stop - start) // 2


def reset_connection(transport: asyncio.WriteTransport) -> None:
    """End a connection with RST: SO_LINGER of 0 seconds drops what is unsent."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # Windows' struct linger has two shorts, all others two ints.
        form = "hh" if sys.platform == "win32" else "ii"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
    transport.abort()


async def flush(transport: asyncio.WriteTransport) -> None:
    """Wait until the peer's kernel has what was written, as long as the peer reads at all."""
    for _ in range(_POLLS):
        if transport.is_closing() or not transport.get_write_buffer_size() + _unsent(transport):
            return
        await asyncio.sleep(_POLL)


def _unsent(transport: asyncio.WriteTransport) -> int:
    """Return the bytes in the kernel's send queue, 0 where it cannot be asked (ioctl TIOCOUTQ: POSIX)."""
    sock = transport.get_extra_info("socket")
    try:
        import fcntl  # POSIX only
        import termios
    except ImportError:
        return 0
    waiting = array.array("i", [0])
    with contextlib.suppress(OSError, ValueError, AttributeError):
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, waiting)
    return waiting[0]


async def strip_absent(_request: web.Request, response: web.StreamResponse) -> None:
    """Take away the Content-Type that aiohttp puts where ours has none (for ``on_response_prepare``)."""
    if response.headers.pop(_ABSENT, None) is not None:
        response.headers.pop("Content-Type", None)


class ClosedError(Exception):
    """The connection was closed on purpose: nothing more is to be sent."""


class _Plain:
    """A body sent by aiohttp's rules."""

    def __init__(self, request: web.Request, reply: Reply, headers: CIMultiDict[str], length: int | None) -> None:
        if "Content-Type" not in headers:
            headers[_ABSENT] = "1"
        self.response = web.StreamResponse(status=reply.status, headers=headers)
        self._request = request
        if length is None:
            if not reply.head_only:
                self.response.enable_chunked_encoding()
        else:
            self.response.content_length = length

    async def begin(self) -> None:
        await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        await self.response.write(data)

    async def finish(self) -> None:
        await self.response.write_eof()


class _Bare:
    """A body written to the transport, under a head that may not be true; the end of the connection ends it."""

    def __init__(
        self, transport: asyncio.Transport, reply: Reply, headers: CIMultiDict[str], length: int | None
    ) -> None:
        # Never prepared: aiohttp finds the connection closed and lets it be.
        self.response: web.StreamResponse = web.Response()
        self._transport = transport
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self._head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()

    async def begin(self) -> None:
        self._transport.write(self._head)

    async def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError
        self._transport.write(data)
        await flush(self._transport)

    async def finish(self) -> None:
        self._transport.close()


class Delivery:
    """One answer on its way."""

    def __init__(self, request: web.Request, reply: Reply, effects: Effects, sent: Callable[[int], None]) -> None:
        """Prepare to send ``reply`` with ``effects``; ``sent`` is told how many bytes of the body have gone."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._transport = transport
        self._effects = effects
        self._sent = sent
        self._start, self._stop = reply.start, reply.end
        self._blob = reply.body
        headers = CIMultiDict(reply.headers)
        self._shape(headers)
        for name, value in (effects.headers or {}).items():
            headers.popall(name, None)
            if value is not None:
                headers[name] = value
        self._stopped = False
        self._out = self._channel(request, reply, headers)

    def _shape(self, headers: CIMultiDict[str]) -> None:
        """Change the bytes themselves."""
        effects, centre = self._effects, middle(self._start, self._stop)
        if effects.corrupt is not None:
            self._blob = FlippedBlob(self._blob, (centre if effects.corrupt < 0 else effects.corrupt,))
        if effects.end_at is not None:
            self._stop = min(self._stop, centre if effects.end_at < 0 else effects.end_at)
        if effects.extra:
            self._blob = JoinedBlob((SliceBlob(self._blob, self._stop), BytesBlob(effects.extra)))
            self._stop += len(effects.extra)
        if effects.gzip:
            self._blob = BytesBlob(gzip.compress(self._blob.read(self._start, self._stop), 1))
            self._start, self._stop = 0, self._blob.size
            headers["Content-Encoding"] = "gzip"

    def _channel(self, request: web.Request, reply: Reply, headers: CIMultiDict[str]) -> _Plain | _Bare:
        framing = self._effects.framing or reply.framing
        length = self._stop - self._start + self._effects.longer if framing == "length" else None
        # aiohttp would cut a body down to its Content-Length.
        if framing == "close" or self._effects.longer < 0:
            return _Bare(self._transport, reply, headers, length)
        return _Plain(request, reply, headers, length)

    async def send(self, *, head_only: bool) -> web.StreamResponse:
        """Send head and body; return what aiohttp wants to have back."""
        out = self._out
        try:
            await out.begin()
            if not head_only:
                await self._body()
        except ClosedError:
            return out.response
        await out.finish()
        if self._effects.longer > 0:
            self._transport.close()
        return out.response

    async def _body(self) -> None:
        position = self._start
        await self._halt(position)
        while position < self._stop:
            end = self._next(position)
            drip = self._drip_at(position)
            if drip is not None:
                await asyncio.sleep(drip.interval)
            await self._out.write(self._blob.read(position, end))
            self._sent(end - position)
            position = end
            await self._halt(position)

    def _next(self, position: int) -> int:
        """Return the end of the piece that begins at ``position``: a fault's byte begins a piece of its own."""
        drip = self._drip_at(position)
        end = min(self._stop, position + (drip.chunk if drip is not None else CHUNK))
        marks = [self._stop_at()]
        if self._effects.drip is not None:
            marks.append(self._drip_start())
        return min([end, *(mark for mark in marks if mark is not None and mark > position)])

    def _stop_at(self) -> int | None:
        stop = self._effects.stop
        if stop is None:
            return None
        return middle(self._start, self._stop) if stop.at is None else stop.at

    def _drip_start(self) -> int:
        drip = self._effects.drip
        at = drip.at if drip is not None else 0
        return middle(self._start, self._stop) if at is None else at

    def _drip_at(self, position: int) -> Drip | None:
        drip = self._effects.drip
        return drip if drip is not None and position >= self._drip_start() else None

    async def _halt(self, position: int) -> None:
        """Do what is to happen to the connection at ``position``."""
        stop, at = self._effects.stop, self._stop_at()
        if stop is None or at is None or self._stopped or position < at:
            return
        self._stopped = True
        if stop.kind == "stall":
            await asyncio.sleep(stop.seconds)
            return
        await end_connection(self._transport, "rst" if stop.kind == "reset" else "fin")
        raise ClosedError


async def end_connection(transport: asyncio.WriteTransport, how: Literal["fin", "rst"]) -> None:
    """Close a connection once the peer has what was written to it."""
    await flush(transport)
    if how == "rst":
        reset_connection(transport)
    else:
        transport.close()


async def deliver(
    request: web.Request, reply: Reply, effects: Effects, sent: Callable[[int], None]
) -> web.StreamResponse:
    """Send ``reply`` over the connection of ``request``, with what ``effects`` makes of it.

    Returns:
        What the handler of ``request`` is to return; all of it has been sent.
    """
    if effects.head_delay:
        await asyncio.sleep(effects.head_delay)
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    if effects.raw is not None:
        transport.write(effects.raw)
        await end_connection(transport, "rst" if effects.reset else "fin")
        return web.Response()
    return await Delivery(request, reply, effects, sent).send(head_only=reply.head_only)
