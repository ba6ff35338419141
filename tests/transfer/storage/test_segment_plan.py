"""Which bytes each connection fetches, and how many connections there are: rules without a loop."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.transfer.download import DownloadOptions
from gh_artifacts_async.transfer.storage.segment_plan import LEFT, MIB, MOST, Governor, Plan, Sight, Span

START, END = 1_000, 61_000


def covered(plan: Plan) -> list[tuple[int, int]]:
    """Return what a plan says is missing, in order."""
    return sorted([(it.position, it.end) for it in plan.spans if it.left] + plan.gaps)


def step(plan: Plan, dice: random.Random) -> int:
    """Do one thing that a transfer does; return how many bytes arrived."""
    span = dice.choice(plan.spans) if plan.spans else None
    what = dice.randrange(6)
    if what == 0:
        plan.take(dice.choice([None, 1, 700, 9_000]))
    elif what == 1:
        first = dice.randrange(START, END)
        plan.carve(first, dice.randrange(first + 1, END + 1))
    elif what == 2 and (half := plan.half(dice.choice([1, 400]))) is not None:
        plan.carve(*half)
    elif span is not None and what == 3:
        plan.cut(span, dice.randrange(5_000))
    elif span is not None and what == 4:
        plan.close(span)
    elif span is not None:
        size = dice.randint(0, span.left)
        span.position += size
        return size
    return 0


@given(seed=st.integers(0, 2**32), runs=st.lists(st.integers(START + 1, END), max_size=8, unique=True))
def test_every_byte_is_fetched_once(seed: int, runs: list[int]) -> None:
    """Whatever happens in whatever order, each missing byte is in one span or one gap, and arrives once."""
    edges = sorted(runs)[: len(runs) // 2 * 2]
    there = list(zip(edges[::2], edges[1::2], strict=True))
    plan, dice = Plan(START, END, there), random.Random(seed)  # noqa: S311 - not a secret
    missing = END - START - sum(end - start for start, end in there)
    for _ in range(80):
        missing -= step(plan, dice)
        assert plan.left == missing
        parts = covered(plan)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(parts))
        assert all(START <= start < end <= END for start, end in parts)
        assert not any(start < last and first < end for start, end in parts for first, last in there)
        assert plan.gaps == sorted(plan.gaps)
    for span in list(plan.spans):
        plan.close(span)
    while (rest := plan.take(None)) is not None:
        missing -= rest.left
        plan.spans.remove(rest)
    assert missing == 0


def test_pieces_are_taken_in_order() -> None:
    """A connection gets the first bytes that nobody fetches, so that the hash can follow closely."""
    plan = Plan(0, 100)
    first = plan.spans[0]
    assert plan.take(10) is None
    plan.cut(first, 20)
    taken = [plan.take(30), plan.take(30), plan.take(30), plan.take(30)]
    assert [(it.position, it.end) for it in taken if it] == [(20, 50), (50, 80), (80, 100)]
    assert taken[3] is None


def test_a_rest_comes_first() -> None:
    """What a broken connection leaves is fetched before anything behind it."""
    plan = Plan(0, 100)
    plan.cut(plan.spans[0], 40)
    plan.spans[0].position = 15
    plan.close(plan.spans[0])
    assert plan.gaps == [(15, 100)]
    span = plan.take(None)
    assert span is not None
    assert (span.position, span.end) == (15, 100)


def test_a_range_is_carved_only_where_nothing_has_arrived() -> None:
    """A range that the first connection has come to meanwhile is not taken from it."""
    plan = Plan(0, 100)
    (first,) = plan.spans
    first.position = 50
    assert plan.carve(50, 60) is None
    assert plan.carve(30, 60) is None
    carved = plan.carve(60, 80)
    assert carved is not None
    assert (first.end, carved.position, carved.end, plan.gaps) == (60, 60, 80, [(80, 100)])
    inside = plan.carve(85, 200)
    assert inside is not None
    assert (inside.position, inside.end, plan.gaps) == (85, 100, [(80, 85)])


def test_what_is_on_offer_is_not_halved_again() -> None:
    """Several connections that end at once do not ask for the same bytes."""
    plan = Plan(0, 100)
    asked = []
    while (half := plan.half(10)) is not None:
        asked.append(half)
        plan.offers.append(half)
    assert asked == [(50, 100), (25, 50), (12, 25)]
    assert Plan(0, 0).half(0) is None


def test_offers_follow_each_other() -> None:
    """The first ranges beside the only connection begin behind it, one after the other, up to the end."""
    plan = Plan(0, 100)
    while (offer := plan.next_offer(40, 25)) is not None:
        plan.offers.append(offer)
    assert plan.offers == [(40, 65), (65, 90), (90, 100)]
    plan.carve(40, 65)
    assert plan.next_offer(1, 1) is None


@pytest.mark.parametrize(
    ("left", "answer", "piece"), [(256, 0.0, 8), (255, 0.0, 4), (255, 0.05, 8), (48, 0.05, 6), (5, 0.05, 4)]
)
def test_pieces(left: int, answer: float, piece: int) -> None:
    """Pieces are small, but of a large body, and where each request waits long for its answer."""
    assert Plan(0, left * MIB).piece(8, answer) == piece * MIB
    assert Span(3, 10).left == 7


# --- how many connections


class Link:
    """A link that a governor watches, tick by tick.

    Attributes:
        governor: what decides.
        proofs: the times at which more connections were proved to help.
    """

    def __init__(self, connections: int | None = None, *, each: float = 40 * MIB, most: float = 1e12) -> None:
        self.governor = Governor(connections, 0.0)
        self.now = 0.0
        self.fetched = 0.0
        self.each, self.most = each, most
        self.more: dict[str, Any] = {}
        self.proofs: list[float] = []

    def run(self, seconds: float) -> int:
        """Let time pass; return how many connections there should be then."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.05
            live = self.more.get("live", self.governor.target)
            self.fetched += 0.05 * min(self.most, self.each * live)
            facts = {"left": 2**30, "live": live, "room": 32, "idle": True} | self.more
            if self.governor.look(Sight(now=self.now, fetched=int(self.fetched), **facts)):
                self.proofs.append(self.now)
        return self.governor.target


def test_doubles_while_it_helps() -> None:
    """On a link that limits each connection there are eight after less than two seconds, each step proved."""
    link = Link()
    assert link.governor.watches
    assert link.run(0.45) == 1
    assert link.run(0.1) == 2
    assert link.run(1.5) == 8
    assert len(link.proofs) == 3
    assert link.run(10) == MOST


def test_stays_with_one_where_two_bring_no_more() -> None:
    """On a link that one connection fills, the second is given up, and no other is tried."""
    link = Link(most=40 * MIB)
    assert link.run(0.6) == 2
    assert link.run(1) == 1
    assert not link.proofs
    assert not link.governor.watches
    assert link.run(60) == 1


def test_keeps_what_was_proved() -> None:
    """Where four connections bring no more than two, there are two."""
    link = Link(most=90 * MIB)
    assert link.run(3) == 2
    assert len(link.proofs) == 1


@pytest.mark.parametrize(
    "more",
    [{"left": LEFT}, {"room": 0}, {"idle": False}],
    ids=str,
)
def test_never_tries_without_reason(more: dict[str, Any]) -> None:
    """With little left, no place for more, or a disk that is the slower side, no connection is added."""
    link = Link()
    link.more = more
    assert link.run(5) == 1
    link.more = {}
    assert link.run(0.2) == 2


@pytest.mark.parametrize("each", [0.0, 151 * MIB])
def test_never_tries_at_rest_or_at_full_speed(each: float) -> None:
    """Neither silence nor 150 MiB/s is a reason for another connection."""
    assert Link(each=each).run(5) == 1


def test_as_many_as_a_caller_may_ask_for() -> None:
    """There is one limit."""
    assert DownloadOptions.checked("skip", extract=False, durable=False, connections=MOST).connections == MOST
    with pytest.raises(ConfigurationError, match=f"at most {MOST}"):
        DownloadOptions.checked("skip", extract=False, durable=False, connections=MOST + 1)


def test_room_for_one() -> None:
    """Where the client may have one more connection, there are two, not more."""
    link = Link()
    link.more = {"room": 1}
    assert link.run(0.6) == 2
    link.more = {"room": 0}
    assert link.run(5) == 2


def test_a_connection_that_never_comes() -> None:
    """A trial whose connection brings nothing for three seconds is over."""
    link = Link()
    link.more = {"live": 1}
    assert link.run(3) == 2
    assert link.run(1) == 1
    assert not link.governor.watches


def test_a_slow_answer_gets_more_time() -> None:
    """A connection that took half a second to answer is given two seconds to get going; it may prove itself before."""
    for later, target in ((1, 2), (0, 1)):
        link = Link()
        link.more = {"live": 1}
        link.run(1.1)
        link.more, link.most = {"live": 2}, 41 * MIB
        assert link.run(1) == 2
        assert not link.proofs
        link.most += later * 200 * MIB
        link.run(1.2)
        assert link.governor.target >= target
        assert len(link.proofs) == later


def test_refusal_is_for_good() -> None:
    """After a refusal there are no more connections than are left, also if the caller asked for more."""
    for governor in (Governor(None, 0.0), Governor(8, 0.0)):
        governor.refused(3)
        assert governor.target == 3
        governor.look(Sight(now=99.0, fetched=10**9, left=2**30, live=3, room=9, idle=True))
        assert governor.target == 3
        governor.refused(0)
        assert governor.target == 1


def test_after_a_break() -> None:
    """After a break there are those that are left; five seconds later more are tried, or asked for, again."""
    link = Link()
    link.run(3)
    link.governor.lost(1, link.now)
    assert link.run(4.8) == 1
    assert link.run(0.4) == 2
    asked = Link(8)
    assert asked.run(1) == 8
    assert not asked.governor.watches
    asked.governor.lost(0, asked.now)
    assert asked.run(4.8) == 1
    assert asked.run(0.4) == 8


@given(
    each=st.floats(1, 200 * MIB),
    most=st.floats(1, 2_000 * MIB),
    connections=st.none() | st.integers(2, MOST),
    seconds=st.floats(0, 8),
)
def test_never_more_than_eight(each: float, most: float, connections: int | None, seconds: float) -> None:
    """There are never more than eight, never fewer than one, and without evidence never more than two."""
    link = Link(connections, each=each, most=most)
    target = link.run(seconds)
    assert 1 <= target <= MOST
    if connections is not None:
        assert target == connections
    elif not link.proofs:
        assert target <= 2
