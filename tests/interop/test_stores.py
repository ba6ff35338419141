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
from tests.kits.interop import program, running
from tests.kits.objectstores import content, facts, keys, said, sockets_closed, start_threads, store_all
from tests.kits.transfer import add, fill, get, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from obstore.store import AzureStore

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("azurite")]

ACCOUNT = "devstoreaccount1"
# Every emulator's account has this key, and Microsoft's documentation prints it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "artifacts"
MIB = 2**20
LARGE = 40 * MIB
SIZES = pytest.mark.parametrize("size", [20_000, LARGE])


@pytest.fixture(autouse=True)
def sockets() -> Generator[None]:
    """Give obstore's threads time to close what a test has opened."""
    with sockets_closed():
        yield


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Run Azurite with an empty container; its address."""
    blob = pytest.importorskip("azure.storage.blob")
    start_threads()
    folder = tmp_path_factory.mktemp("azurite")
    output: Path = folder / "output"
    command = [program("azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]

    def listening() -> re.Match[str] | None:
        return re.search(r"listens on (http://127\.0\.0\.1:\d+)\n", output.read_text())

    with running(command, folder, output, lambda: listening() is not None):
        found = listening()
        assert found is not None
        with blob.BlobServiceClient(f"{found[1]}/{ACCOUNT}", credential=KEY) as service:
            service.create_container(CONTAINER)
        yield found[1]


def container(azurite: str, name: str = CONTAINER, **options: Any) -> AzureStore:
    """Return a store of a container; its connections are not kept."""
    import obstore.store

    given = {
        "account_name": ACCOUNT,
        "account_key": KEY,
        "endpoint": f"{azurite}/{ACCOUNT}",
        "client_options": {"allow_http": True, "pool_max_idle_per_host": "0"},
        "retry_config": {"max_retries": 1},
        **options,
    }
    kept = {name: value for name, value in given.items() if value is not None}
    made: AzureStore = obstore.store.AzureStore(name, **kept)
    return made


@pytest.fixture
def store(azurite: str, request: pytest.FixtureRequest) -> AzureStore:
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
async def test_refused(github: FakeGitHub, client: ArtifactsClient, azurite: str, why: str) -> None:
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
