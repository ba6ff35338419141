"""What the transfers ask of a file system, and where a system has it otherwise."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import DestinationExistsError, OutOfSpaceError
from gh_artifacts_async.transfer.disk import filesystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]


def failing(number: int) -> Callable[..., Any]:
    """Return a function that fails with that number of the system's."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", FULL)
def test_full(tmp_path: Path, number: int) -> None:
    """A full disk, quota or file-size limit is OutOfSpaceError, with path, number, need and what is free."""
    with (
        pytest.raises(OutOfSpaceError, match="free some space") as caught,
        filesystem.space_errors(tmp_path / "x", 1000),
    ):
        failing(number)()
    error = caught.value
    assert (error.errno, error.filename, error.needed) == (number, str(tmp_path / "x"), 1000)
    assert error.free is not None
    assert error.free > 0


def test_other_errors_pass(tmp_path: Path) -> None:
    """Any other OSError is not touched, nor is an OutOfSpaceError once more."""
    with pytest.raises(PermissionError), filesystem.space_errors(tmp_path):
        failing(errno.EACCES)()
    known = OutOfSpaceError("told already")
    with pytest.raises(OutOfSpaceError) as caught, filesystem.space_errors(tmp_path):
        raise known
    assert caught.value is known


def test_free_bytes(tmp_path: Path) -> None:
    """What is free is a number, or None where the system does not say."""
    assert filesystem.free_bytes(tmp_path)
    assert filesystem.free_bytes(tmp_path / "absent") is None
    assert "are free" not in str(filesystem.out_of_space(tmp_path / "absent" / "x", needed=5))


def test_make_folder(tmp_path: Path) -> None:
    """A folder is made with its parents, and may be there."""
    filesystem.make_folder(tmp_path / "a" / "b")
    filesystem.make_folder(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    filesystem.make_folder(tmp_path / "link" / "c")
    assert (tmp_path / "a" / "c").is_dir()


@pytest.mark.parametrize("place", ["file", "file/below", "dangling"])
def test_make_folder_where_a_file_is(tmp_path: Path, place: str) -> None:
    """A file in a folder's place, or above it, is DestinationExistsError."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DestinationExistsError, match="a file is in the way"):
        filesystem.make_folder(tmp_path / place)


def test_make_folder_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told as such."""
    monkeypatch.setattr(type(tmp_path), "mkdir", failing(errno.ENOSPC))
    with pytest.raises(OutOfSpaceError):
        filesystem.make_folder(tmp_path / "x")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make a finished file."""
    path = tmp_path / "part"
    path.write_bytes(b"new")
    return path


@pytest.mark.parametrize("replace", [True, False])
def test_put_in_place(source: Path, tmp_path: Path, *, replace: bool) -> None:
    """A finished file gets its name, and only that is left."""
    filesystem.put_in_place(source, tmp_path / "final", replace=replace)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"final": b"new"}


def test_replaces(source: Path, tmp_path: Path) -> None:
    """With replace an older file's place is taken."""
    (tmp_path / "final").write_bytes(b"old")
    filesystem.put_in_place(source, tmp_path / "final", replace=True)
    assert (tmp_path / "final").read_bytes() == b"new"


@pytest.mark.parametrize("number", [None, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV])
def test_does_not_replace(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int | None) -> None:
    """Without replace nothing is overwritten, also where the file system knows no hard links."""
    if number is not None:
        monkeypatch.setattr(os, "link", failing(number))
    (tmp_path / "final").write_bytes(b"old")
    with pytest.raises(DestinationExistsError, match="already exists") as caught:
        filesystem.put_in_place(source, tmp_path / "final", replace=False)
    assert caught.value.filename == str(tmp_path / "final")
    assert (source.read_bytes(), (tmp_path / "final").read_bytes()) == (b"new", b"old")
    (tmp_path / "final").unlink()
    filesystem.put_in_place(source, tmp_path / "final", replace=False)
    assert (tmp_path / "final").read_bytes() == b"new"


@pytest.mark.parametrize("replace", [True, False])
def test_folder_or_link_in_the_way(source: Path, tmp_path: Path, *, replace: bool) -> None:
    """A folder in the way stays; a symbolic link is never written through."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(DestinationExistsError):
        filesystem.put_in_place(source, tmp_path / "folder", replace=replace)
    target = tmp_path / "target"
    target.write_bytes(b"target")
    (tmp_path / "link").symlink_to(target)
    if replace:
        filesystem.put_in_place(source, tmp_path / "link", replace=True)
        assert not (tmp_path / "link").is_symlink()
    else:
        with pytest.raises(DestinationExistsError):
            filesystem.put_in_place(source, tmp_path / "link", replace=False)
    assert target.read_bytes() == b"target"


def test_other_trouble_with_links(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not about links is raised."""
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        filesystem.put_in_place(source, tmp_path / "final", replace=False)


def test_windows_rename(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a rename fails by itself where the name is taken."""
    monkeypatch.setattr(filesystem.sys, "platform", "win32")
    filesystem.put_in_place(source, tmp_path / "final", replace=False)
    assert (tmp_path / "final").read_bytes() == b"new"
    filesystem.sync_folder(tmp_path / "absent")
    assert filesystem.lock(-1)


def test_sync_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is fsynced; a file system that cannot is no error."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    filesystem.sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    filesystem.sync_folder(tmp_path)
    assert len(synced) == 1


def test_lock(source: Path) -> None:
    """A lock holds against a second descriptor, and ends with the first."""
    first, second = os.open(source, os.O_RDWR), os.open(source, os.O_RDWR)
    assert filesystem.lock(first)
    assert not filesystem.lock(second)
    os.close(first)
    assert filesystem.lock(second)
    os.close(second)


def test_lock_that_the_system_does_not_have(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks counts as granting them."""
    import fcntl

    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with source.open("rb") as file:
        assert filesystem.lock(file.fileno())
