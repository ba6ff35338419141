"""Where the API is, and which URLs are its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.protocol.base_url import BaseURL, base_url_for_host, check_base_url, split_origin
from tests.kits.protocol import BASE, GHES


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.github.com", "https://api.github.com"),
        ("https://api.github.com/", "https://api.github.com"),
        ("https://api.github.com:443", "https://api.github.com"),
        ("HTTPS://API.GitHub.com", "https://api.github.com"),
        ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
        ("https://ghe.example:8443/api/v3", "https://ghe.example:8443/api/v3"),
        ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
        ("http://[::1]:4711/api/v3", "http://[::1]:4711/api/v3"),
        ("http://localhost:80", "http://localhost"),
        ("https://ghe.example.", "https://ghe.example."),
        ("github.com", "https://api.github.com"),
        ("GitHub.com", "https://api.github.com"),
        ("api.github.com", "https://api.github.com"),
        ("octo.ghe.com", "https://api.octo.ghe.com"),
        ("api.octo.ghe.com", "https://api.octo.ghe.com"),
        ("ghe.example", "https://ghe.example/api/v3"),
        ("ghe.example:8443", "https://ghe.example:8443/api/v3"),
        ("notgithub.com", "https://notgithub.com/api/v3"),
        ("ghe.com", "https://ghe.com/api/v3"),
    ],
)
def test_base_urls(text, url):
    """A URL is taken as given, less a trailing slash; a bare host name is mapped to its API."""
    assert str(BaseURL.parse(text)) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        7,
        "ftp://ghe.example",
        "file:///etc/passwd",
        "https://",
        "https:///api/v3",
        "//ghe.example",
        "ghe.example/api/v3",
        "ghe example",
        "https://ghe example",
        "https://ghe.example/a b",
        "https://ghe.example\\@evil.example",
        "https://ghe.example/a\\b",
        "https://ghe.example/?x=1",
        "https://ghe.example#x",
        "https://ghe.example:",
        "https://ghe.example:x",
        "https://ghe.example:70000",
        "https://ghe.example:123456",
        "https://[::1",
        "https://[::::]",
        "https://[127.0.0.1]",
        "https://[gh]",
        "https://a..b",
        "https://.a",
        "https://" + "a" * 64,
        "a..b",
        "https://ghe.example\n",
        "https://ghe.example/\x00",
        "-ghe.example",
    ],
)
def test_what_is_no_base_url(text):
    """Anything that two parsers could read differently is refused before a token is near it."""
    with pytest.raises(ConfigurationError):
        BaseURL.parse(text)


@pytest.mark.parametrize(
    "text", ["https://user:pa55@ghe.example", "https://pa55@ghe.example/", "https://h/?t=pa55", "pa55@h"]
)
def test_a_refused_base_url_does_not_show_its_secrets(text):
    """What stands in userinfo or query may be a password."""
    with pytest.raises(ConfigurationError) as caught:
        BaseURL.parse(text)
    assert "pa55" not in str(caught.value)


def test_a_bare_host_must_be_one():
    """The mapping takes names only."""
    with pytest.raises(ConfigurationError, match="is not a host name"):
        base_url_for_host("https://github.com")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost", True),
        ("http://api.github.localhost", True),
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://0x7f.1", False),
        ("http://[fe80::1]", False),
    ],
)
def test_a_token_crosses_no_network_in_the_clear(url, loopback):
    """Http with a token needs this machine, or the caller's word for it."""
    base = BaseURL.parse(url)
    assert base.origin.is_loopback is loopback
    check_base_url(base, has_token=False, allow_http=False)
    check_base_url(base, has_token=True, allow_http=True)
    if loopback:
        check_base_url(base, has_token=True, allow_http=False)
    else:
        with pytest.raises(ConfigurationError, match="unencrypted"):
            check_base_url(base, has_token=True, allow_http=False)


def test_https_needs_no_permission():
    """The ordinary case passes."""
    check_base_url(BASE, has_token=True, allow_http=False)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://api.github.com/x?page=2", True),
        ("https://API.github.com:443/x", True),
        ("http://api.github.com/x", False),
        ("https://api.github.com:444/x", False),
        ("https://api.github.com.evil.example/x", False),
        ("https://u@api.github.com/x", False),
        ("https://api.github.com@evil.example/x", False),
        ("https://api.github.com\\@evil.example/x", False),
        ("//api.github.com/x", False),
        ("/x", False),
        ("", False),
    ],
)
def test_which_urls_are_the_apis_own(url, owned):
    """Scheme, host and port must be equal, and nothing odd may be about the URL."""
    assert BASE.owns(url) is owned


@pytest.mark.parametrize(
    ("url", "renamed"),
    [
        ("https://ghe.example/api/v3/repositories/1/actions/artifacts", True),
        ("https://ghe.example/api/v3/repos/new/name/actions/artifacts", True),
        ("https://ghe.example/_services/pipelines/x", False),
        ("https://ghe.example/repositories/1", False),
        ("https://other.example/api/v3/repositories/1", False),
        ("https://ghe.example/api/v3/user", False),
    ],
)
def test_which_urls_are_repositories_of_this_api(url, renamed):
    """Only these are followed with the token."""
    assert GHES.is_repository_path(url) is renamed


@given(st.text(max_size=40))
def test_no_text_breaks_the_splitting(text):
    """Whatever it is, it is split or refused, and what is split can be put together again."""
    for url in (text, f"https://{text}", f"https://h/{text}"):
        parts = split_origin(url)
        if parts is not None:
            assert split_origin(f"{parts[0]}{parts[1]}") == parts


@given(st.text(max_size=30))
def test_no_text_breaks_the_base_url(text):
    """A base URL is one, or a ConfigurationError; what is one stays the same when read again."""
    try:
        base = BaseURL.parse(text)
    except ConfigurationError:
        return
    assert BaseURL.parse(str(base)) == base
