"""RangeReader of an artifact that stays with its storage, over every fault at any of their requests."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ConnectionFailedError,
    Limits,
    OutOfSpaceError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    SignedURLExpiredError,
    SlowTransferError,
    StorageError,
)
from gh_artifacts_async.transfer.storage import range_reader
from gh_artifacts_async.transfer.storage.range_reader import NoRangesError, RangeReader
from tests.kits.transfer import ONE_TRY, add, client_for, get

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gh_artifacts_async.testing import FakeGitHub, Faults

    Script = Callable[[Faults, int], object]

SIZE = 300_000


@asynccontextmanager
async def slices_of(github: FakeGitHub, artifact_id: int, **settings: Any) -> AsyncGenerator[RangeReader]:
    """Run a client, and read slices of one artifact with its tools."""
    async with client_for(github, **settings) as client:
        yield RangeReader(client._transfers(), await get(client, artifact_id))


@pytest.mark.github_com("ranges")
async def test_slices_by_one_url(github: FakeGitHub) -> None:
    """Many slices are asked for with one signed URL, every one after the first of the same identity."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    async with slices_of(github, artifact_id) as slices:
        for start, end in ((SIZE - 1000, SIZE), (0, 1), (5, 70_000), (SIZE // 2, SIZE + 99)):
            assert await slices.read(start, end) == content[start:end]
    requests = github.requests_to("storage")
    assert [request.headers.get("If-Match") for request in requests] == [None, *[github.artifact(artifact_id).etag] * 3]
    assert all(request.headers["Accept-Encoding"] == "identity" for request in requests)
    assert len({request.raw_path for request in requests}) == 1
    assert (slices.requests, slices.total) == (4, SIZE)
    assert slices.content_type == "application/zip"
    assert slices.bytes_fetched == github.bytes_sent(artifact_id) == 1000 + 1 + 69_995 + SIZE // 2


@pytest.mark.github_com("ranges")
async def test_a_proxy_that_alters_etags(github: FakeGitHub) -> None:
    """No If-Match holds; what is the same without it again is read on, and what is not has changed."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    altered = {"ETag": github.artifact(artifact_id).etag[:-1] + '-gzip"'}
    github.faults.headers(artifact_id, altered, times=3)
    async with slices_of(github, artifact_id) as slices:
        for start in (0, 1000, 2000):
            assert await slices.read(start, start + 500) == content[start : start + 500]
        for other in ({"ETag": '"other-gzip"'}, {"ETag": None}, {"ETag": f"W/{altered['ETag']}"}):
            github.faults.headers(artifact_id, other)
            with pytest.raises(StorageError, match="the stored bytes have changed"):
                await slices.read(3000, 3500)
    requests = github.requests_to("storage")
    assert [(request.status, "If-Match" in request.headers) for request in requests] == [
        (206, False),
        (412, True),
        *[(206, False)] * 5,
    ]


@pytest.mark.github_com("ranges")
async def test_a_proxy_that_alters_etags_of_several_reads_at_once(github: FakeGitHub) -> None:
    """Each of them learns for itself that its If-Match does not hold."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    altered = {"ETag": github.artifact(artifact_id).etag[:-1] + '-gzip"'}
    github.faults.headers(artifact_id, altered, times=None)
    async with slices_of(github, artifact_id) as slices:
        await slices.read(0, 10)
        found = await asyncio.gather(*(slices.read(start, start + 500) for start in (1000, 2000, 3000)))
    assert found == [content[start : start + 500] for start in (1000, 2000, 3000)]


WEAK = {"ETag": 'W/"1"', "Last-Modified": "Fri, 27 Nov 2026 12:00:00 GMT"}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("first", [WEAK, {**WEAK, "ETag": None}], ids=["weak", "date"])
async def test_bytes_that_change_without_a_strong_etag(github: FakeGitHub, first: dict[str, str | None]) -> None:
    """Another weak ETag, or another date, tells it as well: two blobs of one size are not joined."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    github.faults.headers(artifact_id, first, times=2)
    async with slices_of(github, artifact_id) as slices:
        for start in (0, 1000):
            assert await slices.read(start, start + 500) == content[start : start + 500]
        others = [{"Last-Modified": "Fri, 27 Nov 2026 12:00:01 GMT"}, *([{"ETag": 'W/"2"'}] if first["ETag"] else [])]
        for other in others:
            github.faults.headers(artifact_id, {**first, **other})
            with pytest.raises(StorageError, match="the stored bytes have changed"):
                await slices.read(2000, 2500)
    assert not any("If-Match" in request.headers for request in github.requests_to("storage"))


@pytest.mark.github_com("ranges")
async def test_nothing_after_the_end(github: FakeGitHub) -> None:
    """What begins at or after the end is empty: one request finds the length, the next is not needed."""
    artifact_id = add(github, size=SIZE)
    async with slices_of(github, artifact_id) as slices:
        assert await slices.read(SIZE, SIZE + 5) == b""
        assert await slices.read(SIZE + 1, SIZE + 5) == b""
        assert await slices.read(7, 7) == b""
        assert slices.requests == 1
        assert slices.total == SIZE


@pytest.mark.github_com("ranges")
async def test_url_that_ends_is_signed_again(github: FakeGitHub) -> None:
    """A kept URL is used until shortly before its end, then there is a fresh one, without a failure."""
    artifact_id = add(github, size=SIZE)
    async with slices_of(github, artifact_id) as slices:
        await slices.read(0, 10)
        await asyncio.sleep(300)
        await slices.read(0, 10)
        assert len({request.raw_path for request in github.requests_to("storage")}) == 1
        await asyncio.sleep(3600)
        await slices.read(0, 10)
    assert len({request.raw_path for request in github.requests_to("storage")}) == 2
    assert [request.status for request in github.requests_to("storage")] == [206] * 3


@pytest.mark.github_com("ranges")
async def test_url_is_not_used_up_to_its_last_second(github: FakeGitHub) -> None:
    """A URL that ends within seconds is not begun with again."""
    artifact_id = add(github, size=SIZE)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        slices = RangeReader(client._transfers(), artifact)
        signed = await client.get_download_url(artifact)
        slices.use(signed)
        await slices.read(0, 10)
        await asyncio.sleep(signed.lifetime - 3)
        await slices.read(0, 10)
    assert len({request.raw_path for request in github.requests_to("storage")}) == 2


MENDED: dict[str, Script] = {
    "cut at its first byte": lambda faults, it: faults.cut(it, at=1000),
    "cut in the middle": lambda faults, it: faults.cut(it, at=50_000),
    "cut at its last byte": lambda faults, it: faults.cut(it, at=99_999),
    "cut three times": lambda faults, it: [faults.cut(it, at=at) for at in (20_000, 50_000, 90_000)],
    "reset": lambda faults, it: faults.reset(it, at=50_000),
    "stall": lambda faults, it: faults.stall(it, at=50_000),
    "silence": lambda faults, it: faults.slow_headers(it),
    "drip": lambda faults, it: faults.drip(it, at=50_000),
    "no reply": lambda faults, it: faults.no_reply(it),
    "garbage": lambda faults, it: faults.garbage(it),
    "503 twice": lambda faults, it: faults.status(it, 503, times=2),
    "429": lambda faults, it: faults.status(it, 429, headers={"Retry-After": "9"}),
    "URL expired": lambda faults, it: faults.expire_url(it),
    "URL refused": lambda faults, it: faults.status(it, 403),
    "cut, expired, 500": lambda faults, it: [faults.cut(it, at=9000), faults.expire_url(it), faults.status(it, 500)],
    "clean end too early": lambda faults, it: faults.truncate_clean(it, at=50_000),
    "Content-Length too long": lambda faults, it: faults.wrong_length(it, by=9),
    "bytes after the end": lambda faults, it: faults.extra(it),
    "chunked": lambda faults, it: faults.no_length(it),
    "another place once": lambda faults, it: faults.wrong_content_range(it),
    "whole instead, after a cut": lambda faults, it: [faults.cut(it, at=50_000), faults.ignore_range(it)],
    "API 502": lambda faults, it: faults.status(it, 502, where="api", endpoint="download-artifact"),
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", MENDED)
async def test_mended(github: FakeGitHub, fault: str) -> None:
    """What another try mends gives exactly the bytes that were asked for, and none of them twice."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    async with slices_of(github, artifact_id) as slices:
        MENDED[fault](github.faults, artifact_id)
        assert await slices.read(1000, 100_000) == content[1000:100_000]
    assert not github.faults.pending
    assert slices.bytes_fetched == 99_000


LOST: dict[str, tuple[Script, type[Exception]]] = {
    "cut": (lambda faults, it: faults.cut(it, at=50_000, times=None), ConnectionFailedError),
    "silence": (lambda faults, it: faults.slow_headers(it, times=None), RequestTimeoutError),
    "drip": (lambda faults, it: faults.drip(it, times=None), SlowTransferError),
    "503": (lambda faults, it: faults.status(it, 503, times=None), StorageError),
    "503 for an hour": (lambda faults, it: faults.status(it, 503, headers={"Retry-After": "3600"}), StorageError),
    "404": (lambda faults, it: faults.status(it, 404), StorageError),
    "403": (lambda faults, it: faults.status(it, 403, times=None), StorageError),
    "URL expired": (lambda faults, it: faults.expire_url(it, times=None), SignedURLExpiredError),
    "gzip": (lambda faults, it: faults.headers(it, {"Content-Encoding": "gzip"}, times=None), NoRangesError),
    "gzip of the whole": (lambda faults, it: [faults.ignore_range(it, None), faults.gzip(it, None)], StorageError),
    "another identity": (lambda faults, it: [faults.cut(it, at=50_000), faults.change_etag(it)], StorageError),
    "another identity, unconditional": (
        lambda faults, it: [faults.cut(it, at=50_000), faults.headers(it, {"ETag": '"0x1"'})],
        StorageError,
    ),
    "another length": (
        lambda faults, it: [faults.cut(it, at=50_000), faults.wrong_content_range(it, "bytes 50000-99999/300001")],
        StorageError,
    ),
    "416 inside": (
        lambda faults, it: faults.status(it, 416, headers={"Content-Range": f"bytes */{SIZE}"}, times=None),
        StorageError,
    ),
    "whole instead": (lambda faults, it: faults.ignore_range(it), NoRangesError),
    "whole instead, later": (
        lambda faults, it: [faults.cut(it, at=50_000), faults.ignore_range(it, times=6)],
        NoRangesError,
    ),
    "another place": (lambda faults, it: faults.wrong_content_range(it, times=None), NoRangesError),
    "416 that says nothing": (lambda faults, it: faults.status(it, 416), NoRangesError),
    "API 500": (
        lambda faults, it: faults.status(it, 500, times=None, where="api", endpoint="download-artifact"),
        ServerError,
    ),
    "expired": (
        lambda faults, it: faults.status(it, 410, where="api", endpoint="download-artifact"),
        ArtifactExpiredError,
    ),
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", LOST)
async def test_lost(github: FakeGitHub, fault: str) -> None:
    """What no try mends is an error that says so, after a bounded number of requests."""
    artifact_id = add(github, size=SIZE)
    script, kind = LOST[fault]
    async with slices_of(github, artifact_id) as slices:
        script(github.faults, artifact_id)
        with pytest.raises(kind) as caught:
            await slices.read(1000, 100_000)
    assert "sig=" not in f"{caught.value!r}"
    assert len(github.requests_to("storage")) <= 8


@pytest.mark.github_com("ranges")
async def test_progress_resets_the_count(github: FakeGitHub) -> None:
    """A body that is cut more often than there are tries still arrives, as long as each try brings something."""
    artifact_id = add(github, size=SIZE)
    for at in range(10_000, 90_000, 8000):
        github.faults.cut(artifact_id, at=at)
    async with slices_of(github, artifact_id, retry=RetryPolicy(attempts=2)) as slices:
        assert await slices.read(1000, 100_000) == github.content(artifact_id)[1000:100_000]


async def test_fewer_tries(github: FakeGitHub) -> None:
    """Who only wants a head start asks for one try."""
    artifact_id = add(github, size=SIZE)
    github.faults.status(artifact_id, 503)
    async with client_for(github) as client:
        slices = RangeReader(client._transfers(), await get(client, artifact_id), attempts=1)
        with pytest.raises(StorageError):
            await slices.read(0, 10)
    assert slices.requests == 1


@pytest.mark.github_com("ranges")
async def test_waits_as_told(github: FakeGitHub) -> None:
    """Storage's Retry-After is kept to."""
    artifact_id = add(github, size=SIZE)
    github.faults.status(artifact_id, 503, headers={"Retry-After": "77"})
    began = asyncio.get_running_loop().time()
    async with slices_of(github, artifact_id, limits=Limits(max_pause=80)) as slices:
        await slices.read(0, 10)
    assert 77 <= asyncio.get_running_loop().time() - began < 90


@pytest.mark.github_com("ranges")
async def test_weak_etag_is_no_condition(github: FakeGitHub) -> None:
    """A weak validator cannot be asked for; the total is compared all the same."""
    artifact_id = add(github, size=SIZE)
    github.faults.headers(artifact_id, {"ETag": 'W/"1"'}, times=None)
    async with slices_of(github, artifact_id) as slices:
        await slices.read(0, 10)
        assert await slices.read(10, 20) == github.content(artifact_id)[10:20]
    assert all("If-Match" not in request.headers for request in github.requests_to("storage"))


# --- through a file


@pytest.mark.github_com("ranges")
async def test_scratch(github: FakeGitHub, tmp_path: Path) -> None:
    """RangeReader stand at their places in a file that has no name, and that is gone afterwards."""
    artifact_id = add(github, size=SIZE)
    content = github.content(artifact_id)
    async with slices_of(github, artifact_id) as slices:
        async with slices.scratch([(100, 5000), (200_000, 250_000)], (SIZE - 9, content[-9:]), tmp_path) as file:
            assert os.fstat(file).st_size == SIZE
            for start, end in ((100, 5000), (200_000, 250_000), (SIZE - 9, SIZE)):
                assert os.pread(file, end - start, start) == content[start:end]
            assert not any(tmp_path.iterdir())
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(file)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_scratch_on_a_full_disk(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A full disk is told from other failures, and the file is closed."""

    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    artifact_id = add(github, size=SIZE)
    async with slices_of(github, artifact_id, retry=ONE_TRY) as slices:
        monkeypatch.setattr(range_reader.os, "write", full)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            async with slices.scratch([(0, SIZE)], folder=tmp_path):
                pytest.fail("it is not there")
    assert isinstance(caught.value, OutOfSpaceError) is (number == errno.ENOSPC)
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
async def test_url_for_others(github: FakeGitHub) -> None:
    """Its URL is there for other requests from when it was signed until shortly before it expires."""
    artifact_id = add(github, size=SIZE)
    async with slices_of(github, artifact_id) as slices:
        assert slices.unexpired_url() is None
        signed = await slices.url()
        await slices.read(0, 10)
        assert slices.unexpired_url() is signed
        assert (slices.disposition or "").startswith('attachment; filename="docs.zip"')
        await asyncio.sleep(signed.lifetime)
        assert slices.unexpired_url() is None
        assert await slices.url() is not signed
