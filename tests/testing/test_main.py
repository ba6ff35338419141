"""The fake as a program."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing import __main__ as program

ROOT = Path(__file__).parent.parent.parent


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    """Start the program and return it with the words and values it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gh_artifacts_async.testing", *arguments, stdout=-1, stderr=-1, cwd=ROOT
    )
    assert process.stdout is not None
    told = {}
    while "stop" not in told:
        line = (await process.stdout.readline()).decode()
        word, _, value = line.strip().partition(" ")
        told[word] = value.strip()
    return process, told


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_other_programs(number: signal.Signals) -> None:
    """It says where it is, serves what was asked for, and ends well on a signal."""
    process, told = await start("--artifacts", "12", "--size", "2K", "--fault", "unavailable=2", "--repo", "a/b")
    command = re.search(r"'(http[^']*)'", told["try"])
    assert command is not None
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer demo"}) as session:
        async with session.get(command[1]) as response:
            listed = await response.json()
        assert (listed["total_count"], len(listed["artifacts"])) == (12, 3)
        url = listed["artifacts"][0]["archive_download_url"]
        async with session.get(url, allow_redirects=False) as response:
            location = response.headers["Location"]
    assert location.startswith(told["storage"])
    process.send_signal(number)
    output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"", b"")


@pytest.mark.parametrize(
    "arguments", [["--fault", "nonsense"], ["--fault", "cut=often"], ["--size", "big"], ["--artifacts", "x"]]
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What it does not understand is exit code 2 and a sentence."""
    with pytest.raises(SystemExit) as caught:
        program.main(arguments)
    assert caught.value.code == 2
    assert arguments[1] in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(program._FAULTS))
async def test_every_fault_it_names(name: str) -> None:
    """Each name scripts one fault, once, n times or for ever."""
    async with FakeGitHub() as github:
        for text in (name, f"{name}=3", f"{name}=always"):
            known, times = program._fault(text)
            program._FAULTS[known](github.faults, times)
        assert [fault.left for fault in github.faults.script] == [1, 3, None]


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("4K", 4096), ("2MiB", 2 << 20), ("1g", 1 << 30)])
def test_sizes(text: str, size: int) -> None:
    """Sizes may have units."""
    assert program._size(text) == size


def test_it_fills_and_tells(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells the base URL, the storage URL, a token and a command, then runs until it is stopped."""

    async def stopped(_event: asyncio.Event) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio.Event, "wait", stopped)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", _not_here)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert program.main(["--profile", "ghes-3.8", "--artifacts", "2", "--fault", "cut=3"]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    told = capsys.readouterr().out
    assert "/api/v3" in told
    assert "2 artifacts of run 9000000001 in octo-org/octo-docs" in told


def _not_here(*_: object) -> None:
    raise NotImplementedError
