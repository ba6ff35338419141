"""nginx as the storage: a server that knows every range, one that knows none, and one that is slow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import ArtifactsClient, ArtifactsError, RetryPolicy
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.interop import REPO, free_port, listening, program, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("nginx")]

FILES = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
ARCHIVE = make_zip(FILES)
SIZE = len(ARCHIVE)
CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    default_type application/zip;
    log_format asked "$uri $status $http_range|$http_if_match|$http_authorization";
    server {{
        listen 127.0.0.1:{port};
        access_log access.log asked;
        if ($http_authorization) {{ return 400; }}
        location /plain/ {{ alias blobs/; }}
        location /none/ {{ alias blobs/; max_ranges 0; }}
        location /slow/ {{ alias blobs/; limit_rate 2m; }}
    }}
}}
"""


@attrs.frozen
class Nginx:
    """An nginx that runs.

    Attributes:
        url: its origin.
        folder: what its configuration is relative to.
    """

    url: str
    folder: Path

    def asked(self) -> list[str]:
        """Return what its log has of each request: path, status, and the headers that matter; the log begins anew."""
        log = self.folder / "access.log"
        lines = log.read_text().splitlines()
        log.write_text("")
        return lines


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Generator[Nginx]:
    """Run nginx, with everything that it writes in one folder."""
    command = program("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "blobs").mkdir()
    (folder / "blobs" / "docs").write_bytes(ARCHIVE)
    port = free_port()
    configuration = CONFIGURATION.format(port=port).replace("blobs/", f"{folder}/blobs/")
    (folder / "nginx.conf").write_text(configuration)
    arguments = ["-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with running([command, *arguments], folder, folder / "output", lambda: listening(port)):
        yield Nginx(f"http://127.0.0.1:{port}", folder)


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

    def serve(self, location: str) -> None:
        """Let the API redirect to one location of nginx."""
        self.github.faults.redirect(self.artifact_id, f"{self.proxy.url}/{location}/docs", None, where="api")


@pytest.fixture
async def scene(nginx: Nginx) -> AsyncGenerator[Scene]:
    """Run an API, and a proxy before nginx."""
    nginx.asked()
    async with FakeGitHub() as github, ChaosProxy(nginx.url) as proxy:
        yield Scene(nginx, github, proxy, github.add_artifact(github.add_run(REPO), "docs", archive=ARCHIVE))


@pytest.fixture
async def client(scene: Scene) -> AsyncGenerator[ArtifactsClient]:
    """Run a client."""
    async with ArtifactsClient("token", base_url=scene.github.base_url) as its_client:
        yield its_client


@pytest.mark.parametrize("location", ["plain", "none", "slow"])
async def test_download(scene: Scene, client: ArtifactsClient, tmp_path: Path, location: str):
    """A download is one bare request, whatever the server can do."""
    scene.serve(location)
    result = await client.download(await client.get_artifact(REPO, scene.artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert scene.nginx.asked() == [f"/{location}/docs 200 -|-|-"]


@pytest.mark.parametrize("location", ["plain", "slow"])
async def test_resume(scene: Scene, tmp_path: Path, location: str):
    """What one client left another goes on with: from its last byte, under If-Match."""
    scene.serve(location)
    scene.proxy.cut(SIZE // 2)
    base_url = scene.github.base_url
    async with ArtifactsClient("token", base_url=base_url, retry=RetryPolicy(attempts=1)) as client:
        artifact = await client.get_artifact(REPO, scene.artifact_id)
        with pytest.raises(ArtifactsError):
            await client.download(artifact, tmp_path)
    async with ArtifactsClient("token", base_url=base_url) as client:
        result = await client.download(artifact, tmp_path)
    assert result.verified == "digest"
    assert 0 < result.resumed_from < SIZE
    assert result.path.read_bytes() == ARCHIVE
    asked = scene.nginx.asked()[-1]
    assert asked.startswith(f"/{location}/docs 206 bytes={result.resumed_from}-|\\x22"), asked


async def test_a_cut_without_ranges(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """A server that answers a range with the whole is taken at its word: the download begins anew."""
    scene.serve("none")
    scene.proxy.cut(SIZE // 2)
    result = await client.download(await client.get_artifact(REPO, scene.artifact_id), tmp_path)
    assert result.verified == "digest"
    assert result.path.read_bytes() == ARCHIVE
    assert scene.nginx.asked()[-1].startswith("/none/docs 200 ")


@pytest.mark.parametrize(("location", "ranged"), [("plain", True), ("none", False)])
async def test_open_archive(scene: Scene, client: ArtifactsClient, location: str, *, ranged: bool):
    """Where there are no ranges the whole archive is fetched, once; the members are the same."""
    scene.serve(location)
    async with client.open_archive(await client.get_artifact(REPO, scene.artifact_id)) as archive:
        assert [member.name for member in archive.members] == list(FILES)
        assert await archive.read("2.bin") == FILES["2.bin"]
        assert archive.ranged is ranged
        assert (archive.bytes_fetched < SIZE / 2) is ranged
    assert {line.split()[1] for line in scene.nginx.asked()} == {"206" if ranged else "200"}
