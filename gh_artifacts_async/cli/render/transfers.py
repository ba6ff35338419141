"""Where every transfer is, and how far all of them are: from the events, without a terminal and without a clock."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Literal

import attrs

from gh_artifacts_async import (
    Artifact,
    Event,
    ExtractionProgress,
    ListingProgress,
    Pacing,
    RateLimitPause,
    RequestRetried,
    TransferBytes,
    TransferChecking,
    TransferDelivered,
    TransferEvent,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["signing", "checking", "receiving", "resuming", "retrying", "verifying", "extracting", "done", "failed"]
"""Where a transfer is; that it has stalled, or waits for a rate limit, depends on the time besides."""

RATE_WINDOW = 5.0
"""Seconds over which a rate is measured."""

_SHORTEST_WINDOW = 0.3
_ABOUT_AN_ARTIFACT = re.compile(r"artifacts?[ /](\d+)")


class Rate:
    """Bytes a second, of late."""

    def __init__(self) -> None:
        """Begin without any."""
        self._samples: deque[tuple[float, int]] = deque()

    def at(self, now: float, count: int) -> float | None:
        """Take note of how many bytes there are now, and return the rate; None if it cannot be told yet."""
        samples = self._samples
        if samples and count < samples[-1][1]:  # it starts over
            samples.clear()
        if not samples or now > samples[-1][0]:
            samples.append((now, count))
        while len(samples) > 2 and samples[1][0] <= now - RATE_WINDOW:  # noqa: PLR2004 - the first and the last
            samples.popleft()
        then, before = samples[0]
        return (count - before) / (now - then) if now - then >= _SHORTEST_WINDOW else None


@attrs.define(eq=False)
class Transfer:
    """One artifact's transfer.

    Attributes:
        name: the artifact's.
        size: its bytes, as far as is known.
        began: when it was first heard of.
        state: where it is.
        base: bytes that an earlier run has left: they are neither done nor to do.
        received: bytes so far, those included.
        offset: where it resumes.
        moved: when bytes last arrived.
        until: when the next attempt is made; or until when it is said that the transfer was resumed.
        written: extracted bytes.
        to_write: all of them.
        ended: when it ended.
        exact: storage has said how many bytes there are.
        verified: they have all arrived, and are right.
        extracted: so have all members.
        rate: at which it goes.
    """

    name: str
    size: int
    began: float
    state: State = "signing"
    base: int = 0
    received: int = 0
    offset: int = 0
    moved: float = 0.0
    until: float = 0.0
    written: int = 0
    to_write: int = 0
    ended: float | None = None
    exact: bool = False
    verified: bool = False
    extracted: bool = False
    rate: Rate = attrs.field(factory=Rate)

    @property
    def done(self) -> int:
        """Bytes that this run has fetched."""
        return max(0, min(self.received, self.size) - self.base)

    @property
    def to_do(self) -> int:
        """Bytes that this run has to fetch in all."""
        return max(0, self.size - self.base)

    def move(self, received: int, now: float) -> None:
        """Take note of how many bytes there are."""
        if received != self.received or self.state not in {"receiving", "resuming"}:
            if now - self.moved > RATE_WINDOW:  # how slow it was before says nothing of how fast it is now
                self.rate = Rate()
            self.moved = now
        self.received = received
        self.size = max(self.size, received)
        if self.state != "resuming" or received > self.offset:
            self.state = "verifying" if self.exact and received >= self.size else "receiving"

    def learn(self, size: int | None) -> None:
        """Take note of what storage says of the size."""
        if size is not None:
            self.size, self.exact = size, True

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done for it alone: a merge puts all of them in place at the end."""
        return self.ended is not None or (self.verified and self.extracted)

    def lose(self, offset: int) -> None:
        """Take note that only so many bytes are kept, also of those that an earlier run has left."""
        self.base = min(self.base, offset)
        self.received = self.offset = offset


class Transfers:
    """All of them; what observes events, and what is shown is made of."""

    def __init__(self, planned: Iterable[Artifact] | None = None) -> None:
        """Begin.

        Args:
            planned: the artifacts that will be transferred; None if that is not known.
        """
        self.active: dict[int, Transfer] = {}
        self.listing: ListingProgress | None = None
        self.total: int | None = None
        self.finished: int = 0
        self.failed: int = 0
        self.paused_until: float = 0.0
        self.retrying_until: float = 0.0
        self.rate: Rate = Rate()
        self._waiting: dict[int, int] = {}
        self._gone_bytes = 0
        if planned is not None:
            self.plan(planned)

    def plan(self, artifacts: Iterable[Artifact]) -> None:
        """Take note of what will be transferred."""
        artifacts = list(artifacts)
        self.total = len(artifacts)
        self._waiting = {artifact.id: artifact.size_in_bytes for artifact in artifacts}

    # --- how far all of it is

    @property
    def done(self) -> int:
        """Artifacts that are finished, or as good as."""
        return self.finished + sum(one.settled for one in self.active.values())

    @property
    def bytes_done(self) -> int:
        """Bytes that this run has fetched."""
        return self._gone_bytes + sum(one.done for one in self.active.values())

    @property
    def bytes_to_do(self) -> int:
        """Bytes that this run has to fetch in all, as far as is known."""
        return self._gone_bytes + sum(one.to_do for one in self.active.values()) + sum(self._waiting.values())

    # --- events

    def take(self, event: Event, now: float) -> None:
        """Take note of an event."""
        match event:
            case TransferEvent():
                self._transfer(event, now)
            case ListingProgress():
                self.listing = event
            case RateLimitPause(seconds=seconds) | Pacing(seconds=seconds):
                self.paused_until = max(self.paused_until, now + seconds)
            case RequestRetried(what=what, wait=wait) if wait:
                self._retried(what, now + wait)
            case _:
                pass

    def _retried(self, what: str, until: float) -> None:
        found = _ABOUT_AN_ARTIFACT.search(what)
        one = self.active.get(int(found[1])) if found else None
        if one is None:
            self.retrying_until = until
        else:
            one.state, one.until = "retrying", until

    def _transfer(self, event: TransferEvent, now: float) -> None:
        one = self._of(event.artifact, now)
        match event:
            case TransferChecking():
                one.state = "checking"
            case TransferSigning() | TransferURLRenewed():
                one.state = "resuming" if one.state == "resuming" else "signing"
            case TransferStarted(size=size, offset=offset):
                one.learn(size)
                one.base = one.offset = offset
                one.state, one.until = ("resuming", now + 2) if offset else ("receiving", 0.0)
                one.move(offset, now)
            case TransferBytes(received=received, size=size):
                one.learn(size)
                one.move(received, now)
            case TransferResumed(offset=offset):
                one.lose(offset)
                one.state, one.until, one.moved, one.verified = "resuming", now + 2, now, False
            case _:
                self._late(one, event, now)

    def _late(self, one: Transfer, event: TransferEvent, now: float) -> None:
        """Take note of what follows the last byte."""
        match event:
            case TransferVerified():
                one.learn(max(one.received, one.size))
                one.move(one.size, now)
                one.verified = True
            case ExtractionProgress(written=written, total=total, members_done=done, members=members):
                one.written, one.to_write, one.extracted = written, total, done == members
            case TransferFinished(skipped=skipped, size=size) | TransferDelivered(skipped=skipped, size=size):
                one.size, one.received = (size, size) if not skipped else (one.received, one.received)
                self._end(event.artifact.id, one, "done", now)
            case TransferFailed():
                self._end(event.artifact.id, one, "failed", now)
            case _:
                pass
        if one.state == "verifying" and one.verified and one.to_write:
            one.state = "extracting"

    def _of(self, artifact: Artifact, now: float) -> Transfer:
        one = self.active.get(artifact.id)
        if one is None:
            size = self._waiting.pop(artifact.id, artifact.size_in_bytes)
            one = self.active[artifact.id] = Transfer(name=artifact.name, size=size, began=now)
        return one

    def _end(self, number: int, one: Transfer, state: State, now: float) -> None:
        """Let go of it; what has arrived counts even if it failed, so that nothing runs backwards."""
        del self.active[number]
        self._gone_bytes += one.done
        one.state, one.ended = state, now
        if state == "done":
            self.finished += 1
        else:
            self.failed += 1
