"""Location -> SignedURL: how long it lives, and where it may lead."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urljoin

from gh_artifacts_async.errors import UnexpectedResponseError, UnsafeRedirectError
from gh_artifacts_async.protocol.requests import split_origin
from gh_artifacts_async.protocol.throttling import http_date, in_utc, whole
from gh_artifacts_async.results import Secret, SignedURL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gh_artifacts_async.protocol.requests import BaseURL
    from gh_artifacts_async.settings import StoragePolicy

DEFAULT_LIFETIME = 60.0
"""Seconds until a URL that states no expiry is taken to expire: GitHub's documented minute."""

_EXPIRIES = re.compile(r"[?&](se|urlExpires|X-Amz-Date|X-Amz-Expires|Expires)=([^&]*)", re.ASCII | re.IGNORECASE)
_MAX_EPOCH = 253_402_300_799


def signed_url(location: Secret, *, url: str, headers: Mapping[str, str], now: Callable[[], datetime]) -> SignedURL:
    """Return a 302's Location as a SignedURL; a relative one is resolved, an absolute one kept byte for byte.

    Args:
        location: the header, hidden.
        url: the URL of the request.
        headers: the response's headers (``Date``: the lifetime is counted on the server's own clock).
        now: the wall clock, asked for a response without ``Date``.

    Raises:
        UnexpectedResponseError: Location is missing, or is not a URL.
    """
    if not location.reveal().strip():
        msg = "the response is a redirect without a Location"
        raise UnexpectedResponseError(msg)
    moment = http_date(headers.get("date")) or now()
    expires_at = _expiry(location, moment)
    lifetime = max(0.0, (expires_at - moment).total_seconds())
    target = _absolute(url, location)
    if target is None:
        msg = "the response is a redirect whose Location is not a URL"
        raise UnexpectedResponseError(msg)
    return SignedURL(target.reveal(), expires_at=expires_at, lifetime=lifetime)


def _absolute(url: str, location: Secret) -> Secret | None:
    """Resolve a relative reference (RFC 3986 section 5); urljoin would rewrite parts of an absolute one."""
    text = location.reveal().strip()
    try:
        return Secret(text if "://" in text.partition("?")[0] else urljoin(url, text))
    except ValueError:  # brackets that hold no address
        return None


def _expiry(location: Secret, moment: datetime) -> datetime:
    """Read it from ``se`` (Azure), ``urlExpires`` (v3 pipelines), ``X-Amz-*`` (S3 v4) or ``Expires`` (S3 v2)."""
    text = location.reveal().partition("#")[0]
    azure = max(text.rfind("?se="), text.rfind("&se="))
    usual = _iso(text[azure + 4 :].partition("&")[0]) if azure >= 0 else None
    if usual is not None:
        return usual
    found = _EXPIRIES.findall(text)
    query = {key.lower(): value for key, value in found}
    stated = _iso(query.get("se")) or _iso(query.get("urlexpires")) or _amazon(query) or _epoch(query.get("expires"))
    return stated or moment + timedelta(seconds=DEFAULT_LIFETIME)


@functools.lru_cache(maxsize=16)
def _iso(text: str | None) -> datetime | None:
    """Read ISO 8601, percent-encoded, with fractions of up to seven digits as .NET writes them.

    Cached: URLs that are signed within a second expire together.
    """
    if not text:
        return None
    text = unquote_plus(text)
    head, dot, tail = text.partition(".")
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]}{tail[len(digits) :]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is UTC else in_utc(moment)


def _amazon(query: Mapping[str, str]) -> datetime | None:
    start, seconds = _iso(query.get("x-amz-date")), whole(unquote_plus(query.get("x-amz-expires", "")))
    if start is None or seconds is None:
        return None
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _epoch(text: str | None) -> datetime | None:
    seconds = whole(unquote_plus(text or ""))
    return None if seconds is None or seconds > _MAX_EPOCH else datetime.fromtimestamp(seconds, UTC)


def leads_to_sign_in(url: str, base: BaseURL) -> bool:
    """Whether a redirect leads to a server's sign-in page, as one in private mode sends it, and not to storage."""
    location, _, query = url.partition("#")[0].partition("?")
    parts = split_origin(location)
    if parts is None or not parts[1].rstrip("/").lower().endswith("/login"):
        return False
    if base.is_hosted:  # GitHub's own API has no such page
        return False
    return parts[0].host == base.origin.host or "return_to=" in query


def check_target(target: SignedURL, policy: StoragePolicy, *, api_is_http: bool) -> None:
    """Refuse a signed URL that must not be used, before anything is sent to it.

    Raises:
        UnsafeRedirectError: the scheme is not http(s), there is userinfo, the policy forbids plain http, or the host is
            not among ``allowed_hosts``.
    """
    parts = split_origin(target.url.partition("?")[0].partition("#")[0])
    if parts is None:
        msg = "storage's URL is not an http(s) URL without userinfo; it was not used"
        raise UnsafeRedirectError(msg)
    origin = parts[0]
    allow_http = api_is_http if policy.allow_http is None else policy.allow_http
    if origin.scheme == "http" and not allow_http:
        msg = f"storage's URL at {origin.host} is plain http; pass StoragePolicy(allow_http=True) to allow it"
        raise UnsafeRedirectError(msg)
    if policy.allowed_hosts is not None and not any(_host_matches(origin.host, p) for p in policy.allowed_hosts):
        msg = f"storage's host {origin.host} is not in StoragePolicy.allowed_hosts"
        raise UnsafeRedirectError(msg)


def _host_matches(host: str, pattern: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]) and len(host) >= len(pattern))


def follow(
    source: SignedURL, location: Secret, policy: StoragePolicy, *, api_is_http: bool, headers: Mapping[str, str]
) -> SignedURL:
    """Follow a redirect of storage itself, under the same policy.

    Raises:
        UnsafeRedirectError: the policy forbids it, or it leads from https to http.
        UnexpectedResponseError: Location is missing, or is not a URL.
    """
    target = signed_url(location, url=source.url, headers=headers, now=lambda: source.expires_at)
    if source.url.lower().startswith("https:") and not target.url.lower().startswith("https:"):
        msg = "storage redirects from https to http; it was not followed"
        raise UnsafeRedirectError(msg)
    check_target(target, policy, api_is_http=api_is_http)
    return target
