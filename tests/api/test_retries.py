"""What is tried again, how often, and after how long; all on the jumping clock."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.events import Event, RateLimitPause
from gh_artifacts_async.settings import Limits, RetryPolicy, Timeouts
from gh_artifacts_async.testing import ChaosProxy
from tests.kits.api import QUICK, REPO, TOKEN, check_silent

POLICY = RetryPolicy(attempts=4, wait_initial=8.0, wait_max=16.0)


@pytest.fixture
async def patient(github):
    """A session with four tries."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, retry=POLICY) as made:
        yield made


class Timer:
    """Seconds on the loop's clock since its making."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def seconds(self) -> float:
        return self._loop.time() - self._began


# --- failures that pass


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_tried_again(github, run, patient, status):
    """After waits that grow, with full jitter below their ceilings."""
    github.faults.status(None, status, times=3, where="api")
    timer = Timer()
    assert (await api.get_workflow_run(patient, REPO, run.id)).id == run.id
    assert len(github.requests) == 4
    assert timer.seconds < 8 + 16 + 16 + 1
    times = [record.time for record in github.requests]
    assert all(
        later - earlier < ceiling + 1 for earlier, later, ceiling in zip(times, times[1:], (8, 16, 16), strict=False)
    )


@pytest.mark.parametrize("fault", ["cut", "reset", "no_reply", "garbage"])
async def test_a_broken_connection_is_tried_again(github, run, patient, fault):
    """In the body, before it, and where the answer is no HTTP."""
    getattr(github.faults, fault)(None, times=3, where="api")
    assert (await api.get_workflow_run(patient, REPO, run.id)).id == run.id
    assert len(github.requests) >= 4


@pytest.mark.parametrize("fault", ["slow_headers", "stall"])
async def test_silence_is_tried_again(github, run, patient, fault):
    """Before the headers and in the middle of a body: ``read`` bounds both."""
    getattr(github.faults, fault)(None, times=1, where="api")
    timer = Timer()
    assert (await api.get_workflow_run(patient, REPO, run.id)).id == run.id
    assert 30 <= timer.seconds < 30 + 8 + 2


async def test_a_body_that_is_slow_but_not_silent_is_read(github, run, patient):
    """There is no limit on the whole."""
    github.faults.stall(None, times=1, where="api", seconds=25)
    timer = Timer()
    await api.get_workflow_run(patient, REPO, run.id)
    assert timer.seconds >= 25
    assert len(github.requests) == 1


# --- failures that stay


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("cut", errors.ConnectionFailedError, "broke before the body was complete"),
        ("reset", errors.ConnectionFailedError, "the connection to 127.0.0.1 failed"),
        ("no_reply", errors.ConnectionFailedError, "closed without a response"),
        ("garbage", errors.ConnectionFailedError, "not valid HTTP"),
        ("slow_headers", errors.RequestTimeoutError, "no response from 127.0.0.1"),
        ("stall", errors.RequestTimeoutError, "silent for longer"),
    ],
)
async def test_the_tries_are_used_up(github, run, patient, fault, kind, said):
    """The last failure is the caller's, in our words."""
    getattr(github.faults, fault)(None, times=None, where="api")
    with pytest.raises(kind, match=said) as caught:
        await api.get_workflow_run(patient, REPO, run.id)
    assert type(caught.value) is kind
    assert caught.value.host == "127.0.0.1"
    assert len(github.requests) >= 4
    check_silent(caught.value)


async def test_a_server_error_that_stays(github, run, patient):
    """A ServerError after the last try."""
    github.faults.status(None, 502, times=None, where="api")
    with pytest.raises(errors.ServerError) as caught:
        await api.get_workflow_run(patient, REPO, run.id)
    assert len(github.requests) == 4
    assert caught.value.request_id
    check_silent(caught.value)


async def test_nobody_listens(unused_tcp_port):
    """A refused connection is tried again, and named."""
    async with GitHubSession(TOKEN, base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=POLICY) as session:
        with pytest.raises(
            errors.ConnectionFailedError, match=rf"^the connection to 127\.0\.0\.1:{unused_tcp_port} was refused$"
        ) as caught:
            await api.get_artifact(session, REPO, 1)
    check_silent(caught.value)


async def test_a_server_that_does_not_accept():
    """``connect`` bounds the making of a connection."""
    loop = asyncio.get_running_loop()

    async def never(*_args, **_kwargs):
        await asyncio.sleep(10_000)

    session = GitHubSession(
        TOKEN, base_url="http://127.0.0.1:1", timeouts=Timeouts(connect=5), retry=RetryPolicy(attempts=1)
    )
    async with session:
        timer = Timer()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", never)
            with pytest.raises(errors.RequestTimeoutError, match="connecting took longer") as caught:
                await api.get_artifact(session, REPO, 1)
    assert timer.seconds == pytest.approx(5, abs=1)
    assert loop is asyncio.get_running_loop()
    check_silent(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, errors.APIError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (404, errors.NotFoundError),
        (410, errors.APIError),
        (415, errors.APIError),
        (422, errors.BadRequestError),
    ],
)
async def test_a_clear_no_is_not_tried_again(github, run, patient, status, kind):
    """GitHub has decided."""
    github.faults.status(None, status, times=None, where="api", body="")
    with pytest.raises(kind) as caught:
        await api.get_workflow_run(patient, REPO, run.id)
    assert len(github.requests) == 1
    check_silent(caught.value)


async def test_one_try_is_one(github, run):
    """``attempts=1`` means no second one."""
    github.faults.status(None, 503, times=None, where="api")
    async with GitHubSession(TOKEN, base_url=github.base_url, retry=RetryPolicy(attempts=1)) as session:
        with pytest.raises(errors.ServerError):
            await api.get_workflow_run(session, REPO, run.id)
    assert len(github.requests) == 1


# --- Retry-After


@pytest.mark.parametrize("dated", [False, True])
async def test_retry_after_is_obeyed(github, run, patient, dated):
    """In seconds and as a date, in place of the jitter."""
    when = "Thu, 09 Jul 2026 12:49:24 GMT" if dated else "100"
    headers = {"Retry-After": when, "Date": "Thu, 09 Jul 2026 12:47:44 GMT"}
    github.faults.status(None, 503, times=1, headers=headers, where="api")
    timer = Timer()
    await api.get_workflow_run(patient, REPO, run.id)
    assert timer.seconds == pytest.approx(100, abs=1)


async def test_retry_after_beyond_patience(github, run, patient):
    """Longer than ``max_pause``: the error comes at once."""
    github.faults.status(None, 503, times=None, headers={"Retry-After": "901"}, where="api")
    timer = Timer()
    with pytest.raises(errors.ServerError):
        await api.get_workflow_run(patient, REPO, run.id)
    assert timer.seconds < 1
    assert len(github.requests) == 1


async def test_retry_after_counts_once(github, run, patient):
    """A connection that breaks afterwards is not waited for as long."""
    github.faults.status(None, 503, times=1, headers={"Retry-After": "500"}, where="api")
    github.faults.no_reply(None, times=2, where="api")
    timer = Timer()
    await api.get_workflow_run(patient, REPO, run.id)
    assert 500 <= timer.seconds < 500 + 16 + 16 + 2


# --- DELETE


@pytest.mark.parametrize("fault", ["no_reply", "slow_headers"])
async def test_a_delete_that_had_worked_is_done(github, run, patient, fault):
    """The first try got no answer but did its work; the 404 of the second is no error."""
    artifact = github.add_artifact(run, "Rails")
    getattr(github.faults, fault)(artifact, times=2, where="api")  # aiohttp itself tries a dropped connection again
    await api.delete_artifact(patient, REPO, artifact)
    assert artifact not in github.scenario.artifacts
    assert {record.status for record in github.requests} <= {0, 204, 404}
    assert github.requests[-1].status == 404


async def test_a_delete_that_had_not_worked_is_done_again(github, run, patient):
    """A 5xx may mean either."""
    artifact = github.add_artifact(run, "Rails")
    github.faults.pass_by(None, times=1, where="api")
    github.faults.status(artifact, 500, times=1, where="api")
    await api.get_artifact(patient, REPO, artifact)
    await api.delete_artifact(patient, REPO, artifact)
    assert artifact not in github.scenario.artifacts


async def test_a_delete_of_nothing_is_an_error(github, patient):
    """A plain 404."""
    with pytest.raises(errors.NotFoundError) as caught:
        await api.delete_artifact(patient, REPO, 1)
    assert len(github.requests) == 1
    check_silent(caught.value)


async def test_a_delete_after_a_rate_limit_has_done_nothing(github, patient):
    """The refused try cannot have worked, so that the 404 is one."""
    github.faults.secondary_limit(None, times=1, retry_after=5)
    with pytest.raises(errors.NotFoundError):
        await api.delete_artifact(patient, REPO, 1)
    assert len(github.requests) == 2


async def test_a_get_that_is_gone_after_a_failure_is_gone(github, patient):
    """Only a DELETE can be done already."""
    github.faults.status(None, 500, times=1, where="api")
    with pytest.raises(errors.NotFoundError):
        await api.get_artifact(patient, REPO, 1)


# --- rate limits


@pytest.mark.parametrize("status", [403, 429])
async def test_a_primary_limit_is_waited_out(github, run, patient, status):
    """Until its reset."""
    github.faults.rate_limit(None, times=None, status=status, reset_in=300)
    timer = Timer()
    await api.get_workflow_run(patient, REPO, run.id)
    assert 299 <= timer.seconds < 303
    assert len(github.requests) == 2


async def test_a_budget_that_is_used_up(github, patient):
    """The fake's own hourly budget, as GitHub keeps it."""
    github.set_rate_limit(limit=2, remaining=2, reset_in=600)
    timer = Timer()
    for run in [github.add_run(REPO) for _ in range(3)]:
        await api.get_workflow_run(patient, REPO, run.id)
    assert 600 <= timer.seconds < 603


@pytest.mark.parametrize(("retry_after", "wait"), [(30, 30), (None, 60), ("-5", 60), ("soon", 60)])
async def test_a_secondary_limit_is_waited_out(github, run, patient, retry_after, wait):
    """As long as GitHub says; a minute where it says nothing that makes sense."""
    github.faults.secondary_limit(None, times=1, retry_after=retry_after)
    timer = Timer()
    await api.get_workflow_run(patient, REPO, run.id)
    assert timer.seconds == pytest.approx(wait, abs=1)


def pauses(events: list[Event]) -> list[RateLimitPause]:
    """Return the pauses among all events."""
    return [event for event in events if isinstance(event, RateLimitPause)]


async def test_all_tasks_share_one_pause(github, run):
    """While it lasts, not one request is sent by any of them; the observer is told once."""
    events: list[Event] = []
    github.faults.secondary_limit(None, times=8, retry_after=120)
    async with GitHubSession(TOKEN, base_url=github.base_url, observer=events.append) as session:
        await asyncio.gather(*(api.get_workflow_run(session, REPO, run.id) for _ in range(40)))
    times = sorted(record.time for record in github.requests)
    assert len(times) == 48
    assert times[7] < 2
    assert times[8] >= 120
    assert pauses(events) == [RateLimitPause(seconds=120, kind="secondary")]
    counters = session.emitter.counters
    assert (counters.pauses, counters.paused_seconds) == ({"secondary": 1}, {"secondary": 120})
    assert counters.retries == {"api/SecondaryRateLimitError": 8}
    assert counters.api_requests == 48


async def test_a_limit_that_does_not_end(github, run):
    """An unstated pause doubles from try to try, until they are longer than ``max_pause`` together."""
    events: list[Event] = []
    github.faults.secondary_limit(None, times=None)
    async with GitHubSession(TOKEN, base_url=github.base_url, observer=events.append) as session:
        with pytest.raises(errors.SecondaryRateLimitError) as caught:
            await api.get_workflow_run(session, REPO, run.id)
    assert len(github.requests) == 5
    assert [event.seconds for event in pauses(events)] == [60, 120, 240, 480, 900]
    assert caught.value.retry_after is None
    check_silent(caught.value)


@pytest.mark.parametrize("primary", [True, False])
async def test_a_pause_beyond_patience_is_an_error(github, run, primary):
    """With what GitHub said, so that a program can come back later; nobody else is made to wait."""
    events: list[Event] = []
    if primary:
        github.faults.rate_limit(None, times=1, reset_in=3000)
    else:
        github.faults.secondary_limit(None, times=1, retry_after=3000)
    limits = Limits(max_pause=60)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=limits, observer=events.append) as session:
        timer = Timer()
        with pytest.raises(errors.RateLimitError, match=r"wait (2999|3000) s") as caught:
            await api.get_workflow_run(session, REPO, run.id)
        await api.get_workflow_run(session, REPO, run.id)
        assert timer.seconds < 1
    assert type(caught.value) is (errors.PrimaryRateLimitError if primary else errors.SecondaryRateLimitError)
    assert caught.value.retry_after == pytest.approx(3000, abs=2)
    left = caught.value.reset_at.timestamp() - github.clock.timestamp()
    assert left == pytest.approx(3000, abs=3)
    assert not pauses(events)
    check_silent(caught.value)


async def test_deletes_are_paced(github, run):
    """A second apart by default."""
    artifacts = [github.add_artifact(run, f"a{number}") for number in range(5)]
    async with GitHubSession(TOKEN, base_url=github.base_url) as session:
        await asyncio.gather(*(api.delete_artifact(session, REPO, artifact) for artifact in artifacts))
    times = sorted(record.time for record in github.requests)
    assert all(later - earlier >= 0.95 for earlier, later in itertools.pairwise(times))


@pytest.mark.slow
async def test_githubs_own_limits_are_kept(github, run):
    """A thousand calls at once meet neither the 100 of concurrency nor the 900 points of a minute."""
    github.enforce_secondary_limits = True
    async with GitHubSession(TOKEN, base_url=github.base_url) as session:
        await asyncio.gather(*(api.get_workflow_run(session, REPO, run.id) for _ in range(1000)))
    assert {record.status for record in github.requests} == {200}
    assert github.max_concurrency <= 8


def _through(proxy, github):
    return GitHubSession(TOKEN, base_url=f"{proxy.url}{github.scenario.profile.prefix}")


async def test_a_delete_whose_answer_is_lost_is_done(github):
    """GitHub deletes, and the connection ends before it says so: the 404 of the second try means that it is done."""
    artifact_id = github.add_artifact(github.add_run(REPO), "Rails")
    async with ChaosProxy(github.base_url) as proxy, _through(proxy, github) as session:
        proxy.cut(after=0, times=1)
        await api.delete_artifact(session, REPO, artifact_id)
    assert [record.status for record in github.requests_to("api")] == [204, 404]
