from __future__ import annotations

import base64
import json
import random
import zlib
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_artifacts_async import Artifact, ConfigurationError
from gh_artifacts_async.automation.frontier import MOST_KNOWN, OVERLAP, Calm, Frontier, Key, Walk, key_of

NOON = datetime(2026, 7, 9, 12, tzinfo=UTC)


def artifact(number: int, created: datetime | None) -> Artifact:
    """Return an artifact of which only place and id count."""
    return Artifact(
        id=number, name="x", size_in_bytes=1, url="u", archive_download_url="u", expired=False, created_at=created
    )


class TestFrontier:
    """What is known, and what that is as text."""

    def test_the_place_of_an_artifact(self):
        """By the time first, then by the id; one without a time is below all others."""
        early, late, none = (artifact(9, NOON), artifact(3, NOON.replace(hour=13)), artifact(99, None))
        assert sorted(map(key_of, (late, none, early))) == [key_of(none), key_of(early), key_of(late)]

    def test_a_first_page_is_known_and_what_sorts_below_it_too(self):
        """Anything else is new, however low its id."""
        frontier = Frontier()
        frontier.begin([Key(200, 7), Key(100, 9)], complete=False)
        assert frontier.started
        assert frontier.knows(Key(200, 7))
        assert frontier.knows(Key(100, 9))
        assert frontier.knows(Key(100, 8))
        assert frontier.knows(Key(50, 10))
        assert not frontier.knows(Key(100, 10))
        assert not frontier.knows(Key(150, 1))

    def test_a_first_page_that_shows_all_leaves_nothing_below(self):
        """What is listed later is new, whatever its time."""
        frontier = Frontier()
        frontier.begin([Key(200, 7)], complete=True)
        assert not frontier.knows(Key(1, 1))
        assert frontier.newest == 200
        empty = Frontier()
        empty.begin([], complete=True)
        assert not empty.knows(Key(0, 1))
        assert empty.newest is None

    def test_since_a_time_includes_that_second(self):
        """GitHub cuts times to whole seconds."""
        frontier = Frontier.since(NOON.replace(microsecond=500_000))
        second = int(NOON.timestamp())
        assert not frontier.knows(Key(second, 1))
        assert frontier.knows(Key(second - 1, 99))

    def test_a_time_without_a_zone_is_refused(self):
        """It would mean another moment on every machine."""
        with pytest.raises(ConfigurationError, match="aware datetime"):
            Frontier.since(datetime(2026, 7, 9))  # noqa: DTZ001 - the point

    def test_the_oldest_ids_are_forgotten_and_stay_known(self):
        """The line rises to them; memory and cursor stay bounded."""
        frontier = Frontier(started=True, most=3)
        for number in range(10):
            frontier.add(Key(100 + number, 50 - number))
        assert len(frontier.known) == 3
        assert frontier.floor == Key(106, 44)
        assert all(frontier.knows(Key(100 + number, 50 - number)) for number in range(10))

    @given(
        st.integers(0, 1),
        st.none() | st.builds(Key, st.integers(0, 2**40), st.integers(0, 2**60)),
        st.dictionaries(st.integers(1, 2**60), st.integers(0, 2**40), max_size=50),
    )
    def test_a_cursor_is_read_as_what_it_was(self, started: int, floor: Key | None, known: dict[int, int]):
        """Nothing is lost on the way through a file."""
        frontier = Frontier(started=bool(started), floor=floor, known=known)
        text = frontier.cursor()
        assert text.isascii()
        assert text.isprintable()
        assert Frontier.parse(text) == frontier

    def test_the_longest_cursor(self):
        """A thousand ids need some thousand characters."""
        frontier = Frontier(started=True)
        for number in range(3 * MOST_KNOWN):
            frontier.add(Key(1_780_000_000 + 7 * number, 10_338_854_604 + (number * 7919) % 1_000_003))
        assert len(frontier.known) == MOST_KNOWN
        assert len(frontier.cursor()) < 6000

    @pytest.mark.parametrize(
        "state",
        [
            None,
            7,
            [],
            [1, None, [0, 0], [], [], 0],
            [1, None, 0, [], []],
            [1, None, [0, 0, 0], [], []],
            [1, None, [0, 0], [0], []],
            [1, None, [0, 0], [], [0]],
            [1, [5], [0, 0], [], []],
            [1, None, [0, "0"], [], []],
            [1, None, [0, 0], [0.5], [7]],
            [1, None, [0, 0], [0], [True]],
            [1, None, [0, 0], [0] * (MOST_KNOWN + 1), list(range(MOST_KNOWN + 1))],
        ],
    )
    def test_a_well_packed_cursor_of_another_shape_is_refused(self, state: Any):
        """Its values are checked one by one."""
        packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(state).encode())).decode().rstrip("=")
        with pytest.raises(ConfigurationError):
            Frontier.parse(f"1.{packed}")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1.",
            "1.!!!!",
            "2026-07-09T12:00:00Z",
            "2." + Frontier().cursor()[2:],
            Frontier().cursor()[:-3],
            Frontier().cursor() + "AAAA",
            "1.é",
            "1." + "A" * 200_000,
            "1." + base64.urlsafe_b64encode(zlib.compress(b"[" * 900_000)).decode().rstrip("="),
            "1." + base64.urlsafe_b64encode(zlib.compress(b" " * 20_000_000)).decode().rstrip("="),
        ],
    )
    def test_a_malformed_cursor_is_refused(self, text: str):
        """Cut, prolonged, of another version, or made to fill the memory."""
        with pytest.raises(ConfigurationError, match="cursor of a watch") as caught:
            Frontier.parse(text)
        assert len(str(caught.value)) < 150

    @given(st.text(max_size=40))
    def test_any_text_is_read_or_refused(self, text: str):
        """No other error comes of it."""
        for candidate in (text, f"1.{text}"):
            with pytest.raises(ConfigurationError):
                Frontier.parse(candidate)


class TestWalk:
    """Where known territory begins."""

    def test_the_first_page_is_read_to_its_end(self):
        """What it shows is there anyway, however old."""
        frontier = Frontier()
        frontier.begin([Key(1000 - number, number + 1) for number in range(60)], complete=True)
        walk = Walk(frontier, settled=True, page=50)
        ends = []
        for key in [Key(1000 - number, number + 1) for number in range(50)]:
            assert not walk.step(key)
            ends.append(walk.ends_at(key))
        assert ends == [False] * 49 + [True]

    def test_until_it_has_settled_it_goes_down_by_the_overlap(self):
        """An artifact may be listed below others, some minutes after its time."""
        keys = [Key(10_000 - number, number + 1) for number in range(OVERLAP + 100)]
        frontier = Frontier()
        frontier.begin(keys, complete=True)
        walk = Walk(frontier)
        read = 0
        for key in keys:
            walk.step(key)
            read += 1
            if walk.ends_at(key):
                break
        assert read == OVERLAP + 2

    def test_the_line_ends_it(self):
        """Below it nothing is new."""
        frontier = Frontier.since(NOON)
        walk = Walk(frontier, page=30)
        key = Key(5, 5)
        for number in range(30):
            key = Key(100 - number, 100 - number)
            walk.step(key)
        assert walk.ends_at(key)
        assert walk.fresh == []

    def test_a_few_known_ones_do_not_end_it(self):
        """They may have been listed before their elders."""
        frontier = Frontier(started=True, known={1: 500, 2: 499})
        walk = Walk(frontier, settled=True, page=4)
        steps = [walk.step(key) for key in (Key(501, 9), Key(500, 1), Key(499, 2), Key(498, 7))]
        assert steps == [True, False, False, True]
        assert not walk.ends_at(Key(498, 7))
        assert walk.fresh == [Key(501, 9), Key(498, 7)]


def test_calm_begins_once_a_look_so_long_after_the_last_news_found_nothing():
    """With an hour between two looks, one look after the news is not enough."""
    calm = Calm()
    calm.note(0.0, news=False)
    assert not calm.settled
    calm.note(OVERLAP - 1.0, news=False)
    assert not calm.settled
    calm.note(OVERLAP, news=False)
    assert calm.settled
    calm.note(3600.0, news=True)
    assert not calm.settled
    calm.note(7200.0, news=False)
    assert calm.settled


# --- the promise, against a listing that changes at random


@attrs.define
class Listing:
    """A listing, newest first, of artifacts that appear late, with ids at random.

    Attributes:
        items: what it shows.
        second: the time.
        shown: the ids that were ever looked at while the watch ran, each of which must come once.
    """

    items: set[Key] = attrs.field(factory=set)
    second: int = 1_000_000
    taken: set[int] = attrs.field(factory=set)

    def pages(self) -> list[Key]:
        return sorted(self.items, reverse=True)

    def add(self, age: int, number: int) -> None:
        if number not in self.taken:
            self.taken.add(number)
            self.items.add(Key(self.second - age, number))


@attrs.define
class Watcher:
    """What a watch does with the rule, without the requests.

    Attributes:
        frontier: what is known.
        page: artifacts a page.
        calm: since when nothing came.
        got: ids, as handed out.
        batch: found, and not yet handed out; the oldest last.
    """

    frontier: Frontier
    page: int
    calm: Calm = attrs.field(factory=Calm)
    got: list[int] = attrs.field(factory=list)
    batch: list[Key] = attrs.field(factory=list)

    def poll(self, listing: Listing) -> None:
        if self.batch:
            return
        if not self.frontier.started:
            keys = listing.pages()
            self.frontier.begin(keys[: self.page], complete=len(keys) <= self.page)
            self.calm.note(listing.second, news=True)
            return
        walk = Walk(self.frontier, settled=self.calm.settled, page=self.page)
        for key in listing.pages():
            walk.step(key)
            if walk.ends_at(key):
                break
        self.batch = sorted(walk.fresh, reverse=True)
        self.calm.note(listing.second, news=bool(self.batch))

    def take(self, most: int) -> None:
        while self.batch and most:
            key = self.batch.pop()
            self.frontier.add(key)
            self.got.append(key.id)
            most -= 1

    def restart(self) -> None:
        self.frontier = Frontier.parse(self.frontier.cursor())
        self.calm, self.batch = Calm(), []


def some_moves(draw: random.Random) -> list[tuple[str, int]]:
    """Return what happens, one after another: bursts, quiet hours, deletions, restarts in the middle of a batch."""
    kinds = ("add", "delete", "pass", "poll", "take", "restart")
    chosen = draw.choices(kinds, weights=(6, 2, 3, 8, 6, 2), k=draw.randint(1, 60))
    most = {"add": 40, "delete": 20, "pass": 2 * OVERLAP, "poll": 2 * OVERLAP, "take": 30, "restart": 1}
    return [(kind, draw.randint(0, most[kind])) for kind in chosen]


def play(listing: Listing, watcher: Watcher, move: tuple[str, int], draw: random.Random) -> None:
    """Let one thing happen."""
    match move:
        case ("add", number):
            for _ in range(number):
                listing.add(draw.randint(0, OVERLAP // 2), draw.randint(1, 10**6))
        case ("delete", number):
            keys = listing.pages()
            listing.items -= set(draw.sample(keys, min(number, len(keys))))
        case ("take", number):
            watcher.take(number)
        case ("restart", _):
            watcher.restart()
        case (kind, seconds):
            listing.second += seconds
            if kind == "poll":
                watcher.poll(listing)


@settings(max_examples=2 * settings().max_examples)
@given(st.randoms(use_true_random=True), st.integers(0, 60), st.sampled_from([5, 30]))
def test_each_new_artifact_comes_once(draw: random.Random, before: int, page: int):
    """Whatever arrives, is deleted or restarted: what is still there at the end has come once, what was there never."""
    listing = Listing()
    for number in range(before):
        listing.add(OVERLAP + 10 * number, draw.randint(1, 10**6))
    old = set(listing.taken)
    watcher = Watcher(Frontier(), page)
    watcher.poll(listing)
    for move in some_moves(draw):
        play(listing, watcher, move, draw)
    for _ in range(2):
        watcher.take(-1)
        watcher.poll(listing)
    watcher.take(-1)
    assert len(watcher.got) == len(set(watcher.got))
    assert not old & set(watcher.got)
    assert {key.id for key in listing.items} - old <= set(watcher.got)


@given(st.randoms(use_true_random=True), st.integers(1, 20))
def test_a_short_memory_repeats_nothing(draw: random.Random, most: int):
    """When ids have to be forgotten, what is lost is at most a latecomer; nothing comes twice."""
    listing, watcher = Listing(), Watcher(Frontier(started=True, most=most), page=5)
    for move in some_moves(draw):
        if move[0] != "restart":
            play(listing, watcher, move, draw)
    watcher.take(-1)
    assert len(watcher.got) == len(set(watcher.got))
