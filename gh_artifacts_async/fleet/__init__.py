"""Mirror many repositories, such as all of an organization, on a Dask cluster; with the extra ``fleet`` (distributed).

One client on each worker, one budget for the token they share, one task for each repository::

    async with ArtifactsClient.from_env() as client, distributed.Client("tls://scheduler:8786", asynchronous=True) as c:
        report = await mirror_repositories(c, client.list_repositories("octo-org"), "/srv/artifacts")

https://distributed.dask.org/
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.fleet.reports import FleetReport, RepositoryReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from distributed import Client
    from obstore.store import ObjectStore

    from gh_artifacts_async.automation.criteria import ArtifactQuery
    from gh_artifacts_async.client.options import ClientOptions
    from gh_artifacts_async.models import RepositoryName
    from gh_artifacts_async.settings import Budget, Layout, StrPath

logger: logging.Logger = logging.getLogger("gh_artifacts_async")

__all__ = ["FleetReport", "RepositoryReport", "connect", "mirror_repositories"]


def connect(address: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Client]:
    """Connect to the scheduler of a Dask cluster.

    ::

        async with connect("tls://scheduler:8786") as cluster:
            report = await mirror_repositories(cluster, repositories, "/srv/artifacts")

    What the block gets is a ``distributed.Client`` like any other, with TLS as Dask's own configuration has it
    (https://distributed.dask.org/en/stable/tls.html). What is different: an address that is reached in plain text over
    a network is refused before anything is sent, and the errors are those of this package.

    Args:
        address: of the scheduler, such as ``tls://scheduler:8786``, or ``tcp://127.0.0.1:8786`` on this machine.
        timeout: seconds for it to answer.

    Raises:
        ConfigurationError: it is no address, or is reached in plain text over a network, or TLS is not set up, or the
            extra is not installed.
        ConnectionFailedError: no scheduler answers in time.
    """
    _check_extra("connect")
    from gh_artifacts_async.fleet import cluster

    return cluster.connect(address, timeout=timeout)


def _check_extra(what: str) -> None:
    try:
        import distributed as _distributed
    except ImportError:
        msg = f'{what} needs the extra "fleet": pip install "gh-artifacts-async[fleet]"'
        raise ConfigurationError(msg) from None
    del _distributed


async def mirror_repositories(
    cluster: Client,
    repositories: Iterable[str | RepositoryName] | AsyncIterable[str | RepositoryName],
    destination: ObjectStore | StrPath,
    *,
    query: ArtifactQuery | None = None,
    layout: Layout = "id",
    budget: Budget | None = None,
    options: ClientOptions | None = None,
    concurrency: int = 8,
    on_report: Callable[[RepositoryReport], None] | None = None,
) -> FleetReport:
    """Mirror repositories on the workers of a Dask cluster, each below ``DESTINATION/OWNER/NAME/``.

    One repository's failure is its report's error, and does not stop the others. Only what all would meet does: a
    token that GitHub rejects or a worker lacks, a full disk, a bucket that cannot be used, and a rate limit longer than
    ``Limits.max_pause``; what is left then has that error. A cluster without workers is waited for, as Dask does.

    Of an upload to S3 that dies with its worker, the parts are removed at the end, if botocore is installed on the
    workers; otherwise the bucket's lifecycle rule is left to do that.

    Run it again, after whatever end: what is in the destination is not fetched again. When a worker dies, its
    repositories are done again by others in the same way; one that has cost several workers their lives
    (``distributed.scheduler.allowed-failures`` of Dask's configuration) has a KilledWorker as its error.

    The token is never sent: each worker reads it from its own environment (GH_TOKEN, see
    :meth:`ArtifactsClient.from_env() <gh_artifacts_async.ArtifactsClient.from_env>`). Everything else is sent only
    where nobody can listen: over TLS, or to this machine. An object store's credentials, if the store was made with
    them, are sent with it; leave them to the workers' environment where you can.

    Args:
        cluster: a client of the cluster, asynchronous or not.
        repositories: names, or what :meth:`~gh_artifacts_async.ArtifactsClient.list_repositories` yields. A name that
            comes again is mirrored once.
        destination: a folder that all workers see under the same path, each repository's kept by
            :meth:`~gh_artifacts_async.ArtifactsClient.mirror`; or an object store, filled by
            :meth:`~gh_artifacts_async.ArtifactsClient.store_many`.
        query: which artifacts; None for all that have not expired.
        layout: how new files or objects are named below ``OWNER/NAME/``.
        budget: the points that all workers share; None for a :class:`~gh_artifacts_async.budgets.DaskBudget` on this
            cluster with the numbers of ``options["limits"]``.
        options: arguments for each worker's client. ``session``, ``ssl_context`` and ``observer`` cannot be sent to
            another process. ``api_concurrency`` of its limits is lowered so far that the requests in flight of all
            workers present together stay within GitHub's 100.
        concurrency: artifacts of one repository at once. A worker does as many repositories at once as it has threads.
        on_report: called with each report as it comes; it must not block. One that raises is logged, not obeyed.

    Returns:
        A report for each repository, in the order in which they were done.

    Raises:
        ConfigurationError: an argument is invalid, cannot be sent to the workers, or would show them a secret; the
            cluster is reached in plain text over a network; the extra is not installed, or the package is not on a
            worker. Nothing was mirrored.
        ConnectionFailedError: the scheduler cannot be reached.
        BudgetUnavailableError: the scheduler does not take a DaskBudget.
    """
    _check_extra("mirror_repositories")
    from gh_artifacts_async.fleet import cluster as clusters
    from gh_artifacts_async.fleet import orders, run

    given = orders.without_secrets(options)
    del options
    names = orders.Names(repositories)
    observer: object = on_report
    if observer is not None and not callable(observer):
        msg = f"on_report must be a function that takes a report, not {type(observer).__name__}"
        raise ConfigurationError(msg)
    order = await orders.checked(
        destination, query=query, layout=layout, concurrency=concurrency, budget=budget, options=given
    )
    async with clusters.connected(cluster) as client:
        workers = await clusters.check_addresses(client)
        if not workers:  # a cluster that adapts has none before there is something to do
            logger.warning("the Dask cluster has no workers; waiting for one to join")
        order = await orders.with_budget(order, client, workers)
        return FleetReport(repositories=tuple(await run.work_off(client, order, names, on_report)))
