"""Open files: ranges of what is stored, or the whole of what is compressed."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.fs.engine import AbstractAsyncStreamedFile, AbstractBufferedFile, BlockCache

if TYPE_CHECKING:
    from gh_artifacts_async.fs.opened import Info

BLOCK_SIZE = 4 * 2**20
"""Bytes that are fetched at once of a file that is read in small pieces."""

_MOST_BLOCKS = 32


class Blocks(BlockCache):  # type: ignore[misc]  # fsspec is untyped
    """fsspec's cache of blocks; a read of more than two blocks is one request, and is not kept."""

    def _fetch(self, start: int | None, stop: int | None) -> bytes:
        begin, end = start or 0, self.size if stop is None else min(stop, self.size)
        if end - begin > 2 * self.blocksize:
            found: bytes = self.fetcher(begin, end)
            return found
        kept: bytes = super()._fetch(begin, end)
        return kept

    def clear(self) -> None:
        """Let go of the blocks: the cache refers to itself, so that they would stay until a garbage collection."""
        self._fetch_block_cached.cache_clear()


class ArtifactFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec is untyped
    """A file of an artifact, open for reading.

    What is compressed is read whole, and held until the file is closed. Of other files, blocks are fetched as they are
    needed: 4 MiB each, of which the 32 last used are held. ``block_size``, ``cache_type`` and ``cache_options`` of
    ``open()`` are fsspec's.
    """

    DEFAULT_BLOCK_SIZE = BLOCK_SIZE

    def __init__(
        self,
        fs: Any,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        *,
        cache_type: str | None = None,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Look the file up.

        Raises:
            FileNotFoundError: there is none.
            IsADirectoryError: it is a folder.
        """
        details = file_details(fs.info(path), path)
        options.pop("size", None)
        self._content: Any = None
        self.compressed: bool = details["compression"] is not None
        blocks = not self.compressed and cache_type in {None, Blocks.name}
        super().__init__(
            fs,
            path,
            mode,
            block_size,
            cache_type="none" if blocks or self.compressed else cache_type,
            cache_options={} if blocks or self.compressed else cache_options,
            size=details["size"],
            **options,
        )
        self._details = details
        if blocks:
            given = {"maxblocks": _MOST_BLOCKS, **(cache_options or {})}
            self.cache: Blocks = Blocks(self.blocksize, self._fetch_range, self.size, **given)

    def _fetch_range(self, start: int, end: int) -> bytes:
        if not self.compressed:
            found: bytes = self.fs.cat_file(self.path, start=start, end=end, opened_as=self._details)
            return found
        if self._content is None:
            self._content = self.fs.cat_file(self.path, opened_as=self._details)
        return bytes(self._content[start:end])

    def close(self) -> None:
        """Let go of what is held."""
        cache = getattr(self, "cache", None)  # not there if the file was not found
        if isinstance(cache, Blocks):
            cache.clear()
        super().close()
        self._content = None


class AsyncArtifactFile(AbstractAsyncStreamedFile):  # type: ignore[misc]  # fsspec is untyped
    """A file of an artifact that was opened by ``await fs.open_async(path)``: ``await file.read(n)``, and ``seek``.

    Each read of what is not compressed is one request.
    """

    def __init__(self, fs: Any, path: str, mode: str, *, details: Info, **options: Any) -> None:
        """Keep the details of the file, as the file system has them."""
        super().__init__(fs, path, mode, size=details["size"], cache_type="none", **options)
        self._details = details

    async def _fetch_range(self, start: int, end: int) -> bytes:
        found: bytes = await self.fs._cat_file(self.path, start=start, end=end, opened_as=self._details)
        return found

    def __del__(self) -> None:
        """Do nothing: fsspec's own would call ``close()``, which nobody awaits then."""


def file_details(details: Info, path: str) -> Info:
    """Return the details of a file.

    Raises:
        IsADirectoryError: they are those of a folder.
    """
    if details["type"] == "directory":
        raise IsADirectoryError(errno.EISDIR, "this is a folder", path)
    return details
