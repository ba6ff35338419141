"""The operations on artifacts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.probe import REPO, Probe

_T0 = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def many(github: FakeGitHub, run: FakeRun) -> list[int]:
    """Seven artifacts, newest first."""
    ids = [github.add_artifact(run, f"n{number}", created_at=_T0 + timedelta(seconds=number)) for number in range(7)]
    return ids[::-1]


@pytest.mark.parametrize(
    ("github", "by_repo", "by_run"),
    [("github.com", 2, 2), ("ghes-3.4", 2, 3), ("ghes-3.6", 3, 3), ("ghes-3.7", 3, 3), ("ghes-3.8", 2, 2)],
    indirect=["github"],
)
async def test_names(github: FakeGitHub, probe: Probe, run: FakeRun, by_repo: int, by_run: int) -> None:
    """Name twins are both found; old appliances ignore the filter on the one listing or the other."""
    for name in ("twin", "twin", "other"):
        github.add_artifact(run, name)
    got = await probe.api("/actions/artifacts?name=twin")
    assert got.json["total_count"] == by_repo
    got = await probe.api(f"/actions/runs/{run.id}/artifacts?name=twin")
    assert got.json["total_count"] == by_run


@pytest.mark.parametrize(("github", "turned"), [("github.com", True), ("ghes-3.16", False)], indirect=["github"])
async def test_direction(probe: Probe, run: FakeRun, many: list[int], turned: bool) -> None:  # noqa: FBT001
    """A run's listing can be turned round where GitHub knows how."""
    ids = await probe.walk(f"/actions/runs/{run.id}/artifacts?direction=asc")
    assert ids == (many[::-1] if turned else many)


async def test_newest_is_by_time_not_by_id(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A later artifact may have a lower id, as on GitHub."""
    old = github.add_artifact(run, "x", id=10338854604, created_at="2026-07-01T08:38:28Z")
    new = github.add_artifact(run, "x", id=10338734845, created_at=datetime(2026, 7, 1, 8, 49, 55))  # noqa: DTZ001
    assert await probe.walk("/actions/artifacts") == [new, old]
    assert github.add_artifact(run, "y") not in {old, new}


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
