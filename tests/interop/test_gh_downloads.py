"""What gh downloads and unpacks is what the client does; and where gh gives its token to storage."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gh_artifacts_async import ArtifactsClient, UnsafeRedirectError
from tests.kits.interop import REPO
from tests.kits.real_gh import AZURE, ELSEWHERE, GITHUB_COM, SERVER, VERSIONS, Scene, gh_scene

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from gh_artifacts_async.testing.data.profiles import Kind

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

FILES = {
    "report.txt": b"all is well\n" * 9000,
    "empty": b"",
    "a/b/c/deep.bin": bytes(range(256)) * 300,
    "a/grüße.txt": "höflich".encode(),
    ".hidden/.file": b"hidden",
}
MODES = {"bin/run.sh": 0o755, "read-only": 0o444, "private": 0o600, "plain": 0o644, "open": 0o666}


def with_modes() -> bytes:
    """Return a zip with folders, and with files of several modes."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("bin")
        archive.mkdir("nothing")
        for name, mode in MODES.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (0o100000 | mode) << 16
            archive.writestr(member, name)
    return made.getvalue()


def tree(folder: Path) -> dict[str, Any]:
    """Return what is below a folder: of each file its content and its mode, of each folder None.

    The small records that the client keeps beside what it downloads are left out.
    """
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode) if path.is_file() else None
        for path in folder.rglob("*")
        if not (path.parent == folder and path.match(".*.gh-artifacts.json"))
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {name: found[0] for name, found in tree(folder).items() if found}


@pytest.fixture(params=VERSIONS)
async def version(request: pytest.FixtureRequest) -> str:
    """Which gh it is."""
    return str(request.param)


@pytest.fixture(params=["azure", "v3"])
async def kind(request: pytest.FixtureRequest) -> Kind:
    """Of which form the artifacts are: github.com's, or an Enterprise Server's."""
    found: Kind = request.param
    return found


@pytest.fixture
async def scene(version: str, kind: Kind, tmp_path: Path) -> AsyncGenerator[Scene]:
    """A GitHub and gh, which is logged in."""
    where = (GITHUB_COM, AZURE) if kind == "azure" else (SERVER, ELSEWHERE)
    async with gh_scene(version, tmp_path, *where) as made:
        yield made


def client_of(scene: Scene) -> ArtifactsClient:
    """Return a client of ours that goes the same way."""
    return ArtifactsClient("token", base_url=scene.github.base_url, ca_file=scene.authority, proxy=scene.proxy.url)


@pytest.fixture
async def client(scene: Scene) -> AsyncGenerator[ArtifactsClient]:
    """A client of ours that goes the same way."""
    async with client_of(scene) as it:
        yield it


async def test_one_by_its_name(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """What gh downloads and unpacks is, file for file, what the client does; with the run's id and without."""
    run = scene.github.add_run(REPO)
    scene.github.add_artifact(run, "other", files={"no.txt": b"no"})
    artifact_id = scene.github.add_artifact(run, "docs", files=FILES)
    for folder, which in (("by-run", [str(run.id)]), ("by-name", [])):
        await scene.run("run", "download", *which, "-n", "docs", "-R", REPO, "-D", str(tmp_path / folder))
    artifact = await client.get_artifact(REPO, artifact_id)
    ours = await client.download(artifact, tmp_path / "ours", extract=True)
    assert tree(tmp_path / "by-run") == tree(tmp_path / "by-name") == tree(ours.path)
    assert contents(ours.path) == FILES
    assert len(scene.github.requests_to("storage", artifact_id)) == 3


async def test_all_of_a_run(scene: Scene, client: ArtifactsClient, tmp_path: Path):
    """gh, the client and our command line make the same tree of a run with several artifacts, modes included."""
    run = scene.github.add_run(REPO)
    scene.github.add_artifact(run, "docs", files=FILES)
    scene.github.add_artifact(run, "modes", archive=with_modes())
    scene.github.add_artifact(run, "wheel-linux", files={"a.whl": b"linux"})
    scene.github.add_artifact(run, "wheel-macos", files={"a.whl": b"macos"})
    scene.github.add_artifact(run, "expired", expired=True)
    scene.github.add_artifact(scene.github.add_run(REPO), "elsewhere")
    options = ("-R", REPO, "-D")
    await scene.run("run", "download", str(run.id), *options, str(tmp_path / "theirs"))
    await scene.ours("download", "--run", str(run.id), "--extract", *options, str(tmp_path / "line"))
    artifacts = [item async for item in client.list_run_artifacts(REPO, run.id) if not item.expired]
    async with client.download_many(artifacts, tmp_path / "ours", extract=True, layout="name") as outcomes:
        assert {outcome.artifact.name async for outcome in outcomes if outcome.ok} == {item.name for item in artifacts}
    assert tree(tmp_path / "theirs") == tree(tmp_path / "ours") == tree(tmp_path / "line")
    assert contents(tmp_path / "ours" / "docs") == FILES


@pytest.mark.parametrize("kind", ["azure"], indirect=True)
async def test_by_patterns(scene: Scene, tmp_path: Path):
    """A pattern of gh's is one of ours, and both find the same."""
    run = scene.github.add_run(REPO)
    for name in ("wheel-linux", "wheel-macos", "wheel", "docs-1", "docs-2", "logs"):
        scene.github.add_artifact(run, name, files={f"{name}.txt": name})
    options = ("-p", "wheel-*", "-p", "docs-[12]", "-R", REPO, "-D")
    await scene.run("run", "download", str(run.id), *options, str(tmp_path / "theirs"))
    await scene.ours("download", "--run", str(run.id), "--extract", *options, str(tmp_path / "ours"))
    assert tree(tmp_path / "theirs") == tree(tmp_path / "ours")
    assert sorted(contents(tmp_path / "ours")) == [
        f"{name}/{name}.txt" for name in ("docs-1", "docs-2", "wheel-linux", "wheel-macos")
    ]


@pytest.mark.parametrize("kind", ["azure"], indirect=True)
async def test_what_is_not_there(scene: Scene, tmp_path: Path):
    """An expired artifact, and a run that has none: gh finds nothing to download."""
    run = scene.github.add_run(REPO)
    command = ("run", "download", str(run.id), "-R", REPO, "-D", str(tmp_path), "-n", "docs")
    none = await scene.attempt(*command)
    assert none.returncode == 1
    assert b"no valid artifacts found to download" in none.stderr
    scene.github.add_artifact(run, "docs", expired=True)
    scene.github.add_artifact(run, "logs")
    expired = await scene.attempt(*command)
    assert expired.returncode == 1
    assert b"no artifact matches any of the names or patterns" in expired.stderr
    assert scene.github.requests_to("storage") == []


class Way(NamedTuple):
    """Where a token may go.

    Attributes:
        api: origin of the API.
        storage: origin that signed URLs point to.
        stored: gh is logged in; else its token is in the environment.
        leaks: the versions that give it to storage.
    """

    api: str
    storage: str
    stored: bool
    leaks: tuple[str, ...]


BOTH = ("gh", "gh-debian")
WAYS: Mapping[str, Way] = {
    "github.com": Way(GITHUB_COM, AZURE, stored=False, leaks=()),
    "github.com, logged in": Way(GITHUB_COM, AZURE, stored=True, leaks=()),
    "other port": Way(SERVER, f"{SERVER}:8443", stored=False, leaks=BOTH),
    "other port, logged in": Way(SERVER, f"{SERVER}:8443", stored=True, leaks=BOTH),
    "other port than the login's": Way(f"{SERVER}:28443", f"{SERVER}:8443", stored=True, leaks=("gh",)),
    "subdomain": Way(SERVER, "https://blobs.ghes.test", stored=False, leaks=BOTH),
    "subdomain, logged in": Way(SERVER, "https://blobs.ghes.test", stored=True, leaks=("gh",)),
    "other host": Way(SERVER, ELSEWHERE, stored=False, leaks=("gh-debian",)),
    "other host, logged in": Way(SERVER, ELSEWHERE, stored=True, leaks=()),
    "clear text": Way(SERVER, "http://ghes.test", stored=False, leaks=BOTH),
    "clear text, logged in": Way(SERVER, "http://ghes.test", stored=True, leaks=BOTH),
    "clear text to another host": Way(SERVER, "http://storage.test", stored=False, leaks=("gh-debian",)),
    "clear text to another host, logged in": Way(SERVER, "http://storage.test", stored=True, leaks=()),
}


@pytest.mark.parametrize("way", WAYS)
async def test_token_and_storage(version: str, tmp_path: Path, way: str):
    """Where gh gives its token to storage, storage refuses it as Azure does, and gh fails; else gh downloads."""
    api, storage, stored, leaks = WAYS[way]
    async with gh_scene(version, tmp_path, api, storage, stored=stored) as scene:
        run = scene.github.add_run(REPO)
        artifact_id = scene.github.add_artifact(run, "docs", files=FILES, kind="azure")
        done = await scene.attempt("run", "download", "-n", "docs", "-R", REPO, "-D", str(tmp_path / "docs"))
        (record,) = scene.github.requests_to("storage", artifact_id)
    leaked = "Authorization" in record.headers
    assert leaked == (version in leaks), done.stderr.decode()
    if leaked:
        assert (record.status, done.returncode) == (400, 1)
        assert b"HTTP 400" in done.stderr
        assert not (tmp_path / "docs").exists() or contents(tmp_path / "docs") == {}
    else:
        assert done.returncode == 0, done.stderr.decode()
        assert contents(tmp_path / "docs") == FILES


@pytest.mark.parametrize(("kind", "status"), [("azure", 400), ("s3", 400), ("v3", 401)], indirect=["kind"])
async def test_a_token_that_each_storage_refuses(version: str, kind: Kind, tmp_path: Path, status: int):
    """Whatever storage is behind the server, it refuses the token that both versions give to another port."""
    async with gh_scene(version, tmp_path, SERVER, f"{SERVER}:8443", stored=False) as scene:
        run = scene.github.add_run(REPO)
        artifact_id = scene.github.add_artifact(run, "docs", kind=kind)
        refused = await scene.attempt("run", "download", "-n", "docs", "-R", REPO, "-D", str(tmp_path / "docs"))
        (record,) = scene.github.requests_to("storage", artifact_id)
    assert (refused.returncode, record.status) == (1, status)
    assert f"HTTP {status}".encode() in refused.stderr


@pytest.mark.parametrize("way", WAYS)
async def test_ours_keeps_its_token(tmp_path: Path, way: str):
    """Wherever storage is, the client gives it no token; it downloads over TLS, and nothing in clear text."""
    api, storage, _, _ = WAYS[way]
    async with gh_scene("gh", tmp_path, api, storage) as scene, client_of(scene) as client:
        artifact_id = scene.github.add_artifact(scene.github.add_run(REPO), "docs", files=FILES, kind="azure")
        artifact = await client.get_artifact(REPO, artifact_id)
        if storage.startswith("https:"):
            ours = await client.download(artifact, tmp_path, extract=True)
            assert contents(ours.path) == FILES
        else:
            with pytest.raises(UnsafeRedirectError, match="plain http"):
                await client.download(artifact, tmp_path)
        requests = scene.github.requests_to("storage")
        assert len(requests) == storage.startswith("https:")
        assert not any("Authorization" in record.headers for record in requests)
