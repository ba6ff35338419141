from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest

from gh_artifacts_async.errors import UnsupportedArchiveError
from tests.kits.archives import Entry, build, extra, unicode_path, zip64_extra
from tests.kits.unpacking import audited

A = Entry("a.txt", b"alpha")
ABSENT = 2**32 - 1


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
        (Entry("a", b"x", extra=unicode_path(b"a", "b")), "unicode-path"),
        (Entry("a", b"x", extra=extra(0x7075, b"\1\0\0\0")), "extra"),
        (Entry("a", b"x", extra=unicode_path(b"a", "a") * 2), "extra"),
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
    assert len(audited(build(Entry("a", b"x", extra=more)))) == 1


def test_masked_values_come_from_the_zip64_field():
    """In the order size, compressed size, offset, and only those that are masked (APPNOTE 4.5.3)."""
    masked = {"size": ABSENT, "extra": zip64_extra(1)}
    archive = audited(build(A, Entry("b", b"x", central={**masked, "offset": ABSENT, "extra": zip64_extra(1, 40)})))
    assert archive["b"].header_offset == 40
    data = build(Entry("b", b"x", central=masked))
    assert audited(data)["b"].size == 1


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
    assert audited(build(Entry("a", b"x", **fields)))["a"].mtime == expected
