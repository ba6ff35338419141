"""Hosts, tokens and proxies as gh and the runners name them."""

from __future__ import annotations

import pytest

from gh_artifacts_async.api.environment import FromEnvironment, read_environment, resolve_base_url, token_variables
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


@pytest.mark.parametrize(
    ("host", "environ", "found"),
    [
        (None, {}, "https://api.github.com"),
        (None, {"GH_HOST": "ghe.example"}, GHES),
        (None, {"GH_HOST": "ghe.example", "GITHUB_API_URL": "http://127.0.0.1:1/"}, "http://127.0.0.1:1"),
        ("github.com", {"GH_HOST": "ghe.example"}, "https://api.github.com"),
        ("octo.ghe.com", {}, "https://api.octo.ghe.com"),
        ("https://ghe.example/api/v3/", {}, GHES),
    ],
)
def test_the_base_url_that_a_client_would_use(host, environ, found):
    """A host name is mapped, a URL is kept, and without either the environment decides."""
    assert resolve_base_url(host, environ) == found


@pytest.mark.parametrize("host", ["", "no host", "ftp://ghe.example"])
def test_what_is_no_host(host):
    """An empty name is not the environment's host."""
    with pytest.raises(ConfigurationError):
        resolve_base_url(host, {})


def test_which_variables_count_for_a_host(monkeypatch):
    """Set or not; a token of github.com is not one of another host unless the runner names that host."""
    assert token_variables("github.com", {}) == ("GH_TOKEN", "GITHUB_TOKEN")
    assert token_variables(GHES, {}) == ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://ghe.example")
    assert token_variables(GHES)[-1] == "GITHUB_TOKEN"
