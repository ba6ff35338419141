"""GitHub's own command line, gh, against the fake: two clients that were written apart see the same."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import pytest
import trustme

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.interop import REPO, environment, missing, program

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.testing.data.profiles import Kind

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

FILES = {
    "report.txt": b"all is well\n" * 9000,
    "empty": b"",
    "a/b/c/deep.bin": bytes(range(256)) * 300,
    "a/grüße.txt": "höflich".encode(),
}


@attrs.frozen
class Scene:
    """An Enterprise Server over TLS, gh, and a client.

    Attributes:
        github: the server.
        client: ours.
        gh: the program.
        home: its home folder; what it trusts is in there.
    """

    github: FakeGitHub
    client: ArtifactsClient
    gh: str
    home: Path

    async def run(self, *arguments: str) -> str:
        """Run gh and return what it prints."""
        variables = environment(
            self.home,
            GH_CONFIG_DIR=str(self.home / "config"),
            GH_ENTERPRISE_TOKEN="token",
            GH_HOST=urlsplit(self.github.base_url).netloc,
            GH_NO_UPDATE_NOTIFIER="1",
            GH_PROMPT_DISABLED="1",
            GH_TELEMETRY="false",
            SSL_CERT_FILE=str(self.home / "ca.pem"),
        )
        done = await asyncio.to_thread(
            subprocess.run,
            [self.gh, *arguments],
            cwd=self.home,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if any("Authorization" in record.headers for record in self.github.requests_to("storage")):
            missing("gh", "this old gh gives its token to storage, which refuses it")
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    """Run an Enterprise Server whose storage has a host name of its own, and a client."""
    gh = program("gh")
    home = tmp_path / "home"
    home.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    async with FakeGitHub("ghes-3.8", ssl_context=context) as github:
        github.advertise(storage=github.storage_url.replace("127.0.0.1", "localhost"))
        async with ArtifactsClient("token", base_url=github.base_url, ca_file=home / "ca.pem") as client:
            yield Scene(github, client, gh, home)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["v3", "azure"])
async def test_download(scene: Scene, tmp_path: Path, kind: Kind):
    """What gh downloads and unpacks is, file for file, what the client does."""
    run = scene.github.add_run(REPO)
    scene.github.add_artifact(run, "other", files={"no.txt": b"no"})
    artifact_id = scene.github.add_artifact(run, "docs", files=FILES, kind=kind)
    await scene.run("run", "download", str(run.id), "-n", "docs", "-R", REPO, "-D", str(tmp_path / "theirs"))
    artifact = await scene.client.get_artifact(REPO, artifact_id)
    ours = await scene.client.download(artifact, tmp_path / "ours", extract=True)
    assert tree(tmp_path / "theirs") == tree(ours.path) == FILES
    assert len(scene.github.requests_to("storage", artifact_id)) == 2


async def test_listing(scene: Scene):
    """Over three pages gh sees the artifacts that the client sees, in the same order."""
    runs = [scene.github.add_run(REPO) for _ in range(5)]
    added = {scene.github.add_artifact(runs[number % 5], f"docs-{number % 7}") for number in range(250)}
    path = f"repos/{REPO}/actions/artifacts?per_page=100"
    theirs = [int(line) for line in (await scene.run("api", "--paginate", path, "--jq", ".artifacts[].id")).split()]
    ours = [artifact.id async for artifact in scene.client.list_artifacts(REPO)]
    assert ours == theirs
    assert set(ours) == added
    assert len(ours) == 250
