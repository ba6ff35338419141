"""Many artifacts into one folder: audit all, plan, fetch and extract, and put the folder in place as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from gh_artifacts_async.archive import BytesReader, Extraction, FileReader
from gh_artifacts_async.archive.overlay import overlay, twins_conflict
from gh_artifacts_async.errors import (
    ArchiveError,
    ArtifactExpiredError,
    ConfigurationError,
    DestinationExistsError,
    DigestMismatchError,
)
from gh_artifacts_async.events import ExtractionProgress, TransferFailed, TransferFinished
from gh_artifacts_async.models import Artifact, check_id
from gh_artifacts_async.results import MergeResult
from gh_artifacts_async.settings import Conflicts, ExtractPolicy, IfExists
from gh_artifacts_async.transfer.disk import leftovers, records
from gh_artifacts_async.transfer.disk.filesystem import check_not_at_work, checked_directory
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.targets import check_artifacts, missing_token, resolve
from gh_artifacts_async.transfer.unzip.merge_filler import Filler, changed
from gh_artifacts_async.transfer.unzip.merge_sources import Auditor, Keep, Kept, Remote, of_artifact
from gh_artifacts_async.transfer.unzip.unpack import begun, check_destination, clear_away, commit_with_record

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.archive import Reader
    from gh_artifacts_async.archive.overlay import Overlay, Share
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.unzip.merge_sources import Source

T = TypeVar("T")
U = TypeVar("U")

CONFLICTS = ("error", "identical", "newest")
"""Ways of merging, each of which allows more than those before it."""

_IF_EXISTS = ("error", "skip", "replace")


@attrs.frozen(kw_only=True)
class MergeOptions:
    """How artifacts are merged.

    Attributes:
        conflicts: what to do about two files at one path.
        if_exists: what to do if the folder is there.
        policy: limits and rules, for all archives together.
        concurrency: artifacts at once.
        durable: fsync what is written.
    """

    conflicts: Conflicts = "error"
    if_exists: IfExists = "error"
    policy: ExtractPolicy = attrs.field(factory=ExtractPolicy)
    concurrency: int = 8
    durable: bool = False

    def check(self) -> None:
        """Check the caller's arguments.

        Raises:
            ConfigurationError: one of them is invalid.
        """
        check_id(self.concurrency, "concurrency")
        for name, allowed in (("conflicts", CONFLICTS), ("if_exists", _IF_EXISTS)):
            value = getattr(self, name)
            if value not in allowed:
                msg = f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}"
                raise ConfigurationError(msg)
        policy: object = self.policy
        if not isinstance(policy, ExtractPolicy):
            msg = f"policy must be an ExtractPolicy, or None for the default one, not {policy!r}"
            raise ConfigurationError(msg)


async def download_merged(
    context: TransferContext,
    artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
    directory: StrPath,
    options: MergeOptions,
    *,
    observer: Observer | None,
) -> MergeResult:
    """Merge artifacts, see :meth:`gh_artifacts_async.ArtifactsClient.download_merged`."""
    context.github.transport.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    options.check()
    check_artifacts(artifacts)
    folder = checked_directory(directory)
    if folder.name in {"", ".."}:
        folder = folder.resolve()
    checked_directory(folder.parent, writes=options.if_exists != "skip")
    merge = Merge(context, folder, options, context.github.emitter.also(observer))
    return await merge.run(artifacts)


class Merge:
    """Merges artifacts into one folder."""

    def __init__(self, context: TransferContext, folder: Path, options: MergeOptions, emitter: Emitter) -> None:
        """Keep the arguments.

        Args:
            context: the client's.
            folder: where the merged folder will be.
            options: how to merge.
            emitter: gets the events.
        """
        self._context = context
        self._folder = folder
        self._options = options
        self._emitter = emitter
        self._parts: list[PartFile] = []
        self._bytes_fetched = 0

    async def run(
        self, artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef]
    ) -> MergeResult:
        """Return the folder that is there, or else make it.

        Raises:
            ArtifactsError: an artifact cannot be fetched, or cannot be merged; the folder is unchanged.
            OSError: writing failed.
        """
        await self._clear_away()
        try:
            record = await in_thread(self._look)
        except DestinationExistsError:
            if isinstance(artifacts, Collection):
                await self._sweep_known([one for one in artifacts if isinstance(one, Artifact)])
            raise
        given = [one async for one in artifacts] if isinstance(artifacts, AsyncIterable) else list(artifacts)
        wanted = await self._resolved(given)
        members = await in_thread(lambda: self._present(record, wanted))
        if members is not None:
            return self._skipped(wanted, members)
        _check_expired(wanted)
        keep = Keep(self._folder.absolute())
        try:
            return await self._make(wanted, keep)
        finally:
            await in_thread(keep.close)

    # --- what is there

    async def _clear_away(self) -> None:
        """Clear away what killed extractions have left beside the folder; one that was replaced comes back."""
        left = self._context.leftovers.of(self._folder.parent, leftovers.EXTRACTIONS)
        if left:
            await in_thread(lambda: clear_away(left))

    def _look(self) -> records.MergeRecord | None:
        """Check, before any request, whether the folder can be made, and return the record of one that is there."""
        check_destination(self._folder)
        if self._options.if_exists == "error":
            self._check_empty("is not empty")
            return None
        record = records.read_merge_record(self._folder)
        if record is None and self._options.if_exists == "skip":
            self._check_empty()
        elif record is None:
            check_not_at_work(self._folder)
        return record

    def _check_empty(self, what: str = "is not what these artifacts merge into") -> None:
        with suppress(FileNotFoundError):
            if any(self._folder.iterdir()):
                msg = f"{self._folder} already exists and {what}"
                raise DestinationExistsError(msg, filename=str(self._folder))

    def _present(
        self, record: records.MergeRecord | None, artifacts: Sequence[Artifact]
    ) -> tuple[ExtractedMember, ...] | None:
        """Return the files of the folder, if it is known to be the same."""
        if record is not None and record.is_of(artifacts) and record.conflicts in self._allowed():
            members = record.files(self._folder)
            if members is not None:
                return members
        if self._options.if_exists == "skip":
            self._check_empty()
        return None

    def _allowed(self) -> tuple[str, ...]:
        """Return the ways of merging that lead to the same folder wherever they succeed."""
        return CONFLICTS[: CONFLICTS.index(self._options.conflicts) + 1]

    def _skipped(self, artifacts: Sequence[Artifact], members: tuple[ExtractedMember, ...]) -> MergeResult:
        self._emitter.counters.artifacts_skipped += len(artifacts)
        self._sweep(artifacts)
        for artifact in artifacts:
            self._finished(artifact, skipped=True)
        return MergeResult(path=self._folder, members=members, artifacts=tuple(artifacts), skipped=True)

    async def _sweep_known(self, artifacts: Sequence[Artifact]) -> None:
        """Sweep, if the folder in the way is what these artifacts merge into."""
        record = await in_thread(lambda: records.read_merge_record(self._folder))
        if record is not None and record.is_of(artifacts):
            self._sweep(artifacts)

    def _sweep(self, artifacts: Sequence[Artifact]) -> None:
        """Remove the parts that a process has left which was killed when the folder was in place."""
        for artifact in artifacts:
            part = PartFile.for_artifact(artifact, self._folder.parent)
            self._context.leftovers.sweep(part.path, part.prefix, whole=True)

    def _finished(self, artifact: Artifact, *, skipped: bool = False) -> None:
        size = artifact.size_in_bytes
        self._emitter.emit(TransferFinished(artifact=artifact, path=self._folder, size=size, skipped=skipped))

    async def _resolved(self, given: Sequence[Artifact | ArtifactRef]) -> list[Artifact]:
        """Return the artifacts, each once.

        Raises:
            ConfigurationError: there are none.
            ArtifactsError: one could not be looked up.
        """
        if not given:
            msg = "there are no artifacts to merge"
            raise ConfigurationError(msg)
        found = await each(given, lambda one: resolve(self._context.github, one), self._options.concurrency)
        return list({artifact.id: artifact for artifact in found}.values())

    # --- the folder

    async def _make(self, artifacts: Sequence[Artifact], keep: Keep) -> MergeResult:
        options, parent = self._options, self._folder.parent
        auditor = Auditor(self._context, parent, options.policy, self._emitter, keep)
        sources = await each(
            artifacts, lambda artifact: self._told(artifact, auditor.audit(artifact)), options.concurrency
        )
        layers = [source.layer for source in sources]
        plan = await in_thread(lambda: overlay(layers, options.policy, options.conflicts))
        needed = [(source, share) for source, share in zip(sources, plan.shares, strict=True) if share]
        try:
            async with self._extraction(plan) as extraction:
                filler = Filler(extraction, plan)
                await each(
                    needed,
                    lambda both: self._told(both[0].artifact, self._fill(filler, *both, keep)),
                    options.concurrency,
                )
                members = await in_thread(lambda: self._put_in_place(extraction, artifacts, plan))
        except (ArchiveError, DigestMismatchError):
            await in_thread(self._discard_parts)  # a later run would get the same content
            raise
        finally:
            for part in self._parts:
                self._context.leftovers.add(part.path, part.prefix)
        self._emitter.counters.artifacts_done += len(artifacts)
        for artifact in artifacts:
            self._finished(artifact)
        fetched = auditor.bytes_fetched + self._bytes_fetched
        return MergeResult(path=self._folder, members=tuple(members), artifacts=tuple(artifacts), bytes_fetched=fetched)

    async def _told(self, artifact: Artifact, work: Awaitable[T]) -> T:
        """Do something for one artifact, and tell observers if it fails."""
        try:
            return await work
        except BaseException as error:
            self._emitter.counters.artifacts_failed += isinstance(error, Exception)  # to be cancelled is no failure
            self._emitter.emit(TransferFailed(artifact=artifact, error=error))
            raise

    @asynccontextmanager
    async def _extraction(self, plan: Overlay) -> AsyncGenerator[Extraction]:
        """Create the staging folder with all its subfolders; leaving the block removes what was not put in place."""
        extraction = Extraction(
            plan.directory,
            self._folder,
            if_exists="replace" if self._options.if_exists == "replace" else "error",
            durable=self._options.durable,
        )
        twins: ArchiveError | None = None
        try:
            async with begun(extraction):
                yield extraction
        except ArchiveError as error:
            names, owners = plan.directory.twins, plan.twins
            if error.rule != "twin" or names is None or owners is None or owners[0] == owners[1]:
                raise
            twins = twins_conflict(names, owners)
        if twins is not None:
            raise twins

    def _put_in_place(
        self, extraction: Extraction, artifacts: Sequence[Artifact], plan: Overlay
    ) -> list[ExtractedMember]:
        """Put the folder and its record in place; then no later run has a use for the parts. Blocks."""
        sizes = {name: size for name, size, _ in plan.directory.members.summaries()}
        conflicts = self._options.conflicts if plan.clashes else CONFLICTS[0]
        record = records.MergeRecord.of(artifacts, conflicts, sizes)
        staged = records.stage_merge_record(self._folder, record, extraction.staged, durable=self._options.durable)
        members = commit_with_record(extraction, self._folder, staged, durable=self._options.durable)
        self._discard_parts()
        return members

    def _discard_parts(self) -> None:
        for part in self._parts:
            leftovers.sweep(part.path, part.path)

    # --- one artifact

    async def _fill(self, filler: Filler, source: Source, share: Share, keep: Keep) -> None:
        """Extract one artifact's members."""
        rejected: ArchiveError | None = None
        try:
            async with self._bytes_of(source, keep) as reader:
                await in_thread(lambda: filler.fill(reader, source.layer, share), filler.extraction.stop)
        except ArchiveError as error:
            rejected = of_artifact(source.artifact, error)
        if rejected is not None:
            raise rejected
        if self._emitter.active:
            done = len(share.written)
            size = sum(
                size for size, _ in filler.plan.directory.members[share.written.start : share.written.stop].extents()
            )
            self._emitter.emit(
                ExtractionProgress(artifact=source.artifact, written=size, total=size, members_done=done, members=done)
            )

    @asynccontextmanager
    async def _bytes_of(self, source: Source, keep: Keep) -> AsyncGenerator[Reader]:
        """Provide an artifact's bytes: those that were kept, or else from storage, verified."""
        where = source.where
        if isinstance(where, Kept):
            yield BytesReader(keep.read(where))
        elif isinstance(where, Path):
            with FileReader(where) as reader:
                yield reader
        else:
            async with self._fetched(source.artifact, where) as reader:
                yield reader

    @asynccontextmanager
    async def _fetched(self, artifact: Artifact, where: Remote) -> AsyncGenerator[Reader]:
        """Fetch an artifact into a part file, which stays until the folder is in place: a later run can resume."""
        context, folder = self._context, self._folder.parent
        part = PartFile.for_artifact(artifact, folder)
        self._parts.append(part)
        left = context.leftovers.of(folder, part.prefix)
        signed = None if where.ranged is None else where.ranged.unexpired_url()
        async with fetch(context, artifact, part, left, emitter=self._emitter, signed=signed) as incoming:
            try:
                await incoming.receive()
            finally:
                self._bytes_fetched += incoming.bytes_fetched
            with FileReader(part.path) as reader:
                if where.tail is not None and not await in_thread(lambda: _is_that_of(where, reader)):
                    raise changed(artifact)
                yield reader
            part.release(resumable=True)


async def each(items: Sequence[U], work: Callable[[U], Awaitable[T]], size: int) -> list[T]:
    """Do something with each item, with so many at once, and return the results in order.

    The first failure cancels the rest, and is raised once all of it has ended.
    """
    results: dict[int, T] = {}
    failures: list[Exception] = []
    queue = iter(enumerate(items))

    async def worker() -> None:
        for number, item in queue:
            try:
                results[number] = await work(item)
            except Exception as error:
                failures.append(error)
                raise

    loop, cancelled = asyncio.get_running_loop(), None
    tasks = [loop.create_task(worker(), name="gh-artifacts-merge") for _ in range(min(size, len(items)))]
    while left := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(left, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError as error:
            cancelled = error
        if failures or cancelled is not None:
            for task in left:
                task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if cancelled is not None:
        raise cancelled
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(items))]


def _check_expired(artifacts: Iterable[Artifact]) -> None:
    for artifact in artifacts:
        if artifact.expired:
            msg = f"artifact {artifact.id} ({artifact.name!r}) has expired and can no longer be downloaded"
            raise ArtifactExpiredError(msg)


def _is_that_of(where: Remote, reader: Reader) -> bool:
    """Whether an archive that has arrived is the one that was audited. Blocks."""
    return where.tail is not None and where.tail.size == reader.size and where.tail.is_that_of(reader)
