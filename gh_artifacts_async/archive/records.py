"""The binary records of a zip, as APPNOTE 6.3.10 defines them; each is checked as it is parsed."""

from __future__ import annotations

import functools
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.names import apply_unicode_path, decode_name
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

END: Final = struct.Struct("<4sHHHHIIH")
END_SIGNATURE: Final = b"PK\5\6"
ZIP64_LOCATOR: Final = struct.Struct("<4sIQI")
ZIP64_LOCATOR_SIGNATURE: Final = b"PK\6\7"
ZIP64_END: Final = struct.Struct("<4sQHHIIQQQQ")
ZIP64_END_SIGNATURE: Final = b"PK\6\6"
CENTRAL: Final = struct.Struct("<5xB2xHHHHIIIHH2xH2xII")  # unused fields are skipped
CENTRAL_SIGNATURE: Final = b"PK\1\2"
LOCAL: Final = struct.Struct("<6xHH4xIIIHH")
LOCAL_SIGNATURE: Final = b"PK\3\4"
DESCRIPTOR_SIGNATURE: Final = b"PK\7\x08"

MASK16: Final = 0xFFFF
MASK32: Final = 0xFFFFFFFF

# General purpose flags (APPNOTE 4.4.4)
ENCRYPTED: Final = 1 << 0
LZMA_END_MARKER: Final = 1 << 1
DESCRIPTOR: Final = 1 << 3
PATCHED: Final = 1 << 5
STRONG_ENCRYPTION: Final = 1 << 6
UTF8: Final = 1 << 11
MASKED: Final = 1 << 13
SIGNIFICANT_FLAGS: Final = ENCRYPTED | DESCRIPTOR | PATCHED | STRONG_ENCRYPTION | UTF8 | MASKED
"""The flags that change what is read; the local and the central header must agree on them."""

# Compression methods (APPNOTE 4.4.5)
STORED: Final = 0
DEFLATE: Final = 8
BZIP2: Final = 12
LZMA: Final = 14
METHODS: Final = frozenset({STORED, DEFLATE, BZIP2, LZMA})
METHOD_NAMES: Final = {
    0: "stored",
    1: "shrink",
    6: "implode",
    8: "deflate",
    9: "deflate64",
    12: "bzip2",
    14: "lzma",
    93: "zstandard",
    95: "xz",
    96: "jpeg",
    97: "wavpack",
    98: "ppmd",
    99: "aes",
}

# Systems that made an entry: the upper byte of "version made by" (APPNOTE 4.4.2); Info-ZIP writes 11 for NTFS
_UNIX_MAKERS: Final = frozenset({3, 7, 19})  # Unix, Macintosh, macOS
_WINDOWS_MAKERS: Final = frozenset({0, 10, 11, 14})  # MS-DOS, NTFS, NTFS, VFAT
_REPARSE_POINT: Final = 0x400

# Extra fields (APPNOTE 4.5.2; 0x5455 is Info-ZIP's)
_ZIP64_EXTRA: Final = 0x0001
_TIMESTAMP_EXTRA: Final = 0x5455
_UNICODE_PATH_EXTRA: Final = 0x7075
_ZIP64_LONGEST: Final = 28
_SINGULAR: Final = frozenset({_ZIP64_EXTRA, _UNICODE_PATH_EXTRA})
_FIELD: Final = struct.Struct("<HH")
_EARLIEST: Final = 315_532_800  # 1980 in seconds since 1970


class CentralEntry(NamedTuple):
    """One file header of the central directory (APPNOTE 4.3.12), zip64 values resolved."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    time_stamp: int
    is_unix_time: bool
    crc32: int
    compressed_size: int
    size: int
    attributes: int
    reparse_point: bool
    header_offset: int


def parse_extra(extra: bytes, name: str) -> dict[int, bytes]:
    """Split an extra field into its parts by ID (APPNOTE 4.5.1); one to three stray bytes at the end are tolerated.

    Raises:
        CorruptArchiveError: a part runs past the end, or one that must be unique is repeated.
    """
    parts: dict[int, bytes] = {}
    at, end = 0, len(extra)
    while end - at >= _FIELD.size:
        kind, length = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if length > end - at:
            raise refusal(rules.EXTRA, "its extra field runs past the end", name)
        if kind in _SINGULAR and kind in parts:
            raise refusal(rules.EXTRA, f"its extra field 0x{kind:04x} is repeated", name)
        parts.setdefault(kind, extra[at : at + length])
        at += length
    return parts


def resolve_zip64(data: bytes | None, fields: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Replace each 0xffffffff by its value in the zip64 extra field (APPNOTE 4.5.3).

    Args:
        data: the zip64 extra field; None if there is none.
        fields: size, compressed size and, for a central header, the offset, each of 32 bits.
        name: the member's name.

    Raises:
        CorruptArchiveError: a value is missing, or a redundant one is different.
    """
    masked = fields.count(MASK32)
    if data is None:
        if masked:
            raise refusal(rules.ZIP64, "its zip64 field, which should have its sizes, is missing", name)
        return fields
    words = len(data) // 8
    if len(data) > _ZIP64_LONGEST:
        raise refusal(rules.ZIP64, "its zip64 field is too long", name)
    values = struct.unpack_from(f"<{words}Q", data)
    if words < masked:
        raise refusal(rules.ZIP64, "its zip64 field is too short", name)
    given: Iterator[int] = iter(values)
    resolved = tuple(next(given) if field == MASK32 else field for field in fields)
    # Some readers use every value, masked or not: redundant ones must be equal.
    if words > masked and values[: len(fields)] != resolved[:words]:
        raise refusal(rules.ZIP64, "its zip64 field contradicts its header", name)
    return resolved


def parse_central(data: bytes, at: int) -> CentralEntry:
    """Parse one central header; ``data`` has all of it, its three variable fields included.

    Raises:
        ArchiveError: the header alone breaks a rule.
    """
    (
        maker,
        flags,
        method,
        time,
        date,
        crc,
        compressed_size,
        size,
        name_length,
        extra_length,
        disk,
        attributes,
        offset,
    ) = CENTRAL.unpack_from(data, at)
    at += CENTRAL.size
    raw = data[at : at + name_length]
    name = decode_name(raw, utf8=bool(flags & UTF8), unix=maker in _UNIX_MAKERS)
    if flags & (ENCRYPTED | PATCHED | STRONG_ENCRYPTION | MASKED):
        raise _bad_flags(flags, name)
    if method not in METHODS:
        known = METHOD_NAMES.get(method, "unknown")
        raise refusal(rules.METHOD, f"its compression method {method} ({known}) is not supported", name)
    seconds = None
    if extra_length or MASK32 in (size, compressed_size, offset):
        extra = parse_extra(data[at + name_length : at + name_length + extra_length], name)
        size, compressed_size, offset = resolve_zip64(extra.get(_ZIP64_EXTRA), (size, compressed_size, offset), name)
        if _UNICODE_PATH_EXTRA in extra:
            name = apply_unicode_path(raw, name, extra[_UNICODE_PATH_EXTRA], utf8=bool(flags & UTF8))
        seconds = _extended_time(extra.get(_TIMESTAMP_EXTRA, b""))
    if disk:
        raise refusal(rules.MULTI_DISK, "it is on another disk of a split archive", name)
    if method == STORED and size != compressed_size:
        raise refusal(rules.STORED_SIZE, f"it is uncompressed, but has two sizes, {compressed_size} and {size}", name)
    return CentralEntry(
        name,
        raw,
        flags,
        method,
        date << 16 | time if seconds is None else seconds,
        seconds is not None,
        crc,
        compressed_size,
        size,
        attributes,
        maker in _WINDOWS_MAKERS and attributes & _REPARSE_POINT != 0,
        offset,
    )


class LocalHeader(NamedTuple):
    """One local file header (APPNOTE 4.3.7), zip64 values resolved; ``length`` includes name and extra field."""

    raw_name: bytes
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    length: int
    unicode_path: bytes | None


def parse_local(data: bytes, name: str) -> LocalHeader:
    """Parse one local file header (APPNOTE 4.3.7) at the start of ``data``, its name and extra field included.

    Args:
        data: the bytes from its beginning.
        name: the member's name, for errors.

    Raises:
        CorruptArchiveError: it is not a local header, is incomplete, or its extra field breaks a rule.
    """
    if len(data) < LOCAL.size or not data.startswith(LOCAL_SIGNATURE):
        raise refusal(rules.LOCAL_HEADER, "there is no local header at the offset in the central directory", name)
    flags, method, crc, compressed_size, size, name_length, extra_length = LOCAL.unpack_from(data)
    extra_at = LOCAL.size + name_length
    length = extra_at + extra_length
    if length > len(data):
        raise refusal(rules.LOCAL_HEADER, "its local header is incomplete", name)
    unicode_path = None
    if extra_length or MASK32 in (size, compressed_size):
        extra = parse_extra(data[extra_at:length], name)
        size, compressed_size = resolve_zip64(extra.get(_ZIP64_EXTRA), (size, compressed_size), name)
        unicode_path = extra.get(_UNICODE_PATH_EXTRA)
    raw = data[LOCAL.size : extra_at]
    return LocalHeader(raw, flags, method, crc, compressed_size, size, length, unicode_path)


def _bad_flags(flags: int, name: str) -> Exception:
    if flags & (ENCRYPTED | STRONG_ENCRYPTION):
        return refusal(rules.ENCRYPTED, "it is encrypted", name)
    if flags & PATCHED:
        return refusal(rules.PATCHED, "it holds compressed patched data", name)
    return refusal(rules.MASKED, "its local header is masked", name)


def _extended_time(data: bytes) -> int | None:
    """Info-ZIP's extended timestamp: flags, then, if bit 0 is set, the modification time in seconds since 1970 UTC."""
    if len(data) < 1 + 4 or not data[0] & 1:
        return None
    seconds = int.from_bytes(data[1:5], "little", signed=True)
    return seconds if seconds >= _EARLIEST else None


@functools.lru_cache(maxsize=1024)  # most members of an archive were created in the same few seconds
def modification_time(stamp: int, *, is_unix: bool) -> datetime | None:
    """Decode a time stamp.

    Args:
        stamp: seconds since 1970 UTC; or an MS-DOS date (upper half) and time, which has no time zone and is taken as
            UTC.
        is_unix: which of them.

    Returns:
        The time; None if an MS-DOS date or time is invalid.
    """
    if is_unix:
        return datetime.fromtimestamp(stamp, UTC)
    date, time = stamp >> 16, stamp & MASK16
    try:
        return datetime(
            (date >> 9) + 1980,
            date >> 5 & 15,
            date & 31,
            time >> 11,
            time >> 5 & 63,
            (time & 31) * 2,
            tzinfo=UTC,
        )
    except ValueError:
        return None
