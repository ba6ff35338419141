"""Local headers and data descriptors: they must agree with the central directory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.names import apply_unicode_path
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from gh_artifacts_async.archive.audited import ArchiveDirectory
    from gh_artifacts_async.archive.member_table import ExpectedHeader, MemberTable
    from gh_artifacts_async.archive.members import Member
    from gh_artifacts_async.archive.readers import Reader

# APPNOTE 4.3.9: the signature is optional, and the sizes have four or eight bytes; the length tells which
_DESCRIPTORS: Final = {
    12: struct.Struct("<0sIII"),
    16: struct.Struct("<4sIII"),
    20: struct.Struct("<0sIQQ"),
    24: struct.Struct("<4sIQQ"),
}
_NOTHING: Final = [0, 0, 0]
_EXTRA_GUESS: Final = 64
_WINDOW: Final = 2**14


def header_length(fixed: bytes) -> int:
    """Return the length of a local header, name and extra field included, from its first 30 bytes."""
    name_length, extra_length = struct.unpack_from("<HH", fixed, records.LOCAL.size - 4)
    return records.LOCAL.size + int(name_length) + int(extra_length)


def check_local_header(member: Member, data: bytes) -> int:
    """Compare a local header with the central one.

    Args:
        member: the member.
        data: the bytes from ``member.header_offset``, at least the whole header.

    Returns:
        The offset in the archive at which the member's data begins.

    Raises:
        CorruptArchiveError: they disagree, or header and data do not fill the span exactly.
    """
    raw_name, flags, method, *stated, length, unicode_path = records.parse_local(data, member.name)
    described = member.flags & records.DESCRIPTOR
    _check_local_name(member, raw_name, unicode_path)
    if (flags ^ member.flags) & records.SIGNIFICANT_FLAGS:
        raise refusal(rules.LOCAL_FLAGS, "its local header has different flags", member.name)
    if method != member.method:
        raise refusal(rules.LOCAL_METHOD, "its local header has a different compression method", member.name)
    real = [member.crc32, member.compressed_size, member.size]
    if stated != real and not (described and stated == _NOTHING):
        _check_differing(member, stated, real)
    data_offset = member.header_offset + length
    gap = member.span_end - data_offset - member.compressed_size
    if gap or (described and stated != real):
        _check_gap(member, gap)
    return data_offset


def _check_local_name(member: Member, raw_name: bytes, unicode_path: bytes | None) -> None:
    if raw_name != member.raw_name:
        shown = rules.printable(raw_name.decode("utf-8", "backslashreplace"))
        raise refusal(rules.LOCAL_NAME, f'its local header has the name "{shown}"', member.name)
    if unicode_path is None:
        return
    name = apply_unicode_path(raw_name, member.name, unicode_path, utf8=bool(member.flags & records.UTF8))
    if name != member.name:
        what = f'the Unicode path field of its local header renames it to "{rules.printable(name)}"'
        raise refusal(rules.UNICODE_PATH, what, member.name)


def _check_differing(member: Member, stated: list[int], real: list[int]) -> None:
    """With a data descriptor each field may be zero (APPNOTE 4.4.4); any other value must be right."""
    may_be_zero = bool(member.flags & records.DESCRIPTOR)
    for at, (value, expected) in enumerate(zip(stated, real, strict=True)):
        if value != expected and not (may_be_zero and value == 0):
            rule, what = (rules.LOCAL_SIZE, "size") if at else (rules.LOCAL_CRC, "CRC")
            raise refusal(rule, f"its local header has a different {what}", member.name)


def _check_gap(member: Member, gap: int) -> None:
    """Only a data descriptor is allowed between a member's data and the next record."""
    if gap < 0:
        raise refusal(rules.OVERLAP, "its data overlaps the next record", member.name)
    if not member.flags & records.DESCRIPTOR or (gap and gap not in _DESCRIPTORS):
        raise refusal(rules.GAP, f"it is followed by {gap} bytes that belong to no member", member.name)
    if not gap:
        raise refusal(rules.DESCRIPTOR, "its data descriptor is missing", member.name)


def check_descriptor(member: Member, data: bytes) -> None:
    """Compare a data descriptor with the central header.

    Args:
        member: the member, its local header checked.
        data: all bytes from the end of its data to ``member.span_end``; empty if it has no descriptor.

    Raises:
        CorruptArchiveError: they disagree.
    """
    if not data:
        return
    layout = _DESCRIPTORS.get(len(data))
    if layout is None:
        raise refusal(rules.DESCRIPTOR, "its data descriptor is cut short", member.name)
    signature, *values = layout.unpack(data)
    if signature not in {b"", records.DESCRIPTOR_SIGNATURE}:
        raise refusal(rules.DESCRIPTOR, "its data descriptor is damaged", member.name)
    if values != [member.crc32, member.compressed_size, member.size]:
        raise refusal(rules.DESCRIPTOR, "its data descriptor disagrees with the central directory", member.name)


class _Window:
    """A piece of the archive in memory, so that neighbouring small members share a read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._base = 0
        self._data = b""

    def get(self, offset: int, length: int) -> bytes:
        """Return bytes of the archive, fewer only at its end; reads ahead only if this is near the last read."""
        at = offset - self._base
        if at < 0 or at + length > len(self._data):
            near = 0 <= at - len(self._data) + length <= _WINDOW
            self._data = self._reader.read_at(offset, max(length, _WINDOW) if near else length)
            self._base, at = offset, 0
        return self._data[at : at + length]


def audit_headers(reader: Reader, archive: ArchiveDirectory, members: MemberTable | None = None) -> None:
    """Check the local headers and data descriptors of an archive; its members have their ``data_offset`` then.

    Args:
        reader: the archive.
        archive: its directory.
        members: only these; None for all, including skipped links.

    Raises:
        CorruptArchiveError: one of them disagrees with the central directory.
    """
    window, store = _Window(reader), archive.members.store
    for index in store.file_order() if members is None else members.indices:
        expected = store.expected_header(index)
        offset, raw_name = expected[0], expected[-1]
        likely = records.LOCAL.size + 2 * len(raw_name) + _EXTRA_GUESS
        header = window.get(offset, likely)
        if _is_plain(expected, header):
            length = records.LOCAL.size + len(raw_name)
        else:
            length = _audit_header(window, store.member(index), header, likely)
        store.set_header_length(index, length)


def _is_plain(expected: ExpectedHeader, header: bytes) -> bool:
    """Return whether a local header has no extra field and no descriptor, and agrees in everything: most do."""
    offset, span_end, fields, raw_name = expected
    name_end = records.LOCAL.size + len(raw_name)
    compressed_size = fields[3]
    return (
        offset + name_end + compressed_size == span_end
        and len(header) >= name_end
        and header.startswith(records.LOCAL_SIGNATURE)
        and records.LOCAL.unpack_from(header) == fields
        and header.startswith(raw_name, records.LOCAL.size)
        and records.MASK32 not in fields
    )


def _audit_header(window: _Window, member: Member, header: bytes, likely: int) -> int:
    """Check a local header and the descriptor; return the header's length."""
    if len(header) == likely and header_length(header) > likely:
        header = window.get(member.header_offset, header_length(header))
    data_offset = check_local_header(member, header)
    data_end = data_offset + member.compressed_size
    if data_end < member.span_end:
        check_descriptor(member, window.get(data_end, member.span_end - data_end))
    return data_offset - member.header_offset
