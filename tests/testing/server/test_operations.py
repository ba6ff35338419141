"""Listings: pages, Link headers, filters, and what happens between two pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun, PageSeen
from tests.kits.probe import REPO, Probe

_T0 = datetime(2026, 7, 1, tzinfo=UTC)


def links(header: str) -> dict[str, str]:
    """Return rel -> URL of a Link header."""
    return {rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


async def walk(probe: Probe, path: str) -> list[int]:
    """Return the ids of all pages, by following next."""
    ids: list[int] = []
    got = await probe.api(path)
    while True:
        ids += [item["id"] for item in got.json.get("artifacts", got.json.get("workflow_runs"))]
        url = links(got.headers.get("Link", "")).get("next")
        if url is None:
            return ids
        got = await probe.request("GET", url, {"Authorization": "Bearer t0ken"})


@pytest.fixture
def many(github: FakeGitHub, run: FakeRun) -> list[int]:
    """Seven artifacts, newest first."""
    ids = [github.add_artifact(run, f"n{number}", created_at=_T0 + timedelta(seconds=number)) for number in range(7)]
    return ids[::-1]


@pytest.mark.parametrize("github", ["github.com", "ghes-3.8"], indirect=True)
async def test_pages_are_linked_by_the_repositorys_number(github: FakeGitHub, probe: Probe, many: list[int]) -> None:
    """Following next gives every artifact once; each URL names the number and keeps the query."""
    got = await probe.api("/actions/artifacts?per_page=3&page=2")
    found = links(got.headers["Link"])
    stem = f"{github.base_url}/repositories/1296269/actions/artifacts?per_page=3&page="
    assert found == {"prev": f"{stem}1", "next": f"{stem}3", "last": f"{stem}3", "first": f"{stem}1"}
    assert got.json["total_count"] == 7
    assert await walk(probe, "/actions/artifacts?per_page=3") == many


async def test_one_page_has_no_link(probe: Probe, many: list[int]) -> None:
    """Where one page holds all, there is no Link header; the first and last pages lack what leads nowhere."""
    assert "Link" not in (await probe.api("/actions/artifacts")).headers
    assert set(links((await probe.api("/actions/artifacts?per_page=4")).headers["Link"])) == {"next", "last"}
    beyond = await probe.api("/actions/artifacts?per_page=4&page=9")
    assert set(links(beyond.headers["Link"])) == {"prev", "first"}
    assert beyond.json == {"total_count": len(many), "artifacts": []}


@pytest.mark.parametrize(
    ("asked", "given"), [("", 30), ("?per_page=0", 30), ("?per_page=x", 30), ("?per_page=500", 100)]
)
async def test_page_sizes(github: FakeGitHub, probe: Probe, run: FakeRun, asked: str, given: int) -> None:
    """30 entries unless asked, never more than 100."""
    for number in range(110):
        github.add_artifact(run, f"n{number}")
    got = await probe.api(f"/actions/artifacts{asked}")
    assert len(got.json["artifacts"]) == given


async def test_links_may_come_in_any_order_and_without_last(github: FakeGitHub, probe: Probe, many: list[int]) -> None:
    """GitHub promises neither the order of the parts nor that last is among them."""
    github.set_link_manners(shuffle=True, omit_last=True)
    orders = set()
    for _ in range(12):
        header = (await probe.api("/actions/artifacts?per_page=2&page=2")).headers["Link"]
        orders.add(tuple(links(header)))
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset({"prev", "next", "first"})}
    assert await walk(probe, "/actions/artifacts?per_page=2") == many
    github.set_link_manners(omit_last=True)
    assert "Link" in (await probe.api("/actions/artifacts?per_page=4")).headers


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
    ids = await walk(probe, f"/actions/runs/{run.id}/artifacts?direction=asc")
    assert ids == (many[::-1] if turned else many)


async def test_newest_is_by_time_not_by_id(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A later artifact may have a lower id, as on GitHub."""
    old = github.add_artifact(run, "x", id=10338854604, created_at="2026-07-01T08:38:28Z")
    new = github.add_artifact(run, "x", id=10338734845, created_at=datetime(2026, 7, 1, 8, 49, 55))  # noqa: DTZ001
    assert await walk(probe, "/actions/artifacts") == [new, old]
    assert github.add_artifact(run, "y") not in {old, new}


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
    assert await walk(probe, "/actions/artifacts?per_page=3") == many[:3] + many[4:]
    assert seen[1] == PageSeen("actions/list-artifacts-for-repo", REPO, 2, 3, 6)

    async def slowly(page: PageSeen) -> None:
        seen.append(page)

    github.on_page(slowly)
    await probe.api(f"/actions/runs/{run.id}/artifacts")
    assert seen[-1].run_id == run.id


async def test_run_filters(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """Runs are found by branch, event, status or conclusion, commit, actor and time; unknown filters are ignored."""
    other = github.add_run(
        REPO,
        workflow="nightly.yml",
        branch="dev",
        event="schedule",
        conclusion="failure",
        actor="hubot",
        head_sha="ab" * 20,
    )
    running = github.add_run(REPO, status="in_progress", conclusion=None, created_at="2020-01-01T00:00:00Z")
    for query, expected in {
        "branch=dev": [other.id],
        "event=schedule": [other.id],
        "status=failure": [other.id],
        "status=in_progress": [running.id],
        "actor=hubot": [other.id],
        f"head_sha={'ab' * 20}": [other.id],
        f"check_suite_id={other.id + 1}": [other.id],
        "created=<2020-01-02": [running.id],
        "nonsense=1": [other.id, run.id, running.id],
    }.items():
        assert await walk(probe, f"/actions/runs?{query}") == expected, query


@pytest.mark.parametrize(
    ("expression", "within"),
    [
        ("2026-07-01", True),
        ("2026-07-02", False),
        ("2026-07-01..2026-07-01", True),
        ("*..2026-06-30", False),
        ("2026-07-01T12:00:00Z..*", True),
        (">=2026-07-01T12:00:00Z", True),
        (">2026-07-01T12:00:00Z", False),
        ("<=2026-07-01", True),
        ("<2026-07-01", False),
        ("", False),
    ],
)
async def test_times_of_runs(github: FakeGitHub, probe: Probe, expression: str, within: bool) -> None:  # noqa: FBT001
    """GitHub's syntax of time spans."""
    run = github.add_run(REPO, created_at="2026-07-01T12:00:00Z")
    assert await walk(probe, f"/actions/runs?created={expression}") == ([run.id] if within else [])


async def test_runs_of_a_workflow(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """A workflow is named by its file or its number; one that never ran is not there."""
    other = github.add_run(REPO, workflow="nightly.yml")
    again = github.add_run(REPO, workflow="ci.yml")
    assert (run.run_number, other.run_number, again.run_number) == (1, 1, 2)
    assert await walk(probe, "/actions/workflows/ci.yml/runs") == [again.id, run.id]
    assert await walk(probe, f"/actions/workflows/{other.workflow_id}/runs") == [other.id]
    assert (await probe.api("/actions/workflows/none.yml/runs")).status == 404


async def test_a_filtered_listing_ends_at_a_thousand(github: FakeGitHub, probe: Probe) -> None:
    """GitHub shows no more than 1,000 results of a search, and all runs without one."""
    for number in range(1001):
        github.add_run(REPO, run_number=number + 1)
    last = await probe.api("/actions/runs?branch=main&per_page=100&page=10")
    assert (last.json["total_count"], len(last.json["workflow_runs"])) == (1001, 100)
    assert "next" not in links(last.headers["Link"])
    assert "next" in links((await probe.api("/actions/runs?per_page=100&page=10")).headers["Link"])


async def test_runs_tell_of_forks_and_pull_requests(github: FakeGitHub, probe: Probe) -> None:
    """A run from a fork names it, one whose fork is gone names none; pull requests can be left out."""
    fork = github.add_run(REPO, head_repository="fork-er/octo-docs", pull_requests=[7])
    gone = github.add_run(REPO, head_repository=None)
    told = (await probe.api(f"/actions/runs/{fork.id}")).json
    assert told["head_repository"]["full_name"] == "fork-er/octo-docs"
    assert told["head_repository"]["fork"] is True
    assert [pull["number"] for pull in told["pull_requests"]] == [7]
    assert (await probe.api(f"/actions/runs/{gone.id}")).json["head_repository"] is None
    bare = (await probe.api("/actions/runs?exclude_pull_requests=true")).json["workflow_runs"]
    assert [item["pull_requests"] for item in bare] == [[], []]
    artifact = github.add_artifact(gone, "x")
    assert (await probe.api(f"/actions/artifacts/{artifact}")).json["workflow_run"]["head_repository_id"] is None
