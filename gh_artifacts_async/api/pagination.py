"""The walk through the pages of one of GitHub's listings: lazy, each id once, complete.

GitHub pages by offset, and pages are no snapshot. What is added meanwhile pushes items to later pages: they come twice,
and the second is dropped by its id. What is deleted pulls items to earlier pages: they would be missed, so when the
total falls some pages are fetched again. https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from gh_artifacts_async.errors import UnexpectedResponseError
from gh_artifacts_async.protocol.links import PageLinks, page_count, pages_to_step_back

if TYPE_CHECKING:
    from gh_artifacts_async.api.emitter import Emitter


class _Listed(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> object: ...


Item = TypeVar("Item", bound=_Listed)

_MOST_STALE_PAGES = 5  # pages in a row with nothing new, beyond those that changes of the total explain
_MOST_FRUITLESS_STEPS = 3  # a server whose totals go up and down must not cause an endless loop


class Page(NamedTuple, Generic[Item]):
    """One page of a listing.

    Attributes:
        items: this page's.
        total: items in the whole listing, as GitHub counted them for this page.
        links: GitHub's own links to other pages.
    """

    items: tuple[Item, ...]
    total: int
    links: PageLinks


Fetch = Callable[[int, str | None], Awaitable[Page[Item]]]
"""Fetches a page by its number, or by GitHub's own link to it."""


class _Prefetcher(NamedTuple, Generic[Item]):
    """Fetches pages, some of them ahead, and returns them in order.

    Attributes:
        fetch: fetches one page.
        concurrency: pages fetched at once.
        per_page: items a page.
        most: items that the caller wants at most; pages behind these are not fetched ahead. None for all.
        tasks: the fetches under way, by the page's number.
    """

    fetch: Fetch[Item]
    concurrency: int
    per_page: int
    most: int | None
    tasks: dict[int, asyncio.Task[Page[Item]]]

    async def get(self, number: int, url: str | None, total: int) -> Page[Item]:
        """Return one page, and start fetching those behind it, as far as ``total`` items reach (0 if unknown)."""
        if self.concurrency == 1 or not total:
            return await self.fetch(number, url)
        within = total if self.most is None else min(total, self.most)
        last = max(page_count(within, self.per_page), number)
        for ahead in range(number, min(number + self.concurrency, last + 1)):
            if ahead not in self.tasks:
                self.tasks[ahead] = asyncio.ensure_future(self.fetch(ahead, None))
        page = await self.tasks[number]
        del self.tasks[number]
        return page

    async def drop(self) -> None:
        """Cancel the fetches under way, and wait until they have ended."""
        tasks = list(self.tasks.values())
        self.tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(emitter: Emitter, page: int, items: int, total: int) -> None:
    from gh_artifacts_async.events import ListingProgress  # only if somebody listens

    emitter.emit(ListingProgress(page=page, items=items, total_count=total))


async def paginate(
    fetch: Fetch[Item], *, per_page: int, concurrency: int, emitter: Emitter, most: int | None = None
) -> AsyncGenerator[list[Item]]:
    """Yield every item of a listing once, in the order in which the pages show them: page by page.

    An item costs less as one of a list than with a step of the generator for each. A page without anything new yields
    nothing.

    Args:
        fetch: fetches one page.
        per_page: items a page, 1..100.
        concurrency: pages fetched at once.
        emitter: gets a ListingProgress for each page.
        most: items that the caller wants at most, which bounds what is fetched ahead; None for all.

    Raises:
        UnexpectedResponseError: the listing would never end.
        ArtifactsError: whatever ``fetch`` raises.
    """
    ahead = _Prefetcher(fetch, concurrency, per_page, most, tasks={})
    seen: set[int] = set()
    stale = _Stale(per_page)
    number, url, total = 1, None, 0
    try:
        while True:
            page = await ahead.get(number, url, total)
            if page.items and page.links.previous_page not in {None, number - 1}:
                msg = f"page {number} of a listing came as another one; does a proxy on the way mix up responses?"
                raise UnexpectedResponseError(msg)
            fallen, total = total - page.total, page.total
            if fallen > 0 and number > 1 and stale.steps < _MOST_FRUITLESS_STEPS:
                await ahead.drop()
                number, url = max(1, number - stale.step_back(fallen, len(seen))), None
                continue
            by_id = {item.id: item for item in page.items}
            known = not seen.isdisjoint(by_id)
            fresh = [item for key, item in by_id.items() if key not in seen] if known else list(by_id.values())
            seen.update(by_id)
            if emitter.active:
                _tell(emitter, number, len(seen), total)
            if fresh:
                yield fresh
            if not _has_next(page, number, per_page, concurrency):
                return
            _check_next(page, number)
            if stale.ends(page, len(seen), fresh=bool(fresh)):
                return
            number, url = page.links.next_page or number + 1, page.links.next_url
    finally:
        if ahead.tasks:
            await ahead.drop()


async def one_by_one(
    pages: AsyncGenerator[list[Item]], limit: int | None = None, *, name: str | None = None
) -> AsyncGenerator[Item]:
    """Yield the items of a listing's pages, or those of a name, up to a limit.

    The next page is not asked for before all items of this one were taken. The pages are closed in the end.
    """
    left = limit
    try:
        while left is None or left > 0:
            page = await anext(pages, None)
            if page is None:
                return
            if name is not None:
                page = [item for item in page if item.name == name]
            if left is not None:
                page = page[:left]
                left -= len(page)
            for item in page:
                yield item
    finally:
        await pages.aclose()


class _Stale:
    """The pages in a row that had no new item: a few are normal while a listing changes, more never end.

    Items added meanwhile push known ones to later pages, and after deletions pages are read again; both explain as many
    pages as hold the items that moved, and these are known items.

    Attributes:
        per_page: items a page.
        pages: such pages so far, less those that are read again after a step back.
        steps: steps back so far.
        least: the least total of the walk; what it has grown by since may have pushed as many known items back.
        urls: links followed from these pages; one that comes again leads in a circle.
    """

    __slots__ = ("least", "pages", "per_page", "steps", "urls")

    def __init__(self, per_page: int) -> None:
        """Begin with none."""
        self.per_page = per_page
        self.pages = self.steps = 0
        self.least: int | None = None
        self.urls: set[str] = set()

    def step_back(self, fallen: int, known: int) -> int:
        """Return how many pages to go back after the total fell; those that held known items may be read again."""
        back = pages_to_step_back(fallen, self.per_page)
        self.steps += 1
        self.pages -= min(back, page_count(known, self.per_page))
        return back

    def ends(self, page: Page[Item], known: int, *, fresh: bool) -> bool:
        """Note a page, and return whether the listing ends here, since it is complete and leads on all the same.

        Raises:
            UnexpectedResponseError: it is not complete, and its pages have brought nothing new for too long.
        """
        if fresh:
            self.pages, self.steps = 0, 0
            self.urls.clear()
        self.pages += not fresh
        self.least = page.total if self.least is None else min(self.least, page.total)
        grown = min(page.total - self.least, known)
        too_many = self.pages > _MOST_STALE_PAGES + page_count(grown, self.per_page)
        url = page.links.next_url
        circles = url is not None and page.links.next_page is None and url in self.urls
        if url is not None:
            self.urls.add(url)
        if too_many and known >= page.total:
            return True
        if too_many or circles:
            msg = "the pages of a listing lead on, but to items that were read already or to none; try again later"
            raise UnexpectedResponseError(msg)
        return False


def _check_next(page: Page[Item], number: int) -> None:
    """Refuse links that lead back, or to another server.

    Raises:
        UnexpectedResponseError: the next page is this one or an earlier one, or on another origin.
    """
    if page.links.foreign is not None:
        raise UnexpectedResponseError(page.links.foreign)
    following = page.links.next_page
    if following is not None and following <= number:
        msg = f"page {number} of a listing names page {following} as the next one"
        raise UnexpectedResponseError(msg)


def _has_next(page: Page[Item], number: int, per_page: int, concurrency: int) -> bool:
    """Whether there is a next page: by GitHub's link; by the total if there is none, or if pages are fetched ahead."""
    if page.links.next_url is not None or page.links.foreign is not None:
        return True
    if page.links.stated and concurrency == 1:
        return False
    return bool(page.items) and number * per_page < page.total
