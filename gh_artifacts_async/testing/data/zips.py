"""Zips as artifacts store them: of given files, or of an exact size that uses no memory."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from gh_artifacts_async.testing.data.blobs import Blob, BytesBlob, JoinedBlob, SeededBlob, chunks

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMBER_TIME = (2026, 1, 1, 0, 0, 0)
_ZIP64_LIMIT = 0xFFFFFFFF
_MEMBER = "random.bin"


@functools.lru_cache(maxsize=64)
def _crc32(blob: Blob) -> int:
    crc = 0
    for chunk in chunks(blob):
        crc = zlib.crc32(chunk, crc)
    return crc


def make_zip(files: Mapping[str, bytes | str], *, moment: tuple[int, int, int, int, int, int] = _MEMBER_TIME) -> bytes:
    """Return a deflated zip of ``files`` (member name -> content), the same bytes for the same files.

    Args:
        files: the members in order; a name that ends in ``/`` is a directory.
        moment: the time that every member carries (year, month, day, hour, minute, second).
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, moment)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def random_zip(size: int, seed: int = 0) -> bytes:
    """Return a valid zip of exactly ``size`` bytes (at least 118) with one stored member of random bytes."""
    blob = zip_blob(size, seed)
    return blob.read(0, blob.size)


@functools.lru_cache(maxsize=64)
def zip_blob(size: int, seed: int = 0) -> JoinedBlob:
    """Return a valid zip of exactly ``size`` bytes that uses no memory: one stored member, ``random.bin``.

    Raises:
        ValueError: ``size`` is less than that of a zip with an empty member (118 bytes).
    """
    overhead = sum(len(part) for part in _zip_frame(0, 0))
    if size > _ZIP64_LIMIT:
        overhead = sum(len(part) for part in _zip_frame(size, 0))
    if size < overhead:
        msg = f"a zip with one member takes {overhead} bytes or more, not {size}"
        raise ValueError(msg)
    member = SeededBlob(size - overhead, seed)
    head, tail = _zip_frame(member.size, _crc32(member), zip64=size > _ZIP64_LIMIT)
    return JoinedBlob((BytesBlob(head), member, BytesBlob(tail)))


def _zip_frame(length: int, crc: int, *, zip64: bool | None = None) -> tuple[bytes, bytes]:
    """Return what comes before and after a stored member of ``length`` bytes (APPNOTE.TXT 4.3.6)."""
    zip64 = length > _ZIP64_LIMIT if zip64 is None else zip64
    name = _MEMBER.encode()
    version, short = (45, _ZIP64_LIMIT) if zip64 else (20, length)
    extra = struct.pack("<HHQQ", 1, 16, length, length) if zip64 else b""
    common = struct.pack("<HHHHHIIIHH", version, 0, 0, 0, 0x5C21, crc, short, short, len(name), len(extra))
    head = b"PK\x03\x04" + common + name + extra
    central = b"PK\x01\x02" + struct.pack("<H", 0x0300 | version) + common
    central += struct.pack("<HHHII", 0, 0, 0, 0o644 << 16, 0) + name + extra
    offset = len(head) + length
    tail = central
    if zip64:
        tail += b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, version, version, 0, 0, 1, 1, len(central), offset)
        tail += b"PK\x06\x07" + struct.pack("<IQI", 0, offset + len(central), 1)
    end = min(offset, _ZIP64_LIMIT)
    return head, tail + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), end, 0)
