"""Dask clusters for tests: in this process, or with worker processes, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import Client, LocalCluster

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


_DESCRIPTORS = Path("/proc/self/fd")


@asynccontextmanager
async def dask_cluster(*, processes: bool = False, workers: int = 2, **arguments: Any) -> AsyncGenerator[Client]:
    """Yield an asynchronous client of a new cluster, whose scheduler is in this process; it says only what is wrong."""
    before, tasks = _pipes(), _tasks()
    given = {"n_workers": workers, "threads_per_worker": 2, "processes": processes, "dashboard_address": "127.0.0.1:0"}
    async with (
        LocalCluster(**given, silence_logs=logging.ERROR, asynchronous=True, **arguments) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        yield client
    for _ in range(200):  # what Dask closes in the background
        pipes = _pipes() - before
        if not _tasks() - tasks and not pipes:
            break
        if pipes:
            gc.collect()
        await asyncio.sleep(0.01)


def _tasks() -> set[asyncio.Task[Any]]:
    """Return Dask's tasks."""
    return {task for task in asyncio.all_tasks() if "distributed" in task.get_coro().cr_code.co_filename}


def _pipes() -> set[str]:
    """Return the open pipes: to worker processes, and those of processes that were killed."""
    found = set()
    for entry in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        with contextlib.suppress(OSError):  # the one that listed the folder is closed again
            found.add(str(entry.readlink()))
    return {it for it in found if it.startswith("pipe:")}


def scheduler_of(client: Client) -> Any:
    """Return the scheduler itself."""
    return client.cluster.scheduler


def workers_of(client: Client) -> list[Any]:
    """Return the workers of a cluster in this process."""
    return list(client.cluster.workers.values())
