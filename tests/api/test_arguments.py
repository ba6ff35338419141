"""Arguments that cannot be right: one clear error, before any request."""

from datetime import UTC, datetime

import pytest

from gh_artifacts_async import ArtifactsClient, ConfigurationError, UnexpectedResponseError
from gh_artifacts_async.testing import FakeGitHub


@pytest.mark.parametrize("name", ["timeouts", "retry", "limits", "storage", "observer"])
def test_settings_of_another_type(name):
    """Every group of settings is checked when the client is made."""
    with pytest.raises(ConfigurationError, match=name):
        ArtifactsClient("token", **{name: 5})


@pytest.mark.parametrize("created", [5, ("x",), (1, 2), (datetime(2026, 1, 1), None), "2026"])  # noqa: DTZ001
def test_a_range_of_times_that_is_none(created):
    """The call itself says so."""
    with pytest.raises(ConfigurationError, match="created"):
        ArtifactsClient("token").list_workflow_runs("o/r", created=created)


def test_a_range_of_times():
    """Either end may be open."""
    ArtifactsClient("token").list_workflow_runs("o/r", created=(datetime(2026, 1, 1, tzinfo=UTC), None))


def test_a_token_in_the_environment_that_no_header_can_carry():
    """It is found when the client is made, not at the first request."""
    with pytest.raises(ConfigurationError, match="token"):
        ArtifactsClient.from_env({"GITHUB_TOKEN": "a\nb"})


@pytest.mark.parametrize("parameter", ["cursor=x", "after=1"])
async def test_a_next_link_that_never_ends(mocked, parameter):
    """Links without a page number that come again end the walk with an error."""
    import re

    url = "https://api.github.com/repositories/1/actions/artifacts"
    answer = {"total_count": 1, "artifacts": []}
    link = {"Link": f'<{url}?{parameter}>; rel="next"'}
    pattern = re.compile(r"https://api\.github\.com/repos.*/actions/artifacts.*")
    mocked.get(pattern, payload=answer, headers=link, repeat=True)
    async with ArtifactsClient() as client:
        with pytest.raises(UnexpectedResponseError, match="read already"):
            [artifact async for artifact in client.list_artifacts("o/r")]


async def test_total_counts_the_fake_itself():
    """The fake's own listing ends."""
    async with FakeGitHub() as github, ArtifactsClient(base_url=github.base_url) as client:
        github.add_run("o/r")
        assert [artifact async for artifact in client.list_artifacts("o/r")] == []
