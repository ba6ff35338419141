"""One of the connections of a body: reads the bytes of a span, and has them written at their place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.errors import ConnectionFailedError
from gh_artifacts_async.transfer.disk.ahead import Ahead
from gh_artifacts_async.transfer.disk.writer import Lane, Writer
from gh_artifacts_async.transfer.storage.segment_plan import MIB, Span
from gh_artifacts_async.transport.socket_receiver import SocketReceiver

if TYPE_CHECKING:
    from gh_artifacts_async.transport.http import HttpStream

SHARE = MIB
"""Bytes of one connection that may wait to be written."""

_BY_RECEIVER = 16 * MIB  # shorter ranges leave their connection usable for the next one


@attrs.define(eq=False, kw_only=True)
class Shared:
    """What the connections of one body share.

    Attributes:
        writer: the client's.
        ahead: takes the bytes.
        host: storage's, for messages.
        idle: seconds of silence after which a connection fails; None for no limit.
        count: called with a connection and the number of bytes that it has brought.
        paused: called with the seconds for which one of them was not read because the disk was slower.
        stopping: the body has ended; what is not written yet is not needed.
    """

    writer: Writer
    ahead: Ahead
    host: str
    idle: float | None
    count: Callable[[Connection, int], None]
    paused: Callable[[float], None]
    stopping: bool = False

    def broken(self, reason: str) -> ConnectionFailedError:
        """Return the error for a connection that brought less than it should."""
        return ConnectionFailedError(f"the connection to {self.host} failed: {reason}", host=self.host)


@attrs.define(eq=False, kw_only=True)
class Connection:
    """A connection.

    Attributes:
        shared: with the others.
        extra: it counts as one that the transfer has beyond the first.
        heard: when it last brought bytes, or began.
        offer: start and end of a range to ask for first, which another connection would come to later.
        span: what it fetches now.
        task: its task.
        brought: it has brought bytes.
        leaving: it takes no more.
        dropped: it was too silent.
    """

    shared: Shared
    extra: bool
    heard: float
    offer: tuple[int, int] | None = None
    span: Span | None = None
    task: asyncio.Task[None] | None = None
    brought: bool = False
    leaving: bool = False
    dropped: bool = False
    _receiver: SocketReceiver | None = None

    @property
    def wanted(self) -> tuple[int, int]:
        """Start and end of the range to ask for."""
        if self.offer is not None:
            return self.offer
        assert self.span is not None  # noqa: S101 - it has the one or the other
        return self.span.position, self.span.end

    async def read(self, span: Span, stream: HttpStream, length: int) -> None:
        """Read a response up to the end of the span, which may come to be earlier meanwhile.

        Args:
            span: what is to be read, the connection's own.
            stream: nothing of its body is read yet.
            length: of the body.

        Raises:
            TransportError: the connection broke; what has arrived is kept.
            SlowTransferError: all connections together are too slow.
            OSError: writing failed.
        """
        if span.left < _BY_RECEIVER or not await self._by_receiver(span, stream, length):
            await self._by_chunks(span, stream)

    async def read_first(self, receiver: SocketReceiver, lane: Lane) -> None:
        """Read a response that a receiver has taken over already, as :meth:`read`."""
        self._receiver = receiver
        try:
            await receiver.received()
        finally:
            self._receiver = None
            receiver.detach()
            if not self.shared.stopping:
                await lane.flush()

    def drop(self, seconds: float) -> None:
        """End a connection that has brought nothing for some seconds."""
        self.dropped = True
        if self._receiver is not None:
            self._receiver.fail(self.shared.broken(f"nothing came for {seconds:.0f} s"))
        elif self.task is not None:
            self.task.cancel()

    def end_earlier(self) -> None:
        """Read no further than to the end that the span has now."""
        if self._receiver is not None and self.span is not None:
            self._receiver.end_after(self.span.left)

    async def _by_receiver(self, span: Span, stream: HttpStream, length: int) -> bool:
        """Receive past aiohttp; False if that cannot be."""
        headers, shared = stream.response.headers, self.shared
        if "content-length" not in headers or "transfer-encoding" in headers:
            return False
        lane = Lane(shared.writer, shared.ahead.sink(span.position))
        count = partial(shared.count, self)
        receiver = SocketReceiver(
            length=length, host=shared.host, idle=shared.idle, progress=count, paused=shared.paused
        )
        if not stream.take_over(shared.writer, lane, receiver):
            return False
        receiver.end_after(span.left)
        try:
            await self.read_first(receiver, lane)
        finally:
            await lane.stop()
            shared.writer.give_back(receiver.buffers)
        return True

    async def _by_chunks(self, span: Span, stream: HttpStream) -> None:
        """Read by aiohttp's reader; a connection that is read to the end of its range serves the next one."""
        shared, loop = self.shared, asyncio.get_running_loop()
        lane = Lane(shared.writer, shared.ahead.sink(span.position), SHARE)
        try:
            try:
                while span.left:
                    chunk = (await stream.read_chunk())[: span.left]
                    if not chunk:
                        msg = f"it ended {span.left:,} bytes before the end of the range"
                        raise shared.broken(msg)
                    shared.count(self, len(chunk))
                    began = loop.time()
                    await lane.put(chunk)
                    shared.paused(loop.time() - began)
            finally:
                if not shared.stopping:
                    await lane.flush()
        finally:
            await lane.stop()
