"""nginx as the storage: one that knows every range or none, that is slow, busy, strict, or packs what it sends."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactsError,
    CertificateError,
    ConnectionFailedError,
    RetryPolicy,
    SlowTransferError,
    StorageError,
    Timeouts,
    raise_for_failures,
)
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.interop import REPO
from tests.kits.nginx import Nginx, run_nginx, signed
from tests.kits.transfer import ONE_TRY, fetch_all, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("nginx")]

FILES = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
ARCHIVE = make_zip(FILES)
SIZE = len(ARCHIVE)
PATIENT = RetryPolicy(attempts=20, wait_initial=0.05, wait_max=0.5)
HASTY = Timeouts(min_rate=100_000, min_rate_window=1.0)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Generator[Nginx]:
    """Run nginx."""
    with run_nginx(tmp_path_factory.mktemp("nginx")) as it:
        yield it


@attrs.frozen
class Scene:
    """One artifact: GitHub's API is the fake's, its bytes are with nginx.

    Attributes:
        nginx: its storage.
        github: its API.
        proxy: what stands before nginx.
        artifact_id: its number.
    """

    nginx: Nginx
    github: FakeGitHub
    proxy: ChaosProxy
    artifact_id: int

    def client(self, **settings: Any) -> ArtifactsClient:
        """Return a client."""
        return ArtifactsClient("token", base_url=self.github.base_url, **settings)

    def serve(self, location: str, times: int | None = None) -> None:
        """Let the API redirect to one location of nginx."""
        self.redirect(f"{self.proxy.url}/{location}/docs", times)

    def redirect(self, url: str, times: int | None = None) -> None:
        """Let the API redirect to this URL."""
        self.github.faults.redirect(self.artifact_id, url, times, where="api")

    async def fetch(self, folder: Path, **settings: Any) -> bytes:
        """Download by a client with these settings; it must be verified."""
        async with self.client(**settings) as client:
            result = await client.download(await client.get_artifact(REPO, self.artifact_id), folder)
        assert result.verified == "digest"
        return result.path.read_bytes()

    async def leave_part(self, folder: Path) -> int:
        """Let a client that does not try again lose its connection; return the bytes that it leaves."""
        self.proxy.cut(SIZE // 2)
        with pytest.raises(ArtifactsError):
            await self.fetch(folder, retry=ONE_TRY)
        (part,) = folder.glob(".*.part")
        assert 0 < part.stat().st_size < SIZE
        return part.stat().st_size


@pytest.fixture
async def scene(nginx: Nginx) -> AsyncGenerator[Scene]:
    """Run an API, and a proxy before nginx; no request may have more than storage needs to know, nor two ranges."""
    nginx.put("docs", ARCHIVE)
    nginx.asked(), nginx.bare()
    async with FakeGitHub() as github, ChaosProxy(nginx.http) as proxy:
        yield Scene(nginx, github, proxy, github.add_artifact(github.add_run(REPO), "docs", archive=ARCHIVE))
    assert set(nginx.bare()) <= {"-|-|-|identity"}
    assert [line for line in nginx.asked() if not re.search(r" \d{3} (-|bytes=\d+-\d*)\|", line)] == []


LOCATIONS = ["plain", "none", "slow", "closed", "gzip", "chunked", "unsized"]


@pytest.mark.parametrize("location", LOCATIONS)
async def test_download(scene: Scene, tmp_path: Path, location: str):
    """A download is one bare request, whatever the server can do."""
    scene.serve(location)
    assert await scene.fetch(tmp_path) == ARCHIVE
    assert scene.nginx.asked() == [f"/{location}/docs 200 -|-"]


@pytest.mark.parametrize("location", ["plain", "slow", "closed", "gzip"])
async def test_resume(scene: Scene, tmp_path: Path, location: str):
    """What one client left another goes on with: from its last byte, under If-Match."""
    scene.serve(location)
    offset = await scene.leave_part(tmp_path)
    async with scene.client() as client:
        result = await client.download(await client.get_artifact(REPO, scene.artifact_id), tmp_path)
    assert (result.verified, result.resumed_from) == ("digest", offset)
    assert result.path.read_bytes() == ARCHIVE
    asked = scene.nginx.asked()[-1]
    assert asked.startswith(f"/{location}/docs 206 bytes={offset}-|\\x22"), asked


@pytest.mark.parametrize("location", ["none", "chunked", "unsized"])
async def test_a_cut_without_ranges(scene: Scene, tmp_path: Path, location: str):
    """Where there is no range or no ETag the download begins anew; that a body without a length was cut shows too."""
    scene.serve(location)
    scene.proxy.cut(SIZE // 2)
    assert await scene.fetch(tmp_path, retry=PATIENT) == ARCHIVE
    assert scene.nginx.asked()[-1].startswith(f"/{location}/docs 200 ")


@pytest.mark.parametrize("larger", [False, True])
async def test_another_file_is_not_spliced(scene: Scene, tmp_path: Path, *, larger: bool):
    """A file that was exchanged between two ranges has another ETag: nginx answers 412, and it all begins anew."""
    other = random_zip(SIZE + 1000 * larger, seed=9)
    path = scene.nginx.folder / "blobs" / "docs"
    path.write_bytes(other)
    os.utime(path, (1_000_000_000, 1_000_000_000))  # nginx's ETags are of the second and the size
    scene.serve("plain")
    await scene.leave_part(tmp_path)
    path.write_bytes(ARCHIVE)
    assert await scene.fetch(tmp_path) == ARCHIVE
    assert [line.split()[1] for line in scene.nginx.asked()][-2:] == ["412", "200"]


@pytest.mark.parametrize("ranged", [True, False])
async def test_open_archive(scene: Scene, *, ranged: bool):
    """Where there are no ranges the whole archive is fetched, once; the members are the same."""
    scene.serve("plain" if ranged else "none")
    async with (
        scene.client() as client,
        client.open_archive(await client.get_artifact(REPO, scene.artifact_id)) as archive,
    ):
        assert [member.name for member in archive.members] == list(FILES)
        assert await archive.read("2.bin") == FILES["2.bin"]
        assert archive.ranged is ranged
        assert (archive.bytes_fetched < SIZE / 2) is ranged
    assert {line.split()[1] for line in scene.nginx.asked()} == {"206" if ranged else "200"}


# --- URLs that are signed


async def test_a_signed_url(scene: Scene, tmp_path: Path):
    """It is accepted, and the token stays at home: with one, this nginx answers 400 as Azure does."""
    url = scene.proxy.url + signed("docs")
    scene.redirect(url)
    assert await scene.fetch(tmp_path) == ARCHIVE
    assert set(scene.nginx.bare()) == {"-|-|-|identity"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Authorization": "Bearer t0ken"}) as response,
    ):
        assert response.status == 400
    scene.nginx.bare()


@pytest.mark.parametrize(("bad", "status"), [("expired", "410"), ("tampered", "403"), ("unsigned", "403")])
async def test_a_refused_url(scene: Scene, tmp_path: Path, bad: str, status: str):
    """Another one is asked for, whether the server says 403 or, as nginx's manual has it, 410."""
    good = signed("docs")
    paths = {"expired": signed("docs", -60), "tampered": re.sub("md5=..", "md5=AA", good), "unsigned": "/signed/docs"}
    scene.redirect(scene.proxy.url + paths[bad], 1)
    scene.redirect(scene.proxy.url + good, 1)
    assert await scene.fetch(tmp_path) == ARCHIVE
    assert [line.split()[1] for line in scene.nginx.asked()] == [status, "200"]
    scene.github.faults.assert_used()


async def test_a_refusal_that_stays(scene: Scene, tmp_path: Path):
    """A URL that is always refused is an error after as many as the policy allows, and it shows no signature."""
    scene.redirect(scene.proxy.url + signed("docs", -60))
    with pytest.raises(StorageError, match=r"storage refused|web page") as caught:
        await scene.fetch(tmp_path, retry=RetryPolicy(attempts=3, wait_initial=0.01))
    assert caught.value.status == 410
    assert "md5" not in str(caught.value)
    assert [line.split()[1] for line in scene.nginx.asked()] == ["410"] * 3


# --- slow, busy, and gone


async def test_too_slow(scene: Scene, tmp_path: Path):
    """Below the minimum rate is an error that names both; what has arrived stays, and the next client goes on."""
    scene.serve("crawl")
    with pytest.raises(SlowTransferError, match=r"Timeouts\.min_rate is 100000") as caught:
        await scene.fetch(tmp_path, timeouts=HASTY, retry=ONE_TRY)
    assert caught.value.rate < caught.value.minimum == 100_000
    (part,) = tmp_path.glob(".*.part")
    offset = part.stat().st_size
    assert offset >= 600_000
    scene.github.faults.clear()
    scene.serve("plain")
    assert await scene.fetch(tmp_path) == ARCHIVE
    assert scene.nginx.asked()[-1].startswith(f"/plain/docs 206 bytes={offset}-|")


async def test_a_crawl_after_each_beginning(scene: Scene, tmp_path: Path):
    """A server that crawls after the first 600 KB of each answer is asked again for the rest, and no byte twice."""
    scene.serve("crawl")
    assert await scene.fetch(tmp_path, timeouts=HASTY, retry=PATIENT) == ARCHIVE
    asked = scene.nginx.asked()
    assert len(asked) >= 4
    assert {line.split()[1] for line in asked[1:]} == {"206"}
    assert sum(connection.down for connection in scene.proxy.connections) < 1.5 * SIZE


@pytest.mark.parametrize(("location", "refusal"), [("few", "429"), ("calm", "503")])
async def test_a_busy_server(scene: Scene, tmp_path: Path, location: str, refusal: str):
    """Refusals for too many connections or requests are waited out, until all are there."""
    archives = {f"docs-{number}": random_zip(150_000, number) for number in range(6)}
    run = scene.github.add_run(REPO)
    for name, archive in archives.items():
        scene.nginx.put(name, archive)
        artifact_id = scene.github.add_artifact(run, name, archive=archive)
        url = f"{scene.nginx.http}/{location}/{name}"
        scene.github.faults.redirect(artifact_id, url, None, where="api")
    async with scene.client(retry=PATIENT) as client:
        artifacts = [artifact for artifact in await listed(client) if artifact.name in archives]
        raise_for_failures(await fetch_all(client, artifacts, tmp_path, layout="name"))
    assert {path.stem: path.read_bytes() for path in tmp_path.glob("*.zip")} == archives
    assert {line.split()[1] for line in scene.nginx.asked()} == {"200", refusal}


async def test_connections_that_are_refused(scene: Scene, tmp_path: Path):
    """A server that allows two connections is asked for more: the download arrives over those that it has."""
    large = random_zip(12_000_000)
    scene.nginx.put("large", large)
    artifact_id = scene.github.add_artifact(scene.github.add_run(REPO), "large", archive=large)
    scene.github.faults.redirect(artifact_id, f"{scene.nginx.http}/two/large", None, where="api")
    async with scene.client(retry=PATIENT) as client:
        result = await client.download(await client.get_artifact(REPO, artifact_id), tmp_path, connections=8)
    assert result.verified == "digest"
    assert result.path.read_bytes() == large
    answers = {line.split()[1] for line in scene.nginx.asked()}
    assert "429" in answers <= {"200", "206", "429"}


async def test_busy_for_good(scene: Scene, tmp_path: Path):
    """What stays busy is an error with its status, after the attempts that the policy allows."""
    scene.serve("busy")
    with pytest.raises(StorageError, match="answered with 503") as caught:
        await scene.fetch(tmp_path, retry=RetryPolicy(attempts=3, wait_initial=0.01))
    assert caught.value.status == 503
    assert len(scene.nginx.asked()) == 3


@pytest.mark.parametrize("times", [1, None])
async def test_no_answer(scene: Scene, tmp_path: Path, times: int | None):
    """A connection that is closed without a word is tried again; if it always is, that is the error."""
    scene.serve("reset", times)
    if times:
        scene.serve("plain", 1)
    retry = RetryPolicy(attempts=3, wait_initial=0.01)
    if times:
        assert await scene.fetch(tmp_path, retry=retry) == ARCHIVE
    else:
        with pytest.raises(ConnectionFailedError):
            await scene.fetch(tmp_path, retry=retry)
    assert [line.split()[1] for line in scene.nginx.asked()] == (["444", "200"] if times else ["444"] * 3)


async def test_bytes_that_were_packed_unasked(scene: Scene, tmp_path: Path):
    """A server that packs what was asked for as it is: an error that says so, and no file."""
    scene.serve("packed")
    with pytest.raises(StorageError, match="Content-Encoding 'gzip', which was not requested"):
        await scene.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(scene.nginx.asked()) == 1


# --- TLS


async def test_tls(scene: Scene, tmp_path: Path):
    """A server whose certificate the client was told to trust; the download is resumed over it too."""
    async with ChaosProxy(scene.nginx.https) as proxy:
        scene.redirect(f"{proxy.url}/plain/docs")
        proxy.cut(SIZE // 2)
        assert await scene.fetch(tmp_path, ca_file=scene.nginx.authorities[0]) == ARCHIVE
    assert [line.split()[1] for line in scene.nginx.asked()] == ["200", "206"]


@pytest.mark.parametrize("why", ["unknown", "name"])
async def test_a_certificate_that_is_not_trusted(scene: Scene, tmp_path: Path, why: str):
    """One by an unknown authority, or for another host: a clear error after one connection, and no request."""
    url, authority = {
        "unknown": (scene.nginx.https, None),
        "name": (scene.nginx.other, scene.nginx.authorities[1]),
    }[why]
    async with ChaosProxy(url) as proxy:
        scene.redirect(f"{proxy.url}/plain/docs?sig=c4n4ry")
        with pytest.raises(CertificateError, match=r"certificate") as caught:
            await scene.fetch(tmp_path, ca_file=authority)
        assert len(proxy.connections) == 1
    assert "c4n4ry" not in str(caught.value)
    assert scene.nginx.asked() == []
    assert list(tmp_path.iterdir()) == []
