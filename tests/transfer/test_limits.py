"""A bot with thousands of artifacts, against GitHub's limits as the fake enforces them; minutes pass by jumps."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import aiohttp
import pytest

from gh_artifacts_async import ArtifactsClient, Event, RateLimitPause, RequestSent, raise_for_failures
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import REPO

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)

SIZES = [
    pytest.param(150, 25, marks=pytest.mark.sample),
    pytest.param(3000, 500, marks=pytest.mark.slow),
]
IN_FLIGHT = 0.25
HEARD = 0.1
"""Seconds after which an observer hears of a pause at the latest: on a busy machine the process may have to wait."""


def _fill(github: FakeGitHub, count: int) -> list[int]:
    github.enforce_secondary_limits = True
    run = github.add_run(REPO)
    return [github.add_artifact(run, f"part-{number}", files={"a.txt": b"%d" % number}) for number in range(count)]


@pytest.mark.parametrize(("downloads", "deletes"), SIZES)
async def test_a_bot_finishes(github: FakeGitHub, tmp_path: Path, downloads: int, deletes: int):
    """With both kinds of limits met on the way: all is done, 1 % at most refused, and nothing sent in a pause."""
    _fill(github, downloads)
    pauses: list[tuple[float, RateLimitPause]] = []
    sent: list[float] = []
    loop = asyncio.get_running_loop()

    def observe(event: Event) -> None:
        if isinstance(event, RateLimitPause):
            pauses.append((github.clock.elapsed(), event))
        elif isinstance(event, RequestSent) and event.kind == "api":
            sent.append(github.clock.elapsed())

    github.set_rate_limit(limit=5000, remaining=max(100, downloads // 2), reset_in=400)
    async with ArtifactsClient("token", base_url=github.base_url, observer=observe) as client:
        artifacts = [artifact async for artifact in client.list_artifacts(REPO)]
        for at, retry_after in ((2, 30), (150, None)):
            loop.call_later(
                at,
                lambda wait=retry_after: github.faults.secondary_limit(None, times=1, retry_after=wait),
            )
        async with client.download_many(artifacts, tmp_path, if_exists="error") as outcomes:
            raise_for_failures([outcome async for outcome in outcomes])
        for artifact in artifacts[:deletes]:
            await client.delete_artifact(artifact)
    assert len(list(tmp_path.glob("part-*.zip"))) == downloads
    requests = github.requests_to("api")
    assert len(requests) >= downloads + deletes
    refused = [request for request in requests if request.status == 403]
    assert 1 <= len(refused) <= max(2, len(requests) * 0.01)
    assert pauses
    for moment, pause in pauses:  # a request that had no connection yet is not sent either, hence both
        end = moment + pause.seconds - HEARD
        assert not [at for at in sent if moment < at < end]
        arrived = [request.time for request in requests]
        assert not [at for at in arrived if moment + IN_FLIGHT < at < end]
    deleted = sorted(request.time for request in requests if request.method == "DELETE")
    assert len(deleted) == deletes
    assert all(later - earlier >= 0.95 for earlier, later in itertools.pairwise(deleted))


@pytest.mark.parametrize(("downloads", "deletes"), SIZES[1:])
async def test_a_naive_client_is_refused(github: FakeGitHub, downloads: int, deletes: int):
    """The fake's limits are real: who asks eight at a time and retries at once is refused again and again."""
    ids = _fill(github, downloads)
    free = asyncio.Semaphore(8)
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer t", "User-Agent": "naive"}) as session:

        async def ask(method: str, path: str) -> int:
            async with (
                free,
                session.request(
                    method, f"{github.base_url}/repos/{REPO}/actions/artifacts/{path}", allow_redirects=False
                ) as response,
            ):
                return response.status

        statuses = await asyncio.gather(*(ask("GET", f"{it}/zip") for it in ids))
        statuses += await asyncio.gather(*(ask("DELETE", str(it)) for it in ids[:deletes]))
    assert statuses.count(403) > len(statuses) * 0.3
