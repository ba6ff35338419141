"""Whether a file on disk is an artifact, and whether the bytes of a part file are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import UnexpectedResponseError
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.ranges import judge_content
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.transfer.disk.partfile import VerifiedPart
from gh_artifacts_async.transfer.disk.records import read_file_record

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import Way
    from gh_artifacts_async.transfer.disk.partfile import PartFile

_BLOCK = 1024 * 1024


def hash_file(path: Path, stopped: threading.Event | None = None) -> str:
    """Return a file's sha256, lower-case hex; empty if it was stopped. Blocks."""
    digest = hashlib.sha256(usedforsecurity=False)
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            if stopped is not None and stopped.is_set():
                return ""
    return digest.hexdigest()


def is_same(artifact: Artifact, path: Path, stopped: threading.Event | None = None) -> bool:
    """Whether a file on disk has the artifact's size and digest; False if it is not a regular file. Blocks.

    Without a digest the size decides; if the size is not that of the stored bytes (old GitHub Enterprise Servers
    count the raw files), the record that the download left beside it decides.
    """
    try:
        if not path.is_file():
            return False
        size = path.stat().st_size
        expected = expected_sha256(artifact)
        if expected is not None:
            return size == artifact.size_in_bytes and hash_file(path, stopped) == expected
        return size == artifact.size_in_bytes or _matches_record(artifact, path, size, stopped)
    except OSError:
        return False


def _matches_record(artifact: Artifact, path: Path, size: int, stopped: threading.Event | None) -> bool:
    record = read_file_record(path)
    if record is None or (record.artifact_id, record.size) != (artifact.id, size):
        return False
    return hash_file(path, stopped) == record.sha256


def verified_part(
    artifact: Artifact, part: PartFile, content_length: int | None, resumed_from: int, way: Way | None
) -> VerifiedPart:
    """Verify the bytes of a part file that has all of them. Blocks, but only to read its first and last bytes.

    Args:
        artifact: what they should be.
        part: open.
        content_length: of the whole, as storage announced it; None if it did not.
        resumed_from: bytes that an earlier run had left.
        way: how the last body was received.

    Raises:
        DigestMismatchError: GitHub's digest is a different one.
        IncompleteDownloadError: bytes are missing.
        UnexpectedResponseError: they cannot be the artifact; the part is gone.
    """
    state = part.state
    by_headers = filenames.kind_by_type(state.content_type) or filenames.kind_by_name(state.disposition)
    kind = by_headers or filenames.kind_by_magic(part.read(4))
    needs_tail = kind == "zip" and expected_sha256(artifact) is None
    tail = part.read(filenames.END_RECORD_REACH, from_end=True) if needs_tail else b""
    sha256 = part.hexdigest
    try:
        verified = judge_content(
            artifact,
            received=part.offset,
            content_length=content_length,
            sha256=sha256,
            kind=kind,
            ends_as_zip=needs_tail and filenames.ends_as_zip(tail),
        )
    except UnexpectedResponseError:
        part.discard()  # a later run would not get it from here
        raise
    return VerifiedPart(
        part=part,
        kind=kind,
        verified=verified,
        sha256=sha256,
        size=part.offset,
        resumed_from=resumed_from,
        content_type=state.content_type,
        disposition=state.disposition,
        way=way,
    )
