"""Writes the members of many archives into one staging folder, and compares the files that several of them have."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import Folder, audit_headers, read_member
from gh_artifacts_async.archive.overlay import conflict
from gh_artifacts_async.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gh_artifacts_async.archive import Extraction, Member, Reader
    from gh_artifacts_async.archive.overlay import Layer, Overlay, Share
    from gh_artifacts_async.models import Artifact

_BLOCK = 2**20


class Filler:
    """Writes and compares the members of all artifacts; its methods are called in threads.

    Attributes:
        extraction: into the staging folder.
        plan: what is written.
    """

    def __init__(self, extraction: Extraction, plan: Overlay) -> None:
        """Begin with nothing written."""
        self.extraction = extraction
        self.plan = plan
        self._seen: dict[Folder, tuple[bytes, Artifact]] = {}

    def fill(self, reader: Reader, layer: Layer, share: Share) -> None:
        """Write one artifact's members, and compare those that another one writes. Blocks.

        Raises:
            MergeConflictError: files that should be the same differ.
            ArchiveError: a header or the data contradicts the directory.
            StorageError: a single file has changed since it was audited.
            OutOfSpaceError: the disk is full.
            OSError: reading or writing failed.
        """
        if layer.raw and reader.size != layer.directory.size:
            raise changed(layer.owner)

        def contents(reader: Reader, member: Member) -> Iterator[bytes]:
            chunks = _whole(reader) if layer.raw else read_member(reader, member)
            place = Folder(member.folder, member.base_name)
            return self._compared(chunks, place, layer.owner) if place in self.plan.watched else chunks

        plain = not layer.raw and not self.plan.watched
        written = self.plan.directory.members.at(share.written)
        self.extraction.extract_members(reader, written, read_member if plain else contents)
        for copy in share.compared:
            chunks = _whole(reader) if layer.raw else read_member(reader, layer.directory.members[copy.position])
            self.extraction.read_through(self._compared(chunks, copy.place, layer.owner))
        if layer.directory.skipped:
            audit_headers(reader, layer.directory, layer.directory.skipped)

    def _compared(self, chunks: Iterable[bytes], place: Folder, artifact: Artifact) -> Iterator[bytes]:
        """Pass a file's bytes on, and compare them with the same file of the other artifacts."""
        digest = hashlib.sha256(usedforsecurity=True)
        for chunk in chunks:
            digest.update(chunk)
            yield chunk
        first, owner = self._seen.setdefault(place, (digest.digest(), artifact))
        if first != digest.digest():
            raise conflict(self.plan.path(place), owner, artifact)


def changed(artifact: Artifact) -> StorageError:
    """Build the error for an artifact whose bytes are not those that were audited."""
    return StorageError(f"artifact {artifact.id}: what is stored has changed since it was audited; run again")


def _whole(reader: Reader) -> Iterator[bytes]:
    """Yield a single file."""
    for offset in range(0, reader.size, _BLOCK):
        yield reader.read_at(offset, _BLOCK)
