"""Write zips byte by byte, right or wrong in any field, with no code of the package."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

FILE = 0o100644 << 16
FOLDER = 0o040755 << 16 | 0x10
LINK = 0o120777 << 16
DATE = 0x5821  # 2024-01-01


def deflate(data: bytes) -> bytes:
    """Compress as a zip wants it: raw."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def extra(kind: int, data: bytes) -> bytes:
    """Write one part of an extra field."""
    return struct.pack("<HH", kind, len(data)) + data


def unicode_path(raw: bytes, new: str | bytes, *, crc: int | None = None, version: int = 1) -> bytes:
    """Write a Unicode path extra field for a stored name (APPNOTE 4.6.9)."""
    text = new.encode() if isinstance(new, str) else new
    return extra(0x7075, struct.pack("<BI", version, zlib.crc32(raw) if crc is None else crc) + text)


def zip64_extra(*values: int) -> bytes:
    """Write a zip64 extra field."""
    return extra(1, struct.pack(f"<{len(values)}Q", *values))


@dataclass
class Entry:
    """One member; what is None follows from the rest. ``local`` and ``central`` overrule fields of one header."""

    name: str | bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    attributes: int = FILE
    maker: int = 3
    extra: bytes = b""
    packed: bytes | None = None
    size: int | None = None
    compressed_size: int | None = None
    crc: int | None = None
    descriptor: bytes | None = None
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    offset: int | None = None
    after: bytes = b""
    date: int = DATE
    time: int = 0

    def values(self) -> dict:
        """Fill in what follows."""
        raw = self.name.encode() if isinstance(self.name, str) else self.name
        flags = self.flags if raw.isascii() or isinstance(self.name, bytes) else self.flags | 0x800
        packed = self.packed
        if packed is None:
            packed = deflate(self.data) if self.method == 8 else self.data
        return {
            "name": raw,
            "flags": flags,
            "method": self.method,
            "crc": zlib.crc32(self.data) if self.crc is None else self.crc,
            "compressed_size": len(packed) if self.compressed_size is None else self.compressed_size,
            "size": len(self.data) if self.size is None else self.size,
            "extra": self.extra,
            "packed": packed,
            "attributes": self.attributes,
            "maker": self.maker,
            "disk": 0,
            "date": self.date,
            "time": self.time,
        }


def descriptor(entry: Entry, layout: str) -> bytes:
    """Write a data descriptor: ``"12"``, ``"16"``, ``"20"`` or ``"24"`` bytes long."""
    values = entry.values()
    signature = b"PK\7\x08" if layout in {"16", "24"} else b""
    sizes = "<III" if layout in {"12", "16"} else "<IQQ"
    return signature + struct.pack(sizes, values["crc"], values["compressed_size"], values["size"])


def _local(values: dict) -> bytes:
    return (
        struct.pack(
            "<4sHHHHHIIIHH",
            values.get("signature", b"PK\3\4"),
            20,
            values["flags"],
            values["method"],
            values["time"],
            values["date"],
            values["crc"],
            values["compressed_size"],
            values["size"],
            len(values["name"]),
            len(values["extra"]),
        )
        + values["name"]
        + values["extra"]
    )


def _central(values: dict, offset: int) -> bytes:
    comment = values.get("comment", b"")
    return (
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            values.get("signature", b"PK\1\2"),
            values["maker"] << 8 | 30,
            20,
            values["flags"],
            values["method"],
            values["time"],
            values["date"],
            values["crc"],
            values["compressed_size"],
            values["size"],
            len(values["name"]),
            len(values["extra"]),
            len(comment),
            values["disk"],
            0,
            values["attributes"],
            values.get("offset", offset),
        )
        + values["name"]
        + values["extra"]
        + comment
    )


def build(*entries: Entry, prefix: bytes = b"", gap: bytes = b"", zip64: dict | None = None, **end: object) -> bytes:
    """Write a whole zip.

    Args:
        entries: the members.
        prefix: bytes before the first.
        gap: bytes before the central directory.
        zip64: overrules fields of the zip64 end record and its locator; None writes neither.
        end: overrules fields of the end record.
    """
    body, central = bytearray(prefix), bytearray()
    for entry in entries:
        values = entry.values()
        offset = len(body) if entry.offset is None else entry.offset
        described = {"crc": 0, "compressed_size": 0, "size": 0} if values["flags"] & 8 else {}
        body += _local({**values, **described, **entry.local}) + values["packed"]
        if values["flags"] & 8:
            body += descriptor(entry, "16") if entry.descriptor is None else entry.descriptor
        body += entry.after
        central += _central({**values, **entry.central}, offset)
    body += gap
    at = len(body)
    body += central
    fields: dict = {"disk": 0, "directory_disk": 0, "here": len(entries), "count": len(entries)}
    fields |= {"size": len(central), "offset": at, "comment": b""}
    if zip64 is not None:
        body += _zip64_end({**fields, "record_at": len(body), "record_size": 44, "disks": 1, **zip64})
        fields |= {"here": 0xFFFF, "count": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    fields |= end
    return bytes(
        body
        + struct.pack(
            "<4sHHHHIIH",
            b"PK\5\6",
            fields["disk"],
            fields["directory_disk"],
            fields["here"],
            fields["count"],
            fields["size"],
            fields["offset"],
            fields.get("comment_length", len(fields["comment"])),
        )
        + fields["comment"]
    )


def _zip64_end(values: dict) -> bytes:
    return struct.pack(
        "<4sQHHIIQQQQ",
        values.get("signature", b"PK\6\6"),
        values["record_size"],
        45,
        45,
        values["disk"],
        values["directory_disk"],
        values["here"],
        values["count"],
        values["size"],
        values["offset"],
    ) + struct.pack("<4sIQI", b"PK\6\7", values.get("locator_disk", 0), values["record_at"], values["disks"])


class Unseekable:
    """A stream that ``zipfile`` cannot seek in, so that it writes data descriptors, as the official uploader does."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self.data += data
        return len(data)

    def flush(self) -> None:
        """Do nothing."""
