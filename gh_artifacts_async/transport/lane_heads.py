"""The heads that a lane writes and reads, in a language so strict that every parser reads them the same way.

What is not in that language is no error here: aiohttp reads it, from its first byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_START = b"HTTP/1.1 "
_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_VALUE = rb"[\t ]*+(?:[!-~]++(?:[\t ]++[!-~]++)*+)?+"  # without white space at its end, which aiohttp 3.14.3 keeps
_LINES = rb"HTTP/1\.1 [1-5][0-9]{2} [\t\x20-\x7e]*+\r\n(?:" + _NAME + rb":" + _VALUE + rb"\r\n)*+"
_HEAD = re.compile(_LINES + rb"\r\n")
_BEGUN = _LINES + rb"(?:" + _NAME + rb"(?::[\t\x20-\x7e]*+)?)?+\r?"  # not compiled: few heads come in pieces
_FIRST_LINE = rb"[\t\x20-\x7e]*+\r?"
_LONGEST_LINE = 8000  # aiohttp's limit is 8190
_MOST_FIELDS = 100  # aiohttp's limit is 128
_MOST_DIGITS = 15
_LISTS = frozenset({"cache-control", "link", "set-cookie", "vary", "via"})
_UNREAD = frozenset(
    {
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "alt-svc",
        "content-security-policy",
        "permissions-policy",
        "referrer-policy",
        "server",
        "strict-transport-security",
        "x-cache",
        "x-content-type-options",
        "x-frame-options",
        "x-served-by",
        "x-xss-protection",
    }
)
"""What reverse proxies add to what is there already, as Caddy its ``Server``; nobody here reads them."""

_MAY_BE_REPEATED = _LISTS | _UNREAD
_CONNECTION = {None: True, "keep-alive": True, "close": False}
_URL = re.compile(r"(https?://(?:[0-9a-z](?:[0-9a-z.\-]*[0-9a-z])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?)(/[!\"$-~]*)")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # as aiohttp has it
_NOT_OURS = frozenset({"connection", "content-length", "cookie", "expect", "host", "transfer-encoding", "upgrade"})


class Head(NamedTuple):
    """The head of a response whose body is so many plain bytes.

    Attributes:
        status: the status code.
        headers: names in lower case; several Link headers as one.
        length: of the body, in bytes.
        keep: the connection may serve another request.
    """

    status: int
    headers: dict[str, str]
    length: int
    keep: bool


def parse_head(data: bytes) -> Head | None:
    """Read a response's head; None if it is not in the strict language.

    Args:
        data: up to and including the empty line.
    """
    if _HEAD.fullmatch(data) is None:
        return None
    text = data.decode("ascii")
    lines = text.split("\r\n")[1:-2]
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if len(lines) > _MOST_FIELDS or (len(data) > _LONGEST_LINE and max(map(len, text.split("\r\n"))) > _LONGEST_LINE):
        return None
    if len(headers) != len(lines) and not _join(headers, lines):
        return None
    length = headers.get("content-length", "")
    keep = _CONNECTION.get(headers["connection"].lower() if "connection" in headers else None)
    plain = (
        length.isdigit()
        and len(length) <= _MOST_DIGITS
        and (length[0] != "0" or length == "0")
        and "transfer-encoding" not in headers
        and "trailer" not in headers
        and "upgrade" not in headers
        and "proxy-connection" not in headers
        and ("content-encoding" not in headers or headers["content-encoding"].lower() == "identity")
    )
    return Head(int(text[9:12]), headers, int(length), keep) if plain and keep is not None else None


def _join(headers: dict[str, str], lines: list[str]) -> bool:
    """Join several Link headers (RFC 9110 section 5.3); False if a header is repeated that should not be."""
    seen: set[str] = set()
    links = []
    for line in lines:
        name, _, value = line.partition(":")
        key = name.lower()
        if key in seen and key not in _MAY_BE_REPEATED:
            return False
        seen.add(key)
        if key == "link":
            links.append(value.strip())
    if links:
        headers["link"] = ", ".join(links)
    return True


def may_become_head(data: bytes) -> bool:
    """Whether the beginning of a response may still become a head of the strict language.

    Another parser may find the end of the head, or an error, where this one would wait for more.
    """
    if b"\n" in data:
        return re.fullmatch(_BEGUN, data) is not None
    return data.startswith(_START[: len(data)]) and re.fullmatch(_FIRST_LINE, data) is not None


def split_url(url: str) -> tuple[str, str] | None:
    """Split a URL into its origin and the request's target, byte-exact; None if aiohttp might send another target."""
    found = _URL.fullmatch(url)
    if found is None:
        return None
    origin, target = found.groups()
    return None if target.find("?") == len(target) - 1 else (origin, target)


def request_fields(headers: Mapping[str, str], defaults: Mapping[str, str]) -> str | None:
    """Return a request's headers as lines; None if there is one that aiohttp has to look at, or to refuse.

    Args:
        headers: to send.
        defaults: to send unless ``headers`` has them.
    """
    lines = []
    names = set()
    for name, value in headers.items():
        lines.append(f"{name}: {value}")
        names.add(name.lower())
    if len(names) != len(headers) or not names.isdisjoint(_NOT_OURS):
        return None
    lines += [f"{name}: {value}" for name, value in defaults.items() if name.lower() not in names]
    if any(map(_FORBIDDEN.search, lines)):
        return None
    return "".join([f"{line}\r\n" for line in lines])
