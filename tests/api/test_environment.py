"""Hosts, tokens and proxies as gh and the runners name them."""

from __future__ import annotations

import pytest

from gh_artifacts_async.api.environment import FromEnvironment, read_environment
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
