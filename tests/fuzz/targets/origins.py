"""Base URLs and origins: what is taken for a server's address is the same to urllib, yarl and this package."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from yarl import URL

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.requests import BaseURL, split_origin
from gh_artifacts_async.transport.lane_heads import split_url
from tests.fuzz.inputs import text
from tests.fuzz.tally import note

LONGEST = 1024
PORTS = {"http": 80, "https": 443}
WORDS: tuple[bytes, ...] = (
    b"https://",
    b"HTTP://",
    b"://",
    b"//",
    b"/",
    b"\\",
    b"@",
    b":",
    b"?",
    b"#",
    b"[",
    b"]",
    b"::1",
)
WORDS += (b"%25eth0", b"%", b":0", b":65536", b"api.github.com", b".ghe.com", b"localhost", b"127.0.0.1")
WORDS += (b"0x7f000001", b"2130706433", b"\xe3\x80\x82", b"\xc2\xad", b"\t", b"xn--", b"\xef\xbc\x8f")
WORDS += (b"\xe2\x84\x80", b"..", b"a" * 64, b"/api/v3", b"/api/v1", b"\xff", b"\n", b" ", b"user:pass@")
WORDS += (b"::ffff:",)


def seeds() -> list[bytes]:
    """Return addresses that are right, and those that parsers disagree about."""
    return [
        it.encode()
        for it in (
            *(
                "https://api.github.com",
                "https://ghes.example:8443/api/v3/",
                "http://[::1]:8080",
                "http://127.0.0.1:1/x?y#z",
            ),
            *("github.com", "octo.ghe.com", "ghes.example", "ghes.example:8443", "http://a:b@c", "https://a.b.:443/"),
            *(
                "https://a\\b.example/",
                "https://a/\\b",
                "http://[::ffff:1.2.3.4]/",
                "http://[v1.x]/",
                "https://é.example/",
            ),
            *(
                "http://localhost./",
                "http://a..b/",
                "https://" + "a" * 63 + ".example",
                "HTTPS://API.GITHUB.COM",
                "http://1/",
            ),
            *("https://h/api/v1", "http://h/?", "http://h?x=1", "http://h#x", "http://h:00080/", "http://[::1%25lo]/"),
        )
    ]


def fuzz(data: bytes) -> None:
    """Read a URL as a base URL, as an origin, and as a lane does."""
    url = text(data)
    _base(url)
    found = split_origin(url)
    if found is None:
        note("refused")
    else:
        _same(url, *found[0])
        assert url.endswith(found[1])
        assert split_origin(f"{found[0]}{found[1]}") == found
        _lane(url)


def _base(url: str) -> None:
    try:
        base = BaseURL.parse(url)
    except ConfigurationError as error:
        assert "pass@" not in str(error)
        return
    note("a base URL")
    assert BaseURL.parse(str(base)) == base
    assert base.owns(f"{base}/repos")
    assert base.origin.is_loopback in {True, False}
    assert "@" not in str(base)
    _same(f"{base}/", *base.origin)


def _same(url: str, scheme: str, host: str, port: int) -> None:
    """Urllib and yarl read the same origin; yarl may refuse the host."""
    assert scheme in PORTS
    assert 0 <= port <= 65535
    parts = urlsplit(url)
    assert (parts.scheme, _host(parts.hostname or ""), parts.port if parts.port is not None else PORTS[scheme]) == (
        scheme,
        _host(host),
        port,
    )
    assert parts.username is None
    try:
        theirs = URL(url, encoded=True)
        found = (theirs.scheme, _host(theirs.raw_host or ""), theirs.port)
    except ValueError:
        note("not to yarl")
        return
    note("an origin")
    assert found == (scheme, _host(host), port)


def _host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host.lower()


def _lane(url: str) -> None:
    """What a lane would send is what aiohttp would send."""
    found = split_url(url)
    if found is None:
        return
    note("by lane")
    origin, target = found
    theirs = URL(url, encoded=True)
    assert theirs.raw_path_qs == target
    assert theirs.origin() == URL(origin, encoded=True).origin()
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target
