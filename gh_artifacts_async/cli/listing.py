"""``gh-artifacts list`` and ``show``."""

import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any

import attrs
from cyclopts import Parameter

from gh_artifacts_async import Artifact, ArtifactsClient, RepositoryName
from gh_artifacts_async.cli import amounts, reports, running, streaming
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Limit, Name, Repo, Run
from gh_artifacts_async.cli.output import Output, Printer
from gh_artifacts_async.cli.render import artifacts, documents, screen, tables
from gh_artifacts_async.cli.repo import Target

PAGES_AT_ONCE = 8
"""Pages that are fetched at once; a client sends as many requests at once as that."""


@attrs.frozen(kw_only=True)
class Filters:
    """Which artifacts of a repository are listed.

    Attributes:
        run: only this run's.
        name: only those of this name.
        limit: stop after so many.
    """

    run: int | None = None
    name: str | None = None
    limit: int | None = None


def list_(
    *words: str,
    repo: Repo = None,
    run: Run = None,
    name: Name = None,
    limit: Limit = "30",
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List a repository's artifacts."""
    argument, _ = repositories.split(words, after=0)
    filters = Filters(run=run, name=name, limit=amounts.limit(limit))
    printer = output.printer()
    target = context.target(argument, repo)
    return running.run(lambda: _list(context, target, filters, printer))


def show(
    *words: str,
    repo: Repo = None,
    output: Annotated[Output, Parameter(name="*")] = Output(),  # noqa: B008 - frozen
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show the details of one artifact."""
    argument, rest = repositories.split(words, after=1)
    printer = output.printer()
    target = context.target(argument, repo)
    (number,) = repositories.ids(rest)
    return running.run(lambda: _show(context, target, number, printer))


def listing(client: ArtifactsClient, repo: RepositoryName, filters: Filters) -> AsyncGenerator[Artifact]:
    """Return the client's listing.

    Raises:
        ConfigurationError: a value is out of its range.
    """
    given: dict[str, Any] = {
        "name": filters.name,
        "limit": filters.limit,
        "per_page": streaming.per_page(filters.limit),
        "concurrency": PAGES_AT_ONCE,
    }
    if filters.run is not None:
        return client.list_run_artifacts(repo, filters.run, **given)
    return client.list_artifacts(repo, **given)


async def _list(context: Context, target: Target, filters: Filters, printer: Printer | None) -> int:
    """Show a listing."""
    now = datetime.now(UTC)
    progress = streaming.Listing[Artifact](context, filters.limit, printer)
    async with context.client(target, progress.observe) as client:
        found = await progress.show(
            listing(client, target.repo, filters),
            artifacts.COLUMNS,
            lambda artifact: artifacts.row(artifact, now),
            documents.artifact,
            lambda found: artifacts.summary(found, repo=target.repo, run=filters.run, name=filters.name),
        )
    context.report = reports.found(found)
    return OK


async def _show(context: Context, target: Target, artifact_id: int, printer: Printer | None) -> int:
    """Show one artifact as names and values, or as a JSON document."""
    async with context.client(target) as client:
        found = await client.get_artifact(target.repo, artifact_id)
    if printer is not None:
        printer.document(documents.artifact(found))
        return OK
    screen.write(sys.stdout, tables.pairs(artifacts.details(found, datetime.now(UTC)), screen.view(sys.stdout)))
    if not found.expired:
        context.note(f"to download it: gh-artifacts download {target.repo} {found.id}")
    return OK
