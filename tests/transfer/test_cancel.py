"""A cancellation at every single point where a download waits, and what is left then: nothing that is not whole."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from gh_artifacts_async import ArtifactRef, ConnectionFailedError, TransferBytes
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.profiles import GITHUB_COM, profile
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    get,
    leave_part,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from gh_artifacts_async import ArtifactsClient
    from tests.kits.clock import JumpLoop

OURS = str(Path("gh_artifacts_async") / "transfer")
"""What the files of the tasks that are ours have in their path."""


@attrs.define
class Sweep:
    """Cancels one task when the work it is given is suspended for the ``at``-th time, in whichever of its tasks.

    Attributes:
        at: at which suspension.
        count: suspensions so far.
        victim: what is cancelled.
        twice: cancel again at the next suspension.
    """

    at: int
    twice: bool = False
    count: int = 0
    victim: asyncio.Task[Any] | None = None

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do the work as a task of its own."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._make_task)
        try:
            self.victim = asyncio.create_task(self._counted(work), name="victim")
            return await self.victim
        finally:
            loop.set_task_factory(None)

    def _make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        if OURS in getattr(getattr(coroutine, "cr_code", None), "co_filename", ""):
            coroutine = self._counted(coroutine)
        return asyncio.Task(coroutine, loop=loop, **more)

    async def _counted(self, coroutine: Any) -> Any:
        return await _Steps(coroutine, self._suspended)

    def _suspended(self) -> None:
        self.count += 1
        if self.victim is not None and (self.count == self.at or (self.twice and self.count == self.at + 1)):
            self.victim.cancel()


@attrs.define
class _Steps:
    """Drives a coroutine and tells of each of its suspensions."""

    coroutine: Coroutine[Any, Any, Any]
    suspended: Callable[[], None]

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = lambda: self.coroutine.send(None)  # noqa: E731
        while True:
            try:
                waiting_for = step()
            except StopIteration as stop:
                return stop.value
            self.suspended()
            try:
                value = yield waiting_for
                step = lambda value=value: self.coroutine.send(value)  # noqa: E731
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's
                step = lambda error=error: self.coroutine.throw(error)  # noqa: E731


@contextmanager
def _quiet_loop() -> Generator[None]:
    """Fail if an exception is never retrieved, or is raised where nothing can catch it."""
    told: list[dict[str, Any]] = []
    unraisable: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    hook, sys.unraisablehook = sys.unraisablehook, unraisable.append
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = hook
        loop.set_exception_handler(None)
    assert not told
    assert not unraisable


async def sweep(
    make: Callable[[int], Awaitable[Coroutine[Any, Any, Any]]], check: Callable[[int], None], *, twice: bool = False
) -> int:
    """Cancel at the first suspension, then (all anew) at the second, and so on; return how many there were."""
    loop = cast("JumpLoop", asyncio.get_running_loop())
    with _quiet_loop():
        for number in range(1, 500):
            at = Sweep(number, twice=twice)
            work = await make(number)
            before = asyncio.all_tasks()
            try:
                await at.run(work)
            except asyncio.CancelledError:
                assert at.count >= number
                assert loop.thread_work == 0, "a thread is still at work"
                left = {
                    task for task in asyncio.all_tasks() - before if task.get_name().startswith(("gh-art", "victim"))
                }
                assert not left
                check(number)
            else:
                check(number)
                if at.count < number:
                    return at.count
    pytest.fail("it never came to an end")


SCENARIOS: dict[str, dict[str, Any]] = {
    "inline": {"size": INLINE_SIZE},
    "worker": {"size": WORKER_SIZE},
    "receiver": {"size": RECEIVER_SIZE},
    "empty": {"raw": ("empty.txt", b"")},
    "no digest": {"size": WORKER_SIZE, "digest": None},
}


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_download(github: FakeGitHub, tmp_path: Path, scenario: str, *, twice: bool) -> None:
    """CancelledError comes out, the file is whole or absent, and the next call finishes the work."""
    artifact_id = add(github, **SCENARIOS[scenario])
    content = github.content(artifact_id)
    async with client_for(github) as client:

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            return client.download(ArtifactRef(REPO, artifact_id), tmp_path / str(number))

        count = await sweep(make, lambda number: _whole_or_absent(tmp_path / str(number), content), twice=twice)
        assert count >= 4
        artifact = await get(client, artifact_id)
        for number in range(1, count + 1):
            folder = tmp_path / str(number)
            result = await client.download(artifact, folder, if_exists="skip")
            assert names(folder) == {result.path.name}
            assert result.path.read_bytes() == content


def _whole_or_absent(folder: Path, content: bytes) -> None:
    for name in names(folder) if folder.exists() else ():
        if ".part" not in name and not name.endswith(".gh-artifacts.json"):
            assert (folder / name).read_bytes() == content


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("scenario", ["inline", "receiver", "empty", pytest.param("worker", marks=pytest.mark.slow)])
async def test_stream(github: FakeGitHub, scenario: str, *, twice: bool) -> None:
    """CancelledError comes out, and what was read until then is the beginning of the artifact."""
    artifact_id = add(github, **SCENARIOS[scenario])
    content, got = github.content(artifact_id), bytearray()
    async with client_for(github) as client:

        async def read() -> None:
            async with client.open_stream(ArtifactRef(REPO, artifact_id)) as stream:
                async for chunk in stream:
                    got.extend(chunk)

        async def make(_: int) -> Coroutine[Any, Any, Any]:
            got.clear()
            return read()

        def check(_: int) -> None:
            assert content.startswith(got)

        assert await sweep(make, check, twice=twice) >= 4
        assert got == content


@pytest.mark.github_com("ranges")
@pytest.mark.slow
@pytest.mark.parametrize("twice", [False, True])
async def test_several_connections(github: FakeGitHub, tmp_path: Path, *, twice: bool) -> None:
    """The same while several connections fetch one artifact: a part that is left has no holes, and is resumed."""
    size = 8 * 2**20 + 1
    artifact_id = add(github, size=size)
    github.faults.drip(artifact_id, chunk=2**20, interval=0.1, times=None)
    content = github.content(artifact_id)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            return client.download(artifact, tmp_path / str(number), connections=3)

        def check(number: int) -> None:
            folder = tmp_path / str(number)
            _whole_or_absent(folder, content)
            for part in parts(folder):
                assert content.startswith(part.read_bytes())
                result_parts.append(part)
            assert client._transfers().extras == client._transfers().writer._lent == 0
            assert client._transfers().writer.waiting == 0

        result_parts: list[Path] = []
        count = await sweep(make, check, twice=twice)
        assert count >= 30
        assert result_parts
        github.faults.clear()
        for number in range(1, count + 1):
            result = await client.download(artifact, tmp_path / str(number), if_exists="skip", connections=3)
            assert names(tmp_path / str(number)) == {result.path.name}
            assert result.path.read_bytes() == content
            result.path.unlink()


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("size", mostly_slow([WORKER_SIZE, INLINE_SIZE, RECEIVER_SIZE]))
async def test_download_that_is_resumed(github: FakeGitHub, tmp_path: Path, size: int) -> None:
    """The same over an earlier part, a cut, an expired URL, wrong bytes, a pause and a durable rename."""
    artifact_id = add(github, size=size)
    content = github.content(artifact_id)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            github.faults.clear()
            await leave_part(github, artifact_id, tmp_path / str(number), size // 4)
            github.faults.clear()
            github.faults.cut(artifact_id, at=size // 2)
            github.faults.expire_url(artifact_id)
            github.faults.status(artifact_id, 503)
            github.faults.corrupt(artifact_id, at=size - 1)
            return client.download(artifact, tmp_path / str(number), durable=True)

        count = await sweep(make, lambda number: _whole_or_absent(tmp_path / str(number), content))
        assert count >= 15
        github.faults.clear()
        for number in range(1, count + 1):
            result = await client.download(artifact, tmp_path / str(number), if_exists="skip")
            assert result.path.read_bytes() == content


@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, pytest.param(2 * RECEIVER_SIZE, marks=pytest.mark.slow)])
@pytest.mark.parametrize("twice", [False, True])
async def test_unpacked(github: FakeGitHub, tmp_path: Path, size: int, *, twice: bool) -> None:
    """With extract the folder is whole or absent, whether it is unpacked afterwards or while the bytes arrive."""
    artifact_id = add(github, size=size)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            github.faults.clear()
            github.faults.cut(artifact_id, at=size // 2)
            return client.download(artifact, tmp_path / str(number), extract=True)

        def check(number: int) -> None:
            folder = tmp_path / str(number)
            visible = {path.name for path in folder.iterdir() if path.name[0] != "."} if folder.exists() else set()
            assert visible <= {"docs"}
            if visible:
                assert names(folder / "docs") == {"random.bin"}
                assert (folder / "docs" / "random.bin").read_bytes() in github.content(artifact_id)

        count = await sweep(make, check, twice=twice)
        github.faults.clear()
        for number in range(1, count + 1):
            result = await client.download(artifact, tmp_path / str(number), extract=True, if_exists="skip")
            check(number)
            assert result.path == tmp_path / str(number) / "docs"
            left = {path.name for path in (tmp_path / str(number)).iterdir()}
            assert left == {"docs", ".docs.gh-artifacts.json"}


async def test_skip_and_verify(github: FakeGitHub, tmp_path: Path) -> None:
    """Comparing what is there can be cancelled too."""
    artifact_id = add(github, size=WORKER_SIZE)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        result = await client.download(artifact, tmp_path)

        async def skip(_: int) -> Coroutine[Any, Any, Any]:
            return client.download(artifact, tmp_path, if_exists="skip")

        async def verify(_: int) -> Coroutine[Any, Any, Any]:
            return client.verify(artifact, result.path)

        for make in (skip, verify):
            await sweep(make, lambda _: None)


async def _consume(client: ArtifactsClient, artifacts: Any, folder: Path, **options: Any) -> None:
    async with client.download_many(artifacts, folder, **options) as outcomes:
        async for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error


@pytest.mark.parametrize("twice", mostly_slow([True, False]))
@pytest.mark.parametrize("endless", [False, True])
async def test_download_many(github: FakeGitHub, tmp_path: Path, *, endless: bool, twice: bool) -> None:
    """A bulk download, cancelled wherever it or one of its tasks waits, leaves no task and no torn file."""
    ids = [
        add(github, f"docs-{number}", size=size)
        for number, size in enumerate((INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE))
    ]
    contents = {f"docs-{number}-{it}.zip": github.content(it) for number, it in enumerate(ids)}
    closed: list[int] = []
    async with client_for(github) as client:
        artifacts = [await get(client, it) for it in ids]

        async def lazily(number: int) -> Any:
            try:
                for artifact in artifacts:
                    await asyncio.sleep(0)
                    yield artifact
            finally:
                closed.append(number)

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            given = lazily(number) if endless else artifacts
            return _consume(client, given, tmp_path / str(number), concurrency=2)

        def check(number: int) -> None:
            folder = tmp_path / str(number)
            for name in names(folder) if folder.exists() else ():
                if ".part" not in name:
                    assert (folder / name).read_bytes() == contents[name]

        count = await sweep(make, check, twice=twice)
        assert count >= 15
        if endless:
            assert closed == sorted(closed)
        for number in range(1, count + 1):
            await _consume(client, artifacts, tmp_path / str(number))
            assert names(tmp_path / str(number)) == set(contents)


async def test_no_connection_stays_open(github: FakeGitHub, tmp_path: Path) -> None:
    """A cancelled body ends its connection: the server sends no more."""
    artifact_id = add(github, size=50_000_000)
    github.faults.stall(artifact_id, at=10_000_000, times=None)
    async with client_for(github) as client:
        task = asyncio.create_task(client.download(await get(client, artifact_id), tmp_path))
        while github.bytes_sent(artifact_id) < 10_000_000:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(1000):
            if not github._journal.storage_concurrency:
                break
            await asyncio.sleep(0)
        assert github._journal.storage_concurrency == 0
    assert github.bytes_sent(artifact_id) == 10_000_000


@pytest.mark.parametrize("length", [False, True])
@pytest.mark.parametrize("in_body", [False, True])
async def test_client_closed_under_a_transfer(
    github: FakeGitHub, tmp_path: Path, *, in_body: bool, length: bool
) -> None:
    """A client that is closed while it downloads ends the download with an error, and leaves a part."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    if not length:
        github.faults.no_length(artifact_id, times=None)
    github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2, times=None)
    seen = Seen()
    async with client_for(github, retry=ONE_TRY, observer=seen) as client:
        task = asyncio.create_task(client.download(await get(client, artifact_id), tmp_path))
        while not (seen.of(TransferBytes) if in_body else github.requests_to("storage")):
            await asyncio.sleep(0)
    with pytest.raises(ConnectionFailedError):
        await task
    kept = in_body and profile() == GITHUB_COM  # elsewhere it could not be resumed
    assert {name.rpartition(".")[2] for name in names(tmp_path)} == ({"part", "json"} if kept else set())


@pytest.mark.realtime
async def test_loop_that_ends(tmp_path: Path) -> None:
    """A loop that ends under a transfer cancels it within a second."""

    async def forever() -> None:
        async with FakeGitHub() as github, client_for(github) as client:
            artifact_id = add(github, size=RECEIVER_SIZE)
            github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2, times=None)
            task = asyncio.create_task(client.download(await get(client, artifact_id), tmp_path))
            while github.bytes_sent(artifact_id) < RECEIVER_SIZE // 2:
                await asyncio.sleep(0)
            raise LookupError(task)

    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LookupError):
        await asyncio.to_thread(asyncio.run, forever())
    assert loop.time() - began < 5
    assert not {name for name in names(tmp_path) if ".part" not in name}
