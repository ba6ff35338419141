from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gh_artifacts_async.cli import exits, running
from tests.cli.conftest import REPO

pytestmark = [pytest.mark.realtime, pytest.mark.slow, pytest.mark.alone]

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
if hasattr(signal, "SIGHUP"):
    STOPS.append((signal.SIGHUP, 129))
SAID = {130: "interrupted", 143: "terminated", 129: "hung up"}
IGNORING = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
RESUME = "run the same command again to resume where it stopped"


def wait_for_part(folder) -> None:
    """Wait until an artifact has begun to arrive."""
    deadline = time.monotonic() + 20
    while not any(part.stat().st_size > 500_000 for part in folder.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.github_com("ranges")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), STOPS)
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
    assert err == f"{SAID[code]}; {RESUME}\n"
    server.github.faults.clear()
    ran = cli("download", REPO, artifact, "--json")
    assert ran.code == 0
    assert ran.document["downloaded"][0]["resumed_from"] > 500_000
    assert [path.name for path in tmp_path.iterdir()] == ["big.zip"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("names", [("SIGTERM", "SIGTERM"), ("SIGHUP", "SIGHUP"), ("SIGINT", "SIGHUP")])
def test_a_second_signal_ends_it_at_once(start, names):
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
    for said, name in zip(("ready\n", "cleaning\n"), names, strict=True):
        assert process.stdout.readline() == said
        process.send_signal(getattr(signal, name))
    assert process.wait(5) == -getattr(signal, names[1])


@pytest.mark.github_com("ranges")
@pytest.mark.skipif(sys.platform == "win32", reason="nohup")
def test_under_nohup_it_goes_on(server, start, tmp_path):
    """What is ignored from the start stays ignored, so that a download outlives the terminal."""
    artifact = server.artifact(server.run(), "big", size=1_600_000)
    server.github.faults.drip(artifact, times=None, chunk=200_000, interval=0.1)
    words = ("-m", "gh_artifacts_async", "download", REPO, artifact, "--api-url", server.url, "--quiet")
    process = start(*words, given=("-c", IGNORING, sys.executable))
    wait_for_part(tmp_path)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "big.zip" in out


@pytest.mark.github_com("ranges")
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_terminal_that_is_closed(server, tmp_path):
    """The window is gone, and with it where to write to; the part that can be resumed is left all the same."""
    import pty  # not on Windows

    artifact = server.artifact(server.run(), "big", size=4_000_000)
    server.github.faults.drip(artifact, times=None, chunk=200_000, interval=0.1)
    words = ("-m", "gh_artifacts_async", "download", REPO, str(artifact), "--api-url", server.url)
    terminal, program_s_end = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - Python itself
        [sys.executable, "-c", CONTROLLED, sys.executable, *words],
        stdin=program_s_end,
        stdout=program_s_end,
        stderr=program_s_end,
        start_new_session=True,
    )
    os.close(program_s_end)
    try:
        wait_for_part(tmp_path)
        os.close(terminal)
        assert process.wait(20) == 129
    finally:
        process.kill()
        process.wait()
    assert [path.suffix for path in tmp_path.glob(".*.part")] == [".part"]


@pytest.mark.github_com("ranges")
def test_out_of_time_in_the_middle_of_a_download(server, cli, start, tmp_path):
    """Exit code 6, one sentence, and a part that can be resumed; the option stands before or after the command."""
    artifact = server.artifact(server.run(), "big", size=4_000_000)
    server.github.faults.drip(artifact, times=None, chunk=200_000, interval=0.2)
    process = start("--timeout", "3", "download", REPO, artifact, "--api-url", server.url)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (6, "")
    assert err == f"error: not done within 3 s (--timeout); {RESUME}, or use a larger --timeout\n"
    server.github.faults.clear()
    ran = cli("download", REPO, artifact, "--json", "--timeout", "60")
    assert ran.code == 0
    assert ran.document["downloaded"][0]["resumed_from"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["big.zip"]


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


class TestWithin:
    """A bound of the whole call."""

    def test_what_is_done_in_time_is_not_touched(self):
        """Its result is returned, and the bound ends with its block."""

        async def work() -> int:
            await asyncio.sleep(0)
            return 5

        with running.within(60):
            assert running.run(work) == 5
        assert running.run(work) == 5

    def test_one_bound_for_all_that_is_run(self):
        """The second part of a command has what the first has left."""

        async def slow() -> None:
            await asyncio.sleep(0.2)

        with running.within(0.3):
            running.run(slow)
            with pytest.raises(exits.OutOfTimeError, match=r"^not done within 0.3 s \(--timeout\); try again, or"):
                running.run(slow)
            with pytest.raises(exits.OutOfTimeError, match="; do it later, or use a larger --timeout"):
                running.run(slow, hint="do it later")

    def test_an_error_of_the_clean_up_is_of_no_interest(self):
        """The reason is that the time is over."""

        async def untidy() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise ValueError

        with running.within(0.01), pytest.raises(exits.OutOfTimeError):
            running.run(untidy)

    def test_an_error_of_its_own_comes_through(self):
        """It happened in time."""

        async def failing() -> None:
            raise TimeoutError

        with running.within(60), pytest.raises(TimeoutError):
            running.run(failing)
        with pytest.raises(TimeoutError):
            running.run(failing)
