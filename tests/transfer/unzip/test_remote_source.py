"""The bytes of an artifact that stays remote: what it is, its tail and ranges, or the whole."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import ClientClosedError, ExtractPolicy, UnexpectedResponseError
from gh_artifacts_async.archive import TAIL, BytesReader
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer.storage.context import TransferContext
from gh_artifacts_async.transfer.unzip.remote_source import RemoteSource, _Pieces, coalesced
from tests.kits.remote import ARCHIVE
from tests.kits.transfer import ONE_TRY, add, client_for, get
from tests.kits.zips import noise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


@asynccontextmanager
async def source_of(github: FakeGitHub, artifact_id: int, **settings: Any) -> AsyncGenerator[RemoteSource]:
    """Provide the source of an artifact."""
    async with client_for(github, **settings) as client:
        context: TransferContext = client._transfers()
        artifact = await get(client, artifact_id)
        with ExitStack() as stack:
            yield RemoteSource(context, artifact, context.github.emitter, stack)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"archive": ARCHIVE}, "zip"),
        ({"archive": ARCHIVE, "content_type": "zip"}, "zip"),
        ({"archive": ARCHIVE, "content_type": None, "filename": None}, "zip"),
        ({"archive": ARCHIVE, "content_type": "application/octet-stream", "filename": "p.whl"}, "raw"),
        ({"raw": ("a.txt", noise(300_000)), "content_type": "text/plain"}, "raw"),
        ({"raw": ("a", noise(300_000)), "content_type": None, "filename": None}, "raw"),
        ({"raw": ("a", b""), "content_type": None, "filename": None}, "raw"),
    ],
)
async def test_kind(github: FakeGitHub, values: Any, kind: str, *, ranged: bool) -> None:
    """The type decides, then the file name, then the first bytes: as of a download, with and without ranges."""
    artifact_id = add(github, **values)
    if not ranged:
        github.faults.ignore_range(artifact_id, times=None)
    async with source_of(github, artifact_id) as source:
        assert await source.kind() == kind
        assert await source.kind() == kind
        assert source.size == len(github.content(artifact_id))
        assert source.requests == len(github.requests_to("storage"))
        if ranged and source.size:
            assert source.bytes_fetched == github.bytes_sent()


@pytest.mark.github_com("ranges")
async def test_the_tail_is_fetched_once(github: FakeGitHub) -> None:
    """Kind and directory share one request; a member far from the tail takes another."""
    async with source_of(github, add(github, archive=ARCHIVE)) as source:
        assert await source.kind() == "zip"
        directory = await source.directory(ExtractPolicy())
        assert (source.requests, source.bytes_fetched) == (1, TAIL)
        first, last = directory["report.txt"], directory["last.txt"]
        reader = await source.pieces((first, last))
        for member in (first, last):
            start, end = member.header_offset, member.span_end
            assert reader.read_at(start, end - start) == ARCHIVE[start:end]
        assert source.requests == 2
        assert source.content_type is not None


async def test_everything(github: FakeGitHub) -> None:
    """All bytes come at once, the tail not a second time."""
    data = noise(300_000)
    async with source_of(github, add(github, raw=("a", data), content_type="text/plain")) as source:
        await source.kind()
        assert await source.everything() == data
        assert source.bytes_fetched == len(data)


@pytest.mark.github_com("ranges")
async def test_everything_is_checked(github: FakeGitHub) -> None:
    """Bytes that cannot be the artifact's are an error: here no digest, and another length."""
    artifact_id = add(github, raw=("a", b"123"), content_type="text/html", digest=None, size_in_bytes=4)
    async with source_of(github, artifact_id) as source:
        await source.kind()
        with pytest.raises(UnexpectedResponseError, match="does a proxy or a firewall answer"):
            await source.everything()


async def test_after_the_block(github: FakeGitHub) -> None:
    """A source whose block has been left reads nothing."""
    async with source_of(github, add(github, archive=ARCHIVE)) as source:
        directory = await source.directory(ExtractPolicy())
    with pytest.raises(ClientClosedError):
        await source.everything()
    with pytest.raises(ClientClosedError):
        await source.pieces((directory["last.txt"],))


@pytest.mark.github_com("ranges")
async def test_whole_instead_of_ranges(github: FakeGitHub, temporary: Path) -> None:
    """Storage that stops serving ranges is asked for the whole, which the other calls use then."""
    artifact_id = add(github, archive=ARCHIVE)
    github.faults.pass_by(artifact_id)
    github.faults.ignore_range(artifact_id, times=1)
    async with source_of(github, artifact_id, retry=ONE_TRY) as source:
        directory = await source.directory(ExtractPolicy())
        assert source.whole is None
        reader = await source.pieces((directory["report.txt"],))
        assert reader is source.whole
        assert await source.everything() == ARCHIVE
        assert await source.pieces(()) is reader
        assert len(list(temporary.iterdir())) == 1
    assert not any(temporary.iterdir())


@given(data=st.data())
def test_pieces(data: st.DataObject) -> None:
    """A read within a piece gives what the archive has there; before the first, nothing."""
    whole = bytes(range(256))
    cuts = sorted(data.draw(st.lists(st.integers(0, 256), min_size=2, max_size=8, unique=True)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    pieces = _Pieces([(start, whole[start:end]) for start, end in spans], len(whole))
    assert pieces.size == len(whole)
    for start, end in spans:
        at = data.draw(st.integers(start, end - 1))
        length = data.draw(st.integers(0, end - at))
        assert pieces.read_at(at, length) == BytesReader(whole).read_at(at, length)
    if cuts[0]:
        assert pieces.read_at(cuts[0] - 1, 1) == b""


def test_coalesced() -> None:
    """No members are no ranges; how neighbours join, the tests of remote archives show."""
    assert coalesced(()) == []
