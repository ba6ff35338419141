from __future__ import annotations

import errno
import os
import stat
import time

import pytest

from gh_artifacts_async.archive import (
    BytesReader,
    Extraction,
    audit_reader,
    extract,
    folders,
    staging,
)
from gh_artifacts_async.errors import ArchiveError, UnsafeMemberError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FILE, LINK, Entry, build
from tests.kits.unpacking import contents, posix


@posix
@pytest.mark.parametrize(
    ("umask", "file", "program"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0, 0o644, 0o755)]
)
def test_modes_are_plain(umask, file, program, way, tmp_path, masked):
    """0644 or 0755 less the umask, whatever the archive says: no setuid, nothing unreadable, usable folders."""
    assert way
    masked(umask)
    modes = {"plain": 0o100644, "none": 0o100000, "open": 0o100666, "setuid": 0o104755, "all": 0o100777, "x": 0o100001}
    entries = [Entry(name, b"x", attributes=mode << 16) for name, mode in modes.items()]
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(*entries, Entry("d/", attributes=0o040000 << 16 | 0x10), Entry("d/f", b"x")))
    members = extract(archive, tmp_path / "out")
    found = {member.name: stat.S_IMODE(member.path.stat().st_mode) for member in members}
    assert found == {
        "plain": file,
        "none": file,
        "open": file,
        "setuid": program,
        "all": program,
        "x": program,
        "d/f": file,
    }
    assert {member.name for member in members if member.executable} == {"setuid", "all", "x"}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == program
    assert stat.S_IMODE((tmp_path / "out" / "d").stat().st_mode) == program


@posix
def test_folders_are_usable_under_any_umask(way, mixed, tmp_path, masked):
    """Even where the umask takes the owner's own permissions away."""
    assert way
    masked(0o377)
    extract(mixed, tmp_path / "out")
    masked(0o022)
    assert stat.S_IMODE((tmp_path / "out" / "d" / "e").stat().st_mode) & 0o700 == 0o700
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) & 0o700 == 0o700


def test_times_are_kept_where_they_make_sense(way, tmp_path):
    """The archive's time, unless it is none or lies in the future."""
    assert way
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("good", b"x"), Entry("none", b"x", date=0), Entry("future", b"x", date=0xFF9F)))
    began = time.time()
    extract(archive, tmp_path / "out")
    assert (tmp_path / "out" / "good").stat().st_mtime == 1_704_067_200
    for name in ("none", "future"):
        assert abs((tmp_path / "out" / name).stat().st_mtime - began) < 100


def test_durable_syncs_files_and_folders(way, mixed, tmp_path, monkeypatch):
    """Every file, every folder, and the folder that holds the new one."""
    assert way
    synced = []
    whole = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_ino), whole(descriptor)))
    out = tmp_path / "out"
    extract(mixed, out, durable=True)
    expected = [out, out.parent, *out.rglob("*")]
    if os.name == "nt":
        expected = [path for path in expected if path.is_file()]
    assert sorted(synced) == sorted(path.stat().st_ino for path in expected)


@pytest.mark.slow
def test_deep_trees_are_made_and_removed(way, tmp_path):
    """More folders than may be open at once, in turns; and no recursion however deep."""
    assert way
    names = ["/".join([f"r{root}", *"abcdefghij" * 9, f"{leaf}"]) for leaf in range(3) for root in range(20)]
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(*(Entry(name, name.encode()) for name in names)))
    extract(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {name: name.encode() for name in names}
    deep = "/".join(["d"] * 1500)
    archive.write_bytes(build(Entry(deep, b"x"), Entry("bad", b"x", crc=0)))
    with pytest.raises(ArchiveError):
        extract(archive, tmp_path / "deep", ExtractPolicy(max_depth=None))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]
    staging.remove_tree(tmp_path / "out")


@pytest.mark.skipif(not folders.HAS_DIR_FD, reason="needs dir_fd")
@pytest.mark.parametrize("call", ["open", "mkdir"])
def test_other_failures_of_making_pass_through(call, mixed, tmp_path, monkeypatch):
    """Neither about the name nor about space: the system's own error, and nothing left."""
    whole = getattr(os, call)

    def failing(path: object, *args: object, dir_fd: int | None = None) -> object:
        if str(path) in {"e", "a.txt"}:
            raise PermissionError(errno.EACCES, "denied")
        return whole(path, *args, **({} if dir_fd is None else {"dir_fd": dir_fd}))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(PermissionError):
            extract(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@posix
def test_links_in_an_archive_never_lead_out(tmp_path):
    """They are skipped, and a folder of the same name is created as a plain folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("l", str(outside).encode(), attributes=LINK), Entry("l/f", b"1", attributes=FILE)))
    extract(archive, tmp_path / "out", ExtractPolicy(symlinks="skip"))
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "out" / "l").is_symlink()


@pytest.mark.skipif(not folders.HAS_DIR_FD, reason="needs dir_fd")
def test_a_link_slipped_into_the_staging_folder_is_not_followed(tmp_path):
    """Every folder is opened without following links, and every file must be new."""
    outside = tmp_path / "outside"
    outside.mkdir()
    data = build(Entry("d/f", b"1"), Entry("g", b"2"))
    archive = audit_reader(BytesReader(data))
    with Extraction(archive, tmp_path / "out") as task:
        inside = next(tmp_path.glob(".gh-artifacts-unpacking-*"))
        (inside / "d").rmdir()
        (inside / "d").symlink_to(outside)
        with pytest.raises(OSError, match=r"Not a directory|symbolic"):
            task.extract_members(BytesReader(data), [archive["d/f"]])
        (inside / "g").symlink_to(outside / "g")
        with pytest.raises(UnsafeMemberError):
            task.extract_members(BytesReader(data), [archive["g"]])
    assert list(outside.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
