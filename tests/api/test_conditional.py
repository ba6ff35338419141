"""Conditional requests: what is the same is not sent again, costs nothing, and is never another token's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import APIError, ArtifactsClient, Limits, NotFoundError, RepositoryName
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.api.conditional import KnownResponses
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.protocol.responses import Refused, Response, judge
from gh_artifacts_async.results import Secret
from tests.kits.api import REPO, Source

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub, FakeRun


def _statuses(github: FakeGitHub) -> list[int]:
    return [request.status for request in github.requests_to("api")]


@pytest.mark.github_com("limits")
async def test_a_repeated_get_costs_nothing(github: FakeGitHub, run: FakeRun, client: ArtifactsClient):
    """The second answer is a 304: equal models, no points of the hour, and the rate limit is the latest."""
    artifact_id = github.add_artifact(run, "docs")
    first = await client.get_artifact(REPO, artifact_id)
    assert client.rate_limit is not None
    before = client.rate_limit.remaining
    assert await client.get_artifact(REPO, artifact_id) == first
    assert client.rate_limit.remaining == before
    assert _statuses(github) == [200, 304]


async def test_a_polled_listing(github: FakeGitHub, run: FakeRun, client: ArtifactsClient):
    """Each page has its own ETag; what is new is seen at once, and its links are those of the page."""
    ids = [github.add_artifact(run, f"part-{number}") for number in range(5)]

    async def poll() -> list[int]:
        return [artifact.id async for artifact in client.list_artifacts(REPO, per_page=2)]

    assert sorted(await poll()) == ids
    github.forget_requests()
    assert sorted(await poll()) == ids
    assert set(_statuses(github)) == {304}
    ids.append(github.add_artifact(run, "new"))
    github.forget_requests()
    assert sorted(await poll()) == ids
    assert set(_statuses(github)) == {200}


async def test_a_changed_artifact(github: FakeGitHub, run: FakeRun, client: ArtifactsClient):
    """A 404 and a 200 are what they say, whatever was known."""
    artifact_id = github.add_artifact(run, "docs")
    await client.get_artifact(REPO, artifact_id)
    github.expire_artifact(artifact_id)
    assert (await client.get_artifact(REPO, artifact_id)).expired
    await client.delete_artifact(REPO, artifact_id)
    with pytest.raises(NotFoundError):
        await client.get_artifact(REPO, artifact_id)


async def test_downloads_are_never_conditional(
    github: FakeGitHub, run: FakeRun, client: ArtifactsClient, tmp_path: Path
):
    """Neither the request for a URL nor storage's body."""
    artifact = await client.get_artifact(REPO, github.add_artifact(run, "docs"))
    for name in ("a", "b"):
        await client.download(artifact, tmp_path, filename=name)
    asked = [request for request in github.requests if request.path.endswith("/zip") or request.host == "storage"]
    assert len(asked) == 4
    assert not any("If-None-Match" in request.headers for request in asked)


async def test_another_token_asks_anew(github: FakeGitHub, run: FakeRun):
    """What one token was shown is not used for another, which may not see it; the same token again may."""
    source = Source("one", "two")
    async with ArtifactsClient(source, base_url=github.base_url) as client:
        for _ in range(2):
            await client.get_workflow_run(REPO, run.id)
        source.tokens = ["two"]
        for _ in range(2):
            await client.get_workflow_run(REPO, run.id)
    assert ["If-None-Match" in request.headers for request in github.requests] == [False, True, False, True]
    assert _statuses(github) == [200, 304, 200, 304]


async def test_it_can_be_switched_off(github: FakeGitHub, run: FakeRun):
    """With ``etag_bytes=None`` every answer is sent in full."""
    async with ArtifactsClient("token", base_url=github.base_url, limits=Limits(etag_bytes=None)) as client:
        for _ in range(2):
            await client.get_workflow_run(REPO, run.id)
    assert _statuses(github) == [200, 200]


# --- the store


def _response(size: int, **headers: str) -> Response:
    return Response(status=200, headers={"etag": '"1"', **headers}, body=bytes(size), url="u")


NOT_MODIFIED = Response(status=304, headers={})


def test_memory_is_bounded():
    """The response that was used longest ago leaves first; one that is too large is not kept at all."""
    known = KnownResponses(10_000)
    for number in range(4):
        known.settle(f"{number}", None, _response(1000), None)
    assert list(known.by_url) == ["0", "1", "2", "3"]
    known.settle("0", known.by_url["0"], NOT_MODIFIED, None)
    known.settle("4", None, _response(1000), None)
    assert list(known.by_url) == ["2", "3", "0", "4"]
    known.settle("large", None, _response(9000), None)
    assert "large" not in known.by_url
    known.settle("0", None, _response(5000), None)
    assert known._bytes == sum(len(response.body) + 1024 for response in known.by_url.values()) <= 10_000


def test_a_304_brings_its_own_limits():
    """Links and type are those of the body; the time and the limits are those of the 304."""
    known = KnownResponses(10_000)
    kept = _response(1, link="<next>", date="then", **{"content-type": "application/json"})
    known.settle("u", None, kept, None)
    answer = Response(status=304, headers={"date": "now", "etag": 'W/"1"'})
    found = known.settle("u", kept, answer, None)
    assert found.headers == {"date": "now", "etag": '"1"', "link": "<next>", "content-type": "application/json"}
    assert (found.status, found.body) == (200, kept.body)
    assert known.by_url["u"] is found


def test_what_leaves_meanwhile():
    """A 304 is good also where its response has left the store, or another token has come, since it was asked."""
    known = KnownResponses(10_000)
    kept = _response(1)
    known.settle("u", None, kept, None)
    known.begin_with(Secret("other"))
    assert known.settle("u", kept, NOT_MODIFIED, None).body == kept.body
    assert not known.by_url
    known.settle("u", None, kept, None)
    assert not known.by_url
    known.begin_with(Secret("other"))
    known.settle("u", None, kept, Secret("other"))
    assert known.by_url


def test_a_304_that_was_not_asked_for():
    """A proxy that answers so is told apart from GitHub: one clear error."""
    answer = KnownResponses(10_000).settle("u", None, NOT_MODIFIED, None)
    assert answer is NOT_MODIFIED
    base, request = BaseURL.parse("https://api.github.com"), requests.get_artifact(RepositoryName("o", "r"), 1)
    found = judge(request, answer, base=base, now=utcnow, api_version="2022-11-28")
    assert isinstance(found, Refused)
    assert type(found.error) is APIError
    assert "304" in str(found.error)
