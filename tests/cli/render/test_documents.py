"""JSON for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from gh_artifacts_async import Artifact, PlannedDownload, RepositoryName, WorkflowRun
from gh_artifacts_async.cli.render import documents

ARTIFACT = Artifact(
    id=7,
    node_id="n",
    name="w\u202e",
    size_in_bytes=5,
    url="u",
    archive_download_url="d",
    expired=False,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_an_artifact_has_githubs_fields():
    """Times as GitHub writes them; null for what it does not say."""
    document = documents.artifact(ARTIFACT)
    assert document["created_at"] == "2026-01-01T00:00:00Z"
    for field in ("expires_at", "updated_at", "digest", "workflow_run", "repository"):
        assert document[field] is None


def test_documents_are_ascii():
    """Whatever a name holds, it is given back unharmed."""
    written = documents.dumps(documents.artifact(ARTIFACT))
    assert written.isascii()
    assert written.endswith("}\n")
    assert json.loads(written)["name"] == ARTIFACT.name


def test_a_line_is_one_line():
    """As short as it can be, and ASCII too."""
    written = documents.line({"name": ARTIFACT.name, "id": 7})
    assert written == '{"name":"w\\u202e","id":7}\n'


def test_a_run():
    """GitHub's names; a fork is told by its repository."""
    run = WorkflowRun(id=9, repository_id=1, head_repository_id=2, head_repository=RepositoryName("a", "b"))
    document = documents.run(run)
    assert document["id"] == 9
    assert document["fork"] is True
    assert document["head_repository"] == "a/b"
    assert document["pull_requests"] == []
    for field in ("name", "conclusion", "created_at", "html_url", "actor", "repository"):
        assert document[field] is None


def test_a_planned_download():
    """What would be done, where, and how many bytes it takes."""
    plan = PlannedDownload(artifact=ARTIFACT, path=Path("a/b.zip"), action="resume", bytes=3)
    assert documents.planned(plan) == {
        "id": 7,
        "name": ARTIFACT.name,
        "size": 5,
        "action": "resume",
        "path": str(Path("a/b.zip")),
        "bytes": 3,
    }


def test_a_failure():
    """The error's class tells programs what kind it is."""
    assert documents.failed(None, "x", LookupError("why"), "why; what to do") == {
        "id": None,
        "name": "x",
        "error": "why; what to do",
        "type": "LookupError",
    }
