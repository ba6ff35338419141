"""The operations of GitHub Apps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.kits.apptoken import app_token, keys
from tests.kits.probe import REPO, Got, Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

OTHER = "octo-org/other"


def bearer(token: str) -> dict[str, str]:
    """Return the header for a token."""
    return {"Authorization": f"Bearer {token}"}


async def mint(github: FakeGitHub, probe: Probe, installation_id: int, body: Any = None, **headers: str) -> Got:
    """Ask for a token of an installation of App 7."""
    more: dict[str, Any] = {} if body is None else {"json": body}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {**bearer(app_token(github)), **names}
    return await probe.api(f"//app/installations/{installation_id}/access_tokens", "POST", headers=given, **more)


async def test_an_installation_token_lives_an_hour(github: FakeGitHub, probe: Probe) -> None:
    """An App finds its installation, gets a token, and uses it until it ends."""
    installation = github.add_installation(7, [REPO])
    github.tokens = set()
    headers = bearer(app_token(github))
    found = await probe.api("/installation", headers=headers)
    assert found.json["id"] == installation.id
    path = found.json["access_tokens_url"].removeprefix(github.base_url)
    made = await probe.api(f"/{path}", "POST", headers=headers)
    assert (made.status, made.json["permissions"]["actions"]) == (201, "write")
    again = await probe.api(f"/{path}", "POST", headers=headers)
    assert again.json["token"] != made.json["token"]
    use = bearer(made.json["token"])
    assert (await probe.api(headers=use)).status == 200
    await asyncio.sleep(3601)
    assert (await probe.api(headers=use)).status == 401


async def test_tokens_are_revoked(github: FakeGitHub, probe: Probe) -> None:
    """Those that were issued until then; later ones are good."""
    installation = github.add_installation(7, [REPO])
    github.tokens = set()
    old = (await mint(github, probe, installation.id)).json["token"]
    github.revoke_installation_tokens()
    new = (await mint(github, probe, installation.id)).json["token"]
    assert (await probe.api(headers=bearer(old))).status == 401
    assert (await probe.api(headers=bearer(new))).status == 200


async def test_installations_of_others(github: FakeGitHub, probe: Probe) -> None:
    """An App sees only its own installations."""
    github.add_installation(7, [OTHER])
    other = github.add_installation(8, [REPO], permissions={"actions": "read"})
    headers = bearer(app_token(github))
    assert (await probe.api("/installation", headers=headers)).status == 404
    assert (await mint(github, probe, other.id)).status == 404
    assert (await mint(github, probe, 1)).status == 404


async def test_an_app_that_nobody_knows(github: FakeGitHub, probe: Probe) -> None:
    """The Integration, as GitHub still calls it, is not found."""
    github.add_installation(8, [REPO])
    got = await probe.api("/installation", headers=bearer(app_token(github)))
    assert (got.status, got.json["message"]) == (404, "Integration not found")
    github.set_app_keys(7, keys().public)
    assert (await probe.api("/installation", headers=bearer(app_token(github)))).status == 401


@pytest.mark.parametrize(("org", "status"), [("octo-org", 200), ("OCTO-ORG", 200), ("octo", 404)])
async def test_the_installation_of_an_organization(github: FakeGitHub, probe: Probe, org: str, status: int) -> None:
    """It is found by the organization's name, in any case of letters."""
    installation = github.add_installation(7, [REPO, OTHER])
    got = await probe.api(f"//orgs/{org}/installation", headers=bearer(app_token(github)))
    assert got.status == status
    assert status == 404 or got.json["id"] == installation.id


async def test_the_client_id_names_the_app_too(github: FakeGitHub, probe: Probe) -> None:
    """As GitHub recommends since 2024."""
    github.add_installation(7, [REPO], client_id="Iv23liX")
    assert (await probe.api("/installation", headers=bearer(app_token(github, iss="Iv23liX")))).status == 200
    assert (await probe.api("/installation", headers=bearer(app_token(github, iss="Iv23liY")))).status == 404


async def test_an_installation_survives_a_renaming(github: FakeGitHub, probe: Probe) -> None:
    """The old name redirects, the new one is included."""
    github.add_installation(7, [REPO])
    github.rename_repo(REPO, "octo-org/new")
    headers = bearer(app_token(github))
    moved = await probe.api("/installation", headers=headers)
    assert moved.status == 301
    assert (await probe.request("GET", moved.headers["Location"], headers)).status == 200
    assert (await probe.api("//repos/octo-org/new/installation", headers=headers)).status == 200
    assert (await probe.api("//repos/octo-org/none/installation", headers=headers)).status == 404


# --- signatures


def signed(github: FakeGitHub, key: str) -> dict[str, str]:
    """Return the header for a JSON Web Token of App 7 that was signed with a key."""
    now = int(github.clock.timestamp())
    return bearer(jwt.encode({"iat": now - 60, "exp": now + 540, "iss": "7"}, key, algorithm="RS256"))


async def test_signatures_are_checked_on_request(github: FakeGitHub, probe: Probe) -> None:
    """An App may have several keys; one that was deleted is 401, as all are that it never had."""
    github.add_installation(7, [REPO])
    first, second = keys(1), keys(2)
    assert (await probe.api("/installation", headers=signed(github, first.private))).status == 200
    github.set_app_keys(7, first.public, second.public.encode())
    for key in (first, second):
        assert (await probe.api("/installation", headers=signed(github, key.private))).status == 200
    github.set_app_keys(7, second.public)
    got = await probe.api("/installation", headers=signed(github, first.private))
    assert (got.status, got.json["message"]) == (401, "A JSON web token could not be decoded")
    github.set_app_keys(7)
    assert (await probe.api("/installation", headers=signed(github, second.private))).status == 401


def test_signatures_need_pyjwt(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, the extra is named."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(RuntimeError, match=r"gh-artifacts-async\[app\]"):
        github.set_app_keys(7, keys().public)


# --- what a token may do


async def test_a_token_reaches_the_repositories_of_its_installation(github: FakeGitHub, probe: Probe) -> None:
    """Others are 404 where they are private, else 403."""
    github.add_repository("octo-org/private", private=True)
    run = github.add_run(OTHER)
    artifact = github.add_artifact(run, "a")
    installation = github.add_installation(7, [REPO])
    use = bearer((await mint(github, probe, installation.id)).json["token"])
    assert (await probe.api("/actions/artifacts", headers=use)).status == 200
    assert (await probe.api("//repos/octo-org/private/actions/artifacts", headers=use)).status == 404
    got = await probe.api(f"//repos/{OTHER}/actions/artifacts/{artifact}", headers=use)
    assert (got.status, got.json["message"]) == (403, "Resource not accessible by integration")


@pytest.mark.parametrize(
    ("permissions", "download", "delete"),
    [({"actions": "write"}, 302, 204), ({"actions": "read"}, 302, 403), ({"contents": "read"}, 403, 403)],
)
async def test_permissions_count(
    github: FakeGitHub, probe: Probe, permissions: dict[str, str], download: int, delete: int
) -> None:
    """Downloads need actions: read, deletions actions: write; the header says so."""
    installation = github.add_installation(7, [REPO], permissions={"actions": "write", "contents": "read"})
    artifact = github.add_artifact(github.add_run(REPO), "a")
    made = await mint(github, probe, installation.id, {"permissions": permissions})
    assert made.json["permissions"] == {"metadata": "read", **permissions}
    assert "repositories" not in made.json
    use = bearer(made.json["token"])
    path = f"/actions/artifacts/{artifact}"
    for status, below, method, level in ((download, "/zip", "GET", "read"), (delete, "", "DELETE", "write")):
        got = await probe.api(path + below, method, headers=use)
        assert got.status == status
        expected = f"actions={level}" if status == 403 else None
        assert got.headers.get("X-Accepted-GitHub-Permissions") == expected


async def test_a_token_for_some_repositories(github: FakeGitHub, probe: Probe) -> None:
    """By name or by number; the answer lists them."""
    installation = github.add_installation(7, [REPO, OTHER])
    number = github.add_repository(OTHER).id
    for body in ({"repositories": ["Other"]}, {"repository_ids": [number]}):
        made = await mint(github, probe, installation.id, body)
        assert [found["full_name"] for found in made.json["repositories"]] == [OTHER]
        use = bearer(made.json["token"])
        assert (await probe.api(f"//repos/{OTHER}/actions/artifacts", headers=use)).status == 200
        assert (await probe.api("/actions/artifacts", headers=use)).status == 403


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"repositories": ["octo-docs", "none"]}, 422, "at least one repository"),
        ({"repository_ids": [1]}, 422, "at least one repository"),
        ({"permissions": {"actions": "admin"}}, 422, "not granted"),
        ({"permissions": {"actions": "all"}}, 422, "not granted"),
        ({"permissions": {"checks": "read"}}, 422, "not granted"),
        (["octo-docs"], 400, "Body should be a JSON object"),
        ({"permissions": None}, 201, ""),
    ],
)
async def test_more_than_the_installation_has(
    github: FakeGitHub, probe: Probe, body: Any, status: int, message: str
) -> None:
    """It is refused as a whole."""
    installation = github.add_installation(7, [REPO])
    got = await mint(github, probe, installation.id, body)
    assert got.status == status
    assert message in got.json.get("message", "")


async def test_a_body_that_is_no_json(github: FakeGitHub, probe: Probe) -> None:
    """It is a 400."""
    installation = github.add_installation(7, [REPO])
    path = f"//app/installations/{installation.id}/access_tokens"
    got = await probe.api(path, "POST", headers=bearer(app_token(github)), data=b"{")
    assert got.status == 400
    got = await probe.api(path, "POST", headers=bearer(app_token(github)), data=b"[" * 100_000)
    assert got.status == 400


@pytest.mark.parametrize(
    ("of_installation", "header", "stateless"),
    [(False, "", False), (True, "", True), (False, "enabled", True), (True, "disabled", False)],
)
async def test_stateless_tokens(
    github: FakeGitHub, probe: Probe, of_installation: Any, header: str, stateless: Any
) -> None:
    """About 520 characters with dots, as the installation or the request says."""
    installation = github.add_installation(1234567, [REPO], stateless=of_installation)
    given = {"X-GitHub-Stateless-S2S-Token": header} if header else {}
    headers = {**bearer(app_token(github, iss="1234567")), **given}
    path = f"//app/installations/{installation.id}/access_tokens"
    tokens = [(await probe.api(path, "POST", headers=headers)).json["token"] for _ in range(2)]
    assert len(set(tokens)) == 2
    assert all(token.startswith("ghs_1234567_") for token in tokens)
    assert [500 < len(token) < 540 for token in tokens] == [stateless] * 2
    assert [token.count(".") == 2 for token in tokens] == [stateless] * 2
    assert (await probe.api(headers=bearer(tokens[0]))).status == 200
