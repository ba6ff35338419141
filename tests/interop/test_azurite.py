"""Azurite, Microsoft's own emulator of Azure's blob storage, as the storage behind the API."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import attrs
import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    RetryPolicy,
    StorageError,
    Timeouts,
    UnsafeRedirectError,
    raise_for_failures,
)
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from gh_artifacts_async.testing.certificates import server_context
from tests.kits.azurite import Azurite
from tests.kits.interop import REPO
from tests.kits.transfer import ONE_TRY, break_off, fetch_all, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("azurite")]

SIZE = 2_000_000
LARGE = 200_000_000
ARCHIVE = random_zip(SIZE)
FILES = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
SOON, LATE = 2, 3.5
"""Seconds: a URL that is good for the one has expired after the other."""
HASTE = RetryPolicy(attempts=4, wait_initial=0.01)
SCHEMES = pytest.mark.parametrize("scene", ["http", "https"], indirect=True)


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

    def client(self, **settings: Any) -> ArtifactsClient:
        """Return a client, which trusts Azurite's certificate."""
        return ArtifactsClient("token", base_url=self.github.base_url, ca_file=self.azurite.authority, **settings)

    async def add(self, archive: bytes = ARCHIVE) -> int:
        """Store an archive, and let the API list it."""
        await self.azurite.put({self.name: archive})
        return self.github.add_artifact(self.github.add_run(REPO), self.name, archive=archive)

    def sign(self, artifact_id: int, seconds: float = 600, times: int | None = None, **shown: str) -> str:
        """Let the API redirect to Azurite."""
        return self.redirect(artifact_id, self.azurite.sign(self.name, seconds, **shown), times)

    def redirect(self, artifact_id: int, path: str, times: int | None = None) -> str:
        """Let the API redirect to this path and query."""
        url = self.proxy.url + path
        self.github.faults.redirect(artifact_id, url, times, where="api")
        return url

    async def leave_part(self, artifact_id: int, folder: Path) -> Path:
        """Let a client that does not try again lose its connection, so that it leaves a part."""
        self.proxy.cut(SIZE // 2)
        return await break_off(self.client(retry=ONE_TRY), artifact_id, folder)

    async def answers(self, count: int) -> list[int]:
        """Return the status of each answer of Azurite about this blob."""
        return await self.azurite.answers(self.name, count)


@pytest.fixture
async def scene(request: pytest.FixtureRequest) -> AsyncGenerator[Scene]:
    """Run an API, and a proxy before Azurite; the blob is named after the test."""
    tls = getattr(request, "param", "http") == "https"
    azurite: Azurite = request.getfixturevalue("azurite_tls" if tls else "azurite")
    name = re.sub(r"\W+", "-", request.node.name)
    async with FakeGitHub() as github, ChaosProxy(azurite.url) as proxy:
        yield Scene(azurite, github, proxy, name)


@pytest.fixture
async def client(scene: Scene) -> AsyncGenerator[ArtifactsClient]:
    """Run a client."""
    async with scene.client(retry=HASTE) as its_client:
        yield its_client


@SCHEMES
async def test_download(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A download is one request, its bytes are those of the digest, and the type is the one that was signed."""
    artifact_id = await scene.add()
    scene.sign(artifact_id)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.size, result.content_type) == ("digest", SIZE, "application/zip")
    assert result.path.read_bytes() == ARCHIVE
    assert await scene.answers(1) == [200]


@SCHEMES
async def test_a_cut_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """After a connection that was lost the rest is asked for, and no byte twice but those that were under way."""
    artifact_id = await scene.add()
    scene.sign(artifact_id)
    scene.proxy.cut(SIZE // 2)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.answers(2))[-1] == 206
    assert sum(connection.down for connection in scene.proxy.connections) < 1.5 * SIZE


@SCHEMES
async def test_a_part_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """What another client left is taken over, under If-Match, which Azurite accepts."""
    artifact_id = await scene.add()
    scene.sign(artifact_id)
    size = (await scene.leave_part(artifact_id, tmp_path)).stat().st_size
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", size)
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.answers(2))[-1] == 206


async def test_another_blob_is_not_spliced(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A blob that was overwritten meanwhile has another ETag: Azurite answers 412, and the download begins anew."""
    artifact_id = await scene.add()
    await scene.azurite.put({scene.name: random_zip(SIZE, seed=2)})
    scene.sign(artifact_id)
    await scene.leave_part(artifact_id, tmp_path)
    await scene.azurite.put({scene.name: ARCHIVE})
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.answers(3))[-2:] == [412, 200]


@SCHEMES
async def test_an_expired_url_is_signed_again(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Azurite refuses a SAS that has ended with 403; the client asks the API for another one."""
    artifact_id = await scene.add()
    scene.sign(artifact_id, seconds=-60, times=1)
    scene.sign(artifact_id, times=1)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert await scene.answers(2) == [403, 200]
    assert not scene.github.faults.pending


async def test_a_url_has_expired_when_a_download_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """The refusal costs no byte: the next URL brings the rest."""
    artifact_id = await scene.add()
    scene.sign(artifact_id, times=1)
    scene.sign(artifact_id, seconds=-60, times=1)
    scene.sign(artifact_id, times=1)
    scene.proxy.cut(SIZE // 2)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert await scene.answers(3) == [200, 403, 206]
    assert sum(connection.down for connection in scene.proxy.connections) < 1.5 * SIZE


async def test_a_url_expires_during_the_body(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Azurite looks at the time once, when it is asked: a body that has begun arrives whole, in one request."""
    artifact_id = await scene.add()
    url = scene.sign(artifact_id, seconds=SOON)
    scene.proxy.stall(SIZE // 2, seconds=LATE)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert await scene.answers(1) == [200]
    async with aiohttp.ClientSession() as session, session.get(url) as late:
        assert late.status == 403


async def test_a_url_expires_under_several_connections(scene: Scene, tmp_path: Path):
    """Connections that fall silent are opened again; by then their URL has expired, and they get another one."""
    archive = random_zip(24_000_000)
    artifact_id = await scene.add(archive)
    scene.sign(artifact_id, seconds=SOON, times=1)
    scene.sign(artifact_id)
    scene.proxy.stall(1_000_000, times=4, seconds=30)
    async with scene.client(retry=HASTE, timeouts=Timeouts(read=LATE)) as client:
        result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path, connections=4)
    assert result.verified == "digest"
    assert result.path.read_bytes() == archive
    assert (await scene.answers(8)).count(206) >= 7
    signings = [request for request in scene.github.requests_to("api") if request.path.endswith("/zip")]
    assert 2 <= len(signings) <= 4


async def test_members_after_the_url_has_expired(scene: Scene, client: ArtifactsClient):
    """An archive that stays open outlives its URL."""
    archive = make_zip(FILES)
    artifact_id = await scene.add(archive)
    scene.sign(artifact_id, seconds=SOON, times=1)
    scene.sign(artifact_id, times=1)
    async with client.open_archive(await client.get_artifact(REPO, artifact_id)) as opened:
        assert await opened.read("1.bin") == FILES["1.bin"]
        await asyncio.sleep(LATE)  # for real: it is Azurite that looks at its clock
        assert await opened.read("2.bin") == FILES["2.bin"]
    assert set(await scene.answers(3)) <= {206, 403}
    assert not scene.github.faults.pending


def tampered(path: str) -> str:
    """Return a URL with another signature."""
    return re.sub(r"(?<=[?&]sig=).", lambda first: "b" if first[0] == "a" else "a", path)


@pytest.mark.parametrize(("scene", "how"), [("http", "tampered"), ("https", "expired")], indirect=["scene"])
async def test_a_refusal_that_stays(scene: Scene, client: ArtifactsClient, tmp_path: Path, how: str):
    """A signature that is never accepted is one clear error, after as many URLs as the policy allows."""
    artifact_id = await scene.add()
    good = scene.azurite.sign(scene.name)
    path = tampered(good) if how == "tampered" else scene.azurite.sign(scene.name, -60)
    assert path != good
    scene.redirect(artifact_id, path)
    with pytest.raises(StorageError) as caught:
        await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (caught.value.status, caught.value.code) == (403, "AuthorizationFailure")
    assert "storage refused the signed URL (403 AuthorizationFailure)" in str(caught.value)
    assert "sig" not in str(caught.value).replace("signed", "")
    assert await scene.answers(HASTE.attempts) == [403] * HASTE.attempts
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("container", "code"), [("artifacts", "BlobNotFound"), ("no-such", "ContainerNotFound")])
async def test_what_is_gone(scene: Scene, client: ArtifactsClient, tmp_path: Path, container: str, code: str):
    """A blob that was deleted, or its container, is an error at once: no other URL would help."""
    artifact_id = await scene.add()
    await scene.azurite.delete(scene.name)
    scene.redirect(artifact_id, scene.azurite.sign(scene.name, container=container))
    artifact = await client.get_artifact(REPO, artifact_id)
    with pytest.raises(StorageError, match="the artifact is not there") as caught:
        await client.download(artifact, tmp_path)
    assert (caught.value.status, caught.value.code) == (404, code)
    with pytest.raises(StorageError, match=code):
        await client.read_member(artifact, "random.bin")
    assert len(scene.proxy.connections) <= 2
    assert list(tmp_path.iterdir()) == []


@SCHEMES
async def test_one_member_by_ranges(scene: Scene, client: ArtifactsClient):
    """One file out of an archive takes two ranges: the archive's end, and the member."""
    archive = make_zip(FILES)
    artifact_id = await scene.add(archive)
    scene.sign(artifact_id)
    artifact = await client.get_artifact(REPO, artifact_id)
    assert await client.read_member(artifact, "1.bin") == FILES["1.bin"]
    assert await scene.answers(2) == [206, 206]
    assert sum(connection.down for connection in scene.proxy.connections) < len(archive) / 2


async def test_members_to_files(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Members are listed and extracted by absolute ranges alone: Azurite answers 500 to those from the end."""
    artifact_id = await scene.add(make_zip(FILES))
    scene.sign(artifact_id)
    async with client.open_archive(await client.get_artifact(REPO, artifact_id)) as archive:
        assert [member.name for member in archive.members] == list(FILES)
        assert archive.ranged
        await archive.extract(["0.bin", "3.bin"], tmp_path / "some")
    assert {path.name: path.read_bytes() for path in (tmp_path / "some").iterdir()} == {
        name: FILES[name] for name in ("0.bin", "3.bin")
    }
    assert set(await scene.answers(2)) == {206}


@SCHEMES
async def test_stream(scene: Scene, client: ArtifactsClient):
    """A stream that loses its connection goes on where it was."""
    artifact_id = await scene.add()
    scene.sign(artifact_id)
    scene.proxy.cut(SIZE // 2)
    async with client.open_stream(await client.get_artifact(REPO, artifact_id)) as stream:
        assert (stream.size, stream.content_type) == (SIZE, "application/zip")
        received = b"".join([chunk async for chunk in stream])
    assert received == ARCHIVE
    assert (await scene.answers(2))[-1] == 206


async def test_a_complete_part_is_not_asked_for(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A part that lacks nothing is verified as it is; Azurite would answer 206 with no byte and a wrong range."""
    artifact_id = await scene.add()
    url = scene.sign(artifact_id)
    part = await scene.leave_part(artifact_id, tmp_path)
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Range": f"bytes={SIZE}-"}) as response,
    ):
        assert (response.status, await response.read()) == (206, b"")
    part.write_bytes(ARCHIVE)
    before = len(await scene.answers(2))
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", SIZE)
    await asyncio.sleep(0.1)
    assert len(await scene.answers(before)) == before


@pytest.mark.parametrize(
    "filename",
    [
        "report.pdf",
        "Grüße & Küsse.txt",
        "semi;colon, comma.txt",
        'double"quote.txt',
        "100%25+1.txt",
        "emoji \N{PARTY POPPER}.log",
    ],
)
async def test_a_file_that_is_no_zip(scene: Scene, client: ArtifactsClient, tmp_path: Path, filename: str):
    """Its name comes signed in the URL, survives Azurite, and is the one on disk; its bytes stay as they are."""
    content = b"%PDF-1.7 " + ARCHIVE[:1000]
    await scene.azurite.put({scene.name: content}, "text/plain")
    artifact_id = scene.github.add_artifact(scene.github.add_run(REPO), scene.name, raw=(filename, content))
    plain = re.sub(r'[^ -~]|[\\"]', "_", filename)
    shown = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
    scene.sign(artifact_id, content_disposition=shown, content_type="application/octet-stream")
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path, extract=True)
    assert (result.verified, result.path.name, result.members) == ("digest", filename.replace('"', "_"), None)
    assert result.path.read_bytes() == content


@SCHEMES
async def test_a_large_artifact(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """200 MB arrive whole over one connection, and over eight."""
    artifact_id = await scene.add(random_zip(LARGE))
    url = scene.azurite.url + scene.azurite.sign(scene.name)
    scene.github.faults.redirect(artifact_id, url, None, where="api")
    artifact = await client.get_artifact(REPO, artifact_id)
    for connections in (1, 8):
        result = await client.download(artifact, tmp_path, connections=connections, if_exists="replace")
        assert (result.verified, result.size) == ("digest", LARGE)
        result.path.unlink()
    await scene.azurite.delete(scene.name)
    answers = await scene.answers(1)
    assert answers[:2] in ([200, 206], [200, 200]), answers
    assert answers.count(206) >= 7, answers


@pytest.mark.parametrize("tls", [True, False])
async def test_an_api_over_tls(request: pytest.FixtureRequest, tmp_path: Path, *, tls: bool):
    """Over TLS as on github.com, each host with an authority of its own; a URL without it is refused unasked."""
    azurite: Azurite = request.getfixturevalue("azurite_tls" if tls else "azurite")
    name = f"over-tls-{tls}".lower()
    await azurite.put({name: ARCHIVE})
    context, trusted = server_context("127.0.0.1", tmp_path / "api.pem"), tmp_path / "trusted.pem"
    authorities = [tmp_path / "api.pem", *([azurite.authority] if azurite.authority else [])]
    trusted.write_bytes(b"".join(path.read_bytes() for path in authorities))
    async with (
        FakeGitHub(ssl_context=context) as github,
        ArtifactsClient("token", base_url=github.base_url, ca_file=trusted) as client,
    ):
        artifact_id = github.add_artifact(github.add_run(REPO), name, archive=ARCHIVE)
        github.faults.redirect(artifact_id, azurite.url + azurite.sign(name), None, where="api")
        artifact = await client.get_artifact(REPO, artifact_id)
        if tls:
            result = await client.download(artifact, tmp_path / "found")
            assert (result.verified, result.path.read_bytes()) == ("digest", ARCHIVE)
        else:
            with pytest.raises(UnsafeRedirectError, match="http"):
                await client.download(artifact, tmp_path / "found")
    assert await azurite.answers(name, int(tls)) == [200] * tls


async def test_a_hundred_at_once(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Each URL is signed for its blob, and each file has its bytes."""
    blobs = {f"{scene.name}-{number}": random_zip(20_000, number) for number in range(100)}
    await scene.azurite.put(blobs)
    run = scene.github.add_run(REPO)
    for name, archive in blobs.items():
        artifact_id = scene.github.add_artifact(run, name, archive=archive)
        scene.redirect(artifact_id, scene.azurite.sign(name))
    outcomes = await fetch_all(client, await listed(client), tmp_path, concurrency=16, layout="name")
    raise_for_failures(outcomes)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.zip")} == {
        f"{name}.zip": archive for name, archive in blobs.items()
    }
