"""What can be wrong with one answer, and which requests a fault is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from gh_artifacts_async.testing.data.blobs import Blob
from gh_artifacts_async.testing.server.journal import Host

Framing = Literal["length", "chunked", "close"]
"""How a body's end is told: Content-Length, chunks, or the end of the connection."""


@attrs.frozen
class Answer:
    """An answer in place of the honest one."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Stop:
    """What happens to the connection when byte ``at`` is due: ``cut`` (FIN), ``reset`` (RST) or ``stall`` (a pause)."""

    kind: Literal["cut", "reset", "stall"]
    at: int | None = None
    seconds: float = 0.0


@attrs.frozen
class Drip:
    """A body in pieces of ``chunk`` bytes, each after ``interval`` seconds, beginning at byte ``at``."""

    chunk: int = 1
    interval: float = 0.2
    at: int | None = 0


_IN_BODY = ("corrupt", "drip", "end_at", "extra", "gzip", "longer", "stop")


@attrs.frozen
class Effects:
    """All that may be wrong with one answer; each fault sets one or two of these, several faults are merged.

    Attributes:
        answer: sent in place of the honest answer.
        raw: bytes sent in place of any HTTP, then the connection is closed.
        reset: close it with RST.
        head_delay: seconds before the first byte.
        headers: set on the answer; None takes one away.
        expire: storage says that the URL is too old, and goes on saying so of this URL.
        ignore_range: 200 and the whole blob for a range.
        content_range: Content-Range of a 206, in place of the right one.
        change: the blob gets another ETag, and these bytes if there are any.
        corrupt: byte to turn over; ``-1``: the middle.
        end_at: the body ends cleanly before this byte.
        extra: bytes after the last one, counted in Content-Length.
        longer: Content-Length says this many bytes more (or fewer) than come.
        framing: how the body's end is told; None: the honest way.
        gzip: the body comes gzip-coded, asked for or not.
        stop: what happens to the connection on the way.
        drip: how slowly the body comes.
        next_link: the URL that the Link header gives as ``next``.
    """

    answer: Answer | None = None
    raw: bytes | None = None
    reset: bool = False
    head_delay: float = 0.0
    headers: Mapping[str, str | None] | None = None
    expire: bool = False
    ignore_range: bool = False
    content_range: str | None = None
    change: tuple[Blob | None] | None = None
    corrupt: int | None = None
    end_at: int | None = None
    extra: bytes = b""
    longer: int = 0
    framing: Framing | None = None
    gzip: bool = False
    stop: Stop | None = None
    drip: Drip | None = None
    next_link: str | None = None

    @property
    def in_body(self) -> bool:
        """Whether they show only in a body."""
        nothing = Effects()
        return any(getattr(self, name) != getattr(nothing, name) for name in _IN_BODY)

    def merged(self, other: Effects) -> Effects:
        """Return these effects with those that ``other`` sets put over them."""
        nothing = Effects()
        fields = [field.name for field in attrs.fields(Effects)]
        changed = {name: getattr(other, name) for name in fields if getattr(other, name) != getattr(nothing, name)}
        return attrs.evolve(self, **changed)


@attrs.frozen
class Occasion:
    """A request as far as faults ask.

    Attributes:
        host: where it arrived.
        artifact_id: what for.
        endpoint: GitHub's operation id.
        ranged: it asks for a range.
        bodiless: its answer has no body.
        start: first byte that its honest answer holds.
        stop: the byte after the last one.
        linked: its honest answer names a next page.
    """

    host: Host
    artifact_id: int | None = None
    endpoint: str | None = None
    ranged: bool = False
    bodiless: bool = False
    start: int = 0
    stop: int = 0
    linked: bool = False


@attrs.define(eq=False)
class Fault:
    """One scripted fault; calling code keeps it only to ask ``left`` or to ``cancel`` it.

    Attributes:
        effects: what it does.
        host: where.
        artifact_id: for whom; None for all.
        endpoint: end of GitHub's operation id, e.g. ``download-artifact``; None for all.
        left: how many more times; None for ever.
        at: the byte that must be in the answer; None for any answer.
        needs_range: only a request with a Range meets it.
        needs_link: only an answer with a next page meets it.
        until: time (seconds since 1970) at which it is over.
    """

    effects: Effects
    host: Host = "storage"
    artifact_id: int | None = None
    endpoint: str | None = None
    left: int | None = 1
    at: int | None = None
    needs_range: bool = False
    needs_link: bool = False
    until: float | None = None

    def cancel(self) -> None:
        """Let it happen no more."""
        self.left = 0

    def fits(self, occasion: Occasion, now: float) -> bool:
        """Tell whether a request meets this fault."""
        over = self.left == 0 or (self.until is not None and now >= self.until)
        return not over and self._is_for(occasion) and self._shows_in(occasion)

    def _is_for(self, occasion: Occasion) -> bool:
        return (
            self.host == occasion.host
            and self.artifact_id in {None, occasion.artifact_id}
            and (self.endpoint is None or (occasion.endpoint or "").endswith(self.endpoint))
        )

    def _shows_in(self, occasion: Occasion) -> bool:
        if (self.needs_range and not occasion.ranged) or (self.needs_link and not occasion.linked):
            return False
        if occasion.bodiless and self.effects.in_body:
            return False
        return self.at is None or occasion.start <= self.at < max(occasion.stop, occasion.start + 1)
