"""The fast path: socket bytes into buffers that go round, and what happens when anything on that way breaks."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    ConnectionFailedError,
    RequestTimeoutError,
    SlowTransferError,
    Timeouts,
)
from gh_artifacts_async.transfer.disk import writer
from gh_artifacts_async.transfer.disk.writer import Lane, Writer
from gh_artifacts_async.transfer.storage.throughput import RateWatch
from gh_artifacts_async.transport import socket_receiver
from gh_artifacts_async.transport.socket_receiver import BUFFER, BUFFERS, SocketReceiver, take_over
from tests.kits.transfer import RECEIVER_SIZE, REPO, add, client_for, fetch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub


class Transport:
    """A connection without a network."""

    def __init__(self) -> None:
        self.protocol: Any = Former()
        self.reading = True
        self.aborted = False

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def feed(self, data: bytes) -> int:
        """Give bytes to the protocol as asyncio does; return how many it took."""
        buffer = self.protocol.get_buffer(-1)
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        self.protocol.buffer_updated(count)
        return count


class Former:
    """The protocol that was there before."""

    def __init__(self) -> None:
        self.lost = 0

    def connection_lost(self, _: object) -> None:
        self.lost += 1


class Fixture:
    """A receiver on a connection without a network, and what it writes to."""

    def __init__(self, pool: Writer, length: int, **settings: Any) -> None:
        self.data = bytearray()
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None
        self.writer = pool
        self.lane = Lane(pool, self._write)
        self.transport = Transport()
        self.former = self.transport.protocol
        given: dict[str, Any] = {
            "length": length,
            "host": "storage",
            "idle": 30.0,
            "paused": lambda _: None,
            "progress": lambda _: None,
            **settings,
        }
        self.receiver = SocketReceiver(**given)

    def _write(self, chunks: Sequence[bytes | memoryview]) -> None:
        self.open.wait(20)
        if self.error is not None:
            raise self.error
        for chunk in chunks:
            self.data += chunk

    def attach(self, count: int = BUFFERS, size: int = 1000) -> None:
        """Put the receiver on the connection, with small buffers."""
        buffers = self.writer.borrow(count, size)
        assert buffers is not None
        self.receiver.attach(self.transport, self.lane, buffers, 0)  # type: ignore[arg-type]

    async def end(self) -> None:
        """Let go of everything."""
        self.open.set()
        self.receiver.detach()
        await self.lane.stop()
        self.writer.give_back(self.receiver.buffers)


@pytest.fixture
async def pool() -> AsyncGenerator[Writer]:
    """Run a writer."""
    it = Writer()
    yield it
    await it.aclose()


async def feed(it: Fixture, data: bytes, piece: int) -> None:
    """Feed all of it in pieces, waiting while the receiver has paused."""
    while data:
        while not it.transport.reading:
            await asyncio.sleep(0.001)
        data = data[it.transport.feed(data[:piece]) :]


@pytest.mark.parametrize("piece", [1, 7, 999, 1000, 1001, 5000])
async def test_bytes_go_round(pool: Writer, piece: int) -> None:
    """Bytes arrive in order, whatever the pieces; not one more is taken than the body has."""
    body = bytes(number % 251 for number in range(20_123))
    it = Fixture(pool, len(body))
    it.attach()
    await feed(it, body + b"the next answer"[:0], piece)
    assert it.transport.aborted
    await it.receiver.received()
    await it.lane.flush()
    assert bytes(it.data) == body
    await it.end()
    await asyncio.sleep(0)
    assert it.former.lost == 1


async def test_takes_no_more_than_the_body(pool: Writer) -> None:
    """The space offered for the last bytes is exactly theirs."""
    it = Fixture(pool, 10)
    it.attach()
    assert it.transport.feed(b"0123456789extra") == 10
    await it.receiver.received()
    await it.lane.flush()
    assert bytes(it.data) == b"0123456789"
    await it.end()


async def test_slow_disk_pauses_the_socket(pool: Writer) -> None:
    """With every buffer full the socket is paused, and that time is neither silence nor slowness."""
    watch = RateWatch(Timeouts(min_rate=1000, min_rate_window=10.0))
    watch.start(asyncio.get_running_loop().time())
    loop = asyncio.get_running_loop()
    it = Fixture(pool, 100_000, paused=watch.exclude, progress=lambda size: watch.count(size, loop.time(), "storage"))
    it.attach()
    it.open.clear()
    sent = 0
    while it.transport.reading:
        sent += it.transport.feed(b"x" * 1000)
    assert sent == BUFFERS * 1000
    assert it.receiver._current is None
    assert len(it.receiver.get_buffer(-1)) == 1
    loop.jump(600)  # type: ignore[attr-defined]
    it.receiver._look_after_silence()
    assert not it.receiver._done.done()
    it.open.set()
    await feed(it, b"x" * (100_000 - sent), 1000)
    await it.receiver.received()
    await it.lane.flush()
    assert len(it.data) == 100_000
    await it.end()


@pytest.mark.parametrize("how", ["eof", "lost"])
async def test_broken(pool: Writer, how: str) -> None:
    """A connection that ends too early is the error; what came before is written."""
    it = Fixture(pool, 10_000)
    it.attach()
    it.transport.feed(b"x" * 500)
    if how == "eof":
        assert it.receiver.eof_received() is False
    else:
        it.transport.abort()
    with pytest.raises(ConnectionFailedError, match="9,500 bytes before"):
        await it.receiver.received()
    await it.lane.flush()
    assert len(it.data) == 500
    it.receiver.buffer_updated(0)
    await it.end()
    await asyncio.sleep(0)
    assert it.former.lost == 1


async def test_silent(pool: Writer) -> None:
    """A silent connection is given up after the limit; every byte begins it anew."""
    loop = asyncio.get_running_loop()
    it = Fixture(pool, 10_000, idle=30.0)
    it.attach()
    began = loop.time()
    for _ in range(3):
        await asyncio.sleep(20)
        it.transport.feed(b"x")
    with pytest.raises(RequestTimeoutError, match="silent"):
        await it.receiver.received()
    assert 90 <= loop.time() - began <= 92
    await it.end()


async def test_no_limit_on_silence(pool: Writer) -> None:
    """Without a limit it waits."""
    it = Fixture(pool, 1000, idle=None)
    it.attach()
    await asyncio.sleep(10_000)
    it.transport.feed(b"x" * 1000)
    await it.receiver.received()
    await it.end()


async def test_slow(pool: Writer) -> None:
    """A connection that is too slow is ended by the watch."""

    def slow(_: int) -> None:
        raise SlowTransferError(rate=1, minimum=2)

    it = Fixture(pool, 10_000, progress=slow)
    it.attach()
    it.transport.feed(b"x")
    with pytest.raises(SlowTransferError):
        await it.receiver.received()
    await it.lane.flush()
    assert bytes(it.data) == b"x"
    await it.end()


async def test_disk_that_breaks(pool: Writer) -> None:
    """A worker that fails ends the body; the lane has the error."""
    it = Fixture(pool, 100_000)
    it.error = OSError(5, "broken disk")
    it.attach()
    while it.transport.reading and not it.transport.aborted:
        it.transport.feed(b"x" * 1000)
        await asyncio.sleep(0.01)
    await it.receiver.received()
    with pytest.raises(OSError, match="broken disk"):
        await it.lane.flush()
    await it.end()


async def test_paused_transport_is_resumed(pool: Writer) -> None:
    """A connection that aiohttp had paused is read again."""
    it = Fixture(pool, 10)
    it.transport.reading = False
    it.attach()
    assert it.transport.reading
    await it.end()


async def test_failure_that_nobody_waits_for(pool: Writer) -> None:
    """A failure at the moment of a cancellation is not told as never retrieved."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    it = Fixture(pool, 10)
    it.attach()
    it.receiver.connection_lost(None)
    await it.end()
    del it
    import gc

    gc.collect()
    await asyncio.sleep(0)
    assert not told


# --- where it is not taken ------------------------------------------------------------------------------------------


class Response:
    """An answer after its headers."""

    def __init__(self, transport: Any, pieces: list[bytes], *, whole: bool = False) -> None:
        self.connection: Any = self
        self.transport = transport
        self.content = self
        self._pieces = pieces
        self._whole = whole

    def exception(self) -> None:
        return None

    def read_nowait(self, _: int) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self._whole:
            self.connection = None
        return b""


class Bare:
    """A transport whose protocol cannot be changed."""

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("transport", [None, Bare()])
async def test_not_taken(pool: Writer, transport: Any) -> None:
    """A transport that cannot be taken over stays as it is."""
    lane = Lane(pool, lambda _: None)
    assert take_over(Response(transport, [b"x"]), pool, lane, Fixture(pool, 5).receiver) is False  # type: ignore[arg-type]


async def test_no_buffers_left(pool: Writer) -> None:
    """With all buffers lent nothing is taken over."""
    lent = []
    while (buffers := pool.borrow(BUFFERS, BUFFER)) is not None:
        lent.append(buffers)
    assert len(lent) * BUFFERS * BUFFER <= writer.POOL
    lane = Lane(pool, lambda _: None)
    assert take_over(Response(Transport(), [b"x"]), pool, lane, Fixture(pool, 5).receiver) is False  # type: ignore[arg-type]
    for buffers in lent:
        pool.give_back(buffers)


async def test_body_that_is_there_already(pool: Writer) -> None:
    """A body that aiohttp has read whole is handed on, and its connection is left to aiohttp."""
    it = Fixture(pool, 6)
    transport = Transport()
    response = Response(transport, [b"abc", b"def"], whole=True)
    assert take_over(response, pool, it.lane, it.receiver)  # type: ignore[arg-type]
    await it.receiver.received()
    await it.lane.flush()
    assert (bytes(it.data), transport.aborted) == (b"abcdef", False)
    await it.end()
    assert pool._lent == 0


# --- in a download --------------------------------------------------------------------------------------------------


@pytest.mark.github_com("length")
async def test_is_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any) -> None:
    """A large body takes this way, a small one does not; both are right."""
    made: list[SocketReceiver] = []
    real = socket_receiver.SocketReceiver.attach

    def attach(self: SocketReceiver, *args: Any) -> None:
        made.append(self)
        real(self, *args)

    monkeypatch.setattr(socket_receiver.SocketReceiver, "attach", attach)
    small, large = add(github, "small", size=socket_receiver.FROM - 1), add(github, "large", size=RECEIVER_SIZE)
    for artifact_id in (small, large):
        result = await fetch(client, artifact_id, tmp_path)
        assert result.path.read_bytes() == github.content(artifact_id)
    assert len(made) == 1


async def test_more_than_there_are_buffers_for(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """More large bodies at once than buffers: the others take the ordinary way."""
    ids = [add(github, f"docs-{number}", size=RECEIVER_SIZE, seed=number % 3) for number in range(14)]
    for it in ids:
        github.faults.stall(it, at=RECEIVER_SIZE // 2, seconds=5)
    results = await asyncio.gather(*(client.download(ArtifactRef(REPO, it), tmp_path) for it in ids))
    assert [result.path.read_bytes() for result in results] == [github.content(it) for it in ids]


async def test_no_limits_at_all(github: FakeGitHub, tmp_path: Path) -> None:
    """With every limit off a large body still arrives."""
    off = Timeouts(connect=None, read=None, min_rate=None)
    async with client_for(github, timeouts=off) as client:
        artifact_id = add(github, size=RECEIVER_SIZE)
        github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2, seconds=100_000)
        result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
