"""Every fault that the fake can script, with what the user sees and what is on disk afterwards."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactRef,
    AuthenticationError,
    ConnectionFailedError,
    DigestMismatchError,
    Limits,
    NotFoundError,
    PermissionDeniedError,
    PrimaryRateLimitError,
    RateLimitPause,
    RequestTimeoutError,
    SecondaryRateLimitError,
    ServerError,
    SignedURLExpiredError,
    SlowTransferError,
    StorageError,
    Timeouts,
    TransferResumed,
    TransferURLRenewed,
    UnexpectedResponseError,
    UnsafeRedirectError,
)
from tests.kits.profiles import GITHUB_COM, cases, profile, verified
from tests.kits.sampling import crossed
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    fetch,
    get,
    leave_part,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub, Faults

    Script = Callable[[Faults, int, int], object]

SIZES = (INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE)
TWO_LENGTHS = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
HUGE_HEADER = b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 200_000 + b"\r\nContent-Length: 5\r\n\r\nhello"

MENDED: dict[str, Script] = {
    "cut at 0": lambda faults, it, _: faults.cut(it, at=0),
    "cut at 1": lambda faults, it, _: faults.cut(it, at=1),
    "cut in the middle": lambda faults, it, n: faults.cut(it, at=n // 2),
    "cut at the last byte": lambda faults, it, n: faults.cut(it, at=n - 1),
    "cut three times": lambda faults, it, n: [faults.cut(it, at=n * part // 4) for part in (1, 2, 3)],
    "reset in the middle": lambda faults, it, n: faults.reset(it, at=n // 2),
    "reset at 0": lambda faults, it, _: faults.reset(it, at=0),
    "stall before the headers": lambda faults, it, _: faults.slow_headers(it),
    "stall in the body": lambda faults, it, n: faults.stall(it, at=n // 2),
    "drip once": lambda faults, it, _: faults.drip(it),
    "drip from the middle": lambda faults, it, n: faults.drip(it, at=n // 2),
    "no reply": lambda faults, it, _: faults.no_reply(it, times=2),
    "no reply, reset": lambda faults, it, _: faults.no_reply(it, reset=True),
    "garbage": lambda faults, it, _: faults.garbage(it, times=2),
    "two Content-Lengths": lambda faults, it, _: faults.garbage(it, data=TWO_LENGTHS),
    "a header of 200 kB": lambda faults, it, _: faults.garbage(it, data=HUGE_HEADER),
    "500": lambda faults, it, _: faults.status(it, 500, times=2),
    "503 three times": lambda faults, it, _: faults.status(it, 503, times=3),
    "503 with Retry-After": lambda faults, it, _: faults.status(it, 503, headers={"Retry-After": "7"}),
    "429 of storage": lambda faults, it, _: faults.status(it, 429, headers={"Retry-After": "3"}),
    "408": lambda faults, it, _: faults.status(it, 408),
    "URL expired": lambda faults, it, _: faults.expire_url(it),
    "URL expired, body cut, expired again": lambda faults, it, n: (
        faults.expire_url(it),
        faults.cut(it, at=n // 2),
        faults.expire_url(it),
    ),
    "range ignored": lambda faults, it, n: (faults.cut(it, at=n // 2), faults.ignore_range(it)),
    "206 of another place": lambda faults, it, n: (faults.cut(it, at=n // 2), faults.wrong_content_range(it)),
    "206 of another whole": lambda faults, it, n: (
        faults.cut(it, at=n // 2),
        faults.wrong_content_range(it, f"bytes {n // 2}-{n}/{n + 1}"),
    ),
    "multipart 206": lambda faults, it, n: (
        faults.cut(it, at=n // 2),
        faults.headers(it, {"Content-Range": None, "Content-Type": "multipart/byteranges; boundary=x"}),
    ),
    "ETag changed": lambda faults, it, n: (faults.cut(it, at=n // 2), faults.change_etag(it)),
    "416": lambda faults, it, n: (
        faults.cut(it, at=n // 2),
        faults.status(it, 416, headers={"Content-Range": "bytes */7"}),
    ),
    "412": lambda faults, it, n: (faults.cut(it, at=n // 2), faults.status(it, 412)),
    "a byte turned over once": lambda faults, it, _: faults.corrupt(it),
    "a byte turned over after a cut": lambda faults, it, n: (faults.cut(it, at=n // 2), faults.corrupt(it, at=n - 9)),
    "clean end too early": lambda faults, it, _: faults.truncate_clean(it),
    "clean end too early, chunked": lambda faults, it, _: faults.truncate_clean(it, framing="chunked"),
    "clean end too early, FIN": lambda faults, it, _: faults.truncate_clean(it, framing="close"),
    "Content-Length too long": lambda faults, it, _: faults.wrong_length(it, by=10),
    "Content-Length too short": lambda faults, it, _: faults.wrong_length(it, by=-10),
    "no length, chunked": lambda faults, it, _: faults.no_length(it),
    "no length, FIN": lambda faults, it, _: faults.no_length(it, framing="close"),
    "bytes after the end": lambda faults, it, _: faults.extra(it),
    "API 502 twice": lambda faults, it, _: faults.status(it, 502, times=2, where="api", endpoint="download-artifact"),
    "API cut": lambda faults, it, _: faults.no_reply(it, where="api"),
    "API silent": lambda faults, it, _: faults.slow_headers(it, where="api"),
    "API HTML 502": lambda faults, it, _: faults.html(it, status=502, endpoint="download-artifact"),
    "secondary limit, Retry-After": lambda faults, it, _: faults.secondary_limit(it, retry_after=2),
    "secondary limit, none": lambda faults, it, _: faults.secondary_limit(it),
    "primary limit": lambda faults, it, _: faults.rate_limit(it, reset_in=60),
}


BEFORE_A_BODY = {  # of whatever size
    "no reply, reset",
    "garbage",
    "two Content-Lengths",
    "a header of 200 kB",
    "500",
    "503 three times",
    "503 with Retry-After",
    "429 of storage",
    "408",
    "API 502 twice",
    "API cut",
    "API silent",
    "API HTML 502",
    "secondary limit, Retry-After",
    "secondary limit, none",
    "primary limit",
}
NOT_WITHOUT_RANGES = ("range ignored", "206 of another place", "206 of another whole", "multipart 206")
NOT_WITHOUT_A_DIGEST = ("a byte turned over once", "a byte turned over after a cut")


@pytest.mark.parametrize(
    ("fault", "size"),
    crossed(cases(MENDED, ranges=NOT_WITHOUT_RANGES, digest=NOT_WITHOUT_A_DIGEST), SIZES, alike=BEFORE_A_BODY),
)
async def test_mended(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str, size: int) -> None:
    """What another try mends ends in the right file, verified as far as can be, and nothing besides it."""
    artifact_id = add(github, size=size)
    MENDED[fault](github.faults, artifact_id, size)
    result = await fetch(client, artifact_id, tmp_path)
    assert not github.faults.pending
    assert result.path.read_bytes() == github.content(artifact_id)
    assert (result.verified, result.size, result.resumed_from) == (verified(), size, 0)
    assert names(tmp_path) == {"docs.zip"}


NO_BYTE_TWICE = (
    "cut at 0",
    "cut at 1",
    "cut in the middle",
    "cut at the last byte",
    "cut three times",
    "stall in the body",
    "stall before the headers",
    "URL expired, body cut, expired again",
    "503 three times",
)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", NO_BYTE_TWICE)
async def test_little_is_sent_twice(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str) -> None:
    """After a network failure the rest is asked for, not the whole."""
    artifact_id = add(github, size=8 * WORKER_SIZE)
    MENDED[fault](github.faults, artifact_id, 8 * WORKER_SIZE)
    await fetch(client, artifact_id, tmp_path)
    assert github.bytes_sent(artifact_id) <= 1.10 * 8 * WORKER_SIZE


LOST: dict[str, tuple[Script, type[Exception] | tuple[type[Exception], ...]]] = {
    "storage 503": (lambda faults, it, _: faults.status(it, 503, times=None), StorageError),
    "storage 403": (lambda faults, it, _: faults.status(it, 403, times=None, body="no"), StorageError),
    "URL expired": (lambda faults, it, _: faults.expire_url(it, times=None), SignedURLExpiredError),
    "drip": (lambda faults, it, _: faults.drip(it, times=None), SlowTransferError),
    "stall": (lambda faults, it, _: faults.stall(it, at=None, times=None), RequestTimeoutError),
    "silence": (lambda faults, it, _: faults.slow_headers(it, times=None), RequestTimeoutError),
    "cut": (lambda faults, it, n: faults.cut(it, at=n // 2, times=None), ConnectionFailedError),
    "reset": (lambda faults, it, n: faults.reset(it, at=n // 2, times=None), ConnectionFailedError),
    "no reply": (lambda faults, it, _: faults.no_reply(it, times=None), ConnectionFailedError),
    "garbage": (lambda faults, it, _: faults.garbage(it, times=None), ConnectionFailedError),
    "two Content-Lengths": (
        lambda faults, it, _: faults.garbage(it, times=None, data=TWO_LENGTHS),
        ConnectionFailedError,
    ),
    "range ignored": (
        lambda faults, it, n: (faults.cut(it, at=n // 2, times=None), faults.ignore_range(it, times=None)),
        ConnectionFailedError,
    ),
    "wrong Content-Range": (
        lambda faults, it, n: (faults.cut(it, at=n // 2, times=None), faults.wrong_content_range(it, times=None)),
        (StorageError, ConnectionFailedError),
    ),
    "a byte turned over": (lambda faults, it, _: faults.corrupt(it, at=100, times=None), DigestMismatchError),
    "bytes after the end": (lambda faults, it, _: faults.extra(it, times=None), DigestMismatchError),
    "other bytes than the listing's": (lambda faults, it, n: faults.change_etag(it, content=n), DigestMismatchError),
    "clean end too early": (
        lambda faults, it, n: faults.truncate_clean(it, at=n // 2, times=None),
        DigestMismatchError,
    ),
    "gzip": (lambda faults, it, _: faults.gzip(it, times=None), StorageError),
    "404 of storage": (lambda faults, it, _: faults.status(it, 404), StorageError),
    "a 404 whose body breaks": (
        lambda faults, it, _: faults.garbage(it, data=b"HTTP/1.1 404 Gone\r\nContent-Length: 50\r\n\r\nshort"),
        StorageError,
    ),
    "a page of HTML": (lambda faults, it, _: faults.html(it, times=None, where="storage"), DigestMismatchError),
    "410": (
        lambda faults, it, _: faults.status(it, 410, where="api", endpoint="download-artifact"),
        ArtifactExpiredError,
    ),
    "API 500 for ever": (
        lambda faults, it, _: faults.status(it, 500, times=None, where="api", endpoint="download-artifact"),
        ServerError,
    ),
    "API 404": (lambda faults, it, _: faults.status(it, 404, where="api", endpoint="download-artifact"), NotFoundError),
    "API 401": (
        lambda faults, it, _: faults.status(it, 401, where="api", endpoint="download-artifact"),
        AuthenticationError,
    ),
    "API 403": (lambda faults, it, _: (faults.pass_by(it, where="api"), faults.forbidden(it)), PermissionDeniedError),
    "API HTML": (lambda faults, it, _: faults.html(it, endpoint="download-artifact"), UnexpectedResponseError),
    "redirect of storage": (
        lambda faults, it, _: faults.redirect(it, "http://127.0.0.1:9/elsewhere?sig=secret"),
        UnsafeRedirectError,
    ),
    "Location is ftp": (
        lambda faults, it, _: faults.redirect(it, "ftp://127.0.0.1/x", where="api"),
        UnsafeRedirectError,
    ),
    "Location has userinfo": (
        lambda faults, it, _: faults.redirect(it, "http://user:pw@127.0.0.1:9/x", where="api"),
        UnsafeRedirectError,
    ),
    "no Location": (lambda faults, it, _: faults.redirect(it, "", where="api"), UnexpectedResponseError),
    "primary limit beyond max_pause": (
        lambda faults, it, _: faults.rate_limit(it, endpoint="download-artifact", reset_in=2000),
        PrimaryRateLimitError,
    ),
    "secondary limit beyond max_pause": (
        lambda faults, it, _: faults.secondary_limit(it, endpoint="download-artifact", retry_after=10**9),
        SecondaryRateLimitError,
    ),
}

KEEPS_A_PART = {"cut", "reset", "drip", "stall"}
AT_ONCE = {
    "gzip",
    "404 of storage",
    "a 404 whose body breaks",
    "410",
    "API 404",
    "API 401",
    "API 403",
    "API HTML",
    "redirect of storage",
    "Location is ftp",
    "Location has userinfo",
    "no Location",
    "primary limit beyond max_pause",
    "secondary limit beyond max_pause",
}


@pytest.mark.parametrize(
    ("fault", "size"),
    crossed(
        cases(LOST, digest=[it for it in LOST if LOST[it][1] is DigestMismatchError]),
        SIZES,
        alike=AT_ONCE | BEFORE_A_BODY | {"storage 503", "storage 403", "URL expired", "API 500 for ever"},
    ),
)
async def test_lost(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str, size: int) -> None:
    """What no try mends is the right error; a network failure keeps the part, and no final name appears."""
    artifact_id = add(github, size=size)
    artifact = await get(client, artifact_id)
    script, error = LOST[fault]
    if fault == "API 403":
        github.faults.forbidden(artifact_id)
    else:
        script(github.faults, artifact_id, size)
    with pytest.raises(error) as caught:
        await client.download(artifact, tmp_path)
    assert caught.value.__cause__ is None
    left = names(tmp_path)
    assert not {name for name in left if ".part" not in name}
    if fault in KEEPS_A_PART:
        assert len(parts(tmp_path)) == (profile() == GITHUB_COM)  # elsewhere it could not be resumed
    elif error is DigestMismatchError:
        assert not left


@pytest.mark.parametrize("fault", sorted(AT_ONCE))
async def test_not_tried_again(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str) -> None:
    """What cannot get better is told at once: one request, no wait."""
    artifact_id = add(github, size=INLINE_SIZE)
    artifact = await get(client, artifact_id)
    github.forget_requests()
    script, error = LOST[fault]
    if fault == "API 403":
        github.faults.forbidden(artifact_id)
    else:
        script(github.faults, artifact_id, INLINE_SIZE)
    began = asyncio.get_running_loop().time()
    with pytest.raises(error):
        await client.download(artifact, tmp_path)
    assert asyncio.get_running_loop().time() - began < 5
    assert len(github.requests_to("api")) == 1
    assert len(github.requests_to("storage")) <= 1
    assert names(tmp_path) == set()


@pytest.mark.parametrize("fault", ["storage 503", "cut", "silence", "garbage", "no reply", "URL expired"])
async def test_tries_are_bounded(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str) -> None:
    """A failure for ever ends after RetryPolicy.attempts tries without progress."""
    artifact_id = add(github)
    artifact = await get(client, artifact_id)
    script, error = LOST[fault]
    script(github.faults, artifact_id, WORKER_SIZE)
    with pytest.raises(error):
        await client.download(artifact, tmp_path)
    expected = 12 if fault == "no reply" else 7  # aiohttp itself repeats a GET that a kept connection did not answer
    assert 6 <= len(github.requests_to("storage")) <= expected


# --- single rows ----------------------------------------------------------------------------------------------------


async def test_stall_ends_within_the_idle_limit(github: FakeGitHub, tmp_path: Path) -> None:
    """A silent body is given up after Timeouts.read, and the rest is fetched a second later at most."""
    artifact_id = add(github)
    github.faults.stall(artifact_id, at=WORKER_SIZE // 2)
    loop = asyncio.get_running_loop()
    async with client_for(github, timeouts=Timeouts(read=30.0)) as client:
        artifact = await get(client, artifact_id)
        began = loop.time()
        await client.download(artifact, tmp_path)
    assert 30 <= loop.time() - began <= 31.5


@pytest.mark.github_com("ranges")
async def test_drip_is_found_by_the_minimum_rate(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Bytes that come, but too slowly, end the connection after one window; the error names both rates."""
    artifact_id = add(github)
    github.faults.drip(artifact_id, times=None)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(SlowTransferError, match=r"min_rate is 1024") as caught:
        await fetch(client, artifact_id, tmp_path)
    assert (caught.value.minimum, 3 < caught.value.rate < 6) == (1024, True)
    assert 6 * 30 <= loop.time() - began <= 6 * 30 + 70
    assert len(parts(tmp_path)) == 1


async def test_no_minimum_rate(github: FakeGitHub, tmp_path: Path) -> None:
    """With min_rate off a slow body may take as long as it likes."""
    artifact_id = add(github, size=INLINE_SIZE)
    github.faults.drip(artifact_id, chunk=200, interval=20)
    async with client_for(github, timeouts=Timeouts(min_rate=None)) as client:
        result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert result.elapsed > 1900


@pytest.mark.parametrize(
    ("retry_after", "least", "most"), [(2, 2, 4), (0, 0, 2), (-5, 0, 90), (None, 60, 62), ("nonsense", 60, 62)]
)
async def test_rate_limit_waits(
    github: FakeGitHub, tmp_path: Path, retry_after: float | str | None, least: float, most: float
) -> None:
    """A secondary limit is waited for as long as it says, a minute where it does not."""
    artifact_id = add(github)
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        artifact = await get(client, artifact_id)
        github.faults.secondary_limit(artifact_id, retry_after=retry_after, endpoint="download-artifact")
        began = asyncio.get_running_loop().time()
        await client.download(artifact, tmp_path)
    assert least <= asyncio.get_running_loop().time() - began <= most
    assert len(seen.of(RateLimitPause)) <= 1


async def test_waiting_for_the_api_is_not_slowness(github: FakeGitHub, tmp_path: Path) -> None:
    """A pause for GitHub's rate limit in the middle of a transfer does not count as a slow one."""
    artifact_id = add(github)
    github.faults.cut(artifact_id, at=WORKER_SIZE // 2)
    async with client_for(github, timeouts=Timeouts(min_rate=10_000_000, min_rate_window=20.0)) as client:
        artifact = await get(client, artifact_id)
        github.faults.pass_by(artifact_id, where="api")
        github.faults.secondary_limit(artifact_id, retry_after=600, endpoint="download-artifact")
        result = await client.download(artifact, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)


async def test_storage_retry_after(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What storage asks to wait is waited; more than Limits.max_pause is the error."""
    artifact_id = add(github)
    artifact = await get(client, artifact_id)
    github.faults.status(artifact_id, 503, headers={"Retry-After": "100"})
    began = asyncio.get_running_loop().time()
    await client.download(artifact, tmp_path)
    assert 100 <= asyncio.get_running_loop().time() - began <= 102
    github.faults.status(artifact_id, 503, headers={"Retry-After": "1000000"}, times=None)
    with pytest.raises(StorageError) as caught:
        await client.download(artifact, tmp_path, filename="again.zip")
    assert (caught.value.status, caught.value.code) == (503, "ServerBusy")
    async with client_for(github, limits=Limits(max_pause=None), retry=ONE_TRY) as patient:
        with pytest.raises(StorageError):
            await patient.download(artifact, tmp_path, filename="again.zip")


@pytest.mark.github_com("storage")
async def test_url_expired_in_the_queue(github: FakeGitHub, tmp_path: Path) -> None:
    """A URL that storage calls expired is signed anew at once, and the observer is told."""
    artifact_id = add(github)
    github.faults.expire_url(artifact_id)
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        artifact = await get(client, artifact_id)
        began = asyncio.get_running_loop().time()
        await client.download(artifact, tmp_path)
    assert asyncio.get_running_loop().time() - began < 1
    assert [event.reason for event in seen.of(TransferURLRenewed)] == [
        "the signed URL has expired (403 AuthenticationFailed)"
    ]
    assert len(github.requests_to("api", artifact_id)) == 3
    first, second = (record.raw_path for record in github.requests_to("storage"))
    assert first != second


@pytest.mark.github_com("ranges")
async def test_url_expired_in_mid_body(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A body that breaks after its URL's life is resumed with a new URL, a Range and If-Match."""
    size = 8 * WORKER_SIZE
    artifact_id = add(github, size=size)
    github.faults.cut(artifact_id, at=size // 2)
    github.faults.expire_url(artifact_id)
    await fetch(client, artifact_id, tmp_path)
    first, refused, last = github.requests_to("storage")
    assert (first.status, refused.status, last.status) == (200, 403, 206)
    assert last.headers["If-Match"] == github.artifact(artifact_id).etag
    assert "If-Range" not in last.headers
    start = int(last.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert size // 2 - 600_000 <= start <= size // 2
    assert github.bytes_sent(artifact_id) <= 1.10 * size


@pytest.mark.github_com("digest")
async def test_mismatch_names_both_digests(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Wrong bytes are fetched a second time, then the error names GitHub's digest and theirs."""
    artifact_id = add(github)
    github.faults.corrupt(artifact_id, at=1000, times=None)
    with pytest.raises(DigestMismatchError) as caught:
        await fetch(client, artifact_id, tmp_path)
    wrong = bytearray(github.content(artifact_id))
    wrong[1000] ^= 0xFF
    assert caught.value.algorithm == "sha256"
    assert caught.value.expected == hashlib.sha256(github.content(artifact_id)).hexdigest()
    assert caught.value.actual == hashlib.sha256(wrong).hexdigest()
    assert caught.value.expected in str(caught.value)
    assert caught.value.actual in str(caught.value)
    assert len(github.requests_to("storage")) == 2
    assert names(tmp_path) == set()


@pytest.mark.github_com("digest")
async def test_failure_leaves_an_older_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A replacement that fails leaves what was there before."""
    (tmp_path / "docs.zip").write_bytes(b"older")
    artifact_id = add(github)
    github.faults.corrupt(artifact_id, at=1000, times=None)
    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path, if_exists="replace")
    assert (tmp_path / "docs.zip").read_bytes() == b"older"
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.github_com("ranges")
async def test_resumed_events(github: FakeGitHub, tmp_path: Path) -> None:
    """An event says where a broken body is resumed, and why."""
    artifact_id = add(github)
    github.faults.reset(artifact_id, at=WORKER_SIZE // 2)
    seen = Seen()
    async with client_for(github) as client:
        await fetch(client, artifact_id, tmp_path, observer=seen)
    (resumed,) = seen.of(TransferResumed)
    assert 0 < resumed.offset <= WORKER_SIZE // 2
    assert "127.0.0.1" in resumed.reason


async def test_identity_is_asked_for(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Storage is asked for the stored bytes themselves, and an answer that is coded all the same is refused."""
    artifact_id = add(github)
    github.faults.gzip(artifact_id)
    with pytest.raises(StorageError, match="'gzip', which was not requested"):
        await fetch(client, artifact_id, tmp_path)
    (record,) = github.requests_to("storage")
    assert record.headers["Accept-Encoding"] == "identity"


async def test_expired_artifact(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An expired artifact is ArtifactExpiredError at once, whether GitHub says 410 or 500."""
    artifact_id = add(github, expired=True)
    with pytest.raises(ArtifactExpiredError):
        await fetch(client, artifact_id, tmp_path / "new")
    github.faults.expired_500(artifact_id)
    with pytest.raises(ArtifactExpiredError):
        await fetch(client, artifact_id, tmp_path / "new")
    assert len(github.requests_to("api", artifact_id)) == 4
    assert not github.requests_to("storage")
    assert names(tmp_path) == set()


# --- a part of an earlier run ---------------------------------------------------------------------------------------


@pytest.mark.github_com("ranges")
async def test_resumes_what_an_earlier_client_left(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A later download resumes where an earlier client stopped, and says so."""
    artifact_id = add(github)
    part = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    size = part.stat().st_size
    github.forget_requests()
    result = await fetch(client, artifact_id, tmp_path)
    assert size > 0
    assert result.resumed_from == size
    assert github.bytes_sent(artifact_id) == WORKER_SIZE - size
    assert result.path.read_bytes() == github.content(artifact_id)
    assert names(tmp_path) == {"docs.zip"}


TAMPERED: dict[str, Callable[[Path], object]] = {
    "flipped": lambda part: part.write_bytes(bytes([part.read_bytes()[0] ^ 1]) + part.read_bytes()[1:]),
    "cut": lambda part: part.write_bytes(part.read_bytes()[:-1000]),
    "emptied": lambda part: part.write_bytes(b""),
    "grown": lambda part: part.write_bytes(part.read_bytes() + b"x" * 1000),
    "grown beyond the whole": lambda part: part.write_bytes(part.read_bytes() + b"x" * WORKER_SIZE),
    "swapped": lambda part: part.write_bytes(b"x" * part.stat().st_size),
    "sidecar gone": lambda part: part.with_name(part.name + ".json").unlink(),
    "sidecar damaged": lambda part: part.with_name(part.name + ".json").write_bytes(b"{"),
    "sidecar of another kind": lambda part: part.with_name(part.name + ".json").write_bytes(b"[1, 2]"),
    "sidecar of another version": lambda part: part.with_name(part.name + ".json").write_bytes(b'{"version": 99}'),
    "part gone": lambda part: part.unlink(),
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("with_digest", [True, False])
@pytest.mark.parametrize("how", TAMPERED)
async def test_tampered_part(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, how: str, *, with_digest: bool
) -> None:
    """A part that was changed between two runs never ends up in the file, with GitHub's digest or without."""
    artifact_id = add(github, digest="auto" if with_digest else None)
    part = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    TAMPERED[how](part)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    others = how in {"sidecar of another kind", "sidecar of another version"}  # not our state: left alone
    assert {name for name in names(tmp_path) if not (others and ".part" in name)} == {"docs.zip"}


@pytest.mark.github_com("ranges")
async def test_part_of_other_bytes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part of bytes that storage has no more (412) is dropped, and counts for nothing."""
    artifact_id = add(github)
    await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    github.faults.change_etag(artifact_id)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert result.resumed_from == 0


@pytest.mark.github_com("ranges")
async def test_part_and_range_ignored(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part that could not be used, since storage sent the whole, counts for nothing."""
    artifact_id = add(github)
    await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    github.faults.ignore_range(artifact_id)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert result.resumed_from == 0


@pytest.mark.github_com("ranges")
async def test_whole_part_needs_no_request(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part that is whole already is verified and renamed without asking storage for anything."""
    artifact_id = add(github)
    artifact = await get(client, artifact_id)
    part = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    part.write_bytes(github.content(artifact_id))
    github.forget_requests()
    result = await client.download(artifact, tmp_path)
    assert result.resumed_from == WORKER_SIZE
    assert not github.requests
    assert result.path.read_bytes() == github.content(artifact_id)


@pytest.mark.github_com("ranges")
async def test_whole_part_that_is_wrong(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part that is whole but wrong is dropped; one more wrong body from storage is then the error."""
    artifact_id = add(github)
    part = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    part.write_bytes(b"x" * WORKER_SIZE)
    github.faults.corrupt(artifact_id)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)
    assert result.resumed_from == 0


@pytest.mark.github_com("ranges")
async def test_part_of_unknown_length_that_is_whole(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Where storage never said the length, a part that is whole finds out by 416, and is used."""
    artifact_id = add(github)
    github.faults.no_length(artifact_id, framing="chunked")
    part = await leave_part(github, artifact_id, tmp_path, WORKER_SIZE // 2)
    part.write_bytes(github.content(artifact_id))
    result = await fetch(client, artifact_id, tmp_path)
    assert github.requests_to("storage")[-1].status == 416
    assert result.resumed_from == WORKER_SIZE
    assert result.path.read_bytes() == github.content(artifact_id)


@pytest.mark.github_com("ranges")
async def test_of_two_parts_one_is_used(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The longest part is resumed, the others of that artifact are removed, those of another stay."""
    artifact_id, other_id = add(github), add(github, "other")
    long = await leave_part(github, artifact_id, tmp_path / "long", WORKER_SIZE // 2)
    short = await leave_part(github, artifact_id, tmp_path / "short", WORKER_SIZE // 8)
    other = await leave_part(github, other_id, tmp_path / "other", WORKER_SIZE // 8)
    size, home = long.stat().st_size, tmp_path / "home"
    home.mkdir()
    for part in (long, short, other):
        for path in (part, part.with_name(part.name + ".json")):
            path.rename(home / path.name)
    result = await fetch(client, artifact_id, home)
    assert result.resumed_from == size
    assert names(home) == {"docs.zip", other.name, other.name + ".json"}


@pytest.mark.github_com("ranges")
async def test_one_client_finds_its_own_part(github: FakeGitHub, tmp_path: Path) -> None:
    """A second download of the same client resumes what its first left."""
    artifact_id = add(github)
    cut = github.faults.cut(artifact_id, at=WORKER_SIZE // 2, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        artifact = await get(client, artifact_id)
        for _ in range(3):
            with pytest.raises(ConnectionFailedError):
                await client.download(artifact, tmp_path)
            assert len(parts(tmp_path)) == 1
        cut.left = 0
        result = await client.download(artifact, tmp_path)
    assert result.resumed_from > 0
    assert names(tmp_path) == {"docs.zip"}


async def test_ref_costs_one_get(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An ArtifactRef costs one GET besides the one for the signed URL."""
    artifact_id = add(github)
    result = await client.download(ArtifactRef(REPO, artifact_id), tmp_path)
    assert result.path == tmp_path / "docs.zip"
    assert [record.endpoint for record in github.requests_to("api")] == [
        "actions/get-artifact",
        "actions/download-artifact",
    ]


def test_every_fault_is_here() -> None:
    """Every method of Faults that scripts a fault for a download is used above."""
    script: Any = [*MENDED.values(), *(pair[0] for pair in LOST.values())]
    used = {name for function in script for name in _names_in(function.__code__)}
    from gh_artifacts_async.testing import Faults

    theirs = {name for name in vars(Faults) if not name.startswith("_") and callable(getattr(Faults, name))}
    assert theirs - used <= {"add", "assert_used", "clear", "meet", "next_link", "expired_500", "pending"}


def _names_in(code: Any) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names_in(constant)
    return found
