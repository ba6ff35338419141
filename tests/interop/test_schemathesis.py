"""Schemathesis, which sends what GitHub's description allows and much that it does not: the fake stays what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.server.rendering import Renderer
from tests.kits.descriptions import document, resolved
from tests.kits.interop import REPO, environment, missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gh_artifacts_async.testing import FakeArtifact

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("schemathesis")]

SECONDS = 10
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""What GitHub answers to what it refuses; its description has them of a few operations only."""

ERROR = {
    "type": "object",
    "required": ["message", "documentation_url", "status"],
    "properties": {name: {"type": "string"} for name in ("message", "documentation_url", "status")},
}


def described(version: str, github: FakeGitHub, known: dict[str, list[int | str]]) -> dict[str, Any]:
    """Return a version's description with what it leaves out: refusals, and which repository and ids there are."""
    whole = document(version)
    whole["servers"] = [{"url": github.base_url}]
    refusal = {"description": "Refused", "content": {"application/json": {"schema": ERROR}}}
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            for status in REFUSALS:
                operation["responses"][str(status.value)] = refusal
            parameters = [resolved(parameter, whole) for parameter in operation.get("parameters", [])]
            wanted = {
                **known,
                **({"artifact_id": known["doomed"], "run_id": known["ended"]} if method == "delete" else {}),
            }
            operation["parameters"] = [_with_values(parameter, wanted) for parameter in parameters]
            assert operation["parameters"] or "{" not in path
    return whole


def _with_values(parameter: dict[str, Any], known: dict[str, list[int | str]]) -> dict[str, Any]:
    if parameter["in"] != "path" or parameter["name"] not in known:
        return parameter
    return {**parameter, "schema": {**parameter["schema"], "enum": known[parameter["name"]]}}


def fill(github: FakeGitHub) -> dict[str, list[int | str]]:
    """Fill the fake with plain and odd things; return the values of path parameters that lead to them."""
    runs = [
        github.add_run(REPO),
        github.add_run(REPO, branch=None, conclusion=None, status="in_progress", pull_requests=[3], attempt=2),
        github.add_run(REPO, head_repository="fork-er/octo-docs", branch="patch"),
    ]
    artifacts = [
        github.add_artifact(runs[0], "old", expired=True),
        github.add_artifact(runs[0], "undated", created_at=None, updated_at=None, expires_at=None, digest=None),
        github.add_artifact(runs[1], "homeless", workflow_run=False),
        *(github.add_artifact(run, f"docs-{run.id}") for run in runs),
    ]
    ended = [github.add_run(REPO).id for _ in range(20)]
    doomed = [github.add_artifact(runs[2], f"doomed-{number}") for number in range(20)]
    return {
        "owner": ["octo-org"],
        "repo": ["octo-docs", "none"],
        "org": ["octo-org", "none"],
        "username": ["fork-er"],
        "archive_format": ["zip", "tar"],
        "artifact_id": [*artifacts, 404],
        "doomed": [*doomed],
        "ended": [*ended],
        "run_id": [*(run.id for run in runs), 404],
        "attempt_number": [1, 2],
        "workflow_id": ["ci.yml", runs[0].workflow_id],
        "installation_id": [github.add_installation(7, [REPO]).id],
    }


def fuzz(arguments: Iterable[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis."""
    found = Path(sys.executable).with_name("schemathesis")
    if not found.exists():
        missing("schemathesis", "schemathesis is not installed beside this Python")
    return subprocess.run(  # noqa: S603  it was looked for
        [str(found), "run", *arguments],
        cwd=folder,
        env=environment(folder, PYTHONWARNINGS="ignore", NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS + 45,
        check=False,
    )


def fuzzed(github: FakeGitHub, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Let schemathesis loose on a fake, filled."""
    path = folder / "described.json"
    version = github.scenario.profile.name
    path.write_text(json.dumps(described(version, github, fill(github))), encoding="utf-8")
    arguments = [str(path), "--url", github.base_url, "-H", "Authorization: Bearer token", "--seed", "17"]
    arguments += ["--checks", ",".join(CHECKS), "--max-time", str(SECONDS), "--phases", "coverage,fuzzing"]
    arguments += ["--suppress-health-check", "all", "--warnings", "off", *more]
    return fuzz(arguments, folder)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("version", ["github.com", "ghes-3.19"])
def test_the_fake_answers_as_described(version: str, tmp_path: Path) -> None:
    """No server error, no answer that is not as described, for requests that make sense and for many that do not."""
    with FakeGitHub(version) as github:
        done = fuzzed(github, tmp_path, "--continue-on-failure")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "No issues found" in done.stdout
        statuses = {request.status for request in github.requests}
    assert {200, 404} <= statuses


@pytest.mark.timeout(120)
@pytest.mark.not_as_described("it proves that schemathesis finds what is wrong")
def test_it_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An artifact without a field that GitHub requires."""
    honest = Renderer.artifact

    def wrong(renderer: Renderer, artifact: FakeArtifact) -> dict[str, Any]:
        found = honest(renderer, artifact)
        del found["expired"]
        return found

    monkeypatch.setattr(Renderer, "artifact", wrong)
    with FakeGitHub() as github:
        done = fuzzed(
            github, tmp_path, "--max-failures", "1", "--include-operation-id", "actions/list-artifacts-for-repo"
        )
    assert done.returncode == 1, done.stderr
    assert '"expired" is a required property' in done.stdout
