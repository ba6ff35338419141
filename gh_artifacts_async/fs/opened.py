"""An artifact that is open: its files and folders by their paths, and the bytes of a file."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.archive.records import BZIP2, DEFLATE, LZMA, STORED
from gh_artifacts_async.errors import ArchiveLimitError
from gh_artifacts_async.fs.paths import joined, missing
from gh_artifacts_async.settings import ExtractPolicy
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_reader import ChangedError
from gh_artifacts_async.transfer.unzip.remote_archive import RemoteFile, opened_contents

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.archive import Member
    from gh_artifacts_async.client import ArtifactsClient
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive

Info = dict[str, Any]
"""What fsspec calls the details of a path."""

COMPRESSION = {STORED: None, DEFLATE: "deflate", BZIP2: "bzip2", LZMA: "lzma"}

_TAIL = 64 * 1024  # bytes of an open archive that stay in memory
_MEMBER = 200  # bytes that a member takes, with its place among the folders


@attrs.frozen(kw_only=True)
class Entry:
    """A file or a folder of an artifact.

    Attributes:
        path: within the artifact.
        name: as the archive has it; None for a folder.
        size: in bytes; 0 for a folder.
        compression: how it is compressed; None if it is not.
        mtime: time of its last change, if known.
        version: what another content would have another of: the CRC that the archive states, or storage's ETag of a
            single file; None if there is none.
    """

    path: str
    name: str | None = None
    size: int = 0
    compression: str | None = None
    mtime: datetime | None = None
    version: int | str | None = None

    def info(self, base: str, artifact: Artifact) -> Info:
        """Return its details for fsspec; ``base`` is the artifact's own path."""
        details: Info = {"name": joined(base, self.path), "size": self.size, "artifact_id": artifact.id}
        if self.name is None:
            return {**details, "type": "directory"}
        times = {"mtime": self.mtime or artifact.created_at, "created": artifact.created_at}
        return {**details, "type": "file", "compression": self.compression, "version": self.version, **times}


class Opened:
    """An artifact whose directory was read and audited; it belongs to its client's event loop.

    Attributes:
        artifact: the artifact.
        weight: bytes that it keeps in memory or in a temporary file, about.
    """

    def __init__(self, contents: RemoteArchive | RemoteFile, stack: ExitStack) -> None:
        """Keep what is open; ``stack`` closes it."""
        self.artifact: Artifact = contents.artifact
        self._contents = contents
        self._stack = stack
        self._folders: dict[str, list[Entry]] | None = None
        self._files: dict[str, Entry] = {}
        self.weight: int = _TAIL
        if not isinstance(contents, RemoteFile):
            self.weight += _MEMBER * len(contents.members) + (0 if contents.ranged else contents.directory.size)

    @classmethod
    async def open(cls, context: TransferContext, artifact: Artifact | ArtifactRef) -> Opened:
        """Open an artifact, whether it is a zip or a single file."""
        stack = ExitStack()
        try:
            contents = await opened_contents(context, artifact, ExtractPolicy(), stack)
        except BaseException:
            stack.close()
            raise
        return cls(contents, stack)

    def close(self) -> None:
        """Remove what is in temporary files."""
        self._stack.close()

    # --- what is in it

    async def find(self, path: str) -> Entry | None:
        """Return the file or folder at a path within the artifact; the artifact itself is a folder."""
        if not path:
            return Entry(path="")
        if not isinstance(self._contents, RemoteFile):
            member = self._contents.directory.get(path)
            if member is not None and not member.is_dir:
                return _entry(member)
        folders = await self._index()
        return Entry(path=path) if path in folders else self._files.get(path)

    async def listing(self, folder: str) -> list[Entry] | None:
        """Return what is in a folder, or None if there is no such folder."""
        return (await self._index()).get(folder)

    async def _index(self) -> dict[str, list[Entry]]:
        if self._folders is None:
            self._folders = await in_thread(self._by_folder)
        return self._folders

    def _by_folder(self) -> dict[str, list[Entry]]:
        """Return what each folder holds. Blocks."""
        if isinstance(self._contents, RemoteFile):
            file = self._contents
            self._files[file.name] = entry = Entry(path=file.name, name=file.name, size=file.size, version=file.etag)
            return {"": [entry]}
        directory = self._contents.directory
        found: dict[str, list[Entry]] = {directory.folder_path(at): [] for at in range(len(directory.folders))}
        for path in list(found):
            if path:
                found[path.rpartition("/")[0]].append(Entry(path=path))
        for member in directory.files:
            entry = _entry(member)
            if entry.path != member.name:
                self._files[entry.path] = entry
            found[entry.path.rpartition("/")[0]].append(entry)
        return found

    # --- a file's bytes

    async def read(self, entry: Entry, limit: int) -> bytes:
        """Return a whole file, verified.

        Raises:
            ArchiveLimitError: it is compressed, and larger than ``limit``.
        """
        if isinstance(self._contents, RemoteFile):
            return await self._contents.read(max_bytes=entry.size)
        if entry.compression is not None and entry.size > limit:
            msg = (
                f"{entry.path!r} has {entry.size} bytes and is compressed, so that it would be in memory as a whole, "
                f"but max_bytes is {limit}; raise max_bytes, or copy it to disk with get_file()"
            )
            raise ArchiveLimitError(msg, member=entry.path, rule="max_bytes", limit="max_bytes", value=entry.size)
        name = entry.name or ""
        member = self._contents.directory[name]
        return await self._contents.read(name, max_bytes=max(entry.size, member.compressed_size))

    async def read_range(self, entry: Entry, start: int, end: int) -> bytes:
        """Return some bytes of a file that is not compressed."""
        if isinstance(self._contents, RemoteFile):
            return await self._contents.read_range(start, end)
        return await self._contents.read_range(entry.name or "", start, end)

    async def copy(self, client: ArtifactsClient, entry: Entry, place: Path) -> None:
        """Put a file of any size on disk, verified before it appears there; what is there is replaced."""
        folder = place.parent / f".gh-artifacts-{secrets.token_hex(8)}"
        try:
            if isinstance(self._contents, RemoteFile):
                file = (await client.download(self.artifact, folder, filename="file")).path
            else:
                file = (await self._contents.extract([entry.name or ""], folder))[0].path
            await in_thread(lambda: os.replace(file, place))  # noqa: PTH105 - as the standard library's own name for it
        finally:
            await in_thread(lambda: shutil.rmtree(folder, ignore_errors=True))


def _entry(member: Member) -> Entry:
    return Entry(
        path=member.path,
        name=member.name,
        size=member.size,
        compression=COMPRESSION[member.method],
        mtime=member.mtime,
        version=member.crc32,
    )


def found_at(path: str, entry: Entry | None) -> Entry:
    """Return what is at a path.

    Raises:
        FileNotFoundError: nothing.
    """
    if entry is None:
        raise missing(path, "the artifact has no such file or folder")
    return entry


def check_same(path: str, before: Info | None, now: Entry) -> None:
    """Check that a file is the one that was opened: two reads of an open file must not be of two files.

    Raises:
        ChangedError: it is another one.
    """
    if before is None:
        return
    versions = {before["version"], now.version} - {None}
    if before["size"] != now.size or len(versions) > 1:
        msg = f"{path!r} has changed since it was opened; open it again"
        raise ChangedError(msg)
