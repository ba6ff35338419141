"""A watch: each new artifact of a repository once, across restarts; polls cost nothing while nothing changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Self

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.pagination import Page, one_by_one, paginate
from gh_artifacts_async.automation.checks import check_seconds
from gh_artifacts_async.automation.frontier import PAGE, Calm, Frontier, Walk, key_of
from gh_artifacts_async.errors import (
    ConfigurationError,
    RateLimitError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.attempts import is_final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.errors import ArtifactsError
    from gh_artifacts_async.models import Artifact, RepositoryName

_LONGEST_WAIT = 900.0
"""Seconds between polls while they fail, unless the interval, or what GitHub asks for, is longer."""

_MOST_DOUBLINGS = 10
_MOST_UNEXPECTED = 5  # responses in a row that are not GitHub's: a proxy's, or a server's that is being repaired


class ArtifactWatch:
    """Yields each new artifact of a repository once; an async iterator without an end.

    ``async for`` polls when it needs to: no task runs beside the loop. Leave it by ``break`` and :meth:`aclose`, or use
    ``async with``, which closes it. A watch is for one consumer at a time; ``aclose`` may be called from another task.
    """

    def __init__(
        self,
        github: GitHubSession,
        repo: RepositoryName,
        *,
        name: str | None = None,
        since: datetime | str | None = None,
        interval: float = 60.0,
    ) -> None:
        """Check the arguments; nothing is requested before the first step.

        The arguments are those of :meth:`ArtifactsClient.watch <gh_artifacts_async.ArtifactsClient.watch>`.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        self._github = github
        self._repo = repo
        self._name = name
        self._interval = check_seconds("interval", interval)
        self._frontier = _frontier(since)
        self._request = requests.list_artifacts_for_repo(repo, name=name, per_page=PAGE)
        self._found: list[Artifact] = []  # new ones, the newest first
        self._calm = Calm()
        self._failures = 0
        self._answered = False
        self._due: float | None = None
        self._closed = False
        self._step: asyncio.Timeout | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def __repr__(self) -> str:
        """Return what is watched."""
        return f"ArtifactWatch({str(self._repo)!r}, name={self._name!r})"

    @property
    def cursor(self) -> str:
        """Where the watch is, as a string to store; ``since=cursor`` continues there, after a restart too.

        It covers every artifact that was yielded so far, the latest one included. Store it after an artifact has been
        dealt with: then each is dealt with at least once, and the one that a crash interrupts comes again. Stored
        before, each is dealt with at most once. It holds ids and times, no secrets, and at most some thousand
        characters; it belongs to this repository and ``name``.
        """
        return self._frontier.cursor()

    async def __aenter__(self) -> Self:
        """Return the watch itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """End the watch, also while another task waits for its next artifact: that task's loop ends then.

        A wait or request under way is cancelled and has ended when this returns. A second call does nothing.
        """
        if self._step is not None and not self._closed:
            self._step.reschedule(asyncio.get_running_loop().time())
        self._closed = True
        await self._idle.wait()

    def __aiter__(self) -> Self:
        """Return the watch itself."""
        return self

    async def __anext__(self) -> Artifact:
        """Return the next new artifact, the oldest first; wait until there is one.

        A cancelled step loses nothing: the next one continues. After an error the watch is closed.

        Raises:
            StopAsyncIteration: the watch was closed.
            RuntimeError: another task waits for an artifact of this watch already.
            ArtifactsError: GitHub refuses (authentication, permission, not found), or its responses are not as
                documented. Failures that pass are retried instead.
        """
        if self._step is not None:
            msg = "another task is waiting for this watch's next artifact already"
            raise RuntimeError(msg)
        if self._is_closed():
            raise StopAsyncIteration
        try:
            async with asyncio.timeout(None) as self._step:
                self._idle.clear()
                return await self._next()
        except Exception as error:
            ended_by_aclose = self._is_closed() and type(error) is TimeoutError  # others are subclasses
            self._closed = True
            if ended_by_aclose:
                raise StopAsyncIteration from None
            raise
        finally:
            self._step = None
            self._idle.set()

    def _is_closed(self) -> bool:
        return self._closed

    async def _next(self) -> Artifact:
        while True:
            while self._found:
                artifact = self._found.pop()
                self._frontier.add(key_of(artifact))
                if self._name in {None, artifact.name}:  # an old GitHub Enterprise Server ignores the name
                    return artifact
            await self._poll()

    async def _poll(self) -> None:
        """Wait until a poll is due, and look for new artifacts."""
        loop = asyncio.get_running_loop()
        if self._due is not None:
            await asyncio.sleep(max(0.0, self._due - loop.time()))
        try:
            if self._frontier.started:
                self._found = await self._walk()
            else:
                await self._begin()
        except (TransportError, ServerError, RateLimitError, UnexpectedResponseError) as error:
            if self._ends_with(error):
                raise
            self._due = loop.time() + self._wait_after(error)
        else:
            self._answered, self._failures = True, 0
            self._due = loop.time() + self._interval
            self._calm.note(loop.time(), news=bool(self._found))

    def _ends_with(self, error: ArtifactsError) -> bool:
        """Whether a failed poll is one too many: nothing but the caller can mend what is wrong."""
        if isinstance(error, UnexpectedResponseError):  # once it has answered well, it may do so again
            return not self._answered or self._failures >= _MOST_UNEXPECTED
        return isinstance(error, TransportError) and is_final(error)

    def _wait_after(self, error: ArtifactsError) -> float:
        """Return the seconds before the next poll after one that failed, and tell observers."""
        self._failures += 1
        doubled = self._interval * 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS)
        wait = max(self._interval, min(doubled, _LONGEST_WAIT))
        if isinstance(error, RateLimitError) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        self._github.emitter.retried("api", self._request.label, error, wait, self._failures)
        return wait

    async def _begin(self) -> None:
        """Take what is there as known, by the first page alone."""
        page = await endpoints.list_artifacts_for_repo(self._github, self._repo, name=self._name, per_page=PAGE)
        self._frontier.begin(map(key_of, page.artifacts), complete=page.next_page is None)

    async def _walk(self) -> list[Artifact]:
        """Return what is new, the newest first.

        All of it is read before any is handed out, and then the oldest comes first: so what a cursor knows has nothing
        unknown below it, and a walk may end where the known begins.
        """
        walk, fresh = Walk(self._frontier, settled=self._calm.settled), []
        async with aclosing(self._listed()) as listed:
            async for artifact in listed:
                key = key_of(artifact)
                if walk.step(key):
                    fresh.append(artifact)
                if walk.ends_at(key):
                    break
        return sorted(fresh, key=key_of, reverse=True)

    def _listed(self) -> AsyncGenerator[Artifact]:
        """Return the listing as the server sends it, each id once, a page a request."""

        async def fetch(number: int, url: str | None) -> Page[Artifact]:
            asked = requests.list_artifacts_for_repo(self._repo, name=self._name, per_page=PAGE, page=number)
            page, links = await endpoints.artifact_page(
                self._github, asked if url is None else asked.at(url), self._repo
            )
            return Page(items=page.artifacts, total=page.total_count, links=links)

        return one_by_one(paginate(fetch, per_page=PAGE, concurrency=1, emitter=self._github.emitter))


def _frontier(since: object) -> Frontier:
    """Return what is known at the start.

    Raises:
        ConfigurationError: it is neither a time nor a cursor.
    """
    if since is None:
        return Frontier()
    if isinstance(since, datetime):
        return Frontier.since(since)
    if isinstance(since, str):
        return Frontier.parse(since)
    msg = f"since must be a datetime or a watch's cursor, not {since!r}"
    raise ConfigurationError(msg)
