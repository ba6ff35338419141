"""Windows' event loop: asyncio's own proactor code under the client and the fake, see tests/kits/proactor.py."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsError, RetryPolicy
from gh_artifacts_async.cli.running import Stopped, run
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer.disk.writer import Lane, Writer
from gh_artifacts_async.transport.socket_receiver import SocketReceiver
from tests.kits.lanes import asking, sends
from tests.kits.proactor import ProactorLoop
from tests.kits.transfer import INLINE_SIZE, RECEIVER_SIZE, REPO, WORKER_SIZE, add, client_for, fetch, parts
from tests.kits.zips import make, several, tree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from pathlib import Path

pytestmark = [pytest.mark.realtime, pytest.mark.once]


def on_proactor(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on the loop."""
    with asyncio.Runner(loop_factory=ProactorLoop) as runner:
        runner.run(work())


def test_what_it_refuses() -> None:
    """The loop of the kit is as the real one: there are no readers and no signal handlers."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for call in (loop.add_reader, loop.add_writer, loop.add_signal_handler):
            with pytest.raises(NotImplementedError):
                call(0, print)
        with pytest.raises(NotImplementedError):
            loop.remove_reader(0)

    on_proactor(work)


@pytest.mark.parametrize(
    ("size", "way"),
    [
        (INLINE_SIZE, "lane"),
        (WORKER_SIZE, "lane"),
        (RECEIVER_SIZE, "receiver"),
        pytest.param(60_000_000, "receiver", marks=pytest.mark.slow),
    ],
)
def test_ways(tmp_path: Path, size: int, way: str) -> None:
    """A body of any size takes the way it takes elsewhere, and is resumed where a connection breaks."""

    async def work() -> None:
        async with FakeGitHub() as github, client_for(github, retry=RetryPolicy(wait_initial=0.01)) as client:
            artifact_id = add(github, size=size)
            github.faults.cut(artifact_id, at=size // 2)
            result = await fetch(client, artifact_id, tmp_path)
            assert result.verified == "digest"
            assert (await fetch(client, add(github, "other", size=size), tmp_path)).way == way

    on_proactor(work)
    assert parts(tmp_path) == []


def test_archives_and_many(tmp_path: Path) -> None:
    """Extraction while the bytes arrive, ranges, and many at once."""

    async def work() -> None:
        async with FakeGitHub() as github, client_for(github) as client:
            run_of = github.add_run(REPO)
            for number in range(12):
                github.add_artifact(run_of, f"docs-{number}", archive=make({"a": bytes(number)}))
            await fetch(client, add(github, archive=make(several())), tmp_path, extract=True)
            listed = client.list_artifacts(REPO, limit=12)
            async with client.download_many(listed, tmp_path / "many") as outcomes:
                assert [outcome.ok async for outcome in outcomes] == [True] * 12

    on_proactor(work)
    assert tree(tmp_path / "docs") == several()


def test_cancelled(tmp_path: Path) -> None:
    """What has arrived stays, and no task, connection or file is left."""

    async def work() -> None:
        async with FakeGitHub() as github, client_for(github) as client:
            artifact_id = add(github, size=RECEIVER_SIZE)
            github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2, seconds=60)
            task = asyncio.create_task(fetch(client, artifact_id, tmp_path))
            while github.bytes_sent(artifact_id) < RECEIVER_SIZE // 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    on_proactor(work)
    assert len(parts(tmp_path)) == 1


@pytest.mark.parametrize("fault", ["reset", "cut"])
def test_broken_connections(tmp_path: Path, fault: str) -> None:
    """They are the errors that they are elsewhere."""

    async def work() -> None:
        async with FakeGitHub() as github, client_for(github, retry=RetryPolicy(attempts=1)) as client:
            artifact_id = add(github, size=WORKER_SIZE)
            getattr(github.faults, fault)(artifact_id, at=WORKER_SIZE // 2, times=None)
            with pytest.raises(ArtifactsError):
                await fetch(client, artifact_id, tmp_path)

    on_proactor(work)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_lane_that_is_handed_over_in_the_midst_of_a_read(*, tls: bool) -> None:
    """The loop brings 64 KiB in pieces, and all of them to the lane: aiohttp, which reads the answer, gets the rest."""
    body = bytes(range(251)) * 3000
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 3000
    rest = b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    async def work() -> None:
        async with asking(sends(head, rest), tls=tls) as it:
            assert await it.stream() == (200, body)

    on_proactor(work)


@contextlib.asynccontextmanager
async def receiving(length: int, data: bytearray) -> AsyncGenerator[tuple[SocketReceiver, _Transport]]:
    """Receive a body into ``data`` through two buffers of 1,000 bytes; the block brings it, and it is waited for."""
    writer = Writer()
    lane = Lane(writer, lambda chunks: data.extend(b"".join(chunks)))
    buffers = writer.borrow(2, 1000)
    assert buffers is not None
    receiver = SocketReceiver(length=length, host="storage", idle=None, progress=lambda _: None, paused=lambda _: None)
    transport = _Transport()
    receiver.attach(transport, lane, buffers, 0)  # type: ignore[arg-type]
    yield receiver, transport
    await receiver.received()
    await lane.flush()
    assert len(receiver._free) <= 2
    receiver.detach()
    await lane.stop()
    writer.give_back(receiver.buffers)
    await writer.aclose()


def test_a_receiver_that_pauses_in_the_midst_of_a_read() -> None:
    """What the loop has read is brought though all buffers are full: not a byte of it is lost."""
    body = bytes(number % 251 for number in range(50_000))
    data = bytearray()

    async def work() -> None:
        async with receiving(len(body), data) as (receiver, transport):
            left = body
            while left:
                while not transport.reading:
                    await asyncio.sleep(0)
                piece, left = left[:7001], left[7001:]
                asyncio.protocols._feed_data_to_buffered_proto(receiver, piece)  # type: ignore[attr-defined]

    on_proactor(work)
    assert bytes(data) == body


@pytest.mark.parametrize("length", [999, 1000, 2000])
def test_bytes_after_the_end_of_a_body(length: int) -> None:
    """What the loop has read beyond it is dropped, also if the last buffer is full: nothing fails or is changed."""
    data = bytearray()

    async def work() -> None:
        async with receiving(length, data) as (receiver, _):
            arrived = b"x" * length + b"more"
            asyncio.protocols._feed_data_to_buffered_proto(receiver, arrived)  # type: ignore[attr-defined]

    on_proactor(work)
    assert data == b"x" * length


class _Transport:
    """A connection without a network, which brings what it has read already even if it is paused."""

    reading = True

    def get_protocol(self) -> None:
        return None

    def set_protocol(self, protocol: object) -> None:
        del protocol

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        """End."""


def test_a_signal_ends_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals are heard without the loop's help, which it refuses."""
    monkeypatch.setattr(asyncio, "Runner", _runner)
    with pytest.raises(Stopped, match="interrupted"):
        run(_interrupted)


_runner_class = asyncio.Runner


def _runner() -> asyncio.Runner:
    return _runner_class(loop_factory=ProactorLoop)


async def _interrupted() -> None:
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(30)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "win32", reason="the real one is Windows' alone")
def test_the_real_one(tmp_path: Path) -> None:
    """Where there is the real loop, the demo runs on it."""
    subprocess.run([sys.executable, "-m", "gh_artifacts_async", "demo"], check=True, cwd=tmp_path, timeout=50)
