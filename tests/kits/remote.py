"""What the tests of remote archives share: one archive of some files, and a client that opens it."""

from __future__ import annotations

import io
import zipfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.kits.transfer import client_for, get
from tests.kits.zips import make, noise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive

FILES = {
    "report.txt": b"all is well\n" * 9000,
    "d/one.bin": noise(150_000, 1),
    "d/deep/two.bin": noise(90_000, 2),
    "far.bin": noise(400_000, 3),
    "e/three.bin": noise(70_000, 4),
    "last.txt": b"the end",
}
ARCHIVE = make(FILES, zipfile.ZIP_DEFLATED)
PLACES = {info.filename: info.header_offset for info in zipfile.ZipFile(io.BytesIO(ARCHIVE)).infolist()}


@asynccontextmanager
async def opened(github: FakeGitHub, artifact_id: int, **options: Any) -> AsyncGenerator[RemoteArchive]:
    """Open an archive with a client of its own."""
    policy = options.pop("policy", None)
    async with (
        client_for(github, **options) as client,
        client.open_archive(await get(client, artifact_id), policy=policy) as archive,
    ):
        yield archive
