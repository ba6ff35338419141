"""Puts a verified file in place together with its record."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gh_artifacts_async.transfer.disk.records import FileRecord, set_aside, stage_file_record

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.transfer.disk.partfile import VerifiedPart


def commit_with_record(artifact: Artifact, path: Path, received: VerifiedPart, *, replace: bool, durable: bool) -> None:
    """Put a file in place; it gets a record only if nothing from GitHub could later identify it. Blocks.

    Raises:
        DestinationExistsError: the name is taken.
        OSError: the file could not be put in place.
    """
    staged = None
    if received.verified == "none" and received.size != artifact.size_in_bytes:
        record = FileRecord(artifact_id=artifact.id, size=received.size, sha256=received.sha256)
        with suppress(OSError):  # the file is right without it; only a later run cannot recognize it
            staged = stage_file_record(path, record, received.part.path)
    try:
        with set_aside(path):
            received.part.commit(path, replace=replace, durable=durable)
        if staged is not None:
            with suppress(OSError):
                staged.put_in_place()
    finally:
        if staged is not None:
            staged.discard()
