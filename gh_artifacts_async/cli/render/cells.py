"""Text in the cells of a terminal, where a character takes up none, one or two of them."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

_SHORTEST_ENDS = 8
"""Of names with at least so many cells the end is shown, too: it often tells one from the next."""


def width(text: str) -> int:
    """Return how many cells a text takes up."""
    return len(text) if text.isascii() else cell_len(text)


def fitted(text: str, columns: int, ellipsis: str = "…") -> str:
    """Return a text that takes up at most so many cells; one that is too long loses its middle.

    Args:
        text: escaped, see :func:`.text.escaped`.
        columns: 0 or more.
        ellipsis: stands for what is left out.
    """
    if width(text) <= columns:
        return text
    room = columns - width(ellipsis)
    if room < 0:
        return _head(text, columns)
    end = room // 3 if columns >= _SHORTEST_ENDS else 0
    return _head(text, room - end) + ellipsis + _tail(text, end)


def left(text: str, columns: int, ellipsis: str = "…") -> str:
    """Return a text in so many cells, at their left."""
    text = fitted(text, columns, ellipsis)
    return text + " " * (columns - width(text))


def right(text: str, columns: int, ellipsis: str = "…") -> str:
    """Return a text in so many cells, at their right."""
    text = fitted(text, columns, ellipsis)
    return " " * (columns - width(text)) + text


def _head(text: str, columns: int) -> str:
    """Return the first characters; a wide one that would stand across the edge is left out."""
    return set_cell_size(text, columns).rstrip(" ") if columns > 0 else ""


def _tail(text: str, columns: int) -> str:
    taken = len(text)
    while taken and width(text[taken - 1 :]) <= columns:
        taken -= 1
    return text[taken:]
