"""The progress display as lines: one for the whole, and one for each transfer that takes long enough to be read.

Nothing here knows a terminal: lines are made for a number of columns and rows. A transfer keeps its line while it is
active; one that has ended keeps it until another needs it, and for a second at least if it is the last one, so that
lines neither jump nor flicker.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.cli.render import cells, text
from gh_artifacts_async.cli.render.screen import BOLD, CYAN, DIM, GREEN, RED, YELLOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gh_artifacts_async.cli.render.transfers import State, Transfer, Transfers

SHOWN_AFTER = 0.5
"""Seconds; what takes less is not shown."""

LINGERS = 1.0
"""Seconds for which a transfer that has ended keeps the last line, if no other needs it."""

STALLED_AFTER = 3.0
"""Seconds without a byte."""

_MINUTE = 60
_WIDE, _MEDIUM, _NARROW = 75, 55, 30
_AMOUNT, _PERCENT, _RATE, _LEFT = 15, 4, 9, 11
_SHORT_BAR, _LEAST_BAR, _SHORT_NAME, _LEAST_NAME = 6, 8, 13, 26
_SPINS_A_SECOND = 5


@attrs.frozen
class Look:
    """What a terminal can show.

    Attributes:
        full: what the done part of a bar is made of.
        rest: what the other part is made of.
        spinner: what shows that something is happening.
        ellipsis: stands for what is left out.
        coloured: whether in colours.
        encoding: the terminal's.
    """

    full: str = "━"
    rest: str = "─"
    spinner: str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    ellipsis: str = "…"
    coloured: bool = True
    encoding: str = "utf-8"

    @classmethod
    def of(cls, encoding: str | None, *, coloured: bool) -> Look:
        """Return what can be shown in an encoding."""
        look = cls(coloured=coloured, encoding=encoding or "utf-8")
        try:
            f"{look.full}{look.rest}{look.spinner}{look.ellipsis}".encode(look.encoding)
        except UnicodeEncodeError:
            return attrs.evolve(look, full="#", rest="-", spinner="|/-\\", ellipsis="...")
        except LookupError:
            return cls.of("ascii", coloured=coloured)
        return look

    def shown(self, name: str) -> str:
        """Return a name from elsewhere as the terminal shows it."""
        return text.encodable(text.escaped(name), self.encoding)

    def styled(self, said: str, code: str) -> str:
        """Return a text in a style, an SGR code."""
        return f"\x1b[{code}m{said}\x1b[0m" if self.coloured and said.strip() else said

    def bar(self, part: float, columns: int, *, ended: bool = False) -> str:
        """Return a bar of which a part, from 0 to 1, is full."""
        full = columns if part >= 1 else min(round(max(part, 0.0) * columns), columns - 1)  # full only if it is
        return self.styled(self.full * full, GREEN if ended else CYAN) + self.styled(self.rest * (columns - full), DIM)

    def spin(self, now: float) -> str:
        """Return what shows that something is happening."""
        return self.spinner[int(now * _SPINS_A_SECOND) % len(self.spinner)]


@attrs.frozen
class Layout:
    """How many columns each part of a line has; 0 where it has no room.

    Attributes:
        columns: of the whole line.
        gap: between two parts.
        name: of the artifact.
        bar: of the progress bar.
        amount: of the bytes; of a percentage, where there is no room for more.
        rate: of the bytes a second.
        left: of the time that is left, or the state.
    """

    columns: int
    gap: int
    name: int
    bar: int
    amount: int
    rate: int
    left: int

    @classmethod
    def of(cls, columns: int) -> Layout:
        """Return the layout for a terminal; its last column stays empty, where some terminals wrap."""
        usable = max(1, columns - 1)
        if usable >= _WIDE:
            rest = usable - _AMOUNT - _RATE - _LEFT - 8
            bar = max(_LEAST_BAR, min(rest - _LEAST_NAME, rest * 2 // 5))
            return cls(usable, 2, rest - bar, bar, _AMOUNT, _RATE, _LEFT)
        if usable >= _MEDIUM:
            rest = usable - _AMOUNT - _LEFT - 3
            return cls(usable, 1, rest - _LEAST_BAR, _LEAST_BAR, _AMOUNT, 0, _LEFT)
        if usable >= _NARROW:
            rest = usable - _PERCENT - _LEFT - 3
            bar = _SHORT_BAR if rest >= _SHORT_BAR + _SHORT_NAME else 0
            return cls(usable, 1, rest - bar + (0 if bar else 1), bar, _PERCENT, 0, _LEFT)
        if usable >= 2 * _PERCENT:
            return cls(usable, 1, usable - _PERCENT - 1, 0, _PERCENT, 0, 0)
        return cls(usable, 1, usable, 0, 0, 0, 0)

    @property
    def state(self) -> int:
        """Columns of a state, which takes the place of rate and time."""
        return self.rate + (self.gap if self.rate else 0) + self.left

    def line(self, *parts: tuple[str, int]) -> str:
        """Return a line of parts that fill their columns; those with none are left out."""
        return (" " * self.gap).join(part for part, columns in parts if columns > 0)


class Board:
    """Lays out the lines, and remembers whose is which."""

    def __init__(self, transfers: Transfers, look: Look) -> None:
        """Begin with no line."""
        self._transfers = transfers
        self._look = look
        self._slots: list[Transfer] = []
        self._pause: tuple[float, str] = (0.0, "")

    def lines(self, now: float, wall: datetime, columns: int, rows: int) -> list[str]:
        """Return what is to be seen now.

        Args:
            now: by the clock of the transfers' events.
            wall: the local time.
            columns: of the terminal.
            rows: that may be used.
        """
        layout, transfers = Layout.of(columns), self._transfers
        self._note_pause(now, wall)
        if transfers.total is None and not transfers.active and not transfers.done:
            return [self._listing(now, layout)]
        hidden = self._arrange(now, max(0, rows - 2))
        lines = [self._whole(now, layout)]
        lines += [self._transfer(one, now, layout) for one in self._slots]
        if hidden:
            said = f"{self._look.ellipsis} and {hidden:,} more active"
            lines.append(self._look.styled(cells.fitted(said, layout.columns, self._look.ellipsis), DIM))
        return lines

    # --- whose line is which

    def _arrange(self, now: float, most: int) -> int:
        """Give lines to those that need one; return how many have to do without."""
        slots = self._slots
        del slots[most:]
        while slots and (ended := slots[-1].ended) is not None and now - ended >= LINGERS:
            slots.pop()
        shown = set(map(id, slots))
        hidden = 0
        for one in self._transfers.active.values():
            if now - one.began < SHOWN_AFTER or id(one) in shown or one.settled:
                continue
            free = [(other.ended or 0.0, number) for number, other in enumerate(slots) if other.settled]
            if free:
                slots[min(free)[1]] = one
            elif len(slots) < most:
                slots.append(one)
            else:
                hidden += 1
        return hidden

    # --- the lines

    def _listing(self, now: float, layout: Layout) -> str:
        """Say how far the listing is."""
        transfers = self._transfers
        said = "contacting GitHub"
        if transfers.listing is not None:
            page = transfers.listing
            said = f"listing: {page.items:,} of {page.total_count:,}"
        if self._paused(now):
            said = self._waiting(layout.columns - 2)
        elif now < transfers.retrying_until:
            said = f"{said}, retrying in {text.span(transfers.retrying_until - now + 1)}"
        return cells.fitted(f"{self._look.spin(now)} {said}", layout.columns, self._look.ellipsis)

    def _whole(self, now: float, layout: Layout) -> str:
        """Return the line of all transfers."""
        transfers, look = self._transfers, self._look
        done, to_do = transfers.bytes_done, transfers.bytes_to_do
        label = cells.left(_first_that_fits(_labels(transfers), layout.name), layout.name, look.ellipsis)
        rate = transfers.rate.at(now, done)
        total = None if transfers.total is None else to_do
        part = 0.0 if total is None else _part(done, total, empty=transfers.done >= (transfers.total or 0))
        label = look.styled(label, BOLD)
        if self._paused(now) and all(one.state == "signing" for one in transfers.active.values()):
            if not layout.rate:
                return self._waiting_line(label, layout)
            tail = look.styled(cells.left(self._waiting(layout.state), layout.state, look.ellipsis), YELLOW)
        else:
            left = None if total is None or not rate else (total - done) / rate
            tail = self._rate_and_left(rate, left, layout)
        if total is None:  # then there is no bar, and its room is the amount's
            room = layout.amount + (layout.bar + layout.gap if layout.bar else 0)
            return layout.line((label, layout.name), (cells.right(text.size(done), room), room), (tail, layout.state))
        amount = cells.right(_amount(done, total, part, layout), layout.amount)
        bar = look.bar(part, layout.bar)
        return layout.line((label, layout.name), (bar, layout.bar), (amount, layout.amount), (tail, layout.state))

    def _transfer(self, one: Transfer, now: float, layout: Layout) -> str:
        """Return the line of one transfer."""
        look = self._look
        name = cells.left(look.shown(one.name), layout.name, look.ellipsis)
        if self._paused(now) and one.state in {"signing", "resuming"}:
            return self._waiting_line(name, layout)
        extracting = one.state == "extracting"
        done, total = (one.written, one.to_write) if extracting else (one.received, one.size)
        rate = one.rate.at(now, one.received) if one.ended is None else None
        said, colour = _state(one, now)
        if said:
            state = _first_that_fits(said, layout.state)
            tail = look.styled(cells.left(state, layout.state, look.ellipsis), colour)
        else:
            tail = self._rate_and_left(rate, (total - done) / rate if rate else None, layout)
        part = _part(done, total, empty=one.verified)
        amount = cells.right(_amount(done, total, part, layout), layout.amount)
        bar = look.bar(part, layout.bar, ended=one.state == "done")
        return layout.line((name, layout.name), (bar, layout.bar), (amount, layout.amount), (tail, layout.state))

    def _rate_and_left(self, rate: float | None, left: float | None, layout: Layout) -> str:
        """Return the rate and the time that is left, as far as they are known."""
        fast = "" if not rate else f"{text.size(rate)}/s"
        soon = "" if left is None else f"{text.countdown(left)} left"
        if layout.rate:
            return cells.right(fast, layout.rate) + " " * layout.gap + cells.right(soon, layout.left)
        return cells.right(soon or fast, layout.left)

    # --- pauses

    def _paused(self, now: float) -> bool:
        return now < self._transfers.paused_until

    def _note_pause(self, now: float, wall: datetime) -> None:
        """Take note of the local time at which a pause ends, once: it is not to flicker."""
        until = self._transfers.paused_until
        if until != self._pause[0]:
            left = until - now
            ends = wall + timedelta(seconds=left)
            said = f"{ends:%H:%M:%S}" if left < _MINUTE else f"{ends + timedelta(seconds=59):%H:%M}"
            self._pause = (until, said)

    def _waiting_line(self, name: str, layout: Layout) -> str:
        room = layout.columns - layout.name - layout.gap
        return layout.line(
            (name, layout.name),
            (self._look.styled(cells.fitted(self._waiting(room), room, self._look.ellipsis), YELLOW), room),
        )

    def _waiting(self, room: int) -> str:
        """Return why nothing moves, and until when, in as many words as there is room for."""
        until = self._pause[1]
        said = ("waiting for the rate limit until ", "rate limit until ", "limit until ", "limit ", "")
        return _first_that_fits([f"{words}{until}" for words in said], room)


def _labels(transfers: Transfers) -> list[str]:
    done, total, failed = transfers.done, transfers.total, transfers.failed
    of = "" if total is None else f" of {total:,}"
    labels = [f"{done:,}{of} done", f"{done}" if total is None else f"{done}/{total}"]
    if not failed:
        return labels
    return [f"{labels[0]}, {failed:,} failed", f"{labels[1]}, {failed} failed", *labels]


_PLAIN_STATES: dict[State, tuple[list[str], str]] = {
    "signing": (["signing URL"], DIM),
    "checking": (["checking what is there", "checking"], DIM),
    "verifying": (["verifying"], CYAN),
    "extracting": (["extracting"], CYAN),
    "done": (["done"], GREEN),
    "failed": (["failed"], RED),
}


def _state(one: Transfer, now: float) -> tuple[list[str], str]:
    """Return what is said of a transfer in place of its rate, the longest first, and the style; nothing if it moves."""
    if one.settled and one.ended is None:
        return ["extracted"], GREEN
    if one.state == "receiving":
        still = now - one.moved
        if still >= STALLED_AFTER:
            return [f"stalled for {text.span(still)}", "stalled"], YELLOW
        return ([f"resumed at {text.size(one.offset)}", "resumed"] if one.offset and now < one.until else []), YELLOW
    if one.state == "retrying":
        left = one.until - now
        return ([f"retrying in {left + 1:.0f} s", f"retry {left + 1:.0f} s"] if left > 0 else ["retrying"]), YELLOW
    return (_resuming(one), YELLOW) if one.state == "resuming" else _PLAIN_STATES[one.state]


def _resuming(one: Transfer) -> list[str]:
    return [f"resuming at {text.size(one.offset)}", "resuming"] if one.offset else ["starting over", "restarting"]


def _part(done: int, total: int, *, empty: bool) -> float:
    """Return which part is done; where there is nothing to do, whether that is done."""
    return min(1.0, done / total) if total else float(empty)


def _amount(done: int, total: int, part: float, layout: Layout) -> str:
    """Return ``1.2/4.0 MB``, or a percentage where there is no room for that."""
    if layout.amount < _AMOUNT:
        return f"{int(part * 100)}%"
    number, unit = text.size(done).split(" ")
    of = text.size(total)
    return f"{number}/{of}" if of.endswith(f" {unit}") else f"{number} {unit}/{of}"


def _first_that_fits(candidates: Sequence[str], columns: int) -> str:
    """Return the first that fits, or else the last."""
    return next((said for said in candidates if cells.width(said) <= columns), candidates[-1])
