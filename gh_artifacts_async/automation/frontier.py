"""Which artifacts of a listing are new: a pure rule, and its state as a string that survives restarts.

GitHub's listing is newest first by convention, ids do not grow with time, and an artifact may be listed some seconds
after its ``created_at``, below others that were listed before it. So the state is not "the last id": it is a set of
known ids near the top, and a line below which everything counts as known.
"""

from __future__ import annotations

import base64
import json
import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

import attrs

from gh_artifacts_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gh_artifacts_async.models import Artifact

OVERLAP = 300
"""Seconds after its ``created_at`` within which an artifact that is listed late is found, below however many others."""

MOST_KNOWN = 1000
"""Ids that are remembered; the oldest leave first, and raise the line below which everything counts as known."""

PAGE = 100
"""Artifacts a request; what the first page shows is looked at in any case."""

_ENOUGH_KNOWN = 20  # in a row; fewer may be a few that were listed before their elders
_VERSION = "1."
_LONGEST = 100_000  # characters of a cursor; MOST_KNOWN ids need a tenth of it
_LONGEST_JSON = 10 * _LONGEST


class Key(NamedTuple):
    """The place of an artifact among others: newest is by (created_at, id), never by the id alone.

    Attributes:
        second: ``created_at`` in whole seconds since 1970, as GitHub sends it; 0 where it sent none.
        id: the artifact's id.
    """

    second: int
    id: int


def key_of(artifact: Artifact) -> Key:
    """Return an artifact's place."""
    return Key(0 if artifact.created_at is None else int(artifact.created_at.timestamp()), artifact.id)


@attrs.define
class Frontier:
    """What is known of a listing.

    Attributes:
        started: a first look was taken, or a time was given.
        floor: what sorts at or below this counts as known; None if all that is known is in ``known``.
        known: seconds by id of the artifacts that are known, above the floor.
        most: how many of them are remembered.
    """

    started: bool = False
    floor: Key | None = None
    known: dict[int, int] = attrs.field(factory=dict)
    most: int = attrs.field(default=MOST_KNOWN, eq=False)

    @classmethod
    def since(cls, moment: datetime) -> Self:
        """Return a frontier for which everything is new that was created at a time (aware) or later.

        Raises:
            ConfigurationError: the time has no time zone.
        """
        if moment.tzinfo is None:
            msg = "since must be an aware datetime, such as datetime.now(UTC), not one without a time zone"
            raise ConfigurationError(msg)
        return cls(started=True, floor=Key(int(moment.timestamp()), 0))

    def begin(self, page: Iterable[Key], *, complete: bool) -> None:
        """Take a first page as known, and all that sorts below it too.

        Args:
            page: what it shows.
            complete: there is nothing below it.
        """
        keys = list(page)
        self.started = True
        self.known = {key.id: key.second for key in keys}
        self.floor = None if complete or not keys else min(keys)
        self._forget()

    def knows(self, key: Key) -> bool:
        """Return whether an artifact is known."""
        return key.id in self.known or (self.floor is not None and key <= self.floor)

    def add(self, key: Key) -> None:
        """Take an artifact as known from now on."""
        self.known[key.id] = key.second
        self._forget()

    def _forget(self) -> None:
        while len(self.known) > self.most:
            second, number = min((second, number) for number, second in self.known.items())
            del self.known[number]
            self.floor = max(Key(second, number), self.floor or Key(0, 0))

    @property
    def newest(self) -> int | None:
        """The second of the newest artifact that is known; None if none is."""
        return max(self.known.values(), default=None)

    # --- as text

    def cursor(self) -> str:
        """Return the state as a string: ids and times only, at most some thousand characters."""
        pairs = sorted((second, number) for number, second in self.known.items())
        base = pairs[0] if pairs else (0, 0)
        steps = [after[0] - before[0] for before, after in pairwise([base, *pairs])]
        floor = None if self.floor is None else list(self.floor)
        state = [int(self.started), floor, list(base), steps, [number - base[1] for _, number in pairs]]
        packed = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)
        return _VERSION + base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a string that :meth:`cursor` returned.

        Raises:
            ConfigurationError: it is something else.
        """
        try:
            return cls._parsed(text)
        except (ValueError, TypeError, zlib.error, RecursionError):
            pass
        shown = text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - a line of a message
        msg = f"since must be a time, or the cursor of a watch, unaltered; {shown!r} is neither"
        raise ConfigurationError(msg)

    @classmethod
    def _parsed(cls, text: str) -> Self:
        """Read it.

        Raises:
            ValueError: it is not well formed.
            TypeError: a value has another type.
            zlib.error: it does not unpack.
            RecursionError: its JSON is nested without end.
        """
        if len(text) > _LONGEST or not text.isascii() or not text.startswith(_VERSION):
            raise ValueError
        coded = text.removeprefix(_VERSION)
        packed = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
        unpack = zlib.decompressobj()
        plain = unpack.decompress(packed, _LONGEST_JSON)
        if not unpack.eof or unpack.unused_data:
            raise ValueError
        started, floor, (second, number), steps, numbers = json.loads(plain)
        every = [started, second, number, *steps, *numbers, *(floor or ())]
        if any(type(value) is not int for value in every) or len(steps) > MOST_KNOWN:
            raise TypeError
        seconds = accumulate(steps, initial=second)
        next(seconds)
        known = {number + its: when for when, its in zip(seconds, numbers, strict=True)}
        return cls(started=bool(started), floor=None if floor is None else Key(*floor), known=known)


@attrs.define
class Walk:
    """One walk down a listing, newest first: what is new, and when known territory is reached.

    Attributes:
        frontier: what is known; the walk does not change it.
        settled: the latest walks have brought nothing new for long enough: the first page will do.
        page: artifacts a page.
        fresh: the new ones so far.
    """

    frontier: Frontier
    settled: bool = False
    page: int = PAGE
    fresh: list[Key] = attrs.field(factory=list)
    _newest: int | None = None
    _seen: int = 0
    _known_in_a_row: int = 0

    def __attrs_post_init__(self) -> None:
        """Note how far up the known ones reach."""
        self._newest = self.frontier.newest

    def step(self, key: Key) -> bool:
        """Take the listing's next artifact; return whether it is new."""
        self._seen += 1
        if self.frontier.knows(key):
            self._known_in_a_row += 1
            return False
        self._known_in_a_row = 0
        self.fresh.append(key)
        return True

    def ends_at(self, key: Key) -> bool:
        """Return whether nothing new is to be expected below the artifact that was taken last."""
        if self._seen < self.page or self._known_in_a_row < min(_ENOUGH_KNOWN, self.page):
            return False
        below = self.frontier.floor is not None and key <= self.frontier.floor
        return self.settled or below or (self._newest is not None and key.second < self._newest - OVERLAP)


@attrs.define
class Calm:
    """Whether a listing has been quiet for so long that no latecomer is to be expected below its first page.

    Attributes:
        settled: it has.
    """

    settled: bool = False
    _news: float | None = None

    def note(self, now: float, *, news: bool) -> None:
        """Note a walk that has come to its end.

        Args:
            now: seconds, on any clock that does not jump.
            news: it found something new, or was the first.
        """
        if news or self._news is None:
            self._news = now
        self.settled = now - self._news >= OVERLAP
