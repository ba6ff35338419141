"""What recordings of GitHub in other projects' tests show; all names, IDs, hosts and bytes here are invented."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ArtifactsClient, api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import Limits
from tests.kits.api import QUICK, TOKEN
from tests.kits.raw import REPO, RawServer, answer, artifact, raw_github

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
DATE = "Date: Sun, 01 Mar 2026 12:00:10 GMT"
USUAL = (
    "Server: GitHub.com",
    DATE,
    "Content-Type: application/json; charset=utf-8",
    "Cache-Control: private, max-age=60, s-maxage=60",
    "Vary: Accept, Authorization, Cookie, X-GitHub-OTP",
    "Vary: Accept-Encoding, Accept, X-Requested-With",
    'ETag: W/"0c5b"',
    "X-Accepted-OAuth-Scopes: ",
    "github-authentication-token-expiration: 2026-06-01 08:15:00 UTC",
    "X-RateLimit-Limit: 5000",
    "X-RateLimit-Remaining: 4711",
    "X-RateLimit-Used: 289",
    "X-RateLimit-Resource: core",
    "X-RateLimit-Reset: 1772370000",
    "X-GitHub-Request-Id: 0A:1B:2C",
)
"""The headers that every recorded answer has: two ``Vary``, an empty value, names in any case."""


def recorded(status: str, document: object, *more: str) -> bytes:
    """Return JSON as GitHub sends it: gzip in chunks, here of 50 bytes."""
    packed = gzip.compress(json.dumps(document).encode())
    chunks = [packed[at : at + 50] for at in range(0, len(packed), 50)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    framing = ("Transfer-Encoding: chunked", "Content-Encoding: gzip", "Connection: close")
    return "\r\n".join([f"HTTP/1.1 {status}", *USUAL, *more, *framing, "", ""]).encode() + body


def target(head: str) -> str:
    """Return what a request asks for."""
    return head.split(" ", 2)[1]


def zipped() -> bytes:
    """Return a zip with one file of 10 bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("report.txt"), "0123456789")
    return out.getvalue()


# --- listings


def pages_of_one(*, query: str = "") -> Callable[[str], bytes]:
    """Return a server's reply: three artifacts, one a page, linked by the repository's id and in changing order."""
    last = "per_page=1&page=3"
    links = {
        "1": (("next", "per_page=1&page=2"), ("last", last)),
        "2": (("prev", "page=1&per_page=1"), ("next", "page=3&per_page=1"), ("last", last), ("first", "page=1")),
        "3": (("prev", "page=2&per_page=1"), ("first", "page=1&per_page=1")),
    }

    def reply(head: str) -> bytes:
        host = head.lower().partition("\r\nhost: ")[2].partition("\r\n")[0]
        number = target(head).partition("&page=")[2].partition("&")[0] or target(head).partition("?page=")[2][:1] or "1"
        base = f"http://{host}/repositories/40414243/actions/artifacts?{query}"
        link = ", ".join(f'<{base}{rest}>; rel="{name}"' for name, rest in links[number])
        page = {"total_count": 3, "artifacts": [artifact(100 - int(number), name="build")]}
        return recorded("200 OK", page, f"Link: {link}")

    return reply


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_recorded_pages_by_repository_id(concurrency: int) -> None:
    """octokit.rb: links name the repository by its id, their parameters change order, the last page has no "last"."""
    async with (
        RawServer(pages_of_one()) as server,
        ArtifactsClient(TOKEN, base_url=server.url, limits=QUICK) as client,
        aclosing(client.list_artifacts(REPO, per_page=1, concurrency=concurrency)) as found,
    ):
        assert [item.id async for item in found] == [99, 98, 97]
        assert client.rate_limit is not None
        assert client.rate_limit.remaining == 4711


async def test_recorded_pages_keep_the_name() -> None:
    """PyGithub: a listing by name has the name in its links too, and every page is asked for with it."""
    async with (
        RawServer(pages_of_one(query="name=build&")) as server,
        ArtifactsClient(TOKEN, base_url=server.url, limits=QUICK) as client,
        aclosing(client.list_artifacts(REPO, name="build", per_page=1)) as found,
    ):
        assert [item.id async for item in found] == [99, 98, 97]
        assert all("name=build" in target(head) for head in server.heads)


async def test_recorded_documents_of_2020() -> None:
    """getsentry/action-visual-snapshot: no ``expires_at``, run or digest; runs without a name or path."""
    first = artifact(6)
    del first["expires_at"]
    run = {"id": 31, "head_branch": "main", "run_number": 8, "event": "push", "conclusion": None, "pull_requests": []}

    def reply(head: str) -> bytes:
        return recorded("200 OK", run if "/runs/" in target(head) else first)

    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        found = await api.get_artifact(session, REPO, 6)
        old = await api.get_workflow_run(session, REPO, 31)
    assert (found.expires_at, found.workflow_run, found.digest) == (None, None, None)
    assert (old.head_branch, old.conclusion, old.name, old.path, old.run_attempt) == ("main", None, None, None, None)


# --- one artifact


async def test_recorded_404_in_gzip() -> None:
    """PyGithub: error documents come in gzip and chunks as well, and are read."""
    document = {"message": "Not Found", "documentation_url": "https://docs.example/rest/actions#get-an-artifact"}
    reply = recorded("404 Not Found", document)
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        with pytest.raises(errors.NotFoundError) as caught:
            await api.get_artifact(session, REPO, 7)
    assert caught.value.documentation_url == document["documentation_url"]
    assert caught.value.request_id == "0A:1B:2C"


async def test_recorded_204_without_a_length() -> None:
    """hub4j/github-api: the 204 of a deletion has neither a type nor a length."""
    lines = [line for line in USUAL if not line.startswith(("Content-Type", "ETag", "Cache-Control"))]
    reply = "\r\n".join(["HTTP/1.1 204 No Content", *lines, "", ""]).encode()
    async with RawServer(reply) as server, ArtifactsClient(TOKEN, base_url=server.url, limits=QUICK) as client:
        await client.delete_artifact(REPO, 7)
        assert len(server.heads) == 1


# --- downloads


SIGNED = "/x/_apis/pipelines/1/runs/75/signedartifactscontent?artifactName=docs&urlExpires={}&urlSigningMethod=HMACV2"


async def test_recorded_expiry_of_seven_digits() -> None:
    """hub4j/github-api, octokit.rb: the URL's time has seven decimals and %3A, and lies a minute after ``Date``."""
    location = (
        "https://pipelines.example" + SIGNED.format("2026-03-01T12%3A01%3A10.3987297Z") + "&urlSignature=a%2Fb%3D"
    )
    lines = ["HTTP/1.1 302 Found", DATE, "Content-Type: text/html;charset=utf-8", "Content-Length: 0"]
    reply = "\r\n".join([*lines, f"Location: {location}", "", ""]).encode()
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        found = await api.get_download_url(session, REPO, 7)
    assert found.url == location
    assert abs(found.expires_at - NOW - timedelta(minutes=1)) < timedelta(seconds=1)
    assert 60 <= found.lifetime < 61


async def downloaded(folder: Path, body: bytes, reply: bytes, **values: Any) -> tuple[Any, RawServer]:
    """Download an artifact without a digest from a storage that answers so."""
    async with (
        raw_github(artifact(**values), reply) as (url, storage),
        ArtifactsClient(TOKEN, base_url=url) as client,
    ):
        result = await client.download(await client.get_artifact(REPO, 7), folder)
        assert result.path.read_bytes() == body
    return result, storage


@pytest.mark.parametrize("size", [10, 0])
async def test_recorded_size_of_the_contents(tmp_path: Path, size: int) -> None:
    """hub4j/github-api, PyGithub: ``size_in_bytes`` of uploads by v3 is that of the files, 0 for empty ones."""
    reply = answer("200 OK", zipped(), Content_Type="application/zip", ETag='"0x8DC"')
    result, _ = await downloaded(tmp_path, zipped(), reply, size_in_bytes=size)
    assert result.path.name == "docs.zip"


async def test_recorded_storage_of_2020(tmp_path: Path) -> None:
    """getsentry/action-visual-snapshot: chunks without a length or an ETag, and two names in Content-Disposition."""
    lines = [
        "HTTP/1.1 200 OK",
        DATE,
        "Cache-Control: no-store,no-cache",
        "Pragma: no-cache",
        "Content-Type: application/zip",
        "Content-Disposition: attachment; filename=docs.zip; filename*=UTF-8''docs.zip",
        "Transfer-Encoding: chunked",
        "Connection: close",
    ]
    body = zipped()
    reply = "\r\n".join([*lines, "", ""]).encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    result, storage = await downloaded(tmp_path, body, reply, size_in_bytes=10)
    assert result.path == tmp_path / "docs.zip"
    assert len(storage.heads) == 1


@pytest.mark.parametrize("name", ["notes.txt", "site.tar.gz"])
async def test_recorded_names_with_an_extension(tmp_path: Path, name: str) -> None:
    """octokit.rb, bbot: an artifact that is named like a file is a zip all the same."""
    reply = answer("200 OK", zipped(), Content_Type="application/zip")
    result, _ = await downloaded(tmp_path, zipped(), reply, name=name)
    assert result.path == tmp_path / f"{name}.zip"


async def test_recorded_query_is_sent_as_it_came(tmp_path: Path) -> None:
    """Azure, as bbot has it, signs ``+`` for a blank, ``%3B`` and ``%2B``; not a byte of them changes on the way."""
    query = "rscd=attachment%3B+filename%3D%22docs.zip%22&rsct=application%2Fzip&sig=a%2Bb%2F%3D"
    body = answer("200 OK", zipped(), Content_Type="application/zip")
    get = answer("200 OK", json.dumps(artifact()), Content_Type="application/json")
    async with RawServer(body) as storage:
        moved = answer("302 Found", Location=f"{storage.url}/actions-results/a-b/artifacts/0f.zip?{query}")
        async with (
            RawServer(lambda head: moved if target(head).endswith("/zip") else get) as server,
            ArtifactsClient(TOKEN, base_url=server.url) as client,
        ):
            await client.download(await client.get_artifact(REPO, 7), tmp_path)
        assert [target(head) for head in storage.heads] == [f"/actions-results/a-b/artifacts/0f.zip?{query}"]
        assert TOKEN not in storage.heads[0]


# --- rate limits

SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
PUSH = {"message": "Must have push access to repository"}
LIMITS: dict[str, tuple[str, dict[str, str], tuple[str, ...], type[errors.RateLimitError], float | None]] = {
    "of another resource": (
        "403 Forbidden",
        SECONDARY,
        ("X-RateLimit-Limit: 30", "X-RateLimit-Remaining: 21", "X-RateLimit-Resource: search"),
        errors.SecondaryRateLimitError,
        None,
    ),
    "named by gh-limited-by": (
        "403 Forbidden",
        SECONDARY,
        ("gh-limited-by: search-elapsed-time-shared-grouped", "X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 4000"),
        errors.SecondaryRateLimitError,
        None,
    ),
    "until a date": (
        "429 Too Many Requests",
        SECONDARY,
        ("Retry-After: Sun, 01 Mar 2026 12:16:00 GMT",),
        errors.SecondaryRateLimitError,
        950.0,
    ),
    "nothing but 429": ("429 Too Many Requests", SECONDARY, (), errors.SecondaryRateLimitError, None),
    "worded as a permission": (
        "403 Forbidden",
        PUSH,
        ("X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1772367370"),
        errors.PrimaryRateLimitError,
        960.0,
    ),
}


@pytest.mark.parametrize("case", LIMITS)
async def test_recorded_rate_limits(case: str) -> None:
    """hub4j/github-api: five ways to say that a limit was exceeded; none of them is a missing permission."""
    status, document, headers, kind, wait = LIMITS[case]
    reply = answer(status, json.dumps(document), Content_Type="application/json; charset=utf-8")
    head, _, body = reply.partition(b"\r\n\r\n")
    reply = "\r\n".join([head.decode(), DATE, *headers, "", ""]).encode() + body
    async with (
        RawServer(reply) as server,
        GitHubSession(TOKEN, base_url=server.url, limits=Limits(max_pause=1.0)) as session,
    ):
        with pytest.raises(kind) as caught:
            await api.get_artifact(session, REPO, 7)
        assert len(server.heads) == 1
    assert caught.value.retry_after == wait
