from __future__ import annotations

import signal
import sys
import threading
import time

import pytest

from gh_artifacts_async.cli import running
from tests.cli.conftest import REPO

pytestmark = [pytest.mark.realtime, pytest.mark.slow, pytest.mark.alone]


def wait_for_part(folder) -> None:
    """Wait until an artifact has begun to arrive."""
    deadline = time.monotonic() + 20
    while not any(part.stat().st_size > 500_000 for part in folder.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.github_com("ranges")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_cleanly_and_soon(server, cli, start, tmp_path, number, code):
    """Exit code within a second, a part that can be resumed, one line that says so, no traceback."""
    artifact = server.artifact(server.run(), "big", size=4_000_000)
    server.github.faults.drip(artifact, times=None, chunk=200_000, interval=0.1)
    process = start("download", REPO, artifact, "--api-url", server.url)
    wait_for_part(tmp_path)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - sent < 1
    assert process.returncode == code
    assert out == ""
    word = "interrupted" if code == 130 else "terminated"
    assert err == f"{word}; run the same command again to resume where it stopped\n"
    server.github.faults.clear()
    ran = cli("download", REPO, artifact, "--json")
    assert ran.code == 0
    assert ran.document["downloaded"][0]["resumed_from"] > 500_000
    assert [path.name for path in tmp_path.iterdir()] == ["big.zip"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_second_signal_ends_it_at_once(start):
    """Whoever asks twice does not wait for the clean end."""
    program = (
        "import asyncio, sys, time\n"
        "from gh_artifacts_async.cli import running\n"
        "async def work():\n"
        "    try:\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        print('cleaning', flush=True)\n"
        "        time.sleep(60)\n"
        "running.run(work)"
    )
    process = start(given=("-c", program))
    assert process.stdout is not None
    for said in ("ready\n", "cleaning\n"):
        assert process.stdout.readline() == said
        process.send_signal(signal.SIGTERM)
    assert process.wait(5) == -signal.SIGTERM


def test_a_reader_that_leaves_is_no_error(server, start):
    """`gh-artifacts list | head -0` ends quietly."""
    run = server.run()
    for number in range(20):
        server.artifact(run, f"a{number}")
    process = start("list", REPO, "--api-url", server.url, "--quiet")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(20) == 0


def test_python_m_runs_the_command_line(start):
    """`python -m gh_artifacts_async` is the same program."""
    process = start("--version")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("gh-artifacts ")


def test_beside_the_main_thread_no_signal_is_touched():
    """A program that runs a command in a thread keeps its own handlers."""
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    async def work() -> int:
        seen.append(signal.getsignal(signal.SIGTERM))
        return 5

    thread = threading.Thread(target=lambda: seen.append(running.run(work)))
    thread.start()
    thread.join()
    assert seen == [before, 5]
    assert running.run(work) == 5
    assert seen[2] is not before
    assert signal.getsignal(signal.SIGTERM) is before
