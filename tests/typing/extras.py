"""Never run: what a user's type checker must make of stores, budgets, the file system and the fleet."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_type

import fsspec  # type: ignore[import-untyped]
from distributed import Client

from gh_artifacts_async import ArtifactQuery, ArtifactsClient, Budget, Failure, Lease, Limits, RepositoryName
from gh_artifacts_async.budgets import DaskBudget, LocalBudget, RedisBudget
from gh_artifacts_async.fleet import FleetReport, RepositoryReport, connect, mirror_repositories
from gh_artifacts_async.fs import ArtifactFile, ArtifactsFileSystem, AsyncArtifactFile
from gh_artifacts_async.stores import abort_stale_uploads

if TYPE_CHECKING:
    from datetime import datetime

    from obstore.store import S3Store


async def stale(store: S3Store) -> None:
    """What broken uploads have left."""
    assert_type(await abort_stale_uploads(store, "ci/", older_than=timedelta(hours=6)), tuple[str, ...])


async def budgets(cluster: Client) -> list[ArtifactsClient]:
    """Each of them is a Budget."""
    local, dask = LocalBudget(points_per_minute=None), DaskBudget(cluster, key="k", mutation_interval=None)
    async with RedisBudget("redis://localhost", key="k", points_per_minute=600) as redis:
        made: list[Budget] = [local, dask, dask.bound_to(cluster), redis]
        for budget in (local, dask, redis):
            assert_type(await budget.lease(5), Lease)
            await budget.pause(60, "primary")
            assert_type(await budget.paused(), float)
        await redis.aclose()
    return [ArtifactsClient("t", limits=Limits(budget=budget)) for budget in made]


async def fleet(cluster: Client) -> None:
    """An organization's repositories."""
    assert_type(connect("tcp://localhost:8786", timeout=3), AbstractAsyncContextManager[Client, bool | None])
    report = await mirror_repositories(
        cluster,
        ["o/r", RepositoryName("o", "r")],
        "backup",
        query=ArtifactQuery(branch="main"),
        layout="{workflow}/{id}",
        budget=LocalBudget(),
        options={"token": None},
        concurrency=2,
        on_report=seen,
    )
    assert_type(report, FleetReport)
    assert_type(report.repositories, tuple[RepositoryReport, ...])
    assert_type(report.unfinished, tuple[RepositoryReport, ...])
    assert_type((report.fetched, report.kept, report.failed, report.bytes_fetched), tuple[int, int, int, int])


def seen(report: RepositoryReport) -> None:
    """One repository."""
    assert_type(report.repository, RepositoryName)
    assert_type(report.failed, tuple[Failure, ...])
    assert_type(report.error, Exception | None)
    assert_type((report.ok, report.worker), tuple[bool, str | None])


def by_protocol() -> bytes:
    """As fsspec has it, which is untyped."""
    untyped: Any = fsspec
    files = untyped.filesystem("ghartifacts", token="t", cache_bytes=0)
    with untyped.open("ghartifacts://o/r/7/a.txt", "rb") as file:
        content: bytes = file.read() + files.cat_file("o/r/7/a.txt")
    return content


async def by_class() -> tuple[AsyncArtifactFile, type[ArtifactFile]]:
    """What is the package's own is typed, though the base class is not."""
    files = ArtifactsFileSystem("t", max_bytes=2**20, asynchronous=True, listings_expiry_time=None)
    when: datetime | None = files.created("o/r/7") or files.modified("o/r/7")
    texts: list[str] = [files.resolve("o/r/latest/docs/a.txt"), files.ukey("o/r/7"), files.fsid, str(when)]
    files.invalidate_cache(texts[0])
    files.close()
    await files.aclose()
    return await files.open_async("o/r/7/a.txt"), ArtifactFile
