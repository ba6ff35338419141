"""Decompress a member's data, and check its size and CRC.

``isal`` (the extra ``speed``) is used if it is installed: decompression and CRC are about twice as fast as ``zlib``'s.
All decompressors here release the interpreter's lock while they work, so threads help.
"""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gh_artifacts_async.archive.members import Member

BLOCK: Final = 2**20
"""The most bytes that one step decompresses: the memory of a thread does not grow with the archive."""

MAX_DICTIONARY: Final = 2**24
"""The largest LZMA dictionary in bytes; the archive states its size, and a larger one is rejected, not allocated."""

_RAW_DEFLATE: Final = -15
_LZMA_HEADER: Final = 9  # version, length of the properties, and these five (APPNOTE 5.8.8)
_LZMA_PROPERTIES: Final = 5
_LZMA_LC_LP_PB: Final = 9 * 5 * 5
_LZMA_SMALLEST_DICTIONARY: Final = 4096


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


class _Feeder(Protocol):
    """The common interface of ``bz2.BZ2Decompressor`` and ``lzma.LZMADecompressor``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


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


@functools.cache
def backend() -> Backend:
    """Choose the library once: ``isal`` if it is installed, else ``zlib``."""
    try:
        from isal import isal_zlib
    except ImportError:
        return Backend("zlib", zlib.decompressobj, zlib.crc32, (zlib.error,))
    return Backend(
        "isal", isal_zlib.decompressobj, isal_zlib.crc32, (cast("type[Exception]", isal_zlib.error), zlib.error)
    )


def inflate_member(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a member and check it; what is yielded is verified only once the iterator is exhausted.

    Args:
        member: the member.
        chunks: its compressed bytes, in order, in pieces of any size.

    Yields:
        Uncompressed bytes, at most :data:`BLOCK` at once if they were compressed.

    Raises:
        CorruptArchiveError: the data is damaged, longer or shorter than declared, or has another CRC. Decompression
            stops at the first byte beyond the declared size.
        UnsupportedArchiveError: LZMA with a dictionary larger than :data:`MAX_DICTIONARY`.
    """
    crc32 = backend().crc32
    checksum, size = 0, 0
    for data in _unpack(member, filter(None, chunks)):
        checksum = crc32(data, checksum)
        size += len(data)
        if size > member.size:
            raise refusal(rules.SIZE, f"it is larger than the {member.size} bytes it declares", member.name)
        yield data
    if size != member.size:
        raise refusal(rules.SIZE, f"it has {size} bytes, but declares {member.size}", member.name)
    if checksum != member.crc32:
        text = f"its CRC is {checksum:08x}, but the directory states {member.crc32:08x}"
        raise refusal(rules.CRC, text, member.name)


def inflate_whole(member: Member, data: bytes) -> bytes:
    """Decompress a small member in one piece, with the checks of :func:`inflate_member`.

    Raises:
        CorruptArchiveError: the data is damaged, longer or shorter than declared, or has another CRC.
    """
    if member.method == records.DEFLATE and member.size < BLOCK:
        library = backend()
        inflater = library.decompressobj(_RAW_DEFLATE)
        try:
            unpacked = inflater.decompress(data, member.size + 1)
        except library.errors:
            unpacked = b""
        if (
            len(unpacked) == member.size
            and inflater.eof
            and not inflater.unused_data
            and library.crc32(unpacked, 0) == member.crc32
        ):
            return unpacked
    # Anything else is left to the code that checks step by step and knows every error.
    return b"".join(inflate_member(member, (data,)))


def _unpack(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    if member.method == records.STORED or not (member.compressed_size or member.size):
        return iter(chunks)  # some writers give an empty member a method, but no compressed bytes
    if member.method == records.DEFLATE:
        return _deflate(member, chunks)
    if member.method == records.BZIP2:
        return _bzip2(member, chunks)
    return _lzma(member, chunks)


def _allowance(member: Member, done: int) -> int:
    """Return the most that the next step may decompress: one byte beyond the declared size proves it too long."""
    return min(BLOCK, max(member.size - done, 0) + 1)


def _deflate(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    library = backend()
    inflater = library.decompressobj(_RAW_DEFLATE)
    done = 0
    for chunk in chunks:
        if inflater.eof:
            raise _surplus(member)
        pending = chunk
        while True:
            room = _allowance(member, done)
            try:
                data = inflater.decompress(pending, room)
            except library.errors as error:
                raise _damaged(member) from error
            done += len(data)
            if data:
                yield data
            if inflater.unused_data:
                raise _surplus(member)
            pending = inflater.unconsumed_tail
            # After a full step the decompressor may still hold output, although it has consumed all input.
            if inflater.eof or not (pending or len(data) == room):
                break
    if not inflater.eof:
        raise _cut_short(member)


def _bzip2(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    import bz2

    yield from _with_needs_input(member, chunks, bz2.BZ2Decompressor(), OSError, ends=True)


def _lzma(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """LZMA has its own header; bit 1 of the flags says whether there is an end marker (APPNOTE 4.4.4, 5.8.8)."""
    import lzma

    pieces = iter(chunks)
    head = b""
    while len(head) < _LZMA_HEADER and (piece := next(pieces, None)) is not None:
        head += piece
    properties = _lzma_filter(member, head[:_LZMA_HEADER])
    try:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[properties])
    except lzma.LZMAError as error:  # lc + lp is more than liblzma takes
        raise _damaged(member) from error
    ends = bool(member.flags & records.LZMA_END_MARKER)
    rest = _chain(head[_LZMA_HEADER:], pieces)
    yield from _with_needs_input(member, rest, decompressor, lzma.LZMAError, ends=ends)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _lzma_filter(member: Member, head: bytes) -> dict[str, int]:
    import lzma

    if len(head) < _LZMA_HEADER:
        raise _cut_short(member)
    if int.from_bytes(head[2:4], "little") != _LZMA_PROPERTIES or head[4] >= _LZMA_LC_LP_PB:
        raise _damaged(member)
    rest, lc = divmod(head[4], 9)
    pb, lp = divmod(rest, 5)
    # No more of a dictionary is ever used than there is output.
    dictionary = max(min(int.from_bytes(head[5:9], "little"), member.size), _LZMA_SMALLEST_DICTIONARY)
    if dictionary > MAX_DICTIONARY:
        text = f"it needs an LZMA dictionary of {dictionary} bytes, more than {MAX_DICTIONARY}"
        raise refusal(rules.METHOD, text, member.name)
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}


def _with_needs_input(
    member: Member, chunks: Iterable[bytes], decompressor: _Feeder, error: type[Exception], *, ends: bool
) -> Iterator[bytes]:
    """Decompress with ``bz2`` or ``lzma``.

    Args:
        member: the member.
        chunks: its compressed bytes.
        decompressor: the object.
        error: raised for bad data.
        ends: the stream marks its own end; otherwise it ends at the declared size, and the few bytes the coder still
            holds are no data.
    """
    done, ended = 0, False
    for chunk in chunks:
        if ended:
            raise _surplus(member)
        pending = chunk
        while ends or done < member.size:
            room = _allowance(member, done) if ends else min(BLOCK, member.size - done)
            try:
                data = decompressor.decompress(pending, room)
            except error as caught:
                raise _damaged(member) from caught
            pending = b""
            done += len(data)
            if data:
                yield data
            ended = decompressor.eof
            if ended or decompressor.needs_input:
                break
    if ends and not ended:
        raise _cut_short(member)
    if decompressor.unused_data:
        raise _surplus(member)


def _surplus(member: Member) -> Exception:
    return refusal(rules.SURPLUS, "there is other data after the end of its compressed data", member.name)


def _damaged(member: Member) -> Exception:
    return refusal(rules.DATA, "its compressed data is damaged", member.name)


def _cut_short(member: Member) -> Exception:
    return refusal(rules.DATA, "its compressed data ends early", member.name)
