"""The fast path of large bodies: socket bytes go straight into a few fixed buffers that a worker thread empties.

aiohttp's own reader makes a bytes object of every read and pauses and resumes the socket all the time; for a large body
that is most of the cost. So once the headers are read, the connection gets another protocol, an
``asyncio.BufferedProtocol``, whose buffers are ours. Only public calls are used, and wherever one of them is missing
(test doubles, another transport) nothing is taken over and the ordinary path is used.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol, cast

from gh_artifacts_async.errors import (
    ArtifactsError,
    ConnectionFailedError,
    RequestTimeoutError,
    SlowTransferError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp
    from aiohttp.connector import Connection

BUFFER = 512 * 1024
BUFFERS = 4
"""Four buffers of 512 KiB were the fastest of what was tried; more only cost memory."""

FROM = 1024 * 1024
"""Bodies of at least this many bytes are taken over; the connection cannot be reused, which smaller ones would feel."""


class Sink(Protocol):
    """What takes the bytes, and calls ``on_written`` with the number of bytes it is done with, in order."""

    on_written: Callable[[int], None] | None

    def post(self, chunk: bytes | memoryview) -> None:
        """Take a chunk without waiting; it must not change until it is written."""
        ...

    @property
    def error(self) -> BaseException | None:
        """Why it could not write; what it is given then stays unwritten."""
        ...


class Answer(Protocol):
    """A response whose body is read by aiohttp, or by what is like it."""

    @property
    def connection(self) -> Connection | None:
        """None once the whole body has been read."""
        ...

    @property
    def content(self) -> aiohttp.StreamReader:
        """The body."""
        ...


class Buffers(Protocol):
    """A pool of buffers with a limit."""

    def borrow(self, count: int, size: int) -> list[bytearray] | None:
        """Lend buffers of one size; None if they would be too many."""
        ...

    def give_back(self, buffers: list[bytearray]) -> None:
        """Take lent buffers back."""
        ...


class SocketReceiver(asyncio.BufferedProtocol):
    """Receives a body of known length into buffers that go round between the socket and the worker."""

    def __init__(
        self,
        *,
        length: int,
        host: str,
        idle: float | None,
        progress: Callable[[int], None],
        paused: Callable[[float], None],
    ) -> None:
        """Prepare for a body.

        Args:
            length: its bytes, those that aiohttp has read already included.
            host: for messages.
            idle: seconds of silence after which it fails; None for no limit.
            progress: called with the number of bytes as they arrive.
            paused: called with the seconds for which nothing was read because no buffer was free.
        """
        self._left = length
        self._host = host
        self._idle = idle
        self._progress = progress
        self._paused = paused
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._former: asyncio.BaseProtocol | None = None
        self._sink: Sink | None = None
        self.buffers: list[bytearray] = []
        self._free: list[bytearray] = []
        self._under_way: deque[tuple[bytearray | None, int]] = deque()
        self._written_ahead = 0
        self._current: bytearray | None = None
        self._filled = 0
        self._paused_at: float | None = None
        self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # --- beginning and end

    def attach(self, transport: asyncio.Transport, sink: Sink, buffers: list[bytearray], before: int) -> None:
        """Take over the connection; from now on its bytes come to this protocol.

        Args:
            transport: the connection's.
            sink: gets the bytes.
            buffers: lent by the writer.
            before: bytes that the sink has already, and will report as written first.
        """
        self._transport, self._sink = transport, sink
        self._left -= before
        self.buffers, self._free = buffers, list(buffers)
        self._current = self._free.pop()
        self._under_way.append((None, before))
        sink.on_written = self._written
        self._former = transport.get_protocol()
        transport.set_protocol(self)
        if not transport.is_reading():
            transport.resume_reading()
        self._look_after_silence()
        if before:
            self._count(before)

    async def received(self) -> None:
        """Wait for the end of the body; what has arrived is with the sink, also if the connection broke.

        Raises:
            TransportError: the connection broke, or was silent for too long.
            SlowTransferError: it was too slow.
            ArtifactsError: what ``progress`` raised.
            OSError: the worker could not write.
        """
        failure: BaseException | None = None
        try:
            await self._done
        except (TransportError, SlowTransferError) as error:
            failure = error.with_traceback(None)
        self._hand_over()
        if failure is not None:
            raise failure

    def complete(self, size: int) -> None:
        """Note that aiohttp had read the whole body, of ``size`` bytes, already."""
        if self._count(size):
            self._end()

    def end_after(self, size: int) -> None:
        """Receive no more than the next ``size`` bytes, at least one; the rest of the body is not needed."""
        self._left = min(self._left, size)

    def fail(self, error: ArtifactsError) -> None:
        """End the body as if the connection had broken."""
        self._end(error)

    def _count(self, size: int) -> bool:
        """Report bytes that arrived; False if that ended the body, since it is too slow."""
        try:
            self._progress(size)
        except ArtifactsError as error:
            self._end(error.with_traceback(None))
            return False
        return True

    def detach(self) -> None:
        """Close the connection; it cannot be reused, since aiohttp does not know what was read."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        if not self._done.done():
            self._done.cancel()
        elif not self._done.cancelled():
            self._done.exception()  # retrieved: a cancellation may have come between the failure and the await

    def _end(self, failure: ArtifactsError | None = None) -> None:
        if self._done.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        if failure is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(failure)
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio's calls

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer for the next bytes, never longer than the rest of the body.

        Windows' event loop (and no other) has read up to 64 KiB itself, and brings them all even if reading is paused
        in their midst: those get a buffer of their own, which is not kept. So does what comes after the end.
        """
        if self._done.done():
            return memoryview(bytearray(max(1, sizehint)))
        if self._current is None:
            self._current, self._filled = bytearray(max(1, sizehint)), 0
        return memoryview(self._current)[self._filled :][: max(1, self._left)]

    def buffer_updated(self, nbytes: int) -> None:
        """Count bytes that arrived; a full buffer goes to the worker."""
        if self._done.done() or self._current is None:
            return
        self._heard = self._loop.time()
        self._filled += nbytes
        self._left -= nbytes
        if not self._count(nbytes):
            return
        if self._left == 0:
            self._end()
        elif self._filled == len(self._current):
            self._hand_over()
            if self._free:
                self._current = self._free.pop()
            elif self._paused_at is None and self._transport is not None:
                self._transport.pause_reading()
                self._paused_at = self._loop.time()

    def eof_received(self) -> bool:
        """Fail: storage ended the connection before the body was complete."""
        self._end(self._broken())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and notify aiohttp, whose connector waits for that when it closes."""
        if not self._done.done():
            self._end(self._broken())
        if self._former is not None:
            self._former.connection_lost(exc)
            self._former = None

    def _broken(self) -> ConnectionFailedError:
        msg = f"the connection to {self._host} failed: it broke {self._left:,} bytes before the end of the body"
        return ConnectionFailedError(msg, host=self._host)

    # --- the buffers

    def _hand_over(self) -> None:
        """Pass what is in the current buffer to the worker."""
        if self._current is not None and self._filled and self._sink is not None:
            self._under_way.append((self._current, self._filled))
            self._sink.post(memoryview(self._current)[: self._filled])
            self._current, self._filled = None, 0

    def _written(self, size: int) -> None:
        """Reuse buffers that the worker has written; resume reading if none was free."""
        self._written_ahead += size
        while self._under_way and self._written_ahead >= self._under_way[0][1]:
            buffer, filled = self._under_way.popleft()
            self._written_ahead -= filled
            if any(buffer is lent for lent in self.buffers):
                self._free.append(cast("bytearray", buffer))
        if self._sink is not None and self._sink.error is not None:
            self._end()  # the sink has the error, and raises it when it is flushed
            return
        if self._paused_at is not None and self._free and not self._done.done():
            self._current = self._free.pop()
            self._heard = self._loop.time()
            self._paused(self._heard - self._paused_at)
            self._paused_at = None
            if self._transport is not None:
                self._transport.resume_reading()

    def _look_after_silence(self) -> None:
        """Fail if nothing has arrived for too long; our own pauses do not count."""
        if self._idle is None or self._done.done():
            return
        now = self._loop.time()
        heard = now if self._paused_at is not None else self._heard
        if now - heard >= self._idle:
            msg = f"no response from {self._host}: it was silent for longer than Timeouts.read"
            self._end(RequestTimeoutError(msg, host=self._host))
            return
        self._timer = self._loop.call_at(heard + self._idle, self._look_after_silence)


def take_over(response: Answer, pool: Buffers, sink: Sink, receiver: SocketReceiver) -> bool:
    """Take over a response's body; False if that is not possible, and nothing has changed.

    This happens in one step of the loop: between draining aiohttp's reader and changing the protocol, no byte can
    arrive.

    Args:
        response: after its headers, nothing of its body read yet.
        pool: lends the buffers.
        sink: gets what aiohttp has read already, and everything after it.
        receiver: the connection's protocol from then on.
    """
    connection = response.connection
    transport = None if connection is None else connection.transport
    content = response.content
    if (
        transport is None
        or transport.is_closing()
        or content.exception() is not None
        or not hasattr(transport, "set_protocol")
        or not hasattr(transport, "is_reading")
    ):
        return False
    buffers = pool.borrow(BUFFERS, BUFFER)
    if buffers is None:
        return False
    arrived = 0
    while piece := content.read_nowait(-1):  # reading may let the parser continue, which may bring more
        sink.post(memoryview(piece))
        arrived += len(piece)
    if response.connection is None:  # that was the whole body, and aiohttp has released the connection
        pool.give_back(buffers)
        receiver.complete(arrived)
        return True
    receiver.attach(transport, sink, buffers, arrived)
    return True
