"""Row 13: a 403 or 451 is told as GitHub says it, through a raw server."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import Limits, RetryPolicy
from tests.kits.api import REPO, TOKEN
from tests.kits.raw import RawServer, answer

SSO = "https://github.com/orgs/octo-org/sso?authorization_request=AZSCKQ"
JSON = {"Content_Type": "application/json; charset=utf-8"}
ONCE = RetryPolicy(attempts=1)


async def denied(reply: bytes, kind: type[errors.APIError] = errors.PermissionDeniedError) -> errors.APIError:
    """Return the error of a request that is answered so."""
    async with (
        RawServer(reply) as server,
        GitHubSession(TOKEN, base_url=server.url, retry=ONCE, limits=Limits(max_pause=0)) as session,
    ):
        with pytest.raises(kind) as caught:
            await api.get_artifact(session, REPO, 7)
    assert len(server.heads) == 1
    return caught.value


def said(status: str, message: str, **more: object) -> bytes:
    """Return a JSON error."""
    return answer(status, json.dumps({"message": message, **more}), **JSON)


@pytest.mark.parametrize("header", [f"required; url={SSO}", f'required;url="{SSO}"', f"Required; x=1; URL={SSO}"])
async def test_row_13_saml(header):
    """The page where the token is authorized is an attribute and in the message; no permission is missing."""
    message = "Resource protected by organization SAML enforcement. You must grant your OAuth token access."
    reply = answer(
        "403 Forbidden",
        json.dumps({"message": message}),
        X_GitHub_SSO=header,
        X_Accepted_GitHub_Permissions="actions=read",
    )
    error = await denied(reply)
    assert error.sso_url == SSO
    assert SSO in str(error)
    assert message in str(error)
    assert "permission" not in str(error)
    assert "the token needs" not in str(error)


@pytest.mark.parametrize("header", ["partial-results; organizations=1,2", "required; url=javascript:x", "required", ""])
async def test_row_13_saml_without_a_url(header):
    """What names no page has no ``sso_url``."""
    reply = answer("403 Forbidden", '{"message": "SAML enforcement"}', X_GitHub_SSO=header)
    assert (await denied(reply)).sso_url is None


@pytest.mark.parametrize(
    "message",
    [
        "the `octo-org` organization has an IP allow list enabled, and your IP address is not permitted to access this",
        "`octo-org` forbids access via a personal access token (classic).",
        "The 'octo-org' organization forbids access via a fine-grained token if its lifetime exceeds a year.",
        "the `octo-org` organization has enabled OAuth App access restrictions",
        "Sorry. Your account was suspended.",
        "This installation has been suspended",
        "Must have admin rights to Repository.",
    ],
)
@pytest.mark.parametrize("named", [False, True])
async def test_row_13_as_it_is(message, named):
    """Other reasons are quoted, and no permission is blamed, although GitHub names some with every answer."""
    more = {"X_Accepted_GitHub_Permissions": "actions=read"} if named and "admin" not in message else {}
    error = await denied(answer("403 Forbidden", json.dumps({"message": message}), **JSON, **more))
    assert str(error) == f"GET /repos/{REPO}/actions/artifacts/7: 403 {message}"


async def test_row_13_a_missing_permission():
    """Where GitHub says "not accessible", or names what it accepts, the hint says so."""
    error = await denied(said("403 Forbidden", "Resource not accessible by personal access token"))
    assert str(error).endswith(": the token lacks a permission")
    reply = answer("403 Forbidden", '{"message":"no"}', X_Accepted_GitHub_Permissions="actions=read; contents=read")
    assert str(await denied(reply)).endswith(": the token needs actions=read or contents=read")


@pytest.mark.parametrize("status", ["451 Unavailable For Legal Reasons", "403 Forbidden"])
async def test_row_13_a_blocked_repository(status):
    """The reason and the page about it are in the message, for 451 and 403 alike."""
    block = {"reason": "dmca", "created_at": "2020-01-01T00:00:00Z", "html_url": "https://github.com/github/dmca"}
    error = await denied(said(status, "Repository access blocked", block=block))
    assert error.status == int(status[:3])
    assert "Repository access blocked" in str(error)
    assert "'dmca', see https://github.com/github/dmca" in str(error)
    assert "permission" not in str(error)


@pytest.mark.parametrize("block", [{}, {"reason": 7, "html_url": "javascript:x"}, [], "dmca", None])
async def test_row_13_a_strange_block(block):
    """A block of another shape does no harm."""
    error = await denied(said("451 Unavailable", "Repository access blocked", block=block))
    assert "Repository access blocked" in str(error)
    assert "javascript" not in str(error)


async def test_row_13_whoa_there():
    """GitHub's HTML page about too many requests is a rate limit, in the page's own words."""
    page = (
        "<!DOCTYPE html><html><head><title>Rate limit &middot; GitHub</title><style>p {}</style></head><body>"
        "<h1>Whoa there!</h1><p>You have exceeded a secondary rate limit.<br>Please wait a few minutes.</p></html>"
    )
    error = await denied(answer("403 Forbidden", page, Content_Type="text/html"), errors.SecondaryRateLimitError)
    assert "Whoa there! You have exceeded a secondary rate limit. Please wait a few minutes: " in str(error)
    assert "permission" not in str(error)
    assert "<" not in str(error)
    bare = await denied(answer("403 Forbidden", "<h1>Whoa there!</h1>", Content_Type="text/html"))
    assert str(bare).endswith("403 Whoa there!")


async def test_row_13_another_page():
    """A firewall's page is told apart from GitHub's answers; a notice in plain text is quoted."""
    error = await denied(answer("403 Forbidden", "<html><p>Blocked by policy", Content_Type="text/html"))
    assert "is a proxy or firewall in the way?" in str(error)
    plain = await denied(answer("403 Forbidden", "\r\nRequest forbidden by administrative rules.", **JSON))
    assert str(plain).endswith("403 Request forbidden by administrative rules.")
