"""Listings of workflow runs, beyond the 1,000 of a filtered one."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async import errors
from gh_artifacts_async.api import listing
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.models import RepositoryName
from tests.kits.api import REPO, TOKEN

NAME = RepositoryName("octo-org", "octo-docs")
START = datetime(2026, 1, 1, tzinfo=UTC)
MAIN = (("branch", "main"),)


def fill(github, count, *, every=60, **values):
    """Add runs, a minute apart, and return their ids, the newest first."""
    made = [
        github.add_run(REPO, created_at=START + timedelta(seconds=every * number), **values).id
        for number in range(count)
    ]
    return made[::-1]


async def ids(found):
    """Return the ids of what a listing gives."""
    async with aclosing(found):
        return [run.id async for run in found]


async def test_runs_of_all_and_of_one_workflow(github, session):
    """Newest first; by file name or id."""
    ci = fill(github, 3, workflow="ci.yml")
    docs = fill(github, 2, workflow="docs.yml", every=61)
    assert set(await ids(listing.workflow_runs(session, NAME))) == {*ci, *docs}
    assert await ids(listing.workflow_runs(session, NAME, workflow="ci.yml")) == ci
    number = github.scenario.runs[docs[0]].workflow_id
    assert await ids(listing.workflow_runs(session, NAME, workflow=number)) == docs


async def test_filters_and_times(github, session):
    """GitHub's own parameters, and a range of times with both ends included."""
    main = fill(github, 5, branch="main")
    fill(github, 5, branch="dev")
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN)) == main
    between = (START + timedelta(minutes=1), START + timedelta(minutes=3))
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN, created=between)) == main[1:4]
    since = (START + timedelta(minutes=3), None)
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN, created=since)) == main[:2]
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN, created=(None, START))) == main[4:]


@pytest.mark.slow
@pytest.mark.parametrize("created", [(None, None), (START, None), (None, START + timedelta(days=9))])
async def test_more_than_a_thousand_filtered_runs(github, session, created):
    """The listing ends after 1,000; it is asked again for what is older, and nothing comes twice."""
    made = fill(github, 2150)
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN, created=created)) == made
    windows = {record.query["created"] for record in github.requests if "created" in record.query}
    assert len(windows) == 2 + (created != (None, None))


@pytest.mark.slow
async def test_more_than_a_thousand_runs_without_a_filter(github, session):
    """Such a listing has no end at 1,000, and needs no second window."""
    made = fill(github, 1250)
    assert await ids(listing.workflow_runs(session, NAME)) == made
    assert len(github.requests) == 13


@pytest.mark.slow
async def test_a_thousand_runs_of_one_second(github, session):
    """No window is narrower than a second: the walk ends rather than ask for ever."""
    fill(github, 1100, every=0)
    found = await ids(listing.workflow_runs(session, NAME, filters=MAIN))
    assert len(found) == len(set(found)) == 1000


@pytest.mark.slow
async def test_a_limit_beyond_a_window(github, session):
    """Stops in the second window, as soon as there is enough."""
    made = fill(github, 1300)
    assert await ids(listing.workflow_runs(session, NAME, filters=MAIN, limit=1005)) == made[:1005]
    assert len(github.requests) == 11


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (1, 1), (100, 1), (101, 2), (None, 2)])
async def test_limit(github, session, limit, requests):
    """No more pages than it takes."""
    made = fill(github, 150)
    assert await ids(listing.workflow_runs(session, NAME, limit=limit)) == made[:limit]
    assert len(github.requests) == requests


async def test_breaking_off(github, session):
    """Closing the generator closes the walk within."""
    fill(github, 150)
    found = listing.workflow_runs(session, NAME)
    async with aclosing(found):
        async for _ in found:
            break
    assert len(github.requests) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"workflow": ""},
        {"workflow": 0},
        {"filters": (("branch", ""),)},
        {"limit": -1},
        {"created": (datetime(2026, 1, 1), None)},  # noqa: DTZ001
    ],
)
async def test_wrong_arguments_are_found_by_the_call_itself(arguments):
    """Not by the first step of the generator."""
    session = GitHubSession(TOKEN)
    with pytest.raises(errors.ConfigurationError):
        listing.workflow_runs(session, NAME, **arguments)
