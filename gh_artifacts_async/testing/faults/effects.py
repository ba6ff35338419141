"""What can be wrong with one response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from gh_artifacts_async.testing.data.blobs import Blob

Framing = Literal["length", "chunked", "close"]
"""How the end of a body is marked: Content-Length, chunks, or the end of the connection."""


@attrs.frozen
class CannedResponse:
    """A response in place of the honest one."""

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
    """All that may be wrong with one response; each fault sets one or two of these, several faults are merged.

    Attributes:
        response: sent in place of the honest response.
        raw: bytes sent in place of any HTTP, then the connection is closed.
        reset: close it with RST.
        head_delay: seconds before the first byte.
        headers: set on the response; None removes one.
        expire: storage refuses the URL as expired, now and in later requests.
        ignore_range: 200 and the whole blob for a range.
        content_range: Content-Range of a 206, in place of the right one.
        change: the blob gets another ETag, and these bytes, if any.
        corrupt: byte to invert; ``-1``: the middle.
        end_at: the body ends cleanly before this byte.
        extra: bytes after the last one, counted in Content-Length.
        longer: Content-Length says this many bytes more (or fewer) than are sent.
        framing: how the end of the body is marked; None: the honest way.
        gzip: the body is sent with gzip coding, whether accepted or not.
        stop: what happens to the connection during the body.
        drip: how slowly the body is sent.
        next_link: the URL that the Link header gives as ``next``.
    """

    response: CannedResponse | None = None
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
        """Whether they are visible only in a body."""
        nothing = Effects()
        return any(getattr(self, name) != getattr(nothing, name) for name in _IN_BODY)

    def merged(self, other: Effects) -> Effects:
        """Return these effects, overridden by those that ``other`` sets."""
        nothing = Effects()
        fields = [field.name for field in attrs.fields(Effects)]
        changed = {name: getattr(other, name) for name in fields if getattr(other, name) != getattr(nothing, name)}
        return attrs.evolve(self, **changed)
