"""Locations: where they lead is what every parser says, within the policy, and their lifetime is a sane number."""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yarl import URL

from gh_artifacts_async.errors import UnexpectedResponseError, UnsafeRedirectError
from gh_artifacts_async.protocol.redirects import check_target, follow, leads_to_sign_in, signed_url
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import StoragePolicy
from gh_artifacts_async.transport.lane_heads import split_url
from tests.fuzz.inputs import lines, taken
from tests.fuzz.tally import note

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from gh_artifacts_async.results import SignedURL

LONGEST = 2048
NOW = datetime(2026, 10, 9, 12, tzinfo=UTC)
SOURCES = [
    "https://api.github.com/repos/o/r/actions/artifacts/1/zip",
    "https://ghes.example:8443/api/v3/repos/o/r/actions/artifacts/1/zip",
    "http://127.0.0.1:8080/api/v3/repos/o/r/actions/artifacts/1/zip",
]
BASES = [BaseURL.parse(url.partition("/repos")[0]) for url in SOURCES]
POLICIES = [
    StoragePolicy(),
    StoragePolicy(allow_http=True, allowed_hosts=("*.blob.core.windows.net", "ghes.example", "127.0.0.1")),
    StoragePolicy(allow_http=False, allowed_hosts=("[::1]",)),
]
CHOICES = [(source, policy) for source in range(len(SOURCES)) for policy in range(len(POLICIES))]
WORDS: tuple[bytes, ...] = (
    b"https://",
    b"http://",
    b"//",
    b"/",
    b"\\",
    b"@",
    b":",
    b"?",
    b"#",
    b"&se=",
    b"&urlExpires=",
)
WORDS += (b"&sig=s3cret", b"%3A", b"&X-Amz-Date=20261009T120000Z", b"&X-Amz-Expires=60", b"&Expires=1791547200")
WORDS += (b"2026-10-09T12%3A10%3A00Z", b"..", b".blob.core.windows.net", b"[::1]", b"[::ffff:127.0.0.1]")
WORDS += (b"[fe80::1%25eth0]", b"127.0.0.1", b"0x7f.1", b":443", b"/repos/", b"/repositories/", b"%2e%2e", b"%252e")
WORDS += (b"/login", b"return_to=", b"\xe3\x80\x82", b"xn--", b"\xff", b"\nFri, 09 Oct 2026 12:00:00 GMT")
WORDS += (b"ghes.example", b"api.github.com", b"HTTPS:", b"\t", b"%2F", b"9999999999999999")
_DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def seeds() -> list[bytes]:
    """Return what GitHub, GHES and storages answer, and what they should not."""
    date = "Fri, 09 Oct 2026 12:00:00 GMT"
    locations = [
        "https://x0.blob.core.windows.net/actions-results/a/b.zip?rscd=attachment%3B&se=2026-10-09T12%3A10%3A00Z&sig=s3cret%3D",
        "https://pipelines.actions.githubusercontent.com/serviceHosts/x?urlExpires=2026-10-09T12%3A01%3A00.1234567Z&sig=s3cret",
        "https://b.s3.amazonaws.com/k?X-Amz-Date=20261009T120000Z&X-Amz-Expires=300&X-Amz-Signature=s3cret",
        "https://b.s3.amazonaws.com/k?Expires=1791547200&Signature=s3cret",
        "/storage/a.zip?sig=s3cret",
        "//ghes.example/storage/a.zip",
        "?x=1",
        "https://user:pass@ghes.example/a",
        "http://127.0.0.1:9000/a?se=2026-10-09",
        "https://[::1]:9000/a",
        "https://ghes.example:8443/login?return_to=x",
        "https://api.github.com/repos/o/new/actions/artifacts/1/zip",
        "https://api.github.com/repositories/1/actions/../../x",
        "https://ghes.example:8443/api/v3/repositories/1/%2e%2e/x",
        "ftp://x/y",
        "https:/x",
        "",
        "https://a.blob.core.windows.net\\@evil.example/",
    ]
    return [
        bytes([number]) + location.encode() + b"\n" + date.encode()
        for location in locations
        for number in range(0, len(CHOICES), 2)
    ]


def fuzz(data: bytes) -> None:
    """Resolve a Location, check it, and follow it again from storage."""
    (source, policy), rest = taken(data, CHOICES)
    location, date = lines(rest, 2)
    url, base = SOURCES[source], BASES[source]
    headers = {"date": date} if date else {}
    try:
        target = signed_url(Secret(location), url=url, headers=headers, now=lambda: NOW)
    except UnexpectedResponseError as error:
        note("no Location")
        assert location not in str(error) or not location.strip()
        return
    _is_sane(target, location)
    leads_to_sign_in(target.url, base)
    _repository(target.url, base)
    api_is_http = base.origin.scheme == "http"
    _checked(target, POLICIES[policy], api_is_http=api_is_http)
    try:
        again = follow(target, Secret(location), POLICIES[policy], api_is_http=api_is_http, headers=headers)
    except (UnsafeRedirectError, UnexpectedResponseError):
        return
    assert again.url.lower().startswith("https:") or not target.url.lower().startswith("https:")
    _checked(again, POLICIES[policy], api_is_http=api_is_http)


def _is_sane(target: SignedURL, location: str) -> None:
    assert target.expires_at.utcoffset() == timedelta()
    assert 0.0 <= target.lifetime < math.inf
    if "://" in location.strip().partition("?")[0]:
        assert target.url == location.strip()  # byte for byte, since it is signed
    for shown in (repr(target), str(target), f"{target}", target.redacted):
        assert not shown.partition("?***")[2].strip("'\"")[:1] or shown.startswith("SignedURL(")
    assert target.redacted.partition("?")[2] in {"", "***"}


def _checked(target: SignedURL, policy: StoragePolicy, *, api_is_http: bool) -> None:
    """What passes leads to the same host, whether urllib, yarl or a lane reads it, and the policy allows that host."""
    try:
        check_target(target, policy, api_is_http=api_is_http)
    except UnsafeRedirectError as error:
        note("refused")
        assert str(error).isprintable()
        assert "sig=s3cret" not in str(error)
        return
    parts = urlsplit(target.url)
    assert parts.scheme in {"http", "https"}
    assert "@" not in parts.netloc
    port = _port(parts)
    host = (parts.hostname or "").lower()
    assert host
    allow_http = api_is_http if policy.allow_http is None else policy.allow_http
    assert allow_http or parts.scheme == "https"
    if policy.allowed_hosts is not None:
        named = f"[{host}]" if ":" in host else host
        assert any(
            host == it.strip("[]") or named == it or (it.startswith("*.") and host.endswith(it[1:]))
            for it in policy.allowed_hosts
        )
    note("allowed")
    try:
        theirs = URL(target.url, encoded=True)
        found = (theirs.scheme, (theirs.raw_host or "").lower(), theirs.port)
    except ValueError:  # the transport says so
        note("not to yarl")
        return
    assert found == (parts.scheme, host, port) or _same_address(found[1], host)
    lane = split_url(target.url)
    if lane is not None:
        note("by lane")
        origin, path = lane
        assert origin + path == target.url
        again = urlsplit(origin)
        assert (again.scheme, again.hostname, _port(again)) == found
        assert theirs.raw_path_qs == path


def _port(parts: SplitResult) -> int:
    return {"http": 80, "https": 443}[parts.scheme] if parts.port is None else parts.port


def _same_address(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def _repository(url: str, base: BaseURL) -> None:
    """Where the token would go again is a repository of the API, also after dots are resolved."""
    if not base.is_repository_path(url):
        return
    note("repository")
    theirs = URL(url, encoded=True)
    assert (theirs.scheme, (theirs.raw_host or "").lower(), theirs.port) == tuple(base.origin)
    assert theirs.user is None
    assert theirs.raw_path.startswith((f"{base.path}/repos/", f"{base.path}/repositories/"))
    assert not _DOTS.search(theirs.raw_path)
    assert URL(url).path.startswith((f"{base.path}/repos/", f"{base.path}/repositories/"))
