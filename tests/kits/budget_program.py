"""A process that downloads its share of a run's artifacts: ``URL BUDGET MINUTE NUMBER OF DIRECTORY``."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

from gh_artifacts_async import ArtifactsClient, Limits, budgets, raise_for_failures
from gh_artifacts_async.budgets import redis

REPO = "octo-org/octo-docs"


async def main(url: str, budget_url: str, minute: int, number: int, of: int, directory: str) -> None:
    """Download every ``of``-th artifact; with a minute that is shorter than GitHub's, as the fake's is."""
    redis.WINDOW = minute + 1
    async with AsyncExitStack() as stack:
        budget = None
        if budget_url:
            budget = await stack.enter_async_context(budgets.RedisBudget(budget_url, key="four-processes"))
        limits = Limits(budget=budget)
        made = ArtifactsClient("token", base_url=url, limits=limits, user_agent=f"process-{number}")
        client = await stack.enter_async_context(made)
        artifacts = [artifact async for artifact in client.list_artifacts(REPO) if artifact.id % of == number]
        outcomes = await stack.enter_async_context(client.download_many(artifacts, directory, if_exists="error"))
        found = [outcome async for outcome in outcomes]
    raise_for_failures(found)
    sys.stdout.write(f"{len(found)}\n")


if __name__ == "__main__":
    _, its_url, its_budget, its_minute, its_number, its_of, its_directory = sys.argv
    asyncio.run(main(its_url, its_budget, int(its_minute), int(its_number), int(its_of), its_directory))
