"""Settings that cannot be right are refused before anything is sent."""

from __future__ import annotations

import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.api.checks import header_value
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError


@pytest.mark.parametrize("value", ["", "a\r\nb", "é", None, 5])
@pytest.mark.parametrize("name", ["user_agent", "api_version"])
def test_header_values(name, value):
    """They must be printable ASCII."""
    if (name, value) == ("user_agent", None):
        return
    with pytest.raises(ConfigurationError, match=name):
        GitHubSession(**{name: value})
    assert header_value(name, "x y") == "x y"


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
