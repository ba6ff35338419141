"""``gh-artifacts list`` and ``show``."""

import contextlib
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

import attrs
from cyclopts import Parameter

from gh_artifacts_async import Artifact, ArtifactsClient, RepositoryName
from gh_artifacts_async.cli import repo as repositories
from gh_artifacts_async.cli import reports, running
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.options import Repo
from gh_artifacts_async.cli.render import artifacts, bars, documents, screen
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
    run: int | None = None,
    name: str | None = None,
    limit: int | None = None,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """List a repository's artifacts."""
    argument, _ = repositories.split(words, after=0)
    target = context.target(argument, repo)
    filters = Filters(run=run, name=name, limit=limit)
    return running.run(lambda: _list(context, target, filters, as_json=json))


def show(
    *words: str,
    repo: Repo = None,
    json: bool = False,
    context: Annotated[Context, Parameter(parse=False)],
) -> int:
    """Show the details of one artifact."""
    argument, rest = repositories.split(words, after=1)
    target = context.target(argument, repo)
    (number,) = repositories.ids(rest)
    return running.run(lambda: _show(context, target, number, as_json=json))


def listing(client: ArtifactsClient, repo: RepositoryName, filters: Filters) -> AsyncGenerator[Artifact]:
    """Return the client's listing.

    Raises:
        ConfigurationError: a value is out of its range.
    """
    if filters.run is not None:
        return client.list_run_artifacts(
            repo, filters.run, name=filters.name, limit=filters.limit, concurrency=PAGES_AT_ONCE
        )
    return client.list_artifacts(repo, name=filters.name, limit=filters.limit, concurrency=PAGES_AT_ONCE)


async def _list(context: Context, target: Target, filters: Filters, *, as_json: bool) -> int:
    """Show a listing as a table, or as one JSON array."""
    bar = bars.Spinner() if context.live else None
    observers = [] if bar is None else [bar]
    async with context.client(target, *observers) as client:
        with bar or contextlib.nullcontext():
            async with aclosing(listing(client, target.repo, filters)) as listed:
                found = [artifact async for artifact in listed]
    context.report = reports.found(found)
    if as_json:
        screen.write(sys.stdout, documents.dumps([documents.artifact(artifact) for artifact in found]))
        return OK
    if found:
        screen.show(artifacts.table(found, datetime.now(UTC)))
    context.note(artifacts.summary(found, repo=target.repo, run=filters.run, name=filters.name))
    return OK


async def _show(context: Context, target: Target, artifact_id: int, *, as_json: bool) -> int:
    """Show one artifact as names and values, or as a JSON document."""
    async with context.client(target) as client:
        found = await client.get_artifact(target.repo, artifact_id)
    if as_json:
        screen.write(sys.stdout, documents.dumps(documents.artifact(found)))
        return OK
    screen.show(artifacts.details(found, datetime.now(UTC)))
    if not found.expired:
        context.note(f"to download it: gh-artifacts download {target.repo} {found.id}")
    return OK
