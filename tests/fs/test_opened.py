"""Open artifacts: the folders of an archive, and what it weighs."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactRef, ArtifactsError, RetryPolicy
from gh_artifacts_async.fs.loops import FileSystemClient
from gh_artifacts_async.fs.opened import Entry, Opened, found_at
from tests.kits.fs import REPO, SMALL, add, zipped

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub


async def opened(github: FakeGitHub, number: int) -> Opened:
    """Open an artifact with a client of its own."""
    async with FileSystemClient("token", base_url=github.base_url, retry=RetryPolicy(attempts=1)) as client:
        return await Opened.open(client.transfers(), ArtifactRef(REPO, number))


async def test_folders(github: FakeGitHub) -> None:
    """Those that members name, those that are only parts of names, and the empty ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/b/c.txt", b"c")
        archive.writestr("empty/", b"")
        archive.writestr("top.txt", b"top")
    it = await opened(github, add(github, archive=buffer.getvalue()))
    assert [entry.path for entry in await it.listing("") or []] == ["a", "empty", "top.txt"]
    assert [entry.path for entry in await it.listing("a") or []] == ["a/b"]
    assert [entry.path for entry in await it.listing("a/b") or []] == ["a/b/c.txt"]
    assert await it.listing("empty") == []
    assert await it.listing("top.txt") is None
    assert await it.find("") == Entry(path="")
    assert await it.find("a") == Entry(path="a")
    assert await it.find("empty") == Entry(path="empty")
    assert await it.find("nothing") is None
    top = await it.find("top.txt")
    assert top is not None
    assert (top.size, top.compression) == (3, None)
    it.close()


async def test_the_uploaders_folders(github: FakeGitHub) -> None:
    """A folder that the official uploader stores as an empty file is a folder."""
    it = await opened(github, add(github, archive=zipped({"d": b"", "d/b.json": b"{}"})))
    assert await it.find("d") == Entry(path="d")
    assert [entry.path for entry in await it.listing("d") or []] == ["d/b.json"]
    it.close()


@pytest.mark.github_com("ranges")
async def test_weight(github: FakeGitHub) -> None:
    """A tail, and something for each file."""
    few = await opened(github, add(github))
    many = await opened(github, add(github, files={f"{at}.txt": b"x" for at in range(500)}))
    single = await opened(github, add(github, raw=("x", b"x")))
    assert 64 * 1024 <= single.weight < few.weight < many.weight < 200_000
    for it in (few, many, single):
        it.close()


@pytest.mark.parametrize("github", ["ghes-3.4"], indirect=True)
async def test_what_is_in_a_temporary_file(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts with its size, and goes when the artifact is closed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    number = add(github)
    it = await opened(github, number)
    assert it.weight >= 64 * 1024 + len(github.content(number))
    assert list(tmp_path.iterdir())
    it.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("github", ["ghes-3.4"], indirect=True)
async def test_an_artifact_that_does_not_open(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    number = add(github, archive=b"PK\x05\x06 no zip", content_type="application/zip")
    with pytest.raises(ArtifactsError):
        await opened(github, number)
    assert not list(tmp_path.iterdir())


def test_found_at():
    """What is not there is not found."""
    entry = Entry(path="a", name="a")
    assert found_at("x/a", entry) is entry
    with pytest.raises(FileNotFoundError, match="no such file or folder") as caught:
        found_at("x/a", None)
    assert caught.value.filename == "x/a"
    assert list(SMALL)
