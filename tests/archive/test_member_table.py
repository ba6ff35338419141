from __future__ import annotations

import subprocess
import sys

import attrs
import pytest

from gh_artifacts_async.archive import MemberTable
from gh_artifacts_async.archive.member_table import MemberStore
from tests.kits.archives import FOLDER, LINK, Entry, build, unicode_path
from tests.kits.unpacking import audited

NAMES = ["a.txt", "d/", "d/é.txt", "d/run", "z"]


def _table() -> MemberTable:
    return audited(
        build(
            Entry("a.txt", b"alpha"),
            Entry("d/", attributes=FOLDER),
            Entry(b"d/\x82.txt", b"1", maker=0, attributes=0),
            Entry("link", b"a.txt", attributes=LINK),
            Entry("d/run", b"22", attributes=0o100755 << 16),
            Entry(b"\x83", b"", maker=0, extra=unicode_path(b"\x83", "z")),
        ),
        symlinks="skip",
    ).members


def test_it_is_a_sequence_of_members():
    """Indexing, slicing, iterating, counting and comparing, as with a tuple."""
    members = _table()
    assert [member.name for member in members] == NAMES
    assert len(members) == 5
    assert members[-1].name == "z"
    assert [member.name for member in members[1:3]] == NAMES[1:3]
    assert members[0] in members
    assert members.index(members[2]) == 2
    assert members == tuple(members) == _table()
    assert hash(members) == hash(tuple(members))
    assert members != members[:2]
    assert members != "abcde"
    assert members != 5
    assert [member.name for member in reversed(members)] == NAMES[::-1]
    with pytest.raises(IndexError):
        members[5]
    assert repr(members) == "<MemberTable of 5 members>"


def test_members_keep_all_that_they_are():
    """What is packed comes out again, names as they are stored and as they are read."""
    members = {member.name: member for member in _table()}
    assert {name: member.raw_name for name, member in members.items()} == {
        "a.txt": b"a.txt",
        "d/": b"d/",
        "d/é.txt": b"d/\x82.txt",
        "d/run": b"d/run",
        "z": b"\x83",
    }
    assert [name for name, member in members.items() if member.executable] == ["d/run"]
    assert [name for name, member in members.items() if member.is_dir] == ["d/"]
    assert members["d/run"].data_offset == members["d/run"].header_offset + 30 + 5
    assert members["a.txt"] != members["z"]


def test_parts_of_it_are_given_without_the_rest():
    """Names, extents and summaries of the members, and its files as a table of their own."""
    members = _table()
    assert list(members.names()) == NAMES
    assert list(members.extents()) == [(member.size, member.header_offset) for member in members]
    assert list(members.summaries()) == [
        ("a.txt", 5, False),
        ("d/é.txt", 1, False),
        ("d/run", 2, True),
        ("z", 0, False),
    ]
    assert [member.name for member in members.files()] == ["a.txt", "d/é.txt", "d/run", "z"]
    assert [member.name for member in members.at([4, 0])] == ["z", "a.txt"]
    assert [member.name for member in audited(build(Entry("b"), Entry("c"))).members.at([1])] == ["c"]


def test_members_are_found_by_name(monkeypatch):
    """Exactly, whatever their hashes."""
    for _ in range(2):
        members = _table()
        assert [members.find(name) for name in NAMES] == list(members)
        assert members.find("link") is None
        assert members.find("none") is None
        monkeypatch.setattr("gh_artifacts_async.archive.member_table.hash", lambda _: 7, raising=False)


def test_file_order_is_that_of_the_headers():
    """The order in which members arrive, also where the directory has another one."""
    data = bytearray(build(Entry("a", b"1"), Entry("b", b"2"), Entry("l", b"a", attributes=LINK)))
    at, end = data.index(b"PK\1\2"), data.rindex(b"PK\5\6")
    data[at:end] = data[at + 47 : end] + data[at : at + 47]
    for policy in ("skip", "reject"):
        if policy == "reject":
            data = data.replace((0o120777 << 16).to_bytes(4, "little"), (0o100644 << 16).to_bytes(4, "little"))
        members = audited(bytes(data), symlinks=policy).members
        names = [name for name in ("b", "l", "a") if policy == "reject" or name != "l"]
        assert [member.name for member in members] == names
        assert [member.name for member in members.in_file_order()] == sorted(names)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_a_member_takes_less_than_200_bytes(tmp_path):
    """An audit of 300,000 members, its working memory included."""
    count = 300_000
    path = tmp_path / "a.zip"
    path.write_bytes(build(*(Entry(f"folder-{n // 1000}/file-{n}.txt", b"x") for n in range(count)), zip64={}))
    code = (
        "import resource, sys\n"
        "from gh_artifacts_async.archive import audit\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "archive = audit(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 200 * count


def test_members_of_several_archives():
    """A copy in another table is the same member, but for its folder, and with the name as it was stored."""
    theirs = _table().store
    store = MemberStore(2 * len(theirs))
    for index in (5, 2, 4):
        store.adopt(theirs, index, folders=[7, 9])
    copies = MemberTable(store, range(3))
    assert [member.name for member in copies] == ["z", "d/é.txt", "d/run"]
    for copy, index in zip(copies, (5, 2, 4), strict=True):
        own = theirs.member(index)
        assert copy == attrs.evolve(own, folder=[7, 9][own.folder])
    assert [store.placed(index) for index in range(3)] == [("z", 7), ("d/é.txt", 9), ("d/run", 9)]
    assert [member.name for member in copies.in_file_order()] == ["d/é.txt", "d/run", "z"]
