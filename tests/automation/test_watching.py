from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactWatch,
    AuthenticationError,
    BudgetUnavailableError,
    ConfigurationError,
    Limits,
    NotFoundError,
    RequestRetried,
    Timeouts,
    UnexpectedResponseError,
)
from gh_artifacts_async.automation.frontier import OVERLAP
from tests.kits.api import REPO
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import ONE_TRY, Seen, client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gh_artifacts_async.testing import FakeGitHub, FakeRun


UNPACED = Limits(points_per_minute=None)


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """A client without pacing: what waits here is the watch itself."""
    async with client_for(github, limits=UNPACED) as its_client:
        yield its_client


def later(seconds: float, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Let something happen while the test waits."""
    asyncio.get_running_loop().call_later(seconds, lambda: function(*args, **kwargs))


def fill(github: FakeGitHub, run: FakeRun, count: int, *, age: float = 0.0, name: str = "docs") -> list[int]:
    """Add so many artifacts of the same age; return their ids."""
    created = github.clock.now() - timedelta(seconds=age)
    return [github.add_artifact(run, name, created_at=created) for _ in range(count)]


async def take(watch: ArtifactWatch, count: int) -> list[int]:
    """Return the ids of the next artifacts."""
    return [(await anext(watch)).id for _ in range(count)]


async def take_all(watch: ArtifactWatch, seconds: float = 600.0) -> list[int]:
    """Return the ids of all that comes within some seconds, and close the watch."""
    got: list[int] = []
    try:
        async with asyncio.timeout(seconds):
            async for artifact in watch:
                got.append(artifact.id)  # noqa: PERF401 - what came before the end is kept
    except TimeoutError:
        await watch.aclose()
    return got


class TestWhatIsNew:
    """Each new artifact once."""

    async def test_what_is_there_at_the_first_poll_is_known(self, github, client, run):
        """What comes later is new, the oldest first, whatever its id."""
        fill(github, run, 3)
        later(90, github.add_artifact, run, "one", id=77)
        later(200, github.add_artifact, run, "two", id=20)
        later(200, github.add_artifact, run, "three", id=10, created_at="2020-01-01T00:00:00Z", expires_at=None)
        async with client.watch(REPO) as watch:
            assert await take(watch, 3) == [77, 10, 20]

    async def test_ids_that_do_not_grow_with_time(self, github, client, run):
        """A re-run's artifact may have a lower id than the one it follows."""
        github.add_artifact(run, "docs", id=10_338_854_604)
        async with client.watch(REPO) as watch:
            later(30, github.add_artifact, run, "docs", id=10_338_734_845)
            assert await take(watch, 1) == [10_338_734_845]

    async def test_an_empty_repository(self, github, client):
        """Its first artifact is new."""
        github.add_repository(REPO)
        watch = client.watch(REPO)
        task = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(70)
        added = github.add_artifact(github.add_run(REPO), "docs")
        assert (await task).id == added
        await watch.aclose()

    async def test_the_first_poll_reads_one_page(self, github, client, run):
        """What sorts below it is known, also when deletions bring it up."""
        first = fill(github, run, 250, age=1000)
        watch = client.watch(REPO)
        later(10, lambda: [github.remove_artifact(number) for number in first[:-1]])
        later(70, github.add_artifact, run, "new", id=5)
        assert await take(watch, 1) == [5]
        await watch.aclose()
        pages = [record.query["page"] for record in github.requests]
        assert pages[0] == "1"
        assert set(pages) == {"1"}

    async def test_what_deletions_bring_to_the_first_page_is_not_new(self, github, client, run):
        """The 150 below the first page were there from the beginning."""
        first = fill(github, run, 250, age=1000)
        later(10, lambda: [github.remove_artifact(number) for number in sorted(first)[-120:]])
        assert await take_all(client.watch(REPO)) == []

    async def test_many_more_than_a_page_between_two_polls(self, github, client, run):
        """It walks on until it meets what it knows; each comes once."""
        fill(github, run, 30, age=100)
        added: list[int] = []
        later(30, lambda: added.extend(fill(github, run, 350)))
        got = await take_all(client.watch(REPO))
        assert got == sorted(added)

    async def test_it_is_listed_later_than_others_that_are_newer(self, github, client, run):
        """GitHub may list an artifact some time after its created_at, below a page of others."""
        fill(github, run, 10, age=1000)
        added: list[int] = []
        later(30, lambda: added.extend(fill(github, run, 150)))
        later(100, lambda: added.extend(fill(github, run, 1, age=OVERLAP - 100)))
        got = await take_all(client.watch(REPO))
        assert sorted(got) == sorted(added)
        assert len(got) == 151

    async def test_deletions_while_it_lists(self, github, client, run):
        """What moves to an earlier page while that has been read already is not missed."""
        old = fill(github, run, 5, age=1000)
        added: list[int] = []
        later(30, lambda: added.extend(fill(github, run, 250)))

        def delete(page: Any) -> None:
            if page.page == 1 and len(added) == 250:
                for number in sorted(added)[-40:]:
                    github.remove_artifact(number)
                github.on_page(None)

        github.on_page(delete)
        got = await take_all(client.watch(REPO))
        assert len(got) == len(set(got))
        assert set(sorted(added)[:-40]) <= set(got)
        assert not set(old) & set(got)

    async def test_of_one_name(self, github, client, run):
        """The others are not seen."""
        later(30, github.add_artifact, run, "other")
        later(40, github.add_artifact, run, "docs", id=7)
        assert await take(client.watch(REPO, name="docs"), 1) == [7]
        assert {record.query["name"] for record in github.requests} == {"docs"}

    @pytest.mark.parametrize("github", ["ghes-3.6"], indirect=True)
    async def test_a_server_that_ignores_the_name(self, github, client, run):
        """The name is applied to the answers too; a restart in between repeats nothing."""
        fill(github, run, 5, age=1000)
        ids: list[int] = []
        later(30, lambda: ids.extend(fill(github, run, 130, name="other") + fill(github, run, 2)))
        watch = client.watch(REPO, name="docs")
        got = await take(watch, 1)
        await watch.aclose()
        got += await take_all(client.watch(REPO, name="docs", since=watch.cursor))
        assert got == ids[-2:]


@pytest.mark.parametrize("seed", mostly_slow(range(6)))
async def test_each_comes_once_whatever_happens(github, run, seed):
    """Bursts over several pages, late and lower ids, deletions, failures and restarts for an hour."""
    draw, added, gone = random.Random(seed), set[int](), set[int]()  # noqa: S311 - a test's own
    fill(github, run, 130, age=1000)

    def happen() -> None:
        age = draw.choice([0, 0, 10, OVERLAP // 2])
        created = github.clock.now() - timedelta(seconds=age)
        for _ in range(draw.choice([1, 3, 40, 150])):
            number = draw.randint(1, 10**9)
            added.add(github.add_artifact(run, "docs", id=number, created_at=created))
        for number in draw.sample(sorted(added - gone), k=min(len(added - gone), draw.choice([0, 0, 5, 60]))):
            github.remove_artifact(number)
            gone.add(number)
        if not draw.randrange(4):
            github.faults.status(None, 502, times=1, where="api")

    for turn in range(12):
        later(100 + 200 * turn + draw.randint(0, 150), happen)
    cursor, got = None, list[int]()
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < began + 3600:
        async with client_for(github, limits=UNPACED, retry=ONE_TRY) as client:
            watch = client.watch(REPO, since=cursor, interval=draw.choice([20, 60, 400]))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(draw.randint(1, 900)):
                    async for artifact in watch:
                        got.append(artifact.id)
                        if not draw.randrange(60):
                            break
            cursor = watch.cursor
            await watch.aclose()
    async with client_for(github, limits=UNPACED) as client:
        got += await take_all(client.watch(REPO, since=cursor))
    assert len(got) == len(set(got))
    assert set(got) <= added
    assert added - gone <= set(got)
    assert len(got) > 100


class TestSince:
    """A start in the past."""

    async def test_a_time(self, github, client, run):
        """Whatever was created then or later comes, over as many pages as that takes."""
        fill(github, run, 50, age=1000)
        wanted = fill(github, run, 150, age=500)
        moment = github.clock.now() - timedelta(seconds=500)
        got = await take_all(client.watch(REPO, since=moment))
        assert sorted(got) == sorted(wanted)

    async def test_a_cursor(self, github, client, run):
        """A restart goes on where the watch was, though much came and went meanwhile."""
        fill(github, run, 30, age=1000)
        watch = client.watch(REPO)
        task = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(1)
        first = fill(github, run, 1)
        assert [(await task).id] == first
        cursor = watch.cursor
        await watch.aclose()
        await asyncio.sleep(1000)
        gone = fill(github, run, 120)
        kept = fill(github, run, 240)
        for number in gone:
            github.remove_artifact(number)
        got = await take_all(client.watch(REPO, since=cursor))
        assert sorted(got) == sorted(kept)

    async def test_a_restart_in_the_middle_of_a_batch(self, github, run):
        """What was handed out is not repeated, what was not is not lost; and so again and again."""
        added: list[int] = []
        cursor, got = None, []
        for turn in range(8):
            async with client_for(github, limits=UNPACED) as client, client.watch(REPO, since=cursor) as watch:
                if turn == 0:
                    later(30, lambda: added.extend(fill(github, run, 300, age=700) + fill(github, run, 30)))
                got += await take(watch, 41)
                cursor = watch.cursor
        assert got == sorted(added)[: 8 * 41]

    async def test_before_the_first_poll_a_cursor_says_so(self, github, client, run):
        """A watch that begins with it begins like one without."""
        fill(github, run, 3)
        watch = client.watch(REPO, since=client.watch(REPO).cursor)
        later(30, github.add_artifact, run, "docs", id=7)
        assert await take(watch, 1) == [7]

    @pytest.mark.parametrize("since", ["2026-07-09T12:00:00Z", "", 7, datetime(2026, 7, 9)])  # noqa: DTZ001 - wrong
    async def test_what_is_neither_is_refused_at_once(self, client, since):
        """By the call, not by the first step."""
        with pytest.raises(ConfigurationError, match="since must be"):
            client.watch(REPO, since=since)


class TestCost:
    """Requests and limits."""

    async def test_a_quiet_hour_costs_nothing(self, github, client, run):
        """Each poll is one conditional request, and the primary limit stays as it was."""
        fill(github, run, 250, age=100)
        github.set_rate_limit(remaining=5000)
        later(3630, github.add_artifact, run, "docs", id=7)
        watch = client.watch(REPO)
        task = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(3600)
        assert client.rate_limit is not None
        assert client.rate_limit.remaining == 4999
        assert len(github.requests) == 60
        assert [record.status for record in github.requests] == [200] + [304] * 59
        assert (await task).id == 7
        await watch.aclose()

    async def test_the_interval_counts_from_the_end_of_a_poll(self, github, client, run):
        """Whoever takes longer than that with an artifact is not made to wait again."""
        loop = asyncio.get_running_loop()
        later(10, github.add_artifact, run, "docs")
        watch = client.watch(REPO, interval=30)
        await take(watch, 1)
        github.add_artifact(run, "docs")
        await asyncio.sleep(100)
        before = loop.time()
        await take(watch, 1)
        assert loop.time() - before < 1

    async def test_failures_that_pass_do_not_end_it(self, github, run):
        """The next poll follows, later and later; observers hear of it."""
        seen = Seen()
        github.faults.status(None, 502, times=4, where="api")
        async with client_for(github, limits=UNPACED, retry=ONE_TRY, observer=seen) as client:
            watch = client.watch(REPO, interval=300)
            later(5000, github.add_artifact, run, "docs", id=7)
            assert await take(watch, 1) == [7]
        retried = seen.of(RequestRetried)
        assert [event.wait for event in retried] == [300, 600, 900, 900]
        assert [event.attempt for event in retried] == [1, 2, 3, 4]
        assert retried[0].what == f"GET /repos/{REPO}/actions/artifacts"
        assert "502" in retried[0].reason

    async def test_no_answer_is_such_a_failure(self, github, run):
        """A request's own time-out is not taken for the end of the watch."""
        github.faults.slow_headers(times=1, where="api")
        async with client_for(github, retry=ONE_TRY, timeouts=Timeouts(read=5.0)) as client:
            watch = client.watch(REPO)
            later(300, github.add_artifact, run, "docs", id=7)
            assert await take(watch, 1) == [7]

    async def test_a_pause_that_is_too_long_for_the_session_is_waited_for(self, github, run):
        """A rate limit ends nothing, and no request is sent before it is over."""
        github.faults.rate_limit(times=None, reset_in=3000)
        async with client_for(github, limits=Limits(max_pause=60)) as client:
            watch = client.watch(REPO)
            later(3500, github.add_artifact, run, "docs", id=7)
            assert await take(watch, 1) == [7]
        assert github.requests[1].time >= 2990

    async def test_a_few_pages_of_a_proxy_do_not_end_it(self, github, client, run):
        """Whoever answered well before may do so again; the sixth in a row ends it."""
        html: Any = {"headers": {"content-type": "text/html"}, "body": "<html>maintenance</html>", "where": "api"}
        later(90, github.faults.status, None, 200, 5, **html)
        later(1000, github.add_artifact, run, "docs", id=7)
        watch = client.watch(REPO, interval=30)
        assert await take(watch, 1) == [7]
        github.faults.status(None, 200, None, **html)
        with pytest.raises(UnexpectedResponseError):
            await anext(watch)
        assert len([record for record in github.requests if record.bytes_sent == len(html["body"])]) == 5 + 6

    async def test_a_first_response_that_is_not_githubs_ends_it(self, github, client, run):
        """The address may be wrong."""
        html: Any = {"headers": {"content-type": "text/html"}, "body": "<html>hello</html>", "where": "api"}
        github.faults.status(None, 200, None, **html)
        with pytest.raises(UnexpectedResponseError):
            await anext(client.watch(REPO))
        github.faults.clear()
        assert run.id

    async def test_a_pause_that_the_session_sits_out(self, github, client, run):
        """It is not even noticed."""
        github.faults.secondary_limit(retry_after=60)
        later(300, github.add_artifact, run, "docs", id=7)
        assert await take(client.watch(REPO), 1) == [7]


@pytest.mark.usefixtures("run")
class TestErrors:
    """What ends it."""

    async def test_a_rejected_token(self, github):
        """It is raised, and the watch is over; its cursor is still there."""
        github.tokens = ["another"]
        async with client_for(github) as client:
            watch = client.watch(REPO)
            with pytest.raises(AuthenticationError):
                await anext(watch)
            assert [artifact async for artifact in watch] == []
            assert client.watch(REPO, since=watch.cursor).cursor == watch.cursor

    async def test_an_unknown_repository(self, client):
        """It is raised by the first step."""
        with pytest.raises(NotFoundError):
            await anext(client.watch("octo-org/no-such"))

    async def test_a_failure_that_no_retry_can_mend(self, github):
        """Such as a shared budget that cannot be reached, which is no free pass."""

        class Unreachable:
            async def lease(self, _points: int) -> Any:
                msg = "the budget cannot be reached"
                raise BudgetUnavailableError(msg)

            async def pause(self, seconds: float, kind: str) -> None:
                """Nothing is ever sent."""

            async def paused(self) -> float:
                return 0.0

        async with client_for(github, limits=Limits(budget=Unreachable())) as client:
            with pytest.raises(BudgetUnavailableError):
                await anext(client.watch(REPO))
        assert github.requests == []

    @pytest.mark.parametrize("wrong", [{"interval": 0}, {"interval": float("nan")}, {"name": ""}])
    async def test_wrong_arguments(self, client, wrong):
        """They are refused by the call."""
        with pytest.raises(ConfigurationError):
            client.watch(REPO, **wrong)


@pytest.mark.usefixtures("run")
class TestTheEnd:
    """aclose and cancellation."""

    async def test_closing_in_the_loop(self, github, client, run):
        """Nothing more comes, and a second call does nothing."""
        later(10, fill, github, run, 3)
        got = []
        async with client.watch(REPO) as watch:
            async for artifact in watch:
                got.append(artifact.id)
                await watch.aclose()
        await watch.aclose()
        assert len(got) == 1

    async def test_closing_while_it_sleeps(self, client):
        """The waiting task's loop ends, at once."""
        watch = client.watch(REPO, interval=1000)
        task = asyncio.ensure_future(take_all(watch, 10_000))
        await asyncio.sleep(500)
        began = asyncio.get_running_loop().time()
        await asyncio.gather(watch.aclose(), watch.aclose())
        assert asyncio.get_running_loop().time() - began < 1
        assert await task == []
        with pytest.raises(StopAsyncIteration):
            await anext(watch)

    async def test_closing_while_a_request_is_under_way(self, github, client):
        """The request is cancelled and has ended by then."""
        github.faults.slow_headers(times=1, where="api", seconds=20)
        watch = client.watch(REPO)
        task = asyncio.ensure_future(take_all(watch))
        await asyncio.sleep(10)
        await watch.aclose()
        assert await task == []

    async def test_a_cancelled_step_loses_nothing(self, github, client, run):
        """The next one goes on, in time for the same poll."""
        watch = client.watch(REPO)
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(watch), 25)
        assert len(github.requests) == 3
        added = fill(github, run, 3)
        assert await take(watch, 3) == added
        await watch.aclose()

    async def test_a_cancel_and_a_close_together(self, client):
        """The cancel is not swallowed."""
        watch = client.watch(REPO)
        task = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(5)
        task.cancel()
        await watch.aclose()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_one_consumer_at_a_time(self, client):
        """A second one is told so, and the first is not disturbed."""
        watch = client.watch(REPO)
        task = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(5)
        with pytest.raises(RuntimeError, match="another task is waiting"):
            await anext(watch)
        assert not task.done()
        await watch.aclose()
        with pytest.raises(StopAsyncIteration):
            await task

    async def test_its_repr(self, client):
        """What is watched."""
        assert repr(client.watch(REPO, name="docs")) == f"ArtifactWatch('{REPO}', name='docs')"
