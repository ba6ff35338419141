"""Slowness and stubbornness: what a server must not make of a client's patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient, ConnectionFailedError, RetryPolicy
from tests.kits.raw import REPO, answer, artifact, raw_github

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 20_000


async def test_row_03_one_byte_a_connection_is_no_progress(tmp_path: Path) -> None:
    """Each connection brings a byte more and breaks: given up after the attempts, not after 20,000 connections."""

    def piece(offset: int) -> bytes:
        head = answer("206 Partial Content", ETag='"a"', Content_Range=f"bytes {offset}-{SIZE - 1}/{SIZE}")
        head = head.replace(b"Content-Length: 0", f"Content-Length: {SIZE - offset}".encode())
        return head + b"x"

    whole = answer("200 OK", Content_Type="application/zip", ETag='"a"')
    first = whole.replace(b"Content-Length: 0", f"Content-Length: {SIZE}".encode()) + b"x"
    document = artifact(size_in_bytes=SIZE, digest=f"sha256:{'0' * 64}")
    async with (
        raw_github(document, first, *(piece(offset) for offset in range(1, 50))) as (url, storage),
        ArtifactsClient("token", base_url=url, retry=RetryPolicy(attempts=6, wait_initial=0)) as client,
    ):
        with pytest.raises(ConnectionFailedError):
            await client.download(await client.get_artifact(REPO, 7), tmp_path)
        assert len(storage.heads) == 6
