"""Scripted faults: each of them does what it says, to whom it says, as often as it says."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub, FakeRun
    from tests.kits.probe import Probe

SIZE = 600_000


@pytest.fixture
def artifact(github: FakeGitHub, run: FakeRun) -> int:
    """An artifact of some hundred thousand bytes."""
    return github.add_artifact(run, "Rails", size=SIZE)


@pytest.fixture
async def url(probe: Probe, artifact: int) -> str:
    """Its signed URL."""
    return await probe.sign(artifact)


@pytest.fixture
def whole(github: FakeGitHub, artifact: int) -> bytes:
    """Its bytes."""
    return github.content(artifact)


# -- the line --------------------------------------------------------------------------------------------------------


async def test_counted_faults_wait_in_line(github: FakeGitHub, probe: Probe, url: str) -> None:
    """One counted fault a request, in the order scripted; then all is well."""
    github.faults.status(None, 503)
    github.faults.status(None, 500, times=2)
    github.faults.pass_by()
    github.faults.status(None, 429)
    assert len(github.faults.pending) == 4
    assert [(await probe.get(url)).status for _ in range(6)] == [503, 500, 500, 200, 429, 200]
    assert not github.faults.pending


async def test_whether_faults_happened(github: FakeGitHub, probe: Probe, url: str, artifact: int) -> None:
    """A fault counts how often it has happened; those that have not, as often as scripted, fail a test by name."""
    once = github.faults.status(code=503)
    always = github.faults.corrupt(times=None)
    twice = github.faults.cut(artifact, at=SIZE, times=2)
    taken_back = github.faults.stall()
    taken_back.cancel()
    with pytest.raises(AssertionError) as caught:
        github.faults.assert_used()
    assert str(caught.value) == (
        "these faults did not happen as often as scripted: status at the storage (0 of 1); "
        f"corrupt at the storage (0 of any number); cut of artifact {artifact} at byte {SIZE} (0 of 2)"
    )
    twice.cancel()
    for _ in range(2):
        await probe.get(url)
    github.faults.assert_used()
    assert (once.count, always.count, twice.count) == (1, 2, 0)


async def test_faults_that_could_never_happen(github: FakeGitHub, artifact: int) -> None:
    """What would never happen is refused when it is scripted, with a sentence."""
    with pytest.raises(LookupError, match=r"no artifact 7; use the id that add_artifact returned"):
        github.faults.cut(7)
    with pytest.raises(ValueError, match=r"where='storages' is no host; use 'api' or 'storage'"):
        github.faults.cut(artifact, where="storages")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"endpoint='get-artifact' is an operation of the API; add where='api'"):
        github.faults.status(code=500, endpoint="get-artifact")
    with pytest.raises(ValueError, match=r"times=-1 is negative"):
        github.faults.cut(artifact, times=-1)
    assert not github.faults.script


async def test_faults_for_ever_hold_beside_the_others(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """A fault for ever meets each request, together with the counted ones, until it is taken back."""
    damage = github.faults.corrupt(at=10, times=None)
    github.faults.cut(at=1000)
    first = await probe.get(url)
    assert (len(first.body), first.body[10]) == (1000, whole[10] ^ 0xFF)
    assert (await probe.get(url)).body[10] == whole[10] ^ 0xFF
    damage.cancel()
    assert (await probe.get(url)).body == whole
    github.faults.status(None, 500, times=None)
    github.faults.clear()
    assert (await probe.get(url)).status == 200


async def test_a_fault_is_for_one_artifact_or_for_all(
    github: FakeGitHub, probe: Probe, run: FakeRun, artifact: int
) -> None:
    """Another artifact's requests do not use a fault up."""
    other = github.add_artifact(run, "other")
    github.faults.status(artifact, 503)
    assert (await probe.fetch(other)).status == 200
    assert (await probe.fetch(artifact)).status == 503


async def test_a_fault_waits_for_its_byte(github: FakeGitHub, probe: Probe, url: str) -> None:
    """A byte offset is absolute: a range that does not hold the byte does not meet the fault."""
    github.faults.cut(at=1000)
    assert (await probe.get(url, Range="bytes=2000-")).error is None
    assert (await probe.get(url, Range="bytes=0-999")).error is None
    assert len((await probe.get(url, Range="bytes=900-")).body) == 100


async def test_refused_requests_use_nothing_up(github: FakeGitHub, probe: Probe, url: str) -> None:
    """What storage refuses by itself meets no fault; HEAD meets none that lies in a body."""
    fault = github.faults.cut(at=0)
    await probe.get(url, Authorization="Bearer x")
    await probe.get(url + "&x=1")
    await probe.request("HEAD", url)
    assert fault.left == 1


# -- the connection --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 1000, 300_000, SIZE - 1])
@pytest.mark.parametrize("how", ["cut", "reset"])
async def test_cut_and_reset(github: FakeGitHub, probe: Probe, url: str, at: int, how: str) -> None:
    """The connection ends at exactly the byte that was named; a resumption gets the rest."""
    artifact = github.requests[0].artifact_id
    assert artifact is not None
    whole = github.content(artifact)
    getattr(github.faults, how)(artifact, at=at, times=1)
    got = await probe.get(url)
    assert isinstance(got.error, aiohttp.ClientPayloadError)
    assert "ConnectionResetError" in repr(got.error) or how == "cut"
    assert got.body == whole[:at]
    rest = await probe.get(url, Range=f"bytes={at}-")
    assert got.body + rest.body == whole
    assert github.bytes_sent(artifact) == SIZE


async def test_in_the_middle_unless_told_otherwise(github: FakeGitHub, probe: Probe, url: str) -> None:
    """Without an offset a fault strikes in the middle of what is sent."""
    github.faults.cut()
    github.faults.cut()
    assert len((await probe.get(url)).body) == SIZE // 2
    assert len((await probe.get(url, Range=f"bytes={SIZE - 100}-")).body) == 50


async def test_stall(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """Nothing comes for a while, then all the rest."""
    github.faults.stall(at=1000, seconds=120)
    begun = asyncio.get_running_loop().time()
    assert (await probe.get(url)).body == whole
    assert 120 <= asyncio.get_running_loop().time() - begun < 125


async def test_a_stall_trips_a_read_timeout(github: FakeGitHub, probe: Probe, url: str) -> None:
    """A client that bounds silence gives up on a stall, within the headers and within the body."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=5)
    github.faults.stall(at=1000)
    got = await probe.request("GET", url, timeout=timeout)
    assert (len(got.body), type(got.error)) == (1000, aiohttp.SocketTimeoutError)
    github.faults.slow_headers()
    with pytest.raises(aiohttp.SocketTimeoutError):
        await probe.request("GET", url, timeout=timeout)


async def test_drip(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """A body drips from its first byte, or from a later one on."""
    loop = asyncio.get_running_loop()
    for fault, seconds in (({"chunk": 100}, 2.0), ({"chunk": 1, "at": 980, "interval": 1.0}, 20.0)):
        github.faults.drip(**fault)
        begun = loop.time()
        assert (await probe.get(url, Range="bytes=0-999")).body == whole[:1000]
        assert seconds <= loop.time() - begun < seconds + 2
    github.faults.drip(at=None, interval=1.0, chunk=250)
    begun = loop.time()
    assert (await probe.get(url, Range="bytes=0-999")).body == whole[:1000]
    assert 2 <= loop.time() - begun < 4


@pytest.mark.parametrize("reset", [False, True])
async def test_no_reply(github: FakeGitHub, probe: Probe, url: str, reset: bool) -> None:  # noqa: FBT001
    """The connection ends without a byte."""
    github.faults.no_reply(reset=reset)
    with pytest.raises(aiohttp.ClientConnectionError):
        await probe.get(url)
    assert github.requests[-1].status == 0


async def test_garbage(github: FakeGitHub, probe: Probe, url: str) -> None:
    """What comes is no HTTP, or HTTP that no one should believe."""
    twice = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"
    github.faults.garbage()
    github.faults.garbage(data=twice)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await probe.get(url)


@pytest.mark.usefixtures("run")
async def test_faults_of_the_apis_connection(github: FakeGitHub, probe: Probe) -> None:
    """The API's connections break too."""
    github.faults.cut(at=5, where="api")
    assert len((await probe.api()).body) == 5
    github.faults.reset(at=5, where="api")
    assert (await probe.api()).error is not None
    github.faults.garbage(where="api")
    with pytest.raises(aiohttp.ClientError):
        await probe.api()
    github.faults.slow_headers(seconds=30, where="api")
    begun = asyncio.get_running_loop().time()
    assert (await probe.api()).status == 200
    assert asyncio.get_running_loop().time() - begun >= 30


# -- the answer ------------------------------------------------------------------------------------------------------


async def test_statuses(github: FakeGitHub, probe: Probe, url: str, artifact: int) -> None:
    """An answer of any status, by default with the host's own kind of error."""
    github.faults.status(artifact, 503)
    got = await probe.get(url)
    assert (got.status, got.headers["x-ms-error-code"]) == (503, "ServerBusy")
    github.faults.status(artifact, 418, headers={"X-Tea": "pot"}, body="short")
    got = await probe.get(url)
    assert (got.status, got.headers["X-Tea"], got.body) == (418, "pot", b"short")
    github.faults.status(artifact, 502, where="api", endpoint="download-artifact", headers={"Retry-After": "7"})
    assert (await probe.api(f"/actions/artifacts/{artifact}")).status == 200
    got = await probe.api(f"/actions/artifacts/{artifact}/zip")
    assert (got.status, got.json["message"], got.headers["Retry-After"]) == (502, "Server Error", "7")
    github.faults.status(None, 422, where="api")
    assert (await probe.api()).json["message"] == "Error 422"


async def test_headers(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """Headers are put on, replaced and taken away; very large ones are possible."""
    github.faults.headers(None, {"ETag": None, "Content-Type": "text/html", "X-New": "1", "Content-Disposition": None})
    got = await probe.get(url)
    assert (got.body, got.headers["Content-Type"], got.headers["X-New"]) == (whole, "text/html", "1")
    assert not {"ETag", "Content-Disposition"} & set(got.headers)
    github.faults.headers(None, {"Content-Type": None})
    assert "Content-Type" not in (await probe.get(url)).headers
    github.faults.headers(None, {"X-Large": "a" * 200_000})
    with pytest.raises(aiohttp.ClientError):
        await probe.get(url)


async def test_redirects(github: FakeGitHub, probe: Probe, url: str, artifact: int) -> None:
    """Storage redirects, or the API sends somewhere else than to storage."""
    github.faults.redirect(artifact, "http://user:pw@evil.example/", status=307)
    got = await probe.get(url)
    assert (got.status, got.headers["Location"]) == (307, "http://user:pw@evil.example/")
    github.faults.redirect(artifact, "ftp://evil.example/", where="api")
    assert (await probe.api(f"/actions/artifacts/{artifact}")).status == 200
    got = await probe.api(f"/actions/artifacts/{artifact}/zip")
    assert (got.status, got.headers["Location"], got.body) == (302, "ftp://evil.example/", b"")


@pytest.mark.usefixtures("run")
async def test_html(github: FakeGitHub, probe: Probe, url: str) -> None:
    """A login page in place of an answer."""
    github.faults.html()
    got = await probe.api("/actions/artifacts")
    assert (got.status, got.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "ETag" not in got.headers
    github.faults.html(where="storage")
    assert b"sign in" in (await probe.get(url)).body


@pytest.mark.usefixtures("run")
async def test_rate_limit(github: FakeGitHub, probe: Probe) -> None:
    """The primary limit: 403 or 429 with nothing remaining, until its reset."""
    github.faults.rate_limit(status=429, reset_in=90, retry_after=90)
    got = await probe.api()
    assert (got.status, got.headers["x-ratelimit-remaining"], got.headers["retry-after"]) == (429, "0", "90")
    assert int(got.headers["x-ratelimit-reset"]) == pytest.approx(github.clock.timestamp() + 90, abs=3)
    assert got.json["message"].startswith("API rate limit exceeded")
    assert (await probe.api()).status == 200
    github.faults.rate_limit(times=None, reset_in=60)
    assert [(await probe.api()).status for _ in range(2)] == [403, 403]
    await asyncio.sleep(61)
    assert (await probe.api()).status == 200


@pytest.mark.usefixtures("run")
async def test_secondary_limit(github: FakeGitHub, probe: Probe) -> None:
    """The secondary limit: with and without retry-after, with budget remaining."""
    github.faults.secondary_limit()
    github.faults.secondary_limit(retry_after="-1", status=429, headers={"x-extra": "1"})
    got = await probe.api()
    assert (got.status, "secondary rate limit" in got.json["message"], "retry-after" in got.headers) == (
        403,
        True,
        False,
    )
    assert int(got.headers["x-ratelimit-remaining"]) > 0
    got = await probe.api()
    assert (got.status, got.headers["retry-after"], got.headers["x-extra"]) == (429, "-1", "1")


async def test_forbidden_and_expired(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """An App's token without permission, and GitHub's old answer for what has expired."""
    github.faults.forbidden(artifact, permissions="actions=write")
    got = await probe.api(f"/actions/artifacts/{artifact}")
    assert (got.status, got.headers["X-Accepted-GitHub-Permissions"]) == (403, "actions=write")
    github.faults.expired_500(artifact)
    assert (await probe.api(f"/actions/artifacts/{artifact}")).status == 200
    got = await probe.api(f"/actions/artifacts/{artifact}/zip")
    assert (got.status, got.json["message"][:21]) == (500, "Failed to generate UR")


async def test_next_link(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The next page lies at another host; an answer without a next page does not use that up."""
    for number in range(3):
        github.add_artifact(run, str(number))
    github.faults.next_link("http://evil.example/?page=2")
    assert "Link" not in (await probe.api("/actions/artifacts")).headers
    got = await probe.api("/actions/artifacts?per_page=1&page=2")
    assert '<http://evil.example/?page=2>; rel="next"' in got.headers["Link"]
    assert (
        f'<{github.base_url}/repositories/1296269/actions/artifacts?per_page=1&page=1>; rel="prev"'
        in got.headers["Link"]
    )


# -- the stored bytes ------------------------------------------------------------------------------------------------


async def test_expire_url(github: FakeGitHub, probe: Probe, url: str, artifact: int, whole: bytes) -> None:
    """A URL is refused as too old, and stays so; the next one is good."""
    github.faults.expire_url(artifact)
    got = await probe.get(url)
    assert (got.status, b"not valid in the specified time frame" in got.body) == (403, True)
    assert (await probe.get(url)).status == 403
    assert (await probe.fetch(artifact)).body == whole


async def test_ignore_range(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """A range is answered with everything; a request for everything does not use that up."""
    github.faults.ignore_range()
    assert (await probe.get(url)).body == whole
    got = await probe.get(url, Range="bytes=10-")
    assert (got.status, got.body, "Content-Range" in got.headers) == (200, whole, False)
    assert (await probe.get(url, Range="bytes=10-")).status == 206


async def test_wrong_content_range(github: FakeGitHub, probe: Probe, url: str) -> None:
    """A 206 tells of other bytes than it holds."""
    github.faults.wrong_content_range(value="bytes 11-20/600000")
    got = await probe.get(url, Range="bytes=10-19")
    assert (got.status, got.headers["Content-Range"]) == (206, "bytes 11-20/600000")
    github.faults.wrong_content_range()
    assert (await probe.get(url, Range=f"bytes={SIZE}-")).status == 416


async def test_change_etag(github: FakeGitHub, probe: Probe, url: str, artifact: int, whole: bytes) -> None:
    """A blob changes its identity, with or without its bytes, and keeps the new one."""
    first = await probe.get(url)
    github.faults.change_etag(artifact)
    changed = await probe.get(url, If_Match=first.headers["ETag"])
    assert changed.status == 412
    second = await probe.get(url)
    assert (second.body, second.headers["ETag"] != first.headers["ETag"]) == (whole, True)
    assert second.headers["Last-Modified"] != first.headers["Last-Modified"]
    github.faults.change_etag(artifact, content=b"new")
    assert (await probe.get(url)).body == b"new"
    github.faults.change_etag(artifact, content=5000)
    assert (await probe.get(url)).headers["Content-Length"] == "5000"
    assert github.artifact(artifact).digest != first.headers["ETag"]


async def test_corrupt(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """One byte is another, once; by default the middle one of what is sent."""
    github.faults.corrupt(at=7)
    got = (await probe.get(url)).body
    assert (got[:7], got[7], got[8:]) == (whole[:7], whole[7] ^ 0xFF, whole[8:])
    github.faults.corrupt()
    got = (await probe.get(url, Range="bytes=0-9")).body
    assert got[5] == whole[5] ^ 0xFF
    assert (await probe.get(url)).body == whole


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_truncate_clean(github: FakeGitHub, probe: Probe, url: str, whole: bytes, framing: str) -> None:
    """A body ends early and nothing on the wire shows it."""
    github.faults.truncate_clean(at=1234, framing=framing)  # type: ignore[arg-type]
    github.faults.truncate_clean(framing=framing)  # type: ignore[arg-type]
    for length in (1234, SIZE // 2):
        got = await probe.get(url)
        assert (got.status, got.error, got.body) == (200, None, whole[:length])
        assert got.headers.get("Content-Length") == (str(length) if framing == "length" else None)


async def test_extra(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """Bytes follow that do not belong there, counted in the length or without one."""
    github.faults.extra(data=b"!!")
    got = await probe.get(url)
    assert (got.body, got.headers["Content-Length"]) == (whole + b"!!", str(SIZE + 2))
    github.faults.extra(framing="chunked")
    assert (await probe.get(url, Range=f"bytes={SIZE - 5}-")).body == whole[-5:] + b"extra"


async def test_wrong_length(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """Content-Length says more or fewer bytes than come."""
    github.faults.wrong_length(by=5)
    got = await probe.get(url)
    assert (got.body, got.error is None, got.headers["Content-Length"]) == (whole, False, str(SIZE + 5))
    github.faults.wrong_length(by=-5)
    got = await probe.get(url)
    assert (got.body[: SIZE - 5], got.headers["Content-Length"]) == (whole[:-5], str(SIZE - 5))


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_no_length(github: FakeGitHub, probe: Probe, url: str, whole: bytes, framing: str) -> None:
    """A body comes whole without a Content-Length."""
    github.faults.no_length(framing=framing)  # type: ignore[arg-type]
    got = await probe.get(url)
    assert (got.body, got.error, "Content-Length" in got.headers) == (whole, None, False)


async def test_a_bare_body_stops_when_the_client_leaves(github: FakeGitHub, probe: Probe, url: str) -> None:
    """A client that leaves a body without framing does no harm."""
    github.faults.no_length(framing="close")
    github.faults.drip(times=None, interval=1)
    async with probe.session.get(url) as response:
        assert await response.content.readany()
    await asyncio.sleep(5)
    assert (await probe.api()).status == 200


async def test_gzip(github: FakeGitHub, probe: Probe, url: str, whole: bytes) -> None:
    """A body comes gzip-coded although it was not to be."""
    github.faults.gzip()
    got = await probe.get(url, Accept_Encoding="identity")
    assert got.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(got.body) == whole
