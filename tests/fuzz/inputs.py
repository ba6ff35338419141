"""From the fuzzer's bytes to what a target wants."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def text(data: bytes) -> str:
    """Decode as aiohttp decodes a header: what is not UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def taken(data: bytes, options: list[T]) -> tuple[T, bytes]:
    """Let the first byte choose one of the options; return the rest as well."""
    return options[data[0] % len(options) if data else 0], data[1:]


def lines(data: bytes, count: int) -> list[str]:
    """Return exactly so many lines of text, the missing ones empty; the last has all that is left."""
    found = [text(line) for line in data.split(b"\n", count - 1)]
    return found + [""] * (count - len(found))
