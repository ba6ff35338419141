"""Read and audit a whole zip directory before anything is written.

Two stages, since an archive may still lie on a server. :func:`audit_directory` (or :func:`parse_tail`, for a caller
who fetches the bytes itself) judges all that the end of the archive tells: end records, the central directory, names,
types, methods, limits, and that the members' spans fill the archive without overlap. :func:`audit_reader` and
:func:`audit` go on to compare every local header and data descriptor (:mod:`~gh_artifacts_async.archive.local_headers`).
"""

from __future__ import annotations

import struct
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Final, NamedTuple

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.local_headers import audit_headers
from gh_artifacts_async.archive.members import ArchiveDirectory, Member, NeedMore
from gh_artifacts_async.archive.names import canonical, check_name
from gh_artifacts_async.archive.readers import FileReader, MissingBytesError, TailReader, read_exactly
from gh_artifacts_async.archive.rules import over_limit, refusal
from gh_artifacts_async.archive.name_tree import NameTree
from gh_artifacts_async.settings import ExtractPolicy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from gh_artifacts_async.archive.readers import Reader
    from gh_artifacts_async.archive.records import CentralEntry

DEFAULT_POLICY: Final = ExtractPolicy()

TAIL: Final = records.END.size + 0xFFFF
"""Bytes from the end within which the end record must lie: its own length and the longest comment (APPNOTE 4.3.16)."""

RATIO_FLOOR: Final = 100 * 2**20
"""Unpacked bytes below which the ratio is not counted: a log of one repeated line is no attack."""

_WINDOW: Final = 2**18
_LENGTHS: Final = struct.Struct("<HHH")  # of name, extra field and comment
_LENGTHS_AT: Final = 28
_LONGEST_HEADER: Final = records.LOCAL.size + 0xFFFF + 24  # what may stand around the data, the name apart

# Unix types in the upper half of the external attributes (APPNOTE 4.4.15; Info-ZIP's extrafld.txt)
_TYPE: Final = 0o170000
_FOLDER: Final = 0o040000
_FILE: Final = 0o100000
_LINK: Final = 0o120000
_EXECUTABLE: Final = 0o111
_NO_MODE: Final = 0xFFFF  # what Maven's older archivers write for a folder
# MS-DOS and Windows attributes in the lower half
_DOS_FOLDER: Final = 0x10
_REPARSE_POINT: Final = 0x400


class _End(NamedTuple):
    """What the end records say."""

    total: int
    directory_size: int
    directory_offset: int
    start: int  # of the first end record: the central directory must end here
    comment: bytes


def audit(path: str | os.PathLike[str], policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Audit an archive on disk: its directory and every local header. Writes nothing.

    Args:
        path: the zip.
        policy: limits, names and links.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
        OSError: the file cannot be read.
    """
    with FileReader(path) as reader:
        return audit_reader(reader, policy)


def audit_reader(reader: Reader, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Audit an archive: its directory and every local header.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    archive = audit_directory(reader, policy)
    audit_headers(reader, archive)
    return archive


def parse_tail(tail: bytes, size: int, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory | NeedMore:
    """Audit what the tail of an archive tells, for a caller who fetches the bytes.

    Args:
        tail: the archive's last bytes; :data:`TAIL` of them are always wanted, or all where there are fewer.
        size: length of the whole archive.
        policy: limits, names and links.

    Returns:
        The directory, its local headers not looked at; or where a longer tail must begin.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    try:
        return audit_directory(TailReader(tail, size), policy)
    except MissingBytesError as missing:
        return NeedMore(missing.start)


def audit_directory(reader: Reader, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Audit what the end records and the central directory tell; local headers are not looked at.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    end = _find_end(reader)
    if policy.max_members is not None and end.total > policy.max_members:
        raise over_limit(end.total, policy.max_members, limit="max_members")
    if end.total * records.CENTRAL.size > end.directory_size:
        text = f"{end.total} members do not fit into a central directory of {end.directory_size} bytes"
        raise refusal(rules.COUNT, text)
    entries = list(_read_central(reader, end))
    members, skipped, tree = _arrange(entries, _spans(entries, end), policy)
    archive = ArchiveDirectory(
        size=reader.size,
        directory_offset=end.directory_offset,
        members=members,
        skipped=skipped,
        folders=tuple(tree.folders),
        total_size=sum(member.size for member in members),
        total_compressed_size=sum(member.compressed_size for member in members),
        twins=tree.twins,
        comment=end.comment,
    )
    _check_limits(archive, policy)
    return archive


def _find_end(reader: Reader) -> _End:
    """Find the one end of central directory record (APPNOTE 4.3.16)."""
    if reader.size < records.END.size:
        raise refusal(rules.END_RECORD, f"the archive has {reader.size} bytes: too few for a zip")
    length = min(reader.size, TAIL)
    base = reader.size - length
    tail = read_exactly(reader, base, length)
    found = []
    at = tail.find(records.END_SIGNATURE)
    while 0 <= at <= length - records.END.size:
        if at + records.END.size + int.from_bytes(tail[at + 20 : at + 22], "little") == length:
            found.append(at)
        at = tail.find(records.END_SIGNATURE, at + 1)
    if not found:
        raise _no_end(tail)
    comment = tail[found[0] + records.END.size :]
    if len(found) > 1 or records.END_SIGNATURE in comment:
        raise refusal(rules.AMBIGUOUS_END, "the archive has more than one end record")
    return _read_end(reader, base + found[0], tail[found[0] : found[0] + records.END.size], comment)


def _no_end(tail: bytes) -> Exception:
    at = tail.rfind(records.END_SIGNATURE)
    if at >= 0 and at + records.END.size + int.from_bytes(tail[at + 20 : at + 22], "little") < len(tail):
        return refusal(rules.TRAILING_DATA, "there are bytes after the archive's end record")
    return refusal(rules.END_RECORD, "there is no end record: this is no zip, or it is cut short")


def _read_end(reader: Reader, offset: int, data: bytes, comment: bytes) -> _End:
    """Judge the end record, and the zip64 records before it where there are any."""
    _, disk, directory_disk, here, count, size, directory_offset, _ = records.END.unpack(data)
    end = _End(count, size, directory_offset, offset, comment)
    locator_at = offset - records.ZIP64_LOCATOR.size
    if locator_at >= 0:
        locator = read_exactly(reader, locator_at, records.ZIP64_LOCATOR.size)
        if locator.startswith(records.ZIP64_LOCATOR_SIGNATURE):
            end = _read_zip64_end(reader, locator, locator_at, end)
            disk, directory_disk = (0 if number == records.MASK16 else number for number in (disk, directory_disk))
            here = end.total if here in {records.MASK16, end.total} else here
    if disk or directory_disk or here != end.total:
        raise refusal(rules.MULTI_DISK, "the archive is one part of several")
    if end.directory_offset + end.directory_size != end.start:
        raise refusal(rules.CENTRAL_DIRECTORY, "the central directory does not end where the end record begins")
    return end


def _read_zip64_end(reader: Reader, locator: bytes, locator_at: int, end: _End) -> _End:
    """Read the zip64 end record (APPNOTE 4.3.14); the plain one must be masked or say the same."""
    _, disk, offset, disks = records.ZIP64_LOCATOR.unpack(locator)
    if disk or disks > 1:
        raise refusal(rules.MULTI_DISK, "the archive is one part of several")
    if offset + records.ZIP64_END.size != locator_at:
        raise refusal(rules.ZIP64, "the zip64 end record is not where its locator says")
    data = read_exactly(reader, offset, records.ZIP64_END.size)
    signature, length, _, _, disk, directory_disk, here, count, size, directory_offset = records.ZIP64_END.unpack(data)
    if signature != records.ZIP64_END_SIGNATURE or length != records.ZIP64_END.size - 12:
        raise refusal(rules.ZIP64, "the zip64 end record is damaged")
    if disk or directory_disk or here != count:
        raise refusal(rules.MULTI_DISK, "the archive is one part of several")
    plain = (end.total, end.directory_size, end.directory_offset)
    masks = (records.MASK16, records.MASK32, records.MASK32)
    for value, mask, real in zip(plain, masks, (count, size, directory_offset), strict=True):
        if value not in {mask, real}:
            raise refusal(rules.ZIP64, "the two end records contradict each other")
    return _End(count, size, directory_offset, offset, end.comment)


def _read_central(reader: Reader, end: _End) -> Iterator[CentralEntry]:
    """Read the central directory in windows: exactly so many headers in exactly its size."""
    fixed = records.CENTRAL.size
    position, buffer, at = end.directory_offset, b"", 0
    for _ in range(end.total):
        if len(buffer) - at < fixed:
            buffer, at = buffer[at:] + _next_window(reader, position, end), 0
            position = min(position + _WINDOW, end.start)
        if len(buffer) - at < fixed or not buffer.startswith(records.CENTRAL_SIGNATURE, at):
            raise _bad_central(end)
        name_length, extra_length, comment_length = _LENGTHS.unpack_from(buffer, at + _LENGTHS_AT)
        length = fixed + name_length + extra_length + comment_length
        if len(buffer) - at < length:
            buffer, at = buffer[at:] + _next_window(reader, position, end), 0
            position = min(position + _WINDOW, end.start)
            if len(buffer) < length:
                raise _bad_central(end)
        yield records.parse_central(buffer, at)
        at += length
    if len(buffer) > at or position < end.start:
        raise refusal(rules.COUNT, f"the central directory holds more than the {end.total} members it is said to have")


def _next_window(reader: Reader, position: int, end: _End) -> bytes:
    """Read the next piece of the central directory; it holds any one header, the longest too."""
    return read_exactly(reader, position, min(_WINDOW, end.start - position))


def _bad_central(end: _End) -> Exception:
    return refusal(rules.CENTRAL_DIRECTORY, f"the central directory does not hold {end.total} whole headers")


def _spans(entries: list[CentralEntry], end: _End) -> list[int]:
    """Find where each member's span ends, and refuse spans that overlap or leave a gap that no header can fill."""
    order = sorted(range(len(entries)), key=lambda index: entries[index].header_offset)
    first = entries[order[0]].header_offset if order else end.directory_offset
    if first:
        raise refusal(rules.GAP, f"{first} bytes stand before the first member")
    ends = [end.directory_offset] * len(entries)
    for index, after in pairwise(order):
        ends[index] = entries[after].header_offset
    for index in order:
        entry = entries[index]
        room = ends[index] - entry.header_offset - entry.compressed_size
        if room < records.LOCAL.size + len(entry.name):
            what = "another member" if ends[index] < end.directory_offset else "the central directory"
            raise refusal(rules.OVERLAP, f"its data overlaps {what}", entry.name)
        if room > _LONGEST_HEADER + 4 * len(entry.name):
            raise refusal(rules.GAP, "bytes that belong to no member stand after it", entry.name)
    return ends


def _arrange(
    entries: list[CentralEntry], ends: list[int], policy: ExtractPolicy
) -> tuple[tuple[Member, ...], tuple[Member, ...], NameTree]:
    """Judge names and types, give every member its folder, and leave links out where the policy says so.

    ``entries`` is empty afterwards.
    """
    tree = NameTree(policy)
    placed: list[tuple[CentralEntry, int, int, bool]] = []  # with its span's end, its folder, whether it is one
    links = []
    for entry, span_end in zip(entries, ends, strict=True):
        name = entry.name
        check_name(name, policy)
        kind = _kind(entry)
        if kind == _LINK:
            if policy.symlinks == "reject":
                raise refusal(rules.LINK, "it is a symbolic link", name)
            links.append((entry, span_end, 0, False))
        elif kind == _FOLDER:
            placed.append((entry, span_end, tree.add_folder(canonical(name)), True))
        else:
            empty = not entry.size and not entry.crc32
            placed.append((entry, span_end, tree.add_file(len(placed), canonical(name), empty=empty), False))
    for index, folder in tree.promoted.items():
        placed[index] = (*placed[index][:2], folder, True)
    tree.find_twins()
    entries.clear()  # each is let go as its member is made: a million members are enough to hold once
    placed.reverse()
    members = tuple(_member(*placed.pop()) for _ in range(len(placed)))
    return members, tuple(starmap(_member, links)), tree


def _kind(entry: CentralEntry) -> int:
    """Tell file, folder and link apart: a folder's name ends in a slash, and type and size must not contradict."""
    mode = entry.attributes >> 16
    kind = 0 if mode == _NO_MODE else mode & _TYPE
    if kind == _LINK or entry.attributes & _REPARSE_POINT:
        return _LINK
    if kind not in {0, _FILE, _FOLDER}:
        raise refusal(rules.SPECIAL_FILE, "it is a device, a pipe or a socket", entry.name)
    if entry.name[-1] == "/":
        if entry.size or entry.crc32:
            raise refusal(rules.FOLDER_DATA, "it is a folder, and has data", entry.name)
        return _FOLDER
    if kind == _FOLDER or entry.attributes & _DOS_FOLDER:
        raise refusal(rules.FOLDER_TYPE, "its type says folder, and its name says file", entry.name)
    return _FILE


def _member(entry: CentralEntry, span_end: int, folder: int, is_dir: bool) -> Member:  # noqa: FBT001 - starmap's
    name, flags, method, mtime, crc32, compressed_size, size, attributes, offset = entry
    mode = attributes >> 16
    executable = not is_dir and mode & _EXECUTABLE != 0 and mode != _NO_MODE
    return Member(
        name, size, compressed_size, crc32, method, flags, is_dir, executable, mtime, offset, span_end, folder
    )


def _check_limits(archive: ArchiveDirectory, policy: ExtractPolicy) -> None:
    """Compare what the directory declares with the policy; unpacking stops at what is declared."""
    size, packed = archive.total_size, archive.total_compressed_size
    if policy.max_total_bytes is not None and size > policy.max_total_bytes:
        raise over_limit(size, policy.max_total_bytes, limit="max_total_bytes")
    if policy.max_ratio is not None and size > RATIO_FLOOR and size > policy.max_ratio * packed:
        raise over_limit(size / max(packed, 1), policy.max_ratio, limit="max_ratio")
