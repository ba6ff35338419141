"""open_stream(): the bytes as they arrive, resumed, signed again and verified, and nothing handed out twice."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactRef,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DigestMismatchError,
    IncompleteDownloadError,
    MissingTokenError,
    SlowTransferError,
    StorageError,
    Timeouts,
    TransferBytes,
    TransferDelivered,
    TransferFailed,
    TransferResumed,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
    UnexpectedResponseError,
)
from tests.kits.profiles import cases, verified
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, RECEIVER_SIZE, REPO, WORKER_SIZE, Seen, add, client_for, get
from tests.transfer.test_faults import LOST, MENDED, NOT_WITHOUT_RANGES

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient

SIZES = pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])


async def read(client: ArtifactsClient, artifact_id: int, **options: Any) -> bytes:
    """Read a stream to its end."""
    async with client.open_stream(await get(client, artifact_id), **options) as stream:
        return b"".join([chunk async for chunk in stream])


# --- what comes


@SIZES
async def test_the_bytes_are_those_of_the_artifact(github, size):
    """They come in chunks, none of them empty, and size, type and name are known before the first."""
    artifact_id = add(github, size=size)
    seen = Seen()
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        async with client.open_stream(artifact, observer=seen) as stream:
            assert stream.artifact == artifact
            assert stream.filename == "docs.zip"
            assert stream.kind == "zip"
            assert stream.content_type
            assert stream.size in {None, len(github.content(artifact_id))}
            assert (stream.verified, stream.sha256) == (None, None)
            chunks = [chunk async for chunk in stream]
            assert all(chunks)
            assert b"".join(chunks) == github.content(artifact_id)
            assert stream.verified == verified()
            assert stream.sha256 == hashlib.sha256(github.content(artifact_id)).hexdigest()
            assert stream.received == sum(map(len, chunks))
            assert "docs" in repr(stream)
            assert [chunk async for chunk in stream] == []
        assert client.statistics.artifacts_done == 1
        assert client.statistics.bytes_fetched == stream.received
    kinds = [type(event) for event in seen if type(event) is not TransferBytes]
    assert kinds[-3:] == [TransferStarted, TransferVerified, TransferDelivered]
    assert seen.of(TransferBytes)


async def test_a_reference_costs_a_get(github):
    """As everywhere."""
    artifact_id = add(github)
    async with client_for(github) as client, client.open_stream(ArtifactRef(REPO, artifact_id)) as stream:
        assert b"".join([chunk async for chunk in stream]) == github.content(artifact_id)


@pytest.mark.parametrize(
    ("content_type", "kind", "filename"),
    [
        ("text/plain", "raw", "report.txt"),
        ("application/octet-stream", "raw", "report.txt"),
        (None, "raw", "report.txt"),
    ],
)
@pytest.mark.github_com("storage")
async def test_a_raw_file_keeps_the_name_that_storage_gives(github, content_type, kind, filename):
    """Whether its type, or its name, or its first bytes tell."""
    artifact_id = add(github, "report", raw=("report.txt", b"all well"), content_type=content_type)
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        assert (stream.kind, stream.filename, stream.size) == (kind, filename, 8)
        assert b"".join([chunk async for chunk in stream]) == b"all well"


@pytest.mark.github_com("storage")
async def test_size_without_a_digest(github, client):
    """Storage says it before the first chunk; where it does not, nobody can."""
    artifact_id = add(github, size=WORKER_SIZE, digest=None, size_in_bytes=17)
    async with client.open_stream(await get(client, artifact_id)) as stream:
        assert stream.size == WORKER_SIZE
    github.faults.no_length(artifact_id)
    async with client.open_stream(await get(client, artifact_id)) as stream:
        assert stream.size is None


@pytest.mark.github_com("digest")
async def test_a_page_in_place_of_the_artifact(github, client):
    """A first answer that is too short to be the artifact is asked for once more, before a byte of it is handed on."""
    artifact_id = add(github, size=WORKER_SIZE)
    github.faults.html(artifact_id, where="storage")
    async with client.open_stream(await get(client, artifact_id)) as stream:
        assert (stream.kind, stream.size) == ("zip", WORKER_SIZE)
        assert b"".join([chunk async for chunk in stream]) == github.content(artifact_id)
    wrong = add(github, size=WORKER_SIZE, size_in_bytes=WORKER_SIZE + 5)  # storage insists, and the digest agrees
    async with client.open_stream(await get(client, wrong)) as stream:
        assert b"".join([chunk async for chunk in stream]) == github.content(wrong)
        assert stream.size == WORKER_SIZE


@pytest.mark.parametrize("body", [b"", b"P", b"PK\3", b"no zip", b"PK\5\6" + bytes(18)])
@pytest.mark.github_com("storage")
async def test_where_the_headers_do_not_tell_the_first_bytes_do(github, body):
    """Nothing of them is lost, however few there are."""
    artifact_id = add(github, "blob", raw=("blob", body), content_type="application/octet-stream")
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        assert stream.kind == ("zip" if body.startswith(b"PK\5\6") else "raw")
        assert stream.verified is None or not body
        assert b"".join([chunk async for chunk in stream]) == body
        assert stream.verified == "digest"


# --- faults


NOT_TO_BE_TAKEN_BACK = ("a byte turned over once", "a byte turned over after a cut", "bytes after the end")
"""What a download mends by a second fetch: the caller of a stream has the bytes already."""


@pytest.mark.parametrize("fault", cases(MENDED, ranges=NOT_WITHOUT_RANGES, digest=NOT_TO_BE_TAKEN_BACK))
async def test_it_mends_what_a_download_mends(github, client, fault):
    """Each byte is handed out once; a byte that is wrong is an error."""
    artifact_id = add(github, size=WORKER_SIZE)
    MENDED[fault](github.faults, artifact_id, WORKER_SIZE)
    if fault in NOT_TO_BE_TAKEN_BACK:
        with pytest.raises((DigestMismatchError, StorageError)):
            await read(client, artifact_id)
        return
    assert await read(client, artifact_id) == github.content(artifact_id)
    assert not github.faults.pending


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("fault", LOST)
async def test_it_fails_where_a_download_fails(github, client, fault):
    """With the same error; where the bytes are too few, with what ended the attempts to get the rest."""
    artifact_id = add(github, size=WORKER_SIZE)
    script, expected = LOST[fault]
    script(github.faults, artifact_id, WORKER_SIZE)
    if expected is DigestMismatchError:
        expected = (DigestMismatchError, IncompleteDownloadError, StorageError)
    with pytest.raises(expected):
        await read(client, artifact_id)


@pytest.mark.github_com("ranges")
async def test_observers_hear_of_every_step(github, client):
    """Of a new URL, and of what is resumed."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    github.faults.cut(artifact_id, at=RECEIVER_SIZE // 2)
    github.faults.expire_url(artifact_id)
    seen = Seen()
    assert await read(client, artifact_id, observer=seen) == github.content(artifact_id)
    assert [event.offset for event in seen.of(TransferResumed)][-1] >= RECEIVER_SIZE // 4
    assert seen.of(TransferURLRenewed)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", ["ignore_range", "change_etag", "wrong_content_range"])
async def test_the_whole_again_is_compared_and_not_handed_out_twice(github, fault):
    """Storage that sends the whole after a cut: what the caller has is skipped."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    github.faults.cut(artifact_id, at=RECEIVER_SIZE // 2)
    github.faults.cut(artifact_id, at=RECEIVER_SIZE // 4)
    getattr(github.faults, fault)(artifact_id, times=2)
    async with client_for(github) as client:
        assert await read(client, artifact_id) == github.content(artifact_id)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("content", [RECEIVER_SIZE, 1000], ids=["others", "fewer"])
@pytest.mark.parametrize("digest", [None, ...])
async def test_other_bytes_after_a_cut_are_an_error(github, digest, content):
    """With a digest or without: the caller has bytes that are not those of the artifact."""
    values = {} if digest is ... else {"digest": digest}
    artifact_id = add(github, size=RECEIVER_SIZE, **values)
    github.faults.cut(artifact_id, at=RECEIVER_SIZE // 2)
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        assert await anext(stream)
        github.faults.change_etag(artifact_id, content=content)
        with pytest.raises(StorageError, match=r"have changed after \d+ of them were passed on; open a new stream"):
            [chunk async for chunk in stream]
        with pytest.raises(StorageError):  # and again
            await anext(stream)


@pytest.mark.github_com("digest")
async def test_wrong_bytes_are_an_error_after_the_last_chunk(github):
    """Every byte was handed out by then."""
    artifact_id = add(github, size=WORKER_SIZE, digest="sha256:" + "0" * 64)
    got, seen = b"", Seen()
    async with client_for(github) as client:
        with pytest.raises(DigestMismatchError):  # noqa: PT012 - it is raised where the last chunk was
            async with client.open_stream(await get(client, artifact_id), observer=seen) as stream:
                async for chunk in stream:
                    got += chunk
        assert (stream.verified, stream.sha256) == (None, None)
        assert client.statistics.artifacts_failed == 1
    assert got == github.content(artifact_id)
    assert seen.of(TransferFailed)


@pytest.mark.parametrize("digest", [None, ...])
@pytest.mark.github_com("length")
async def test_a_clean_end_that_comes_too_early_is_continued(github, digest):
    """As for a download, with a digest or by the zip's own end."""
    values = {} if digest is ... else {"digest": digest}
    artifact_id = add(github, size=WORKER_SIZE, **values)
    github.faults.truncate_clean(artifact_id, at=WORKER_SIZE // 2)
    async with client_for(github) as client:
        assert await read(client, artifact_id) == github.content(artifact_id)


@pytest.mark.github_com("length")
async def test_an_end_that_comes_too_early_every_time_is_an_error(github):
    """The stream ends with it, and never quietly."""
    artifact_id = add(github, size=WORKER_SIZE, digest=None)
    github.faults.truncate_clean(artifact_id, times=None)
    async with client_for(github) as client:
        with pytest.raises((IncompleteDownloadError, StorageError), match=r"bytes|Content-Range"):
            await read(client, artifact_id)


@pytest.mark.github_com("length")
async def test_more_bytes_than_announced_are_an_error(github):
    """Whoever sends them."""
    artifact_id = add(github, size=INLINE_SIZE)
    github.faults.no_length(artifact_id, times=None)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        small = attrs.evolve(artifact, size_in_bytes=1, digest=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gh_artifacts_async.transfer.storage.retrieval.SPARE_WITHOUT_DIGEST", 100)
            with pytest.raises(UnexpectedResponseError, match="more than"):
                async with client.open_stream(small) as stream:
                    [chunk async for chunk in stream]


async def test_attempts_that_bring_nothing_are_used_up(github):
    """The error is that of the last attempt."""
    artifact_id = add(github)
    github.faults.cut(artifact_id, at=100, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(ConnectionFailedError):
            await read(client, artifact_id)


async def test_storage_that_drips_is_too_slow(github):
    """The minimum rate holds for streams too."""
    artifact_id = add(github, size=WORKER_SIZE)
    github.faults.drip(artifact_id, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(SlowTransferError):
            await read(client, artifact_id)


async def test_a_slow_caller_is_no_slow_storage(github):
    """Hours between two chunks are the caller's own."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    got = b""
    quick = Timeouts(min_rate=10_000_000)
    async with (
        client_for(github, timeouts=quick) as client,
        client.open_stream(await get(client, artifact_id)) as stream,
    ):
        async for chunk in stream:
            got += chunk
            await asyncio.sleep(600)
    assert got == github.content(artifact_id)


async def test_nothing_is_read_ahead_of_the_caller(github):
    """Of a large artifact, only what the connection buffers leaves storage while the caller does not read."""
    artifact_id = add(github, size=40_000_000)
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        await anext(stream)
        for _ in range(20):
            await asyncio.sleep(1)
        assert client.statistics.bytes_fetched < 2_000_000
        assert stream.received < 2_000_000


# --- refused, left, closed


@pytest.mark.parametrize("token", [None])
async def test_no_token_no_request(github, token):
    """GitHub serves no artifact to strangers."""
    add(github)
    async with client_for(github, token) as client:
        with pytest.raises(MissingTokenError):
            async with client.open_stream(ArtifactRef(REPO, 1)):
                pass
    assert not github.requests


async def test_an_expired_artifact_is_an_error_on_entry(github):
    """Before any chunk is asked for."""
    artifact_id = add(github, expired=True)
    async with client_for(github) as client:
        with pytest.raises(ArtifactExpiredError):
            async with client.open_stream(ArtifactRef(REPO, artifact_id)):
                pass


async def test_leaving_early_closes_the_connection(github):
    """An observer hears of the end, and the stream cannot be read any more."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    seen = Seen()
    async with client_for(github) as client:
        async with client.open_stream(await get(client, artifact_id), observer=seen) as stream:
            await anext(stream)
        with pytest.raises(ClientClosedError, match="its block has been left"):
            await anext(stream)
        assert await read(client, artifact_id) == github.content(artifact_id)
    (failed,) = seen.of(TransferFailed)
    assert isinstance(failed.error, IncompleteDownloadError)


async def test_an_error_of_the_caller_passes_through(github):
    """It is the caller's, and an observer hears of the end."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    seen = Seen()
    async with client_for(github) as client:
        with pytest.raises(KeyError, match="mine"):
            async with client.open_stream(await get(client, artifact_id), observer=seen):
                raise KeyError("mine")
    assert [str(event.error) for event in seen.of(TransferFailed)] == ["'mine'"]


async def test_a_call_that_is_cancelled_loses_nothing(github):
    """The next one continues with the rest."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2, seconds=5)
    got, cancelled = b"", 0
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        while True:
            try:
                async with asyncio.timeout(1):
                    got += await anext(stream)
            except TimeoutError:
                cancelled += 1
            except StopAsyncIteration:
                break
    assert cancelled
    assert got == github.content(artifact_id)


async def test_two_readers_of_one_stream_are_refused(github):
    """They would tear the bytes apart."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    github.faults.stall(artifact_id, at=10, seconds=5)
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        await anext(stream)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        with pytest.raises(ConfigurationError, match="let one of them read it"):
            await anext(stream)
        assert await first


async def test_a_client_that_is_closed_ends_the_stream(github):
    """With an error, at once."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    github.faults.stall(artifact_id, at=RECEIVER_SIZE // 2)
    async with client_for(github) as client:
        with pytest.raises((ClientClosedError, ConnectionFailedError)):  # noqa: PT012 - what is begun must end
            async with client.open_stream(await get(client, artifact_id)) as stream:
                await anext(stream)
                asyncio.get_running_loop().call_later(1, lambda: asyncio.ensure_future(client.aclose()))
                [chunk async for chunk in stream]


async def test_no_repr_shows_a_signature(github):
    """The stream holds a signed URL, deep inside."""
    artifact_id = add(github)
    async with client_for(github) as client, client.open_stream(await get(client, artifact_id)) as stream:
        shown = repr(stream) + repr(vars(stream)) + repr(vars(stream._passing))
        assert "sig=" not in shown
        assert "token" not in shown
        with pytest.raises(TypeError):
            pickle.dumps(stream)
