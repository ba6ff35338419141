"""@octokit/rest, and @actions/artifact as GitHub's own actions use it, against the fake."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.interop import REPO, environment, package, program, two_hosts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async import Artifact

pytestmark = [pytest.mark.slow, pytest.mark.realtime]
octokit = pytest.mark.counterpart("@octokit/rest")
actions = pytest.mark.counterpart("@actions/artifact")

OWNER, NAME = REPO.split("/")
FILES = {
    "report.txt": b"all is well\n" * 9000,
    "empty": b"",
    "a/b/c/deep.bin": bytes(range(256)) * 300,
    "a/grüße.txt": "höflich".encode(),
}

# Runs a list of calls against a package, one after the other; the last line of its output is what they gave.
COMMON = """
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
const [folder, given] = process.argv.slice(2);
const entry = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).exports["."].import;
const library = await import(pathToFileURL(path.join(folder, entry)).href);
const { calls, base, owner, repo } = JSON.parse(given);
const results = [];
const perform = async (operations) => {
  for (const [name, ...parameters] of calls) {
    try {
      results.push({ result: (await operations[name](...parameters)) ?? null });
    } catch (error) {
      results.push({ status: error.status ?? null, error: error.message, kind: error.constructor.name });
    }
  }
  process.stdout.write("\\n" + JSON.stringify(results));
};
"""
OCTOKIT = """
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = new library.Octokit({ auth: "token", baseUrl: base, log: quiet });
const { actions } = client.rest;
const here = { owner, repo };
const all = (operation, more) => client.paginate(operation, { ...here, per_page: 100, ...more });
await perform({
  artifacts: (more) => all(actions.listArtifactsForRepo, more),
  ofRun: (run_id) => all(actions.listWorkflowRunArtifacts, { run_id }),
  runs: async (more) => (await all(actions.listWorkflowRunsForRepo, more)).map((run) => run.id),
  jobs: async (run_id) => (await all(actions.listJobsForWorkflowRun, { run_id, filter: "all" })).map((job) => job.id),
  get: async (artifact_id) => (await actions.getArtifact({ ...here, artifact_id })).data,
  download: async (artifact_id, target) => {
    const { data } = await actions.downloadArtifact({ ...here, artifact_id, archive_format: "zip" });
    fs.writeFileSync(target, typeof data === "string" ? data : Buffer.from(data));
  },
  delete: async (artifact_id) => (await actions.deleteArtifact({ ...here, artifact_id })).status,
});
"""
ACTIONS = """
const client = new library.DefaultArtifactClient();
const by = (workflowRunId) => ({ findBy: {
  token: "token", workflowRunId, repositoryOwner: owner, repositoryName: repo,
} });
await perform({
  list: async (run, latest) => (await client.listArtifacts({ latest, ...by(run) })).artifacts,
  get: async (run, name) => (await client.getArtifact(name, by(run))).artifact,
  download: async (run, id, options) => client.downloadArtifact(id, { ...options, ...by(run) }),
  delete: async (run, name) => (await client.deleteArtifact(name, by(run))).id,
});
"""


@attrs.frozen
class Scene:
    """A GitHub, and node.

    Attributes:
        github: the fake.
        authority: the certificate to trust; None over http.
        home: node's home folder.
    """

    github: FakeGitHub
    authority: Path | None
    home: Path

    def ours(self) -> ArtifactsClient:
        """Return our client."""
        return ArtifactsClient("token", base_url=self.github.base_url, ca_file=self.authority)

    async def octokit(self, *calls: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Let @octokit/rest perform calls, and return what each gave."""
        return await self._node("octokit-rest", OCTOKIT, calls)

    async def actions(self, *calls: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Let @actions/artifact perform calls, and return what each gave."""
        return await self._node("actions-artifact", ACTIONS, calls)

    async def _node(self, name: str, script: str, calls: tuple[tuple[Any, ...], ...]) -> list[dict[str, Any]]:
        file = self.home / f"{name}.mjs"
        file.write_text(COMMON + script, encoding="utf-8")
        given = {"calls": calls, "base": self.github.base_url, "owner": OWNER, "repo": NAME}
        trust = {} if self.authority is None else {"NODE_EXTRA_CA_CERTS": str(self.authority)}
        done = await asyncio.to_thread(
            subprocess.run,
            [program("node"), str(file), str(package(name).resolve()), json.dumps(given)],
            cwd=self.home,
            env=environment(self.home, GITHUB_API_URL=self.github.base_url, **trust),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        assert len(found) == len(calls)
        return found


@pytest.fixture(params=["github.com", "ghes-3.19"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Scene]:
    """github.com over http, or an Enterprise Server over TLS; storage has a host name of its own."""
    home = tmp_path / "home"
    home.mkdir()
    async with two_hosts(request.param, home) as (github, authority):
        yield Scene(github, authority, home)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fields(artifact: Artifact) -> tuple[Any, ...]:
    """Return what another client should report of an artifact."""
    assert artifact.created_at is not None
    digest = None if artifact.digest is None else str(artifact.digest)
    created = f"{artifact.created_at:%Y-%m-%dT%H:%M:%S}"
    return artifact.id, artifact.name, artifact.size_in_bytes, digest, created


def of_octokit(item: dict[str, Any]) -> tuple[Any, ...]:
    """Return the same of an artifact as @octokit/rest reports it."""
    return item["id"], item["name"], item["size_in_bytes"], item.get("digest"), item["created_at"].removesuffix("Z")


def of_actions(item: dict[str, Any]) -> tuple[Any, ...]:
    """Return the same of an artifact as @actions/artifact reports it."""
    return item["id"], item["name"], item["size"], item.get("digest"), item["createdAt"].removesuffix(".000Z")


@octokit
async def test_octokit_lists(scene: Scene):
    """1,000 artifacts over ten pages, those of a name and of a run, runs and jobs: as ours, in the same order."""
    runs = [scene.github.add_run(REPO, attempt=2, jobs=["a", "b"], branch=f"b{number % 2}") for number in range(5)]
    for number in range(1000):
        scene.github.add_artifact(runs[number % 5], f"docs-{number % 7}")
    everything, named, of_a_run, all_runs, some_runs, jobs = await scene.octokit(
        ("artifacts", {}),
        ("artifacts", {"name": "docs-3"}),
        ("ofRun", runs[2].id),
        ("runs", {}),
        ("runs", {"branch": "b1", "status": "success", "created": ">=2020-01-01"}),
        ("jobs", runs[0].id),
    )
    async with scene.ours() as ours:
        wanted = [fields(item) async for item in ours.list_artifacts(REPO)]
        assert [of_octokit(item) for item in everything["result"]] == wanted
        assert [of_octokit(item) for item in named["result"]] == [item for item in wanted if item[1] == "docs-3"]
        of_the_run = [fields(item) async for item in ours.list_run_artifacts(REPO, runs[2].id)]
        assert [of_octokit(item) for item in of_a_run["result"]] == of_the_run
        assert all_runs["result"] == [run.id async for run in ours.list_workflow_runs(REPO)]
        assert some_runs["result"] == [run.id async for run in ours.list_workflow_runs(REPO, branch="b1")]
    assert len(wanted) == len(set(wanted)) == 1000
    assert len(jobs["result"]) == len(set(jobs["result"])) == 4


@octokit
async def test_octokit_gets_and_deletes(scene: Scene, tmp_path: Path):
    """An artifact as ours, its bytes as they are stored, gone once deleted, 410 if expired; storage gets no token."""
    run = scene.github.add_run(REPO)
    zipped = scene.github.add_artifact(run, "docs", size=300_000, kind="azure")
    old = scene.github.add_artifact(run, "old", expired=True)
    page = scene.github.add_artifact(run, "page.html", raw=("page.html", "<p>schön".encode()), kind="azure-raw")
    stored = {number: scene.github.content(number) for number in (zipped, page)}
    async with scene.ours() as ours:
        wanted = fields(await ours.get_artifact(REPO, zipped))
    results = await scene.octokit(
        ("get", zipped),
        ("download", zipped, str(tmp_path / "docs.zip")),
        ("download", page, str(tmp_path / "page.html")),
        ("download", old, str(tmp_path / "old.zip")),
        ("delete", zipped),
        ("get", zipped),
        ("delete", zipped),
    )
    assert of_octokit(results[0]["result"]) == wanted
    assert (tmp_path / "docs.zip").read_bytes() == stored[zipped]
    assert (tmp_path / "page.html").read_bytes() == stored[page]
    assert results[3]["status"] == 410
    assert "Artifact has expired" in results[3]["error"]
    assert results[4]["result"] == 204
    assert [result["status"] for result in results[5:]] == [404, 404]
    assert not any("Authorization" in record.headers for record in scene.github.requests_to("storage"))


@actions
async def test_actions_list(scene: Scene):
    """A run's 1,000 artifacts, as ours; of each name the newest by its id; an artifact by its name."""
    run, other = scene.github.add_run(REPO), scene.github.add_run(REPO)
    for number in range(1000):
        scene.github.add_artifact(run, f"docs-{number % 7}")
    scene.github.add_artifact(other, "elsewhere")
    everything, latest, one, none = await scene.actions(
        ("list", run.id, False), ("list", run.id, True), ("get", run.id, "docs-3"), ("get", run.id, "elsewhere")
    )
    async with scene.ours() as ours:
        wanted = [fields(item) async for item in ours.list_run_artifacts(REPO, run.id)]
    assert [of_actions(item) for item in everything["result"]] == wanted
    assert len(wanted) == 1000
    assert {of_actions(item) for item in latest["result"]} == {
        max(item for item in wanted if item[1] == f"docs-{number}") for number in range(7)
    }
    assert of_actions(one["result"]) == max(item for item in wanted if item[1] == "docs-3")
    assert none["kind"] == "ArtifactNotFoundError"


@actions
async def test_actions_download(scene: Scene, tmp_path: Path):
    """What it unpacks is, file for file, what the client does; it finds a wrong digest; it deletes by name."""
    run = scene.github.add_run(REPO)
    artifact_id = scene.github.add_artifact(run, "docs", files=FILES, kind="azure")
    old = scene.github.add_artifact(run, "old", expired=True)
    body = scene.github.content(artifact_id)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    async with scene.ours() as ours:
        artifact = await ours.get_artifact(REPO, artifact_id)
        result = await ours.download(artifact, tmp_path / "ours", extract=True)
    good, bad, zipped, expired, gone, missing = await scene.actions(
        ("download", run.id, artifact_id, {"path": str(tmp_path / "good"), "expectedHash": digest}),
        ("download", run.id, artifact_id, {"path": str(tmp_path / "bad"), "expectedHash": f"sha256:{'0' * 64}"}),
        ("download", run.id, artifact_id, {"path": str(tmp_path / "zipped"), "skipDecompress": True}),
        ("download", run.id, old, {"path": str(tmp_path / "old")}),
        ("delete", run.id, "docs"),
        ("get", run.id, "docs"),
    )
    assert good["result"] == {"downloadPath": str(tmp_path / "good"), "digestMismatch": False}
    assert bad["result"]["digestMismatch"] is True
    assert tree(tmp_path / "good") == tree(tmp_path / "bad") == tree(result.path) == FILES
    assert zipped["result"]["digestMismatch"] is False
    assert tree(tmp_path / "zipped") == {"docs.zip": body}
    assert expired["status"] == 410
    assert gone["result"] == artifact_id
    assert missing["kind"] == "ArtifactNotFoundError"
    assert not any("Authorization" in record.headers for record in scene.github.requests_to("storage"))


@actions
@pytest.mark.parametrize("scene", ["github.com"], indirect=True)
async def test_actions_raw(scene: Scene, tmp_path: Path):
    """An artifact that is no zip is saved under its file's name, as by the client, whether it may unpack or not."""
    run = scene.github.add_run(REPO)
    names = ["page.html", "日本語.txt", "a b.tar.gz", "100%.txt", "no-ending"]
    bodies = {name: f"{name} ".encode() * 1000 for name in names}
    made = {
        name: scene.github.add_artifact(run, name, raw=(name, body), kind="azure-raw") for name, body in bodies.items()
    }
    results = await scene.actions(
        *[("download", run.id, number, {"path": str(tmp_path / "theirs")}) for number in made.values()],
        *[
            ("download", run.id, number, {"path": str(tmp_path / "skipped"), "skipDecompress": True})
            for number in made.values()
        ],
    )
    assert [result["result"]["digestMismatch"] for result in results] == [False] * 10
    async with scene.ours() as ours:
        for number in made.values():
            await ours.download(await ours.get_artifact(REPO, number), tmp_path / "ours", extract=True)
    ours_too = {name: body for name, body in tree(tmp_path / "ours").items() if not name.endswith(".gh-artifacts.json")}
    assert ours_too == bodies
    assert tree(tmp_path / "theirs") == tree(tmp_path / "skipped") == bodies
