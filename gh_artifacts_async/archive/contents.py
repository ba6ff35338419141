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
    """Read and decompress one member; its local header, data descriptor, size and CRC are checked.

    Args:
        reader: the archive; only the member's span is read.
        member: the member.

    Yields:
        Uncompressed bytes, at most :data:`~gh_artifacts_async.archive.inflate.BLOCK` at once. They are verified only
        once the iterator is exhausted.

    Raises:
        ArchiveError: the header or the data contradicts the central directory.
    """
    span = member.span_end - member.header_offset
    if span <= _CHUNK and member.size < BLOCK:
        data = read_exactly(reader, member.header_offset, span, member.name)
        begin = check_local_header(member, data) - member.header_offset
        end = begin + member.compressed_size
        check_descriptor(member, data[end:])
        yield inflate_whole(member, data[begin:end])
        return
    fixed = read_exactly(reader, member.header_offset, LOCAL.size, member.name)
    header = read_exactly(reader, member.header_offset, min(header_length(fixed), span), member.name)
    offset = check_local_header(member, header)
    end = offset + member.compressed_size
    check_descriptor(member, read_exactly(reader, end, member.span_end - end, member.name))
    yield from inflate_member(member, _chunks(reader, offset, end, member.name))


def _chunks(reader: Reader, offset: int, end: int, name: str) -> Iterator[bytes]:
    while offset < end:
        data = read_exactly(reader, offset, min(_CHUNK, end - offset), name)
        yield data
        offset += len(data)
