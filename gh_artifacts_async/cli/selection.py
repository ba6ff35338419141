"""Which artifacts a ``download`` command selects."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async import Artifact
from gh_artifacts_async.cli.exits import NoMatchError
from gh_artifacts_async.cli.listing import Filters, listing
from gh_artifacts_async.cli.selectors import Selectors
from gh_artifacts_async.errors import (
    ArtifactExpiredError,
    ArtifactsError,
    AuthenticationError,
    ConfigurationError,
    RateLimitError,
)

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactQuery, ArtifactsClient, RepositoryName

_STOPS_ALL = (AuthenticationError, RateLimitError)
"""Failures that every further ID would meet too."""


@attrs.frozen(kw_only=True)
class Selection:
    """What the command line says.

    Attributes:
        ids: just these.
        everything: all that have not expired.
        selectors: or those that fit.
    """

    ids: tuple[int, ...] = ()
    everything: bool = False
    selectors: Selectors = attrs.field(factory=Selectors)

    @property
    def tagged(self) -> bool:
        """Whether each file's name needs the artifact's ID: two of the artifacts may have the same name."""
        return self.everything or self.selectors.many

    def check(self) -> None:
        """Check that it is neither empty nor contradictory.

        Raises:
            ConfigurationError: it is.
        """
        self.selectors.check()
        if self.ids and (self.everything or self.selectors.given):
            msg = "IDs cannot be combined with --all or with options that select artifacts"
        elif self.everything and (self.selectors.named or self.selectors.by_run):
            msg = "--all cannot be combined with options that select artifacts, except --run"
        elif not (self.ids or self.everything or self.selectors.given):
            msg = (
                "no artifacts selected; give IDs (gh-artifacts list shows them), --run, --name, --pattern, --workflow,"
                " --branch, --event, --pr, --commit or --all"
            )
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
        warnings: what was looked for and is not there, which is no failure.
    """

    artifacts: list[Artifact] = attrs.field(factory=list)
    expired: list[Artifact] = attrs.field(factory=list)
    failures: list[Failure] = attrs.field(factory=list)
    warnings: list[Failure] = attrs.field(factory=list)


async def select(client: ArtifactsClient, repo: RepositoryName, selection: Selection) -> Selected:
    """Ask GitHub for the artifacts that are meant.

    Raises:
        ArtifactsError: GitHub refused the request, or did not answer.
    """
    if selection.ids:
        return await _by_id(client, repo, selection.ids)
    if selection.everything:
        return await _all(client, repo, selection.selectors.run)
    if selection.selectors.if_none == "ignore":
        return Selected(await _found(client, repo, selection.selectors.query()))
    selected = await _by_query(client, repo, selection.selectors)
    if selection.selectors.if_none == "warn":
        selected.warnings, selected.failures = selected.failures, []
    return selected


def check_names(artifacts: list[Artifact]) -> None:
    """Check that artifacts that are saved under their names do not share one.

    Raises:
        ConfigurationError: two of them do.
    """
    uses = Counter(artifact.name.casefold() for artifact in artifacts)
    for artifact in artifacts:
        if uses[artifact.name.casefold()] > 1:
            others = ", ".join(str(one.id) for one in artifacts if one.name.casefold() == artifact.name.casefold())
            msg = f"the artifacts {others} have the same name, {artifact.name!r}; use --layout id"
            raise ConfigurationError(msg)


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


async def _all(client: ArtifactsClient, repo: RepositoryName, run: int | None) -> Selected:
    async with aclosing(listing(client, repo, Filters(run=run))) as artifacts:
        found = [artifact async for artifact in artifacts]
    expired = [artifact for artifact in found if artifact.expired]
    return Selected([artifact for artifact in found if not artifact.expired], expired)


async def _by_query(client: ArtifactsClient, repo: RepositoryName, selectors: Selectors) -> Selected:
    """Ask once; what has expired is asked for only if something is missing, to say why."""
    query = selectors.query()
    fresh = await _found(client, repo, query)
    asked = (*selectors.names, *selectors.patterns) or ("*",)
    missing = [one for one in asked if not _any(fresh, one, selectors)]
    if not missing:
        return Selected(fresh)
    everything = await _found(client, repo, attrs.evolve(query, include_expired=True))
    expired = [artifact for artifact in everything if artifact.expired]
    return Selected(fresh, failures=[_unmet(one, expired, selectors, repo) for one in missing])


async def _found(client: ArtifactsClient, repo: RepositoryName, query: ArtifactQuery) -> list[Artifact]:
    async with aclosing(client.find_artifacts(repo, query)) as artifacts:
        return [artifact async for artifact in artifacts]


def _any(artifacts: list[Artifact], asked: str, selectors: Selectors) -> bool:
    """Whether one of the artifacts has the name, or fits the glob, that was asked for."""
    exact = asked in selectors.names
    return any(one.name == asked if exact else fnmatchcase(one.name, asked) for one in artifacts)


def _unmet(asked: str, expired: list[Artifact], selectors: Selectors, repo: RepositoryName) -> Failure:
    """Return why there is nothing to download for a name or a glob."""
    said = f" named {asked!r}" if asked in selectors.names else f" matching {asked!r}" if selectors.patterns else ""
    where = selectors.where(repo)
    name = asked if selectors.named else None
    if _any(expired, asked, selectors):
        return Failure(None, name, ArtifactExpiredError(f"all artifacts{said} {where} have expired"))
    see = "list" if not selectors.by_run else "runs"
    return Failure(None, name, NoMatchError(f"no artifacts{said} {where}; run gh-artifacts {see} to see what there is"))
