"""Every way a body is received, over plain HTTP and TLS: equal bytes, and the same promises when something breaks."""

from __future__ import annotations

import asyncio
import functools
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest
import trustme

from gh_artifacts_async import ArtifactsError, ConnectionFailedError, DigestMismatchError, Limits, RetryPolicy, Timeouts
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transport.connections import READ_BUFFER
from tests.kits.profiles import verified
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import ONE_TRY, REPO, add, client_for, fetch, get, names, parts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, DownloadResult


class Way(NamedTuple):
    """A way a body can take.

    Attributes:
        way: what the result calls it.
        size: bytes of an artifact that takes it.
        borrowed: over a session that is not ours.
        fast_paths: whether other ways than aiohttp's reader may be taken.
        length: whether storage states the length.
        connections: as the caller asks for.
    """

    way: str
    size: int
    borrowed: bool = False
    fast_paths: bool = True
    length: bool = True
    connections: int | None = None


WAYS = {
    "lane, small": Way("lane", 20_003),
    "lane": Way("lane", 600_003),
    "whole, small": Way("whole", 20_003, borrowed=True),
    "whole": Way("whole", 600_003, borrowed=True),
    "receiver": Way("receiver", 3_000_003),
    "segments": Way("segments", 10_000_003, connections=4),
    "chunks, inline": Way("chunks", 20_003, fast_paths=False),
    "chunks": Way("chunks", 600_003, fast_paths=False),
    "chunks, no length": Way("chunks", 2_000_003, length=False),
}
PLAIN, TLS = [(path, False) for path in WAYS], [("lane", True), ("receiver", True)]
REST = [(path, True) for path in WAYS if (path, True) not in TLS]
KINDS = pytest.mark.parametrize(("path", "tls"), mostly_slow([*PLAIN, *TLS, *REST], quick=len(PLAIN) + len(TLS)))


@functools.cache
def authority() -> trustme.CA:
    """Make an authority of one's own, once."""
    return trustme.CA()


class Setting:
    """A fake, a client of it, and an artifact that takes one of the ways."""

    def __init__(self, github: FakeGitHub, client: ArtifactsClient, way: Way, settings: dict[str, Any]) -> None:
        self.github = github
        self.client = client
        self.settings = settings
        self.limit = 30.0
        self.way = way
        self.size = way.size
        self.artifact_id = add(github, size=self.size)
        self.content = github.content(self.artifact_id)
        self.options = {} if way.connections is None else {"connections": way.connections}
        if not way.length:
            github.faults.no_length(self.artifact_id, times=None)
        if way.connections:
            self.slow_down()

    def slow_down(self) -> None:
        """Limit each connection, so that the first does not bring everything before the others are asked for."""
        self.github.faults.drip(self.artifact_id, chunk=READ_BUFFER, interval=0.01, times=None)

    async def fetch(self, folder: Path) -> DownloadResult:
        """Download the artifact."""
        return await self.client.download(await get(self.client, self.artifact_id), folder, **self.options)

    @property
    def overlap(self) -> int:
        """Bytes that may be sent twice by several connections: those that others have, before they come to them."""
        return 6 * READ_BUFFER if self.way.connections else 0

    @property
    def resent(self) -> int:
        """Bytes that storage sent more than once."""
        return self.github.bytes_sent(self.artifact_id) - self.size

    def check(self, folder: Path) -> None:
        """Make sure that the file is right and alone."""
        assert (folder / "docs.zip").read_bytes() == self.content
        assert names(folder) == {"docs.zip"}


@asynccontextmanager
async def setting(path: str, folder: Path, *, tls: bool, **settings: Any) -> AsyncGenerator[Setting]:
    """Run a fake and a client of it."""
    way, context = WAYS[path], None
    settings["limits"] = Limits(fast_paths=way.fast_paths)
    async with AsyncExitStack() as stack:
        connector: dict[str, Any] = {}
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority().issue_cert("127.0.0.1").configure_cert(context)
            pem = folder.parent / f"{folder.name}.pem"
            authority().cert_pem.write_to_path(str(pem))
            connector["ssl"] = ssl.create_default_context(cafile=str(pem))
            if not way.borrowed:
                settings["ca_file"] = pem
        if way.borrowed:
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(**connector))
            settings["session"] = await stack.enter_async_context(session)
        github = await stack.enter_async_context(FakeGitHub(ssl_context=context))
        yield Setting(github, await stack.enter_async_context(client_for(github, **settings)), way, settings)


# --- what is tried on every way, on every loop ----------------------------------------------------------------------


async def equal_bytes(it: Setting, folder: Path) -> None:
    """Nothing breaks: one request, every byte once."""
    result = await it.fetch(folder)
    assert (result.verified, result.size, result.way) == (verified(), it.size, it.way.way)
    assert it.resent <= it.overlap
    it.check(folder)


async def cut(it: Setting, folder: Path) -> None:
    """FIN and RST at the beginning, in the middle and at the last byte."""
    for at in (0, 1, it.size // 3):
        it.github.faults.cut(it.artifact_id, at=at)
    it.github.faults.reset(it.artifact_id, at=it.size // 2)
    it.github.faults.cut(it.artifact_id, at=it.size - 1)
    await it.fetch(folder)
    assert not [fault for fault in it.github.faults.pending if fault.left is not None]
    assert it.resent <= 3 * READ_BUFFER + 2 * it.overlap
    it.check(folder)


async def stall(it: Setting, folder: Path) -> None:
    """Silence in the middle ends within a second of the limit."""
    it.github.faults.stall(it.artifact_id, at=it.size // 2, seconds=60)
    artifact = await get(it.client, it.artifact_id)
    loop = asyncio.get_running_loop()
    clock = lambda: getattr(loop, "jumped", loop.time())  # noqa: E731  a busy machine makes nothing late
    began, before = loop.time(), clock()
    await it.client.download(artifact, folder, **it.options)
    if not it.way.connections:  # where others bring bytes, one that does not is dropped earlier
        assert loop.time() - began >= it.limit
    assert clock() - before <= it.limit + 1
    it.check(folder)


async def short(it: Setting, folder: Path) -> None:
    """A body that ends too early, as if that were all of it, and one that promised more."""
    it.github.faults.truncate_clean(it.artifact_id, at=it.size // 2)
    if it.way.length:
        it.github.faults.wrong_length(it.artifact_id, by=10)
    await it.fetch(folder)
    it.check(folder)


async def left_in_the_middle(it: Setting, folder: Path, end: Callable[[asyncio.Task[Any]], Any]) -> None:
    """What ends a download in the middle leaves a part that the next one goes on with, and nothing at work."""
    hold = it.github.faults.stall(it.artifact_id, at=it.size // 2, times=None)
    artifact = await get(it.client, it.artifact_id)
    task = asyncio.create_task(it.client.download(artifact, folder, **it.options))
    async with asyncio.timeout(10):
        while it.github.bytes_sent(it.artifact_id) < it.size // 2:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)  # what was sent arrives
    await end(task)
    (part,) = parts(folder)
    kept = part.stat().st_size
    assert 0 < kept <= it.size // 2
    hold.left = 0
    async with client_for(it.github, **it.settings) as another:
        result = await another.download(artifact, folder, **it.options)
    assert result.resumed_from == kept
    it.check(folder)


async def cancelled(it: Setting, folder: Path) -> None:
    """A task that is cancelled."""

    async def end(task: asyncio.Task[Any]) -> None:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await left_in_the_middle(it, folder, end)


async def closed(it: Setting, folder: Path) -> None:
    """A client that is closed."""

    async def end(task: asyncio.Task[Any]) -> None:
        await it.client.aclose()
        with pytest.raises(ArtifactsError):
            await task

    await left_in_the_middle(it, folder, end)


TRIED: dict[str, Callable[[Setting, Path], Any]] = {
    it.__name__: it for it in (equal_bytes, cut, stall, short, cancelled, closed)
}
EACH = pytest.mark.parametrize("what", TRIED)


@pytest.mark.github_com("ranges")
@KINDS
@EACH
async def test_row_01_to_03_16_25_every_way(tmp_path: Path, path: str, what: str, *, tls: bool) -> None:
    """Equal bytes, cuts, silence, short bodies and cancellation: the same outcome on every way a body can take."""
    async with setting(path, tmp_path / "home", tls=tls) as it:
        await TRIED[what](it, tmp_path / "home")


@pytest.fixture(scope="module")
def uvloop() -> Any:
    """Load uvloop; its first loop opens what it keeps for the process."""
    module = pytest.importorskip("uvloop")
    module.new_event_loop().close()
    return module


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.parametrize("tls", mostly_slow([False, True]))
@pytest.mark.parametrize(
    "paths", [("lane", "whole", "receiver", "chunks, no length"), pytest.param(("segments",), marks=pytest.mark.slow)]
)
@EACH
def test_row_01_to_03_16_25_on_uvloop(
    tmp_path: Path, uvloop: Any, paths: tuple[str, ...], what: str, *, tls: bool
) -> None:
    """The same on uvloop, whose transports are others; several ways at once, since the waits are real ones."""
    quick = {"timeouts": Timeouts(read=0.3), "retry": RetryPolicy(wait_initial=0.05, wait_max=0.2)}

    async def one(path: str, folder: Path) -> None:
        async with setting(path, folder, tls=tls, **quick) as it:
            it.limit = 0.3
            await TRIED[what](it, folder)

    async def tried() -> None:
        before = asyncio.all_tasks()
        async with asyncio.TaskGroup() as group:
            for path in paths:
                group.create_task(one(path, tmp_path / path), name=path)
        assert asyncio.all_tasks() == before

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(tried())


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.parametrize("first", range(3))
async def test_row_03_stall_in_real_time(tmp_path: Path, first: int) -> None:
    """Silence of twice the limit, before the headers and in the body, on the ordinary clock; three ways at once."""
    async with asyncio.TaskGroup() as group:
        for number, path in enumerate([*WAYS][first::3]):
            group.create_task(_stalled(path, tmp_path / str(number)))


async def _stalled(path: str, folder: Path) -> None:
    async with setting(path, folder, tls=False, timeouts=Timeouts(read=0.25)) as it:
        loop = asyncio.get_running_loop()
        artifact = await get(it.client, it.artifact_id)
        it.github.faults.slow_headers(it.artifact_id, seconds=0.5)
        it.github.faults.stall(it.artifact_id, at=it.size // 2, seconds=0.5)
        began = loop.time()
        await it.client.download(artifact, folder, **it.options)
        # What one of several connections leaves out, another may bring before the limit has passed.
        least = 0.25 if it.way.connections else 0.5
        assert least <= loop.time() - began <= 2 * (0.25 + 1), path
        it.check(folder)


@pytest.mark.github_com("digest")
@KINDS
async def test_row_15_wrong_bytes_for_ever(tmp_path: Path, path: str, *, tls: bool) -> None:
    """A byte that is always wrong is told with both digests, and nothing is left; an older file stays."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "docs.zip").write_bytes(b"older")
    async with setting(path, folder, tls=tls) as it:
        it.github.faults.corrupt(it.artifact_id, at=it.size // 2, times=None)
        with pytest.raises(DigestMismatchError):
            await fetch(it.client, it.artifact_id, folder, if_exists="replace", **it.options)
    assert (folder / "docs.zip").read_bytes() == b"older"
    assert names(folder) == {"docs.zip"}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("path", mostly_slow([*WAYS]))
@pytest.mark.parametrize("fault", mostly_slow(["cut", "reset"]))
async def test_row_01_02_hundred_places(tmp_path: Path, path: str, fault: str) -> None:
    """A body that ends at any of a hundred bytes goes on there: no more than one buffer is sent twice."""
    folder = tmp_path / "home"
    async with setting(path, folder, tls=False, retry=RetryPolicy(wait_initial=0)) as it:
        artifact = await get(it.client, it.artifact_id)
        count = 100 if it.size < READ_BUFFER else 25
        for number in range(count):
            at = (it.size - 1) * number // (count - 1)
            before = it.github.bytes_sent(it.artifact_id)
            getattr(it.github.faults, fault)(it.artifact_id, at=at)
            await it.client.download(artifact, folder, **it.options)
            sent = it.github.bytes_sent(it.artifact_id) - before
            assert it.size <= sent <= it.size + READ_BUFFER + it.overlap
            assert (folder / "docs.zip").read_bytes() == it.content
            if number < count - 1:
                (folder / "docs.zip").unlink()
        it.check(folder)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("path", ["lane", "whole", "receiver", "segments", "chunks", "chunks, no length"])
async def test_row_18_garbage_keeps_the_part(tmp_path: Path, path: str) -> None:
    """What is no HTTP is the connection's failure, never taken for a 400 of storage's; what had come is kept."""
    bad = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    async with setting(path, tmp_path / "home", tls=False) as it:
        at = it.size // 8 if it.way.connections else it.size // 2  # the first of several does not come far
        it.github.faults.cut(it.artifact_id, at=at)
        hold = it.github.faults.garbage(it.artifact_id, times=30 if it.way.connections else 6, data=bad)
        with pytest.raises(ConnectionFailedError):
            await it.fetch(tmp_path / "home")
        (part,) = parts(tmp_path / "home")
        kept = part.stat().st_size
        assert kept >= at - READ_BUFFER
        hold.left = 0
        result = await it.fetch(tmp_path / "home")
        assert result.resumed_from == kept
        it.check(tmp_path / "home")


@pytest.mark.github_com("ranges")
async def test_row_05_storage_down_keeps_the_part(tmp_path: Path) -> None:
    """A 503 for ever ends after the tries that the policy has, says so, and what had come is kept."""
    from gh_artifacts_async import StorageError

    async with setting("receiver", tmp_path / "home", tls=False) as it:
        it.github.faults.cut(it.artifact_id, at=it.size // 2)
        it.github.faults.status(it.artifact_id, 503, times=6)
        artifact = await get(it.client, it.artifact_id)
        with pytest.raises(StorageError, match="503") as caught:
            await it.client.download(artifact, tmp_path / "home")
        assert caught.value.status == 503
        assert len(parts(tmp_path / "home")) == 1
        assert len(it.github.requests_to("storage")) <= 8
        it.github.faults.clear()
        async with client_for(it.github, retry=ONE_TRY) as other:
            result = await other.download(await other.get_artifact(REPO, it.artifact_id), tmp_path / "home")
            assert result.resumed_from
        it.check(tmp_path / "home")
