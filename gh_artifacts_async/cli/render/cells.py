"""How wide text is on a terminal, and text that is cut to a width."""

from __future__ import annotations

import functools
import unicodedata

_SHORTEST_WITH_END = 8
"""Of names with so many columns or more the end is shown, too: it often tells one from the next."""

_WIDE = ("W", "F")
_NO_ROOM = ("Mn", "Me")
_JAMO = range(0x1160, 0x1200)
"""Vowels and final consonants of Hangul, which join the syllable before them."""
_EMOJI_STYLE = "\ufe0f"
"""Turns the character before it into an emoji, which newer terminals show two columns wide, and older ones one."""


@functools.cache
def _of_char(char: str) -> int:
    if char == _EMOJI_STYLE:
        return 1  # rather a column too many than a line that is too long
    if unicodedata.category(char) in _NO_ROOM or ord(char) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def width(text: str) -> int:
    """Return how many columns text takes up; it holds nothing that controls a terminal."""
    return len(text) if text.isascii() else sum(map(_of_char, text))


def cut(text: str, columns: int, ellipsis: str = "\u2026") -> str:
    """Return text that takes up no more than so many columns; what is too long loses its end.

    Args:
        text: the text.
        columns: 0 or more.
        ellipsis: stands for what is left out.
    """
    if width(text) <= columns:
        return text
    room = columns - width(ellipsis)
    if room > 0:
        return _head(text, room) + ellipsis
    return _head(text, columns) or (ellipsis if room == 0 else "")


def fitted(text: str, columns: int, ellipsis: str = "\u2026") -> str:
    """Return text that takes up no more than so many columns; what is too long loses its middle.

    Args:
        text: the text.
        columns: 0 or more.
        ellipsis: stands for what is left out.
    """
    end = (columns - width(ellipsis)) // 3
    if columns < _SHORTEST_WITH_END or width(text) <= columns:
        return cut(text, columns, ellipsis)
    return _head(text, columns - width(ellipsis) - end) + ellipsis + _tail(text, end)


def left(text: str, columns: int, ellipsis: str = "\u2026") -> str:
    """Return text in so many columns, at their left."""
    text = fitted(text, columns, ellipsis)
    return text + " " * (columns - width(text))


def right(text: str, columns: int, ellipsis: str = "\u2026") -> str:
    """Return text in so many columns, at their right."""
    text = fitted(text, columns, ellipsis)
    return " " * (columns - width(text)) + text


def _head(text: str, columns: int) -> str:
    """Return as much of the beginning as fits."""
    if text.isascii():
        return text[:columns]
    end = 0
    for char in text:
        columns -= _of_char(char)
        if columns < 0:
            break
        end += 1
    return text[:end]


def _tail(text: str, columns: int) -> str:
    """Return as much of the end as fits, without marks that belong to a character before it."""
    start = len(text)
    for char in reversed(text):
        columns -= _of_char(char)
        if columns < 0:
            break
        start -= 1
    while start < len(text) and (not _of_char(text[start]) or text[start] == _EMOJI_STYLE):
        start += 1
    return text[start:]


def folded(text: str, columns: int) -> list[str]:
    """Return text as lines of no more than so many columns, broken at blanks where there are any.

    Args:
        text: the text.
        columns: how many a line may take up, 2 or more.
    """
    lines = []
    while width(text) > columns:
        line = _head(text, columns)
        blank = line.rfind(" ") if not text[len(line) :].startswith(" ") else len(line)
        line = line[:blank].rstrip() if blank > 0 else line
        lines.append(line)
        text = text[len(line) :].lstrip(" ")
    return [*lines, text]
