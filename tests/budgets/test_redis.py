"""A budget in Redis, which lives in real time."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient, BudgetUnavailableError, ConfigurationError, Lease, Limits
from gh_artifacts_async.budgets import RedisBudget
from gh_artifacts_async.budgets import redis as module
from tests.kits.api import REPO, TOKEN
from tests.kits.redisserver import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from gh_artifacts_async.testing import FakeGitHub, FakeRun

PASSWORD = "canary-Passw0rd"


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    """A server of this module's own."""
    with redis_server() as its_url:
        yield its_url


keys = (f"bot-{number}" for number in itertools.count())


@pytest.fixture
async def budget_of(url: str) -> AsyncGenerator[Callable[..., RedisBudget]]:
    """Make budgets; each test has a key of its own."""
    key, made = next(keys), []

    def make(**arguments: object) -> RedisBudget:
        made.append(RedisBudget(url, **{"key": key, **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for budget in made:
        await budget.aclose()


@pytest.mark.realtime
async def test_processes_share_points(budget_of: Callable[..., RedisBudget]):
    """What one spends the other cannot; who gets none is told when to ask again."""
    first, second = budget_of(points_per_minute=10), budget_of(points_per_minute=10)
    assert await first.lease(4) == Lease(points=4)
    assert await second.lease(4) == Lease(points=4)
    refused = await first.lease(4)
    assert refused.points == 0
    assert 55 < refused.wait <= 62
    assert await second.lease(2) == Lease(points=2)
    assert (await second.lease(1)).points == 0


@pytest.mark.realtime
async def test_points_come_back(budget_of: Callable[..., RedisBudget], monkeypatch: pytest.MonkeyPatch):
    """When the window has passed, and not before."""
    monkeypatch.setattr(module, "WINDOW", 1)
    budget = budget_of(points_per_minute=5, mutation_interval=None)
    began = time.monotonic()
    await budget.lease(5)
    granted = 0
    while not granted:
        lease = await budget.lease(1)
        granted = lease.points
        await asyncio.sleep(lease.wait)
    assert 0.95 < time.monotonic() - began < 3


@pytest.mark.realtime
async def test_processes_share_pauses(budget_of: Callable[..., RedisBudget]):
    """Within half a second the other one knows; a shorter pause does not shorten a longer one."""
    first, second = budget_of(), budget_of()
    assert (await first.paused(), await second.paused()) == (0, 0)
    await first.pause(30, "secondary")
    await first.pause(1, "primary")
    assert await first.paused() == pytest.approx(30, abs=1)
    published = time.monotonic()
    while not await second.paused():
        await asyncio.sleep(0.01)
    assert time.monotonic() - published < 0.5
    assert await second.paused() == pytest.approx(30, abs=1)


@pytest.mark.realtime
async def test_processes_share_the_interval_between_mutations(budget_of: Callable[..., RedisBudget]):
    """A DELETE of one process keeps its distance from one of another; GETs need not wait for it."""
    first, second = budget_of(mutation_interval=5), budget_of(mutation_interval=5)
    assert await first.lease(5) == Lease(points=5)
    refused = await second.lease(5)
    assert refused.points == 0
    assert 4 < refused.wait <= 5
    assert await second.lease(4) == Lease(points=4)
    assert await budget_of(mutation_interval=None).lease(5) == Lease(points=5)


@pytest.mark.realtime
async def test_keys_hold_no_secret(budget_of: Callable[..., RedisBudget]):
    """The keys are named after the budget's own key, and all of them expire."""
    budget = budget_of(key="named")
    await budget.lease(5)
    await budget.pause(5, "secondary")
    names = [name.decode() async for name in budget._redis.scan_iter("*named*")]
    assert len(names) == 3
    assert all("gh-artifacts" in name for name in names)
    for name in names:
        assert 0 < await budget._redis.pttl(name) <= 62_000


@pytest.mark.realtime
def test_it_belongs_to_one_event_loop(url: str):
    """On another one its connections could not be used; the error says what to do."""
    budget = RedisBudget(url, key="loops")

    async def use() -> None:
        await budget.lease(1)
        await budget.paused()
        await budget.pause(1, "primary")

    async def use_elsewhere() -> None:
        for answer in (budget.lease(1), budget.pause(1, "primary")):
            with pytest.raises(ConfigurationError, match="another event loop"):
                await answer

    with asyncio.Runner() as runner:
        runner.run(use())
        with asyncio.Runner() as other:
            other.run(use_elsewhere())
        runner.run(budget.aclose())


@pytest.mark.realtime
async def test_redis_that_forgets_its_scripts(budget_of: Callable[..., RedisBudget]):
    """A restart of Redis loses scripts, points and pauses; the budget works on."""
    budget = budget_of(points_per_minute=10)
    await budget.lease(4)
    await budget._redis.script_flush()
    await budget._redis.flushdb()
    assert await budget.lease(4) == Lease(points=4)
    await budget.pause(5, "secondary")
    await budget._redis.script_flush()
    assert (await budget.lease(8)).points == 0


@pytest.mark.realtime
async def test_redis_is_told_no_secret(url: str, github: FakeGitHub, run: FakeRun):
    """Neither a key nor a value in Redis has anything of the token, or of what is fetched."""
    async with RedisBudget(url, key="canary") as budget:
        async with ArtifactsClient(TOKEN, base_url=github.base_url, limits=Limits(budget=budget)) as client:
            await client.get_artifact(REPO, github.add_artifact(run, "canary-name"))
            await budget.pause(30, "secondary")
        stored = b""
        async for name in budget._redis.scan_iter("*"):
            kind = await budget._redis.type(name)
            values = await (budget._redis.lrange(name, 0, -1) if kind == b"list" else budget._redis.mget(name))  # type: ignore[misc]
            stored += name + b" " + b" ".join(values) + b"\n"
    assert b"canary:pause secondary" in stored
    assert TOKEN.encode() not in stored
    assert b"canary-name" not in stored


@pytest.mark.realtime
async def test_a_client_with_a_budget(budget_of: Callable[..., RedisBudget], github: FakeGitHub, run: FakeRun):
    """GETs are leased together, and each call is made; a deletion costs five."""
    budget = budget_of(points_per_minute=40, mutation_interval=None)
    asked: list[int] = []
    lease = budget.lease

    async def noted(points: int) -> Lease:
        asked.append(points)
        return await lease(points)

    budget.lease = noted  # type: ignore[method-assign]
    artifact_id = github.add_artifact(run, "docs")
    limits = Limits(budget=budget, mutation_interval=None)
    async with ArtifactsClient("token", base_url=github.base_url, limits=limits) as client:
        async with asyncio.TaskGroup() as group:
            for _ in range(24):
                group.create_task(client.get_workflow_run(REPO, run.id))
        await client.delete_artifact(REPO, artifact_id)
    assert len(github.requests) == 25
    assert len(asked) < 20
    assert asked[-1] == 5
    assert max(asked) == 5


@pytest.mark.realtime
@pytest.mark.slow
async def test_a_server_that_goes_away(github: FakeGitHub, run: FakeRun):
    """One clear error, soon, and nothing is sent without points; when it is back, so is the client."""
    with redis_server() as its_url:
        budget = RedisBudget(its_url, key="gone")
        limits = Limits(budget=budget)
        client = ArtifactsClient("token", base_url=github.base_url, limits=limits)
        for _ in range(3):
            await client.get_workflow_run(REPO, run.id)
    try:
        sent = len(github.requests)
        began = time.monotonic()
        results = await asyncio.gather(
            *(client.get_workflow_run(REPO, run.id) for _ in range(5)), return_exceptions=True
        )
        assert time.monotonic() - began < 20
        assert {type(result) for result in results} == {BudgetUnavailableError}
        assert "nothing is sent without it" in str(results[0])
        assert len(github.requests) == sent
    finally:
        await client.aclose()
        await budget.aclose()


# --- what it is made of


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"key": ""}, "key must be"),
        ({"key": None}, "key must be"),
        ({"points_per_minute": 4}, "points_per_minute"),
        ({"points_per_minute": 8.5}, "points_per_minute"),
        ({"mutation_interval": -1}, "mutation_interval"),
        ({"mutation_interval": "1"}, "mutation_interval"),
        ({"url": "localhost"}, "url must be"),
        ({"url": "redis://"}, "url must be"),
        ({"url": "redis://host:port"}, "url must be"),
        ({"url": "unix://"}, "url must be"),
        ({"url": 7}, "url must be"),
    ],
)
def test_invalid_arguments(arguments: dict[str, object], match: str):
    """Each is one clear error before anything is connected."""
    given = {"url": f"redis://:{PASSWORD}@localhost", "key": "bot", **arguments}
    with pytest.raises(ConfigurationError, match=match) as caught:
        RedisBudget(given.pop("url"), **given)  # type: ignore[arg-type]
    assert PASSWORD not in str(caught.value)
    frame = caught.value.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__") == module.__name__:
            assert PASSWORD not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


async def test_no_password_is_shown():
    """Neither in the repr nor in the error of a server that is not there."""
    budget = RedisBudget(f"redis://:{PASSWORD}@127.0.0.1:1/0", key="bot")
    assert repr(budget) == "RedisBudget('127.0.0.1:1', key='bot')"
    async with budget:
        for ask in (budget.lease(1), budget.pause(1, "primary"), budget.paused()):
            with pytest.raises(BudgetUnavailableError, match=r"Redis at 127\.0\.0\.1:1 cannot be used") as caught:
                await ask
            assert PASSWORD not in f"{caught.value!r} {vars(caught.value)}"
            assert caught.value.__context__ is None
            assert caught.value.host == "127.0.0.1:1"


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "limits", None)
    with pytest.raises(ConfigurationError, match=r'pip install "gh-artifacts-async\[shared\]"'):
        RedisBudget("redis://localhost", key="bot")
