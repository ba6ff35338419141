from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from gh_artifacts_async.archive import (
    Extraction,
    FileReader,
    audit_reader,
    extract,
    extract_all,
    staging,
)
from gh_artifacts_async.errors import DestinationExistsError, OutOfSpaceError
from tests.kits.unpacking import MIXED, contents, posix


@posix
def test_an_empty_folder_is_filled_and_keeps_its_mode(mixed, tmp_path):
    """Whoever made it private wants it so."""
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    extract(mixed, out)
    assert contents(out) == MIXED
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_a_full_folder_is_left_alone(mixed, tmp_path):
    """There is no merging; nothing is written, and the message says what to do."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"1")
    with pytest.raises(DestinationExistsError, match="not empty") as caught:
        extract(mixed, out)
    assert caught.value.filename == str(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert contents(out) == {"mine": b"1"}


def test_a_full_folder_may_be_replaced(mixed, tmp_path):
    """The old folder is removed only once the new one is complete, and nothing of it is left."""
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "mine").write_bytes(b"1")
    extract(mixed, out, if_exists="replace")
    assert contents(out) == MIXED
    extract(mixed, out, if_exists="replace")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    extract(mixed, tmp_path / "new", if_exists="replace")
    assert contents(tmp_path / "new") == MIXED


@posix
@pytest.mark.parametrize("if_exists", ["error", "replace"])
def test_files_and_links_are_never_replaced(if_exists, mixed, tmp_path):
    """Only a folder takes a folder's place."""
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("file", "link", "dangling"):
        with pytest.raises(DestinationExistsError, match="left as it is"):
            extract(mixed, tmp_path / name, if_exists=if_exists)
    with pytest.raises(NotADirectoryError):
        extract(mixed, tmp_path / "file" / "out", if_exists=if_exists)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_old_folder_comes_back_when_the_new_one_cannot(mixed, tmp_path, monkeypatch):
    """Between the two renames anything may go wrong, a keyboard interrupt too."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"1")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".gh-artifacts-unpacking-" in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        extract(mixed, out, if_exists="replace")
    assert contents(out) == {"mine": b"1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@posix
@pytest.mark.parametrize("thing", ["file", "folder"])
def test_what_comes_into_the_way_meanwhile_stays(thing, mixed, tmp_path):
    """The destination was free at the start, and is taken at the end."""
    out = tmp_path / "out"
    with FileReader(mixed) as reader, Extraction(audit_reader(reader), out) as task:
        extract_all(task, reader)
        if thing == "file":
            out.write_bytes(b"1")
        else:
            out.mkdir()
            (out / "mine").write_bytes(b"1")
        with pytest.raises(DestinationExistsError):
            task.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert out.read_bytes() == b"1" if thing == "file" else contents(out) == {"mine": b"1"}


def test_other_failures_of_the_rename_pass_through(mixed, tmp_path, monkeypatch):
    """A permission that went away is no destination that is taken."""

    def failing(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(PermissionError):
        extract(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_staging_folder_that_cannot_be_made_leaves_nothing(mixed, tmp_path, monkeypatch):
    """The parents that were made for it go, too."""

    def failing(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(staging.Staging, "_probe_mode", failing)
        with pytest.raises(OutOfSpaceError):
            extract(mixed, tmp_path / "x" / "y" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@posix
def test_removing_follows_no_link_and_goes_on_after_failures(tmp_path, monkeypatch):
    """What cannot be removed is left, and everything else goes."""
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_bytes(b"1")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "stuck").write_bytes(b"1")
    (tree / "link").symlink_to(keep)
    unlink = os.unlink

    def failing(path: str) -> None:
        if path.endswith("stuck"):
            raise PermissionError(errno.EACCES, "denied")
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing)
        staging.remove_tree(tree)
    assert [path.name for path in tree.rglob("*")] == ["sub", "stuck"]
    assert contents(keep) == {"file": b"1"}


@posix
def test_windows_steps_are_taken_there(mixed, tmp_path, monkeypatch):
    """An empty folder is removed before the rename, a busy one waited for, and no folder is synced."""
    monkeypatch.setattr(staging, "_WINDOWS", True)
    monkeypatch.setattr(staging, "_SCANNER_PATIENCE", (0.0, 0.0))
    rename, held = Path.rename, []

    def busy(self: Path, target: Path) -> Path:
        if len(held) < 1:
            held.append(self)
            raise PermissionError(errno.EACCES, "used by another process")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", busy)
    out = tmp_path / "out"
    out.mkdir()
    extract(mixed, out, durable=True)
    assert contents(out) == MIXED
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "held")))
    (tmp_path / "held").mkdir()
    with pytest.raises(PermissionError):
        extract(mixed, tmp_path / "held")
    assert list((tmp_path / "held").iterdir()) == []
