"""The bot's tests."""

import asyncio
import json
import subprocess
import sys

import coverage_bot
import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.testing import FakeGitHub, JumpLoop

REPO = "octo-org/octo-docs"
HEAD = "c0ffee" + "0" * 34


def add_report(github: FakeGitHub, percent: float, *, main: bool = False) -> int:
    """Add a run of main, or of pull request 7, with a report; return its artifact's id."""
    if main:
        run = github.add_run(REPO, branch="main")
    else:
        github.add_pull_request(REPO, 7, head_sha=HEAD)
        run = github.add_run(REPO, branch="patch", head_sha=HEAD, event="pull_request")
    report = json.dumps({"totals": {"percent_covered": percent}})
    return github.add_artifact(run, "coverage", files={"coverage.json": report})


@pytest.mark.asyncio
async def test_it_compares(fake_github: FakeGitHub, client: ArtifactsClient) -> None:
    """The newest reports of the pull request and of main are compared."""
    add_report(fake_github, 80.0, main=True)
    add_report(fake_github, 81.5)
    said = await coverage_bot.comment(client, REPO, 7)
    assert said == "#7 covers 81.5 %, +1.5 against main."
    assert len(fake_github.requests) <= 10


@pytest.mark.asyncio
async def test_no_report(fake_github: FakeGitHub, client: ArtifactsClient) -> None:
    """What was never uploaded, or has expired, is no report."""
    expired = add_report(fake_github, 81.5)
    fake_github.expire_artifact(expired)
    assert await coverage_bot.comment(client, REPO, 7) == "#7 has no coverage report."


@pytest.mark.asyncio
async def test_first_report(fake_github: FakeGitHub, client: ArtifactsClient) -> None:
    """A first report has no other to compare with."""
    add_report(fake_github, 81.5)
    said = await coverage_bot.comment(client, REPO, 7)
    assert said == "#7 covers 81.5 %; main has no report to compare with."


@pytest.mark.asyncio
async def test_another_file(fake_github: FakeGitHub, client: ArtifactsClient) -> None:
    """A file that is no report is an error that names the artifact."""
    fake_github.add_pull_request(REPO, 7, head_sha=HEAD)
    run = fake_github.add_run(REPO, branch="patch", head_sha=HEAD)
    number = fake_github.add_artifact(run, "coverage", files={"coverage.json": "[]"})
    with pytest.raises(ValueError, match=f"artifact {number}: coverage.json is no report"):
        await coverage_bot.comment(client, REPO, 7)


@pytest.mark.asyncio
async def test_bad_network(fake_github: FakeGitHub, client: ArtifactsClient) -> None:
    """A broken connection, an expired URL and an error of the API change nothing."""
    add_report(fake_github, 80.0, main=True)
    artifact_id = add_report(fake_github, 81.5)
    fake_github.faults.cut(artifact_id)
    fake_github.faults.expire_url(artifact_id)
    fake_github.faults.status(code=502, where="api")
    said = await coverage_bot.comment(client, REPO, 7)
    assert said == "#7 covers 81.5 %, +1.5 against main."
    fake_github.faults.assert_used()


@pytest.mark.asyncio
@pytest.mark.usefixtures("environment")
async def test_rate_limit(
    fake_github: FakeGitHub,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Over the rate limit the bot does not wait for an hour: it says so."""
    fake_github.faults.rate_limit(reset_in=3600)
    assert await coverage_bot.run(REPO, 7) == coverage_bot.TRY_LATER
    assert capsys.readouterr().err.startswith("try again later: ")


def test_a_pause() -> None:
    """A pause of 60 seconds is waited for, in no time: the loop's clock jumps."""

    async def main() -> str:
        async with FakeGitHub() as github:
            add_report(github, 81.5)
            github.faults.secondary_limit(retry_after=60)
            async with ArtifactsClient("token", base_url=github.base_url) as client:
                return await coverage_bot.comment(client, REPO, 7)

    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        before = runner.get_loop().time()
        assert runner.run(main()).startswith("#7 covers 81.5 %")
        assert runner.get_loop().time() - before >= 60


@pytest.mark.usefixtures("environment")
def test_the_program(fake_github: FakeGitHub) -> None:
    """It is a program; here the fake runs in a thread."""
    add_report(fake_github, 81.5)
    command = [sys.executable, coverage_bot.__file__, REPO, "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "#7 covers 81.5 %; main has no report to compare with.\n"
