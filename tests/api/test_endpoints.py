"""Each operation, against mocked answers and against the fake GitHub."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from yarl import URL

from gh_artifacts_async import api, errors
from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol.responses import Nothing
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import ARTIFACT, HERE, ONCE, QUICK, REPO, TOKEN, Source, page

STORAGE = "https://productionresultssa7.blob.core.windows.net/a%2Fb/c.zip?se=2099-01-01T00%3A00%3A00Z&sig=x%2By"

# --- mocked


async def test_list_artifacts_for_repo(mocked, public):
    """One page, with what GitHub says of the next."""
    link = f'<{HERE}/artifacts?page=3>; rel="next"'
    mocked.get(f"{HERE}/artifacts?name=Rails&per_page=2&page=2", payload=page(7, 8, total=9), headers={"Link": link})
    found = await api.list_artifacts_for_repo(public, REPO, name="Rails", per_page=2, page=2)
    assert found.total_count == 9
    assert [artifact.id for artifact in found.artifacts] == [7, 8]
    assert found.next_page == 3
    assert found.artifacts[0].repository == RepositoryName("octo-org", "octo-docs")


async def test_list_workflow_run_artifacts(mocked, public):
    """GitHub's defaults are its own: 30 a page, its direction."""
    mocked.get(f"{HERE}/runs/9/artifacts?per_page=30&page=1", payload=page())
    mocked.get(f"{HERE}/runs/9/artifacts?per_page=30&page=1&direction=asc&name=x", payload=page(1))
    assert (await api.list_workflow_run_artifacts(public, REPO, 9)).artifacts == ()
    assert (await api.list_workflow_run_artifacts(public, REPO, 9, direction="asc", name="x")).total_count == 1


async def test_get_artifact(mocked, public):
    """By its id; the repository may be given as a RepositoryName."""
    mocked.get(f"{HERE}/artifacts/7", payload=ARTIFACT)
    found = await api.get_artifact(public, RepositoryName("octo-org", "octo-docs"), 7)
    assert found.name == "Rails"
    assert found.created_at == datetime(2026, 1, 10, 14, 59, 22, tzinfo=UTC)


async def test_delete_artifact(mocked, public):
    """204 and nothing else."""
    mocked.delete(f"{HERE}/artifacts/7", status=204)
    assert await api.delete_artifact(public, REPO, 7) is None


async def test_get_download_url(mocked, public):
    """The Location, byte for byte; it is not followed."""
    mocked.get(f"{HERE}/artifacts/7/zip", status=302, headers={"Location": STORAGE})
    found = await api.get_download_url(public, REPO, 7)
    assert found.url == STORAGE
    assert found.expires_at == datetime(2099, 1, 1, tzinfo=UTC)
    assert len(mocked.requests) == 1


async def test_workflow_runs(mocked, public):
    """A run and a page of runs."""
    run = {"id": 9, "name": "CI", "event": "push"}
    listing = {"total_count": 1, "workflow_runs": [run]}
    mocked.get(f"{HERE}/runs/9?exclude_pull_requests=true", payload=run)
    mocked.get(f"{HERE}/runs?per_page=30&page=1&exclude_pull_requests=true", payload=listing)
    url = f"{HERE}/workflows/ci.yml/runs?per_page=5&page=2&exclude_pull_requests=true&created=>=2026&branch=main"
    mocked.get(URL(url), payload=listing)
    assert (await api.get_workflow_run(public, REPO, 9)).event == "push"
    assert (await api.list_workflow_runs(public, REPO)).runs[0].name == "CI"
    found = await api.list_workflow_runs(
        public, REPO, workflow="ci.yml", filters=(("branch", "main"),), created=">=2026", per_page=5, page=2
    )
    assert found.total_count == 1
    assert found.next_page is None


async def test_what_is_sent(mocked, public):
    """GitHub's headers on every request, the token among them; aiohttp is to follow nothing and to raise nothing."""
    mocked.get(f"{HERE}/artifacts/7", payload=ARTIFACT)
    await api.get_artifact(public, REPO, 7)
    ((call,),) = mocked.requests.values()
    sent = call.kwargs
    assert sent["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert sent["headers"]["Accept"] == "application/vnd.github+json"
    assert sent["headers"]["X-GitHub-Api-Version"] == "2022-11-28"
    assert re.fullmatch(r"gh-artifacts-async/\d.*", sent["headers"]["User-Agent"])
    assert sent["allow_redirects"] is False
    assert sent["raise_for_status"] is False
    assert sent["timeout"].total is None
    assert not public.transport._api.headers


async def test_headers_of_ones_own(mocked):
    """API version and user agent can be set; without a token there is no Authorization."""
    mocked.get(f"{HERE}/artifacts/7", payload=ARTIFACT)
    async with GitHubSession(api_version="2026-03-10", user_agent="mine/1") as session:
        await api.get_artifact(session, REPO, 7)
    ((call,),) = mocked.requests.values()
    assert call.kwargs["headers"] == {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2026-03-10",
        "User-Agent": "mine/1",
        "Accept-Encoding": "gzip",
    }


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (304, None, errors.APIError),
        (400, {"message": "Problems parsing JSON"}, errors.BadRequestError),
        (401, {"message": "Bad credentials"}, errors.AuthenticationError),
        (403, {"message": "Resource not accessible by integration"}, errors.PermissionDeniedError),
        (404, {"message": "Not Found"}, errors.NotFoundError),
        (410, {"message": "Gone"}, errors.APIError),
        (415, None, errors.APIError),
        (
            422,
            {"message": "Validation Failed", "errors": [{"field": "page", "code": "invalid"}]},
            errors.BadRequestError,
        ),
        (500, {"message": "Server Error"}, errors.ServerError),
        (502, None, errors.ServerError),
        (200, {"id": "7"}, errors.ResponseShapeError),
        (200, None, errors.UnexpectedResponseError),
    ],
)
@pytest.mark.parametrize("operation", ["get_artifact", "get_workflow_run", "list_workflow_run_artifacts"])
async def test_each_status_is_an_error_of_ours(mocked, operation, status, payload, kind):
    """Whatever the operation."""
    mocked.get(re.compile(".*"), status=status, payload=payload, body="" if payload is None else None)
    async with GitHubSession(TOKEN, retry=ONCE) as session:
        with pytest.raises(errors.ArtifactsError) as caught:
            await getattr(api, operation)(session, REPO, 7)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("repo", "number"), [("octo-org", 7), ("a/b/c", 7), (5, 7), (REPO, 0), (REPO, "7"), (REPO, True), (REPO, None)]
)
@pytest.mark.parametrize("operation", ["get_artifact", "delete_artifact", "get_download_url", "get_workflow_run"])
async def test_wrong_arguments_cause_no_request(mocked, public, operation, repo, number):
    """Found by the call itself."""
    with pytest.raises(errors.ConfigurationError):
        await getattr(api, operation)(public, repo, number)
    assert not mocked.requests


@pytest.mark.parametrize("operation", ["delete_artifact", "get_download_url"])
async def test_what_needs_a_token_causes_no_request_without_one(mocked, operation):
    """GitHub does not download or delete for anyone."""
    async with GitHubSession() as session:
        with pytest.raises(errors.ConfigurationError, match="needs a token"):
            await getattr(api, operation)(session, REPO, 7)
    assert not mocked.requests


@pytest.mark.parametrize(
    ("operation", "message"),
    [("get_download_url", "did not return a redirect"), ("get_artifact", "did not return JSON")],
)
async def test_a_result_of_another_kind(operation, message):
    """A sender that returns anything else than what the operation needs is refused."""

    class Sender:
        async def send(self, _request):
            return Nothing()

    with pytest.raises(errors.UnexpectedResponseError, match=message):
        await getattr(endpoints, operation)(Sender(), REPO, 7)


async def test_attempts_jobs_and_workflows(github, session):
    """Those of a run that ran twice."""
    run = github.add_run(REPO, jobs=("build", "test"), pull_requests=[7], actor="mona")
    run = github.update_run(run, attempt=2, conclusion="failure")
    first = await api.get_workflow_run_attempt(session, REPO, run.id, 1)
    assert (first.run_attempt, first.conclusion, first.actor, first.pull_requests) == (1, "success", "mona", ())
    second = await api.get_workflow_run_attempt(session, REPO, run.id, 2, pull_requests=True)
    assert (second.conclusion, second.pull_requests, second.is_fork) == ("failure", (7,), False)
    jobs = await api.list_jobs_for_workflow_run(session, REPO, run.id)
    assert [(job.name, job.run_attempt, job.run_id) for job in jobs.jobs] == [("build", 2, run.id), ("test", 2, run.id)]
    assert (await api.list_jobs_for_workflow_run(session, REPO, run.id, attempts="all")).total_count == 4
    workflows = await api.list_repo_workflows(session, REPO)
    assert [(one.id, one.path) for one in workflows.workflows] == [(run.workflow_id, ".github/workflows/ci.yml")]
    listed = await api.list_workflow_runs(session, REPO, pull_requests=True)
    assert listed.runs[0].pull_requests == (7,)


async def test_another_attempt_or_runs_jobs_than_were_asked_for(mocked, public):
    """A response that was meant for another request is refused."""
    mocked.get(f"{HERE}/runs/9/attempts/1?exclude_pull_requests=true", payload={"id": 9, "run_attempt": 2})
    with pytest.raises(errors.UnexpectedResponseError, match="returned attempt 2"):
        await api.get_workflow_run_attempt(public, REPO, 9, 1)
    jobs = {"total_count": 1, "jobs": [{"id": 1, "run_id": 10}]}
    mocked.get(f"{HERE}/runs/9/jobs?per_page=30&page=1&filter=latest", payload=jobs)
    with pytest.raises(errors.UnexpectedResponseError, match="jobs of run 10"):
        await api.list_jobs_for_workflow_run(public, REPO, 9)


# --- the 500 of an artifact whose bytes are gone


@pytest.mark.parametrize(("expired", "known"), [(True, None), (True, True)])
async def test_a_500_of_an_expired_artifact_is_no_server_error(github, run, session, expired, known):
    """GitHub has answered "Failed to generate URL" for them; the artifact itself is asked, once, or is known."""
    artifact = github.add_artifact(run, "Rails", expired=expired)
    github.faults.expired_500(artifact, times=None)
    with pytest.raises(errors.ArtifactExpiredError) as caught:
        await api.get_download_url(session, REPO, artifact, known_expired=known)
    assert caught.value.status == 500
    assert caught.value.request_id
    assert len(github.requests) == (1 if known else 2)


async def test_a_500_of_an_artifact_that_is_there_is_tried_again(github, run, session):
    """It was GitHub's own trouble."""
    artifact = github.add_artifact(run, "Rails")
    github.faults.expired_500(artifact, times=2)
    assert (await api.get_download_url(session, REPO, artifact)).url.startswith(github.storage_url)
    assert [record.endpoint.rpartition("/")[2] for record in github.requests] == [
        "download-artifact",
        "get-artifact",
        "download-artifact",
        "download-artifact",
    ]


async def test_a_500_that_does_not_end(github, run):
    """Stays a server error, for what is known to be there, and for any other message."""
    artifact = github.add_artifact(run, "Rails")
    github.faults.status(artifact, 500, times=None, where="api", endpoint="download-artifact")
    async with GitHubSession(TOKEN, base_url=github.base_url, retry=ONCE) as session:
        for known in (None, False):
            with pytest.raises(errors.ServerError):
                await api.get_download_url(session, REPO, artifact, known_expired=known)


# --- the fake


@pytest.mark.parametrize("github", [{}, {"profile": "ghes-3.4"}, {"profile": "ghes-3.19"}], indirect=True)
async def test_all_operations(github, run, session):
    """The five operations and their neighbours, on github.com and on Enterprise Server."""
    first = github.add_artifact(run, "Rails", files={"a.txt": b"a"})
    second = github.add_artifact(run, "Test output")
    listed = await api.list_artifacts_for_repo(session, REPO)
    assert {artifact.id for artifact in listed.artifacts} == {first, second}
    of_run = await api.list_workflow_run_artifacts(session, REPO, run.id, per_page=1)
    assert (of_run.total_count, len(of_run.artifacts), of_run.next_page) == (2, 1, 2)
    one = await api.get_artifact(session, REPO, first)
    assert (one.name, one.run_id, one.workflow_run.head_branch) == ("Rails", run.id, "main")
    assert (one.digest is not None) is (github.scenario.profile.name == "github.com")
    signed = await api.get_download_url(session, REPO, first)
    assert signed.url.startswith(github.storage_url)
    assert signed.lifetime >= 60
    assert (await api.get_workflow_run(session, REPO, run.id)).head_branch == "main"
    assert [found.id for found in (await api.list_workflow_runs(session, REPO, workflow="ci.yml")).runs] == [run.id]
    await api.delete_artifact(session, REPO, second)
    with pytest.raises(errors.NotFoundError):
        await api.delete_artifact(session, REPO, second)
    assert all(record.headers["Authorization"] == f"Bearer {TOKEN}" for record in github.requests)
    assert not github.requests_to("storage")


async def test_the_fakes_refusals(github, run):
    """Expired artifacts, private repositories, tokens without a scope or that are wrong."""
    github.tokens = {TOKEN, "weak"}
    github.scopeless_tokens = {"weak"}
    artifact = github.add_artifact(run, "Rails", expired=True)
    github.add_repository("octo-org/secret", private=True)
    base = github.base_url
    async with (
        GitHubSession(TOKEN, base_url=base) as good,
        GitHubSession("weak", base_url=base) as weak,
        GitHubSession("wrong", base_url=base) as wrong,
        GitHubSession(base_url=base) as nobody,
    ):
        assert (await api.get_artifact(good, REPO, artifact)).expired
        with pytest.raises(errors.ArtifactExpiredError, match="410"):
            await api.get_download_url(good, REPO, artifact)
        with pytest.raises(errors.PermissionDeniedError, match="actions scope"):
            await api.get_download_url(weak, REPO, artifact)
        with pytest.raises(errors.PermissionDeniedError, match="admin rights"):
            await api.delete_artifact(weak, REPO, artifact)
        with pytest.raises(errors.AuthenticationError, match="Bad credentials"):
            await api.get_artifact(wrong, REPO, artifact)
        assert (await api.list_artifacts_for_repo(nobody, REPO)).total_count == 1
        with pytest.raises(errors.NotFoundError):
            await api.list_artifacts_for_repo(nobody, "octo-org/secret")
        github.faults.forbidden(artifact, permissions="actions=read")
        with pytest.raises(errors.PermissionDeniedError, match="the token needs actions=read") as caught:
            await api.get_artifact(good, REPO, artifact)
    assert caught.value.accepted_permissions == "actions=read"


@pytest.mark.github_com("versions")
async def test_an_unknown_api_version(github, run):
    """400, and GitHub says which it knows."""
    async with GitHubSession(TOKEN, base_url=github.base_url, api_version="1999-01-01") as session:
        with pytest.raises(errors.BadRequestError, match="2022-11-28"):
            await api.get_workflow_run(session, REPO, run.id)


async def test_html_for_json(github, run, session):
    """A proxy that asks for a login is not taken for GitHub, by a delete neither."""
    artifact = github.add_artifact(run, "Rails")
    github.faults.html(artifact, times=None)
    for operation in (api.get_artifact, api.delete_artifact, api.get_download_url):
        with pytest.raises(errors.UnexpectedResponseError, match=r"text/html|redirect to storage"):
            await operation(session, REPO, artifact)


async def test_rate_limit_headers(github, run, session):
    """The session knows the limit as of the last answer that told it."""
    assert session.rate_limit is None
    github.set_rate_limit(limit=5000, remaining=10)
    await api.get_workflow_run(session, REPO, run.id)
    assert (session.rate_limit.limit, session.rate_limit.remaining) == (5000, 9)
    github.rate_limits_enabled = False
    await api.get_workflow_run(session, REPO, run.id)
    assert session.rate_limit.remaining == 9


async def test_a_link_header_in_two_lines(github, session):
    """A proxy may split a list over two fields of one name (RFC 9110 section 5.3)."""
    body = b'{"total_count": 60, "artifacts": []}'
    first = f'Link: <{github.base_url}/repositories/1/actions/artifacts?page=2>; rel="next"'
    second = f'Link: <{github.base_url}/repositories/1/actions/artifacts?page=2>; rel="last"'
    head = f"HTTP/1.1 200 OK\r\n{first}\r\n{second}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    github.faults.garbage(None, data=head.encode() + body, where="api")
    found = await api.list_artifacts_for_repo(session, REPO)
    assert found.next_page == 2


# --- tokens


async def test_a_401_asks_for_another_token_once(github, run):
    """invalidate(), then token() once more; then the 401 is the caller's."""
    github.tokens = {TOKEN}
    source = Source("old", TOKEN)
    async with GitHubSession(source, base_url=github.base_url, limits=QUICK) as session:
        await api.get_workflow_run(session, REPO, run.id)
        assert source.calls == ["bind", "token", "invalidate old", "token"]
        assert source.sender is session
        await api.get_workflow_run(session, REPO, run.id)
        assert source.calls[4:] == ["token"]
        github.tokens = {"other"}
        with pytest.raises(errors.AuthenticationError):
            await api.get_workflow_run(session, REPO, run.id)
        assert source.calls[5:] == ["token", f"invalidate {TOKEN}", "token"]


async def test_a_token_that_no_header_carries(github, run):
    """A source's token is checked as any other; nothing is sent."""
    async with GitHubSession(Source("a\nb"), base_url=github.base_url) as session:
        with pytest.raises(errors.ConfigurationError, match="not allowed in an HTTP header"):
            await api.get_workflow_run(session, REPO, run.id)
    assert not github.requests


async def test_a_source_may_ask_github_itself(github, run):
    """Even where a single call is let through at a time: the token is asked for outside the gate."""

    class Asking(Source):
        async def token(self):
            if not self.calls.count("token"):
                self.calls.append("token")
                await api.get_workflow_run(self.sender, REPO, run.id)
            return TOKEN

    from gh_artifacts_async.settings import Limits

    limits = Limits(api_concurrency=1)
    async with GitHubSession(Asking(), base_url=github.base_url, limits=limits) as session:
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id
    assert len(github.requests) == 2


# --- renamed repositories


async def test_a_renamed_repository_is_followed(github, run, session):
    """By GET, DELETE and download, with the token and the query."""
    first, second = github.add_artifact(run, "a"), github.add_artifact(run, "b")
    github.rename_repo(REPO, "octo-org/new")
    assert (await api.get_artifact(session, REPO, first)).id == first
    assert len((await api.list_artifacts_for_repo(session, REPO, per_page=1)).artifacts) == 1
    assert (await api.get_download_url(session, REPO, first)).url.startswith(github.storage_url)
    await api.delete_artifact(session, REPO, second)
    assert second not in github.scenario.artifacts
    assert all(record.headers["Authorization"] == f"Bearer {TOKEN}" for record in github.requests)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_that_go_in_circles_end(github, session, status):
    """After three moves."""
    location = f"{github.base_url}/repositories/1/actions/artifacts/1"
    github.faults.status(None, status, times=None, headers={"Location": location}, where="api")
    with pytest.raises(errors.UnexpectedResponseError, match="more than 3 times"):
        await api.get_artifact(session, REPO, 1)
    assert len(github.requests) == 4


async def test_a_redirect_to_another_server_is_not_followed(github, session):
    """Not one request arrives there."""
    async with FakeGitHub() as other:
        location = f"{other.base_url}/repositories/1/actions/artifacts/1"
        github.faults.status(None, 301, times=None, headers={"Location": location}, where="api")
        for operation in (api.get_artifact, api.delete_artifact, api.get_download_url):
            with pytest.raises(errors.UnsafeRedirectError):
                await operation(session, REPO, 1)
        assert not other.requests
