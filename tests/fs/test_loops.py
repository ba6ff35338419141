"""Event loops, threads and processes: one client a loop, closed with it; nothing is left when a program ends."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aiohttp
import fsspec.asyn
import pytest

from gh_artifacts_async.fs import loops
from gh_artifacts_async.fs.loops import LoopStates
from tests.kits.fs import CSV, REPO, add, filesystem, large, mounted

if TYPE_CHECKING:
    from gh_artifacts_async.fs import ArtifactsFileSystem
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime


def states(fs: ArtifactsFileSystem) -> dict[asyncio.AbstractEventLoop, Any]:
    """Return what an instance has, by loop."""
    return fs._states._states


# --- loops and threads


def test_a_loop_closes_what_it_has(served: FakeGitHub) -> None:
    """An instance that is used by one event loop after another: each has a client, which ``asyncio.run`` closes."""
    path = f"{REPO}/{add(served)}/report.csv"
    fs = filesystem(served, asynchronous=True)
    clients = []

    async def main() -> None:
        assert await fs._cat_file(path) == CSV
        clients.append((await fs._states.current()).client)
        assert len(states(fs)) == 1

    for _ in range(3):
        asyncio.run(main())
    assert len({id(client) for client in clients}) == 3
    assert all(client._github.closed for client in clients)
    gc.collect()  # what was left open would warn


@pytest.mark.github_com("ranges")
def test_threads_and_loops_at_once(served: FakeGitHub) -> None:
    """Several threads share fsspec's loop, and two more have loops of their own; each loop opens the artifact once."""
    path = f"{REPO}/{add(served, archive=large(200_000))}/report.csv"
    ready = threading.Barrier(6)
    awaited = filesystem(served, asynchronous=True)

    async def main() -> list[bytes]:
        ready.wait()
        return await asyncio.gather(*(awaited._cat_file(path) for _ in range(3)))

    with mounted(served) as fs, ThreadPoolExecutor(6) as pool:

        def work() -> list[bytes]:
            ready.wait()
            return [fs.cat_file(path), fs.open(path).read()]

        work_of_loops = [pool.submit(asyncio.run, main()) for _ in range(2)]
        found = [future.result() for future in [*(pool.submit(work) for _ in range(4)), *work_of_loops]]
    assert all(each == CSV for those in found for each in those)
    assert len(served.requests) == 3 * 4


@pytest.mark.github_com("ranges")
def test_close(served: FakeGitHub) -> None:
    """It closes what every loop has; the next use opens it again."""
    path = f"{REPO}/{add(served)}/report.csv"
    with mounted(served) as fs:
        assert fs.cat_file(path) == CSV
        (state,) = states(fs).values()
        fs.close()
        assert not states(fs)
        assert state.client._github.closed
        fs.close()
        assert fs.cat_file(path) == CSV
        assert len(served.requests) == 6


def test_close_from_its_own_loop(served: FakeGitHub) -> None:
    """``close()`` within a coroutine closes as soon as that waits; ``aclose()`` has closed when it returns."""
    path = f"{REPO}/{add(served)}/report.csv"
    fs = filesystem(served, asynchronous=True)

    async def main() -> None:
        for _ in range(2):
            await fs._cat_file(path)
            (state,) = states(fs).values()
            fs.close()
            while not state.client._github.closed:
                await asyncio.sleep(0.01)
        await fs._cat_file(path)
        (state,) = states(fs).values()
        await fs.aclose()
        assert state.client._github.closed
        assert not states(fs)
        await fs.aclose()

    asyncio.run(main())


def test_close_of_a_loop_that_waits(served: FakeGitHub) -> None:
    """A loop that does not run now is run for it."""
    path = f"{REPO}/{add(served)}/report.csv"
    fs = filesystem(served, asynchronous=True)
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(fs._cat_file(path)) == CSV
    (state,) = states(fs).values()
    fs.invalidate_cache()
    fs.close()
    assert state.client._github.closed
    loop.close()


@pytest.mark.github_com("ranges")
def test_forgetting_from_another_thread(served: FakeGitHub) -> None:
    """What one thread forgets, fsspec's loop has forgotten for whoever asks next."""
    path = f"{REPO}/{add(served)}/report.csv"
    with mounted(served) as fs:
        for _ in range(3):
            served.forget_requests()
            assert fs.cat_file(path) == CSV
            assert len(served.requests) == 3
            fs.invalidate_cache()


def test_an_instance_that_is_no_longer_used(served: FakeGitHub) -> None:
    """Its client is closed by the loop it belongs to."""
    path = f"{REPO}/{add(served)}/report.csv"
    fs = filesystem(served)
    assert fs.cat_file(path) == CSV
    (state,) = states(fs).values()
    del fs
    gc.collect()
    for _ in range(500):
        if state.client._github.closed:
            break
        threading.Event().wait(0.01)
    assert state.client._github.closed


async def test_a_borrowed_session(github: FakeGitHub) -> None:
    """A session of the caller's is used, and stays open."""
    path = f"{REPO}/{add(github)}/report.csv"
    async with aiohttp.ClientSession() as session:
        fs = filesystem(github, asynchronous=True, session=session)
        assert "session" not in fs.storage_options
        assert await fs._cat_file(path) == CSV
        await fs.aclose()
        assert not session.closed


async def test_a_loop_that_has_ended(github: FakeGitHub) -> None:
    """What it had is no longer counted, and closing does not wait for it."""
    fs = filesystem(github, asynchronous=True)
    other = asyncio.new_event_loop()
    other.close()
    await fs._states.current()
    states(fs)[other] = states(fs)[asyncio.get_running_loop()]
    assert len(fs._states._items()) == 1
    await fs.aclose()
    await fs._states.current()
    assert other not in states(fs)
    await fs.aclose()


# --- processes


def run(program: str, served: FakeGitHub, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in which every warning is an error."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "error", "-c", program, served.base_url, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GH_ENTERPRISE_TOKEN": "token", **environment},
        cwd=os.getcwd(),  # noqa: PTH109
    )


_READ = """
import sys, fsspec
from gh_artifacts_async.fs import ArtifactsFileSystem
fsspec.register_implementation("ghartifacts", ArtifactsFileSystem, clobber=True)
base_url, path, way = sys.argv[1:]
fs = fsspec.filesystem("ghartifacts", base_url=base_url)
if way == "pandas":
    import pandas as pd
    print(len(pd.read_csv(f"ghartifacts://{path}", storage_options={"base_url": base_url})))
elif way == "open":
    file = fs.open(path)
    print(len(file.readlines()) - 1)
elif way == "get":
    import tempfile, os
    with tempfile.TemporaryDirectory() as folder:
        fs.get_file(path, os.path.join(folder, "x"))
        with open(os.path.join(folder, "x"), "rb") as copied:
            print(len(copied.readlines()) - 1)
elif way == "async":
    import asyncio
    fs = ArtifactsFileSystem(base_url=base_url, asynchronous=True)
    print(len(asyncio.run(fs._cat_file(path)).splitlines()) - 1)
elif way == "dropped":
    print(len(fs.cat_file(path).splitlines()) - 1)
    ArtifactsFileSystem.clear_instance_cache()
    del fs
elif way == "raises":
    print(2000, flush=True)
    fs.cat_file(path + "x")
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pandas", "open", "get", "async", "dropped", "raises"])
def test_a_program_ends_without_a_word(served: FakeGitHub, way: str) -> None:
    """A short script closes nothing itself: no warning, no wait, whether it ends well or not."""
    path = f"{REPO}/{add(served, archive=large(200_000))}/report.csv"
    done = run(_READ, served, path, way)
    assert done.stdout == "2000\n", done.stderr
    if way == "raises":
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("FileNotFoundError: ")
        assert "Warning" not in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


_FORK = """
import os, sys, gc
from gh_artifacts_async.fs import ArtifactsFileSystem
base_url, path, way = sys.argv[1:]
def instance():
    return ArtifactsFileSystem(base_url=base_url)
fs = instance()
assert fs.cat_file(path)
child = os.fork()
if not child:
    try:
        if way == "same":
            fs.cat_file(path)
        else:
            other = instance()
            assert other is not fs
            print(len(other.cat_file(path).splitlines()) - 1, flush=True)
    except RuntimeError as error:
        print(error, flush=True)
    fs.close()
    del fs
    gc.collect()
    if way == "exits":
        sys.exit()
    sys.stdout.flush()
    os._exit(0)
_, status = os.waitpid(child, 0)
fs.invalidate_cache()
assert fs.cat_file(path)
print("parent", status)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize(
    ("way", "said"), [("new", "2000\n"), ("exits", "2000\n"), ("same", "This class is not fork-safe\n")]
)
def test_forks(served: FakeGitHub, way: str, said: str) -> None:
    """A child has instances of its own; one of its parent's says that it is none; the parent goes on."""
    path = f"{REPO}/{add(served, archive=large(200_000))}/report.csv"
    done = run(_FORK, served, path, way)
    assert (done.stdout, done.stderr) == (f"{said}parent 0\n", "")


async def test_a_fork_of_an_awaited_instance(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fsspec does not look, this package does; and the child closes nothing of its parent's."""
    fs = filesystem(github, asynchronous=True)
    await fs._info(f"{REPO}/{add(github)}")
    (state,) = states(fs).values()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: -1)
        with pytest.raises(RuntimeError, match="not fork-safe"):
            await fs._info(REPO)
        fs.close()
        loops._let_go(states(fs), fs._states._pid)
        assert loops._abandoned.pop() == states(fs)
        assert not state.client._github.closed
    await fs.aclose()
    assert state.client._github.closed


def test_closed_before_the_end() -> None:
    """What is closed at the end of the program is every instance that still lives."""
    made = LoopStates(lambda: None, lambda _: False)  # type: ignore[arg-type,return-value]
    assert made in loops._close_at_exit()
    assert fsspec.asyn.get_loop().is_running()
    del made
    gc.collect()
