"""Row 22: Gitea and Forgejo, whose API resembles GitHub's, are refused by name instead of being listed by half."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async import ArtifactsClient, api, errors, resolve_base_url
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.cli import exits
from gh_artifacts_async.cli.render.sentences import sentence
from tests.kits.api import REPO, TOKEN
from tests.kits.raw import RawServer, answer, artifact

HERE = f"https://git.example/api/v1/repos/{REPO}/actions/artifacts"
TIMES = dict.fromkeys(("created_at", "updated_at", "expires_at"), "2026-01-10T15:59:22+01:00")
GITEA = {
    "id": 41,
    "name": "docs",
    "size_in_bytes": 1520,
    "url": f"{HERE}/41",
    "archive_download_url": f"{HERE}/41/zip",
    "expired": False,
    "workflow_run": {"id": 12, "url": "", "status": "", "repository_id": 3, "head_sha": "22e7"},
    **TIMES,
}
FORGEJO = {
    "id": 41,
    "name": "docs",
    "size_in_bytes": 1520,
    "archive_download_url": f"{HERE}/41/zip",
    "expired": False,
    "run_id": 12,
    **TIMES,
}
CALLS = {
    "list": lambda session: api.list_artifacts_for_repo(session, REPO, per_page=100),
    "run": lambda session: api.list_workflow_run_artifacts(session, REPO, 12, per_page=100),
    "get": lambda session: api.get_artifact(session, REPO, 41),
}


@pytest.mark.parametrize("text", ["https://git.example/api/v1", "https://git.example:3000/gitea/api/v1/"])
def test_row_22_the_address(text):
    """Nothing is sent to their API, which GITHUB_API_URL names in their own workflows."""
    with pytest.raises(
        errors.ConfigurationError, match="belongs to Gitea or Forgejo, which are not supported"
    ) as caught:
        resolve_base_url(environ={"GITHUB_API_URL": text})
    assert exits.exit_code(caught.value) == 2
    assert sentence(caught.value).startswith(f"the API's URL {text.rstrip('/')} belongs")
    with pytest.raises(errors.ConfigurationError, match="Gitea"):
        ArtifactsClient.from_env({"GITHUB_API_URL": text, "GITHUB_TOKEN": TOKEN})


@pytest.mark.parametrize(
    "text", ["https://ghe.example/api/v3", "https://ghe.example/api/v1/github", "https://v1.example"]
)
def test_row_22_other_addresses(text):
    """Any other path is used as it is given."""
    assert resolve_base_url(text) == text


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("item", [GITEA, FORGEJO], ids=["gitea", "forgejo"])
async def test_row_22_behind_another_address(item, call):
    """Behind a proxy that hides the path, the artifacts' own URLs tell: the first 50 of 120 are not a listing."""
    page = {"artifacts": [{**item, "id": number} for number in range(50)], "total_count": 120}
    body = json.dumps({**item, "id": 41} if call == "get" else page)
    reply = answer("200 OK", body, Content_Type="application/json;charset=utf-8")
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        with pytest.raises(
            errors.UnexpectedResponseError, match="is Gitea or Forgejo, which are not supported"
        ) as caught:
            await CALLS[call](session)
        assert len(server.heads) == 1
    assert exits.exit_code(caught.value) == 2


async def test_row_22_a_server_like_github():
    """An artifact without ``node_id`` is listed where its URLs are GitHub's, and one with it wherever they lead."""
    old = artifact(1, node_id=None)
    odd = artifact(2, archive_download_url=f"{HERE}/2/zip")
    body = json.dumps({"total_count": 2, "artifacts": [old, odd]})
    reply = answer("200 OK", body, Content_Type="application/json")
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        found = await api.list_artifacts_for_repo(session, REPO)
    assert [item.id for item in found.artifacts] == [1, 2]


async def test_row_22_the_host_alone():
    """A bare host name leads to ``/api/v3``, where Gitea answers in plain text: that is no missing artifact."""
    reply = answer("404 Not Found", "Not found.\n", Content_Type="text/plain;charset=utf-8")
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=f"{server.url}/api/v3") as session:
        with pytest.raises(errors.UnexpectedResponseError, match=r"Gitea and Forgejo are not supported$") as caught:
            await api.get_artifact(session, REPO, 41)
    assert exits.exit_code(caught.value) == 2
