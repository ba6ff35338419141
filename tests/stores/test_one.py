"""One artifact into a store: what the result says, what is skipped, what is in the way, and what is told of it."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from obstore.exceptions import PermissionDeniedError

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactRef,
    ArtifactsClient,
    ArtifactsError,
    ClientClosedError,
    DestinationExistsError,
    ObjectStoreUnavailableError,
    StoredResult,
    TransferChecking,
    TransferDelivered,
    TransferFailed,
    TransferSigning,
    TransferStarted,
    TransferVerified,
)
from tests.kits.objectstores import RECORD, content, everything, facts, keys, said
from tests.kits.profiles import verified
from tests.kits.transfer import INLINE_SIZE, REPO, WORKER_SIZE, Seen, add, client_for, get

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.realtime  # obstore's threads

KEY = "ci/docs.zip"
WAYS = pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])


@pytest.mark.github_com("digest")
async def test_result(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """The result says what is in the store now, and the object says which artifact it is."""
    artifact = await get(client, add(github))
    result = await client.store(artifact, store, KEY)
    assert result == StoredResult(
        artifact=artifact,
        key=KEY,
        size=WORKER_SIZE,
        digest=artifact.digest,
        verified=verified(),
        elapsed=result.elapsed,
        content_type="application/zip",
    )
    assert result.elapsed > 0
    assert content(store, KEY) == github.content(artifact.id)
    assert facts(store, KEY).items() >= said(artifact).items()
    assert keys(store) == {KEY}
    assert len(github.requests) == 3
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301  our own bytes


async def test_reference(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """A reference is looked up."""
    it = add(github)
    assert (await client.store(ArtifactRef(REPO, it), store, KEY)).artifact.name == "docs"


async def test_raw(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """What is no zip gets the same key, and keeps its type."""
    it = add(github, "report.html", raw=("report.html", b"<p>hello"))
    result = await client.store(await get(client, it), store, KEY)
    assert (result.key, result.content_type) == (KEY, "text/html")
    assert content(store, KEY) == b"<p>hello"


async def test_content_type_of_the_object(github: FakeGitHub, client: ArtifactsClient, memory: Any) -> None:
    """A browser that is given the object sees what it is."""
    await client.store(await get(client, add(github, "a.txt", raw=("a.txt", b"a"))), memory, "a.txt")
    assert facts(memory, "a.txt")["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("way", ["skip", "replace"])
async def test_skip(github: FakeGitHub, client: ArtifactsClient, store: Any, way: Any) -> None:
    """The same artifact is fetched once, and nothing is asked of GitHub the second time."""
    artifact = await get(client, add(github))
    first = await client.store(artifact, store, KEY)
    github.forget_requests()
    result = await client.store(artifact, store, KEY, if_exists=way)
    assert result == StoredResult(
        artifact=artifact, key=KEY, size=first.size, digest=first.digest, verified=result.verified, skipped=True
    )
    assert result.verified in {first.verified, "size"}
    assert not github.requests
    assert (client.statistics.artifacts_done, client.statistics.artifacts_skipped) == (1, 1)


async def test_error(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """With ``"error"`` the same is in the way too."""
    artifact = await get(client, add(github))
    await client.store(artifact, store, KEY, if_exists="error")
    with pytest.raises(DestinationExistsError, match=f"^object '{KEY}' already exists$") as caught:
        await client.store(artifact, store, KEY, if_exists="error")
    assert caught.value.filename == KEY


@WAYS
async def test_another_artifact(github: FakeGitHub, client: ArtifactsClient, store: Any, if_exists: Any) -> None:
    """Another artifact is left alone, and named, unless it is to be replaced; then object and record change."""
    old, new = [await get(client, add(github, seed=seed)) for seed in (1, 2)]
    await client.store(old, store, KEY)
    await asyncio.sleep(0.01)
    if if_exists == "replace":
        await client.store(new, store, KEY, if_exists=if_exists)
        assert facts(store, KEY)["artifactid"] == str(new.id)
        assert (await client.store(new, store, KEY)).skipped
    else:
        github.forget_requests()
        with pytest.raises(DestinationExistsError, match=str(old.id) if if_exists == "skip" else "exists$"):
            await client.store(new, store, KEY, if_exists=if_exists)
        assert not github.requests
    expected = new if if_exists == "replace" else old
    assert content(store, KEY) == github.content(expected.id)


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("way", ["skip", "replace"])
async def test_of_another_tool(github: FakeGitHub, client: ArtifactsClient, store: Any, way: Any) -> None:
    """An object that says nothing is read: with GitHub's digest it is the same, and a record is written for it."""
    artifact = await get(client, add(github))
    await store.put_async(KEY, github.content(artifact.id))
    seen = Seen()
    result = await client.store(artifact, store, KEY, if_exists=way, observer=seen)
    assert (result.skipped, result.verified, result.digest) == (True, "digest", artifact.digest)
    assert [type(event) for event in seen] == [TransferChecking, TransferDelivered]
    assert not github.requests_to("storage")
    if KEY + RECORD in everything(store):
        seen.clear()
        assert (await client.store(artifact, store, KEY, observer=seen)).skipped
        assert not seen.of(TransferChecking)


@pytest.mark.parametrize("size", [WORKER_SIZE, 3])
async def test_something_else(github: FakeGitHub, client: ArtifactsClient, store: Any, size: int) -> None:
    """Other bytes, of the same length too, are in the way, unless they are to be replaced."""
    artifact = await get(client, add(github))
    await store.put_async(KEY, bytes(size))
    with pytest.raises(DestinationExistsError, match=f"is not known to be artifact {artifact.id}; if_exists='replace'"):
        await client.store(artifact, store, KEY)
    assert content(store, KEY) == bytes(size)
    assert not (await client.store(artifact, store, KEY, if_exists="replace")).skipped
    assert content(store, KEY) == github.content(artifact.id)


@pytest.mark.parametrize("killed", ["before the record", "after another object"])
async def test_the_record_is_behind(github: FakeGitHub, client: ArtifactsClient, tmp_path: Any, killed: str) -> None:
    """A process that was killed between object and record: the next one finds the object, and writes the record."""
    store = obstore.store.LocalStore(tmp_path)
    artifact = await get(client, add(github, digest="auto"))
    if artifact.digest is None:
        pytest.skip("without a digest nothing says that it is the same")
    await client.store(artifact, store, KEY)
    record = tmp_path / (KEY + RECORD)
    if killed == "before the record":
        record.unlink()
    else:
        record.write_bytes(
            record.read_bytes().replace(str(artifact.id).encode(), b"1").replace(b'"e_tag": "', b'"e_tag": "x')
        )
    assert (await client.store(artifact, store, KEY)).skipped
    assert facts(store, KEY)["artifactid"] == str(artifact.id)


async def test_without_a_digest(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """An artifact without a digest is known by what its object says, and something that says nothing is not."""
    artifact = await get(client, add(github, digest=None, size=INLINE_SIZE))
    first = await client.store(artifact, store, KEY)
    again = await client.store(artifact, store, KEY)
    assert (again.skipped, again.digest) == (True, first.digest)
    await store.put_async("other.zip", github.content(artifact.id))
    with pytest.raises(DestinationExistsError):
        await client.store(artifact, store, "other.zip")


async def test_expired(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """An artifact that has expired is an error, unless it is there."""
    it = add(github)
    await client.store(await get(client, it), store, KEY)
    github.expire_artifact(it)
    assert (await client.store(await get(client, it), store, KEY)).skipped
    with pytest.raises(ArtifactExpiredError):
        await client.store(await get(client, it), store, "other.zip")
    assert keys(store) == {KEY}


async def test_events(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """An observer is told as of a download, and in the end where the object is."""
    artifact, seen = await get(client, add(github)), Seen()
    await client.store(artifact, store, KEY, observer=seen)
    kinds = [type(event) for event in seen if type(event).__name__.startswith("Transfer")]
    kinds = list(dict.fromkeys(kinds))
    assert kinds[:2] == [TransferSigning, TransferStarted]
    assert kinds[-2:] == [TransferVerified, TransferDelivered]
    assert seen[-1] == TransferDelivered(artifact=artifact, size=WORKER_SIZE, key=KEY)
    assert client.statistics.artifacts_done == 1


async def test_events_of_a_failure(github: FakeGitHub, client: ArtifactsClient, store: Any) -> None:
    """A failure is told and counted once; what is in the way is one."""
    artifact, seen = await get(client, add(github)), Seen()
    await store.put_async(KEY, b"x")
    with pytest.raises(DestinationExistsError) as caught:
        await client.store(artifact, store, KEY, observer=seen)
    assert seen == [TransferFailed(artifact=artifact, error=caught.value)]
    assert (client.statistics.artifacts_failed, client.statistics.artifacts_done) == (1, 0)


async def test_closed(github: FakeGitHub, store: Any) -> None:
    """A client that is closed stores nothing."""
    async with client_for(github) as client:
        artifact = await get(client, add(github))
    with pytest.raises(ClientClosedError):
        await client.store(artifact, store, KEY)


@pytest.mark.usefixtures("parts")
async def test_closed_meanwhile(github: FakeGitHub, store: Any) -> None:
    """A client that is closed in the middle ends the call with an error, and its upload."""
    async with client_for(github) as client:
        it = add(github)
        github.faults.stall(it, at=300_000)
        task = asyncio.create_task(client.store(await get(client, it), store, KEY))
        while github.bytes_sent(it) < 300_000:
            await asyncio.sleep(0.005)
    with pytest.raises(ArtifactsError):
        await task
    assert everything(store) == set()


class Shy:
    """What S3 says to who may write but not list: 403 to a question about what is not there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(obstore.store.MemoryStore, "get_async", self._get)

    async def _get(self, _key: str, **_: Any) -> Any:
        msg = "The operation lacked the necessary privileges: 403 Forbidden"
        raise PermissionDeniedError(msg)


@WAYS
async def test_who_may_only_write(
    github: FakeGitHub, client: ArtifactsClient, memory: Any, monkeypatch: Any, if_exists: Any
) -> None:
    """One who may not ask can store nevertheless, with ``"replace"``."""
    artifact = await get(client, add(github))
    Shy(monkeypatch)
    if if_exists == "replace":
        assert not (await client.store(artifact, memory, KEY, if_exists=if_exists)).skipped
        assert content(memory, KEY) == github.content(artifact.id)
    else:
        with pytest.raises(ObjectStoreUnavailableError, match=r"look for 'ci/docs.zip'.* check the credentials"):
            await client.store(artifact, memory, KEY, if_exists=if_exists)
