"""``gh-artifacts runs``."""

import contextlib
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

import attrs
from cyclopts import Parameter

from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import running
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.render import bars, documents, screen
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
        limit: so many at most.
    """

    workflow: str | None
    branch: str | None
    event: str | None
    status: str | None
    limit: int


def runs(
    *words: str,
    repo: Repo = None,
    workflow: str | None = None,
    branch: Annotated[str | None, Parameter(name=["--branch", "-b"])] = None,
    event: str | None = None,
    status: str | None = None,
    limit: int = 20,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List a repository's workflow runs."""
    argument, _ = repositories.split(words, after=0)
    target = context.target(argument, repo)
    filters = RunFilters(workflow=workflow, branch=branch, event=event, status=status, limit=limit)
    return running.run(lambda: _runs(context, target, filters, as_json=json))


async def _runs(context: Context, target: Target, filters: RunFilters, *, as_json: bool) -> int:
    """Show runs as a table, or as one JSON array."""
    bar = bars.Spinner() if context.live else None
    observers = [] if bar is None else [bar]
    workflow = filters.workflow
    async with context.client(target, *observers) as client:
        with bar or contextlib.nullcontext():
            listing = client.list_workflow_runs(
                target.repo,
                workflow=int(workflow) if workflow is not None and workflow.isdecimal() else workflow,
                branch=filters.branch,
                event=filters.event,
                status=filters.status,
                limit=filters.limit,
            )
            async with aclosing(listing) as listed:
                found = [run async for run in listed]
    if as_json:
        screen.write(sys.stdout, documents.dumps([documents.run(one) for one in found]))
        return OK
    if found:
        screen.show(lines.table(found, datetime.now(UTC)))
    context.note(lines.summary(found, repo=target.repo, limit=filters.limit))
    return OK
