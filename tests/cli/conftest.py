"""A fake GitHub beside the command line, in a thread of its own, and a process environment that says nothing."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.cli import main
from gh_artifacts_async.cli.render import bars, progress
from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.settings import RetryPolicy
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.gh import install_gh

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gh_artifacts_async import Event

REPO = "octo-org/octo-docs"


@pytest.fixture(scope="session")
def no_login(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a gh in which nobody has logged in; this machine's own is never asked."""
    return install_gh(tmp_path_factory.mktemp("no-login"), "exit 1")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path, no_login: Path) -> None:
    """Take away what this machine says about GitHub, and work in an empty folder."""
    for name in list(os.environ):
        if name.startswith(("GH_", "GITHUB_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "secret-token")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PATH", f"{no_login}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)


class Server:
    """A FakeGitHub whose loop runs in a thread."""

    def __init__(self) -> None:
        self.github = FakeGitHub()
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        self.call(self.github.__aenter__)

    def stop(self) -> None:
        self.call(self.github.aclose)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the fake on the fake's own thread, and return what it gives."""

        async def called() -> Any:
            result = function(*args, **kwargs)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(30)

    @property
    def url(self) -> str:
        return self.github.base_url

    def run(self, **kwargs: Any) -> Any:
        return self.call(self.github.add_run, REPO, **kwargs)

    def artifact(self, run: Any, name: str, **kwargs: Any) -> int:
        return self.call(self.github.add_artifact, run, name, **kwargs)


@pytest.fixture
def server() -> Generator[Server]:
    """Run a fake GitHub for the length of a test."""
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try twice, without a wait between."""
    policy = RetryPolicy(attempts=2, wait_initial=0, wait_max=0)
    monkeypatch.setattr(ArtifactsClient, "from_env", functools.partial(ArtifactsClient.from_env, retry=policy))


class Ran:
    """What one run of the program gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def cli(
    server: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[..., Ran]:
    """Run the command line in this process, against the fake."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            if "terminal" in request.fixturenames:  # pytest puts its own stream back before each phase of a test
                patch.setattr(sys, "stderr", request.getfixturevalue("terminal"))
            code = main([*map(str, words), "--api-url", server.url])
        out, err = capsys.readouterr()
        assert "secret-token" not in out + re.sub(r"(?m)^::add-mask::.*\n", "", err)
        assert "Traceback" not in err
        return Ran(code, out, err)

    return run


@pytest.fixture
def bare_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process, with just the arguments."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        code = main([*map(str, words)])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def start() -> Generator[Callable[..., subprocess.Popen[str]]]:
    """Start the program, or what is given to Python, as a process of its own; none outlives the test."""
    processes = []

    def started(*words: object, given: tuple[str, ...] = ("-m", "gh_artifacts_async")) -> subprocess.Popen[str]:
        command = [sys.executable, *given, *map(str, words)]
        process = subprocess.Popen(  # noqa: S603 - Python itself
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


_OUTPUT = re.compile(r"(?P<name>[a-z-]+)<<(?P<end>ghadelimiter_[0-9a-f-]{36})\n(?P<value>.*?)\n(?P=end)\n", re.DOTALL)


def parsed(path: Path) -> dict[str, str]:
    """Read outputs as the runner does."""
    text = path.read_text(encoding="utf-8")
    assert _OUTPUT.sub("", text) == ""
    return {match["name"]: match["value"] for match in _OUTPUT.finditer(text)}


class Step:
    """The files of one step."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.summary = folder / "summary"

    @property
    def outputs(self) -> dict[str, str]:
        return parsed(self.output)

    @property
    def said(self) -> str:
        return self.summary.read_text(encoding="utf-8")


@pytest.fixture
def step(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Be a step of a job."""
    step = Step(tmp_path_factory.mktemp("runner"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(step.output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step.summary))
    return step


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal, for what ``cli`` runs."""
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the display draw after each event, and show also what takes no time."""

    def drawn_at_once(observe: Callable[..., None]) -> Callable[..., None]:
        def observed(live: bars.Live, event: Event) -> None:
            observe(live, event)
            live.draw()

        return observed

    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
    monkeypatch.setattr("gh_artifacts_async.transfer.storage.retrieval.EVENT_INTERVAL", 0.0)
    for kind in (bars.DownloadBars, bars.Spinner):
        monkeypatch.setattr(kind, "__call__", drawn_at_once(kind.__dict__["__call__"]))
