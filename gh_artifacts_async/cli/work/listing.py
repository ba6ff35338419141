"""Ask for artifacts and show them."""

from __future__ import annotations

import contextlib
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.cli.exits import OK
from gh_artifacts_async.cli.render import bars, documents, screen, tables, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.cli.repo import Target
    from gh_artifacts_async.client import ArtifactsClient
    from gh_artifacts_async.models import Artifact, RepositoryName

PAGES_AT_ONCE = 4


@attrs.frozen(kw_only=True)
class Wanted:
    """What of a listing is wanted.

    Attributes:
        run: only this run's.
        name: only those of this name.
        limit: stop after so many.
    """

    run: int | None = None
    name: str | None = None
    limit: int | None = None


def listing(client: ArtifactsClient, repo: RepositoryName, wanted: Wanted) -> AsyncGenerator[Artifact]:
    """Return the client's listing.

    Raises:
        ConfigurationError: a value is out of its range.
    """
    if wanted.run is not None:
        return client.list_run_artifacts(
            repo, wanted.run, name=wanted.name, limit=wanted.limit, concurrency=PAGES_AT_ONCE
        )
    return client.list_artifacts(repo, name=wanted.name, limit=wanted.limit, concurrency=PAGES_AT_ONCE)


async def list_artifacts(context: Context, target: Target, wanted: Wanted, *, as_json: bool) -> int:
    """Show a listing as a table, or as one JSON array."""
    bar = bars.Spinner() if context.live else None
    observers = [] if bar is None else [bar]
    async with context.client(target, *observers) as client:
        with bar or contextlib.nullcontext():
            async with aclosing(listing(client, target.repo, wanted)) as artifacts:
                found = [artifact async for artifact in artifacts]
    if as_json:
        screen.write(sys.stdout, documents.dumps([documents.artifact(artifact) for artifact in found]))
        return OK
    if found:
        screen.show(tables.artifacts(found, utcnow()))
    context.note(summary(target.repo, wanted, found))
    return OK


def summary(repo: RepositoryName, wanted: Wanted, found: list[Artifact]) -> str:
    """Return one line about a listing."""
    of = f"run {wanted.run} of {repo}" if wanted.run is not None else str(repo)
    named = f" named {wanted.name!r}" if wanted.name is not None else ""
    if not found:
        return f"no artifacts{named} in {of}"
    kept = sum(artifact.size_in_bytes for artifact in found if not artifact.expired)
    gone = sum(artifact.expired for artifact in found)
    expired = f", {gone:,} of them expired" if gone else ""
    return f"{text.count(len(found), 'artifact')}{named} in {of}, {text.size(kept)}{expired}"


async def show_artifact(context: Context, target: Target, artifact_id: int, *, as_json: bool) -> int:
    """Show one artifact as names and values, or as a JSON document."""
    async with context.client(target) as client:
        found = await client.get_artifact(target.repo, artifact_id)
    if as_json:
        screen.write(sys.stdout, documents.dumps(documents.artifact(found)))
        return OK
    screen.show(tables.one_artifact(found, utcnow()))
    if not found.expired:
        context.note(f"download it with: gh-artifacts download {target.repo} {found.id}")
    return OK
