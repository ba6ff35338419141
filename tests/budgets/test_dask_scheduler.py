"""What a Dask scheduler keeps for DaskBudget, on the jumping clock, without Dask's network."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gh_artifacts_async.budgets import dask_scheduler
from gh_artifacts_async.budgets.dask_scheduler import HANDLER, BudgetPlugin


@pytest.fixture
async def ask() -> Any:
    """Ask a scheduler that has the plugin, as a budget of ten points a minute."""
    scheduler = SimpleNamespace(handlers={})
    await BudgetPlugin().start(scheduler)

    def asked(action: str, **arguments: object) -> dict[str, Any]:
        given = {"key": "bot", "points_per_minute": 10, "mutation_interval": 1.0, **arguments}
        return scheduler.handlers[HANDLER](action=action, **given)

    return asked


async def test_a_window_for_each_key(ask):
    """Ten points, then none until a minute and a little more has passed; another key has its own."""
    assert ask("lease", points=4)["points"] == 4
    assert ask("lease", points=4)["points"] == 4
    refused = ask("lease", points=4)
    assert refused["points"] == 0
    assert 60 < refused["wait"] <= 62
    assert ask("lease", points=2)["points"] == 2
    assert ask("lease", points=4, key="other bot")["points"] == 4
    await asyncio.sleep(61)
    assert ask("lease", points=1)["points"] == 0
    await asyncio.sleep(1.1)
    assert ask("lease", points=4)["points"] == 4


async def test_a_pause_is_for_all_of_a_key(ask):
    """Nothing is leased while it lasts; a shorter one does not shorten it."""
    assert ask("look")["paused"] == 0
    ask("pause", seconds=30)
    ask("pause", seconds=3)
    assert ask("look")["paused"] == pytest.approx(30, abs=0.5)
    refused = ask("lease", points=1)
    assert (refused["points"], refused["wait"]) == (0, pytest.approx(30, abs=0.5))
    assert ask("look", key="other bot")["paused"] == 0
    await asyncio.sleep(30)
    assert ask("lease", points=1)["points"] == 1


async def test_mutations_keep_their_distance(ask):
    """One a second, whoever sends it; GETs need not wait, and the interval may be off."""
    assert ask("lease", points=5)["points"] == 5
    refused = ask("lease", points=5)
    assert refused["points"] == 0
    assert 0.5 < refused["wait"] <= 1
    assert ask("lease", points=4)["points"] == 4
    assert [ask("lease", points=5, key="off", mutation_interval=None)["points"] for _ in range(2)] == [5, 5]


async def test_a_key_has_one_pair_of_numbers(ask):
    """Other ones are refused while it is in use, and taken afterwards."""
    ask("lease", points=1)
    assert ask("lease", points=1, points_per_minute=20) == {"conflict": (10, 1.0)}
    assert ask("look", mutation_interval=2.0) == {"conflict": (10, 1.0)}
    await asyncio.sleep(dask_scheduler.WINDOW)
    ask("pause", seconds=5)
    await asyncio.sleep(4)
    assert "conflict" in ask("lease", points=20, points_per_minute=20)
    await asyncio.sleep(2)
    assert ask("lease", points=20, points_per_minute=20)["points"] == 20
