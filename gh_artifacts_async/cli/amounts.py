"""Lengths of time, sizes and numbers as people write them: ``30d``, ``12h``, ``400MB``, ``1GiB``, ``all``."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from gh_artifacts_async.errors import ConfigurationError

_AMOUNT = re.compile(r"(?P<number>\d{1,30}(?:\.\d{1,30})?) ?(?P<unit>[a-z]*)", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"0{0,99}[1-9]\d{0,17}", re.ASCII)
_PERIODS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SIZES = {"": 1, "b": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("kmgt", 1)
    for ending, base in (("b", 1000), ("ib", 1024), ("", 1000))
}


def period(option: str, text: str) -> timedelta:
    """Read a length of time.

    Args:
        option: which option it was given to.
        text: a number and one of s, min, h, d and w.

    Raises:
        ConfigurationError: it is something else, or longer than a thousand years.
    """
    found = _AMOUNT.fullmatch(text)
    factor = _PERIODS.get(found["unit"].lower()) if found else None
    longest = timedelta(days=365_000)
    if found is None or factor is None or float(found["number"]) * factor > longest.total_seconds():
        msg = f"{option} must be a length of time such as 30d, 12h or 2w, not {text!r}"
        raise ConfigurationError(msg)
    return timedelta(seconds=float(found["number"]) * factor)


def size(option: str, text: str) -> int:
    """Read a size in bytes.

    Args:
        option: which option it was given to.
        text: a number, and kB, MB, GB or TB (powers of 1000) or KiB, MiB, GiB or TiB (of 1024); none for bytes.

    Raises:
        ConfigurationError: it is something else.
    """
    found = _AMOUNT.fullmatch(text)
    factor = _SIZES.get(found["unit"].lower()) if found else None
    if found is None or factor is None:
        msg = f"{option} must be a size such as 400MB or 1GiB, not {text!r}"
        raise ConfigurationError(msg)
    return int(float(found["number"]) * factor) if "." in found["number"] else int(found["number"]) * factor


def limit(text: str) -> int | None:
    """Read a number of entries; None for all.

    Args:
        text: the number, or ``all``.

    Raises:
        ConfigurationError: it is something else, or 0.
    """
    if text == "all":
        return None
    number = whole(text)
    if number is None:
        msg = f"--limit must be a whole number of 1 or more, or all, not {text!r}"
        raise ConfigurationError(msg)
    return number


def whole(text: str) -> int | None:
    """Return a whole number of 1 or more; None for any other text, and for one that is longer than any ID or count."""
    return int(text) if _NUMBER.fullmatch(text) else None


def workflow(text: str | None) -> str | int | None:
    """Return a workflow's id as a number; its file's name as it is."""
    return None if text is None else whole(text) or text


def seconds(option: str, given: float | None) -> float | None:
    """Check a number of seconds; None stays None.

    Raises:
        ConfigurationError: it is not a finite number above 0.
    """
    if given is not None and not (math.isfinite(given) and given > 0):
        msg = f"{option} must be a number of seconds above 0, not {given:g}"
        raise ConfigurationError(msg)
    return given
