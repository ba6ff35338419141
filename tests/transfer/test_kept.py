"""What a failed last step keeps."""

import errno
import os

import pytest

from gh_artifacts_async import ArtifactsClient, OutOfSpaceError
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.transfer import REPO


async def test_a_full_disk_while_unpacking_keeps_the_zip(tmp_path, monkeypatch):
    """The verified zip stays as a part file; the next call unpacks it and fetches nothing."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        artifact_id = github.add_artifact(github.add_run(REPO), "docs", files={"log.txt": b"line\n" * 100_000})
        artifact = await client.get_artifact(REPO, artifact_id)

        def full(*_args: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("gh_artifacts_async.archive.extraction._write_all", full)
            with pytest.raises(OutOfSpaceError):
                await client.download(artifact, tmp_path, extract=True)
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")]
        github.forget_requests()
        result = await client.download(artifact, tmp_path, extract=True)
        assert result.members is not None
        assert result.resumed_from == artifact.size_in_bytes
        assert not github.requests_to("storage")
        assert sorted(path.name for path in tmp_path.iterdir()) == [".docs.gh-artifacts.json", "docs"]


async def test_a_raw_file_is_skipped_where_zips_are_unpacked(tmp_path):
    """A raw file stands where a folder would; the second call knows it all the same."""
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        artifact_id = github.add_artifact(github.add_run(REPO), "report.html", raw=("report.html", b"<html>"))
        artifact = await client.get_artifact(REPO, artifact_id)
        first = await client.download(artifact, tmp_path, extract=True, if_exists="skip")
        second = await client.download(artifact, tmp_path, extract=True, if_exists="skip")
        assert (first.skipped, second.skipped) == (False, True)
        assert first.path == second.path == tmp_path / "report.html"
