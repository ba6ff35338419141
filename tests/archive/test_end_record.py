from __future__ import annotations

import pytest

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
