"""One body into the part file: three ways, by its length.

Small ones are written on the loop's own thread, large ones of a known length take the fast path, and the rest goes
through aiohttp's reader to the worker thread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import SlowTransferError, TransportError
from gh_artifacts_async.transport import socket_receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.transfer.context import TransferContext
    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.disk.writer import Lane
    from gh_artifacts_async.transfer.storage.targets import StorageResponse
    from gh_artifacts_async.transfer.storage.throughput import RateWatch

INLINE = 256 * 1024
"""Bodies up to so many bytes are hashed and written on the loop's own thread: a hop to the worker costs more."""


class BodyReader:
    """Reads the bodies of one transfer.

    Attributes:
        arrived: bytes of the artifact that have come, those on their way to the disk included.
        bytes_fetched: of all bodies together.
    """

    def __init__(self, tools: TransferContext, part: PartFile, watch: RateWatch, progress: Callable[[], None]) -> None:
        """Plan.

        Args:
            tools: the client's.
            part: where the bytes go.
            watch: finds a body that is too slow.
            progress: is called whenever bytes have come.
        """
        self._tools = tools
        self._part = part
        self._watch = watch
        self._progress = progress
        self.arrived = 0
        self.bytes_fetched = 0

    async def read(self, response: StorageResponse, length: int | None) -> None:
        """Read a body to its end; what came before it breaks is kept.

        Raises:
            TransportError: it broke, or was silent for too long.
            SlowTransferError: it was too slow.
            OSError: the disk refused.
        """
        self.arrived = self._part.offset
        if length is not None and length <= INLINE:
            await self._inline(response)
        else:
            await self._by_worker(response, length)

    async def _inline(self, response: StorageResponse) -> None:
        while chunk := await response.read_chunk():
            self._part.append([chunk])
            self._count(len(chunk), response.host)

    async def _by_worker(self, response: StorageResponse, length: int | None) -> None:
        lane = self._tools.writer.lane(self._part.append)
        ring = self._ring(response, lane, length)
        try:
            try:
                await (self._by_chunks(response, lane) if ring is None else ring.received())
            except (TransportError, SlowTransferError):
                await lane.flush()
                raise
            await lane.flush()
        finally:
            if ring is not None:
                ring.detach()
            try:
                await lane.stop()
            finally:
                self._tools.writer.give_back([] if ring is None else ring.buffers)

    async def _by_chunks(self, response: StorageResponse, lane: Lane) -> None:
        """Take what aiohttp reads, and pass it on at once: aiohttp loses what it holds when the body breaks."""
        loop = asyncio.get_running_loop()
        while chunk := await response.read_chunk():
            before = loop.time()
            await lane.put(chunk)
            self._watch.exclude(loop.time() - before)
            self._count(len(chunk), response.host)

    def _ring(self, response: StorageResponse, lane: Lane, length: int | None) -> socket_receiver.SocketReceiver | None:
        """Take the fast path; None where it cannot be taken, and nothing was read then."""
        headers = response.answer.headers  # a 206 in chunks has its length from Content-Range
        framed = "transfer-encoding" in headers or "content-length" not in headers
        if length is None or length < socket_receiver.FROM or framed:
            return None
        return response.take_over(
            self._tools.writer,
            lane,
            lambda arrived: socket_receiver.SocketReceiver(
                length=length - arrived,
                host=response.host,
                idle=self._tools.github.timeouts.read,
                watch=self._watch,
                progress=lambda size: self._count(size, response.host),
            ),
        )

    def _count(self, size: int, host: str) -> None:
        self.arrived += size
        self.bytes_fetched += size
        self._progress()
        self._watch.count(size, asyncio.get_running_loop().time(), host)
