"""Read one member of an audited archive: its bytes, with every check that applies to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive.inflate import BLOCK, inflate_member, inflate_whole
from gh_artifacts_async.archive.local_headers import check_descriptor, check_local_header, header_length
from gh_artifacts_async.archive.readers import read_exactly
from gh_artifacts_async.archive.records import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.archive.members import Member
    from gh_artifacts_async.archive.readers import Reader

_CHUNK: Final = 2**18


def read_member(reader: Reader, member: Member) -> Iterator[bytes]:
    """Read and decompress one member; its size and CRC are checked.

    Its local header and data descriptor are checked as well, unless the audit did so.

    Args:
        reader: the archive; only the member's span is read.
        member: the member.

    Yields:
        Uncompressed bytes, at most :data:`~gh_artifacts_async.archive.inflate.BLOCK` at once. They are verified only
        once the iterator is exhausted.

    Raises:
        ArchiveError: the header or the data contradicts the central directory.
    """
    if member.span_end - member.header_offset <= _CHUNK and member.size < BLOCK:
        yield inflate_whole(member, _read_small(reader, member))
        return
    offset = _data_offset(reader, member) if member.data_offset is None else member.data_offset
    yield from inflate_member(member, _Chunks(reader, offset, offset + member.compressed_size, member.name))


def _read_small(reader: Reader, member: Member) -> bytes:
    """Read a member's compressed data, in one piece with its header if that was not checked yet."""
    if member.data_offset is not None:
        return read_exactly(reader, member.data_offset, member.compressed_size, member.name)
    data = read_exactly(reader, member.header_offset, member.span_end - member.header_offset, member.name)
    begin = check_local_header(member, data) - member.header_offset
    end = begin + member.compressed_size
    check_descriptor(member, data[end:])
    return data[begin:end]


def _data_offset(reader: Reader, member: Member) -> int:
    """Check a member's local header and data descriptor; return where its data begins."""
    span = member.span_end - member.header_offset
    fixed = read_exactly(reader, member.header_offset, LOCAL.size, member.name)
    header = read_exactly(reader, member.header_offset, min(header_length(fixed), span), member.name)
    offset = check_local_header(member, header)
    end = offset + member.compressed_size
    check_descriptor(member, read_exactly(reader, end, member.span_end - end, member.name))
    return offset


class _Chunks:
    """A member's compressed data, in pieces; it can be read again."""

    def __init__(self, reader: Reader, begin: int, end: int, name: str) -> None:
        self._reader = reader
        self._begin = begin
        self._end = end
        self._name = name

    def __iter__(self) -> Iterator[bytes]:
        for offset in range(self._begin, self._end, _CHUNK):
            yield read_exactly(self._reader, offset, min(_CHUNK, self._end - offset), self._name)
