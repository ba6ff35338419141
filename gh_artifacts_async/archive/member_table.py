"""All members of an archive in little memory: 66 bytes each and their names; a :class:`Member` is built when needed."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, overload

from gh_artifacts_async.archive.members import Member
from gh_artifacts_async.archive.records import modification_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gh_artifacts_async.archive.records import CentralEntry


class Record(NamedTuple):
    """The packed form of a member, field by field; ``header_length`` is 0 until the local header was checked."""

    name_begin: int
    size: int
    compressed_size: int
    header_offset: int
    span_end: int
    name_length: int
    crc32: int
    folder: int
    time_stamp: int
    header_length: int
    flags: int
    raw_length: int
    method: int
    bits: int


_RECORD: Final = struct.Struct("<QQQQQIIIIIHHBB")
_SPAN: Final = struct.Struct("<QQ8xI18xH")  # compressed size, header offset, lengths of the name
_OFFSET: Final = struct.Struct("<Q")
_NUMBER: Final = struct.Struct("<I")
_EXTENT: Final = struct.Struct("<Q8xQ")  # size and header offset
_SIZE_AT: Final = 8
_SUMMARY: Final = struct.Struct("<QQ24xI21xB")  # where its name begins, size, length of the name, bits
_PLACED: Final = struct.Struct("<Q32xI4xI10xH")  # where its name begins, length of the name, folder, raw length
_SPAN_AT: Final = 16
_HEADER_OFFSET_AT: Final = 24
_SPAN_END_AT: Final = 32
_FOLDER_AT: Final = 48
_HEADER_LENGTH_AT: Final = 56
_BITS_AT: Final = 65

_IS_DIR: Final = 1
_EXECUTABLE: Final = 2
_UNIX_TIME: Final = 4


ExpectedHeader = tuple[int, int, tuple[int, int, int, int, int, int, int], bytes]
"""Offset and end of a member's span, the fields of a local header without extra field, and the stored name."""


class MemberStore:
    """The packed records of all members, in the order of the central directory, skipped links included.

    Args:
        capacity: the number of members.
    """

    def __init__(self, capacity: int) -> None:
        """Reserve the space; the system provides it only as it is filled."""
        self._records = bytearray(capacity * _RECORD.size)
        self._names = bytearray()  # for each member its name in UTF-8, then the stored name if it is different
        self._count = 0
        self._ascending = True
        self._last_offset = 0

    def __len__(self) -> int:
        """Return the number of members."""
        return self._count

    def append(self, entry: CentralEntry, folder: int, *, is_dir: bool, executable: bool) -> None:
        """Add a member; its span is set later."""
        begin, name, raw = len(self._names), entry.name.encode(), entry.raw_name
        self._names += name
        if name == raw:
            raw = b""
        self._names += raw
        _RECORD.pack_into(
            self._records,
            self._count * _RECORD.size,
            begin,
            entry.size,
            entry.compressed_size,
            entry.header_offset,
            0,
            len(name),
            entry.crc32,
            folder,
            entry.time_stamp,
            0,
            entry.flags,
            len(raw),
            entry.method,
            is_dir * _IS_DIR | executable * _EXECUTABLE | entry.is_unix_time * _UNIX_TIME,
        )
        self._count += 1
        self._ascending = self._ascending and entry.header_offset >= self._last_offset
        self._last_offset = entry.header_offset

    def adopt(self, other: MemberStore, index: int, folders: Sequence[int]) -> None:
        """Add a copy of another archive's member; its offsets stay those of its own archive.

        Args:
            other: the store of the other archive.
            index: of the member in it.
            folders: the index here of each of the other archive's folders.
        """
        start, at = index * _RECORD.size, self._count * _RECORD.size
        begin, length, folder, raw_length = _PLACED.unpack_from(other._records, start)
        self._records[at : at + _RECORD.size] = other._records[start : start + _RECORD.size]
        _OFFSET.pack_into(self._records, at, len(self._names))
        _NUMBER.pack_into(self._records, at + _FOLDER_AT, folders[folder])
        self._names += other._names[begin : begin + length + raw_length]
        self._count += 1
        self._ascending = False

    def placed(self, index: int) -> tuple[str, int]:
        """Return a member's name and the index of its folder."""
        begin, length, folder, _ = _PLACED.unpack_from(self._records, index * _RECORD.size)
        return self._names[begin : begin + length].decode(), folder

    def record(self, index: int) -> Record:
        """Return one packed record."""
        return Record._make(_RECORD.unpack_from(self._records, index * _RECORD.size))

    def expected_header(self, index: int) -> ExpectedHeader:
        """Return what a member's local header is expected to be, and where its span begins and ends."""
        begin, size, compressed_size, offset, span_end, length, crc32, _, _, _, flags, raw_length, method, _ = (
            _RECORD.unpack_from(self._records, index * _RECORD.size)
        )
        if raw_length:
            begin, length = begin + length, raw_length
        fields = (flags, method, crc32, compressed_size, size, length, 0)
        return offset, span_end, fields, bytes(self._names[begin : begin + length])

    def extent(self, index: int) -> tuple[int, int]:
        """Return a member's size and the offset of its local header."""
        size, offset = _EXTENT.unpack_from(self._records, index * _RECORD.size + _SIZE_AT)
        return size, offset

    def header_offset(self, index: int) -> int:
        """Return the offset of a member's local header."""
        offset: int = _OFFSET.unpack_from(self._records, index * _RECORD.size + _HEADER_OFFSET_AT)[0]
        return offset

    def file_order(self) -> Sequence[int]:
        """Return the indices of all members in the order of their local headers."""
        if self._ascending:
            return range(self._count)
        return array("I", sorted(range(self._count), key=self.header_offset))

    def set_spans(self, order: Sequence[int], end: int) -> Iterator[tuple[int, int]]:
        """Let every member's span end where the next one begins.

        Args:
            order: all indices in file order.
            end: where the last span ends.

        Yields:
            The index of each member, and the bytes of its span that are neither data nor name.
        """
        buffer, unpack, pack = self._records, _SPAN.unpack_from, _OFFSET.pack_into
        previous, length = -1, 0
        for index in order:
            at = index * _RECORD.size
            compressed_size, offset, name_length, raw_length = unpack(buffer, at + _SPAN_AT)
            if previous >= 0:
                pack(buffer, previous * _RECORD.size + _SPAN_END_AT, offset)
                yield previous, offset - length
            previous, length = index, offset + compressed_size + (raw_length or name_length)
        if previous >= 0:
            pack(buffer, previous * _RECORD.size + _SPAN_END_AT, end)
            yield previous, end - length

    def set_header_length(self, index: int, length: int) -> None:
        """Note that a member's local header was checked, and its length."""
        _NUMBER.pack_into(self._records, index * _RECORD.size + _HEADER_LENGTH_AT, length)

    def turn_into_folder(self, index: int, folder: int) -> None:
        """Note that an empty file stands for a folder."""
        _NUMBER.pack_into(self._records, index * _RECORD.size + _FOLDER_AT, folder)
        bits = index * _RECORD.size + _BITS_AT
        self._records[bits] = self._records[bits] & ~_EXECUTABLE | _IS_DIR

    def is_dir(self, index: int) -> bool:
        """Return whether a member is a folder."""
        return bool(self._records[index * _RECORD.size + _BITS_AT] & _IS_DIR)

    def name(self, index: int) -> str:
        """Return a member's name."""
        begin, _, length, _ = _SUMMARY.unpack_from(self._records, index * _RECORD.size)
        return self._names[begin : begin + length].decode()

    def summaries(self, indices: Iterable[int]) -> Iterator[tuple[str, int, bool]]:
        """Yield name, size and executable bit of those members that are files."""
        buffer, names, unpack = self._records, self._names, _SUMMARY.unpack_from
        for index in indices:
            begin, size, length, bits = unpack(buffer, index * _RECORD.size)
            if not bits & _IS_DIR:
                yield names[begin : begin + length].decode(), size, bits & _EXECUTABLE != 0

    def raw_name(self, record: Record) -> bytes:
        """Return the name of a member as stored."""
        name_end = record.name_begin + record.name_length
        if record.raw_length:
            return bytes(self._names[name_end : name_end + record.raw_length])
        return bytes(self._names[record.name_begin : name_end])

    def member(self, index: int) -> Member:
        """Build one member."""
        (
            begin,
            size,
            compressed_size,
            offset,
            span_end,
            length,
            crc32,
            folder,
            stamp,
            header_length,
            flags,
            raw,
            method,
            bits,
        ) = _RECORD.unpack_from(self._records, index * _RECORD.size)
        name_end = begin + length
        name = bytes(self._names[begin:name_end])
        return Member(
            name.decode(),
            size,
            compressed_size,
            crc32,
            method,
            flags,
            bits & _IS_DIR != 0,
            bits & _EXECUTABLE != 0,
            modification_time(stamp, is_unix=bits & _UNIX_TIME != 0),
            offset,
            span_end,
            folder,
            bytes(self._names[name_end : name_end + raw]) if raw else name,
            offset + header_length if header_length else None,
        )


class MemberTable(Sequence[Member]):
    """Members of one archive, in the order of the central directory; each access builds a new, equal one.

    Args:
        store: all members of the archive.
        indices: those that belong to this table, in their order.
    """

    def __init__(self, store: MemberStore, indices: Sequence[int]) -> None:
        """Keep both."""
        self.store = store
        self.indices = indices
        self._by_hash: tuple[array[int], array[int]] | None = None

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> MemberTable: ...
    def __getitem__(self, index: int | slice) -> Member | MemberTable:
        """Return a member, or a table of some."""
        if isinstance(index, slice):
            return MemberTable(self.store, self.indices[index])
        return self.store.member(self.indices[index])

    def __iter__(self) -> Iterator[Member]:
        """Iterate over the members."""
        return map(self.store.member, self.indices)

    def __eq__(self, other: object) -> bool:
        """Return whether another sequence has equal members in the same order."""
        if isinstance(other, str) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        """Return the hash of a tuple of the same members, which is equal."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Return the number of members."""
        return f"<MemberTable of {len(self)} members>"

    def extents(self) -> Iterator[tuple[int, int]]:
        """Iterate over the members' sizes and the offsets of their local headers."""
        return map(self.store.extent, self.indices)

    def summaries(self) -> Iterator[tuple[str, int, bool]]:
        """Iterate over name, size and executable bit of the members that are files."""
        return self.store.summaries(self.indices)

    def at(self, positions: Iterable[int]) -> Iterator[Member]:
        """Iterate over the members at some positions."""
        if isinstance(self.indices, range) and self.indices == range(len(self.store)):
            return map(self.store.member, positions)
        return (self.store.member(self.indices[position]) for position in positions)

    def names(self) -> Iterator[str]:
        """Iterate over the members' names."""
        return map(self.store.name, self.indices)

    def files(self) -> MemberTable:
        """Return the members that are files."""
        return MemberTable(self.store, _packed(index for index in self.indices if not self.store.is_dir(index)))

    def in_file_order(self) -> Iterator[Member]:
        """Iterate over the members in the order of their local headers, that in which they are downloaded."""
        if len(self) == len(self.store):
            return map(self.store.member, self.store.file_order())
        order = sorted(self.indices, key=self.store.header_offset)
        return map(self.store.member, _packed(order))

    def find(self, name: str) -> Member | None:
        """Return a member by its exact name, or None."""
        if self._by_hash is None:
            hashes = array("q", map(hash, self.names()))
            self._by_hash = hashes, _packed(sorted(range(len(hashes)), key=hashes.__getitem__))
        hashes, order = self._by_hash
        for at in range(bisect_left(order, hash(name), key=hashes.__getitem__), len(order)):
            if hashes[order[at]] != hash(name):
                return None
            if self.store.name(self.indices[order[at]]) == name:
                return self[order[at]]
        return None


def _packed(indices: Iterable[int]) -> array[int]:
    return array("I", indices)
