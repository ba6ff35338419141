"""Puts a response on a connection, with whatever is meant to be wrong with it.

What HTTP allows goes through aiohttp; what it does not is written directly to the transport.
"""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from gh_artifacts_async.testing.data.blobs import BytesBlob, FlippedBlob, JoinedBlob, SliceBlob
from gh_artifacts_async.testing.shutdown import end_connection, flush

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.testing.faults.effects import Drip, Effects
    from gh_artifacts_async.testing.server.responses import Response

CHUNK = 256 * 1024
"""Bytes handed to the network at once."""

_ABSENT = "x-fake-no-content-type"


def middle(start: int, stop: int) -> int:
    """Return the byte in the middle of ``[start, stop)``."""
    return start + (stop - start) // 2


async def strip_absent(_request: web.Request, response: web.StreamResponse) -> None:
    """Remove the Content-Type that aiohttp adds to responses without one (for ``on_response_prepare``)."""
    if response.headers.pop(_ABSENT, None) is not None:
        response.headers.pop("Content-Type", None)


class _ClosedError(Exception):
    """A fault closed the connection: nothing more can be sent."""


class _Plain:
    """A body sent through aiohttp."""

    def __init__(self, request: web.Request, response: Response, headers: CIMultiDict[str], length: int | None) -> None:
        if "Content-Type" not in headers:
            headers[_ABSENT] = "1"
        self.response = web.StreamResponse(status=response.status, headers=headers)
        self._request = request
        if length is None:
            if not response.head_only:
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
    """A body written to the transport under headers that may be untrue; the end of the connection ends it."""

    def __init__(
        self, transport: asyncio.Transport, response: Response, headers: CIMultiDict[str], length: int | None
    ) -> None:
        # Never prepared: aiohttp finds the connection closed and sends nothing.
        self.response: web.StreamResponse = web.Response()
        self._transport = transport
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
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
    """One response being sent."""

    def __init__(self, request: web.Request, response: Response, effects: Effects, sent: Callable[[int], None]) -> None:
        """Prepare to send ``response`` with ``effects``; ``sent`` is called with the bytes of body sent."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._transport = transport
        self._effects = effects
        self._sent = sent
        self._start, self._stop = response.start, response.end
        self._blob = response.body
        headers = CIMultiDict(response.headers)
        self._shape(headers)
        for name, value in (effects.headers or {}).items():
            headers.popall(name, None)
            if value is not None:
                headers[name] = value
        self._stopped = False
        self._out = self._channel(request, response, headers)

    def _shape(self, headers: CIMultiDict[str]) -> None:
        """Apply the effects on the bytes themselves."""
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

    def _channel(self, request: web.Request, response: Response, headers: CIMultiDict[str]) -> _Plain | _Bare:
        framing = self._effects.framing or response.framing
        length = self._stop - self._start + self._effects.longer if framing == "length" else None
        # aiohttp would cut a body down to its Content-Length.
        if framing == "close" or self._effects.longer < 0:
            return _Bare(self._transport, response, headers, length)
        return _Plain(request, response, headers, length)

    async def send(self, *, head_only: bool) -> web.StreamResponse:
        """Send headers and body; return what aiohttp expects from a handler."""
        out = self._out
        try:
            await out.begin()
            if not head_only:
                await self._body()
            await out.finish()
        except (_ClosedError, ConnectionResetError):  # closed by a fault, or by a client that has enough
            return out.response
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
        """Return the end of the piece that begins at ``position``: a fault's byte starts a new piece."""
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
        """Apply the effect on the connection that is due at ``position``."""
        stop, at = self._effects.stop, self._stop_at()
        if stop is None or at is None or self._stopped or position < at:
            return
        self._stopped = True
        if stop.kind == "stall":
            await asyncio.sleep(stop.seconds)
            return
        await end_connection(self._transport, "rst" if stop.kind == "reset" else "fin")
        raise _ClosedError


async def deliver(
    request: web.Request, response: Response, effects: Effects, sent: Callable[[int], None]
) -> web.StreamResponse:
    """Send ``response`` over the connection of ``request``, with what ``effects`` does to it.

    Returns:
        What the handler of ``request`` returns; all of it has been sent.
    """
    if effects.head_delay:
        await asyncio.sleep(effects.head_delay)
    transport = request.transport
    if transport is None:  # the client has gone: aiohttp finds the connection closed and sends nothing
        return web.Response()
    if effects.raw is not None:
        transport.write(effects.raw)
        await end_connection(transport, "rst" if effects.reset else "fin")
        return web.Response()
    return await Delivery(request, response, effects, sent).send(head_only=response.head_only)
