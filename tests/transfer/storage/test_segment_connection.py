"""One connection of a body: it reads up to the end of its span, wherever that is by then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ConnectionFailedError
from gh_artifacts_async.transfer.disk.ahead import Ahead
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.storage.segment_connection import Connection, Shared
from gh_artifacts_async.transfer.storage.segment_plan import MIB, Span
from gh_artifacts_async.transfer.storage.targets import sign
from tests.kits.transfer import add, get

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.transport.http import HttpStream

SIZES = pytest.mark.parametrize("size", [3 * MIB, 17 * MIB], ids=["by aiohttp", "by the receiver"])


class Reading:
    """A connection that reads a whole artifact.

    Attributes:
        part: where the bytes go.
        connection: what is tested.
        span: its span.
        stop_at: the span is cut here, once that many bytes have arrived.
    """

    def __init__(self, client: ArtifactsClient, part: PartFile, size: int) -> None:
        self.part = part
        self.ahead = Ahead(part)
        self.span = Span(0, size)
        self.stop_at: tuple[int, int] | None = None
        self._writer = client._transfers().writer
        self.shared = Shared(
            writer=self._writer, ahead=self.ahead, host="storage", idle=30.0, count=self._count, paused=lambda _: None
        )
        self.connection = Connection(shared=self.shared, extra=True, heard=0.0, span=self.span)

    def _count(self, it: Connection, size: int) -> None:
        assert it is self.connection
        self.span.position += size
        if self.stop_at is not None and self.span.position >= self.stop_at[0]:
            self.span.end = self.stop_at[1]
            it.end_earlier()

    async def run(self, stream: HttpStream, length: int) -> None:
        """Read; afterwards nothing is lent or waiting."""
        try:
            await self.connection.read(self.span, stream, length)
        finally:
            stream.close()
            assert self._writer._lent == self._writer.waiting == 0


@asynccontextmanager
async def reading(
    github: FakeGitHub, client: ArtifactsClient, folder: Path, size: int
) -> AsyncGenerator[tuple[Reading, HttpStream, bytes]]:
    """Request an artifact of some size, slowly sent."""
    artifact_id = add(github, size=size)
    github.faults.drip(artifact_id, chunk=256 * 1024, interval=0.01, times=None)
    artifact = await get(client, artifact_id)
    stream = await client._transfers().storage.open(await sign(client._github, artifact), {})
    part = PartFile.for_artifact(artifact, folder)
    part.start()
    try:
        yield Reading(client, part, size), stream, github.content(artifact_id)
    finally:
        stream.close()
        part.discard()


@SIZES
async def test_all_of_it(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Every byte is counted, and written when the reading ends."""
    async with reading(github, client, tmp_path, size) as (it, stream, content):
        assert it.connection.wanted == (0, size)
        it.connection.offer = (5, 9)
        assert it.connection.wanted == (5, 9)
        await it.run(stream, size)
        assert (it.span.position, it.part.offset, it.part.path.read_bytes()) == (size, size, content)


@SIZES
async def test_the_end_comes_earlier(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """If another connection has taken the rest, not a byte of it is read."""
    async with reading(github, client, tmp_path, size) as (it, stream, content):
        it.stop_at = (MIB, 2 * MIB + 7)
        await it.run(stream, size)
        assert (it.span.left, it.part.path.read_bytes()) == (0, content[: 2 * MIB + 7])


@SIZES
@pytest.mark.parametrize("drops", [False, True])
async def test_what_had_come_is_kept(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int, *, drops: bool
) -> None:
    """Of a connection that breaks, or is dropped, all that was counted is written."""
    (github.faults.stall if drops else github.faults.reset)(at=MIB + 5)
    async with reading(github, client, tmp_path, size) as (it, stream, content):
        task = it.connection.task = asyncio.create_task(it.run(stream, size))
        while not task.done() and it.span.position < MIB:
            await asyncio.sleep(0.01)
        if drops:
            it.connection.drop(5.0)
        with pytest.raises((ConnectionFailedError, asyncio.CancelledError)):
            await task
        assert it.connection.dropped is drops
        assert 0 < it.span.position == it.part.offset
        assert it.part.path.read_bytes() == content[: it.part.offset]


@SIZES
async def test_at_the_end_of_the_body_nothing_is_written(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int
) -> None:
    """Once the body has ended, a connection that is cancelled drops what waits to be written."""
    async with reading(github, client, tmp_path, size) as (it, stream, content):
        task = asyncio.create_task(it.run(stream, size))
        while it.span.position < MIB:
            await asyncio.sleep(0.01)
        it.shared.stopping = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert it.part.offset <= it.span.position
        assert it.part.path.read_bytes() == content[: it.part.offset]


async def test_a_body_that_is_too_short(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A clean end before the span's is a broken connection."""
    github.faults.truncate_clean(at=MIB, framing="chunked")
    async with reading(github, client, tmp_path, 3 * MIB) as (it, stream, _):
        with pytest.raises(ConnectionFailedError, match="before the end of the range"):
            await it.run(stream, 3 * MIB)
        assert it.part.offset == MIB
