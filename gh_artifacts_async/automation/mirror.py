"""Keeps a folder equal to a query, across runs: fetches what is new, each content once, and may prune what is gone."""

from __future__ import annotations

import contextlib
import threading
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import listing
from gh_artifacts_async.automation import mirror_prune, mirrored
from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.automation.ledger import Ledger
from gh_artifacts_async.automation.manifest import MANIFEST, Head, MirroredArtifact
from gh_artifacts_async.automation.mirror_fetch import Fetcher
from gh_artifacts_async.automation.mirror_plan import Planner
from gh_artifacts_async.automation.now import utcnow
from gh_artifacts_async.errors import ArtifactsError, ConfigurationError, DestinationExistsError, PlanRefusedError
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName
from gh_artifacts_async.results import Failure
from gh_artifacts_async.transfer.bulk import STOPS_ALL, Pool, running
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.leftovers import EXTRACTIONS
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.targets import missing_token

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gh_artifacts_async.automation.mirror_fetch import Done
    from gh_artifacts_async.automation.mirror_plan import Job, MirrorOptions
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext


@attrs.frozen(kw_only=True)
class MirrorReport:
    """What a run of a mirror did.

    Attributes:
        fetched: what is new in the folder, or was repaired: downloaded, or linked to a file of the same content.
        kept: what was there already, artifacts that have expired since included.
        removed: what ``prune`` removed.
        failed: what could not be fetched, or removed; the folder is otherwise up to date.
        bytes_fetched: bytes of the downloads among ``fetched``, without those that an earlier run had left.
    """

    fetched: tuple[MirroredArtifact, ...] = ()
    kept: tuple[MirroredArtifact, ...] = ()
    removed: tuple[MirroredArtifact, ...] = ()
    failed: tuple[Failure, ...] = ()
    bytes_fetched: int = 0


async def mirror(
    context: TransferContext,
    repo: RepositoryName,
    directory: StrPath,
    options: MirrorOptions,
    *,
    query: ArtifactQuery | None,
    observer: Observer | None,
) -> MirrorReport:
    """Keep a folder equal to a query, see :meth:`gh_artifacts_async.ArtifactsClient.mirror`."""
    context.github.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    _check_query(query)
    folder = filesystem.checked_directory(directory, writes=True)
    filesystem.make_folder(folder)
    head = Head(repo, options.downloads.extract is not None, context.github.base.origin.host)
    ledger = Ledger(folder, head, durable=options.downloads.durable)
    try:
        await in_thread(ledger.read)
        report = await _Mirror(context, repo, folder, options, ledger=ledger, query=query, observer=observer).run()
        await in_thread(ledger.fold)
    finally:
        await in_thread(ledger.close)
    return report


class _Mirror:
    """One run."""

    def __init__(
        self,
        context: TransferContext,
        repo: RepositoryName,
        folder: Path,
        options: MirrorOptions,
        *,
        ledger: Ledger,
        query: ArtifactQuery | None,
        observer: Observer | None,
    ) -> None:
        self._context = context
        self._repo = repo
        self._folder = folder
        self._options = options
        self._ledger = ledger
        self._query = query
        self._emitter = context.github.emitter.also(observer)
        self._fetched: list[MirroredArtifact] = []
        self._kept: list[MirroredArtifact] = []
        self._removed: list[MirroredArtifact] = []
        self._failed: list[Failure] = []
        self._bytes = 0

    async def run(self) -> MirrorReport:
        listed = await self._listed()
        obsolete = await self._obsolete(listed) if self._options.prune else {}
        if self._options.downloads.extract is not None:
            await self._put_back()
        states = await self._states()
        self._forget_missing(listed, states, obsolete)
        planner = await in_thread(lambda: Planner(self._context.github, self._repo, self._folder, self._options))
        plan = await planner.plan(listed, self._ledger.entries, states, obsolete)
        self._kept += plan.kept
        self._failed += plan.failed
        entries = self._ledger.entries.values()
        fetcher = Fetcher(self._context, self._folder, self._options, plan, emitter=self._emitter, entries=entries)
        await self._work_off(fetcher)
        if not any(isinstance(failure.error, STOPS_ALL) for failure in self._failed):
            await self._prune(obsolete, plan.taken_over, fetcher.hashes)
        return MirrorReport(
            fetched=tuple(self._fetched),
            kept=tuple(self._kept),
            removed=tuple(self._removed),
            failed=tuple(self._failed),
            bytes_fetched=self._bytes,
        )

    # --- what GitHub has

    def _everything(self) -> AsyncGenerator[Artifact]:
        return listing.everything(self._context.github, self._repo)

    async def _listed(self) -> dict[int, Artifact]:
        """Return what the query selects, expired artifacts that are listed with it included.

        Raises:
            PlanRefusedError: it failed, or is empty while the manifest is not, and ``prune`` would remove everything.
            ArtifactsError: it failed, without ``prune``.
        """
        if self._query is None:
            found = self._everything()
        else:
            from gh_artifacts_async.automation.selection import find_artifacts

            found = find_artifacts(self._context.github, self._repo, self._query)
        listed = await self._collected(found)
        if self._options.prune and not listed and self._ledger.entries:
            msg = (
                f"nothing was pruned: GitHub lists no artifact, but {self._folder} has {len(self._ledger.entries)}; "
                "run without prune, or remove the folder yourself"
            )
            raise PlanRefusedError(msg)
        return listed

    async def _collected(self, found: AsyncGenerator[Artifact]) -> dict[int, Artifact]:
        try:
            async with aclosing(found) as artifacts:
                return {artifact.id: artifact async for artifact in artifacts}
        except ConfigurationError:
            raise
        except ArtifactsError as error:
            if not self._options.prune or not self._ledger.entries:
                raise
            msg = f"nothing was pruned or fetched, since the listing failed: {error}"
            raise PlanRefusedError(msg) from error

    async def _obsolete(self, listed: dict[int, Artifact]) -> dict[int, MirroredArtifact]:
        """Return what is in the mirror, no longer matches, and has not expired: that is what ``prune`` removes."""
        now = utcnow()
        found = {
            number: entry
            for number, entry in self._ledger.entries.items()
            if number not in listed and (entry.expires_at is None or entry.expires_at > now)
        }
        if found and self._query is not None:  # GitHub may say that an artifact has expired before its time
            everything = await self._collected(self._everything())
            found = {number: entry for number, entry in found.items() if not _expired(everything.get(number))}
        return found

    # --- what is there

    async def _put_back(self) -> None:
        """Put folders back in place that a killed run was about to replace, and remove what it had extracted."""
        from gh_artifacts_async.transfer.unzip.unpack import clear_away  # imports archive, which few programs need

        for folder in {(self._folder / entry.path).parent for entry in self._ledger.entries.values()}:
            with contextlib.suppress(DestinationExistsError):  # a symbolic link: nothing behind it is ours
                mirrored.check_way(self._folder, folder.relative_to(self._folder) / MANIFEST)
                left = self._context.leftovers.of(folder, EXTRACTIONS)
                if left:
                    await in_thread(partial(clear_away, left))

    async def _states(self) -> dict[int, mirrored.State]:
        entries = list(self._ledger.entries.values())
        stopped = threading.Event()

        def look() -> dict[int, mirrored.State]:
            mirror_prune.sweep(self._folder)
            return {entry.id: mirrored.state(self._folder, entry) for entry in entries if not stopped.is_set()}

        return await in_thread(look, stopped.set)

    def _forget_missing(
        self, listed: dict[int, Artifact], states: dict[int, mirrored.State], obsolete: dict[int, MirroredArtifact]
    ) -> None:
        """Forget files that somebody removed and that cannot, or need not, be fetched again."""
        for number, state in states.items():
            if state == "missing" and (number not in listed or listed[number].expired):
                self._ledger.drop(number)
                obsolete.pop(number, None)

    # --- the work

    async def _work_off(self, fetcher: Fetcher) -> None:
        pool = Pool(fetcher.subjects(), fetcher.fetch, self._options.concurrency)
        async with running(pool) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, Failure):
                    self._failed.append(outcome)
                else:
                    self._take(fetcher.job(outcome.artifact), outcome.value)

    def _take(self, job: Job, done: Done) -> None:
        if done.entry != job.entry:
            old = job.replaces
            took_over = old is not None and old.path == done.entry.path
            self._ledger.put(done.entry, instead_of=old.id if old is not None and took_over else None)
        if done.kind == "kept":
            self._kept.append(done.entry)
        else:
            self._fetched.append(done.entry)
            self._bytes += done.bytes

    # --- what is gone

    async def _prune(
        self, obsolete: dict[int, MirroredArtifact], taken_over: dict[int, int], hashes: mirrored.Hashes
    ) -> None:
        for number, entry in obsolete.items():
            if self._ledger.entries.get(number) is not entry:
                continue  # a new artifact has taken its place
            if taken_over.get(number, number) not in self._ledger.entries:
                self._kept.append(entry)  # or could not be fetched
                continue
            stopped = threading.Event()
            try:
                found = await in_thread(partial(mirror_prune.remove, self._folder, entry, hashes, stopped), stopped.set)
            except OSError as error:
                self._fail(entry, error)
                continue
            if found == "changed":
                msg = f"{self._folder / entry.path} was changed since it was mirrored; it was not removed"
                self._fail(entry, DestinationExistsError(msg, filename=str(self._folder / entry.path)))
                continue
            self._ledger.drop(number)
            if found == "there":
                self._removed.append(entry)

    def _fail(self, entry: MirroredArtifact, error: Exception) -> None:
        self._failed.append(Failure(artifact=ArtifactRef(self._repo, entry.id, entry.name), error=error))


def _expired(artifact: Artifact | None) -> bool:
    return artifact is not None and artifact.expired


def _check_query(query: object) -> None:
    if not isinstance(query, ArtifactQuery | None):
        msg = f"query must be an ArtifactQuery or None, not {query!r:.80}"
        raise ConfigurationError(msg)
