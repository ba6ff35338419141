"""What killed extractions leave: whose it is, what goes, and what is put back."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.archive import Extraction, audit, extract, leftovers
from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.errors import OutOfSpaceError
from tests.kits.zips import LEFT_MARKER, LEFT_STATE, SWEPT, entries, leave_extraction, make, tree

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"a.txt": b"1", "d/b.bin": b"22"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks, users and FIFOs as POSIX has them")


def _zipped(path: Path) -> Path:
    path.write_bytes(make(FILES))
    return path


@pytest.mark.parametrize("locks", [None, True])
def test_row_08_where_locks_do_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, locks: bool | None) -> None:
    """Without locks nothing is swept; where everyone gets them, who is robbed fails, and leaves no torn folder."""
    archive = _zipped(tmp_path / "new.zip")
    monkeypatch.setattr(leftovers, "_locked", lambda _: locks)
    with Extraction(audit(archive), tmp_path / "in" / "docs", members=()) as extraction:
        sweep_beside(tmp_path / "in" / "docs")
        if locks:
            with pytest.raises(FileNotFoundError):
                extraction.commit()
        else:
            extraction.commit()
    assert entries(tmp_path / "in") == (set() if locks else {"docs"})


@pytest.mark.parametrize(("left", "stays"), SWEPT)
def test_row_08_what_is_swept(tmp_path: Path, left: tuple[str, ...], stays: dict[str, bytes]) -> None:
    """The staging folder goes; the old folder comes back, unless the new one has its place."""
    leave_extraction(tmp_path, *left)
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == stays
    assert len(entries(tmp_path)) == len(stays)


@pytest.mark.parametrize("destination", ["[" * 5000, '"do\\u0000cs"', "null", "[]", '"../docs"', '".."'])
def test_row_08_a_marker_that_names_no_folder(tmp_path: Path, destination: str) -> None:
    """A marker that was damaged or forged moves nothing: what it stands for stays, and so does all else."""
    leave_extraction(tmp_path, "old")
    (tmp_path / LEFT_MARKER).write_text(f'{{"version": 1, "destination": {destination}}}')
    before = tree(tmp_path)
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == before


def test_row_08_the_only_copy_is_never_lost(tmp_path: Path) -> None:
    """An old folder whose name someone else has taken meanwhile is kept, with all that tells where it belongs."""
    leave_extraction(tmp_path, "old", "unpacking", "docs")
    before = tree(tmp_path)
    for _ in range(2):
        sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("windows", [False, True])
def test_row_08_an_empty_folder_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, windows: bool) -> None:
    """A script may have made the destination again: the old folder is put back into its place."""
    monkeypatch.setattr(leftovers, "_WINDOWS", windows)
    leave_extraction(tmp_path, "old", "unpacking")
    (tmp_path / "docs").mkdir()
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == {"docs/old": b"old"}


def test_row_08_what_cannot_be_removed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker stays until everything else is gone."""
    leave_extraction(tmp_path, "unpacking")
    with monkeypatch.context() as patch:
        patch.setattr(leftovers.os, "rmdir", lambda _: (_ for _ in ()).throw(PermissionError("no")))
        sweep_beside(tmp_path / "docs")
    assert LEFT_MARKER in entries(tmp_path)
    assert len(entries(tmp_path)) == 2
    sweep_beside(tmp_path / "docs")
    assert entries(tmp_path) == set()


def test_row_08_what_another_userleave_extraction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that several users write to, each clears away what is theirs."""
    leave_extraction(tmp_path, "unpacking", "docs")
    before = tree(tmp_path)
    user = os.geteuid()
    monkeypatch.setattr(leftovers.os, "geteuid", lambda: user + 1)
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("windows", [False, True])
def test_row_08_a_marker_that_was_swept_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, windows: bool
) -> None:
    """Another process may see the empty file, and remove it, before it is locked: another one is made."""
    monkeypatch.setattr(leftovers, "_WINDOWS", windows)
    locked, answers = leftovers._locked, [False]

    def swept(descriptor: int) -> bool | None:
        for name in entries(tmp_path) if answers else ():
            (tmp_path / name).unlink()
        return answers.pop() if answers else locked(descriptor)

    monkeypatch.setattr(leftovers, "_locked", swept)
    marker = leftovers.Marker(tmp_path / "docs")
    (name,) = entries(tmp_path)
    assert (tmp_path / name).read_text() == LEFT_STATE
    for _ in range(2):
        marker.remove()
    assert entries(tmp_path) == set()


def test_row_08_a_marker_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is removed, and so are the parents that were made for it."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    archive = _zipped(tmp_path / "new.zip")
    monkeypatch.setattr(leftovers.os, "write", full)
    with pytest.raises(OutOfSpaceError):
        extract(archive, tmp_path / "a" / "b" / "docs")
    assert entries(tmp_path) == {"new.zip"}


@pytest.mark.parametrize("what", ["folder", "link", "fifo"])
def test_row_08_a_marker_is_a_file(tmp_path: Path, what: str) -> None:
    """Anything else of that name is not ours."""
    leave_extraction(tmp_path, "unpacking")
    place = tmp_path / LEFT_MARKER
    place.rename(tmp_path / "target")
    if what == "folder":
        place.mkdir()
    elif what == "link":
        place.symlink_to("target")
    else:
        os.mkfifo(place)
    before = entries(tmp_path)
    sweep_beside(tmp_path / "docs")
    assert entries(tmp_path) == before
