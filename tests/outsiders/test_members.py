"""Archives as other programs write them, from storage to the folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient
from tests.kits.archives import Entry, build
from tests.kits.raw import REPO, answer, artifact, raw_github

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("archive", "names"),
    [
        pytest.param(build(Entry("café".encode(), b"x", maker=3, flags=0)), {"café"}, id="UTF-8 without the flag"),
        pytest.param(build(Entry(b"-", b"x", maker=3, attributes=0o010600 << 16)), {"-"}, id="from standard input"),
        pytest.param(build(Entry("plain", b"x")) + bytes(9_000), {"plain"}, id="padded by bsdtar"),
    ],
)
async def test_row_11_what_other_archivers_write(archive: bytes, names: set[str], tmp_path: Path) -> None:
    """Names without the UTF-8 flag, Info-ZIP's standard input and bsdtar's padding arrive as they were meant."""
    document = artifact(size_in_bytes=len(archive), digest=f"sha256:{hashlib.sha256(archive).hexdigest()}")
    whole = answer("200 OK", archive, Content_Type="application/zip", ETag='"a"')
    async with raw_github(document, whole) as (url, _), ArtifactsClient("token", base_url=url) as client:
        result = await client.download(await client.get_artifact(REPO, 7), tmp_path, extract=True)
    assert {path.name for path in result.path.iterdir()} == names
    assert all(path.read_bytes() == b"x" for path in result.path.iterdir())
