"""No token and no signature in any traceback with locals, however a call ends."""

from __future__ import annotations

import asyncio

import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import Limits
from tests.kits.api import QUICK, REPO, TOKEN, check_silent

SIGNATURE = "canary-s1gnature"


@pytest.fixture
async def session(github):
    """A session with the usual timeouts."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK) as made:
        yield made


def _status(code, **headers):
    return lambda faults: faults.status(None, code, times=None, where="api", headers=headers)


def _location(location, code=302):
    return lambda faults: faults.status(None, code, times=None, where="api", headers={"Location": location})


FAULTS = {
    "400": _status(400),
    "401": _status(401),
    "403": lambda faults: faults.forbidden(None, times=None),
    "404": _status(404),
    "410": _status(410),
    "422": _status(422),
    "429": lambda faults: faults.secondary_limit(None, times=None, retry_after=10_000),
    "primary": lambda faults: faults.rate_limit(None, times=None, reset_in=10_000),
    "500": _status(500),
    "html": lambda faults: faults.html(None, times=None),
    "empty": lambda faults: faults.status(None, 200, times=None, where="api", body="{}"),
    "list": lambda faults: faults.status(None, 200, times=None, where="api", body="[]"),
    "cut": lambda faults: faults.cut(None, times=None, where="api"),
    "reset": lambda faults: faults.reset(None, times=None, where="api"),
    "no reply": lambda faults: faults.no_reply(None, times=None, where="api"),
    "garbage": lambda faults: faults.garbage(None, times=None, where="api"),
    "two lengths": lambda faults: faults.garbage(
        None, times=None, where="api", data=b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"
    ),
    "long header": lambda faults: faults.garbage(
        None, times=None, where="api", data=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"
    ),
    "slow": lambda faults: faults.slow_headers(None, times=None, where="api"),
    "stall": lambda faults: faults.stall(None, times=None, where="api"),
    "moved away": _location(f"https://evil.example/?sig={SIGNATURE}", 301),
    "nowhere": _location(f"//[{SIGNATURE}"),
    "userinfo": _location(f"https://u:{SIGNATURE}@evil.example/", 307),
}
CALLS = {
    "get": lambda session: api.get_artifact(session, REPO, 1),
    "list": lambda session: api.list_artifacts_for_repo(session, REPO),
    "delete": lambda session: api.delete_artifact(session, REPO, 1),
    "download": lambda session: api.get_download_url(session, REPO, 1),
}


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("call", list(CALLS))
async def test_no_failure_shows_a_secret(github, session, caplog, fault, call):
    """Every kind of failure of every kind of call: not in the traceback's locals, the chain, or the log."""
    caplog.set_level("DEBUG")
    FAULTS[fault](github.faults)
    try:
        await CALLS[call](session)
    except errors.ArtifactsError as error:
        check_silent(error, SIGNATURE)
    else:
        assert (fault, call) in {("userinfo", "download"), ("empty", "list")}
    logged = "".join(f"{record.__dict__}{record.getMessage()}" for record in caplog.records)
    assert TOKEN not in logged
    assert SIGNATURE not in logged


async def test_a_source_that_fails_shows_nothing(github):
    """What a token source raises is the caller's own, and comes out as it is."""

    class Failing:
        async def token(self):
            raise LookupError("no keyring")

    async with GitHubSession(Failing(), base_url=github.base_url) as session:
        with pytest.raises(LookupError, match="no keyring"):
            await api.get_artifact(session, REPO, 1)
    assert not github.requests


# --- cancellation


async def _cancelled(task, when):
    """Cancel a task once something is true, and return its CancelledError."""
    while not when():
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as error:
        return error
    pytest.fail("not cancelled")


@pytest.mark.parametrize("fault", ["slow_headers", "stall"])
@pytest.mark.parametrize("call", ["get", "list", "delete", "download"])
async def test_a_cancelled_call_shows_no_secret(github, session, fault, call):
    """In the middle of the exchange, where aiohttp's frames hold the header and the response."""
    github.faults.status(None, 200, times=None, where="api", body="{}")
    getattr(github.faults, fault)(None, times=None, where="api")
    task = asyncio.ensure_future(CALLS[call](session))
    error = await _cancelled(task, lambda: github.requests)
    check_silent(error)
    assert error.__context__ is None


async def test_a_call_cancelled_at_the_gate(github, run):
    """Waiting for its turn it holds nothing yet but the hidden token; its place is free again."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=Limits(api_concurrency=1)) as session:
        github.faults.slow_headers(None, times=1, where="api", seconds=20)
        first = asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id))
        second = asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id))
        check_silent(await _cancelled(second, lambda: github.requests))
        assert (await first).id == run.id
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id


async def test_a_call_cancelled_between_two_tries(github, run, session):
    """In the wait after a 503."""
    github.faults.status(None, 503, times=None, where="api", headers={"Retry-After": "500"})
    task = asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id))
    check_silent(await _cancelled(task, lambda: github.requests and github.requests[0].status))


async def test_a_call_cut_off_by_a_timeout_of_the_caller(github, run, session):
    """``asyncio.timeout`` around a call gives its own TimeoutError, and no more of aiohttp than a cancellation."""
    github.faults.slow_headers(None, times=None, where="api")
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(5):
            await api.get_workflow_run(session, REPO, run.id)
    check_silent(caught.value)
    assert not isinstance(caught.value, errors.ArtifactsError)


async def test_many_cancelled_calls_leave_nothing(github, run):
    """No task, no slot: afterwards everything continues."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK) as session:
        github.faults.slow_headers(None, times=8, where="api")
        tasks = [asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id)) for _ in range(30)]
        while len(github.requests) < 8:
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(result, asyncio.CancelledError)
            for result in await asyncio.gather(*tasks, return_exceptions=True)
        )
        await asyncio.gather(*(api.get_workflow_run(session, REPO, run.id) for _ in range(8)))
