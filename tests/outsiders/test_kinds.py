"""Right bytes, wrong kind: what storage sends is told apart by its type, its name and its first bytes."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient, RetryPolicy, UnexpectedResponseError
from tests.kits.raw import REPO, answer, artifact, raw_github

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import DownloadResult


def zipped() -> bytes:
    """Return a zip with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "alpha")  # of a fixed time
    return out.getvalue()


async def downloaded(folder: Path, body: bytes, *, extract: bool = False, **headers: str) -> DownloadResult:
    """Download an artifact without a digest that storage answers with these bytes and headers."""
    document = artifact(size_in_bytes=len(body))
    async with (
        raw_github(document, answer("200 OK", body, ETag='"0x8DC"', **headers)) as (url, _),
        ArtifactsClient("token", base_url=url) as client,
    ):
        return await client.download(await client.get_artifact(REPO, 7), folder, extract=extract)


@pytest.mark.parametrize("kind", ["zip", "application/x-zip", "multipart/x-zip", "application/zip", "octets"])
async def test_row_10_azures_type_is_a_zip(tmp_path: Path, kind: str) -> None:
    """Uploads of 2023-08 to 2026-02 have the bare type "zip"; what is no type at all is told by the bytes."""
    headers = {"Content_Type": kind, "Content_Disposition": 'attachment; filename="artifact2.zip"'}
    result = await downloaded(tmp_path, zipped(), **headers)
    assert result.path == tmp_path / "docs.zip"
    folder = await downloaded(tmp_path, zipped(), **headers, extract=True)
    assert (folder.path / "a.txt").read_bytes() == b"alpha"


@pytest.mark.parametrize("extract", [False, True])
@pytest.mark.parametrize("name", ["pip-24.2-py3-none-any.whl", "app.jar", "app.apk", "x.vsix", "x.nupkg", "x.crate"])
async def test_row_10_a_wheel_stays_a_wheel(tmp_path: Path, name: str, *, extract: bool) -> None:
    """Its bytes begin as a zip's do, and it is a file of its own all the same, under ``extract`` too."""
    headers = {"Content_Type": "application/octet-stream", "Content_Disposition": f'attachment; filename="{name}"'}
    result = await downloaded(tmp_path, zipped(), **headers, extract=extract)
    assert result.path == tmp_path / name
    assert result.path.read_bytes() == zipped()
    assert result.members is None


@pytest.mark.parametrize("extract", [False, True])
async def test_row_09_a_block_page_is_no_artifact(tmp_path: Path, *, extract: bool) -> None:
    """A page of 38 bytes in the place of 115: an error that says so, and nothing on disk."""
    page = answer("200 OK", b"<html>blocked by your company's</html>", Content_Type="text/html", ETag='"a"')
    async with (
        raw_github(artifact(), page) as (url, storage),
        ArtifactsClient("token", base_url=url) as client,
    ):
        found = await client.get_artifact(REPO, 7)
        with pytest.raises(UnexpectedResponseError, match=r"38 bytes .* has 115; does a proxy or a firewall"):
            await client.download(found, tmp_path, extract=extract)
        assert len(storage.heads) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("etag", [{}, {"ETag": 'W/"a"'}])
async def test_row_06_no_resume_without_validator_and_digest(tmp_path: Path, etag: dict[str, str]) -> None:
    """A 206 that ignored If-Match may be of other bytes: without a digest the download starts again."""
    body, other = zipped(), bytes(len(zipped()))
    whole = answer("200 OK", body, Content_Type="application/zip", ETag='"a"')
    cut = whole[: -len(body) // 2]
    span = f"bytes {len(body) // 2}-{len(body) - 1}/{len(body)}"
    spliced = answer("206 Partial Content", other[len(body) // 2 :], **etag, Content_Range=span)
    async with (
        raw_github(artifact(size_in_bytes=len(body)), cut, spliced, whole) as (url, storage),
        ArtifactsClient("token", base_url=url, retry=RetryPolicy(wait_initial=0)) as client,
    ):
        result = await client.download(await client.get_artifact(REPO, 7), tmp_path)
        assert result.path.read_bytes() == body
        assert len(storage.heads) == 3
