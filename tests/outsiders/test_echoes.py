"""Row 20: what a server echoes, or a user types into an address, is not repeated if it is a secret."""

from __future__ import annotations

import json

import pytest

from gh_artifacts_async import RetryPolicy, api, errors, resolve_base_url
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.cli import repo
from tests.kits.api import REPO, TOKEN, check_silent
from tests.kits.raw import RawServer, answer

LONG = "x" * (300 - len(TOKEN) // 2)
ESCAPED = "".join(f"\\u{ord(char):04x}" for char in TOKEN)
REPLIES = {
    "message": answer("401 Unauthorized", json.dumps({"message": f"Bad token {TOKEN}"})),
    "cut": answer("403 Forbidden", json.dumps({"message": LONG + TOKEN})),
    "escaped": answer("422 Unprocessable", f'{{"message": "bad {ESCAPED}", "errors": ["{ESCAPED}"]}}'),
    "documentation": answer("404 Not Found", json.dumps({"message": "x", "documentation_url": f"https://x/{TOKEN}"})),
    "request id": answer("500 Oops", "{}", X_GitHub_Request_Id=TOKEN),
    "permissions": answer("403 Forbidden", "{}", X_Accepted_GitHub_Permissions=TOKEN),
    "sso": answer("403 Forbidden", "{}", X_GitHub_SSO=f"required; url=https://x/{TOKEN}"),
    "type": answer("200 OK", "x", Content_Type=f"text/{TOKEN}"),
    "text": answer("403 Forbidden", f"no entry for {TOKEN}"),
    "location": answer("301 Moved", Location=f"https://{TOKEN}.example/"),
}


@pytest.mark.parametrize("reply", REPLIES)
async def test_row_20_an_echoed_token(reply):
    """Stars stand for it, in messages and attributes, also where a message is cut in the middle of it."""
    async with (
        RawServer(REPLIES[reply]) as server,
        GitHubSession(TOKEN, base_url=server.url, retry=RetryPolicy(attempts=1)) as session,
    ):
        with pytest.raises(errors.ArtifactsError) as caught:
            await api.get_artifact(session, REPO, 7)
    check_silent(caught.value)
    said = f"{caught.value} {vars(caught.value)}".lower()
    assert TOKEN[: len(TOKEN) // 2].lower() not in said


@pytest.mark.parametrize(
    "url", ["https://user:pa55@ghe.example", "user:pa55@ghe.example", "ftp://u:pa55@h", "u:pa55@h/x"]
)
def test_row_20_an_address_with_a_password(url):
    """``--api-url``, GITHUB_API_URL and GH_HOST with userinfo are refused without being shown."""
    for environ in ({"GH_HOST": url}, {"GITHUB_API_URL": url}):
        with pytest.raises(errors.ConfigurationError) as caught:
            resolve_base_url(None, environ)
        assert "pa55" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError) as caught:
        repo.resolve(f"{url.replace('://', ':')}/o/r", None, api_url=url, environ={})
    assert "pa55" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError) as caught:
        GitHubSession(base_url=url)
    assert "pa55" not in str(caught.value)
