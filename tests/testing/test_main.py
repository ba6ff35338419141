"""The fake as a program."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shlex
import shutil
import signal
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import __main__ as program

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

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


STOPS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("number", STOPS)
async def test_it_serves_other_programs(number: int) -> None:
    """It says where it is, serves what was asked for, and ends well on a signal."""
    process, printed = await start("--artifacts", "12", "--size", "2K", "--fault", "status=2,code=503", "--repo", "a/b")
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
@pytest.mark.parametrize("tls", ["", "cert", "ca"])
async def test_its_commands_work_as_printed(certificate: tuple[Path, Path], tls: str, tmp_path: Path) -> None:
    """Pasted into a shell, the commands list the artifacts, over TLS as well."""
    chain, key = certificate
    made = tmp_path / "what clients trust.pem"
    options = {"cert": ["--tls-cert", str(chain), "--tls-key", str(key)], "ca": ["--tls-ca", str(made)]}.get(tls, [])
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


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
async def test_the_documentations_banner() -> None:
    """The command of the how-to guide prints what the guide shows, but for the ports."""
    page = (ROOT / "docs/howto/testing.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```console\n\$ python -m gh_artifacts_async.testing (.*?)\n(.*?)```", page, re.DOTALL)
    process, printed = await start(*shlex.split(shown[0]))
    process.send_signal(signal.SIGINT)
    await process.communicate()
    said = "".join(f"{word:9}{value}\n" for word, value in printed.items())
    assert re.sub(r":\d{4,5}\b", ":PORT", said) == re.sub(r":\d{4,5}\b", ":PORT", shown[1])


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("sh") and shutil.which("jq")), reason="it takes a POSIX shell and jq")
async def test_the_documentations_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of the how-to guide lists the artifacts and stops the fake; it ends if the fake cannot start."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/howto/testing.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    code, output = await run_shell(f"{script}wait\n")
    assert code == 0, output
    assert "artifact-10" in output
    assert not (tmp_path / "ready.json").exists()
    _, output = await run_shell(
        script.partition("&\n")[0] + " --repo x &" + script.partition("&")[2].partition("\nexport")[0]
    )
    assert "a repository is 'owner/name', not 'x'" in output


# --- in this process


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Coroutine[Any, Any, None]]:
    """A function that serves with some options while something uses the server, and then stops it as a signal does."""

    async def serving(use: Callable[[dict[str, Any]], Coroutine[Any, Any, None]], *arguments: str) -> None:
        ready = tmp_path / "ready.json"
        handlers: dict[int, Callable[[], object]] = {}

        def keep(_loop: object, number: int, handler: Callable[[], object]) -> None:
            handlers[number] = handler

        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", keep)
        ready.write_text("of a run that was killed", encoding="utf-8")
        options = program.arguments(["--ready-file", str(ready), *arguments])
        task = asyncio.create_task(program.serve(options))
        await asyncio.sleep(0)
        assert not ready.exists()
        try:
            while not ready.exists():
                await asyncio.sleep(0.001)
                assert not task.done(), await task
            await use(json.loads(ready.read_text(encoding="utf-8")))
        finally:
            handlers[signal.SIGTERM]()
            await task
        assert set(handlers) == set(STOPS)
        assert not ready.exists()

    return serving


async def test_a_ready_file(
    served: Callable[..., Coroutine[Any, Any, None]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The file says what a script needs, once it listens; it is gone at the end. ``--json`` prints the same."""

    async def use(ready: dict[str, Any]) -> None:
        assert ready == json.loads(capsys.readouterr().out)
        assert ready["env"] == {"GITHUB_API_URL": ready["api"], "GH_ENTERPRISE_TOKEN": "t1"}
        assert (ready["ca_file"], ready["pid"]) == (None, os.getpid())
        for repo, number in (("a/b", 0), ("c/d", 1)):
            found = ready["repositories"][repo]
            async with ArtifactsClient("t1", base_url=ready["api"]) as client:
                listed = [artifact async for artifact in client.list_artifacts(repo)]
            assert {it.id for it in listed} == set(found["artifact_ids"])
            assert {it.run_id for it in listed} == {found["run_id"]} == {9_000_000_001 + number}
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t2"}) as session:
            response = await session.get(f"{ready['api']}/repos/a/b/actions/artifacts")
            assert response.status == 401

    await served(use, "--json", "--repo", "a/b", "--repo", "c/d", "--artifacts", "2", "--token", "t1")


async def test_artifacts_of_files(served: Callable[..., Coroutine[Any, Any, None]], tmp_path: Path) -> None:
    """An artifact holds a folder's files, one file, or a zip as it is; a fault finds each by place, name or id."""
    folder = tmp_path / "report"
    (folder / "css").mkdir(parents=True)
    (folder / "index.html").write_text("<p>", encoding="utf-8")
    (folder / "css" / "site.css").write_text("p {}", encoding="utf-8")
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x", "y")

    async def use(ready: dict[str, Any]) -> None:
        names = {}
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as session:
            for artifact_id in ready["repositories"]["octo-org/octo-docs"]["artifact_ids"]:
                url = f"{ready['api']}/repos/octo-org/octo-docs/actions/artifacts/{artifact_id}/zip"
                async with session.get(url) as response:
                    assert response.status == 503
                async with session.get(url) as response:
                    names[artifact_id] = zipfile.ZipFile(io.BytesIO(await response.read())).namelist()
        assert list(names.values()) == [["css/site.css", "index.html"], ["index.html"], ["x"]]

    options = [f"--artifact=folder={folder}", f"--artifact=file={folder / 'index.html'}", f"--artifact=zip={packed}"]
    faults = ["--fault=status,code=503,artifact=1", "--fault=status,code=503,artifact=file"]
    await served(use, *options, *faults, "--fault=status,code=503,artifact=10338854606")


async def test_chaos(served: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """With chaos every connection may break, signed URLs go through it too, and downloads arrive nevertheless."""

    async def use(ready: dict[str, Any]) -> None:
        broken = 0
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t", "Connection": "close"}) as session:
            for _ in range(30):
                url = f"{ready['api']}/repos/octo-org/octo-docs/actions/artifacts/10338854604/zip"
                try:
                    async with session.get(url) as response:
                        assert str(response.url).startswith(ready["storage"])
                        await response.read()
                except aiohttp.ClientError:
                    broken += 1
        assert 5 < broken < 29

    await served(use, "--chaos", "0.5:1", "--size", "1M", "--artifacts", "1")


async def test_limits(served: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """The hourly limit is as given."""

    async def use(ready: dict[str, Any]) -> None:
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as session:
            response = await session.get(f"{ready['api']}/rate_limit")
            assert (await response.json())["resources"]["core"]["limit"] == 60

    await served(use, "--rate-limit", "60", "--secondary-limits")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "cut,artifact=wheel"], "there is no artifact named 'wheel'"),
        (["--fault", "cut,artifact=99"], "this fake has no artifact 99"),
        (["--fault", "cut=-1"], "times=-1 is negative"),
        (["--repo", "octo-docs"], "a repository is 'owner/name', not 'octo-docs'"),
        (["--size", "5"], "a zip with one member takes"),
        (["--ready-file", "nowhere/ready.json"], "nowhere"),
        (["--host", "192.0.2.1"], "assign"),
    ],
)
def test_what_cannot_start(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What shows only once the fake is there is exit code 2 and a sentence, too."""
    assert program.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m gh_artifacts_async.testing: error: ")
    assert said in error


def test_it_fills_and_tells(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells the base URL, the storage URL, a token and a command, then runs until it is stopped."""

    async def stopped(_event: asyncio.Event) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio.Event, "wait", stopped)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", _not_here)
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        assert program.main(["--profile", "ghes-3.8", "--artifacts", "2", "--fault", "cut=3"]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    printed = capsys.readouterr().out
    assert "/api/v3" in printed
    assert "GH_ENTERPRISE_TOKEN=demo gh-artifacts list octo-org/octo-docs" in printed
    assert "2 artifacts in octo-org/octo-docs" in printed


def _not_here(*_: object) -> None:
    raise NotImplementedError
