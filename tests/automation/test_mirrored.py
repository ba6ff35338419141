"""The files of a mirror: what they are, what is removed of them, and twins."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path, PurePosixPath

import attrs
import pytest

from gh_artifacts_async import DownloadResult
from gh_artifacts_async.automation import mirrored
from gh_artifacts_async.automation.mirrored import Hashes
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.transfer.disk.partfile import PartFile
from tests.kits.mirrors import ARTIFACT, DATA, SHA, STOPPED, put, put_folder

# --- what a file is --------------------------------------------------------------------------------------------------


def test_described(tmp_path: Path) -> None:
    """An entry has what the file is, relative to the folder."""
    entry = put(tmp_path)
    assert entry.path == PurePosixPath("main/docs.zip")
    assert (entry.size, entry.sha256, entry.digest) == (7, SHA, ARTIFACT.digest)
    assert entry.modified == (tmp_path / entry.path).stat().st_mtime_ns
    result = DownloadResult(artifact=ARTIFACT, path=tmp_path / entry.path, size=7, digest=None, verified="size")
    assert mirrored.describe(tmp_path, ARTIFACT, result, tmp_path / entry.path) == entry
    assert mirrored.describe(tmp_path, ARTIFACT, result, tmp_path / "docs.zip").raw


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_states(tmp_path: Path, kind: str) -> None:
    """There, missing, or something else; no link is followed, neither at the end nor on the way."""
    entry = put(tmp_path, "main/docs") if kind == "file" else attrs.evolve(put_folder(tmp_path / "main"))
    entry = attrs.evolve(entry, path=PurePosixPath("main/docs"))
    path = tmp_path / "main" / "docs"
    assert mirrored.state(tmp_path, entry) == "there"
    path.rename(tmp_path / "main" / "moved")
    assert mirrored.state(tmp_path, entry) == "missing"
    path.symlink_to(tmp_path / "main" / "moved")
    assert mirrored.state(tmp_path, entry) == "changed"
    path.unlink()
    if kind == "file":
        path.mkdir()
    else:
        path.write_bytes(b"")
    assert mirrored.state(tmp_path, entry) == "changed"
    (tmp_path / "main").rename(tmp_path / "other")
    assert mirrored.state(tmp_path, entry) == "missing"
    (tmp_path / "main").symlink_to(tmp_path / "other")
    assert mirrored.state(tmp_path, entry) == "changed"
    (tmp_path / "main").unlink()
    (tmp_path / "main").write_bytes(b"")
    assert mirrored.state(tmp_path, entry) == "changed"


def test_intact(tmp_path: Path) -> None:
    """Content decides; GitHub's digest does, where there is one, over what the manifest says."""
    entry = put(tmp_path)
    assert mirrored.is_intact(tmp_path, entry, Hashes())
    assert mirrored.is_intact(tmp_path, attrs.evolve(entry, sha256="0" * 64), Hashes())
    assert not mirrored.is_intact(tmp_path, attrs.evolve(entry, digest=None, sha256="0" * 64), Hashes())
    assert not mirrored.is_intact(tmp_path, attrs.evolve(entry, digest=None, sha256=None), Hashes())
    assert not mirrored.is_intact(tmp_path, attrs.evolve(entry, size=8), Hashes())


def test_intact_folder(tmp_path: Path) -> None:
    """A folder is intact if each of its files has its content, its record is there, and no link leads out of it."""
    entry = put_folder(tmp_path)
    assert mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "more.txt").write_text("mine")
    assert mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "sub").rename(tmp_path / "elsewhere")
    (tmp_path / "docs" / "sub").symlink_to(tmp_path / "elsewhere")
    assert not mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "sub").unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "docs" / "sub")
    assert mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "a.txt").rename(tmp_path / "a.txt")
    (tmp_path / "docs" / "a.txt").symlink_to(tmp_path / "a.txt")
    assert not mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "a.txt").unlink()
    (tmp_path / "docs" / "a.txt").write_bytes(b"A.txt")
    assert not mirrored.is_intact(tmp_path, entry, Hashes())


def test_folder_without_its_record(tmp_path: Path) -> None:
    """A killed run may have taken the record away: then everything in the folder counts."""
    entry = put_folder(tmp_path, recorded=False)
    assert mirrored.is_only_ours(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "link").symlink_to("a.txt")
    assert not mirrored.is_intact(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "link").unlink()


def test_only_ours(tmp_path: Path) -> None:
    """A folder to which something was added is intact, and not to be replaced."""
    entry = put_folder(tmp_path)
    assert mirrored.is_only_ours(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "mine.txt").write_text("mine")
    assert mirrored.is_intact(tmp_path, entry, Hashes())
    assert not mirrored.is_only_ours(tmp_path, entry, Hashes())
    (tmp_path / "docs" / "a.txt").write_text("X")
    assert not mirrored.is_only_ours(tmp_path, entry, Hashes())
    assert mirrored.is_only_ours(tmp_path, put(tmp_path), Hashes())


def test_hashes_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read once, with all its links; a change is seen."""
    entry = put(tmp_path)
    path, twin = tmp_path / entry.path, tmp_path / "twin.zip"
    os.link(path, twin)
    read: list[Path] = []
    real = mirrored.hash_file
    monkeypatch.setattr(mirrored, "hash_file", lambda path, stopped: read.append(path) or real(path, stopped))
    hashes = Hashes()
    assert hashes.same(path, SHA)
    assert hashes.same(twin, SHA)
    assert not hashes.same(twin, "0" * 64)
    assert len(read) == 1
    twin.write_bytes(b"changed")
    os.utime(twin, ns=(1, 1))
    assert not hashes.same(path, SHA)
    hashes.learn(path, SHA)
    assert hashes.same(path, SHA)


def test_hashes_of_nothing(tmp_path: Path) -> None:
    """What cannot be read, is no file, or was not read to its end, has no hash."""
    entry = put(tmp_path)
    hashes = Hashes()
    hashes.learn(tmp_path / "missing", SHA)
    hashes.learn(tmp_path, SHA)
    for path in (tmp_path / "missing", tmp_path):
        assert not hashes.same(path, SHA)
    assert not hashes.same(tmp_path / entry.path, SHA, STOPPED)
    assert hashes.same(tmp_path / entry.path, SHA)


def test_file_that_vanishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone between two looks is not taken for untouched."""
    entry = put(tmp_path)
    monkeypatch.setattr(mirrored, "state", lambda *_: "there")
    (tmp_path / entry.path).unlink()
    assert not mirrored.is_untouched(tmp_path, entry, Hashes())


# --- twins -----------------------------------------------------------------------------------------------------------


def twin(folder: Path, source: Path, *, link: bool = True, replace: bool = False, sha256: str = SHA) -> bool:
    """Put ``twin.zip`` into ``other``."""
    path = folder / "other" / "twin.zip"
    part = PartFile.for_artifact(ARTIFACT, path.parent)
    return mirrored.put_twin(
        source,
        path,
        part,
        sha256,
        link=link,
        replace=replace,
        durable=True,
        stopped=threading.Event(),
    )


@pytest.mark.parametrize("link", [True, False])
def test_twins(tmp_path: Path, *, link: bool) -> None:
    """A link is the same file, a copy is one of its own; an existing file is an error, or is replaced."""
    source = tmp_path / put(tmp_path).path
    assert twin(tmp_path, source, link=link)
    path = tmp_path / "other" / "twin.zip"
    assert path.samefile(source) == link
    with pytest.raises(DestinationExistsError, match="already exists"):
        twin(tmp_path, source, link=link)
    assert twin(tmp_path, source, link=link, replace=True)
    path.unlink()
    path.write_bytes(b"?")
    assert twin(tmp_path, source, link=link, replace=True)
    assert path.read_bytes() == DATA
    assert [path.name for path in path.parent.iterdir()] == ["twin.zip"]


def test_copy_of_a_file_that_changes(tmp_path: Path) -> None:
    """A copy is hashed while it is made: a file that has just been changed is not taken."""
    source = tmp_path / put(tmp_path).path
    assert not twin(tmp_path, source, link=False, sha256="0" * 64)
    assert list((tmp_path / "other").iterdir()) == []


def test_copy_that_is_stopped(tmp_path: Path) -> None:
    """A copy that is stopped leaves nothing."""
    source = tmp_path / put(tmp_path).path
    path = tmp_path / "twin.zip"
    part = PartFile.for_artifact(ARTIFACT, tmp_path)
    assert not mirrored.put_twin(source, path, part, SHA, link=False, replace=False, durable=False, stopped=STOPPED)
    assert {path.name for path in tmp_path.iterdir()} == {"main"}


def test_link_that_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that has nothing to do with links is no reason to copy."""
    source = tmp_path / put(tmp_path).path

    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(OSError, match="Input/output error"):
        twin(tmp_path, source)
