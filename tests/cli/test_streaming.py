"""Listings whose rows are shown as pages arrive."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncGenerator, Iterable

import pytest

from gh_artifacts_async import ListingProgress
from gh_artifacts_async.cli import streaming
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import GlobalOptions
from gh_artifacts_async.cli.output import Printer
from gh_artifacts_async.cli.render import tables
from tests.cli.conftest import Terminal


def listing(limit: int | None = None, printer: Printer | None = None) -> streaming.Listing[int]:
    """Return a listing of numbers on its way."""
    return streaming.Listing(Context(GlobalOptions()), limit, printer)


async def arriving(
    progress: streaming.Listing[int], *pages: Iterable[int], total: int, first: int = 1, seconds: float = 0
) -> AsyncGenerator[int]:
    """Yield numbers as the client does: of each page it tells first, and how many numbers there are by now."""
    items = 0
    for number, page in enumerate(pages, first):
        await asyncio.sleep(seconds)
        found = list(page)
        items += len(found)
        progress.observe(ListingProgress(page=number, items=items, total_count=total))
        for item in found:
            if item >= 0:  # the others are of another name
                yield item


async def show(progress: streaming.Listing[int], listed: AsyncGenerator[int]) -> list[int]:
    """Show numbers as a table, or as JSON."""
    columns = [tables.Column("N", right=True)]
    return await progress.show(listed, columns, lambda n: tables.Row([str(n)]), lambda n: n, lambda n: f"sum {sum(n)}")


async def test_what_is_known_together_is_shown_together():
    """A page, once its last entry is there; the rest of one that had others between, once the next one is."""
    progress = listing()
    pages = [page async for page in progress.pages(arriving(progress, [1, 2], [3, -1, 4], [5, 6], total=7))]
    assert pages == [[1, 2], [3, 4], [5, 6]]
    assert (progress.taken, progress.more, progress.rest) == (6, True, 0)


async def test_pages_are_counted_anew_in_the_next_part_of_a_listing():
    """GitHub ends a filtered listing of runs after 1,000; the older ones are another listing."""
    progress = listing()
    pages = [page async for page in progress.pages(arriving(progress, [1, 2], total=4))]
    pages += [page async for page in progress.pages(arriving(progress, [3, 4, 5], total=3))]
    assert pages == [[1, 2], [3, 4, 5]]


async def test_a_table_and_a_line_about_all_of_it(capsys):
    """Rows to standard output, and the line to standard error."""
    progress = listing()
    assert await show(progress, arriving(progress, [1, 2], [30], total=3)) == [1, 2, 30]
    assert capsys.readouterr() == ("N\n1\n2\n30\n", "sum 33\n")


@pytest.mark.parametrize(
    ("limit", "pages", "total", "said"),
    [
        (2, [[1, 2]], 2, "sum 3"),
        (5, [[1, 2]], 2, "sum 3"),
        (2, [[1, 2]], 3000, "\u2026 and 2,998 more (--limit all)"),
        (2, [[1, -1], [-1, 2]], 3000, "\u2026 and perhaps more (--limit all)"),  # the server does not filter by name
        (2, [[1, 2]], 1, "sum 3"),  # some were deleted meanwhile
    ],
)
@pytest.mark.parametrize("printer", [None, Printer()])
async def test_what_a_limit_leaves_out(limit, pages, total, said, printer, capsys):
    """How many that is, as far as GitHub counts what fits; a program gets no line about what it has got."""
    progress = listing(limit, printer)
    await show(progress, arriving(progress, *pages, total=total))
    assert progress.rest != 0 or said.startswith("sum")
    assert capsys.readouterr().err == ("" if printer and said.startswith("sum") else f"{said}\n")


async def test_json_is_complete_or_not_there(capsys):
    """An error in the middle leaves no part of an array."""

    async def broken(progress: streaming.Listing[int]) -> AsyncGenerator[int]:
        async for item in arriving(progress, [1, 2], total=4):
            yield item
        msg = "the disk is full"
        raise OSError(msg)

    for printer, out in ((None, "N\n1\n2\n"), (Printer(), "")):
        progress = listing(printer=printer)
        with pytest.raises(OSError, match="full"):
            await show(progress, broken(progress))
        assert capsys.readouterr() == (out, "")


async def test_nobody_reads(monkeypatch):
    """What was not asked for yet is not asked for any more."""
    monkeypatch.setattr(sys, "stdout", None)
    progress = listing()
    assert await show(progress, arriving(progress, [1, 2], [3], total=3)) == [1, 2]


@pytest.mark.parametrize("seconds", [0.0, 10.0])
@pytest.mark.parametrize("out", [Terminal, io.StringIO])
async def test_something_moves_until_rows_come(seconds, out, monkeypatch):
    """On standard error, and only if the answer takes a while; on the same terminal no row comes below it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    moving, shown = Terminal(), out()
    monkeypatch.setattr(sys, "stderr", moving)
    monkeypatch.setattr(sys, "stdout", shown)
    progress = listing()
    assert await show(progress, arriving(progress, [1, 2], [3], total=3, seconds=seconds)) == [1, 2, 3]
    assert ("contacting GitHub" in moving.getvalue()) == (seconds > 0)
    assert moving.getvalue().endswith("sum 6\n")
    assert [line.strip() for line in shown.getvalue().splitlines()] == (
        ["\x1b[1mN\x1b[0m", "1", "2", "3"] if out is Terminal else ["N", "1", "2", "3"]
    )


def test_no_more_is_asked_for_than_is_shown():
    """Up to what GitHub gives at once."""
    assert [streaming.per_page(limit) for limit in (None, 1, 30, 100, 101)] == [100, 1, 30, 100, 100]
