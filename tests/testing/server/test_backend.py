"""Which repository, run or artifact a path means, and what happens between two pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun, PageSeen
from tests.kits.probe import REPO, Probe

_T0 = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def many(github: FakeGitHub, run: FakeRun) -> list[int]:
    """Seven artifacts, newest first."""
    ids = [github.add_artifact(run, f"n{number}", created_at=_T0 + timedelta(seconds=number)) for number in range(7)]
    return ids[::-1]


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


async def test_private_repositories_hide(github: FakeGitHub, probe: Probe) -> None:
    """Without a token a private repository is 404, not 403."""
    github.add_repository(REPO, private=True)
    assert (await probe.request("GET", f"{github.base_url}/repos/{REPO}")).status == 404
    assert (await probe.api()).json["private"] is True


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
    with pytest.raises(LookupError, match="this fake has no repository"):
        github.rename_repo("no/body", "x/y")


async def test_a_new_repository_takes_over_an_old_name(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Where a name is taken again, it no longer redirects."""
    github.rename_repo(REPO, "octo-org/new-docs")
    github.add_run(REPO)
    got = await probe.api()
    assert got.json["id"] != run.repository_id


async def test_listings_may_change_between_pages(
    github: FakeGitHub, probe: Probe, run: FakeRun, many: list[int]
) -> None:
    """A hook hears of each page and may add or remove artifacts before the next."""
    seen: list[PageSeen] = []

    def between(page: PageSeen) -> None:
        seen.append(page)
        if page.page == 1:
            github.remove_artifact(many[0])

    github.on_page(between)
    assert await probe.walk("/actions/artifacts?per_page=3") == many[:3] + many[4:]
    assert seen[1] == PageSeen("actions/list-artifacts-for-repo", REPO, 2, 3, 6)

    async def slowly(page: PageSeen) -> None:
        seen.append(page)

    github.on_page(slowly)
    await probe.api(f"/actions/runs/{run.id}/artifacts")
    assert seen[-1].run_id == run.id
