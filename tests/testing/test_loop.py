"""The jumping clock jumps exactly where nothing real can happen."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

import pytest

from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.api.gate import Gate
from gh_artifacts_async.protocol.requests import Request
from gh_artifacts_async.settings import Limits
from gh_artifacts_async.testing import loop as loop_module
from tests.kits.api import slot
from tests.kits.clock import JumpLoop


async def test_pacing_is_jumped_over():
    """3,000 requests at 840 a minute take three virtual minutes and almost no real ones."""
    loop = asyncio.get_running_loop()
    gate = Gate(Limits(), Emitter())
    began, really_began = loop.time(), time.monotonic()
    for _ in range(3000):
        async with slot(gate, Request(operation="x", path="/x")):
            pass
    assert 179 < loop.time() - began < 182
    assert time.monotonic() - really_began < 5


async def test_a_long_sleep_is_instant():
    """An hour passes on the loop's clock at once."""
    loop = asyncio.get_running_loop()
    began, really_began = loop.time(), time.monotonic()
    await asyncio.sleep(3600)
    assert 3600 <= loop.time() - began < 3601
    assert time.monotonic() - really_began < 1


async def test_sleepers_wake_in_order():
    """Jumps go from timer to timer and skip none."""
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    await asyncio.gather(*(sleeper(seconds) for seconds in (300, 1, 86_400 * 3, 20)))
    assert woken == [1, 20, 300, 86_400 * 3]


async def test_a_timeout_fires_where_nothing_answers():
    """A timeout over a future that nobody sets ends at its time."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    assert 30 <= asyncio.get_running_loop().time() - began < 31


async def test_a_timeout_does_not_fire_over_a_socket():
    """8 MiB over loopback within one loop never meets a timeout of 30 s: the clock does not jump while bytes move."""
    block = bytes(64 * 1024)
    blocks = 128

    async def send(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(send, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        received = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            async with asyncio.timeout(30):
                chunk = await reader.read(100_000)
            if not chunk:
                break
            received += len(chunk)
        writer.close()
        await writer.wait_closed()
    assert received == blocks * len(block)
    assert asyncio.get_running_loop().jumped == 0


async def test_bytes_that_arrive_while_they_are_looked_for(monkeypatch):
    """Nothing is jumped over then."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        late = [b"x"]
        monkeypatch.setattr(loop_module, "_in_send_queue", lambda *_: late and theirs.send(late.pop()) * 0)
        began = loop.jumped
        assert await asyncio.wait_for(loop.sock_recv(ours, 1), 3600) == b"x"
        assert loop.jumped == began


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked what TCP has under way")
def test_what_tcp_has_under_way():
    """What was sent is with its receiver, also before that reads it; of a stranger's receiver nothing is known."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        with socket.create_connection(listener.getsockname()) as sender, listener.accept()[0] as receiver:
            ends = [sender.fileno(), receiver.fileno(), listener.fileno()]
            sender.sendall(b"x" * 1000)
            assert loop_module._tcp(ends[0]).sent == loop_module._tcp(ends[1]).received == 1000
            assert loop_module._has_arrived(ends[:1], ends) is True
            assert loop_module._has_arrived(ends[:1], ends[:1]) is None
            assert not any(map(loop_module._is_connecting, ends))
        waiting = []
        try:
            for _ in range(4):  # more than wait to be accepted: the handshake of the last one does not end
                waiting.append(socket.socket())
                waiting[-1].settimeout(0)
                waiting[-1].connect_ex(listener.getsockname())
            assert loop_module._is_connecting(waiting[-1].fileno())
            assert loop_module._tcp(waiting[-1].fileno()) is None
        finally:
            for connecting in waiting:
                connecting.close()


@pytest.mark.parametrize(("received", "arrived"), [(999, False), (1000, True), (1001, True)])
def test_what_has_not_arrived(monkeypatch, received, arrived):
    """Fewer bytes than were sent; a FIN is counted as one more."""
    ends = {1: loop_module._TCP("a", "b", 1000, 0), 2: loop_module._TCP("b", "a", 0, received), 3: None}
    monkeypatch.setattr(loop_module, "_tcp", ends.get)
    assert loop_module._has_arrived([1], [1, 2, 3]) is arrived


def test_no_socket_has_no_tcp(tmp_path):
    """Neither a file nor a closed descriptor is an error."""
    with (tmp_path / "file").open("w") as file:
        number = file.fileno()
        assert loop_module._tcp(number) is None
    assert not loop_module._is_connecting(number)


async def test_thread_work_takes_real_time():
    """A timeout over work in a thread does not fire while the thread runs: 0.1 s stays 0.1 s."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(30):
        await asyncio.to_thread(time.sleep, 0.1)
    assert 0.1 <= loop.time() - began < 10


async def test_a_name_look_up_counts_as_thread_work():
    """A call of getaddrinfo runs in a thread, and the clock does not jump meanwhile."""
    loop = asyncio.get_running_loop()
    pending = asyncio.ensure_future(loop.getaddrinfo("127.0.0.1", 80))
    await asyncio.sleep(0)
    assert loop.thread_work
    async with asyncio.timeout(30):
        assert await pending
    await asyncio.sleep(0.001)
    assert not loop.thread_work


async def test_work_that_fails_in_its_thread_is_counted_off():
    """An error in a thread is an end like any other."""
    loop = asyncio.get_running_loop()
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, lambda: 1 // 0)
    await asyncio.sleep(3600)
    assert not loop.thread_work


async def test_cancelled_work_is_outstanding_until_its_thread_ends():
    """The function of a cancelled future still runs; the clock does not jump over it."""
    loop = asyncio.get_running_loop()
    began, release = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        release.wait(10)

    future = loop.run_in_executor(None, work)
    while not began.is_set():
        await asyncio.sleep(0)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    await asyncio.sleep(0)
    assert loop.thread_work == 1
    before = loop.jumped
    await asyncio.sleep(0.05)
    assert loop.jumped == before
    release.set()
    while loop.thread_work:
        await asyncio.sleep(0.001)
    await asyncio.sleep(3600)
    assert loop.jumped > before + 3000


async def test_work_cancelled_before_it_began_is_counted_off():
    """What never starts does not hold up the clock once the thread before it has ended."""
    loop = asyncio.get_running_loop()
    release = threading.Event()
    busy = [loop.run_in_executor(None, release.wait, 10) for _ in range(64)]
    late = loop.run_in_executor(None, time.sleep, 10)
    late.cancel()
    await asyncio.sleep(0)  # the cancel reaches the executor
    release.set()
    await asyncio.gather(*busy)
    with pytest.raises(asyncio.CancelledError):
        await late
    await asyncio.sleep(3600)
    assert not loop.thread_work


def test_shutting_the_executor_down_waits_in_real_time():
    """A thread that still runs when the loop ends is waited for without a warning."""
    done = threading.Event()

    def work_for_long() -> None:
        time.sleep(0.1)
        done.set()

    async def main() -> None:
        work = asyncio.get_running_loop().run_in_executor(None, work_for_long)
        await asyncio.sleep(0)
        work.cancel()

    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        runner.run(main())
    assert done.is_set()


def test_a_loop_that_is_closed_hears_of_no_end():
    """A thread that outlives its loop ends in silence."""
    release = threading.Event()
    loop = JumpLoop()
    ended: list[bool] = []
    future = loop.run_in_executor(None, lambda: (release.wait(10), ended.append(True)))
    pool = loop._default
    loop.run_until_complete(asyncio.sleep(0))
    future.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    release.set()
    pool.shutdown(wait=True)
    assert ended == [True]


@pytest.mark.realtime
async def test_realtime_runs_on_the_ordinary_loop():
    """The marker chooses a loop whose clock is the machine's."""
    loop = asyncio.get_running_loop()
    assert not isinstance(loop, JumpLoop)
    assert abs(loop.time() - time.monotonic()) < 1
