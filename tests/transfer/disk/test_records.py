"""The small JSON beside results: which artifact a file, or an extracted folder, is."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import attrs
import pytest

from gh_artifacts_async import Artifact, Digest, OutOfSpaceError, RepositoryName
from gh_artifacts_async.transfer.disk import records, verify
from gh_artifacts_async.transfer.disk.records import (
    FileRecord,
    MergeRecord,
    read_file_record,
    read_folder_record,
    read_merge_record,
    record_path,
    set_aside,
    stage_file_record,
    stage_folder_record,
    stage_merge_record,
    sweep_staged,
)
from tests.kits.transfer import everything, names

DATA = b"0123456789"
SHA = hashlib.sha256(DATA * 2).hexdigest()
ARTIFACT = Artifact(
    id=7,
    node_id="n",
    name="docs",
    size_in_bytes=len(DATA),
    url="u",
    archive_download_url="u/zip",
    expired=False,
    repository=RepositoryName("o", "r"),
)
FILES = {"a.txt": b"1", "d/b.bin": b"22", "d/e/c": b""}


def write_file_record(path: Path, record: FileRecord) -> None:
    """Put a record in place beside a file that is there already."""
    staged = stage_file_record(path, record, path)
    try:
        staged.put_in_place()
    finally:
        staged.discard()


# --- files


def test_a_file_record_tells_which_artifact_a_file_is(tmp_path: Path) -> None:
    """Where GitHub's size is not that of the bytes, the record decides; changed bytes are found by their sha256."""
    path, data = tmp_path / "docs.zip", DATA * 2
    path.write_bytes(data)
    assert not verify.is_same(ARTIFACT, path)
    write_file_record(path, FileRecord(artifact_id=7, size=len(data), sha256=SHA))
    assert record_path(path) == tmp_path / ".docs.zip.gh-artifacts.json"
    assert everything(tmp_path) == {"docs.zip", ".docs.zip.gh-artifacts.json"}
    assert read_file_record(path) == FileRecord(artifact_id=7, size=20, sha256=SHA)
    assert verify.is_same(ARTIFACT, path)
    assert not verify.is_same(attrs.evolve(ARTIFACT, id=8), path)
    path.write_bytes(data[::-1])
    assert not verify.is_same(ARTIFACT, path)
    path.write_bytes(data + b"x")
    assert not verify.is_same(ARTIFACT, path)
    for _ in range(2):
        with set_aside(path):
            assert not record_path(path).exists()
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"7", b"{}", b'{"version": 99}', b'{"version": 1}', b"\xff", b"[" * 5000]
)
def test_a_damaged_file_record_says_nothing(tmp_path: Path, damage: bytes) -> None:
    """It is no error either."""
    path = tmp_path / "docs.zip"
    path.write_bytes(DATA * 2)
    record_path(path).write_bytes(damage)
    assert read_file_record(path) is None
    assert not verify.is_same(ARTIFACT, path)


def test_a_record_of_another_version_says_nothing(tmp_path: Path) -> None:
    """A later version may mean something else by the same fields."""
    path = tmp_path / "docs.zip"
    path.write_bytes(DATA * 2)
    write_file_record(path, FileRecord(artifact_id=7, size=20, sha256=SHA))
    record = json.loads(record_path(path).read_text())
    record_path(path).write_text(json.dumps({**record, "version": 2}))
    assert read_file_record(path) is None


def test_a_failed_file_record_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be put in place leaves no temporary file."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "no")

    (tmp_path / "docs.zip").write_bytes(DATA)
    monkeypatch.setattr(type(tmp_path), "replace", refuse)
    with pytest.raises(OSError, match="no"):
        write_file_record(tmp_path / "docs.zip", FileRecord(artifact_id=7, size=10, sha256=SHA))
    assert os.listdir(tmp_path) == ["docs.zip"]  # noqa: PTH208 - Path is patched


# --- folders


def extracted(artifact: Artifact, folder: Path) -> Path:
    """Make a folder as an extraction leaves it, with its record."""
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    sizes = {name: len(data) for name, data in FILES.items()}
    staged = stage_folder_record(artifact, folder, sizes, folder, durable=True)
    staged.put_in_place()
    staged.discard()
    return folder


def test_a_folder_record_tells_the_members(tmp_path: Path) -> None:
    """Their names, sizes and paths; more files in the folder are no harm."""
    folder = extracted(ARTIFACT, tmp_path / "docs")
    (folder / "mine").write_text("more is no harm")
    members = read_folder_record(ARTIFACT, folder)
    assert members is not None
    assert {member.name: member.path.read_bytes() for member in members} == FILES
    assert json.loads(record_path(folder).read_text()) == {
        "version": 1,
        "id": 7,
        "inode": folder.stat().st_ino,
        "digest": None,
        "members": {"a.txt": 1, "d/b.bin": 2, "d/e/c": 0},
    }


def test_what_is_not_the_same(tmp_path: Path) -> None:
    """Another artifact, another digest, a changed or missing member, no folder."""
    one = attrs.evolve(ARTIFACT, digest=Digest("sha256", "1" * 64))
    folder = extracted(one, tmp_path / "docs")
    assert read_folder_record(one, folder) is not None
    for other in (
        attrs.evolve(one, id=8),
        attrs.evolve(one, digest=Digest("sha256", "0" * 64)),
        attrs.evolve(one, digest=None),
    ):
        assert read_folder_record(other, folder) is None
    (folder / "a.txt").write_text("22")
    assert read_folder_record(one, folder) is None
    (folder / "a.txt").unlink()
    assert read_folder_record(one, folder) is None
    (folder / "a.txt").write_text("1")
    assert read_folder_record(one, folder) is not None
    folder.rename(tmp_path / "elsewhere")
    assert read_folder_record(one, folder) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", "{}", '{"version": 2}', '{"version": 1, "id": 7, "digest": null}', "\udcff"]
)
def test_a_damaged_folder_record_says_nothing(tmp_path: Path, text: str) -> None:
    """Whatever stands in a record's place is no error."""
    folder = extracted(ARTIFACT, tmp_path / "docs")
    record_path(folder).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_folder_record(ARTIFACT, folder) is None
    wrong: list[Any] = [[], None, {"a.txt": "1"}, {"\0": 1}, {"../docs/a.txt/x": 1}]
    for members in wrong:
        record_path(folder).write_text(json.dumps({"version": 1, "id": 7, "digest": None, "members": members}))
        assert read_folder_record(ARTIFACT, folder) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_folder_record_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """It is written before the folder appears; where that fails, nothing is left."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        stage_folder_record(ARTIFACT, tmp_path / "docs", {}, tmp_path, durable=True)
    assert isinstance(caught.value, OutOfSpaceError) is (number == errno.ENOSPC)
    assert names(tmp_path) == set()


# --- what a killed process leaves


def test_a_staged_record_counts_once_its_result_is_in_place(tmp_path: Path) -> None:
    """It is read where it is, and gets its final name by a sweep, but only beside what it is about."""
    folder, artifact = tmp_path / "docs", ARTIFACT
    folder.mkdir()
    staged = stage_folder_record(artifact, folder, {}, folder, durable=False)
    (left,) = tmp_path.glob(".docs.gh-artifacts.json.*.new")
    assert read_folder_record(artifact, folder) == ()
    sweep_staged(left)
    assert left.exists()  # its process lives
    data = left.read_bytes()
    staged.discard()
    left.write_bytes(data)
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    assert read_folder_record(artifact, folder) is None
    folder.rmdir()
    (tmp_path / "moved").rename(folder)
    sweep_staged(left)
    assert names(tmp_path) == {".docs.gh-artifacts.json"}
    assert read_folder_record(artifact, folder) == ()


@pytest.mark.parametrize("cut", [0, 5, 30, -1, None])
def test_a_staged_record_without_its_result_goes(tmp_path: Path, cut: int | None) -> None:
    """Cut short, or about something that is not there."""
    folder = tmp_path / "docs"
    folder.mkdir()
    staged = stage_folder_record(ARTIFACT, folder, {"a": 1}, folder if cut is not None else tmp_path, durable=False)
    (left,) = tmp_path.glob(".docs.gh-artifacts.json.*.new")
    data = left.read_bytes()
    staged.discard()
    left.write_bytes(data[:cut])
    sweep_staged(left)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("fails", [False, True])
def test_the_record_of_what_is_replaced_is_out_of_the_way(tmp_path: Path, *, fails: bool) -> None:
    """It is set aside in the block, and comes back if the block fails."""
    folder = extracted(ARTIFACT, tmp_path / "docs")

    def replace() -> None:
        with set_aside(folder):
            assert not record_path(folder).exists()
            if fails:
                raise LookupError

    if fails:
        with pytest.raises(LookupError):
            replace()
    else:
        replace()
    assert record_path(folder).exists() is fails
    assert len([path for path in tmp_path.iterdir() if path != folder]) == int(fails)


def test_a_staged_record_that_was_swept_at_once_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may see the empty file, and remove it, before it is locked."""
    seen: list[Path] = []

    def lock(_descriptor: int) -> bool:
        (it,) = tmp_path.glob(".docs.gh-artifacts.json.*.new")
        seen.append(it)
        if len(seen) == 1:
            it.unlink()
        return len(seen) != 2 or bool(it.unlink())

    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(records, "lock", lock)
    staged = stage_folder_record(ARTIFACT, tmp_path / "docs", {}, tmp_path / "docs", durable=False)
    assert len(set(seen)) == 3
    staged.put_in_place()
    assert read_folder_record(ARTIFACT, tmp_path / "docs") == ()


# --- merged folders


def test_a_merge_record_tells_of_which_artifacts_a_folder_is(tmp_path: Path) -> None:
    """The record has ids, digests and sizes; it is true for exactly these artifacts, in any order."""
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "a").write_bytes(DATA)
    other = attrs.evolve(ARTIFACT, id=8, digest=Digest("sha256", SHA))
    staged = stage_merge_record(folder, MergeRecord.of([ARTIFACT, other], "newest", {"a": 10}), folder, durable=True)
    staged.put_in_place()
    record = read_merge_record(folder)
    assert record is not None
    assert record.is_of([other, ARTIFACT])
    assert not record.is_of([ARTIFACT])
    assert not record.is_of([ARTIFACT, attrs.evolve(other, digest=None)])
    assert record.conflicts == "newest"
    assert [member.path for member in record.files(folder) or ()] == [folder / "a"]
    assert read_folder_record(ARTIFACT, folder) is None
    (folder / "a").write_bytes(b"longer than before")
    assert record.files(folder) is None
    (folder / "a").unlink()
    assert record.files(folder) is None


@pytest.mark.parametrize("name", ["../mine", "d/../../mine", "{}/mine"])
def test_a_name_that_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """A forged record says nothing: no file outside its folder is taken for a member."""
    folder = tmp_path / "dist"
    (folder / "d").mkdir(parents=True)
    (tmp_path / "mine").write_bytes(b"1")
    members = {name.format(tmp_path): 1}
    stage_folder_record(ARTIFACT, folder, members, folder, durable=False).put_in_place()
    assert read_folder_record(ARTIFACT, folder) is None
    stage_merge_record(folder, MergeRecord.of([ARTIFACT], "error", members), folder, durable=False).put_in_place()
    record = read_merge_record(folder)
    assert record is not None
    assert record.files(folder) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1, "id": 0}', '{"version": 1, "id": 0, "artifacts": 7}'])
def test_a_damaged_merge_record_is_none(tmp_path: Path, text: str) -> None:
    """What is no record of a merge, or of nothing that is there, tells nothing."""
    folder = tmp_path / "dist"
    assert read_merge_record(folder) is None
    record_path(folder).write_text(text)
    assert read_merge_record(folder) is None
    folder.mkdir()
    assert read_merge_record(folder) is None


def test_a_staged_merge_record_is_swept(tmp_path: Path) -> None:
    """Like any other: it is put in place where its folder is, else removed."""
    folder = tmp_path / "dist"
    folder.mkdir()
    staged = stage_merge_record(folder, MergeRecord.of([ARTIFACT], "error", {}), folder, durable=False)
    staged._close()  # as a process that is killed
    assert read_merge_record(folder) is not None
    (left,) = tmp_path.glob(".dist.gh-artifacts.json.*")
    sweep_staged(left)
    assert everything(tmp_path) == {".dist.gh-artifacts.json"}
