from __future__ import annotations

import pytest

from gh_artifacts_async.archive import TAIL, NeedMore, parse_tail
from gh_artifacts_async.archive.end_record import PADDING
from tests.kits.archives import Entry, build
from tests.kits.unpacking import audited

A = Entry("a.txt", b"alpha")


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
    assert len(audited(build(A, zip64={}, **end))) == 1


@pytest.mark.slow
def test_65535_members_need_no_zip64():
    """The mask value is a count like any other where no zip64 record follows."""
    archive = audited(build(*(Entry(f"{n}") for n in range(0xFFFF))))
    assert len(archive) == 0xFFFF


def test_an_end_record_inside_a_stored_member_is_data():
    """A zip in a zip has its own end record, which does not end where the file ends."""
    assert [member.name for member in audited(build(Entry("inner.zip", build(A))))] == ["inner.zip"]


@pytest.mark.parametrize("comment", [b"", b"a comment", bytes(5)], ids=["plain", "comment", "comment of NUL"])
@pytest.mark.parametrize("padding", [1, 2, 10_000, PADDING])
@pytest.mark.parametrize("large", [False, True])
def test_nul_bytes_may_follow(comment, padding, large, unpack):
    """Bsdtar pads what it writes to a pipe; a comment of NUL bytes is no padding."""
    files = {"a.txt": b"alpha", "large": bytes(200_000 * large)}
    data = build(*(Entry(name, content) for name, content in files.items()), comment=comment, zip64={}) + bytes(padding)
    assert audited(data).comment == comment
    assert audited(data).size == len(data)
    assert unpack(data) == files


@pytest.mark.parametrize(
    "more",
    [bytes(PADDING + 1), bytes(100_000), b"\n", b"\0\n", b"x" + bytes(9), bytes(10_000) + b"x", bytes(9) + b"PK\5\6"],
    ids=["one NUL too many", "many NULs too many", "newline", "NUL, newline", "x, NULs", "NULs, x", "NULs, signature"],
)
@pytest.mark.parametrize("large", [False, True])
def test_nothing_else_may_follow(more, large, refuse):
    """It could be another archive to another program."""
    error = refuse(build(A, Entry("large", bytes(200_000 * large))) + more, "trailing-data")
    assert "download it again" not in str(error)


def test_padding_hides_no_second_end_record(refuse):
    """Neither a whole archive before the padding, nor an end record whose comment reaches into it."""
    refuse(build(A) + build(Entry("b", b"2")) + bytes(50), "central-directory")
    refuse(build(A, comment_length=70) + build() + bytes(100), "ambiguous-end")


def test_a_tail_with_the_padding_in_it_is_enough():
    """A reader of remote archives needs no more than it has fetched; it is asked for more only where that is short."""
    data = build(Entry("large", bytes(300_000)), A) + bytes(9_000)
    assert parse_tail(data[-TAIL:], len(data))["a.txt"].size == 5
    data += bytes(PADDING - 9_000)
    assert parse_tail(data[-TAIL:], len(data)) == NeedMore(len(data) - TAIL - PADDING)
    assert parse_tail(data[-TAIL - PADDING :], len(data))["a.txt"].size == 5
