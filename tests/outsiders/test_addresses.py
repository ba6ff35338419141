"""Rows 14 and 19: servers that are not where the API is, and redirects that leave its repositories."""

from __future__ import annotations

import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.cli import exits
from gh_artifacts_async.protocol.requests import BaseURL
from gh_artifacts_async.settings import RetryPolicy
from tests.kits.api import REPO, TOKEN
from tests.kits.raw import RawServer, answer

QUESTION = "is /api/v3 missing from the address, or is the server in private mode?"
PAGE = "<!DOCTYPE html><html><title>GitHub Enterprise</title></html>"
CALLS = {
    "get": lambda session: api.get_artifact(session, REPO, 7),
    "list": lambda session: api.list_artifacts_for_repo(session, REPO),
    "delete": lambda session: api.delete_artifact(session, REPO, 7),
    "download": lambda session: api.get_download_url(session, REPO, 7),
}


async def refused(reply: bytes, call: str = "get", path: str = "") -> tuple[errors.ArtifactsError, RawServer]:
    """Return the error of a call that is answered so, and the server."""
    async with (
        RawServer(lambda _: reply.replace(b"HOST", server.host.encode())) as server,
        GitHubSession(TOKEN, base_url=server.url + path, retry=RetryPolicy(attempts=3)) as session,
    ):
        with pytest.raises(errors.ArtifactsError) as caught:
            await CALLS[call](session)
    return caught.value, server


REPLIES = {
    "sign-in": answer("302 Found", Location="http://HOST/login?return_to=http%3A%2F%2FHOST%2Frepos%2Fo%2Fr"),
    "relative": answer("302 Found", Location="/login?return_to=%2Frepos"),
    "elsewhere": answer("302 Found", Location="https://sso.example/login?return_to=x"),
    "permanent": answer("301 Moved Permanently", Location="http://HOST/login"),
    "html 404": answer("404 Not Found", PAGE, Content_Type="text/html; charset=utf-8"),
    "unnamed 404": answer("404 Not Found", PAGE),
    "html 200": answer("200 OK", PAGE, Content_Type="text/html"),
    "406": answer("406 Not Acceptable"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("reply", REPLIES)
async def test_row_14_the_question(reply, call):
    """Every call asks whether the address is right; it is tried once, and the command line ends with 2."""
    error, server = await refused(REPLIES[reply], call)
    assert isinstance(error, errors.UnexpectedResponseError)
    assert str(error).endswith(QUESTION)
    assert exits.exit_code(error) == 2
    assert len(server.heads) == 1


async def test_row_14_private_mode():
    """Where /api/v3 is in the address, it is not asked about."""
    error, _ = await refused(REPLIES["sign-in"], path="/api/v3")
    assert str(error).endswith("; is the server in private mode?")
    assert exits.exit_code(error) == 2


async def test_row_14_not_found():
    """A 404 of the API itself is still one."""
    error, _ = await refused(answer("404 Not Found", '{"message": "Not Found"}'))
    assert isinstance(error, errors.NotFoundError)
    assert exits.exit_code(error) == 3


async def test_row_14_storage_may_be_called_login():
    """A signed URL on another host is storage's, whatever its path."""
    reply = answer("302 Found", Location="https://storage.example/a/login?sig=x")
    async with RawServer(reply) as server, GitHubSession(TOKEN, base_url=server.url) as session:
        assert (await api.get_download_url(session, REPO, 7)).host == "storage.example"


@pytest.mark.parametrize(
    "path",
    [
        "/repos/o/r/../../x",
        "/repos/o/r/%2e%2E/../x",
        "/repos/..",
        "/repositories/./../x",
        "/repos/o%2F..%2f../x",
        "/repos/o/%252e%252e/x",
        "/repos/o/..%5C..%5cx",
    ],
)
@pytest.mark.parametrize("call", ["get", "delete"])
async def test_row_19_paths_that_leave_the_repositories(path, call):
    """A redirect with dot segments is not one of a renamed repository: the token is not sent there."""
    error, server = await refused(answer("301 Moved Permanently", Location=f"http://HOST{path}"), call)
    assert isinstance(error, errors.UnsafeRedirectError)
    assert len(server.heads) == 1


@pytest.mark.parametrize("path", ["/repositories/1/a..b", "/repos/o/.github", "/repos/o/r?x=/../", "/repos/o/..."])
def test_row_19_other_dots(path):
    """Names that only contain dots are ordinary."""
    base = BaseURL.parse("https://ghe.example/api/v3")
    assert base.is_repository_path(f"https://ghe.example/api/v3{path}")
