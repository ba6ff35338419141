"""Stored bytes: small ones in memory, large ones computed as they are read."""

from __future__ import annotations

import base64
import functools
import hashlib
import random
import struct
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 20
"""Seeded bytes repeat one random block of this size, each repetition beginning with its own number."""

_STAMP = 8


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
    return random.Random(seed).randbytes(BLOCK)  # noqa: S311 - intended: the same bytes for the same seed


@attrs.frozen
class SeededBlob:
    """Pseudo-random bytes of any length that use no memory: the same for the same seed, readable at any offset."""

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
    """Another blob with single bytes inverted: damage that no length gives away."""

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
    # Cached: hashing is the slow part of a large blob, and many tests use equal ones.
    digest = hashlib.sha256()
    for chunk in chunks(blob):
        digest.update(chunk)
    return digest.hexdigest()


def md5(blob: Blob, start: int, stop: int) -> str:
    """Return the MD5 of the bytes ``[start, stop)`` in base64, as Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(blob.read(start, stop), usedforsecurity=False).digest()).decode()
