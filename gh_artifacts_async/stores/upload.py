"""A stream into an object, in parts or in one request, so that the object appears whole and verified, or not at all.

obstore completes an upload in parts if its input ends, and aborts it if its input raises. If the call itself is
cancelled, though, the parts stay in the bucket and cost money. So the call is never cancelled: it is fed through a
pipe, which raises when the stream fails or the caller is cancelled, and then waited for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ObjectStoreError
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.stores.checks import failed, takes_attributes
from gh_artifacts_async.stores.objects import attributes_of, write_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from obstore import PutResult
    from obstore.store import ObjectStore

    from gh_artifacts_async.transfer.stream import ArtifactStream

MIB = 2**20
WHOLE = 16 * MIB
"""Bytes up to which an artifact is collected and stored by one request: a process that is killed leaves nothing."""

PART = 8 * MIB
"""Bytes of a part."""

MOST_PARTS = 10_000  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_PARTS_MEMORY = 48 * MIB  # of parts that are collected or under way; with the rest, a transfer stays below 64 MiB
_MOST_AT_ONCE = 4
_PIPE = 2 * MIB
_PATIENCE = 60.0  # seconds for an upload to end once its input has; a store that hangs is not waited for any longer


def part_plan(size: int) -> tuple[int, int]:
    """Return the bytes of a part, and how many parts may be under way at once.

    Args:
        size: bytes of the whole.
    """
    part = max(PART, -(-size // (MOST_PARTS * MIB)) * MIB)  # whole MiB, rounded up
    return part, max(1, min(_MOST_AT_ONCE, _PARTS_MEMORY // part - 1))


class AbandonedError(Exception):
    """Ends an upload whose bytes are not to become an object."""


class Pipe:
    """Bytes on their way from the stream to obstore; holds a bounded number of them."""

    def __init__(self) -> None:
        """Begin with no bytes."""
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._ended = self._closed = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()  # only one side ever waits: the one for room, the other for bytes

    def _tell(self) -> None:
        self._changed.set()
        self._changed.clear()

    async def write(self, chunk: bytes) -> bool:
        """Put bytes in, and wait until there is room again; False if nobody reads any more."""
        if chunk:
            self._chunks.append(chunk)
            self._held += len(chunk)
            self._tell()
        while self._held >= _PIPE and not self._closed:
            await self._changed.wait()
        return not self._closed

    def end(self) -> None:
        """End the input: what is there is the rest of it."""
        self._ended = True
        self._tell()

    def abandon(self) -> None:
        """End the input with an error, at once: there is to be no object."""
        self._ended, self._error = True, AbandonedError()
        self._chunks.clear()
        self._tell()

    def close(self) -> None:
        """Nobody reads any more."""
        self._closed = True
        self._tell()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return all bytes that are there: each call of obstore's costs more than copying them."""
        while not self._chunks and not self._ended and not self._closed:
            await self._changed.wait()
        if self._error is not None:
            raise self._error
        if not self._chunks:
            raise StopAsyncIteration
        data = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
        self._chunks.clear()
        self._held = 0
        self._tell()
        return data


async def _settled(future: asyncio.Future[PutResult], give_up: Callable[[], None], *, cancelled: bool = False) -> None:
    """Wait until an upload has ended, also if cancelled meanwhile: then that is raised afterwards.

    Args:
        future: the upload.
        give_up: called on a cancellation, to make the upload end.
        cancelled: that has happened already; the upload then has a minute to end.

    Raises:
        CancelledError: the caller was cancelled here.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE if cancelled else None
    here: asyncio.CancelledError | None = None
    while not future.done():
        try:
            left = None if deadline is None else max(0.0, deadline - loop.time())
            done, _ = await asyncio.wait({future}, timeout=left)
        except asyncio.CancelledError as error:
            here = error
            give_up()
            deadline = deadline or loop.time() + _PATIENCE
        else:
            if not done:  # the store hangs: what it holds of the upload is left to its lifecycle rule
                future.cancel()
    if not future.cancelled():
        future.exception()  # retrieved, so that asyncio does not log it
    if here is not None:
        raise here


async def upload(store: ObjectStore, key: str, stream: ArtifactStream) -> None:
    """Store what a stream brings, and the record where the store keeps no attributes.

    Raises:
        ArtifactsError: the stream failed, or the store did; the object is as it was.
    """
    head, whole = await _collected(stream)
    sha256 = expected_sha256(stream.artifact) or stream.sha256
    attributes = attributes_of(stream.artifact, stream.kind, stream.content_type, sha256)
    given = attributes if takes_attributes(store) else None
    put = await (_put(store, key, head, given) if whole else _put_parts(store, key, head, stream, attributes=given))
    if isinstance(put, ObjectStoreError):
        raise put
    if given is None:
        size, sha256 = stream.received, stream.sha256
        await write_record(store, key, stream.artifact, sha256=sha256, size=size, e_tag=put["e_tag"])


async def _put(
    store: ObjectStore, key: str, chunks: list[bytes], attributes: dict[str, str] | None
) -> PutResult | ObjectStoreError:
    """Store bytes by one request: it can be cancelled like any other, and leaves nothing."""
    import obstore

    data = b"".join(chunks)
    chunks.clear()
    try:
        return await obstore.put_async(store, key, data, attributes=attributes, use_multipart=False)
    except Exception as error:  # noqa: BLE001 - whatever obstore raises, and what the user's credentials raise
        return failed("store", key, error)


async def _put_parts(
    store: ObjectStore, key: str, head: list[bytes], stream: ArtifactStream, *, attributes: dict[str, str] | None
) -> PutResult | ObjectStoreError:
    """Store bytes in parts, as they come."""
    import obstore

    part, at_once = part_plan(max(stream.size or 0, stream.artifact.size_in_bytes))
    pipe = Pipe()
    putting = obstore.put_async(store, key, pipe, attributes=attributes, chunk_size=part, max_concurrency=at_once)
    future = asyncio.ensure_future(putting)  # a future already, and none of the loop's tasks
    future.add_done_callback(lambda _: pipe.close())
    try:
        await _feed(pipe, head, stream)
    except BaseException as error:
        pipe.abandon()
        await _settled(future, pipe.abandon, cancelled=isinstance(error, asyncio.CancelledError))
        raise
    pipe.end()
    await _settled(future, pipe.abandon)
    refused = future.exception()
    return future.result() if refused is None else failed("store", key, refused)


async def _collected(stream: ArtifactStream) -> tuple[list[bytes], bool]:
    """Return the first bytes of a stream, and whether they are all: of a small one they are, and verified."""
    chunks: list[bytes] = []
    if (stream.size or 0) > WHOLE:
        return chunks, False
    held = 0
    async for chunk in stream:
        chunks.append(chunk)
        held += len(chunk)
        if held > WHOLE:  # nobody has said how many there are
            return chunks, False
    return chunks, True


async def _feed(pipe: Pipe, head: list[bytes], stream: ArtifactStream) -> None:
    """Put a stream's bytes into a pipe, until the stream or the pipe ends."""
    head.reverse()
    while head:
        if not await pipe.write(head.pop()):
            return
    async for chunk in stream:
        if not await pipe.write(chunk):
            return
