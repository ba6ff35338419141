"""The worker thread and the one bounded buffer pool of a client.

Chunks are handed over as they arrive and written and hashed in batches by one thread; a transfer waits only when its
own share, or the client's whole pool, is full. The worker is a drain job that ends when there is nothing left to write
and is submitted again when something comes, so that the event loop always knows whether work is under way.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

POOL = 24 * 1024 * 1024
"""Most bytes that may wait to be written, over all transfers of a client."""

SHARE = 4 * 1024 * 1024
"""Most bytes of one transfer that may wait to be written."""

_STEP = 256 * 1024  # sizes of single buffers are multiples of this, so that they suit more than one body

_TURN = 8 * 1024 * 1024  # bytes a drain job writes before another transfer's job gets its turn


class Writer:
    """One worker thread, started by its first job and ended by :meth:`aclose`.

    Attributes:
        thread: the worker thread; None before its first job.
        waiting: bytes of all transfers that are not written yet.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self.thread: ThreadPoolExecutor | None = None
        self._closed = False
        self.waiting: int = 0
        self._lent = 0
        self._spare: list[bytearray] = []
        self._kept: list[bytearray] = []
        self._kept_bytes = 0
        self._freed = asyncio.Event()

    async def aclose(self) -> None:
        """End the thread; there is no work left, since every lane has been stopped by its transfer."""
        pool, self.thread = self.thread, None
        self._closed = True
        if pool is not None:
            pool.shutdown(wait=True)

    def open_thread(self) -> ThreadPoolExecutor | None:
        """Start the worker thread; None after close: a transfer that is just ending uses the loop's executor."""
        if self.thread is None and not self._closed:
            self.thread = ThreadPoolExecutor(1, "gh-artifacts-writer")
        return self.thread

    def release(self, size: int) -> None:
        """Stop counting bytes as waiting, and wake the transfers that wait for space in the pool."""
        self.waiting -= size
        self._freed.set()

    @property
    def full(self) -> bool:
        """Whether the client's pool is full."""
        return self.waiting + self._lent >= POOL

    @property
    def lendable(self) -> int:
        """Bytes that may be lent now."""
        return POOL * 2 // 3 - self._lent

    def borrow(self, count: int, size: int) -> list[bytearray] | None:
        """Lend buffers of one size, used ones first; None if they would take more than two thirds of the pool."""
        if not self.reserve(count * size):
            return None
        buffers, self._spare = self._spare[:count], self._spare[count:]
        return [*buffers, *map(bytearray, repeat(size, count - len(buffers)))]

    def reserve(self, size: int) -> bool:
        """Count bytes as lent; False, and they are not, if that would be more than two thirds of the pool."""
        if size > self.lendable:
            return False
        self._lent += size
        return True

    def unreserve(self, size: int) -> None:
        """Stop counting bytes as lent."""
        self._lent -= size

    def give_back(self, buffers: list[bytearray]) -> None:
        """Take lent buffers back; those of one transfer are kept for the next."""
        self._lent -= sum(map(len, buffers))
        if buffers and not self._spare:
            self._spare = buffers

    def lend(self, size: int) -> bytearray | None:
        """Lend one buffer of at least ``size`` bytes; None as for :meth:`borrow`. :meth:`take_back` takes it back."""
        fitting = next((number for number, spare in enumerate(self._kept) if len(spare) >= size), None)
        length = -(-size // _STEP) * _STEP if fitting is None else len(self._kept[fitting])
        if self._lent + length > POOL * 2 // 3:
            return None
        self._lent += length
        if fitting is None:
            return bytearray(length)
        self._kept_bytes -= length
        return self._kept.pop(fitting)

    def take_back(self, buffer: bytearray) -> None:
        """Take one lent buffer back, and keep it for the next."""
        self._lent -= len(buffer)
        if self._kept_bytes + len(buffer) <= POOL * 2 // 3:
            self._kept.append(buffer)
            self._kept_bytes += len(buffer)

    async def wait_for_room(self) -> None:
        """Wait until some bytes have been written."""
        self._freed.clear()
        await self._freed.wait()


class Lane:
    """The chunks of one transfer, in order. An error of the worker is raised by the next ``put`` or ``flush``.

    Attributes:
        error: why the worker could not write; what it is given then stays unwritten. None while it can.
        on_written: called with the number of bytes that have been written, batch by batch.
    """

    def __init__(
        self, writer: Writer, sink: Callable[[Sequence[bytes | memoryview]], None], share: int = SHARE
    ) -> None:
        """Start empty; ``sink`` writes batches of chunks, on the worker thread; ``share`` bytes may wait for it."""
        self._writer = writer
        self._sink = sink
        self._share = share
        self._lock = threading.Lock()
        self._pending: list[bytes | memoryview] = []
        self._queued = 0
        self.error: BaseException | None = None
        self._job: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self.on_written: Callable[[int], None] | None = None

    def post(self, chunk: bytes | memoryview) -> None:
        """Hand over a chunk without waiting; it must not be changed until it is written."""
        with self._lock:
            self._pending.append(chunk)
        self._queued += len(chunk)
        self._writer.waiting += len(chunk)
        self._start()

    async def put(self, chunk: bytes) -> None:
        """Hand over a chunk; waits only while this lane's share or the client's pool is full."""
        if self.error is None:
            self.post(chunk)
        while self.error is None and (self._queued > self._share or (self._writer.full and self._queued)):
            await self._writer.wait_for_room()
        if self.error is not None:
            raise self.error

    async def flush(self) -> None:
        """Wait until everything is written."""
        while self.error is None:
            with self._lock:
                left = bool(self._pending)
            if left:
                self._start()
            if self._job is None or (self._job.done() and not left):
                break
            await asyncio.wait({self._job})
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        """Drop what is not written yet, and wait until the worker no longer uses the file, even when cancelled."""
        with self._lock:
            dropped, self._pending = self._pending, []
        self._give_back(sum(map(len, dropped)))
        cancelled: asyncio.CancelledError | None = None
        while self._job is not None and not self._job.done():
            try:
                await asyncio.wait({self._job})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _start(self) -> None:
        if self._job is None or self._job.done():
            self._job = self._loop.run_in_executor(self._writer.thread or self._writer.open_thread(), self._drain)
            self._job.add_done_callback(self._resubmit)

    def _resubmit(self, _: asyncio.Future[None]) -> None:
        """Submit the job again if more arrived while it was ending, or if its turn was over."""
        with self._lock:
            more = bool(self._pending) and self.error is None
        if more:
            self._start()

    # --- on the worker thread

    def _drain(self) -> None:
        written = 0
        while written < _TURN:
            with self._lock:
                batch, self._pending = self._pending, []
            if not batch:
                return
            size = sum(map(len, batch))
            try:
                self._sink(batch)
            except BaseException as error:  # noqa: BLE001 - handed to the transfer, which raises it
                self.error = error
                written = _TURN
            written += size
            del batch
            self._loop.call_soon_threadsafe(self._give_back, size)

    def _give_back(self, size: int) -> None:
        self._queued -= size
        self._writer.release(size)
        if self.on_written is not None:
            self.on_written(size)


async def in_thread(
    work: Callable[[], T], stop: Callable[[], None] | None = None, executor: ThreadPoolExecutor | None = None
) -> T:
    """Run a blocking call in a thread; a cancellation is raised only once the call has returned.

    Args:
        work: the blocking call.
        stop: called on cancellation, to make it return soon.
        executor: whose thread; None for the event loop's own.
    """
    job = asyncio.get_running_loop().run_in_executor(executor, work)
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait({job})
        except asyncio.CancelledError as error:
            cancelled = error
            if stop is not None:
                stop()
    if cancelled is not None:
        job.exception()  # retrieved, so that asyncio does not log it
        raise cancelled
    return job.result()
