"""A verified file and its record appear together."""

from __future__ import annotations

import hashlib

import pytest

from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.models import Artifact, RepositoryName
from gh_artifacts_async.transfer.disk.commit import commit_with_record
from gh_artifacts_async.transfer.disk.partfile import PartFile, VerifiedPart
from gh_artifacts_async.transfer.disk.records import read_file_record, record_path

BODY = b"content"


def received(folder, verified):
    """Return an artifact without a digest whose length GitHub counts differently, and its bytes in a part."""
    artifact = Artifact(
        id=7,
        name="docs",
        size_in_bytes=1000,
        url="",
        archive_download_url="",
        expired=False,
        repository=RepositoryName("o", "r"),
    )
    part = PartFile.for_artifact(artifact, folder)
    part.start()
    part.append([BODY])
    sha256 = hashlib.sha256(BODY).hexdigest()
    return artifact, VerifiedPart(
        part=part,
        kind="raw",
        verified=verified,
        sha256=sha256,
        size=len(BODY),
        resumed_from=0,
        content_type=None,
        disposition=None,
    )


@pytest.mark.parametrize("verified", ["none", "size"])
def test_a_record_only_where_nothing_else_identifies_the_file(tmp_path, verified):
    """GitHub's size, where it is the right one, is enough."""
    artifact, found = received(tmp_path, verified)
    path = tmp_path / "docs"
    commit_with_record(artifact, path, found, replace=False, durable=False)
    assert path.read_bytes() == BODY
    record = read_file_record(path)
    assert (record is not None) == (verified == "none")
    assert record is None or (record.artifact_id, record.size, record.sha256) == (7, 7, found.sha256)


def test_a_name_that_is_taken_leaves_no_record(tmp_path):
    """What is there stays, and nothing is said about it."""
    artifact, found = received(tmp_path, "none")
    path = tmp_path / "docs"
    path.write_bytes(b"older")
    with pytest.raises(DestinationExistsError):
        commit_with_record(artifact, path, found, replace=False, durable=False)
    found.part.discard()
    assert path.read_bytes() == b"older"
    assert not record_path(path).exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["docs"]


def test_without_a_record_the_file_is_right_all_the_same(tmp_path, monkeypatch):
    """A record that cannot be written is no reason to refuse the file."""
    artifact, found = received(tmp_path, "none")

    def fail(*_arguments: object) -> None:
        raise OSError

    monkeypatch.setattr("gh_artifacts_async.transfer.disk.commit.stage_file_record", fail)
    commit_with_record(artifact, tmp_path / "docs", found, replace=True, durable=False)
    assert (tmp_path / "docs").read_bytes() == BODY
    assert read_file_record(tmp_path / "docs") is None
