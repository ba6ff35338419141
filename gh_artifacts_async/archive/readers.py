"""Sources of an archive's bytes: a file, memory, or the last bytes of an archive on a server."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, Protocol, Self

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.rules import refusal

if TYPE_CHECKING:
    from types import TracebackType

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_CLOEXEC: Final[int] = getattr(os, "O_CLOEXEC", 0)
_HAS_PREAD: Final = hasattr(os, "pread")


class Reader(Protocol):
    """Random access to an archive; several threads may read at once."""

    @property
    def size(self) -> int:
        """Length of the whole archive in bytes."""
        ...

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer only at the end of the archive."""
        ...


class FileReader:
    """An archive on disk.

    Args:
        file: its path, or an open descriptor, which the caller closes.
        size: the length of the whole archive in bytes, if the file is still being written.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, file: str | os.PathLike[str] | int, *, size: int | None = None) -> None:
        """Open the file."""
        self._owned = not isinstance(file, int)
        self._fd = file if isinstance(file, int) else os.open(file, os.O_RDONLY | _BINARY | _CLOEXEC)
        self._lock = threading.Lock()
        try:
            self.size: int = os.fstat(self._fd).st_size if size is None else size
        except BaseException:
            self.close()
            raise

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return ``length`` bytes from ``offset``, fewer only at the end of the file."""
        data = self._read_once(offset, length)
        if len(data) == length or not data:
            return data
        parts = [data]  # a single read may return less, at 2 GiB or at a signal
        got = len(data)
        while got < length and (data := self._read_once(offset + got, length - got)):
            parts.append(data)
            got += len(data)
        return b"".join(parts)

    def _read_once(self, offset: int, length: int) -> bytes:
        if _HAS_PREAD:
            return os.pread(self._fd, length, offset)
        with self._lock:  # Windows has only one position per descriptor
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, length)

    def close(self) -> None:
        """Close the file if it was opened here; a second call does nothing."""
        if self._owned:
            self._owned = False
            os.close(self._fd)

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


class BytesReader:
    """An archive in memory."""

    def __init__(self, data: bytes) -> None:
        """Keep the bytes."""
        self._data = data
        self.size: int = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return a slice."""
        return self._data[offset : offset + length]


class MissingBytesError(Exception):
    """The requested bytes are not in the tail (internal to this package).

    Attributes:
        start: the offset of the first byte needed.
    """

    def __init__(self, start: int) -> None:
        """Keep the offset."""
        super().__init__(start)
        self.start = start


class TailReader:
    """The last bytes of an archive of a known size."""

    def __init__(self, tail: bytes, size: int) -> None:
        """Keep the bytes and the offset at which they begin."""
        self._tail = tail
        self._start = size - len(tail)
        self.size = size

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return a slice.

        Raises:
            MissingBytesError: it begins before the tail.
        """
        if offset < self._start:
            raise MissingBytesError(offset)
        at = offset - self._start
        return self._tail[at : at + length]


def read_exactly(reader: Reader, offset: int, length: int, member: str | None = None) -> bytes:
    """Read, and reject an archive that ends early.

    Raises:
        CorruptArchiveError: the archive ends before ``offset + length``.
    """
    data = reader.read_at(offset, length)
    if len(data) < length:
        where = f"{offset + length} bytes are needed, but there are only {offset + len(data)}"
        raise refusal(rules.TRUNCATED, f"the archive is incomplete: {where}", member)
    return data
