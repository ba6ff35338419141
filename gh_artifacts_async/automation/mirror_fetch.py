"""Brings artifacts into a mirror one by one: what differs is found, what has a twin is linked, the rest is fetched."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from gh_artifacts_async.automation import mirrored
from gh_artifacts_async.automation.manifest import MirroredArtifact
from gh_artifacts_async.errors import ArtifactExpiredError, DestinationExistsError, NotFoundError
from gh_artifacts_async.events import TransferFinished
from gh_artifacts_async.models import Artifact
from gh_artifacts_async.protocol.filenames import folded
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.transfer.disk.filesystem import folds_names
from gh_artifacts_async.transfer.disk.layouts import Claims
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.download import Download
from gh_artifacts_async.transfer.storage.targets import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.automation.mirror_plan import Job, MirrorOptions, Plan
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext


@attrs.frozen
class Done:
    """What became of one job.

    Attributes:
        kind: it was there already, was linked or copied, or was downloaded.
        entry: for the manifest.
        bytes: fetched.
    """

    kind: Literal["kept", "linked", "downloaded"]
    entry: MirroredArtifact
    bytes: int = 0


class _OnePlace(Claims):
    """Lets a download replace what is at one place, and nothing else: its final name may be another."""

    def __init__(self, claims: Claims, place: Path) -> None:
        super().__init__()
        self._claims = claims
        self._place = place

    def take(self, path: StrPath, artifact: Artifact | ArtifactRef) -> None:
        if Path(path) != self._place and os.path.lexists(path) and not self._is_it(path):
            msg = f"{path} already exists and is not this artifact"
            raise DestinationExistsError(msg, filename=str(path))
        self._claims.take(path, artifact)

    def _is_it(self, path: StrPath) -> bool:
        """Whether a path is the place by another spelling, where the file system folds names.

        That both are one file says nothing: elsewhere they are two names of it, hard links, as artifacts with the same
        content are in a mirror.
        """
        return folded(str(path)) == folded(str(self._place)) and folds_names(Path(path).parent)


class Fetcher:
    """Does the jobs of one run.

    Attributes:
        hashes: what has been read or written in this run.
    """

    def __init__(
        self,
        context: TransferContext,
        folder: Path,
        options: MirrorOptions,
        plan: Plan,
        *,
        emitter: Emitter,
        entries: Iterable[MirroredArtifact],
    ) -> None:
        """Keep the arguments; files among ``entries`` may be what a new artifact is linked to."""
        self.hashes: mirrored.Hashes = mirrored.Hashes()
        self._context = context
        self._folder = folder
        self._options = options
        self._plan = plan
        self._emitter = emitter
        self._jobs = {job.subject.id: job for job in plan.jobs}
        self._locks: dict[str, asyncio.Lock] = {}
        self._sources: dict[str, list[MirroredArtifact]] = {}
        for entry in entries:
            if entry.sha256 is not None and entry.tree is None:
                self._sources.setdefault(entry.sha256, []).append(entry)

    def subjects(self) -> list[Artifact | ArtifactRef]:
        """Return what is to be done, last those whose content is there once the others are done: no task waits then."""
        first: list[Artifact | ArtifactRef] = []
        last: list[Artifact | ArtifactRef] = []
        known = set(self._sources)
        for subject in (job.subject for job in self._plan.jobs):
            sha256 = self._content_of(subject)
            (last if sha256 in known else first).append(subject)
            if sha256 is not None:
                known.add(sha256)
        return first + last

    def _content_of(self, subject: Artifact | ArtifactRef) -> str | None:
        """Return the sha256 by which an artifact's file may be linked; None if it cannot be."""
        if self._options.downloads.extract is not None or not isinstance(subject, Artifact):
            return None
        return expected_sha256(subject)

    def job(self, subject: Artifact | ArtifactRef) -> Job:
        """Return an artifact's job."""
        return self._jobs[subject.id]

    async def fetch(self, subject: Artifact | ArtifactRef) -> Done:
        """Do an artifact's job.

        Raises:
            ArtifactsError: the artifact could not be fetched; nothing has changed.
            OSError: writing failed.
        """
        job, replace = self.job(subject), False
        mirrored.check_way(self._folder, job.path.relative_to(self._folder))
        if job.check and job.entry is not None:
            if await self._in_thread(partial(mirrored.is_intact, self._folder, job.entry, self.hashes)):
                return Done("kept", job.entry)
            replace = True
        artifact = await self._resolved(job)
        if job.replaces is not None:  # what the mirror wrote there is replaced; what somebody has made of it is not
            replace = await self._in_thread(partial(mirrored.is_only_ours, self._folder, job.replaces, self.hashes))
        sha256 = self._content_of(artifact)
        if sha256 is None:
            return await self._download(job, artifact, replace=replace)
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            twin = await self._twin(job, artifact, sha256, replace=replace)
            done = twin or await self._download(job, artifact, replace=replace)
            self._sources.setdefault(sha256, []).append(done.entry)
            return done

    async def _resolved(self, job: Job) -> Artifact:
        """Return what is to be fetched.

        Raises:
            ArtifactExpiredError: it has expired.
            NotFoundError: it was deleted.
            ArtifactsError: it could not be looked up.
        """
        try:
            found = await resolve(self._context.github, job.subject)
        except NotFoundError as error:
            said = f"{job.path} was changed since it was mirrored, and artifact {job.subject.id} is gone from GitHub"
            gone = NotFoundError(
                f"{said}; move it away",
                status=error.status,
                request_id=error.request_id,
                documentation_url=error.documentation_url,
                request=error.request,
            )
            raise gone from None
        if not found.expired:
            return found
        msg = f"{job.path} was changed since it was mirrored, and artifact {job.subject.id} has expired"
        raise ArtifactExpiredError(msg)

    async def _download(self, job: Job, artifact: Artifact, *, replace: bool) -> Done:
        options = attrs.evolve(self._options.downloads, if_exists="replace" if replace else "skip", differs=replace)
        claims = _OnePlace(self._plan.claims, job.place) if replace else self._plan.claims
        result = await Download(self._context, artifact, job.destination, options, self._emitter, claims).run()
        entry = await in_thread(lambda: mirrored.describe(self._folder, artifact, result, job.destination.path()))
        if entry.sha256 is not None and entry.tree is None:
            self.hashes.learn(result.path, entry.sha256)
        return Done("kept" if result.skipped else "downloaded", entry, result.size - result.resumed_from)

    async def _twin(self, job: Job, artifact: Artifact, sha256: str, *, replace: bool) -> Done | None:
        """Link or copy the artifact's content from another file of the mirror; None if there is no such file."""
        if not replace and os.path.lexists(job.path):  # noqa: ASYNC240 - one system call, less than a hop to a thread
            return None  # it may be the artifact itself, which a killed process could not record
        sources = self._sources.get(sha256, [])
        while sources:
            source = sources[-1]
            path = self._folder / source.path
            if not await self._in_thread(partial(mirrored.is_intact, self._folder, source, self.hashes)):
                sources.pop()
                continue
            destination = job.destination.path("raw" if source.raw else "zip")
            is_it = path == destination
            over = replace and destination == job.place
            if os.path.lexists(destination) and not (is_it or over):  # noqa: ASYNC240 - as above
                return None
            self._plan.claims.take(destination, artifact)
            if is_it or await self._put(artifact, path, destination, sha256, replace=over):
                entry = mirrored.file_entry(self._folder, artifact, destination, sha256, raw=source.raw)
                self.hashes.learn(destination, sha256)
                self._emitter.counters.artifacts_skipped += 1
                self._emitter.emit(TransferFinished(artifact=artifact, path=destination, size=entry.size, skipped=True))
                return Done("kept" if is_it else "linked", entry)
            sources.pop()
        return None

    async def _put(self, artifact: Artifact, source: Path, destination: Path, sha256: str, *, replace: bool) -> bool:
        part = PartFile.for_artifact(artifact, destination.parent)
        self._context.leftovers.sweep(part.path, part.prefix, whole=True)  # of a run that was killed
        return await self._in_thread(
            partial(
                mirrored.put_twin,
                source,
                destination,
                part,
                sha256,
                link=self._options.link,
                replace=replace,
                durable=self._options.downloads.durable,
            )
        )

    async def _in_thread(self, work: Callable[..., bool]) -> bool:
        """Run a blocking call that ends early on cancellation."""
        stopped = threading.Event()
        return await in_thread(lambda: work(stopped=stopped), stopped.set)
