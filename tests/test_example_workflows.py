"""The workflows of the guides are workflows, and their steps run against the fake; so does what others' users write."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits import examples
from tests.kits.programs import name_in_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

yaml = pytest.importorskip("yaml")

pytestmark = [pytest.mark.once, pytest.mark.realtime]

REPO = "octo-org/octo-docs"
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_OTHERS = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PERMISSIONS = {"actions": {"read", "write"}}


def documents() -> list[Any]:
    """Return the YAML blocks of the guides, with the page and the line of each."""
    found = []
    for page in examples.PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _YAML.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append(pytest.param(yaml.safe_load(block[1]), id=f"{page.stem}-{line}"))
    return found


def steps(document: Any) -> list[dict[str, Any]]:
    """Return the steps of a workflow, of a job, or of a list, each with the environment of its job."""
    if isinstance(document, list):
        return document
    if "jobs" not in document:
        return list(document["steps"])
    jobs = document["jobs"].values()
    return [{**step, "env": {**job.get("env", {}), **step.get("env", {})}} for job in jobs for step in job["steps"]]


@pytest.fixture
async def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncGenerator[FakeGitHub]:
    """A fake with what the workflows ask for; the working directory is a new one."""
    async with FakeGitHub() as fake:
        run = fake.add_run(REPO, workflow="ci.yml", branch="main")
        for name in ("docs", "coverage", "wheels", "coverage-linux", "coverage-macos", "wheels-linux"):
            fake.add_artifact(run, name, files={"index.html": "<p>"} if name == "docs" else {f"{name}.txt": name})
        name_in_environment(fake, monkeypatch)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPO)
        monkeypatch.setenv("GITHUB_RUN_ID", str(run.id))
        monkeypatch.chdir(tmp_path)
        yield fake


@pytest.mark.parametrize("document", documents())
def test_they_are_workflows(document: Any) -> None:
    """Each is YAML; a whole workflow has triggers and jobs, asks for no more than it needs, and passes a token."""
    for step in steps(document):
        assert step.keys() & {"run", "uses"}
        if "gh-artifacts " in step.get("run", "") and "jobs" in document:
            assert "GITHUB_TOKEN" in step["env"]
    if "jobs" in document:
        assert document.keys() <= {"name", True, "permissions", "jobs"}  # YAML 1.1 reads "on" as true
        assert all(level in _PERMISSIONS[name] for name, level in document.get("permissions", {}).items())


async def finished(command: list[str], **variables: str) -> str:
    """Run a step, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "PYTHONPATH": str(examples.ROOT), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, f"{command}: {said.decode()}"
    return said.decode()


@pytest.mark.slow
@pytest.mark.parametrize("document", documents())
async def test_their_steps_run(document: Any, github: FakeGitHub) -> None:
    """Each step of the command line, and each step of Python, does what it is there for."""
    for step in steps(document):
        run_id = os.environ["GITHUB_RUN_ID"]
        if "gh-artifacts " in step.get("run", "") and "pip install" not in step["run"]:
            function = f'gh-artifacts() {{ "{sys.executable}" -m gh_artifacts_async "$@"; }}\n'
            assert await finished(["bash", "-ec", function + step["run"]], RUN_ID=run_id)
        elif step.get("shell") == "python":
            said = await finished([sys.executable, "-c", step["run"]], RUN_ID=run_id)
            assert "3 bytes of 20" in said
    assert github.requests or not any("gh-artifacts " in step.get("run", "") for step in steps(document))


# --- what users of other libraries write


def others(library: str) -> str:
    """Return the block that uses a library."""
    page = examples.PAGES_BY_NAME["migrate"].read_text(encoding="utf-8")
    (block,) = (found for found in _OTHERS.findall(page) if f"from {library} import" in found)
    return block


@pytest.mark.slow
async def test_pygithub(github: FakeGitHub, tmp_path: Path) -> None:
    """What the guide says that a user of PyGithub has works: it downloads every artifact, one after the other."""
    block = others("github").replace("Auth.Token(token)", "Auth.Token(token), base_url=base_url")
    await asyncio.to_thread(exec, block, {"token": "t0ken", "base_url": github.base_url})
    assert len(list(tmp_path.glob("*.zip"))) == 6
    assert github.max_concurrency == 1


@pytest.mark.slow
async def test_githubkit(github: FakeGitHub, tmp_path: Path) -> None:
    """What the guide says that a user of githubkit has works: it downloads every artifact."""
    block = others("githubkit").replace("GitHub(token)", "GitHub(token, base_url=base_url, http_cache=False)")
    names: dict[str, Any] = {"token": "t0ken", "base_url": f"{github.base_url}/"}
    exec(f"async def main():\n{textwrap.indent(block, '    ')}", names)  # noqa: S102  our own documentation
    await names["main"]()
    assert len(list(tmp_path.glob("*.zip"))) == 6
