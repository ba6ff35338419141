"""What runs on a worker: one client for as long as a fleet works there, and a task for each repository."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from distributed import WorkerPlugin, get_worker

from gh_artifacts_async.budgets import DaskBudget
from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.errors import ArtifactsError, PlanRefusedError
from gh_artifacts_async.fleet import cluster
from gh_artifacts_async.fleet.reports import RepositoryReport, sendable
from gh_artifacts_async.results import Failure
from gh_artifacts_async.settings import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

    from distributed import Worker
    from obstore.store import ObjectStore

    from gh_artifacts_async.automation.criteria import ArtifactQuery
    from gh_artifacts_async.automation.mirror import MirrorReport
    from gh_artifacts_async.fleet.orders import Order
    from gh_artifacts_async.models import Artifact, RepositoryName
    from gh_artifacts_async.results import Outcome, StoredResult
    from gh_artifacts_async.settings import Layout


_ANY_AGE = timedelta(microseconds=1)
_OTHER_ENDS = 10.0
"""Seconds for another worker's mirror of the same folder to end."""
_ASK_AGAIN = 0.2
_ENDED = "the fleet's work was ended"


class FleetPlugin(WorkerPlugin):
    """Holds a worker's client, and does the work; workers that join, or are started again, get one too.

    Attributes:
        name: which fleet's.
    """

    def __init__(self, name: str, order: Order) -> None:
        """Keep what the workers are told: this is what is sent to them."""
        self.name = name
        self._order = order

    def setup(self, worker: Worker) -> None:
        """Start without a client: it is made when it is first needed."""
        self._worker: Any = worker
        self._client: WorkerClient | None = None
        self._tasks: set[asyncio.Task[RepositoryReport]] = set()

    async def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """End what is under way, and close the client."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def mirror(self, repository: RepositoryName) -> RepositoryReport:
        """Return the report of one repository; whatever ends the work is its error.

        It is a task of its own: Dask does not end a coroutine that it no longer wants, so the teardown does.
        """
        task = asyncio.create_task(self._mirror(repository))
        self._tasks.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled() or _is_cancelled():
                raise
            return RepositoryReport(repository=repository, error=ArtifactsError(_ENDED))
        finally:
            self._tasks.discard(task)

    async def _mirror(self, repository: RepositoryName) -> RepositoryReport:
        worker: str = self._worker.address
        try:
            report = await self._done(repository)
        except Exception as error:  # noqa: BLE001 - one repository's failure must not stop the others
            report = RepositoryReport(repository=repository, error=error.with_traceback(None))
        return sendable(attrs.evolve(report, worker=worker))

    async def _done(self, repository: RepositoryName) -> RepositoryReport:
        for address in (self._worker.address, self._worker.scheduler.address):  # it may have joined since the check
            cluster.check_private(address)
        if self._client is None:
            self._client = self._made()
        if isinstance(self._order.destination, str):
            return await self._into_folder(self._client, repository)
        return await self._into_store(self._client, repository)

    def _made(self) -> WorkerClient:
        order = self._order
        budget = order.budget
        if isinstance(budget, DaskBudget):
            budget = budget.bound_to(self._worker)
        limits = attrs.evolve(order.limits or Limits(), budget=budget)
        return WorkerClient.from_env(**order.options, limits=limits)

    async def _into_folder(self, client: ArtifactsClient, repository: RepositoryName) -> RepositoryReport:
        """Mirror into a folder; a worker that the scheduler has given up may be at work in it for a moment yet."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _OTHER_ENDS
        done: MirrorReport | None = None
        while done is None:
            try:
                done = await self._mirrored(client, repository)
            except PlanRefusedError:
                if loop.time() > until:
                    raise
                await asyncio.sleep(_ASK_AGAIN)
        return RepositoryReport(
            repository=repository,
            fetched=len(done.fetched),
            kept=len(done.kept),
            failed=done.failed,
            bytes_fetched=done.bytes_fetched,
        )

    async def _mirrored(self, client: ArtifactsClient, repository: RepositoryName) -> MirrorReport:
        order = self._order
        return await client.mirror(
            repository,
            Path(order.destination) / repository.owner / repository.name,
            query=order.query,
            layout=order.layout,
            concurrency=order.concurrency,
        )

    async def _into_store(self, client: WorkerClient, repository: RepositoryName) -> RepositoryReport:
        order = self._order
        fetched = kept = size = 0
        failed: list[Failure] = []
        selected = await _selected(client, repository, order.query)
        storing = client.store_below(
            f"{repository}/", iter(selected), order.destination, layout=order.layout, concurrency=order.concurrency
        )
        async with storing as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, Failure):
                    failed.append(outcome)
                elif outcome.value.skipped:
                    kept += 1
                else:
                    fetched += 1
                    size += outcome.value.size
        return RepositoryReport(
            repository=repository, fetched=fetched, kept=kept, failed=tuple(failed), bytes_fetched=size
        )

    async def abort_uploads(self, repositories: Sequence[RepositoryName]) -> None:
        """Abort the uploads in parts that workers have left in S3 below repositories' names when they were killed.

        Raises:
            ArtifactsError: S3 refused it, or botocore is not installed.
        """
        from gh_artifacts_async import stores

        for repository in repositories:
            await stores.abort_stale_uploads(self._order.destination, f"{repository}/", older_than=_ANY_AGE)


class WorkerClient(ArtifactsClient):
    """A client that stores below a prefix."""

    def store_below(
        self,
        prefix: str,
        artifacts: Iterable[Artifact],
        store: ObjectStore,
        *,
        layout: Layout,
        concurrency: int,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[StoredResult]]]:
        """Store artifacts as :meth:`store_many` does, all keys beginning with a prefix."""
        from gh_artifacts_async import stores

        return stores.store_many(
            self._transfers(), artifacts, store, layout=layout, concurrency=concurrency, prefix=prefix
        )


async def _selected(client: ArtifactsClient, repository: RepositoryName, query: ArtifactQuery | None) -> list[Artifact]:
    found = client.list_artifacts(repository) if query is None else client.find_artifacts(repository, query)
    async with aclosing(found) as artifacts:
        return [artifact async for artifact in artifacts if not artifact.expired]


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def abort_uploads(fleet: str, repositories: Sequence[RepositoryName]) -> None:
    """Abort what killed workers have left in S3; a task, like :func:`mirror_repository`."""
    plugins: Any = get_worker().plugins
    await plugins[fleet].abort_uploads(repositories)


async def mirror_repository(fleet: str, repository: RepositoryName) -> RepositoryReport:
    """Do one repository's work with the plugin of this worker; this is the task that Dask runs."""
    plugins: Any = get_worker().plugins
    plugin: FleetPlugin | None = plugins.get(fleet)
    if plugin is None:  # it was taken away, and this task was not yet
        return RepositoryReport(repository=repository, error=ArtifactsError(_ENDED))
    return await plugin.mirror(repository)
