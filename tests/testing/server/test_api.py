"""The API: what it lets in, what it refuses, and what every answer carries."""

from __future__ import annotations

import asyncio
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


@pytest.mark.usefixtures("run")
async def test_head_has_no_body(probe: Probe) -> None:
    """HEAD is none of the operations."""
    got = await probe.api(method="HEAD")
    assert (got.status, got.body) == (404, b"")
