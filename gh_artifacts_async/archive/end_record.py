"""The end records of a zip: where its central directory lies, and how many members it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.readers import read_exactly
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.archive.readers import Reader

TAIL: Final = records.END.size + 0xFFFF
"""Bytes from the end that hold the end record with the longest comment (APPNOTE 4.3.16), unless padding follows it."""

PADDING: Final = 2**16
"""The most NUL bytes that may follow the end record: bsdtar writes whole blocks of 10,240 bytes to a pipe."""

_LONG_PADDING: Final = bytes(records.END.size)


class EndRecord(NamedTuple):
    """What the end records state; ``start`` is where the first of them begins."""

    total: int
    directory_size: int
    directory_offset: int
    start: int
    comment: bytes


def find_end(reader: Reader) -> EndRecord:
    """Find the one end of central directory record (APPNOTE 4.3.16); only NUL bytes may follow it, at most 64 KiB.

    Raises:
        CorruptArchiveError: there is none, or more than one, or an end record breaks a rule.
        UnsupportedArchiveError: the archive is one part of a split archive.
    """
    if reader.size < records.END.size:
        raise refusal(rules.END_RECORD, f"{reader.size} bytes are too few for a zip")
    base, tail = _read_tail(reader, TAIL)
    found = _candidates(tail)
    if not found and base and tail.endswith(_LONG_PADDING):  # the end record may begin before it
        base, tail = _read_tail(reader, TAIL + PADDING)
        found = _candidates(tail)
    if not found:
        raise _no_end(tail)
    begin, end = found[0]
    comment = tail[begin + records.END.size : end]
    if len(found) > 1 or records.END_SIGNATURE in comment:
        raise refusal(rules.AMBIGUOUS_END, "the archive has more than one end record")
    return _read_end(reader, base + begin, tail[begin : begin + records.END.size], comment)


def _read_tail(reader: Reader, length: int) -> tuple[int, bytes]:
    """Read the last bytes of an archive; return their offset, too."""
    base = max(0, reader.size - length)
    return base, read_exactly(reader, base, reader.size - base)


def _places(tail: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each possible end record begins, and where it says that its comment ends."""
    at = tail.find(records.END_SIGNATURE)
    while 0 <= at <= len(tail) - records.END.size:
        yield at, at + records.END.size + int.from_bytes(tail[at + 20 : at + 22], "little")
        at = tail.find(records.END_SIGNATURE, at + 1)


def _candidates(tail: bytes) -> list[tuple[int, int]]:
    """Find the end records that reach the end of the archive, or its padding."""
    content = len(tail.rstrip(b"\0"))
    earliest = max(content, len(tail) - PADDING)
    return [(begin, end) for begin, end in _places(tail) if earliest <= end <= len(tail)]


def _no_end(tail: bytes) -> Exception:
    if any(end < len(tail) for _, end in _places(tail)):
        return refusal(rules.TRAILING_DATA, "there is other data after the end record")
    return refusal(rules.END_RECORD, "there is no end record: this is not a zip, or it is incomplete")


def _read_end(reader: Reader, offset: int, data: bytes, comment: bytes) -> EndRecord:
    """Check the end record, and the zip64 records before it, if any."""
    _, disk, directory_disk, here, count, size, directory_offset, _ = records.END.unpack(data)
    end = EndRecord(count, size, directory_offset, offset, comment)
    locator_at = offset - records.ZIP64_LOCATOR.size
    if locator_at >= 0:
        locator = read_exactly(reader, locator_at, records.ZIP64_LOCATOR.size)
        if locator.startswith(records.ZIP64_LOCATOR_SIGNATURE):
            end = _read_zip64_end(reader, locator, locator_at, end)
            disk, directory_disk = (0 if number == records.MASK16 else number for number in (disk, directory_disk))
            here = end.total if here in {records.MASK16, end.total} else here
    if disk or directory_disk or here != end.total:
        raise refusal(rules.MULTI_DISK, "it is one part of a split archive")
    if end.directory_offset + end.directory_size != end.start:
        raise refusal(rules.CENTRAL_DIRECTORY, "the central directory does not end where the end record begins")
    return end


def _read_zip64_end(reader: Reader, locator: bytes, locator_at: int, end: EndRecord) -> EndRecord:
    """Read the zip64 end record (APPNOTE 4.3.14); each plain value must be masked or equal."""
    _, disk, offset, disks = records.ZIP64_LOCATOR.unpack(locator)
    if disk or disks > 1:
        raise refusal(rules.MULTI_DISK, "it is one part of a split archive")
    if offset + records.ZIP64_END.size != locator_at:
        raise refusal(rules.ZIP64, "the zip64 end record is not where its locator points")
    data = read_exactly(reader, offset, records.ZIP64_END.size)
    signature, length, _, _, disk, directory_disk, here, count, size, directory_offset = records.ZIP64_END.unpack(data)
    if signature != records.ZIP64_END_SIGNATURE or length != records.ZIP64_END.size - 12:
        raise refusal(rules.ZIP64, "the zip64 end record is damaged")
    if disk or directory_disk or here != count:
        raise refusal(rules.MULTI_DISK, "it is one part of a split archive")
    plain = (end.total, end.directory_size, end.directory_offset)
    masks = (records.MASK16, records.MASK32, records.MASK32)
    for value, mask, real in zip(plain, masks, (count, size, directory_offset), strict=True):
        if value not in {mask, real}:
            raise refusal(rules.ZIP64, "the two end records contradict each other")
    return EndRecord(count, size, directory_offset, offset, end.comment)
