"""Primary and secondary rate limits."""

from __future__ import annotations

import asyncio

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe


@pytest.mark.usefixtures("run")
async def test_the_primary_limit(github: FakeGitHub, probe: Probe) -> None:
    """A spent budget is 403 until its hour is over; asking how it stands is free."""
    github.set_rate_limit(limit=100, remaining=2, reset_in=60)
    assert [(await probe.api()).status for _ in range(3)] == [200, 200, 403]
    limits = (await probe.api("//rate_limit")).json
    assert limits["resources"]["core"] == limits["rate"]
    assert (limits["rate"]["limit"], limits["rate"]["remaining"]) == (100, 0)
    newer = await probe.api("//rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})
    assert "rate" not in newer.json
    await asyncio.sleep(61)
    got = await probe.api()
    assert (got.status, got.headers["x-ratelimit-remaining"]) == (200, "99")


@pytest.mark.usefixtures("run")
async def test_budgets_are_per_token(github: FakeGitHub, probe: Probe) -> None:
    """Each token has its own budget, and no token a small one."""
    await probe.api()
    other = await probe.api(headers={"Authorization": "Bearer other"})
    anonymous = await probe.request("GET", f"{github.base_url}/repos/{REPO}")
    assert other.headers["x-ratelimit-remaining"] == "4999"
    assert anonymous.headers["x-ratelimit-limit"] == "60"


@pytest.mark.parametrize("github", ["ghes-3.19"], indirect=True)
@pytest.mark.usefixtures("run")
async def test_an_appliance_has_no_rate_limits(github: FakeGitHub, probe: Probe) -> None:
    """Enterprise Server sends no rate-limit headers until an administrator turns limits on."""
    assert not github.rate_limits_enabled
    assert "x-ratelimit-limit" not in (await probe.api()).headers
    assert (await probe.api("//rate_limit")).status == 404
    github.rate_limits_enabled = True
    assert "x-ratelimit-limit" in (await probe.api()).headers


async def test_points_and_secondary_limits(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Reading costs 1 point, deleting 5; more than 900 a minute for one endpoint are refused where that is enforced."""
    github.enforce_secondary_limits = True
    assert github.enforce_secondary_limits
    for number in range(3):
        github.add_artifact(run, str(number), id=number + 1)
    url = "/actions/artifacts/{}"
    await probe.api(url.format(1))
    await probe.api(url.format(1), "DELETE")
    assert github.points == {"actions/get-artifact": 1, "actions/delete-artifact": 5}
    statuses = [(await probe.api(url.format(9), "DELETE")).status for _ in range(180)]
    assert statuses == [404] * 179 + [403]
    assert (await probe.api(url.format(2))).status == 200
    await asyncio.sleep(61)
    assert (await probe.api(url.format(9), "DELETE")).status == 404


@pytest.mark.usefixtures("run")
async def test_more_than_a_hundred_at_once_are_refused(github: FakeGitHub, probe: Probe) -> None:
    """The 101st of requests at once meets the secondary limit."""
    github.enforce_secondary_limits = True
    github.faults.slow_headers(times=None, seconds=5, where="api")
    answers = await asyncio.gather(*(probe.api() for _ in range(100)))
    assert {got.status for got in answers} == {200}
    await asyncio.sleep(61)
    session = probe.session
    session.connector._limit = 0  # type: ignore[union-attr]
    answers = await asyncio.gather(*(probe.api() for _ in range(105)))
    assert sorted(got.status for got in answers)[99:] == [200] + [403] * 5
    assert {got.headers.get("retry-after") for got in answers if got.status == 403} == {"60"}
