"""What is in the way of a download."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import conflicts
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.models import RepositoryName
from tests.kits.api import REPO

NAME = RepositoryName.parse(REPO)


@pytest.mark.github_com("digest")
async def test_an_older_artifact_is_named(github, client, tmp_path):
    """The listing still has an artifact of the file's digest."""
    run = github.add_run(REPO)
    old, new = (github.add_artifact(run, "wheel", files={"a": text}) for text in ("old", "new"))
    path = tmp_path / "wheel.zip"
    path.write_bytes(github.content(old))
    artifact = await client.get_artifact(REPO, new)
    error = await conflicts.explained(client, NAME, artifact, DestinationExistsError("taken", filename=str(path)))
    assert str(error) == f"{path} is artifact {old}, and artifact {new} of the same name is newer"
    assert error.filename == str(path)


@pytest.mark.github_com("digest")
@pytest.mark.parametrize("times", [(None, None), ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")])
async def test_a_newer_artifact_in_the_way_is_not_called_older(github, client, tmp_path, times):
    """An older one may be asked for by its ID; the times decide, and the IDs only without them."""
    run = github.add_run(REPO)
    newer, older = times
    there = github.add_artifact(run, "wheel", files={"a": "there"}, created_at=newer, id=8 if newer is None else 7)
    asked = github.add_artifact(run, "wheel", files={"a": "asked"}, created_at=older, id=7 if newer is None else 8)
    path = tmp_path / "wheel.zip"
    path.write_bytes(github.content(there))
    artifact = await client.get_artifact(REPO, asked)
    error = await conflicts.explained(client, NAME, artifact, DestinationExistsError("taken", filename=str(path)))
    assert str(error) == f"{path} is artifact {there}, and artifact {asked} of the same name is older"


async def test_anything_else_is_told_with_the_id(github, client, tmp_path):
    """A file of the user's own, and a folder."""
    artifact = await client.get_artifact(REPO, github.add_artifact(github.add_run(REPO), "wheel"))
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name in ("mine", "folder"):
        taken = DestinationExistsError("taken", filename=str(tmp_path / name))
        error = await conflicts.explained(client, NAME, artifact, taken)
        assert str(error) == f"{tmp_path / name} exists, and is not artifact {artifact.id}"


async def test_what_is_not_there_is_told_as_it_was(github, client, tmp_path):
    """Two artifacts that would be one file, say."""
    artifact = await client.get_artifact(REPO, github.add_artifact(github.add_run(REPO), "wheel"))
    for filename in (str(tmp_path / "absent"), None):
        taken = DestinationExistsError("taken", filename=filename)
        assert await conflicts.explained(client, NAME, artifact, taken) is taken
