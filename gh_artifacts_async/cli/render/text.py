"""Words and numbers for people; what came from elsewhere is escaped, so that no name moves the cursor or turns text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Controls, formatting marks (bidi among them), surrogates, line and paragraph separators, and what is not assigned.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"})
_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_WHOLE_FROM = 100
_SPANS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_MINUTE, _HOUR, _TEN_HOURS = 60, 3600, 36000


def escaped(text: str) -> str:
    """Return text in which nothing is left that a terminal would obey instead of show."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if unicodedata.category(char) in _ESCAPED else char for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four


def encodable(text: str, encoding: str) -> str:
    """Return text with escapes for what an encoding lacks."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def size(count: float) -> str:
    """Return bytes in human units: ``532 B``, ``1.4 MB``, ``120 GB``."""
    value, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if round(value, 1) < _STEP or unit == _UNITS[-1]:
            break
        value /= _STEP
    digits = 0 if unit == "B" or round(value, 1) >= _WHOLE_FROM else 1
    return f"{value:.{digits}f} {unit}"


def exact_size(count: int) -> str:
    """Return bytes in human units, and each of them where these are rounded: ``1.4 MB (1,434,216 bytes)``."""
    return size(count) if count < _STEP else f"{size(count)} ({count:,} bytes)"


def span(seconds: float) -> str:
    """Return a length of time by its biggest unit: ``3 min``, ``2 d``; none is longer than a day."""
    whole = max(0, int(seconds))
    unit, length = next(((unit, length) for unit, length in _SPANS if whole >= length), _SPANS[-1])
    return f"{whole // length} {unit}"


def duration(seconds: float) -> str:
    """Return how long something took: ``0.42 s``, ``12.3 s``, ``2 min 5 s``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // _MINUTE} min {int(seconds) % _MINUTE} s"


def countdown(seconds: float) -> str:
    """Return how long something will take yet, in few characters: ``12 s``, ``1:59``, ``2h 05m``, ``3 d``."""
    whole = int(seconds) + 1
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}:{whole % _MINUTE:02}"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m" if whole < _TEN_HOURS else span(whole)


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something was: ``3 h ago``."""
    return "-" if moment is None else f"{span((now - moment).total_seconds())} ago"


def ahead(moment: datetime | None, now: datetime) -> str:
    """Return how far off something is: ``in 89 d``."""
    return "-" if moment is None else f"in {span((moment - now).total_seconds())}"


def rest(number: int | None) -> str:
    """Return a line about the entries that a limit leaves out; None for an unknown number of them."""
    return f"\u2026 and {'perhaps' if number is None else f'{number:,}'} more (--limit all)"


def count(number: int, noun: str) -> str:
    """Return ``1 artifact``, ``2,500 artifacts``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
