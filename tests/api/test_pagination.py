"""The walk through the pages of a listing that changes meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async.api import pagination
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.protocol.links import PageLinks


class Shifting:
    """A listing under deletions and additions, at known moments, without a network."""

    def __init__(self, count: int, changes: dict[int, tuple[str, int]], per_page: int) -> None:
        self.items = list(range(count, 0, -1))
        self.changes = changes
        self.per_page = per_page
        self.calls = 0
        self.alive = set(self.items)
        self.added = count

    async def fetch(self, number, _url):
        await asyncio.sleep(0)
        kind, amount = self.changes.get(self.calls, ("", 0))
        self.calls += 1
        if kind == "add":
            for _ in range(amount):
                self.added += 1
                self.items.insert(0, self.added)
        elif kind == "delete":
            self.alive -= set(self.items[:amount])
            del self.items[:amount]
        start = (number - 1) * self.per_page
        shown = tuple(_Item(item) for item in self.items[start : start + self.per_page])
        more = start + self.per_page < len(self.items)
        links = PageLinks(next_url="u" if more else None, next_page=number + 1 if more else None, stated=True)
        return pagination.Page(items=shown, total=len(self.items), links=links)


class _Item:
    def __init__(self, number: int) -> None:
        self.id = number


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.integers(0, 60),
    st.dictionaries(st.integers(1, 12), st.tuples(st.sampled_from(["add", "delete"]), st.integers(1, 15)), max_size=3),
    st.integers(1, 10),
    st.sampled_from([1, 1, 2, 5]),
)
def test_no_change_loses_or_repeats_an_item(count, changes, per_page, concurrency):
    """Whenever items are added, or deleted from the front: what was there all the time comes, and nothing twice."""
    server = Shifting(count, changes, per_page)

    async def collect():
        walk = pagination.paginate(server.fetch, per_page=per_page, concurrency=concurrency, emitter=Emitter())
        async with aclosing(walk):
            return [item.id async for page in walk for item in page]

    found = asyncio.run(collect())
    assert len(found) == len(set(found))
    assert set(found) >= {item for item in server.alive if item <= count}
