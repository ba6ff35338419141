"""The API: what it lets in, what it refuses, and what every answer carries."""

from __future__ import annotations

import asyncio
import base64
import gzip
from typing import TYPE_CHECKING

import pytest

from tests.kits.probe import Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub, FakeRun


@pytest.mark.usefixtures("run")
async def test_every_answer_tells_who_and_when(github: FakeGitHub, probe: Probe) -> None:
    """Request id, the fake's own Date, rate limit and API version stand on an answer."""
    await asyncio.sleep(7200)
    got = await probe.api()
    assert got.status == 200
    assert got.headers["Date"] == github.clock.http_date()
    assert got.headers["x-github-request-id"] != (await probe.api()).headers["x-github-request-id"]
    assert got.headers["x-github-api-version-selected"] == "2022-11-28"
    assert got.headers["x-ratelimit-remaining"] == "4999"
    assert int(got.headers["x-ratelimit-reset"]) == pytest.approx(github.clock.timestamp() + 3600, abs=5)


@pytest.mark.usefixtures("run")
async def test_a_user_agent_is_demanded(probe: Probe) -> None:
    """Without a User-Agent the answer is 403 and no JSON."""
    got = await probe.api(skip_auto_headers=["User-Agent"])
    assert got.status == 403
    assert b"administrative rules" in got.body
    assert got.headers["Content-Type"] == "text/html"


@pytest.mark.parametrize(
    ("github", "version", "status"),
    [
        ("github.com", "2022-11-28", 200),
        ("github.com", "2026-03-10", 200),
        ("github.com", "1999-01-01", 400),
        ("ghes-3.19", "2026-03-10", 400),
        ("ghes-3.21", "2026-03-10", 200),
        ("ghes-3.8", "1999-01-01", 200),
    ],
    indirect=["github"],
)
@pytest.mark.usefixtures("run")
async def test_api_versions(probe: Probe, version: str, status: int) -> None:
    """A version that this GitHub does not know is 400; one that is older than versions does not look."""
    got = await probe.api(headers={"X-GitHub-Api-Version": version})
    assert got.status == status


@pytest.mark.usefixtures("run")
async def test_tokens(github: FakeGitHub, probe: Probe) -> None:
    """Any token is good until there is a list of good ones."""
    assert (await probe.api()).status == 200
    github.tokens = {"good"}
    got = await probe.api()
    assert (got.status, got.json["message"]) == (401, "Bad credentials")
    for form in ("Bearer good", "token good", "bearer good"):
        assert (await probe.api(headers={"Authorization": form})).status == 200
    assert (await probe.api(headers={"Authorization": "Basic Z29vZA=="})).status == 401
    assert github.tokens == {"good"}


async def test_etags_hold_for_one_token(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The same question with its ETag is 304 and free, until the answer or the token is another."""
    artifact = github.add_artifact(run, "x")
    path = f"/actions/artifacts/{artifact}"
    first = await probe.api(path)
    condition = {"If-None-Match": first.headers["ETag"]}
    again = await probe.api(path, headers=condition)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    strong = {"If-None-Match": first.headers["ETag"].removeprefix("W/")}
    assert (await probe.api(path, headers=strong)).status == 304
    assert (await probe.api(path, headers={**condition, "Authorization": "Bearer other"})).status == 200
    github.expire_artifact(artifact)
    assert (await probe.api(path, headers=condition)).status == 200


@pytest.mark.parametrize("path", ["", "/actions/artifacts?per_page=1", "/nonsense"])
async def test_head_is_get_without_the_body(github: FakeGitHub, probe: Probe, run: FakeRun, path: str) -> None:
    """HEAD has the status and the headers of GET, its length and ETag included, and no body; it is charged alike."""
    for name in ("x", "y"):
        github.add_artifact(run, name)
    whole, head = await probe.api(path), await probe.api(path, "HEAD")
    assert (head.status, head.body) == (whole.status, b"")
    same = {"Content-Length", "Content-Type", "ETag", "Link"}
    assert {name: head.headers.get(name) for name in same} == {name: whole.headers.get(name) for name in same}
    assert github.requests[0].endpoint == github.requests[1].endpoint


async def test_head_of_a_download(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """HEAD on a download is redirected too; DELETE and POST have no such twin."""
    artifact = github.add_artifact(run, "x")
    got = await probe.api(f"/actions/artifacts/{artifact}/zip", "HEAD")
    assert got.status == 302
    assert (await probe.get(got.headers["Location"])).body == github.content(artifact)
    assert (await probe.api("/actions/artifacts", "DELETE")).status == 404


def basic(text: str) -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ("octocat:good", 200),
        ("x-access-token:good", 200),
        ("good:x-oauth-basic", 200),
        ("good:", 200),
        ("octocat:bad", 401),
        ("good", 401),
        (":", 401),
    ],
)
async def test_basic_authentication(github: FakeGitHub, probe: Probe, credentials: str, status: int) -> None:
    """A token may come as the password, or as the user's name, of Basic authentication."""
    github.tokens = {"good"}
    assert (await probe.api(headers=basic(credentials))).status == status


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic /w==", "Digest x"])
async def test_credentials_that_are_none(github: FakeGitHub, probe: Probe, header: str) -> None:
    """What cannot be decoded is 401."""
    github.tokens = {"good"}
    assert (await probe.api(headers={"Authorization": header})).status == 401


@pytest.mark.parametrize(
    ("accepted", "coded"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("GZIP", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("", False),
    ],
)
async def test_gzip_where_it_is_accepted(
    github: FakeGitHub,
    probe: Probe,
    run: FakeRun,
    accepted: str,
    coded: bool,  # noqa: FBT001
) -> None:
    """JSON is sent with gzip coding to whoever accepts it, errors included; the ETag stays the same."""
    github.add_artifact(run, "Rails")
    for path in ("/actions/artifacts", "/nonsense"):
        plain = await probe.api(path)
        got = await probe.api(path, headers={"Accept-Encoding": accepted})
        assert ("Content-Encoding" in got.headers) is coded
        assert (gzip.decompress(got.body) if coded else got.body) == plain.body
        assert int(got.headers["Content-Length"]) == len(got.body)
        assert got.headers.get("ETag") == plain.headers.get("ETag")


async def test_only_json_is_coded(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A redirect, a 204, a 304, bare text and a scripted response have no coding."""
    artifact = github.add_artifact(run, "x")
    path, accept = f"/actions/artifacts/{artifact}", {"Accept-Encoding": "gzip"}
    etag = (await probe.api(path, headers=accept)).headers["ETag"]
    answers = [
        await probe.api(f"{path}/zip", headers=accept),
        await probe.api(path, headers={**accept, "If-None-Match": etag}),
        await probe.api(path, "DELETE", headers=accept),
        await probe.api(headers=accept, skip_auto_headers=["User-Agent"]),
    ]
    github.faults.status(None, 500, where="api")
    answers.append(await probe.api(headers=accept))
    assert [got.status for got in answers] == [302, 304, 204, 403, 500]
    assert not any("Content-Encoding" in got.headers for got in answers)


@pytest.mark.parametrize(("github", "version"), [("github.com", None), ("ghes-3.8", "3.8.0")], indirect=["github"])
@pytest.mark.usefixtures("run")
async def test_an_appliance_names_its_version(probe: Probe, version: str | None) -> None:
    """Enterprise Server sends its version with every response."""
    assert (await probe.api()).headers.get("X-GitHub-Enterprise-Version") == version
