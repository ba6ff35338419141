"""Which bytes each connection of one body fetches, and how many connections are worth it: decisions only, no I/O."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

MIB = 2**20
MOST = 8
"""Most connections that are tried where the caller leaves it to us: no more than a caller may ask for."""

LEFT = 32 * MIB
"""With fewer bytes left no connection is tried: it would cost more than it brings."""

_SMALL_PIECE, _LARGE_PIECE = 4 * MIB, 8 * MIB
_LARGE_FROM = 256 * MIB
_SLOW_ANSWER = 0.02
_BEFORE_FIRST = 0.5  # seconds that one connection is watched before another is tried
_WINDOW = 0.25  # seconds over which a rate is measured, at least
_LONGEST_WINDOW = 2.0
_ANSWERS = 4  # a new connection gets so many times the seconds of its first answer to prove itself
_LATEST = 3.0  # seconds in which all connections of a trial must have brought bytes
_GAIN = 1.25  # the total rate must rise by this much
_FAST = 150 * MIB  # bytes/s of one connection that need no second one
_AGAIN = 5.0  # seconds after a break before more connections are tried again


# --- the bytes


@attrs.define(eq=False)
class Span:
    """Bytes that one connection fetches.

    Attributes:
        position: the next byte to arrive.
        end: after the last one.
    """

    position: int
    end: int

    @property
    def left(self) -> int:
        """Bytes that have not arrived."""
        return self.end - self.position


class Plan:
    """Divides the bytes of one body among connections; each byte belongs to one span or one gap until it arrives.

    Attributes:
        spans: what is being fetched, in no order.
        gaps: start and end of what nobody fetches yet, in order.
        offers: start and end of ranges that are asked for, to be carved out of the spans once storage serves them.
    """

    def __init__(self, start: int, end: int, there: Sequence[tuple[int, int]] = ()) -> None:
        """Begin with one span, which has everything up to what is there already.

        Args:
            start: the first byte that has not arrived.
            end: after the last one.
            there: start and end of runs that have arrived nevertheless, in order, none of them at ``start``.
        """
        starts, ends = [run[0] for run in there], [run[1] for run in there]
        (_, first), *gaps = zip([start, *ends], [*starts, end], strict=True)
        self.spans: list[Span] = [Span(start, first)]
        self.gaps: list[tuple[int, int]] = [gap for gap in gaps if gap[0] < gap[1]]
        self.offers: list[tuple[int, int]] = []

    @property
    def left(self) -> int:
        """Bytes that have not arrived."""
        return sum(span.left for span in self.spans) + sum(end - start for start, end in self.gaps)

    def piece(self, connections: int, answer: float) -> int:
        """Return how many bytes a connection fetches by one request.

        Small pieces keep the frontier close and let all connections end at once; each costs the time of an answer.

        Args:
            connections: how many there are.
            answer: seconds from a request to its response's headers.
        """
        if self.left >= _LARGE_FROM:
            return _LARGE_PIECE
        longest = _SMALL_PIECE if answer < _SLOW_ANSWER else _LARGE_PIECE
        return min(longest, max(_SMALL_PIECE, self.left // connections))

    def take(self, size: int | None) -> Span | None:
        """Make a span of the first bytes that nobody fetches: ``size`` of them, or all up to the next span."""
        if not self.gaps:
            return None
        start, end = self.gaps[0]
        span = Span(start, end if size is None else min(end, start + size))
        self.gaps[:1] = [(span.end, end)] if span.end < end else []
        self.spans.append(span)
        return span

    def carve(self, start: int, end: int) -> Span | None:
        """Make a span of bytes that another connection would come to later; None if they are there or under way.

        The span may end before ``end``, and what the other connection had after it is a gap.
        """
        for span in self.spans:
            if span.position < start < span.end:
                found = Span(start, min(end, span.end))
                self._free(found.end, span.end)
                span.end = start
                self.spans.append(found)
                return found
        for at, (first, last) in enumerate(self.gaps):
            if first <= start < last:
                found = Span(start, min(end, last))
                self.gaps[at : at + 1] = [gap for gap in ((first, start), (found.end, last)) if gap[0] < gap[1]]
                self.spans.append(found)
                return found
        return None

    def cut(self, span: Span, size: int) -> None:
        """Leave a span no more than its next ``size`` bytes, at least one."""
        end, span.end = span.end, min(span.end, span.position + max(1, size))
        self._free(span.end, end)

    def close(self, span: Span) -> None:
        """Remove a span; what has not arrived is a gap."""
        self.spans.remove(span)
        self._free(span.position, span.end)

    def next_offer(self, skip: int, size: int | None) -> tuple[int, int] | None:
        """Return a range behind the only span's position, and behind what is offered already; None if there is none.

        Args:
            skip: bytes between the position and the range, at least.
            size: of the range; None for all.
        """
        if len(self.spans) != 1:
            return None
        (span,) = self.spans
        start = max(span.position + max(1, skip), *(end for _, end in self.offers), 0)
        end = span.end if size is None else min(span.end, start + size)
        return (start, end) if start < end else None

    def half(self, least: int) -> tuple[int, int] | None:
        """Return the second half of the longest rest that is not on offer; None if a half is less than ``least``."""
        start, end = max(map(self._rest, self.spans), key=lambda rest: rest[1] - rest[0], default=(0, 0))
        middle = start + (end - start) // 2
        return None if middle - start < max(1, least) else (middle, end)

    def _rest(self, span: Span) -> tuple[int, int]:
        """Return what a span has left, up to the first offer."""
        starts = [start for start, _ in self.offers if span.position < start < span.end]
        return span.position, min([span.end, *starts])

    def _free(self, start: int, end: int) -> None:
        """Add a gap, joined to its neighbours."""
        if start >= end:
            return
        joined: list[tuple[int, int]] = []
        for gap in sorted([*self.gaps, (start, end)]):
            if joined and joined[-1][1] == gap[0]:
                joined[-1] = (joined[-1][0], gap[1])
            else:
                joined.append(gap)
        self.gaps = joined


# --- the number of connections


@attrs.frozen(kw_only=True)
class Sight:
    """What is seen of a transfer at one moment.

    Attributes:
        now: seconds.
        fetched: bytes that have arrived, of all transfers of the client: a connection that only takes from the others
            is no gain.
        left: bytes of this body that have not arrived.
        live: its connections that have brought bytes.
        room: how many connections may be added.
        idle: the disk waits for the network.
    """

    now: float
    fetched: int
    left: int
    live: int
    room: int
    idle: bool


@attrs.define
class _Trial:
    """A test of more connections.

    Attributes:
        before: connections before it.
        rate: bytes/s before it.
        opened: when it began.
        joined: when all its connections had brought bytes, and how many bytes there were; None before that.
        window: seconds from then in which it must prove itself.
    """

    before: int
    rate: float
    opened: float
    joined: tuple[float, int] | None = None
    window: float = _WINDOW


class Governor:
    """Decides how many connections a body has: as many as the caller asks for, or as many as the rate proves useful.

    One is tried beside the first, then two beside the two, then four beside the four; each time the new ones stay only
    if the total rate rises by a quarter.

    Attributes:
        target: how many there should be now.
        rate: bytes/s of late.
    """

    def __init__(self, connections: int | None, now: float) -> None:
        """Start with what the caller asks for; None to start with one and find out."""
        self.target: int = connections or 1
        self.rate: float = 0.0
        self._wish = connections
        self._from = now + _BEFORE_FIRST
        self._settled = False
        self._trial: _Trial | None = None
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def watches(self) -> bool:
        """Whether it needs to look often."""
        return self._wish is None and not self._settled

    def look(self, sight: Sight) -> bool:
        """Take in what is seen; True if a trial has just proved that more connections help."""
        if self._settled:
            return False
        if self._wish is not None:
            if sight.now >= self._from:
                self.target = self._wish
            return False
        self._seen.append((sight.now, sight.fetched))
        while len(self._seen) > 1 and sight.now - self._seen[1][0] >= _WINDOW:
            self._seen.popleft()
        self.rate = _rate(self._seen[0], sight)
        if self._trial is not None:
            return self._judge(self._trial, sight)
        if sight.now >= self._from:
            self._consider(sight, self.rate)
        return False

    def refused(self, live: int) -> None:
        """Never try more again: storage does not serve them as it serves the first."""
        self._settled, self._trial, self.target = True, None, max(1, live)

    def lost(self, live: int, now: float) -> None:
        """Go on with what is left after a connection broke, and try again later."""
        self._trial, self.target, self._from = None, max(1, live), now + _AGAIN

    def _consider(self, sight: Sight, rate: float) -> None:
        fast = rate >= _FAST * self.target
        if self.target < MOST and sight.room > 0 and sight.idle and sight.left > LEFT and rate > 0 and not fast:
            self._trial = _Trial(self.target, rate, sight.now)
            self.target = min(MOST, 2 * self.target, self.target + sight.room)

    def _judge(self, trial: _Trial, sight: Sight) -> bool:
        if trial.joined is None:
            if sight.live >= self.target:
                trial.joined = sight.now, sight.fetched
                trial.window = min(_LONGEST_WINDOW, max(_WINDOW, _ANSWERS * (sight.now - trial.opened)))
            elif sight.now - trial.opened > _LATEST:
                self.refused(trial.before)
            return False
        seconds, rate = sight.now - trial.joined[0], _rate(trial.joined, sight)
        if seconds < _WINDOW or rate < _GAIN * trial.rate:
            if seconds >= trial.window:
                self.refused(trial.before)
            return False
        self._trial = None
        self._consider(sight, rate)
        return True


def _rate(since: tuple[float, int], sight: Sight) -> float:
    seconds = sight.now - since[0]
    return (sight.fetched - since[1]) / seconds if seconds > 0 else 0.0
