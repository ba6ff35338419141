from __future__ import annotations

import os

import pytest

from gh_artifacts_async.archive import audit_reader, read_member
from gh_artifacts_async.archive.inflate import BLOCK
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError
from tests.kits.archives import Entry, build


@pytest.mark.parametrize("length", [0, 10, 300_000, 3 * BLOCK])
@pytest.mark.parametrize("method", [0, 8])
def test_a_member_is_read_out_of_an_archive(length, method):
    """Small members at once, large ones in chunks; only their own span is read."""
    data = os.urandom(length)
    entry = Entry("big", data, method=method, flags=8)
    blob = build(Entry("first", b"1" * 500), entry, Entry("last", b"2" * 500))
    archive = audit_reader(BytesReader(blob))
    member = archive["big"]
    seen = []

    class Spied(BytesReader):
        def read_at(self, offset: int, length: int, /) -> bytes:
            seen.append((offset, offset + length))
            return super().read_at(offset, length)

    assert b"".join(read_member(Spied(blob), member)) == data
    assert min(begin for begin, _ in seen) == member.header_offset
    assert max(end for _, end in seen) == member.span_end
    assert max(end - begin for begin, end in seen) <= 2**18


@pytest.mark.parametrize("length", [10, 300_000])
def test_a_member_that_changed_since_the_audit_is_refused(length):
    """The header is compared again when the member is read, and an archive that shrank is cut short."""
    blob = build(Entry("a", bytes(length), method=8, flags=8), Entry("b", os.urandom(length)))
    archive = audit_reader(BytesReader(blob))
    with pytest.raises(ArchiveError) as caught:
        list(read_member(BytesReader(blob[:30] + b"x" + blob[31:]), archive["a"]))
    assert caught.value.rule == "local-name"
    with pytest.raises(ArchiveError) as caught:
        list(read_member(BytesReader(blob[: archive["b"].span_end - 1]), archive["b"]))
    assert caught.value.rule == "truncated"
