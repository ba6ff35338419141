"""Hands repositories to the workers, a bounded number ahead, and takes their reports as they come."""

from __future__ import annotations

import asyncio
import logging
import secrets
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    MissingTokenError,
    ObjectStoreUnavailableError,
    OutOfSpaceError,
    RateLimitError,
)
from gh_artifacts_async.fleet.cluster import unreachable
from gh_artifacts_async.fleet.reports import RepositoryReport
from gh_artifacts_async.fleet.worker import FleetPlugin, abort_uploads, mirror_repository
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.stores.checks import is_s3

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from distributed import Client, Future

    from gh_artifacts_async.fleet.orders import Names, Order

logger: logging.Logger = logging.getLogger("gh_artifacts_async")

STOPS_ALL = (AuthenticationError, MissingTokenError, ObjectStoreUnavailableError, OutOfSpaceError, RateLimitError)
"""Failures that every further repository would have too: all workers use one token and one destination."""

_AHEAD = 256
"""Repositories that the scheduler knows of at once: enough for many workers, however large the organization."""
_NOT_INSTALLED = ("ModuleNotFoundError", "ImportError", "AttributeError")
_TO_END = 30.0
"""Seconds for the workers to close their clients."""


async def work_off(
    client: Client, order: Order, names: Names, on_report: Callable[[RepositoryReport], None] | None
) -> list[RepositoryReport]:
    """Mirror all repositories; at the end, however it comes, the workers have nothing more to do.

    Raises:
        ConfigurationError: a worker lacks what it needs; or one of an iterator's names is none, and what was begun
            before it was done.
    """
    async with _plugin(client, order) as fleet:
        run = _Run(client, fleet, on_report, in_s3=is_s3(order.destination))
        try:
            await run.work_off(names)
        finally:
            await run.cancel()
        await run.abort_uploads()
        return run.reports


@asynccontextmanager
async def _plugin(client: Any, order: Order) -> AsyncGenerator[str]:  # noqa: ANN401 - untyped: distributed's Client
    """Give each worker what it needs, and take it away at the end; yield the fleet's name."""
    name = f"gh-artifacts-mirror-{secrets.token_hex(4)}"
    try:
        await _register(client, FleetPlugin(name, order))
        yield name
    finally:
        try:
            async with asyncio.timeout(_TO_END):
                await client.unregister_worker_plugin(name)
        except Exception as error:  # noqa: BLE001 - a worker may have died meanwhile; the work itself is done
            logger.warning("a Dask worker could not be told that the fleet has ended: %s", type(error).__name__)


async def _register(client: Any, plugin: FleetPlugin) -> None:  # noqa: ANN401 - as above
    """Give each worker its plugin.

    Raises:
        ConfigurationError: a worker cannot unpickle it.
        ConnectionFailedError: the scheduler cannot be reached.
    """
    try:
        await client.register_plugin(plugin, name=plugin.name)
    except OSError as error:  # Dask's CommClosedError included
        raise unreachable(client.scheduler.address, str(error) or type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - Dask raises what a worker did, often as a mere Exception
        failed = type(error).__name__ if type(error) is not Exception else ""
        said = f"{failed}: {error}" if failed else str(error)
    else:
        return
    # What it says of a module or a name is no secret; what else a class may raise when it is unpickled is not known.
    said = said[:200] if said.startswith(_NOT_INSTALLED) else said.partition("(")[0].partition(":")[0]
    msg = (
        f"a worker of the Dask cluster cannot do the work ({said}); install gh-artifacts-async, and what the layout, "
        "the query and the options need, on all of them"
    )
    raise ConfigurationError(msg)


class _Run:
    """One fleet's work.

    Attributes:
        reports: in the order in which they came.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - as above
        fleet: str,
        on_report: Callable[[RepositoryReport], None] | None,
        *,
        in_s3: bool,
    ) -> None:
        self._client = client
        self._in_s3 = in_s3
        self._fleet = fleet
        self._on_report = on_report
        self._futures: set[Future[RepositoryReport]] = set()
        self._room = asyncio.Semaphore(_AHEAD)
        self._stopped_by: Exception | None = None
        self.reports: list[RepositoryReport] = []

    async def work_off(self, names: Names) -> None:
        broken: Exception | None = None
        async with asyncio.TaskGroup() as group, aclosing(names.each()) as repositories:
            try:
                async for repository in repositories:
                    await self._room.acquire()
                    if self._stopped_by is None:
                        group.create_task(self._one(repository))
                    elif names.is_known:
                        self._room.release()
                        self._take(RepositoryReport(repository=repository, error=self._stopped_by))
                    else:
                        break
            except Exception as error:  # noqa: BLE001 - the input's: raised when what was begun is done
                broken = error
        if broken is not None:
            raise broken

    async def cancel(self) -> None:
        """Let the scheduler forget what is not done."""
        if self._futures:
            with suppress(Exception):  # no scheduler any more
                async with asyncio.timeout(_TO_END):
                    await self._client.cancel(list(self._futures), force=True)

    async def abort_uploads(self) -> None:
        """Abort the uploads in parts that killed workers have left: S3 keeps the parts otherwise, and charges for them.

        Their worker was lost while they were under way, so nobody else's can be meant, and all others have ended.
        """
        if not self._in_s3:
            return
        try:
            async with asyncio.timeout(_TO_END):
                lost = await self._lost()
                if lost:
                    key = (self._fleet, "abort uploads")
                    await self._client.submit(abort_uploads, self._fleet, lost, key=key, pure=False)
        except Exception as error:  # noqa: BLE001 - the mirror is what it should be
            logger.warning("parts of uploads that were killed may be left in S3: %s", error)

    async def _lost(self) -> list[RepositoryName]:
        """Return the repositories whose worker was lost, as the scheduler has noted it."""
        events = await self._client.get_events("all")
        keys = {
            key[1]
            for _, event in events
            if isinstance(event, dict) and event.get("action") == "remove-worker"
            for key in event.get("processing-tasks", ())
            if isinstance(key, tuple | list) and key[0] == self._fleet
        }
        return sorted(map(RepositoryName.parse, keys), key=str)

    async def _one(self, repository: RepositoryName) -> None:
        # All tasks of a fleet have one name in Dask's statistics: its keys' first part.
        key = (self._fleet, str(repository))
        future = self._client.submit(mirror_repository, self._fleet, repository, key=key, pure=False)
        self._futures.add(future)
        report = await self._report(future, repository)
        self._futures.discard(future)
        future.release()
        self._room.release()
        self._take(report)
        errors = [report.error, *(failure.error for failure in report.failed)]
        stopping = next((error for error in errors if isinstance(error, STOPS_ALL)), None)
        if stopping is not None and self._stopped_by is None:
            self._stopped_by = stopping
            await self.cancel()

    async def _report(self, future: Any, repository: RepositoryName) -> RepositoryReport:  # noqa: ANN401 - as above
        try:
            report: RepositoryReport = await future
        except (FutureCancelled, OSError):  # by the scheduler, or by a report before this one; or it cannot be fetched
            pass
        except Exception as error:  # noqa: BLE001 - the workers died (KilledWorker), or the report could not be sent
            return RepositoryReport(repository=repository, error=error.with_traceback(None))
        else:
            return report
        if self._stopped_by is not None:
            return RepositoryReport(repository=repository, error=self._stopped_by)
        host: str | None = getattr(self._client.scheduler, "address", None)
        msg = "the Dask scheduler has given the task up, or was lost; run the mirror again to go on"
        return RepositoryReport(repository=repository, error=ConnectionFailedError(msg, host=host))

    def _take(self, report: RepositoryReport) -> None:
        self.reports.append(report)
        if self._on_report is not None:
            try:
                self._on_report(report)
            except Exception:
                logger.exception("an observer failed on the report of %s", report.repository)
