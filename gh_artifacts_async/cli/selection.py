"""Which artifacts a ``download`` command selects."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async import Artifact
from gh_artifacts_async.cli.exits import NoMatchError
from gh_artifacts_async.cli.listing import Filters, listing
from gh_artifacts_async.errors import (
    ArtifactExpiredError,
    ArtifactsError,
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
)

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient, RepositoryName

_STOPS_ALL = (AuthenticationError, RateLimitError)
"""Failures that every further ID would meet too."""


@attrs.frozen(kw_only=True)
class Selection:
    """What the command line says.

    Attributes:
        ids: just these.
        everything: all that have not expired.
        run: of this run only.
        names: of exactly one of these names.
        patterns: or of a name that fits one of these globs.
    """

    ids: tuple[int, ...] = ()
    everything: bool = False
    run: int | None = None
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def check(self) -> None:
        """Check that it is neither empty nor contradictory.

        Raises:
            ConfigurationError: it is.
        """
        named = bool(self.names or self.patterns)
        if self.ids and (self.everything or named or self.run is not None):
            msg = "IDs cannot be combined with --all, --run, --name or --pattern"
        elif self.everything and named:
            msg = "--all cannot be combined with --name or --pattern"
        elif not (self.ids or self.everything or named or self.run is not None):
            msg = "no artifacts selected; give IDs (gh-artifacts list shows them), --run, --name, --pattern or --all"
        else:
            return
        raise ConfigurationError(msg)


@attrs.frozen
class Failure:
    """An item that could not be found or downloaded.

    Attributes:
        id: the artifact's, where one was found or asked for.
        name: its name, or what was looked for.
        error: why not.
    """

    id: int | None
    name: str | None
    error: Exception


@attrs.define
class Selected:
    """What was found.

    Attributes:
        artifacts: to download.
        expired: skipped, since their bytes are gone.
        failures: what was asked for and cannot be downloaded.
    """

    artifacts: list[Artifact] = attrs.field(factory=list)
    expired: list[Artifact] = attrs.field(factory=list)
    failures: list[Failure] = attrs.field(factory=list)


async def select(client: ArtifactsClient, repo: RepositoryName, selection: Selection) -> Selected:
    """Ask GitHub for the artifacts that are meant.

    Raises:
        ArtifactsError: GitHub refused the request, or did not answer.
    """
    if selection.ids:
        return await _by_id(client, repo, selection.ids)
    found = await _listed(client, repo, selection)
    fresh = [artifact for artifact in found if not artifact.expired]
    expired = [artifact for artifact in found if artifact.expired]
    return Selected(fresh, expired, _unmet(repo, selection, fresh, expired))


async def _by_id(client: ArtifactsClient, repo: RepositoryName, ids: tuple[int, ...]) -> Selected:
    """Ask for each; the client's gate bounds how many at once."""
    selected = Selected()
    answers = await asyncio.gather(*(client.get_artifact(repo, one) for one in ids), return_exceptions=True)
    for number, answer in zip(ids, answers, strict=True):
        if isinstance(answer, BaseException):
            if isinstance(answer, _STOPS_ALL) or not isinstance(answer, ArtifactsError):
                raise answer
            selected.failures.append(Failure(number, None, answer))
        elif answer.expired:
            error = ArtifactExpiredError(f"artifact {number} ({answer.name}) has expired")
            selected.failures.append(Failure(number, answer.name, error))
        else:
            selected.artifacts.append(answer)
    return selected


async def _listed(client: ArtifactsClient, repo: RepositoryName, selection: Selection) -> list[Artifact]:
    """Read the listings that hold what is selected: GitHub itself filters by name, but not by glob."""
    by_name = bool(selection.names) and not selection.patterns
    queries = [
        Filters(run=selection.run, name=name) for name in (dict.fromkeys(selection.names) if by_name else [None])
    ]
    found: dict[int, Artifact] = {}
    for query in queries:
        async with aclosing(listing(client, repo, query)) as artifacts:
            async for artifact in artifacts:
                if _fits(artifact.name, selection):
                    found.setdefault(artifact.id, artifact)
    return list(found.values())


def _fits(name: str, selection: Selection) -> bool:
    if not (selection.names or selection.patterns):
        return True
    return name in selection.names or any(fnmatchcase(name, pattern) for pattern in selection.patterns)


def _unmet(repo: RepositoryName, selection: Selection, fresh: list[Artifact], expired: list[Artifact]) -> list[Failure]:
    """Return an error for each name, glob or run that matches nothing that can be downloaded."""
    where = f"in {repo}" if selection.run is None else f"in run {selection.run} of {repo}"
    asked = [(name, f" named {name!r}", Selection(names=(name,))) for name in dict.fromkeys(selection.names)]
    asked += [
        (pattern, f" matching {pattern!r}", Selection(patterns=(pattern,)))
        for pattern in dict.fromkeys(selection.patterns)
    ]
    if not asked and not selection.everything:
        asked = [("", "", Selection())]
    failures = []
    for name, said, part in asked:
        if any(_fits(artifact.name, part) for artifact in fresh):
            continue
        error: Exception = NoMatchError(f"no artifacts{said} {where}; run gh-artifacts list to see what there is")
        if any(_fits(artifact.name, part) for artifact in expired):
            error = ArtifactExpiredError(f"all artifacts{said} {where} have expired")
        failures.append(Failure(None, name or None, error))
    return failures
