"""Async generators over GitHub's listings: lazy, each id once, complete.

GitHub pages by offset, which is no snapshot: what is added meanwhile pushes items to later pages (they come again, and
are dropped by id); what is deleted pulls items to earlier pages (they would be missed, so the walk steps back when the
total falls). https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import attrs

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import ConfigurationError, UnexpectedResponseError
from gh_artifacts_async.models import Artifact, WorkflowRun, check_id
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.links import PageLinks, page_count, pages_to_step_back

if TYPE_CHECKING:
    from datetime import datetime

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.models import Direction, RepositoryName


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=_HasId)

MOST_FILTERED_RUNS = 1000
"""GitHub gives out at most so many runs of a filtered listing
(https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository)."""

_MOST_STALE_PAGES = 100  # that have nothing new, one after the other, without a page number to tell how far it is
_MOST_FRUITLESS_STEPS = 3  # a server whose totals go up and down must not keep a walk for ever


@attrs.frozen(kw_only=True)
class Page(Generic[Item]):
    """One page as the walk needs it."""

    items: tuple[Item, ...]
    total: int
    links: PageLinks


Fetch = Callable[[int, str | None], Awaitable[Page[Item]]]
"""Fetches a page by number, or by GitHub's own link to it."""


class _Prefetcher(Generic[Item]):
    """Fetches pages, some of them before they are asked for; hands them out in order."""

    def __init__(self, fetch: Fetch[Item], concurrency: int) -> None:
        self._fetch = fetch
        self._concurrency = concurrency
        self._tasks: dict[int, asyncio.Task[Page[Item]]] = {}

    async def get(self, number: int, url: str | None, last: int) -> Page[Item]:
        """Return one page; the ones behind it, up to ``last``, are under way from now on."""
        if self._concurrency == 1 or last == 0:
            return await self._fetch(number, url)
        for ahead in range(number, min(number + self._concurrency, max(last, number) + 1)):
            if ahead not in self._tasks:
                self._tasks[ahead] = asyncio.ensure_future(self._fetch(ahead, None))
        page = await self._tasks[number]
        del self._tasks[number]
        return page

    async def drop(self) -> None:
        """Cancel what is under way, and wait until it has ended."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def paginate(fetch: Fetch[Item], *, per_page: int, concurrency: int, emitter: Emitter) -> AsyncGenerator[Item]:
    """Yield every item of a listing once, in the order in which the pages show them."""
    from gh_artifacts_async.events import ListingProgress  # as in session.py

    ahead = _Prefetcher(fetch, concurrency)
    seen: set[int] = set()
    visited: set[str] = set()
    number, url, total, fruitless = 1, None, 0, 0
    try:
        while True:
            page = await ahead.get(number, url, page_count(total, per_page))
            fallen, total = total - page.total, page.total
            if fallen > 0 and number > 1 and fruitless < _MOST_FRUITLESS_STEPS:
                await ahead.drop()
                number, url = max(1, number - pages_to_step_back(fallen, per_page)), None
                fruitless += 1
                continue
            fresh = [item for item in {item.id: item for item in page.items}.values() if item.id not in seen]
            seen.update(item.id for item in fresh)
            fruitless = 0 if fresh else fruitless
            emitter.emit(ListingProgress(page=number, items=len(seen), total_count=total))
            for item in fresh:
                yield item
            if not _goes_on(page, number, per_page, concurrency):
                return
            _check_next(page, number, visited, fresh=bool(fresh))
            number, url = page.links.next_page or number + 1, page.links.next_url
    finally:
        await ahead.drop()


def _check_next(page: Page[Item], number: int, visited: set[str], *, fresh: bool) -> None:
    """Refuse a listing that would never end.

    Raises:
        UnexpectedResponseError: the next page is this one or an earlier one, or the pages that have nothing new go on.
    """
    following, url = page.links.next_page, page.links.next_url
    if following is not None and following <= number:
        msg = f"page {number} of a listing names page {following} as the next one"
        raise UnexpectedResponseError(msg)
    if fresh:
        visited.clear()  # it got somewhere
    if url is None:
        return
    if following is None and (url in visited or len(visited) > _MOST_STALE_PAGES):
        msg = f"page {number} of a listing leads on to pages that were read already"
        raise UnexpectedResponseError(msg)
    visited.add(url)


def _goes_on(page: Page[Item], number: int, per_page: int, concurrency: int) -> bool:
    """Whether there is a next page: by GitHub's link; by the total where no link came, or pages are fetched ahead."""
    if page.links.next_url is not None:
        return True
    if page.links.stated and concurrency == 1:
        return False
    return bool(page.items) and page_count(page.total, per_page) > number


def check_walk(limit: int | None, concurrency: int) -> None:
    """Check what bounds a walk.

    Raises:
        ConfigurationError: limit is negative, or concurrency below 1.
    """
    check_id(concurrency, "concurrency")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        msg = f"limit must be a whole number of 0 or more, or None for all, not {limit!r}"
        raise ConfigurationError(msg)


def artifacts(
    session: GitHubSession,
    repo: RepositoryName,
    *,
    run_id: int | None = None,
    name: str | None = None,
    direction: Direction | None = None,
    per_page: int = 100,
    limit: int | None = None,
    concurrency: int = 1,
) -> AsyncGenerator[Artifact]:
    """Return the artifacts of a repository, or of one of its runs.

    The arguments are checked here, before the first step of the generator. ``name`` is applied to the answers too,
    since old GitHub Enterprise Servers ignore it.

    Raises:
        ConfigurationError: an argument is out of its range.
    """

    def request(page: int) -> requests.Request:
        if run_id is None:
            return requests.list_artifacts_for_repo(repo, name=name, per_page=per_page, page=page)
        return requests.list_workflow_run_artifacts(
            repo, run_id, name=name, direction=direction, per_page=per_page, page=page
        )

    async def fetch(number: int, url: str | None) -> Page[Artifact]:
        asked = request(number) if url is None else request(number).at(url)
        page, links = await endpoints.artifact_page(session, asked, repo)
        return Page(items=page.artifacts, total=page.total_count, links=links)

    request(1)
    check_walk(limit, concurrency)
    found = paginate(fetch, per_page=per_page, concurrency=concurrency, emitter=session.emitter)
    return _chosen(found, name, limit)


async def _chosen(found: AsyncGenerator[Artifact], name: str | None, limit: int | None) -> AsyncGenerator[Artifact]:
    """Pass on the artifacts of that name, up to a limit."""
    given = 0
    try:
        while limit is None or given < limit:
            artifact = await anext(found, None)
            if artifact is None:
                return
            if name is None or artifact.name == name:
                given += 1
                yield artifact
    finally:
        await found.aclose()


def workflow_runs(
    session: GitHubSession,
    repo: RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: requests.Query = (),
    created: tuple[datetime | None, datetime | None] = (None, None),
    limit: int | None = None,
) -> AsyncGenerator[WorkflowRun]:
    """Return workflow runs, newest first.

    GitHub ends a filtered listing after 1,000 runs; it is then asked again for those created before the last one.

    Raises:
        ConfigurationError: an argument is out of its range.
    """

    def request(window: str | None, page: int) -> requests.Request:
        return requests.list_workflow_runs(repo, workflow=workflow, filters=filters, created=window, page=page)

    def open_window(window: str | None) -> AsyncGenerator[WorkflowRun]:
        async def fetch(number: int, url: str | None) -> Page[WorkflowRun]:
            asked = request(window, number) if url is None else request(window, number).at(url)
            page, links = await endpoints.run_page(session, asked, repo)
            return Page(items=page.runs, total=page.total_count, links=links)

        return paginate(fetch, per_page=requests.MAX_PER_PAGE, concurrency=1, emitter=session.emitter)

    request(requests.created_range(*created), 1)
    check_walk(limit, 1)
    return _windows(open_window, created, limit, filtered=bool(filters))


async def _windows(
    open_window: Callable[[str | None], AsyncGenerator[WorkflowRun]],
    created: tuple[datetime | None, datetime | None],
    limit: int | None,
    *,
    filtered: bool,
) -> AsyncGenerator[WorkflowRun]:
    start, end = created
    seen: set[int] = set()
    while limit is None or len(seen) < limit:
        window = requests.created_range(start, end)
        count, oldest = 0, end
        runs = open_window(window)
        try:
            async for run in runs:
                count, oldest = count + 1, run.created_at or oldest
                if run.id in seen:
                    continue
                seen.add(run.id)
                yield run
                if limit is not None and len(seen) >= limit:
                    return
        finally:
            await runs.aclose()
        if count < MOST_FILTERED_RUNS or oldest is None or oldest == end or not (filtered or window):
            return
        end = oldest
