"""Where the points of a client's API calls come from: a window of its own, or one that several processes share.

GitHub counts the requests of one token together, whatever process sends them
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). With one :class:`RedisBudget` in each
process they stay under one limit and pause together::

    async with RedisBudget("redis://localhost", key="docs-bot") as budget:
        async with ArtifactsClient("TOKEN", limits=Limits(budget=budget)) as client:
            ...

Where the processes are workers of a Dask cluster, a :class:`DaskBudget` needs no other server than its scheduler.
"""

from __future__ import annotations

from gh_artifacts_async.budgets.dask import DaskBudget
from gh_artifacts_async.budgets.local import LocalBudget
from gh_artifacts_async.budgets.redis import RedisBudget

__all__ = ["DaskBudget", "LocalBudget", "RedisBudget"]
