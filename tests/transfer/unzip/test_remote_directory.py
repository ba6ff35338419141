"""The end of a remote zip: fetched by ranges, audited, and told from what is no zip."""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    CorruptArchiveError,
    ExtractPolicy,
    UnsupportedArchiveError,
)
from gh_artifacts_async.archive import TAIL, BytesReader, audit_directory
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer.storage.range_reader import NoRangesError, RangeReader
from gh_artifacts_async.transfer.unzip import remote_directory
from gh_artifacts_async.transfer.unzip.remote_directory import Tail, fetch_tail, not_a_zip, read_tail
from tests.kits.archives import Entry, build
from tests.kits.remote import ARCHIVE, FILES, opened
from tests.kits.transfer import add, client_for, get
from tests.kits.zips import HOSTILE, make, noise, tree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient

POLICY = ExtractPolicy()


@asynccontextmanager
async def ranged_of(github: FakeGitHub, artifact_id: int) -> AsyncGenerator[RangeReader]:
    """Run a client, and give a reader of one artifact."""
    async with client_for(github) as client:
        yield RangeReader(client._transfers(), await get(client, artifact_id))


# --- what is fetched


@pytest.mark.github_com("ranges")
async def test_a_short_directory_costs_one_range(github: FakeGitHub) -> None:
    """The tail holds it; what was read is hashed from where the directory begins."""
    async with ranged_of(github, add(github, archive=ARCHIVE)) as ranged:
        tail = await read_tail(ranged, len(ARCHIVE), POLICY)
        assert (ranged.requests, ranged.bytes_fetched) == (1, TAIL)
    assert tail.size == len(ARCHIVE)
    assert tail.data == ARCHIVE[-TAIL:]
    assert [member.name for member in tail.directory.members] == list(FILES)
    assert tail.digest == hashlib.sha256(ARCHIVE[tail.directory.directory_offset :]).digest()
    assert "data=" not in repr(tail)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("named", [0, 1, TAIL, len(ARCHIVE) - 1, len(ARCHIVE) + 1, len(ARCHIVE) + TAIL, 10**12])
async def test_size_in_bytes_is_wrong(github: FakeGitHub, named: int) -> None:
    """Storage knows how long the archive is: one more request, and all is right."""
    artifact_id = add(github, archive=ARCHIVE, size_in_bytes=named, digest=None)
    async with opened(github, artifact_id) as archive:
        assert archive.requests == 2
        assert await archive.read("d/one.bin") == FILES["d/one.bin"]
        assert archive.bytes_fetched <= 2 * TAIL + 150_100


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("longest", [2**10, 4 * 2**20])
async def test_long_directory(
    github: FakeGitHub, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    """A directory longer than the tail is fetched by one more range, in memory or through a file."""
    monkeypatch.setattr(remote_directory, "IN_MEMORY", longest)
    files = {f"{'long-name-' * 15}{number}": b"%d" % number for number in range(2000)}
    content = make({"large": noise(200_000), **files})
    artifact_id = add(github, archive=content)
    async with opened(github, artifact_id) as archive:
        assert archive.requests == 2
        assert archive.bytes_fetched == len(content) - archive.directory.directory_offset
        assert len(archive.members) == 2001
        name = f"{'long-name-' * 15}1999"
        assert await archive.read(name) == b"1999"
        await archive.extract([name, "large"], tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {name, "large"}
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("longest", [2**10, 4 * 2**20])
async def test_the_digest_is_the_same_either_way(
    github: FakeGitHub, temporary: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    """In memory or through a file, it is that of the directory and everything after it."""
    monkeypatch.setattr(remote_directory, "IN_MEMORY", longest)
    content = make({"large": noise(200_000), **{f"{'long-name-' * 15}{at}": b"" for at in range(1000)}})
    async with ranged_of(github, add(github, archive=content)) as ranged:
        tail = await read_tail(ranged, len(content), POLICY)
    assert tail.digest == hashlib.sha256(content[tail.directory.directory_offset :]).digest()
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("members", [10, None])
async def test_directory_that_is_too_long_to_be_true(
    github: FakeGitHub, client: ArtifactsClient, monkeypatch: pytest.MonkeyPatch, members: int | None
) -> None:
    """An end record cannot make us fetch a whole archive as its directory, unless there is no limit at all."""
    monkeypatch.setattr(remote_directory, "_LONGEST", 100_000)
    size = 500_000
    end = {"offset": 0, "size": size, "count": 3, "here": 3}
    artifact = await get(client, add(github, archive=build(gap=noise(size), **end)))
    kind = ArchiveLimitError if members else CorruptArchiveError
    with pytest.raises(kind) as caught:
        async with client.open_archive(artifact, policy=ExtractPolicy(max_members=members)):
            pytest.fail("it is not open")
    if members:
        assert (caught.value.limit, caught.value.value) == ("max_members", size + 22)
        assert "raise ExtractPolicy.max_members" in str(caught.value)
        assert github.bytes_sent() == TAIL


@pytest.mark.github_com("ranges")
async def test_zip64_and_a_long_comment(github: FakeGitHub) -> None:
    """End records that lie before the tail are fetched before the directory is."""
    content = build(Entry("a", noise(100_000)), Entry("b", b"2"), zip64={}, comment=b"c" * 65_535)
    async with opened(github, add(github, archive=content)) as archive:
        assert await archive.read("b") == b"2"
        assert archive.directory.comment == b"c" * 65_535
        assert archive.requests == 5  # tail, locator, zip64 record, directory, member


# --- what is refused


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("rule", ["traversal", "absolute", "duplicate", "link", "file-as-folder"])
async def test_the_directory_is_audited(github: FakeGitHub, rule: str) -> None:
    """A directory that the policy rejects is rejected before any member is fetched."""
    async with ranged_of(github, add(github, archive=HOSTILE[rule])) as ranged:
        with pytest.raises(ArchiveError) as caught:
            await read_tail(ranged, len(HOSTILE[rule]), POLICY)
        assert ranged.requests == 1
    assert caught.value.rule.startswith(rule)


async def test_storage_without_ranges(github: FakeGitHub) -> None:
    """It is not asked twice."""
    artifact_id = add(github, archive=ARCHIVE)
    github.faults.ignore_range(artifact_id, times=None)
    async with ranged_of(github, artifact_id) as ranged:
        with pytest.raises(NoRangesError):
            await read_tail(ranged, len(ARCHIVE), POLICY)
        assert (ranged.requests, ranged.bytes_fetched) == (1, 0)


@pytest.mark.parametrize("profile", ["github.com", "ghes-3.8"])
@pytest.mark.parametrize("size", [5, 700_000])
async def test_raw_artifact(profile: str, size: int) -> None:
    """A file that was uploaded as it is has no members; the error says so, and what to do, once."""
    async with FakeGitHub(profile=profile) as github:
        artifact_id = add(github, raw=("log.txt", b"x" * size))
        with pytest.raises(UnsupportedArchiveError) as caught:
            async with opened(github, artifact_id):
                pytest.fail("it is not open")
    assert str(caught.value) == "this artifact is a single file (text/plain), not a zip; download it instead"


async def test_raw_zip(github: FakeGitHub) -> None:
    """What is a zip can be read, whatever storage calls it."""
    artifact_id = add(github, raw=("book.epub", ARCHIVE))
    async with opened(github, artifact_id) as archive:
        assert await archive.read("last.txt") == b"the end"


@pytest.mark.github_com("ranges")
async def test_empty_artifact(github: FakeGitHub) -> None:
    """No bytes are no zip."""
    with pytest.raises(CorruptArchiveError, match="too few for a zip"):
        async with opened(github, add(github, archive=b"")):
            pytest.fail("it is not open")


@pytest.mark.parametrize("content_type", ["application/zip", "application/octet-stream", None])
def test_a_damaged_zip_stays_one(content_type: str | None) -> None:
    """Only what storage calls something else is reported as no zip."""
    error = CorruptArchiveError("no end record", rule="end-record")
    assert not_a_zip(content_type, error) is error


def test_a_rejected_zip_stays_one() -> None:
    """An archive that breaks a rule was readable as a zip, whatever storage calls it."""
    error = ArchiveLimitError("too many", limit="max_members", value=9)
    assert not_a_zip("text/plain", error) is error


# --- afterwards


@pytest.mark.github_com("ranges")
async def test_is_that_of(github: FakeGitHub) -> None:
    """What arrived is the archive that was audited if directory and end are the same; data is not compared."""
    async with ranged_of(github, add(github, archive=ARCHIVE)) as ranged:
        tail = await read_tail(ranged, len(ARCHIVE), POLICY)
    place = tail.directory.directory_offset
    assert tail.is_that_of(BytesReader(ARCHIVE))
    assert tail.is_that_of(BytesReader(b"x" * place + ARCHIVE[place:]))
    assert not tail.is_that_of(BytesReader(ARCHIVE[:place] + b"x" + ARCHIVE[place + 1 :]))
    assert not tail.is_that_of(BytesReader(ARCHIVE[:-1]))
    assert not tail.is_that_of(BytesReader(make({"other": noise(9)}, zipfile.ZIP_STORED)))


@pytest.mark.github_com("ranges")
async def test_tail_of_anything(github: FakeGitHub) -> None:
    """The last bytes are fetched of whatever is stored, and told from storage's length, not from GitHub's."""
    data = noise(100_000)
    for size in (len(data), len(data) - 7):
        artifact_id = add(github, raw=("r.bin", data), raw_size=None, size_in_bytes=size)
        async with ranged_of(github, artifact_id) as ranged:
            assert await fetch_tail(ranged, size) == (data[-TAIL:], len(data))


def test_tail_of_an_archive_on_disk() -> None:
    """The digest is that of the same archive read from storage; another directory has another one."""
    data = make({"a": b"1", "b": b"2"})
    tail = Tail.of(BytesReader(data), audit_directory(BytesReader(data)))
    assert tail.is_that_of(BytesReader(data))
    assert not tail.is_that_of(BytesReader(data.replace(b"b", b"c")))
    assert tail.size == len(data)
