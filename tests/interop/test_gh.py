"""GitHub's own command line, gh, against the fake: two clients that were written apart see the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient
from tests.kits.interop import REPO
from tests.kits.real_gh import GITHUB_COM, SERVER, VERSIONS, Scene, gh_scene

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

HERE = ("-R", REPO)


@pytest.fixture(params=VERSIONS)
async def version(request: pytest.FixtureRequest) -> str:
    """Which gh it is."""
    return str(request.param)


@pytest.fixture(params=[GITHUB_COM, SERVER], ids=["github.com", "server"])
async def scene(request: pytest.FixtureRequest, version: str, tmp_path: Path) -> AsyncGenerator[Scene]:
    """A GitHub and gh."""
    async with gh_scene(version, tmp_path, request.param) as made:
        yield made


def client(scene: Scene) -> ArtifactsClient:
    """Return a client of ours that goes the same way."""
    return ArtifactsClient(
        "token", base_url=scene.github.base_url, ca_file=scene.authority, proxy=scene.proxy.url, allow_http=False
    )


def table(printed: str) -> list[list[str]]:
    """Return the cells of a table as gh prints it into a pipe."""
    return [line.split("\t") for line in printed.splitlines()]


async def test_run_list(scene: Scene):
    """The runs are ours, in the same order, as a table and as JSON; each filter of gh's lets through what ours does."""
    github = scene.github
    github.add_run(REPO, created_at="2026-01-02T03:04:05Z")
    github.add_run(REPO, workflow="nightly.yml", workflow_name="Nightly build", branch="dev", status="in_progress")
    failed = github.add_run(REPO, branch="dev", conclusion="failure", event="pull_request", actor="hubot")
    async with client(scene) as ours:
        runs = [run async for run in ours.list_workflow_runs(REPO)]
    printed = table(await scene.run("run", "list", *HERE))
    assert [row[:6] for row in printed] == [
        [run.status, run.conclusion or "", f"{run.name} #{run.run_number}", run.name, run.head_branch, run.event]
        for run in runs
    ]
    assert [int(row[6]) for row in printed] == [run.id for run in runs]
    fields = "databaseId,status,conclusion,headBranch,headSha,event,number,workflowName,createdAt,url"
    document = json.loads(await scene.run("run", "list", *HERE, "--json", fields))
    assert [
        (it["databaseId"], it["headSha"], it["number"], it["workflowName"], it["createdAt"], it["url"])
        for it in document
    ] == [
        (run.id, run.head_sha, run.run_number, run.name, f"{run.created_at:%Y-%m-%dT%H:%M:%SZ}", run.html_url)
        for run in runs
    ]
    for options, wanted in (
        (["--branch", "dev"], runs[:2]),
        (["--branch", "dev", "--limit", "1"], runs[:1]),
        (["--workflow", "nightly.yml"], runs[1:2]),
        (["--workflow", "Nightly build"], runs[1:2]),
        (["--user", "hubot"], runs[:1]),
    ):
        shown = table(await scene.run("run", "list", *HERE, *options))
        assert [int(row[6]) for row in shown] == [run.id for run in wanted], options
    assert runs[0].id == failed.id


@pytest.mark.parametrize("version", ["gh"], indirect=True)
@pytest.mark.counterpart("gh")
async def test_run_list_by_what_only_the_newer_knows(scene: Scene):
    """Filters by status, event, commit and date of creation."""
    old = scene.github.add_run(REPO, created_at="2026-01-02T03:04:05Z", event="schedule")
    new = scene.github.add_run(REPO, conclusion="failure", created_at="2026-03-01T00:00:00Z")
    for options, wanted in (
        (["--status", "failure"], [new]),
        (["--status", "completed"], [new, old]),
        (["--event", "schedule"], [old]),
        (["--commit", new.head_sha], [new]),
        (["--created", ">2026-02-01"], [new]),
        (["--created", "2026-01-01..2026-01-02"], [old]),
        (["--created", "<2026-01-02"], []),
    ):
        shown = table(await scene.run("run", "list", *HERE, *options))
        assert [int(row[6]) for row in shown] == [run.id for run in wanted], options


async def test_run_list_over_pages(scene: Scene):
    """250 runs over three pages are listed once each."""
    added = [scene.github.add_run(REPO).id for _ in range(250)]
    shown = table(await scene.run("run", "list", *HERE, "--limit", "240"))
    assert [int(row[6]) for row in shown] == added[:-241:-1]
    pages = [record for record in scene.github.requests if record.endpoint == "actions/list-workflow-runs-for-repo"]
    assert [record.query.get("page") for record in pages] == [None, "2", "3"]


async def test_run_view(scene: Scene):
    """A run is shown with its jobs, their steps, its artifacts, and what Actions said of a job that failed."""
    github = scene.github
    run = github.add_run(REPO, jobs=["build", "test"], conclusion="failure", attempt=2)
    github.add_artifact(run, "docs")
    github.add_artifact(run, "logs", expired=True)
    printed = await scene.run("run", "view", str(run.id), *HERE)
    assert f"X main ci · {run.id}" in printed
    for index, name in enumerate(run.jobs):
        assert f"X {name} in 0s (ID {run.job_id(index)})" in printed
    annotations = printed.partition("ANNOTATIONS")[2].partition("ARTIFACTS")[0]
    assert annotations.count("Process completed with exit code 1.") == 2
    artifacts = printed.partition("\nARTIFACTS\n")[2].split("\n\n")[0]
    assert set(artifacts.splitlines()) == {"docs", "logs (expired)"}
    async with client(scene) as ours:
        assert f"View this run on GitHub: {(await ours.get_workflow_run(REPO, run.id)).html_url}" in printed
    missing = {record.path for record in github.requests if record.status == 404}
    assert {path.rpartition("/")[2] for path in missing} == {"graphql"}  # gh asks it for a pull request's number only


async def test_run_view_as_json(scene: Scene):
    """Jobs and steps as JSON; a run that is not there is an error with GitHub's message; --exit-status tells."""
    run = scene.github.add_run(REPO, jobs=["build", "test"])
    document = json.loads(await scene.run("run", "view", str(run.id), *HERE, "--json", "jobs,status,conclusion,event"))
    assert (document["status"], document["conclusion"], document["event"]) == ("completed", "success", "push")
    assert [(job["name"], job["databaseId"]) for job in document["jobs"]] == [
        ("build", run.job_id(0)),
        ("test", run.job_id(1)),
    ]
    assert {step["name"] for job in document["jobs"] for step in job["steps"]} == {"Set up job"}
    shown = await scene.run("run", "view", *HERE, "--job", str(run.job_id(1)))
    assert f"test in 0s (ID {run.job_id(1)})" in shown
    absent = await scene.attempt("run", "view", "77", *HERE)
    assert absent.returncode == 1
    assert b"HTTP 404: Not Found" in absent.stderr
    failed = scene.github.add_run(REPO, conclusion="failure")
    assert (await scene.attempt("run", "view", str(failed.id), *HERE, "--exit-status")).returncode == 1


@pytest.mark.parametrize("version", ["gh"], indirect=True)
@pytest.mark.counterpart("gh")
async def test_attempts_and_deletion(scene: Scene):
    """The newer gh shows an earlier attempt as it was, lists workflows, and deletes a run."""
    run = scene.github.add_run(REPO, conclusion="failure")
    scene.github.update_run(run, attempt=2, conclusion="success")
    for attempt, mark in ((1, "X"), (2, "✓")):
        printed = await scene.run("run", "view", str(run.id), *HERE, "--attempt", str(attempt))
        assert f"{mark} main ci · {run.id} (Attempt #{attempt})" in printed
    assert table(await scene.run("workflow", "list", *HERE)) == [["ci", "active", str(run.workflow_id)]]
    await scene.run("run", "delete", str(run.id), *HERE)
    assert scene.github.scenario.runs == {}


async def test_listing(scene: Scene):
    """Over three pages gh sees the artifacts that the client sees, in the same order."""
    runs = [scene.github.add_run(REPO) for _ in range(5)]
    added = {scene.github.add_artifact(runs[number % 5], f"docs-{number % 7}") for number in range(250)}
    path = f"repos/{REPO}/actions/artifacts?per_page=100"
    theirs = [int(line) for line in (await scene.run("api", "--paginate", path, "--jq", ".artifacts[].id")).split()]
    async with client(scene) as ours:
        assert [artifact.id async for artifact in ours.list_artifacts(REPO)] == theirs
    assert set(theirs) == added
    assert len(theirs) == 250
    named = await scene.run("api", "--paginate", f"{path}&name=docs-3", "--jq", ".artifacts[].name")
    assert named.split() == ["docs-3"] * 36


async def test_api(scene: Scene):
    """What is downloaded by ``gh api`` is what is stored; what it deletes is gone; an expired one is 410."""
    run = scene.github.add_run(REPO)
    artifact_id = scene.github.add_artifact(run, "docs", size=100_000, kind="azure")
    expired = scene.github.add_artifact(run, "old", expired=True)
    path = f"repos/{REPO}/actions/artifacts"
    assert await scene.output("api", f"{path}/{artifact_id}/zip") == scene.github.content(artifact_id)
    assert await scene.run("api", "-X", "DELETE", f"{path}/{artifact_id}") == ""
    for method, number, said in (
        ("GET", artifact_id, "Not Found (HTTP 404)"),
        ("DELETE", artifact_id, "Not Found (HTTP 404)"),
        ("GET", f"{expired}/zip", "Artifact has expired (HTTP 410)"),
    ):
        refused = await scene.attempt("api", "-X", method, f"{path}/{number}")
        assert (refused.returncode, f"gh: {said}\n".encode()) == (1, refused.stderr)
