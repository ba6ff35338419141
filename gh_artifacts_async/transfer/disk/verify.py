"""Whether a file on disk is an artifact."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gh_artifacts_async.protocol.ranges import expected_sha256
from gh_artifacts_async.transfer.disk.records import read_file_record

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from gh_artifacts_async.models import Artifact

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
