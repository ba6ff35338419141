"""Check the central directory of a zip before anything is written.

There are two stages, because an archive may still be on a server. :func:`audit_directory` (or :func:`parse_tail`, for
a caller that fetches the bytes itself) checks everything the end of the archive can tell: end records, the central
directory, names, types, methods, limits, and that the members' spans fill the archive without overlap.
:func:`audit_reader` and :func:`audit` also compare every local header and data descriptor
(:mod:`~gh_artifacts_async.archive.local_headers`).
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Final

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.audited import ArchiveDirectory, NeedMore
from gh_artifacts_async.archive.end_record import find_end
from gh_artifacts_async.archive.local_headers import audit_headers
from gh_artifacts_async.archive.member_table import MemberStore, MemberTable
from gh_artifacts_async.archive.name_tree import NameTree, PlacedFile
from gh_artifacts_async.archive.names import check_name
from gh_artifacts_async.archive.readers import FileReader, MissingBytesError, TailReader, read_exactly
from gh_artifacts_async.archive.rules import over_limit, refusal
from gh_artifacts_async.errors import ArchiveError
from gh_artifacts_async.settings import ExtractPolicy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from gh_artifacts_async.archive.end_record import EndRecord
    from gh_artifacts_async.archive.readers import Reader
    from gh_artifacts_async.archive.records import CentralEntry

DEFAULT_POLICY: Final = ExtractPolicy()

RATIO_FLOOR: Final = 100 * 2**20
"""Uncompressed bytes up to which the ratio is not checked: a log of one repeated line is no attack."""

_WINDOW: Final = 2**18
_LENGTHS: Final = struct.Struct("<HHH")  # of name, extra field and comment
_LENGTHS_AT: Final = 28
_LONGEST_HEADER: Final = records.LOCAL.size + 0xFFFF + 24  # all that can surround the data, except the name

# Types of Unix in the upper half of the external attributes (APPNOTE 4.4.15; Info-ZIP's extrafld.txt)
_TYPE: Final = 0o170000
_PIPE: Final = 0o010000
_FOLDER: Final = 0o040000
_FILE: Final = 0o100000
_LINK: Final = 0o120000
_EXECUTABLE: Final = 0o111
_STANDARD_INPUT: Final = "-"  # Info-ZIP's name for it, stored with the mode of the pipe that it was
_NO_MODE: Final = 0xFFFF  # written by Maven's older archivers for folders
# MS-DOS and Windows attributes in the lower half
_DOS_FOLDER: Final = 0x10


def audit(path: str | os.PathLike[str], policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Check an archive on disk: its central directory and every local header. Writes nothing.

    Args:
        path: the zip.
        policy: limits, and rules for names and links.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
        OSError: the file cannot be read.
    """
    with FileReader(path) as reader:
        return audit_reader(reader, policy)


def audit_reader(reader: Reader, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Check an archive: its central directory and every local header.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    archive = audit_directory(reader, policy)
    audit_headers(reader, archive)
    return archive


def parse_tail(tail: bytes, size: int, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory | NeedMore:
    """Check what the last bytes of an archive can tell, for a caller that fetches them itself.

    Args:
        tail: the archive's last bytes, at least :data:`TAIL` of them, or all if the archive is shorter.
        size: length of the whole archive in bytes.
        policy: limits, and rules for names and links.

    Returns:
        The directory, without a look at the local headers; or the offset at which a longer tail must begin.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    try:
        return audit_directory(TailReader(tail, size), policy)
    except MissingBytesError as missing:
        return NeedMore(missing.start)


def audit_directory(reader: Reader, policy: ExtractPolicy = DEFAULT_POLICY) -> ArchiveDirectory:
    """Check the end records and the central directory; local headers are not read.

    Raises:
        ArchiveError: the archive breaks a rule; ``rule`` names it.
    """
    end = find_end(reader)
    if policy.max_members is not None and end.total > policy.max_members:
        raise over_limit(end.total, policy.max_members, limit="max_members")
    if end.total * records.CENTRAL.size > end.directory_size:
        text = f"a central directory of {end.directory_size} bytes is too small for {end.total} members"
        raise refusal(rules.COUNT, text)
    collected = _Collector(policy, end.total)
    for entry in _read_central(reader, end):
        collected.add(entry)
    _set_spans(collected.store, end)
    archive = collected.result(reader.size, end)
    _check_limits(archive, policy)
    return archive


def _read_central(reader: Reader, end: EndRecord) -> Iterator[CentralEntry]:
    """Read the central directory in windows; it must hold exactly the stated number of headers."""
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
        raise refusal(rules.COUNT, f"the central directory has more than {end.total} members, the end record's count")


def _next_window(reader: Reader, position: int, end: EndRecord) -> bytes:
    """Read the next piece of the central directory; even the longest header fits into one."""
    return read_exactly(reader, position, min(_WINDOW, end.start - position))


def _bad_central(end: EndRecord) -> Exception:
    return refusal(rules.CENTRAL_DIRECTORY, f"the central directory does not have {end.total} complete headers")


class _Collector:
    """Takes the members one by one, checks their names and types, and gives each its folder.

    The first name or type that breaks a rule is kept and raised at the end: an archive whose records do not fit
    together is rejected for that first.
    """

    def __init__(self, policy: ExtractPolicy, total: int) -> None:
        self.store = MemberStore(total)
        self._policy = policy
        self._tree = NameTree(policy)
        self._links: list[int] = []
        self._failure: ArchiveError | None = None
        self._size = 0
        self._compressed_size = 0

    def add(self, entry: CentralEntry) -> None:
        kind, folder = _FILE, 0
        if self._failure is None:
            try:
                kind, folder = self._place(entry)
            except ArchiveError as error:
                self._failure = error
        mode = entry.attributes >> 16
        executable = kind != _FOLDER and mode & _EXECUTABLE != 0 and mode != _NO_MODE
        self.store.append(entry, folder, is_dir=kind == _FOLDER, executable=executable)

    def _place(self, entry: CentralEntry) -> tuple[int, int]:
        check_name(entry.name, self._policy)
        kind = _kind(entry)
        if kind == _LINK:
            if self._policy.symlinks == "reject":
                raise refusal(rules.LINK, "it is a symbolic link", entry.name)
            self._links.append(len(self.store))
            return kind, 0
        self._size += entry.size
        self._compressed_size += entry.compressed_size
        if kind == _FOLDER:
            return kind, self._tree.add_folder(entry.name)
        return kind, self._tree.add_file(entry.name)

    def result(self, size: int, end: EndRecord) -> ArchiveDirectory:
        """Raise what was wrong with a name or a type; resolve conflicts between names."""
        if self._failure is not None:
            raise self._failure
        links = set(self._links)
        indices: Sequence[int] = range(end.total)
        if links:
            indices = array("I", (index for index in indices if index not in links))
        members = MemberTable(self.store, indices)
        self._tree.resolve(lambda: _files(members))
        for index, folder in self._tree.promoted.items():
            self.store.turn_into_folder(index, folder)
        return ArchiveDirectory(
            size=size,
            directory_offset=end.directory_offset,
            members=members,
            skipped=MemberTable(self.store, array("I", self._links)),
            folders=self._tree.folders,
            total_size=self._size,
            total_compressed_size=self._compressed_size,
            twins=self._tree.twins,
            comment=end.comment,
        )


def _files(members: MemberTable) -> Iterator[PlacedFile]:
    store = members.store
    for index in members.indices:
        if not store.is_dir(index):
            record = store.record(index)
            yield PlacedFile(index, record.folder, store.name(index), not record.size and not record.crc32)


def _set_spans(store: MemberStore, end: EndRecord) -> None:
    """Find where each member's span ends; reject overlaps, and gaps larger than any header."""
    order = store.file_order()
    first = store.header_offset(order[0]) if order else end.directory_offset
    if first:
        raise refusal(rules.GAP, f"there are {first} bytes before the first member")
    for index, around in store.set_spans(order, end.directory_offset):
        if around < records.LOCAL.size:
            what = "another member" if index != order[-1] else "the central directory"
            raise refusal(rules.OVERLAP, f"its data overlaps {what}", store.name(index))
        if around > _LONGEST_HEADER:
            raise refusal(rules.GAP, "it is followed by bytes that belong to no member", store.name(index))


def _kind(entry: CentralEntry) -> int:
    """Return whether it is a file, folder or link; a folder's name ends in a slash, and type and size must agree."""
    mode = entry.attributes >> 16
    kind = 0 if mode == _NO_MODE else mode & _TYPE
    if kind == _LINK or entry.reparse_point:
        return _LINK
    if kind == _PIPE and entry.name == _STANDARD_INPUT:
        return _FILE
    if kind not in {0, _FILE, _FOLDER}:
        raise refusal(rules.SPECIAL_FILE, "it is a device, a named pipe or a socket", entry.name)
    if entry.name[-1] == "/":
        if entry.size or entry.crc32:
            raise refusal(rules.FOLDER_DATA, "it is a folder, but has data", entry.name)
        return _FOLDER
    if kind == _FOLDER or entry.attributes & _DOS_FOLDER:
        raise refusal(rules.FOLDER_TYPE, "its type is a folder, but its name does not end in a slash", entry.name)
    return _FILE


def _check_limits(archive: ArchiveDirectory, policy: ExtractPolicy) -> None:
    """Compare the declared sizes with the policy; extraction never writes more than is declared."""
    size, packed = archive.total_size, archive.total_compressed_size
    if policy.max_total_bytes is not None and size > policy.max_total_bytes:
        raise over_limit(size, policy.max_total_bytes, limit="max_total_bytes")
    if policy.max_ratio is not None and size > RATIO_FLOOR and size > policy.max_ratio * packed:
        raise over_limit(size / max(packed, 1), policy.max_ratio, limit="max_ratio")
