"""Listings of artifacts: lazy, complete, each id once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing

import pytest

from gh_artifacts_async import errors
from gh_artifacts_async.api import listing
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.events import Event, ListingProgress
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import ARTIFACT, HERE, ONCE, QUICK, REPO, TOKEN, page
from tests.kits.sampling import mostly_slow

NAME = RepositoryName("octo-org", "octo-docs")


def fill(github, run, count, name="Rails"):
    """Add artifacts, the oldest first, and return their ids, the newest first."""
    made = []
    for _ in range(count):
        made.append(github.add_artifact(run, name, archive=b""))
        github.clock.advance(1)
    return made[::-1]


async def ids(found):
    """Return the ids of what a listing gives."""
    async with aclosing(found):
        return [artifact.id async for artifact in found]


# --- complete, in order


@pytest.mark.parametrize(
    ("concurrency", "github"),
    mostly_slow(
        [(1, {}), (4, {"profile": "ghes-3.8"}), (50, {}), (1, {"profile": "ghes-3.8"}), (50, {"profile": "ghes-3.8"})],
        quick=3,
    ),
    indirect=["github"],
)
async def test_a_thousand_artifacts(github, run, session, concurrency):
    """Ten pages, each artifact once, newest first, with GitHub's links to /repositories/{id}."""
    made = fill(github, run, 1000)
    github.forget_requests()
    assert await ids(listing.artifacts(session, NAME, concurrency=concurrency)) == made
    assert len(github.requests) == 10
    github.forget_requests()
    assert await ids(listing.artifacts(session, NAME, run_id=run.id, concurrency=concurrency)) == made
    assert len(github.requests) == 10


@pytest.mark.github_com("addresses")
async def test_links_are_followed_as_they_are(github, run, session):
    """From the second page on the request goes to GitHub's own URL, parts in any order, ``last`` missing."""
    made = fill(github, run, 25)
    github.set_link_options(shuffle=True, omit_last=True)
    assert await ids(listing.artifacts(session, NAME, per_page=10)) == made
    assert [record.path.split("/")[1] for record in github.requests] == ["repos", "repositories", "repositories"]


@pytest.mark.parametrize("github", [{"profile": "ghes-3.4"}], indirect=True)
async def test_links_of_enterprise_server(github, run, session):
    """They are below /api/v3."""
    made = fill(github, run, 25)
    assert await ids(listing.artifacts(session, NAME, per_page=10)) == made
    assert github.requests[1].path.startswith("/api/v3/repositories/")


async def test_an_empty_listing(github, session):
    """Nothing, in one request."""
    github.add_repository(REPO)
    assert await ids(listing.artifacts(session, NAME)) == []
    assert await ids(listing.artifacts(session, NAME, concurrency=4)) == []
    assert len(github.requests) == 2


async def test_lazy(github, run, session):
    """No page is asked for before it is needed, and none before the first step."""
    fill(github, run, 30)
    found = listing.artifacts(session, NAME, per_page=10)
    await asyncio.sleep(1)
    assert not github.requests
    async with aclosing(found):
        for _ in range(10):
            await anext(found)
        await asyncio.sleep(1)
        assert len(github.requests) == 1
        await anext(found)
        assert len(github.requests) == 2


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_progress_is_told(github, run, concurrency):
    """Page by page."""
    fill(github, run, 25)
    events: list[Event] = []
    async with GitHubSession(TOKEN, base_url=github.base_url, observer=events.append) as session:
        await ids(listing.artifacts(session, NAME, per_page=10, concurrency=concurrency))
    assert [event for event in events if isinstance(event, ListingProgress)] == [
        ListingProgress(page=number, items=items, total_count=25) for number, items in ((1, 10), (2, 20), (3, 25))
    ]


@pytest.mark.parametrize("github", ["github.com", "ghes-3.16", "ghes-3.17"], indirect=True)
@pytest.mark.parametrize("direction", ["asc", "desc", None])
async def test_direction(github, run, session, direction):
    """Of a run's listing, also where the server ignores it."""
    made = fill(github, run, 25)
    found = await ids(listing.artifacts(session, NAME, run_id=run.id, direction=direction, per_page=10))
    assert found == (made[::-1] if direction == "asc" else made)
    assert {record.query.get("direction") for record in github.requests} == {direction}


@pytest.mark.parametrize("github", ["ghes-3.8"], indirect=True)
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_oldest_first_of_a_name_up_to_a_limit(github, run, session, concurrency):
    """The oldest of that name, where the server knows neither the direction nor, on 3.4, the name."""
    made = fill(github, run, 25)
    fill(github, run, 12, "other")
    found = listing.artifacts(
        session, NAME, run_id=run.id, name="Rails", direction="asc", per_page=10, limit=3, concurrency=concurrency
    )
    assert await ids(found) == made[::-1][:3]


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ([(1, 1), (2, 2), (3, 3)], [1, 2, 3]),
        ([(3, 3), (2, 2), (1, 1)], [1, 2, 3]),
        ([(3, 9), (2, 9), (1, 9)], [1, 2, 3]),  # in the same second the ids decide
        ([(1, 9), (2, 9), (3, 9)], [1, 2, 3]),
        ([(9, 1), (5, 2), (10, 3)], [9, 5, 10]),  # an id that is lower though newer is no other direction
        ([(9, 1), (5, 2)], [9, 5]),
        ([(10, 3), (5, 2), (9, 1)], [9, 5, 10]),
        ([(3, None), (2, None)], [2, 3]),
        ([(7, 1)], [7]),
        ([], []),
    ],
)
async def test_which_direction_it_was(mocked, public, sent, given):
    """Told by times and ids together, since ids are not always in the order of the times."""
    items = [
        {**ARTIFACT, "id": number, "created_at": None if time is None else f"2026-01-01T00:00:0{time}Z"}
        for number, time in sent
    ]
    mocked.get(re.compile(r".*/runs/9/artifacts.*"), payload={"total_count": len(items), "artifacts": items})
    assert await ids(listing.artifacts(public, NAME, run_id=9, direction="asc")) == given


async def test_leaving_early_ends_the_listing(github, run, session):
    """The pages that are fetched ahead are given up with the generator that turns them round."""
    fill(github, run, 60)
    found = listing.artifacts(session, NAME, run_id=run.id, direction="asc", per_page=10, concurrency=4)
    await anext(found)
    await found.aclose()


# --- name


@pytest.mark.parametrize("github", [{}, {"profile": "ghes-3.4"}, {"profile": "ghes-3.6"}], indirect=True)
@pytest.mark.parametrize("of_run", [False, True])
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_name_is_applied_on_both_sides(github, run, session, of_run, concurrency):
    """The server filters where it can; old Enterprise Servers ignore the parameter, and the answers are filtered."""
    fill(github, run, 20, "other")
    wanted = fill(github, run, 5, "Rails & co+1")
    fill(github, run, 20, "rails & co+1")
    arguments = {"run_id": run.id} if of_run else {}
    name = "Rails & co+1"
    found = listing.artifacts(session, NAME, name=name, per_page=10, concurrency=concurrency, **arguments)
    assert await ids(found) == wanted
    assert {record.query["name"] for record in github.requests} == {name}


async def test_limit_counts_what_is_given(github, run, session):
    """Not what was left out by name."""
    wanted = fill(github, run, 12, "x")
    assert await ids(listing.artifacts(session, NAME, name="x", per_page=5, limit=7)) == wanted[:7]
    assert len(github.requests) == 2


@pytest.mark.parametrize(
    ("limit", "concurrency", "requests"),
    [
        (0, 1, 0),
        (1, 1, 1),
        (10, 1, 1),
        (11, 1, 2),
        (99, 1, 3),
        (None, 1, 3),
        (0, 4, 0),
        (5, 4, 1),
        (11, 4, 2),
        (20, 4, 2),
    ],
)
async def test_limit(github, run, session, limit, concurrency, requests):
    """Stops asking as soon as there is enough."""
    made = fill(github, run, 25)
    found = listing.artifacts(session, NAME, per_page=10, limit=limit, concurrency=concurrency)
    assert await ids(found) == made[:limit]
    assert len(github.requests) == requests


# --- what changes meanwhile


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_items_added_meanwhile(github, run, session, concurrency):
    """1,000 artifacts over ten pages, three more after each page: none of the first is lost, none comes twice."""
    made = fill(github, run, 1000)
    github.on_page(lambda _: fill(github, run, 3))
    found = await ids(listing.artifacts(session, NAME, concurrency=concurrency))
    assert len(found) == len(set(found))
    assert set(made) <= set(found)
    assert [number for number in found if number in set(made)] == made


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("at_once", [1, 10, 25])
async def test_items_deleted_meanwhile(github, run, session, concurrency, at_once):
    """After the third page some of the first are gone; the walk steps back, and none of the rest is lost."""
    made = fill(github, run, 100)
    gone: list[int] = []

    def delete(seen):
        if seen.page == 3 and not gone:
            gone.extend(made[:at_once])
            for number in gone:
                github.remove_artifact(number)

    github.on_page(delete)
    found = await ids(listing.artifacts(session, NAME, per_page=10, concurrency=concurrency))
    assert len(found) == len(set(found))
    assert set(found) >= set(made) - set(gone)


async def test_the_last_page_vanishes(github, run, session):
    """So many are deleted that the next page is none any more."""
    made = fill(github, run, 30)

    def delete(seen):
        if seen.page == 1 and seen.total_count == 30:
            for number in made[:15]:
                github.remove_artifact(number)

    github.on_page(delete)
    found = await ids(listing.artifacts(session, NAME, per_page=10))
    assert set(found) >= set(made[15:])


async def test_deletions_on_every_page(github, run, session):
    """One from the front after each page."""
    made = fill(github, run, 60)
    left = list(made)
    github.on_page(lambda _: left and github.remove_artifact(left.pop(0)))
    found = await ids(listing.artifacts(session, NAME, per_page=10))
    assert len(found) == len(set(found))
    assert set(found) >= set(left)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_totals_that_go_up_and_down_end(mocked, concurrency):
    """A server that cannot make up its mind does not keep the walk for ever."""
    totals = iter(range(10**6))

    def answer(url, **_):
        number = int(url.query["page"])
        total = 50 if next(totals) % 2 else 20
        first = number * 10
        return _response(page(*range(first, first + 10), total=total), number < 5 and number + 1)

    for number in range(1, 6):
        mocked.get(f"{HERE}/artifacts?per_page=10&page={number}", callback=answer, repeat=True)
    async with GitHubSession(TOKEN, limits=QUICK) as session:
        found = await ids(listing.artifacts(session, NAME, per_page=10, concurrency=concurrency))
    assert len(found) == len(set(found))
    assert found[:10] == list(range(10, 20))


def _response(payload, following):
    from aioresponses import CallbackResult

    link = f'<{HERE}/artifacts?per_page=10&page={following}>; rel="next"' if following else '<x>; rel="prev"'
    return CallbackResult(status=200, payload=payload, headers={"Link": link})


@pytest.mark.parametrize("parameter", ["cursor=x", "after=1"])
async def test_next_links_that_never_end(mocked, parameter):
    """Links without a page number that come again end the listing with an error."""
    link = f'<https://api.github.com/repositories/1/actions/artifacts?{parameter}>; rel="next"'
    pattern = re.compile(r"https://api\.github\.com/repos.*/actions/artifacts.*")
    mocked.get(pattern, payload={"total_count": 1, "artifacts": []}, headers={"Link": link}, repeat=True)
    async with GitHubSession() as session:
        with pytest.raises(errors.UnexpectedResponseError, match="read already"):
            await ids(listing.artifacts(session, NAME))


# --- links that are missing or wrong


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_without_any_link_the_total_counts(mocked, concurrency):
    """A server or proxy that sends no Link header."""
    for number in range(1, 4):
        first = (number - 1) * 10 + 1
        body = page(*range(first, min(first + 10, 26)), total=25)
        mocked.get(f"{HERE}/artifacts?per_page=10&page={number}", payload=body)
    async with GitHubSession(TOKEN) as session:
        assert await ids(listing.artifacts(session, NAME, per_page=10, concurrency=concurrency)) == list(range(1, 26))
    assert len(mocked.requests) == 3


async def test_a_total_that_promises_too_much(mocked, public):
    """Without a Link header, an empty page is the end."""
    mocked.get(f"{HERE}/artifacts?per_page=10&page=1", payload=page(*range(1, 11), total=1000))
    mocked.get(f"{HERE}/artifacts?per_page=10&page=2", payload=page(total=1000))
    assert len(await ids(listing.artifacts(public, NAME, per_page=10))) == 10


async def test_a_link_without_a_page(mocked, public):
    """GitHub's link is followed whatever its form."""
    link = f'<{HERE}/artifacts?after=abc>; rel="next"'
    mocked.get(f"{HERE}/artifacts?per_page=10&page=1", payload=page(1, total=2), headers={"Link": link})
    mocked.get(f"{HERE}/artifacts?after=abc", payload=page(2, total=2))
    assert await ids(listing.artifacts(public, NAME, per_page=10)) == [1, 2]


async def test_links_that_go_in_circles(mocked, public):
    """A next page that is this one is an error, not a walk for ever."""
    link = f'<{HERE}/artifacts?per_page=10&page=1>; rel="next"'
    mocked.get(f"{HERE}/artifacts?per_page=10&page=1", payload=page(1, total=2), headers={"Link": link}, repeat=True)
    with pytest.raises(errors.UnexpectedResponseError, match="as the next one"):
        await ids(listing.artifacts(public, NAME, per_page=10))


async def test_a_link_to_another_server(github, run, session):
    """Not followed: no request with the token arrives there, and what had come has come."""
    fill(github, run, 25)
    async with FakeGitHub() as other:
        github.faults.next_link(f"{other.base_url}/repositories/1/actions/artifacts?page=2", times=None)
        found = listing.artifacts(session, NAME, per_page=10)
        with pytest.raises(errors.UnexpectedResponseError, match="leaves http"):
            await ids(found)
        assert not other.requests


# --- ends before the end


def _fetches():
    return [task for task in asyncio.all_tasks() if "fetch" in repr(task.get_coro())]


@pytest.mark.parametrize("closed", ["aclose", "break", "cancel"])
async def test_an_early_end_leaves_nothing(github, run, session, closed):
    """Pages under way are cancelled; no task is left, and the session stays usable."""
    fill(github, run, 100)
    github.on_page(lambda seen: asyncio.sleep(20) if seen.page > 2 else None)
    found = listing.artifacts(session, NAME, per_page=10, concurrency=5)
    if closed == "cancel":
        task = asyncio.ensure_future(ids(found))
        while len(github.requests) < 6:
            await asyncio.sleep(0)
        assert _fetches()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        taken = 0
        async for _ in found:
            taken += 1
            if taken == 11:
                break
        assert len(_fetches()) == 4
        if closed == "aclose":
            await found.aclose()
            assert not _fetches()
    del found
    await asyncio.sleep(0.1)
    assert not _fetches()
    github.on_page(None)
    assert len(await ids(listing.artifacts(session, NAME, per_page=100))) == 100


async def _take(found, got):
    async with aclosing(found):
        async for artifact in found:
            got.append(artifact.id)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_an_error_in_the_middle(github, run, concurrency):
    """What came before it has come; the other pages under way are given up without a word."""
    made = fill(github, run, 60)

    def broken(seen):
        if seen.page == 3:
            github.faults.status(None, 404, times=None, where="api")

    github.on_page(broken)
    got = []
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, retry=ONCE) as session:
        found = listing.artifacts(session, NAME, per_page=10, concurrency=concurrency)
        with pytest.raises(errors.NotFoundError):
            await _take(found, got)
    assert got == made[: len(got)]
    assert len(got) >= 10


async def test_the_consumer_may_take_its_time(github, run, session):
    """No timeout spans a yield."""
    made = fill(github, run, 20)
    got = []
    found = listing.artifacts(session, NAME, per_page=5, concurrency=2)
    async with aclosing(found):
        async for artifact in found:
            got.append(artifact.id)
            await asyncio.sleep(400 if artifact.id % 3 else 0)
    assert got == made


# --- arguments


@pytest.mark.parametrize(
    "arguments",
    [
        {"per_page": 0},
        {"per_page": 101},
        {"limit": -1},
        {"limit": True},
        {"limit": 1.5},
        {"concurrency": 0},
        {"concurrency": None},
        {"name": ""},
        {"run_id": 0},
        {"run_id": 9, "direction": "up"},
    ],
)
async def test_wrong_arguments_are_found_by_the_call_itself(arguments):
    """Not by the first step of the generator."""
    session = GitHubSession(TOKEN)
    with pytest.raises(errors.ConfigurationError):
        listing.artifacts(session, NAME, **arguments)


# --- jobs and repositories


async def test_jobs_of_a_run(github, session):
    """All pages, of the latest attempt or of all, up to a limit."""
    run = github.add_run(REPO, jobs=[f"job {number}" for number in range(150)])
    github.update_run(run, attempt=2)
    latest = await ids(listing.jobs(session, NAME, run.id))
    assert len(set(latest)) == len(latest) == 150
    assert len(github.requests) == 2
    assert len(await ids(listing.jobs(session, NAME, run.id, attempts="all"))) == 300
    assert len(await ids(listing.jobs(session, NAME, run.id, limit=3))) == 3


async def names(found):
    """Return the names that a listing of repositories gives."""
    async with aclosing(found):
        return [str(name) async for name in found]


async def test_repositories_of_an_organization(github, session):
    """All pages, the newest first, each once, also while others are added."""
    expected = [str(github.add_repository(f"octo-org/r{number}").full_name) for number in range(120)][::-1]
    github.on_page(lambda seen: github.add_repository(f"octo-org/new{seen.page}"))
    assert await names(listing.repositories(session, "octo-org")) == expected
    assert [record.path for record in github.requests] == [f"{github.scenario.profile.prefix}/orgs/octo-org/repos"] * 2
    github.forget_requests()
    assert len(await names(listing.repositories(session, "octo-org", limit=3))) == 3
    assert len(github.requests) == 1


async def test_repositories_of_a_user(github, session):
    """Who is no organization is asked for as a user."""
    github.add_user("octocat")
    assert await names(listing.repositories(session, "octocat")) == []
    github.add_repository("octocat/b")
    github.add_repository("octocat/a")
    github.forget_requests()
    assert await names(listing.repositories(session, "octocat")) == ["octocat/a", "octocat/b"]
    assert [record.status for record in github.requests] == [404, 200]
    with pytest.raises(errors.NotFoundError):
        await names(listing.repositories(session, "nobody"))


@pytest.mark.parametrize(
    "call",
    [
        lambda session: listing.repositories(session, "a/b"),
        lambda session: listing.repositories(session, "a", limit=-1),
        lambda session: listing.jobs(session, NAME, 0),
    ],
)
async def test_wrong_arguments_of_neighbours(session, call):
    """Found by the call itself."""
    with pytest.raises(errors.ConfigurationError):
        call(session)
