"""What a run of a mirror has to do, from the listing, the manifest and the folder; nothing is fetched or written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.automation.manifest import MirroredArtifact
from gh_artifacts_async.automation.now import utcnow
from gh_artifacts_async.errors import ArtifactsError, DestinationExistsError
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName, check_id
from gh_artifacts_async.protocol.filenames import Destination, folded
from gh_artifacts_async.results import Failure
from gh_artifacts_async.settings import Layout
from gh_artifacts_async.transfer.bulk import STOPS_ALL, Runs
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.layouts import Claims, by_layout, check_layout
from gh_artifacts_async.transfer.download import DownloadOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.automation.mirrored import State
    from gh_artifacts_async.settings import ExtractPolicy


@attrs.frozen(kw_only=True)
class MirrorOptions:
    """How a mirror works.

    Attributes:
        layout: where new artifacts go; what is there already stays where it is.
        prune: remove what no longer matches.
        verify: read everything that is there, and fetch again what differs.
        link: link files of the same content, rather than copy them.
        concurrency: transfers at once.
        downloads: how each artifact is downloaded.
    """

    layout: Layout = "id"
    prune: bool = False
    verify: bool = False
    link: bool = True
    concurrency: int = 8
    downloads: DownloadOptions = attrs.field(factory=lambda: DownloadOptions(if_exists="skip"))

    @classmethod
    def checked(
        cls,
        *,
        layout: Layout,
        prune: bool,
        verify: bool,
        extract: bool | ExtractPolicy,
        link: bool,
        durable: bool,
        concurrency: int,
    ) -> MirrorOptions:
        """Check the public arguments.

        Raises:
            ConfigurationError: one of them is invalid.
        """
        check_layout(layout)
        return cls(
            layout=layout,
            prune=prune,
            verify=verify,
            link=link,
            concurrency=check_id(concurrency, "concurrency"),
            downloads=DownloadOptions.checked("skip", extract, durable=durable),
        )


@attrs.frozen(kw_only=True)
class Job:
    """One artifact that a run has to look at, or to fetch.

    Attributes:
        subject: which one; a reference if the listing does not have it.
        destination: where it goes.
        path: its file or folder, as far as is known before storage's headers have arrived.
        place: the only path at which something may be replaced.
        entry: what the manifest says about it; None if it is new.
        check: read what is there first: it is fetched only if it differs.
        replaces: what was at this place, and is to be pruned.
    """

    subject: Artifact | ArtifactRef
    destination: Destination
    path: Path
    place: Path
    entry: MirroredArtifact | None = None
    check: bool = False
    replaces: MirroredArtifact | None = None


@attrs.define
class Plan:
    """What a run has to do.

    Attributes:
        jobs: artifacts to look at, or to fetch.
        kept: what is there and is not looked at any further.
        failed: what cannot be done.
        taken_over: obsolete artifact's id -> id of the new one that takes its place.
        claims: which artifact has which path.
    """

    jobs: list[Job] = attrs.field(factory=list)
    kept: list[MirroredArtifact] = attrs.field(factory=list)
    failed: list[Failure] = attrs.field(factory=list)
    taken_over: dict[int, int] = attrs.field(factory=dict)
    claims: Claims = attrs.field(factory=Claims)


class Planner:
    """Makes the plan of one run."""

    def __init__(self, github: GitHubSession, repo: RepositoryName, folder: Path, options: MirrorOptions) -> None:
        """Keep the arguments; GitHub is asked for workflow runs, if the layout needs them. Blocks."""
        self._runs = Runs(github, options.layout)
        self._repo = repo
        self._folder = folder
        self._layout = options.layout
        self._extract = options.downloads.extract is not None
        self._verify = options.verify
        self._prune = options.prune  # then an artifact that is not listed is kept only if it has expired
        self._plan = Plan()
        self._folds = filesystem.folds_names(folder)

    async def plan(
        self,
        listed: Mapping[int, Artifact],
        entries: Mapping[int, MirroredArtifact],
        states: Mapping[int, State],
        obsolete: Mapping[int, MirroredArtifact],
    ) -> Plan:
        """Return the plan.

        Args:
            listed: what GitHub has.
            entries: what the manifest has.
            states: what is there of it.
            obsolete: entries that are to be removed.

        Raises:
            DestinationExistsError: two artifacts would be at one place.
            ConfigurationError: the layout, a callable, returned something else than a relative path.
            ArtifactsError: workflow runs could not be looked up, and no other will be.
        """
        for number, entry in entries.items():
            if number not in obsolete:
                self._known(entry, listed.get(number), states[number])
        places = {self._place(self._folder / entry.path): entry for entry in obsolete.values()}
        unlisted = {
            self._place(self._folder / entry.path): entry
            for number, entry in entries.items()
            if number not in listed and number not in obsolete
        }
        for artifact in listed.values():
            if artifact.id not in entries and not artifact.expired:
                await self._new(artifact, places, unlisted)
        return self._plan

    def _known(self, entry: MirroredArtifact, artifact: Artifact | None, state: State) -> None:
        subject = artifact or ArtifactRef(self._repo, entry.id, entry.name)
        path = self._folder / entry.path
        self._plan.claims.take(path, subject)
        if state == "missing" or self._verify:
            destination = Destination(folder=path.parent, stem=path.name, exact=True)
            check = state != "missing"
            self._plan.jobs.append(
                Job(subject=subject, destination=destination, path=path, place=path, entry=entry, check=check)
            )
        elif state == "changed":
            msg = (
                f"{path} was changed since it was mirrored; remove it, or verify the mirror, to get the artifact again"
            )
            error = DestinationExistsError(msg, filename=str(path))
            self._plan.failed.append(Failure(artifact=subject, error=error))
        else:
            self._plan.kept.append(entry)

    async def _new(
        self, artifact: Artifact, obsolete: Mapping[str, MirroredArtifact], unlisted: Mapping[str, MirroredArtifact]
    ) -> None:
        try:
            run = await self._runs.of(artifact)
        except STOPS_ALL:
            raise
        except ArtifactsError as error:
            self._plan.failed.append(Failure(artifact=artifact, error=error))
            return
        destination = by_layout(artifact, self._folder, self._layout, run)
        path = destination.path(extract=self._extract)
        place = self._place(path)
        if place in unlisted:
            raise self._taken(artifact, path, unlisted[place])
        self._plan.claims.take(path, artifact)
        replaces = obsolete.get(place) or obsolete.get(self._place(destination.raw_path(None)))
        if replaces is not None:
            self._plan.taken_over[replaces.id] = artifact.id
        taken = path if replaces is None else self._folder / replaces.path
        self._plan.jobs.append(
            Job(subject=artifact, destination=destination, path=path, place=taken, replaces=replaces)
        )

    def _place(self, path: Path) -> str:
        """Return a path as the file system compares it."""
        place = os.path.normcase(path)
        return folded(place) if self._folds else place

    def _taken(self, artifact: Artifact, path: Path, entry: MirroredArtifact) -> DestinationExistsError:
        """Build the error for a place where the file of another artifact is, which the listing does not have."""
        has_expired = self._prune or (entry.expires_at is not None and entry.expires_at <= utcnow())
        then = ", which has expired and is kept; move that file away" if has_expired else "; prune the mirror"
        msg = (
            f"artifact {artifact.id} would be {path}, where artifact {entry.id} is{then}, "
            "or use layout='id' to keep them apart"
        )
        return DestinationExistsError(msg, filename=str(path))
