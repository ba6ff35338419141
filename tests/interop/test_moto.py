"""S3 by moto, with URLs that Amazon's botocore signs, as the storage behind the API.

moto checks neither the signature nor the expiry of a URL; test_storage_answers.py says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import ArtifactsClient, StorageError, raise_for_failures
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.interop import REPO
from tests.kits.objectstores import BUCKET, Bucket
from tests.kits.transfer import ONE_TRY, break_off, fetch_all, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("moto")]

SIZE = 2_000_000
ARCHIVE = random_zip(SIZE)
FILES = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}


@attrs.frozen
class Scene:
    """One artifact: GitHub's API is the fake's, its bytes are in a bucket.

    Attributes:
        bucket: its storage.
        github: its API.
        proxy: what stands before the bucket.
        name: of the artifact, and of the object.
    """

    bucket: Bucket
    github: FakeGitHub
    proxy: ChaosProxy
    name: str

    def client(self, **settings: Any) -> ArtifactsClient:
        """Return a client."""
        return ArtifactsClient("token", base_url=self.github.base_url, **settings)

    def put(self, content: bytes, name: str = "") -> None:
        """Store an object, over what was there."""
        self.bucket.s3.put_object(Bucket=BUCKET, Key=name or self.name, Body=content, ContentType="application/zip")

    def add(self, content: bytes = ARCHIVE, name: str = "", **shown: str) -> int:
        """Store an artifact, and let the API redirect to it."""
        self.put(content, name)
        run = self.github.add_run(REPO)
        artifact_id = self.github.add_artifact(run, name or self.name, archive=content)
        url = self.bucket.sign(name or self.name, **shown).replace(self.bucket.url, self.proxy.url)
        self.github.faults.redirect(artifact_id, url, None, where="api")
        return artifact_id

    async def leave_part(self, artifact_id: int, folder: Path) -> Path:
        """Let a client that does not try again lose its connection, so that it leaves a part."""
        self.proxy.cut(SIZE // 2)
        return await break_off(self.client(retry=ONE_TRY), artifact_id, folder)

    async def answers(self, count: int) -> list[int]:
        """Return the status of each answer about this object."""
        return await self.bucket.answers(self.name, count)


@pytest.fixture
async def scene(bucket: Bucket, request: pytest.FixtureRequest) -> AsyncGenerator[Scene]:
    """Run an API, and a proxy before the bucket; the object is named after the test."""
    name = re.sub(r"\W+", "-", request.node.name)
    async with FakeGitHub() as github, ChaosProxy(bucket.url) as proxy:
        yield Scene(bucket, github, proxy, name)


@pytest.fixture
async def client(scene: Scene) -> AsyncGenerator[ArtifactsClient]:
    """Run a client."""
    async with scene.client() as its_client:
        yield its_client


async def test_download(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A download is one request, and the type is the one that was signed."""
    artifact_id = scene.add(ResponseContentType="application/x-zip-compressed")
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.size, result.content_type) == ("digest", SIZE, "application/x-zip-compressed")
    assert result.path.read_bytes() == ARCHIVE
    assert await scene.answers(1) == [200]


async def test_a_cut_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """After a connection that was lost the rest is asked for."""
    artifact_id = scene.add()
    scene.proxy.cut(SIZE // 2)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.path.read_bytes() == ARCHIVE
    assert await scene.answers(2) == [200, 206]
    assert sum(connection.down for connection in scene.proxy.connections) < 1.5 * SIZE


async def test_a_part_is_resumed(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """What another client left is taken over under If-Match, with S3's ETag."""
    artifact_id = scene.add()
    size = (await scene.leave_part(artifact_id, tmp_path)).stat().st_size
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", size)
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.answers(2))[-1] == 206


async def test_another_object_is_not_spliced(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """An object that was overwritten meanwhile is another one: 412, and the download begins anew."""
    artifact_id = scene.add()
    scene.put(random_zip(SIZE, seed=2))
    await scene.leave_part(artifact_id, tmp_path)
    scene.put(ARCHIVE)
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert (await scene.answers(3))[-2:] == [412, 200]


@pytest.mark.parametrize("more", [0, 1000])
async def test_a_part_that_has_all_or_more(scene: Scene, client: ArtifactsClient, tmp_path: Path, more: int):
    """S3's 416 would not say how long the object is; the part's own record does."""
    artifact_id = scene.add()
    part = await scene.leave_part(artifact_id, tmp_path)
    part.write_bytes(ARCHIVE + bytes(more))
    result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert len(await scene.answers(2 if more else 1)) == (2 if more else 1)


async def test_members(scene: Scene, client: ArtifactsClient):
    """One file out of an archive is read by ranges."""
    archive = make_zip(FILES)
    artifact = await client.get_artifact(REPO, scene.add(archive))
    async with client.open_archive(artifact) as opened:
        assert [member.name for member in opened.members] == list(FILES)
        assert await opened.read("1.bin") == FILES["1.bin"]
        assert opened.bytes_fetched < len(archive) / 2
    assert set(await scene.answers(2)) == {206}


async def test_members_of_an_object_that_is_shorter(scene: Scene, client: ArtifactsClient):
    """The listing says more bytes than there are: S3's 416 tells no size, and still the end is found."""
    archive = make_zip({"a.txt": b"hello"})
    scene.put(archive)
    artifact_id = scene.github.add_artifact(
        scene.github.add_run(REPO), scene.name, archive=archive, size_in_bytes=10_000_000, digest=None
    )
    scene.github.faults.redirect(artifact_id, scene.bucket.sign(scene.name), None, where="api")
    artifact = await client.get_artifact(REPO, artifact_id)
    assert await client.read_member(artifact, "a.txt") == b"hello"
    assert (await scene.answers(2))[0] == 416


async def test_stream(scene: Scene, client: ArtifactsClient):
    """A stream that loses its connection goes on where it was."""
    artifact_id = scene.add()
    scene.proxy.cut(SIZE // 2)
    async with client.open_stream(await client.get_artifact(REPO, artifact_id)) as stream:
        received = b"".join([chunk async for chunk in stream])
    assert received == ARCHIVE
    assert await scene.answers(2) == [200, 206]


async def test_no_such_key(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """An object that was deleted is an error at once, with S3's own code."""
    artifact_id = scene.add()
    scene.bucket.s3.delete_object(Bucket=BUCKET, Key=scene.name)
    with pytest.raises(StorageError, match=r"404 \(NoSuchKey\): the artifact is not there") as caught:
        await client.download(await client.get_artifact(REPO, artifact_id), tmp_path)
    assert (caught.value.status, caught.value.code) == (404, "NoSuchKey")
    assert "X-Amz" not in str(caught.value)
    assert await scene.answers(1) == [404]
    assert list(tmp_path.iterdir()) == []


async def test_many(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """Each URL is signed for its object, and each file has its bytes."""
    archives = {f"{scene.name}-{number}": random_zip(20_000, number) for number in range(20)}
    for name, archive in archives.items():
        scene.add(archive, name)
    raise_for_failures(await fetch_all(client, await listed(client), tmp_path, layout="name"))
    assert {path.stem: path.read_bytes() for path in tmp_path.glob("*.zip")} == archives
