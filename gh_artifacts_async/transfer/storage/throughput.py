"""Reads one body into the part file, and checks that it arrives fast enough.

There are three ways, by its length: small ones are written on the loop's own thread, large ones of a known length take
the fast path, and the rest goes through aiohttp's reader to the worker thread. Those on the fast path may be received
over several connections, see :mod:`.segments`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ArtifactsError, RequestTimeoutError, SlowTransferError, TransportError
from gh_artifacts_async.transfer.disk.writer import Lane
from gh_artifacts_async.transport.failures import too_slow
from gh_artifacts_async.transport.socket_receiver import FROM, SocketReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.protocol import ranges
    from gh_artifacts_async.results import Way
    from gh_artifacts_async.settings import Timeouts
    from gh_artifacts_async.transfer.disk.ahead import Ahead
    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.storage.begun import Replayed
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.storage.range_source import RangeSource
    from gh_artifacts_async.transfer.storage.segments import Segments
    from gh_artifacts_async.transport.http import HttpStream

    Stream = HttpStream | Replayed

LEAST_GAIN = 4096
"""Bytes that a connection must bring at least to count as progress: one byte a connection, for ever, is none."""

INLINE = 256 * 1024
"""Bodies of at most this many bytes are hashed and written on the loop's own thread: a hop to the worker costs more."""

SPLIT_FROM = 8 * 1024 * 1024
"""Bodies up to so many bytes are not split among connections, even where the caller asks for several."""

EVENT_INTERVAL = 0.1
"""Shortest time in seconds between two progress events of one transfer."""


class RateWatch:
    """Finds a transfer that stays below the minimum rate over a window; the times are the event loop's."""

    def __init__(self, timeouts: Timeouts) -> None:
        """Start with no window open."""
        self._minimum = timeouts.min_rate
        self._window = timeouts.min_rate_window
        self._since: float | None = None
        self._bytes = 0
        self._gained_to = 0
        self._gained_at: float | None = None

    def resume_from(self, offset: int) -> None:
        """Measure progress from this byte on."""
        self._gained_to = offset

    def has_gained(self, offset: int, wanted: int | None, now: float) -> bool:
        """Whether there is progress since it was last asked with that result: enough bytes for the time it took.

        A tenth of the bytes that are wanted, if their number is known, is always enough: a small artifact survives cuts
        as a large one does, and no size costs more than ten times the attempts.
        """
        seconds = now - (now if self._gained_at is None else self._gained_at)
        enough = max(LEAST_GAIN, (self._minimum or 0.0) * seconds)
        if wanted is not None:
            enough = min(enough, max(wanted / 10, 1))
        if offset - self._gained_to < enough:
            return False
        self._gained_to, self._gained_at = offset, now
        return True

    def start(self, now: float) -> None:
        """Open a window."""
        self._since, self._bytes = now, 0
        if self._gained_at is None:
            self._gained_at = now

    def exclude(self, seconds: float) -> None:
        """Exclude time that storage is not responsible for: waiting for GitHub's rate limit, or for our own disk."""
        if self._since is not None:
            self._since += seconds
        if self._gained_at is not None:
            self._gained_at += seconds

    def after(self, failure: ArtifactsError, now: float) -> bool:
        """Close the window after a failed attempt, so that the next connection is not blamed for its slowness.

        A timeout closes the window even if it is not over: the silence may have lasted as long as the window, with a
        little of it excluded.

        Returns:
            Whether the attempt was too slow; False if the window is not over, and continues.
        """
        if isinstance(failure, SlowTransferError):
            self.start(now)  # it may be the transport that has measured
            return True
        if self._since is None or self._minimum is None:
            return False
        silent = isinstance(failure, RequestTimeoutError)
        passed = now - self._since
        if passed < self._window and not silent:
            return False
        slow = self._bytes < self._minimum * passed
        self.start(now)
        return slow

    def count(self, size: int, now: float, host: str) -> None:
        """Count bytes.

        Raises:
            SlowTransferError: the window is over and was too slow; the next one is open.
        """
        if self._since is None:
            self._since = now
        self._bytes += size
        passed = now - self._since
        if passed < self._window or self._minimum is None:
            return
        rate = self._bytes / passed
        self.start(now)
        if rate < self._minimum:
            raise too_slow(host, rate, passed, self._minimum)


class BodyReader:
    """Reads the bodies of one download.

    Attributes:
        arrived: bytes of the artifact that have arrived, including those not yet written.
        bytes_fetched: bytes of all bodies together.
        way: how the last body was received; None before the first.
    """

    def __init__(
        self,
        context: TransferContext,
        part: PartFile,
        watch: RateWatch,
        progress: Callable[[], None] | None,
        *,
        source: RangeSource,
        connections: int | None,
    ) -> None:
        """Keep the arguments.

        Args:
            context: the client's.
            part: where the bytes go.
            watch: finds a body that is too slow.
            progress: called whenever bytes have arrived; None if nobody listens.
            source: of ranges, for more connections than one.
            connections: as the caller asks for; None to add them where they help.
        """
        self._context = context
        self._source = source
        self._connections = connections
        self._ahead: Ahead | None = None
        self._writer = context.writer
        self._counters = context.github.emitter.counters
        self._idle = context.github.timeouts.read
        self._fast = context.github.limits.fast_paths
        self._part = part
        self._watch = watch
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self.arrived: int = 0
        self._reached = 0
        self.bytes_fetched: int = 0
        self.way: Way | None = None

    @property
    def received(self) -> int:
        """Bytes of the artifact to report: those that arrived; what is fetched again does not lower the number."""
        return max(self.arrived, self._reached)

    async def read(self, stream: Stream, body: ranges.Stream, most: int, *, split: bool = True) -> bool:
        """Read a body to its end; if it breaks, what has arrived is kept.

        Args:
            stream: nothing of the body is read yet.
            body: what its headers promise.
            most: bytes that the part may have at the end.
            split: it may be received over several connections.

        Returns:
            False if there was more.

        Raises:
            TransportError: the connection broke, or was silent for too long.
            SlowTransferError: it was too slow.
            OSError: writing failed.
        """
        self._reached = self.received if self._part.offset else 0
        self.arrived = self._part.offset
        self.way = "chunks"
        segments = self._segments(stream, body) if split else None
        if segments is None:
            self._drop_ahead()
        else:
            self.arrived += segments.there
        if body.length is None or body.length > INLINE:
            await self._by_worker(stream, body, most, segments)
        else:
            while (chunk := await stream.read_chunk()) and self.arrived + len(chunk) <= most:
                self._part.append([chunk])
                self._count(stream.host, len(chunk))
            self.arrived += len(chunk)  # of a body that is too long
        return self.arrived <= most

    async def _by_worker(self, stream: Stream, body: ranges.Stream, most: int, segments: Segments | None) -> None:
        """Let the worker thread write; the fast path is taken for a large body whose end is a counted byte."""
        lane = Lane(self._writer, self._part.append if segments is None else segments.sink())
        receiver: SocketReceiver | None = None
        try:
            receiver = self._taken_over(stream, body.length, lane, segments)
            if receiver is None:
                self._drop_ahead()  # then the lane appends, as it would without segments
            self.way = "chunks" if receiver is None else "receiver"
            try:
                if receiver is None:
                    await self._by_chunks(stream, lane, most)
                elif segments is None:
                    await receiver.received()
                else:
                    await segments.receive(receiver, lane)
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
            if segments is not None and segments.several:
                self.way = "segments"
            if segments is not None and segments.refused:
                self._connections = 1

    def _segments(self, stream: Stream, body: ranges.Stream) -> Segments | None:
        """Return what receives a body that may come over several connections; None if this one may not."""
        if self._ahead is not None and not self._ahead.is_of(self._part):
            self._ahead = None
        if not self._ahead and (body.length is None or body.length <= SPLIT_FROM):
            return None
        from gh_artifacts_async.transfer.disk.ahead import Ahead  # only large bodies need these
        from gh_artifacts_async.transfer.storage.segments import Segments, may_be_split

        if not may_be_split(
            self._context,
            self._part,
            body,
            stream.response.headers,
            connections=self._connections,
            continued=bool(self._ahead),
        ):
            return None
        self._ahead = self._ahead or Ahead(self._part)
        return Segments(
            self._context,
            self._source,
            self._ahead,
            exclude=self._watch.exclude,
            body=body,
            host=stream.host,
            connections=self._connections,
            arrived=partial(self._count, stream.host),
        )

    def _drop_ahead(self) -> None:
        """Remove what an earlier body has left beyond the frontier: the next one is received in order."""
        if self._ahead is not None:
            self._ahead.forget()
            self._part.drop_ahead()

    def _taken_over(
        self, stream: Stream, length: int | None, lane: Lane, segments: Segments | None
    ) -> SocketReceiver | None:
        """Return what receives a body past aiohttp; None if that cannot be."""
        headers = stream.response.headers  # a 206 in chunks has its length from Content-Range
        counted = "content-length" in headers and "transfer-encoding" not in headers
        if not self._fast or not counted or length is None or length < FROM:
            return None
        receiver = SocketReceiver(
            length=length,
            host=stream.host,
            idle=self._idle,
            progress=partial(self._count, stream.host) if segments is None else segments.first_arrived,
            paused=self._watch.exclude if segments is None else segments.paused,
        )
        return receiver if stream.take_over(self._writer, lane, receiver) else None

    async def _by_chunks(self, stream: Stream, lane: Lane, most: int) -> None:
        """Pass on what aiohttp has read at once: it loses what it buffers when the body breaks."""
        while (chunk := await stream.read_chunk()) and self.arrived + len(chunk) <= most:
            before = self._loop.time()
            await lane.put(chunk)
            self._watch.exclude(self._loop.time() - before)
            self._count(stream.host, len(chunk))
        self.arrived += len(chunk)  # of a body that is too long

    def _count(self, host: str, size: int) -> None:
        self.arrived += size
        self.bytes_fetched += size
        self._counters.bytes_fetched += size
        if self._progress is not None:
            self._progress()
        self._watch.count(size, self._loop.time(), host)
