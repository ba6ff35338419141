"""The fake as a program."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
import trustme

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing import __main__ as program

ROOT = Path(__file__).parent.parent.parent


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    """Start the program and return it with the words and values it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gh_artifacts_async.testing", *arguments, stdout=-1, stderr=-1, cwd=ROOT
    )
    assert process.stdout is not None
    printed = {}
    while "stop" not in printed:
        line = (await process.stdout.readline()).decode()
        word, _, value = line.strip().partition(" ")
        printed[word] = value.strip()
    return process, printed


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_other_programs(number: signal.Signals) -> None:
    """It says where it is, serves what was asked for, and ends well on a signal."""
    process, printed = await start("--artifacts", "12", "--size", "2K", "--fault", "unavailable=2", "--repo", "a/b")
    command = re.search(r"'(http[^']*)'", printed["curl"])
    assert command is not None
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer demo"}) as session:
        async with session.get(command[1]) as response:
            listed = await response.json()
        assert (listed["total_count"], len(listed["artifacts"])) == (12, 3)
        url = listed["artifacts"][0]["archive_download_url"]
        async with session.get(url, allow_redirects=False) as response:
            location = response.headers["Location"]
    assert location.startswith(printed["storage"])
    process.send_signal(number)
    output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"", b"")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for loopback that is its own authority's, and its key."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    key, chain = tmp_path / "key.pem", tmp_path / "certificate chain.pem"
    issued.private_key_pem.write_to_path(str(key))
    for blob in (*issued.cert_chain_pems, authority.cert_pem):
        blob.write_to_path(str(chain), append=True)
    return chain, key


async def run_shell(command: str) -> tuple[int | None, str]:
    """Run a command in a shell that knows no token and finds this environment's programs; return code and output."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GH_", "GITHUB_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    process = await asyncio.create_subprocess_shell(command, stdout=-1, stderr=-1, env=environ)
    output, errors = await process.communicate()
    return process.returncode, (output + errors).decode()


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize("tls", [False, True])
async def test_its_commands_work_as_printed(certificate: tuple[Path, Path], tls: bool) -> None:  # noqa: FBT001
    """Pasted into a shell, the commands list the artifacts, over TLS as well."""
    chain, key = certificate
    options = ["--tls-cert", str(chain), "--tls-key", str(key)] if tls else []
    process, printed = await start("--artifacts", "3", "--profile", "ghes-3.16", "--same-host-storage", *options)
    try:
        assert printed["API"].startswith("https://" if tls else "http://")
        commands = [printed["list"], *([printed["curl"]] if shutil.which("curl") else [])]
        for command in commands:
            code, output = await run_shell(command)
            assert code == 0, output
            assert "artifact-3" in output
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--fault", "nonsense"], "'nonsense' is not a fault"),
        (["--fault", "cut=often"], "'cut=often' is not a fault"),
        (["--size", "big"], "'big' is not a size"),
        (["--artifacts", "x"], "'x'"),
        (["--profile", "ghes-2.22"], "no such profile: 'ghes-2.22'"),
        (["--same-host-storage"], "add --profile ghes-3.16"),
        (["--tls-key", "key.pem"], "--tls-key needs --tls-cert"),
        (["--tls-cert", "nowhere.pem"], "cannot use the certificate in nowhere.pem: No such file"),
        (["--tls-cert", __file__], "cannot use the certificate in"),
    ],
)
def test_wrong_arguments(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does not understand, or cannot use, is exit code 2 and a sentence."""
    with pytest.raises(SystemExit) as caught:
        program.main(arguments)
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


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
    printed = capsys.readouterr().out
    assert "/api/v3" in printed
    assert "GH_ENTERPRISE_TOKEN=demo gh-artifacts list octo-org/octo-docs" in printed
    assert "2 artifacts of run 9000000001 in octo-org/octo-docs" in printed


def _not_here(*_: object) -> None:
    raise NotImplementedError
