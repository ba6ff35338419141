"""Never run: what a user's type checker must make of waits, questions and plans."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, assert_type

from gh_artifacts_async import (
    Artifact,
    ArtifactQuery,
    ArtifactRef,
    ArtifactsClient,
    ArtifactWatch,
    CleanupPlan,
    ExtractPolicy,
    Failure,
    LeftOut,
    MirroredArtifact,
    MirrorReport,
    Outcome,
    PlannedArtifact,
    PlannedRequest,
    QueryPlan,
    RepositoryName,
    RetentionPolicy,
    RunFailedError,
    StorageUsage,
    UsageEntry,
    WaitTimeoutError,
    WorkflowRun,
)

if TYPE_CHECKING:
    from gh_artifacts_async import Observer


async def waits(client: ArtifactsClient) -> None:
    """Waits and watches."""
    assert_type(await client.wait_for_artifact("o/r", "docs", timeout=60), Artifact)
    assert_type(await client.wait_for_artifacts("o/r", ["a", "b"], run_id=7, timeout=60), dict[str, Artifact])
    assert_type(await client.wait_for_run("o/r", 7, timeout=60, interval=5), WorkflowRun)
    async with client.watch("o/r", name="docs", since=datetime(2026, 1, 1, tzinfo=UTC)) as watch:
        assert_type(watch, ArtifactWatch)
        async for artifact in watch:
            assert_type(artifact, Artifact)
            assert_type(watch.cursor, str)
    await client.watch("o/r", since=watch.cursor, interval=30).aclose()


async def selection(client: ArtifactsClient) -> None:
    """A question gives artifacts, or a plan."""
    query = ArtifactQuery(workflow="ci.yml", names=["a", "b*"], since=None, duplicates="all")
    assert_type(query.names, tuple[str, ...])
    found = client.find_artifacts("o/r", query)
    assert_type(found, AsyncGenerator[Artifact, None])
    plan = await client.explain("o/r", query)
    assert_type(plan.artifacts, tuple[Artifact, ...])
    assert_type([one.reason for one in plan.requests], list[str])
    for left in plan.left_out:
        assert_type(left.candidate, Artifact | WorkflowRun)


async def cleanups(client: ArtifactsClient, artifact: Artifact) -> None:
    """Plans, their application, and usage."""
    policy = RetentionPolicy(older_than=timedelta(days=30), names="wheel-*", protect_branches=["main"])
    assert_type(policy.names, tuple[str, ...])
    plan = await client.plan_cleanup("o/r", policy)
    assert_type(plan, CleanupPlan)
    assert_type([planned.reason for planned in plan.delete], list[str])
    assert_type(plan.bytes_freed, int)
    async with client.apply_cleanup(plan, max_age=None) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Outcome[None])
    client.apply_cleanup(CleanupPlan.of([artifact, ArtifactRef("o/r", 7)]), max_age=60)
    usage = await client.storage_usage(RepositoryName("o", "r"))
    assert_type([entry.label for entry in usage.by_name], list[str | None])
    assert_type(usage.bytes, int)


async def mirrors(client: ArtifactsClient, watch: Observer) -> None:
    """A mirror's report has typed entries and failures."""
    report = await client.mirror(
        RepositoryName("o", "r"),
        Path("backup"),
        query=ArtifactQuery(branch="main"),
        layout=lambda artifact: f"{artifact.id}",
        prune=True,
        verify=True,
        extract=ExtractPolicy(),
        link=False,
        durable=True,
        concurrency=2,
        observer=watch,
    )
    assert_type(report, MirrorReport)
    assert_type([entry.path for entry in report.fetched], list[PurePosixPath])
    assert_type([failure.error for failure in report.failed], list[Exception])
    assert_type(report.removed, tuple[MirroredArtifact, ...])


def fields(plan: QueryPlan, cleanup: CleanupPlan, usage: StorageUsage, report: MirrorReport) -> None:
    """What a program looks at."""
    assert_type(plan.query, ArtifactQuery)
    assert_type(plan.requests, tuple[PlannedRequest, ...])
    assert_type(plan.left_out, tuple[LeftOut, ...])
    assert_type(cleanup.delete, tuple[PlannedArtifact, ...])
    assert_type([planned.artifact for planned in cleanup.keep], list[Artifact | ArtifactRef])
    assert_type(usage.by_age, tuple[UsageEntry, ...])
    assert_type(usage.by_branch, tuple[UsageEntry, ...])
    assert_type(report.failed, tuple[Failure, ...])


async def ends(client: ArtifactsClient) -> None:
    """A wait ends with an artifact, or with an error that says how far it came."""
    try:
        await client.wait_for_artifact("o/r", "docs", run_id=7, timeout=60.0, interval=5, fail_fast=False)
    except WaitTimeoutError as error:
        assert_type(error.missing, tuple[str, ...])
    except RunFailedError as error:
        assert_type(error.message, str)


def policies() -> list[RetentionPolicy]:
    """Every criterion."""
    return [
        RetentionPolicy(older_than=timedelta(days=30), keep_latest=3, names=["a", "b*"], max_total_bytes=2**30),
        RetentionPolicy(only_expired=True, protect_tags=("v*",), except_names="keep-*"),
    ]


def queries() -> list[ArtifactQuery]:
    """Every field."""
    return [
        ArtifactQuery(workflow=7, branch="main", event="push", conclusion=None, head_sha="0" * 40, pull_request=3),
        ArtifactQuery(actor="octocat", run_id=7, run_number=7, run_attempt=1, artifact_ids=(1, 2), exclude_run=8),
        ArtifactQuery(names=("a",), name_regex="a+", since=datetime.now(UTC), allow_forks=True, latest=False),
        ArtifactQuery(duplicates="error", include_expired=True),
    ]
