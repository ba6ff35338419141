"""Artifacts in a container of Azurite, Microsoft's own emulator of Azure's blob storage, by obstore."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    DestinationExistsError,
    DigestMismatchError,
    ObjectStoreUnavailableError,
    RetryPolicy,
    raise_for_failures,
)
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.azurite import ACCOUNT, CONTAINER, KEY
from tests.kits.objectstores import content, facts, keys, said, sockets_closed, start_threads, store_all
from tests.kits.transfer import add, fill, get, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from obstore.store import AzureStore

    from tests.kits.azurite import Azurite

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("azurite")]

MIB = 2**20
LARGE = 40 * MIB
SIZES = pytest.mark.parametrize("size", [20_000, LARGE])


@pytest.fixture(autouse=True)
def sockets() -> Generator[None]:
    """Give obstore's threads time to close what a test has opened."""
    with sockets_closed():
        yield


@pytest.fixture(scope="module", autouse=True)
def threads() -> None:
    """Start obstore's threads before any test counts descriptors."""
    start_threads()


def container(azurite: Azurite, name: str = CONTAINER, **options: Any) -> AzureStore:
    """Return a store of a container; its connections are not kept."""
    import obstore.store

    given = {
        "account_name": ACCOUNT,
        "account_key": KEY,
        "endpoint": f"{azurite.url}/{ACCOUNT}",
        "client_options": {"allow_http": True, "pool_max_idle_per_host": "0"},
        "retry_config": {"max_retries": 1},
        **options,
    }
    kept = {name: value for name, value in given.items() if value is not None}
    made: AzureStore = obstore.store.AzureStore(name, **kept)
    return made


@pytest.fixture
def store(azurite: Azurite, request: pytest.FixtureRequest) -> AzureStore:
    """A store of the container, below a prefix of the test's own."""
    return container(azurite, prefix=re.sub(r"\W+", "-", request.node.name))


@pytest.fixture
async def github() -> AsyncGenerator[FakeGitHub]:
    """Run an API."""
    async with FakeGitHub() as fake:
        yield fake


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """Run a client that tries again at once."""
    retry = RetryPolicy(wait_initial=0.001, wait_max=0.01)
    async with ArtifactsClient("token", base_url=github.base_url, retry=retry) as its_client:
        yield its_client


@SIZES
async def test_object(github: FakeGitHub, client: ArtifactsClient, store: AzureStore, size: int) -> None:
    """The blob has the bytes and says what it is, in names that Azure takes; the next run skips it."""
    artifact = await get(client, add(github, size=size))
    await client.store(artifact, store, "docs.zip")
    assert content(store, "docs.zip") == github.content(artifact.id)
    assert facts(store, "docs.zip") == {**said(artifact), "Content-Type": "application/zip"}
    github.forget_requests()
    assert (await client.store(artifact, store, "docs.zip")).skipped
    assert not github.requests


async def test_replaced(github: FakeGitHub, client: ArtifactsClient, store: AzureStore) -> None:
    """Another artifact's blob stays, unless it is to be replaced."""
    old, new = [await get(client, add(github, size=30_000, seed=seed)) for seed in (1, 2)]
    await client.store(old, store, "docs.zip")
    with pytest.raises(DestinationExistsError):
        await client.store(new, store, "docs.zip")
    await client.store(new, store, "docs.zip", if_exists="replace")
    assert facts(store, "docs.zip")["artifactid"] == str(new.id)


@SIZES
async def test_wrong_digest(github: FakeGitHub, client: ArtifactsClient, store: AzureStore, size: int) -> None:
    """Wrong bytes leave no blob."""
    it = add(github, size=size)
    github.faults.corrupt(it, at=size - 1, times=None)
    with pytest.raises(DigestMismatchError):
        await client.store(await get(client, it), store, "docs.zip")
    assert keys(store) == set()


async def test_interrupted(github: FakeGitHub, client: ArtifactsClient, store: AzureStore) -> None:
    """A cut and an expired URL in mid-upload are resumed, and the blob is right."""
    it = add(github, size=LARGE)
    github.faults.cut(it, at=LARGE // 2)
    github.faults.expire_url(it)
    await client.store(await get(client, it), store, "docs.zip")
    assert content(store, "docs.zip") == github.content(it)


@pytest.mark.parametrize("at", [MIB, 17 * MIB, LARGE - 1])
async def test_cancelled(github: FakeGitHub, client: ArtifactsClient, store: AzureStore, at: int) -> None:
    """A cancellation in mid-upload leaves no blob, and the next run is not disturbed by what Azure still holds."""
    it = add(github, size=LARGE)
    github.faults.stall(it, at=at)
    task = asyncio.create_task(client.store(await get(client, it), store, "docs.zip"))
    while github.bytes_sent(it) < at:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert keys(store) == set()
    await client.store(await get(client, it), store, "docs.zip")
    assert content(store, "docs.zip") == github.content(it)


async def test_many(github: FakeGitHub, client: ArtifactsClient, store: AzureStore) -> None:
    """A bulk call, and again."""
    ids = fill(github, 20)
    raise_for_failures(await store_all(client, await listed(client), store))
    again = await store_all(client, await listed(client), store, layout="id")
    assert all(outcome.unwrap().skipped for outcome in again)
    assert keys(store) == {f"docs-{number}-{it}.zip" for number, it in enumerate(ids)}


@pytest.mark.parametrize("why", ["container", "credentials", "signature"])
async def test_refused(github: FakeGitHub, client: ArtifactsClient, azurite: Azurite, why: str) -> None:
    """What Azure refuses is said in one line, which shows no signature, and ends a bulk call."""
    fill(github, 10)
    wrong = {
        "container": container(azurite, "no-such-container"),
        "credentials": container(azurite, account_key="YzRuNHJ5LXdyb25nLWtleQ=="),
        "signature": container(
            azurite, account_key=None, sas_key="sv=2024-11-04&ss=b&srt=sco&sp=rwc&se=2030-01-01&sig=c4n4ry%3D"
        ),
    }[why]
    outcomes = await store_all(client, await listed(client), wrong, concurrency=2)
    assert len(outcomes) == 10
    assert {type(outcome.error) for outcome in outcomes} == {ObjectStoreUnavailableError}
    text = str(outcomes[0].error)
    assert "\n" not in text
    assert "c4n4ry" not in text
    assert "?" not in text
    assert len(github.requests_to("storage")) <= 2
