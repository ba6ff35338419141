"""fetch(): the headers come first, the body when it is asked for, and the part file lives as long as the block."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import (
    CertificateError,
    ConnectionFailedError,
    CorruptArchiveError,
    DestinationExistsError,
    Digest,
    DigestMismatchError,
    IncompleteDownloadError,
    OutOfSpaceError,
    RequestRetried,
    SlowTransferError,
    StorageError,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.transfer.disk.leftovers import scan
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.storage.fetch import fetch
from tests.kits.profiles import verified
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    get,
    leave_part,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, SignedURL
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.transfer.storage.fetch import Incoming

SIZES = pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])


@asynccontextmanager
async def incoming_of(
    client: ArtifactsClient, artifact_id: int, folder: Path, *, observer: Seen | None = None, follower: Any = None
) -> AsyncGenerator[Incoming]:
    """Enter fetch() for one artifact, with whatever earlier runs left in the folder."""
    artifact = await get(client, artifact_id)
    part = PartFile.for_artifact(artifact, folder)
    leftovers = scan(folder).get(part.prefix, [])
    emitter = Emitter(observer)
    context = client._context or client._transfers()
    async with fetch(context, artifact, part, leftovers, emitter=emitter, follower=follower) as incoming:
        yield incoming


async def fail_in_block(
    client: ArtifactsClient, artifact_id: int, folder: Path, error: BaseException, *, receives: bool
) -> None:
    """Raise an error within the block, before or after all bytes were received."""
    async with incoming_of(client, artifact_id, folder) as incoming:
        if receives:
            await incoming.receive()
        raise error


def offset_of(incoming: Incoming) -> int:
    """Return the bytes that are in the part file by now."""
    return incoming.part.offset


# --- the headers


@SIZES
async def test_the_block_begins_with_the_headers(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int
) -> None:
    """On entry type and disposition are known; no byte of the body was read, and there is no file yet."""
    artifact_id = add(github, size=size)
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        assert incoming.content_type == "application/zip"
        assert "docs.zip" in (incoming.disposition or "")
        assert (incoming.requests, incoming.bytes_fetched, incoming.complete) == (1, 0, False)
        assert offset_of(incoming) == 0
        assert names(tmp_path) == set()
        received = await incoming.receive()
        assert incoming.complete
        assert (received.size, received.verified, received.resumed_from) == (size, verified(), 0)
        assert (received.content_type, received.disposition) == (incoming.content_type, incoming.disposition)
        assert received.part.path.read_bytes() == github.content(artifact_id)
    assert names(tmp_path) == set()


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
async def test_bytes_are_counted_as_storage_sends_them(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int
) -> None:
    """What a broken body brought counts once, and what was not sent again does not count twice."""
    artifact_id = add(github, size=size)
    github.faults.cut(artifact_id, at=size // 2)
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        await incoming.receive()
        assert (incoming.requests, incoming.bytes_fetched) == (2, size)


async def test_a_refusal_is_settled_before_the_block(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """An expired URL and a busy server cost requests; the block begins only when storage streams."""
    artifact_id = add(github)
    github.faults.expire_url(artifact_id)
    github.faults.status(artifact_id, 503)
    seen = Seen()
    async with incoming_of(client, artifact_id, tmp_path, observer=seen) as incoming:
        assert incoming.requests == 3
        assert [type(event) for event in seen] == [
            TransferSigning,
            TransferURLRenewed,
            RequestRetried,
            TransferSigning,
            RequestRetried,
            TransferSigning,
        ]
        await incoming.receive()
    assert [type(event) for event in seen if type(event) in {TransferStarted, TransferVerified}] == [
        TransferStarted,
        TransferVerified,
    ]
    assert not seen.of(TransferResumed)  # nothing had been streamed when those tries failed


async def test_no_answer_at_all(github: FakeGitHub, tmp_path: Path) -> None:
    """The block is never entered, and nothing is left."""
    artifact_id = add(github)
    github.faults.status(artifact_id, 404)
    async with client_for(github) as client:
        with pytest.raises(StorageError, match="404"):
            async with incoming_of(client, artifact_id, tmp_path):
                pytest.fail("there is nothing to receive")
    assert names(tmp_path) == set()


async def test_a_certificate_is_not_tried_again(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a TransportError, but no other try would help."""
    tries: list[object] = []

    async def refuse(*arguments: object, **_options: object) -> None:
        tries.append(arguments)
        msg = "no secure connection"
        raise CertificateError(msg, host="storage.example")

    monkeypatch.setattr(client._transfers().storage.__class__, "open", refuse)
    with pytest.raises(CertificateError):
        async with incoming_of(client, add(github), tmp_path):
            pytest.fail("there is no connection")
    assert len(tries) == 1


# --- leaving the block


@SIZES
async def test_leaving_without_reading(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Who has seen the headers and leaves has fetched nothing, leaves no file, and the connection is closed."""
    artifact_id = add(github, size=size)
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        pass
    assert incoming.bytes_fetched == 0
    assert names(tmp_path) == set()
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        await incoming.receive()


@pytest.mark.github_com("ranges")
async def test_leaving_without_reading_keeps_an_earlier_part(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """What an earlier run left stays for a later one."""
    artifact_id = add(github)
    left = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    size = left.stat().st_size
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        assert offset_of(incoming) == size
    (part,) = parts(tmp_path)
    assert part.stat().st_size == size
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        assert (await incoming.receive()).resumed_from == size


async def test_what_was_committed_stays(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part that got its final name within the block is not touched when the block ends."""
    artifact_id = add(github)
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        received = await incoming.receive()
        received.part.commit(tmp_path / "docs.zip", replace=False, durable=False)
    assert names(tmp_path) == {"docs.zip"}
    assert (tmp_path / "docs.zip").read_bytes() == github.content(artifact_id)


async def test_what_was_not_committed_goes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A verified part that nobody put in place is removed: the caller had all that it asked for."""
    async with incoming_of(client, add(github), tmp_path) as incoming:
        await incoming.receive()
        assert len(parts(tmp_path)) == 1
    assert names(tmp_path) == set()


BEFORE_IT_IS_WHOLE: list[tuple[BaseException, bool]] = [
    (CorruptArchiveError("no zip"), False),
    (DigestMismatchError("other bytes", algorithm="sha256", expected="00", actual="11"), False),
    (OutOfSpaceError("full", filename="x", errno=errno.ENOSPC, needed=1, free=0), True),
    (asyncio.CancelledError(), True),
    (KeyboardInterrupt(), True),
    (ConnectionFailedError("broke", host="h"), True),
    (StorageError("no", status=503), True),
    (DestinationExistsError("taken", filename="x"), True),
    (RuntimeError("the caller's own"), True),
    (PermissionError(errno.EACCES, "no"), False),
    (OSError(errno.EIO, "broken"), False),
]
WHEN_IT_IS_WHOLE = [
    (error, isinstance(error, OutOfSpaceError | asyncio.CancelledError | KeyboardInterrupt))
    for error, _ in BEFORE_IT_IS_WHOLE
]


def _error_id(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, BaseException) else None


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(("error", "kept"), BEFORE_IT_IS_WHOLE, ids=_error_id)
async def test_an_error_before_the_part_is_whole(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, error: BaseException, *, kept: bool
) -> None:
    """The part is kept for a later run, unless its content is wrong or the disk cannot be trusted."""
    artifact_id = add(github)
    await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    with pytest.raises(type(error)):
        await fail_in_block(client, artifact_id, tmp_path, error, receives=False)
    assert len(parts(tmp_path)) == kept
    assert names(tmp_path) == ({parts(tmp_path)[0].name, f"{parts(tmp_path)[0].name}.json"} if kept else set())


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(("error", "kept"), WHEN_IT_IS_WHOLE, ids=_error_id)
async def test_an_error_after_the_part_was_verified(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, error: BaseException, *, kept: bool
) -> None:
    """A whole part is kept only where space or time was lacking; it then costs no request to use it."""
    artifact_id = add(github)
    with pytest.raises(type(error)):
        await fail_in_block(client, artifact_id, tmp_path, error, receives=True)
    assert len(parts(tmp_path)) == kept
    if kept:
        github.forget_requests()
        async with incoming_of(client, artifact_id, tmp_path) as incoming:
            assert (await incoming.receive()).resumed_from == WORKER_SIZE
        assert not github.requests_to("storage")


# --- what an earlier run left


@pytest.mark.github_com("ranges")
async def test_a_whole_part_asks_storage_nothing(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The headers are those that the earlier run got; no URL is signed."""
    artifact_id = add(github)
    with pytest.raises(KeyboardInterrupt):
        await fail_in_block(client, artifact_id, tmp_path, KeyboardInterrupt(), receives=True)
    github.forget_requests()
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        assert incoming.content_type == "application/zip"
        assert "docs.zip" in (incoming.disposition or "")
        assert (incoming.requests, incoming.bytes_fetched) == (0, 0)
        received = await incoming.receive()
    assert (received.resumed_from, received.verified, received.kind) == (WORKER_SIZE, "digest", "zip")
    assert len(github.requests) == 1  # the artifact itself


@pytest.mark.github_com("ranges")
async def test_a_resumed_part_has_the_headers_of_its_beginning(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A 206's own Content-Type and Content-Disposition do not replace those of the first answer."""
    artifact_id = add(github)
    await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    github.faults.headers(artifact_id, {"Content-Type": "text/html", "Content-Disposition": "inline"})
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        assert incoming.content_type == "application/zip"
        assert "docs.zip" in (incoming.disposition or "")
        assert offset_of(incoming) > 0


@pytest.mark.github_com("ranges")
async def test_wrong_bytes_of_an_earlier_run_do_not_count(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A part that was altered costs one fetch of the whole, and a wrong fetch after it one more."""
    artifact_id = add(github)
    left = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    left.write_bytes(b"x" + left.read_bytes()[1:])
    github.faults.pass_by(artifact_id)
    github.faults.corrupt(artifact_id)
    seen = Seen()
    async with incoming_of(client, artifact_id, tmp_path, observer=seen) as incoming:
        received = await incoming.receive()
        assert (received.resumed_from, incoming.requests) == (0, 3)
        assert received.part.path.read_bytes() == github.content(artifact_id)
    assert [event.offset for event in seen.of(TransferResumed)] == [0, 0]


# --- the bytes


@pytest.mark.github_com("digest")
async def test_wrong_bytes_are_the_more_serious_error(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Where the second fetch gets nothing, the error still says that the first one brought wrong bytes."""
    artifact_id = add(github, size=1000)
    github.faults.corrupt(artifact_id)
    github.faults.status(artifact_id, 404, times=5)
    with pytest.raises(DigestMismatchError):
        async with incoming_of(client, artifact_id, tmp_path) as incoming:
            await incoming.receive()
    assert names(tmp_path) == set()


@pytest.mark.github_com("length")
async def test_a_body_that_ends_early(github: FakeGitHub, tmp_path: Path) -> None:
    """A clean end after too few bytes is an IncompleteDownloadError with both numbers once the tries are used up."""
    artifact_id = add(github)
    github.faults.truncate_clean(artifact_id, at=WORKER_SIZE // 2, times=None, framing="chunked")
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(IncompleteDownloadError) as caught:
            async with incoming_of(client, artifact_id, tmp_path) as incoming:
                await incoming.receive()
    assert (caught.value.expected, caught.value.received) == (WORKER_SIZE, WORKER_SIZE // 2)


@pytest.mark.github_com("ranges")
async def test_slowness_is_no_progress(github: FakeGitHub, tmp_path: Path) -> None:
    """Each try brings bytes, but one below the minimum rate uses up a try all the same."""
    artifact_id = add(github)
    github.faults.drip(artifact_id, chunk=10, interval=1.0, times=None)
    async with client_for(github) as client:
        with pytest.raises(SlowTransferError):
            async with incoming_of(client, artifact_id, tmp_path) as incoming:
                await incoming.receive()
        assert incoming.requests == client._github.retry.attempts
    assert len(parts(tmp_path)) == 1


async def test_a_disk_that_cannot_write(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own error ends the fetch at once, without another request."""
    artifact_id = add(github)

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        monkeypatch.setattr(os, "write", broken)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            await incoming.receive()
        monkeypatch.undo()
    assert incoming.requests == 1


@pytest.mark.github_com("digest")
async def test_an_unknown_artifact_digest(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What cannot be checked against a digest is checked against the size."""
    artifact = attrs.evolve(await get(client, add(github)), digest=Digest("sha3-512", "00"))
    part = PartFile.for_artifact(artifact, tmp_path)
    async with fetch(client._transfers(), artifact, part, (), emitter=Emitter()) as incoming:
        assert (await incoming.receive()).verified == "size"


# --- cancellation


@pytest.mark.github_com("ranges")
@SIZES
@pytest.mark.parametrize("reads", [False, True])
async def test_cancelled(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int, *, reads: bool
) -> None:
    """Cancelled in the body, what has come is kept; cancelled before the headers, there is nothing to keep."""
    artifact_id = add(github, size=size)
    if reads:
        github.faults.stall(artifact_id, at=size // 2)
    else:
        github.faults.slow_headers(artifact_id)

    async def work() -> None:
        async with incoming_of(client, artifact_id, tmp_path) as incoming:
            await incoming.receive()

    task = asyncio.ensure_future(work())
    await asyncio.sleep(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(parts(tmp_path)) == reads
    async with incoming_of(client, artifact_id, tmp_path) as incoming:
        received = await incoming.receive()
        assert (received.resumed_from > 0) is reads
        assert received.part.path.read_bytes() == github.content(artifact_id)


# --- the follower


class Following:
    """A follower that notes what it is called with."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.pokes = 0

    async def prepare(self, signed: SignedURL) -> None:
        assert signed.lifetime > 0
        self.calls.append("prepare")

    def begin(self, part: PartFile, total: int | None) -> None:
        self.calls.append(f"begin {part.offset} {total}")

    def poke(self) -> None:
        self.pokes += 1


@pytest.mark.github_com("length")
async def test_the_follower_begins_with_the_body(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """It prepares before each request, begins with the first byte and again only when the part starts over."""
    artifact_id = add(github)
    github.faults.cut(artifact_id, at=WORKER_SIZE // 2)
    github.faults.corrupt(artifact_id, at=WORKER_SIZE - 99)
    follower = Following()
    async with incoming_of(client, artifact_id, tmp_path, follower=follower) as incoming:
        assert follower.calls == ["prepare"]
        assert follower.pokes == 0
        await incoming.receive()
    begins = f"begin 0 {WORKER_SIZE}"
    assert follower.calls == ["prepare", begins, "prepare", "prepare", begins]
    assert follower.pokes > 2


async def test_a_raw_file_is_not_followed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The follower learns that there is no archive to follow."""
    artifact_id = add(github, "log.txt", raw=("log.txt", b"line\n"))
    follower = Following()
    async with incoming_of(client, artifact_id, tmp_path, follower=follower) as incoming:
        assert (await incoming.receive()).kind == "raw"
    assert follower.calls == ["prepare", "begin 0 None"]
