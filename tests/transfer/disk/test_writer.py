"""The worker thread: order, bounds, errors, and letting go."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.transfer.disk import writer as module
from gh_artifacts_async.transfer.disk.writer import POOL, SHARE, Lane, Writer, in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence


@pytest.fixture
async def writer() -> AsyncGenerator[Writer]:
    """Run a writer."""
    it = Writer()
    yield it
    await it.aclose()
    await it.aclose()


class Sink:
    """Remembers what was written; can be held back, and made to fail."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.batches = 0
        self.threads: set[str] = set()
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def __call__(self, chunks: Sequence[bytes | memoryview]) -> None:
        if not self.open.wait(20):
            self.open.set()  # the test has failed meanwhile; its other batches need not wait
        if self.error is not None:
            raise self.error
        self.threads.add(threading.current_thread().name)
        self.batches += 1
        for chunk in chunks:
            self.data += chunk


async def test_order(writer: Writer) -> None:
    """Chunks are written in order, by one thread that is not the loop's, in batches."""
    sink = Sink()
    lane = Lane(writer, sink)
    chunks = [bytes([number % 256]) * (number % 7) for number in range(5000)]
    for chunk in chunks:
        await lane.put(chunk)
    await lane.flush()
    assert bytes(sink.data) == b"".join(chunks)
    assert len(sink.threads) == 1
    assert threading.current_thread().name not in sink.threads
    assert sink.batches < 5000
    await lane.stop()


async def test_flush_of_nothing(writer: Writer) -> None:
    """A lane that got nothing has nothing to wait for."""
    lane = Lane(writer, Sink())
    await lane.flush()
    await lane.stop()
    assert lane.error is None


async def test_share_bounds_one_lane(writer: Writer) -> None:
    """A lane waits once its share is full, and continues as soon as something is written."""
    sink = Sink()
    sink.open.clear()
    lane = Lane(writer, sink)
    chunk = bytes(SHARE // 4)
    for _ in range(4):
        await lane.put(chunk)
    waiting = asyncio.ensure_future(lane.put(chunk))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert not sink.data
    sink.open.set()
    await waiting
    await lane.flush()
    assert len(sink.data) == 5 * len(chunk)
    await lane.stop()


async def test_pool_bounds_all_lanes(writer: Writer) -> None:
    """All lanes together never hold more than the pool, and a share more for the chunk that filled it."""
    sinks = [Sink() for _ in range(32)]
    for sink in sinks:
        sink.open.clear()
    lanes = [Lane(writer, sink) for sink in sinks]
    chunk = bytes(1024 * 1024)

    async def feed(lane: Any) -> None:
        for _ in range(4):
            await lane.put(chunk)
        await lane.flush()

    feeding = [asyncio.ensure_future(feed(lane)) for lane in lanes]
    for _ in range(200):
        await asyncio.sleep(0)
    assert writer.full
    assert writer.waiting <= POOL + len(lanes) * len(chunk)
    for sink in sinks:
        sink.open.set()
    await asyncio.gather(*feeding)
    assert all(len(sink.data) == 4 * len(chunk) for sink in sinks)
    assert writer.waiting == 0
    for lane in lanes:
        await lane.stop()


async def test_turns(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain job that has written its turn's worth lets another lane's job go first, and continues then."""
    monkeypatch.setattr(module, "_TURN", 10)
    sinks = [Sink(), Sink()]
    lanes = [Lane(writer, sink) for sink in sinks]
    for _ in range(50):
        for lane in lanes:
            await lane.put(b"x" * 20)
    for lane, sink in zip(lanes, sinks, strict=True):
        await lane.flush()
        assert len(sink.data) == 1000
        await lane.stop()


async def test_error_of_the_worker(writer: Writer) -> None:
    """What the worker raises comes out of the next put and of flush; nothing is written after it."""
    sink = Sink()
    sink.error = OSError(5, "broken disk")
    lane = Lane(writer, sink)

    async def put_for_ever() -> None:
        while True:
            await lane.put(b"x")
            await asyncio.sleep(0.01)

    with pytest.raises(OSError, match="broken disk"):
        await put_for_ever()
    sink.error = None
    assert lane.error is not None
    with pytest.raises(OSError, match="broken disk"):
        await lane.put(b"x")
    with pytest.raises(OSError, match="broken disk"):
        await lane.flush()
    await lane.stop()
    assert not sink.data
    assert writer.waiting == 0


async def test_error_wakes_who_waits(writer: Writer) -> None:
    """A lane that waits until the pool is less full gets the error too."""
    sink = Sink()
    sink.open.clear()
    sink.error = OSError(5, "broken disk")
    lane = Lane(writer, sink)
    waiting = asyncio.ensure_future(lane.put(bytes(2 * SHARE)))
    await asyncio.sleep(0)
    sink.open.set()
    with pytest.raises(OSError, match="broken disk"):
        await waiting
    await lane.stop()


async def test_stop_waits_for_the_thread(writer: Writer) -> None:
    """A lane that is stopped drops what is not written, and returns when the thread has let go of the file."""
    sink = Sink()
    sink.open.clear()
    lane = Lane(writer, sink)
    await lane.put(b"first")
    while not lane._job or lane._pending:
        await asyncio.sleep(0)
    await lane.put(b"second")
    stopping = asyncio.ensure_future(lane.stop())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not stopping.done()
    sink.open.set()
    await stopping
    assert bytes(sink.data) in {b"first", b""}
    before = bytes(sink.data)
    await asyncio.sleep(0.1)
    assert bytes(sink.data) == before
    assert writer.waiting == 0


async def test_stop_that_is_cancelled(writer: Writer) -> None:
    """A cancellation during stop comes out after the thread has let go, not before."""
    sink = Sink()
    sink.open.clear()
    lane = Lane(writer, sink)
    await lane.put(b"first")
    stopping = asyncio.ensure_future(lane.stop())
    await asyncio.sleep(0)
    for _ in range(3):
        stopping.cancel()
        await asyncio.sleep(0)
    assert not stopping.done()
    sink.open.set()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert lane._job is not None
    assert lane._job.done()


async def test_cancelled_put(writer: Writer) -> None:
    """A put that is cancelled while it waits leaves the lane in order."""
    sink = Sink()
    sink.open.clear()
    lane = Lane(writer, sink)
    waiting = asyncio.ensure_future(lane.put(bytes(2 * SHARE)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    sink.open.set()
    await lane.stop()
    assert writer.waiting == 0


async def test_lent_buffers(writer: Writer) -> None:
    """Buffers are lent up to two thirds of the pool, and used again."""
    size = POOL // 6
    first = writer.borrow(2, size)
    second = writer.borrow(2, size)
    assert first is not None
    assert second is not None
    assert writer.borrow(1, size) is None
    writer.give_back(first)
    again = writer.borrow(2, size)
    assert again is not None
    assert [id(buffer) for buffer in again] == [id(buffer) for buffer in first]
    writer.give_back(again)
    writer.give_back(second)
    writer.give_back([])
    assert writer._lent == 0


async def test_after_close() -> None:
    """A transfer that is just ending when its client is closed still gets its bytes written; no thread is left."""
    writer, sink = Writer(), Sink()
    lane = Lane(writer, sink)
    await lane.put(b"before ")
    await writer.aclose()
    await lane.put(b"after")
    await lane.flush()
    await lane.stop()
    assert bytes(sink.data) == b"before after"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gh-artifacts-writer")]


async def test_in_thread() -> None:
    """Work in a thread gives its value, or its error."""
    assert await in_thread(lambda: 7) == 7

    def fail() -> None:
        raise OSError(5, "broken disk")

    with pytest.raises(OSError, match="broken disk"):
        await in_thread(fail)


@pytest.mark.parametrize("fails", [False, True])
async def test_in_thread_cancelled(*, fails: bool) -> None:
    """A cancellation asks the work to stop, and comes out when it has; its error is of no use then."""
    stop, ended = threading.Event(), []

    def work() -> None:
        stop.wait(20)
        time.sleep(0.05)
        ended.append(True)
        if fails:
            raise OSError(5, "broken disk")

    task = asyncio.ensure_future(in_thread(work, stop.set))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


def test_single_buffers_are_lent_within_the_pool():
    """One is at least as long as asked for, is used again for the next body it suits, and counts until it is back."""
    writer = Writer()
    first = writer.lend(1_000_000)
    assert first is not None
    assert len(first) == 4 * 256 * 1024
    writer.take_back(first)
    assert writer.lend(1_048_577) is not first
    assert writer.lend(700_000) is first
    lent = [found for _ in range(20) if (found := writer.lend(2 * 2**20)) is not None]
    assert len(lent) == 6
    assert writer.lend(2 * 2**20) is None
    assert writer.borrow(8, 512 * 1024) is None
    for buffer in lent:
        writer.take_back(buffer)
    again = [writer.lend(2 * 2**20) for _ in range(6)]
    assert {id(buffer) for buffer in again} == {id(buffer) for buffer in lent}


def test_kept_buffers_are_bounded():
    """What is back is kept for the next, but no more than the pool lends."""
    writer = Writer()
    buffers = [writer.lend(2 * 2**20) for _ in range(8)]
    for buffer in buffers:
        assert buffer is not None
        writer.take_back(buffer)
    assert writer._kept_bytes == 8 * 2 * 2**20 <= POOL * 2 // 3
    other = bytearray(256 * 1024)
    writer._lent += len(other)
    writer.take_back(other)
    assert not any(kept is other for kept in writer._kept)
    small = writer.lend(1)
    assert small is not None
    assert writer.lend(POOL) is None


async def test_a_kept_buffer_that_is_too_long_for_the_rest_of_the_pool():
    """It is not lent either."""
    writer = Writer()
    kept = writer.lend(2 * 2**20)
    assert kept is not None
    writer.take_back(kept)
    assert writer.borrow(30, 512 * 1024) is not None
    assert writer.lend(1000) is None
