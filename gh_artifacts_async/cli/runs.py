"""``gh-artifacts runs``."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated

import attrs
from cyclopts import Parameter

from gh_artifacts_async import ArtifactsClient, RepositoryName, WorkflowRun
from gh_artifacts_async.cli import amounts, running, streaming
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Branch, Event, Limit, Repo, Workflow
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import documents
from gh_artifacts_async.cli.render import runs as lines
from gh_artifacts_async.cli.repo import Target


@attrs.frozen(kw_only=True)
class RunFilters:
    """Which runs are listed.

    Attributes:
        workflow: of this workflow: its file name or its id.
        branch: of this branch.
        event: that this event triggered.
        status: of this status or conclusion.
        limit: so many at most; None for all.
    """

    workflow: str | None
    branch: str | None
    event: str | None
    status: str | None
    limit: int | None


def runs(
    *words: str,
    repo: Repo = None,
    workflow: Workflow = None,
    branch: Branch = None,
    event: Event = None,
    status: Annotated[str | None, Parameter(name=["--status", "-s"])] = None,
    limit: Limit = "20",
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List a repository's workflow runs."""
    argument, _ = repositories.split(words, after=0)
    filters = RunFilters(workflow=workflow, branch=branch, event=event, status=status, limit=amounts.limit(limit))
    printer = output.printer()
    target = context.target(argument, repo)
    return running.run(lambda: _runs(context, target, filters, printer))


def _listing(client: ArtifactsClient, repo: RepositoryName, filters: RunFilters) -> AsyncGenerator[WorkflowRun]:
    return client.list_workflow_runs(
        repo,
        workflow=amounts.workflow(filters.workflow),
        branch=filters.branch,
        event=filters.event,
        status=filters.status,
        limit=filters.limit,
    )


async def _runs(context: Context, target: Target, filters: RunFilters, printer: Printer | None) -> int:
    """Show the runs."""
    now = datetime.now(UTC)
    progress = streaming.Listing[WorkflowRun](context, filters.limit, printer)
    async with context.client(target, progress.observe) as client:
        await progress.show(
            _listing(client, target.repo, filters),
            lines.COLUMNS,
            lambda run: lines.row(run, now),
            documents.run,
            lambda found: lines.summary(found, repo=target.repo),
        )
    return OK
