"""A second reader of zips, written from APPNOTE 6.3.10 and no other code: slow, simple, all in memory.

It sees an archive in the two ways in which readers go about it: from the central directory, as most do, and from the
first local header on, as those do that take a stream. It judges nothing but what it cannot read. An archive is safe to
hand on only where both see the same.
"""

from __future__ import annotations

import bz2
import contextlib
import lzma
import struct
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

LOCAL = b"PK\3\4"
CENTRAL = b"PK\1\2"
END = b"PK\5\6"
ZIP64_END = b"PK\6\6"
ZIP64_LOCATOR = b"PK\6\7"
DESCRIPTOR = b"PK\7\x08"


class UnreadableError(Exception):
    """This reader cannot make sense of the archive."""


class Seen(NamedTuple):
    """One member.

    Attributes:
        name: as stored.
        data: unpacked.
        mode: of Unix, where the view has it.
        dos: the attributes of MS-DOS, where the view has them.
        offset: of the local header.
        maker: the system that made the entry, where the view has it.
    """

    name: str
    data: bytes
    mode: int
    dos: int
    offset: int
    maker: int


def number(data: bytes, at: int, width: int) -> int:
    """Read a number, which must be there."""
    if at < 0 or at + width > len(data):
        raise UnreadableError(f"there is nothing at {at}")
    return int.from_bytes(data[at : at + width], "little")


def text(raw: bytes, flags: int, maker: int, extra: bytes) -> str:
    """Decode a name (4.4.4, bit 11, and appendix D), or take it from its Unicode path field (4.6.9)."""
    field = subfield(extra, 0x7075)
    if field is not None and len(field) >= 5:
        for_this = field[0] == 1 and number(field, 1, 4) == zlib.crc32(raw)
        if for_this or field[5:] == raw:
            with contextlib.suppress(UnicodeDecodeError):
                return field[5:].decode()
    try:
        return raw.decode("utf-8" if flags & 0x800 or maker in {3, 7, 19} else "cp437")
    except UnicodeDecodeError as error:
        if flags & 0x800:
            raise UnreadableError(str(error)) from error
    return raw.decode("cp437")


def subfield(extra: bytes, kind: int) -> bytes | None:
    """Return the first part of an extra field with this ID (4.5.1)."""
    at = 0
    while at + 4 <= len(extra):
        found, length = struct.unpack_from("<HH", extra, at)
        if found == kind:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None


def zip64(extra: bytes, *fields: int) -> list[int]:
    """Replace 0xffffffff by the values of the zip64 extra field (4.5.3)."""
    part = subfield(extra, 1) or b""
    values = [number(part, place, 8) for place in range(0, len(part) - 7, 8)]
    found = []
    for field in fields:
        if field == 0xFFFFFFFF:
            if not values:
                raise UnreadableError("a zip64 value is missing")
            found.append(values.pop(0))
        else:
            found.append(field)
    return found


def inflate(method: int, flags: int, packed: bytes, size: int | None) -> tuple[bytes, int]:
    """Unpack; return the data, and how many packed bytes it has taken. Without a size the stream tells its end."""
    if method == 0 or (not packed and not size):
        return packed, len(packed)
    try:
        if method == 8:
            stream: Any = zlib.decompressobj(-15)
            data = stream.decompress(packed)
        elif method == 12:
            stream = bz2.BZ2Decompressor()
            data = stream.decompress(packed)
        elif method == 14:
            return _lzma(packed, flags, size), len(packed)
        else:
            raise UnreadableError(f"method {method}")
    except (zlib.error, OSError, lzma.LZMAError) as error:
        raise UnreadableError(str(error)) from error
    if not stream.eof:
        raise UnreadableError("the stream ends early")
    return data, len(packed) - len(stream.unused_data)


def _lzma(packed: bytes, flags: int, size: int | None) -> bytes:
    """4.4.4, bit 1, and 5.8.8: two bytes of version, two of a length (5), the properties, and the stream."""
    code = number(packed, 4, 1)
    filters = {
        "id": lzma.FILTER_LZMA1,
        "lc": code % 9,
        "lp": code // 9 % 5,
        "pb": code // 45,
        "dict_size": max(4096, min(number(packed, 5, 4), size or 0)),
    }
    stream = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters])
    if flags & 2:
        return stream.decompress(packed[9:])
    return stream.decompress(packed[9:], size or 0) if size else b""


def _member_data(data: bytes, at: int, values: tuple[int, int, int, int, int]) -> bytes:
    """Unpack the data at an offset, and compare its size and CRC."""
    method, flags, crc, packed_size, size = values
    if at + packed_size > len(data):
        raise UnreadableError("the data runs over the end")
    found, _ = inflate(method, flags, data[at : at + packed_size], size)
    if len(found) != size or zlib.crc32(found) != crc:
        raise UnreadableError("the data has another size or CRC")
    return found


def find_end(data: bytes) -> tuple[int, int, int]:
    """Return how many members there are, where the central directory begins, and its size (4.3.16, 4.3.14)."""
    content = max(len(data.rstrip(b"\0")), len(data) - 65536)
    for at in range(len(data) - 22, max(len(data) - 22 - 2 * 65536, -1), -1):
        if data[at : at + 4] == END and content <= at + 22 + number(data, at + 20, 2) <= len(data):
            break
    else:
        raise UnreadableError("no end record")
    count, size, offset = number(data, at + 10, 2), number(data, at + 12, 4), number(data, at + 16, 4)
    if at >= 20 and data[at - 20 : at - 16] == ZIP64_LOCATOR:
        record = number(data, at - 12, 8)
        if data[record : record + 4] != ZIP64_END:
            raise UnreadableError("no zip64 end record")
        count, size, offset = number(data, record + 32, 8), number(data, record + 40, 8), number(data, record + 48, 8)
    return count, offset, size


def is_link(member: Seen) -> bool:
    """Whether it is a symbolic link of Unix, or a reparse point of Windows."""
    return (member.mode & 0o170000 == 0o120000 and member.mode != 0xFFFF) or (
        bool(member.dos & 0x400) and member.maker in {0, 10, 11, 14}
    )


def central_view(data: bytes, *, skip_links: bool = False) -> list[Seen]:
    """Read as most readers do: the end record, the central directory, and the data that it points at (4.3.12).

    Args:
        data: the archive.
        skip_links: do not look at the data of links.
    """
    count, at, _ = find_end(data)
    members = []
    for _ in range(count):
        if data[at : at + 4] != CENTRAL:
            raise UnreadableError(f"no central header at {at}")
        flags, method = number(data, at + 8, 2), number(data, at + 10, 2)
        crc, packed_size, size = (number(data, at + place, 4) for place in (16, 20, 24))
        name_length, extra_length, comment_length = (number(data, at + place, 2) for place in (28, 30, 32))
        attributes, offset = number(data, at + 38, 4), number(data, at + 42, 4)
        after_name = at + 46 + name_length
        extra = data[after_name : after_name + extra_length]
        size, packed_size, offset = zip64(extra, size, packed_size, offset)
        name = text(data[at + 46 : after_name], flags, data[at + 5], extra)
        if data[offset : offset + 4] != LOCAL:
            raise UnreadableError(f"no local header at {offset}")
        begin = offset + 30 + number(data, offset + 26, 2) + number(data, offset + 28, 2)
        member = Seen(name, b"", attributes >> 16, attributes & 0xFFFF, offset, data[at + 5])
        if not (skip_links and is_link(member)):
            member = member._replace(data=_member_data(data, begin, (method, flags, crc, packed_size, size)))
        members.append(member)
        at = after_name + extra_length + comment_length
    return members


def _central_sizes(data: bytes) -> dict[int, tuple[int, int, int]]:
    """Return CRC, packed and unpacked size by the local header's offset."""
    count, at, _ = find_end(data)
    found = {}
    for _ in range(count):
        lengths = [number(data, at + place, 2) for place in (28, 30, 32)]
        extra_at = at + 46 + lengths[0]
        fields = (number(data, at + place, 4) for place in (24, 20, 42))
        size, packed_size, offset = zip64(data[extra_at : extra_at + lengths[1]], *fields)
        found[offset] = (number(data, at + 16, 4), packed_size, size)
        at += 46 + sum(lengths)
    return found


def _makers(data: bytes) -> dict[int, int]:
    """Return the system that made each entry by the local header's offset: a local header does not say."""
    count, at, _ = find_end(data)
    found = {}
    for _ in range(count):
        lengths = [number(data, at + place, 2) for place in (28, 30, 32)]
        extra_at = at + 46 + lengths[0]
        fields = (number(data, at + place, 4) for place in (24, 20, 42))
        found[zip64(data[extra_at : extra_at + lengths[1]], *fields)[2]] = data[at + 5]
        at += 46 + sum(lengths)
    return found


def sequential_view(data: bytes, skipped: Collection[int] = ()) -> list[Seen]:
    """Read as those do that take a stream: one local header after the other, from the very first byte (4.3.7).

    With a descriptor (bit 3) deflate and bzip2 tell their own end; for the others, and for what is empty, the central
    directory is asked.

    Args:
        data: the archive.
        skipped: offsets of members whose data is stepped over.
    """
    at, members = 0, []
    while data[at : at + 4] == LOCAL:
        offset = at
        flags, method = number(data, at + 6, 2), number(data, at + 8, 2)
        crc, packed_size, size = (number(data, at + place, 4) for place in (14, 18, 22))
        name_length, extra_length = number(data, at + 26, 2), number(data, at + 28, 2)
        extra_at = at + 30 + name_length
        extra = data[extra_at : extra_at + extra_length]
        name = text(data[at + 30 : extra_at], flags, _makers(data).get(offset, 0), extra)
        size, packed_size = zip64(extra, size, packed_size)
        at = extra_at + extra_length
        if flags & 8:
            known = _central_sizes(data).get(offset)
            if known is None:
                raise UnreadableError("the central directory does not know this member")
            content, real = b"", known
            if offset not in skipped:
                content, taken = _described(data, at, method, flags, known)
                real = (zlib.crc32(content), taken, len(content))
            at = _descriptor_end(data, at + real[1], (crc, packed_size, size), real)
        else:
            values = (method, flags, crc, packed_size, size)
            content = b"" if offset in skipped else _member_data(data, at, values)
            at += packed_size
        members.append(Seen(name, content, 0, 0, offset, 0))
    if data[at : at + 4] not in {CENTRAL, ZIP64_END, END}:
        raise UnreadableError(f"no record at {at}")
    if at != find_end(data)[1]:
        raise UnreadableError("the central directory is somewhere else")
    return members


def _described(data: bytes, at: int, method: int, flags: int, known: tuple[int, int, int]) -> tuple[bytes, int]:
    """Read the data of a member that a descriptor follows; return it, and how many bytes it takes."""
    if method in {8, 12} and known[1]:
        return inflate(method, flags, data[at:], None)
    return inflate(method, flags, data[at : at + known[1]], known[2])[0], known[1]


def _descriptor_end(data: bytes, at: int, stated: tuple[int, int, int], real: tuple[int, int, int]) -> int:
    """Find where a descriptor ends (4.3.9), and the next record begins.

    Some writers set the flag and write none; that makes no difference where the local header has said it all.
    """
    for signature in (DESCRIPTOR, b""):
        for layout in ("<IQQ", "<III"):
            expected = signature + struct.pack(
                layout, *(value if layout == "<IQQ" else value % 2**32 for value in real)
            )
            end = at + len(expected)
            if data[at:end] == expected and data[end : end + 4] in {LOCAL, CENTRAL, ZIP64_END, END}:
                return end
    if stated == real and data[at : at + 4] in {LOCAL, CENTRAL, ZIP64_END, END}:
        return at
    raise UnreadableError("no descriptor fits")


def tree(members: Iterable[Seen], *, skip_links: bool = False) -> tuple[dict[str, tuple[bytes, bool]], set[str]]:
    """Return the files (content, whether executable) and the folders that these members ask for.

    Args:
        members: of the central view.
        skip_links: leave links out.
    """
    named: list[tuple[str, Seen]] = []
    for member in members:
        if is_link(member):
            if not skip_links:
                raise UnreadableError("a link")
            continue
        if member.name != "./":  # the destination itself
            named.append((member.name.removeprefix("./"), member))
    above = {folder for name, _ in named for folder in parents(name)}
    folders = above | {name.removesuffix("/") for name, _ in named if name.endswith("/")}
    files = {}
    for name, member in named:
        if name.endswith("/"):
            continue
        if name in folders and not member.data:
            continue  # the official uploader's way to write a folder
        if name in files or name in folders:
            raise UnreadableError(f"two members are {name}")
        files[name] = (member.data, bool(member.mode & 0o111) and member.mode != 0xFFFF)
    return files, folders


def parents(name: str) -> set[str]:
    """Return all folders above a name."""
    parts = name.removesuffix("/").split("/")[:-1]
    return {"/".join(parts[: count + 1]) for count in range(len(parts))}


def records(data: bytes) -> list[tuple[int, int]]:
    """Return where each record of a good archive begins and ends: headers, data, descriptors, end records."""
    cuts = {0, len(data)}
    count, at, size = find_end(data)
    cuts |= {at, at + size}
    for _ in range(count):
        cuts.add(at)
        lengths = [number(data, at + place, 2) for place in (28, 30, 32)]
        extra = data[at + 46 + lengths[0] : at + 46 + sum(lengths[:2])]
        packed, offset = zip64(extra, *(number(data, at + place, 4) for place in (24, 20, 42)))[1:]
        begin = offset + 30 + number(data, offset + 26, 2) + number(data, offset + 28, 2)
        cuts |= {offset, begin, begin + packed}
        at += 46 + sum(lengths)
    places = sorted(cuts)
    return [(begin, end) for begin, end in pairwise(places) if end > begin]
