"""The API: what it lets in, what it refuses, and what every answer carries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.kits.probe import REPO, Probe

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


@pytest.mark.parametrize(
    "path",
    [
        "/actions/artifacts/",
        "/actions/nonsense",
        "/actions/artifacts/1",
        "/actions/runs/1",
        "/actions/runs/1/artifacts",
    ],
)
@pytest.mark.usefixtures("run")
async def test_what_is_not_there(probe: Probe, path: str) -> None:
    """A trailing slash, an unknown path and unknown ids are 404 with GitHub's message."""
    got = await probe.api(path)
    assert (got.status, got.json["message"], got.json["status"]) == (404, "Not Found", "404")


@pytest.mark.usefixtures("run")
async def test_things_of_another_repository_are_not_there(github: FakeGitHub, probe: Probe) -> None:
    """An artifact or run is found only in its own repository."""
    other = github.add_run("octo-org/other")
    artifact = github.add_artifact(other, "x")
    assert (await probe.api(f"/actions/artifacts/{artifact}")).status == 404
    assert (await probe.api(f"/actions/runs/{other.id}")).status == 404


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


async def test_downloads_and_deletes_want_a_token_with_scope(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A public artifact may be read without a token, but neither downloaded nor deleted."""
    artifact = github.add_artifact(run, "x")
    github.scopeless_tokens = {"weak"}
    url = f"{github.base_url}/repos/{REPO}/actions/artifacts/{artifact}"
    for headers in ({}, {"Authorization": "Bearer weak"}):
        assert (await probe.request("GET", url, headers)).status == 200
        refused = await probe.request("GET", f"{url}/zip", headers)
        assert refused.status == 403
        assert refused.json["message"] == "You must have the actions scope to download artifacts."
        assert (await probe.request("DELETE", url, headers)).status == 403
    run_url = f"{github.base_url}/repos/{REPO}/actions/runs/{run.id}"
    assert (await probe.request("DELETE", run_url)).status == 403
    assert github.scopeless_tokens == {"weak"}


async def test_private_repositories_hide(github: FakeGitHub, probe: Probe) -> None:
    """Without a token a private repository is 404, not 403."""
    github.add_repository(REPO, private=True)
    assert (await probe.request("GET", f"{github.base_url}/repos/{REPO}")).status == 404
    assert (await probe.api()).json["private"] is True


@pytest.mark.parametrize("accept", ["application/zip", "application/octet-stream", "application/zip;q=0.5, */*"])
async def test_downloads_refuse_to_be_asked_for_zips(
    github: FakeGitHub, probe: Probe, run: FakeRun, accept: str
) -> None:
    """Accept: application/zip on /zip is 415, elsewhere nobody minds."""
    artifact = github.add_artifact(run, "x")
    got = await probe.api(f"/actions/artifacts/{artifact}/zip", headers={"Accept": accept})
    assert got.status == 415
    assert (await probe.api(f"/actions/artifacts/{artifact}", headers={"Accept": accept})).status == 200


async def test_expired_artifacts(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """What has expired is listed, but gone for downloads; an artifact expires when its time comes."""
    old = github.add_artifact(run, "old", expired=True)
    young = github.add_artifact(run, "young")
    listed = (await probe.api("/actions/artifacts")).json["artifacts"]
    assert {item["id"]: item["expired"] for item in listed} == {old: True, young: False}
    got = await probe.api(f"/actions/artifacts/{old}/zip")
    assert (got.status, got.json["message"]) == (410, "Artifact has expired")
    github.clock.advance(90 * 86400)
    assert (await probe.api(f"/actions/artifacts/{young}/zip")).status == 410


async def test_only_zip_can_be_downloaded(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Another archive format is not there."""
    artifact = github.add_artifact(run, "x")
    assert (await probe.api(f"/actions/artifacts/{artifact}/tar")).status == 404


async def test_deleting(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A deleted artifact is gone: 204, then 404, and its bytes are gone too."""
    artifact = github.add_artifact(run, "x")
    url = await probe.sign(artifact)
    first = await probe.api(f"/actions/artifacts/{artifact}", "DELETE")
    assert (first.status, first.body) == (204, b"")
    assert (await probe.api(f"/actions/artifacts/{artifact}", "DELETE")).status == 404
    assert (await probe.get(url)).status == 404


async def test_deleting_a_run_takes_its_artifacts(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A run's artifacts go with it."""
    artifact = github.add_artifact(run, "x")
    kept = github.add_artifact(github.add_run(REPO), "x")
    assert (await probe.api(f"/actions/runs/{run.id}", "DELETE")).status == 204
    assert artifact not in github.scenario.artifacts
    assert kept in github.scenario.artifacts


@pytest.mark.parametrize("github", ["github.com", "ghes-3.19"], indirect=True)
async def test_renamed_repositories_redirect(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The old name answers 301 to the repository's number, with the query; the new name and the number answer."""
    artifact = github.add_artifact(run, "x")
    github.rename_repo(REPO, "octo-org/new-docs")
    moved = await probe.api("/actions/artifacts?per_page=7")
    assert moved.status == 301
    assert (
        moved.headers["Location"] == f"{github.base_url}/repositories/{run.repository_id}/actions/artifacts?per_page=7"
    )
    got = await probe.request("GET", moved.headers["Location"], {"Authorization": "Bearer t"})
    assert [item["id"] for item in got.json["artifacts"]] == [artifact]
    assert (await probe.api("//repos/octo-org/new-docs")).json["full_name"] == "octo-org/new-docs"
    assert (await probe.api("//repositories/999")).status == 404
    with pytest.raises(KeyError):
        github.rename_repo("no/body", "x/y")


async def test_a_new_repository_takes_over_an_old_name(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Where a name is taken again, it no longer redirects."""
    github.rename_repo(REPO, "octo-org/new-docs")
    github.add_run(REPO)
    got = await probe.api()
    assert got.json["id"] != run.repository_id


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
async def test_the_primary_limit(github: FakeGitHub, probe: Probe) -> None:
    """A spent budget is 403 until its hour is over; asking how it stands is free."""
    github.set_rate_limit(limit=100, remaining=2, reset_in=60)
    assert [(await probe.api()).status for _ in range(3)] == [200, 200, 403]
    told = (await probe.api("//rate_limit")).json
    assert told["resources"]["core"] == told["rate"]
    assert (told["rate"]["limit"], told["rate"]["remaining"]) == (100, 0)
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


async def test_concurrency_is_counted(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The most requests at once are known, for each host."""
    artifact = github.add_artifact(run, "x")
    url = await probe.sign(artifact)
    github.faults.slow_headers(times=None, seconds=5, where="api")
    github.faults.slow_headers(times=None, seconds=5)
    await asyncio.gather(*(probe.api() for _ in range(7)), *(probe.get(url) for _ in range(3)))
    assert (github.max_concurrency, github.max_storage_concurrency) == (7, 3)


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


@pytest.mark.usefixtures("run")
async def test_head_has_no_body(probe: Probe) -> None:
    """HEAD is none of the operations."""
    got = await probe.api(method="HEAD")
    assert (got.status, got.body) == (404, b"")
