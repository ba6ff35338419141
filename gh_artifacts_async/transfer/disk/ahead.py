"""Writes the bytes of one part file out of order, and hashes them in order.

Only what is contiguous and hashed counts: ``PartFile.offset`` is the frontier. Bytes that come to it are hashed from
memory; those that were written ahead are read back from the page cache once the frontier has reached them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gh_artifacts_async.transfer.disk.partfile import PartFile

_TURN = 8 * 2**20  # bytes that are read back at once: other transfers wait for the same worker thread


class Ahead:
    """Takes the bytes of one body in any order; its methods block, and may be called from several threads."""

    def __init__(self, part: PartFile) -> None:
        """Start with nothing ahead of the part's frontier."""
        self._part = part
        self._path = part.path
        self._lock = threading.Lock()
        self._ends: dict[int, int] = {}  # where a run of bytes beyond the frontier starts, and where it ends

    def is_of(self, part: PartFile) -> bool:
        """Whether the part is still the one that these bytes are in."""
        return part is self._part and part.path == self._path

    def runs(self, start: int) -> list[tuple[int, int]]:
        """Return start and end of what is written beyond the frontier; all before ``start`` is forgotten."""
        with self._lock:
            self._ends = {max(first, start): end for first, end in sorted(self._ends.items()) if end > start}
            return list(self._ends.items())

    def __bool__(self) -> bool:
        """Whether there is something beyond the frontier."""
        return bool(self._ends)

    def forget(self) -> None:
        """Forget what is written beyond the frontier."""
        with self._lock:
            self._ends.clear()

    def sink(self, position: int) -> Callable[[Sequence[bytes | memoryview]], None]:
        """Return what writes batches of chunks, one after the other, from ``position`` on."""

        def write(chunks: Sequence[bytes | memoryview]) -> None:
            nonlocal position
            size = sum(map(len, chunks))
            with self._lock:
                self._write(position, chunks, size)
                self._catch_up(_TURN)
            position += size

        return write

    def catch_up(self) -> None:
        """Hash everything that is contiguous."""
        with self._lock:
            self._catch_up(None)

    def _write(self, position: int, chunks: Sequence[bytes | memoryview], size: int) -> None:
        if position == self._part.offset:
            self._part.append(chunks)
            return
        self._part.write_ahead(position, chunks)
        for start, end in self._ends.items():
            if end == position:
                self._ends[start] = position + size
                return
        self._ends[position] = position + size

    def _catch_up(self, most: int | None) -> None:
        part = self._part
        while (end := self._ends.get(part.offset)) is not None:
            start = part.offset
            part.hash_up_to(end if most is None else min(end, start + most))
            del self._ends[start]
            if part.offset < end:
                self._ends[part.offset] = end
            if most is not None or part.offset == start:
                break
        part.note_frontier()
