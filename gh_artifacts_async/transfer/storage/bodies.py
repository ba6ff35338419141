"""One body into the part file: three ways, by its length.

Small ones are written on the loop's own thread, large ones of a known length take the fast path, and the rest goes
through aiohttp's reader to the worker thread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import SlowTransferError, TransportError
from gh_artifacts_async.transport import socket_receiver
from gh_artifacts_async.transport.socket_receiver import SocketReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.disk.writer import Lane
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.storage.throughput import RateWatch
    from gh_artifacts_async.transport.http import HttpStream

INLINE = 256 * 1024
"""Bodies up to so many bytes are hashed and written on the loop's own thread: a hop to the worker costs more."""


class BodyReader:
    """Reads the bodies of one download.

    Attributes:
        arrived: bytes of the artifact that have come, those on their way to the disk included.
        bytes_fetched: of all bodies together.
    """

    def __init__(
        self, context: TransferContext, part: PartFile, watch: RateWatch, progress: Callable[[], None]
    ) -> None:
        """Plan.

        Args:
            context: the client's.
            part: where the bytes go.
            watch: finds a body that is too slow.
            progress: is called whenever bytes have come.
        """
        self._writer = context.writer
        self._idle = context.github.timeouts.read
        self._part = part
        self._watch = watch
        self._progress = progress
        self.arrived = 0
        self.bytes_fetched = 0

    async def read(self, stream: HttpStream, length: int | None) -> None:
        """Read a body to its end; what came before it breaks is kept.

        Raises:
            TransportError: it broke, or was silent for too long.
            SlowTransferError: it was too slow.
            OSError: the disk refused.
        """
        self.arrived = self._part.offset
        if length is None or length > INLINE:
            await self._by_worker(stream, length)
            return
        while chunk := await stream.read_chunk():
            self._part.append([chunk])
            self._count(len(chunk), stream.host)

    async def _by_worker(self, stream: HttpStream, length: int | None) -> None:
        lane = self._writer.lane(self._part.append)
        receiver = self._take_over(stream, lane, length)
        try:
            try:
                await (self._by_chunks(stream, lane) if receiver is None else receiver.received())
            except (TransportError, SlowTransferError):
                await lane.flush()
                raise
            await lane.flush()
        finally:
            if receiver is not None:
                receiver.detach()
            try:
                await lane.stop()
            finally:
                if receiver is not None:
                    self._writer.give_back(receiver.buffers)

    async def _by_chunks(self, stream: HttpStream, lane: Lane) -> None:
        """Take what aiohttp reads, and pass it on at once: aiohttp loses what it holds when the body breaks."""
        loop = asyncio.get_running_loop()
        while chunk := await stream.read_chunk():
            before = loop.time()
            await lane.put(chunk)
            self._watch.exclude(loop.time() - before)
            self._count(len(chunk), stream.host)

    def _take_over(self, stream: HttpStream, lane: Lane, length: int | None) -> SocketReceiver | None:
        """Take the fast path; None where it cannot be taken, and nothing was read then."""
        headers = stream.response.headers  # a 206 in chunks has its length from Content-Range
        framed = "transfer-encoding" in headers or "content-length" not in headers
        if length is None or length < socket_receiver.FROM or framed:
            return None

        def receiver(arrived: int) -> SocketReceiver:
            return SocketReceiver(
                length=length - arrived,
                host=stream.host,
                idle=self._idle,
                progress=lambda size: self._count(size, stream.host),
                paused=self._watch.exclude,
            )

        return stream.take_over(self._writer, lane, receiver)

    def _count(self, size: int, host: str) -> None:
        self.arrived += size
        self.bytes_fetched += size
        self._progress()
        self._watch.count(size, asyncio.get_running_loop().time(), host)
