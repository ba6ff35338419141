"""Stored bytes: small ones in memory, large ones computed where they are read, and zips of either."""

from __future__ import annotations

import functools
import hashlib
import io
import random
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = 1 << 20
"""Seeded bytes repeat one random block of this size, each repetition beginning with its own number."""

_STAMP = 8
_DOS_EPOCH = (2026, 1, 1, 0, 0, 0)
_ZIP64_LIMIT = 0xFFFFFFFF
_MEMBER = "random.bin"


class Blob(Protocol):
    """Bytes that can be read at any offset."""

    @property
    def size(self) -> int:
        """The length in bytes."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        ...


@attrs.frozen(eq=False)
class BytesBlob:
    """A blob held in memory."""

    data: bytes = attrs.field(repr=False)

    @property
    def size(self) -> int:
        """The length in bytes."""
        return len(self.data)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        return self.data[start:stop]


@functools.lru_cache(maxsize=8)
def _random_block(seed: int) -> bytes:
    return random.Random(seed).randbytes(BLOCK)  # noqa: S311 - wanted: the same bytes for the same seed


@attrs.frozen
class SeededBlob:
    """Pseudo-random bytes of any length that take no memory: the same for the same seed, readable at any offset."""

    size: int
    seed: int = 0

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        stop = min(stop, self.size)
        pieces = []
        while start < stop:
            number, offset = divmod(start, BLOCK)
            end = min(BLOCK, offset + stop - start)
            pieces.append(self._piece(number, offset, end))
            start += end - offset
        return b"".join(pieces)

    def _piece(self, number: int, offset: int, end: int) -> bytes:
        block = _random_block(self.seed)
        if offset >= _STAMP:
            return block[offset:end]
        return (struct.pack("<Q", number) + block[_STAMP:end])[offset:end]


@attrs.frozen
class JoinedBlob:
    """Several blobs one after the other."""

    parts: tuple[Blob, ...]

    @property
    def size(self) -> int:
        """The length in bytes."""
        return sum(part.size for part in self.parts)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        pieces = []
        for part in self.parts:
            if start < part.size and stop > 0:
                pieces.append(part.read(max(start, 0), min(stop, part.size)))
            start -= part.size
            stop -= part.size
        return b"".join(pieces)


@attrs.frozen
class SliceBlob:
    """The first ``size`` bytes of another blob."""

    base: Blob
    size: int

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        return self.base.read(start, min(stop, self.size))


@attrs.frozen
class FlippedBlob:
    """Another blob with single bytes turned over, for damage that no length shows."""

    base: Blob
    at: tuple[int, ...]

    @property
    def size(self) -> int:
        """The length in bytes."""
        return self.base.size

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``."""
        data = bytearray(self.base.read(start, stop))
        for position in self.at:
            if 0 <= position - start < len(data):
                data[position - start] ^= 0xFF
        return bytes(data)


def chunks(blob: Blob, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the whole blob in pieces of ``size`` bytes."""
    for start in range(0, blob.size, size):
        yield blob.read(start, min(start + size, blob.size))


def sha256(blob: Blob) -> str:
    """Return the blob's SHA-256 in hex."""
    if isinstance(blob, BytesBlob):
        return hashlib.sha256(blob.data).hexdigest()
    return _computed_sha256(blob)  # type: ignore[arg-type]  # a blob that is computed is hashable by its numbers


@functools.lru_cache(maxsize=256)
def _computed_sha256(blob: Blob) -> str:
    # Remembered: hashing is what takes the time of a large blob, and equal ones are in many tests.
    digest = hashlib.sha256()
    for chunk in chunks(blob):
        digest.update(chunk)
    return digest.hexdigest()


@functools.lru_cache(maxsize=64)
def _crc32(blob: Blob) -> int:
    crc = 0
    for chunk in chunks(blob):
        crc = zlib.crc32(chunk, crc)
    return crc


def make_zip(files: Mapping[str, bytes | str], *, moment: tuple[int, int, int, int, int, int] = _DOS_EPOCH) -> bytes:
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
    """Return a valid zip of exactly ``size`` bytes that takes no memory: one stored member, ``random.bin``.

    Raises:
        ValueError: ``size`` is less than a zip with an empty member takes (118 bytes).
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
    """Return what stands before and after a stored member of ``length`` bytes (APPNOTE.TXT 4.3.6)."""
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
