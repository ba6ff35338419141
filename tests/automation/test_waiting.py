from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ConfigurationError,
    Limits,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    RunFailedError,
    Timeouts,
    WaitTimeoutError,
)
from gh_artifacts_async.automation import now
from tests.kits.api import REPO
from tests.kits.transfer import ONE_TRY, client_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gh_artifacts_async.testing import FakeGitHub, FakeRun


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """A client without pacing: what waits here is the wait itself."""
    async with client_for(github, limits=Limits(points_per_minute=None)) as its_client:
        yield its_client


@pytest.fixture
def running(github: FakeGitHub) -> FakeRun:
    """A run that is under way."""
    return github.add_run(REPO, status="in_progress", conclusion=None)


def later(seconds: float, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Let something happen while the test waits."""
    asyncio.get_running_loop().call_later(seconds, lambda: function(*args, **kwargs))


def end(github: FakeGitHub, run: FakeRun, conclusion: str = "success") -> None:
    """Let a run end."""
    github.update_run(run, status="completed", conclusion=conclusion)


def operations(github: FakeGitHub) -> list[str]:
    """Return what the API was asked for."""
    return [record.endpoint for record in github.requests_to("api")]


class Timer:
    """The seconds that a block takes on the loop's clock."""

    def __enter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = asyncio.get_running_loop().time() - self._began


class TestOfAnyRun:
    """Waits without a run."""

    async def test_what_is_there_already_ends_it_with_one_request(self, github, client, run):
        """The newest by time, not by id; what has expired does not count."""
        newest = github.add_artifact(run, "docs", created_at="2026-07-09T12:00:00Z", expires_at=None, id=5)
        github.add_artifact(run, "docs", created_at="2026-07-09T11:00:00Z", expires_at=None, id=900)
        github.add_artifact(run, "docs", created_at="2026-07-09T13:00:00Z", expired=True, id=901)
        found = await client.wait_for_artifact(REPO, "docs", timeout=60)
        assert found.id == newest
        assert found.repository is not None
        assert len(github.requests) == 1

    async def test_it_comes_while_the_wait_polls(self, github, client, run):
        """The next poll finds it; unchanged answers cost nothing of the primary limit."""
        later(70, github.add_artifact, run, "docs")
        github.set_rate_limit(remaining=5000)
        with Timer() as timer:
            found = await client.wait_for_artifact(REPO, "docs", timeout=600, interval=15)
        assert found.name == "docs"
        assert 70 <= timer.seconds < 90
        assert len(github.requests) == 6
        assert client.rate_limit is not None
        assert client.rate_limit.remaining == 4998

    async def test_several_names_are_asked_for_until_each_has_come(self, github, client, run):
        """A request for each that is missing; the result has the order of the names."""
        github.add_artifact(run, "one")
        later(20, github.add_artifact, run, "two")
        found = await client.wait_for_artifacts(REPO, ["two", "one", "two"], timeout=60, interval=15)
        assert list(found) == ["two", "one"]
        assert [found[name].name for name in found] == ["two", "one"]
        assert len(github.requests) == 4

    async def test_no_name_needs_no_wait(self, github, client):
        """An empty list is complete."""
        assert await client.wait_for_artifacts(REPO, [], timeout=1) == {}
        assert github.requests == []

    async def test_out_of_time(self, github, client, run):
        """The error names what has not come; the deadline is kept, and the last poll is just before it."""
        github.add_artifact(run, "one")
        with Timer() as timer, pytest.raises(WaitTimeoutError) as caught:
            await client.wait_for_artifacts(REPO, ["one", "two"], timeout=40, interval=15)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.missing == ("two",)
        assert caught.value.run is None
        assert str(caught.value) == (
            f"no artifact named 'two' in {REPO} after 40 s; pass a larger timeout to wait longer"
        )
        assert timer.seconds == pytest.approx(40, abs=0.5)
        assert len(github.requests) == 5

    async def test_it_comes_between_the_last_whole_interval_and_the_deadline(self, github, client, run):
        """The last poll is as late as it can be."""
        later(39, github.add_artifact, run, "docs")
        assert (await client.wait_for_artifact(REPO, "docs", timeout=40, interval=30)).name == "docs"

    async def test_many_names_are_not_all_told(self, client, github):
        """A message stays a sentence."""
        github.add_repository(REPO)
        with pytest.raises(WaitTimeoutError, match="no artifacts named 'a', 'b', 'c' and 2 more in") as caught:
            await client.wait_for_artifacts(REPO, list("abcde"), timeout=1)
        assert caught.value.missing == tuple("abcde")

    async def test_many_expired_ones_are_read_once(self, github, client, run):
        """Further polls end at the first page that brings nothing new."""
        for _ in range(230):
            github.add_artifact(run, "docs", expired=True)
        later(20, github.add_artifact, run, "docs")
        await client.wait_for_artifact(REPO, "docs", timeout=100, interval=15)
        assert len(github.requests) == 3 + 1 + 1

    @pytest.mark.parametrize("github", ["ghes-3.6"], indirect=True)
    async def test_a_server_that_ignores_the_name(self, github, client, run):
        """The name is applied to the answers too, and an older artifact is found on a later page."""
        wanted = github.add_artifact(run, "docs", created_at="2026-07-09T12:00:00Z", expires_at=None)
        for number in range(120):
            github.add_artifact(run, f"other-{number}")
        assert (await client.wait_for_artifact(REPO, "docs", timeout=10)).id == wanted
        assert len(github.requests) == 2


class TestOfOneRun:
    """Waits with a run."""

    async def test_what_is_there_already_ends_it_with_one_request(self, github, client, running):
        """Also in a run that failed: what is there wins. Of twins the newest counts."""
        github.add_artifact(running, "docs", created_at="2026-07-09T11:00:00Z", expires_at=None, id=900)
        newest = github.add_artifact(running, "docs", created_at="2026-07-09T12:00:00Z", expires_at=None, id=5)
        end(github, running, "failure")
        assert (await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=60)).id == newest
        assert operations(github) == ["actions/list-workflow-run-artifacts"]

    async def test_other_runs_do_not_count(self, github, client, run, running):
        """An artifact of the same name in another run is another artifact."""
        github.add_artifact(run, "docs")
        later(20, github.add_artifact, running, "docs")
        found = await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=60)
        assert found.run_id == running.id

    async def test_one_listing_serves_several_names(self, github, client, running):
        """A poll is the run's artifacts and the run."""
        github.add_artifact(running, "one")
        later(20, github.add_artifact, running, "two")
        found = await client.wait_for_artifacts(REPO, ["one", "two"], run_id=running.id, timeout=60, interval=15)
        assert list(found) == ["one", "two"]
        listing, get = "actions/list-workflow-run-artifacts", "actions/get-workflow-run"
        assert operations(github) == [listing, get, listing, get, listing]

    async def test_artifacts_that_appear_5_s_after_the_run_has_ended(self, github, client, running):
        """GitHub lists some only then; the wait looks more often meanwhile."""
        later(50, end, github, running)
        later(55, github.add_artifact, running, "docs")
        with Timer() as timer:
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=600, interval=50.5)
        assert 55 <= timer.seconds < 59

    async def test_a_run_that_ended_without_it(self, github, client, running):
        """After the grace period, and long before the deadline; the message says what to look at."""
        later(50, end, github, running)
        with Timer() as timer, pytest.raises(WaitTimeoutError) as caught:
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=600)
        assert 80 <= timer.seconds < 100
        assert caught.value.missing == ("docs",)
        assert caught.value.run.conclusion == "success"
        assert str(caught.value) == (
            f"run {running.id} of {REPO} has ended (success) and has no artifact named 'docs'; "
            "check the name against the run's artifacts"
        )

    async def test_the_grace_ends_at_the_deadline(self, github, client, running):
        """Nothing waits longer than it was told to."""
        end(github, running)
        with Timer() as timer, pytest.raises(WaitTimeoutError) as caught:
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=10)
        assert timer.seconds == pytest.approx(10, abs=0.5)
        assert caught.value.run.status == "completed"

    async def test_a_run_that_ended_long_ago_has_no_grace(self, github, client, running, monkeypatch):
        """Nothing more will appear."""
        end(github, running)
        later_than_that = now.utcnow().replace(year=now.utcnow().year + 1)
        monkeypatch.setattr(now, "utcnow", lambda: later_than_that)
        with Timer() as timer, pytest.raises(WaitTimeoutError):
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=600)
        assert timer.seconds < 1

    @pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "skipped"])
    async def test_a_run_that_fails_ends_it_at_once(self, github, client, running, conclusion):
        """Whoever waits need not wait for the deadline."""
        later(20, end, github, running, conclusion)
        with Timer() as timer, pytest.raises(RunFailedError) as caught:
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=600)
        assert timer.seconds < 40
        assert caught.value.run.conclusion == conclusion
        said = str(caught.value)
        assert said.startswith(f"run {running.id} of {REPO} has ended ({conclusion}) and has no artifact named 'docs'")
        assert caught.value.run.html_url in said

    async def test_what_came_just_before_the_failure_wins(self, github, client, running):
        """The artifacts are looked at once more, after the failure was seen."""

        async def fail(_page: object) -> None:
            github.on_page(None)
            github.add_artifact(running, "docs")
            end(github, running, "failure")

        github.on_page(fail)
        assert (await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=60)).name == "docs"

    async def test_without_failing_fast_a_re_run_may_bring_it(self, github, client, running):
        """The wait goes on to its deadline."""
        later(20, end, github, running, "failure")
        later(200, github.update_run, running, status="in_progress", conclusion=None, attempt=2)
        later(300, github.add_artifact, running, "docs")
        found = await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=600, fail_fast=False)
        assert found.name == "docs"

    async def test_out_of_time_tells_the_state_of_the_run(self, client, running):
        """As it was seen last."""
        with pytest.raises(WaitTimeoutError) as caught:
            await client.wait_for_artifacts(REPO, ["one", "two"], run_id=running.id, timeout=40, interval=15)
        assert caught.value.run.status == "in_progress"
        assert caught.value.run.id == running.id
        assert str(caught.value) == (
            f"run {running.id} of {REPO} is in_progress and has no artifacts named 'one', 'two' after 40 s; "
            "pass a larger timeout to wait longer"
        )

    async def test_a_failed_run_at_the_deadline(self, github, client, running):
        """Its conclusion is told, with the advice to wait longer."""
        end(github, running, "failure")
        with pytest.raises(WaitTimeoutError, match=r"has ended \(failure\) and has no artifact.*after 20 s"):
            await client.wait_for_artifact(REPO, "docs", run_id=running.id, timeout=20, fail_fast=False)

    async def test_an_unknown_run_is_an_error_at_once(self, github, client, run):
        """Nothing says that it will ever be there."""
        with pytest.raises(NotFoundError):
            await client.wait_for_artifact(REPO, "docs", run_id=run.id + 1, timeout=600)
        assert len(github.requests) == 1


class TestOfTheRunItself:
    """wait_for_run."""

    async def test_it_returns_whatever_the_conclusion(self, github, client, running):
        """A failure is an answer, not an error."""
        later(100, end, github, running, "failure")
        github.set_rate_limit(remaining=5000)
        with Timer() as timer:
            found = await client.wait_for_run(REPO, running.id, timeout=600)
        assert (found.status, found.conclusion) == ("completed", "failure")
        assert 100 <= timer.seconds < 116
        assert set(operations(github)) == {"actions/get-workflow-run"}
        assert client.rate_limit is not None
        assert client.rate_limit.remaining == 4998

    async def test_out_of_time(self, client, running):
        """The error has the run as last seen."""
        with pytest.raises(WaitTimeoutError, match=r"is in_progress after 30 s; pass a larger timeout") as caught:
            await client.wait_for_run(REPO, running.id, timeout=30)
        assert caught.value.run.status == "in_progress"
        assert caught.value.missing == ()

    async def test_an_answer_after_the_deadline_is_cut_off(self, github, running):
        """The requests count too."""
        github.faults.slow_headers(times=None, where="api")
        async with client_for(github, timeouts=Timeouts(read=None)) as client:
            with Timer() as timer, pytest.raises(WaitTimeoutError, match="has not been seen after 5 s") as caught:
                await client.wait_for_run(REPO, running.id, timeout=5)
        assert timer.seconds == pytest.approx(5, abs=0.5)
        assert caught.value.run is None

    async def test_a_request_that_times_out_by_itself_is_no_end_of_the_wait(self, github, running):
        """It is told as what it is."""
        github.faults.slow_headers(times=None, where="api")
        async with client_for(github, retry=ONE_TRY, timeouts=Timeouts(read=1.0)) as client:
            with pytest.raises(RequestTimeoutError):
                await client.wait_for_run(REPO, running.id, timeout=500)

    async def test_a_pause_of_the_rate_limit_is_sat_out(self, github, running):
        """The session waits; the wait does not end."""
        later(5, end, github, running)
        github.faults.secondary_limit(retry_after=60)
        async with client_for(github, retry=RetryPolicy(attempts=2)) as client:
            with Timer() as timer:
                await client.wait_for_run(REPO, running.id, timeout=600)
        assert 60 <= timer.seconds < 70

    async def test_a_cancel_ends_it(self, client, running):
        """No task is left behind."""
        task = asyncio.ensure_future(client.wait_for_run(REPO, running.id, timeout=600))
        await asyncio.sleep(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


WRONG = [{"timeout": 0}, {"timeout": -1.0}, {"timeout": float("nan")}, {"timeout": 5, "interval": 0}]


@pytest.mark.parametrize("wrong", WRONG)
async def test_wrong_times_are_refused_before_any_request(github, client, running, wrong):
    """Whoever waits for no time has made a mistake."""
    with pytest.raises(ConfigurationError):
        await client.wait_for_artifact(REPO, "docs", **wrong)
    with pytest.raises(ConfigurationError):
        await client.wait_for_run(REPO, running.id, **wrong)
    assert github.requests == []


@pytest.mark.parametrize(("names", "run_id"), [("docs", None), ([""], None), ([7], None), (["docs"], 0)])
async def test_wrong_subjects_are_refused_before_any_request(github, client, names, run_id):
    """A string is no sequence of names."""
    with pytest.raises(ConfigurationError):
        await client.wait_for_artifacts(REPO, names, run_id=run_id, timeout=5)
    assert github.requests == []
