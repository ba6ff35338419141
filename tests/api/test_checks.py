"""Settings that cannot be right are refused before anything is sent."""

from __future__ import annotations

import importlib.metadata
import ssl
import warnings

import aiohttp
import pytest
import trustme

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.api.checks import checked_proxy, default_user_agent, header_value, tls_context
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError


@pytest.mark.parametrize(
    "proxy", ["http://p", "http://p:3128/", "https://p", "http://u:p@p:3128", "http://u@x:p@p:3128"]
)
def test_proxies(proxy):
    """An http(s) URL, with or without a password."""
    assert checked_proxy(proxy) == proxy


@pytest.mark.parametrize("proxy", ["", "p:3128", "socks5://p", "http://", "http://u:pa55@", "http://u:pa55@p:99999"])
def test_what_is_no_proxy(proxy):
    """The password is not shown."""
    with pytest.raises(ConfigurationError, match="proxy must be") as caught:
        GitHubSession(proxy=proxy)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a\r\nb", "é", None, 5])
@pytest.mark.parametrize("name", ["user_agent", "api_version"])
def test_header_values(name, value):
    """They must be printable ASCII."""
    if (name, value) == ("user_agent", None):
        return
    with pytest.raises(ConfigurationError, match=name):
        GitHubSession(**{name: value})
    assert header_value(name, "x y") == "x y"


def test_the_user_agent_names_package_and_version(monkeypatch):
    """GitHub asks for one; a tree that is not installed has version 0."""
    assert default_user_agent() == f"gh-artifacts-async/{importlib.metadata.version('gh-artifacts-async')}"

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert default_user_agent() == "gh-artifacts-async/0"


def test_tls(tmp_path):
    """A file of certificates is trusted besides the system's; it and a context of one's own exclude each other."""
    assert tls_context(None, None) is None
    context = ssl.create_default_context()
    assert tls_context(None, context) is context
    pem = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(pem))
    made = tls_context(pem, None)
    assert made is not None
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    with pytest.raises(ConfigurationError, match="not both"):
        tls_context(pem, context)


def test_a_ca_file_that_is_none(tmp_path):
    """Missing, or without a certificate."""
    with pytest.raises(ConfigurationError, match="No such file"):
        tls_context(tmp_path / "absent.pem", None)
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        tls_context(tmp_path / "empty.pem", None)


@pytest.mark.parametrize(
    "settings",
    [
        {"ca_file": "x.pem"},
        {"ssl_context": ssl.create_default_context()},
        {"proxy": "http://p"},
        {"trust_env": True},
        {"proxy": "http://p", "trust_env": True},
    ],
)
async def test_network_settings_belong_to_an_owned_session(settings):
    """With a borrowed one they would do nothing."""
    async with aiohttp.ClientSession() as borrowed:
        with pytest.raises(ConfigurationError, match=" and |, ".join(settings)):
            GitHubSession(session=borrowed, **settings)
        GitHubSession(session=borrowed, allow_http=True)


async def test_a_borrowed_session_must_not_carry_auth():
    """It would go to storage, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # aiohttp wants to be rid of it
        made = aiohttp.ClientSession(auth=aiohttp.BasicAuth("u", "p"))
    async with made as borrowed:
        with pytest.raises(ConfigurationError, match="carries auth"):
            GitHubSession(session=borrowed)


def test_a_token_over_http_needs_permission():
    """A token crosses no network in the clear."""
    with pytest.raises(ConfigurationError, match="unencrypted"):
        GitHubSession("t", base_url="http://ghe.example/api/v3")
    GitHubSession("t", base_url="http://ghe.example/api/v3", allow_http=True)
    GitHubSession(base_url="http://ghe.example/api/v3")
    GitHubSession("t", base_url="http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["timeouts", "retry", "limits", "storage", "observer"])
def test_settings_of_another_type(name):
    """Every group of settings is checked when the client is constructed."""
    with pytest.raises(ConfigurationError, match=name):
        ArtifactsClient("token", **{name: 5})


def test_a_token_in_the_environment_with_a_newline():
    """It is found when the client is constructed, not by the first request."""
    with pytest.raises(ConfigurationError, match="token"):
        ArtifactsClient.from_env({"GITHUB_TOKEN": "a\nb"})
