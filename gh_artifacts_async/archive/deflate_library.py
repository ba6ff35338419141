"""The libraries for deflate, and which of them to use for a member.

``isal`` (the extra ``speed``) is used if it is installed: decompression and CRC are about twice as fast as ``zlib``'s,
but not for data in tiny blocks.
"""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.archive.members import Member

# isal decodes 250 MB/s of ordinary data here, but 2 MB/s of tiny blocks, for which zlib is ten times as fast
_SLOW_INPUT: Final = 8e6  # bytes a second
_SLOW_OUTPUT: Final = 32e6
_OVERHEAD: Final = 1e-4  # seconds
_PENALTY: Final = 2**28  # compressed bytes
_SAMPLE: Final = 2**16
_TINY: Final = 64  # bytes by which a small member may grow


class Inflater(Protocol):
    """The common interface of ``zlib.decompressobj`` and ``isal_zlib.decompressobj``."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was read."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that did not fit into the last output."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """Return at most ``max_length`` decompressed bytes."""
        ...


class Backend(NamedTuple):
    """A library for deflate.

    Attributes:
        name: ``"isal"`` or ``"zlib"``.
        decompressobj: creates a decompressor.
        crc32: computes a CRC, from a start value.
        errors: raised by its decompressors for bad data.
    """

    name: str
    decompressobj: Callable[[int], Inflater]
    crc32: Callable[[bytes, int], int]
    errors: tuple[type[Exception], ...]


ZLIB: Final = Backend("zlib", zlib.decompressobj, zlib.crc32, (zlib.error,))


@functools.cache
def backend() -> Backend:
    """Choose the library once: ``isal`` if it is installed, else ``zlib``."""
    try:
        from isal import isal_zlib
    except ImportError:
        return ZLIB
    return Backend(
        "isal", isal_zlib.decompressobj, isal_zlib.crc32, (cast("type[Exception]", isal_zlib.error), zlib.error)
    )


class Speed:
    """Whether the faster library has lately been slow at small members; then the other one is used for a while."""

    def __init__(self) -> None:
        """Trust the faster library."""
        self._unseen = 0
        self._penalty = 0

    def is_due(self, length: int) -> bool:
        """Return whether to time a member of this compressed length: one in every so many bytes."""
        self._unseen += length
        return self._unseen >= _SAMPLE

    def note(self, seconds: float, consumed: int, done: int) -> None:
        """Take note of what a member took."""
        self._unseen = 0
        if is_slow(seconds, consumed, done):
            self._penalty = _PENALTY

    def allows(self, length: int) -> bool:
        """Return whether the faster library may be used for a member of this compressed length."""
        if not self._penalty:
            return True
        self._penalty = max(0, self._penalty - length)
        return False


speed: Speed = Speed()


def is_slow(seconds: float, consumed: int, done: int) -> bool:
    """Return whether so much input and output took longer than it takes anywhere with ordinary data."""
    return seconds > _OVERHEAD + consumed / _SLOW_INPUT + done / _SLOW_OUTPUT


def choose(member: Member) -> Backend:
    """Choose the library for a member; what has become larger has tiny blocks, at which zlib is faster."""
    length = member.compressed_size
    if length > member.size + member.size // 8 + _TINY or not speed.allows(length):
        return ZLIB
    return backend()
