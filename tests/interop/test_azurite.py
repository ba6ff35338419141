"""Azurite, Microsoft's own emulator of Azure's blob storage, as the storage behind the API."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import aiohttp
import attrs
import pytest

from gh_artifacts_async import ArtifactsClient, ArtifactsError, RetryPolicy
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.interop import REPO, program, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("azurite")]

ACCOUNT = "devstoreaccount1"
# Every emulator's account has this key, and Microsoft's documentation prints it.
KEY = base64.b64decode("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
CONTAINER = "artifacts"
VERSION = "2024-11-04"
SIZE = 2_000_000
ARCHIVE = random_zip(SIZE)


def _signature(fields: list[str]) -> str:
    return base64.b64encode(hmac.new(KEY, "\n".join(fields).encode(), hashlib.sha256).digest()).decode()


def _time(seconds: float) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def account_query() -> str:
    """Return the query of an account SAS, which may make containers and blobs."""
    end = _time(600)
    signature = _signature([ACCOUNT, "rwc", "b", "sco", "", end, "", "http", VERSION, "", ""])
    fields = {"sv": VERSION, "ss": "b", "srt": "sco", "sp": "rwc", "se": end, "spr": "http", "sig": signature}
    return urlencode(fields)


def blob_query(name: str, seconds: float = 600) -> str:
    """Return the query of a service SAS as GitHub's URLs have it: one blob, to be read, under a name of its own."""
    start, end, shown = _time(min(0, seconds) - 5), _time(seconds), f'attachment; filename="{name}.zip"'
    resource = f"/blob/{ACCOUNT}/{CONTAINER}/{name}"
    signed = ["r", start, end, resource, "", "", "http", VERSION, "b", "", "", "", shown, "", "", "application/zip"]
    fields = {
        "se": end,
        "rscd": shown,
        "rsct": "application/zip",
        "sig": _signature(signed),
        "sp": "r",
        "spr": "http",
        "sr": "b",
        "st": start,
        "sv": VERSION,
    }
    return urlencode(fields, quote_via=quote)


@attrs.frozen
class Azurite:
    """An Azurite that runs.

    Attributes:
        url: its origin.
        output: what it prints: a line for each request.
    """

    url: str
    output: Path

    async def put(self, name: str, content: bytes) -> None:
        """Store a blob, over what was there."""
        root = f"{self.url}/{ACCOUNT}/{CONTAINER}"
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{root}?restype=container&{account_query()}") as response:
                assert response.status in {201, 409}, await response.text()
            headers = {"x-ms-blob-type": "BlockBlob"}
            async with session.put(
                f"{root}/{name}?{account_query()}", data=io.BytesIO(content), headers=headers
            ) as response:
                assert response.status == 201, await response.text()

    async def answers(self, name: str, count: int) -> list[int]:
        """Return the status of each answer to a GET of a blob, as its own log has them, once there are ``count``."""
        line = re.compile(rf'"GET /{ACCOUNT}/{CONTAINER}/{name}\?\S* HTTP/1.1" (\d+)')
        found: list[int] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while len(found) < count:
                    await asyncio.sleep(0.02)
                    found = [int(status) for status in line.findall(self.output.read_text())]
        return found


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Generator[Azurite]:
    """Run Azurite, at a port of its choice and with nothing on disk."""
    folder = tmp_path_factory.mktemp("azurite")
    output = folder / "output"
    command = [program("azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]

    def listening() -> re.Match[str] | None:
        return re.search(r"listens on (http://127\.0\.0\.1:\d+)\n", output.read_text())

    with running(command, folder, output, lambda: listening() is not None):
        found = listening()
        assert found is not None
        yield Azurite(found[1], output)


@attrs.frozen
class Scene:
    """One artifact: GitHub's API is the fake's, its bytes are in Azurite.

    Attributes:
        azurite: its storage.
        github: its API.
        proxy: what stands before Azurite.
        name: of the artifact, and of the blob.
    """

    azurite: Azurite
    github: FakeGitHub
    proxy: ChaosProxy
    name: str

    async def add(self, archive: bytes) -> int:
        """Store an archive, and let the API list it."""
        await self.azurite.put(self.name, archive)
        return self.github.add_artifact(self.github.add_run(REPO), self.name, archive=archive)

    def sign(self, artifact_id: int, seconds: float = 600, times: int | None = None) -> str:
        """Let the API redirect to Azurite."""
        url = f"{self.proxy.url}/{ACCOUNT}/{CONTAINER}/{self.name}?{blob_query(self.name, seconds)}"
        self.github.faults.redirect(artifact_id, url, times, where="api")
        return url

    async def leave_part(self, artifact_id: int, folder: Path) -> Path:
        """Let a client that does not try again lose its connection, so that it leaves a part."""
        self.proxy.cut(SIZE // 2)
        async with ArtifactsClient("token", base_url=self.github.base_url, retry=RetryPolicy(attempts=1)) as client:
            artifact = await client.get_artifact(REPO, artifact_id)
            with pytest.raises(ArtifactsError):
                await client.download(artifact, folder)
        (part,) = folder.glob(".*.part")
        assert 0 < part.stat().st_size < SIZE
        return part


@pytest.fixture
async def scene(azurite: Azurite, request: pytest.FixtureRequest) -> AsyncGenerator[Scene]:
    """Run an API, and a proxy before Azurite; the blob is named after the test."""
    async with FakeGitHub() as github, ChaosProxy(azurite.url) as proxy:
        yield Scene(azurite, github, proxy, request.function.__name__)


@pytest.fixture
async def client(scene: Scene) -> AsyncGenerator[ArtifactsClient]:
    """Run a client."""
    async with ArtifactsClient("token", base_url=scene.github.base_url) as its_client:
        yield its_client


async def test_download(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A download is one request, its bytes are those of the digest, and the type is the one that was signed."""
    artifact_id = await scene.add(ARCHIVE)
    scene.sign(artifact_id)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.size, result.content_type) == ("digest", SIZE, "application/zip")
    assert result.path.read_bytes() == ARCHIVE
    assert await scene.azurite.answers(scene.name, 1) == [200]


async def test_a_cut_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """After a connection that was lost the rest is asked for, and no byte twice but those that were under way."""
    artifact_id = await scene.add(ARCHIVE)
    scene.sign(artifact_id)
    scene.proxy.cut(SIZE // 2)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.azurite.answers(scene.name, 2))[-1] == 206
    assert sum(connection.down for connection in scene.proxy.connections) < 1.5 * SIZE


async def test_a_part_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """What another client left is taken over, under If-Match, which Azurite accepts."""
    artifact_id = await scene.add(ARCHIVE)
    scene.sign(artifact_id)
    size = (await scene.leave_part(artifact_id, tmp_path)).stat().st_size
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", size)
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.azurite.answers(scene.name, 2))[-1] == 206


async def test_another_blob_is_not_spliced(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A blob that was overwritten meanwhile has another ETag: Azurite answers 412, and the download begins anew."""
    artifact_id = await scene.add(ARCHIVE)
    await scene.azurite.put(scene.name, random_zip(SIZE, seed=2))
    scene.sign(artifact_id)
    await scene.leave_part(artifact_id, tmp_path)
    await scene.azurite.put(scene.name, ARCHIVE)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.azurite.answers(scene.name, 3))[-2:] == [412, 200]


async def test_an_expired_url_is_signed_again(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Azurite refuses a SAS that has ended with 403; the client asks the API for another one."""
    artifact_id = await scene.add(ARCHIVE)
    scene.sign(artifact_id, seconds=-60, times=1)
    scene.sign(artifact_id, times=1)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert await scene.azurite.answers(scene.name, 2) == [403, 200]
    assert not scene.github.faults.pending


async def test_one_member_by_ranges(scene: Scene, client: ArtifactsClient):
    """One file out of an archive takes two ranges: the archive's end, and the member."""
    files = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
    archive = make_zip(files)
    artifact_id = await scene.add(archive)
    scene.sign(artifact_id)
    artifact = await client.get_artifact(REPO, artifact_id)
    assert await client.read_member(artifact, "1.bin") == files["1.bin"]
    assert await scene.azurite.answers(scene.name, 2) == [206, 206]
    assert sum(connection.down for connection in scene.proxy.connections) < len(archive) / 2


async def test_a_complete_part_is_not_asked_for(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A part that lacks nothing is verified as it is; Azurite would answer 206 with no byte and a wrong range."""
    artifact_id = await scene.add(ARCHIVE)
    url = scene.sign(artifact_id)
    part = await scene.leave_part(artifact_id, tmp_path)
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Range": f"bytes={SIZE}-"}) as response,
    ):
        assert (response.status, await response.read()) == (206, b"")
    part.write_bytes(ARCHIVE)
    before = len(await scene.azurite.answers(scene.name, 2))
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", SIZE)
    await asyncio.sleep(0.1)
    assert len(await scene.azurite.answers(scene.name, before)) == before
