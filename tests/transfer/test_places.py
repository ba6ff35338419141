"""Where artifacts of a collection go, and what is known to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_artifacts_async import Artifact, ArtifactsClient, ConfigurationError, DestinationExistsError, DownloadResult
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.transfer import REPO


async def everything(client: ArtifactsClient) -> list[Artifact]:
    """List all."""
    return [artifact async for artifact in client.list_artifacts(REPO)]


async def fetch_all(client: ArtifactsClient, artifacts: list[Artifact], folder: Path, **more: object) -> list:
    """Download all; return the outcomes."""
    async with client.download_many(artifacts, folder, **more) as outcomes:
        return [outcome async for outcome in outcomes]


async def test_a_template_by_workflow(tmp_path: Path) -> None:
    """The run of each artifact is asked for once, and its workflow's name is a folder."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        for workflow, branch in (("ci.yml", "main"), ("docs.yml", "topic/x")):
            run = github.add_run(REPO, workflow=workflow, workflow_name=workflow.upper(), branch=branch)
            for name in ("one", "two"):
                github.add_artifact(run, name, files={"a.txt": b"a"})
        artifacts = await everything(client)
        outcomes = await fetch_all(client, artifacts, tmp_path, layout="{workflow}/{branch}/{run_id}/{name}")
        assert all(outcome.ok for outcome in outcomes)
        found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.zip")}
        runs = {artifact.run_id for artifact in artifacts}
        assert len(found) == 4
        assert {place.split("/")[0] for place in found} == {"CI.YML", "DOCS.YML"}
        assert {place.split("/")[1] for place in found} == {"main", "topic_x"}
        asked = [record for record in github.requests if "/runs/" in record.path]
        assert len(asked) == len(runs) == 2


@pytest.mark.parametrize("extract", [False, True])
@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream"])
async def test_a_raw_file_under_storages_own_name_is_skipped(
    tmp_path: Path, content_type: str, *, extract: bool
) -> None:
    """A raw file whose name only storage tells is known again when storage has told it."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        run = github.add_run(REPO)
        github.add_artifact(run, "rawname", raw=("other.bin", b"bytes"), content_type=content_type)
        for skipped in (False, True):
            (outcome,) = await fetch_all(client, await everything(client), tmp_path, layout="name", extract=extract)
            assert isinstance(outcome.value, DownloadResult), outcome.error
            assert outcome.value.skipped is skipped
            assert outcome.value.path == tmp_path / "other.bin"
        (tmp_path / "other.bin").write_bytes(b"mine!")
        (outcome,) = await fetch_all(client, await everything(client), tmp_path, layout="name", extract=extract)
        assert isinstance(outcome.error, DestinationExistsError)
        assert (tmp_path / "other.bin").read_bytes() == b"mine!"
        assert [path.name for path in tmp_path.iterdir()] == ["other.bin"]


@pytest.mark.parametrize("extract", [False, True])
async def test_a_raw_file_is_skipped_under_the_default_layout(tmp_path: Path, *, extract: bool) -> None:
    """Two raw files that storage gives the same name have places of their own, and the second run fetches nothing."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        for number in range(2):
            github.add_artifact(github.add_run(REPO), "rawname", raw=("other.bin", b"%d" % number))
        for skipped in (False, True):
            outcomes = await fetch_all(client, await everything(client), tmp_path, extract=extract)
            assert [outcome.unwrap().skipped for outcome in outcomes] == [skipped, skipped]
            for outcome in outcomes:
                assert f"-{outcome.artifact.id}" in outcome.value.path.name
                assert outcome.value.path.read_bytes() == github.content(outcome.artifact.id)


async def test_the_same_artifact_twice_is_fetched_once(tmp_path: Path) -> None:
    """The second comes when the first is there, and is skipped."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        github.add_artifact(github.add_run(REPO), "docs", size=100_000)
        (artifact,) = await everything(client)
        outcomes = await fetch_all(client, [artifact, artifact, artifact], tmp_path)
        assert sorted(outcome.value.skipped for outcome in outcomes) == [False, True, True]
        assert len(github.requests_to("storage")) == 1


async def test_a_folder_in_the_place_of_a_zip(tmp_path: Path) -> None:
    """A folder is never replaced by a file, and that is found before any request."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        github.add_artifact(github.add_run(REPO), "docs", size=1000)
        (artifact,) = await everything(client)
        (tmp_path / "docs.zip").mkdir()
        github.forget_requests()
        with pytest.raises(DestinationExistsError, match="is a folder"):
            await client.download(artifact, tmp_path, if_exists="replace")
        assert not github.requests


@pytest.mark.parametrize(
    "more", [{"filename": "x" * 300}, {"directory": "a\0b"}, {"directory": 7}, {"directory": b"x"}]
)
async def test_arguments_that_cannot_be_right(tmp_path: Path, more: dict[str, object]) -> None:
    """One clear error, and no request."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        github.add_artifact(github.add_run(REPO), "docs", size=1000)
        (artifact,) = await everything(client)
        github.forget_requests()
        with pytest.raises(ConfigurationError):
            await client.download(**({"artifact": artifact, "directory": tmp_path} | more))
        with pytest.raises(ConfigurationError):
            async with client.download_many(None, tmp_path):
                pass
        assert not github.requests


async def test_a_record_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """The file is in place and right; only its record has too long a name."""
    async with FakeGitHub("ghes-3.8") as github, ArtifactsClient("token", base_url=github.base_url) as client:
        github.add_artifact(github.add_run(REPO), "docs", files={"a.txt": b"a" * 500})
        (artifact,) = await everything(client)
        result = await client.download(artifact, tmp_path, filename="x" * 245)
        assert result.verified == "none"
        assert [path.name for path in tmp_path.iterdir()] == ["x" * 245]


@pytest.mark.parametrize("name", ["a\nb", "a\x7fb", "\x1b[31mred", "a\u202eb", "..", "a/b"])
async def test_a_hostile_name_through_storage(tmp_path: Path, name: str) -> None:
    """The name is made safe, whatever Content-Disposition says."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        github.add_artifact(github.add_run(REPO), name, raw=(name, b"bytes"))
        (artifact,) = await everything(client)
        result = await client.download(artifact, tmp_path / "in")
        assert result.path.parent == tmp_path / "in"
        assert result.path.name.isprintable()


async def test_wrong_bytes_are_the_graver_news(tmp_path: Path) -> None:
    """Where the second fetch gets nothing, the error still tells that the first one brought wrong bytes."""
    from gh_artifacts_async import DigestMismatchError

    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        artifact_id = github.add_artifact(github.add_run(REPO), "docs", size=1000)
        (artifact,) = await everything(client)
        github.faults.corrupt(artifact_id)
        github.faults.status(artifact_id, 404, times=5)
        with pytest.raises(DigestMismatchError):
            await client.download(artifact, tmp_path)
        assert list(tmp_path.iterdir()) == []
