"""Hosts, tokens and proxies as gh and the runners name them."""

from __future__ import annotations

import pytest

from gh_artifacts_async.api.environment import FromEnvironment, proxy_for, read_environment
from gh_artifacts_async.errors import ConfigurationError

ALL = {"GH_TOKEN": "1", "GITHUB_TOKEN": "2", "GH_ENTERPRISE_TOKEN": "3", "GITHUB_ENTERPRISE_TOKEN": "4"}
GHES = "https://ghe.example/api/v3"


@pytest.mark.parametrize(
    ("environ", "base_url", "names"),
    [
        ({}, "https://api.github.com", ()),
        (ALL, "https://api.github.com", ("GH_TOKEN", "GITHUB_TOKEN")),
        ({"GITHUB_TOKEN": "2"}, "https://api.github.com", ("GITHUB_TOKEN",)),
        ({"GH_TOKEN": "", "GITHUB_TOKEN": "2"}, "https://api.github.com", ("GITHUB_TOKEN",)),
        ({"GH_ENTERPRISE_TOKEN": "3"}, "https://api.github.com", ()),
        ({**ALL, "GH_HOST": "github.com"}, "https://api.github.com", ("GH_TOKEN", "GITHUB_TOKEN")),
        ({**ALL, "GH_HOST": "octo.ghe.com"}, "https://api.octo.ghe.com", ("GH_TOKEN", "GITHUB_TOKEN")),
        ({**ALL, "GH_HOST": "ghe.example"}, GHES, ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")),
        ({"GH_TOKEN": "1", "GITHUB_TOKEN": "2", "GH_HOST": "ghe.example"}, GHES, ()),
        (
            {**ALL, "GH_HOST": "ghe.example", "GITHUB_SERVER_URL": "https://ghe.example"},
            GHES,
            ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN"),
        ),
        ({"GITHUB_TOKEN": "2", "GITHUB_API_URL": GHES}, GHES, ("GITHUB_TOKEN",)),
        ({"GH_TOKEN": "1", "GITHUB_API_URL": GHES}, GHES, ()),
        ({"GITHUB_TOKEN": "2", "GH_HOST": "ghe.example", "GITHUB_SERVER_URL": "https://github.com"}, GHES, ()),
        ({"GITHUB_TOKEN": "2", "GH_HOST": "ghe.example", "GITHUB_SERVER_URL": "https://ghe.example.evil"}, GHES, ()),
        ({"GITHUB_TOKEN": "2", "GH_HOST": "ghe.example", "GITHUB_SERVER_URL": "http://["}, GHES, ()),
        (
            {"GITHUB_TOKEN": "2", "GH_HOST": "ghe.example", "GITHUB_API_URL": "https://api.github.com"},
            "https://api.github.com",
            ("GITHUB_TOKEN",),
        ),
        ({"GITHUB_TOKEN": "2", "GH_HOST": "evilghe.com"}, "https://evilghe.com/api/v3", ()),
        ({"GITHUB_TOKEN": "2", "GH_HOST": "github.com.evil.example"}, "https://github.com.evil.example/api/v3", ()),
    ],
)
def test_ghs_order(environ, base_url, names):
    """GITHUB_TOKEN is github.com's; another host gets it only where the runner's own variables name that host."""
    assert read_environment(environ) == FromEnvironment(base_url=base_url, token_names=names)


def test_a_given_address_takes_the_environments_place():
    """The token is then chosen for that one."""
    found = read_environment({**ALL, "GH_HOST": "github.com"}, GHES)
    assert found == FromEnvironment(base_url=GHES, token_names=("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"))


@pytest.mark.parametrize(
    "environ", [{"GH_HOST": "https://github.com"}, {"GITHUB_API_URL": "github com"}, {"GH_HOST": "a b"}]
)
def test_addresses_that_are_none(environ):
    """A wrong variable is named as what it is."""
    with pytest.raises(ConfigurationError):
        read_environment(environ)


@pytest.fixture
def proxies(monkeypatch):
    """An environment without proxies, to set some in."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://api.github.com/x", None),
        ({"https_proxy": "http://p:3128"}, "https://api.github.com/x?sig=1", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://api.github.com/x", "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "http://api.github.com/x", None),
        ({"http_proxy": "http://u:pw@p:3128"}, "http://h:8080/x", "http://u:pw@p:3128"),
        ({"all_proxy": "http://p:3128"}, "https://h/x", "http://p:3128"),
        ({"all_proxy": "http://all", "https_proxy": "http://p"}, "https://h/x", "http://p"),
        ({"https_proxy": "p:3128"}, "https://h/x", "http://p:3128"),
        ({"https_proxy": ""}, "https://h/x", None),
        ({"https_proxy": "http://p", "no_proxy": "*"}, "https://h/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": "example"}, "https://h.example/x", None),
        ({"https_proxy": "http://p", "no_proxy": ".example"}, "https://h.example:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example:8443"}, "https://h.example:8443/x", None),
        ({"https_proxy": "http://p", "no_proxy": "h.example:8443"}, "https://h.example/x", "http://p"),
        ({"https_proxy": "http://p", "no_proxy": "other"}, "https://h.example/x", "http://p"),
        ({"http_proxy": "http://p", "no_proxy": "127.0.0.1"}, "http://127.0.0.1:4711/x", None),
    ],
)
def test_proxies_of_the_environment(proxies, environ, url, proxy):
    """HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case of letters."""
    for name, value in environ.items():
        proxies(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize("value", ["socks5://u:pa55@p:1080", "http://", "http://u:pa55@p:x"])
def test_a_proxy_that_is_none(proxies, value):
    """A SOCKS proxy would be taken for an HTTP one; its password is not shown."""
    proxies("https_proxy", value)
    with pytest.raises(ConfigurationError, match="the environment's https proxy") as caught:
        proxy_for("https://h/x")
    assert "pa55" not in str(caught.value)
