"""A bucket of S3, which moto's server imitates over loopback: parts, attributes, failures, kills."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactRef,
    DestinationExistsError,
    DigestMismatchError,
    ObjectStoreError,
    ObjectStoreUnavailableError,
    raise_for_failures,
)
from gh_artifacts_async.testing import ChaosProxy
from tests.kits.objectstores import BUCKET, Bucket, moto_bucket, said, sockets_closed, store_all
from tests.kits.processes import MIB, ROOT, environment
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import REPO, add, fill, get, listed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

LARGE = 40 * MIB
KEY = "ci/docs.zip"


@pytest.fixture(scope="module")
def server() -> Generator[Bucket]:
    """Run moto's server."""
    with moto_bucket() as found:
        yield found


@pytest.fixture(autouse=True)
def sockets() -> Generator[None]:
    """Give obstore's threads time to close what a test has opened."""
    with sockets_closed():
        yield


@pytest.fixture
def bucket(server: Bucket) -> Generator[Bucket]:
    """An empty bucket, in which no upload is open afterwards."""
    server.empty()
    yield server
    assert server.uploads() == []


def content(bucket: Bucket, key: str) -> bytes:
    """Return an object's bytes."""
    found: bytes = bucket.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found


@pytest.mark.sample
@pytest.mark.parametrize("size", [20_000, LARGE])
async def test_object(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket, size: int) -> None:
    """The object has the bytes and says what it is, and the next run skips it."""
    artifact, store = await get(client, add(github, size=size)), bucket.store()
    await client.store(artifact, store, KEY)
    found = bucket.s3.head_object(Bucket=BUCKET, Key=KEY)
    assert (found["ContentLength"], found["ContentType"]) == (size, "application/zip")
    assert found["Metadata"] == said(artifact)
    assert content(bucket, KEY) == github.content(artifact.id)
    github.forget_requests()
    assert (await client.store(artifact, store, KEY)).skipped
    assert not github.requests


async def test_replaced(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """Another artifact's object stays, unless it is to be replaced."""
    old, new = [await get(client, add(github, seed=seed)) for seed in (1, 2)]
    store = bucket.store()
    await client.store(old, store, KEY)
    with pytest.raises(DestinationExistsError):
        await client.store(new, store, KEY)
    await client.store(new, store, KEY, if_exists="replace")
    assert bucket.s3.head_object(Bucket=BUCKET, Key=KEY)["Metadata"] == said(new)


async def test_prefix(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """Keys are below the store's own prefix."""
    artifact = await get(client, add(github, size=1_000))
    result = await client.store(artifact, bucket.store(prefix="mirror/ü"), "a b#1.zip")
    assert (result.key, bucket.keys()) == ("a b#1.zip", {"mirror/ü/a b#1.zip"})


@pytest.mark.parametrize("size", [20_000, LARGE])
async def test_wrong_digest(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket, size: int) -> None:
    """Wrong bytes leave no object and no open upload."""
    it = add(github, size=size)
    github.faults.corrupt(it, at=size - 1, times=None)
    with pytest.raises(DigestMismatchError):
        await client.store(await get(client, it), bucket.store(), KEY)
    assert bucket.keys() == set()


async def test_interrupted(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """A cut and an expired URL in mid-upload are resumed, and the object is right."""
    it = add(github, size=LARGE)
    github.faults.cut(it, at=LARGE // 2)
    github.faults.expire_url(it)
    await client.store(await get(client, it), bucket.store(), KEY)
    assert content(bucket, KEY) == github.content(it)
    assert github.bytes_sent(it) < 1.2 * LARGE


@pytest.mark.sample
@pytest.mark.parametrize("size", [20_000, LARGE])
async def test_no_bucket(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket, size: int) -> None:
    """A bucket that does not exist is said so in one line, and ends a bulk call."""
    fill(github, 12, size=size)
    outcomes = await store_all(client, await listed(client), bucket.store("no-such-bucket"), concurrency=2)
    assert len(outcomes) == 12
    assert {type(outcome.error) for outcome in outcomes} == {ObjectStoreUnavailableError}
    assert "(NoSuchBucket); check the name of the bucket" in str(outcomes[0].error)
    assert len(github.requests_to("storage")) <= 3


@pytest.mark.sample
async def test_refused(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """A server that is not there is one line too, and nothing is fetched."""
    fill(github, 5)
    store = bucket.store(endpoint="http://127.0.0.1:1", retry_config={"max_retries": 0})
    outcomes = await store_all(client, await listed(client), store)
    assert {type(outcome.error) for outcome in outcomes} == {ObjectStoreUnavailableError}
    assert "check the endpoint" in str(outcomes[0].error)
    assert not github.requests_to("storage")


async def test_lost_in_mid_upload(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """A server that goes away in mid-upload is an error; what is open then no client could abort."""
    it = add(github, size=LARGE)
    async with ChaosProxy(bucket.url) as proxy:
        store = bucket.store(endpoint=proxy.url, retry_config={"max_retries": 0})
        proxy.pass_by(2)  # the question and the beginning
        proxy.cut(MIB, times=None, direction="up")
        with pytest.raises(ObjectStoreError, match=r"^cannot store 'ci/docs.zip' in the object store: ") as caught:
            await client.store(await get(client, it), store, KEY)
        assert "\n" not in str(caught.value)
    assert bucket.keys() == set()
    bucket.empty()


POINTS = [0, 1, MIB, 9 * MIB, 17 * MIB, LARGE - 1]


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("at", mostly_slow(POINTS))
async def test_cancelled(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket, at: int, twice: bool) -> None:  # noqa: FBT001
    """A cancellation at any point leaves no object and no open upload once the call has ended."""
    it = add(github, size=LARGE)
    github.faults.stall(it, at=at)
    task = asyncio.create_task(client.store(await get(client, it), bucket.store(), KEY))
    while github.bytes_sent(it) < at or not github.requests_to("storage"):
        await asyncio.sleep(0.01)
    await asyncio.sleep(random.random() / 5)  # noqa: S311  somewhere in the middle of a part
    for _ in range(1 + twice):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (bucket.keys(), bucket.uploads()) == (set(), [])


async def test_cancelled_at_random(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """Whenever a call is cancelled, the object is whole or not there, and no upload is open."""
    it = add(github, size=LARGE)
    artifact, store, whole = await get(client, it), bucket.store(), 0
    for delay in (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.8):
        task = asyncio.create_task(client.store(artifact, store, KEY, if_exists="replace"))
        await asyncio.sleep(delay)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert bucket.uploads() == []
        if bucket.keys():
            whole += 1
            assert content(bucket, KEY) == github.content(it)
            bucket.empty()
    assert whole < 8


async def test_left_in_the_middle(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """Leaving the block of a bulk call aborts every upload that is under way."""
    ids = fill(github, 4, size=LARGE)
    for it in ids[1:]:
        github.faults.stall(it, at=20 * MIB)
    async with client.store_many(await listed(client), bucket.store()) as outcomes:
        async for outcome in outcomes:
            assert outcome.artifact.id == ids[0]
            while sum(github.bytes_sent(it) >= 20 * MIB for it in ids[1:]) < 3:
                await asyncio.sleep(0.01)
            break
    assert len(bucket.keys()) == 1


@pytest.mark.sample
async def test_a_hundred_with_faults(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket) -> None:
    """A hundred artifacts, of GitHub's storage and of the bucket with faults, are all there in the end."""
    ids = fill(github, 100)
    for number, it in enumerate(ids):
        if number % 4 == 0:
            github.faults.cut(it, at=5_000 + number)
        elif number % 4 == 1:
            github.faults.status(it, 503)
    async with ChaosProxy(bucket.url) as proxy:
        proxy.at_random(0.1, seed=7)
        store = bucket.store(endpoint=proxy.url, retry_config={"max_retries": 8})
        raise_for_failures(await store_all(client, client.list_artifacts(REPO), store))
        again = await store_all(client, client.list_artifacts(REPO), store)
    assert all(outcome.unwrap().skipped for outcome in again)
    assert len(bucket.keys()) == 100
    for outcome in again:
        assert content(bucket, outcome.unwrap().key) == github.content(outcome.artifact.id)


@pytest.mark.parametrize("number", mostly_slow(range(4)))
async def test_killed(github: FakeGitHub, bucket: Bucket, tmp_path: Path, number: int) -> None:
    """After kill -9 in mid-upload every object is whole; run again, what is there is skipped and the rest is stored."""
    run = github.add_run(REPO)
    sizes = [LARGE, LARGE, 20_000, 2 * MIB, 16 * MIB]
    ids = [github.add_artifact(run, f"docs-{at}", size=size) for at, size in enumerate(sizes)]

    async def program() -> asyncio.subprocess.Process:
        arguments = ("-m", "tests.kits.store_program", github.base_url, bucket.url, *map(str, ids))
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, env=environment(tmp_path), stdout=pipe, stderr=pipe
        )

    first = await program()
    while github.bytes_sent(ids[0]) < (8 + 8 * number) * MIB:
        await asyncio.sleep(0.01)
    first.kill()
    await first.communicate()
    done = bucket.keys()
    for at, it in enumerate(ids):
        if f"docs-{at}.zip" in done:
            assert content(bucket, f"docs-{at}.zip") == github.content(it)
    second = await program()
    out, err = await second.communicate()
    assert second.returncode == 0, err.decode()
    skipped = {line.split()[0] for line in out.decode().splitlines() if line.endswith("skipped")}
    assert skipped >= done
    for at, it in enumerate(ids):
        assert content(bucket, f"docs-{at}.zip") == github.content(it)
    assert set(bucket.uploads()) <= {"docs-0.zip", "docs-1.zip"}, "only those in parts can be open"
    bucket.empty()


async def test_secrets(github: FakeGitHub, client: ArtifactsClient, bucket: Bucket, caplog: Any) -> None:
    """No token, no signature and no credential is in an attribute, an error or the log."""
    caplog.set_level(logging.DEBUG, "gh_artifacts_async")
    artifact = await get(client, add(github, size=1_000))
    await client.store(artifact, bucket.store(), KEY)
    with pytest.raises(ObjectStoreError) as caught:
        await client.store(artifact, bucket.store("no-such-bucket", token="c4n4ry-t0ken"), KEY)
    told = str(bucket.s3.head_object(Bucket=BUCKET, Key=KEY)) + caplog.text + repr(caught.value)
    signatures = [it.query["sig"] for it in github.requests_to("storage") if "sig" in (it.query or {})]
    for secret in ("c4n4ry", "Bearer", *signatures):
        assert secret not in told
    assert ArtifactRef(REPO, artifact.id)
