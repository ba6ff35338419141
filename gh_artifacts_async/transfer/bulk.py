"""Downloads many artifacts: bounded, cancellable, one outcome each; the input may be endless."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import abc
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import (
    AuthenticationError,
    OutOfSpaceError,
    RateLimitError,
)
from gh_artifacts_async.models import Artifact, ArtifactRef, check_id
from gh_artifacts_async.protocol.run_attempts import attempt_of, attempt_to_ask
from gh_artifacts_async.results import DownloadResult, Failure, Outcome, Success
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.layouts import Claims, by_layout, check_layout, needs_attempt, needs_run
from gh_artifacts_async.transfer.download import Download
from gh_artifacts_async.transfer.storage.targets import check_artifacts, missing_token, resolve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import RepositoryName, WorkflowRun
    from gh_artifacts_async.protocol.filenames import Destination
    from gh_artifacts_async.settings import Layout, StrPath
    from gh_artifacts_async.transfer.download import DownloadOptions
    from gh_artifacts_async.transfer.storage.context import TransferContext

T = TypeVar("T")
Subject = Artifact | ArtifactRef

STOPS_ALL = (AuthenticationError, OutOfSpaceError, RateLimitError)
"""Failures that every further item would have too."""


class _End:
    """Marks the end of the queue of outcomes."""


class Workers(ABC, Generic[T]):
    """Processes an input with a bounded number of tasks; yields outcomes as they complete.

    Memory does not grow with the input: an item is taken only when a task is free, and a task waits until there is room
    for its outcome.
    """

    def __init__(
        self,
        subjects: Iterable[Subject] | AsyncIterable[Subject],
        size: int,
        stops: tuple[type[Exception], ...] = STOPS_ALL,
    ) -> None:
        """Keep the arguments; :meth:`start` starts the tasks.

        Args:
            subjects: the input.
            size: how many tasks; of an input whose length is known, no more than that.
            stops: after one of these errors nothing more is processed.
        """
        self._stops = stops
        self._left = list(subjects) if isinstance(subjects, abc.Collection) else None
        self._size = size if self._left is None else max(1, min(size, len(self._left)))
        self._source = _Source(iter(self._left) if self._left is not None else subjects)
        self._outcomes: asyncio.Queue[Outcome[T] | _End] = asyncio.Queue(self._size)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped_by: Exception | None = None
        self._input_error: BaseException | None = None

    @abstractmethod
    async def process(self, subject: Subject) -> None:
        """Do the work for one item, and put its outcomes in the queue; an error is the item's last outcome."""

    async def put(self, outcome: Outcome[T]) -> None:
        """Put an outcome in the queue, once there is room."""
        await self._outcomes.put(outcome)

    def start(self) -> None:
        """Start the tasks."""
        loop = asyncio.get_running_loop()
        workers = [loop.create_task(self._run(), name="gh-artifacts-bulk") for _ in range(self._size)]
        self._tasks = [*workers, loop.create_task(self._finish(workers), name="gh-artifacts-bulk-end")]

    async def _run(self) -> None:
        """Process one item after another."""
        while True:
            try:
                subject = await self._source.take()
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001 - the caller's iterator: raised to the caller after the rest
                self._input_error = self._input_error or error
                self._source.end()
                return
            failure = self._stopped_by or await self._failure_of(subject)
            if failure is not None:
                await self.put(Failure(artifact=subject, error=failure))

    async def _failure_of(self, subject: Subject) -> Exception | None:
        """Process one item; one item's failure never raises, but one that every further item would have stops all."""
        try:
            await self.process(subject)
        except Exception as error:  # noqa: BLE001 - it is that item's outcome
            if isinstance(error, self._stops):
                self._stopped_by = self._stopped_by or error
                if self._left is None:
                    self._source.end()
            return error
        return None

    async def _finish(self, workers: list[asyncio.Task[None]]) -> None:
        await asyncio.wait(workers)
        try:
            await self._source.aclose()
        except Exception as error:  # noqa: BLE001 - the caller's iterator, as above
            self._input_error = self._input_error or error
        await self._outcomes.put(_End())

    async def outcomes(self) -> AsyncGenerator[Outcome[T]]:
        """Yield the outcomes.

        Raises:
            Exception: the input's own, after the outcomes of all items that had been started.
        """
        while not isinstance(outcome := await self._outcomes.get(), _End):
            yield outcome
        self._outcomes.put_nowait(outcome)
        if self._input_error is not None:
            raise self._input_error

    async def stop(self) -> None:
        """Cancel the tasks and wait until they have ended, even if cancelled meanwhile; close the input."""
        for task in self._tasks:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while left := [task for task in self._tasks if not task.done()]:
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError as error:
                cancelled = error
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._source.aclose()
        if cancelled is not None:
            raise cancelled


class Pool(Workers[T]):
    """Work that returns one value for each item."""

    def __init__(
        self,
        subjects: Iterable[Subject] | AsyncIterable[Subject],
        work: Callable[[Subject], Awaitable[T]],
        size: int,
        stops: tuple[type[Exception], ...] = STOPS_ALL,
    ) -> None:
        """Keep the arguments: ``work`` processes one item."""
        super().__init__(subjects, size, stops)
        self._work = work

    async def process(self, subject: Subject) -> None:
        """Put the value in the queue."""
        await self.put(Success(artifact=subject, value=await self._work(subject)))


class _Source:
    """The input, sync or async, read by one task at a time."""

    def __init__(self, subjects: Iterable[Subject] | AsyncIterable[Subject] | Iterator[Subject]) -> None:
        self._lock = asyncio.Lock()
        self._ended = False
        self._async: AsyncIterator[Subject] | None = None
        self._sync: Iterator[Subject] | None = None
        if isinstance(subjects, AsyncIterable):
            self._async = aiter(subjects)
        else:
            self._sync = iter(subjects)

    async def take(self) -> Subject:
        if self._sync is not None:
            if not self._ended:
                for subject in self._sync:
                    return subject
            raise StopAsyncIteration
        async with self._lock:
            if self._ended or self._async is None:
                raise StopAsyncIteration
            return await anext(self._async)

    def end(self) -> None:
        """Stop reading."""
        self._ended = True

    async def aclose(self) -> None:
        close = getattr(self._async, "aclose", None)
        if close is not None:
            await close()


@asynccontextmanager
async def running(pool: Workers[T]) -> AsyncGenerator[AsyncIterator[Outcome[T]]]:
    """Run a pool for the length of a block; leaving it cancels what is left."""
    pool.start()
    try:
        async with aclosing(pool.outcomes()) as outcomes:
            yield outcomes
    finally:
        await pool.stop()


def download_many(
    context: TransferContext,
    artifacts: Iterable[Subject] | AsyncIterable[Subject],
    directory: StrPath,
    options: DownloadOptions,
    *,
    concurrency: int,
    layout: Layout,
    observer: Observer | None,
) -> AbstractAsyncContextManager[AsyncIterator[Outcome[DownloadResult]]]:
    """Download many artifacts, see :meth:`gh_artifacts_async.ArtifactsClient.download_many`.

    The arguments are checked here, before the block is entered.
    """
    if not context.github.has_token:
        raise missing_token(context.github.base)
    check_id(concurrency, "concurrency")
    check_layout(layout)
    folder = filesystem.checked_directory(directory, writes=options.if_exists != "skip")
    emitter = context.github.emitter.also(observer)
    return _downloading(context, artifacts, folder, options, concurrency=concurrency, layout=layout, emitter=emitter)


@asynccontextmanager
async def _downloading(
    context: TransferContext,
    artifacts: Iterable[Subject] | AsyncIterable[Subject],
    folder: Path,
    options: DownloadOptions,
    *,
    concurrency: int,
    layout: Layout,
    emitter: Emitter,
) -> AsyncGenerator[AsyncIterator[Outcome[DownloadResult]]]:
    context.github.check_usable()
    check_artifacts(artifacts)
    runs = Runs(context.github, layout)

    extracts = options.extract is not None

    async def destination_of(artifact: Artifact) -> Destination:
        return by_layout(artifact, folder, layout, await runs.of(artifact))

    known: dict[int, Destination] = {}
    if isinstance(artifacts, abc.Collection):  # a conflict is detected before anything is fetched
        rehearsal = Claims()
        for artifact in artifacts:
            if isinstance(artifact, Artifact):
                known[artifact.id] = await destination_of(artifact)
                rehearsal.take(known[artifact.id].place(extract=extracts), artifact)
        del rehearsal
    claims, turns = Claims(), Turns()

    async def work(subject: Subject) -> DownloadResult:
        artifact = await resolve(context.github, subject)
        destination = known.pop(artifact.id, None) or await destination_of(artifact)
        claims.take(destination.place(extract=extracts), artifact)
        async with turns.of(artifact.id):
            return await Download(context, artifact, destination, options, emitter, claims).run()

    async with running(Pool(artifacts, work, concurrency)) as outcomes:
        yield outcomes


class Runs:
    """The workflow runs and attempts that a layout needs, each requested once."""

    def __init__(self, github: GitHubSession, layout: Layout) -> None:
        """Start with none; if the layout needs none, none is ever requested."""
        self._github = github
        self._needed = needs_run(layout)
        self._attempts_needed = needs_attempt(layout)
        self._known: dict[int, WorkflowRun] = {}
        self._starts: dict[int, dict[int, datetime]] = {}
        self._turns = Turns()

    async def of(self, artifact: Artifact) -> WorkflowRun | None:
        """Return an artifact's run; None if it has none, or none is needed.

        If the layout needs the attempt, the run's ``run_attempt`` is the one that the artifact belongs to; None if the
        server does not say enough to tell.
        """
        number, repository = artifact.run_id, artifact.repository
        if not self._needed or number is None or repository is None:
            return None
        async with self._turns.of(number):
            if number not in self._known:
                self._known[number] = await endpoints.get_workflow_run(self._github, repository, number)
            run = self._known[number]
            if not self._attempts_needed or run.run_attempt in {None, 1}:
                return run
            return attrs.evolve(run, run_attempt=await self._attempt(artifact, run, repository))

    async def _attempt(self, artifact: Artifact, run: WorkflowRun, repository: RepositoryName) -> int | None:
        """Return the attempt of an artifact; those that started after it are requested, as far as they must be."""
        latest, started = run.run_attempt, run.run_started_at
        if latest is None or started is None or artifact.created_at is None:
            return None
        starts = self._starts.setdefault(run.id, {latest: started})
        while (number := attempt_to_ask(artifact.created_at, starts)) is not None:
            earlier = await endpoints.get_workflow_run_attempt(self._github, repository, run.id, number)
            if earlier.run_started_at is None:
                return None
            starts[number] = earlier.run_started_at
        return attempt_of(artifact.created_at, starts)


class Turns:
    """Serializes work on the same key: an artifact that is given twice is not fetched twice."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._busy: dict[int, asyncio.Event] = {}

    def of(self, key: int) -> _Turn:
        """Return a block that is entered once the one before it on the same key has been left."""
        return _Turn(self._busy, key)


class _Turn:
    """One piece of work on a key; a block of it is entered when the one before is left."""

    __slots__ = ("_busy", "_key")

    def __init__(self, busy: dict[int, asyncio.Event], key: int) -> None:
        self._busy = busy
        self._key = key

    async def __aenter__(self) -> None:
        while (before := self._busy.get(self._key)) is not None:
            await before.wait()
        self._busy[self._key] = asyncio.Event()

    async def __aexit__(self, *_: object) -> None:
        self._busy.pop(self._key).set()
