"""The operations of GitHub Apps."""

from __future__ import annotations

import asyncio

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.apptoken import app_token
from tests.kits.probe import REPO, Probe


async def test_an_installation_token_lives_an_hour(github: FakeGitHub, probe: Probe) -> None:
    """An App finds its installation, gets a token, and uses it until it ends."""
    installation = github.add_installation(7, [REPO])
    github.tokens = set()
    headers = {"Authorization": f"Bearer {app_token(github)}"}
    found = await probe.api("/installation", headers=headers)
    assert found.json["id"] == installation.id
    path = found.json["access_tokens_url"].removeprefix(github.base_url)
    made = await probe.api(f"/{path}", "POST", headers=headers)
    assert (made.status, made.json["permissions"]["actions"]) == (201, "write")
    again = await probe.api(f"/{path}", "POST", headers=headers)
    assert again.json["token"] != made.json["token"]
    use = {"Authorization": f"Bearer {made.json['token']}"}
    assert (await probe.api(headers=use)).status == 200
    await asyncio.sleep(3601)
    assert (await probe.api(headers=use)).status == 401


async def test_installations_of_others(github: FakeGitHub, probe: Probe) -> None:
    """An App sees only its own installations."""
    other = github.add_installation(8, [REPO], permissions={"actions": "read"})
    headers = {"Authorization": f"Bearer {app_token(github)}"}
    assert (await probe.api("/installation", headers=headers)).status == 404
    path = f"//app/installations/{other.id}/access_tokens"
    assert (await probe.api(path, "POST", headers=headers)).status == 404
    assert (await probe.api("//app/installations/1/access_tokens", "POST", headers=headers)).status == 404
