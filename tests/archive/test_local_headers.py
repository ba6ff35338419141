from __future__ import annotations

import pytest

from gh_artifacts_async.archive import (
    audit_directory,
    audit_reader,
    check_descriptor,
    check_local_header,
    header_length,
)
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import CorruptArchiveError
from tests.kits.archives import Entry, build, descriptor, extra, unicode_path, zip64_extra

DATA = b"some data, " * 20
ABSENT = 2**32 - 1


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"signature": b"PK\3\5"}, "local-header"),
        ({"name": b"evil.txt"}, "local-name"),
        ({"name": b"../ab"}, "local-name"),
        ({"name": b"A.txt"}, "local-name"),
        ({"flags": 1}, "local-flags"),
        ({"flags": 8}, "local-flags"),
        ({"flags": 0x800}, "local-flags"),
        ({"method": 8}, "local-method"),
        ({"crc": 0}, "local-crc"),
        ({"size": 0}, "local-size"),
        ({"compressed_size": 1}, "local-size"),
        ({"extra": b"\1\0\xff\xff"}, "extra"),
        ({"extra": unicode_path(b"a.txt", "../evil")}, "unicode-path"),
        ({"size": ABSENT, "compressed_size": ABSENT}, "zip64"),
        ({"size": ABSENT, "compressed_size": ABSENT, "extra": zip64_extra(1, 1)}, "local-size"),
    ],
)
def test_a_local_header_says_what_the_central_one_says(fields, rule, refuse):
    """Readers that stream believe the one, readers that seek the other: they must not differ (APPNOTE 4.3.7)."""
    refuse(build(Entry("ok", b"ok"), Entry("a.txt", DATA, local=fields)), rule)


def test_a_header_that_runs_into_the_next_member_is_refused(refuse):
    """An extra field longer than the span leaves no room for the data."""
    data = bytearray(build(Entry("a", b""), Entry("b", b"x" * 100)))
    data[28:30] = (40).to_bytes(2, "little")
    refuse(bytes(data), "extra")
    body = b"\x99\x99\x28\0" + b"\0" * 40
    data = build(Entry("a", b"x" * 44, packed=body[:44]), Entry("b", b""))
    data = data[:28] + (44).to_bytes(2, "little") + data[30:]
    refuse(data, "overlap")


@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize("length", ["12", "16", "20", "24"])
def test_every_form_of_a_descriptor_is_taken(length, method, unpack):
    """With and without signature, with sizes of four and eight bytes; its length tells which (APPNOTE 4.3.9)."""
    entry = Entry("a", DATA, method=method, flags=8)
    entry.descriptor = descriptor(entry, length)
    assert unpack(build(entry, Entry("b", b"after"))) == {"a": DATA, "b": b"after"}


def test_a_descriptor_may_be_absent_where_the_header_says_it_all(unpack, refuse):
    """Bit 3 alone does no harm if the local header is right; it does if the header is empty."""
    values = {"crc": 0, "size": 0, "compressed_size": 0}
    assert unpack(build(Entry("d/", flags=8, descriptor=b""), Entry("e", flags=8, descriptor=b""))) == {
        "d/": b"",
        "e": b"",
    }
    right = Entry("a", DATA, flags=8, descriptor=b"").values()
    local = {key: right[key] for key in values}
    assert len(audit_reader(BytesReader(build(Entry("a", DATA, flags=8, descriptor=b"", local=local))))) == 1
    refuse(build(Entry("a", DATA, flags=8, descriptor=b"")), "descriptor")


def test_a_descriptor_and_a_right_header_agree():
    """Some writers fill in the local header and write a descriptor as well; zip64 fields may stand there empty."""
    right = Entry("a", DATA, flags=8).values()
    local = {key: right[key] for key in ("crc", "size", "compressed_size")}
    audit_reader(BytesReader(build(Entry("a", DATA, flags=8, local=local))))
    local = {"size": ABSENT, "compressed_size": ABSENT, "extra": zip64_extra(0, 0)}
    audit_reader(BytesReader(build(Entry("a", DATA, flags=8, local=local))))


@pytest.mark.parametrize("at", range(4, 16))
def test_a_descriptor_that_lies_is_refused(at, refuse):
    """Every byte of it counts."""
    entry = Entry("a", DATA, flags=8)
    wrong = bytearray(descriptor(entry, "16"))
    wrong[at] ^= 1
    entry.descriptor = bytes(wrong)
    refuse(build(entry), "descriptor")


def test_a_descriptor_needs_its_flag_and_its_length(refuse):
    """Without bit 3 it is a gap, and so are any other bytes."""
    entry = Entry("a", DATA, flags=8)
    refuse(build(Entry("a", DATA, after=descriptor(entry, "16"))), "gap")
    refuse(build(Entry("a", DATA, flags=8, descriptor=descriptor(entry, "16") + b"\0")), "gap")
    refuse(build(Entry("a", DATA, flags=8, descriptor=b"XXXX" + descriptor(entry, "12"))), "descriptor")
    refuse(build(Entry("a", DATA, flags=8, local={"crc": 1})), "local-crc")


def test_long_headers_and_far_members_are_read_whole():
    """Extra fields longer than a guess, data longer than a window, and many small members share one reading."""
    entries = [
        Entry(f"{n}", b"x" * (30_000 if n % 7 == 0 else n), extra=extra(0x9999, b"e" * n * 40)) for n in range(60)
    ]
    data = build(*entries)
    calls = []

    class Counting(BytesReader):
        def read_at(self, offset: int, length: int, /) -> bytes:
            calls.append(length)
            return super().read_at(offset, length)

    assert len(audit_reader(Counting(data))) == 60
    assert len(calls) < 60
    assert sum(calls) < len(data)


def test_a_member_is_checked_by_its_own_bytes():
    """What a remote reader does: the header by its first 30 bytes, then the whole header, then the descriptor."""
    entry = Entry("a", DATA, method=8, flags=8, extra=extra(0x9999, b"xyz"))
    data = build(Entry("first", b"1"), entry)
    member = audit_directory(BytesReader(data))["a"]
    span = data[member.header_offset : member.span_end]
    assert header_length(span[:30]) == 38
    begin = check_local_header(member, span[:38])
    assert begin == member.header_offset + 38
    check_descriptor(member, data[begin + member.compressed_size : member.span_end])
    check_descriptor(member, b"")
    with pytest.raises(CorruptArchiveError, match="incomplete"):
        check_local_header(member, span[:37])
    with pytest.raises(CorruptArchiveError, match="no local header"):
        check_local_header(member, span[:29])
    with pytest.raises(CorruptArchiveError, match="cut short"):
        check_descriptor(member, span[-15:])


def test_names_of_code_page_437_are_compared_as_bytes(unpack, refuse):
    """Without bit 11 a name is code page 437, in both headers (APPNOTE appendix D)."""
    assert unpack(build(Entry(b"caf\x82.txt", b"x"))) == {"caf\u00e9.txt": b"x"}
    refuse(build(Entry(b"caf\x82.txt", b"x", local={"name": b"caf\x83.txt"})), "local-name")


@pytest.mark.parametrize(
    ("raw", "central", "local", "name"),
    [
        pytest.param(b"d\x82.txt", "dé.txt", "dé.txt", "dé.txt", id="both"),
        pytest.param(b"d\x82.txt", "да.txt", None, "да.txt", id="central only"),
        pytest.param(b"d\x82.txt", None, "dé.txt", "dé.txt", id="the same name as decoded"),
        pytest.param(b"d\x82.txt", None, "да.txt", None, id="local only"),
        pytest.param(b"d\x82.txt", "да.txt", "дб.txt", None, id="different"),
    ],
)
def test_unicode_paths_of_both_headers_agree(raw, central, local, name, unpack, refuse):
    """A local header may leave the field out, but not name another file: programs that stream would believe it."""
    sides = {
        side: {"extra": b"" if new is None else unicode_path(raw, new)}
        for side, new in (("central", central), ("local", local))
    }
    data = build(Entry(raw, b"x", maker=0, attributes=0, **sides))
    if name is None:
        refuse(data, "unicode-path")
    else:
        assert unpack(data) == {name: b"x"}


def test_a_stale_unicode_path_in_a_local_header_is_ignored(unpack):
    """The CRC in it is that of another name (APPNOTE 4.6.9)."""
    assert unpack(build(Entry("new", b"x", local={"extra": unicode_path(b"old", "old")}))) == {"new": b"x"}
