"""What the demo's fake GitHub holds, and what goes wrong there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_artifacts_async import Artifact
    from gh_artifacts_async.testing import FakeGitHub, FakeRun

REPO = "octo-org/octo-docs"
MOST = 5_000
_EVERY = timedelta(minutes=11)
_PER_RUN = 10
_SMALLEST, _STEP, _SIZES = 3_000_000, 1_000_003, 9
_BIG = ("web-app", "wheel-linux-x86_64", "wheel-macos-arm64", "wheel-windows-amd64")
_SMALL = ("coverage", "test-report", "lint", "licenses", "sbom")
_BRANCHES = ("main", "main", "release/2.4", "feature/search", "dependabot/pip/attrs")


def fill(github: FakeGitHub, artifacts: int) -> None:
    """Give the fake a repository with so many artifacts: large zips, small ones, and now and then a raw file."""
    now = github.clock.now()
    run: FakeRun | None = None
    for age in reversed(range(artifacts)):  # the newest comes last, as on GitHub
        created = now - age * _EVERY
        number = artifacts - age
        if run is None or age % _PER_RUN == _PER_RUN - 1:
            branch = _BRANCHES[age // _PER_RUN % len(_BRANCHES)]
            run = github.add_run(REPO, workflow="ci.yml", branch=branch, created_at=created)
        _add(github, run, age, number)


def _add(github: FakeGitHub, run: FakeRun, age: int, number: int) -> None:
    created = github.clock.now() - age * _EVERY
    turn = age % _PER_RUN
    if turn < len(_BIG):
        size = _SMALLEST + _STEP * (age % _SIZES)
        github.add_artifact(run, f"{_BIG[turn]}-{number:04}", size=size, seed=turn, created_at=created)
    elif turn == len(_BIG):
        page = f"<!DOCTYPE html><title>Report {number}</title><p>All tests passed.\n".encode()
        name = f"report-{number:04}.html"
        github.add_artifact(run, name, raw=(name, page), created_at=created)
    else:
        name = f"{_SMALL[turn - len(_BIG) - 1]}-{number:04}"
        files = {"result.json": f'{{"run": {run.id}, "ok": true}}\n', "log.txt": f"{name}: ok\n" * 50}
        github.add_artifact(run, name, files=files, created_at=created)


def script_faults(github: FakeGitHub, artifacts: Sequence[Artifact]) -> None:
    """Let one connection break in the middle of an artifact, and another's signed URL expire before it is used."""
    by_size = sorted(artifacts, key=lambda artifact: artifact.size_in_bytes, reverse=True)
    github.faults.cut(by_size[0].id, at=by_size[0].size_in_bytes // 2)
    for other in by_size[1:2]:
        github.faults.expire_url(other.id)
