"""Whether bytes are the artifact's: pure rules for what arrived, and a check of files on disk."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import DigestMismatchError, IncompleteDownloadError, UnexpectedResponseError
from gh_artifacts_async.transfer.disk.records import read_file_record

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.results import Verified

_BLOCK = 1024 * 1024


def expected_sha256(artifact: Artifact) -> str | None:
    """Return GitHub's digest if this package can check it; an unknown algorithm is unverifiable, not wrong."""
    digest = artifact.digest
    return digest.hex if digest is not None and digest.verifiable else None


def judge_content(
    artifact: Artifact, *, received: int, content_length: int | None, sha256: str, kind: Kind, ends_as_zip: bool
) -> Verified:
    """Return what the received bytes were checked against.

    Args:
        artifact: what they should be.
        received: how many there are.
        content_length: how many storage announced; None if it did not.
        sha256: their digest, lower-case hex.
        kind: what they are.
        ends_as_zip: they end with a zip's end record.

    Raises:
        DigestMismatchError: GitHub's digest is a different one.
        UnexpectedResponseError: a file that cannot be the artifact: no zip, no digest, and another length.
        IncompleteDownloadError: they are fewer than they should be, or a zip without its end.
    """
    expected = expected_sha256(artifact)
    if expected is not None:
        if sha256 == expected:
            return "digest"
        if received < artifact.size_in_bytes and content_length != received:
            raise IncompleteDownloadError(expected=artifact.size_in_bytes, received=received)
        msg = (
            f"artifact {artifact.id} ({artifact.name!r}): sha256 mismatch: GitHub says {expected}, "
            f"the {received} bytes that arrived have {sha256}; nothing was kept"
        )
        raise DigestMismatchError(msg, algorithm="sha256", expected=expected, actual=sha256)
    if content_length is not None and content_length == artifact.size_in_bytes == received:
        return "size"
    if kind == "raw" and content_length is None and received < artifact.size_in_bytes:
        raise IncompleteDownloadError(expected=artifact.size_in_bytes, received=received)
    if kind == "raw" and received != artifact.size_in_bytes:
        msg = (
            f"artifact {artifact.id} ({artifact.name!r}): storage sent a file of {received} bytes that is not a zip, "
            f"but the artifact has {artifact.size_in_bytes}; does a proxy or a firewall answer in its place?"
        )
        raise UnexpectedResponseError(msg)
    if kind == "zip" and not ends_as_zip:
        msg = f"artifact {artifact.id} ({artifact.name!r}): the zip ends after {received} bytes without its end record"
        raise IncompleteDownloadError(msg, expected=content_length, received=received)
    return "none"


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
