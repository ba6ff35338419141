"""The operations on repositories, pull requests and retention, against the fake GitHub."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from tests.kits.api import REPO, TOKEN

SET = api.set_artifact_and_log_retention_settings_repository
RETENTION = "actions/permissions/artifact-and-log-retention"


async def test_pages_of_repositories(github, session):
    """An organization's, the newest first, and a user's public ones, by name."""
    for name in ("octo-org/one", "octo-org/two", "octocat/b", "octocat/a"):
        github.add_repository(name)
    github.add_repository("octocat/secret", private=True)
    github.add_user("octocat")
    found = await api.list_repos_for_org(session, "octo-org", per_page=1)
    assert ([str(one.name) for one in found.repositories], found.next_page) == (["octo-org/two"], 2)
    found = await api.list_repos_for_user(session, "octocat")
    assert ([str(one.name) for one in found.repositories], found.next_page) == (["octocat/a", "octocat/b"], None)
    with pytest.raises(errors.NotFoundError):
        await api.list_repos_for_org(session, "octocat")


async def test_a_pull_request(github, session):
    """Its number and the latest commit of its branch."""
    github.add_pull_request(REPO, 7, head_sha="ab" * 20, head_repository="fork-er/octo-docs")
    found = await api.get_pull_request(session, REPO, 7)
    assert (found.number, found.head_sha) == (7, "ab" * 20)
    with pytest.raises(errors.NotFoundError):
        await api.get_pull_request(session, REPO, 8)


async def test_another_pull_request_than_was_asked_for(mocked, public):
    """A response that was meant for another request is refused."""
    mocked.get(f"https://api.github.com/repos/{REPO}/pulls/7", payload={"number": 8, "head": {"sha": "ab"}})
    with pytest.raises(errors.UnexpectedResponseError, match="returned 8 instead"):
        await api.get_pull_request(public, REPO, 7)


@pytest.mark.parametrize("github", ["github.com", "ghes-3.19"], indirect=True)
async def test_retention(github, session):
    """It is read and set; setting it is repeated after a failure, since a PUT is idempotent."""
    github.add_repository(REPO)
    found = await api.get_artifact_and_log_retention_settings_repository(session, REPO)
    assert (found.days, found.maximum_allowed_days) == (90, 90)
    put = "set-artifact-and-log-retention-settings-repository"
    github.faults.status(None, 502, times=1, where="api", endpoint=put)
    await SET(session, REPO, 30)
    assert [record.status for record in github.requests if record.method == "PUT"] == [502, 204]
    assert (await api.get_artifact_and_log_retention_settings_repository(session, REPO)).days == 30
    with pytest.raises(errors.BadRequestError, match="between 1 and 90"):
        await SET(session, REPO, 91)


@pytest.mark.parametrize(
    ("base_url", "says"), [("https://ghe.example/api/v3", True), ("https://api.github.com", False)]
)
async def test_where_there_is_no_such_setting(mocked, base_url, says):
    """An old Enterprise Server is named as the likely cause of a 404; elsewhere it means no access."""
    for method in (mocked.get, mocked.put):
        headers = {"X-GitHub-Request-Id": "A:B"}
        method(f"{base_url}/repos/{REPO}/{RETENTION}", status=404, payload={"message": "Not Found"}, headers=headers)
    async with GitHubSession(TOKEN, base_url=base_url) as session:
        for operation, more in ((api.get_artifact_and_log_retention_settings_repository, ()), (SET, (30,))):
            with pytest.raises(errors.NotFoundError) as caught:
                await operation(session, REPO, *more)
            assert ("since version 3.19" in str(caught.value)) is says
            assert caught.value.request.endswith(RETENTION)
            assert caught.value.request_id == "A:B"


@pytest.mark.parametrize("github", ["ghes-3.18"], indirect=True)
async def test_an_old_enterprise_server(github, session):
    """It has no such path."""
    github.add_repository(REPO)
    with pytest.raises(errors.NotFoundError, match=r"since version 3\.19"):
        await SET(session, REPO, 30)


async def test_setting_needs_a_token(github):
    """Found before a request is sent."""
    async with GitHubSession(base_url=github.base_url) as session:
        with pytest.raises(errors.MissingTokenError):
            await SET(session, REPO, 30)
    assert not github.requests


async def test_the_document_that_is_sent(mocked):
    """The number of days as JSON."""
    mocked.put(f"https://api.github.com/repos/{REPO}/{RETENTION}", status=204)
    async with GitHubSession(TOKEN) as session:
        await SET(session, REPO, 30)
    ((call,),) = mocked.requests.values()
    assert json.loads(call.kwargs["data"]) == {"days": 30}
    assert call.kwargs["headers"]["Content-Type"] == "application/json"
