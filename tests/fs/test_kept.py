"""What is kept for the next one who asks: bounded, made once, and closed when nobody uses it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import NotFoundError
from gh_artifacts_async.fs.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator


class Maker:
    """Makes values, slowly, and knows which of them were made and closed."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.closed: list[str] = []

    async def make(self, value: str) -> str:
        self.made.append(value)
        await asyncio.sleep(1)
        return value

    def kept(self, limit: int = 10, **options: float) -> Kept[str]:
        return Kept(limit, weigh=len, close=self.closed.append, **options)


async def test_made_once():
    """Several that ask at once share one piece of work, and later ones what was made."""
    maker = Maker()
    kept = maker.kept()
    found = await asyncio.gather(*(kept.get("k", lambda: maker.make("value")) for _ in range(5)))
    assert found == ["value"] * 5
    assert await kept.get("k", lambda: maker.make("other")) == "value"
    assert maker.made == ["value"]
    assert kept.peek("k") == "value"
    assert kept.peek("other") is None


async def test_bounded():
    """The least recently used are dropped; the weight is that of what is left."""
    maker = Maker()
    kept = maker.kept(10)
    for value in ("aaaa", "bbbb"):
        kept.put(value[0], value)
    assert kept.peek("a") == "aaaa"  # used: b is older now
    kept.put("c", "cccc")
    assert maker.closed == ["bbbb"]
    assert kept.weight == 8
    kept.put("a", "A")
    assert maker.closed == ["bbbb", "aaaa"]
    assert kept.weight == 5
    kept.forget()
    assert kept.weight == 0
    assert sorted(maker.closed) == ["A", "aaaa", "bbbb", "cccc"]


class Large:
    """A value that says when it is gone."""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("limit", [0, 1])
async def test_memory_is_free_at_once(limit: int):
    """A value goes with its last user, or when it is dropped, and not with some later garbage collection."""
    kept: Kept[Large] = Kept(limit)

    async def make() -> Large:
        await asyncio.sleep(1)
        return Large()

    tasks = [asyncio.create_task(kept.get("k", make)) for _ in range(3)]
    found = [await task for task in tasks]
    gone = weakref.ref(found[0])
    del found, tasks
    await asyncio.sleep(1)  # the event loop lets go of the tasks
    assert (gone() is None) == (limit == 0)
    kept.put("other", Large())
    assert gone() is None


async def test_what_is_too_heavy_is_used_but_not_kept():
    """It does not drive out the others, and is closed once it was used."""
    maker = Maker()
    kept = maker.kept(5)
    kept.put("a", "aaaa")
    async with kept.use("b", lambda: maker.make("b" * 6)) as value:
        assert value == "b" * 6
        assert not maker.closed
    assert maker.closed == ["b" * 6]
    assert kept.peek("a") == "aaaa"


async def test_in_use():
    """What is in use is closed by the last one who leaves it, even if it was dropped while others waited for it."""
    maker = Maker()
    kept = maker.kept(5)
    left = asyncio.Event()

    async def use() -> None:
        async with kept.use("a", lambda: maker.make("aaaaaa")):
            await left.wait()
            assert not maker.closed

    users = [asyncio.ensure_future(use()) for _ in range(3)]
    await asyncio.sleep(2)
    assert not maker.closed
    left.set()
    await asyncio.gather(*users)
    assert maker.closed == ["aaaaaa"]


async def test_time():
    """A value is kept for as long as it may be."""
    maker = Maker()
    kept = maker.kept(lasts=60.0)
    kept.put("a", "old")
    await asyncio.sleep(59)
    assert kept.peek("a") == "old"
    await asyncio.sleep(2)
    assert kept.peek("a") is None
    assert maker.closed == ["old"]
    assert await kept.get("a", lambda: maker.make("new")) == "new"


async def test_failures_are_not_kept():
    """All who wait get the error; the next one tries again."""
    kept = Maker().kept()
    tries = 0

    async def fail() -> str:
        nonlocal tries
        tries += 1
        await asyncio.sleep(1)
        msg = "no"
        raise NotFoundError(msg, status=404)

    found = await asyncio.gather(*(kept.get("a", fail) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in found] == [NotFoundError] * 3
    assert tries == 1
    with pytest.raises(NotFoundError):
        await kept.get("a", fail)
    assert tries == 2


@pytest.mark.parametrize("all_of_them", [False, True])
async def test_cancelled(*, all_of_them: bool):
    """Whoever is cancelled does not disturb the others; if all are, the work is, and can be done again."""
    maker = Maker()
    kept = maker.kept()
    waiting = [asyncio.ensure_future(kept.get("a", lambda: maker.make("value"))) for _ in range(3)]
    await asyncio.sleep(0.5)
    for task in waiting if all_of_them else waiting[:2]:
        task.cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(it, asyncio.CancelledError) for it in found] == [True, True, all_of_them]
    assert await kept.get("a", lambda: maker.make("value")) == "value"
    assert len(maker.made) == (2 if all_of_them else 1)
    kept.forget()
    assert maker.closed == ["value"]


async def test_cancelled_when_it_is_ready():
    """Somebody who is cancelled at the moment when the value is ready does not keep it open."""
    maker = Maker()
    kept = maker.kept()

    async def make() -> str:
        return "value"

    task = asyncio.ensure_future(kept.get("a", make))
    while kept.peek("a") is None:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    kept.forget()
    assert maker.closed == ["value"]


async def test_forgotten_by_key():
    """Only what fits is dropped."""
    maker = Maker()
    kept = maker.kept()
    kept.put("a/b", "1")
    kept.put("c", "2")
    kept.forget(lambda key: str(key).startswith("a"))
    assert maker.closed == ["1"]
    assert kept.peek("c") == "2"
