from __future__ import annotations

import struct

import pytest

from gh_artifacts_async.archive import TAIL, ArchiveDirectory, NeedMore, audit, audit_reader, directory, parse_tail
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.archive.rules import RULES
from gh_artifacts_async.errors import ArchiveError, ArchiveLimitError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FOLDER, LINK, Entry, build
from tests.kits.unpacking import audited

A = Entry("a.txt", b"alpha")
B = Entry("b/c.txt", b"beta" * 100, method=8, flags=8, attributes=0o100755 << 16)


def test_a_missing_file_is_an_ordinary_oserror(tmp_path):
    """What the system says about the path passes through."""
    with pytest.raises(FileNotFoundError):
        audit(tmp_path / "none.zip")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(b"", "end-record", id="empty"),
        pytest.param(b"<html>" + b"x" * 100, "end-record", id="html"),
        pytest.param(build(A)[:-1], "end-record", id="last byte missing"),
        pytest.param(build(A, comment=b"abc")[:-1], "end-record", id="comment cut"),
        pytest.param(build(A) + b"\n", "trailing-data", id="one byte more"),
        pytest.param(build(A, comment=b"..PK\5\6.."), "ambiguous-end", id="signature in comment"),
        pytest.param(build(A, comment=build(B)), "ambiguous-end", id="zip in comment"),
        pytest.param(build(A, disk=1), "multi-disk", id="disk"),
        pytest.param(build(A, here=0), "multi-disk", id="fewer members here"),
        pytest.param(build(A, B, count=1, here=1), "count", id="count too low"),
        pytest.param(build(A, count=3, here=3), "count", id="count too high"),
        pytest.param(
            build(Entry("a", central={"comment": b"x" * 60}), count=2, here=2), "central-directory", id="half"
        ),
        pytest.param(build(A, size=40), "central-directory", id="size too small"),
        pytest.param(build(A, offset=30), "central-directory", id="offset wrong"),
        pytest.param(build(Entry("a", central={"signature": b"PK\1\3"})), "central-directory", id="signature"),
        pytest.param(build(A, prefix=b"#!/bin/sh\n"), "gap", id="prefix"),
        pytest.param(build(A, gap=b"\0" * 64), "gap", id="gap before the directory"),
        pytest.param(build(A, gap=b"\0" * 70_000), "gap", id="gap that no header can fill"),
        pytest.param(build(gap=b"\0"), "gap", id="nothing but a gap"),
        pytest.param(build(A, Entry("b", offset=0)), "overlap", id="two names for one member"),
        pytest.param(build(Entry("a", b"x" * 50, central={"compressed_size": 150, "size": 150})), "overlap", id="long"),
        pytest.param(build(Entry("a", central={"disk": 1})), "multi-disk", id="member on another disk"),
        pytest.param(build(A, Entry("b", after=b"junk")), "gap", id="bytes after a member"),
    ],
)
def test_the_archive_as_a_whole_keeps_the_rules(data, rule, refuse):
    """One end record at the very end, a whole central directory next to it, and spans that fill the rest."""
    error = refuse(data, rule)
    assert RULES[rule].advice in str(error)
    assert isinstance(error, RULES[rule].error)


def test_an_empty_archive_is_legal():
    """No member, no byte but the end record."""
    archive = audited(build())
    assert (len(archive), archive.folders, archive.total_size) == (0, ((-1, ""),), 0)


def test_the_directory_is_read_in_windows(monkeypatch, refuse):
    """Headers that cross a window are put together; the memory needed does not grow with the directory."""
    entries = [Entry(f"{n}.txt", b"x", central={"comment": b"c" * n}) for n in range(60)]
    expected = [member.name for member in audited(build(*entries))]
    data = build(*entries)
    for window in (200, 131):
        monkeypatch.setattr(directory, "_WINDOW", window)
        assert [member.name for member in audited(data)] == expected
    cut = build(Entry("a", central={"comment": b"c" * 500}), comment=b"")
    at = cut.index(b"PK\1\2") + 32
    refuse(cut[:at] + struct.pack("<H", 501) + cut[at + 2 :], "central-directory")


def test_spans_follow_the_file_not_the_directory():
    """The central directory may list members in another order than they stand in."""
    data = bytearray(build(A, B))
    at = data.index(b"PK\1\2")
    first_length = 46 + len("a.txt")
    end = data.rindex(b"PK\5\6")
    data[at:end] = data[at + first_length : end] + data[at : at + first_length]
    archive = audited(bytes(data))
    assert [member.name for member in archive] == ["b/c.txt", "a.txt"]
    assert archive["a.txt"].span_end == archive["b/c.txt"].header_offset


# --- stage one, by tails -----------------------------------------------------------------------------------------


def test_a_tail_tells_where_it_must_begin():
    """The caller fetches what is asked for, and no byte of the members."""
    data = build(*(Entry(f"{n:0200}", b"x" * 1000) for n in range(1000)), zip64={})
    size, tail, asked = len(data), b"", []
    while isinstance(found := parse_tail(tail, size), NeedMore):
        asked.append(found.start)
        tail = data[found.start :]
    assert asked == [size - TAIL, data.index(b"PK\1\2")]
    assert len(found) == 1000
    assert found.size == size


def test_a_small_archive_is_its_own_tail():
    """An archive shorter than the longest tail is needed in full."""
    data = build(A)
    assert parse_tail(data[-30:], len(data)) == NeedMore(0)
    archive = parse_tail(data, len(data))
    assert isinstance(archive, ArchiveDirectory)


def test_a_tail_does_not_look_at_local_headers():
    """They are compared when a member is read."""
    data = build(Entry("a", b"x", local={"name": b"b"}))
    assert not isinstance(parse_tail(data, len(data)), NeedMore)
    with pytest.raises(ArchiveError):
        audited(data)


# --- limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "policy", "value"),
    [
        ([A, B], {"max_members": 1}, 2),
        ([A, B], {"max_total_bytes": 404}, 405),
        ([Entry("a/b/c/d", b"")], {"max_depth": 2}, 3),
    ],
)
def test_limits_name_the_field_and_the_value(entries, policy, value):
    """A program can tell which limit it was, and a person how to raise it."""
    with pytest.raises(ArchiveLimitError) as caught:
        audited(build(*entries), **policy)
    (name,) = policy
    assert (caught.value.limit, caught.value.value) == (name, value)
    assert f"raise ExtractPolicy.{name}" in str(caught.value)
    audited(build(*entries), **{name: value})
    audited(build(*entries), **{name: None})


def test_the_ratio_counts_over_a_hundred_mebibytes():
    """Below the floor any ratio is legal."""
    entry = Entry("a", b"x", method=8, size=100 * 2**20)
    assert audited(build(entry), max_ratio=1).total_size == 100 * 2**20
    entry.size += 1
    with pytest.raises(ArchiveLimitError, match="ratio"):
        audited(build(entry), max_ratio=250)
    audited(build(entry), max_ratio=None)


def test_folders_are_limited_too():
    """Deep names without end would make folders without end; an ordinary archive never gets there."""
    entries = [Entry("/".join(f"{n}.{depth}" for depth in range(128)) + "/f") for n in range(600)]
    with pytest.raises(ArchiveLimitError) as caught:
        audited(build(*entries), max_members=600)
    assert (caught.value.limit, caught.value.value) == ("max_members", 65_537)
    assert len(audited(build(*entries), max_members=None).folders) == 600 * 128 + 1


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (Entry("lnk", b"/etc/passwd", attributes=LINK), "link"),
        (Entry("lnk/", b"", attributes=LINK), "link"),
        *((Entry("j", b"", attributes=0x400, maker=maker), "link") for maker in (0, 10, 11, 14)),
        (Entry("-", attributes=0o020644 << 16), "special-file"),
        (Entry("-/", attributes=0o010644 << 16), "special-file"),
        (Entry("d/-", attributes=0o010644 << 16), "special-file"),
        (Entry("./-", attributes=0o010644 << 16), "special-file"),
        (Entry("--", attributes=0o010644 << 16), "special-file"),
        (Entry("x", attributes=0o010644 << 16), "special-file"),
        (Entry("x", attributes=0o020644 << 16), "special-file"),
        (Entry("x", attributes=0o060644 << 16), "special-file"),
        (Entry("x", attributes=0o140644 << 16), "special-file"),
        (Entry("d", attributes=0o040755 << 16), "folder-type"),
        (Entry("d", attributes=0x10), "folder-type"),
        (Entry("d/", b"data", attributes=FOLDER), "folder-data"),
        (Entry("d/", b"", crc=1, attributes=FOLDER), "folder-data"),
    ],
)
def test_only_files_and_folders_are_taken(entry, rule, refuse):
    """Anything else, or what is one thing by its name and another by its mode, refuses the archive."""
    refuse(build(A, entry), rule)


@pytest.mark.parametrize("maker", [1, 3, 6, 7, 13, 19, 30])
def test_a_reparse_point_is_one_of_windows_only(maker):
    """Other systems leave anything in the lower half of the attributes."""
    assert audited(build(Entry("j", b"", attributes=0x400, maker=maker)))["j"].size == 0


def test_standard_input_is_a_file(unpack):
    """``command | zip x.zip -`` stores the mode of the pipe; other programs extract a file as well."""
    piped = Entry("-", b"what the command said", method=8, flags=8, attributes=0o010600 << 16)
    assert unpack(build(piped)) == {"-": b"what the command said"}


def test_a_folder_may_have_the_mode_of_a_file():
    """Some writers give every entry the same mode, Maven's older ones none at all; the slash decides."""
    assert audited(build(Entry("d/")))["d/"].is_dir
    assert audited(build(Entry("d/", attributes=0xFFFF0010)))["d/"].is_dir
    assert not audited(build(Entry("f", attributes=0xFFFF0000)))["f"].executable


def test_links_may_be_left_out(unpack):
    """With symlinks="skip" a link counts as absent, even for a file with the same name or below it."""
    data = build(
        Entry("f", b"/etc", attributes=LINK),
        Entry("f", b"real"),
        Entry("d", b"..", attributes=LINK),
        Entry("d/g", b"g"),
    )
    policy = ExtractPolicy(symlinks="skip")
    archive = audit_reader(BytesReader(data), policy)
    assert [member.name for member in archive.skipped] == ["f", "d"]
    assert unpack(data, policy) == {"f": b"real", "d/": b"", "d/g": b"g"}


def test_links_that_are_left_out_are_audited(refuse):
    """Their names and headers must be right all the same."""
    skip = ExtractPolicy(symlinks="skip")
    refuse(build(Entry("../f", b"/etc", attributes=LINK)), "traversal", skip)
    refuse(build(Entry("f", b"/etc", attributes=LINK, local={"name": b"g"})), "local-name", skip)
