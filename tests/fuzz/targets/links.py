"""Link headers: nothing leads away from the API's origin, and other parsers see the same links."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientResponse
from multidict import CIMultiDict
from yarl import URL

from gh_artifacts_async.protocol.links import page_links, page_number, parse_link
from gh_artifacts_async.protocol.requests import BaseURL
from tests.fuzz.inputs import taken, text
from tests.fuzz.tally import note

LONGEST = 2048
BASES = [
    BaseURL.parse(url)
    for url in (
        "https://api.github.com",
        "https://ghes.example:8443/api/v3",
        "http://[::1]:8080/api/v3",
        "http://localhost",
    )
]
WORDS: tuple[bytes, ...] = (
    b'; rel="next"',
    b"; rel=next",
    b"rel=",
    b'"',
    b"\\",
    b"<",
    b">",
    b",",
    b";",
    b"page=",
    b"&",
    b"?",
    b"#",
)
WORDS += (b"%70", b"//", b"@", b"https://", b"http://", b"api.github.com", b":443", b"ghes.example:8443", b"[::1]")
WORDS += (b"..", b"\xe2\x80\xa8", b"\xc2\xa0", b"\xef\xbc\x8f", b"\xff", b"title*=UTF-8''x", b'rel="prev next"')
WORDS += (b"localhost",)

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PLAIN_LINK = rf"<[!#-;=?-~]*>(?:[ \t]*;[ \t]*{_TOKEN}(?:=(?:{_TOKEN}|\"[ !#-\[\]-~]*\"))?)*"
_PLAIN = re.compile(rf"{_PLAIN_LINK}(?:[ \t]*,[ \t]*{_PLAIN_LINK})*")
"""Link headers as RFC 8288 section 3 has them, without quoted pairs."""


def seeds() -> list[bytes]:
    """Return GitHub's headers and odd ones, each for some of the bases."""
    page = "https://api.github.com/repositories/1/actions/artifacts?per_page=100&page="
    headers = [
        f'<{page}2>; rel="next", <{page}9>; rel="last"',
        f'<{page}1>; rel="prev", <{page}3>; rel="next", <{page}9>; rel="last", <{page}1>; rel="first"',
        f"<{page}2>;rel=next",
        f'<{page}2>; title="a, <b>; rel=next"; rel="last next"',
        '</repositories/1?page=2>; rel="next"',
        '<?page=2>; rel="next"',
        '<//evil.example/?page=2>; rel="next"',
        '<https://api.github.com@evil.example/?page=2>; rel="next"',
        '<https://api.github.com:443/?page=2>; rel="NEXT"',
        '<https://ghes.example:8443/api/v3/x?page=3>; rel="next"',
        '<http://[::1]:8080/api/v3/x?a=1&page=3#page=4>; rel="next"',
        '<http://localhost/x?page=%33&page=+4>; rel="next"',
        '<x>; rel="a\\"b"',
        ", ,<x>;rel=next;rel=last,",
    ]
    return [bytes([number]) + header.encode() for header in headers for number in range(len(BASES))]


def fuzz(data: bytes) -> None:
    """Read a header as that of a page of each API."""
    base, header = taken(data, BASES)
    value = text(header)
    links = parse_link(value)
    for rel, target in links.items():
        assert rel
        assert rel == rel.lower()
        assert rel.split() == [rel]
        assert "<" not in target
        assert ">" not in target
    assert parse_link(_written(links)) == links
    _same_page_numbers(links.values())
    _stays(value, base)
    if _PLAIN.fullmatch(value):
        note("plain")
        assert links == _by_rfc(value)
        _same_to_aiohttp(value, links)


def _written(links: dict[str, str]) -> str:
    return ", ".join(
        "<{}>; rel={}".format(target, '"' + rel.replace("\\", "\\\\").replace('"', '\\"') + '"')
        for rel, target in links.items()
    )


def _same_page_numbers(targets: Any) -> None:
    for target in targets:
        found = page_number(target)
        values = parse_qs(target.partition("#")[0].partition("?")[2]).get("page", [])
        last = values[-1].strip() if values else ""
        expected = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
        assert found == expected, target


def _stays(value: str, base: BaseURL) -> None:
    """The next page is on the API's origin, whoever reads its URL; or why not is said without a secret."""
    url = f"{base}/repos/o/r/actions/artifacts?per_page=100&secret=s3cret"
    found = page_links(value, base=base, url=url)
    assert found.stated == bool(value)
    if found.next_url is not None:
        note("next")
        assert found.foreign is None
        parts = urlsplit(found.next_url)
        port = {"http": 80, "https": 443}[parts.scheme] if parts.port is None else parts.port
        assert (parts.scheme, parts.hostname, port) == tuple(base.origin)
        assert "@" not in parts.netloc
        other = URL(found.next_url, encoded=True)
        assert (other.scheme, (other.raw_host or "").lower(), other.port) == tuple(base.origin)
        assert other.user is None
        assert other.password is None
    elif found.foreign is not None:
        note("foreign")
        assert found.foreign.isprintable()
        assert len(found.foreign) < 700
        assert "s3cret" not in found.foreign
    for number in (found.next_page, found.previous_page):
        assert number is None or 0 <= number < 10**18


def _by_rfc(value: str) -> dict[str, str]:
    """The algorithm of RFC 8288 appendix B.2, for headers that are well formed."""
    links: dict[str, str] = {}
    rest = value
    while rest := rest.lstrip(" \t,"):
        assert rest[0] == "<"
        target, _, rest = rest[1:].partition(">")
        rels: list[str] | None = None
        while (rest := rest.lstrip(" \t")).startswith(";"):
            match = re.match(rf"[ \t]*({_TOKEN})(=?)", rest[1:])
            assert match
            rest, parameter = rest[1 + match.end() :], ""
            if match[2] and rest.startswith('"'):
                parameter, _, rest = rest[1:].partition('"')
            elif match[2]:
                at = re.match(_TOKEN, rest)
                assert at
                parameter, rest = at[0], rest[at.end() :]
            if match[1].lower() == "rel" and not rels:
                rels = parameter.lower().split()
        for rel in rels or []:
            links.setdefault(rel, target)
    return links


def _same_to_aiohttp(value: str, links: dict[str, str]) -> None:
    """aiohttp, where its simpler reading can be right: one rel a link, none of them twice, nothing in quotes but it."""
    if not re.fullmatch(r'(?:<[^<>,;]*>; rel="[a-z]+"(?:, |$))+', value):
        return
    fake = SimpleNamespace(headers=CIMultiDict(Link=value), url=URL("https://api.github.com/"))
    try:
        theirs = ClientResponse.__dict__["links"].wrapped(fake)
    except (ValueError, IndexError):
        return  # yarl does not take such a URL; IndexError is a fault of its own, for "//[::1]:@?"
    note("as aiohttp")
    assert set(theirs) == set(links)
