from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest

from gh_artifacts_async.archive import TAIL, ArchiveDirectory, NeedMore, audit, audit_reader, directory, parse_tail
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.archive.rules import RULES
from gh_artifacts_async.errors import ArchiveError, ArchiveLimitError, UnsupportedArchiveError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FOLDER, LINK, Entry, build, extra, zip64_extra

A = Entry("a.txt", b"alpha")
B = Entry("b/c.txt", b"beta" * 100, method=8, flags=8, attributes=0o100755 << 16)
ABSENT = 2**32 - 1


def _audit(data: bytes, **policy: object) -> ArchiveDirectory:
    return audit_reader(BytesReader(data), ExtractPolicy(**policy))


def test_an_audit_tells_all_about_the_members(tmp_path):
    """Names, sizes, times, modes and places, in the order of the central directory."""
    path = tmp_path / "a.zip"
    path.write_bytes(build(A, B, comment=b"made by hand"))
    archive = audit(path)
    assert [member.name for member in archive] == ["a.txt", "b/c.txt"]
    assert (len(archive), "a.txt" in archive, "c" in archive) == (2, True, False)
    second = archive["b/c.txt"]
    assert archive.get("b/c.txt") is second
    assert archive.get("nothing") is None
    assert (second.size, second.method, second.is_dir, second.executable) == (400, 8, False, True)
    assert second.mtime == datetime(2024, 1, 1, tzinfo=UTC)
    assert (second.path, second.base_name) == ("b/c.txt", "c.txt")
    assert (archive.total_size, archive.total_compressed_size) == (405, 5 + second.compressed_size)
    assert archive.files == archive.members
    assert archive.folder_path(second.folder) == "b"
    assert archive.comment == b"made by hand"
    assert archive.members[0].span_end == second.header_offset
    assert second.span_end == archive.directory_offset


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


@pytest.mark.parametrize(
    ("zip64", "end", "rule"),
    [
        ({"record_size": 45}, {}, "zip64"),
        ({"record_at": 0}, {}, "zip64"),
        ({"signature": b"PK\6\5"}, {}, "zip64"),
        ({"disks": 2}, {}, "multi-disk"),
        ({"locator_disk": 1}, {}, "multi-disk"),
        ({"disk": 1}, {}, "multi-disk"),
        ({"here": 2}, {}, "multi-disk"),
        ({"size": 7}, {}, "central-directory"),
        ({}, {"count": 9, "here": 9}, "zip64"),
        ({}, {"offset": 1}, "zip64"),
        ({}, {"size": 1}, "zip64"),
        ({}, {"here": 5}, "multi-disk"),
    ],
)
def test_zip64_end_records_are_exact(zip64, end, rule, refuse):
    """The locator names the record before it, and both end records say the same or nothing (APPNOTE 4.3.14)."""
    refuse(build(A, zip64=zip64, **end), rule)


@pytest.mark.parametrize("end", [{}, {"count": 1, "here": 1}, {"disk": 0xFFFF, "directory_disk": 0xFFFF}])
def test_zip64_end_records_may_be_needless(end):
    """Small archives may have them, and the plain record may say the real values beside them."""
    assert len(_audit(build(A, zip64={}, **end))) == 1


@pytest.mark.slow
def test_65535_members_need_no_zip64():
    """The mask value is a count like any other where no zip64 record follows."""
    archive = _audit(build(*(Entry(f"{n}") for n in range(0xFFFF))))
    assert len(archive) == 0xFFFF


def test_an_empty_archive_is_legal():
    """No member, no byte but the end record."""
    archive = _audit(build())
    assert (len(archive), archive.folders, archive.total_size) == (0, ((-1, ""),), 0)


def test_an_end_record_inside_a_stored_member_is_data():
    """A zip in a zip has its own end record, which does not end where the file ends."""
    assert [member.name for member in _audit(build(Entry("inner.zip", build(A))))] == ["inner.zip"]


def test_the_directory_is_read_in_windows(monkeypatch, refuse):
    """Headers that cross a window are put together; the memory needed does not grow with the directory."""
    entries = [Entry(f"{n}.txt", b"x", central={"comment": b"c" * n}) for n in range(60)]
    expected = [member.name for member in _audit(build(*entries))]
    data = build(*entries)
    for window in (200, 131):
        monkeypatch.setattr(directory, "_WINDOW", window)
        assert [member.name for member in _audit(data)] == expected
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
    archive = _audit(bytes(data))
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
    """Where the archive is shorter than the longest tail, all of it is wanted."""
    data = build(A)
    assert parse_tail(data[-30:], len(data)) == NeedMore(0)
    archive = parse_tail(data, len(data))
    assert isinstance(archive, ArchiveDirectory)


def test_a_tail_does_not_look_at_local_headers():
    """They are compared when a member is read."""
    data = build(Entry("a", b"x", local={"name": b"b"}))
    assert not isinstance(parse_tail(data, len(data)), NeedMore)
    with pytest.raises(ArchiveError):
        _audit(data)


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
        _audit(build(*entries), **policy)
    (name,) = policy
    assert (caught.value.limit, caught.value.value) == (name, value)
    assert f"raise ExtractPolicy.{name}" in str(caught.value)
    _audit(build(*entries), **{name: value})
    _audit(build(*entries), **{name: None})


def test_the_ratio_counts_over_a_hundred_mebibytes():
    """Below the floor any ratio is legal."""
    entry = Entry("a", b"x", method=8, size=100 * 2**20)
    assert _audit(build(entry), max_ratio=1).total_size == 100 * 2**20
    entry.size += 1
    with pytest.raises(ArchiveLimitError, match="ratio"):
        _audit(build(entry), max_ratio=250)
    _audit(build(entry), max_ratio=None)


def test_folders_are_limited_too():
    """Deep names without end would make folders without end; an ordinary archive never gets there."""
    entries = [Entry("/".join(f"{n}.{depth}" for depth in range(128)) + "/f") for n in range(600)]
    with pytest.raises(ArchiveLimitError) as caught:
        _audit(build(*entries), max_members=600)
    assert (caught.value.limit, caught.value.value) == ("max_members", 65_537)
    assert len(_audit(build(*entries), max_members=None).folders) == 600 * 128 + 1


# --- one central header ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "rule"),
    [(1, "encrypted"), (1 << 6, "encrypted"), (1 << 5, "patched-data"), (1 << 13, "masked-header")],
)
def test_encryption_and_its_like_are_not_supported(flags, rule, refuse):
    """Nothing of such an archive is written, readable members included."""
    assert isinstance(refuse(build(A, Entry("s", b"x", flags=flags)), rule), UnsupportedArchiveError)


def test_an_unknown_method_is_named(refuse):
    """The message holds number and name."""
    assert "9 (deflate64)" in str(refuse(build(Entry("m", b"x", method=9)), "method"))
    assert "77 (unknown)" in str(refuse(build(Entry("m", b"x", method=77)), "method"))


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (Entry("a", b"hello", size=6), "stored-size"),
        (Entry("a", b"x", extra=b"\x55\x54\xff\0abc"), "extra"),
        (Entry("a", b"x", extra=zip64_extra(1, 1) * 2), "extra"),
        (Entry("a", b"x", size=ABSENT, compressed_size=ABSENT), "zip64"),
        (Entry("a", b"x", size=ABSENT, compressed_size=ABSENT, extra=zip64_extra(1)), "zip64"),
        (Entry("a", b"x", extra=zip64_extra(2, 2)), "zip64"),
        (Entry("a", b"x", extra=zip64_extra(1, 1, 0, 0)), "zip64"),
        (Entry("a", b"x", extra=extra(0x7075, b"\1\0\0\0\0b")), "unicode-path"),
    ],
)
def test_extra_fields_keep_the_rules(entry, rule, refuse):
    """They neither overrun, nor contradict, nor lack what the header says they hold (APPNOTE 4.5)."""
    refuse(build(entry), rule)


@pytest.mark.parametrize(
    "more",
    [
        b"abc",
        zip64_extra(1, 1),
        zip64_extra(1, 1, 0),
        extra(0x7075, b"\1\0\0\0\0a"),
        extra(0x7875, b"\1\4" + b"\0" * 9),
    ],
)
def test_harmless_extra_fields_are_taken(more):
    """Stray bytes, needless values that say the same, and what nobody here reads."""
    assert len(_audit(build(Entry("a", b"x", extra=more)))) == 1


def test_masked_values_come_from_the_zip64_field():
    """In the order size, compressed size, offset, and only those that are masked (APPNOTE 4.5.3)."""
    masked = {"size": ABSENT, "extra": zip64_extra(1)}
    archive = _audit(build(A, Entry("b", b"x", central={**masked, "offset": ABSENT, "extra": zip64_extra(1, 40)})))
    assert archive["b"].header_offset == 40
    data = build(Entry("b", b"x", central=masked))
    assert _audit(data)["b"].size == 1


# --- types and times ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (Entry("lnk", b"/etc/passwd", attributes=LINK), "link"),
        (Entry("lnk/", b"", attributes=LINK), "link"),
        (Entry("j", b"", attributes=0x400), "link"),
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


def test_a_folder_may_have_the_mode_of_a_file():
    """Some writers give every entry the same mode, Maven's older ones none at all; the slash decides."""
    assert _audit(build(Entry("d/")))["d/"].is_dir
    assert _audit(build(Entry("d/", attributes=0xFFFF0010)))["d/"].is_dir
    assert not _audit(build(Entry("f", attributes=0xFFFF0000)))["f"].executable


def test_links_may_be_left_out(unpack):
    """With symlinks="skip" a link is as good as absent, also for a file of the same name or below it."""
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


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, datetime(2024, 1, 1, tzinfo=UTC)),
        ({"date": 0xFF9F, "time": 0xBF7D}, datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)),
        ({"date": 0}, None),
        ({"time": 0xFFFF}, None),
        (
            {"extra": extra(0x5455, b"\1" + struct.pack("<i", 1_700_000_000))},
            datetime.fromtimestamp(1_700_000_000, UTC),
        ),
        ({"extra": extra(0x5455, b"\2" + struct.pack("<i", 1_700_000_000))}, datetime(2024, 1, 1, tzinfo=UTC)),
        ({"extra": extra(0x5455, b"\1" + struct.pack("<i", -1))}, datetime(2024, 1, 1, tzinfo=UTC)),
        ({"extra": extra(0x5455, b"\1\0")}, datetime(2024, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_utc_or_none(fields, expected):
    """The extended timestamp goes first; an MS-DOS time is taken for UTC; nonsense is None."""
    assert _audit(build(Entry("a", b"x", **fields)))["a"].mtime == expected
