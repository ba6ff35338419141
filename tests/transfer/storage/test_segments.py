"""One body over several connections: equal bytes whatever happens to one of them, and never without reason."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    ConnectionFailedError,
    DigestMismatchError,
    Limits,
    OutOfSpaceError,
    RequestTimeoutError,
    RetryPolicy,
    SlowTransferError,
    Timeouts,
    TransferBytes,
    TransferResumed,
)
from gh_artifacts_async.transfer.disk import writer
from gh_artifacts_async.transfer.storage import segments as module
from gh_artifacts_async.transfer.storage.segments import Segments
from tests.kits.raw import KeepAliveServer, RawServer, answer, artifact, kept_alive
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import ONE_TRY, REPO, Seen, add, client_for, fetch, get, names, parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gh_artifacts_async import DownloadResult
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.testing.faults.fault import Fault

pytestmark = pytest.mark.github_com("ranges")

MIB = 2**20
SIZE = 12 * MIB + 5
CHUNK = 256 * 1024
FOUR = {"connections": 4}


def limited(github: FakeGitHub, *, size: int = SIZE, chunk: int = CHUNK, interval: float = 0.01, **more: Any) -> int:
    """Add an artifact, and limit each connection to storage."""
    artifact_id = add(github, size=size, **more)
    github.faults.drip(artifact_id, chunk=chunk, interval=interval, times=None)
    return artifact_id


def ranges_of(github: FakeGitHub) -> list[str]:
    """Return the ranges that storage was asked for, those of extra connections only."""
    found = [request.headers.get("Range", "") for request in github.requests_to("storage")]
    return [text for text in found if re.fullmatch(r"bytes=\d+-\d+", text)]


def on_ranges(fault: Fault) -> Fault:
    """Let a fault happen to ranges only."""
    fault.needs_range = True
    return fault


def is_right(result: DownloadResult, github: FakeGitHub) -> bool:
    """Whether a file has the bytes, and is alone."""
    alone = names(result.path.parent) == {result.path.name}
    return alone and result.path.read_bytes() == github.content(result.artifact.id)


# --- equal bytes


@pytest.mark.parametrize("connections", mostly_slow([4, 2, 8]))
async def test_equal_bytes(github: FakeGitHub, tmp_path: Path, connections: int) -> None:
    """All connections ask for absolute ranges of the same validator; every byte comes about once."""
    artifact_id, seen = limited(github), Seen()
    async with client_for(github, observer=seen) as client:
        result = await fetch(client, artifact_id, tmp_path, connections=connections)
        assert client.statistics.bytes_fetched == SIZE
        assert client._transfers().extras == 0
        assert client._transfers().writer._lent == 0
    assert is_right(result, github)
    assert (result.way, result.resumed_from, result.verified) == ("segments", 0, "digest")
    assert 2 <= github.max_storage_concurrency <= connections
    first, *others = github.requests_to("storage")
    assert "Range" not in first.headers
    assert {other.headers["If-Match"] for other in others} == {f'"{_etag(github)}"'}
    assert len(ranges_of(github)) == len(others)
    assert github.bytes_sent(artifact_id) <= SIZE + 2 * connections * CHUNK
    received = [event.received for event in seen.of(TransferBytes)]
    assert received == sorted(received)
    assert received[-1] <= SIZE


def _etag(github: FakeGitHub) -> str:
    (found,) = {request.headers["If-Match"] for request in github.requests_to("storage")[1:]}
    return found.strip('"')


async def test_small_bodies_are_not_split(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Up to 8 MiB there is one connection, whatever the caller asks for."""
    artifact_id = limited(github, size=8 * MIB)
    result = await fetch(client, artifact_id, tmp_path, connections=8)
    assert is_right(result, github)
    assert (result.way, len(github.requests_to("storage"))) == ("receiver", 1)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {"connections": 1}),
        ({}, {}),  # too small for a trial
        ({"limits": Limits(fast_paths=False)}, FOUR),
        ({"limits": Limits(storage_connections=0)}, FOUR),
    ],
    ids=["one", "adaptive", "no fast paths", "no storage connections"],
)
async def test_never(github: FakeGitHub, tmp_path: Path, settings: dict[str, Any], options: dict[str, Any]) -> None:
    """Where more connections are not permitted there is one request."""
    artifact_id = limited(github)
    async with client_for(github, **settings) as client:
        assert is_right(result := await fetch(client, artifact_id, tmp_path, **options), github)
    assert result.way in {"receiver", "chunks"}
    assert len(github.requests_to("storage")) == 1


@pytest.mark.parametrize("what", mostly_slow(["digest", "weak", "etag", "length", "accept-ranges"], quick=2))
async def test_never_without_proof(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str) -> None:
    """Without a digest, a strong ETag, a length or ranges there is one request."""
    artifact_id = limited(github, **({"digest": None} if what == "digest" else {}))
    headers = {"etag": {"ETag": None}, "weak": {"ETag": 'W/"x"'}, "accept-ranges": {"Accept-Ranges": "none"}}
    if what in headers:
        github.faults.headers(artifact_id, headers[what], times=None)
    elif what == "length":
        github.faults.no_length(artifact_id, times=None)
    result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert len(github.requests_to("storage")) == 1


# --- an extra range that goes wrong

REFUSALS: dict[str, Callable[[FakeGitHub, int, int | None], Fault]] = {
    "200": lambda it, number, times: it.faults.ignore_range(number, times),
    "another ETag": lambda it, number, times: it.faults.headers(number, {"ETag": '"another"'}, times),
    "another total": lambda it, number, times: it.faults.wrong_content_range(
        number, f"bytes 4194304-8388607/{SIZE + 1}", times
    ),
    "another range": lambda it, number, times: it.faults.wrong_content_range(number, f"bytes 5-9/{SIZE}", times),
    "fewer bytes": lambda it, number, times: it.faults.wrong_length(number, -1, times),
    "more bytes": lambda it, number, times: it.faults.wrong_length(number, 7, times),
    "more bytes in it": lambda it, number, times: it.faults.extra(number, b"surplus", times),
    "403": lambda it, number, times: it.faults.status(number, 403, times),
    "412": lambda it, number, times: it.faults.status(number, 412, times),
    "416": lambda it, number, times: it.faults.status(number, 416, times),
    "429": lambda it, number, times: it.faults.status(number, 429, times),
    "503": lambda it, number, times: it.faults.status(number, 503, times),
    "a page": lambda it, number, times: it.faults.html(number, times, where="storage"),
    "gzip": lambda it, number, times: it.faults.gzip(number, times),
    "a redirect": lambda it, number, times: it.faults.redirect(number, "http://203.0.113.9/x", times),
    "no reply": lambda it, number, times: it.faults.no_reply(number, times),
    "garbage": lambda it, number, times: it.faults.garbage(number, times),
    "late headers": lambda it, number, times: it.faults.slow_headers(number, times, seconds=3600),
}
BREAKS: dict[str, Callable[[FakeGitHub, int, int | None], Fault]] = {
    "an early end": lambda it, number, times: it.faults.truncate_clean(number, 5 * MIB, times),
    "an early end in chunks": lambda it, number, times: it.faults.truncate_clean(
        number, 5 * MIB, times, framing="chunked"
    ),
    "a cut": lambda it, number, times: it.faults.cut(number, 5 * MIB, times),
    "a reset": lambda it, number, times: it.faults.reset(number, 9 * MIB, times),
    "a stall": lambda it, number, times: it.faults.stall(number, 5 * MIB, times),
}


@pytest.mark.parametrize("times", mostly_slow([1000, 1]))
@pytest.mark.parametrize("what", [*mostly_slow(REFUSALS, quick=5), *mostly_slow(BREAKS, quick=1)])
async def test_an_extra_range_goes_wrong(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str, times: int
) -> None:
    """It costs that connection, never the download: the first one goes on."""
    artifact_id, seen = limited(github), Seen()
    times = min(times, 3) if what in BREAKS else times  # a byte that nobody is ever sent is missing in the end
    fault = on_ranges((REFUSALS | BREAKS)[what](github, artifact_id, times))
    artifact = await get(client, artifact_id)
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = await client.download(artifact, tmp_path, observer=seen, **FOUR)
    assert is_right(result, github)
    assert fault.left is not None
    assert fault.left < times
    assert result.verified == "digest"
    assert loop.time() - began < 100  # three times the silence that is permitted
    assert len(github.requests_to("storage")) <= 40
    received = [event.received for event in seen.of(TransferBytes)]
    assert received == sorted(received)
    assert client._transfers().extras == 0


@pytest.mark.parametrize("status", mostly_slow([403, 429, 503]))
async def test_storage_that_refuses_gets_no_more_requests(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, status: int
) -> None:
    """Storage that refuses the others still gives the whole to the first, and is asked no more for the rest."""
    artifact_id = limited(github, size=40 * MIB, chunk=MIB)
    on_ranges(github.faults.status(artifact_id, status, times=None))
    result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert result.way == "receiver"
    assert len(github.requests_to("storage")) <= 1 + 3 * (2 if status == 403 else 1)
    assert github.bytes_sent(artifact_id) <= 40 * MIB + 10_000


async def test_refused_once_asked_no_more(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """After a refusal a later body of the same download comes over one connection."""
    artifact_id = limited(github)
    github.faults.cut(artifact_id, at=3 * MIB)
    on_ranges(github.faults.status(artifact_id, 503, times=3))
    assert is_right(await fetch(client, artifact_id, tmp_path, **FOUR), github)
    assert len(github.requests_to("storage")) == 5


@pytest.mark.github_com("digest")
async def test_wrong_bytes_are_fetched_again_by_one(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Ranges whose bytes are wrong make the whole wrong; it is fetched once more, over one connection."""
    artifact_id = limited(github)
    on_ranges(github.faults.corrupt(artifact_id, at=5 * MIB))
    result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert result.way == "receiver"
    assert "Range" not in github.requests_to("storage")[-1].headers


@pytest.mark.github_com("digest")
async def test_wrong_bytes_for_ever(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Wrong bytes end in the error that names both digests, and nothing is left."""
    artifact_id = limited(github)
    github.faults.corrupt(artifact_id, at=5 * MIB, times=None)
    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path, **FOUR)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("seed", mostly_slow(range(40), quick=2))
async def test_random_cuts(github: FakeGitHub, tmp_path: Path, seed: int) -> None:
    """Cuts, resets and silence at random places of random pieces: equal bytes, and few of them twice."""
    dice = random.Random(seed)  # noqa: S311 - not a secret
    artifact_id = limited(github)
    for at in (dice.randrange(SIZE) for _ in range(dice.randint(1, 6))):
        fault = dice.choice([github.faults.cut, github.faults.reset, github.faults.stall])(artifact_id, at=at)
        fault.needs_range = dice.random() < 0.5
    async with client_for(github, retry=RetryPolicy(wait_initial=0)) as client:
        result = await fetch(client, artifact_id, tmp_path, connections=dice.randint(2, 8))
    assert is_right(result, github)
    assert github.bytes_sent(artifact_id) <= SIZE + 6 * (MIB + CHUNK)


async def test_all_connections_break_at_once(github: FakeGitHub, tmp_path: Path) -> None:
    """What had come beyond the frontier is not fetched again by the same download."""
    artifact_id, seen = limited(github), Seen()
    for at in (2 * MIB, 6 * MIB, 10 * MIB, 12 * MIB + 2):
        github.faults.reset(artifact_id, at=at, times=2)
    async with client_for(github, observer=seen, retry=RetryPolicy(wait_initial=0)) as client:
        result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert seen.of(TransferResumed)
    received = [event.received for event in seen.of(TransferBytes)]
    assert received == sorted(received)
    assert github.bytes_sent(artifact_id) <= SIZE + 4 * MIB


# --- expiry, resuming, cancellation


@pytest.mark.parametrize(
    ("github", "lifetime"), mostly_slow([({"url_ttl": it}, it) for it in (15.0, 2.0)]), indirect=["github"]
)
async def test_the_url_expires(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, lifetime: float) -> None:
    """A range that is asked for later has its URL signed again, once for all connections."""
    artifact_id = limited(github, size=40 * MIB, interval=1.0)
    artifact = await get(client, artifact_id)
    before = len(github.requests_to("api"))
    result = await client.download(artifact, tmp_path, **FOUR)
    assert is_right(result, github)
    signed = len(github.requests_to("api")) - before
    assert 1 < signed <= 2 + result.elapsed / (lifetime / 2)


async def test_storage_revokes_the_url(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A range that is refused because the URL has expired is asked for again with a new one, at once."""
    artifact_id = limited(github)
    on_ranges(github.faults.expire_url(artifact_id))
    result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert result.way == "segments"


async def test_a_later_run_resumes_at_the_frontier(github: FakeGitHub, tmp_path: Path) -> None:
    """Cancelled with holes in the file, the part that is left has none, and a later call goes on over several again."""
    artifact_id = limited(github, size=24 * MIB)
    hold = github.faults.stall(artifact_id, at=3 * MIB, times=None)
    async with client_for(github) as client:
        task = asyncio.create_task(fetch(client, artifact_id, tmp_path, **FOUR))
        while github.bytes_sent(artifact_id) < 15 * MIB:
            await asyncio.sleep(0.001)
        (part,) = parts(tmp_path)
        assert part.stat().st_size > 8 * MIB
        assert json.loads(part.with_name(part.name + ".json").read_text())["frontier"] <= 3 * MIB
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kept = part.stat().st_size
        assert 0 < kept <= 3 * MIB
        assert part.read_bytes() == github.content(artifact_id)[:kept]
        assert "frontier" not in json.loads(part.with_name(part.name + ".json").read_text())
        assert client._transfers().extras == 0
        hold.left = 0
        result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert (result.resumed_from, result.way) == (kept, "segments")


@pytest.mark.slow
async def test_no_attempt_left(github: FakeGitHub, tmp_path: Path) -> None:
    """Once every connection has failed and there is no attempt left, the error comes out and the part is resumable."""
    artifact_id = limited(github)
    github.faults.reset(artifact_id, at=3 * MIB)
    on_ranges(github.faults.no_reply(artifact_id, times=1000))
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await fetch(client, artifact_id, tmp_path, **FOUR)
        assert "sig=" not in str(caught.value)
    github.faults.clear()
    (part,) = parts(tmp_path)
    assert part.read_bytes() == github.content(artifact_id)[: part.stat().st_size]


@pytest.mark.slow
async def test_too_slow_together(github: FakeGitHub, tmp_path: Path) -> None:
    """The least rate is that of all connections together: four can hold it where one could not."""
    artifact_id = limited(github, chunk=64 * 1024, interval=1.0)
    quick = {"retry": ONE_TRY}
    async with client_for(github, timeouts=Timeouts(min_rate=150_000, min_rate_window=10), **quick) as client:
        assert is_right(await fetch(client, artifact_id, tmp_path, **FOUR), github)
    async with client_for(github, timeouts=Timeouts(min_rate=400_000, min_rate_window=10), **quick) as client:
        with pytest.raises(SlowTransferError):
            await fetch(client, artifact_id, tmp_path / "slow", **FOUR)


async def test_the_disk_is_full(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is contiguous stays for a later run, without holes, and frees what was written beyond."""
    artifact_id, write, left = limited(github), os.write, 7 * MIB

    def full(descriptor: int, data: Any) -> int:
        nonlocal left
        if len(data) > 4096 and left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left -= len(data) if len(data) > 4096 else 0
        return write(descriptor, data)

    async with client_for(github) as client:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutOfSpaceError):
            await fetch(client, artifact_id, tmp_path, **FOUR)
        monkeypatch.undo()
        (part,) = parts(tmp_path)
        kept = part.stat().st_size
        assert kept <= 7 * MIB
        assert part.read_bytes() == github.content(artifact_id)[:kept]
        assert client._transfers().writer._lent == client._transfers().writer.waiting == 0
        assert (await fetch(client, artifact_id, tmp_path, **FOUR)).resumed_from == kept


@pytest.mark.slow
async def test_while_it_is_extracted(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A zip that is extracted while it arrives over several connections is extracted right."""
    dice = random.Random(3)  # noqa: S311 - not a secret
    files = {f"{number}.bin": dice.randbytes(MIB) for number in range(14)}
    artifact_id = add(github, files=files)
    github.faults.drip(artifact_id, chunk=CHUNK, interval=0.01, times=None)
    result = await fetch(client, artifact_id, tmp_path, extract=True, **FOUR)
    assert result.way == "segments"
    assert {path.name: path.read_bytes() for path in result.path.iterdir()} == files


# --- bounds


async def test_bounds_of_a_client(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All transfers together have no more extra connections than Limits.storage_connections, and no larger pool."""
    ids = [limited(github, name=f"docs-{number}", chunk=MIB) for number in range(4)]
    most = {"extras": 0, "pool": 0}
    count = Segments._count

    def counted(self: Segments, it: Any, size: int) -> None:
        count(self, it, size)
        pool = self._writer.waiting + self._writer._lent
        most.update(extras=max(most["extras"], self._context.extras), pool=max(most["pool"], pool))

    monkeypatch.setattr(Segments, "_count", counted)
    async with client_for(github, limits=Limits(storage_connections=5)) as client:
        results = await asyncio.gather(*(fetch(client, it, tmp_path / str(it), connections=8) for it in ids))
        assert client._transfers().extras == 0
    assert all(is_right(result, github) for result in results)
    assert 1 <= most["extras"] <= 5
    assert most["pool"] <= writer.POOL + len(ids) * MIB  # each hands over the chunk that it has, and then waits
    assert github.max_storage_concurrency <= 4 + 5


async def test_without_buffers(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where the client's pool has no place for another connection, none is opened."""
    artifact_id = limited(github)
    pool = client._transfers().writer
    assert pool.reserve(writer.POOL * 2 // 3 - 2 * MIB)
    result = await fetch(client, artifact_id, tmp_path, **FOUR)
    assert is_right(result, github)
    assert (result.way, len(github.requests_to("storage"))) == ("receiver", 1)


# --- where the caller leaves it to us


async def test_added_where_they_help(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """On a link that limits each connection more are added, in steps; download_many does so too."""
    size = 80 * MIB
    artifact_id = limited(github, size=size, chunk=MIB, interval=0.1)
    artifact = await get(client, artifact_id)
    async with client.download_many([artifact], tmp_path) as outcomes:
        (outcome,) = [it async for it in outcomes]
    result = outcome.value
    assert result is not None
    assert is_right(result, github)
    assert result.way == "segments"
    assert 2 < github.max_storage_concurrency <= 8
    assert result.elapsed < 0.75 * size / (10 * MIB)


class SharedLink:
    """A storage whose connections share one link; it serves ranges.

    Attributes:
        peak: the most responses at once.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._link = asyncio.Lock()
        self._now = 0
        self.peak = 0

    async def script(self, head: str, out: asyncio.StreamWriter) -> None:
        """Answer one request."""
        asked = re.search(r"\r\nRange: bytes=(\d+)-(\d*)\r\n", head)
        first = int(asked[1]) if asked else 0
        end = int(asked[2]) + 1 if asked and asked[2] else len(self._content)
        more = {"Content_Range": f"bytes {first}-{end - 1}/{len(self._content)}"} if asked else {}
        status = "206 Partial Content" if asked else "200 OK"
        empty = kept_alive(status, b"", ETag='"x"', **more)
        start = empty.replace(b"Content-Length: 0", b"Content-Length: %d" % (end - first))
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            out.write(start)
            for at in range(first, end, MIB):
                async with self._link:
                    await asyncio.sleep(0.1)
                out.write(self._content[at : min(end, at + MIB)])
                await out.drain()
        finally:
            self._now -= 1


async def test_given_up_where_they_do_not_help(tmp_path: Path) -> None:
    """On a link that one connection fills, one other is tried, once; what it brings is used."""
    content = random.Random(4).randbytes(64 * MIB)  # noqa: S311 - not a secret
    link = SharedLink(content)
    sha256 = hashlib.sha256(content).hexdigest()
    document = artifact(size_in_bytes=len(content), digest=f"sha256:{sha256}")
    async with KeepAliveServer(link.script) as storage:

        def api(head: str) -> bytes:
            if "/zip" in head:
                return answer("302 Found", Location=f"{storage.url}/blob?sig=x")
            return answer("200 OK", json.dumps(document), Content_Type="application/json")

        async with RawServer(api) as its, ArtifactsClient("token", base_url=its.url) as client:
            result = await client.download(ArtifactRef(REPO, 7), tmp_path)
            assert client.statistics.bytes_fetched == len(content)
    assert result.path.read_bytes() == content
    assert link.peak == 2
    assert len(storage.heads) == 2
    assert result.way == "segments"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["chunked", "no buffers"])
async def test_a_trial_by_aiohttps_reader(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str
) -> None:
    """A long range that the receiver cannot take, for want of a counted length or of buffers, is read in chunks."""
    artifact_id = limited(github, size=48 * MIB, chunk=MIB, interval=0.1)
    if what == "chunked":
        on_ranges(github.faults.no_length(artifact_id, times=None))
    else:
        assert client._transfers().writer.reserve(writer.POOL * 2 // 3 - 3 * MIB - MIB // 2)
    result = await fetch(client, artifact_id, tmp_path)
    assert is_right(result, github)
    assert result.way == "segments"


@pytest.mark.slow
async def test_client_limits_hold_for_trials(github: FakeGitHub, tmp_path: Path) -> None:
    """Where the client may have one extra connection, there are two in all."""
    artifact_id = limited(github, size=64 * MIB, chunk=MIB, interval=0.1)
    async with client_for(github, limits=Limits(storage_connections=1)) as client:
        assert is_right(await fetch(client, artifact_id, tmp_path), github)
    assert github.max_storage_concurrency == 2


async def test_one_that_stalls_is_dropped(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that brings nothing for five seconds while others do is dropped long before Timeouts.read."""
    monkeypatch.setattr(module, "_SILENT", 5.0)
    artifact_id = limited(github)
    for at in (MIB, 5 * MIB):
        github.faults.stall(artifact_id, at=at)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert is_right(await fetch(client, artifact_id, tmp_path, **FOUR), github)
    assert loop.time() - began < 20


@pytest.mark.parametrize("interval", [1.0, 3.0])
async def test_silence_of_all_connections_ends(github: FakeGitHub, tmp_path: Path, interval: float) -> None:
    """They began at different times, so one always waits; none is replaced while no byte comes from any."""
    artifact_id = limited(github, interval=interval)
    github.faults.reset(artifact_id, at=MIB)
    github.faults.slow_headers(artifact_id, times=None).needs_range = True
    async with client_for(github, retry=RetryPolicy(attempts=3)) as client:
        artifact = await get(client, artifact_id)
        began = asyncio.get_running_loop().time()
        with pytest.raises(RequestTimeoutError):
            await client.download(artifact, tmp_path, **FOUR)
        assert asyncio.get_running_loop().time() - began < 600
    assert len(github.requests_to("storage")) < 30
