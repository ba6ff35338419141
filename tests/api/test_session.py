"""The session manager: what it owns, what it borrows, how long it lives."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import REPO, TOKEN
from tests.kits.clock import JumpLoop


async def test_closing_an_unused_session():
    """There is nothing to close."""
    session = GitHubSession(TOKEN)
    await session.aclose()
    await session.aclose()


async def test_a_borrowed_session_is_neither_closed_nor_altered(github, run):
    """Its headers, cookies and timeouts stay, and its manners (raising, following) do not count."""
    async with aiohttp.ClientSession(
        headers={"X-Mine": "1", "Authorization": "Basic bWluZQ=="},
        raise_for_status=True,
        timeout=aiohttp.ClientTimeout(total=0.000001),
    ) as borrowed:
        before = (dict(borrowed.headers), borrowed.timeout, borrowed.raise_for_status)
        async with GitHubSession(TOKEN, base_url=github.base_url, session=borrowed) as session:
            assert session.transport._api is borrowed
            await api.get_workflow_run(session, REPO, run.id)
            with pytest.raises(errors.NotFoundError):
                await api.get_artifact(session, REPO, 1)
            artifact = github.add_artifact(run, "Rails")
            assert (await api.get_download_url(session, REPO, artifact)).url
        assert not borrowed.closed
        assert before == (dict(borrowed.headers), borrowed.timeout, borrowed.raise_for_status)
    assert {record.headers["Authorization"] for record in github.requests} == {f"Bearer {TOKEN}"}
    assert not github.requests_to("storage")


async def test_a_borrowed_session_with_a_base_url(github, run):
    """Requests go to the API all the same."""
    async with aiohttp.ClientSession(base_url="http://127.0.0.1:1/") as borrowed:
        session = GitHubSession(TOKEN, base_url=github.base_url, session=borrowed)
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id


async def test_a_borrowed_session_that_was_closed(github):
    """Its owner has closed it: a clear error."""
    borrowed = aiohttp.ClientSession()
    session = GitHubSession(TOKEN, base_url=github.base_url, session=borrowed)
    await borrowed.close()
    with pytest.raises(errors.ClientClosedError, match="borrowed"):
        await api.get_artifact(session, REPO, 1)


async def test_use_after_close(github):
    """A closed session is not opened again by accident."""
    session = GitHubSession(TOKEN, base_url=github.base_url)
    async with session:
        pass
    with pytest.raises(errors.ClientClosedError, match="closed"):
        await api.get_artifact(session, REPO, 1)
    with pytest.raises(errors.ClientClosedError):
        async with session:
            pytest.fail("entered")


async def test_a_session_that_is_closed_under_way(github, run):
    """A call that waits for its next try finds the session closed, and says so."""
    github.faults.status(None, 503, times=None, headers={"Retry-After": "100"}, where="api")
    session = GitHubSession(TOKEN, base_url=github.base_url)
    asked = asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id))
    while not github.requests or not github.requests[0].status:
        await asyncio.sleep(0)
    await session.aclose()
    with pytest.raises(errors.ClientClosedError):
        await asked


def test_a_session_belongs_to_one_loop():
    """Another event loop gets an error, not a hang."""
    session = GitHubSession(TOKEN)

    async def enter():
        async with session:
            session.check_usable()

    async def enter_only():
        session.check_usable()

    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        runner.run(enter_only())
    with (
        asyncio.Runner(loop_factory=JumpLoop) as runner,
        pytest.raises(errors.ClientClosedError, match="another event"),
    ):
        runner.run(enter())


def test_making_one_needs_no_loop():
    """Nothing is connected, and the token is not shown."""
    session = GitHubSession(TOKEN, base_url="ghe.example")
    assert repr(session) == "GitHubSession(base_url='https://ghe.example/api/v3')"
    assert session.has_token
    assert not GitHubSession().has_token


@pytest.mark.parametrize("github", [{"host": "::1"}, {"host": "127.0.0.1"}], indirect=True)
async def test_addresses_of_both_families(run, session):
    """IPv6 literals work as base URLs."""
    assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id


async def test_two_sessions_are_apart(github, run):
    """Each has its own token and gate."""
    async with FakeGitHub() as other, GitHubSession("one", base_url=github.base_url) as first:
        theirs = other.add_run(REPO)
        async with GitHubSession("two", base_url=other.base_url) as second:
            await asyncio.gather(
                api.get_workflow_run(first, REPO, run.id), api.get_workflow_run(second, REPO, theirs.id)
            )
        assert other.requests[0].headers["Authorization"] == "Bearer two"
    assert github.requests[0].headers["Authorization"] == "Bearer one"
