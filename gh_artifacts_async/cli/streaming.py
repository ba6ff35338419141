"""Listings whose rows are shown as pages arrive."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from gh_artifacts_async import Event, ListingProgress
from gh_artifacts_async.cli.render import bars, screen, tables, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from gh_artifacts_async.cli.context import Context
    from gh_artifacts_async.cli.output import Printer

T = TypeVar("T")

PER_PAGE = 100


def per_page(limit: int | None) -> int:
    """Return how many entries are asked for in one request: no more than are shown, so that these come sooner."""
    return limit if limit is not None and 0 < limit < PER_PAGE else PER_PAGE


@attrs.define
class Arrivals:
    """Counts the pages of a listing; an observer.

    Attributes:
        pages: pages so far.
        items: entries on them, each counted once.
        fresh: those that the last one brought.
        total: entries of the whole listing, as of the last page.
    """

    pages: int = 0
    items: int = 0
    fresh: int = 0
    total: int = 0

    def __call__(self, event: Event) -> None:
        """Count a page."""
        if isinstance(event, ListingProgress):
            self.fresh = event.items - (self.items if event.page > 1 else 0)
            self.pages, self.items, self.total = self.pages + 1, event.items, event.total_count


class Listing(Generic[T]):
    """A listing on its way to the screen."""

    def __init__(self, context: Context, limit: int | None, printer: Printer | None) -> None:
        """Begin.

        Args:
            context: of the command.
            limit: entries at most; None for all.
            printer: prints all of them together in the end; None for a table.
        """
        self._context = context
        self._limit = limit
        self._printer = printer
        self._arrivals = Arrivals()
        self._bar: bars.Spinner | None = None
        self.taken: int = 0

    def observe(self, event: Event) -> None:
        """Take what the client tells of each page."""
        self._arrivals(event)
        if self._bar is not None:
            self._bar(event)

    async def show(
        self,
        listed: AsyncGenerator[T],
        columns: Sequence[tables.Column],
        row: Callable[[T], tables.Row],
        document: Callable[[T], object],
        summary: Callable[[list[T]], str],
    ) -> list[T]:
        """Print all of it: a table page by page, or one JSON array, which is complete or not there.

        Args:
            listed: the entries.
            columns: of the table.
            row: returns an entry as a row of it.
            document: returns an entry for a program.
            summary: returns a line about all entries, for the end of a complete table.

        Returns:
            The entries; if nobody reads the table any more, those that were printed.
        """
        table = tables.Table(columns, screen.view(sys.stdout))
        found: list[T] = []
        async with contextlib.aclosing(self.pages(listed)) as pages:
            async for page in pages:
                found += page
                if self._printer is None and not screen.write(sys.stdout, table.page(map(row, page), more=self.more)):
                    return found
        if self._printer is not None:
            self._printer.document([document(item) for item in found])
        if self.rest != 0:
            self._context.note(text.rest(self.rest))
        elif self._printer is None:
            self._context.note(summary(found))
        return found

    async def pages(self, listed: AsyncGenerator[T]) -> AsyncGenerator[list[T]]:
        """Yield together what is known together: no entry waits for a request, and none is written by itself."""
        moving = contextlib.ExitStack()
        arrived = self._arrived(listed)
        if self._context.live:
            self._bar = moving.enter_context(bars.Spinner())
        try:
            async for page in arrived:
                if self._printer is None and screen.is_terminal(sys.stdout):
                    moving.close()  # rows come now, and nothing may move below them
                self.taken += len(page)
                yield page
        finally:
            moving.close()
            await arrived.aclose()

    async def _arrived(self, listed: AsyncGenerator[T]) -> AsyncGenerator[list[T]]:
        page: list[T] = []
        number = 0
        try:
            async for item in listed:
                if page and self._arrivals.pages != number:  # the page before had entries that do not fit
                    yield page
                    page = []
                number = self._arrivals.pages
                page.append(item)
                if len(page) >= self._arrivals.fresh:
                    yield page
                    page = []
            if page:
                yield page
        finally:
            await listed.aclose()

    @property
    def more(self) -> bool:
        """Whether more entries are coming, as far as is known."""
        wanted = self._arrivals.total if self._limit is None else min(self._arrivals.total, self._limit)
        return self.taken < wanted

    @property
    def rest(self) -> int | None:
        """How many entries the limit leaves out; None if it leaves out some, and nobody knows how many."""
        if self._limit is None or self.taken < self._limit:
            return 0
        # GitHub counts what fits, unless it filters less than was asked for: then more entries came than were taken,
        # or ends at 1,000 runs: then the last count is of those that are older.
        if 0 <= self._arrivals.items - self.taken < per_page(self._limit):
            return max(0, self._arrivals.total - self.taken)
        return None
