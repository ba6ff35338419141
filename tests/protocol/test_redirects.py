"""A Location becomes a signed URL: its life, its bytes, and where it may lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from gh_artifacts_async.errors import UnexpectedResponseError, UnsafeRedirectError
from gh_artifacts_async.protocol.redirects import check_target, follow, signed_url
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import StoragePolicy
from tests.kits.protocol import BASE, DATE, DOWNLOAD, NOW, headers, values

HERE = BASE.url(DOWNLOAD)
AZURE = (
    "https://productionresultssa7.blob.core.windows.net/actions-results/1/a.zip?rscd=attachment%3B+filename%3D%22Rails.zip%22"
    "&rsct=application%2Fzip&se=2026-07-09T12%3A57%3A49Z&sig=s3cr3t%2B%2F%3D&ske=2026-07-10T00%3A00%3A00Z&skt=x&sp=r"
    "&spr=https&sr=b&st=2026-07-09T12%3A47%3A44Z&sv=2025-11-05"
)
PIPELINES = (
    "https://pipelines.actions.githubusercontent.com/t0k/_apis/pipelines/1/runs/9/signedartifactscontent?artifactName=Rails"
    "&urlExpires=2026-07-09T12%3A48%3A44.8988433Z&urlSigningMethod=HMACV2&urlSignature=s3cr3t"
)


def _sign(location, given_headers=None, now=NOW):
    return signed_url(
        Secret(location), url=HERE, headers={"date": DATE} if given_headers is None else given_headers, now=lambda: now
    )


def _storage(query):
    return f"https://storage.example/a.zip?{query}&sig=s3cr3t"


@pytest.mark.parametrize(
    ("location", "lifetime"),
    [
        (AZURE, 605),
        (PIPELINES, 60.898843),
        (_storage("urlExpires=2026-07-09T12:47:54.1Z"), 10.1),
        (_storage("urlExpires=2026-07-09T14:47:54%2B02:00"), 10),
        (_storage("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260709T124744Z&X-Amz-Expires=300"), 300),
        (_storage("x-amz-date=20260709T124734Z&x-amz-expires=300"), 290),
        (_storage(f"AWSAccessKeyId=k&Expires={int(NOW.timestamp()) + 120}&Signature=x"), 120),
        (_storage("se=2026-07-09T12:40:00Z"), 0),
        (_storage("se=2026-07-09"), 0),
        (_storage("a=b"), 60),
        (_storage("se="), 60),
        (_storage("se=soon"), 60),
        (_storage("se=0001-01-01T00:00:00%2B10:00"), 60),
        (_storage("se=9999-12-31T23:59:59-10:00"), 60),
        (_storage("Expires=soon"), 60),
        (_storage("Expires=" + "9" * 18), 60),
        (_storage("X-Amz-Date=20260709T124744Z"), 60),
        (_storage("X-Amz-Expires=300"), 60),
        (_storage("X-Amz-Date=20260709T124744Z&X-Amz-Expires=-1"), 60),
        (_storage("X-Amz-Date=20260709T124744Z&X-Amz-Expires=" + "9" * 18), 60),
        (_storage("se=soon&urlExpires=2026-07-09T12:47:54Z"), 10),
        ("https://storage.example/a.zip", 60),
        ("https://storage.example/a.zip#?se=2026-07-09T12:47:54Z", 60),
    ],
)
def test_lifetimes(location, lifetime):
    """Each storage says in its own way when the URL ends; what says nothing lives for GitHub's minute."""
    signed = _sign(location)
    assert signed.lifetime == pytest.approx(lifetime)
    if lifetime:
        assert signed.expires_at == NOW + timedelta(seconds=lifetime)


def test_the_life_is_counted_on_the_servers_clock():
    """A wrong clock here does not make a URL old: ``Date`` is compared with ``se``, both from there."""
    wrong = NOW + timedelta(hours=3)
    assert _sign(AZURE, {"date": DATE}, now=wrong).lifetime == 605
    assert _sign(AZURE, {}, now=wrong).lifetime == 0
    assert _sign(_storage("a=b"), {}, now=wrong).expires_at == wrong + timedelta(minutes=1)


@pytest.mark.parametrize(
    "location", [AZURE, PIPELINES, "https://h/%2f%2F/%7e~/a+b?x=%3a:&y=a%20b+c#f", "HTTPS://H:443/a/../b?q"]
)
def test_an_absolute_location_stays_byte_for_byte(location):
    """A signature covers the bytes as they are."""
    assert _sign(location).url == location
    assert _sign(f" {location} ").url == location


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/_services/pipelines/x?y=%2F", "https://api.github.com/_services/pipelines/x?y=%2F"),
        ("//storage.example/a.zip?z", "https://storage.example/a.zip?z"),
        ("zip2", "https://api.github.com/repos/octo-org/octo-docs/actions/artifacts/7/zip2"),
        ("?u=https://h/", f"{HERE}?u=https://h/"),
    ],
)
def test_a_relative_location_is_resolved(location, url):
    """RFC 3986 section 5."""
    assert _sign(location).url == url


@pytest.mark.parametrize("location", ["", "  ", "//["])
def test_a_location_that_is_none(location):
    """A redirect without a place to go to is an error, not a crash."""
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        _sign(location)


@pytest.mark.parametrize("location", [AZURE, PIPELINES])
def test_only_the_path_is_shown(location):
    """No repr, str or format shows any of the query."""
    signed = _sign(location)
    for text in (repr(signed), str(signed), f"{signed}", f"{signed:>300}", signed.redacted, signed.host):
        assert "s3cr3t" not in text
        assert "sig" not in text.partition("?")[2].lower()
    assert signed.redacted.endswith("?***")


@given(values, headers)
def test_no_location_breaks_it(location, given_headers):
    """Whatever the header holds, the outcome is a signed URL with a life, or a clean error."""
    try:
        signed = _sign(location, given_headers)
    except UnexpectedResponseError:
        return
    assert signed.lifetime >= 0
    assert signed.expires_at.tzinfo is UTC or signed.expires_at.utcoffset() == timedelta(0)
    repr(signed)


# --- the policy

ANY = StoragePolicy()
LISTED = StoragePolicy(allowed_hosts=("blobs.example", "*.Core.Windows.net"))


def _target(url):
    return signed_url(Secret(url), url=HERE, headers={}, now=lambda: NOW)


@pytest.mark.parametrize(
    ("url", "policy", "api_is_http", "allowed"),
    [
        ("https://anything.example/a?b", ANY, False, True),
        ("https://anything.example:8443/a?b", ANY, False, True),
        ("https://10.0.0.5/a", ANY, False, True),
        ("https://[fd00::5]:9000/a", ANY, False, True),
        ("https://h/a?x=b c\\d@e", ANY, False, True),
        ("https://h?x", ANY, False, True),
        ("https://h#@evil", ANY, False, True),
        ("http://h/a", ANY, False, False),
        ("http://h/a", ANY, True, True),
        ("http://h/a", StoragePolicy(allow_http=True), False, True),
        ("http://h/a", StoragePolicy(allow_http=False), True, False),
        ("https://h/a", StoragePolicy(allow_http=False), True, True),
        ("ftp://h/a", StoragePolicy(allow_http=True), True, False),
        ("file:///etc/passwd", ANY, True, False),
        ("javascript://h/%0aalert(1)", ANY, True, False),
        ("https://user@h/a", ANY, False, False),
        ("https://user:pw@h/a", ANY, False, False),
        ("https://h\\@evil/a", ANY, False, False),
        ("https:///a", ANY, False, False),
        ("https://h:70000/a", ANY, False, False),
        ("https://a..b/a", ANY, False, False),
        ("https://b\u00fccher.example/a", ANY, False, False),
        ("https://evil.example\uff0f.core.windows.net/a", LISTED, False, False),
        ("https://evil.example\x9b[31m.core.windows.net/a", LISTED, False, False),
        ("https://evil.example\udcff.core.windows.net/a", LISTED, False, False),
        ("https://evil.example%2f.core.windows.net/a", LISTED, False, False),
        ("https://h&sig=pw/a", LISTED, False, False),
        ("https://my_storage:9000/a", ANY, False, True),
        ("https://blobs.example/a", LISTED, False, True),
        ("https://BLOBS.example:444/a", LISTED, False, True),
        ("https://sa7.blob.core.windows.net/a", LISTED, False, True),
        ("https://core.windows.net/a", LISTED, False, False),
        ("https://.core.windows.net/a", LISTED, False, False),
        ("https://evilcore.windows.net/a", LISTED, False, False),
        ("https://x.blobs.example/a", LISTED, False, False),
        ("https://blobs.example.evil.example/a", LISTED, False, False),
        ("https://h/a", StoragePolicy(allowed_hosts=()), False, False),
    ],
)
def test_where_a_signed_url_may_lead(url, policy, api_is_http, allowed):
    """Scheme, userinfo and host are checked before anything is sent."""
    if allowed:
        check_target(_target(url), policy, api_is_http=api_is_http)
        return
    with pytest.raises(UnsafeRedirectError) as caught:
        check_target(_target(url), policy, api_is_http=api_is_http)
    assert "pw" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("source", "location", "policy", "outcome"),
    [
        ("https://h/a?sig=1", "https://other/b?sig=2", ANY, "https://other/b?sig=2"),
        ("https://h/a?sig=1", "/b?sig=2", ANY, "https://h/b?sig=2"),
        ("http://h/a", "https://h/b", ANY, "https://h/b"),
        ("http://h/a", "http://h/b", StoragePolicy(allow_http=True), "http://h/b"),
        ("https://h/a", "http://h/b", StoragePolicy(allow_http=True), "https to http"),
        ("HTTPS://h/a", "http://h/b", StoragePolicy(allow_http=True), "https to http"),
        ("https://h/a", "ftp://h/b", ANY, "https to http"),
        ("https://h/a", "https://u@h/b", ANY, "userinfo"),
        ("https://h/a", "https://h/b", StoragePolicy(allowed_hosts=("x.example",)), "allowed_hosts"),
        ("https://h/a", "", ANY, "without a Location"),
    ],
)
def test_redirects_of_storage_itself(source, location, policy, outcome):
    """They keep to the same policy, and never lead from https to http."""

    def go():
        return follow(_target(source), Secret(location), policy, api_is_http=False, headers={})

    if outcome.startswith(("http:", "https:")):
        assert go().url == outcome
        return
    with pytest.raises((UnsafeRedirectError, UnexpectedResponseError), match=outcome):
        go()


def test_a_redirected_url_has_its_own_life():
    """``se`` of the new one counts."""
    moved = follow(_target("https://h/a"), Secret(AZURE), ANY, api_is_http=False, headers={"date": DATE})
    assert moved.expires_at == datetime(2026, 7, 9, 12, 57, 49, tzinfo=UTC)
