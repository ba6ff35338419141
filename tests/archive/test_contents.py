from __future__ import annotations

import os

import pytest

from gh_artifacts_async.archive import audit_directory, audit_reader, contents, extract, local_headers, read_member
from gh_artifacts_async.archive.inflate import BLOCK
from gh_artifacts_async.archive.readers import BytesReader
from gh_artifacts_async.errors import ArchiveError
from tests.kits.archives import Entry, build


@pytest.mark.parametrize("length", [0, 10, 300_000, 3 * BLOCK])
@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize("headers", [True, False])
def test_a_member_is_read_out_of_an_archive(length, method, headers):
    """Small members at once, large ones in chunks; only their own span is read, the header only if it was not yet."""
    data = os.urandom(length)
    entry = Entry("big", data, method=method, flags=8)
    blob = build(Entry("first", b"1" * 500), entry, Entry("last", b"2" * 500))
    archive = audit_reader(BytesReader(blob)) if headers else audit_directory(BytesReader(blob))
    member = archive["big"]
    seen = []

    class Spied(BytesReader):
        def read_at(self, offset: int, length: int, /) -> bytes:
            seen.append((offset, offset + length))
            return super().read_at(offset, length)

    assert b"".join(read_member(Spied(blob), member)) == data
    assert min(begin for begin, _ in seen) == (member.data_offset if headers else member.header_offset)
    assert max(end for _, end in seen) == member.span_end - 16 * headers
    assert max(end - begin for begin, end in seen) <= 2**18


@pytest.mark.parametrize("length", [10, 300_000])
def test_a_member_that_changed_since_the_audit_is_refused(length):
    """The data is compared with the directory when it is read, and an archive that shrank is incomplete."""
    blob = build(Entry("a", bytes(length), method=8, flags=8), Entry("b", os.urandom(length)))
    archive = audit_reader(BytesReader(blob))
    with pytest.raises(ArchiveError) as caught:
        list(read_member(BytesReader(blob[:35] + b"x" + blob[36:]), archive["a"]))
    assert caught.value.rule in {"crc", "data", "size"}
    with pytest.raises(ArchiveError) as caught:
        list(read_member(BytesReader(blob[: archive["b"].span_end - 17]), archive["b"]))
    assert caught.value.rule == "truncated"


@pytest.mark.parametrize("length", [10, 300_000])
def test_a_header_that_was_not_audited_is_checked(length):
    """Of a remote archive only the directory was audited; the member's own header is checked when it is read."""
    blob = build(Entry("a", bytes(length), method=8, flags=8))
    member = audit_directory(BytesReader(blob))["a"]
    assert member.data_offset is None
    with pytest.raises(ArchiveError) as caught:
        list(read_member(BytesReader(blob[:30] + b"x" + blob[31:]), member))
    assert caught.value.rule == "local-name"


def test_an_extraction_audits_each_header_once(tmp_path, monkeypatch):
    """Many small members cost one look at their headers, not two."""
    checked = []
    whole = local_headers.check_local_header
    for module in (local_headers, contents):
        monkeypatch.setattr(
            module, "check_local_header", lambda member, data: (checked.append(member.name), whole(member, data))[1]
        )
    path = tmp_path / "a.zip"
    path.write_bytes(build(*(Entry(f"{n}", b"x" * n, method=8, flags=8) for n in range(200))))
    extract(path, tmp_path / "out")
    assert len(checked) == 200
