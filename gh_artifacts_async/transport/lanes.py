"""Lanes: connections that aiohttp opened, over which small responses are asked for and received without it.

aiohttp spends more on a small response than all the rest of a download. So connections that stay open are lent by its
connector, with all that a connection is (TLS, name resolution, happy eyeballs), and get a protocol of ours
(:mod:`.lane_protocol`), which gives whatever it does not understand to aiohttp's own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import attrs

from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.transport.bounds import NO_HEADERS, ClosedError, Limit, OutOfTimeError
from gh_artifacts_async.transport.connections import send_once
from gh_artifacts_async.transport.failures import without_traceback
from gh_artifacts_async.transport.lane_heads import request_fields
from gh_artifacts_async.transport.lane_protocol import Lane
from gh_artifacts_async.transport.streams import BrokenAnswer

if TYPE_CHECKING:
    from aiohttp.connector import Connection

    from gh_artifacts_async.transport.bounds import Watch
    from gh_artifacts_async.transport.lane_heads import Head
    from gh_artifacts_async.transport.lane_protocol import Call, Whole
    from gh_artifacts_async.transport.streams import LateAnswer

    Answer = aiohttp.ClientResponse | LateAnswer | BrokenAnswer

IDLE = 15.0
"""Seconds after which a lane that nobody uses is closed."""

_DEFAULTS = {str(name): value for name, value in aiohttp.ClientRequest.DEFAULT_HEADERS.items()}
_OF_TRANSPORT = ("set_protocol", "get_extra_info", "is_closing", "abort", "write")
_OF_PROTOCOL = ("set_response_params", "data_received", "read", "connection_lost")


class _ConnectedError(Exception):
    """Ends aiohttp's request once it has its connection."""


@attrs.define(eq=False, repr=False)
class WholeBody:
    """A 200 whose whole body has arrived; its repr shows no URL.

    Attributes:
        response: status and headers.
        host: for messages.
        body: all of it.
        buffer: the lent buffer that holds the body, to be given back after use; None if none was needed.
    """

    response: Response
    host: str
    body: memoryview
    buffer: bytearray | None = None

    def __repr__(self) -> str:
        """Return length and host only."""
        return f"WholeBody({len(self.body)}, {self.host!r})"


def _only_connect(
    connector: aiohttp.BaseConnector, timeout: aiohttp.ClientTimeout, found: dict[str, Connection]
) -> aiohttp.ClientMiddlewareType:
    """Return an aiohttp middleware that connects and sends nothing.

    Args:
        connector: opens the connection.
        timeout: on connecting.
        found: gets the connection, by the value of ``Host`` that aiohttp would send.
    """

    async def connect(request: aiohttp.ClientRequest, _: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        try:
            found[request.headers["Host"]] = await connector.connect(request, traces=[], timeout=timeout)
        except TimeoutError:
            pass
        else:
            raise _ConnectedError
        raise aiohttp.ConnectionTimeoutError  # as aiohttp has it

    return connect


class Lanes:
    """The lanes of a client, those that are idle and those in use.

    Attributes:
        able: aiohttp and the event loop have what lanes need; found out with the first connection.
    """

    def __init__(self, watch: Watch) -> None:
        """Begin without a connection."""
        self.able: bool = True
        self._watch = watch
        self._all: set[Lane] = set()
        self._idle: dict[tuple[str, str], list[Lane]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._left: list[Lane] = []

    async def get(self, call: Call) -> Whole | Answer:
        """Send a request, and return its response: whole, or as a stream.

        Raises:
            aiohttp.ClientError: no connection, or no response.
            OutOfTimeError: the response did not begin in time.
            HeldError: it was held back.
            ClosedError: the client was closed.
        """
        lane: Lane | None = None
        fields = request_fields(call.headers, _DEFAULTS)
        try:
            with Limit(self._watch, None, NO_HEADERS, None, call.held) as limit:
                if fields is None or not self.able:
                    return await call.ask()
                lane = await self._from_idle(call)
                if lane is None or not await self._is_answered(lane, call, fields, limit):
                    lane = None  # a stale connection is closed
                    opened = await self._open(call)
                    if not isinstance(opened, Lane):
                        return opened
                    lane = opened
                    await lane.exchange(call, fields, limit)
                if lane.handed:
                    return await lane.answer()
        except BaseException as error:
            if lane is None:
                raise
            broken = isinstance(error, OutOfTimeError | aiohttp.ClientError) and not lane.handed
            if not (broken and lane.complete):  # else it came just in time
                head, arrived = lane.head, lane.arrived()
                if head is not None and not lane.handed and isinstance(error, asyncio.CancelledError | ClosedError):
                    _tell_cut(call, head, arrived)
                lane.discard()
                if head is None or not broken:
                    raise
                without_traceback(error)
                return BrokenAnswer(head.status, head.headers, arrived, error, lane.host)
        found = lane.take()
        self._release(lane, call, keep=found.head.keep)
        return found

    async def _is_answered(self, lane: Lane, call: Call, fields: str, limit: Limit) -> bool:
        """Send over an idle lane; False if its server had closed it meanwhile."""
        read = self._watch.timeouts.read
        if read is not None:
            limit.deadline = asyncio.get_running_loop().time() + read
        try:
            await lane.exchange(call, fields, limit)
        except aiohttp.ClientError:
            if lane.heard:
                raise
            lane.discard()
            return False
        return True

    async def _from_idle(self, call: Call) -> Lane | None:
        """Return the lane that was used last; one on which something has arrived is closed."""
        lanes = self._idle.get((call.kind, call.origin))
        while lanes:
            lane = lanes.pop()
            quiet = False
            try:
                quiet = lane.is_quiet() or (not lane.closed and await lane.settles())
            finally:
                if not quiet:
                    lane.discard()
            if quiet:
                return lane
        return None

    async def _open(self, call: Call) -> Lane | aiohttp.ClientResponse:
        """Let aiohttp connect; where that is not as it should be, let it do everything."""
        connector = call.session.connector
        if connector is None or call.session.closed:
            raise ClosedError
        found: dict[str, Connection] = {}
        try:
            answer = await call.ask(send_once, _only_connect(connector, call.timeout, found))
        except _ConnectedError:
            ((host, connection),) = found.items()
        else:  # of a test double
            self.able = False
            return answer
        if not _is_fit(connection):
            self.able = False
            connection.release()
            return await call.ask()
        if connection.protocol is None or connection.protocol.should_close:  # it has read what nobody asked for
            connection.close()
            return await call.ask()
        return Lane(connection, host, self._all)

    # --- idle ones

    def _release(self, lane: Lane, call: Call, *, keep: bool) -> None:
        """Keep a lane for the next request."""
        if not keep or lane.closed:
            lane.discard()
            return
        loop = asyncio.get_running_loop()
        lane.idle_since = loop.time()
        self._idle.setdefault((call.kind, call.origin), []).append(lane)
        if self._timer is None:
            self._timer = loop.call_later(IDLE, self._look)

    def _look(self) -> None:
        """Close what has been idle for too long, and set the timer for the next."""
        self._timer = None
        loop = asyncio.get_running_loop()
        until = loop.time() - IDLE
        for key, lanes in list(self._idle.items()):
            for lane in lanes:
                if lane.idle_since <= until:
                    lane.discard()
            lanes[:] = [lane for lane in lanes if not lane.closed]
            if not lanes:
                del self._idle[key]
        left = [lane.idle_since for lanes in self._idle.values() for lane in lanes]
        if left:
            self._timer = loop.call_at(min(left) + IDLE, self._look)

    def leave(self) -> None:
        """Give all connections back to aiohttp's connector, before that is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._left, self._idle = list(self._all), {}
        self._all.clear()
        for lane in self._left:
            lane.leave()

    def forget(self) -> None:
        """Note that the connector is closed."""
        for lane in self._left:
            lane.forget_connection()
        self._left = []


def _tell_cut(call: Call, head: Head, arrived: bytes) -> None:
    """Tell what has arrived of a body whose task was cancelled, or whose client was closed."""
    if call.receipt is not None:
        call.receipt.cut(head.headers, arrived, head.length)


def _is_fit(connection: Connection) -> bool:
    """Whether aiohttp and the event loop have what a lane needs."""
    transport, protocol = connection.transport, connection.protocol
    return all(hasattr(transport, name) for name in _OF_TRANSPORT) and all(
        hasattr(protocol, name) for name in _OF_PROTOCOL
    )
