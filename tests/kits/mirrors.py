"""Files of a mirror, put in place without a mirror."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from gh_artifacts_async import Artifact, Digest, DownloadResult, ExtractedMember
from gh_artifacts_async.automation import mirrored
from gh_artifacts_async.transfer.disk import records

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.automation.manifest import MirroredArtifact

DATA = b"content"
SHA = hashlib.sha256(DATA).hexdigest()
ARTIFACT = Artifact(
    id=7,
    name="docs",
    size_in_bytes=len(DATA),
    url="u",
    archive_download_url="u/zip",
    expired=False,
    digest=Digest("sha256", SHA),
)
STOPPED = threading.Event()
STOPPED.set()


def put(folder: Path, name: str = "main/docs.zip") -> MirroredArtifact:
    """Put a file into a mirror, and return its entry."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(DATA)
    return mirrored.file_entry(folder, ARTIFACT, path, None, raw=False)


def put_folder(folder: Path, *, recorded: bool = True) -> MirroredArtifact:
    """Put an extracted folder into a mirror, and return its entry."""
    path = folder / "docs"
    members = []
    for name in ("a.txt", "sub/b.txt", "sub/deep/c.txt"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(name.encode())
        members.append(ExtractedMember(name=name, size=len(name), path=path / name))
    if recorded:
        sizes = {member.name: member.size for member in members}
        records.stage_folder_record(ARTIFACT, path, sizes, path, durable=False).put_in_place()
    result = DownloadResult(
        artifact=ARTIFACT, path=path, size=7, digest=Digest("sha256", SHA), verified="digest", members=tuple(members)
    )
    return mirrored.describe(folder, ARTIFACT, result, folder / "docs.zip")
