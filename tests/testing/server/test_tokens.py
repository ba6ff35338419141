"""GitHub Apps: JSON Web Tokens in, installation tokens out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kits.apptoken import app_token
from tests.kits.probe import REPO, Probe

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 0}, "'Expiration time'"),
        ({"exp": 2**40}, "too far in the future"),
        ({"iat": 2**40}, "'Issued at'"),
        ({"algorithm": "none"}, "could not be decoded"),
    ],
)
async def test_json_web_tokens_are_checked(
    github: FakeGitHub, probe: Probe, claims: dict[str, Any], message: str
) -> None:
    """A token that is too old, too long-lived, from the future or unsigned is 401."""
    github.add_installation(7, [REPO])
    got = await probe.api("/installation", headers={"Authorization": f"Bearer {app_token(github, **claims)}"})
    assert got.status == 401
    assert message in got.json["message"]


@pytest.mark.parametrize("token", ["plain", "a.b.c", "e30.W10.x", "bnVsbA.bnVsbA.x", "W1tb" * 1000 + ".e30.x"])
async def test_other_tokens_are_no_json_web_tokens(github: FakeGitHub, probe: Probe, token: str) -> None:
    """What cannot be decoded is 401."""
    github.add_installation(7, [REPO])
    assert (await probe.api("/installation", headers={"Authorization": f"Bearer {token}"})).status == 401


async def test_times_can_be_left_unchecked(github: FakeGitHub, probe: Probe) -> None:
    """A test on another clock may switch the check of times off; the lifetime of a token is checked all the same."""
    github.add_installation(7, [REPO], id=5)
    github.check_jwt_times = False
    assert not github.check_jwt_times
    for exp, status in ((1540, 200), (9999, 401)):
        headers = {"Authorization": f"Bearer {app_token(github, iat=1000, exp=exp)}"}
        assert (await probe.api("/installation", headers=headers)).status == status
