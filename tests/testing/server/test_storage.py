"""The storage host: signed URLs, ranges, conditions, and its four manners."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub, FakeRun
    from tests.kits.probe import Probe


@pytest.fixture
def artifact(github: FakeGitHub, run: FakeRun) -> int:
    """An artifact of 1,000 bytes."""
    return github.add_artifact(run, "Rails", size=1000)


async def test_the_bytes_and_their_headers(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """A plain download has the stored bytes and Azure's headers, and no Content-MD5."""
    url = await probe.sign(artifact)
    assert urlsplit(url).netloc != urlsplit(github.base_url).netloc
    assert urlsplit(url).path.endswith(".zip")
    got = await probe.get(url)
    assert (got.status, got.body) == (200, github.content(artifact))
    assert got.headers["Content-Length"] == "1000"
    assert got.headers["Content-Type"] == "application/zip"
    assert got.headers["Content-Disposition"] == "attachment; filename=\"Rails.zip\"; filename*=UTF-8''Rails.zip"
    assert got.headers["ETag"] == github.artifact(artifact).etag
    assert got.headers["Accept-Ranges"] == "bytes"
    assert got.headers["Date"] == github.clock.http_date()
    assert got.headers["Last-Modified"]
    assert "Content-MD5" not in got.headers


async def test_names_that_are_not_ascii(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Such a name stands whole in filename* and with underscores in filename."""
    artifact = github.add_artifact(run, 'Grüße "x"')
    got = await probe.fetch(artifact)
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"Gr__e _x_.zip\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.zip"
    )


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-", (0, 999)), ("bytes=5-9", (5, 9)), ("bytes=990-5000", (990, 999)), ("bytes=999-999", (999, 999))],
)
async def test_ranges(github: FakeGitHub, probe: Probe, artifact: int, asked: str, span: tuple[int, int]) -> None:
    """The two documented forms of a range are 206."""
    got = await probe.fetch(artifact, Range=asked)
    first, last = span
    assert (got.status, got.headers["Content-Range"]) == (206, f"bytes {first}-{last}/1000")
    assert got.body == github.content(artifact)[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=-5", "bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=a-"])
async def test_other_ranges_get_everything(probe: Probe, artifact: int, asked: str) -> None:
    """A suffix, several ranges or nonsense are answered by 200 and the whole blob."""
    got = await probe.fetch(artifact, Range=asked)
    assert (got.status, len(got.body)) == (200, 1000)


async def test_a_range_behind_the_end(probe: Probe, artifact: int) -> None:
    """A range that begins at or behind the end is 416 with the size."""
    got = await probe.fetch(artifact, Range="bytes=1000-")
    assert (got.status, got.headers["Content-Range"]) == (416, "bytes */1000")
    assert got.headers["x-ms-error-code"] == "InvalidRange"


async def test_conditions(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """If-Match is evaluated, If-Range is ignored."""
    tag = github.artifact(artifact).etag
    assert (await probe.fetch(artifact, If_Match=f'"other", {tag}')).status == 200
    assert (await probe.fetch(artifact, If_Match="*")).status == 200
    got = await probe.fetch(artifact, Range="bytes=5-", If_Match='"other"')
    assert (got.status, got.headers["x-ms-error-code"]) == (412, "ConditionNotMet")
    assert (await probe.fetch(artifact, Range="bytes=5-", If_Range='"other"')).status == 206


async def test_conditions_that_are_not_met(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """An unchanged blob is 304 without a body, as Azurite has it; one that changed since is 412."""
    first = await probe.fetch(artifact)
    got = await probe.fetch(artifact, If_None_Match=first.headers["ETag"])
    assert (got.status, got.body, got.headers["x-ms-error-code"]) == (304, b"", "ConditionNotMet")
    assert not {"ETag", "Last-Modified"} & set(got.headers)
    assert (await probe.fetch(artifact, If_Modified_Since=first.headers["Last-Modified"])).status == 304
    assert (await probe.fetch(artifact, If_Unmodified_Since=first.headers["Last-Modified"])).status == 200
    github.faults.change_etag(artifact, b"other bytes")
    assert (await probe.fetch(artifact)).status == 200
    changed = await probe.fetch(artifact, If_Unmodified_Since=first.headers["Last-Modified"])
    assert (changed.status, changed.headers["x-ms-error-code"]) == (412, "ConditionNotMet")
    assert (await probe.fetch(artifact, If_None_Match=first.headers["ETag"])).body == b"other bytes"


async def test_azures_own_range(github: FakeGitHub, probe: Probe, run: FakeRun, artifact: int) -> None:
    """x-ms-range goes before Range; S3 does not know it."""
    got = await probe.fetch(artifact, x_ms_range="bytes=10-19", Range="bytes=0-4")
    assert (got.status, got.headers["Content-Range"]) == (206, "bytes 10-19/1000")
    assert got.body == github.content(artifact)[10:20]
    s3 = github.add_artifact(run, "x", size=1000, kind="s3")
    assert (await probe.fetch(s3, x_ms_range="bytes=10-19")).status == 200
    github.faults.ignore_range(artifact)
    assert (await probe.fetch(artifact, x_ms_range="bytes=10-19")).status == 200


def md5(data: bytes) -> str:
    """Return an MD5 as Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()  # noqa: S324


async def test_md5(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Where Azure keeps an MD5 it is sent with the whole blob; a range has the blob's, and its own on request."""
    artifact = github.add_artifact(run, "x", size=5_000_000, content_md5=True)
    content = github.content(artifact)
    whole = await probe.fetch(artifact)
    assert whole.headers["Content-MD5"] == whole.headers["x-ms-blob-content-md5"] == md5(content)
    part = await probe.fetch(artifact, Range="bytes=10-19")
    assert (part.headers["x-ms-blob-content-md5"], part.headers.get("Content-MD5")) == (md5(content), None)
    part = await probe.fetch(artifact, x_ms_range="bytes=10-19", x_ms_range_get_content_md5="true")
    assert part.headers["Content-MD5"] == md5(content[10:20])
    assert (await probe.fetch(artifact, Range="bytes=0-", x_ms_range_get_content_md5="true")).status == 400


async def test_head(probe: Probe, artifact: int) -> None:
    """HEAD tells the size without the bytes, and looks at no range; other methods are refused."""
    url = await probe.sign(artifact)
    got = await probe.request("HEAD", url, {"Range": "bytes=5-9"})
    assert (got.status, got.headers["Content-Length"], got.body) == (200, "1000", b"")
    for method, status, code in (
        ("PUT", 403, "AuthorizationPermissionMismatch"),
        ("DELETE", 403, "AuthorizationPermissionMismatch"),
        ("PATCH", 405, "UnsupportedHttpVerb"),
    ):
        got = await probe.request(method, url)
        assert (got.status, got.headers["x-ms-error-code"]) == (status, code)


async def test_heads_md5(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """HEAD has the MD5 that Azure keeps in one header, GET in two, as Azurite does."""
    artifact = github.add_artifact(run, "x", size=1000, content_md5=True)
    url = await probe.sign(artifact)
    found = [(await probe.request(method, url)).headers for method in ("GET", "HEAD")]
    assert found[0]["Content-MD5"] == found[1]["Content-MD5"] == found[0]["x-ms-blob-content-md5"]
    assert "x-ms-blob-content-md5" not in found[1]


async def test_an_unsatisfiable_condition(probe: Probe, artifact: int) -> None:
    """To ask for a blob only if there is none makes no sense to Azure."""
    got = await probe.fetch(artifact, If_None_Match="*")
    assert (got.status, got.headers["x-ms-error-code"]) == (400, "UnsatisfiableCondition")


async def test_a_token_is_refused_and_seen(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """Storage refuses an Authorization header as Azure does; the record keeps it."""
    got = await probe.fetch(artifact, Authorization="Bearer secret")
    assert (got.status, got.headers["x-ms-error-code"]) == (400, "InvalidAuthenticationInfo")
    assert github.requests_to("storage")[-1].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("github", ["ghes-3.8", {"profile": "ghes-3.8", "same_host_storage": True}], indirect=True)
async def test_v3_zips_on_the_fly(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """An appliance zips as it sends: no length, no range, other bytes each time, and a size that is the raw files'."""
    artifact = github.add_artifact(run, "logs", files={"a.txt": b"x" * 1000, "b.txt": "y"})
    listed = (await probe.api(f"/actions/artifacts/{artifact}")).json
    assert (listed["size_in_bytes"], "digest" in listed) == (1001, False)
    url = await probe.sign(artifact)
    assert set(parse_qs(urlsplit(url).query)) == {
        "artifactName",
        "urlExpires",
        "urlSalt",
        "urlSignature",
        "urlSigningMethod",
    }
    bodies = []
    for headers in ({}, {"Range": "bytes=5-9", "If_Match": '"x"'}):
        got = await probe.get(url, **headers)
        assert (got.status, got.headers["Transfer-Encoding"]) == (200, "chunked")
        assert not {"Content-Length", "Accept-Ranges", "ETag"} & set(got.headers)
        with zipfile.ZipFile(io.BytesIO(got.body)) as archive:
            assert archive.read("a.txt") == b"x" * 1000
        bodies.append(got.body)
    assert bodies[0] != bodies[1]
    assert github.bytes_sent(artifact) == len(bodies[0]) + len(bodies[1])
    same_host = url.startswith(github.base_url.removesuffix("/api/v3") + "/_services/pipelines/")
    assert same_host is (github.storage_url not in url)
    await asyncio.sleep(61)
    late = await probe.get(url)
    assert (late.status, late.json) == (403, {"count": 11, "value": "Uri expired"})
    assert (await probe.get(url, Authorization="Bearer x")).status == 401
    refused = await probe.request("HEAD", await probe.sign(artifact))
    assert (refused.status, refused.headers["Allow"], refused.body) == (405, "GET", b"")
    assert (await probe.get(url + "x")).status == 401


async def test_s3(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """S3's manners: its own query, suffix ranges, its own errors."""
    artifact = github.add_artifact(run, "x", size=1000, kind="s3")
    url = await probe.sign(artifact)
    assert "X-Amz-Signature=" in url
    assert "X-Amz-Expires=60" in url
    got = await probe.get(url, Range="bytes=-10")
    assert (got.status, got.headers["Content-Range"]) == (206, "bytes 990-999/1000")
    assert b"Only one auth mechanism" in (await probe.get(url, Authorization="Bearer x")).body
    assert b"SignatureDoesNotMatch" in (await probe.get(url + "&x=1")).body
    await asyncio.sleep(602)
    got = await probe.get(url)
    assert (got.status, b"Request has expired" in got.body) == (403, True)


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("GET", {"Range": "bytes=1000-"}, 416, b"<Code>InvalidRange</Code>"),
        ("GET", {"If-Match": '"other"'}, 412, b"<Code>PreconditionFailed</Code>"),
        ("GET", {"If-None-Match": "*"}, 304, b""),
        ("HEAD", {}, 403, b""),
        ("PUT", {}, 403, b"<Code>SignatureDoesNotMatch</Code>"),
    ],
)
async def test_s3s_refusals(
    github: FakeGitHub, probe: Probe, run: FakeRun, method: str, headers: dict[str, str], status: int, code: bytes
) -> None:
    """S3 says all in its own words, and tells no size with 416; its signature is for one method."""
    artifact = github.add_artifact(run, "x", size=1000, kind="s3", content_md5=True)
    got = await probe.request(method, await probe.sign(artifact), headers)
    assert got.status == status
    assert code in got.body
    assert "Content-Range" not in got.headers
    assert ("ETag" in got.headers) is (status == 304)
    names = {name.lower() for name in got.headers}
    assert "x-amz-request-id" in names
    assert not {name for name in names if name.startswith("x-ms-")}


async def test_s3_has_no_such_key(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Bytes that are gone are NoSuchKey there."""
    artifact = github.add_artifact(run, "x", size=1000, kind="s3")
    url = await probe.sign(artifact)
    del github.scenario.artifacts[artifact]
    got = await probe.get(url)
    assert (got.status, b"<Code>NoSuchKey</Code>" in got.body) == (404, True)
