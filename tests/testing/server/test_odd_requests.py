"""Requests that make no sense are refused in GitHub's JSON: none of them is a server error of the fake."""

from __future__ import annotations

import base64
import json

import pytest

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.apptoken import app_token
from tests.kits.probe import Got, Probe

NINES = "9" * 5_000
"""More digits than Python reads as a number."""

RETENTION = "/actions/permissions/artifact-and-log-retention"


def check(got: Got, *statuses: int) -> None:
    """Make sure that an answer is one of these, and JSON."""
    assert got.status in statuses, got.body
    assert got.headers["Content-Type"].startswith("application/json")
    assert got.json is not None


@pytest.mark.parametrize(
    "created",
    ["", "soon", "..", "*", ">", "2026-01-01..x", "2026-13-01", "9999-12-31", "9999-12-31T23:59:59Z", "%FF"],
)
async def test_a_range_of_dates_that_is_none(probe: Probe, run: FakeRun, created: str) -> None:
    """It finds nothing, and is no error."""
    got = await probe.api(f"/actions/runs?created={created}")
    check(got, 200)
    assert got.json["workflow_runs"] == [], run


@pytest.mark.parametrize("number", [NINES, "9" * 18, "-1", "x", "%D9%A3x", "%C2%B2"])
@pytest.mark.parametrize("name", ["page", "per_page"])
async def test_a_page_that_is_none(probe: Probe, run: FakeRun, name: str, number: str) -> None:
    """It is ignored, or is empty."""
    for listing in ("/actions/artifacts", "/actions/runs", f"/actions/runs/{run.id}/artifacts"):
        check(await probe.api(f"{listing}?{name}={number}"), 200)


@pytest.mark.parametrize(
    "path",
    [
        f"//repositories/{NINES}/actions/artifacts",
        f"//repositories/{'9' * 19}/actions/runs",
        "//repos/%0A/x/actions/artifacts",
        "//repos/%FF/x",
        "//orgs/%0A/repos",
        "//users/%00/repos",
        "//%0A",
        f"/actions/artifacts/{'9' * 20}",
        f"/actions/jobs/{'9' * 19}",
        "/actions/workflows/%0A",
        "/branches/%0A",
    ],
    ids=range(11),
)
async def test_a_path_to_nothing(github: FakeGitHub, probe: Probe, run: FakeRun, path: str) -> None:
    """It is not found, as anything else that is not there."""
    assert run.repo in github.scenario.repository(run.repo).full_name
    check(await probe.api(path), 404)


BODIES = {
    "cut": (b"{", 400),
    "not UTF-8": (b"\xff\xfe", 400),
    "deep": (b"[" * 200_000, 400),
    "long": (b'{"days":' + NINES.encode() + b"}", 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "infinite": (b'{"days":1e999}', 422),
    "surrogate": (b'{"days":"\\ud800"}', 422),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_a_body_that_is_none(probe: Probe, run: FakeRun, body: bytes, status: int) -> None:
    """It is no JSON object, or no setting."""
    assert run
    check(await probe.api(RETENTION, "PUT", data=body, headers={"Content-Type": "application/json"}), status)


async def test_json_is_utf8_whatever_its_type_says(probe: Probe, run: FakeRun) -> None:
    """RFC 8259 section 8.1: a charset means nothing."""
    assert run
    headers = {"Content-Type": "application/json; charset=bogus"}
    assert (await probe.api(RETENTION, "PUT", data=b'{"days": 3}', headers=headers)).status == 204


@pytest.mark.parametrize(
    "asked",
    [
        {"permissions": []},
        {"permissions": {"actions": 5}},
        {"permissions": {"actions": []}},
        {"repositories": 5},
        {"repositories": "octo-docs"},
        {"repositories": [[]]},
        {"repository_ids": ["x", {}]},
        {"repository_ids": {}},
        {"repository_ids": [True]},
    ],
    ids=str,
)
async def test_a_token_for_what_is_none(github: FakeGitHub, probe: Probe, asked: dict[str, object]) -> None:
    """Permissions and repositories have the types that GitHub's description gives them."""
    installation = github.add_installation(7, ["octo-org/octo-docs"])
    headers = {"Authorization": f"Bearer {app_token(github)}"}
    path = f"//app/installations/{installation.id}/access_tokens"
    got = await probe.api(path, "POST", json=asked, headers=headers)
    check(got, 422)
    assert next(iter(asked)) in got.json["message"]


@pytest.mark.parametrize(
    "claims",
    [
        b"[" * 5_000,
        b"\xff",
        b"[]",
        b'{"iat": "x", "exp": 2e9, "iss": "7"}',
        b'{"iat": 0, "exp": [], "iss": "7"}',
        b'{"iat": 0, "exp": true, "iss": "7"}',
        b'{"iat": 0, "exp": 1e999, "iss": {}}',
    ],
    ids=range(7),
)
async def test_a_json_web_token_that_is_none(probe: Probe, run: FakeRun, claims: bytes) -> None:
    """It is refused with 401."""
    assert run
    header = json.dumps({"alg": "RS256"}).encode()
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, claims)]
    got = await probe.api("/installation", headers={"Authorization": f"Bearer {'.'.join([*parts, 'x'])}"})
    check(got, 401)


@pytest.mark.parametrize("asked", ["bytes={}-", "bytes=-{}", "bytes=0-{}"])
@pytest.mark.parametrize("kind", ["azure", "s3", "v3"])
async def test_a_range_that_is_none(github: FakeGitHub, probe: Probe, run: FakeRun, kind: str, asked: str) -> None:
    """Storage sends all of it, or says that there is no such range."""
    number = github.add_artifact(run, "docs", kind=kind)
    got = await probe.fetch(number, Range=asked.format(NINES))
    assert got.status in {200, 206, 416}
    assert kind == "v3" or got.status != 200 or got.body == github.content(number)  # v3 zips are made as they are sent


async def test_storage_has_its_own_words_for_any_path(github: FakeGitHub, probe: Probe) -> None:
    """What decodes to a line feed is a path too."""
    got = await probe.get(f"{github.storage_url}/%0A")
    assert got.status == 404
    assert got.headers["Content-Type"] == "application/xml"
