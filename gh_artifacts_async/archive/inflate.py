"""Decompress a member's data, and check its size and CRC.

All decompressors here release the interpreter's lock while they work, so threads help.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from gh_artifacts_async.archive import records, rules
from gh_artifacts_async.archive.deflate_library import ZLIB, backend, choose, is_slow, speed
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gh_artifacts_async.archive.deflate_library import Backend
    from gh_artifacts_async.archive.members import Member

BLOCK: Final = 2**20
"""The most bytes that one step decompresses: the memory of a thread does not grow with the archive."""

MAX_DICTIONARY: Final = 2**26
"""The largest LZMA dictionary in bytes, as 7-Zip writes it; the archive states its size (up to 4 GiB), and a larger one
is rejected, not allocated. A member that is smaller than its dictionary needs no more than its own size."""

EMPTY_INPUT: Final = 2**16
"""Compressed bytes that may have no content, e.g. because the writer flushed its buffers again and again."""

MOST_INPUT: Final = 16
"""Compressed bytes that a byte of content may take beyond that: a writer that flushes after each byte takes 8."""

_MOST_BLOCK_INPUT: Final = 2  # the same for bzip2 and LZMA, which nobody flushes after each byte
_BZIP2_BLOCK: Final = 2**20  # compressed bytes of one block, which is decompressed once all of it is there
_LZMA_REST: Final = 64  # bytes that may follow the last symbol: what the coder flushes, and an end marker
_PATIENCE: Final = 0.25  # seconds of a large member before its library is changed
_STEP: Final = 2**18
_RAW_DEFLATE: Final = -15
_LZMA_HEADER: Final = 9  # version, length of the properties, and these five (APPNOTE 5.8.8)
_LZMA_PROPERTIES: Final = 5
_LZMA_LC_LP_PB: Final = 9 * 5 * 5
_LZMA_SMALLEST_DICTIONARY: Final = 4096


class _Feeder(Protocol):
    """The common interface of ``bz2.BZ2Decompressor`` and ``lzma.LZMADecompressor``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def inflate_member(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a member and check it; what is yielded is verified only once the iterator is exhausted.

    Args:
        member: the member.
        chunks: its compressed bytes, in order, in pieces of any size. If it can be iterated over again, data that the
            faster library is slow at is decompressed with the other one.

    Yields:
        Uncompressed bytes, at most :data:`BLOCK` at once if they were compressed.

    Raises:
        CorruptArchiveError: the data is damaged, longer or shorter than declared, or has another CRC. Decompression
            stops at the first byte beyond the declared size.
        UnsupportedArchiveError: LZMA with a dictionary larger than :data:`MAX_DICTIONARY`.
    """
    crc32 = backend().crc32
    checksum, size = 0, 0
    for data in _unpack(member, chunks):
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
    if member.method == records.DEFLATE and member.size < BLOCK and len(data) <= _most_input(member.size):
        library = choose(member)
        inflater = library.decompressobj(_RAW_DEFLATE)
        timed = library is not ZLIB and speed.is_due(len(data))
        began = time.thread_time() if timed else 0.0
        try:
            unpacked = inflater.decompress(data, member.size + 1)
        except library.errors:
            unpacked = b""
        if timed:
            speed.note(time.thread_time() - began, len(data), len(unpacked))
        if (
            len(unpacked) == member.size
            and inflater.eof
            and not inflater.unused_data
            and backend().crc32(unpacked, 0) == member.crc32
        ):
            return unpacked
    # Anything else is left to the code that checks step by step and knows every error.
    return b"".join(inflate_member(member, (data,)))


def _unpack(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    if member.method == records.STORED or not (member.compressed_size or member.size):
        return filter(None, chunks)  # some writers give an empty member a method, but no compressed bytes
    if member.method == records.DEFLATE:
        return _deflate(member, chunks)
    if member.method == records.BZIP2:
        return _bzip2(member, chunks)
    return _lzma(member, chunks)


def _allowance(member: Member, done: int) -> int:
    """Return the most that the next step may decompress: one byte beyond the declared size proves it too long."""
    return min(BLOCK, max(member.size - done, 0) + 1)


def _most_input(done: int) -> int:
    """Return how many compressed bytes so much content may take."""
    return EMPTY_INPUT + MOST_INPUT * done


class _SlowError(Exception):
    """The faster library is slow at this member."""


def _deflate(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    library = choose(member)
    again = library is not ZLIB and iter(chunks) is not chunks
    done = 0
    try:
        for data in _deflate_with(library, member, chunks, timed=again):
            done += len(data)
            yield data
    except _SlowError:
        for data in _deflate_with(ZLIB, member, chunks, timed=False):
            rest = data[done:]
            done = max(0, done - len(data))
            if rest:
                yield rest


class _Deflate:
    """A decompressor for one member, which knows how much time and input it has taken."""

    def __init__(self, library: Backend, member: Member) -> None:
        self._errors = library.errors
        self._member = member
        self._inflater = library.decompressobj(_RAW_DEFLATE)
        self.seconds = 0.0
        self.taken = 0
        self.done = 0

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        """Yield all content of a piece of input."""
        if self.eof:
            raise _surplus(self._member)
        self.taken += len(chunk)
        more = True
        while more and not self.eof:
            room = _allowance(self._member, self.done)
            data = self._step(chunk, room)
            if data:
                yield data
            if self._inflater.unused_data:
                raise _surplus(self._member)
            chunk = self._inflater.unconsumed_tail
            # After a full step the decompressor may still hold output, although it has consumed all input.
            more = bool(chunk) or len(data) == room

    def _step(self, pending: bytes, room: int) -> bytes:
        began = time.thread_time()
        try:
            data = self._inflater.decompress(pending, room)
        except self._errors as error:
            raise _damaged(self._member) from error
        self.seconds += time.thread_time() - began
        self.done += len(data)
        return data


def _deflate_with(library: Backend, member: Member, chunks: Iterable[bytes], *, timed: bool) -> Iterator[bytes]:
    stream = _Deflate(library, member)
    for chunk in _steps(chunks):
        yield from stream.decompress(chunk)
        if stream.taken > _most_input(stream.done):
            raise _empty_blocks(member, stream.taken, stream.done)
        if timed and is_slow(stream.seconds - _PATIENCE, stream.taken, stream.done):
            raise _SlowError
    if not stream.eof:
        raise _cut_short(member)


def _steps(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut long chunks, so that no call takes long, whatever is in them."""
    for chunk in chunks:
        for at in range(0, len(chunk), _STEP):
            yield chunk[at : at + _STEP]


def _bzip2(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    import bz2

    yield from _with_needs_input(member, chunks, bz2.BZ2Decompressor(), OSError, ends=True, held=_BZIP2_BLOCK)


def _lzma(member: Member, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """LZMA has its own header; bit 1 of the flags says whether there is an end marker (APPNOTE 4.4.4, 5.8.8)."""
    import lzma

    pieces = filter(None, chunks)
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
    member: Member,
    chunks: Iterable[bytes],
    decompressor: _Feeder,
    error: type[Exception],
    *,
    ends: bool,
    held: int = 0,
) -> Iterator[bytes]:
    """Decompress with ``bz2`` or ``lzma``.

    Args:
        member: the member.
        chunks: its compressed bytes.
        decompressor: the object.
        error: raised for bad data.
        ends: the stream marks its own end; otherwise it ends at the declared size, and the few bytes the coder still
            holds are no data.
        held: compressed bytes that the decompressor may collect before it returns their content.
    """
    done, taken, rest, ended = 0, 0, 0, False
    for chunk in _steps(chunks):
        rest += 0 if ends or done < member.size else len(chunk)
        if ended or rest > _LZMA_REST:
            raise _surplus(member)
        taken += len(chunk)
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
        if taken > held + EMPTY_INPUT + _MOST_BLOCK_INPUT * done:
            raise _empty_blocks(member, taken, done)
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


def _empty_blocks(member: Member, taken: int, done: int) -> Exception:
    what = f"{taken} bytes of its compressed data have only {done} bytes of content"
    return refusal(rules.EMPTY_BLOCKS, what, member.name)
