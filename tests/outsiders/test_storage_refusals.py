"""Row 15: a 403 of storage, through a raw server that is API and storage in one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gh_artifacts_async import ArtifactsClient, RetryPolicy, errors
from tests.kits.api import ARTIFACT, REPO, TOKEN, check_silent
from tests.kits.raw import RawServer, answer

AZURE = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{0}</Code><Message>{1}\nRequestId:1</Message></Error>'
TWICE = RetryPolicy(attempts=2, wait_initial=0.01, wait_max=0.01)


def azure(code: str, message: str = "no", **headers: str) -> bytes:
    """Return a 403 in Azure's words."""
    body = AZURE.format(code, message)
    return answer("403 Forbidden", body, Content_Type="application/xml", x_ms_error_code=code, **headers)


async def refused(reply: bytes, tmp_path) -> tuple[errors.ArtifactsError, int]:
    """Return the error of a download whose storage answers so, and how often storage was asked."""

    def route(head: str) -> bytes:
        path = head.split(" ")[1]
        if path.startswith("/storage"):
            return reply
        if path.endswith("/zip"):
            return answer("302 Found", Location=f"{server.url}/storage/7?sig=s3cr3t")
        return answer("200 OK", json.dumps({**ARTIFACT, "expired": False}), Content_Type="application/json")

    async with RawServer(route) as server, ArtifactsClient(TOKEN, base_url=server.url, retry=TWICE) as client:
        artifact = await client.get_artifact(REPO, 7)
        with pytest.raises(errors.ArtifactsError) as caught:
            await client.download(artifact, tmp_path)
    check_silent(caught.value, "s3cr3t")
    assert list(tmp_path.iterdir()) == []
    return caught.value, sum(head.startswith("GET /storage") for head in server.heads)


@pytest.mark.parametrize("code", ["AuthorizationFailure", "AuthenticationFailed", "AccountIsDisabled"])
async def test_row_15_the_code(code, tmp_path):
    """Storage's code is in the message, and nothing is called expired that storage does not call so."""
    error, asked = await refused(azure(code), tmp_path)
    assert isinstance(error, errors.StorageError)
    assert error.code == code
    assert f"(403 {code})" in str(error)
    assert "expired" not in str(error)
    assert asked == 2


async def test_row_15_expired(tmp_path):
    """Where storage says that the time is over, so does the error."""
    error, _ = await refused(azure("AuthenticationFailed", "Signature not valid in the specified time frame"), tmp_path)
    assert isinstance(error, errors.SignedURLExpiredError)
    assert "expired" in str(error)


async def test_row_15_a_page(tmp_path):
    """A proxy's page is told apart from storage, even if it speaks of something expired."""
    page = "<html><h1>Blocked</h1>Your request has expired, sign in again</html>"
    error, _ = await refused(answer("403 Forbidden", page, Content_Type="text/html"), tmp_path)
    assert isinstance(error, errors.StorageError)
    assert "is a proxy or firewall in the way?" in str(error)
    assert "expired" not in str(error)


@pytest.mark.parametrize(("hours", "said"), [(-2, "120 min ahead of storage's"), (3, "180 min behind storage's")])
async def test_row_15_a_wrong_clock(hours, said, tmp_path):
    """A clock that differs from storage's is named."""
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    error, _ = await refused(azure("AuthenticationFailed", Date=date), tmp_path)
    assert f"this machine's clock is {said}" in str(error)


async def test_row_15_a_right_clock(tmp_path):
    """A clock that agrees with storage's is not mentioned."""
    error, _ = await refused(
        azure("AuthenticationFailed", Date=format_datetime(datetime.now(UTC), usegmt=True)), tmp_path
    )
    assert "clock" not in str(error)
