"""Responses without end: what a server may send is bounded before it fills memory, disk or the event loop's time."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import traceback
import zlib
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactsError,
    BadRequestError,
    ConnectionFailedError,
    Limits,
    NotFoundError,
    RetryPolicy,
    UnexpectedResponseError,
)
from tests.kits.raw import REPO, KeepAliveServer, RawServer, answer, artifact, in_order, raw_github

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

MIB = 2**20
ONCE = RetryPolicy(attempts=1)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless(before: bytes, again: bytes) -> tuple[Callable[[str, asyncio.StreamWriter], Awaitable[None]], list[int]]:
    """Return a script that sends without end, and a list whose one number says how many bytes that were."""
    sent = [0]

    async def script(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        while True:
            writer.write(again)
            sent[0] += len(again)
            await writer.drain()

    return script, sent


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (HEAD + b"Connection: close\r\n\r\n[", b"[1],   " * 9000),
        (HEAD + b"Content-Length: 10000000000\r\n\r\n[", b"[1],   " * 9000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        (
            HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03",
            b"\0\xff\xff\0\0" + b" " * 65535,  # a stored block
        ),
        (
            HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03",
            b"\x02\0\0\0\xff\xff" * 10_000,  # blocks without content
        ),
    ],
    ids=["until it closes", "length", "chunks", "gzip", "empty gzip"],
)
async def test_row_04_json_without_end(before: bytes, again: bytes) -> None:
    """It is given up after Limits.max_answer_bytes, before or after decompression; the error names the setting."""
    script, sent = endless(before, again)
    async with (
        KeepAliveServer(script) as server,
        ArtifactsClient("token", base_url=server.url, limits=Limits(max_answer_bytes=MIB)) as client,
    ):
        with pytest.raises(UnexpectedResponseError, match=r"more than 1048576 bytes.*max_answer_bytes"):
            await client.get_artifact(REPO, 7)
    assert len(server.heads) == 1
    assert sent[0] < 20 * MIB  # what sockets and buffers hold beyond it


def bomb(mebibytes: int) -> bytes:
    """Return a gzip stream of that many MiB of blanks; the blocks in the middle are the same bytes."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = coder.compress(b" " * MIB) + coder.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + one * mebibytes + b"\x03\0" + bytes(8)


async def test_row_04_a_gzip_bomb() -> None:
    """1.5 MiB that would be 1.5 GiB: refused after 8 MiB, and other tasks have their turns meanwhile."""
    body = bomb(1500)
    assert len(body) < 2 * MIB
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with (
        RawServer(answer("200 OK", body, Content_Encoding="gzip", Content_Type="application/json")) as server,
        ArtifactsClient("token", base_url=server.url) as client,
    ):
        task = asyncio.create_task(others())
        with pytest.raises(UnexpectedResponseError, match="more than 8388608 bytes"):
            await client.get_artifact(REPO, 7)
        task.cancel()
    assert turns > 8 * MIB // (256 * 1024)
    assert len(server.heads) == 1


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "identity", None])
async def test_row_04_codings_that_were_requested(coding: str | None) -> None:
    """Gzip under its two names, in any case, or none."""
    body = json.dumps(artifact()).encode()
    named = {} if coding is None else {"Content_Encoding": coding}
    sent = gzip.compress(body) if coding and "gzip" in coding.lower() else body
    async with (
        RawServer(answer("200 OK", sent, Content_Type="application/json", **named)) as server,
        ArtifactsClient("token", base_url=server.url) as client,
    ):
        assert (await client.get_artifact(REPO, 7)).id == 7
    assert "Accept-Encoding: gzip\r\n" in server.heads[0]


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip"])
async def test_row_04_codings_that_were_not(coding: str) -> None:
    """They are named and not read; the status of an error still counts."""
    body = json.dumps(artifact())
    for status, kind, said in (
        ("200 OK", UnexpectedResponseError, f"Content-Encoding '{coding}', which was not requested"),
        ("404 Not Found", NotFoundError, "404"),
    ):
        async with (
            RawServer(answer(status, body, Content_Encoding=coding, Content_Type="application/json")) as server,
            ArtifactsClient("token", base_url=server.url) as client,
        ):
            with pytest.raises(kind, match=said):
                await client.get_artifact(REPO, 7)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda body: body[:-9], ConnectionFailedError, "cut or broken"),
        (lambda body: body[:20], ConnectionFailedError, "cut or broken"),
        (lambda body: body[:20] + b"\xff\xff" + body[22:], ConnectionFailedError, "cut or broken"),
        (lambda body: body[:-8] + bytes(8), ConnectionFailedError, "cut or broken"),
        (lambda body: b"{}" + body, ConnectionFailedError, "cut or broken"),
        (lambda body: body + b"{}", UnexpectedResponseError, "bytes after the end"),
        (lambda body: body + body, UnexpectedResponseError, "bytes after the end"),
    ],
    ids=["cut", "cut early", "broken", "wrong sum", "no gzip", "more", "twice"],
)
async def test_row_04_gzip_that_is_not_whole(
    change: Callable[[bytes], bytes], kind: type[Exception], said: str
) -> None:
    """A cut stream may be right the next time; bytes after its end are somebody's error."""
    body = change(gzip.compress(json.dumps(artifact()).encode()))
    async with (
        RawServer(answer("200 OK", body, Content_Encoding="gzip", Content_Type="application/json")) as server,
        ArtifactsClient("token", base_url=server.url, retry=ONCE) as client,
    ):
        with pytest.raises(kind, match=said):
            await client.get_artifact(REPO, 7)


async def test_row_04_a_long_error() -> None:
    """Only its beginning is read, and its status counts."""
    script, sent = endless(b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 10000000000\r\n\r\n{", b" " * 65536)
    async with KeepAliveServer(script) as server, ArtifactsClient("token", base_url=server.url) as client:
        with pytest.raises(BadRequestError):
            await client.get_artifact(REPO, 7)
    assert sent[0] < 20 * MIB


@pytest.mark.parametrize("most", [8 * MIB, None])
async def test_row_04_a_large_listing(most: int | None) -> None:
    """One of several MiB is read by another thread, and gives the same; without a limit too."""
    items = [artifact(number, name="a" * 20_000) for number in range(1, 101)]
    body = json.dumps({"total_count": 100, "artifacts": items})
    assert len(body) > MIB
    async with (
        RawServer(answer("200 OK", body, Content_Type="application/json")) as server,
        ArtifactsClient("token", base_url=server.url, limits=Limits(max_answer_bytes=most)) as client,
    ):
        found = [one.id async for one in client.list_artifacts(REPO)]
    assert found == list(range(1, 101))


DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("digest", "size", "announced"),
    [(DIGEST, 3000, 10**10), (DIGEST, 3000, MIB + 6001), (None, 3000, 10**10), (DIGEST, 0, MIB + 1)],
)
async def test_row_04_an_implausible_length(digest: str | None, size: int, announced: int, tmp_path: Path) -> None:
    """Storage announces more than the artifact can have: not a byte of it is read, and nothing is on disk."""
    head = f'HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nETag: "a"\r\nContent-Length: {announced}\r\n\r\n'
    script, _ = endless(head.encode(), b"P" * 65536)
    await _refused(script, tmp_path, size=size, digest=digest, said=f"announced {announced} bytes")


@pytest.mark.parametrize("digest", [DIGEST, None])
async def test_row_04_chunks_without_end(digest: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of unknown length ends at the most that the artifact can have, and nothing stays on disk."""
    monkeypatch.setattr("gh_artifacts_async.transfer.storage.retrieval.SPARE_WITHOUT_DIGEST", 2 * MIB)
    head = b'HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n'
    script, sent = endless(head, b"10000\r\n" + b"P" * 65536 + b"\r\n")
    await _refused(script, tmp_path, size=3000, digest=digest, said="more than .* bytes arrived")
    assert sent[0] < 30 * MIB


async def _refused(
    script: Callable[[str, asyncio.StreamWriter], Awaitable[None]],
    folder: Path,
    *,
    size: int,
    digest: str | None,
    said: str,
) -> None:
    async with KeepAliveServer(script) as storage:
        get = answer("200 OK", json.dumps(artifact(size_in_bytes=size, digest=digest)), Content_Type="application/json")
        location = answer("302 Found", Location=f"{storage.url}/blob?sig=x")
        async with (
            RawServer(in_order(get, location)) as api,
            ArtifactsClient("token", base_url=api.url) as client,
        ):
            found = await client.get_artifact(REPO, 7)
            with pytest.raises(UnexpectedResponseError, match=said):
                await client.download(found, folder)
    assert len(storage.heads) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("digest", [True, False])
async def test_row_04_a_range_in_chunks_that_is_too_long(tmp_path: Path, *, digest: bool) -> None:
    """A 206 in chunks brings more than its Content-Range: refused, and the part file goes."""
    data = bytes(range(256)) * 200
    head = b'HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nETag: "a"\r\nContent-Length: %d\r\n\r\n' % len(data)
    first = head + data[:20_000]
    rest = (
        b'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nContent-Range: bytes 20000-%d/%d\r\n'
        b"Transfer-Encoding: chunked\r\n\r\n" % (len(data) - 1, len(data))
    )
    chunks = b"%x\r\n%b\r\n" % (len(data) - 20_000, data[20_000:]) + b"400\r\n" + b"x" * 1024 + b"\r\n"
    document = artifact(
        size_in_bytes=len(data), digest=f"sha256:{hashlib.sha256(data).hexdigest()}" if digest else None
    )
    async with (
        raw_github(document, first, rest + chunks + b"0\r\n\r\n") as (url, storage),
        ArtifactsClient("token", base_url=url, retry=RetryPolicy(wait_initial=0)) as client,
    ):
        with pytest.raises(UnexpectedResponseError, match=f"than the {len(data)} that were announced"):
            await client.download(await client.get_artifact(REPO, 7), tmp_path)
    assert len(storage.heads) == 2
    assert list(tmp_path.iterdir()) == []


async def test_row_04_more_than_size_in_bytes_may_be_right(tmp_path: Path) -> None:
    """Old servers count the files before they are packed: the size bounds, it does not judge."""
    data = b"PK\5\6" + bytes(18)
    whole = answer("200 OK", data, Content_Type="application/zip", ETag='"a"')
    async with (
        raw_github(artifact(size_in_bytes=0, digest=None), whole) as (url, _),
        ArtifactsClient("token", base_url=url) as client,
    ):
        result = await client.download(await client.get_artifact(REPO, 7), tmp_path)
    assert result.size == len(data)


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_row_04_no_token_in_the_traceback(coding: str) -> None:
    """A body that is refused leaves no frame that holds the request's headers."""
    async with (
        RawServer(answer("200 OK", b"{}", Content_Encoding=coding)) as server,
        ArtifactsClient("canary-token", base_url=server.url, retry=ONCE) as client,
    ):
        with pytest.raises(ArtifactsError) as caught:
            await client.get_artifact(REPO, 7)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "canary-token" in server.heads[0]
    assert "canary-token" not in shown
    assert "ClientResponse" not in shown
