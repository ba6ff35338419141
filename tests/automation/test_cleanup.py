"""Plans over a repository, and what applying them deletes."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactsClient,
    AuthenticationError,
    CleanupPlan,
    ClientClosedError,
    ConfigurationError,
    MissingTokenError,
    NotFoundError,
    PermissionDeniedError,
    PlanRefusedError,
    RateLimitError,
    RetentionPolicy,
)
from gh_artifacts_async.automation import now
from gh_artifacts_async.automation.retention import PlannedArtifact
from tests.kits.api import ONCE, QUICK
from tests.kits.processes import carried_out, program, until
from tests.kits.transfer import REPO, client_for

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import Outcome
    from gh_artifacts_async.testing import FakeGitHub

OLD = RetentionPolicy(older_than=timedelta(days=30))


@pytest.fixture
def at(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wall clock be the fake's."""
    monkeypatch.setattr(now, "utcnow", github.clock.now)


def fill(github: FakeGitHub, old: int, new: int = 0, **values: Any) -> tuple[set[int], set[int]]:
    """Add artifacts of 40 days ago, and of today; return their ids."""
    run = github.add_run(REPO)
    ago = github.clock.now() - timedelta(days=40)
    before = {
        github.add_artifact(run, f"old-{it}", created_at=ago, size=200, size_in_bytes=200, **values)
        for it in range(old)
    }
    return before, {github.add_artifact(run, f"new-{it}", size=200, size_in_bytes=200, **values) for it in range(new)}


async def ids(client: ArtifactsClient) -> set[int]:
    """Return what the repository has."""
    return {artifact.id async for artifact in client.list_artifacts(REPO)}


async def applied(client: ArtifactsClient, plan: CleanupPlan, **options: Any) -> list[Outcome[None]]:
    """Apply a plan to its end."""
    async with client.apply_cleanup(plan, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def deletions(github: FakeGitHub) -> list[int | None]:
    """Return the ids of the DELETEs that arrived."""
    return [record.artifact_id for record in github.requests if record.method == "DELETE"]


@pytest.mark.usefixtures("at")
class TestPlan:
    """``plan_cleanup``."""

    async def test_the_whole_repository_is_listed_and_nothing_is_deleted(self, github, client):
        """All pages, one request each; the plan says where and when."""
        old, new = fill(github, 150, 120)
        plan = await client.plan_cleanup(REPO, OLD)
        assert {it.artifact.id for it in plan.delete} == old
        assert {it.artifact.id for it in plan.keep} == new
        assert (plan.bytes_freed, plan.bytes_kept, str(plan.repository)) == (150 * 200, 120 * 200, REPO)
        assert abs(plan.created_at - github.clock.now()) < timedelta(minutes=1)
        assert [record.method for record in github.requests] == ["GET"] * 3

    async def test_twins_are_told_apart_by_id(self, github, client, run):
        """A re-run's artifacts of the same name: the newest by time is kept, though its id is lower."""
        created = github.clock.now()
        numbers = {50: 2, 40: 0, 30: 1}
        for number, hours in numbers.items():
            github.add_artifact(run, "wheel", id=number, created_at=created - timedelta(hours=hours))
        plan = await client.plan_cleanup(REPO, RetentionPolicy(keep_latest=1))
        assert [it.artifact.id for it in plan.delete] == [50, 30]
        assert all(outcome.ok for outcome in await applied(client, plan))
        assert await ids(client) == {40}

    async def test_what_is_deleted_while_it_is_listed(self, github, client):
        """It may be in the plan, and does no harm there; nothing else is lost from the plan."""
        old, _ = fill(github, 250)
        gone = sorted(old)[::50]

        def remove(_page: object) -> None:
            github.on_page(None)
            for number in gone:
                github.remove_artifact(number)

        github.on_page(remove)
        plan = await client.plan_cleanup(REPO, OLD)
        assert {it.artifact.id for it in plan.delete} >= old - set(gone)
        async with client_for(github, limits=QUICK) as quick:
            assert all(outcome.ok for outcome in await applied(quick, plan))
        assert await ids(client) == set()

    async def test_a_plan_needs_no_token(self, github):
        """A public repository can be looked at by anybody."""
        fill(github, 1)
        async with client_for(github, None) as anybody:
            assert len((await anybody.plan_cleanup(REPO, OLD)).delete) == 1


@pytest.mark.usefixtures("at")
class TestApply:
    """``apply_cleanup``."""

    @pytest.mark.parametrize("count", [120, pytest.param(2000, marks=pytest.mark.slow)])
    async def test_just_the_plan_is_deleted_while_others_are_created(self, github, count):
        """As many artifacts as planned, in the plan's order; those that are created meanwhile stay."""
        old, new = fill(github, count, 10)
        run = github.add_run(REPO)
        async with client_for(github, limits=QUICK) as client:
            plan = await client.plan_cleanup(REPO, OLD)
            async with client.apply_cleanup(plan) as outcomes:
                async for outcome in outcomes:
                    assert outcome.ok
                    ago = github.clock.now() - timedelta(days=50)
                    new.add(
                        github.add_artifact(
                            run, f"later-{outcome.artifact.id}", size=200, size_in_bytes=200, created_at=ago
                        )
                    )
            assert deletions(github) == [it.artifact.id for it in plan.delete]
            assert set(deletions(github)) == old
            assert await ids(client) == new

    async def test_it_is_paced_and_sent_one_at_a_time(self, github, client):
        """A second between deletions, as GitHub asks for."""
        fill(github, 10)
        plan = await client.plan_cleanup(REPO, OLD)
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcomes = await applied(client, plan)
        assert all(outcome.ok for outcome in outcomes)
        assert 9 <= loop.time() - began < 12
        times = [record.time for record in github.requests if record.method == "DELETE"]
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.9

    async def test_again(self, github, client):
        """What is not there any more is done: one GET asks whether the repository is there at all."""
        fill(github, 5)
        plan = await client.plan_cleanup(REPO, OLD)
        await applied(client, plan)
        github.forget_requests()
        assert [outcome.ok for outcome in await applied(client, plan)] == [True] * 5
        assert [record.method for record in github.requests] == ["DELETE", "GET", *["DELETE"] * 4]

    async def test_after_a_success_nobody_asks_whether_the_repository_is_there(self, github, client):
        """Whoever could delete in it can see it."""
        old, _ = fill(github, 2)
        plan = await client.plan_cleanup(REPO, OLD)
        github.remove_artifact(max(old))
        github.forget_requests()
        assert [outcome.ok for outcome in await applied(client, plan)] == [True] * 2
        assert [record.method for record in github.requests] == ["DELETE"] * 2

    async def test_a_repository_that_cannot_be_seen(self, github, client):
        """Its 404s are no success: the first ends it."""
        plan = CleanupPlan.of([ArtifactRef("octo-org/secret", it) for it in (1, 2, 3)])
        outcomes = await applied(client, plan)
        assert {type(outcome.error) for outcome in outcomes} == {NotFoundError}
        assert [record.method for record in github.requests] == ["DELETE", "GET"]

    @pytest.mark.parametrize(
        ("break_it", "error"),
        [
            (lambda github, it: github.faults.forbidden(it, None, permissions="actions=write"), PermissionDeniedError),
            (lambda github, it: github.faults.status(it, 401, None, where="api"), AuthenticationError),
            (lambda github, it: github.faults.rate_limit(it, None, reset_in=7200.0), RateLimitError),
        ],
        ids=["403", "401", "rate limit"],
    )
    async def test_what_stops_it_stops_it_at_once(self, github, client, break_it, error):
        """Nothing more is sent, and what is left gets the same error."""
        fill(github, 6, 2)
        plan = await client.plan_cleanup(REPO, OLD)
        third = plan.delete[2].artifact.id
        break_it(github, third)
        outcomes = await applied(client, plan)
        assert [outcome.artifact.id for outcome in outcomes] == [it.artifact.id for it in plan.delete]
        assert [outcome.ok for outcome in outcomes] == [True] * 2 + [False] * 4
        assert {type(outcome.error) for outcome in outcomes if not outcome.ok} <= {error, *error.__subclasses__()}
        assert len({id(outcome.error) for outcome in outcomes[2:]}) == 1
        assert deletions(github) == [it.artifact.id for it in plan.delete[:3]]

    async def test_another_failure_is_one_artifacts_own(self, github):
        """The others are deleted."""
        fill(github, 4)
        async with client_for(github, limits=QUICK, retry=ONCE) as client:
            plan = await client.plan_cleanup(REPO, OLD)
            github.faults.status(plan.delete[1].artifact.id, 500, None, where="api")
            assert [outcome.ok for outcome in await applied(client, plan)] == [True, False, True, True]

    async def test_the_answer_to_a_deletion_may_be_lost(self, github, client):
        """It is sent again, and what is not found then was deleted."""
        fill(github, 3)
        plan = await client.plan_cleanup(REPO, OLD)
        github.faults.cut(plan.delete[0].artifact.id, at=0, where="api")
        assert [outcome.ok for outcome in await applied(client, plan)] == [True] * 3
        assert await ids(client) == set()

    async def test_leaving_the_block_cancels_what_is_left(self, github, client):
        """A deletion may be under way; no other follows."""
        fill(github, 6)
        plan = await client.plan_cleanup(REPO, OLD)
        async with client.apply_cleanup(plan) as outcomes:
            async for _outcome in outcomes:
                break
        sent = len(deletions(github))
        assert sent <= 3
        await asyncio.sleep(30)
        assert len(deletions(github)) == sent

    @pytest.mark.parametrize("seed", range(8))
    async def test_cancelled_at_any_point_and_applied_again(self, github, client, seed):
        """It ends the same, and nothing beyond the plan is gone."""
        old, new = fill(github, 8, 3)
        plan = await client.plan_cleanup(REPO, OLD)
        chance = random.Random(seed)  # noqa: S311 - any points will do
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(chance.random() * 2.5):
                    await applied(client, plan)
            assert new <= await ids(client) <= new | old
        assert all(outcome.ok for outcome in await applied(client, plan))
        assert await ids(client) == new
        assert set(deletions(github)) == old

    async def test_what_was_consumed(self, github, client):
        """A plan of what was done with, in two repositories."""
        mine = github.add_artifact(github.add_run(REPO), "docs")
        other = github.add_artifact(github.add_run("octo-org/other"), "docs")
        stays = github.add_artifact(github.add_run(REPO), "docs")
        artifact = await client.get_artifact(REPO, mine)
        plan = CleanupPlan.of([artifact, ArtifactRef("octo-org/other", other)])
        assert [outcome.ok for outcome in await applied(client, plan)] == [True, True]
        assert await ids(client) == {stays}

    async def test_an_empty_plan(self, github, client):
        """There is nothing to do."""
        assert await applied(client, CleanupPlan.of([])) == []
        assert github.requests == []


class TestRefused:
    """What is refused before anything is sent."""

    @pytest.fixture
    def plan(self) -> CleanupPlan:
        """A plan that was made just now."""
        return CleanupPlan.of([ArtifactRef(REPO, 7)])

    async def test_a_plan_that_is_too_old(self, github, client, plan, monkeypatch):
        """An hour by default; ``max_age`` says otherwise, and None allows any age."""
        later = plan.created_at + timedelta(seconds=3601)
        monkeypatch.setattr(now, "utcnow", lambda: later)
        with pytest.raises(PlanRefusedError, match=r"3,601 seconds old, and 3,600 are allowed; make a new plan"):
            client.apply_cleanup(plan)
        with pytest.raises(PlanRefusedError):
            client.apply_cleanup(plan, max_age=0)
        assert github.requests == []
        github.add_artifact(github.add_run(REPO), "docs", id=7)
        assert [it.ok for it in await applied(client, plan, max_age=None)] == [True]
        assert [it.ok for it in await applied(client, plan, max_age=3602)] == [True]

    @pytest.mark.parametrize("wrong", [-1, "1h", True, float("nan")])
    async def test_an_age_that_is_none(self, client, plan, wrong):
        """It must be a number of seconds."""
        with pytest.raises(ConfigurationError, match="max_age must be a number of 0 or more"):
            client.apply_cleanup(plan, max_age=wrong)

    async def test_without_a_token(self, github, plan):
        """The error says which variables count, and nothing is sent."""
        async with client_for(github, None) as anybody:
            with pytest.raises(MissingTokenError, match=r"^deleting artifacts needs a token; pass one, or set GH_"):
                anybody.apply_cleanup(plan)
        assert github.requests == []

    async def test_a_closed_client(self, github, plan):
        """It is an error in the block's first line."""
        async with client_for(github) as client:
            pass
        with pytest.raises(ClientClosedError):
            async with client.apply_cleanup(plan):
                pass

    async def test_an_artifact_of_no_repository(self, github, client, plan):
        """A plan that was put together by hand may have one: it fails, and nothing is sent for it."""
        homeless = Artifact(
            id=1, name="x", size_in_bytes=1, url="u", archive_download_url="d", expired=False, repository=None
        )
        plan = CleanupPlan(delete=(PlannedArtifact(homeless, "x"),), created_at=plan.created_at)
        (outcome,) = await applied(client, plan)
        assert isinstance(outcome.error, ConfigurationError)
        assert github.requests == []


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("count", "kills"),
    [pytest.param(60, 1, marks=[pytest.mark.slow, pytest.mark.sample]), pytest.param(400, 6, marks=pytest.mark.slow)],
)
async def test_killed_and_applied_again(github: FakeGitHub, tmp_path: Path, count: int, kills: int) -> None:
    """A process that is killed at random points, and one that applies the same plan: just the plan is deleted."""
    old, new = fill(github, count, 5)
    chance = random.Random(kills)  # noqa: S311 - any points will do
    async with client_for(github, limits=QUICK) as client:
        plan = CleanupPlan.of([it async for it in client.list_artifacts(REPO) if it.id in old])
        file = tmp_path / "plan"
        file.write_bytes(pickle.dumps(plan))
        step = ["cleanup", str(file)]
        github.faults.drip(chunk=1, interval=0.002, times=None)
        left: set[int] = set()
        for _ in range(kills):
            github.forget_requests()
            async with program(github, tmp_path, step) as applying:
                most = chance.randrange(1, count // 4)
                await until(lambda most=most: len(deletions(github)) > most)  # type: ignore[misc]
                await applying.kill()
            left = await ids(client)
            assert new <= left <= new | old
        assert left > new
        (outcomes,) = await carried_out(github, tmp_path, step)
        assert outcomes == [None] * count
        assert await ids(client) == new
