"""One artifact to one file: names, what is there already, disks, shapes of old servers, events."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    ConfigurationError,
    DestinationExistsError,
    Digest,
    IncompleteDownloadError,
    NotFoundError,
    OutOfSpaceError,
    RequestAnswered,
    RequestSent,
    TransferBytes,
    TransferChecking,
    TransferFailed,
    TransferFinished,
    TransferSigning,
    TransferStarted,
    TransferVerified,
)
from gh_artifacts_async.testing import FakeGitHub, make_zip
from gh_artifacts_async.transfer.disk import filesystem, partfile
from tests.kits.profiles import verified
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    everything,
    fetch,
    get,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SIZES = pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])


@pytest.mark.github_com("digest")
@SIZES
async def test_result(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """The result says what is on disk now, and what it was checked against."""
    artifact_id = add(github, size=size)
    artifact = await get(client, artifact_id)
    result = await client.download(artifact, tmp_path / "new" / "folder")
    assert result.artifact == artifact
    assert result.path == tmp_path / "new" / "folder" / "docs.zip"
    assert result.path.read_bytes() == github.content(artifact_id)
    assert result.digest == artifact.digest
    assert (result.size, result.verified, result.resumed_from, result.skipped) == (size, verified(), 0, False)
    assert result.content_type == "application/zip"
    assert result.elapsed > 0
    assert len(github.requests) == 3


async def test_path_as_text(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any) -> None:
    """The directory may be text, and relative."""
    monkeypatch.chdir(tmp_path)
    result = await client.download(ArtifactRef(REPO, add(github)), "here")
    assert result.path == Path("here/docs.zip")
    assert result.path.exists()


async def test_mode_of_the_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The file is made as any other, by the umask."""
    before = os.umask(0o027)
    try:
        result = await fetch(client, add(github), tmp_path)
    finally:
        os.umask(before)
    assert result.path.stat().st_mode & 0o777 == 0o640


# --- names ----------------------------------------------------------------------------------------------------------


async def test_raw(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A raw artifact keeps the name its storage gives it."""
    artifact_id = add(github, "résumé.html", raw=("résumé.html", b"<p>hello"))
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path == tmp_path / "résumé.html"
    assert result.path.read_bytes() == b"<p>hello"
    assert (result.content_type or "").startswith("text/html")


@pytest.mark.parametrize(
    "theirs", ["../../evil.sh", "/etc/cron.d/evil", "..", "", "a\\b", "CON", "x" * 300, "..\\..\\evil"]
)
async def test_hostile_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, theirs: str) -> None:
    """A hostile file name of storage's ends in the folder, or not at all."""
    artifact_id = add(github, "raw.bin", raw=("raw.bin", b"raw"), filename=theirs, content_type="text/plain")
    result = await fetch(client, artifact_id, tmp_path / "home")
    assert result.path.parent == tmp_path / "home"
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("name", ["..", "../evil", "a/b", ".", "x" * 250, "con", "end."])
async def test_hostile_artifact_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, name: str) -> None:
    """A hostile artifact name is made safe."""
    artifact_id = add(github, name)
    result = await fetch(client, artifact_id, tmp_path / "home")
    assert result.path.parent == tmp_path / "home"
    assert result.path.name.endswith(".zip")
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "Application/X-ZIP-compressed; x=y"])
async def test_magic_decides(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, content_type: str | None
) -> None:
    """Where the Content-Type does not say, the first bytes tell zip from raw."""
    archive = add(github, "archive", archive=make_zip({"a": "b"}), content_type=content_type)
    assert (await fetch(client, archive, tmp_path)).path.name == "archive.zip"
    empty = add(github, "empty", archive=make_zip({}), content_type=content_type)
    assert (await fetch(client, empty, tmp_path)).path.name == "empty.zip"
    if content_type is None or "octet" in content_type:
        raw = add(github, "raw", raw=("raw.bin", b"not a zip"), content_type=content_type)
        assert (await fetch(client, raw, tmp_path)).path.name == "raw.bin"


@pytest.mark.parametrize("name", ["a\nb", "a\x7fb", "\x1b[31mred", "a\u202eb", "..", "a/b"])
async def test_unprintable_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, name: str) -> None:
    """What a terminal would act on is not part of a raw file's name, whatever Content-Disposition says."""
    result = await fetch(client, add(github, name, raw=(name, b"bytes")), tmp_path / "in")
    assert result.path.parent == tmp_path / "in"
    assert result.path.name.isprintable()


async def test_zip_name_of_storage_is_not_used(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A zip is named after its artifact, whatever storage calls it."""
    artifact_id = add(github, filename="docs")
    assert (await fetch(client, artifact_id, tmp_path)).path.name == "docs.zip"


@pytest.mark.github_com("length")
@pytest.mark.parametrize("digest", ["auto", None])
@pytest.mark.parametrize("content_type", ["text/plain", None])
async def test_empty_raw(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, digest: str | None, content_type: str | None
) -> None:
    """An empty file is a file."""
    artifact_id = add(github, "empty.txt", raw=("empty.txt", b""), digest=digest, content_type=content_type)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == b""
    assert result.verified == ("digest" if digest else "size")
    assert names(tmp_path) == {"empty.txt"}


async def test_filename(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file name of the caller's is taken, for a zip and for a raw artifact."""
    assert (await fetch(client, add(github), tmp_path, filename="mine")).path == tmp_path / "mine"
    raw = add(github, "raw", raw=("raw.bin", b"raw"))
    assert (await fetch(client, raw, tmp_path, filename="mine.too")).path == tmp_path / "mine.too"
    with pytest.raises(ConfigurationError):
        await client.download(ArtifactRef(REPO, raw), tmp_path, filename="../no")


@pytest.mark.parametrize(
    "wrong", [{"filename": "x" * 300}, {"directory": "a\0b"}, {"directory": 7}, {"directory": b"x"}]
)
async def test_arguments_that_cannot_be_right(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    """One clear error, and no request."""
    artifact = await get(client, add(github))
    github.forget_requests()
    with pytest.raises(ConfigurationError):
        await client.download(**({"artifact": artifact, "directory": tmp_path} | wrong))
    assert not github.requests


# --- what is there already ------------------------------------------------------------------------------------------


async def test_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A taken name is an error before storage is asked, and nothing is changed."""
    artifact_id = add(github)
    artifact = await get(client, artifact_id)
    (tmp_path / "docs.zip").write_bytes(b"older")
    github.forget_requests()
    with pytest.raises(DestinationExistsError, match="already exists") as caught:
        await client.download(artifact, tmp_path)
    assert caught.value.filename == str(tmp_path / "docs.zip")
    assert isinstance(caught.value, FileExistsError)
    assert not github.requests
    assert (tmp_path / "docs.zip").read_bytes() == b"older"


async def test_skip(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What is known to be the same is not fetched again; something else in its place is an error."""
    artifact_id = add(github)
    first = await fetch(client, artifact_id, tmp_path)
    artifact = first.artifact
    github.forget_requests()
    seen = Seen()
    second = await client.download(artifact, tmp_path, if_exists="skip", observer=seen)
    assert (second.skipped, second.path, second.size, second.verified) == (True, first.path, WORKER_SIZE, verified())
    assert second.digest == artifact.digest
    assert [type(event) for event in seen] == [TransferChecking, TransferFinished]
    assert seen.of(TransferFinished)[0].skipped
    assert not github.requests
    first.path.write_bytes(b"something else")
    with pytest.raises(DestinationExistsError, match="is not this artifact"):
        await client.download(artifact, tmp_path, if_exists="skip")
    assert first.path.read_bytes() == b"something else"


async def test_skip_raw(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A raw artifact is looked for under its own name."""
    artifact_id = add(github, "report.txt", raw=("report.txt", b"report"))
    await fetch(client, artifact_id, tmp_path)
    github.forget_requests()
    result = await fetch(client, artifact_id, tmp_path, if_exists="skip")
    assert result.skipped
    assert result.path == tmp_path / "report.txt"
    assert not github.requests_to("storage")


async def test_raw_name_that_is_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A name that only storage's headers tell is found to be taken before the bytes come."""
    artifact_id = add(github, "report", raw=("other.txt", b"report" * 100_000))
    (tmp_path / "other.txt").write_bytes(b"older")
    for if_exists in ("error", "skip"):
        with pytest.raises(DestinationExistsError):
            await fetch(client, artifact_id, tmp_path, if_exists=if_exists)
    assert (tmp_path / "other.txt").read_bytes() == b"older"
    assert names(tmp_path) == {"other.txt"}


async def test_name_taken_meanwhile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file that appears while the bytes come is not overwritten."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    artifact = await get(client, artifact_id)

    def appear(event: object) -> None:
        if isinstance(event, TransferVerified):
            (tmp_path / "docs.zip").write_bytes(b"someone else's")

    with pytest.raises(DestinationExistsError):
        await client.download(artifact, tmp_path, observer=appear)
    assert (tmp_path / "docs.zip").read_bytes() == b"someone else's"
    assert names(tmp_path) == {"docs.zip"}


async def test_replace(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Replace fetches what is another, which stays until the new one is complete, and leaves the same as it is."""
    artifact_id = add(github)
    (tmp_path / "docs.zip").write_bytes(b"older")
    result = await fetch(client, artifact_id, tmp_path, if_exists="replace")
    assert result.path.read_bytes() == github.content(artifact_id)
    github.forget_requests()
    again = await fetch(client, artifact_id, tmp_path, if_exists="replace")
    assert (again.skipped, again.path) == (True, result.path)
    assert not github.requests_to("storage")
    (tmp_path / "elsewhere").write_bytes(result.path.read_bytes())
    result.path.unlink()
    result.path.symlink_to(tmp_path / "elsewhere")
    assert not (await fetch(client, artifact_id, tmp_path, if_exists="replace")).skipped  # the link is replaced
    assert not result.path.is_symlink()
    with pytest.raises(ConfigurationError, match="if_exists"):
        await fetch(client, artifact_id, tmp_path, if_exists="overwrite")


@pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])
async def test_folder_in_the_way(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, if_exists: str) -> None:
    """A folder is never replaced by a file, and that is found before any request."""
    (tmp_path / "docs.zip").mkdir()
    artifact = await get(client, add(github))
    github.forget_requests()
    with pytest.raises(DestinationExistsError, match=r"docs\.zip already exists"):
        await client.download(artifact, tmp_path, if_exists=if_exists)
    assert not github.requests
    assert names(tmp_path) == set()


@pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])
async def test_link_in_the_way(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, if_exists: str) -> None:
    """A symbolic link is never written through, also one that leads nowhere."""
    for target in ("target", "nowhere"):
        home = tmp_path / f"home-{target}"
        home.mkdir()
        (tmp_path / "target").write_bytes(b"target")
        (home / "docs.zip").symlink_to(tmp_path / target)
        if if_exists == "replace":
            result = await fetch(client, add(github), home, if_exists=if_exists)
            assert not result.path.is_symlink()
        else:
            with pytest.raises(DestinationExistsError):
                await fetch(client, add(github), home, if_exists=if_exists)
        assert (tmp_path / "target").read_bytes() == b"target"
        assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("below", [".", "below", "below/deep"])
async def test_directory_is_a_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, below: str) -> None:
    """A file in the directory's place, or above it, is an error before any request."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DestinationExistsError, match="is a file"):
        await client.download(ArtifactRef(REPO, add(github)), tmp_path / "file" / below)
    assert not github.requests


async def test_directory_through_a_link(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A directory may be a symbolic link to one."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    await fetch(client, add(github), tmp_path / "link")
    assert (tmp_path / "real" / "docs.zip").exists()


async def test_no_token(github: FakeGitHub, tmp_path: Path) -> None:
    """Without a token a download is a ConfigurationError before any request, and makes no folder."""
    async with client_for(github, None) as client:
        with pytest.raises(ConfigurationError, match="needs a token"):
            await client.download(ArtifactRef(REPO, add(github)), tmp_path / "new")
    assert not github.requests
    assert not (tmp_path / "new").exists()


async def test_neither_artifact_nor_reference(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Anything else than an artifact is a ConfigurationError; so is one that does not know its repository."""
    with pytest.raises(ConfigurationError, match="expected an Artifact or ArtifactRef"):
        await client.download(7, tmp_path)  # type: ignore[arg-type]
    lost = attrs.evolve(await get(client, add(github)), repository=None)
    with pytest.raises(ConfigurationError, match="does not name its repository"):
        await client.download(lost, tmp_path)
    with pytest.raises(NotFoundError):
        await client.download(ArtifactRef(REPO, 1), tmp_path)


# --- disks ----------------------------------------------------------------------------------------------------------


async def test_durable(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any) -> None:
    """Durable costs two fsyncs, of the file and of its folder; without it there is none."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    artifact_id = add(github)
    await fetch(client, artifact_id, tmp_path, filename="fast.zip")
    assert not synced
    await fetch(client, artifact_id, tmp_path, durable=True)
    assert len(synced) == 2


def _broken_write(monkeypatch: pytest.MonkeyPatch, free: int, number: int) -> None:
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        left = free - os.fstat(descriptor).st_size  # what a removed file had is free again
        if left <= 0:
            raise OSError(number, os.strerror(number))
        return real(descriptor, data[:left])

    monkeypatch.setattr(partfile.os, "write", write)


@pytest.mark.github_com("ranges")
@SIZES
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
async def test_full_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any, size: int, number: int
) -> None:
    """A disk that fills up is OutOfSpaceError, what fit is kept, and the next run resumes there."""
    artifact_id = add(github, size=size)
    artifact = await get(client, artifact_id)
    with monkeypatch.context() as patched:
        _broken_write(patched, size // 2, number)
        with pytest.raises(OutOfSpaceError) as caught:
            await client.download(artifact, tmp_path)
    assert caught.value.errno == number
    assert caught.value.needed == size - size // 2
    assert len(github.requests_to("storage")) == 1
    (part,) = parts(tmp_path)
    assert part.stat().st_size == size // 2
    result = await client.download(artifact, tmp_path)
    assert result.resumed_from == size // 2
    assert result.path.read_bytes() == github.content(artifact_id)


@SIZES
async def test_broken_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any, size: int
) -> None:
    """A disk that cannot write is the system's own error, and the part is removed: it cannot be trusted."""
    artifact_id = add(github, size=size)
    artifact = await get(client, artifact_id)
    with monkeypatch.context() as patched:
        _broken_write(patched, size // 2, errno.EIO)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            await client.download(artifact, tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.github_com("length")
async def test_disk_that_is_too_small(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any
) -> None:
    """Where the size is known, a disk without that space is found before the bytes come."""
    artifact_id = add(github, size=50_000_000)
    monkeypatch.setattr(filesystem, "free_bytes", lambda _: 49_999_999)
    with pytest.raises(OutOfSpaceError) as caught:
        await fetch(client, artifact_id, tmp_path)
    assert (caught.value.needed, caught.value.free) == (50_000_000, 49_999_999)
    assert github.bytes_sent(artifact_id) < 20_000_000
    assert names(tmp_path) == set()


@pytest.mark.github_com("ranges")
async def test_rename_on_a_full_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any
) -> None:
    """A rename for which there is no space leaves no final name; the part is kept, and needs only the rename."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", full)
        with pytest.raises(OutOfSpaceError):
            await fetch(client, artifact_id := add(github), tmp_path)
    assert all(name.endswith((".part", ".part.json")) for name in names(tmp_path))
    github.forget_requests()
    await fetch(client, artifact_id, tmp_path)
    assert names(tmp_path) == {"docs.zip"}
    assert not github.requests_to("storage")


async def test_folder_without_permission(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: Any
) -> None:
    """A folder that may not be written to is the system's own error, with its path."""
    artifact = await get(client, add(github))
    real = os.open

    def refuse(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT and str(path).endswith(".part"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(partfile.os, "open", refuse)
    with pytest.raises(PermissionError):
        await client.download(artifact, tmp_path)
    assert names(tmp_path) == set()


async def test_part_taken_away(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part that someone removes while it is written ends in an error, not in a wrong file."""

    def remove(event: object) -> None:
        if isinstance(event, TransferVerified):
            for path in parts(tmp_path):
                path.unlink()

    with pytest.raises(FileNotFoundError):
        await fetch(client, add(github, size=RECEIVER_SIZE), tmp_path, observer=remove)
    assert not {name for name in names(tmp_path) if not name.endswith(".json")}


# --- old servers ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def appliance() -> AsyncGenerator[FakeGitHub]:
    """Run a GitHub Enterprise Server."""
    async with FakeGitHub("ghes-3.8") as fake:
        yield fake


@pytest.fixture
async def its_client(appliance: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """Run a client of it."""
    async with client_for(appliance) as client:
        yield client


BIG = {"a.txt": os.urandom(400_000), "b.txt": b"b" * 100}


@pytest.mark.parametrize("content", [{"a.txt": "hello"}, BIG])
async def test_appliance(appliance: FakeGitHub, its_client: ArtifactsClient, tmp_path: Path, content: Any) -> None:
    """Without digest and length the end record is checked, and a record is left by which skip and verify go."""
    artifact_id = add(appliance, files=content)
    artifact = await get(its_client, artifact_id)
    assert artifact.digest is None
    result = await its_client.download(artifact, tmp_path)
    assert result.verified == "none"
    assert result.size != artifact.size_in_bytes
    assert result.digest == Digest("sha256", hashlib.sha256(result.path.read_bytes()).hexdigest())
    assert everything(tmp_path) == {"docs.zip", ".docs.zip.gh-artifacts.json"}
    assert await its_client.verify(artifact, result.path)
    appliance.forget_requests()
    again = await its_client.download(artifact, tmp_path, if_exists="skip")
    assert (again.skipped, again.verified, again.digest) == (True, "none", None)
    assert not appliance.requests
    result.path.write_bytes(result.path.read_bytes()[:-1] + b"x")
    assert not await its_client.verify(artifact, result.path)
    with pytest.raises(DestinationExistsError):
        await its_client.download(artifact, tmp_path, if_exists="skip")


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_appliance_cut_cleanly(appliance: FakeGitHub, tmp_path: Path, framing: Any) -> None:
    """A body that ends cleanly but too early is found by the missing end record, and fetched again whole."""
    artifact_id = add(appliance, files=BIG)
    appliance.faults.truncate_clean(artifact_id, at=300_000, framing=framing)
    async with client_for(appliance) as client:
        result = await fetch(client, artifact_id, tmp_path)
        assert result.path.read_bytes()[:2] == b"PK"
        appliance.faults.truncate_clean(artifact_id, at=300_000, times=None, framing=framing)
        with pytest.raises(IncompleteDownloadError, match="without its end record"):
            await fetch(client, artifact_id, tmp_path / "never")
    assert names(tmp_path / "never") == set()
    assert all("Range" not in record.headers for record in appliance.requests_to("storage"))


async def test_appliance_cut_roughly(appliance: FakeGitHub, its_client: ArtifactsClient, tmp_path: Path) -> None:
    """A body without ranges that breaks is fetched again whole, since its bytes differ each time."""
    artifact_id = add(appliance, files=BIG)
    appliance.faults.cut(artifact_id, at=300_000, times=2)
    result = await fetch(its_client, artifact_id, tmp_path)
    assert result.resumed_from == 0
    assert everything(tmp_path) == {"docs.zip", ".docs.zip.gh-artifacts.json"}
    assert make_zip(BIG)[:100] == make_zip(BIG)[:100]
    appliance.faults.cut(artifact_id, at=300_000, times=None)
    async with client_for(appliance, retry=ONE_TRY) as client:
        with pytest.raises(Exception, match="broke"):
            await fetch(client, artifact_id, tmp_path / "never")
    assert names(tmp_path / "never") == set()


async def test_appliance_uri_expired(appliance: FakeGitHub, its_client: ArtifactsClient, tmp_path: Path) -> None:
    """The v3 form's "Uri expired" is an expired URL too."""
    artifact_id = add(appliance, files=BIG)
    appliance.faults.expire_url(artifact_id)
    await fetch(its_client, artifact_id, tmp_path)
    assert len(appliance.requests_to("storage")) == 2


@pytest.mark.github_com("digest")
async def test_record_of_an_older_file_goes(appliance: FakeGitHub, its_client: ArtifactsClient, tmp_path: Path) -> None:
    """A file that GitHub's digest vouches for has no record beside it any more."""
    artifact = (await fetch(its_client, add(appliance, files=BIG), tmp_path)).artifact
    assert len(names(tmp_path)) == 2
    async with FakeGitHub() as github, client_for(github) as client:
        await fetch(client, add(github), tmp_path, if_exists="replace")
    assert names(tmp_path) == {"docs.zip"}
    assert not await its_client.verify(artifact, tmp_path / "docs.zip")


async def test_a_record_that_cannot_be_written(
    appliance: FakeGitHub, its_client: ArtifactsClient, tmp_path: Path
) -> None:
    """The file is in place and right; only its record would have too long a name."""
    result = await fetch(its_client, add(appliance, files={"a.txt": b"a" * 500}), tmp_path, filename="x" * 245)
    assert result.verified == "none"
    assert names(tmp_path) == {"x" * 245}


@pytest.mark.github_com("length")
async def test_size_without_digest(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where Content-Length is size_in_bytes, the size is what was checked, and no record is needed."""
    result = await fetch(client, add(github, digest=None), tmp_path)
    assert result.verified == "size"
    assert names(tmp_path) == {"docs.zip"}
    skipped = await client.download(result.artifact, tmp_path, if_exists="skip")
    assert (skipped.skipped, skipped.verified) == (True, "size")


@pytest.mark.github_com("length")
async def test_unknown_digest(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A digest of an algorithm nobody knows yet is unverifiable, not wrong."""
    result = await fetch(client, add(github, digest="sha3-512:abcd"), tmp_path)
    assert result.verified == "size"
    assert result.digest == Digest("sha256", hashlib.sha256(result.path.read_bytes()).hexdigest())


@pytest.mark.github_com("digest")
async def test_verify(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Verify compares any file with an artifact, or with a reference to one."""
    artifact_id = add(github)
    result = await fetch(client, artifact_id, tmp_path)
    other = tmp_path / "copy"
    other.write_bytes(result.path.read_bytes())
    assert await client.verify(result.artifact, other)
    assert await client.verify(ArtifactRef(REPO, artifact_id), str(other))
    other.write_bytes(b"else")
    assert not await client.verify(result.artifact, other)
    assert not await client.verify(result.artifact, tmp_path / "absent")


# --- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.github_com("length")
async def test_events(github: FakeGitHub, tmp_path: Path) -> None:
    """An observer is called before and at the start, with bytes, after the check and at the end; so is the client's."""
    theirs, mine = Seen(), Seen()
    async with client_for(github, observer=theirs) as client:
        result = await fetch(client, add(github, size=RECEIVER_SIZE), tmp_path, observer=mine)
    requests = [event for event in theirs if isinstance(event, RequestSent | RequestAnswered)]
    assert [event for event in theirs if event not in requests] == mine
    assert mine[0] == TransferSigning(artifact=result.artifact)
    kinds = [type(event) for event in mine[1:] if not isinstance(event, TransferBytes)]
    assert kinds == [TransferStarted, TransferVerified, TransferFinished]
    (started,), (verified,), (finished,) = (mine.of(kind) for kind in kinds)
    assert (started.size, started.offset, verified.verified) == (RECEIVER_SIZE, 0, "digest")
    assert (finished.path, finished.size, finished.skipped) == (result.path, RECEIVER_SIZE, False)
    counted = [event.received for event in mine.of(TransferBytes)]
    assert counted == sorted(counted)
    assert counted[-1] <= RECEIVER_SIZE


@pytest.mark.parametrize("size", [100_000, WORKER_SIZE, RECEIVER_SIZE])
async def test_bytes_events_are_rare(github: FakeGitHub, tmp_path: Path, size: int) -> None:
    """Of a transfer's bytes an observer hears at most ten times a second, however small the pieces."""
    artifact_id = add(github, size=size)
    github.faults.drip(artifact_id, chunk=size // 2000, interval=0.01)
    times: list[float] = []
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        import asyncio

        loop = asyncio.get_running_loop()
        began = loop.time()
        await client.download(
            artifact,
            tmp_path,
            observer=lambda event: times.append(loop.time()) if isinstance(event, TransferBytes) else None,
        )
        elapsed = loop.time() - began
    assert elapsed > 15
    assert 20 <= len(times) <= elapsed * 10 + 1


async def test_failed_event(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A failure is an event too, with its error."""
    artifact_id = add(github)
    github.faults.status(artifact_id, 404)
    seen = Seen()
    with pytest.raises(Exception, match="404"):
        await fetch(client, artifact_id, tmp_path, observer=seen)
    (failed,) = seen.of(TransferFailed)
    assert failed.error.status == 404


async def test_observer_that_fails(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer that raises is logged, and the download continues."""

    def failing(_: object) -> None:
        msg = "not today"
        raise RuntimeError(msg)

    result = await fetch(client, add(github), tmp_path, observer=failing)
    assert result.path.exists()
    assert "an observer failed on TransferStarted" in caplog.text
