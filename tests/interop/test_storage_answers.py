"""The fake's storage and those that it imitates are asked the same: where they answer otherwise, it says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest

from gh_artifacts_async.testing import FakeGitHub, random_zip
from tests.kits.interop import REPO
from tests.kits.objectstores import BUCKET
from tests.kits.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.kits.azurite import Azurite
    from tests.kits.objectstores import Bucket
    from tests.kits.probe import Got

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

ARCHIVE = random_zip(20_000)
LONG_AGO = "Mon, 01 Jan 2018 00:00:00 GMT"
ETAGS = {"azure": r'"0x[0-9A-F]{15}"', "s3": r'"[0-9a-f]{32}"'}


class Asked(NamedTuple):
    """A request; ETAG and DATE in its headers stand for the blob's own.

    Attributes:
        headers: of the request.
        method: of the request.
        url: a good one, or what is wrong with it.
    """

    headers: Mapping[str, str] = {}
    method: str = "GET"
    url: str = "good"


REQUESTS = {
    "all": Asked(),
    "head": Asked(method="HEAD"),
    "first to last": Asked({"Range": "bytes=5-9"}),
    "to the end": Asked({"Range": "bytes=19990-"}),
    "from 0": Asked({"Range": "bytes=0-"}),
    "beyond the end": Asked({"Range": "bytes=19990-30000"}),
    "at the end": Asked({"Range": "bytes=20000-"}),
    "behind the end": Asked({"Range": "bytes=20001-30000"}),
    "suffix": Asked({"Range": "bytes=-5"}),
    "several": Asked({"Range": "bytes=0-1,5-6"}),
    "backwards": Asked({"Range": "bytes=9-5"}),
    "other unit": Asked({"Range": "lines=1-2"}),
    "no number": Asked({"Range": "bytes=a-"}),
    "own range": Asked({"x-ms-range": "bytes=10-19", "Range": "bytes=0-4"}),
    "md5 of a range": Asked({"Range": "bytes=10-19", "x-ms-range-get-content-md5": "true"}),
    "head of a range": Asked({"Range": "bytes=5-9"}, method="HEAD"),
    "if-match": Asked({"Range": "bytes=5-", "If-Match": "ETAG"}),
    "if-match other": Asked({"Range": "bytes=5-", "If-Match": '"0x1"'}),
    "if-match other, all": Asked({"If-Match": '"0x1"'}),
    "if-match other, bad range": Asked({"Range": "bytes=30000-", "If-Match": '"0x1"'}),
    "if-match weak": Asked({"If-Match": "W/ETAG"}),
    "if-match any": Asked({"If-Match": "*"}),
    "if-match several": Asked({"If-Match": '"0x1", ETAG'}),
    "if-none-match": Asked({"If-None-Match": "ETAG"}),
    "if-none-match, bad range": Asked({"Range": "bytes=30000-", "If-None-Match": "ETAG"}),
    "if-none-match other": Asked({"If-None-Match": '"0x1"'}),
    "if-none-match any": Asked({"If-None-Match": "*"}),
    "head, if-none-match": Asked({"If-None-Match": "ETAG"}, method="HEAD"),
    "head, if-match other": Asked({"If-Match": '"0x1"'}, method="HEAD"),
    "modified since": Asked({"If-Modified-Since": "DATE"}),
    "modified since long ago": Asked({"If-Modified-Since": LONG_AGO}),
    "unmodified since": Asked({"If-Unmodified-Since": "DATE"}),
    "unmodified since long ago": Asked({"If-Unmodified-Since": LONG_AGO}),
    "same, modified": Asked({"If-None-Match": "ETAG", "If-Modified-Since": LONG_AGO}),
    "same, unmodified": Asked({"If-None-Match": "ETAG", "If-Modified-Since": "DATE"}),
    "other, unmodified": Asked({"If-None-Match": '"0x1"', "If-Modified-Since": "DATE"}),
    "match, modified": Asked({"If-Match": "ETAG", "If-Unmodified-Since": LONG_AGO}),
    "if-range": Asked({"Range": "bytes=5-", "If-Range": "ETAG"}),
    "if-range other": Asked({"Range": "bytes=5-", "If-Range": '"0x1"'}),
    "gzip": Asked({"Accept-Encoding": "gzip"}),
    "token": Asked({"Authorization": "Bearer t0ken"}),
    "delete": Asked(method="DELETE"),
    "expired": Asked(url="expired"),
    "expired, a range": Asked({"Range": "bytes=5-", "If-Match": "ETAG"}, url="expired"),
    "tampered": Asked(url="tampered"),
    "head, tampered": Asked(method="HEAD", url="tampered"),
    "unsigned": Asked(url="unsigned"),
    "missing": Asked(url="missing"),
    "head, missing": Asked(method="HEAD", url="missing"),
}


class Differs(NamedTuple):
    """What another storage answers, what the fake answers, and why that is right.

    Attributes:
        theirs: of each fact, what they say.
        ours: the same of the fake.
        why: the fake is not to be mended.
    """

    theirs: tuple[Any, ...]
    ours: tuple[Any, ...]
    why: str


DAMAGED = "a fault of Azurite's own: its answer says Content-Length: NaN; Azure documents no such range"
REFUSED = "Azure's own code is AuthenticationFailed, as real answers show"
UNIT = "RFC 9110: an unknown unit is ignored; no client sends one"
AZURITE = {
    "at the end": Differs(
        (206,), (416,), "Azurite sends no byte and a range that ends before it begins; Azure has 416"
    ),
    "suffix": Differs(("unreadable",), (200,), DAMAGED),
    "no number": Differs(("unreadable",), (200,), DAMAGED),
    "other unit": Differs((206,), (200,), UNIT),
    "if-match several": Differs((412,), (200,), "Azure documents several, any of which may match"),
    "token": Differs((200,), (400,), "Azurite ignores the header; Azure refuses it, as real answers show"),
    **{
        name: Differs(("AuthorizationFailure",), ("AuthenticationFailed",), REFUSED)
        for name, asked in REQUESTS.items()
        if asked.url in {"expired", "tampered", "unsigned"}
    },
}
UNCHECKED = "moto checks no signature, no expiry and no method; S3 signs for one method"
STARS = "moto takes an ETag alone; RFC 9110 knows lists and *"
BOTH = "S3 documents which one of the two counts: that with the ETag"
DATELESS = "S3's 304 has both validators; moto leaves out the date"
MOTO = {
    "other unit": Differs((206,), (200,), UNIT),
    "at the end": Differs((False,), (True,), "moto's 416 has no request id in its headers; S3's has"),
    "behind the end": Differs((False,), (True,), "as above"),
    "if-match any": Differs((412,), (200,), STARS),
    "if-match several": Differs((412,), (200,), STARS),
    "if-none-match any": Differs((200,), (304,), STARS),
    "other, unmodified": Differs((304,), (200,), BOTH),
    "match, modified": Differs((412,), (200,), BOTH),
    **{
        name: Differs((False,), (True,), DATELESS)
        for name in (
            "if-none-match",
            "if-none-match, bad range",
            "modified since",
            "same, modified",
            "same, unmodified",
        )
    },
    "token": Differs((200,), (400,), UNCHECKED),
    "delete": Differs((204,), (403,), UNCHECKED),
    "head": Differs((200,), (403,), UNCHECKED),
    "head of a range": Differs((206,), (403,), UNCHECKED),
    "head, if-none-match": Differs((304,), (403,), UNCHECKED),
    "head, if-match other": Differs((412,), (403,), UNCHECKED),
    "head, tampered": Differs((200,), (403,), UNCHECKED),
    "head, missing": Differs((404,), (403,), UNCHECKED),
    "expired": Differs((200,), (403,), UNCHECKED),
    "expired, a range": Differs((206,), (403,), UNCHECKED),
    "tampered": Differs((200,), (403,), UNCHECKED),
    "unsigned": Differs((None, None), ("SignatureDoesNotMatch", "application/xml"), "moto says no more than 403"),
}
REQUEST_IDS = {"x-ms-request-id", "x-amz-request-id", "x-amzn-requestid"}


def facts(got: Got, kind: str) -> dict[str, Any]:
    """Return what an answer says, in words that do not depend on the blob and the moment."""
    error = got.status >= 400
    code, in_headers = re.search(rb"<Code>(\w+)</Code>", got.body), got.headers.get("x-ms-error-code")
    said = {name: got.headers.get(name) for name in ("Content-Range", "Accept-Ranges", "Content-MD5")}
    said |= {name: got.headers.get(name) for name in ("x-ms-blob-content-md5", "Content-Encoding")}
    said |= {name: got.headers.get(name) for name in ("x-ms-blob-type", "x-ms-lease-state", "x-ms-server-encrypted")}
    return {
        "status": got.status,
        "code": code[1].decode() if code else in_headers,
        "code in headers": in_headers is not None,
        **said,
        # Azurite's errors come in chunks, and to HEAD without a type; others' have a length.
        "Content-Length": None if error or got.status == 304 else got.headers.get("Content-Length"),
        "Content-Type": None if got.status == 304 or (error and not got.body) else got.headers.get("Content-Type"),
        "ETag": re.fullmatch(ETAGS[kind], got.headers.get("ETag", "")) is not None,
        "Last-Modified": "Last-Modified" in got.headers,
        "Content-Disposition": got.headers.get("Content-Disposition", "")[:10],
        "request id": any(name.lower() in REQUEST_IDS for name in got.headers),
        "body": None if error else got.body,
    }


async def ask(probe: Probe, urls: Mapping[str, str], asked: Asked, kind: str) -> dict[str, Any]:
    """Return what one storage answers."""
    first = await probe.get(urls["good"])
    own = {"ETAG": first.headers["ETag"], "DATE": first.headers["Last-Modified"]}
    headers = {name: re.sub("ETAG|DATE", lambda word: own[word[0]], value) for name, value in asked.headers.items()}
    try:
        got = await probe.request(asked.method, urls[asked.url], headers)
    except aiohttp.ClientResponseError:  # no HTTP that anybody could read
        return {"status": "unreadable"}
    return facts(got, kind)


async def urls_of_the_fake(github: FakeGitHub, probe: Probe, **values: Any) -> dict[str, str]:
    """Return a good URL of the fake, and bad ones."""
    run = github.add_run(REPO)
    artifact, gone = [github.add_artifact(run, "docs", archive=ARCHIVE, **values) for _ in range(2)]
    expired = await probe.sign(artifact)
    github.clock.advance(602)
    good, missing = await probe.sign(artifact), await probe.sign(gone)
    del github.scenario.artifacts[gone]
    return {"good": good, "expired": expired, "missing": missing, **bad(good)}


def bad(good: str) -> dict[str, str]:
    """Return a URL with another signature, and without one."""
    tampered = re.sub(r"((?:sig|Signature)=)(.)", lambda it: it[1] + ("b" if it[2] == "a" else "a"), good)
    assert tampered != good
    return {"tampered": tampered, "unsigned": good.partition("?")[0]}


def compare(theirs: dict[str, Any], ours: dict[str, Any], known: Differs | None) -> None:
    """Compare two answers; where their status differs, the rest does so too."""
    other = [name for name in ours if theirs.get(name) != ours[name]]
    other = ["status"] if "status" in other else other
    found = tuple(theirs[name] for name in other), tuple(ours[name] for name in other)
    assert found == ((known.theirs, known.ours) if known else ((), ())), other


@pytest.fixture(scope="module")
def blob(azurite: Azurite) -> Azurite:
    """Store the blob."""
    azurite.put_now({"docs": ARCHIVE})
    return azurite


@pytest.mark.counterpart("azurite")
@pytest.mark.parametrize("name", REQUESTS)
async def test_azurite(blob: Azurite, name: str):
    """What Azurite answers the fake answers."""
    good = blob.url + blob.sign("docs")
    theirs = {
        "good": good,
        "expired": blob.url + blob.sign("docs", -60),
        "missing": blob.url + blob.sign("no-such"),
        **bad(good),
    }
    async with FakeGitHub() as github, Probe(github) as probe:
        ours = await urls_of_the_fake(github, probe, content_md5=True)
        answer = await ask(probe, theirs, REQUESTS[name], "azure")
        compare(answer, await ask(probe, ours, REQUESTS[name], "azure"), AZURITE.get(name))


@pytest.fixture
def objects(bucket: Bucket) -> Bucket:
    """Store the object."""
    bucket.s3.put_object(Bucket=BUCKET, Key="docs", Body=ARCHIVE, ContentType="application/zip")
    return bucket


@pytest.mark.counterpart("moto")
@pytest.mark.parametrize("name", REQUESTS)
async def test_moto(objects: Bucket, name: str):
    """What moto's S3 answers the fake answers for an artifact whose storage is S3."""
    good = objects.sign("docs", ResponseContentDisposition='attachment; filename="docs.zip"')
    theirs = {"good": good, "expired": objects.sign("docs", -60), "missing": objects.sign("no-such"), **bad(good)}
    async with FakeGitHub() as github, Probe(github) as probe:
        ours = await urls_of_the_fake(github, probe, kind="s3")
        answer = await ask(probe, theirs, REQUESTS[name], "s3")
        compare(answer, await ask(probe, ours, REQUESTS[name], "s3"), MOTO.get(name))
