"""Which clock a test runs on, and what it may not leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from aioresponses import aioresponses

from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits import profiles
from tests.kits.api import QUICK, REPO, TOKEN
from tests.kits.clock import JumpLoop
from tests.kits.compat import patch_aioresponses
from tests.kits.transfer import client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from gh_artifacts_async import ArtifactsClient

pytest_plugins = ["tests.kits.contract", "tests.kits.counterparts", "tests.kits.rerun"]

hypothesis.settings.register_profile("house", deadline=None)  # a busy machine is no counter-example
hypothesis.settings.register_profile("quick", deadline=None, max_examples=40)  # for make test
hypothesis.settings.load_profile("house")

_DESCRIPTORS = "/proc/self/fd"
_POSIX = re.compile(
    r"^import (?:fcntl|pty|resource|termios)$|^from tests\.kits(?:\.| import .*)(?:network|terminal)\b", re.MULTILINE
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--profile``."""
    parser.addoption("--profile", help="the GitHub that a fake imitates where a test names none, e.g. ghes-3.8")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On Windows, leave out the modules that cannot be imported there."""
    if sys.platform != "win32" or collection_path.suffix != ".py":
        return None
    return True if _POSIX.search(collection_path.read_text(encoding="utf-8")) else None


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile of this run; what the command line says does not depend on where tests run."""
    os.environ.pop("GITHUB_ACTIONS", None)
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        _measure_nothing()
    _let_programs_hear_signals()
    profiles.choose(config.getoption("--profile"))


def _let_programs_hear_signals() -> None:
    """Under nohup, or in the background of a script, programs would inherit that SIGHUP or SIGINT is ignored.

    A handler that does nothing is not inherited.
    """
    for name in ("SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _measure_nothing() -> None:
    """End coverage in the process that only hands out tests; pytest-xdist's workers have their own."""
    coverage = sys.modules.get("coverage")
    running = coverage and coverage.Coverage.current()
    if running:
        running.stop()


def pytest_asyncio_loop_factories(
    config: pytest.Config,  # noqa: ARG001  pytest calls hooks by their parameters' names
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Jump over waits, unless the test has peers that live in real time."""
    if item.get_closest_marker("realtime"):
        return {"real": asyncio.SelectorEventLoop}
    return {"jump": JumpLoop}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every coroutine test the fixture that looks for stray tasks; it is set up first, and so torn down last.

    With another profile, leave out the tests that start no fake: it makes no difference to them.
    """
    if profiles.profile() != profiles.GITHUB_COM:
        config.hook.pytest_deselected(items=[item for item in items if not profiles.starts_a_fake(item)])
        items[:] = [item for item in items if profiles.starts_a_fake(item)]
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(inspect.unwrap(item.function)):
            item.fixturenames.insert(0, "no_stray_tasks")
        for mark in item.iter_markers("github_com"):
            reason = profiles.REASONS[mark.args[0]]
            if profiles.profile() != profiles.GITHUB_COM:
                item.add_marker(pytest.mark.skip(reason=f"for github.com: {reason}"))


def pytest_collection_finish() -> None:
    """Set aside all that exists before the first test, so that no later collection of garbage has to look at it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def keys_are_checked_once() -> Generator[None]:
    """Load each private key once: cryptography tests its primes every time, for some 30 ms."""
    from cryptography.hazmat.primitives import serialization

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialization, "load_pem_private_key", functools.cache(serialization.load_pem_private_key))
        yield


@pytest.fixture
async def no_stray_tasks() -> AsyncGenerator[None]:
    """Fail the test if it, or one of its fixtures, leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # a task that was cancelled at the very end may finish
        await asyncio.sleep(0)
    stray = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not stray, f"tasks left behind: {stray}"


def _open_descriptors() -> dict[str, str]:
    found = {}
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  twice in each test, so by the quick way
        with contextlib.suppress(OSError):  # the one that listed the folder is closed again
            found[name] = os.readlink(f"{_DESCRIPTORS}/{name}")  # noqa: PTH115
    return found


@pytest.fixture(autouse=True)
def no_leaks() -> Generator[None]:
    """Fail the test if it leaves a file or socket open; its event loop is closed by then."""
    if not Path(_DESCRIPTORS).exists():
        yield
        return
    before = _open_descriptors()
    yield
    left = _open_descriptors().items() - before.items()
    if left:
        gc.collect()
        left = _open_descriptors().items() - before.items()
    assert not left, f"descriptors left open: {dict(left)}"


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Generator[aioresponses]:
    """Answers for aiohttp without a server: right for status codes and headers, wrong for moving bytes."""
    patch_aioresponses(monkeypatch)
    with aioresponses() as answers:
        yield answers


# --- a fake GitHub, and what asks it


@pytest.fixture
async def github(request: pytest.FixtureRequest) -> AsyncGenerator[FakeGitHub]:
    """A fake; parametrize indirectly to give it a profile or keywords."""
    arguments = getattr(request, "param", {})
    arguments = {"profile": arguments} if isinstance(arguments, str) else arguments
    # What we download from must get its URLs back as they were: the fake is not to be lenient here.
    async with FakeGitHub(**{"byte_exact_urls": True, **arguments}) as fake:
        yield fake


@pytest.fixture
def run(github: FakeGitHub) -> FakeRun:
    """A finished run."""
    return github.add_run(REPO, workflow="ci.yml", branch="main")


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """A client of the fake."""
    async with client_for(github) as its_client:
        yield its_client


@pytest.fixture
async def session(github: FakeGitHub) -> AsyncGenerator[GitHubSession]:
    """A session without pacing and timeouts: large bodies take real time, which the clock may jump over."""
    silent = Timeouts(connect=None, read=None)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, timeouts=silent) as made:
        yield made


@pytest.fixture
async def public() -> AsyncGenerator[GitHubSession]:
    """A session for api.github.com, to be used with ``mocked`` only."""
    async with GitHubSession(TOKEN, limits=QUICK) as made:
        yield made
