"""A stream into an object: the plan of parts, the pipe, and that nothing appears that is not whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactsError,
    DigestMismatchError,
    ObjectStoreError,
    SignedURLExpiredError,
    StorageError,
)
from gh_artifacts_async.stores import upload
from gh_artifacts_async.stores.upload import MIB, AbandonedError, Pipe, part_plan
from tests.kits.objectstores import content, everything, facts, keys
from tests.kits.profiles import cases
from tests.kits.transfer import INLINE_SIZE, REPO, WORKER_SIZE, add, get

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime  # obstore's threads


@pytest.mark.parametrize(
    ("size", "plan"),
    [
        (0, (8 * MIB, 4)),
        (17 * MIB, (8 * MIB, 4)),
        (80_000 * MIB, (8 * MIB, 4)),
        (80_000 * MIB + 1, (9 * MIB, 4)),
        (150_000 * MIB, (15 * MIB, 2)),
        (10**12, (96 * MIB, 1)),
    ],
)
def test_plan(size: int, plan: tuple[int, int]) -> None:
    """Parts are as large as 10,000 of them require, and fewer at once the larger they are."""
    part, at_once = part_plan(size)
    assert part * 10_000 >= size
    assert part == 8 * MIB or part % MIB == 0
    assert (part, at_once) == plan
    if part <= 24 * MIB:
        assert part * (at_once + 1) <= 48 * MIB


async def test_pipe() -> None:
    """Bytes come out in their order, joined; the writer waits while too many are inside, the reader for some."""
    pipe, chunk = Pipe(), bytes(MIB)
    reading = asyncio.create_task(anext(pipe))
    await asyncio.sleep(0)
    assert await pipe.write(b"") is True
    assert await pipe.write(b"a") is True
    assert await reading == b"a"
    assert await pipe.write(chunk)
    writing = asyncio.create_task(pipe.write(chunk))
    await asyncio.sleep(0.01)
    assert not writing.done()
    assert await anext(pipe) == chunk + chunk
    assert await writing is True
    await pipe.write(b"b")
    pipe.end()
    assert [it async for it in pipe] == [b"b"]


async def test_abandoned_pipe() -> None:
    """An input that is given up ends with an error at once, for one who waits too."""
    pipe = Pipe()
    await pipe.write(b"a")
    pipe.abandon()
    with pytest.raises(AbandonedError):
        await anext(pipe)
    waiting = Pipe()
    reading = asyncio.create_task(anext(waiting))
    await asyncio.sleep(0)
    waiting.abandon()
    with pytest.raises(AbandonedError):
        await reading


async def test_closed_pipe() -> None:
    """Once nobody reads, a writer does not wait, and a reader that is left over ends."""
    pipe = Pipe()
    writing = asyncio.create_task(pipe.write(bytes(4 * MIB)))
    await asyncio.sleep(0)
    pipe.close()
    assert await writing is False
    other = Pipe()
    reading = asyncio.create_task(anext(other, None))
    await asyncio.sleep(0)
    other.close()
    assert await reading is None


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("size", [INLINE_SIZE, 100_000, 100_001, WORKER_SIZE])
async def test_both_ways(github: FakeGitHub, client: ArtifactsClient, store: Any, size: int) -> None:
    """By one request or in parts, the object has the artifact's bytes and says what it is."""
    artifact = await get(client, add(github, size=size))
    result = await client.store(artifact, store, "docs.zip")
    assert content(store, "docs.zip") == github.content(artifact.id)
    assert (result.size, facts(store, "docs.zip")["artifactid"]) == (size, str(artifact.id))


@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE])
@pytest.mark.usefixtures("parts")
async def test_nobody_says_how_long_it_is(github: FakeGitHub, client: ArtifactsClient, store: Any, size: int) -> None:
    """What has no length and no digest is collected, and sent in parts once it is too much; its digest is found out."""
    it = add(github, size=size, digest=None)
    github.faults.no_length(it)
    result = await client.store(await get(client, it), store, "docs.zip")
    assert content(store, "docs.zip") == github.content(it)
    assert result.digest is not None
    told = facts(store, "docs.zip").get("sha256")
    assert told == (
        None if size == WORKER_SIZE and "runid" in facts(store, "docs.zip") and _kept(store) else result.digest.hex
    )


def _kept(store: Any) -> bool:
    """Whether attributes are kept, which are sent before the bytes are known."""
    return type(store).__name__ == "MemoryStore"


FAULTS = cases(["corrupt", "status", "expire_url"], digest=("corrupt",))


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE])
@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_appears(github: FakeGitHub, client: ArtifactsClient, store: Any, size: int, fault: str) -> None:
    """What is wrong, refused or cut for good leaves no object, no record and no part of one."""
    it = add(github, size=size)
    arguments = {"status": (404,)}.get(fault, ())
    getattr(github.faults, fault)(it, *arguments, times=None)
    expected: tuple[type[ArtifactsError], ...] = {
        "corrupt": (DigestMismatchError,),
        "status": (StorageError,),
        "expire_url": (SignedURLExpiredError, StorageError),
    }[fault]
    with pytest.raises(expected):
        await client.store(await get(client, it), store, "docs.zip")
    assert everything(store) == set()
    if not _kept(store):
        assert [path for path in store.prefix.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("fault", ["cut", "reset", "truncate_clean", "ignore_range", "change_etag", "expire_url"])
async def test_interruptions_in_mid_upload(github: FakeGitHub, client: ArtifactsClient, store: Any, fault: str) -> None:
    """A connection that is lost, or a URL that expires meanwhile, is no concern of the object's."""
    it = add(github, size=3 * MIB)
    github.faults.cut(it, at=2 * MIB + 1)
    if fault in {"cut", "reset", "truncate_clean"}:
        getattr(github.faults, fault)(it, at=MIB)
    else:
        getattr(github.faults, fault)(it)
    await client.store(await get(client, it), store, "docs.zip")
    assert content(store, "docs.zip") == github.content(it)
    assert keys(store) == {"docs.zip"}


@pytest.mark.github_com("digest")
@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE])
async def test_wrong_bytes_come_once(github: FakeGitHub, client: ArtifactsClient, store: Any, size: int) -> None:
    """Bytes that were wrong once are fetched a second time, as for a download."""
    it = add(github, size=size)
    github.faults.corrupt(it)
    result = await client.store(await get(client, it), store, "docs.zip")
    assert result.verified == "digest"
    assert content(store, "docs.zip") == github.content(it)
    assert client.statistics.retries == {"storage/DigestMismatchError": 1}


async def test_a_store_that_fails(github: FakeGitHub, client: ArtifactsClient, tmp_path: Any) -> None:
    """A folder in the object's place is the store's error, in one line."""
    import obstore.store

    store = obstore.store.LocalStore(tmp_path)
    (tmp_path / "docs.zip" / "x").mkdir(parents=True)
    with pytest.raises(ObjectStoreError, match=r"^cannot store 'docs.zip' in the object store: .*directory") as caught:
        await client.store(await get(client, add(github)), store, "docs.zip")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("at", [0, 300_000])
async def test_cancelled(github: FakeGitHub, client: ArtifactsClient, store: Any, at: int, twice: bool) -> None:  # noqa: FBT001
    """A call that is cancelled has ended its upload when it ends, however often it is cancelled."""
    it = add(github, size=WORKER_SIZE)
    github.faults.stall(it, at=at)
    task = asyncio.create_task(client.store(await get(client, it), store, "docs.zip"))
    while github.bytes_sent(it) < at or not github.requests_to("storage"):
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    task.cancel()
    if twice:
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert everything(store) == set()
    if not _kept(store):
        assert [path for path in store.prefix.rglob("*") if path.is_file()] == []


class Hanging:
    """An upload that ends when it is told to, or never."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.input: Any = None
        monkeypatch.setattr("obstore.put_async", self._put)

    def _put(self, _store: Any, _key: str, data: Any, **_options: Any) -> asyncio.Future[Any]:
        self.input = data
        return self.future


@pytest.mark.usefixtures("parts")
async def test_a_store_that_hangs(github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: Any) -> None:
    """One who cancels waits for an upload to be aborted, but not for ever."""
    monkeypatch.setattr(upload, "_PATIENCE", 0.05)
    hanging = Hanging(monkeypatch)
    artifact = await get(client, add(github, size=WORKER_SIZE))
    task = asyncio.create_task(client.store(artifact, memory, "docs.zip"))
    while hanging.input is None or not hanging.input._ended:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hanging.future.cancelled()
    assert hanging.input._error is not None


@pytest.mark.usefixtures("parts")
async def test_cancelled_at_the_very_end(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: Any
) -> None:
    """An upload that has all its bytes when the call is cancelled may still come to its end, and is waited for."""
    hanging = Hanging(monkeypatch)
    artifact = await get(client, add(github, size=WORKER_SIZE))
    task = asyncio.create_task(client.store(artifact, memory, "docs.zip"))
    while hanging.input is None or not hanging.input._ended:
        await asyncio.sleep(0.005)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done()
    hanging.future.set_result({"e_tag": "x", "version": None})
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("parts")
async def test_the_store_fails_first(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: Any
) -> None:
    """Once the store has failed, no more is fetched."""
    hanging = Hanging(monkeypatch)
    it = add(github, size=30 * MIB)
    task = asyncio.create_task(client.store(await get(client, it), memory, "docs.zip"))
    while hanging.input is None or not hanging.input._held:
        await asyncio.sleep(0.005)
    hanging.future.set_exception(ValueError("no\nmore"))
    with pytest.raises(ObjectStoreError, match=r"in the object store: no$"):
        await task
    assert github.bytes_sent(it) < 20 * MIB
    assert REPO
