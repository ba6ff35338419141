"""Dask clusters for tests: in this process, or with worker processes, on loopback."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from distributed import Client, LocalCluster

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def dask_cluster(*, processes: bool = False, workers: int = 2, **arguments: Any) -> AsyncGenerator[Client]:
    """Yield an asynchronous client of a new cluster, whose scheduler is in this process; it says only what is wrong."""
    given = {"n_workers": workers, "threads_per_worker": 2, "processes": processes, "dashboard_address": "127.0.0.1:0"}
    async with (
        LocalCluster(**given, silence_logs=logging.ERROR, asynchronous=True, **arguments) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        yield client
    for _ in range(100):  # what Dask closes in the background
        if not any("distributed" in task.get_coro().cr_code.co_filename for task in asyncio.all_tasks()):
            break
        await asyncio.sleep(0.01)


def scheduler_of(client: Client) -> Any:
    """Return the scheduler itself."""
    return client.cluster.scheduler


def workers_of(client: Client) -> list[Any]:
    """Return the workers of a cluster in this process."""
    return list(client.cluster.workers.values())
