"""How long a repository keeps artifacts and logs."""

from __future__ import annotations

from typing import Any

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.apptoken import app_token
from tests.kits.probe import REPO, Probe

PATH = "/actions/permissions/artifact-and-log-retention"


@pytest.mark.parametrize(("private", "most"), [(False, 90), (True, 400)])
async def test_get_and_set(github: FakeGitHub, probe: Probe, private: bool, most: int) -> None:  # noqa: FBT001
    """What is set is read again, and holds for the artifacts that are added then."""
    github.add_repository(REPO, private=private)
    assert (await probe.api(PATH)).json == {"days": 90, "maximum_allowed_days": most}
    got = await probe.api(PATH, "PUT", json={"days": 5})
    assert (got.status, got.body) == (204, b"")
    assert (await probe.api(PATH)).json["days"] == 5
    artifact = github.artifact(github.add_artifact(github.add_run(REPO), "Rails"))
    assert artifact.expires_at is not None
    assert artifact.created_at is not None
    assert (artifact.expires_at - artifact.created_at).days == 5
    assert github.points["actions/set-artifact-and-log-retention-settings-repository"] == 5


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": {"days": 0}}, 422),
        ({"json": {"days": 91}}, 422),
        ({"json": {"days": "5"}}, 422),
        ({"json": {"days": True}}, 422),
        ({"json": [5]}, 400),
        ({"json": {}}, 422),
        ({"data": b"days=5"}, 400),
        ({"data": b"[" * 100_000}, 400),
    ],
)
async def test_what_is_refused(github: FakeGitHub, probe: Probe, more: dict[str, Any], status: int) -> None:
    """Anything but a number of days within the limits."""
    github.add_repository(REPO)
    assert (await probe.api(PATH, "PUT", **more)).status == status
    assert (await probe.api(PATH)).json["days"] == 90


@pytest.mark.parametrize(("github", "there"), [("ghes-3.18", False), ("ghes-3.19", True)], indirect=["github"])
async def test_enterprise_server(github: FakeGitHub, probe: Probe, there: bool) -> None:  # noqa: FBT001
    """It has the setting since 3.19."""
    github.add_repository(REPO)
    assert (await probe.api(PATH)).status == (200 if there else 404)
    assert (await probe.api(PATH, "PUT", json={"days": 5})).status == (204 if there else 404)


async def test_it_needs_administrators(github: FakeGitHub, probe: Probe) -> None:
    """No token, and an App's without the permission, are refused; the response names what it needs."""
    github.add_repository(REPO)
    assert (await probe.request("GET", f"{github.base_url}/repos/{REPO}{PATH}")).status == 403
    installation = github.add_installation(7, [REPO], permissions={"actions": "write", "administration": "read"})
    minted = await probe.api(
        f"//app/installations/{installation.id}/access_tokens",
        "POST",
        headers={"Authorization": f"Bearer {app_token(github)}"},
    )
    headers = {"Authorization": f"Bearer {minted.json['token']}"}
    assert (await probe.api(PATH, headers=headers)).status == 200
    got = await probe.api(PATH, "PUT", headers=headers, json={"days": 5})
    assert (got.status, got.headers["X-Accepted-GitHub-Permissions"]) == (403, "administration=write")
